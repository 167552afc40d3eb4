"""On which line a key of a TOML document stands, which tomllib does not tell."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from contextlib import suppress

KeyPath = tuple[str | int, ...]
"""Keys from the top down; a number is a place in an array."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_GAP = re.compile(r"[ \t]*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")' r"|'''.*?'{3,5}(?!')" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}\n#]+")


def key_lines(text: str) -> dict[KeyPath, int]:
    """Give the line, from 1, of every key, table and element of an array in a document that tomllib has read (TOML 1.0).

    What lies deeper than Python recurses has no line.
    """
    reader = _Reader(text)
    with suppress(RecursionError, IndexError, ValueError):  # a place is for people; the document was read without this
        reader.document()
    return reader.lines


def line_of(lines: dict[KeyPath, int], path: KeyPath) -> int | None:
    """Give the line of a path, else that of the nearest thing around it."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


class _Reader:
    """Walks a sound document (toml.io, version 1.0); one that is not ends in an error, for every step goes on."""

    def __init__(self, text: str) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._text = text
        self._at = 0
        self._newlines = [match.start() for match in re.finditer("\n", text)]
        self._tables: dict[KeyPath, int] = {}

    def document(self) -> None:
        table: KeyPath = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            table = self._header() if self._text[self._at] == "[" else self._member(table)
            self._skip(_BLANK)

    def _header(self) -> KeyPath:
        start = self._at
        is_array = self._text.startswith("[[", start)
        self._at += 2 if is_array else 1
        parts = self._key()
        self._at += 2 if is_array else 1
        path: KeyPath = ()
        for part in parts[:-1]:
            path = self._inside((*path, part))
        path = (*path, parts[-1])
        if is_array:
            self._tables[path] = self._tables.get(path, -1) + 1
            self._note(path, start)
        path = self._inside(path)
        self._note(path, start)
        return path

    def _inside(self, path: KeyPath) -> KeyPath:
        """Give the path of the last element, where a path is that of an array of tables."""
        return (*path, self._tables[path]) if path in self._tables else path

    def _member(self, table: KeyPath) -> KeyPath:
        """Read a key and its value; gives the table in which they stand."""
        start = self._at
        path = table
        for part in self._key():
            path = (*path, part)
            self._note(path, start)
        self._at += 1  # =
        self._skip(_GAP)
        self._value(path)
        return table

    def _key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self._skip(_GAP)
            if self._text[self._at] in "\"'":
                quoted = self._skip(_STRING)
                parts.append(tomllib.loads(f"k = {quoted}")["k"])
            else:
                parts.append(self._skip(_BARE_KEY))
            self._skip(_GAP)
            if self._text[self._at] != ".":
                return parts
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        opening = self._text[self._at]
        if opening in "\"'":
            self._skip(_STRING)
        elif opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            self._skip(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        number = 0
        while self._next_is_not("]"):
            self._note((*path, number), self._at)
            self._value((*path, number))
            number += 1
        self._at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while self._next_is_not("}"):
            self._member(path)
        self._at += 1

    def _next_is_not(self, closing: str) -> bool:
        """Go to the next element, over blanks and a comma; say whether there is one."""
        self._skip(_BLANK)
        if self._text[self._at] == ",":
            self._at += 1
            self._skip(_BLANK)
        return self._text[self._at] != closing

    def _skip(self, pattern: re.Pattern[str]) -> str:
        """Go over what a pattern matches here, and give it."""
        match = pattern.match(self._text, self._at)
        if match is None:
            raise IndexError(self._at)
        self._at = match.end()
        return match.group()

    def _note(self, path: KeyPath, at: int) -> None:
        self.lines.setdefault(path, bisect_right(self._newlines, at - 1) + 1)
