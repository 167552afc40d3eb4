r"""Bytes → names that may be bare hosts, by an anchored scan: find a common suffix, then walk a bounded way back.

A regular expression of whole names would be quadratic on hostile input; this is linear in it. What a name is taken for is
decided in `bare_hosts`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from atsprobe.extract.bare_hosts import MAX_BARE, common_suffixes
from atsprobe.extract.host_names import KNOWN_SCHEMES
from atsprobe.extract.sighting import Buffer

_NAME_BYTES = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
_BEFORE, _AFTER = 80, 100
MAX_NAMES = 100_000
"""How many ends of names are looked at in one part of a file."""

_BEGINS = re.compile(rb"(?:[\x00\s\"'`=,(<\[|;]|(?<![:/\w])//|[A-Za-z]:|([A-Za-z0-9+.-]{1,20})://|\A)\Z")
_ENDS = re.compile(rb"[\x00\s\"'`,)>\]|;/?.]|:(?:[\d\s\x00]|\Z)|\Z")
_BEGINS_IN_RUN, _ENDS_IN_RUN = re.compile(rb"[\s\"'`(<]\Z"), re.compile(rb"[\s\"'`,)>]|:\d")
_BREAK = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class TooManyNames(Exception):
    """Says that a part of a file holds more than `MAX_NAMES` ends of names, so that the rest of it was not looked at."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name in a buffer that ends in a common suffix: where its first byte stands, and the text around it.

    ``is_whole`` says that nothing but NULs, or the bounds of the scan, stand directly before and behind it.
    """

    name: str
    offset: int
    text: str
    is_whole: bool
    encoding: str = "ascii"


def names_in(data: Buffer, start: int, end: int, *, run_on: bool = False) -> Iterator[Name]:
    """Give the names in ASCII bytes, in order: whole strings, and those that a mark or a blank parts from other text.

    ``run_on`` says that strings stand end to end without a NUL (Go), so that none is whole, and a NUL is no bound.
    Raises TooManyNames.
    """
    for anchor in _anchors(b"", data, start, end):
        at, behind = anchor.span()
        first = max(start, at - MAX_BARE - _BEFORE)
        found = _name(data[first:at], anchor[0], data[behind : min(behind + _AFTER, end)], run_on=run_on)
        if found:
            name, text, is_whole = found
            yield Name(name, behind - len(name), text, is_whole)


def wide_names_in(data: Buffer, start: int, end: int) -> Iterator[Name]:
    """Give the names in UTF-16LE, in order; of big-endian text, which reads the same one byte off, none is cut short. Raises
    TooManyNames.
    """
    for anchor in _anchors(b"\0", data, start, end):
        at, behind = anchor.span()
        before = data[at - min((at - start) // 2, MAX_BARE + _BEFORE) * 2 : at]
        after = data[behind : min(behind + 2 * _AFTER, end)]
        found = _name(_narrow(before, from_end=True), anchor[0][::2], _narrow(after, from_end=False), run_on=False)
        if found:
            name, text, is_whole = found
            yield Name(name, behind - 2 * len(name), text, is_whole, "utf-16le")


def _narrow(wide: bytes, *, from_end: bool) -> bytes:
    """Give the ASCII characters of UTF-16LE text that adjoin an anchor, up to the first other one, which is written as a NUL."""
    low, high = wide[: len(wide) // 2 * 2 : 2], wide[1::2]
    if from_end:
        count = len(high) - len(high.rstrip(b"\0"))
        return low if count == len(low) else b"\0" + low[len(low) - count :]
    count = len(high) - len(high.lstrip(b"\0"))
    return low[:count] if count == len(low) else low[:count] + b"\0"


def _anchors(between: bytes, data: Buffer, start: int, end: int) -> Iterator[re.Match[bytes]]:
    for count, anchor in enumerate(_anchor(between).finditer(data, start, end)):
        if count >= MAX_NAMES:
            raise TooManyNames
        yield anchor


@cache
def _anchor(between: bytes) -> re.Pattern[bytes]:
    r"""Give the pattern of a common suffix that ends a name; ``between`` stands after each letter (``\0`` in UTF-16LE)."""
    escaped = re.escape(between)
    spelt = b"|".join(
        b"".join(letter.encode() + escaped for letter in suffix)
        for suffix in sorted(common_suffixes(), key=lambda s: (-len(s), s))
    )
    dot = rb"\." + escaped
    return re.compile(dot + rb"(?:" + spelt + rb")(?![A-Za-z0-9_-]|" + dot + rb"[A-Za-z0-9_*])")


def _name(before: bytes, suffix: bytes, after: bytes, *, run_on: bool) -> tuple[str, str, bool] | None:
    """Give the name that ends in a suffix, the text around it, and whether it is a whole string."""
    rest = before.rstrip(_NAME_BYTES)
    run = before[len(rest) :] + suffix
    name = run.lstrip(b".-")
    if not name.islower() or b"_" in name or len(name) > MAX_BARE:
        return None
    is_whole = not run_on and rest[-1:] in (b"", b"\0") and after[:1] in (b"", b"\0") and name == run
    if not is_whole and not _is_apart(rest[-24:], after, run_on=run_on):
        return None
    text = _BREAK.split(rest[-_BEFORE:])[-1] + run + _BREAK.split(after, maxsplit=1)[0]
    return name.decode("ascii"), text.decode("utf-8", "replace").strip(), is_whole


def _is_apart(before: bytes, after: bytes, *, run_on: bool) -> bool:
    """Say whether what stands around a name parts it from other text; that of a URL is found as one."""
    if run_on:
        return bool(_BEGINS_IN_RUN.search(before) and _ENDS_IN_RUN.match(after))
    begins = _BEGINS.search(before)
    if not begins or not _ENDS.match(after):
        return False
    scheme = begins[1].lower() if begins[1] else b""
    return scheme not in KNOWN_SCHEMES and not scheme.endswith((b"http", b"https"))
