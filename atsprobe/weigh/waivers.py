"""Findings that somebody accepts for a while: which they are, and which acceptances have had their day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from atsprobe.ats.exception_match import meant_host
from atsprobe.model.endpoint import Host, InvalidHost, parse_host
from atsprobe.model.judgement import (
    ExceptionJudgement,
    ExceptionStatus,
    RequirementId,
    StaleWaiver,
    WaivedKey,
    WaivedLoad,
    Waiver,
)
from atsprobe.model.result import AuditResult, EndpointResult


def with_waivers(result: AuditResult, waivers: Sequence[Waiver], today: date) -> AuditResult:
    """Give a result in which what the waivers accept does not count, and what is wrong with a waiver does.

    ``today`` is the day on which the audit looked, UTC: judged again, it is accepted then as it was. A load is accepted once
    everything that blocks it is. A waiver of a host or a bundle that this audit did not look for, or could not tell of, is
    left alone.
    """
    in_force = [w for w in waivers if w.expires >= today]
    waived: list[WaivedLoad | WaivedKey] = list(_waived_loads(result, in_force))
    waived += _waived_keys(result, in_force)
    accepted = replace(result, waivers=tuple(waivers), waived=tuple(waived))
    stale = [found for w in waivers if (found := _stale(accepted, w, today)) is not None]
    return replace(accepted, stale_waivers=tuple(stale))


def _waived_loads(result: AuditResult, waivers: Sequence[Waiver]) -> Iterator[WaivedLoad]:
    for load in result.loads:
        blocking = list(dict.fromkeys(_blocking(load)))
        accepted = {
            (bundle, requirement): waiver
            for bundle, requirement in blocking
            if requirement is not None and (waiver := _of_load(load, bundle, requirement, waivers)) is not None
        }
        if accepted:
            by_requirement = {
                (requirement, waiver): None for (_, requirement), waiver in accepted.items() if requirement
            }
            yield WaivedLoad(load.endpoint, tuple(by_requirement), is_whole=len(accepted) == len(blocking))


def _blocking(load: EndpointResult) -> Iterator[tuple[str | None, RequirementId | None]]:
    """Give the bundles under which a load is blocked, each with what fails; None where nothing is known to."""
    for declared in load.declared:
        if declared.verdict == "blocked":
            for requirement in declared.failing or (None,):
                yield declared.bundle, requirement


def _of_load(
    load: EndpointResult, bundle: str | None, requirement: RequirementId, waivers: Iterable[Waiver]
) -> Waiver | None:
    """Give the waiver that accepts for longest that a requirement fails."""
    matching = [w for w in waivers if w.requirement == requirement and _is_about(w, load.endpoint.host, bundle)]
    return max(matching, key=lambda w: w.expires, default=None)


def _is_about(waiver: Waiver, host: Host, bundle: str | None) -> bool:
    return (waiver.bundle is None or waiver.bundle == bundle) and _names(waiver, host)


def _names(waiver: Waiver, host: str) -> bool:
    """Whether a waiver's host or domain means a host."""
    if waiver.host is not None:
        return _host(waiver.host) == host
    domain = _host(waiver.domain or "")
    return domain is not None and (host == domain or host.endswith(f".{domain}"))


def _host(text: str) -> Host | None:
    try:
        return parse_host(text)
    except InvalidHost:
        return None


def _waived_keys(result: AuditResult, waivers: Sequence[Waiver]) -> Iterator[WaivedKey]:
    for key in result.exceptions:
        if key.status.is_finding or key.counts_as_not_judged:
            matching = [w for w in waivers if _is_of_key(w, key)]
            if matching:
                yield WaivedKey(key.bundle, key.domain, key.key, max(matching, key=lambda w: w.expires))


def _is_of_key(waiver: Waiver, key: ExceptionJudgement) -> bool:
    """Whether a waiver is about a declared key; of its entries below a domain, a misspelt one is the host that it means."""
    if waiver.key is None or waiver.key != key.key or waiver.bundle not in (None, key.bundle):
        return False
    if key.domain is None or (waiver.host is None and waiver.domain is None):
        return key.domain is None and waiver.host is None and waiver.domain is None
    if waiver.host is not None:
        return waiver.host == key.domain
    meant = meant_host(key.domain)
    return key.domain == waiver.domain or (meant is not None and _names(waiver, meant))


