"""What is said of declared keys and of hosts: each kind of warning by a dictionary that earns it."""

from __future__ import annotations

from typing import Any

import pytest
from resolver_vectors import AL, DOMAINS, GLOBAL_NIAP, HTTP, LN, MED, MIN, NIAP, PFS, PINS, PLAIN, SUB, WEB, entry

from atsprobe.ats.host_warnings import HostWarnings
from atsprobe.ats.key_warnings import key_notes
from atsprobe.ats.policy import PolicyResolver
from atsprobe.ats.profile import profiles
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.endpoint import parse_host
from atsprobe.model.policy import Client, KeyNote

NOW = ("ios26",)


def clients(*names: str, sdk: str | None = "18.5") -> list[Client]:
    return [Client(profiles(mode=name)[0], sdk) for name in names]


def notes(dictionary: Any, *names: str, sdk: str | None = "18.5", misplaced: Any = None) -> tuple[KeyNote, ...]:
    return key_notes(AtsDictionary.from_plist(dictionary, misplaced), clients(*(names or NOW), sdk=sdk))


def kinds_of_host(dictionary: Any, host: str, *, profile: str = "ios26", sdk: str | None = "18.5") -> set[str]:
    """Give the kinds of warning about a host."""
    declared = AtsDictionary.from_plist(dictionary)
    of_profile = clients(profile, sdk=sdk)
    resolved = PolicyResolver(of_profile[0], declared).policy(parse_host(host))
    return {w.kind for w in HostWarnings(declared, key_notes(declared, of_profile)).of(resolved)}


NEVER = ["EXAMPLE.com", "example.com:443", "https://example.com", "*.example.com", "example.com.", "bücher.example",
         "198.51.100.128/25", "10.0.0.0/33", "2001:DB8::1", "a b", ""]  # fmt: skip


@pytest.mark.parametrize("domain", NEVER)
def test_a_domain_that_never_matches_is_told_once(domain: str) -> None:
    """However many keys its entry has, and with what App Review will ask all the same."""
    (note,) = notes(entry(domain, HTTP=True, PFS=False, MIN="TLSv1.0"))
    assert (note.domain, note.key, note.standing) == (domain, None, "ineffective")
    assert note.reason.startswith("never matches: ")
    assert note.warnings[0].kind == "never-matches"
    assert note.wants_justification


# dictionary, key, kind of warning, words of the reason
IGNORED = [
    ({AL: "YES"}, (None, AL), "ignored", "a boolean is wanted, not a string"),
    ({AL: 2}, (None, AL), "ignored", "the number 2 counts as false"),
    (entry(HTTP="YES"), (PLAIN, HTTP), "ignored", "a boolean is wanted"),
    (entry(HTTP=2), (PLAIN, HTTP), "ignored", "the number 2"),
    (entry(MIN=1.2), (PLAIN, MIN), "ignored", "a string such as TLSv1.2 is wanted, not a number"),
    (entry(MIN="TLSV1.0"), (PLAIN, MIN), "ignored", "to the letter"),
    (entry(PFS="NO"), (PLAIN, PFS), "ignored", "a boolean is wanted"),
    (entry("203.0.113.5", SUB=True), ("203.0.113.5", SUB), "ignored", "no effect on an address"),
    ({"NSAllowArbitraryLoads": True}, (None, "NSAllowArbitraryLoads"), "ignored", "did you mean NSAllowsArbitraryLoads"),
    ({HTTP: True}, (None, HTTP), "ignored", "belongs in a domain's entry"),
    ({DOMAINS: {PLAIN: {AL: True}}}, (PLAIN, AL), "ignored", "belongs at the top"),
    ({DOMAINS: {PLAIN: {"NSTemporaryExceptionMinimumTLSVersion": "TLSv1.0"}}},
     (PLAIN, "NSTemporaryExceptionMinimumTLSVersion"), "ignored", "today NSExceptionMinimumTLSVersion"),
    ({DOMAINS: {PLAIN: {"NSThirdPartyExceptionRequiresForwardSecrecy": False}}},
     (PLAIN, "NSThirdPartyExceptionRequiresForwardSecrecy"), "ignored", "an old spelling"),
    ({DOMAINS: {PLAIN: True}}, (PLAIN, None), "ignored", "a dictionary is wanted for a domain"),
    ({DOMAINS: ("x",)}, (None, DOMAINS), "ignored", "a dictionary is wanted, not an array"),
    ("YES", (None, "NSAppTransportSecurity"), "ignored", "a dictionary is wanted"),
    ({GLOBAL_NIAP: "FCP"}, (None, GLOBAL_NIAP), "ignored", "no package version"),
    ({AL: True, WEB: False}, (None, AL), "cancelled", "cancelled by NSAllowsArbitraryLoadsInWebContent"),
    ({AL: True, LN: True, MED: 0}, (None, AL), "cancelled", "NSAllowsLocalNetworking and NSAllowsArbitraryLoadsForMedia"),
    ({AL: "YES", WEB: True}, (None, AL), "ignored", "a boolean is wanted"),
    ({GLOBAL_NIAP: "FCP_v2.1", **entry(PFS=False)}, (PLAIN, PFS), "cancelled", "FCP_v2.1"),
    (entry(MIN="TLSv1.0", NIAP="recommended"), (PLAIN, MIN), "cancelled", "FCP_v2.1"),
]  # fmt: skip


