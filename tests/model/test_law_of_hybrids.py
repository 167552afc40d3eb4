"""A hello with the hybrid group, said at last by some engine, settles what is refused without it; and nothing wrongly."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_server import T13, SimulatedServer, handshakes
from test_law_of_offers import CHAINS, HYBRID, SUITES, offers, servers

from atsprobe.ats.offer import decisive_offers
from atsprobe.ats.profile import profiles
from atsprobe.model.handshake import Alert, Experiment, Negotiated, NoAnswer, NotMade, Offer, Refused
from atsprobe.model.law_of_offers import SomeHandshake, Unknown, outcome_of
from atsprobe.model.next_offer import next_offer, waits_for_hybrid

OPENSSL = Offer(
    (T13,),
    ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"),
    (HYBRID, "x25519", "secp256r1", "x448", "secp384r1", "secp521r1", "ffdhe2048", "ffdhe3072"),
    (
        "0x0905",
        "ecdsa_secp256r1_sha256",
        "ecdsa_secp384r1_sha384",
        "ecdsa_secp521r1_sha512",
        "ed25519",
        "ed448",
        "rsa_pss_pss_sha256",
        "rsa_pss_rsae_sha256",
        "rsa_pss_rsae_sha384",
        "rsa_pss_rsae_sha512",
        "rsa_pkcs1_sha256",
    ),
)
"""What OpenSSL 3.5 offers for TLS 1.3 when not told otherwise, a little shortened."""

DECISIVE = decisive_offers(profiles(["26"]))
OWN = DECISIVE[0]
MODERN = SimulatedServer(
    versions=(T13,),
    suites=SUITES[:2],
    chains=(("rsa", CHAINS["rsa"]),),
    groups=(HYBRID,),
    signatures=("rsa_pss_rsae_sha256",),
    prefers_own_order=True,
    falls_back=False,
    ignores_supported_versions=False,
)


def answered(server, hello=OPENSSL):
    """Give what Python's ssl would tell: it cannot say with which algorithm an RSA key signed."""
    outcome = server.answer(hello)
    if isinstance(outcome, Negotiated) and outcome.certificates == CHAINS["rsa"]:
        outcome = replace(outcome, signature_algorithm=None)
    return Experiment(hello, outcome)


def scanned(server):
    """Make the hellos of a scan, the hybrid one last where something waits for it."""
    made = handshakes(server.answer, DECISIVE)
    return (*made, answered(server)) if waits_for_hybrid(DECISIVE, made) else made


@pytest.mark.parametrize(
    ("server", "verdict"),
    [
        (MODERN, Negotiated),
        (replace(MODERN, chains=(("ecdsa", CHAINS["ecdsa"]),), signatures=("ecdsa_secp256r1_sha256",)), Negotiated),
        (replace(MODERN, groups=("SecP384r1MLKEM1024",)), Refused),
        (replace(MODERN, groups=()), Refused),
        (replace(MODERN, groups=("x448",)), Unknown),
        (replace(MODERN, groups=("x25519",)), Negotiated),
    ],
)
def test_the_hybrid_hello_settles_the_client_s_own(server, verdict) -> None:
    """A server of the hybrid group alone is accepted with its leaf; one without a common group is refused."""
    made = scanned(server)
    assert isinstance(outcome_of(OWN, made), verdict)
    assert next_offer(DECISIVE, made) is None
    if verdict is Negotiated:
        assert outcome_of(OWN, made).certificates == server.chains[0][1]


def test_without_the_hybrid_hello_nothing_is_said() -> None:
    """Not made, or without an answer: it stays unknown, and waits."""
    made = handshakes(MODERN.answer, DECISIVE)
    for outcome in (None, NotMade("too old"), NoAnswer("timeout"), NoAnswer("alert", alert=Alert(80))):
        tried = made if outcome is None else (*made, Experiment(OPENSSL, outcome))
        assert isinstance(outcome_of(OWN, tried), Unknown)
        assert waits_for_hybrid(DECISIVE, tried)


