"""The smallest dictionary weighed once more by itself: what its other keys have made idle goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from atsprobe.ats.key_effect import SUBDOMAINS, includes_subdomains, niap_in_force, relaxing_keys
from atsprobe.model.dictionary import AtsDictionary, PlistValue
from atsprobe.model.judgement import ExceptionJudgement, ExceptionStatus
from atsprobe.weigh.declared import DeclaredKeys
from atsprobe.weigh.evidence import Evidence
from atsprobe.weigh.minimal import MinimalSearch
from atsprobe.weigh.scope import Scope


def without_idle_keys(
    dictionary: Mapping[str, PlistValue], scope: Scope, evidence: Evidence, search: MinimalSearch
) -> dict[str, PlistValue]:
    """Give a scope's smallest dictionary less the keys that are unneeded in it; to drop these at once breaks nothing.

    A declared key of which nothing was proved stays at first; a key that was put beside it, or an exact entry in its place,
    may settle that it is not needed. Nor does the dictionary reach below a domain with what is new there.
    """
    smallest = AtsDictionary.from_plist(dictionary or None)
    if scope.bundle is None or smallest == scope.dictionary:
        return dict(dictionary)
    smallest = _without_new_reach(smallest, scope)
    weighed = replace(scope, bundle=replace(scope.bundle, dictionary=smallest))
    judged = DeclaredKeys(weighed, evidence, search).judge()
    for key in judged:
        if key.status is ExceptionStatus.UNNEEDED and key.key is not None:
            smallest = _without(smallest, key, judged)
    value = smallest.to_plist()
    return dict(value) if isinstance(value, Mapping) else {}


def _without_new_reach(dictionary: AtsDictionary, scope: Scope) -> AtsDictionary:
    """Drop NSIncludesSubdomains that stood beside what tightens alone: what the host itself needs must not reach below it."""
    niap = niap_in_force(scope.dictionary, scope.profiles)
    for domain, entry in dictionary.entries.items():
        declared = scope.dictionary.entries.get(domain)
        reaches = includes_subdomains(domain, entry) and relaxing_keys(domain, entry, niap=niap)
        if reaches and declared is not None and not relaxing_keys(domain, declared, niap=niap):
            dictionary = dictionary.without(domain, SUBDOMAINS)
    return dictionary


def _without(
    dictionary: AtsDictionary, key: ExceptionJudgement, judged: tuple[ExceptionJudgement, ...]
) -> AtsDictionary:
    """Drop a key, and with the last relaxing key of its entry a NSIncludesSubdomains that had something to reach with."""
    dictionary = dictionary.without(key.domain, key.key or "")
    entry = dictionary.entries.get(key.domain or "")
    if entry is None:
        return dictionary
    strict = {j.key for j in judged if j.domain == key.domain and j.status is ExceptionStatus.STRICT}
    is_idle = set(entry.to_plist()) <= {SUBDOMAINS} - strict
    return dictionary.without_domain(key.domain or "") if is_idle else dictionary
