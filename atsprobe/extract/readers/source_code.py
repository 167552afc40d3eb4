"""Source code of an app: the URLs and the whole strings in its literals, with their line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from atsprobe.extract.bare_hosts import WholeStrings
from atsprobe.extract.containers.left_out import is_in_content
from atsprobe.extract.host_names import FoundTemplate, Hit, urls_in
from atsprobe.extract.readers.found import LineCounter, sightings
from atsprobe.extract.sighting import Buffer, Sighting
from atsprobe.model.endpoint import Line

_SUFFIXES = (
    *(".swift", ".m", ".mm", ".h", ".hpp", ".c", ".cc", ".cpp", ".pch", ".dart"),
    *(".ts", ".tsx", ".mts", ".cts", ".jsx", ".vue", ".svelte", ".cs", ".fs", ".go", ".rs"),
)
_KOTLIN_FOR_IOS = re.compile(r"/(?:common|apple|ios\w*|native)Main/")
_LITERAL = re.compile(rb"([\"'`])([a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9][a-z0-9-]{0,62}){1,8})\1")
_MARKS = re.compile(rb"\\.|//|/\*|\*/|[\"'`]")
_BLOCK = re.compile(rb"^[ \t]{0,80}/\*|\*/", re.MULTILINE)
_MAX_LINE = 2000
_MAX_INDENT = 80
_MAX_LITERALS = 200_000


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is source code, by its suffix, outside of the bundles that are installed.

    Kotlin counts in the source sets that Kotlin Multiplatform compiles for iOS alone.
    """
    if not head or b"\0" in head or is_in_content(path):
        return False
    return path.lower().endswith(_SUFFIXES) or (path.endswith(".kt") and bool(_KOTLIN_FOR_IOS.search(path)))


def read(_: str, content: Buffer) -> Iterator[Sighting]:
    """Give the hosts of URLs, those outside of string literals less surely, then whole literals that are bare hosts."""
    lines, places = LineCounter(content), _Places(content)
    yield from sightings(_hits(content, places), lambda hit: Line(lines.at(hit.offset)))
    lines, places = LineCounter(content), _Places(content)
    names = WholeStrings()
    for literal in islice(_LITERAL.finditer(content), _MAX_LITERALS):
        if places.at(literal.start()) not in _COMMENTS:
            names.add(literal[2].decode("ascii"), Line(lines.at(literal.start())))
    yield from names.sightings()


def _hits(content: Buffer, places: _Places) -> Iterator[Hit]:
    for hit in urls_in(content, escapes=True):
        if places.at(hit.offset) in _QUOTES:
            yield hit
        elif not isinstance(hit.found, FoundTemplate):
            yield replace(hit, is_sure=False)


_QUOTES = frozenset({b'"', b"'", b"`"})
_COMMENTS = frozenset({b"//", b"/*", b"*"})


class _Places:
    """Tells of one offset after another which mark it stands behind in its line: an open quote, a comment's, or none.

    Where the line begins too far away, which packed code alone does, everything is taken to be in quotes. A comment of
    several lines is known by what begins its first one, since ``/*`` elsewhere may stand in a string, or by the star at the
    beginning of each.
    """

    def __init__(self, content: Buffer) -> None:
        self._content = content
        self._at = 0
        self._inside = b""
        self._line = 0
        self._is_in_block = False

    def at(self, offset: int) -> bytes:
        """Give the mark; offsets come in order."""
        start = self._content.rfind(b"\n", self._at, offset) + 1
        if start:
            for mark in _BLOCK.finditer(self._content, self._line, start):
                self._is_in_block = mark[0] != b"*/"
            self._line = start
            is_comment = self._is_in_block or self._content[start : start + _MAX_INDENT].lstrip().startswith(
                (b"* ", b"*\t")
            )
            self._at, self._inside = start, b"*" if is_comment else b""
        if offset - self._at > _MAX_LINE:
            self._inside = b'"'
        else:
            for mark in _MARKS.finditer(self._content, self._at, offset):
                self._inside = _after(self._inside, mark[0])
        self._at = max(self._at, offset)
        return self._inside


def _after(inside: bytes, mark: bytes) -> bytes:
    """Give what a place behind a mark is inside of, where the place before it is inside of ``inside``."""
    if inside in _COMMENTS:
        return b"" if mark == b"*/" and inside != b"//" else inside
    if inside in _QUOTES:
        return b"" if mark == inside else inside
    return mark if mark in _QUOTES or mark in (b"//", b"/*") else inside
