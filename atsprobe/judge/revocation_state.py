"""What a signed statement says about the revocation of a leaf, and whether its time is now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509

from atsprobe.judge.wording import instant

_SKEW = timedelta(minutes=5)
"""How far the clocks of a responder and of the auditor may differ: a response can be made the moment it is asked for."""


@dataclass(frozen=True)
class RevocationState:
    """Good, revoked, or of no use; ``detail`` says when it was revoked, until when it is good, or why it is of no use."""

    status: Literal["good", "revoked", "unusable"]
    detail: str


def unusable(why: str) -> RevocationState:
    """Say that nothing follows."""
    return RevocationState("unusable", why)


def revoked(at: datetime, reason: x509.ReasonFlags | None) -> RevocationState:
    """Say that a leaf is revoked, since when and why."""
    return RevocationState("revoked", f"revoked {instant(at)}" + (f" ({reason.value})" if reason else ""))


def good(words: str, until: datetime | None) -> RevocationState:
    """Say that a leaf is not revoked, and for how long that holds."""
    return RevocationState("good", words + (f", until {instant(until)}" if until else ""))


def is_current(begins: datetime, ends: datetime | None, at: datetime) -> bool:
    """Say whether a statement holds at an instant, give or take what clocks differ by (RFC 6960 §3.2, RFC 5280 §5.1.2)."""
    return begins <= at + _SKEW and (ends is None or at - _SKEW <= ends)
