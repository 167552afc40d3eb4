"""What becomes of each exception: the keys that stay in the smallest dictionary and those that go, with what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Literal

from atsprobe.model.app import Bundle
from atsprobe.model.dictionary import AtsDictionary, DeclaredKey, ExceptionEntry, PlistValue
from atsprobe.model.endpoint import Endpoint
from atsprobe.model.judgement import ExceptionJudgement, ExceptionStatus, Verdict
from atsprobe.model.result import AuditResult, EndpointResult
from atsprobe.report.places import main_bundles
from atsprobe.report.words import count

DOMAINS, MINIMUM_TLS = "NSExceptionDomains", "NSExceptionMinimumTLSVersion"
_MOST_REASONS = 3
_NEEDY_FIRST = (Verdict.EXCEPTION_REQUIRED, Verdict.BLOCKED, Verdict.INCONCLUSIVE, Verdict.PASS, Verdict.EXEMPT)


@dataclass(frozen=True)
class Kept:
    """A key of the smallest dictionary. ``judged`` is what was said of it where it is declared, None where it is new.

    ``servers`` are the loads that it covers, those that need an exception first.
    """

    key: DeclaredKey
    judged: ExceptionJudgement | None
    servers: tuple[EndpointResult, ...]

    @property
    def why_needed(self) -> str:
        """What fails by default in the servers behind it: that which the key is for, where it is seen."""
        failing = [f.finding for s in self.servers for f in s.findings if f.finding.status == "fail"]
        mended = [f for f in failing if f.fixable_by == self.key.key] or failing
        told = dict.fromkeys(f"{f.requirement}: {f.evidence}" for f in mended)
        return "; ".join(list(told)[:_MOST_REASONS]) or "the app loads what it allows"

    @property
    def change(self) -> Literal["as declared", "another value", "new"]:
        """What becomes of it beside what is declared."""
        if self.judged is None:
            return "new"
        return "as declared" if self.judged.value == self.key.value else "another value"


@dataclass(frozen=True)
class Gone:
    """A declared key that the smallest dictionary has not, and the loads that it covers.

    ``is_outside``: it stands at the top of the Info.plist, outside NSAppTransportSecurity. ``now_under`` are the new
    entries of hosts that it covers.
    """

    judged: ExceptionJudgement
    servers: tuple[EndpointResult, ...]
    is_outside: bool = False
    now_under: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dossier:
    """The exceptions of one bundle, or of the hosts that were named without one (``bundle`` None)."""

    bundle: Bundle | None
    dictionary: Mapping[str, PlistValue]
    kept: tuple[Kept, ...]
    gone: tuple[Gone, ...]

    @property
    def says_something(self) -> bool:
        """Whether anything is declared or needed."""
        return bool(self.kept or self.gone)

    def kept_in(self, domain: str | None, key: str | None = None) -> tuple[Kept, ...]:
        """Give what stays of a domain's entry, or of the global keys those of one name."""
        return tuple(k for k in self.kept if k.key.domain == domain and (key is None or k.key.key == key))


def without_exception(result: AuditResult) -> str:
    """Say of an audit in which nothing is declared and nothing would be that none is needed, if that was seen."""
    if not result.loads:
        return "no exception is declared, and no server was found that may need one"
    unsettled = sum(load.declared_verdict not in ("allowed", "exempt") for load in result.loads)
    if unsettled:
        return f"no exception is declared, and none was seen to help the {count(unsettled, 'load')} not seen to work"
    return "no exception is declared, and none is needed"


def dossiers(result: AuditResult) -> tuple[Dossier, ...]:
    """Give one for each bundle, those of main bundles first; or one for hosts that were named without a bundle."""
    smallest = {m.bundle: m.dictionary for m in result.minimal}
    bundles = result.recording.extraction.bundles
    if not bundles:
        return (_dossier(result, None, _of_loose_hosts(result)),)
    main = main_bundles(result.recording.extraction)
    ordered = (*main, *(b for b in bundles if b not in main))
    return tuple(_dossier(result, b, _ordered(smallest.get(b.identifier, {}), b)) for b in ordered)


