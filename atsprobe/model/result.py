"""What a command answers, and the exit code that follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Literal

from atsprobe.model.app import Bundle, Extraction, SkippedInput
from atsprobe.model.certificate import Certificate, UnreadableCertificate
from atsprobe.model.dictionary import ExceptionEntry, PlistValue
from atsprobe.model.endpoint import Endpoint, Host, Reference
from atsprobe.model.judgement import (
    DeclaredVerdict,
    EndpointFinding,
    ExceptionJudgement,
    ExceptionStatus,
    Finding,
    Notice,
    Outcome,
    Verdict,
)
from atsprobe.model.observation import Observation, Resolution
from atsprobe.model.policy import Client, KeyNote, Policy, Profile
from atsprobe.model.recording import Recording


class ExitCode(IntEnum):
    """The exit codes of every command."""

    NOTHING_TO_ACT_ON = 0
    FINDINGS = 1
    USAGE = 2
    INCOMPLETE = 3
    INTERRUPTED = 130


@dataclass(frozen=True)
class EndpointResult:
    """One load, judged: by default ATS on every profile, and under each dictionary that governs it.

    ``is_load`` is false for a host that only a declaration names and DNS does not know (R4). ``reason`` is the sentence for a
    verdict that is not pass. ``https_verdict`` and ``redirects_to`` are for scheme http only.
    ``observations`` are what was seen on each address, ``resolution`` what became of the name.
    """

    endpoint: Endpoint
    references: tuple[Reference, ...]
    is_load: bool
    verdict: Verdict
    verdicts: tuple[tuple[str, Verdict], ...]
    declared_verdict: Outcome
    declared: tuple[DeclaredVerdict, ...]
    findings: tuple[EndpointFinding, ...]
    minimal_exception: ExceptionEntry | None
    reason: str
    resolution: Resolution | None
    observations: tuple[Observation, ...]
    https_verdict: Verdict | None = None
    redirects_to: str | None = None


@dataclass(frozen=True)
class MinimalDictionary:
    """The smallest NSAppTransportSecurity that keeps a bundle's working loads working; an empty mapping when none is needed."""

    bundle: str
    dictionary: dict[str, PlistValue]


@dataclass(frozen=True)
class AuditResult:
    """What `audit` and `judge` answer.

    ``ios``, ``mode`` (a profile by name) and ``sdk`` are as asked for. ``is_rejudged``: it was seen before, and is
    judged again.
    """

    recording: Recording
    profiles: tuple[Profile, ...]
    endpoints: tuple[EndpointResult, ...]
    exceptions: tuple[ExceptionJudgement, ...]
    minimal: tuple[MinimalDictionary, ...]
    notices: tuple[Notice, ...]
    trust_title: str
    sdk: str | None = None
    ios: tuple[str, ...] = ()
    mode: str | None = None
    is_rejudged: bool = False

    @property
    def loads(self) -> tuple[EndpointResult, ...]:
        """The endpoints that something loads."""
        return tuple(e for e in self.endpoints if e.is_load)

    @property
    def blocked(self) -> tuple[EndpointResult, ...]:
        """The loads that fail under what the app declares."""
        return tuple(e for e in self.loads if e.declared_verdict == "blocked")

    @property
    def findings(self) -> int:
        """How many things make exit 1: blocked loads, and keys with a status to act on."""
        return len(self.blocked) + sum(1 for e in self.exceptions if e.status.is_finding)

    @property
    def not_judged(self) -> tuple[EndpointResult | ExceptionJudgement, ...]:
        """The loads and the keys that could not be judged (a key without exit weight does not count)."""
        loads = tuple(e for e in self.loads if e.declared_verdict == "inconclusive")
        keys = tuple(e for e in self.exceptions if e.status is ExceptionStatus.UNVERIFIABLE and e.has_exit_weight)
        return (*loads, *keys)


@dataclass(frozen=True)
class HostsResult:
    """What `hosts` answers."""

    extraction: Extraction


CertificateVerdict = Literal["trusted", "untrusted", "inconclusive"]
"""Whether Apple's client accepts a chain."""

CERTIFICATE_VERDICTS_FROM_WORST: tuple[CertificateVerdict, ...] = ("untrusted", "inconclusive", "trusted")


@dataclass(frozen=True)
class CertificateFinding:
    """What one requirement says about a chain, and the profiles (names) for which it says so."""

    finding: Finding
    profiles: tuple[str, ...]


