"""What the targets hold: bundles with their dictionary, and what was not or need not be looked at."""

from __future__ import annotations

from typing import Any, get_args

from atsprobe.json_v1 import plist_value, references
from atsprobe.json_v1.node import Node, or_else, or_none
from atsprobe.model.app import ApiConfidence, Bundle, Extraction, NetworkApiUse, SkippedInput, UrlTemplate
from atsprobe.model.dictionary import AtsDictionary

_GOVERNED = {True: "yes", False: "no", None: "unknown"}
_GOVERNED_AS = {word: value for value, word in _GOVERNED.items()}

MAX_NOISE = 1000
"""Sightings of noise that are written out; their count is told in full."""


def encode_bundle(bundle: Bundle) -> dict[str, Any]:
    """Write a bundle. ``dictionary`` is the value of NSAppTransportSecurity, ``{}`` where it has none."""
    return {
        "identifier": bundle.identifier,
        "target": bundle.target,
        "info_plist": bundle.info_plist,
        **encode_dictionary(bundle.dictionary),
        "minimum_os": bundle.minimum_os,
        "linked_sdk": bundle.linked_sdk,
        "name": bundle.name,
        "version": bundle.version,
        "build": bundle.build,
        "is_loose_plist": bundle.is_loose_plist,
        "network_apis": [encode_network_api(use) for use in bundle.network_apis],
        "build_notes": list(bundle.build_notes),
        "key_lines": [{"domain": d, "key": k, "line": line} for (d, k), line in bundle.key_lines.items()],
    }


def encode_dictionary(dictionary: AtsDictionary) -> dict[str, Any]:
    """Write a dictionary as declared, and beside it the ATS keys that stand outside NSAppTransportSecurity."""
    declared = dictionary.to_plist()
    return {
        "dictionary": {} if declared is None else plist_value.encode(declared),
        "misplaced": {key: plist_value.encode(value) for key, value in dictionary.misplaced},
    }


def encode_network_api(use: NetworkApiUse) -> dict[str, Any]:
    """Write a network API; ``governed_by_ats`` is true only where ``governed`` is yes."""
    return {
        "id": use.id,
        "api": use.api,
        "says": use.says,
        "governed": _GOVERNED[use.governed_by_ats],
        "governed_by_ats": use.governed_by_ats is True,
        "accepts_server_trust": use.accepts_server_trust,
        "confidence": use.confidence,
        "target": use.target,
        "file": use.file,
        "architecture": use.architecture,
        "in_sdk": use.in_sdk,
        "analysed": use.analysed,
        "evidence": use.evidence,
    }


def encode_skipped(skipped: SkippedInput) -> dict[str, Any]:
    """Write something that was not looked at."""
    return {
        "target": skipped.target,
        "file": skipped.file,
        "reason": skipped.reason,
        "advice": skipped.advice,
        "unreadable": skipped.unreadable,
    }


def encode_beside(extraction: Extraction) -> dict[str, Any]:
    """Write what is no host to judge: noise, and URLs whose host is filled in at run time."""
    return {
        "noise": {
            "count": len(extraction.noise),
            "references": [references.encode(reference) for reference in extraction.noise[:MAX_NOISE]],
        },
        "templates": [
            {
                "suffix": t.suffix,
                "is_whole_host": t.is_whole_host,
                "bundle": t.bundle,
                "target": t.target,
                "file": t.file,
                "text": t.text,
            }
            for t in extraction.templates
        ],
        "files_read": extraction.files_read,
    }


def decode_bundle(node: Node) -> Bundle:
    """Read a bundle."""
    key_lines, network_apis = node.get("key_lines"), node.get("network_apis")
    build_notes = node.get("build_notes")
    return Bundle(
        identifier=node["identifier"].text(),
        target=node["target"].text(),
        info_plist=node["info_plist"].text(),
        dictionary=decode_dictionary(node),
        name=or_none(node.get("name"), Node.text),
        version=or_none(node.get("version"), Node.text),
        build=or_none(node.get("build"), Node.text),
        minimum_os=or_none(node.get("minimum_os"), Node.text),
        linked_sdk=or_none(node.get("linked_sdk"), Node.text),
        is_loose_plist=or_else(node.get("is_loose_plist"), Node.flag, default=False),
        network_apis=() if network_apis is None else tuple(decode_network_api(n) for n in network_apis.items()),
        build_notes=() if build_notes is None else tuple(n.text() for n in build_notes.items()),
        key_lines={} if key_lines is None else dict(_decode_key_line(n) for n in key_lines.items()),
    )


def decode_dictionary(node: Node) -> AtsDictionary:
    """Read a dictionary from the object of which it is a member."""
    misplaced = node.get("misplaced")
    stray = {} if misplaced is None else {key: plist_value.decode(value) for key, value in misplaced.members()}
    return AtsDictionary.from_plist(plist_value.decode(node["dictionary"]), stray)


def decode_network_api(node: Node) -> NetworkApiUse:
    """Read a network API; of the first documents, those members alone that they have."""
    governed, confidence = node.get("governed"), node.get("confidence")
    return NetworkApiUse(
        api=node["api"].text(),
        governed_by_ats=_GOVERNED_AS[governed.choice(tuple(_GOVERNED_AS))]
        if governed
        else node["governed_by_ats"].flag(),
        accepts_server_trust=node["accepts_server_trust"].flag(),
        file=node["file"].text(),
        evidence=node["evidence"].text(),
        id=or_else(node.get("id"), Node.text, default=""),
        says=or_else(node.get("says"), Node.text, default=""),
        confidence=confidence.choice(get_args(ApiConfidence)) if confidence else "high",
        architecture=or_else(node.get("architecture"), Node.text, default=""),
        in_sdk=or_else(node.get("in_sdk"), Node.flag, default=False),
        analysed=or_else(node.get("analysed"), Node.flag, default=True),
        target=or_else(node.get("target"), Node.text, default=""),
    )


def _decode_key_line(node: Node) -> tuple[tuple[str | None, str | None], int]:
    place = (or_none(node.get("domain"), Node.text), or_none(node.get("key"), Node.text))
    return place, node["line"].integer(0, 1 << 62)


def decode_skipped(node: Node) -> SkippedInput:
    """Read something that was not looked at."""
    return SkippedInput(
        target=node["target"].text(),
        file=node["file"].text(),
        reason=node["reason"].text(),
        advice=or_else(node.get("advice"), Node.text, default=""),
        unreadable=or_else(node.get("unreadable"), Node.flag, default=False),
    )


def decode_template(node: Node) -> UrlTemplate:
    """Read a URL whose host is filled in at run time."""
    return UrlTemplate(
        suffix=node["suffix"].text(),
        bundle=or_none(node.get("bundle"), Node.text),
        target=node["target"].text(),
        file=node["file"].text(),
        text=node["text"].text(),
        is_whole_host=or_else(node.get("is_whole_host"), Node.flag, default=False),
    )
