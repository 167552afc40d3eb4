"""The law of offers is sound: what it says about a hello that was never sent is what the server would have answered."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_pki import chain
from simulated_server import (
    GROUPS,
    T10,
    T11,
    T12,
    T13,
    SimulatedServer,
    handshakes,
)

from atsprobe.ats.offer import decisive_offers
from atsprobe.ats.profile import ios_profiles, profiles
from atsprobe.model.handshake import Experiment, Negotiated, Offer, Refused
from atsprobe.model.law_of_offers import Contradiction, SomeHandshake, Unknown, outcome_of

HYBRID = "X25519MLKEM768"
SUITES = (
    "TLS_AES_256_GCM_SHA384",
    "TLS_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
)
SIGNATURES = ("ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256", "rsa_pkcs1_sha256", "rsa_pkcs1_sha1")
RUNS = (T10, T11, T12, T13)
CHAINS = {"rsa": chain("rsa"), "ecdsa": chain("ecdsa")}
WIDE = Offer((T13, T12, T11, T10), SUITES, GROUPS, SIGNATURES)


def _some(of, *, least=1):
    """Draw a subset in any order."""
    return st.lists(st.sampled_from(of), min_size=least, max_size=len(of), unique=True).map(tuple)


_RUN = st.sampled_from([RUNS[i:j] for i in range(4) for j in range(i + 1, 5)]).map(lambda r: tuple(reversed(r)))
_KINDS = st.sampled_from([("rsa",), ("ecdsa",), ("rsa", "ecdsa"), ("ecdsa", "rsa")])
servers = st.builds(
    SimulatedServer,
    versions=_some(RUNS),
    suites=_some(SUITES),
    chains=_KINDS.map(lambda kinds: tuple((k, CHAINS[k]) for k in kinds)),
    groups=_some((HYBRID, *GROUPS[:3]), least=0),
    signatures=_some(SIGNATURES),
    prefers_own_order=st.booleans(),
    falls_back=st.booleans(),
    ignores_supported_versions=st.booleans(),
).filter(lambda server: not (server.falls_back and HYBRID in server.groups))
"""The law takes it that a server which answers with an older version has no TLS 1.3, with whatever group."""

offers = st.builds(
    Offer,
    versions=_RUN,
    cipher_suites=_some(SUITES),
    groups=_some((HYBRID, *GROUPS[:3])),
    signature_algorithms=_some(SIGNATURES),
)


@st.composite
def related_offers(draw):
    """Draw hellos of which many lie within each other, so that much follows."""
    made = [draw(offers), WIDE]
    for _ in range(draw(st.integers(1, 5))):
        wide = draw(st.sampled_from(made))
        inner = replace(
            wide,
            versions=tuple(v for v in wide.versions if v >= draw(st.sampled_from(RUNS))) or wide.versions,
            cipher_suites=draw(_some(wide.cipher_suites)),
            groups=draw(_some(wide.groups)),
            signature_algorithms=draw(st.sampled_from([wide.signature_algorithms, wide.signature_algorithms[:1]])),
        )
        made.append(inner)
    return draw(st.permutations(made))


def _is_true(said, server, offer):
    """Say whether what follows about an offer is what the server would do, which may use the hybrid group."""
    truth = server.answer(offer)
    match said:
        case Unknown():
            return True
        case Refused():
            return isinstance(truth, Refused)
        case SomeHandshake():
            return isinstance(truth, Negotiated)
        case Negotiated():
            same_group = HYBRID in offer.groups or said.group == getattr(truth, "group", None)
            return (
                isinstance(truth, Negotiated) and replace(truth, group=None) == replace(said, group=None) and same_group
            )
        case Contradiction():
            return False


@settings(max_examples=250, deadline=None, derandomize=True)
@given(server=servers, hellos=related_offers(), question=st.data())
def test_what_follows_is_what_the_server_would_do(server, hellos, question):
    """Whatever was tried, in whatever order, on whatever server: no wrong conclusion about a hello that was not sent."""
    asked = question.draw(st.sampled_from(hellos))
    tried = [h.without_hybrids() for h in hellos if h is not asked]
    experiments = [Experiment(h, server.answer(h)) for h in tried if h.groups]
    assert _is_true(outcome_of(asked, experiments), server, asked)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(server=servers)
def test_the_decisive_offers_decide_truly(server):
    """After the hellos of a scan, every one of them has the outcome that the server would give it."""
    wanted = decisive_offers(ios_profiles())
    experiments = handshakes(server.answer, wanted)
    for offer in wanted:
        said = outcome_of(offer, experiments)
        assert _is_true(said, server, offer)
        plain = server.answer(offer.without_hybrids())
        # where TLS 1.3 may be there and the hello without the hybrid group is refused, nothing can be said
        if isinstance(plain, Negotiated) or not (T13 in server.versions or server.ignores_supported_versions):
            assert not isinstance(said, Unknown)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(server=servers)
def test_the_newest_profile_costs_at_most_eight_connections(server):
    """One connection decides a server that passes, and eight decide any other."""
    wanted = decisive_offers(profiles(["26"]))
    experiments = handshakes(server.answer, wanted)
    passes = isinstance(experiments[0].outcome, Negotiated)
    assert len(experiments) <= (1 if passes else 8)
