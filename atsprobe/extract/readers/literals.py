"""Whole literals in text that may be a bare host: found from their last label, and only where the syntax delimits them.

A host stands between delimiters (``"api.example.com"``), a property chain does not (``event.target.name``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from atsprobe.extract.bare_hosts import MAX_BARE
from atsprobe.extract.member import Unreadable
from atsprobe.extract.sighting import Buffer

_HOST_BYTES = b"abcdefghijklmnopqrstuvwxyz0123456789.-"
_QUOTES = (b'"', b"'", b"`")
_LEFT = 80
_RIGHT = 80
_ESCAPED = re.compile(rb'"(?:[a-z0-9.-]|\\u00[2-7][0-9A-Fa-f])*+"')
_ESCAPE = re.compile(r"\\u00([0-9A-Fa-f]{2})")
_ESCAPED_ANCHOR = re.compile(rb"\\u00(?:2[EeDd]|3\d|[67][0-9A-Fa-f])")
_MAX_ESCAPES = 20_000
_MAX_ANCHORS = 200_000


@dataclass(frozen=True, slots=True)
class Syntax:
    r"""What delimits a whole literal: a pattern of the end directly behind it, and patterns for what is before and from there on.

    ``before`` is matched against up to 80 bytes and ends in ``\Z``; ``has_escapes`` says that ``\u002e`` may stand for a dot.
    """

    end: bytes
    before: re.Pattern[bytes]
    after: re.Pattern[bytes]
    has_escapes: bool = False


QUOTED = Syntax(rb"[\"'`]", re.compile(rb"(?<!\\)[\"'`]\Z"), re.compile(rb"[\"'`]"))
"""Between two quotes of one kind, as in JavaScript, and in the attributes of HTML."""


def whole_literals(data: Buffer, syntax: Syntax) -> Iterator[tuple[int, str]]:
    """Give (offset, text) of each literal of dotted lower-case labels, in order (those with escapes after all others).

    Raises Unreadable after 200,000 places to look at, which no text of an app has.
    """
    anchor = re.compile(rb"\.[a-z]{2,18}(?=" + syntax.end + rb")")
    done = 0
    for number, match in enumerate(anchor.finditer(data)):
        if number >= _MAX_ANCHORS:
            raise Unreadable(f"more than {_MAX_ANCHORS:,} dotted literals in one file; the rest was not read")
        end = match.end()
        before = data[max(done, match.start() - MAX_BARE) : match.start()]
        start = end - len(match[0]) - (len(before) - len(before.rstrip(_HOST_BYTES)))
        done = end
        if start == match.start() or end - start > MAX_BARE:
            continue
        left = data[max(0, start - _LEFT) : start]
        if not syntax.before.search(left) or not syntax.after.match(data, end, min(len(data), end + _RIGHT)):
            continue
        quote, other = left[-1:], data[end : end + 1]
        if quote != other and (quote in _QUOTES or other in _QUOTES):
            continue
        yield start, data[start:end].decode("ascii")
    if syntax.has_escapes:
        yield from _escaped(data, syntax)


def _escaped(data: Buffer, syntax: Syntax) -> Iterator[tuple[int, str]]:
    done = 0
    for number, anchor in enumerate(_ESCAPED_ANCHOR.finditer(data)):
        if number >= _MAX_ESCAPES:
            return
        if anchor.start() < done:
            continue
        before = data[max(done, anchor.start() - MAX_BARE) : anchor.start()]
        quote = anchor.start() - len(before) + before.rfind(b'"')
        literal = _ESCAPED.match(data, quote, quote + 6 * MAX_BARE)
        done = anchor.end()
        if literal and syntax.after.match(data, literal.end() - 1, literal.end() + _RIGHT):
            done = literal.end()
            yield quote + 1, _ESCAPE.sub(lambda m: chr(int(m[1], 16)), literal[0][1:-1].decode("ascii"))
