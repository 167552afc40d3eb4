"""Localised strings and OpenStep property lists: URLs anywhere, and values that are a bare host.

``"key" = "value";``, without quotes where a value needs none, and lists in ``( , )``. Keys are no values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from atsprobe.extract.readers import plain_text
from atsprobe.extract.readers.literals import Syntax
from atsprobe.extract.sighting import Buffer, Sighting

_SUFFIXES = frozenset((".strings",))
_SYNTAX = Syntax(
    end=rb'[";,)\s]',
    before=re.compile(rb'[=(,]\s{0,20}+"?\Z'),
    after=re.compile(rb'"?\s{0,20}+[;,)]'),
)


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is a table of strings, by its suffix, and text."""
    return plain_text.has_suffix(path, head, _SUFFIXES)


def read(_: str, content: Buffer) -> Iterator[Sighting]:
    """Give the hosts of its URLs, and its whole values that are bare hosts."""
    yield from plain_text.read_as(content, _SYNTAX)
