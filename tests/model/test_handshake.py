"""What single experiments prove, and what they do not: vectors for the law of offers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from simulated_pki import chain
from simulated_server import (
    DHE,
    OK,
    RSA,
    T10,
    T10_ONLY,
    T11,
    T12,
    T12_ONLY,
    T13,
    SimulatedServer,
    enumeration,
    handshakes,
)

from atsprobe.ats.offer import decisive_offers
from atsprobe.ats.profile import profiles
from atsprobe.model.handshake import (
    Alert,
    Experiment,
    Negotiated,
    NoAnswer,
    NotMade,
    Offer,
    Refused,
    UnofferedVersion,
    accepted_groups,
    accepted_suites,
    deployments,
)
from atsprobe.model.law_of_leaves import leaves_of
from atsprobe.model.law_of_offers import Contradiction, SomeHandshake, Unknown, lacks_tls_1_3, outcome_of
from atsprobe.model.next_offer import next_offer

ECDHE = ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA")
ECDSA = ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",)
STATIC = ("TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA")
TLS13 = ("TLS_AES_128_GCM_SHA256",)
SIGNATURES = ("ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256", "rsa_pkcs1_sha256")
GROUPS = ("x25519", "secp256r1", "secp384r1")
OWN = Offer((T13, T12), TLS13 + ECDHE, GROUPS, SIGNATURES)
OWN_WITH_HYBRID = replace(OWN, groups=("X25519MLKEM768", *GROUPS))
WIDE = Offer((T13, T12, T11, T10), TLS13 + ECDHE + STATIC, GROUPS, SIGNATURES)
ONLY_13 = replace(OWN, versions=(T13,), cipher_suites=TLS13)


def _negotiated(suite=ECDHE[0], version=T12, group="x25519", signature="rsa_pss_rsae_sha256", kind="rsa"):
    return Negotiated(version, suite, group, signature, True, chain(kind))


def _refused(number=40):
    return Refused(Alert(number))


def test_an_offer_that_still_holds_the_choice_gets_that_very_handshake():
    """A smaller hello that keeps version, suite, group and signature changes nothing for the server."""
    made = Experiment(WIDE, _negotiated())
    assert outcome_of(OWN, [made]) == made.outcome


@pytest.mark.parametrize(
    "inner",
    [
        replace(OWN, cipher_suites=TLS13 + ECDHE[1:]),
        replace(OWN, groups=GROUPS[1:]),
        replace(OWN, signature_algorithms=SIGNATURES[2:]),
    ],
    ids=["suite", "group", "signature"],
)
def test_an_offer_that_lost_the_choice_is_unknown(inner):
    """Nothing follows once suite, group or signature algorithm of the handshake is no longer offered."""
    assert outcome_of(inner, [Experiment(WIDE, _negotiated())]) == Unknown()


def test_a_suite_that_moved_to_the_front_may_be_chosen_instead():
    """A server that follows the client's order would take what now stands first, but it refuses in no order."""
    first = replace(WIDE, cipher_suites=STATIC + TLS13 + ECDHE)
    assert outcome_of(first, [Experiment(WIDE, _negotiated())]) == SomeHandshake(_negotiated())
    chosen = _negotiated(STATIC[0], group=None, signature=None)
    assert outcome_of(WIDE, [Experiment(first, chosen)]) == SomeHandshake(chosen)


def test_the_key_share_of_tls_1_3_may_decide_the_group():
    """A server may take the share of the hello's first group before the group that it prefers."""
    made = Experiment(OWN, _negotiated(TLS13[0], T13, group="secp384r1"))
    assert outcome_of(replace(OWN, groups=("x25519", "secp384r1")), [made]) == made.outcome
    assert outcome_of(replace(OWN, groups=("secp384r1",)), [made]) == made.outcome
    assert outcome_of(replace(OWN, groups=("secp256r1", "secp384r1")), [made]) == Unknown()


def test_where_nothing_was_signed_every_signature_algorithm_must_stay():
    """OpenSSL wants an algorithm in common even for static RSA, where the handshake does not show which."""
    made = Experiment(WIDE, _negotiated(STATIC[0], group=None, signature=None))
    narrower = replace(WIDE, cipher_suites=TLS13 + STATIC)
    assert outcome_of(narrower, [made]) == made.outcome
    assert outcome_of(replace(narrower, signature_algorithms=SIGNATURES[:1]), [made]) == Unknown()


