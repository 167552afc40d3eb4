"""Which of the two OpenSSLs says an offer, and what neither can say."""

from __future__ import annotations

from dataclasses import replace

import pytest
import scan_servers as servers

from atsprobe.model.cipher_suite import TlsVersion, usable
from atsprobe.model.handshake import Offer
from atsprobe.scan import openssl_hello
from atsprobe.scan.openssl_hello import CannotSay, Vocabulary, hello_of

WORDS = Vocabulary(
    modern={
        **{s: s for s in servers.TLS_1_3},
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
        "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA",
        "TLS_RSA_WITH_IDEA_CBC_SHA": "IDEA-CBC-SHA",
    },
    legacy={
        "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA",
        "TLS_RSA_WITH_DES_CBC_SHA": "DES-CBC-SHA",
        "TLS_RSA_WITH_IDEA_CBC_SHA": "IDEA-CBC-SHA",
    },
    ssl_2={"SSL_CK_RC4_128_WITH_MD5": "RC4-MD5"},
)
NIDS = {"x25519": 1034, "secp256r1": 415}
OFFER = Offer(
    (TlsVersion.TLS_1_3, TlsVersion.TLS_1_2),
    (*servers.TLS_1_3, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    ("x25519", "secp256r1"),
    ("ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256", "rsa_pkcs1_sha1", "ed25519"),
)


def test_an_offer_keeps_its_order():
    """Suites, groups and signature algorithms are said in the client's order; other versions are switched off."""
    hello = hello_of(OFFER, WORDS, NIDS)
    assert hello.version is None
    assert hello.tls_1_3_suites.split(":") == list(servers.TLS_1_3)
    assert hello.cipher_list == "ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"
    assert hello.groups == (1034, 415)
    assert hello.signature_algorithms == ((672, 408), (672, 912), (64, 6), (0, 1087))
    assert hello.options == 0x02000000 | 0x04000000 | 0x10000000


@pytest.mark.parametrize(
    "changes",
    [
        {"groups": ("X25519MLKEM768", "x25519")},
        {"groups": ("ffdhe2048",)},
        {"cipher_suites": ("TLS_NO_SUCH_SUITE",)},
        {"cipher_suites": ()},
        {
            "versions": (TlsVersion.TLS_1_3, TlsVersion.TLS_1_0),
            "cipher_suites": (*servers.TLS_1_3, "TLS_RSA_WITH_AES_128_CBC_SHA"),
        },
        {"versions": (TlsVersion.TLS_1_2,), "cipher_suites": ("TLS_RSA_WITH_DES_CBC_SHA",)},
        {"versions": (TlsVersion.TLS_1_2, TlsVersion.TLS_1_1), "cipher_suites": ("TLS_RSA_WITH_DES_CBC_SHA",)},
        {"signature_algorithms": ("rsa_pss_pss_sha256",)},
        {"signature_algorithms": ("no_such_algorithm",)},
    ],
)
def test_what_neither_can_say(changes):
    """A hybrid or unknown group, an unknown suite, a gap between versions, old suites with chosen groups."""
    with pytest.raises(CannotSay):
        hello_of(replace(OFFER, **changes), WORDS, NIDS)


def test_old_suites_are_said_by_the_legacy_library():
    """With its own groups, DES is offered in TLS 1.2; SSL 2 and 3 have neither groups nor signature algorithms."""
    groups, signatures = openssl_hello.LEGACY_GROUPS, openssl_hello.LEGACY_SIGNATURE_ALGORITHMS
    offer = Offer((TlsVersion.TLS_1_2,), ("TLS_RSA_WITH_DES_CBC_SHA",), groups, signatures)
    assert hello_of(offer, WORDS, NIDS).version is TlsVersion.TLS_1_2
    ssl_3 = Offer((TlsVersion.SSL_3_0,), ("TLS_RSA_WITH_AES_128_CBC_SHA",), (), ())
    assert hello_of(ssl_3, WORDS, NIDS).version is TlsVersion.SSL_3_0
    ssl_2 = Offer((TlsVersion.SSL_2_0,), ("SSL_CK_RC4_128_WITH_MD5",), (), ())
    assert hello_of(ssl_2, WORDS, NIDS).cipher_list == "RC4-MD5"


def test_the_widest_offers_hold_each_suite_once():
    """What one library says, the other leaves out; each offer can be said, and every suite fits its version."""
    for version in TlsVersion:
        offers = openssl_hello.widest_offers(version, WORDS)
        suites = [s for offer in offers for s in offer.cipher_suites]
        assert len(suites) == len(set(suites))
        assert all(usable(s, version) for s in suites)
    twelve = openssl_hello.widest_offers(TlsVersion.TLS_1_2, WORDS)
    assert "TLS_RSA_WITH_IDEA_CBC_SHA" in twelve[1].cipher_suites
    eleven = openssl_hello.widest_offers(TlsVersion.TLS_1_1, WORDS)
    assert "TLS_RSA_WITH_IDEA_CBC_SHA" in eleven[0].cipher_suites
