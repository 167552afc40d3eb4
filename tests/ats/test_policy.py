"""What ATS demands of a host: Apple's own cases and the rules of its documentation, as data."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsprobe.ats.exception_match import meant_host, network_of, why_never_matches
from atsprobe.ats.local import Locality, locality
from atsprobe.ats.offer import decisive_offers, own_offer
from atsprobe.ats.policy import PolicyResolver
from atsprobe.ats.profile import UnknownProfile, profiles
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.endpoint import parse_host
from atsprobe.model.policy import Client, Policy

IOS26 = profiles(["26"])[0]


def policy(dictionary: Any, host: str, sdk: str | None = "18.5") -> Policy:
    return PolicyResolver(Client(IOS26, sdk), AtsDictionary.from_plist(dictionary)).policy(parse_host(host))


def domains(**entries: Any) -> dict[str, Any]:
    return {"NSExceptionDomains": {name.replace("_", "."): entry for name, entry in entries.items()}}


AL, WEB, MED, LN = (
    "NSAllowsArbitraryLoads",
    "NSAllowsArbitraryLoadsInWebContent",
    "NSAllowsArbitraryLoadsForMedia",
    "NSAllowsLocalNetworking",
)
HTTP, MIN, PFS, SUB = (
    "NSExceptionAllowsInsecureHTTPLoads",
    "NSExceptionMinimumTLSVersion",
    "NSExceptionRequiresForwardSecrecy",
    "NSIncludesSubdomains",
)

MIXED = {
    AL: True,
    **domains(
        neverssl_com={HTTP: False, MIN: "TLSv1.3", PFS: True},
        google_com={HTTP: True, MIN: "TLSv1.3", PFS: True},
        youtube_com={PFS: True},
        myhost_local={HTTP: False, PFS: True},
    ),
}
NESTED = domains(
    example_com={HTTP: True, SUB: True},
    subhostname_example_com={HTTP: False, SUB: False, MIN: "TLSv1.3"},
    another_subhostname_example_com={HTTP: False, MIN: "TLSv1.1"},
)

# dictionary, host, ATS on, floor, forward secrecy demanded: facts of Apple's SecProtocolConfigurationTest.m
CASES = [
    (MIXED, "example.com", False, None, False),
    (MIXED, "neverssl.com", True, "TLSv1.3", True),
    (MIXED, "google.com", False, "TLSv1.3", True),
    (MIXED, "youtube.com", True, "TLSv1.2", True),
    (MIXED, "myhost.local", True, "TLSv1.2", True),
    (NESTED, "example.com", False, "TLSv1.2", True),
    (NESTED, "subhostname.example.com", True, "TLSv1.3", True),
    (NESTED, "another.subhostname.example.com", True, "TLSv1.1", True),
    (NESTED, "test.another.subhostname.example.com", False, "TLSv1.2", True),
    ({LN: False}, "localhost", True, "TLSv1.2", True),
    ({LN: False}, "x.local", True, "TLSv1.2", True),
    ({LN: False}, "127.0.0.1", True, "TLSv1.2", True),
    ({LN: False}, "::1", True, "TLSv1.2", True),
    ({LN: False}, "fe80::1", True, "TLSv1.2", True),
    ({}, "localhost", False, None, False),
    ({}, "x.local", False, None, False),
    ({}, "127.0.0.1", False, None, False),
    ({}, "fe80::1", False, None, False),
    ({}, "203.0.113.1", True, "TLSv1.2", True),
    ({}, "2001:db8::1", True, "TLSv1.2", True),
    ({}, "100.64.0.1", True, "TLSv1.2", True),
    ({AL: 2}, "example.com", True, "TLSv1.2", True),
    ({AL: "YES"}, "example.com", True, "TLSv1.2", True),
    ({AL: 1}, "example.com", False, None, False),
    ({AL: True, WEB: False}, "example.com", True, "TLSv1.2", True),
    ({AL: True, MED: False}, "example.com", True, "TLSv1.2", True),
    ({AL: True, LN: True}, "example.com", True, "TLSv1.2", True),
    ({AL: True, WEB: "NO"}, "example.com", False, None, False),
    (domains(example_com={}) | {AL: True}, "example.com", True, "TLSv1.2", True),
    (domains(localhost={}), "localhost", True, "TLSv1.2", True),
    (domains(example_com={MIN: "TLSV1.0"}), "example.com", True, "TLSv1.2", True),
    (domains(example_com={MIN: 1.0}), "example.com", True, "TLSv1.2", True),
    (domains(example_com={PFS: 0}), "example.com", True, "TLSv1.2", False),
    (domains(example_com={PFS: "NO"}), "example.com", True, "TLSv1.2", True),
    (domains(example_com={HTTP: "YES"}), "example.com", True, "TLSv1.2", True),
    ({}, "captive.apple.com", False, "TLSv1.2", False),
    ({}, "x.gs.apple.com", False, "TLSv1.0", False),
    (domains(apple_com={}), "www.apple.com", True, "TLSv1.2", True),
    ({"NSExceptionDomains": {"203.0.113.0/24": {HTTP: True}, "203.0.113.5/32": {}}}, "203.0.113.5", True, "TLSv1.2", True),
    ({"NSExceptionDomains": {"203.0.113.0/24": {HTTP: True}}}, "203.0.113.9", False, "TLSv1.2", True),
    ({"NSExceptionDomains": {"com": {HTTP: True, SUB: True}}}, "a.b.example.com", False, "TLSv1.2", True),
]  # fmt: skip


@pytest.mark.parametrize(("dictionary", "host", "enforced", "floor", "forward_secrecy"), CASES)
def test_a_dictionary_demands_of_a_host(
    dictionary: Any, host: str, enforced: bool, floor: str | None, forward_secrecy: bool
) -> None:
    """Each row: ATS on or off, the version floor and the demand for ECDHE are what Apple's client enforces."""
    found = policy(dictionary, host)
    assert (
        found.ats_enforced,
        found.minimum_tls_version and found.minimum_tls_version.label,
        found.forward_secrecy_required,
    ) == (enforced, floor, forward_secrecy)


