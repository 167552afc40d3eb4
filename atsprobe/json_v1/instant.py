"""Points in time as ISO 8601 text in UTC with a Z."""

from __future__ import annotations

from datetime import UTC, datetime


def encode(instant: datetime) -> str:
    """Write an instant, ``2026-01-31T12:00:00.5Z`` with as many digits as it has; one without a time zone is UTC already."""
    if instant.tzinfo is not None:
        instant = instant.astimezone(UTC).replace(tzinfo=None)
    return f"{instant.isoformat()}Z"


def decode(text: str) -> datetime:
    """Read an instant that says its offset from UTC. Raises ValueError."""
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise ValueError("no offset from UTC")
        return instant.astimezone(UTC)
    except OverflowError as problem:
        raise ValueError("outside the calendar") from problem