def _ordered(dictionary: Mapping[str, PlistValue], bundle: Bundle) -> dict[str, PlistValue]:
    """Give a dictionary in the order in which the bundle declares it, with what is new at the end."""
    entries = dictionary.get(DOMAINS)
    if not isinstance(entries, Mapping):
        return dict(dictionary)
    declared = [name for name, _ in bundle.dictionary.exception_domains]
    names = (*(d for d in declared if d in entries), *sorted(d for d in entries if d not in declared))
    return {**dictionary, DOMAINS: {name: entries[name] for name in names}}


def seen_on(result: AuditResult) -> str:
    """Give the day on which the audit ended, UTC."""
    return result.recording.finished_at.astimezone(UTC).date().isoformat()


def _dossier(result: AuditResult, bundle: Bundle | None, dictionary: Mapping[str, PlistValue]) -> Dossier:
    identifier = bundle.identifier if bundle else None
    loads = {e.endpoint: e for e in result.loads if any(d.bundle == identifier for d in e.declared)}
    judged = [j for j in result.exceptions if j.bundle == identifier]
    strays = {id(j) for j in _strays(judged, bundle)}
    inside = {(j.domain, j.key): j for j in judged if id(j) not in strays}
    kept = tuple(
        Kept(key, before := inside.get((key.domain, key.key)), _servers(loads, key.domain, before))
        for key in AtsDictionary.from_plist(dictionary or None).declared_keys()
    )
    staying = {id(k.judged) for k in kept}
    gone = tuple(
        Gone(j, _servers(loads, j.domain, j), id(j) in strays, _now_under(j, kept))
        for j in judged
        if id(j) not in staying
    )
    return Dossier(bundle, dictionary, kept, gone)


def _now_under(gone: ExceptionJudgement, kept: Iterable[Kept]) -> tuple[str, ...]:
    """Give the new entries of the hosts that a key covers: what it was for is said there, by it or by narrower keys.

    Nothing needs a key that is unneeded, though another key of its entry may be named anew.
    """
    if gone.status is ExceptionStatus.UNNEEDED:
        return ()
    hosts = {str(endpoint.host) for endpoint in gone.hosts}
    new = (k.key.domain for k in kept if k.judged is None and k.key.domain in hosts)
    return tuple(dict.fromkeys(domain for domain in new if domain is not None))


def _strays(judged: Sequence[ExceptionJudgement], bundle: Bundle | None) -> Iterator[ExceptionJudgement]:
    """Give the keys that stand outside NSAppTransportSecurity: of two with one name the latter, as `declared_keys` lists them."""
    outside = {key for key, _ in bundle.dictionary.misplaced} if bundle else set()
    for judgement in reversed(judged):
        if judgement.domain is None and judgement.key in outside:
            outside.discard(judgement.key)
            yield judgement


def _servers(
    loads: Mapping[Endpoint, EndpointResult], domain: str | None, judged: ExceptionJudgement | None
) -> tuple[EndpointResult, ...]:
    found = [loads[e] for e in (judged.hosts if judged else ()) if e in loads]
    found += [e for e in loads.values() if e.endpoint.host == domain and e not in found]
    return tuple(sorted(found, key=lambda e: (_NEEDY_FIRST.index(e.verdict), e.endpoint)))


def _of_loose_hosts(result: AuditResult) -> dict[str, PlistValue]:
    """Give the dictionary that an app would need for the hosts that were named: the smallest exception for each."""
    entries: dict[str, dict[str, PlistValue]] = {}
    for load in result.loads:
        if load.verdict is Verdict.EXCEPTION_REQUIRED and load.minimal_exception is not None:
            known = entries.get(load.endpoint.host, {})
            entries[load.endpoint.host] = _united(known, load.minimal_exception.to_plist())
    return {DOMAINS: entries} if entries else {}


def _united(one: Mapping[str, PlistValue], other: Mapping[str, PlistValue]) -> dict[str, PlistValue]:
    """Join two smallest exceptions: each key has one relaxing value, but for the version, of which the lower is wider."""
    versions = [str(e[MINIMUM_TLS]) for e in (one, other) if MINIMUM_TLS in e]
    joined = {**one, **other} | ({MINIMUM_TLS: min(versions)} if versions else {})
    return ExceptionEntry.from_plist(joined).to_plist()


def most(servers: Iterable[EndpointResult], number: int) -> tuple[tuple[EndpointResult, ...], int]:
    """Give the first servers, and how many more there are."""
    every = tuple(servers)
    return every[:number], max(0, len(every) - number)
