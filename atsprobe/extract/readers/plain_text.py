"""Text of any kind: JavaScript, HTML, CSS, JSON, XML, YAML, .strings. URLs are found where they stand, with their line."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import replace

from atsprobe.extract.host_names import FoundTemplate, Hit, urls_in
from atsprobe.extract.readers.found import LineCounter, sightings
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
_COMMENT_BYTES = 300
_COMMENT = re.compile(rb"[ \t\r]*(?://|/?\*|#|<!--)")
_COMMENT_AFTER = re.compile(rb"[;{},)][ \t]*//[ \t]")
_MAX_UTF16 = 64 << 20


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is text: by its suffix, or without a suffix by its first bytes being UTF-8, and never with a NUL."""
    if head[:2] in _UTF16:
        return _suffix(path) in SUFFIXES
    if not head or b"\0" in head:
        return False
    suffix = _suffix(path)
    is_environment = path.rpartition("/")[2].startswith(".env.")  # .env.production, which builds take in
    return suffix in SUFFIXES or ((not suffix or is_environment) and is_text(path, head))


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
    lines = LineCounter(content)
    yield from sightings(_outside_comments(content), lambda hit: Line(lines.at(hit.offset)))


def _outside_comments(content: Buffer) -> Iterator[Hit]:
    """Give the URLs of a text; one in a comment is less sure, and one there whose host is filled in is none."""
    for hit in urls_in(content, escapes=True):
        if not _is_in_comment(content, hit.offset):
            yield hit
        elif not isinstance(hit.found, FoundTemplate):
            yield replace(hit, is_sure=False)


def _is_in_comment(content: Buffer, offset: int) -> bool:
    """Say whether the line up to there begins as a comment of JavaScript, CSS, HTML or YAML, or one begins after a statement.

    A line whose beginning is further away than 300 bytes is code that was packed, in which comments are rare.
    """
    before = content[max(0, offset - _COMMENT_BYTES) : offset]
    start = before.rfind(b"\n") + 1
    if not start and offset > _COMMENT_BYTES:
        return False
    line = before[start:]
    return b"*/" not in line and b"-->" not in line and bool(_COMMENT.match(line) or _COMMENT_AFTER.search(line))


def _suffix(path: str) -> str:
    stem, dot, suffix = path.rpartition("/")[2].rpartition(".")
    return f".{suffix.lower()}" if dot and stem else ""