@pytest.mark.parametrize(("dictionary", "place", "kind", "words"), IGNORED)
def test_a_key_without_effect_says_why(
    dictionary: Any, place: tuple[str | None, str | None], kind: str, words: str
) -> None:
    """Wrong type, unknown, legacy, in another place, cancelled by another key: one note, with a stable kind."""
    note = next(n for n in notes(dictionary) if (n.domain, n.key) == place)
    assert note.standing == "ineffective"
    assert words in note.reason
    assert note.warnings[0].kind == kind
    assert note.warnings[0].text == note.reason


def test_a_key_outside_the_dictionary_is_misplaced() -> None:
    """At the top of the Info.plist nothing reads it, and App Review asks nothing of it."""
    (note,) = notes(None, misplaced={AL: True})
    assert (note.standing, note.wants_justification) == ("ineffective", False)
    assert "outside NSAppTransportSecurity" in note.reason


def test_an_array_of_legacy_keys_puts_ats_back() -> None:
    """An entry without a key that is read is an entry: full ATS, even on localhost."""
    old = {"NSTemporaryExceptionAllowsInsecureHTTPLoads": True, "NSExceptionAllowInsecureHTTPLoads": True}
    found = notes({DOMAINS: {"localhost": old}})
    assert [w.kind for n in found for w in n.warnings].count("re-imposes-ats") == 1
    assert "re-imposes-ats" in kinds_of_host({DOMAINS: {"localhost": old}}, "localhost")
    for fine in (entry("localhost"), {DOMAINS: {"localhost": {**old, HTTP: False}}}, entry("localhost", PFS=2)):
        assert "re-imposes-ats" not in kinds_of_host(fine, "localhost")


@pytest.mark.parametrize(
    ("names", "sdk", "standing"),
    [
        (("ios26",), "18.5", "effective"),
        (("ios26",), "26.0", "unverifiable"),
        (("ios26",), None, "unverifiable"),
        (("ios17",), None, "effective"),
        (("ios17", "ios26"), None, "unverifiable"),
    ],
)
def test_a_low_floor_depends_on_the_linked_sdk(names: tuple[str, ...], sdk: str | None, standing: str) -> None:
    """Under SDK 26 the key alone is unproved: never ineffective, never enough by itself."""
    (note,) = notes(entry(MIN="TLSv1.1"), *names, sdk=sdk)
    assert note.standing == standing
    assert ("tlsMinimumSupportedProtocolVersion" in note.reason) is (standing == "unverifiable")
    assert ("on iOS 26" in note.reason) is (len(names) > 1 and standing == "unverifiable")
    assert notes(entry(MIN="TLSv1.2"), *names, sdk=sdk)[0].standing == "effective"


