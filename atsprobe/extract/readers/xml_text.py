"""XML: URLs anywhere, and texts and values of attributes that are a bare host."""

from __future__ import annotations

import re
from collections.abc import Iterator

from atsprobe.extract.readers import plain_text
from atsprobe.extract.readers.literals import Syntax
from atsprobe.extract.sighting import Buffer, Sighting

_SUFFIXES = frozenset((".xml", ".svg", ".xsd", ".storyboard", ".xib", ".xhtml"))
_SYNTAX = Syntax(
    end=rb"[\"'<]",
    before=re.compile(rb"(?:[^\s]=\s{0,4}+[\"']|>\s{0,20}+)\Z"),
    after=re.compile(rb"[\"'](?:[\s/>?]|\Z)|<"),
)


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is XML, by its suffix, and text."""
    return plain_text.has_suffix(path, head, _SUFFIXES)


def read(_: str, content: Buffer) -> Iterator[Sighting]:
    """Give the hosts of its URLs, and its whole values that are bare hosts."""
    yield from plain_text.read_as(content, _SYNTAX)