def test_a_private_address_without_a_key_is_contested() -> None:
    """Reports from apps on iOS 17 and later contradict each other: nothing can be said; NSAllowsLocalNetworking settles it."""
    assert policy({}, "192.168.1.5").contested
    assert policy({LN: True}, "192.168.1.5").exempt
    assert not policy({LN: False}, "192.168.1.5").contested
    assert policy({"NSExceptionDomains": {"192.168.0.0/16": {HTTP: True}}}, "192.168.1.5").http_allowed


def test_a_host_under_dev_is_always_loaded_as_https() -> None:
    """URLSession never loads http:// from .dev and .app (HSTS preload)."""
    assert policy({}, "x.dev").http_is_loaded_as_https
    assert not policy({}, "dev.example.com").http_is_loaded_as_https


def test_the_default_hello_is_apples() -> None:
    """TLS 1.3 and 1.2, AES-256 first, ECDHE alone, ChaCha20 among them, no CBC with SHA-2, the hybrid group first."""
    offer = policy({}, "example.com").offer
    assert offer.versions == (TlsVersion.TLS_1_3, TlsVersion.TLS_1_2)
    assert offer.cipher_suites[0] == "TLS_AES_256_GCM_SHA384"
    assert "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256" in offer.cipher_suites
    assert not any(s.endswith(("CBC_SHA256", "CBC_SHA384")) or "_DHE_" in s for s in offer.cipher_suites)
    assert len(offer.cipher_suites) == 13
    assert offer.groups[0] == "X25519MLKEM768"


def test_static_rsa_is_put_before_the_default_list() -> None:
    """NSExceptionRequiresForwardSecrecy = false adds four suites in front, so that a server may pick them."""
    offer = policy(domains(example_com={PFS: False}), "example.com").offer
    assert offer.cipher_suites[:4] == IOS26.without_forward_secrecy
    assert offer.cipher_suites[4:] == IOS26.cipher_suites