@pytest.mark.parametrize("version", ["DTLSv1.0", "DTLSv1.2"])
def test_a_floor_of_another_protocol(version: str) -> None:
    """Apple's client stores it, and nobody knows what comes of it: the key is read, and neither effective nor ineffective."""
    (note,) = notes(entry(MIN=version))
    assert (note.standing, note.warnings[0].kind) == ("unverifiable", "no-tls-version")
    assert note.reason == f"{version} is not a TLS version, and its effect is unknown: write TLSv1.2"
    assert kinds_of_host(entry(MIN=version), PLAIN) == {"no-tls-version"}


@pytest.mark.parametrize("value", [True, "YES", (), 5])
def test_a_domain_whose_value_is_no_dictionary_concerns_its_host(value: Any) -> None:
    """The client skips it, so that nothing of it decides about the host; its author meant the host all the same."""
    assert "ignored" in kinds_of_host({DOMAINS: {PLAIN: value}}, PLAIN)
    assert "ignored" not in kinds_of_host({DOMAINS: {PLAIN: value}}, f"below.{PLAIN}")


@pytest.mark.parametrize("number", [2, 5, -1, 1.5, float("nan")])
def test_a_number_that_gives_forward_secrecy_up(number: float) -> None:
    """The client compares with true, so that every number but 1 does what false does: the key has its effect, with a warning."""
    (note,) = notes(entry(PFS=number))
    assert (note.standing, note.reason) == ("effective", "")
    assert note.effect == notes(entry(PFS=False))[0].effect
    (told,) = note.warnings
    assert (told.kind, told.text) == (
        "counts-as-false",
        f"a boolean is wanted; the number {number} counts as false: write false",
    )
    assert "counts-as-false" in kinds_of_host(entry(PFS=number), PLAIN)


@pytest.mark.parametrize("number", [0, 0.0, 1, 1.0, True, False])
def test_the_numbers_0_and_1_are_booleans(number: float) -> None:
    """Whichever way a plist writes them."""
    (note,) = notes(entry(PFS=number))
    assert (note.standing, note.warnings) == ("effective", ())


@pytest.mark.parametrize("key", [LN, WEB, MED])
def test_a_number_where_a_global_false_does_something(key: str) -> None:
    """It is present, and does what false does: to drop it would not be the same."""
    (note,) = notes({key: 2})
    assert (note.standing, note.effect) == ("effective", notes({key: False})[0].effect)
    assert note.warnings[0].kind == "counts-as-false"
    assert note.warnings[0].text == "a boolean is wanted; the number 2 counts as false: write false"
    (cancelled, _) = notes({AL: True, key: 2})
    assert (cancelled.key, cancelled.warnings[0].kind) == (AL, "cancelled")


def test_two_keys_for_one_network() -> None:
    """The last that is enumerated wins, and the order of a dictionary is nobody's promise; equal entries are no trouble."""
    twins = {DOMAINS: {"10/8": {HTTP: True}, "10.0.0.0/8": {}, "11/8": {HTTP: True}}}
    found = {n.domain: n for n in notes(twins)}
    assert {d: n.standing for d, n in found.items()} == {
        "10/8": "unverifiable",
        "10.0.0.0/8": "unverifiable",
        "11/8": "effective",
    }
    assert found["10/8"].warnings[0].kind == "equal-networks"
    assert "10.0.0.0/8" in found["10/8"].reason
    same = {DOMAINS: {"10/8": {HTTP: True}, "10.0.0.0/8": {HTTP: True}}}
    assert {n.standing for n in notes(same)} == {"effective"}


@pytest.mark.parametrize(
    ("domain", "kind", "words"),
    [
        ("10.1.2.3/8", "read-as", "10.0.0.0/8"),
        ("10/8", "read-as", "10.0.0.0/8"),
        ("10.0.0.0/010", "read-as", "10.0.0.0/8"),
        ("2001:db8::1", "address-spelling", "2001:db8::1/128"),
        ("10.0.0.0/8", None, ""),
        ("203.0.113.5", None, ""),
        ("example.com", None, ""),
    ],
)
def test_how_an_address_key_is_read(domain: str, kind: str | None, words: str) -> None:
    """Masked host bits, padded short forms, octal prefixes; exact IPv6 keys compare as text."""
    found = [
        w for n in notes(entry(domain, HTTP=True)) for w in n.warnings if w.kind in ("read-as", "address-spelling")
    ]
    assert [w.kind for w in found] == ([kind] if kind else [])
    assert all(words in w.text for w in found)


