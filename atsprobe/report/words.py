"""How numbers and names are put into a sentence."""

from __future__ import annotations

from collections.abc import Sequence

_PLURALS = {"binary": "binaries", "address": "addresses"}


def count(number: int, noun: str) -> str:
    """Give ``1 server`` or ``2 servers``."""
    return f"{number} {noun}" if number == 1 else f"{number} {plural(noun)}"


def plural(noun: str) -> str:
    """Give the plural of one of our nouns."""
    return _PLURALS.get(noun, f"{noun}s")


def are(number: int) -> str:
    """Give ``is`` or ``are``."""
    return "is" if number == 1 else "are"


def were(number: int) -> str:
    """Give ``was`` or ``were``."""
    return "was" if number == 1 else "were"


def listed(names: Sequence[str], most: int = 3) -> str:
    """Give the first names, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def version(text: str) -> str:
    """Give a version as people say it: ``26`` for 26.0."""
    return text.removesuffix(".0") if text.count(".") == 1 else text
