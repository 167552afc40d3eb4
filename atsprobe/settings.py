"""Every option of the command line as plain data, with its default."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from atsprobe.model.judgement import Waiver
from atsprobe.model.recording import IgnoreRule

_LARGEST_LIST = 16 << 20
_LONGEST_WAIT = 3600
MOST_JOBS = 1000


class UsageProblem(ValueError):
    """Says that an option cannot be taken: one line for the user, and a hint on what to do (empty where none helps)."""

    def __init__(self, message: str, hint: str = "") -> None:
        """Take the line, and the hint."""
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Settings:
    """What the user asked for. Times are seconds; ``rate`` is connections a second to one address, None for no limit.

    ``ios`` are versions as typed (``17``, ``all``), empty for the default; ``resolve`` and ``connect_to`` are entries as curl
    writes them, ``@FILE`` already read. ``families`` are the address families to use. ``ignored`` says which hosts that an
    app names are left out (never one of the command line), ``waivers`` which findings are accepted for a while.
    ``min_confidence`` is how sure it must be that an app means a host for that to be audited, A to D (`Confidence`).
    """

    ios: tuple[str, ...] = ()
    profile: str | None = None
    sdk: str | None = None
    assume_complete: bool = False
    ca_files: tuple[str, ...] = ()
    resolve: tuple[str, ...] = ()
    connect_to: tuple[str, ...] = ()
    nameserver: str | None = None
    families: tuple[str, ...] = ("ipv4", "ipv6")
    timeout: float = 10.0
    deadline: float = 30.0
    jobs: int = 64
    rate: float | None = None
    quick: bool = False
    allow_private: bool = False
    check_revocation: bool = False
    min_confidence: str = "B"
    ignored: tuple[IgnoreRule, ...] = ()
    waivers: tuple[Waiver, ...] = ()


def seconds(option: str, text: str) -> float:
    """Read a time of an option, more than nothing and at most an hour. Raises UsageProblem."""
    value = _number(text)
    if value is None or not 0 < value <= _LONGEST_WAIT:
        raise UsageProblem(
            f"{option}: {text} is not a number of seconds from 0 to {_LONGEST_WAIT}", f"{option} 10, say"
        )
    return value


def rate(option: str, text: str) -> float:
    """Read a number of connections a second, more than none. Raises UsageProblem."""
    value = _number(text)
    if value is None or not 0 < value <= MOST_JOBS:
        raise UsageProblem(f"{option}: {text} is not a number of connections a second", f"{option} 1, say")
    return value


def whole_number(option: str, text: str, lowest: int, highest: int, example: int) -> int:
    """Read a whole number of an option. Raises UsageProblem."""
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    if not is_number or not lowest <= int(text) <= highest:
        raise UsageProblem(
            f"{option}: {text} is not a whole number from {lowest} to {highest}", f"{option} {example}, say"
        )
    return int(text)


def _number(text: str) -> float | None:
    try:
        value = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def moment(option: str, text: str) -> datetime:
    """Read an instant: a day (its first second) or an ISO 8601 time, UTC where it names no offset. Raises UsageProblem."""
    try:
        read = datetime.fromisoformat(text)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError) as problem:
        raise UsageProblem(
            f"{option}: {text} is neither a day nor an ISO time", f"{option} 2026-12-01, or {option} 2026-12-01T09:30Z"
        ) from problem


def families(*, ipv4: bool, ipv6: bool) -> tuple[str, ...]:
    """Give the address families to use: one alone, or both where neither is asked for. Raises UsageProblem for both."""
    if ipv4 and ipv6:
        raise UsageProblem("--ipv4 and --ipv6: each means that family alone", "leave both out to use both")
    return ("ipv4",) if ipv4 else ("ipv6",) if ipv6 else ("ipv4", "ipv6")


def entries(option: str, values: Sequence[str], form: str) -> tuple[str, ...]:
    """Give the entries of an option, those of each ``@FILE`` in its place, one a line (blank lines and ``#`` comments apart).

    ``form`` is what an entry looks like, for the hint. Raises UsageProblem for a file that cannot be read.
    """
    found: list[str] = []
    for value in values:
        found += _entries_of(option, value[1:], form) if value.startswith("@") else [value]
    return tuple(found)


def _entries_of(option: str, path: str, form: str) -> list[str]:
    hint = f"{option} takes {form}, or @FILE with one a line"
    try:
        with Path(path).open("rb") as file:
            data = file.read(_LARGEST_LIST + 1)
        if len(data) > _LARGEST_LIST:
            raise UsageProblem(f"{option}: {path}: larger than {_LARGEST_LIST >> 20} MiB", hint)
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise UsageProblem(f"{option}: {path}: not UTF-8 (byte {error.start})", hint) from error
    except (OSError, ValueError) as error:
        raise UsageProblem(f"{option}: {path}: {reason(error)}", hint) from error
    stripped = (line.split("#", 1)[0].strip() for line in lines)
    return [line for line in stripped if line]


def reason(error: OSError | ValueError) -> str:
    """Say in a few words why a file could not be opened."""
    if isinstance(error, FileNotFoundError | ValueError):
        return "no such file"
    text = getattr(error, "strerror", None) or "cannot be read"
    return f"{text[:1].lower()}{text[1:]}"