def test_what_only_some_versions_read() -> None:
    """With several iOS versions each that does not read a key is named."""
    (note,) = notes(entry("203.0.113.5", HTTP=True), "ios13", "ios15.4", "ios17")
    assert note.standing == "effective"
    text = next(w.text for w in note.warnings if w.kind == "some-versions")
    assert text.startswith("no effect on iOS 13 and iOS 15.4: ")
    (note,) = notes({GLOBAL_NIAP: "FCP_v2.1"}, "ios17", "ios26")
    assert any(w.kind == "some-versions" and "iOS 17" in w.text for w in note.warnings)
    (note,) = notes({PINS: {PLAIN: {"NSPinnedCAIdentities": ()}}}, "ios13")
    assert (note.standing, note.reason) == ("ineffective", "pins are read from iOS 14 on")
    for plain in notes({AL: True, **entry(PFS=False, SUB=True)}, "ios13", "ios26"):
        assert not any(w.kind == "some-versions" for w in plain.warnings)


def test_the_depth_of_subdomains() -> None:
    """Apple's page speaks of one label, Apple's source goes to any depth; nothing keeps a key from a public suffix."""
    kinds = {w.kind for n in notes(entry(SUB=True, HTTP=True)) for w in n.warnings}
    assert "subdomain-depth" in kinds
    assert "public-suffix" not in kinds
    assert any(w.kind == "public-suffix" for n in notes(entry("co.uk", SUB=True, HTTP=True)) for w in n.warnings)
    assert not any(w.kind == "subdomain-depth" for n in notes(entry(SUB=False)) for w in n.warnings)
    deep, one = "b.a.example.com", "a.example.com"
    assert "subdomain-depth" in kinds_of_host(entry(SUB=True, HTTP=True), deep)
    assert "subdomain-depth" not in kinds_of_host(entry(SUB=True, HTTP=True), one)
    assert "subdomain-depth" not in kinds_of_host(entry(SUB=True, HTTP=True), PLAIN)


REVIEW = [
    ({AL: True}, True), ({AL: False}, False), ({WEB: True}, True), ({MED: True}, True), ({MED: False}, False),
    ({LN: True}, False), (entry(HTTP=True), True), (entry(HTTP=1), True), (entry(HTTP=False), False),
    (entry(MIN="TLSv1.0"), True), (entry(MIN="TLSv1.1"), True), (entry(MIN="TLSv1.2"), False), (entry(MIN="TLSv1.3"), False),
    (entry(PFS=False), False), (entry(SUB=True), False), (entry(NIAP="none"), False), ({GLOBAL_NIAP: "none"}, False),
    ({PINS: {}}, False), (entry(CT=False), False), (entry(), False), ({HTTP: True}, False),
    ({DOMAINS: {PLAIN: {AL: True}}}, False),
]  # fmt: skip


@pytest.mark.parametrize(("dictionary", "asks"), REVIEW)
def test_what_app_review_wants_justified(dictionary: Any, asks: bool) -> None:
    """Apple, Preventing insecure network connections: three global keys, http, and a floor lower than 1.2; no other."""
    (note,) = notes(dictionary)
    assert note.wants_justification is asks
    assert any(w.kind == "app-review" for w in note.warnings) is asks


