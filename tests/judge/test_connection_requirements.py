"""Version, forward secrecy, suite and extended master secret: read off experiments made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from certificate_maker import Pki
from judged import IOS26, policy

from atsprobe.ats.offer import decisive_offers
from atsprobe.ats.policy import make_offer
from atsprobe.judge.handshakes import Handshakes
from atsprobe.judge.requirements import cipher_suite, extended_master_secret, forward_secrecy, tls_version
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.handshake import Alert, Experiment, Negotiated, NoAnswer, Offer, Refused, UnofferedVersion

T10, T11, T12, T13 = TlsVersion.TLS_1_0, TlsVersion.TLS_1_1, TlsVersion.TLS_1_2, TlsVersion.TLS_1_3
CHAIN = Pki().chain()
OWN = make_offer(IOS26, T12, IOS26.cipher_suites)
WITH_RSA = make_offer(IOS26, T12, IOS26.without_forward_secrecy + IOS26.cipher_suites)
FROM_10 = make_offer(IOS26, T10, IOS26.cipher_suites)
FROM_10_WITH_RSA = make_offer(IOS26, T10, IOS26.without_forward_secrecy + IOS26.cipher_suites)
WIDEST = decisive_offers((IOS26,))[1]
T13_ALONE = replace(OWN, versions=(T13,), cipher_suites=IOS26.cipher_suites[:3])
NO_13 = Experiment(T13_ALONE.without_hybrids(), Refused(Alert(70)))
ECDHE = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"
STATIC = "TLS_RSA_WITH_AES_128_CBC_SHA"
NO_KEY = {"NSExceptionDomains": {"api.example.com": {"NSExceptionRequiresForwardSecrecy": False}}}


def made(offer: Offer, version=T12, suite=ECDHE, *, ems=True, group="x25519", signature="rsa_pkcs1_sha256"):
    if suite.startswith("TLS_RSA"):
        group = signature = None
    secret = None if version is T13 else ems
    outcome = Negotiated(version, suite, group, signature, secret, CHAIN)
    return Experiment(offer.without_hybrids(), outcome)


def refused(offer: Offer, by=40) -> Experiment:
    how = Alert(by) if isinstance(by, int) and not isinstance(by, TlsVersion) else UnofferedVersion(by)
    return Experiment(offer.without_hybrids(), Refused(how))


def lost(offer: Offer) -> Experiment:
    return Experiment(offer.without_hybrids(), NoAnswer("timeout"))


def only(*suites: str, version=T12) -> Offer:
    """Give the hello of an enumeration: these suites alone, under one version."""
    return replace(OWN, versions=(version,), cipher_suites=suites)


DHE = "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"
C384 = "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"
TRIPLE = "TLS_RSA_WITH_3DES_EDE_CBC_SHA"
STATIC_SHA256 = "TLS_RSA_WITH_AES_128_CBC_SHA256"

SERVERS = {
    "TLS 1.3": [made(OWN, T13, "TLS_AES_128_GCM_SHA256")],
    "TLS 1.2": [made(OWN)],
    "static RSA": [refused(OWN), NO_13, made(WIDEST, T12, STATIC)],
    "TLS 1.0 alone, ECDHE": [refused(OWN, T10), made(FROM_10, T10)],
    "TLS 1.1 alone, ECDHE": [refused(OWN, 70), made(FROM_10, T11)],
    "TLS 1.0 alone, static RSA": [refused(OWN, 70), refused(FROM_10), made(WIDEST, T10, STATIC)],
    "DHE alone, quick": [refused(OWN), NO_13, refused(WIDEST)],
    "DHE alone": [refused(OWN), NO_13, refused(WIDEST), made(only(DHE, C384), T12, DHE)],
    "CBC-SHA384 alone": [refused(OWN), NO_13, refused(WIDEST), made(only(DHE, C384), T12, C384)],
    "static RSA, CBC-SHA256": [refused(OWN), NO_13, refused(WIDEST), made(only(STATIC_SHA256), T12, STATIC_SHA256)],
    "3DES alone": [refused(OWN), NO_13, made(WIDEST, T12, TRIPLE)],
    "static RSA and DHE": [refused(OWN), NO_13, made(WIDEST, T12, STATIC), made(only(DHE), T12, DHE)],
    "SSL 3 alone": [refused(OWN, 70), refused(WIDEST, 70), NO_13],
    "SSL 3 seen": [
        refused(OWN, 70),
        refused(WIDEST, 70),
        NO_13,
        made(only(STATIC, version=TlsVersion.SSL_3_0), TlsVersion.SSL_3_0, STATIC),
    ],
    "SSL 3 seen, ECDHE": [
        refused(OWN, 70),
        refused(WIDEST, 70),
        NO_13,
        made(only(ECDHE, STATIC, version=TlsVersion.SSL_3_0), TlsVersion.SSL_3_0, ECDHE),
        made(only(STATIC, version=TlsVersion.SSL_3_0), TlsVersion.SSL_3_0, STATIC),
    ],
    "no group in common": [refused(OWN), NO_13, refused(WIDEST), made(only(ECDHE), T12, group="secp256k1")],
    "silent": [lost(OWN), lost(WIDEST)],
    "silent to the client, static RSA to the widest": [lost(OWN), made(WIDEST, T12, STATIC)],
    "contradictory": [made(OWN), refused(OWN)],
    "refuses TLS 1.3 by alert 40": [refused(OWN), refused(WIDEST), refused(T13_ALONE)],
    "refuses and then is lost": [refused(OWN), NO_13, lost(WIDEST)],
}

TABLE = [
    ("TLS 1.3", "pass", "pass", "pass"),
    ("TLS 1.2", "pass", "pass", "pass"),
    ("static RSA", "pass", "fail", "pass"),
    ("TLS 1.0 alone, ECDHE", "fail", "pass", "pass"),
    ("TLS 1.1 alone, ECDHE", "fail", "pass", "pass"),
    ("TLS 1.0 alone, static RSA", "fail", "fail", "pass"),
    ("DHE alone, quick", "unknown", "not-applicable", "fail"),
    ("DHE alone", "pass", "not-applicable", "fail"),
    ("CBC-SHA384 alone", "pass", "not-applicable", "fail"),
    ("static RSA, CBC-SHA256", "pass", "not-applicable", "fail"),
    ("3DES alone", "pass", "not-applicable", "fail"),
    ("static RSA and DHE", "pass", "fail", "pass"),
    ("SSL 3 alone", "fail", "unknown", "unknown"),
    ("SSL 3 seen", "fail", "fail", "pass"),
    ("SSL 3 seen, ECDHE", "fail", "pass", "pass"),
    ("no group in common", "pass", "not-applicable", "fail"),
    ("silent", "unknown", "unknown", "unknown"),
    ("silent to the client, static RSA to the widest", "pass", "unknown", "unknown"),
    ("contradictory", "pass", "unknown", "unknown"),
    ("refuses TLS 1.3 by alert 40", "unknown", "unknown", "unknown"),
    ("refuses and then is lost", "unknown", "not-applicable", "unknown"),
]


def facts(server, **of_policy) -> Handshakes:
    return Handshakes(policy(**of_policy), tuple(SERVERS[server] if isinstance(server, str) else server))


@pytest.mark.parametrize(("server", "version", "secrecy", "suite"), TABLE, ids=[row[0] for row in TABLE])
def test_each_requirement_fails_for_itself_alone(server: str, version: str, secrecy: str, suite: str) -> None:
    """A requirement fails when it would still fail if every other one were met, and is unknown where that was not seen."""
    seen = facts(server)
    assert tls_version.check(seen).status == version
    assert forward_secrecy.check(seen).status == secrecy
    assert cipher_suite.check(seen).status == suite


@pytest.mark.parametrize(
    ("server", "check", "evidence", "key"),
    [
        ("TLS 1.0 alone, ECDHE", tls_version.check, "TLS 1.0 at most; at least 1.2", "NSExceptionMinimumTLSVersion"),
        ("SSL 3 alone", tls_version.check, "alert protocol_version; at least TLS 1.2", None),
        ("SSL 3 seen", tls_version.check, "SSL 3 at most; at least 1.2", None),
        (
            "static RSA",
            forward_secrecy.check,
            "static RSA suites only (TLS_RSA_WITH_AES_128_CBC_SHA)",
            "NSExceptionRequiresForwardSecrecy",
        ),
        ("DHE alone", cipher_suite.check, f"DHE suites only ({DHE}); ATS never offers DHE, no key helps", None),
        ("3DES alone", cipher_suite.check, f"3DES suites only ({TRIPLE}); ATS never offers 3DES, no key helps", None),
        ("CBC-SHA384 alone", cipher_suite.check, f"no suite in common (accepts {C384}); no key helps", None),
        (
            "DHE alone, quick",
            cipher_suite.check,
            "none of the suites that an Apple client can offer; no key helps",
            None,
        ),
        ("no group in common", cipher_suite.check, f"no group or signature algorithm in common (for {ECDHE})", None),
    ],
)
def test_evidence_and_the_key_that_helps(server: str, check, evidence: str, key) -> None:
    """What was seen comes first, then what Apple asks; a key is named only where it would help."""
    finding = check(facts(server))
    assert (finding.evidence, finding.fixable_by) == (evidence, key)


def test_a_client_that_reads_no_plist_is_helped_by_no_key() -> None:
    """An iOS 27 system service has no Info.plist to write an exception into."""
    profile = replace(IOS26, reads_exceptions=False)
    assert tls_version.check(facts("TLS 1.0 alone, ECDHE", profile=profile)).fixable_by is None
    assert forward_secrecy.check(facts("static RSA", profile=profile)).fixable_by is None
    for server in ("DHE alone", "3DES alone", "CBC-SHA384 alone", "DHE alone, quick"):
        finding = cipher_suite.check(facts(server, profile=profile))
        assert finding.status == "fail"
        assert "key" not in finding.evidence


def test_static_rsa_is_no_failure_where_the_key_gives_it_up() -> None:
    """Under NSExceptionRequiresForwardSecrecy = false the suite is the client's own."""
    seen = facts("static RSA", plist=NO_KEY)
    assert forward_secrecy.check(seen).status == "not-applicable"
    assert cipher_suite.check(seen).status == "pass"


