"""Sightings: where a host was found."""

from __future__ import annotations

from typing import Any, assert_never, get_args

from atsprobe.json_v1 import endpoint as endpoints
from atsprobe.json_v1.node import Node, or_else, or_none
from atsprobe.model.endpoint import (
    Argument,
    ByteOffset,
    Confidence,
    Endpoint,
    Line,
    Location,
    PlistKey,
    Reference,
    ReferenceKind,
    Section,
)

_MAX_LINE = 1 << 62


def encode(reference: Reference, row: Endpoint | None = None) -> dict[str, Any]:
    """Write a sighting. Its endpoint is told unless it is that of the ``row`` under which the sighting stands.

    ``location`` is for people and begins with the line number where there is one; ``place`` says the same in parts.
    """
    own = {} if reference.endpoint == row else endpoints.encode(reference.endpoint)
    return {
        **own,
        "target": reference.target,
        "bundle": reference.bundle,
        "file": reference.file,
        "location": str(reference.location),
        "text": reference.text,
        "kind": reference.kind,
        "confidence": reference.confidence.value,
        **({"detector": reference.detector} if reference.detector else {}),
        **({"noise_reason": reference.noise_reason} if reference.noise_reason else {}),
        "place": _encode_place(reference.location),
    }


def _encode_place(location: Location) -> dict[str, Any]:
    match location:
        case PlistKey():
            return {"kind": "plist-key", "path": location.path, "line": location.line}
        case Section():
            return {
                "kind": "section",
                "architecture": location.architecture,
                "section": location.section,
                "offset": location.offset,
                "encoding": location.encoding,
            }
        case Line():
            return {"kind": "line", "line": location.number}
        case ByteOffset():
            return {"kind": "byte-offset", "offset": location.offset, "encoding": location.encoding}
        case Argument():
            return {"kind": "argument", "line": location.line}
        case _:
            assert_never(location)


def decode(node: Node, row: Endpoint | None = None) -> Reference:
    """Read a sighting; ``row`` is the endpoint under which it stands."""
    own = row if row is not None and node.get("host") is None else endpoints.decode(node)
    return Reference(
        endpoint=own,
        target=node["target"].text(),
        bundle=or_none(node.get("bundle"), Node.text),
        file=node["file"].text(),
        location=_decode_place(node["place"]),
        text=node["text"].text(),
        kind=node["kind"].choice(get_args(ReferenceKind)),
        confidence=node["confidence"].choice(tuple(Confidence)),
        noise_reason=or_else(node.get("noise_reason"), Node.text, default=""),
        detector=or_else(node.get("detector"), Node.text, default=""),
    )


def _decode_place(node: Node) -> Location:
    match node["kind"].choice(("plist-key", "section", "line", "byte-offset", "argument")):
        case "plist-key":
            return PlistKey(node["path"].text(), or_none(node.get("line"), _line))
        case "section":
            return Section(node["architecture"].text(), node["section"].text(), _line(node["offset"]), _encoding(node))
        case "line":
            return Line(_line(node["line"]))
        case "byte-offset":
            return ByteOffset(_line(node["offset"]), _encoding(node))
        case _:
            return Argument(or_none(node.get("line"), _line))


def _line(node: Node) -> int:
    return node.integer(0, _MAX_LINE)


def _encoding(node: Node) -> str:
    return or_else(node.get("encoding"), Node.name, default="ascii")
