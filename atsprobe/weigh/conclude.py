"""From what was seen to what should be done: the one entry of weighing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from atsprobe.model.app import Load
from atsprobe.model.endpoint import Endpoint, Host, Reference, counterpart
from atsprobe.model.judgement import (
    OUTCOMES_FROM_WORST,
    DeclaredVerdict,
    EndpointFinding,
    Finding,
    Judgement,
    Notice,
    Outcome,
    RequirementId,
    Verdict,
)
from atsprobe.model.observation import Address, HttpAnswer, PlaintextObservation, Unresolved
from atsprobe.model.policy import Profile
from atsprobe.model.recording import Recording
from atsprobe.model.redirect import redirect_target
from atsprobe.model.result import AuditResult, EndpointResult, MinimalDictionary
from atsprobe.model.trust_store import TrustStore
from atsprobe.weigh import notices
from atsprobe.weigh.declared import DeclaredKeys
from atsprobe.weigh.evidence import Evidence
from atsprobe.weigh.idle_keys import without_idle_keys
from atsprobe.weigh.minimal import MinimalSearch
from atsprobe.weigh.minimal_dictionary import minimal_dictionary
from atsprobe.weigh.scope import Scope, scopes


def conclude(
    recording: Recording,
    *,
    trust: TrustStore,
    ios: Sequence[str] = (),
    profile: str | None = None,
    sdk: str | None = None,
) -> AuditResult:
    """Judge a recording: every load, every declared key, and the smallest dictionaries; the same answer every time.

    ``ios`` and ``profile`` choose the clients (see `ats.profile.profiles`), ``sdk`` replaces the linked SDK of every bundle.
    Raises ats.profile.UnknownProfile.
    """
    trust = replace(trust, installed=tuple(dict.fromkeys(trust.installed + recording.installed_roots)))
    evidence = Evidence(recording, trust)
    found = scopes(recording, evidence, ios=ios, mode=profile, sdk=sdk)
    search = MinimalSearch(evidence)
    rows = _rows(found)
    results = {row.endpoint: _endpoint_result(row, evidence, search) for row in rows}
    statuses = {s.identifier: DeclaredKeys(s, evidence, search).judge() for s in found if s.bundle is not None}
    minimal: list[MinimalDictionary] = []
    for s in found:
        if s.identifier is not None:
            smallest = minimal_dictionary(s, results, statuses[s.identifier], evidence)
            minimal.append(MinimalDictionary(s.identifier, without_idle_keys(smallest, s, evidence, search)))
    return AuditResult(
        recording=recording,
        profiles=_all_profiles(found),
        endpoints=tuple(results.values()),
        exceptions=tuple(key for keys in statuses.values() for key in keys),
        minimal=tuple(minimal),
        notices=_notices(found, rows, results, evidence, search),
        trust_title=trust.title,
        sdk=sdk,
        ios=tuple(ios),
        mode=profile,
    )


@dataclass(frozen=True)
class _Row:
    """One endpoint, with each scope that loads it."""

    endpoint: Endpoint
    loads: tuple[tuple[Scope, Load], ...]
    is_load: bool

    @property
    def profiles(self) -> tuple[Profile, ...]:
        return _all_profiles(scope for scope, _ in self.loads)

    @property
    def references(self) -> tuple[Reference, ...]:
        return tuple(dict.fromkeys(r for _, load in self.loads for r in load.references))


def _rows(found: Sequence[Scope]) -> tuple[_Row, ...]:
    loads: dict[Endpoint, list[tuple[Scope, Load]]] = {}
    only_declared: dict[Endpoint, list[tuple[Scope, Load]]] = {}
    for scope in found:
        for load in scope.loads:
            loads.setdefault(load.endpoint, []).append((scope, load))
        for load in scope.unknown_to_dns:
            only_declared.setdefault(load.endpoint, []).append((scope, load))
    rows = [_Row(e, tuple(pairs), is_load=True) for e, pairs in loads.items()]
    rows += [_Row(e, tuple(pairs), is_load=False) for e, pairs in only_declared.items() if e not in loads]
    return tuple(sorted(rows, key=lambda row: row.endpoint))


def _all_profiles(found: Iterable[Scope]) -> tuple[Profile, ...]:
    """Give the profiles of several scopes, each once: of those by one name that of the newest iOS, on which most is asked."""
    every = {p.name: p for p in sorted((p for scope in found for p in scope.profiles), key=lambda p: p.oldest)}
    return tuple(sorted(every.values(), key=lambda p: (not p.selectable_as_ios, p.order)))


def _endpoint_result(row: _Row, evidence: Evidence, search: MinimalSearch) -> EndpointResult:
    endpoint = row.endpoint
    if not row.is_load:
        return _no_load(row, evidence)
    cases = search.verdicts(endpoint, row.profiles)
    verdict = _worst(c.verdict for c in cases)
    by_profile = {p.name: _worst(c.verdict for c in cases if c.client.profile.name == p.name) for p in row.profiles}
    declared = tuple(_declared(scope, load, evidence) for scope, load in row.loads)
    worst_case = next(c for c in cases if c.verdict is verdict)
    unjudged = verdict in (Verdict.BLOCKED, Verdict.INCONCLUSIVE)
    return EndpointResult(
        endpoint=endpoint,
        references=row.references,
        is_load=True,
        verdict=verdict,
        verdicts=tuple(by_profile.items()),
        declared_verdict=_worst_outcome(d.verdict for d in declared),
        declared=declared,
        findings=_findings([*(c.judgement for c in cases), *_pinned(row, evidence)]),
        minimal_exception=None if unjudged else search.smallest(endpoint, cases),
        reason=worst_case.judgement.reason,
        resolution=evidence.resolution(endpoint),
        observations=evidence.observations(endpoint),
        https_verdict=_https_verdict(row, evidence, search),
        redirects_to=_redirects_to(endpoint, evidence),
    )


def _no_load(row: _Row, evidence: Evidence) -> EndpointResult:
    resolution = evidence.resolution(row.endpoint)
    outcome = resolution.outcome if resolution else None
    reason = "no such name" if isinstance(outcome, Unresolved) and outcome.reason == "no-such-name" else "no addresses"
    return EndpointResult(
        endpoint=row.endpoint,
        references=row.references,
        is_load=False,
        verdict=Verdict.INCONCLUSIVE,
        verdicts=tuple((p.name, Verdict.INCONCLUSIVE) for p in row.profiles),
        declared_verdict="inconclusive",
        declared=(),
        findings=(),
        minimal_exception=None,
        reason=f"{reason}, and no URL names it",
        resolution=resolution,
        observations=(),
    )


def _worst(verdicts: Iterable[Verdict]) -> Verdict:
    found = set(verdicts)
    return next(v for v in Verdict if v in found)


def _worst_outcome(outcomes: Iterable[Outcome]) -> Outcome:
    found = set(outcomes)
    return next(o for o in OUTCOMES_FROM_WORST if o in found)


def _declared(scope: Scope, load: Load, evidence: Evidence) -> DeclaredVerdict:
    """Judge a load under the dictionary, SDK and code of one bundle: the worst of the spellings of its host."""
    by_spelling = [_declared_as(host, scope, load.endpoint, evidence) for host in load.hosts_as_written]
    return min(by_spelling, key=lambda declared: OUTCOMES_FROM_WORST.index(declared.verdict))


def _declared_as(host: Host, scope: Scope, endpoint: Endpoint, evidence: Evidence) -> DeclaredVerdict:
    verdicts: list[tuple[str, Outcome]] = []
    failing: dict[RequirementId, None] = {}
    reason = ""
    resolvers = scope.resolvers()
    for resolver in resolvers:
        judged = evidence.judged(endpoint, resolver.policy(host), accepts_server_trust=scope.accepts_server_trust)
        verdicts.append((resolver.client.profile.name, _worst_outcome(j.outcome for j in judged)))
        for judgement in judged:
            if judgement.outcome == "blocked":
                failing |= dict.fromkeys(judgement.failing)
        reason = reason or _reason(judged)
    return DeclaredVerdict(
        bundle=scope.identifier,
        verdict=_worst_outcome(outcome for _, outcome in verdicts),
        verdicts=tuple(verdicts),
        decided_by=resolvers[-1].policy(host).decided_by,
        failing=tuple(failing),
        reason=reason,
    )


def _reason(judged: Sequence[Judgement]) -> str:
    worst = _worst_outcome(j.outcome for j in judged)
    return next(j.reason for j in judged if j.outcome == worst)


def _pinned(row: _Row, evidence: Evidence) -> list[Judgement]:
    """Judge the pins, which no default has: what each bundle's dictionary says of them, and nothing else."""
    found: list[Judgement] = []
    for scope, _ in row.loads:
        for resolver in scope.resolvers():
            if resolver.policy(row.endpoint.host).pins is None:
                continue
            for judgement in evidence.judgements(row.endpoint, resolver):
                pins = tuple(f for f in judgement.findings if f.requirement == "pinned-identity")
                found.append(replace(judgement, findings=pins))
    return found


