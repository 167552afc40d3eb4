"""A network of simulated servers, and the recording that a scan of it would bring home."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from simulated_pki import NOW, root
from simulated_server import Connection, SimulatedServer, enumeration, handshakes, never

from atsprobe.ats.key_effect import names_niap_mode
from atsprobe.ats.offer import decisive_offers
from atsprobe.ats.profile import profiles
from atsprobe.model.app import Extraction
from atsprobe.model.endpoint import Endpoint, Host, counterpart, ip_address_of
from atsprobe.model.handshake import Experiment, Negotiated, NoAnswer, Offer
from atsprobe.model.observation import (
    Address,
    HttpAnswer,
    Observation,
    PlaintextObservation,
    Resolution,
    Resolved,
    TlsObservation,
    Unreachable,
    UnreachableReason,
    Unresolved,
)
from atsprobe.model.recording import Recording


@dataclass(frozen=True)
class Clear:
    """A port that answers HTTP in the clear."""

    answer: HttpAnswer = HttpAnswer(200)


@dataclass(frozen=True)
class Gone:
    """A port to which no connection is made."""

    reason: UnreachableReason = "connection-refused"


@dataclass(frozen=True)
class Faulty:
    """A TLS port that answers through a connection of its own, such as one that never answers."""

    connection: Connection


@dataclass(frozen=True)
class Contradicting:
    """A TLS port seen to say yes and no to one hello."""

    server: SimulatedServer
    other: SimulatedServer


Port = SimulatedServer | Clear | Gone | Faulty | Contradicting
REFUSES = Gone()
TIMES_OUT = Gone("timeout")
NO_ROUTE = Gone("no-route")


def sends_to(url: str) -> Clear:
    """Give a port that redirects, in the clear."""
    return Clear(HttpAnswer(301, url))


@dataclass(frozen=True)
class Network:
    """What listens where.

    ``ports`` are keyed by URL without a path (``https://host``, ``http://host:8080``); a tuple holds a port for each address of
    the host. A host without any is unknown to DNS; a port that is not told refuses. ``second_is_ipv6``: the second address of
    every host is one.
    """

    ports: Mapping[str, Port | tuple[Port, ...]]
    second_is_ipv6: bool = False

    def addresses(self, host: Host) -> tuple[str, ...]:
        """Give the addresses of a host: its own where it is one."""
        if ip_address_of(host) is not None:
            return (host,)
        counts = [len(p) if isinstance(p, tuple) else 1 for e, p in self._listening() if e.host == host]
        hosts = sorted({e.host for e, _ in self._listening()})
        number = hosts.index(host) + 1 if host in hosts else 0
        ips = [f"192.0.2.{number}", f"2001:db8::{number}" if self.second_is_ipv6 else f"198.51.100.{number}"]
        return tuple(ips[: max(counts)]) if counts else ()

    def _listening(self) -> Iterable[tuple[Endpoint, Port | tuple[Port, ...]]]:
        return ((endpoint_of(url), port) for url, port in self.ports.items())

    def at(self, endpoint: Endpoint, ip: str) -> Port:
        """Give what listens on a port of one address, whichever protocol it is asked in."""
        for listening, port in self._listening():
            if (listening.host, listening.port) == (endpoint.host, endpoint.port):
                return port[self.addresses(endpoint.host).index(ip)] if isinstance(port, tuple) else port
        return REFUSES


def endpoint_of(url: str) -> Endpoint:
    """Read ``https://host:port``; ws counts as http, wss as https."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    scheme = "https" if parts.scheme in ("https", "wss") else "http"
    return Endpoint(Host(parts.hostname.removesuffix(".")), parts.port or (443 if scheme == "https" else 80), scheme)


def look(
    extraction: Extraction,
    network: Network,
    *,
    enumerate_: bool = False,
    ios: tuple[str, ...] = (),
    profile: str | None = None,
    families: tuple[str, ...] = ("ipv4", "ipv6"),
    assume_complete: bool = False,
    not_audited: tuple[Host, ...] = (),
    installed_roots: tuple[bytes, ...] | None = None,
) -> Recording:
    """Give the recording of a scan: every load, the counterparts of http loads, and where their answers lead."""
    niap = names_niap_mode(bundle.dictionary for bundle in extraction.bundles)
    scan = _Scan(extraction, network, decisive_offers(profiles(ios, None, profile), niap=niap), enumerate_, families)
    observations = scan.observations()
    hosts = dict.fromkeys((load.endpoint.host, load.endpoint.port) for load in extraction.loads())
    hosts |= dict.fromkeys((o.endpoint.host, o.endpoint.port) for o in observations)
    return Recording(
        extraction=extraction,
        resolutions=tuple(Resolution(h, p, scan.resolve(h, p)) for h, p in hosts if not scan.is_left_alone(h)),
        observations=observations,
        installed_roots=(root().der,) if installed_roots is None else installed_roots,
        started_at=NOW,
        finished_at=NOW,
        families=families,
        assume_complete=assume_complete,
        not_audited=not_audited,
        quick=not enumerate_,
    )


@dataclass(frozen=True)
class _Scan:
    extraction: Extraction
    network: Network
    offers: Sequence[Offer]
    enumerate_: bool
    families: tuple[str, ...]

    def resolve(self, host: Host, port: int) -> Resolved | Unresolved:
        ips = [ip for ip in self.network.addresses(host) if self._takes_part(ip)]
        if not ips:
            return Unresolved("no-such-name")
        return Resolved(tuple(Address(ip, port) for ip in ips), "literal" if ip_address_of(host) else "dns")

    def _takes_part(self, ip: str) -> bool:
        return f"ipv{ipaddress.ip_address(ip).version}" in self.families

    def is_left_alone(self, host: Host) -> bool:
        """Whether it would be the auditor's own network, and only the app names it."""
        named = any(r.kind == "command-line" and r.endpoint.host == host for r in self.extraction.references)
        return is_own_network(host) and not named

    def observations(self) -> tuple[Observation, ...]:
        loads = [load.endpoint for load in self.extraction.loads()]
        asked = {e.host for e in loads if e.scheme == "http"} | self._hosts_with_http_entry()
        wanted = dict.fromkeys(loads)
        for host in sorted(asked):
            wanted |= dict.fromkeys(counterpart(e) for e in loads if e.host == host and e.scheme == "http")
        for host in sorted(self._hosts_with_http_entry()):
            if any(e.host == host for e in loads):
                wanted[Endpoint(host, 80, "http")] = None
        seen: dict[Endpoint, list[Observation]] = {}
        queue = list(wanted)
        while queue:
            endpoint = queue.pop(0)
            if endpoint in seen or self.is_left_alone(endpoint.host):
                continue
            seen[endpoint] = self._look_at(endpoint, asks=endpoint.host in asked)
            queue += _same_host_targets(seen[endpoint])
        return tuple(o for found in seen.values() for o in found)

    def _hosts_with_http_entry(self) -> set[str]:
        return {
            domain
            for bundle in self.extraction.bundles
            for domain, entry in bundle.dictionary.entries.items()
            if entry.allows_insecure_http_loads in (True, 1)
        }

    def _look_at(self, endpoint: Endpoint, *, asks: bool) -> list[Observation]:
        resolved = self.resolve(endpoint.host, endpoint.port)
        if isinstance(resolved, Unresolved):
            return []
        return [self._observe(endpoint, address, asks=asks) for address in resolved.addresses]

    def _observe(self, endpoint: Endpoint, address: Address, *, asks: bool) -> Observation:
        port = self.network.at(endpoint, address.ip)
        if isinstance(port, Gone):
            return Unreachable(endpoint, address, NOW, port.reason)
        if endpoint.scheme == "http":
            answer = port.answer if isinstance(port, Clear) else NoAnswer("garbage", "simulated")
            return PlaintextObservation(endpoint, address, NOW, answer)
        experiments = self._experiments(port)
        negotiated = any(isinstance(e.outcome, Negotiated) for e in experiments)
        answered = port.http_answer if isinstance(port, SimulatedServer) and negotiated and asks else None
        return TlsObservation(endpoint, address, NOW, experiments, answered, enumerated=self.enumerate_)

    def _experiments(self, port: Port) -> tuple[Experiment, ...]:
        if isinstance(port, Contradicting):
            own = self.offers[0].without_hybrids()
            return tuple(Experiment(own, server.answer(own)) for server in (port.server, port.other))
        if isinstance(port, Faulty):
            return handshakes(port.connection, self.offers)
        if not isinstance(port, SimulatedServer):
            return handshakes(never("not-tls"), self.offers)
        made = handshakes(port.answer, self.offers)
        if not self.enumerate_:
            return made
        return handshakes(port.answer, self.offers, made + enumeration(port.answer, self.offers))


def is_own_network(host: Host) -> bool:
    """Say whether a host as written is unqualified, ``.local``, loopback, link-local or private."""
    address = ip_address_of(host)
    if address is None:
        return "." not in host or host.endswith(".local")
    private = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
    within = any(
        address in ipaddress.ip_network(n) for n in private if ipaddress.ip_network(n).version == address.version
    )
    return address.is_loopback or address.is_link_local or within


def _same_host_targets(observations: Iterable[Observation]) -> list[Endpoint]:
    """Give where the answers send the client on the same host and in the other scheme."""
    found = []
    for o in observations:
        answer = o.answer if isinstance(o, PlaintextObservation) else getattr(o, "http_answer", None)
        if isinstance(answer, HttpAnswer) and answer.location:
            target = endpoint_of(answer.location)
            if target.host == o.endpoint.host and target.scheme != o.endpoint.scheme:
                found.append(target)
    return found


def with_http_answer(server: SimulatedServer, location: str) -> SimulatedServer:
    """Give a server whose ``GET /`` over TLS is redirected."""
    return replace(server, http_answer=HttpAnswer(301, location))
