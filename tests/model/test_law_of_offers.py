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

from atsprobe.ats.offer import decisive_offers, diagnostic_offers, own_offer
from atsprobe.ats.policy import make_offer
from atsprobe.ats.profile import ios_profiles, profiles
from atsprobe.model.handshake import Alert, Experiment, Negotiated, Offer, Refused
from atsprobe.model.law_of_leaves import leaves_of
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
(IOS26,) = profiles(["26"])
IOS26_HELLO = own_offer(IOS26).without_hybrids()
WIDE = Offer((T13, T12, T11, T10), SUITES, GROUPS, SIGNATURES)


def _some(of, *, least=1):
    """Draw a subset in any order."""
    return st.lists(st.sampled_from(of), min_size=least, max_size=len(of), unique=True).map(tuple)


_RUN = st.sampled_from([RUNS[i:j] for i in range(4) for j in range(i + 1, 5)]).map(lambda r: tuple(reversed(r)))
_KINDS = st.sampled_from([("rsa",), ("ecdsa",), ("rsa", "ecdsa"), ("ecdsa", "rsa")])
servers = st.builds(
    SimulatedServer,
    versions=_some(RUNS),
    suites=_some(SUITES).map(lambda suites: tuple(sorted(suites, key=lambda s: "_3DES_" in s))),
    chains=_KINDS.map(lambda kinds: tuple((k, CHAINS[k]) for k in kinds)),
    groups=_some((HYBRID, *GROUPS[:3]), least=0),
    signatures=_some(SIGNATURES),
    prefers_own_order=st.booleans(),
    falls_back=st.booleans(),
    ignores_supported_versions=st.booleans(),
).filter(lambda server: not (server.falls_back and HYBRID in server.groups))
"""The law takes it that a server which answers with an older version has no TLS 1.3, with whatever group, and that none
prefers 3DES to what it chooses else."""

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


def _is_true(said, server, offer, experiments):
    """Say whether what follows about an offer is what the server would do, leaf included; it may use the hybrid group."""
    truth = server.answer(offer)
    match said:
        case Unknown():
            return True
        case Refused():
            return isinstance(truth, Refused)
        case SomeHandshake():
            return isinstance(truth, Negotiated) and _may_be_shown(truth, leaves_of(offer, experiments))
        case Negotiated():
            same_group = HYBRID in offer.groups or said.group == getattr(truth, "group", None)
            return (
                isinstance(truth, Negotiated) and replace(truth, group=None) == replace(said, group=None) and same_group
            )
        case Contradiction():
            return False


def _may_be_shown(truth, leaves):
    kind = next(k for k, sent in (("RSA", CHAINS["rsa"]), ("ECDSA", CHAINS["ecdsa"])) if sent == truth.certificates)
    seen = [h.certificates for h in leaves.handshakes]
    return kind in leaves.kinds and (kind in leaves.unseen or truth.certificates in seen)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(server=servers, hellos=related_offers(), question=st.data())
def test_what_follows_is_what_the_server_would_do(server, hellos, question):
    """Whatever was tried, in whatever order, on whatever server: no wrong conclusion about a hello that was not sent."""
    asked = question.draw(st.sampled_from(hellos))
    tried = [h.without_hybrids() for h in hellos if h is not asked]
    experiments = [Experiment(h, server.answer(h)) for h in tried if h.groups]
    assert _is_true(outcome_of(asked, experiments), server, asked, experiments)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(server=servers)
def test_the_decisive_offers_decide_truly(server):
    """After the hellos of a scan, every one of them has the outcome that the server would give it."""
    wanted = decisive_offers(ios_profiles())
    experiments = handshakes(server.answer, wanted)
    for offer in wanted:
        said = outcome_of(offer, experiments)
        assert _is_true(said, server, offer, experiments)
        plain = server.answer(offer.without_hybrids())
        # where TLS 1.3 may be there and the hello without the hybrid group is refused, nothing can be said
        if isinstance(plain, Negotiated) or not (T13 in server.versions or server.ignores_supported_versions):
            assert not isinstance(said, Unknown)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(server=servers)
def test_the_newest_profile_costs_at_most_eight_connections(server):
    """One connection decides a server that passes, three one that may show another leaf, and eight decide any other."""
    wanted = decisive_offers(profiles(["26"]))
    experiments = handshakes(server.answer, wanted)
    first = experiments[0]
    passes = isinstance(first.outcome, Negotiated)
    is_open = passes and not all(leaves_of(offer, [first]).is_of_one_kind for offer in wanted)
    assert len(experiments) <= (3 if is_open else 1 if passes else 8)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(server=servers)
def test_each_leaf_is_known(server):
    """After the hellos of a scan, every hello that gets some handshake gets a leaf that was seen."""
    for wanted in (decisive_offers(profiles(["26"]), niap=True), diagnostic_offers(ios_profiles())):
        experiments = handshakes(server.answer, wanted)
        for offer in wanted:
            said = outcome_of(offer, experiments)
            assert _is_true(said, server, offer, experiments)
            if isinstance(said, SomeHandshake):
                leaves = leaves_of(offer, experiments)
                assert leaves.is_of_one_kind
                assert {h.certificates for h in leaves.handshakes} == {server.answer(offer).certificates}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(server=servers)
