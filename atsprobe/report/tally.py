"""What a report counts, once for the answer, the groups and the closing line, so that the three agree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from atsprobe.model.app import SkippedInput
from atsprobe.model.endpoint import Endpoint
from atsprobe.model.judgement import ExceptionJudgement, ExceptionStatus
from atsprobe.model.observation import Resolved, Unreachable
from atsprobe.model.result import AuditResult, EndpointResult


@dataclass(frozen=True)
class Tally:
    """The numbers of an audit.

    ``carried`` are the loads that hang on the same unknown as a key and are told on the key's line;
    ``inconclusive_keys`` the keys that could not be judged although a scan could tell. ``accepted`` counts what waivers take
    out of all the others.
    """

    loads: tuple[EndpointResult, ...]
    blocked: tuple[EndpointResult, ...]
    inconclusive: tuple[EndpointResult, ...]
    carried: frozenset[Endpoint]
    inconclusive_keys: tuple[ExceptionJudgement, ...]
    skipped: tuple[SkippedInput, ...]
    findings: int
    accepted: int = 0

    @property
    def told_alone(self) -> tuple[EndpointResult, ...]:
        """The loads that could not be judged and have a line of their own."""
        return tuple(e for e in self.inconclusive if e.endpoint not in self.carried)

    @property
    def keys_alone(self) -> tuple[ExceptionJudgement, ...]:
        """The keys that could not be judged for a reason other than a load's."""
        return tuple(k for k in self.inconclusive_keys if not any(_hangs_on(load, k) for load in self.inconclusive))

    @property
    def not_judged(self) -> int:
        """How many lines say that something could not be judged."""
        return len(self.inconclusive_keys) + len(self.told_alone) + len(self.skipped)


def tally(result: AuditResult) -> Tally:
    """Count what an audit found, and what it could not tell."""
    inconclusive = tuple(e for e in result.loads if e.declared_verdict == "inconclusive")
    keys = tuple(k for k in result.open_exceptions if k.counts_as_not_judged)
    return Tally(
        loads=result.loads,
        blocked=result.blocked,
        inconclusive=inconclusive,
        carried=frozenset(e.endpoint for e in inconclusive if any(_hangs_on(e, k) for k in keys)),
        inconclusive_keys=keys,
        skipped=result.recording.extraction.skipped,
        findings=result.findings,
        accepted=len(result.accepted_loads) + len(result.accepted_keys),
    )


def _hangs_on(load: EndpointResult, key: ExceptionJudgement) -> bool:
    """Whether a key's line tells of this load: it covers the load, and is about its host or names it."""
    if load.endpoint not in key.hosts:
        return False
    return load.endpoint.host == key.domain or load.endpoint.host in key.reason


def with_status(result: AuditResult, *statuses: ExceptionStatus) -> tuple[ExceptionJudgement, ...]:
    """Give the keys that have one of some statuses, less those that are accepted."""
    return tuple(k for k in result.open_exceptions if k.status in statuses)


def addresses(endpoints: Iterable[EndpointResult]) -> set[tuple[str, str]]:
    """Give each host with each of its addresses."""
    return {
        (e.endpoint.host, address.ip)
        for e in endpoints
        if e.resolution is not None and isinstance(e.resolution.outcome, Resolved)
        for address in e.resolution.outcome.addresses
    }


def interrupted(result: AuditResult) -> tuple[EndpointResult, ...]:
    """Give the loads that were not looked at because the audit was interrupted."""
    if not result.recording.interrupted:
        return ()
    return tuple(e for e in result.loads if _was_cut_off(e))


def _was_cut_off(endpoint: EndpointResult) -> bool:
    if endpoint.declared_verdict != "inconclusive":
        return False
    if any(isinstance(o, Unreachable) and o.reason == "interrupted" for o in endpoint.observations):
        return True
    resolution = endpoint.resolution
    return not endpoint.observations and (resolution is None or isinstance(resolution.outcome, Resolved))
