"""What Apple's client demands, row by row of its documentation and source, in each profile where the row holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from resolver_vectors import (
    AL,
    DOMAINS,
    GLOBAL_NIAP,
    HTTP,
    MIN,
    NIAP,
    PFS,
    PINS,
    PLAIN,
    SECTIONS,
    SUB,
    Vector,
    demand_of,
    entry,
)

from atsprobe.ats.policy import PolicyResolver
from atsprobe.ats.profile import profiles
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.endpoint import parse_host
from atsprobe.model.policy import Client, Policy


def policy(dictionary: Any, host: str, profile: str, sdk: str | None = "18.5") -> Policy:
    """Resolve a host under a dictionary as a profile."""
    client = Client(profiles(mode=profile)[0], sdk)
    return PolicyResolver(client, AtsDictionary.from_plist(dictionary)).policy(parse_host(host))


def _rows() -> Iterator[Any]:
    for section, vectors in SECTIONS.items():
        for number, vector in enumerate(vectors, 1):
            for profile in vector.profiles:
                yield pytest.param(vector, profile, id=f"{section} {number} {vector.host} {profile}")


@pytest.mark.parametrize(("vector", "profile"), list(_rows()))
def test_a_row_holds(vector: Vector, profile: str) -> None:
    """The sentence of the row is what is resolved."""
    assert demand_of(policy(vector.dictionary, vector.host, profile, vector.sdk)) == vector.demand, vector.says


@pytest.mark.parametrize("vector", [v for vectors in SECTIONS.values() for v in vectors], ids=lambda v: v.host)
def test_the_modes_follow_from_ios_26(vector: Vector) -> None:
    """fcp21 is iOS 26 with FCP_v2.1 as the global key unless another is declared; system services read no plist at all."""
    declared = vector.dictionary
    if isinstance(declared, dict) or declared is None:
        with_package = {GLOBAL_NIAP: "FCP_v2.1", **(declared or {})}
        assert demand_of(policy(declared, vector.host, "fcp21")) == demand_of(
            policy(with_package, vector.host, "ios26")
        )
    assert policy(declared, vector.host, "apple-system-27") == policy({}, vector.host, "apple-system-27")


TLS_1_3 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
AES_256_FIRST = ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256")
AEAD = tuple(
    f"TLS_ECDHE_{signature}_WITH_{cipher}"
    for signature in ("ECDSA", "RSA")
    for cipher in ("AES_256_GCM_SHA384", "AES_128_GCM_SHA256", "CHACHA20_POLY1305_SHA256")
)
CBC = tuple(f"TLS_ECDHE_{s}_WITH_AES_{bits}_CBC_SHA" for s in ("ECDSA", "RSA") for bits in (256, 128))
CBC_SHA_2 = tuple(
    f"TLS_ECDHE_{s}_WITH_AES_{bits}_CBC_SHA{h}" for s in ("ECDSA", "RSA") for bits, h in ((256, 384), (128, 256))
)
STATIC = (
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
)
STATIC_SHA_2 = ("TLS_RSA_WITH_AES_256_CBC_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA256")
TRIPLE_DES = tuple(f"TLS_{k}_WITH_3DES_EDE_CBC_SHA" for k in ("ECDHE_ECDSA", "ECDHE_RSA", "RSA"))
FCP = tuple(s for s in AEAD if "GCM" in s)

NOW = {*TLS_1_3, *AEAD, *CBC}
THEN = NOW | set(CBC_SHA_2)

# what is said, dictionary, profiles, suites surely offered, suites that may be offered
SUITES: list[tuple[str, Any, tuple[str, ...], set[str], set[str]]] = [
    ("SecProtocolInternal.h CiphersuitesPFS from 60158 (15.4) on", {}, ("ios15.4", "ios17", "ios26"), NOW, set()),
    ("SecProtocolInternal.h CiphersuitesPFS before 60158", {}, ("ios13",), THEN, set()),
    ("CiphersuitesNonPFS from 15.4 on", entry(PFS=False), ("ios15.4", "ios17", "ios26"), NOW | set(STATIC), set()),
    ("CiphersuitesNonPFS before", entry(PFS=False), ("ios13",), THEN | {*STATIC, *STATIC_SHA_2}, set()),
    ("http alone leaves the suites", entry(HTTP=True), ("ios15.4", "ios17", "ios26"), NOW, set()),
    ("no list is imposed, 3DES is unproved", entry(HTTP=True, PFS=False), ("ios26",), NOW | set(STATIC), set(TRIPLE_DES)),
    ("ATS off: Safari's list, 3DES unproved for apps", {AL: True}, ("ios15.4", "ios17", "ios26"), NOW | set(STATIC),
     set(TRIPLE_DES)),
    ("a lower floor leaves the suites", entry(MIN="TLSv1.0"), ("ios15.4", "ios17", "ios26"), NOW, set()),
    ("TLS 1.3 alone can use its own three", entry(MIN="TLSv1.3"), ("ios13", "ios15.4", "ios17", "ios26"), set(TLS_1_3), set()),
    ("Apple, NSRequiresNIAPTLSPackageVersion: ECDHE with AES-GCM", {GLOBAL_NIAP: "FCP_v2.1"}, ("ios26", "fcp21"),
     {*TLS_1_3, *FCP}, set()),
    ("Apple, NSRequiresNIAPTLSPackageVersion: recommended is the same today", {GLOBAL_NIAP: "recommended"}, ("ios26",),
     {*TLS_1_3, *FCP}, set()),
    ("Apple, NSRequiresNIAPTLSPackageVersion: for every app under this mode", {}, ("fcp21",), {*TLS_1_3, *FCP}, set()),
    ("Apple, NSRequiresNIAPTLSPackageVersion: none is the default", {GLOBAL_NIAP: "none"}, ("ios26",), NOW, set()),
    ("Apple, NSRequiresNIAPTLSPackageVersion: to the letter", {GLOBAL_NIAP: "fcp_v2.1"}, ("ios26",), NOW, set()),
    ("Apple, NSExceptionRequiresNIAPTLSPackageVersion: one host alone", entry(NIAP="FCP_v2.1"), ("ios26",), {*TLS_1_3, *FCP},
     set()),
    ("Apple, NSExceptionRequiresNIAPTLSPackageVersion: carved out", {GLOBAL_NIAP: "FCP_v2.1", **entry(NIAP="none")},
     ("ios26", "fcp21"), NOW, set()),
    ("iOS 17 knows no such key", {GLOBAL_NIAP: "FCP_v2.1"}, ("ios17",), NOW, set()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("says", "dictionary", "profile", "sure", "unproved"),
    [(says, d, p, sure, maybe) for says, d, of, sure, maybe in SUITES for p in of],
)
def test_suites_offered(says: str, dictionary: Any, profile: str, sure: set[str], unproved: set[str]) -> None:
    """Exactly these suites, and no DHE, RC4, Camellia, CCM, PSK or CBC with SHA-2 where the sources have none."""
    found = policy(dictionary, PLAIN, profile)
    assert set(found.offered_suites) - found.unproved == sure, says
    assert set(found.offered_suites) & found.unproved == unproved, says


@pytest.mark.parametrize("profile", ["ios13", "ios15.4", "ios17"])
def test_order_of_tls_1_3_suites_before_26(profile: str) -> None:
    """Captured hellos of 15.4 and 18.4 begin with AES-128; that of 26.4 with AES-256."""
    assert policy({}, PLAIN, profile).offered_suites[:3] == TLS_1_3
    assert policy({}, PLAIN, "ios26").offered_suites[:3] == AES_256_FIRST


def test_order_of_tls_1_2_suites() -> None:
    """SecProtocolInternal.h: GCM and ChaCha20 before CBC, ECDSA before RSA, AES-256 before AES-128."""
    assert policy({}, PLAIN, "ios26").offered_suites[3:] == (*AEAD, *CBC)


@pytest.mark.parametrize("profile", ["ios13", "ios15.4", "ios17", "ios26"])
def test_static_rsa_comes_first(profile: str) -> None:
    """Group ats_compatibility is appended before the ATS list: a server that follows the client's order takes static RSA."""
    offered = policy(entry(PFS=False), PLAIN, profile).offered_suites
    static = [s for s in offered if s.startswith("TLS_RSA_")]
    assert list(offered[: len(static)]) == static