def test_a_raised_floor_fails_a_server_of_tls_1_2() -> None:
    """NSExceptionMinimumTLSVersion = TLSv1.3 is a version failure of its own, and of nothing else."""
    plist = {"NSExceptionDomains": {"api.example.com": {"NSExceptionMinimumTLSVersion": "TLSv1.3"}}}
    seen = facts([made(OWN), NO_13], plist=plist)
    assert tls_version.check(seen).evidence == "TLS 1.2 at most; at least 1.3"
    assert forward_secrecy.check(seen).status == "pass"
    assert cipher_suite.check(seen).status == "pass"


def test_a_lowered_floor_under_sdk_26_is_unproved() -> None:
    """TLS 1.0 through the key alone: the version is unknown, with the sentence that says what else the app needs."""
    plist = {"NSExceptionDomains": {"api.example.com": {"NSExceptionMinimumTLSVersion": "TLSv1.0"}}}
    seen = facts("TLS 1.0 alone, ECDHE", plist=plist)
    assert tls_version.check(seen).status == "unknown"
    assert "tlsMinimumSupportedProtocolVersion" in tls_version.check(seen).evidence
    assert tls_version.check(facts("TLS 1.0 alone, ECDHE", plist=plist, sdk="18.0")).status == "pass"


def test_3des_with_ats_off_is_unproved() -> None:
    """Safari offers 3DES; that an app does is not proved."""
    assert cipher_suite.check(facts("3DES alone", plist={"NSAllowsArbitraryLoads": True})).status == "unknown"


