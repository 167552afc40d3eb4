"""The smallest NSAppTransportSecurity that keeps working what works under the declared one."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from atsprobe.ats.exception_match import network_of
from atsprobe.ats.key_effect import (
    ALLOWS_HTTP,
    ARBITRARY_LOADS,
    FORWARD_SECRECY,
    LOCAL_NETWORKING,
    MINIMUM_TLS,
    NIAP,
    SUBDOMAINS,
    counts_as_false,
)
from atsprobe.ats.local import Locality, locality
from atsprobe.ats.policy import PolicyResolver
from atsprobe.ats.values import boolean, tls_version
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import AtsDictionary, DeclaredKey, ExceptionEntry, PlistValue
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.judgement import ExceptionJudgement, ExceptionStatus, Verdict
from atsprobe.model.policy import Policy
from atsprobe.model.result import EndpointResult
from atsprobe.weigh.evidence import Evidence, works
from atsprobe.weigh.minimal import united
from atsprobe.weigh.scope import Scope


def minimal_dictionary(
    scope: Scope,
    results: Mapping[Endpoint, EndpointResult],
    statuses: Sequence[ExceptionJudgement],
    evidence: Evidence,
) -> dict[str, PlistValue]:
    """Give the value of NSAppTransportSecurity; empty where nothing is left to say.

    Strict keys, and those that no scan can weigh, stay as declared; each load that needs one gets its smallest exception
    under its exact host; a relaxing key stays where nothing proves that it may go. It never blocks a load that the
    declared dictionary allows.
    """
    before = scope.resolvers()
    declared = {load.endpoint: _outcomes(load.endpoint, scope, before, evidence) for load in scope.loads}
    unknown = {endpoint for endpoint, outcomes in declared.items() if None in outcomes}
    minimal = _kept(scope, results, statuses, unknown)
    minimal = _with_smallest_exceptions(minimal, scope, results, statuses, unknown)
    minimal = _without_idle_subdomains(minimal, statuses)
    after = scope.resolvers(minimal)
    for endpoint, outcomes in declared.items():
        if _breaks(outcomes, _outcomes(endpoint, scope, after, evidence)):
            minimal = _as_declared_for(endpoint.host, minimal, scope)
            after = scope.resolvers(minimal)
    if _needs_local_networking(scope, minimal):
        minimal = AtsDictionary.from_plist({**_plist(minimal), LOCAL_NETWORKING: True})
    return _plist(minimal)


def _outcomes(
    endpoint: Endpoint, scope: Scope, resolvers: Sequence[PolicyResolver], evidence: Evidence
) -> tuple[bool | None, ...]:
    """Say whether each case of a load works under a dictionary, given as its resolvers."""
    return tuple(
        works(j.outcome)
        for resolver in resolvers
        for j in evidence.judgements(endpoint, resolver, accepts_server_trust=scope.accepts_server_trust)
    )


def _breaks(before: Sequence[bool | None], after: Sequence[bool | None]) -> bool:
    """Whether a case that worked does no longer, or one that could not be judged is certain to fail."""
    return any(
        now is not True if then else then is None and now is False for then, now in zip(before, after, strict=True)
    )


def _as_declared_for(host: Host, minimal: AtsDictionary, scope: Scope) -> AtsDictionary:
    """Let a host have all that is declared for it: what rests on a stricter parent or Apple's own entry is seen only so."""
    declared = _relaxations(scope.resolvers()[-1].policy(host))
    return minimal.with_exception(host, _joined(minimal.entries.get(host), declared))


def _plist(dictionary: AtsDictionary) -> dict[str, PlistValue]:
    value = dictionary.to_plist()
    return dict(value) if isinstance(value, Mapping) else {}


