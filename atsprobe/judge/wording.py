"""How evidence counts and measures: short lists, days, instants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta


def listed(items: Sequence[str], most: int) -> str:
    """Give the first items, and how many more there are."""
    rest = len(items) - most
    return ", ".join(items[:most]) + (f" and {rest} more" if rest > 0 else "")


def instant(at: datetime) -> str:
    """Give an instant in UTC to the second: ``2026-02-28 23:59:59 UTC``."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def days(span: timedelta) -> int:
    """Give a length in whole days, a day begun counted in full: 398 days and a second are 399."""
    return -(-span // timedelta(days=1))


def how_long(span: timedelta) -> str:
    """Give a length for people in full days: ``268 days``, ``1 day``, ``less than a day``."""
    full = span // timedelta(days=1)
    if full < 1:
        return "less than a day"
    return "1 day" if full == 1 else f"{full} days"