@pytest.mark.parametrize(
    ("server", "required", "status"),
    [
        ([made(OWN, ems=True)], False, "pass"),
        ([made(OWN, ems=False)], False, "warn"),
        ([made(OWN, ems=None)], False, "not-applicable"),
        ([made(OWN, T13, "TLS_AES_128_GCM_SHA256")], False, "not-applicable"),
        ([made(OWN, ems=True)], True, "pass"),
        ([made(OWN, ems=False)], True, "fail"),
        ([made(OWN, ems=None)], True, "unknown"),
        ([made(OWN, T13, "TLS_AES_128_GCM_SHA256")], True, "not-applicable"),
        ([lost(OWN)], True, "unknown"),
        ([lost(OWN)], False, "not-applicable"),
        ([refused(OWN), NO_13, made(WIDEST, T12, STATIC, ems=False)], False, "warn"),
        ([refused(OWN), NO_13, made(WIDEST, T12, STATIC, ems=False)], True, "fail"),
    ],
)
def test_extended_master_secret(server, required: bool, status: str) -> None:
    """Asked of TLS 1.2 and older, and only of a client that insists on it; else its absence is worth a warning."""
    seen = facts(server, requires_extended_master_secret=required)
    assert extended_master_secret.check(seen).status == status


def test_every_accepted_suite_counts_from_an_enumeration() -> None:
    """A long list is cut after two names, with the number of the others."""
    suites = ("TLS_RSA_WITH_AES_128_GCM_SHA256", STATIC, "TLS_RSA_WITH_AES_256_CBC_SHA")
    server = [refused(OWN), NO_13, *(made(only(*suites[i:]), T12, suites[i]) for i in range(3))]
    assert (
        forward_secrecy.check(facts(server)).evidence == f"static RSA suites only ({suites[0]}, {suites[1]} and 1 more)"
    )
