"""Requirement by requirement: a sign, the id, and what was seen beside it."""

from __future__ import annotations

from collections.abc import Sequence

from atsprobe.report.text.layout import Page, Part

SYMBOLS: dict[str, Part] = {
    "fail": ("✗", "bad"),
    "warn": ("!", "change"),
    "unknown": ("?", "strong"),
    "not-applicable": "-",
    "pass": "✓",
}
ORDER = tuple(SYMBOLS)
"""The order of the rows, by status."""

_AT = 5


def add_requirement_rows(page: Page, rows: Sequence[tuple[str, str, str]]) -> int:
    """Write rows of status, requirement and evidence below an empty line; gives the width of the ids, blanks included."""
    page.blank()
    width = max(len(requirement) for _, requirement, _ in rows) + 2
    for status, requirement, evidence in rows:
        page.add(SYMBOLS[status], "  ", f"{requirement:<{width}}", evidence, indent=2, hang=_AT + width)
    return width