def test_the_curve_of_an_ecdsa_leaf_must_stay_up_to_tls_1_2():
    """A P-256 leaf needs secp256r1 among the groups under TLS 1.2, and not under TLS 1.3."""
    suite = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
    wide = replace(WIDE, cipher_suites=(*TLS13, suite))
    without_curve = replace(wide, groups=("x25519",))
    in_12 = Experiment(wide, _negotiated(suite, signature=SIGNATURES[0], kind="ecdsa"))
    in_13 = Experiment(wide, _negotiated(TLS13[0], T13, signature=SIGNATURES[0], kind="ecdsa"))
    assert outcome_of(without_curve, [in_12]) == Unknown()
    assert outcome_of(without_curve, [in_13]) == in_13.outcome


def test_versions_above_the_negotiated_one_are_refused():
    """A server that took TLS 1.0 although 1.2 was offered has no 1.2."""
    made = Experiment(WIDE, _negotiated(ECDHE[1], T10, signature=None))
    assert outcome_of(OWN, [made]) == Refused(UnofferedVersion(T10))


def test_a_refusal_holds_for_every_smaller_offer_and_for_no_larger_one():
    """What suits nobody suits nobody after something was taken away."""
    assert isinstance(outcome_of(OWN, [Experiment(WIDE, _refused())]), Refused)
    assert outcome_of(WIDE, [Experiment(OWN, _refused())]) == Unknown()


def test_a_larger_offer_gets_some_handshake():
    """It negotiates for certain, though nobody saw which suite and leaf."""
    made = Experiment(OWN, _negotiated())
    assert outcome_of(WIDE, [made]) == SomeHandshake(made.outcome)


def test_older_versions_and_their_suites_do_not_tempt_a_server():
    """A server that took TLS 1.3 takes it again from a hello that adds only what older versions could use."""
    made = Experiment(OWN, _negotiated(TLS13[0], T13))
    assert outcome_of(WIDE, [made]) == made.outcome
    assert outcome_of(
        replace(WIDE, cipher_suites=("TLS_AES_256_GCM_SHA384", *WIDE.cipher_suites)), [made]
    ) == SomeHandshake(made.outcome)


def test_the_leaves_that_an_offer_may_get_are_of_the_kinds_that_a_server_can_choose():
    """A hello that adds suites of RSA alone to what got the RSA leaf gets it again, whatever hello showed a leaf of ECDSA."""
    own = Experiment(OWN, _negotiated())
    older = Experiment(replace(OWN, versions=(T12,), cipher_suites=ECDSA), _negotiated(ECDSA[0], kind="ecdsa"))
    refused = Experiment(replace(OWN, groups=GROUPS[1:]), _refused())
    by_rsa = leaves_of(WIDE, [older, refused, own])
    assert (by_rsa.kinds, by_rsa.unseen, by_rsa.handshakes) == ({"RSA"}, frozenset(), (own.outcome,))
    both = leaves_of(replace(WIDE, cipher_suites=WIDE.cipher_suites + ECDSA), [older, refused, own])
    assert (both.kinds, both.unseen, both.handshakes) == ({"RSA", "ECDSA"}, frozenset(), (own.outcome, older.outcome))
    assert leaves_of(replace(WIDE, cipher_suites=WIDE.cipher_suites + ECDSA), [own]).unseen == {"ECDSA"}


def test_offers_of_another_ceiling_prove_nothing():
    """A hello without TLS 1.3 carries no supported_versions, and servers treat it differently."""
    assert outcome_of(replace(OWN, versions=(T12,), cipher_suites=ECDHE), [Experiment(OWN, _refused())]) == Unknown()


@pytest.mark.parametrize("vain", [NoAnswer("timeout"), NoAnswer("alert", alert=Alert(80)), NotMade("cannot be said")])
def test_no_answer_proves_nothing_about_another_offer(vain):
    """It is remembered for this very offer, so that it is not asked again, and nowhere else."""
    made = Experiment(WIDE, vain)
    assert outcome_of(WIDE, [made]) == Unknown(vain)
    assert outcome_of(OWN, [made]) == Unknown()
    assert next_offer([WIDE], [made]) is None
    assert next_offer([WIDE, OWN], [made]) == OWN