def test_leaves_of_every_client_cost_at_most_eight_connections(server):
    """On a server without TLS 1.3 that passes, with one leaf or two, in whatever order, over all clients of iOS."""
    older = replace(server, versions=(T12, *(v for v in server.versions if v < T12)), falls_back=False)
    every = (decisive_offers(ios_profiles(), niap=True), diagnostic_offers(ios_profiles()))
    for wanted, bound in ((decisive_offers(profiles(["26"])), 3), *((offers, 8) for offers in every)):
        experiments = handshakes(older.answer, wanted)
        if isinstance(older.answer(wanted[0]), Negotiated):
            assert len(experiments) <= bound


GOOD_ECDSA_BAD_RSA = SimulatedServer(
    versions=(T12,),
    suites=(*SUITES[2:6], *SUITES[6:8]),
    chains=(("rsa", chain("rsa", "expired")), ("ecdsa", chain("ecdsa"))),
)
WITHOUT_FORWARD_SECRECY = make_offer(
    IOS26, IOS26.minimum_tls_version, IOS26.without_forward_secrecy + IOS26.cipher_suites
)


def test_static_rsa_put_first_may_bring_another_leaf():
    """The client's own hello gets the ECDSA leaf; with static RSA first a server that follows it shows its RSA leaf."""
    own = [Experiment(IOS26_HELLO, GOOD_ECDSA_BAD_RSA.answer(IOS26_HELLO))]
    assert isinstance(outcome_of(WITHOUT_FORWARD_SECRECY, own), SomeHandshake)
    leaves = leaves_of(WITHOUT_FORWARD_SECRECY, own)
    assert (leaves.kinds, leaves.unseen) == ({"RSA", "ECDSA"}, {"RSA"})
    seen = handshakes(GOOD_ECDSA_BAD_RSA.answer, decisive_offers([IOS26]))
    assert outcome_of(WITHOUT_FORWARD_SECRECY, seen).certificates == chain("rsa", "expired")


def test_a_refusal_of_rsa_suites_shows_that_there_is_no_rsa_leaf():
    """A hello of TLS 1.2 alone, as the list of suites ends with, is enough; one without some signature algorithm is not."""
    server = replace(GOOD_ECDSA_BAD_RSA, chains=(("ecdsa", chain("ecdsa")),))
    own = [Experiment(IOS26_HELLO, server.answer(IOS26_HELLO))]
    by_rsa = tuple(s for s in IOS26.ats_off if "_RSA_" in s)
    hello = replace(IOS26_HELLO, versions=(T12,), cipher_suites=by_rsa)
    assert leaves_of(WITHOUT_FORWARD_SECRECY, (*own, Experiment(hello, server.answer(hello)))).is_of_one_kind
    fewer = replace(hello, signature_algorithms=hello.signature_algorithms[1:])
    assert leaves_of(WITHOUT_FORWARD_SECRECY, (*own, Experiment(fewer, server.answer(fewer)))).unseen == {"RSA"}


def test_where_only_rsa_suites_come_to_an_rsa_leaf_nothing_is_open():
    """Static RSA beside ECDHE with RSA shows the same leaf: two of one kind are not supposed."""
    server = replace(GOOD_ECDSA_BAD_RSA, chains=(("rsa", chain("rsa")),))
    own = handshakes(server.answer, decisive_offers([IOS26]))
    assert leaves_of(WITHOUT_FORWARD_SECRECY, own).kinds == {"RSA"}
    assert leaves_of(WITHOUT_FORWARD_SECRECY, own).is_of_one_kind


def test_an_offer_refused_in_parts_is_refused():
    """TLS 1.3 alone and TLS 1.2 alone were refused with all that a hello of both has; without either part nothing follows."""
    server = replace(GOOD_ECDSA_BAD_RSA, suites=("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",), signatures=SIGNATURES)
    parts = [
        replace(IOS26_HELLO, versions=(v,), signature_algorithms=(*SIGNATURES, *IOS26_HELLO.signature_algorithms))
        for v in (T13, T12)
    ]
    made = [Experiment(hello, server.answer(hello)) for hello in parts]
    assert outcome_of(IOS26_HELLO, made) == server.answer(IOS26_HELLO) == Refused(Alert(40))
    for one in made:
        assert isinstance(outcome_of(IOS26_HELLO, [one]), Unknown)
    fewer = replace(parts[1], signature_algorithms=SIGNATURES[1:])
    assert isinstance(outcome_of(IOS26_HELLO, [made[0], Experiment(fewer, server.answer(fewer))]), Unknown)
    lower = replace(IOS26_HELLO, versions=(T13, T12, T11))
    assert isinstance(outcome_of(lower, made), Unknown)


@st.composite
def hellos_of_parts(draw):
    """Draw a hello, and hellos of single versions with at least what it has, and of some versions together."""
    whole = draw(offers)
    made = []
    for version in (*whole.versions, *draw(st.lists(st.sampled_from(RUNS), max_size=2))):
        versions = tuple(sorted({version, *draw(st.lists(st.sampled_from(RUNS), max_size=1))}, reverse=True))
        made.append(
            replace(WIDE, versions=versions, cipher_suites=draw(st.sampled_from([SUITES, whole.cipher_suites])))
        )
    return whole, made


@settings(max_examples=400, deadline=None, derandomize=True)
@given(server=servers, hellos=hellos_of_parts())
def test_what_follows_from_parts_is_what_the_server_would_do(server, hellos):
    """On any server, whichever ceiling the refused hellos have."""
    whole, parts = hellos
    experiments = [Experiment(h, server.answer(h)) for h in parts]
    assert _is_true(outcome_of(whole, experiments), server, whole, experiments)
