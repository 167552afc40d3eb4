"""What a command answers, and the exit code that follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Literal

from atsprobe.model.app import Bundle, CrossChecks, Extraction, SkippedInput
from atsprobe.model.certificate import Certificate, UnreadableCertificate
from atsprobe.model.diagnosis import Diagnosis
from atsprobe.model.dictionary import ExceptionEntry, PlistValue
from atsprobe.model.drift import Change, Effect, PinAtRisk
from atsprobe.model.endpoint import Confidence, Endpoint, Host, Reference
from atsprobe.model.judgement import (
    DeclaredVerdict,
    EndpointFinding,
    ExceptionJudgement,
    Finding,
    Notice,
    Outcome,
    StaleWaiver,
    Verdict,
    WaivedKey,
    WaivedLoad,
    Waiver,
)
from atsprobe.model.observation import Observation, Resolution
from atsprobe.model.policy import Client, KeyNote, Policy, Profile
from atsprobe.model.recording import IgnoreRule, Recording


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
    judged again. ``waivers`` are all that were at hand, ``waived`` what they accept, so that it does not count;
    ``stale_waivers`` are findings themselves.
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
    waivers: tuple[Waiver, ...] = ()
    waived: tuple[WaivedLoad | WaivedKey, ...] = ()
    stale_waivers: tuple[StaleWaiver, ...] = ()

    @property
    def loads(self) -> tuple[EndpointResult, ...]:
        """The endpoints that something loads."""
        return tuple(e for e in self.endpoints if e.is_load)

    @property
    def blocked(self) -> tuple[EndpointResult, ...]:
        """The loads that fail under what the app declares, less those that are accepted."""
        return tuple(e for e in self.loads if e.declared_verdict == "blocked" and not self._is_accepted(e))

    @property
    def accepted_loads(self) -> tuple[EndpointResult, ...]:
        """The loads that are blocked by nothing but what waivers accept."""
        return tuple(e for e in self.loads if e.declared_verdict == "blocked" and self._is_accepted(e))

    @property
    def accepted_keys(self) -> tuple[ExceptionJudgement, ...]:
        """The keys whose status a waiver accepts."""
        return tuple(e for e in self.exceptions if self.waiver_of(e) is not None)

    @property
    def open_exceptions(self) -> tuple[ExceptionJudgement, ...]:
        """The declared keys less those that are accepted."""
        return tuple(e for e in self.exceptions if self.waiver_of(e) is None)

    def waived_load(self, load: EndpointResult) -> WaivedLoad | None:
        """Give what waivers accept of a load, which may be a part of what blocks it."""
        return next((w for w in self.waived if isinstance(w, WaivedLoad) and w.endpoint == load.endpoint), None)

    def waiver_of(self, key: ExceptionJudgement) -> Waiver | None:
        """Give the waiver that accepts the status of a key."""
        place = (key.bundle, key.domain, key.key)
        of_keys = (w for w in self.waived if isinstance(w, WaivedKey))
        return next((w.waiver for w in of_keys if (w.bundle, w.domain, w.key) == place), None)

    def _is_accepted(self, load: EndpointResult) -> bool:
        waived = self.waived_load(load)
        return waived is not None and waived.is_whole

    @property
    def findings(self) -> int:
        """How many things make exit 1: blocked loads, keys with a status to act on, and stale waivers."""
        keys = sum(1 for e in self.open_exceptions if e.status.is_finding)
        return len(self.blocked) + keys + len(self.stale_waivers)

    @property
    def not_judged(self) -> tuple[EndpointResult | ExceptionJudgement, ...]:
        """The loads and the keys that could not be judged (a key without exit weight does not count)."""
        loads = tuple(e for e in self.loads if e.declared_verdict == "inconclusive")
        keys = tuple(e for e in self.open_exceptions if e.counts_as_not_judged)
        return (*loads, *keys)


@dataclass(frozen=True)
class HostsResult:
    """What `hosts` answers: the hosts that are at least as sure as ``least``; noise is counted, and listed on demand."""

    extraction: Extraction
    least: Confidence = Confidence.BARE
    lists_noise: bool = False
    checks: CrossChecks = CrossChecks()

    @property
    def references(self) -> tuple[Reference, ...]:
        """The sightings to list, in the order found; with noise, that at the end."""
        sure = tuple(r for r in self.extraction.references if r.confidence.is_at_least(self.least))
        return sure + (self.extraction.noise if self.lists_noise else ())


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
class DiagnoseResult:
    """What `diagnose` answers: a table for each endpoint named and each client, in the order asked for."""

    recording: Recording
    diagnoses: tuple[Diagnosis, ...]
    trust_title: str

    @property
    def failing(self) -> tuple[Endpoint, ...]:
        """The endpoints that default ATS fails for some client."""
        return tuple(dict.fromkeys(d.endpoint for d in self.diagnoses if d.default.result == "FAIL"))

    @property
    def findings(self) -> int:
        """How many things make exit 1."""
        return len(self.failing)

    @property
    def not_judged(self) -> tuple[Endpoint, ...]:
        """The endpoints of which it could not be told whether default ATS passes, for some client, and that fail for none."""
        unknown = (d.endpoint for d in self.diagnoses if d.default.result == "INCONCLUSIVE")
        return tuple(e for e in dict.fromkeys(unknown) if e not in self.failing)


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


ConfiguredText = bool | int | float | str | tuple[str, ...] | None
"""The value of an option; None where it has none, which is a default too."""


@dataclass(frozen=True)
class ConfiguredValue:
    """An option as it is in force. ``meaning`` says what its default does, where that is no value; ``line`` is the file's."""

    option: str
    value: ConfiguredText
    source: Literal["default", "file", "command-line"]
    line: int | None = None
    meaning: str = ""