@dataclass(frozen=True)
class CertificateResult:
    """What `certificate` answers: would a client accept this chain for this host.

    ``path`` is from the leaf to where the chain ends, as the newest profile would build it, empty where the leaf cannot be
    read; ``anchor`` says what the last of it is: a root that Apple ships, one to be judged as if it did, an installed one, or
    none. ``is_now``: ``at`` is when it was asked, not an instant asked for. ``ios`` and ``mode`` are as asked for.
    One requirement may have several findings, one for each fault.
    """

    files: tuple[str, ...]
    host: Host
    at: datetime
    is_now: bool
    profiles: tuple[Profile, ...]
    verdicts: tuple[tuple[str, CertificateVerdict], ...]
    findings: tuple[CertificateFinding, ...]
    path: tuple[Certificate, ...]
    anchor: Literal["public", "as-if-public", "installed", "none"]
    trust_title: str
    ios: tuple[str, ...] = ()
    mode: str | None = None

    @property
    def verdict(self) -> CertificateVerdict:
        """The worst over the profiles."""
        return min((verdict for _, verdict in self.verdicts), key=CERTIFICATE_VERDICTS_FROM_WORST.index)

    @property
    def failing(self) -> tuple[CertificateFinding, ...]:
        """What makes it untrusted."""
        return tuple(f for f in self.findings if f.finding.status == "fail")

    @property
    def not_judged(self) -> tuple[CertificateFinding, ...]:
        """What could not be told, whether or not the verdict hangs on it."""
        return tuple(f for f in self.findings if f.finding.status == "unknown")

    @property
    def valid_from(self) -> datetime | None:
        """The first instant at which every certificate of a path that is not yet valid will be; None where none is ahead."""
        try:
            begins = max((c.not_before for c in self.path), default=self.at)
            ends = min((c.not_after for c in self.path), default=self.at)
        except UnreadableCertificate:
            return None
        return begins if self.at < begins <= ends else None


@dataclass(frozen=True)
class BundlePolicy:
    """What one dictionary demands: ``policies`` host by host, each for every client, oldest first; ``keys`` as declared."""

    bundle: Bundle
    clients: tuple[Client, ...]
    policies: tuple[Policy, ...]
    keys: tuple[KeyNote, ...]


@dataclass(frozen=True)
class PolicyResult:
    """What `policy` answers. ``plist`` is the target as typed; ``skipped`` are plists and hosts that could not be read."""

    plist: str
    bundles: tuple[BundlePolicy, ...]
    skipped: tuple[SkippedInput, ...] = ()

    @property
    def ineffective(self) -> tuple[KeyNote, ...]:
        """The keys without any effect, which make exit 1."""
        return tuple(note for b in self.bundles for note in b.keys if note.standing == "ineffective")

    @property
    def unverifiable(self) -> tuple[KeyNote, ...]:
        """The keys of which the plist alone does not tell what they do."""
        return tuple(note for b in self.bundles for note in b.keys if note.standing == "unverifiable")


@dataclass(frozen=True)
class LabEndpoint:
    """A server of the lab and what is expected of it: the truth table's row, ready to be asked."""

    name: str
    host: str
    port: int
    scheme: str
    address: str
    description: str
    verdict: str
    failing: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True)
class LabResult:
    """What `lab list` and `lab up` answer. ``directory`` is where ca.pem, targets.txt and resolve.txt lie."""

    directory: str
    ca_file: str
    endpoints: tuple[LabEndpoint, ...] = field(default=())
    is_up: bool = False


Result = AuditResult | HostsResult | PolicyResult | CertificateResult | LabResult


def exit_code(result: Result) -> ExitCode:
    """Give the exit code that a result means (R24): 130 before 2 before 1 before 3 before 0."""
    if isinstance(result, LabResult):
        return ExitCode.NOTHING_TO_ACT_ON
    if isinstance(result, HostsResult):
        return _of_skipped(result.extraction.skipped)
    if isinstance(result, PolicyResult):
        skipped = _of_skipped(result.skipped)
        return ExitCode.FINDINGS if result.ineffective and skipped is not ExitCode.USAGE else skipped
    if isinstance(result, CertificateResult):
        return _OF_CERTIFICATE[result.verdict]
    if result.recording.interrupted:
        return ExitCode.INTERRUPTED
    skipped = _of_skipped(result.recording.extraction.skipped)
    if skipped is ExitCode.USAGE:
        return skipped
    if result.findings:
        return ExitCode.FINDINGS
    return ExitCode.INCOMPLETE if result.not_judged else skipped


_OF_CERTIFICATE: dict[CertificateVerdict, ExitCode] = {
    "trusted": ExitCode.NOTHING_TO_ACT_ON,
    "untrusted": ExitCode.FINDINGS,
    "inconclusive": ExitCode.INCOMPLETE,
}


def _of_skipped(skipped: tuple[SkippedInput, ...]) -> ExitCode:
    if any(s.unreadable for s in skipped):
        return ExitCode.USAGE
    return ExitCode.INCOMPLETE if skipped else ExitCode.NOTHING_TO_ACT_ON
