"""DER as far as entitlements use it: the strings that stand under a key (ITU-T X.690, definite lengths alone)."""

from __future__ import annotations

from collections.abc import Iterator

_CONSTRUCTED = 0x20
_UTF8_STRING = 0x0C
_MAX_VALUES = 50_000
_MAX_DEPTH = 32


def strings_under(data: bytes, key: str) -> Iterator[str]:
    """Give the string, or the strings of the list, that follow a key, in order; what is damaged ends the walk.

    Apple writes a dictionary as a set or a sequence of pairs, each a sequence of a UTF8String and a value, within tags of
    its own that differ by version: any pair of that shape counts, at whatever depth.
    """
    waiting = [(0, len(data), 0)]
    left = _MAX_VALUES
    while waiting:
        start, end, depth = waiting.pop()
        values = list(_values(data, start, end, left))
        left -= len(values)
        is_pair = len(values) == 2 and _text(data, values[0]) == key
        if is_pair:
            yield from _strings(data, values[1])
        elif depth < _MAX_DEPTH:
            waiting += [(at, stop, depth + 1) for tag, at, stop in reversed(values) if tag & _CONSTRUCTED]


def _strings(data: bytes, value: tuple[int, int, int]) -> Iterator[str]:
    tag, start, end = value
    inside = _values(data, start, end, _MAX_VALUES) if tag & _CONSTRUCTED else iter((value,))
    for one in inside:
        text = _text(data, one)
        if text is not None:
            yield text


def _text(data: bytes, value: tuple[int, int, int]) -> str | None:
    tag, start, end = value
    return data[start:end].decode("utf-8", "replace") if tag == _UTF8_STRING else None


def _values(data: bytes, at: int, end: int, limit: int) -> Iterator[tuple[int, int, int]]:
    """Give (tag, start, end) of the contents of each value between two offsets; tags of several bytes are none of ours."""
    while at + 2 <= end and limit > 0:
        tag, length, body = data[at], data[at + 1], at + 2
        if length >= 0x80:
            size = length & 0x7F
            length, body = int.from_bytes(data[body : body + size], "big"), body + size
            if not 0 < size <= 4:
                return
        if tag & 0x1F == 0x1F or body + length > end:
            return
        yield tag, body, body + length
        at, limit = body + length, limit - 1
