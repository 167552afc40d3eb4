"""What a declared key does by itself: nothing (and why), something stricter, or a relaxation."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from atsprobe.ats.exception_match import network_of, why_never_matches
from atsprobe.ats.local import Locality, locality
from atsprobe.ats.policy import cancelling_keys
from atsprobe.ats.values import boolean, is_no_tls_version, niap_mode, tls_version
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import AtsDictionary, DeclaredKey, ExceptionEntry, PlistValue
from atsprobe.model.endpoint import InvalidHost, ip_address_of, parse_host
from atsprobe.model.policy import Profile

ALLOWS_HTTP = "NSExceptionAllowsInsecureHTTPLoads"
MINIMUM_TLS = "NSExceptionMinimumTLSVersion"
FORWARD_SECRECY = "NSExceptionRequiresForwardSecrecy"
SUBDOMAINS = "NSIncludesSubdomains"
ARBITRARY_LOADS = "NSAllowsArbitraryLoads"
WEB_CONTENT = "NSAllowsArbitraryLoadsInWebContent"
MEDIA = "NSAllowsArbitraryLoadsForMedia"
LOCAL_NETWORKING = "NSAllowsLocalNetworking"
TRANSPARENCY = "NSRequiresCertificateTransparency"
NIAP = "NSExceptionRequiresNIAPTLSPackageVersion"
GLOBAL_NIAP = "NSRequiresNIAPTLSPackageVersion"
PINNED_DOMAINS = "NSPinnedDomains"

REMOVAL_ORDER = (ALLOWS_HTTP, MINIMUM_TLS, NIAP, FORWARD_SECRECY)
"""The order in which the relaxing keys of one entry are tried."""

_GLOBAL_BOOLEANS = (ARBITRARY_LOADS, WEB_CONTENT, MEDIA, LOCAL_NETWORKING)
_ENTRY_BOOLEANS = (SUBDOMAINS, ALLOWS_HTTP, FORWARD_SECRECY, TRANSPARENCY)
_GLOBAL_KEYS = (*_GLOBAL_BOOLEANS, GLOBAL_NIAP, PINNED_DOMAINS, "NSExceptionDomains")
_ENTRY_KEYS = (*_ENTRY_BOOLEANS, MINIMUM_TLS, NIAP)
_FALSE_IS_NOT_ABSENT = ((True, FORWARD_SECRECY), (False, LOCAL_NETWORKING), (False, WEB_CONTENT), (False, MEDIA))
"""Booleans that do something when they are false, each with whether it stands in a domain's entry."""

_LEGACY = ("NSTemporaryException", "NSThirdPartyException")


def why_ineffective(key: DeclaredKey, dictionary: AtsDictionary, profiles: Sequence[Profile]) -> str | None:
    """Say why a declared key changes nothing for any host on any profile judged; None where it does something."""
    if key.misplaced:
        return "stands outside NSAppTransportSecurity, where nothing reads it"
    if not any(p.reads_exceptions for p in profiles):
        return "no client judged reads an app's exceptions"
    if key.key in (NIAP, GLOBAL_NIAP) and (problem := _niap_problem(key.value, profiles)):
        return problem
    if key.key == PINNED_DOMAINS and not any(p.reads_pins for p in profiles):
        return "pins are read from iOS 14 on"
    if key.domain is None:
        return _why_global_ineffective(key, dictionary)
    return _why_entry_ineffective(key.domain, key, profiles)


def _niap_problem(value: PlistValue | None, profiles: Sequence[Profile]) -> str | None:
    if not any(p.niap_cipher_suites for p in profiles):
        return "read from iOS 26.4 on"
    if not isinstance(value, str):
        return f"a string such as FCP_v2.1 is wanted, not {_type(value)}"
    return None if niap_mode(value) is not None else "no package version that Apple's client knows"


def counts_as_false(key: DeclaredKey) -> str | None:
    """Say that a boolean is written as a number other than 0 and 1, where false does something; None where it is not so.

    Apple's client compares with true, and finds such a number present and false: it gives forward secrecy up, holds local
    hosts to ATS, and cancels NSAllowsArbitraryLoads. Source: Apple Security source, SecProtocolConfiguration.m.
    """
    is_number = isinstance(key.value, int | float) and key.value not in (0, 1)
    if not is_number or key.misplaced or (key.domain is not None, key.key) not in _FALSE_IS_NOT_ABSENT:
        return None
    return f"a boolean is wanted; the number {key.value} counts as false: write false"


def unknown_effect(key: DeclaredKey) -> str | None:
    """Say that what a key does is not known, whatever the server; None where it is."""
    if key.key != MINIMUM_TLS or key.domain is None or not is_no_tls_version(key.value):
        return None
    return f"{key.value} is not a TLS version, and its effect is unknown: write TLSv1.2"


def _why_global_ineffective(key: DeclaredKey, dictionary: AtsDictionary) -> str | None:
    name, value = key.key or "", key.value
    if name in ("NSAppTransportSecurity", "NSExceptionDomains"):
        return f"a dictionary is wanted, not {_type(value)}"
    if name in _GLOBAL_BOOLEANS:
        problem = None if counts_as_false(key) else _boolean_problem(value)
        if problem is not None:
            return problem
        cancelling = cancelling_keys(dictionary)
        if name == ARBITRARY_LOADS and boolean(value) and cancelling:
            return f"cancelled by {' and '.join(cancelling)} beside it"
        return None
    if name == PINNED_DOMAINS and not isinstance(value, Mapping):
        return f"a dictionary is wanted, not {_type(value)}"
    return None if name in _GLOBAL_KEYS else _unknown_key(name, _GLOBAL_KEYS, _ENTRY_KEYS, "in a domain's entry")


