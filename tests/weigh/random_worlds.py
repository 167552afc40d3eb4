"""Random dictionaries over a few hosts, and random servers behind these hosts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st
from scenario import AL, DOMAINS, HTTP, LN, MIN, PFS, SUB, WEB, App, Scenario
from simulated_network import REFUSES, TIMES_OUT, Clear, Port, look, sends_to, with_http_answer
from simulated_pki import root
from simulated_server import (
    DHE,
    EXPIRED,
    OK,
    RSA,
    RSA_THEN_T10,
    T10_ONLY,
    T10_STATIC_RSA,
    T11_ONLY,
    T12,
    T12_ONLY,
    TRIPLE_DES,
    TWO_LEAVES_ONE_EXPIRED,
)

from atsprobe.model.recording import Recording
from atsprobe.model.result import AuditResult
from atsprobe.model.trust_store import TrustStore
from atsprobe.weigh.conclude import conclude

HOSTS = ("example.com", "a.example.com", "b.example.com", "api.example.net")
MORE_HOSTS = ("203.0.113.5", "203.0.113.6", "c.a.example.com", "printer.local", "192.168.1.5", "captive.apple.com")
MORE_KEYS = (*MORE_HOSTS, "203.0.113.0/24", "192.168.0.0/16", "EXAMPLE.com")
UNRELATED = "other.example.org"
TRUST = TrustStore(public=(), installed=(root().der,))

_values: dict[str, Any] = {
    HTTP: st.sampled_from([True, True, False]),
    MIN: st.sampled_from(["TLSv1.0", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3", "nonsense"]),
    PFS: st.sampled_from([False, False, True]),
    SUB: st.sampled_from([True, True, False]),
}
_entries = st.fixed_dictionaries({}, optional=_values)
_globals = st.fixed_dictionaries(
    {}, optional={AL: st.just(True), WEB: st.just(True), LN: st.booleans(), "NSUnknown": st.just(True)}
)


@st.composite
def dictionaries(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an NSAppTransportSecurity: mostly entries, now and then something global."""
    keys = st.sampled_from(HOSTS) if draw(st.booleans()) else st.sampled_from(HOSTS + MORE_KEYS)
    domains = draw(st.dictionaries(keys, _entries, max_size=3))
    more = draw(_globals) if draw(st.integers(0, 2)) == 0 else {}
    return {**more, DOMAINS: domains} if domains else more


def _tls_ports(host: str) -> st.SearchStrategy[Port]:
    servers = [OK, OK, RSA, T10_ONLY, T11_ONLY, T12_ONLY, T10_STATIC_RSA, RSA_THEN_T10, DHE, EXPIRED, TRIPLE_DES]
    two = [TWO_LEAVES_ONE_EXPIRED, replace(TWO_LEAVES_ONE_EXPIRED, versions=(T12,), prefers_own_order=True)]
    return st.sampled_from([*servers, *two, REFUSES, TIMES_OUT, with_http_answer(OK, f"http://{host}/")])


def _clear_ports(host: str) -> st.SearchStrategy[Port]:
    return st.sampled_from([Clear(), Clear(), REFUSES, TIMES_OUT, sends_to(f"https://{host}/")])


@st.composite
def networks(draw: st.DrawFn, hosts: tuple[str, ...] = HOSTS) -> dict[str, Port | tuple[Port, ...]]:
    """Draw what listens on ports 443 and 80 of each host, on one address or two; some hosts are unknown to DNS."""
    ports: dict[str, Port | tuple[Port, ...]] = {}
    for host in hosts:
        if draw(st.integers(0, 6)) == 0:
            continue
        addresses = draw(st.sampled_from([1, 1, 1, 2]))
        ports[f"https://{host}"] = tuple(draw(_tls_ports(host)) for _ in range(addresses))
        ports[f"http://{host}"] = tuple(draw(_clear_ports(host)) for _ in range(addresses))
    return ports


@dataclass(frozen=True)
class World:
    """An app and the servers that it meets."""

    app: App
    net: dict[str, Any]

    def recording(self, *, enumerate_: bool = False) -> Recording:
        """Look at it."""
        scenario = Scenario(0, self.app, self.net)
        return look(scenario.extraction(), scenario.network, enumerate_=enumerate_)

    def result(self, *, enumerate_: bool = False) -> AuditResult:
        """Look and conclude."""
        return conclude(self.recording(enumerate_=enumerate_), trust=TRUST)

    def with_dictionary(self, ats: Any) -> World:
        """Give the same app under another dictionary."""
        return replace(self, app=replace(self.app, ats=ats))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw an app with a dictionary and URLs, and the network it lives in."""
    hosts = HOSTS if draw(st.booleans()) else HOSTS + MORE_HOSTS
    written = [f"{scheme}://{host}" for host in hosts for scheme in ("https", "http")]
    urls = draw(st.lists(st.sampled_from(written), unique=True, max_size=5))
    app = App(draw(dictionaries()), tuple(urls), sdk=draw(st.sampled_from(["18.0", "26.0", None])))
    return World(app, draw(networks(hosts)))