def _kept(
    scope: Scope,
    results: Mapping[Endpoint, EndpointResult],
    statuses: Sequence[ExceptionJudgement],
    unknown: Container[Endpoint],
) -> AtsDictionary:
    """Give what stays as declared, and NSIncludesSubdomains beside what relaxes unless that is to be dropped or narrowed."""
    kept = AtsDictionary()
    without_reach = {
        s.domain
        for s in statuses
        if s.key == SUBDOMAINS and s.status.is_finding and not _covers_unknown(s, results, unknown)
    }
    for status in statuses:
        if not _stays(status, results, unknown):
            continue
        if status.domain is None:
            kept = AtsDictionary.from_plist({**_plist(kept), status.key or "": _value(status)})
            continue
        entry = kept.entries.get(status.domain, ExceptionEntry())
        if status.key is not None:
            entry = entry.with_key(status.key, _value(status))
        declared = scope.dictionary.entries[status.domain]
        reaches = boolean(declared.includes_subdomains) and status.domain not in without_reach
        if reaches and status.status is not ExceptionStatus.STRICT:
            entry = entry.with_key(SUBDOMAINS, True)
        kept = kept.with_exception(status.domain, entry)
    return kept


def _covers_unknown(
    status: ExceptionJudgement, results: Mapping[Endpoint, EndpointResult], unknown: Container[Endpoint]
) -> bool:
    hosts = (results[e] for e in status.hosts if e in results)
    return any(r.verdict is Verdict.INCONCLUSIVE or r.endpoint in unknown for r in hosts)


def _value(status: ExceptionJudgement) -> PlistValue:
    assert status.value is not None
    is_number_for_false = counts_as_false(DeclaredKey(status.domain, status.key, status.value)) is not None
    return False if is_number_for_false else status.value


def _stays(
    status: ExceptionJudgement, results: Mapping[Endpoint, EndpointResult], unknown: Container[Endpoint]
) -> bool:
    if status.status is ExceptionStatus.STRICT:
        return True
    if status.key == SUBDOMAINS:
        return status.status in (ExceptionStatus.NEEDED, ExceptionStatus.UNVERIFIABLE)
    if status.status is ExceptionStatus.UNVERIFIABLE:
        return True
    if status.status is ExceptionStatus.INEFFECTIVE or status.key is None:
        return False
    if status.ignored:
        return True  # what those hosts need was not seen
    if status.key == NIAP and status.status is ExceptionStatus.NEEDED:
        return True  # it lifts what a global key asks, which no default verdict knows of
    if _covers_unknown(status, results, unknown):
        return status.status is not ExceptionStatus.UNNEEDED
    hosts = [results[e] for e in status.hosts if e in results]
    needed = status.status is ExceptionStatus.NEEDED
    return needed and any(r.verdict is Verdict.BLOCKED for r in hosts)


def _without_idle_subdomains(minimal: AtsDictionary, statuses: Sequence[ExceptionJudgement]) -> AtsDictionary:
    """Drop an entry of which only a NSIncludesSubdomains is left that had something to reach with."""
    strict = {s.domain for s in statuses if s.status is ExceptionStatus.STRICT}
    for domain, entry in minimal.entries.items():
        if set(entry.to_plist()) == {SUBDOMAINS} and domain not in strict:
            minimal = minimal.without_domain(domain)
    return minimal


def _with_smallest_exceptions(
    minimal: AtsDictionary,
    scope: Scope,
    results: Mapping[Endpoint, EndpointResult],
    statuses: Sequence[ExceptionJudgement],
    unknown: Container[Endpoint],
) -> AtsDictionary:
    wanted: dict[str, list[ExceptionEntry]] = {}
    for load in scope.loads:
        result = results[load.endpoint]
        if result.verdict is Verdict.EXCEPTION_REQUIRED and result.minimal_exception is not None:
            by_parent = _needed_parent(load.endpoint, statuses)
            wanted.setdefault(by_parent or load.endpoint.host, []).append(result.minimal_exception)
    deciding = scope.resolvers(minimal)[-1]
    for domain, entries in wanted.items():
        smallest = united((*entries, *_carried_along(domain, scope, results, deciding, unknown)))
        minimal = minimal.with_exception(domain, _joined(minimal.entries.get(domain), smallest))
    return minimal