def test_yes_and_no_to_one_offer_contradict():
    """A server that changed its mind is not believed either way."""
    yes, no = Experiment(OWN, _negotiated()), Experiment(OWN, _refused())
    for seen in ([yes, no], [no, yes], [Experiment(WIDE, _refused()), yes]):
        assert isinstance(outcome_of(OWN, seen), Contradiction)


def test_a_refusal_without_the_hybrid_group_waits_for_proof_that_tls_1_3_is_missing():
    """Only TLS 1.3 could use X25519MLKEM768: alert 70 to a hello of TLS 1.3 alone settles it, alert 40 does not."""
    refused = Experiment(OWN, _refused())
    assert outcome_of(OWN_WITH_HYBRID, [refused]) == Unknown(refused.outcome)
    assert next_offer([OWN_WITH_HYBRID], [refused]) == ONLY_13
    no_version, no_suite = Experiment(ONLY_13, _refused(70)), Experiment(ONLY_13, _refused(40))
    assert outcome_of(OWN_WITH_HYBRID, [refused, no_version]) == refused.outcome
    assert isinstance(outcome_of(OWN_WITH_HYBRID, [refused, no_suite]), Unknown)
    assert next_offer([OWN_WITH_HYBRID], [refused, no_suite]) is None


def test_a_handshake_without_the_hybrid_group_stands_for_the_whole_offer():
    """The hybrid would change the group, never suite or leaf."""
    made = Experiment(OWN, _negotiated(TLS13[0], T13))
    assert outcome_of(OWN_WITH_HYBRID, [made]) == made.outcome


@pytest.mark.parametrize(
    ("experiment", "lacks"),
    [
        (Experiment(WIDE, _negotiated()), True),
        (Experiment(WIDE, _negotiated(TLS13[0], T13)), False),
        (Experiment(replace(OWN, versions=(T12,)), _negotiated()), False),
        (Experiment(ONLY_13, _refused(70)), True),
        (Experiment(ONLY_13, _refused(40)), False),
        (Experiment(OWN, _refused(70)), False),
        (Experiment(OWN, Refused(UnofferedVersion(T10))), True),
        (Experiment(ONLY_13, NoAnswer("reset")), False),
    ],
)
def test_when_a_server_is_seen_to_have_no_tls_1_3(experiment, lacks):
    """A lower version where 1.3 was offered, or alert 70 to 1.3 alone; nothing else."""
    assert lacks_tls_1_3([experiment]) is lacks


@pytest.mark.parametrize(
    ("number", "speaks"), [(40, True), (70, True), (71, True), (80, False), (47, False), (0, False)]
)
def test_which_alerts_speak_of_the_offer(number, speaks):
    """handshake_failure, protocol_version and insufficient_security; an internal error says nothing about the hello."""
    assert Alert(number).speaks_of_the_offer is speaks


def test_one_connection_decides_a_server_that_passes():
    """The client's own hello comes first, and everything else follows."""
    wanted = decisive_offers(profiles(["26"]))
    assert len(handshakes(OK.answer, wanted)) == 1
    assert len(handshakes(T12_ONLY.answer, wanted)) == 1


@pytest.mark.parametrize("server", [DHE, RSA, T10_ONLY], ids=["dhe", "static-rsa", "tls-1.0"])
def test_every_decisive_offer_is_settled(server):
    """After the loop ends nothing about the newest client is unknown, on servers that OpenSSL could be."""
    wanted = decisive_offers(profiles(["26"]))
    made = handshakes(server.answer, wanted)
    assert not [o for o in wanted if isinstance(outcome_of(o, made), Unknown)]


def test_suites_groups_and_leaves_are_read_off_the_experiments():
    """Enumeration by taking away finds all that a server with two leaves accepts, by version."""
    server = SimulatedServer(
        versions=(T13, T12),
        suites=(*TLS13, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", *ECDHE, *STATIC),
        chains=(("ecdsa", chain("ecdsa")), ("rsa", chain("rsa"))),
        groups=("secp256r1", "x25519"),
    )
    wanted = decisive_offers(profiles(["26"]))
    made = handshakes(server.answer, wanted) + enumeration(server.answer, wanted)
    suites = accepted_suites(made)
    assert list(suites) == [T13, T12]
    assert set(suites[T13]) == set(TLS13)
    assert set(suites[T12]) == set(server.suites) - set(TLS13)
    assert set(accepted_groups(made)) == set(server.groups)
    assert set(deployments(made)) == {chain("ecdsa"), chain("rsa")}