def _stale(result: AuditResult, waiver: Waiver, today: date) -> StaleWaiver | None:
    """Say what is wrong with a waiver, where it is about something that this audit looked at."""
    subject = _key_subject(result, waiver) if waiver.key is not None else _load_subject(result, waiver)
    take_out = f"take it out of {waiver.place}" if waiver.place else "take it out"
    if waiver.expires < today and (subject.matches or subject.is_looked_for):
        ended = f"expired on {waiver.expires}"
        if subject.why_unmatched:
            return StaleWaiver(waiver, "expired", f"{ended}, and {subject.why_unmatched}", take_out)
        if subject.is_renewed:
            return StaleWaiver(waiver, "expired", f"{ended}; another waiver accepts the same", take_out)
        where = f" in {waiver.place}" if waiver.place else ""
        now = "what it accepted counts again" if subject.matches else "whether it still matches could not be told"
        return StaleWaiver(waiver, "expired", f"{ended}; {now}", f"settle what it accepted, or set a later day{where}")
    if subject.why_unmatched:
        return StaleWaiver(waiver, "unmatched", subject.why_unmatched, take_out)
    return None


@dataclass(frozen=True)
class _Subject:
    """What a waiver is about, as the audit found it.

    ``why_unmatched`` is empty where it matches, where the audit did not look for it, and where it could not tell.
    ``is_renewed``: all that it matches is accepted by waivers in force.
    """

    matches: bool = False
    is_renewed: bool = False
    is_looked_for: bool = False
    why_unmatched: str = ""


def _looks_for(result: AuditResult, waiver: Waiver) -> bool:
    """Whether a waiver's bundle is in the audit (any bundle, where it names none): so what it is about should be found."""
    bundles = result.recording.extraction.bundles
    return any(waiver.bundle in (None, bundle.identifier) for bundle in bundles)


def _is_whole(result: AuditResult) -> bool:
    """Whether what was not found is not there."""
    return not result.recording.interrupted and not result.recording.extraction.skipped


def _load_subject(result: AuditResult, waiver: Waiver) -> _Subject:
    assert waiver.requirement is not None
    about = [
        load
        for load in result.loads
        if any(_is_about(waiver, load.endpoint.host, declared.bundle) for declared in load.declared)
    ]
    failing = [
        load
        for load in about
        for bundle, requirement in _blocking(load)
        if requirement == waiver.requirement and _is_about(waiver, load.endpoint.host, bundle)
    ]
    if failing:
        renewed = all(_is_accepted(result, load, waiver.requirement) for load in failing)
        return _Subject(matches=True, is_looked_for=True, is_renewed=renewed)
    if any(_could_not_tell(load, waiver.requirement) for load in about) or result.recording.interrupted:
        return _Subject(is_looked_for=True)
    if about:
        return _Subject(is_looked_for=True, why_unmatched=_none_blocked(about))
    if not _looks_for(result, waiver):
        return _Subject()
    if not _is_whole(result) or any(_names(waiver, host) for host in _left_out(result)):
        return _Subject(is_looked_for=True)
    return _Subject(is_looked_for=True, why_unmatched="the app does not load from it any more")


def _is_accepted(result: AuditResult, load: EndpointResult, requirement: RequirementId) -> bool:
    waived = result.waived_load(load)
    return waived is not None and any(of == requirement for of, _ in waived.waivers)


def _none_blocked(loads: Sequence[EndpointResult]) -> str:
    names = [str(load.endpoint) for load in loads]
    if len(names) == 1:
        return f"{names[0]} is not blocked by it any more"
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"none of {', '.join(names[:3])}{more} is blocked by it any more"


def _left_out(result: AuditResult) -> Iterator[Host]:
    """Give the hosts that were found and not audited."""
    yield from (ignored.host for ignored in result.recording.ignored)
    yield from result.recording.not_audited
    yield from (e.endpoint.host for e in result.endpoints if not e.is_load)


def _could_not_tell(load: EndpointResult, requirement: RequirementId) -> bool:
    """Whether it is open if a requirement fails: the load was not judged, or that requirement was not."""
    of_it = [f.finding.status for f in load.findings if f.finding.requirement == requirement]
    return load.declared_verdict == "inconclusive" or ("unknown" in of_it and load.declared_verdict == "blocked")


def _key_subject(result: AuditResult, waiver: Waiver) -> _Subject:
    declared = [key for key in result.exceptions if _is_of_key(waiver, key)]
    matched = [key for key in declared if key.status.is_finding or key.counts_as_not_judged]
    if matched:
        renewed = all(result.waiver_of(key) is not None for key in matched)
        return _Subject(matches=True, is_looked_for=True, is_renewed=renewed)
    if not declared:
        if not _looks_for(result, waiver):
            return _Subject()
        gone = "" if not _is_whole(result) else "no such key is declared any more"
        return _Subject(is_looked_for=True, why_unmatched=gone)
    if any(key.status is ExceptionStatus.UNVERIFIABLE for key in declared):
        return _Subject(is_looked_for=True)
    statuses = " and ".join(dict.fromkeys(str(key.status) for key in declared))
    return _Subject(is_looked_for=True, why_unmatched=f"the key is {statuses}: there is nothing to accept")
