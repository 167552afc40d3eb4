"""What is concluded: findings, the judgement of one policy, verdicts, statuses of declared keys, notices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal, NewType

from atsprobe.model.dictionary import PlistValue
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.observation import Address

RequirementId = NewType("RequirementId", str)
"""The id of a requirement, declared in its own file: ``tls-version``, ``certificate-trust`` …"""

Status = Literal["pass", "fail", "warn", "not-applicable", "unknown"]
Outcome = Literal["allowed", "blocked", "exempt", "inconclusive"]
"""What becomes of a load under one policy; also the verdict under a declared dictionary."""


@dataclass(frozen=True)
class Finding:
    """What one requirement says about a case.

    ``evidence`` is what was seen, then what Apple asks (``RSA 1024 (leaf); at least 2048``); foreign text in it is raw.
    ``fixable_by`` is the ATS key that would help, None where none does. ``cause`` groups failures with one remedy.
    """

    requirement: RequirementId
    status: Status
    evidence: str
    citation: str
    fixable_by: str | None = None


@dataclass(frozen=True)
class Judgement:
    """What one policy makes of one load on one address. ``reason`` says why it is no plain allowed."""

    endpoint: Endpoint
    address: Address | None
    outcome: Outcome
    findings: tuple[Finding, ...]
    reason: str = ""

    @property
    def failing(self) -> tuple[RequirementId, ...]:
        """The requirements that fail, in the order of the registry."""
        return tuple(f.requirement for f in self.findings if f.status == "fail")


class Verdict(StrEnum):
    """What default ATS makes of an endpoint; declared from worst to best."""

    BLOCKED = "blocked"
    EXCEPTION_REQUIRED = "exception-required"
    INCONCLUSIVE = "inconclusive"
    PASS = "pass"
    EXEMPT = "exempt"


OUTCOMES_FROM_WORST: tuple[Outcome, ...] = ("blocked", "inconclusive", "allowed", "exempt")


class ExceptionStatus(StrEnum):
    """Whether a declared key is still justified (design contract §3)."""

    NEEDED = "needed"
    UNNEEDED = "unneeded"
    REPLACEABLE = "replaceable"
    TOO_WIDE = "too-wide"
    INSUFFICIENT = "insufficient"
    INEFFECTIVE = "ineffective"
    STRICT = "strict"
    UNVERIFIABLE = "unverifiable"

    @property
    def is_finding(self) -> bool:
        """Whether somebody has to act on it (R24)."""
        return self in _TO_ACT_ON


_TO_ACT_ON = frozenset(
    {
        ExceptionStatus.UNNEEDED,
        ExceptionStatus.REPLACEABLE,
        ExceptionStatus.TOO_WIDE,
        ExceptionStatus.INSUFFICIENT,
        ExceptionStatus.INEFFECTIVE,
    }
)


@dataclass(frozen=True)
class DeclaredVerdict:
    """What one bundle's dictionary makes of an endpoint. ``failing`` is what fails under that dictionary."""

    bundle: str | None
    verdict: Outcome
    verdicts: tuple[tuple[str, Outcome], ...]
    decided_by: str
    failing: tuple[RequirementId, ...]
    reason: str = ""


@dataclass(frozen=True)
class EndpointFinding:
    """A finding of default ATS, with the addresses on which it holds."""

    finding: Finding
    addresses: tuple[Address, ...]


@dataclass(frozen=True)
class ExceptionJudgement:
    """The status of one declared key, and on what it rests.

    ``has_exit_weight`` is false where no scan could ever tell (R20). ``hosts`` are the endpoints weighed;
    ``narrower`` is the form that would do, for ``too-wide``; ``line`` the line in an XML Info.plist. ``ignored`` are hosts
    that it covers and that the user had left out of the audit: what would become of them is not known.
    """

    bundle: str
    domain: str | None
    key: str | None
    value: PlistValue | None
    status: ExceptionStatus
    reason: str
    hosts: tuple[Endpoint, ...] = ()
    has_exit_weight: bool = True
    narrower: str = ""
    line: int | None = None
    ignored: tuple[Host, ...] = ()

    @property
    def counts_as_not_judged(self) -> bool:
        """Whether it could not be judged although a scan could tell."""
        return self.status is ExceptionStatus.UNVERIFIABLE and self.has_exit_weight


@dataclass(frozen=True)
class Notice:
    """What is no requirement of one endpoint: addresses that disagree, a declared domain that does not exist …"""

    kind: str
    subject: str
    evidence: str
    to_act_on: bool = False


@dataclass(frozen=True)
class Waiver:
    """A finding that somebody accepts for a while: until the end of the day ``expires``, UTC.

    ``host`` is one name (with a key: an entry's domain as spelled), ``domain`` a name and everything below it; neither
    stands beside a global key. Of ``requirement`` (a load is blocked by it) and ``key`` (its status asks for something)
    exactly one is given. ``bundle`` narrows it to one app. ``place`` is where it is written, ``FILE:LINE``.
    """

    reason: str
    owner: str
    expires: date
    host: str | None = None
    domain: str | None = None
    requirement: RequirementId | None = None
    key: str | None = None
    bundle: str | None = None
    place: str = ""

    @property
    def subject(self) -> str:
        """What it accepts, in the order in which findings are named."""
        whose = self.host or (f"{self.domain} and below" if self.domain else "")
        return " ".join(filter(None, (whose, self.requirement or self.key)))


@dataclass(frozen=True)
class WaivedLoad:
    """A blocked load of which at least one failing requirement is accepted; ``is_whole`` where all are, so that none counts."""

    endpoint: Endpoint
    waivers: tuple[tuple[RequirementId, Waiver], ...]
    is_whole: bool

    @property
    def ends_first(self) -> Waiver:
        """The waiver with which the acceptance ends."""
        return min((waiver for _, waiver in self.waivers), key=lambda w: w.expires)


@dataclass(frozen=True)
class WaivedKey:
    """A declared key whose status is accepted."""

    bundle: str
    domain: str | None
    key: str | None
    waiver: Waiver


@dataclass(frozen=True)
class StaleWaiver:
    """A waiver that has expired, or that matches no finding any more: a finding itself. ``advice`` says what to do."""

    waiver: Waiver
    problem: Literal["expired", "unmatched"]
    evidence: str
    advice: str
