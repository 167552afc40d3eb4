"""The status of each declared key: what would be if it were not there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from atsprobe.ats.exception_match import network_of
from atsprobe.ats.key_effect import (
    ALLOWS_HTTP,
    ARBITRARY_LOADS,
    GLOBAL_NIAP,
    LOCAL_NETWORKING,
    MEDIA,
    MINIMUM_TLS,
    NIAP,
    SUBDOMAINS,
    TRANSPARENCY,
    WEB_CONTENT,
    includes_subdomains,
    is_own_network_key,
    niap_in_force,
    relaxing_keys,
    tightens,
    unknown_effect,
    why_ineffective,
)
from atsprobe.ats.policy import arbitrary_loads_in_force
from atsprobe.ats.values import boolean, tls_version
from atsprobe.model.app import Load
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import AtsDictionary, DeclaredKey, ExceptionEntry, PlistValue
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.judgement import ExceptionJudgement, ExceptionStatus, Judgement
from atsprobe.weigh import reasons
from atsprobe.weigh.evidence import Evidence, works
from atsprobe.weigh.minimal import MinimalSearch, united
from atsprobe.weigh.scope import Scope
from atsprobe.weigh.seen_in_full import ignored_under, why_not_seen_in_full
from atsprobe.weigh.weighed import CaseKey, Weighed, WeighedCase


def without_relaxations(dictionary: AtsDictionary, *, niap: bool = False) -> AtsDictionary:
    """Give the declared dictionary without any relaxing key; entries left with nothing that tightens go too.

    ``niap``: the NIAP mode is in force, so that an entry may relax it.
    """
    bare = dictionary
    if boolean(bare.allows_arbitrary_loads):
        bare = bare.without(None, ARBITRARY_LOADS)
    stays: list[tuple[str, ExceptionEntry | PlistValue]] = []
    for domain, entry in dictionary.exception_domains:  # all in one go: there may be ten thousand
        left: ExceptionEntry | PlistValue | None = entry
        if isinstance(entry, ExceptionEntry) and (keys := relaxing_keys(domain, entry, niap=niap)):
            left = _entry_less(domain, entry, (*keys, SUBDOMAINS), niap=niap)
        if left is not None:
            stays.append((domain, left))
    return replace(bare, exception_domains=tuple(stays))


def _entry_less(domain: str, entry: ExceptionEntry, keys: Sequence[str], *, niap: bool) -> ExceptionEntry | None:
    """Give an entry less some keys; None where nothing is left that relaxes or tightens."""
    for key in keys:
        entry = entry.without(key)
    return entry if relaxing_keys(domain, entry, niap=niap) or tightens(entry) else None


def _without_keys(dictionary: AtsDictionary, domain: str, keys: Sequence[str], *, niap: bool) -> AtsDictionary:
    left = _entry_less(domain, dictionary.entries[domain], keys, niap=niap)
    return dictionary.without_domain(domain) if left is None else dictionary.with_exception(domain, left)


class DeclaredKeys:
    """Weighs every key that one scope's dictionary declares."""

    def __init__(self, scope: Scope, evidence: Evidence, search: MinimalSearch) -> None:
        """Prepare the dictionary without relaxations, against which every entry is weighed."""
        self._scope = scope
        self._evidence = evidence
        self._search = search
        self._niap = niap_in_force(scope.dictionary, scope.profiles)
        self._bare = without_relaxations(scope.dictionary, niap=self._niap)
        self._bare_resolvers = scope.resolvers(self._bare)
        self._match = scope.resolvers()[-1].match
        self._counterpart: dict[Endpoint, bool] = {}

    def judge(self) -> tuple[ExceptionJudgement, ...]:
        """Give a status to each declared key, in the order declared."""
        dictionary = self._scope.dictionary
        weighed: dict[tuple[str | None, str], ExceptionJudgement] = {}
        for domain, entry in dictionary.entries.items():
            if relaxing_keys(domain, entry, niap=self._niap) and not is_own_network_key(domain):
                weighed |= {(domain, j.key or ""): j for j in self._weigh_entry(domain, entry)}
        if arbitrary_loads_in_force(dictionary):
            weighed[None, ARBITRARY_LOADS] = self._weigh_arbitrary_loads()
        return tuple(
            self._without_effect(key) or weighed.get((key.domain, key.key or "")) or self._by_itself(key)
            for key in dictionary.declared_keys()
        )

    def _without_effect(self, key: DeclaredKey) -> ExceptionJudgement | None:
        """Say that a key does nothing on any profile judged, which goes before all that weighing could tell."""
        problem = why_ineffective(key, self._scope.dictionary, self._scope.profiles)
        return None if problem is None else self._judgement(key, ExceptionStatus.INEFFECTIVE, problem)

    def _judgement(
        self,
        key: DeclaredKey,
        status: ExceptionStatus,
        reason: str,
        hosts: Sequence[Endpoint] = (),
        *,
        has_exit_weight: bool = True,
        narrower: str = "",
    ) -> ExceptionJudgement:
        bundle = self._scope.bundle
        assert bundle is not None
        return ExceptionJudgement(
            bundle=bundle.identifier,
            domain=key.domain,
            key=key.key,
            value=key.value,
            status=status,
            reason=reason,
            hosts=tuple(dict.fromkeys(hosts)),
            has_exit_weight=has_exit_weight,
            narrower=narrower,
            line=bundle.key_lines.get((key.domain, key.key)),
        )

    def _by_itself(self, key: DeclaredKey) -> ExceptionJudgement:
        """Judge a key that needs no weighing: it is stricter, or no scan can tell."""
        covered = [load for load in self._scope.loads if key.domain and self._decides(key.domain, load)]
        hosts = [load.endpoint for load in covered]
        if (unknown := unknown_effect(key)) is not None:
            weighs = not is_own_network_key(key.domain or "")
            return self._judgement(key, ExceptionStatus.UNVERIFIABLE, unknown, hosts, has_exit_weight=weighs)
        if self._cannot_be_seen(key):
            reason = reasons.cannot_be_seen(key)
            return self._judgement(key, ExceptionStatus.UNVERIFIABLE, reason, hosts, has_exit_weight=False)
        return self._judgement(key, ExceptionStatus.STRICT, self._strict_reason(key, covered), hosts)

    def _cannot_be_seen(self, key: DeclaredKey) -> bool:
        if key.domain is None:
            return key.key in (WEB_CONTENT, MEDIA, LOCAL_NETWORKING) and boolean(key.value) is True
        return is_own_network_key(key.domain) and not _is_strict_value(key)

    def _strict_reason(self, key: DeclaredKey, covered: Sequence[Load]) -> str:
        blocked = [
            load.endpoint
            for load in (covered if key.domain else self._scope.loads)
            if self._blocked(self._scope.dictionary, load) and not self._blocked(self._less(key), load)
        ]
        return reasons.strict(key, blocked)

    def _less(self, key: DeclaredKey) -> AtsDictionary:
        dictionary = self._scope.dictionary
        if key.domain is None:
            return dictionary.without(None, key.key or "")
        return dictionary.without(key.domain, key.key) if key.key else dictionary.without_domain(key.domain)

    def _blocked(self, dictionary: AtsDictionary, load: Load) -> bool:
        return any(j.outcome == "blocked" for j in self._outcomes(dictionary, [load]).values())

    def _decides(self, domain: str, load: Load) -> bool:
        match = self._match(load.endpoint.host)
        return match is not None and match.key == domain and match.kind != "built-in"

    def _outcomes(self, dictionary: AtsDictionary, loads: Sequence[Load]) -> dict[CaseKey, Judgement]:
        """Judge each case of the loads under a dictionary."""
        found: dict[CaseKey, Judgement] = {}
        for resolver in self._scope.resolvers(dictionary):
            for load in loads:
                judged = self._evidence.judgements(
                    load.endpoint, resolver, accepts_server_trust=self._scope.accepts_server_trust
                )
                for j in judged:
                    key = (load.endpoint, str(j.address or ""), resolver.client.profile.name)
                    found[key] = j
        return found

    def _weighed(self, loads: Sequence[Load], with_key: AtsDictionary, without_key: AtsDictionary) -> Weighed:
        after, before = self._outcomes(with_key, loads), self._outcomes(without_key, loads)
        cases = tuple(
            WeighedCase(
                endpoint, address, profile, after[endpoint, address, profile], before[endpoint, address, profile]
            )
            for endpoint, address, profile in after
        )
        return Weighed(cases, tuple(loads), self._passes_over_https)

    def _passes_over_https(self, endpoint: Endpoint) -> bool:
        if endpoint not in self._counterpart:
            passes = self._evidence.counterpart_passes(endpoint, self._bare_resolvers)
            self._counterpart[endpoint] = endpoint.scheme == "http" and passes
        return self._counterpart[endpoint]

    def _weigh_entry(self, domain: str, entry: ExceptionEntry) -> list[ExceptionJudgement]:
        whole = self._bare.with_exception(domain, entry)
        covered = [load for load in self._scope.loads if self._decides(domain, load)]
        is_network = network_of(domain) is not None
        by_pattern = is_network or includes_subdomains(domain, entry)
        blind = why_not_seen_in_full(
            self._scope, self._evidence, covered, domain=domain, by_pattern=by_pattern, reaches=self._reaches(domain)
        )
        judged: list[ExceptionJudgement] = []
        current = whole
        for name in relaxing_keys(domain, entry, niap=self._niap):
            without = _without_keys(current, domain, (name,), niap=self._niap)
            weighed = self._weighed(covered, current, without)
            key = DeclaredKey(domain, name, entry.to_plist()[name])
            narrower = self._narrower(key, current, weighed, is_network=is_network)
            judgement = self._status(key, weighed, blind, self._outcomes(whole, covered), narrower)
            judged.append(judgement)
            if judgement.status is ExceptionStatus.UNNEEDED:
                current = without
        if includes_subdomains(domain, entry):
            judged.append(self._weigh_subdomains(domain, entry, whole, blind))
        return judged

    def _reaches(self, domain: str | None) -> Callable[[Host], bool]:
        """Give whether an entry (None: no entry) would decide about a host."""
        return lambda host: (match.key if (match := self._match(host)) is not None else None) == domain

    def _with_ignored(self, judgement: ExceptionJudgement, weighed: Weighed) -> ExceptionJudgement:
        """Note the hosts left out of the audit that a key covers; where it covers no other, no scan was to tell."""
        left_out = ignored_under(self._scope, self._evidence, self._reaches(judgement.domain))
        hosts = tuple(i.host for i in left_out if judgement.key != SUBDOMAINS or i.host != judgement.domain)
        if not hosts:
            return judgement
        nothing_else = judgement.status is ExceptionStatus.UNVERIFIABLE and not weighed.loads
        return replace(judgement, ignored=hosts, has_exit_weight=judgement.has_exit_weight and not nothing_else)

    def _narrower(self, key: DeclaredKey, current: AtsDictionary, weighed: Weighed, *, is_network: bool) -> str:
        """Give the narrower form that keeps every case working that works now; empty where there is none."""
        assert key.domain is not None
        if is_network and not _needs_its_network(key.domain, weighed):
            return "name the exact addresses that need it"
        if key.key != MINIMUM_TLS or tls_version(key.value) is not TlsVersion.TLS_1_0:
            return ""
        entry = current.entries[key.domain].with_key(MINIMUM_TLS, TlsVersion.TLS_1_1.label)
        higher = self._outcomes(current.with_exception(key.domain, entry), weighed.loads)
        return "TLSv1.1 is enough" if weighed.keeps_working(higher) else ""

    def _weigh_subdomains(
        self, domain: str, entry: ExceptionEntry, whole: AtsDictionary, blind: str
    ) -> ExceptionJudgement:
        covered = [load for load in self._scope.loads if self._decides(domain, load)]
        below = [load for load in covered if load.endpoint.host != domain]
        weighed = self._weighed(below, whole, whole.without(domain, SUBDOMAINS))
        itself = self._weighed([load for load in covered if load not in below], whole, self._bare)
        all_need = len(weighed.hosts_in_need) >= 2 and weighed.all_hosts_need_it and itself.all_hosts_need_it
        narrower = "" if all_need else reasons.narrower_than_subdomains(weighed, [c.endpoint for c in itself.cases])
        key = DeclaredKey(domain, SUBDOMAINS, entry.includes_subdomains)
        return self._status(key, weighed, blind, self._outcomes(whole, below), narrower)

    def _weigh_arbitrary_loads(self) -> ExceptionJudgement:
        covered = [load for load in self._scope.loads if self._match(load.endpoint.host) is None]
        value = self._scope.dictionary.allows_arbitrary_loads
        whole = self._with_arbitrary_loads(self._bare)
        weighed = self._weighed(covered, whole, self._bare)
        blind = why_not_seen_in_full(
            self._scope,
            self._evidence,
            covered,
            domain=None,
            by_pattern=True,
            reaches=self._reaches(None),
        )
        in_entries = self._outcomes(self._entries_instead(covered), covered)
        narrower = reasons.entries_instead(weighed) if weighed.keeps_working(in_entries) else ""
        key = DeclaredKey(None, ARBITRARY_LOADS, value)
        return self._status(key, weighed, blind, self._outcomes(whole, covered), narrower)

    def _with_arbitrary_loads(self, dictionary: AtsDictionary) -> AtsDictionary:
        return replace(dictionary, allows_arbitrary_loads=self._scope.dictionary.allows_arbitrary_loads)

    def _entries_instead(self, loads: Sequence[Load]) -> AtsDictionary:
        """The dictionary that names each host with its smallest exception."""
        by_host: dict[Host, list[ExceptionEntry]] = {}
        for load in loads:
            cases = self._search.verdicts(load.endpoint, self._scope.profiles)
            entry = self._search.smallest(load.endpoint, cases)
            if entry is not None and entry != ExceptionEntry():
                by_host.setdefault(load.endpoint.host, []).append(entry)
        dictionary = self._bare
        for host, entries in by_host.items():
            dictionary = dictionary.with_exception(host, united(entries))
        return dictionary

    def _status(
        self,
        key: DeclaredKey,
        weighed: Weighed,
        blind: str,
        under_whole: dict[CaseKey, Judgement],
        narrower: str,
    ) -> ExceptionJudgement:
        return self._with_ignored(self._first_status(key, weighed, blind, under_whole, narrower), weighed)

    def _first_status(
        self,
        key: DeclaredKey,
        weighed: Weighed,
        blind: str,
        under_whole: dict[CaseKey, Judgement],
        narrower: str,
    ) -> ExceptionJudgement:
        """Give the first status that holds, in the order of the contract."""
        hosts = [load.endpoint for load in weighed.loads]
        seen_in_full = not blind and weighed.is_judged
        by_default = all(works(j.outcome) for j in self._outcomes(self._bare, weighed.loads).values())
        ground = reasons.Ground(self._scope, self._evidence, key, weighed, blind, by_default)
        if seen_in_full and weighed.works_without:
            status = self._unneeded_or_replaceable(key, weighed)
            return self._judgement(key, status, reasons.for_status(status, ground), hosts)
        if seen_in_full and weighed.fails_only_where_https_passes:
            status = ExceptionStatus.REPLACEABLE
        elif seen_in_full and weighed.is_needed and narrower:
            return self._judgement(key, ExceptionStatus.TOO_WIDE, narrower, hosts, narrower=narrower)
        elif weighed.is_needed:
            status = ExceptionStatus.NEEDED
        elif any(j.outcome == "blocked" for j in under_whole.values()):
            status = ExceptionStatus.INSUFFICIENT
        else:
            status = ExceptionStatus.UNVERIFIABLE
        return self._judgement(key, status, reasons.for_status(status, ground), hosts)

    def _unneeded_or_replaceable(self, key: DeclaredKey, weighed: Weighed) -> ExceptionStatus:
        """An http:// URL that is always loaded as https needs no key, but is still the thing to change."""
        by_url = any(load.endpoint.scheme == "http" and self._always_https(load) for load in weighed.loads)
        return ExceptionStatus.REPLACEABLE if key.key == ALLOWS_HTTP and by_url else ExceptionStatus.UNNEEDED

    def _always_https(self, load: Load) -> bool:
        return all(r.policy(load.endpoint.host).http_is_loaded_as_https for r in self._bare_resolvers)


def _needs_its_network(domain: str, weighed: Weighed) -> bool:
    """Whether naming exact addresses would be no narrower: several need the key and all do, or there is but one address."""
    network = network_of(domain)
    several = len(weighed.hosts_in_need) >= 2 and weighed.all_hosts_need_it
    return several or (network is not None and network.num_addresses == 1)


def _is_strict_value(key: DeclaredKey) -> bool:
    """Whether the value relaxes nothing, whatever the host."""
    if key.key is None or key.key in (TRANSPARENCY, NIAP, GLOBAL_NIAP):
        return True
    if key.key == MINIMUM_TLS:
        version = tls_version(key.value)
        return version is not None and version >= TlsVersion.TLS_1_2
    return boolean(key.value) is (key.key not in (ALLOWS_HTTP, SUBDOMAINS))
