"""Values of a property list as JSON, and back without loss.

What JSON has stands as itself. The rest is an object with one member: ``{"data": BASE64}``, ``{"date": ISO 8601}``,
``{"real": "nan" | "inf" | "-inf"}``, ``{"integer": "0x…"}`` beyond 64 bits; and a dictionary that would look like one of
these is written as ``{"dictionary": {…}}``. Dates of a plist are UTC without saying so, and come back like that.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from atsprobe.json_v1 import instant
from atsprobe.json_v1.node import Node
from atsprobe.model.dictionary import PlistValue

MAX_DEPTH = 100
"""Levels of arrays and dictionaries; what lies deeper is cut off, since no Apple client reads it."""

_CUT_OFF = "…"
_MAX_HEX = 100_000
_TAGS = frozenset({"data", "date", "real", "integer", "dictionary"})


def encode(value: PlistValue, depth: int = 0) -> Any:
    """Write a value."""
    if isinstance(value, Mapping | tuple):
        return _encode_collection(value, depth) if depth < MAX_DEPTH else _CUT_OFF
    if isinstance(value, bytes):
        return {"data": base64.b64encode(value).decode("ascii")}
    if isinstance(value, datetime):
        return {"date": instant.encode(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"real": str(value)}
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 64:
        return {"integer": hex(value)}
    return value


def _encode_collection(value: Mapping[str, PlistValue] | tuple[PlistValue, ...], depth: int) -> Any:
    if isinstance(value, tuple):
        return [encode(item, depth + 1) for item in value]
    members = {key: encode(member, depth + 1) for key, member in value.items()}
    return {"dictionary": members} if len(members) == 1 and not _TAGS.isdisjoint(members) else members


def decode(node: Node, depth: int = 0) -> PlistValue:
    """Read a value. Raises DocumentProblem, also for null: no property list holds it."""
    value = node.value
    if value is None:
        raise node.problem("is null, which no property list holds")
    if isinstance(value, bool | int | float | str):
        return value
    if depth >= MAX_DEPTH:
        raise node.problem(f"lies deeper than {MAX_DEPTH} levels")
    if isinstance(value, list):
        return tuple(decode(item, depth + 1) for item in node.items())
    members = node.members()
    if len(members) == 1 and members[0][0] in _TAGS:
        tag = members[0][0]
        return _decode_dictionary(node[tag], depth) if tag == "dictionary" else _READERS[tag](node[tag])
    return _decode_dictionary(node, depth)


def _decode_dictionary(node: Node, depth: int) -> PlistValue:
    return {key: decode(member, depth + 1) for key, member in node.members()}


def _real(node: Node) -> float:
    return float(node.choice(("nan", "inf", "-inf")))


def _integer(node: Node) -> int:
    text = node.text(_MAX_HEX)
    try:
        return int(text, 16)
    except ValueError as problem:
        raise node.problem("is no hexadecimal number") from problem


def _date(node: Node) -> datetime:
    return node.time().astimezone(UTC).replace(tzinfo=None)


_READERS: Mapping[str, Callable[[Node], PlistValue]] = {
    "data": Node.data,
    "date": _date,
    "real": _real,
    "integer": _integer,
}