@dataclass(frozen=True)
class ConfigResult:
    """What `config` answers. ``file`` is the one that was read, None where there is none: then ``looked_in`` says where."""

    file: str | None
    looked_in: tuple[str, ...]
    values: tuple[ConfiguredValue, ...]
    ignored: tuple[IgnoreRule, ...] = ()
    waivers: tuple[Waiver, ...] = ()


@dataclass(frozen=True)
class DriftResult:
    """What `diff` answers: two audits, concluded anew as the same clients, and what differs. ``pins`` are of the newer one."""

    old: AuditResult
    new: AuditResult
    changes: tuple[Change, ...]
    pins: tuple[PinAtRisk, ...]

    def about(self, effect: Effect) -> tuple[tuple[Change, ...], ...]:
        """Give the changes with an effect, those about one load or one declared key together: a thing each."""
        things: dict[tuple[object, ...], list[Change]] = {}
        for change in self.changes:
            if change.effect == effect:
                thing = (change.endpoint,) if change.endpoint else (change.bundle, change.domain, change.key)
                things.setdefault(thing, []).append(change)
        return tuple(map(tuple, things.values()))


Result = (
    AuditResult
    | DiagnoseResult
    | DriftResult
    | HostsResult
    | PolicyResult
    | CertificateResult
    | LabResult
    | ConfigResult
)


def exit_code(result: Result) -> ExitCode:
    """Give the exit code that a result means (R24): 130 before 2 before 1 before 3 before 0."""
    if isinstance(result, LabResult | ConfigResult):
        return ExitCode.NOTHING_TO_ACT_ON
    if isinstance(result, HostsResult):
        return _of_skipped(result.extraction.skipped)
    if isinstance(result, PolicyResult):
        skipped = _of_skipped(result.skipped)
        return ExitCode.FINDINGS if result.ineffective and skipped is not ExitCode.USAGE else skipped
    if isinstance(result, CertificateResult):
        return _OF_CERTIFICATE[result.verdict]
    if isinstance(result, DriftResult):
        worse, unknown = result.about("worse"), result.about("unknown")
        return ExitCode.FINDINGS if worse else ExitCode.INCOMPLETE if unknown else ExitCode.NOTHING_TO_ACT_ON
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