def _findings(judged: Sequence[Judgement]) -> tuple[EndpointFinding, ...]:
    """Give every finding of default ATS, each with the addresses on which it holds; in the order of the requirements."""
    held: dict[Finding, dict[Address, None]] = {}
    order: dict[RequirementId, int] = {}
    is_pinned = any(
        f.requirement == "pinned-identity" and f.status != "not-applicable" for j in judged for f in j.findings
    )
    for judgement in judged:
        for finding in judgement.findings:
            order.setdefault(finding.requirement, len(order))
            if is_pinned and finding.requirement == "pinned-identity" and finding.status == "not-applicable":
                continue
            addresses = held.setdefault(finding, {})
            if judgement.address is not None:
                addresses[judgement.address] = None
    ordered = sorted(held.items(), key=lambda item: order[item[0].requirement])
    return tuple(EndpointFinding(finding, tuple(addresses)) for finding, addresses in ordered)


def _https_verdict(row: _Row, evidence: Evidence, search: MinimalSearch) -> Verdict | None:
    """Give the default verdict of the https endpoint that would replace an http one, where it was looked at."""
    other = counterpart(row.endpoint)
    if row.endpoint.scheme != "http" or not evidence.observations(other):
        return None
    return _worst(c.verdict for c in search.verdicts(other, row.profiles))


def _redirects_to(endpoint: Endpoint, evidence: Evidence) -> str | None:
    for observation in evidence.observations(endpoint):
        if isinstance(observation, PlaintextObservation) and isinstance(observation.answer, HttpAnswer):
            target = redirect_target(observation.answer)
            if target is not None:
                return target
    return None


def _notices(
    found: Sequence[Scope],
    rows: Sequence[_Row],
    results: dict[Endpoint, EndpointResult],
    evidence: Evidence,
    search: MinimalSearch,
) -> tuple[Notice, ...]:
    said: dict[Notice, None] = {}
    verdicts = {str(r.endpoint.host): r.verdict for r in results.values()}
    for row in rows:
        if row.is_load:
            cases = search.verdicts(row.endpoint, row.profiles)
            said |= dict.fromkeys(notices.of_endpoint(row.endpoint, cases, evidence, [s for s, _ in row.loads]))
        said |= dict.fromkeys(notices.of_redirect(results[row.endpoint], verdicts))
    for scope in found:
        said |= dict.fromkeys(notices.of_scope(scope, evidence))
    return tuple(said)