@pytest.mark.parametrize(("sdk", "unproved"), [("18.5", False), ("26.0", True), (None, True)])
def test_a_lower_floor_is_unproved_from_sdk_26_on(sdk: str | None, unproved: bool) -> None:
    """The key alone is not proved to lift the session's floor in an app linked with SDK 26; unknown counts as newest."""
    found = policy(domains(example_com={MIN: "TLSv1.0"}), "example.com", sdk)
    assert bool(found.unproved_versions) is unproved
    assert found.minimum_tls_version is TlsVersion.TLS_1_0


def test_arbitrary_loads_keep_the_floor_of_the_linked_sdk() -> None:
    """With ATS off the default floor is TLS 1.2 for apps linked with SDK 26, else TLS 1.0."""
    assert TlsVersion.TLS_1_0 in policy({AL: True}, "example.com", "18.0").offer.versions
    assert TlsVersion.TLS_1_0 not in policy({AL: True}, "example.com", "26.1").offer.versions


NEVER = [
    "EXAMPLE.com", "*.example.com", "example.com:443", "https://example.com", "example.com.", "bücher.example",
    "198.51.100.128/25", "2001:DB8::1", "10.0.0.0/33", "", "a b.example",
]  # fmt: skip


@pytest.mark.parametrize("key", NEVER)
def test_a_misspelt_key_never_matches(key: str) -> None:
    """Upper case, wildcard, port, scheme, final dot, U-label, unreadable network: each is told with its reason."""
    assert (why_never_matches(key) or "").startswith("never matches: ")


@pytest.mark.parametrize(
    "key", ["example.com", "a_b.example.com", "localhost", "10.0.0.0/8", "10/8", "::/0", "203.0.113.5"]
)
def test_a_well_spelt_key_may_match(key: str) -> None:
    """Names, addresses and networks in Apple's spelling are not reported."""
    assert why_never_matches(key) is None


@pytest.mark.parametrize(
    ("key", "host"),
    [
        ("EXAMPLE.com", "example.com"),
        ("*.example.com", "example.com"),
        ("example.com:443", "example.com"),
        ("https://example.com/path", "example.com"),
        ("10.0.0.0/8", None),
    ],
)
def test_a_misspelt_key_means_a_host(key: str, host: str | None) -> None:
    """The host that its author meant is still looked at."""
    assert meant_host(key) == host


def test_networks_are_read_with_apples_quirks() -> None:
    """Short forms are padded, host bits masked, a leading zero is octal, long text does not fit."""
    assert str(network_of("10/8")) == "10.0.0.0/8"
    assert str(network_of("10.1.2.3/8")) == "10.0.0.0/8"
    assert str(network_of("10.0.0.0/010")) == "10.0.0.0/8"
    assert network_of("198.51.100.128/25") is None


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        ("printer", Locality.LOCAL_NAME),
        ("printer.local", Locality.LOCAL_NAME),
        ("127.0.0.1", Locality.LOCAL_ADDRESS),
        ("169.254.1.1", Locality.LOCAL_ADDRESS),
        ("fe80::1", Locality.LOCAL_ADDRESS),
        ("10.1.2.3", Locality.PRIVATE_ADDRESS),
        ("fd00::1", Locality.PRIVATE_ADDRESS),
        ("100.64.0.1", Locality.PUBLIC_ADDRESS),
        ("8.8.8.8", Locality.PUBLIC_ADDRESS),
        ("example.com", Locality.PUBLIC),
    ],
)
def test_locality_is_read_off_the_text(host: str, kind: Locality) -> None:
    """A host is local by how it is written, never by where it resolves to."""
    assert locality(parse_host(host)) is kind


def test_profiles_are_chosen_by_version() -> None:
    """A version between two profiles takes the older; one before the oldest, or a made-up one, is refused with a reason."""
    assert profiles(["26.4"])[0].name == "ios26"
    assert profiles()[-1].name == "ios26"
    for wrong in ("9", "x", "26.x"):
        with pytest.raises(UnknownProfile):
            profiles([wrong])
    with pytest.raises(UnknownProfile):
        profiles(mode="ios99")