@pytest.mark.parametrize(
    ("profile", "groups"),
    [
        ("ios13", ("x25519", "secp256r1", "secp384r1", "secp521r1")),
        ("ios17", ("x25519", "secp256r1", "secp384r1", "secp521r1")),
        ("ios26", ("X25519MLKEM768", "x25519", "secp256r1", "secp384r1", "secp521r1")),
        ("fcp21", ("X25519MLKEM768", "x25519", "secp256r1", "secp384r1", "secp521r1")),
    ],
)
def test_groups_offered(profile: str, groups: tuple[str, ...]) -> None:
    """Apple support 122756: the hybrid group from iOS 26 on, first; no finite-field group ever, so that DHE never counts."""
    assert policy({}, PLAIN, profile).offer.groups == groups


def test_signature_algorithms_offered() -> None:
    """Never ed25519, ed448 or P-521; SHA-1 with RSA stays, except in the package FCP_v2.1."""
    for profile in ("ios13", "ios15.4", "ios17", "ios26"):
        offered = policy({}, PLAIN, profile).offer.signature_algorithms
        assert "rsa_pkcs1_sha1" in offered
        assert ("ecdsa_sha1" in offered) is (profile in ("ios13", "ios15.4"))
        assert not {"ed25519", "ed448", "ecdsa_secp521r1_sha512"} & set(offered)
    for dictionary, profile in (({}, "fcp21"), ({GLOBAL_NIAP: "FCP_v2.1"}, "ios26"), ({}, "apple-system-27")):
        assert "rsa_pkcs1_sha1" not in policy(dictionary, PLAIN, profile).offer.signature_algorithms