@pytest.mark.parametrize(
    ("pins", "kinds"),
    [
        ({"a.example.com": {"NSPinnedCAIdentities": ()}}, ["pins-block"]),
        ({"a.example.com": {"NSPinnedLeafIdentities": "x"}}, ["pins-block"]),
        ({"a.example.com": {"NSPinnedLeafIdentities": ({"SPKI-SHA256-BASE64": "AAAA"},)}}, ["pins-block"]),
        ({"a.example.com": {"NSPinnedLeafIdentities": ({"SPKI-SHA256-BASE64": "not base64"},)}}, ["pins-block"]),
        ({"a.example.com": {}}, ["pins-ignored"]),
        ({"a.example.com": True}, ["pins-ignored"]),
        ({"*.example.com": {"NSPinnedCAIdentities": ({"SPKI-SHA256-BASE64": "A" * 43 + "="},)}}, ["pins-ignored"]),
        ({"A.Example.Com.": {"NSPinnedCAIdentities": ({"SPKI-SHA256-BASE64": "A" * 43 + "="},)}}, []),
        (
            {"a.example.com": {"NSPinnedCAIdentities": ({"SPKI-SHA256-BASE64": "A" * 43 + "="},), SUB: 1}},
            ["pins-ignored"],
        ),
    ],
)
def test_pins(pins: Any, kinds: list[str]) -> None:
    """A list without a usable hash blocks every chain; a number is no boolean here; case and final dot do no harm."""
    (note,) = notes({PINS: pins})
    assert [w.kind for w in note.warnings] == kinds
    assert note.standing == "effective"
    if "pins-block" in kinds:
        assert "pins-block" in kinds_of_host({PINS: pins}, "a.example.com")
        assert "pins-block" not in kinds_of_host({PINS: pins}, PLAIN)


HOSTS = [
    ({}, "192.168.1.5", "private-address"),
    ({AL: True}, "192.168.1.5", "private-address"),
    ({}, "127.0.0.1", "local-address"),
    ({}, "203.0.113.5", "ip-address"),
    ({}, "x.dev", "always-https"),
    (entry(HTTP=True), "a.example.com", "parent-without-subdomains"),
    ({DOMAINS: {PLAIN: {SUB: True}, "a.example.com": {}}}, "b.a.example.com", "parent-without-subdomains"),
    ({WEB: True}, PLAIN, "freer-elsewhere"),
    ({MED: True}, PLAIN, "freer-elsewhere"),
    (entry("*.example.com", HTTP=True), "a.example.com", "never-matches"),
    (entry("https://example.com", HTTP=True), PLAIN, "never-matches"),
    (entry("EXAMPLE.com", HTTP=True, SUB=True), "b.a.example.com", "never-matches"),
    ({AL: True, WEB: False}, PLAIN, "cancelled"),
    (entry(HTTP=True), PLAIN, "app-review"),
    ({"NSAllowArbitraryLoads": True}, PLAIN, "ignored"),
]  # fmt: skip


@pytest.mark.parametrize(("dictionary", "host", "kind"), HOSTS)
def test_what_concerns_a_host(dictionary: Any, host: str, kind: str) -> None:
    """What somebody who asks about this host should know."""
    assert kind in kinds_of_host(dictionary, host)


@pytest.mark.parametrize(
    ("dictionary", "host"),
    [
        ({LN: True}, "192.168.1.5"),
        ({}, "localhost"),
        ({}, PLAIN),
        (entry(HTTP=True, SUB=True), "other.example.org"),
        (entry(PFS=False), PLAIN),
        ({"NSAllowArbitraryLoads": True, **entry(PFS=False)}, PLAIN),
        (entry("https://example.com", HTTP=True), "www.example.com"),
    ],
)
def test_what_does_not_concern_a_host_is_not_told(dictionary: Any, host: str) -> None:
    """A warning about another host, or about global keys where an entry decides, stays away."""
    assert kinds_of_host(dictionary, host) == set()


def test_ats_off_keeps_the_floor_of_the_linked_sdk() -> None:
    """NSAllowsArbitraryLoads does not bring TLS 1.0 back to an app linked with SDK 26."""
    assert "linked-sdk" in kinds_of_host({AL: True}, PLAIN, sdk="26.0")
    assert "linked-sdk" not in kinds_of_host({AL: True}, PLAIN, sdk="18.5")


def test_system_services_read_no_key() -> None:
    """Every key is told to be without effect, and no host is warned of one."""
    dictionary = {AL: True, **entry(HTTP=True, SUB=True), NIAP: "x"}
    assert {n.standing for n in notes(dictionary, "apple-system-27")} == {"ineffective"}
    assert {n.reason for n in notes(dictionary, "apple-system-27")} == {"no client judged reads an app's exceptions"}