def test_a_version_within_a_profile_has_what_came_before_it() -> None:
    """iOS 14 is judged by the profile of 13, but reads pins; of several versions of one profile the newest counts."""
    assert [(p.name, p.oldest, p.reads_pins) for p in profiles(["14"])] == [("ios13", (14,), True)]
    assert [(p.name, p.oldest, p.reads_pins) for p in profiles(["15.1", "13", "14"])] == [("ios13", (15, 1), True)]
    assert [(p.name, p.reads_pins) for p in profiles(["13.7"])] == [("ios13", False)]
    assert [(p.name, p.oldest) for p in profiles(minimum_os="14.2")][:2] == [("ios13", (14, 2)), ("ios15.4", (15, 4))]
    assert profiles(["13"]) == profiles(mode="ios13")
    assert profiles(minimum_os="12.0") == profiles(["all"])


def test_the_clients_own_hello_comes_first() -> None:
    """A server that passes is decided by one connection: the first offer is the client's own; and none is listed twice."""
    offers = decisive_offers([IOS26])
    assert offers[0] == own_offer(IOS26)
    assert len(set(offers)) == len(offers)


_VALUES = st.one_of(st.booleans(), st.integers(0, 2), st.sampled_from(["YES", "TLSv1.0", "TLSv1.2", "x"]))
_ENTRY = st.dictionaries(st.sampled_from([HTTP, MIN, PFS, SUB]), _VALUES, max_size=4)
_NAMES = ["example.com", "a.example.com", "b.a.example.com", "localhost", "10.0.0.1", "203.0.113.5", "203.0.113.0/24"]
_DICTIONARY = st.fixed_dictionaries(
    {},
    optional={
        AL: _VALUES,
        WEB: _VALUES,
        LN: _VALUES,
        "NSExceptionDomains": st.dictionaries(st.sampled_from(_NAMES), _ENTRY),
    },
)


@given(_DICTIONARY, st.sampled_from(_NAMES[:-1]), st.randoms())
def test_the_order_of_keys_does_not_matter(dictionary: dict[str, Any], host: str, random: Any) -> None:
    """A dictionary is a set of keys: shuffled, it demands the same."""
    keys = list(dictionary)
    random.shuffle(keys)
    shuffled = {k: dictionary[k] for k in keys}
    if "NSExceptionDomains" in shuffled:
        names = list(dictionary["NSExceptionDomains"])
        random.shuffle(names)
        shuffled["NSExceptionDomains"] = {n: dictionary["NSExceptionDomains"][n] for n in names}
    assert policy(dictionary, host) == policy(shuffled, host)


@given(_DICTIONARY, _ENTRY, st.sampled_from(["example.com", "a.example.com"]))
def test_an_entry_for_a_host_decides_alone(dictionary: dict[str, Any], entry: dict[str, Any], host: str) -> None:
    """Global keys and parent entries are ignored for a host that has an entry."""
    own = {"NSExceptionDomains": {host: entry}}
    both = dictionary | {"NSExceptionDomains": dictionary.get("NSExceptionDomains", {}) | {host: entry}}
    assert policy(own, host) == policy(both, host)


@given(_ENTRY, st.sampled_from([(HTTP, False), (MIN, "TLSv1.3"), (PFS, True)]))
def test_a_tighter_key_never_allows_more(entry: dict[str, Any], tighter: tuple[str, Any]) -> None:
    """Setting a key to its strictest value never widens the offer, nor allows http."""
    before = policy({"NSExceptionDomains": {"example.com": entry}}, "example.com")
    after = policy({"NSExceptionDomains": {"example.com": entry | {tighter[0]: tighter[1]}}}, "example.com")
    assert set(after.offer.versions) <= set(before.offer.versions)
    assert set(after.offer.cipher_suites) <= set(before.offer.cipher_suites)
    assert before.http_allowed or not after.http_allowed
