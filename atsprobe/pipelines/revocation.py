"""After the scan: ask about the certificates that were seen, and put the answers beside the handshakes.

A stage of its own, since a responder has a name, and the scan resolves none: plan the queries, resolve, fetch; once more for each
redirect.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import IntEnum

from atsprobe.model.certificate import Certificate
from atsprobe.model.endpoint import Host
from atsprobe.model.handshake import deployments
from atsprobe.model.observation import Address, Observation, Resolution, Resolved, RevocationAnswer, TlsObservation
from atsprobe.pipelines.progress import Progress
from atsprobe.scan.revocation import Fetched, fetch_in_threads
from atsprobe.scan.revocation_query import RevocationQuery, place_of, query_about
from atsprobe.scan.task import Limits, RevocationTask
from atsprobe.settings import Settings

_MOST_REDIRECTS = 3
_BY_THE_USER = ("resolve-option", "connect-to-option")

Resolve = Callable[[Sequence[tuple[Host, int]]], tuple[Resolution, ...]]


class Reach(IntEnum):
    """From how far away an address can be reached, nearest first. Link-local is near: there, clouds hand out their secrets."""

    THIS_MACHINE = 0
    OWN_NETWORK = 1
    EVERYWHERE = 2


def reach(ip: str) -> Reach:
    """Say from how far away an IP address can be reached."""
    address = ipaddress.ip_address(ip)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback or address.is_link_local or address.is_unspecified:
        return Reach.THIS_MACHINE
    return Reach.EVERYWHERE if address.is_global else Reach.OWN_NETWORK


@dataclass(frozen=True)
class _Asking:
    """A query under way: where it stands now, and the nearest address of a server that names it."""

    query: RevocationQuery
    url: str
    named_from: Reach


def check_revocation(
    observations: Sequence[Observation],
    roots: tuple[bytes, ...],
    settings: Settings,
    resolve: Resolve,
    progress: Progress,
) -> tuple[tuple[Observation, ...], bool]:
    """Ask about each leaf that was seen whom it names; give the observations with the answers, and whether Ctrl-C came.

    ``roots`` are DER: the issuers of leaves that were sent alone. A responder on this machine or in a private network is
    asked only where the server that names it is as near itself, where the user gave its address, or with ``allow_private``.
    """
    queries = _queries(observations, roots)
    answers: dict[RevocationQuery, Fetched] = {}
    asking = _asking(observations, queries)
    progress.asking(len(asking))
    interrupted = False
    try:
        for _ in range(_MOST_REDIRECTS + 1):
            if not asking:
                break
            _ask(asking, settings, resolve, answers)
            asking = [replace(one, url=to) for one in asking if (to := answers[one.query].moved_to)]
    except KeyboardInterrupt:
        interrupted = True
    finally:
        progress.asking(0)
    for one in asking if not interrupted else ():
        answers[one.query] = _not_asked(f"more than {_MOST_REDIRECTS} redirects")
    return tuple(_with_answers(o, queries, answers) for o in observations), interrupted


def _queries(observations: Sequence[Observation], roots: tuple[bytes, ...]) -> dict[str, RevocationQuery]:
    """Give the query about each leaf, by its SHA-256; of several chains that it came with, the first that names its issuer."""
    found: dict[str, RevocationQuery] = {}
    for chain in dict.fromkeys(c for o in observations for c in _chains(o)):
        leaf = chain[0].sha256
        if leaf not in found or found[leaf].problem:
            query = query_about(chain, roots)
            if query is not None:
                found[leaf] = query
    return found


def _chains(observation: Observation) -> tuple[tuple[Certificate, ...], ...]:
    return deployments(observation.experiments) if isinstance(observation, TlsObservation) else ()


def _asking(observations: Sequence[Observation], queries: Mapping[str, RevocationQuery]) -> list[_Asking]:
    named_from: dict[RevocationQuery, Reach] = {}
    for observation in observations:
        for chain in _chains(observation):
            query = queries.get(chain[0].sha256)
            if query is not None and not query.problem:
                here = reach(observation.address.ip)
                named_from[query] = min(here, named_from.get(query, here))
    return [_Asking(query, query.url, where) for query, where in named_from.items()]


def _ask(
    asking: Sequence[_Asking], settings: Settings, resolve: Resolve, answers: dict[RevocationQuery, Fetched]
) -> None:
    """Ask once where each query stands now, and note what came, also of a round that Ctrl-C ends."""
    places = {one.url: place for one in asking if (place := place_of(one.url)) is not None}
    names = tuple(dict.fromkeys((place.host, place.port) for place in places.values()))
    resolutions = {(r.host, r.port): r for r in resolve(names)} if names else {}
    limits = Limits(timeout=settings.timeout, deadline=settings.deadline, rate=settings.rate)
    asked: list[_Asking] = []
    tasks: list[RevocationTask] = []
    for one in asking:
        place = places[one.url]
        addresses, why = _addresses(resolutions[place.host, place.port], one, settings)
        if addresses:
            asked.append(one)
            tasks.append(RevocationTask(one.url, one.query.kind, addresses, one.query.request, limits))
        else:
            answers[one.query] = _not_asked(why)

    def finished(number: int, fetched: Fetched) -> None:
        answers[asked[number].query] = fetched

    fetch_in_threads(tasks, jobs=settings.jobs, on_finished=finished)


def _addresses(resolution: Resolution, one: _Asking, settings: Settings) -> tuple[tuple[Address, ...], str]:
    outcome = resolution.outcome
    if not isinstance(outcome, Resolved):
        return (), f"{resolution.host} has no address ({outcome.reason.replace('-', ' ')})"
    if settings.allow_private or outcome.source in _BY_THE_USER:
        return outcome.addresses, ""
    allowed = tuple(a for a in outcome.addresses if reach(a.ip) >= one.named_from)
    if not allowed:
        return (), f"{outcome.addresses[0].ip} is a local or private address, not contacted (--allow-private)"
    return allowed, ""


def _not_asked(why: str) -> Fetched:
    return Fetched(datetime.now(UTC), detail=why, was_answered=False)


def _with_answers(
    observation: Observation, queries: Mapping[str, RevocationQuery], answers: Mapping[RevocationQuery, Fetched]
) -> Observation:
    if not isinstance(observation, TlsObservation):
        return observation
    leaves = dict.fromkeys(chain[0].sha256 for chain in _chains(observation))
    found = tuple(_answer(leaf, queries[leaf], answers) for leaf in leaves if leaf in queries)
    return replace(observation, revocation=found)


def _answer(leaf: str, query: RevocationQuery, answers: Mapping[RevocationQuery, Fetched]) -> RevocationAnswer:
    fetched = answers.get(query)
    if fetched is None or fetched.moved_to:
        return RevocationAnswer(leaf, query.url, query.kind, None, query.problem or "the audit ended before")
    return RevocationAnswer(leaf, query.url, query.kind, fetched.body, fetched.detail, fetched.at)