# linked SDK, profile, lowest version offered with ATS off, and whether an exception below TLS 1.2 is proved to work
SDK = [
    ("18.5", "ios26", TlsVersion.TLS_1_0, True),
    ("26.0", "ios26", TlsVersion.TLS_1_2, False),
    ("26", "ios26", TlsVersion.TLS_1_2, False),
    ("27.1", "ios26", TlsVersion.TLS_1_2, False),
    (None, "ios26", TlsVersion.TLS_1_2, False),
    ("26.0", "ios17", TlsVersion.TLS_1_0, True),
    (None, "ios13", TlsVersion.TLS_1_0, True),
]


@pytest.mark.parametrize(("sdk", "profile", "lowest", "is_proved"), SDK)
def test_the_linked_sdk_decides_the_default_floor(
    sdk: str | None, profile: str, lowest: TlsVersion, is_proved: bool
) -> None:
    """iOS 26 release notes (135996267): the default floor rose to TLS 1.2 for apps linked on or after 26, on 26 and later."""
    assert min(policy({AL: True}, PLAIN, profile, sdk).offer.versions) is lowest
    excepted = policy(entry(MIN="TLSv1.0"), PLAIN, profile, sdk)
    assert min(excepted.offer.versions) is TlsVersion.TLS_1_0
    assert bool(excepted.unproved_versions) is not is_proved
    assert not policy(entry(MIN="TLSv1.3"), PLAIN, profile, sdk).unproved_versions


@pytest.mark.parametrize("profile", ["ios13", "ios15.4", "ios17", "ios26", "fcp21", "apple-system-27"])
def test_every_profile_ends_at_tls_1_3(profile: str) -> None:
    """Apple Platform Security: TLS 1.3 is on by default since iOS 12.2; nothing newer is offered."""
    assert policy({}, PLAIN, profile).offer.versions == (TlsVersion.TLS_1_3, TlsVersion.TLS_1_2)


