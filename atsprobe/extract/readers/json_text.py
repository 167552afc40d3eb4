"""JSON, string catalogues of Xcode among it: URLs anywhere, and string values that are a bare host."""

from __future__ import annotations

import re
from collections.abc import Iterator

from atsprobe.extract.readers import plain_text
from atsprobe.extract.readers.literals import Syntax
from atsprobe.extract.sighting import Buffer, Sighting

_SUFFIXES = frozenset((".json", ".json5", ".geojson", ".webmanifest", ".xcstrings", ".arb"))
_SYNTAX = Syntax(
    end=b'"',
    before=re.compile(rb'(?<!\\)"\Z'),
    after=re.compile(rb'"(?!\s{0,20}+:)'),
    has_escapes=True,
)
"""A string in quotes that is no key: keys are names of packages and settings more often than hosts."""


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is JSON, by its suffix, and text."""
    return plain_text.has_suffix(path, head, _SUFFIXES)


def read(_: str, content: Buffer) -> Iterator[Sighting]:
    """Give the hosts of its URLs, and its whole values that are bare hosts."""
    yield from plain_text.read_as(content, _SYNTAX)
