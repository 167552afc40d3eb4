"""What a declared key does where it is read, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from atsprobe.ats.key_effect import (
    ALLOWS_HTTP,
    ARBITRARY_LOADS,
    FORWARD_SECRECY,
    GLOBAL_NIAP,
    LOCAL_NETWORKING,
    MEDIA,
    MINIMUM_TLS,
    NIAP,
    PINNED_DOMAINS,
    SUBDOMAINS,
    TRANSPARENCY,
    WEB_CONTENT,
)
from atsprobe.ats.values import boolean, is_no_tls_version, niap_mode, tls_version
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import DeclaredKey, PlistValue

_FCP = "TLS 1.2 and later with ECDHE and AES-GCM, the extended master secret, no signature with SHA-1; from iOS 26.4 on"
_LIFTS_FCP = "the package FCP_v2.1 is not in force; from iOS 26.4 on"
_CANCELS = "its presence cancels NSAllowsArbitraryLoads"

_WHEN_TRUE = {
    ALLOWS_HTTP: (
        "http:// is allowed, and code may accept a certificate that Apple's client refuses; the version and the cipher suites "
        "of https:// stay as they are"
    ),
    FORWARD_SECRECY: "writes out what holds anyway",
    SUBDOMAINS: "covers every host below the domain, at any depth",
    TRANSPARENCY: "obsolete: transparency is asked of every certificate under a public root",
    ARBITRARY_LOADS: "ATS is off for every host without an entry in NSExceptionDomains",
    WEB_CONTENT: f"ATS is off in web views for hosts without an entry; {_CANCELS}",
    MEDIA: f"ATS is off for what AVFoundation loads from hosts without an entry; {_CANCELS}",
    LOCAL_NETWORKING: f"unqualified names, .local and addresses of the local network are outside ATS; {_CANCELS}",
}
_WHEN_FALSE = {
    ALLOWS_HTTP: "http:// stays refused",
    FORWARD_SECRECY: (
        "static RSA suites are offered too, and, unless the entry allows http:// as well, before the others: a server that "
        "follows the client's order takes them"
    ),
    SUBDOMAINS: "the entry is for this host alone",
    TRANSPARENCY: "obsolete: transparency is asked of every certificate under a public root",
    ARBITRARY_LOADS: "writes out what holds anyway",
    WEB_CONTENT: f"relaxes nothing; {_CANCELS}",
    MEDIA: f"relaxes nothing; {_CANCELS}",
    LOCAL_NETWORKING: f"ATS holds for local hosts too; {_CANCELS}",
}


def effect(key: DeclaredKey) -> str:
    """Say what a key does where it is read; empty for one that nothing reads.

    Source: Apple, the page of that key; Security source, SecProtocolConfiguration.m and SecProtocolInternal.h.
    """
    name, value = key.key, key.value
    if name is None:
        return "an empty entry: full ATS for the host, whatever the global keys say" if value is None else ""
    if name == MINIMUM_TLS:
        return _floor(value)
    if name in (NIAP, GLOBAL_NIAP):
        mode = niap_mode(value)
        return "" if mode is None else _FCP if mode else _LIFTS_FCP
    if name == PINNED_DOMAINS:
        return "only chains with these keys are accepted; relaxes nothing" if isinstance(value, Mapping) else ""
    truth = boolean(value)
    return "" if truth is None else (_WHEN_TRUE if truth else _WHEN_FALSE).get(name, "")


def _floor(value: PlistValue | None) -> str:
    version = tls_version(value)
    if is_no_tls_version(value):
        return "sets a floor that is no version of TLS; to what effect is not known"
    if version is None:
        return ""
    if version is TlsVersion.TLS_1_2:
        return "writes out what holds anyway"
    if version > TlsVersion.TLS_1_2:
        return f"{version.title} or later; stricter than the default"
    return f"{version.title} or later; the cipher suites stay as they are"
