"""Text of any kind: JavaScript, HTML, CSS, JSON, XML, YAML, .strings. URLs are found where they stand, with their line."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from atsprobe.extract.host_names import Hit, urls_in
from atsprobe.extract.readers.found import sightings
from atsprobe.extract.sighting import Buffer, Sighting, Trouble
from atsprobe.model.endpoint import Line

SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in (
        *("js", "mjs", "cjs", "jsbundle", "bundle", "json", "json5", "geojson", "webmanifest"),
        *("html", "htm", "xhtml", "css", "scss", "xml", "svg", "xsd", "storyboard", "xib"),
        *("strings", "stringsdict", "plist", "entitlements", "xcent", "xcprivacy", "xcconfig"),
        *("yaml", "yml", "toml", "ini", "cfg", "conf", "config", "properties", "env", "csv", "tsv"),
        *("txt", "text", "graphql", "gql", "proto", "lua"),
    )
)
"""Resources that an app carries; sources, which it does not, are left out."""

_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_MAX_UTF16 = 64 << 20


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is text: by its suffix, or without a suffix by its first bytes being UTF-8, and never with a NUL."""
    if head[:2] in _UTF16:
        return _suffix(path) in SUFFIXES
    if not head or b"\0" in head:
        return False
    suffix = _suffix(path)
    return suffix in SUFFIXES or (not suffix and is_text(path, head))


def is_text(_: str, head: bytes) -> bool:
    """Say whether the first bytes of a file are UTF-8 without a NUL, so that a file that was named itself is read as text."""
    if not head or b"\0" in head:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # the last character may be cut
    except UnicodeDecodeError:
        return False
    return True


def read(_: str, content: Buffer) -> Iterator[Sighting]:
    """Give the hosts of the URLs in a text file."""
    encoding = _UTF16.get(content[:2])
    if encoding:
        if len(content) > _MAX_UTF16:
            yield Trouble(f"UTF-16 text larger than {_MAX_UTF16 >> 20} MiB")
            return
        content = content[2:].decode(encoding, "replace").encode("utf-8", "replace")
    lines = _Lines(content)
    yield from sightings(urls_in(content, escapes=True), lines.of)


def _suffix(path: str) -> str:
    stem, dot, suffix = path.rpartition("/")[2].rpartition(".")
    return f".{suffix.lower()}" if dot and stem else ""


class _Lines:
    """Counts lines up to each hit, going on from the one before."""

    def __init__(self, content: Buffer) -> None:
        self._content = content
        self._at = 0
        self._number = 1

    def of(self, hit: Hit) -> Line:
        """Give the line of a hit; hits come in order."""
        self._number += self._content[self._at : hit.offset].count(b"\n")
        self._at = max(self._at, hit.offset)
        return Line(self._number)