def test_a_client_without_the_group_is_refused_all_the_same() -> None:
    """iOS 17 offers no hybrid group: what a server says over one is nothing to it."""
    ios17 = decisive_offers(profiles(["17"]))
    made = (*handshakes(MODERN.answer, ios17), answered(MODERN))
    assert isinstance(outcome_of(ios17[0], made), Refused)


def test_what_the_client_would_not_sign_with_stays_unknown() -> None:
    """The server signed with P-521 or Ed25519, which this client does not offer; or with a key for RSASSA-PSS alone."""
    refused = tuple(Experiment(o.without_hybrids(), Refused(Alert(40))) for o in (OWN, replace(OWN, versions=(T13,))))
    met = MODERN.answer(OPENSSL)
    for signature in ("ecdsa_secp521r1_sha512", "ed25519", "rsa_pss_pss_sha256"):
        made = (*refused, Experiment(OPENSSL, replace(met, signature_algorithm=signature)))
        assert isinstance(outcome_of(OWN, made), Unknown)
    unseen = (*refused, Experiment(OPENSSL, replace(met, signature_algorithm=None, certificates=())))
    assert isinstance(outcome_of(OWN, unseen), Unknown)


def test_a_handshake_over_the_group_says_nothing_of_hellos_without_it() -> None:
    """Neither that they would succeed nor, where they were refused, that the server contradicts itself."""
    met = replace(MODERN.answer(OPENSSL), signature_algorithm="ecdsa_secp256r1_sha256", certificates=CHAINS["ecdsa"])
    plain = Offer((T13,), SUITES[:2], ("x25519",), ("ecdsa_secp256r1_sha256",))
    over_hybrid = Experiment(OPENSSL, met)
    assert isinstance(outcome_of(plain, (over_hybrid,)), Unknown)
    assert isinstance(outcome_of(plain, (Experiment(plain, Refused(Alert(40))), over_hybrid)), Refused)


@pytest.mark.parametrize(
    "less",
    [
        {"cipher_suites": ("TLS_CHACHA20_POLY1305_SHA256",)},
        {"signature_algorithms": ("rsa_pss_rsae_sha256",)},
        {"groups": ("SecP384r1MLKEM1024", "x25519")},
    ],
)
def test_a_refusal_of_less_than_the_client_offers_settles_nothing(less) -> None:
    """Another suite, signature or group of the client's might have been accepted."""
    refused = tuple(Experiment(o.without_hybrids(), Refused(Alert(40))) for o in (OWN, replace(OWN, versions=(T13,))))
    made = (*refused, Experiment(replace(OPENSSL, **less), Refused(Alert(40))))
    assert isinstance(outcome_of(OWN, made), Unknown)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(server=servers, asked=offers, before=st.lists(offers, max_size=3))
def test_what_follows_is_what_the_server_would_do(server, asked, before):
    """Whatever was tried without the group, and then with it: no wrong conclusion, with the group or without."""
    tried = [h.without_hybrids() for h in (asked, *before)]
    experiments = [Experiment(h, server.answer(h)) for h in tried if h.groups]
    experiments.append(answered(server))
    for offer in (asked, asked.without_hybrids()):
        if not offer.groups:
            continue
        said, truth = outcome_of(offer, experiments), server.answer(offer)
        if isinstance(said, Refused):
            assert isinstance(truth, Refused)
        elif isinstance(said, SomeHandshake):
            assert isinstance(truth, Negotiated)
        elif isinstance(said, Negotiated):
            unseen = {"group": None, "signature_algorithm": None}
            assert isinstance(truth, Negotiated)
            assert replace(truth, **unseen) == replace(said, **unseen)
        else:
            assert isinstance(said, Unknown)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(server=servers)
def test_a_scan_with_it_is_true_and_costs_at_most_nine_connections(server):
    """Eight hellos, and the hybrid one where something waits for it."""
    made = scanned(server)
    assert len(made) <= 9
    for offer in DECISIVE:
        said, truth = outcome_of(offer, made), server.answer(offer)
        assert isinstance(said, Unknown) or isinstance(said, Refused) == isinstance(truth, Refused)