def _carried_along(
    host: str,
    scope: Scope,
    results: Mapping[Endpoint, EndpointResult],
    deciding: PolicyResolver,
    unknown: Container[Endpoint],
) -> tuple[ExceptionEntry, ...]:
    """Give what an entry of its own would take from a host: entries never merge.

    That is what decided about it so far, where another load of the host rests on that: one of unknown outcome, or one that
    passes by Apple's built-in entry.
    """
    match = deciding.match(Host(host))
    if match is not None and match.kind == "exact":
        return ()
    loads = [results[load.endpoint] for load in scope.loads if load.endpoint.host == host]
    built_in = match is not None and match.kind == "built-in"
    rests = any(r.endpoint in unknown or (built_in and r.verdict is Verdict.PASS) for r in loads)
    return (_relaxations(deciding.policy(Host(host))),) if rests else ()


def _relaxations(policy: Policy) -> ExceptionEntry:
    """Write what a policy allows beyond default ATS as an entry."""
    floor = min(policy.offer.versions)
    return ExceptionEntry(
        allows_insecure_http_loads=True if policy.http_allowed else None,
        requires_forward_secrecy=None if policy.forward_secrecy_required else False,
        minimum_tls_version=floor.label if floor < TlsVersion.TLS_1_2 else None,
    )


def _needed_parent(endpoint: Endpoint, statuses: Sequence[ExceptionJudgement]) -> str | None:
    """The entry that is needed as it is for this host, by NSIncludesSubdomains or as a network: it goes on to serve it."""
    for status in statuses:
        if status.status is not ExceptionStatus.NEEDED or status.domain is None or endpoint not in status.hosts:
            continue
        if status.key == SUBDOMAINS or _is_needed_network(status.domain, statuses):
            return status.domain
    return None


def _is_needed_network(domain: str, statuses: Sequence[ExceptionJudgement]) -> bool:
    """Whether a domain is a network, and nothing that it relaxes is wider than its addresses need."""
    own = {s.status for s in statuses if s.domain == domain and s.key in (ALLOWS_HTTP, MINIMUM_TLS, FORWARD_SECRECY)}
    return network_of(domain) is not None and own <= {ExceptionStatus.NEEDED, ExceptionStatus.STRICT}


def _joined(kept: ExceptionEntry | None, smallest: ExceptionEntry) -> ExceptionEntry:
    """Join what stays of an entry with what a load needs: what tightens is never loosened, what restates a default gives way."""
    if kept is None:
        return smallest
    joined = kept
    relaxed = united((kept, smallest))
    if relaxed.allows_insecure_http_loads:
        joined = joined.with_key(ALLOWS_HTTP, True)
    if relaxed.requires_niap_tls_package_version is not None:
        joined = joined.with_key(NIAP, relaxed.requires_niap_tls_package_version)
    if relaxed.requires_forward_secrecy is False:
        joined = joined.with_key(FORWARD_SECRECY, False)
    own = tls_version(kept.minimum_tls_version)
    if smallest.minimum_tls_version is not None and own is not TlsVersion.TLS_1_3 and relaxed.minimum_tls_version:
        joined = joined.with_key(MINIMUM_TLS, relaxed.minimum_tls_version)
    return joined


def _needs_local_networking(scope: Scope, minimal: AtsDictionary) -> bool:
    """Whether a private address is loaded that no key covers: that one is what Apple documents for it."""
    if minimal.allows_local_networking is not None:
        return False
    match = scope.resolvers(minimal)[-1].match if scope.clients else None
    return any(
        locality(load.endpoint.host) is Locality.PRIVATE_ADDRESS and match and match(load.endpoint.host) is None
        for load in scope.loads
    ) and ARBITRARY_LOADS not in _plist(minimal)
