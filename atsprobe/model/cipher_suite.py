"""TLS versions and what the IANA name of a cipher suite tells."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

LeafKind = Literal["RSA", "ECDSA", "other"]
"""The kind of key by which a leaf authenticates a server. EdDSA leaves serve under ECDSA suites (RFC 8422 §5.10)."""


class TlsVersion(IntEnum):
    """A protocol version, ordered; the value is its code point (SSL 2: 0x0002), `label` its name in plists and JSON."""

    SSL_2_0 = 0x0002
    SSL_3_0 = 0x0300
    TLS_1_0 = 0x0301
    TLS_1_1 = 0x0302
    TLS_1_2 = 0x0303
    TLS_1_3 = 0x0304

    @property
    def label(self) -> str:
        """The spelling of Apple's NSExceptionMinimumTLSVersion: ``TLSv1.2``; SSL as ``SSLv3``."""
        return _LABELS[self]

    @property
    def title(self) -> str:
        """The name for people: ``TLS 1.2``."""
        return _LABELS[self].replace("v", " ")

    @classmethod
    def from_label(cls, label: str) -> TlsVersion:
        """Read `label` back, to the letter. Raises KeyError for any other text."""
        return _BY_LABEL[label]


_LABELS = {
    TlsVersion.SSL_2_0: "SSLv2",
    TlsVersion.SSL_3_0: "SSLv3",
    TlsVersion.TLS_1_0: "TLSv1.0",
    TlsVersion.TLS_1_1: "TLSv1.1",
    TlsVersion.TLS_1_2: "TLSv1.2",
    TlsVersion.TLS_1_3: "TLSv1.3",
}
_BY_LABEL = {label: version for version, label in _LABELS.items()}
_AEAD_OR_SHA2 = ("_GCM_SHA256", "_GCM_SHA384", "_CBC_SHA256", "_CBC_SHA384", "_POLY1305_SHA256", "_CCM", "_CCM_8")


def is_tls_1_3_suite(name: str) -> bool:
    """Say whether a suite belongs to TLS 1.3 (RFC 8446 B.4: its name has no key exchange before ``WITH``)."""
    return name.startswith("TLS_") and "_WITH_" not in name


def is_ssl_2_suite(name: str) -> bool:
    """Say whether a suite is one of SSL 2's own (``SSL_CK_…``)."""
    return name.startswith("SSL_CK_")


def usable(suite: str, version: TlsVersion) -> bool:
    """Say whether a version can negotiate a suite: AEAD and SHA-2 MACs need TLS 1.2 (RFC 5246 §1.2, RFC 5288 §4)."""
    if version is TlsVersion.TLS_1_3:
        return is_tls_1_3_suite(suite)
    if version is TlsVersion.SSL_2_0:
        return is_ssl_2_suite(suite)
    if is_tls_1_3_suite(suite) or is_ssl_2_suite(suite):
        return False
    return version is TlsVersion.TLS_1_2 or not (suite.endswith(_AEAD_OR_SHA2) or suite == "TLS_RSA_WITH_NULL_SHA256")


def has_forward_secrecy_by_ecdhe(suite: str) -> bool:
    """Say whether the key exchange is ephemeral elliptic-curve Diffie-Hellman, as in every TLS 1.3 suite."""
    return suite.startswith("TLS_ECDHE_") or is_tls_1_3_suite(suite)


def is_static_rsa(suite: str) -> bool:
    """Say whether the client encrypts the key to the server's RSA key, without forward secrecy."""
    return suite.startswith("TLS_RSA_WITH_")


def leaf_kind(suite: str) -> LeafKind | None:
    """Say what kind of leaf a suite wants (RFC 5246 §7.4.2), by its name; None under TLS 1.3, whose suites leave it open."""
    if is_tls_1_3_suite(suite):
        return None
    if "_ECDSA_" in suite or suite.startswith("TLS_ECDH_RSA_"):  # whose leaf holds an ECDH key, signed with RSA
        return "ECDSA"
    return "RSA" if suite.startswith(("TLS_RSA_", "TLS_DHE_RSA_", "TLS_ECDHE_RSA_")) else "other"
