"""A section of a report: a heading with a count, and below it names with what is said of each."""

from __future__ import annotations

from collections.abc import Sequence

from atsprobe.report.text.layout import Page


def column_beside(page: Page, names: Sequence[str]) -> int:
    """Give the column for what is said of a name: beyond the longest, but not beyond the middle."""
    longest = max((page.width_of((name,)) for name in names), default=0)
    return min(2 + longest + 2, page.style.columns // 2)


def add_section(
    page: Page, title: str, number: int, rows: Sequence[tuple[str, str]], column: int | None = None
) -> None:
    """Write a section, its texts at a column or beside its names; nothing where it has no rows."""
    if not rows:
        return
    page.blank()
    page.add((f"{title} ({number})", "strong"))
    at = column if column is not None else column_beside(page, [name for name, _ in rows])
    for name, text in rows:
        page.add_pair(name, text, at)
