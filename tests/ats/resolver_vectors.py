"""Dictionary, host and client → what is demanded: the rows of Apple's documentation and source as data.

``says`` is the sentence that a row proves, in our words, with its source. A demand is written ``on TLSv1.2 ECDHE -``: Apple's
flag (or ``exempt``, or ``contested on``), the floor, ECDHE or RSA beside it, and ``http`` where a clear load goes through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from atsprobe.model.policy import Policy

AL, WEB, MED, LN = (
    "NSAllowsArbitraryLoads",
    "NSAllowsArbitraryLoadsInWebContent",
    "NSAllowsArbitraryLoadsForMedia",
    "NSAllowsLocalNetworking",
)
HTTP, MIN, PFS, SUB, CT, NIAP = (
    "NSExceptionAllowsInsecureHTTPLoads",
    "NSExceptionMinimumTLSVersion",
    "NSExceptionRequiresForwardSecrecy",
    "NSIncludesSubdomains",
    "NSRequiresCertificateTransparency",
    "NSExceptionRequiresNIAPTLSPackageVersion",
)
GLOBAL_NIAP, PINS, DOMAINS = "NSRequiresNIAPTLSPackageVersion", "NSPinnedDomains", "NSExceptionDomains"

ALL = ("ios13", "ios15.4", "ios17", "ios26")
FROM_17 = ("ios17", "ios26")
BEFORE_17 = ("ios13", "ios15.4")
PLAIN = "example.com"

DEFAULT = "on TLSv1.2 ECDHE -"
OFF = "off none RSA http"
EXEMPT = "exempt none RSA http"
HTTP_ALLOWED = "off TLSv1.2 ECDHE http"
NO_PFS = "on TLSv1.2 RSA -"


@dataclass(frozen=True)
class Vector:
    """One row. ``profiles`` are those in which the demand holds."""

    says: str
    dictionary: Any
    host: str
    demand: str
    profiles: tuple[str, ...] = ALL
    sdk: str | None = "18.5"


def demand_of(policy: Policy) -> str:
    """Write a policy as the rows do."""
    flag = "exempt" if policy.exempt else "on" if policy.ats_enforced else "off"
    floor = policy.minimum_tls_version.label if policy.minimum_tls_version else "none"
    words = (flag, floor, "ECDHE" if policy.forward_secrecy_required else "RSA", "http" if policy.http_allowed else "-")
    return " ".join((*(["contested"] if policy.contested else []), *words))


def entry(domain: str = PLAIN, /, **keys: Any) -> dict[str, Any]:
    """Give a dictionary of one exception: ``entry(HTTP=True)`` by the short names of the keys."""
    return {DOMAINS: {domain: {_LONG[k]: v for k, v in keys.items()}}}


_LONG = {"HTTP": HTTP, "MIN": MIN, "PFS": PFS, "SUB": SUB, "CT": CT, "NIAP": NIAP}

_DEFAULTS = "Apple, the table of NSAppTransportSecurity's keys"
OF_DEFAULTS = [
    Vector(f"{_DEFAULTS}: without NSAppTransportSecurity every demand holds", None, PLAIN, DEFAULT),
    Vector(f"{_DEFAULTS}: an empty dictionary changes nothing", {}, PLAIN, DEFAULT),
    Vector("Apple, NSAllowsArbitraryLoads: NO by default", {AL: False}, PLAIN, DEFAULT),
    Vector("Apple, NSAllowsArbitraryLoadsForMedia: NO by default", {MED: False}, PLAIN, DEFAULT),
    Vector("Apple, NSAllowsArbitraryLoadsInWebContent: NO by default", {WEB: False}, PLAIN, DEFAULT),
    Vector("Security source, SecProtocolConfiguration.m: without NSAllowsLocalNetworking local hosts are outside",
           {}, "printer.local", EXEMPT),
    Vector("Apple, NSAllowsLocalNetworking: NO puts ATS on local hosts", {LN: False}, "printer.local", DEFAULT),
    Vector("Apple, NSRequiresNIAPTLSPackageVersion: none by default", {GLOBAL_NIAP: "none"}, PLAIN, DEFAULT),
    Vector("Apple, NSExceptionDomains: empty, it lists nobody", {DOMAINS: {}}, PLAIN, DEFAULT),
    Vector("Apple, NSIncludesSubdomains: NO by default", entry(HTTP=True), "a.example.com", DEFAULT),
    Vector("Apple, NSIncludesSubdomains: NO says the same", entry(HTTP=True, SUB=False), "a.example.com", DEFAULT),
    Vector("Apple, NSExceptionAllowsInsecureHTTPLoads: NO by default", entry(PFS=True), PLAIN, DEFAULT),
    Vector("Apple, NSExceptionMinimumTLSVersion: TLSv1.2 by default", entry(HTTP=False), PLAIN, DEFAULT),
    Vector("Apple, NSExceptionRequiresForwardSecrecy: YES by default", entry(HTTP=False, MIN="TLSv1.2"), PLAIN, DEFAULT),
    Vector("Apple, NSRequiresCertificateTransparency: obsolete", entry(CT=True), PLAIN, DEFAULT),
    Vector("Apple, NSRequiresCertificateTransparency: obsolete, NO as well", entry(CT=False), PLAIN, DEFAULT),
    Vector("Apple, NSExceptionRequiresNIAPTLSPackageVersion: inherits", entry(NIAP="none"), PLAIN, DEFAULT),
    Vector("Apple, NSPinnedDomains: no relaxation", {PINS: {PLAIN: {"NSPinnedCAIdentities": ()}}}, PLAIN, DEFAULT),
    *(
        Vector("Security source, SecProtocolConfiguration.m: the old names are not read", {DOMAINS: {PLAIN: {key: value}}},
               PLAIN, DEFAULT)
        for prefix in ("NSTemporaryException", "NSThirdPartyException")
        for key, value in (
            (f"{prefix}AllowsInsecureHTTPLoads", True),
            (f"{prefix}MinimumTLSVersion", "TLSv1.0"),
            (f"{prefix}RequiresForwardSecrecy", False),
        )
    ),
]  # fmt: skip

_AL = "Apple, NSAllowsArbitraryLoads"
OF_ARBITRARY_LOADS = [
    Vector(f"{_AL}: disables ATS for every host not listed", {AL: True}, PLAIN, OFF),
    Vector(f"{_AL}: disables ATS for every host not listed", {AL: True, DOMAINS: {"other.org": {}}}, PLAIN, OFF),
    Vector(f"{_AL}: a listed host keeps ATS, by an empty entry too", {AL: True, **entry()}, PLAIN, DEFAULT),
    Vector("Apple, NSExceptionDomains: what the entry says holds, not the global key", {AL: True, **entry(PFS=False)},
           PLAIN, NO_PFS),
    Vector(f"{_AL}: an entry reaching down keeps ATS below it", {AL: True, **entry(SUB=True)}, "a.example.com", DEFAULT),
    Vector(f"{_AL}: an entry not reaching down leaves it off below", {AL: True, **entry()}, "a.example.com", OFF),
    *(
        Vector(f"{_AL}: ignored on iOS 10 and later where {key} is there, be it {value!r}", {AL: True, key: value}, PLAIN,
               DEFAULT)
        for key in (MED, WEB, LN)
        for value in (True, False, 0, 1, 2)
    ),
    *(
        Vector(f"Security source, ATS_VALUE_FOR_KEY (18.5): a {type(value).__name__} counts as absent, and cancels nothing",
               {AL: True, key: value}, PLAIN, OFF)
        for key in (MED, WEB, LN)
        for value in ("NO", "YES", (), {}, b"")
    ),
    Vector(f"{_AL}: local hosts are outside anyway", {AL: True}, "localhost", EXEMPT),
    Vector("ATS is off for a private address either way", {AL: True}, "192.168.1.5", f"contested {OFF}", FROM_17),
]  # fmt: skip

OF_WEB_AND_MEDIA = [
    Vector("Apple, NSAllowsArbitraryLoadsInWebContent: for web views, not for URLSession", {WEB: True}, PLAIN, DEFAULT),
    Vector("Apple, NSAllowsArbitraryLoadsForMedia: for AVFoundation, not for URLSession", {MED: True}, PLAIN, DEFAULT),
    Vector("Apple, NSAllowsArbitraryLoadsInWebContent: listed domains keep their entry", {WEB: True, **entry(PFS=False)},
           PLAIN, NO_PFS),
]  # fmt: skip

_LN = "Apple, NSAllowsLocalNetworking"
OF_LOCAL_NETWORKING = [
    Vector(f"{_LN}: touches no public name", {LN: True}, PLAIN, DEFAULT),
    Vector(f"{_LN}: touches no public name", {LN: False}, PLAIN, DEFAULT),
    Vector(f"{_LN}: 100.64.0.0/10 is public, whatever the key says", {LN: True}, "100.64.0.1", DEFAULT, FROM_17),
    Vector(f"{_LN}: touches no public address", {LN: True}, "203.0.113.5", DEFAULT, FROM_17),
    *(Vector(f"{_LN}: YES leaves local hosts outside", {LN: True}, host, EXEMPT)
      for host in ("localhost", "printer", "printer.local")),
    *(Vector(f"{_LN}: YES leaves local addresses outside", {LN: True}, host, EXEMPT, FROM_17)
      for host in ("127.0.0.1", "::1", "fe80::1", "192.168.1.5", "10.0.0.1", "172.16.0.1", "fd00::1")),
    *(Vector(f"{_LN}: before iOS 17 NO touches no public address", {LN: False}, host, EXEMPT, BEFORE_17)
      for host in ("203.0.113.5", "100.64.0.1", "2001:db8::1")),
    *(Vector(f"{_LN}: NO enforces ATS locally", {LN: False}, host, DEFAULT)
      for host in ("localhost", "x.local", "127.0.0.1", "::1", "fe80::1", "192.168.1.5", "fd00::1")),
    *(Vector("reports from apps contradict each other about private addresses without a key", {}, host,
             f"contested {DEFAULT}", FROM_17)
      for host in ("192.168.1.5", "10.0.0.1", "172.31.255.255", "fd00::1")),
    Vector(f"{_LN}: a number that is not 1 is present and false", {LN: 2}, "x.local", DEFAULT),
    Vector(f"{_LN}: another type is absent", {LN: "NO"}, "x.local", EXEMPT),
]  # fmt: skip

_HTTP = "Apple, NSExceptionAllowsInsecureHTTPLoads"
OF_INSECURE_LOADS = [
    Vector(f"{_HTTP}: allows http", entry(HTTP=True), PLAIN, HTTP_ALLOWED),
    Vector(f"{_HTTP}: changes neither the TLS nor the forward secrecy requirements", entry(HTTP=True, MIN="TLSv1.3"),
           PLAIN, "off TLSv1.3 ECDHE http"),
    Vector(f"{_HTTP}: each key stands for itself", entry(HTTP=True, PFS=False), PLAIN, "off TLSv1.2 RSA http"),
    Vector(f"{_HTTP}: NO restates the default", entry(HTTP=False), PLAIN, DEFAULT),
]  # fmt: skip

_PFS = "Apple, NSExceptionRequiresForwardSecrecy"
OF_FORWARD_SECRECY = [
    Vector(f"{_PFS}: NO allows static RSA, and leaves the version", entry(PFS=False), PLAIN, NO_PFS),
    Vector(f"{_PFS}: YES restates the default", entry(PFS=True), PLAIN, DEFAULT),
    Vector(f"{_PFS}: versions are for the other key", entry(PFS=False, MIN="TLSv1.0"), PLAIN, "on TLSv1.0 RSA -"),
]

_MIN = "Apple, NSExceptionMinimumTLSVersion"
_LETTER = "Security source, protocol_string_to_version: to the letter, else TLS 1.2"
OF_MINIMUM_VERSION = [
    *(Vector(f"{_MIN}: {v} is legal", entry(MIN=v), PLAIN, f"on {v} ECDHE -")
      for v in ("TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")),
    *(Vector(_LETTER, entry(MIN=v), PLAIN, DEFAULT)
      for v in ("TLSV1.3", "tlsv1.0", "TLSv1.4", "TLSv1.00", "1.2", "1.0", "SSLv3.0", "SSLv3", "TLS1.0", " TLSv1.0",
                "TLSv1.0 ", "")),
    *(Vector("Security source: a value that is no string is the default", entry(MIN=v), PLAIN, DEFAULT)
      for v in (13, 1.0, 1, True, b"TLSv1.0", ("TLSv1.0",), {"TLSv1.0": True})),
    *(Vector(f"{_MIN}: independent of the suites", entry(MIN=v, PFS=False), PLAIN, f"on {v} RSA -")
      for v in ("TLSv1.0", "TLSv1.3")),
    Vector("Apple, iOS 26 release notes (135996267): only the default floor moved, the key is still handed down",
           entry(MIN="TLSv1.0"), PLAIN, "on TLSv1.0 ECDHE -", ("ios26",), "26.0"),
]  # fmt: skip

OF_VERSIONS = [
    *(Vector("Apple, NSAllowsLocalNetworking: iOS 10 to 16 leave every IP address outside", {}, host, EXEMPT, BEFORE_17)
      for host in ("203.0.113.5", "2001:db8::1", "192.168.1.5", "127.0.0.1", "::1")),
    *(Vector("Apple, NSAllowsLocalNetworking: iOS 17 enforces ATS for IP addresses", {}, host, DEFAULT, FROM_17)
      for host in ("203.0.113.5", "2001:db8::1", "8.8.8.8", "100.64.0.1", "fe00::1")),
    Vector("Apple, NSExceptionDomains: address keys from iOS 17 on", entry("203.0.113.5", HTTP=True), "203.0.113.5",
           HTTP_ALLOWED, FROM_17),
    Vector("Apple, NSExceptionDomains: before iOS 17 they are no keys", entry("203.0.113.5", HTTP=False), "203.0.113.5",
           EXEMPT, BEFORE_17),
    Vector("Apple, NSExceptionDomains: CIDR keys from iOS 17 on", entry("203.0.113.0/24", HTTP=True), "203.0.113.5",
           HTTP_ALLOWED, FROM_17),
    Vector("Security source 61901: a NSExceptionDomains that is no dictionary leaves the global keys",
           {AL: True, DOMAINS: ("example.com",)}, PLAIN, OFF),
    Vector("Security source (18.5): an entry that is no dictionary is skipped, the others are read",
           {DOMAINS: {"bad.org": True, PLAIN: {HTTP: True}}}, PLAIN, HTTP_ALLOWED),
    Vector("Security source (18.5): an entry that is no dictionary is no entry", {AL: True, DOMAINS: {PLAIN: "x"}}, PLAIN, OFF),
    Vector("Security source (18.5): a value of the wrong type is ignored", entry(HTTP="YES", PFS=False), PLAIN, NO_PFS),
    *(Vector("Apple, iOS 13.3 release notes (56247242): .dev and .app are loaded as https; what the key says stays",
             entry(host, HTTP=True), host, HTTP_ALLOWED) for host in ("x.dev", "x.app")),
    Vector("Apple support 126655: system processes read no plist of yours", {AL: True, **entry(HTTP=True)}, PLAIN, DEFAULT,
           ("apple-system-27",)),
    Vector("Apple, NSRequiresNIAPTLSPackageVersion: on top of ATS", {GLOBAL_NIAP: "FCP_v2.1"}, PLAIN, DEFAULT),
    Vector("Apple, NSRequiresNIAPTLSPackageVersion: unknown before 26.4", {GLOBAL_NIAP: "FCP_v2.1", **entry(PFS=False)}, PLAIN,
           NO_PFS, ("ios13", "ios15.4", "ios17")),
    Vector("Apple, NSRequiresNIAPTLSPackageVersion: the package asks for ECDHE", {GLOBAL_NIAP: "FCP_v2.1", **entry(PFS=False)},
           PLAIN, DEFAULT, ("ios26", "fcp21")),
    Vector("Apple, NSExceptionRequiresNIAPTLSPackageVersion: none carves a host out",
           {GLOBAL_NIAP: "FCP_v2.1", **entry(PFS=False, NIAP="none")}, PLAIN, NO_PFS, ("ios26", "fcp21")),
]  # fmt: skip

_TESTS = "Security source, SecProtocolConfigurationTest.m"
_MIXED = {
    AL: True,
    DOMAINS: {
        "neverssl.com": {HTTP: False, MIN: "TLSv1.3", PFS: True},
        "google.com": {HTTP: True, MIN: "TLSv1.3", PFS: True},
        "youtube.com": {PFS: True},
        "myhost.local": {HTTP: False, PFS: True},
    },
}
_NESTED = {
    DOMAINS: {
        "example.com": {HTTP: True, SUB: True},
        "subhostname.example.com": {HTTP: False, SUB: False, MIN: "TLSv1.3"},
        "another.subhostname.example.com": {HTTP: False, MIN: "TLSv1.1"},
    },
}
OF_RESOLUTION = [
    Vector(f"{_TESTS}: no entry, so the global key", _MIXED, "example.com", OFF),
    Vector(f"{_TESTS}: an entry that tightens", _MIXED, "neverssl.com", "on TLSv1.3 ECDHE -"),
    Vector(f"{_TESTS}: http, and a floor of its own", _MIXED, "google.com", "off TLSv1.3 ECDHE http"),
    Vector(f"{_TESTS}: an entry that restates", _MIXED, "youtube.com", DEFAULT),
    Vector(f"{_TESTS}: an entry puts ATS on a local host", _MIXED, "myhost.local", DEFAULT),
    Vector(f"{_TESTS}: the exact entry", _NESTED, "example.com", HTTP_ALLOWED),
    Vector(f"{_TESTS}: the exact entry before the one above", _NESTED, "subhostname.example.com", "on TLSv1.3 ECDHE -"),
    Vector(f"{_TESTS}: the exact entry, three deep", _NESTED, "another.subhostname.example.com", "on TLSv1.1 ECDHE -"),
    Vector(f"{_TESTS}: entries that do not reach down are skipped on the way up", _NESTED,
           "test.another.subhostname.example.com", HTTP_ALLOWED),
    *(Vector(f"{_TESTS}: NSAllowsLocalNetworking NO, {host}", {LN: False}, host, DEFAULT)
      for host in ("localhost", "x.local")),
    *(Vector(f"{_TESTS}: no key, {host} is direct", {}, host, EXEMPT)
      for host in ("localhost", "x.local", "127.0.0.1", "::1", "fe80::1")),
    *(Vector(f"{_TESTS}: no key, {host} is not direct", {}, host, DEFAULT, FROM_17)
      for host in ("203.0.113.1", "fe00::1", "2001:db8::1")),
    *(Vector(f"{_TESTS}: {value!r} is not true", {AL: value}, PLAIN, DEFAULT)
      for value in (2, "YES", "1", -1, 0.5)),
    *(Vector(f"{_TESTS}: another global key cancels", {AL: True, key: value}, PLAIN, DEFAULT)
      for key, value in ((WEB, False), (MED, False), (LN, True))),
    Vector("Apple, NSExceptionDomains: entries never merge",
           {DOMAINS: {PLAIN: {SUB: True, HTTP: True, PFS: False}, "a.example.com": {MIN: "TLSv1.1"}}}, "a.example.com",
           "on TLSv1.1 ECDHE -"),
    Vector("Apple, NSExceptionDomains: the nearest that reaches down",
           {DOMAINS: {PLAIN: {SUB: True, HTTP: True}, "b.example.com": {SUB: True, PFS: False}}}, "a.b.example.com", NO_PFS),
    Vector("the exact entry needs no NSIncludesSubdomains", entry(HTTP=True, SUB=False), PLAIN, HTTP_ALLOWED),
    Vector("Security source: any depth, where Apple's page speaks of one label", entry(HTTP=True, SUB=True),
           "a.b.c.d.example.com", HTTP_ALLOWED),
    Vector("Apple, NSIncludesSubdomains: one label", entry(HTTP=True, SUB=True), "math.example.com", HTTP_ALLOWED),
    Vector("a name is no subdomain because its letters end alike", entry(HTTP=True, SUB=True), "notexample.com", DEFAULT),
    Vector("nothing keeps an entry from a public suffix", entry("com", HTTP=True, SUB=True), "a.example.com", HTTP_ALLOWED),
    Vector("an empty entry is full ATS on a local name", entry("localhost"), "localhost", DEFAULT),
    Vector("an empty entry is full ATS on a local address", entry("127.0.0.1"), "127.0.0.1", DEFAULT, FROM_17),
    Vector("an entry without a key that is read is an entry all the same",
           {DOMAINS: {"localhost": {"NSTemporaryExceptionAllowsInsecureHTTPLoads": True}}}, "localhost", DEFAULT),
    *(Vector(f"Security source, register_builtin_exceptions: {host}", {}, host, f"off {floor} RSA http")
      for host, floor in (
          ("apple.com", "TLSv1.2"), ("captive.apple.com", "TLSv1.2"), ("setup.icloud.com", "TLSv1.2"),
          ("ls.apple.com", "TLSv1.0"), ("gs.apple.com", "TLSv1.0"), ("x.geo.apple.com", "TLSv1.0"),
          ("is.autonavi.com", "TLSv1.0"), ("a.apple-mapkit.com", "TLSv1.0"),
      )),
    Vector("Security source, register_builtin_exceptions: icloud.com itself has none", {}, "icloud.com", DEFAULT),
    Vector("an app's entry of the same name takes the place of a built-in one", entry("apple.com"), "apple.com", DEFAULT),
    Vector("so do the hosts below it", entry("apple.com"), "www.apple.com", DEFAULT),
]  # fmt: skip

_CIDR = "Security source, _find_cidr_exception"
_NETWORKS = {
    DOMAINS: {
        "203.0.113.0/24": {HTTP: True},
        "203.0.113.128/25": {HTTP: False},
        "203.0.113.200": {PFS: False},
        "2001:db8::/32": {HTTP: True},
        "example.com": {SUB: True, HTTP: True},
    }
}
OF_ADDRESSES = [
    Vector(f"{_CIDR}: a network covers", _NETWORKS, "203.0.113.5", HTTP_ALLOWED, FROM_17),
    Vector(f"{_CIDR}: the longer prefix, whose text of 13 characters fits", _NETWORKS, "203.0.113.129", DEFAULT, FROM_17),
    Vector(f"{_CIDR}: text of 14 characters does not fit the buffer, so that /25 is not read",
           {DOMAINS: {"198.51.100.0/24": {HTTP: True}, "198.51.100.128/25": {}}}, "198.51.100.129", HTTP_ALLOWED, FROM_17),
    Vector(f"{_CIDR}: the exact literal comes first", _NETWORKS, "203.0.113.200", NO_PFS, FROM_17),
    Vector(f"{_CIDR}: IPv6 networks", _NETWORKS, "2001:db8:1::5", HTTP_ALLOWED, FROM_17),
    Vector(f"{_CIDR}: the longest prefix decides", {DOMAINS: {"10.0.0.0/8": {HTTP: True}, "10.1.0.0/16": {}}}, "10.1.2.3",
           DEFAULT, FROM_17),
    Vector(f"{_CIDR}: the longest prefix, in any order", {DOMAINS: {"10.1.0.0/16": {}, "10.0.0.0/8": {HTTP: True}}},
           "10.1.2.3", DEFAULT, FROM_17),
    Vector(f"{_CIDR}: a more specific network takes http away, from loopback too",
           {DOMAINS: {"0.0.0.0/0": {HTTP: True}, "127.0.0.0/8": {HTTP: False}}}, "127.0.0.1", DEFAULT, FROM_17),
    Vector(f"{_CIDR}: 0.0.0.0/0 is legal", entry("0.0.0.0/0", HTTP=True), "198.51.100.1", HTTP_ALLOWED, FROM_17),
    Vector(f"{_CIDR}: ::/0 is legal", entry("::/0", HTTP=True), "2001:db8::1", HTTP_ALLOWED, FROM_17),
    Vector(f"{_CIDR}: IPv4 and IPv6 are kept apart", entry("0.0.0.0/0", HTTP=True), "2001:db8::1", DEFAULT, FROM_17),
    Vector(f"{_CIDR}: IPv6 and IPv4 are kept apart", entry("::/0", HTTP=True), "198.51.100.1", DEFAULT, FROM_17),
    Vector(f"{_CIDR}: host bits are masked", entry("10.1.2.3/8", HTTP=True), "10.9.9.9", HTTP_ALLOWED, FROM_17),
    Vector(f"{_CIDR}: short forms are padded", entry("10/8", HTTP=True), "10.9.9.9", HTTP_ALLOWED, FROM_17),
    Vector(f"{_CIDR}: a leading zero makes the prefix octal", entry("10.0.0.0/010", HTTP=True), "10.9.9.9", HTTP_ALLOWED,
           FROM_17),
    Vector("Security source, cidr_string_to_subnet_and_mask: a digit that is not octal ends the prefix, so that 08 is 0",
           entry("10.0.0.0/08", HTTP=True), "198.51.100.1", HTTP_ALLOWED, FROM_17),
    Vector("Security source, cidr_string_to_subnet_and_mask: no x in a prefix", entry("203.0.113.0/0x18", HTTP=True),
           "203.0.113.5", DEFAULT, FROM_17),
    Vector("Security source, cidr_string_to_subnet_and_mask: a hexadecimal letter is IPv6, without a colon too",
           entry("fd00/8", HTTP=True), "fd00::1", HTTP_ALLOWED, FROM_17),
    Vector(f"{_CIDR}: a short IPv6 network is padded", entry("2001:db8/32", HTTP=True), "2001:db8::1", HTTP_ALLOWED, FROM_17),
    *(Vector(f"{_CIDR}: {key} is no network", entry(key, HTTP=True), host, DEFAULT, FROM_17)
      for key, host in (
          ("203.0.113.0/33", "203.0.113.5"), ("203.0.113.0/-1", "203.0.113.5"), ("2001:db8::/129", "2001:db8::1"),
          ("fe80::%en0/64", "2001:db8::1"), ("203.0.113.0/", "203.0.113.5"), ("/24", "203.0.113.5"),
          ("198.51.100.128/25", "198.51.100.130"), ("203.0.113.0/24/24", "203.0.113.5"),
          ("::ffff:203.0.113.5/128", "::ffff:cb00:7105"),
      )),
    Vector("Apple, NSExceptionDomains: a name never matches an address key", entry("203.0.113.0/24", HTTP=True), PLAIN, DEFAULT),
    Vector("Apple, NSExceptionDomains: an address never matches a name's key",
           {DOMAINS: {"5": {SUB: True, HTTP: True}, "113.5": {SUB: True, HTTP: True}}}, "203.0.113.5", DEFAULT, FROM_17),
    Vector("Apple, NSIncludesSubdomains: no effect on an address", entry("203.0.113.5", HTTP=True, SUB=True), "203.0.113.6",
           DEFAULT, FROM_17),
    Vector("Security source, find_exception_for_address: exact keys compare text", entry("2001:DB8::1", HTTP=True),
           "2001:db8::1", DEFAULT, FROM_17),
    Vector("a network key takes any spelling", entry("2001:DB8::1/128", HTTP=True), "2001:db8::1", HTTP_ALLOWED, FROM_17),
    Vector("an address key settles what is contested", entry("192.168.0.0/16", HTTP=True), "192.168.1.5", HTTP_ALLOWED, FROM_17),
    *(Vector("Apple, NSAllowsLocalNetworking: unqualified names and .local are outside on iOS 10 and later", {}, host, EXEMPT)
      for host in ("localhost", "printer", "printer.local", "a.b.local")),
]  # fmt: skip

OF_NAMES_AND_TYPES = [
    *(Vector(f"Apple, NSExceptionDomains: {key} never matches", entry(key, HTTP=True, SUB=True), PLAIN, DEFAULT)
      for key in ("EXAMPLE.COM", "Example.com", "*.example.com", "example.com:443", "https://example.com",
                  "http://example.com/", "example.com.", ".example.com", "example.com/", " example.com")),
    Vector("an exception matches names in A-labels alone", entry("bücher.example", HTTP=True), "xn--bcher-kva.example", DEFAULT),
    Vector("the A-label matches", entry("xn--bcher-kva.example", HTTP=True), "xn--bcher-kva.example", HTTP_ALLOWED),
    Vector("a host is compared in lower case", entry(HTTP=True), "EXAMPLE.com", HTTP_ALLOWED),
    *(Vector(f"Security source, BOOLEAN_FOR_KEY: {value!r} is true", entry(HTTP=value), PLAIN, HTTP_ALLOWED)
      for value in (True, 1, 1.0)),
    *(Vector(f"Security source, BOOLEAN_FOR_KEY: {value!r} is not true", entry(HTTP=value), PLAIN, DEFAULT)
      for value in (False, 0, 2, -1, "YES", "true", "1", b"\1", (True,), {"YES": True})),
    *(Vector(f"Security source, BOOLEAN_FOR_KEY: {value!r} is false", entry(PFS=value), PLAIN, NO_PFS)
      for value in (False, 0, 0.0, 2)),
    *(Vector(f"Security source, ATS_VALUE_FOR_KEY: {value!r} is absent", entry(PFS=value), PLAIN, DEFAULT)
      for value in ("NO", "false", "0", (), {})),
    Vector("NSAppTransportSecurity that is no dictionary counts as absent", ("x",), PLAIN, DEFAULT),
    Vector("NSAppTransportSecurity that is no dictionary counts as absent", "YES", PLAIN, DEFAULT),
    *(Vector(f"{key} is a key that nothing reads", {key: True}, PLAIN, DEFAULT)
      for key in ("NSAllowArbitraryLoads", "nsallowsarbitraryloads", "NSAllowsArbitraryLoads ", HTTP)),
    *(Vector(f"{key} is nothing in an entry", {DOMAINS: {PLAIN: {key: True}}}, PLAIN, DEFAULT)
      for key in ("NSExceptionAllowsLocalNetworking", "NSAllowsArbitraryLoads", "NSExceptionAllowInsecureHTTPLoads")),
]  # fmt: skip

SECTIONS: dict[str, list[Vector]] = {
    "defaults": OF_DEFAULTS,
    "NSAllowsArbitraryLoads": OF_ARBITRARY_LOADS,
    "web and media": OF_WEB_AND_MEDIA,
    "NSAllowsLocalNetworking": OF_LOCAL_NETWORKING,
    "NSExceptionAllowsInsecureHTTPLoads": OF_INSECURE_LOADS,
    "NSExceptionRequiresForwardSecrecy": OF_FORWARD_SECRECY,
    "NSExceptionMinimumTLSVersion": OF_MINIMUM_VERSION,
    "iOS versions": OF_VERSIONS,
    "resolution": OF_RESOLUTION,
    "addresses": OF_ADDRESSES,
    "names and types": OF_NAMES_AND_TYPES,
}
