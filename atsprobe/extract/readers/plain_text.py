"""Text of any kind, such as CSS, CSV and what has no reader of its own: URLs are found where they stand, with their line."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import replace

from atsprobe.extract.bare_hosts import WholeStrings, bare_host
from atsprobe.extract.host_names import FoundTemplate, Hit, urls_in
from atsprobe.extract.member import Unreadable
from atsprobe.extract.readers.found import LineCounter, sightings
from atsprobe.extract.readers.literals import Syntax, whole_literals
from atsprobe.extract.sighting import Buffer, Sighting, Trouble
from atsprobe.model.endpoint import Confidence, Line

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
    is_environment = path.rpartition("/")[2].startswith(".env.")  # .env.production, which builds take in
    is_plain = not _suffix(path) or is_environment
    is_script = head.startswith(b"#!")  # for a shell, which iOS gives no app
    return has_suffix(path, head, SUFFIXES) or (is_plain and not is_script and is_text(path, head))


def has_suffix(path: str, head: bytes, suffixes: frozenset[str]) -> bool:
    """Say whether a file is text with one of these suffixes: without a NUL, or UTF-16 with its mark."""
    return _suffix(path) in suffixes and bool(head) and (head[:2] in _UTF16 or b"\0" not in head)


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
    yield from read_as(content, None)


def read_as(content: Buffer, syntax: Syntax | None) -> Iterator[Sighting]:
    """Give the hosts of the URLs in a text, and of the whole literals that its syntax delimits."""
    encoding = _UTF16.get(content[:2])
    if encoding:
        if len(content) > _MAX_UTF16:
            yield Trouble(f"UTF-16 text larger than {_MAX_UTF16 >> 20} MiB")
            return
        content = content[2:].decode(encoding, "replace").encode("utf-8", "replace")
    lines = LineCounter(content)
    yield from sightings(_outside_comments(content), lambda hit: Line(lines.at(hit.offset)))
    if syntax:
        yield from _bare_hosts(content, syntax)


def _bare_hosts(content: Buffer, syntax: Syntax) -> Iterator[Sighting]:
    """Give the whole literals that are bare hosts; one in a comment is less sure."""
    code, comments, lines = WholeStrings(), WholeStrings(), LineCounter(content)
    try:
        for offset, text in whole_literals(content, syntax):
            if bare_host(text):
                found = comments if _is_in_comment(content, offset) else code
                found.add(text, Line(lines.at(offset)))
    except Unreadable as unreadable:
        yield Trouble(unreadable.reason, is_damage=False)
    yield from code.sightings()
    for sighting in comments.sightings():
        yield replace(sighting, confidence=Confidence.EMBEDDED)


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
