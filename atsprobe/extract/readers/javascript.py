"""JavaScript bundles, and HTML with scripts: URLs anywhere, and whole literals in quotes that are a bare host.

A bundle is one line of property chains such as ``e.name``; only what stands between two quotes of one kind is a string.
"""

from __future__ import annotations

from collections.abc import Iterator

from atsprobe.extract.readers import plain_text
from atsprobe.extract.readers.literals import QUOTED
from atsprobe.extract.sighting import Buffer, Sighting

_SUFFIXES = frozenset((".js", ".mjs", ".cjs", ".jsbundle", ".bundle", ".html", ".htm"))


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is JavaScript or HTML, by its suffix, and text."""
    return plain_text.has_suffix(path, head, _SUFFIXES)


def read(_: str, content: Buffer) -> Iterator[Sighting]:
    """Give the hosts of its URLs, and its quoted literals that are bare hosts."""
    yield from plain_text.read_as(content, QUOTED)
