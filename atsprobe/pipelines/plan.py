"""What to look at: endpoints, the names behind them, and the task for each address."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from atsprobe.ats.key_effect import names_niap_mode
from atsprobe.ats.local import locality
from atsprobe.ats.offer import decisive_offers
from atsprobe.ats.profile import profiles
from atsprobe.model.app import Extraction
from atsprobe.model.endpoint import Confidence, Endpoint, Host, Reference, counterpart
from atsprobe.model.handshake import Offer
from atsprobe.model.observation import Resolution, Resolved
from atsprobe.model.policy import Profile
from atsprobe.model.recording import IgnoredHost, IgnoreRule
from atsprobe.scan.task import Limits, ScanTask
from atsprobe.settings import Settings
from atsprobe.weigh.scope import has_http_exception


@dataclass(frozen=True)
class Plan:
    """The endpoints to look at: loads, and what could take their place. ``asks_http`` are the hosts that get a GET."""

    endpoints: tuple[Endpoint, ...]
    asks_http: frozenset[Host]
    offers: tuple[Offer, ...]

    @property
    def names(self) -> tuple[tuple[Host, int], ...]:
        """The names to resolve, each with its port."""
        return tuple(dict.fromkeys((e.host, e.port) for e in self.endpoints))

    def tasks(self, resolutions: Iterable[Resolution], settings: Settings) -> tuple[ScanTask, ...]:
        """Give one task for each endpoint on each of its addresses."""
        limits = Limits(timeout=settings.timeout, deadline=settings.deadline, rate=settings.rate)
        outcomes = {(r.host, r.port): r.outcome for r in resolutions}
        tasks: list[ScanTask] = []
        for endpoint in self.endpoints:
            outcome = outcomes.get((endpoint.host, endpoint.port))
            for address in outcome.addresses if isinstance(outcome, Resolved) else ():
                task = ScanTask(
                    endpoint=endpoint,
                    address=address,
                    offers=self.offers,
                    enumerate=not settings.quick,
                    request_http=endpoint.host in self.asks_http,
                    https_ports_in_other_tasks=self._https_ports(endpoint.host),
                    limits=limits,
                )
                tasks.append(task)
        return tuple(tasks)

    def _https_ports(self, host: Host) -> tuple[int, ...]:
        return tuple(e.port for e in self.endpoints if e.host == host and e.scheme == "https")


def plan(extraction: Extraction, settings: Settings, offers: Sequence[Offer] | None = None) -> Plan:
    """Plan the look at an extraction: the fewest endpoints that decide every load and every declared key.

    ``offers`` are the hellos whose outcomes must be known, in order; None for those that decide about loads and keys.
    """
    loads = extraction.loads()
    contacted = [load.endpoint for load in loads if is_contacted(load.endpoint.host, extraction, settings)]
    may_use_http = {
        host
        for bundle in extraction.bundles
        for host in {e.host for e in contacted}
        if has_http_exception(bundle.dictionary, host)
    }
    endpoints = dict.fromkeys(contacted)
    endpoints |= dict.fromkeys(counterpart(e) for e in contacted if e.scheme == "http")
    endpoints |= dict.fromkeys(Endpoint(host, 80, "http") for host in may_use_http)
    with_http = {e.host for e in contacted if e.scheme == "http"} | may_use_http
    dictionaries = [b.dictionary for b in extraction.bundles]
    if offers is None:
        offers = decisive_offers(judged_profiles(extraction, settings), niap=names_niap_mode(dictionaries))
    return Plan(tuple(sorted(endpoints)), frozenset(with_http), tuple(offers))


def judged_profiles(extraction: Extraction, settings: Settings) -> tuple[Profile, ...]:
    """Give every profile that some bundle, or a host without one, is judged as. Raises ats.profile.UnknownProfile."""
    oldest = [b.minimum_os for b in extraction.bundles] or [None]
    found = {p.name: p for minimum in oldest for p in profiles(settings.ios, minimum, settings.profile)}
    return tuple(sorted(found.values(), key=lambda p: p.order))


def is_contacted(host: Host, extraction: Extraction, settings: Settings) -> bool:
    """Say whether a host may be contacted: one of everybody's own network only when named on the command line, or allowed."""
    if settings.allow_private or not locality(host).is_own_network:
        return True
    return any(r.endpoint.host == host and r.kind == "command-line" for r in extraction.references)


def split_by_confidence(extraction: Extraction, least: Confidence) -> tuple[Extraction, tuple[Host, ...]]:
    """Give the extraction with the references that are sure enough to be audited, and the likely hosts that are left out.

    Likely is what stands in a URL or as a whole string: what covers such a host is not seen in full. A name inside a text
    is not likely enough.
    """
    kept = tuple(r for r in extraction.references if r.confidence.is_at_least(least))
    audited = {r.endpoint.host for r in kept}
    likely = (r.endpoint.host for r in extraction.references if r.confidence.is_at_least(Confidence.BARE))
    left = dict.fromkeys(host for host in likely if host not in audited)
    return replace(extraction, references=kept), tuple(left)


def without_ignored(extraction: Extraction, rules: Sequence[IgnoreRule]) -> tuple[Extraction, tuple[IgnoredHost, ...]]:
    """Give the extraction less the hosts that are ignored, and these, each with the first rule that is about it.

    A host that the command line names is not ignored: who asks for a target gets an answer about it.
    """
    found: dict[Host, list[Reference]] = {}
    for reference in extraction.references:
        found.setdefault(reference.endpoint.host, []).append(reference)
    ignored: list[IgnoredHost] = []
    for host, references in found.items():
        rule = next((r for r in rules if r.covers(host)), None)
        if rule is not None and not any(r.kind == "command-line" for r in references):
            ignored.append(IgnoredHost(host, rule, tuple(references)))
    left_out = {i.host for i in ignored}
    kept = tuple(r for r in extraction.references if r.endpoint.host not in left_out)
    return replace(extraction, references=kept), tuple(sorted(ignored, key=lambda i: i.host))