@pytest.mark.parametrize(
    ("dictionary", "profile", "demanded"),
    [
        ({}, "ios26", False),
        ({GLOBAL_NIAP: "FCP_v2.1"}, "ios26", True),
        ({GLOBAL_NIAP: "FCP_v2.1"}, "ios17", False),
        (entry(NIAP="recommended"), "ios26", True),
        ({GLOBAL_NIAP: "FCP_v2.1", **entry(NIAP="none")}, "ios26", False),
        ({}, "fcp21", True),
        (entry(NIAP="none"), "fcp21", False),
        ({}, "apple-system-27", True),
        (entry(NIAP="none"), "apple-system-27", True),
    ],
)
def test_extended_master_secret(dictionary: Any, profile: str, demanded: bool) -> None:
    """Apple, NSRequiresNIAPTLSPackageVersion: TLS 1.2 has to negotiate it in the package FCP_v2.1, and nowhere else."""
    assert policy(dictionary, PLAIN, profile).requires_extended_master_secret is demanded


ONE = "8J+YgPCfmIDwn5iA8J+YgPCfmIDwn5iA8J+YgPCfmIA="
OTHER = "4pyT4pyT4pyT4pyT4pyT4pyT4pyT4pyT4pyT4pyT4pw="


def pin(key: str, *hashes: str, **more: Any) -> dict[str, Any]:
    return {key: tuple({"SPKI-SHA256-BASE64": h} for h in hashes), **more}


def test_pins() -> None:
    """Security source, parseNSPinnedDomains: one label down, identities united, case and final dot do not matter."""
    ca, leaf = "NSPinnedCAIdentities", "NSPinnedLeafIdentities"
    dictionary = {
        PINS: {
            "Example.COM.": pin(ca, ONE, NSIncludesSubdomains=True),
            "a.example.com": pin(leaf, OTHER) | pin(ca, OTHER),
            "number.example.org": pin(ca, ONE, NSIncludesSubdomains=1),
            "empty.example.org": {ca: ()},
            "broken.example.org": {ca: "x"},
        }
    }

    def found(host: str, profile: str = "ios26") -> tuple[int | None, int | None] | None:
        pins = policy(dictionary, host, profile).pins
        return None if pins is None else tuple(None if of is None else len(of) for of in (pins.ca, pins.leaf))

    assert found("example.com") == (1, None)
    assert found("a.example.com") == (2, 1), "entry and parent are added together"
    assert found("b.example.com") == (1, None)
    assert found("x.b.example.com") is None, "one label, not two"
    assert found("x.number.example.org") is None, "1 is no boolean here"
    assert found("empty.example.org") == (0, None), "asks for one of none: blocks every chain"
    assert found("broken.example.org") == (0, None)
    assert found("example.com", "ios13") is None, "read from iOS 14 on"
    assert found("example.com", "apple-system-27") is None
    assert found("example.com", "ios15.4") == (1, None)


@pytest.mark.parametrize(
    ("dictionary", "host", "by"),
    [
        ({}, PLAIN, "default ATS"),
        (entry(HTTP=True), PLAIN, "its own entry"),
        (entry(HTTP=True, SUB=True), "a.b.example.com", PLAIN),
        (entry("203.0.113.0/24", HTTP=True), "203.0.113.5", "203.0.113.0/24"),
        ({AL: True}, PLAIN, "NSAllowsArbitraryLoads"),
        ({}, "localhost", "local name"),
        ({}, "127.0.0.1", "local address"),
        ({}, "192.168.1.5", "private address"),
        ({"NSAllowsLocalNetworking": True}, "192.168.1.5", "NSAllowsLocalNetworking"),
        ({}, "www.apple.com", "Apple's built-in entry for apple.com"),
    ],
)
def test_what_decided_is_named(dictionary: Any, host: str, by: str) -> None:
    """The key or the rule that decided, in the words of the report."""
    found = policy(dictionary, host, "ios26")
    assert found.decided_by == by
    domains = dictionary.get(DOMAINS, {})
    assert (found.matched_exception in domains) is bool(domains)


def test_keys_are_spelled_as_apple_spells_them() -> None:
    """The short names of the rows are Apple's keys, each once."""
    assert len({AL, HTTP, MIN, PFS, SUB, NIAP, GLOBAL_NIAP}) == 7