def _why_entry_ineffective(domain: str, key: DeclaredKey, profiles: Sequence[Profile]) -> str | None:
    if never := why_never_matches(domain):
        return never
    if key.key is None:
        return None if key.value is None else f"a dictionary is wanted for a domain, not {_type(key.value)}"
    if is_address_key(domain) and all(p.exempts_ip_addresses for p in profiles):
        return "address keys are read from iOS 17 on"
    if key.key == MINIMUM_TLS:
        return _version_problem(key.value)
    if key.key in _ENTRY_BOOLEANS:
        problem = None if counts_as_false(key) else _boolean_problem(key.value)
        if problem is None and key.key == SUBDOMAINS and is_address_key(domain):
            return "has no effect on an address"
        return problem
    return None if key.key in _ENTRY_KEYS else _unknown_key(key.key, _ENTRY_KEYS, _GLOBAL_KEYS, "at the top")


def _boolean_problem(value: PlistValue | None) -> str | None:
    if boolean(value) is None:
        return f"a boolean is wanted, not {_type(value)}; it counts as absent"
    return None if value in (0, 1) else f"a boolean is wanted; the number {value} counts as false, which allows nothing"


def _version_problem(value: PlistValue | None) -> str | None:
    if not isinstance(value, str):
        return f"a string such as TLSv1.2 is wanted, not {_type(value)}; TLSv1.2 holds"
    if tls_version(value) is not None or is_no_tls_version(value):
        return None
    return "no version that Apple's client knows, to the letter TLSv1.0 to TLSv1.3; TLSv1.2 holds"


def _type(value: PlistValue | None) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", bytes: "data", tuple: "an array"}
    return names.get(type(value), "another type" if value is not None else "nothing")


def _unknown_key(name: str, here: Sequence[str], elsewhere: Sequence[str], place: str) -> str:
    if name in elsewhere:
        return f"belongs {place}; nothing reads it here"
    for prefix in _LEGACY:
        if name.startswith(prefix):
            return f"an old spelling that is no longer read; today NSException{name.removeprefix(prefix)}"
    close = difflib.get_close_matches(name[:80], here, n=1, cutoff=0.8)
    return f"no such key; did you mean {close[0]}?" if close else "no such key; nothing reads it"


@lru_cache(maxsize=32)  # asked several times of one key after the other
def is_address_key(domain: str) -> bool:
    """Say whether a key of NSExceptionDomains is an IP address or a network."""
    if network_of(domain) is not None:
        return True
    try:
        return ip_address_of(parse_host(domain)) is not None
    except InvalidHost:
        return False


def is_own_network_key(domain: str) -> bool:
    """Say whether a key is a loopback, link-local or private address or network, whose loads no scan can see."""
    network = network_of(domain)
    try:
        host = parse_host(str(network.network_address) if network is not None else domain)
    except InvalidHost:
        return False
    return locality(host) in (Locality.LOCAL_ADDRESS, Locality.PRIVATE_ADDRESS)


def niap_in_force(dictionary: AtsDictionary, profiles: Sequence[Profile]) -> bool:
    """Say whether the NIAP mode is in force for hosts without a key of their own, on some profile that knows it."""
    declared = niap_mode(dictionary.requires_niap_tls_package_version)
    return any(p.niap_cipher_suites and (p.niap_by_default if declared is None else declared) for p in profiles)


def names_niap_mode(dictionaries: Iterable[AtsDictionary]) -> bool:
    """Say whether some dictionary puts the NIAP mode in force anywhere, so that its hello has to be seen too."""
    values = [v for d in dictionaries for v in (d.requires_niap_tls_package_version, *_entry_modes(d))]
    return any(niap_mode(value) for value in values)


def _entry_modes(dictionary: AtsDictionary) -> Iterable[PlistValue | None]:
    return (entry.requires_niap_tls_package_version for entry in dictionary.entries.values())


def relaxing_keys(domain: str, entry: ExceptionEntry, *, niap: bool = False) -> tuple[str, ...]:
    """Give the keys of an entry that allow more than default ATS, in the order of removal; none where it never matches.

    ``niap``: the NIAP mode is in force elsewhere (`niap_in_force`), so that ``none`` relaxes it.
    """
    if why_never_matches(domain):
        return ()
    version = tls_version(entry.minimum_tls_version)
    relaxes = {
        ALLOWS_HTTP: boolean(entry.allows_insecure_http_loads) is True,
        MINIMUM_TLS: version is not None and version < TlsVersion.TLS_1_2,
        NIAP: niap and niap_mode(entry.requires_niap_tls_package_version) is False,
        FORWARD_SECRECY: boolean(entry.requires_forward_secrecy) is False,
    }
    return tuple(key for key in REMOVAL_ORDER if relaxes[key])


def tightens(entry: ExceptionEntry) -> bool:
    """Say whether an entry writes out something that default ATS asks or exceeds, so that it stays without its relaxations.

    So does one whose floor is no TLS version: what that does is not known, and no relaxation either.
    """
    version = tls_version(entry.minimum_tls_version)
    return (
        boolean(entry.allows_insecure_http_loads) is False
        or boolean(entry.requires_forward_secrecy) is True
        or (version is not None and version >= TlsVersion.TLS_1_2)
        or is_no_tls_version(entry.minimum_tls_version)
        or boolean(entry.requires_certificate_transparency) is not None
        or niap_mode(entry.requires_niap_tls_package_version) is True
    )


def includes_subdomains(domain: str, entry: ExceptionEntry) -> bool:
    """Say whether an entry reaches the hosts below its domain."""
    return boolean(entry.includes_subdomains) is True and not is_address_key(domain)
