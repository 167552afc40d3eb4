"""Settings, one a line: YAML, TOML, INI, properties, build settings. URLs anywhere, and values that are a bare host."""

from __future__ import annotations

import re
from collections.abc import Iterator

from atsprobe.extract.readers import plain_text
from atsprobe.extract.readers.literals import Syntax
from atsprobe.extract.sighting import Buffer, Sighting

_SUFFIXES = frozenset(
    (".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".config", ".properties", ".env", ".xcconfig")
)
_SYNTAX = Syntax(
    end=rb"[\"'\s,\]]|\Z",
    before=re.compile(rb"(?:[:=,\[]|(?:\A|\n)[ \t]{0,40}+-)[ \t]{0,20}+[\"']?\Z"),
    after=re.compile(rb"[\"']?[ \t]{0,20}+(?:[,\]]|\r?\n|#|\Z)"),
)
"""What follows ``key:``, ``key =`` or ``-`` up to the end of its line or a comment, and the elements of a list in brackets."""


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is a file of settings, by its suffix, and text."""
    return plain_text.has_suffix(path, head, _SUFFIXES)


def read(_: str, content: Buffer) -> Iterator[Sighting]:
    """Give the hosts of its URLs, and its whole values that are bare hosts."""
    yield from plain_text.read_as(content, _SYNTAX)
