"""Foreign text made harmless: what an app, a server, a certificate or DNS wrote may hold anything."""

from __future__ import annotations

import unicodedata

LONGEST_QUOTE = 200
"""Characters of a quoted string before it is cut."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BLANK_BUT_NO_SPACE = "Zs"


def escape(text: str, *, ascii_only: bool = False) -> str:
    r"""Write control, format, private, unassigned and line-separating characters as ``\u{1b}``.

    So are blanks other than the space (they would pass for one), and with ``ascii_only`` everything beyond ASCII.
    What is left cannot move the cursor, change colours, start a line or turn the reading direction.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"\\u{{{ord(c):x}}}" if _is_unsafe(c, ascii_only=ascii_only) else c for c in text)


def _is_unsafe(character: str, *, ascii_only: bool) -> bool:
    if character.isascii():
        return not character.isprintable()
    if ascii_only:
        return True
    category = unicodedata.category(character)
    return category in _INVISIBLE or (category == _BLANK_BUT_NO_SPACE and character != "\u3000")


def shortened(text: str, limit: int = LONGEST_QUOTE) -> str:
    """Give a text to quote: its first characters, and in brackets how many more there were."""
    return text if len(text) <= limit else f"{text[:limit]}[+{len(text) - limit}]"
