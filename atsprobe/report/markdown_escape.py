"""Foreign text put into Markdown, so that it stays text: no HTML, no link, no table cell, no new line, no code."""

from __future__ import annotations

import re

from atsprobe.report.escape import escape

_NEVER = re.compile("[<>|`]")
_MARKUP = re.compile(r"[*\[\]~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|\\(?=[!-/:-@\[-`{-~])")
_ENTITY = re.compile(r"&(?=#?[A-Za-z0-9]+;)")
_MENTION = re.compile(r"(?<!\w)@")


def code(text: str) -> str:
    r"""Write a text as code, where nothing but a backtick means anything; what would end the code is written as ``\u{60}``."""
    return f"`{_NEVER.sub(_as_number, escape(text)) or ' '}`"


def prose(text: str) -> str:
    r"""Write a text between other words: what is markup to CommonMark or GitHub means nothing, and ``<`` becomes ``\u{3c}``.

    It must not stand first on a line, where a number or a dash would begin a list.
    """
    plain = _MARKUP.sub(lambda found: f"\\{found[0]}", escape(text))
    return _MENTION.sub("\\\\u{40}", _ENTITY.sub("&amp;", _NEVER.sub(_as_number, plain)))


def _as_number(found: re.Match[str]) -> str:
    return f"\\u{{{ord(found[0]):x}}}"
