"""A certificate as a server sent it: its DER, and the facts read off it."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID, PublicKeyAlgorithmOID

T = TypeVar("T")


class UnreadableCertificate(ValueError):
    """Says that a DER certificate cannot be parsed, and why."""


UNREADABLE: tuple[type[Exception], ...] = (
    ValueError,
    TypeError,
    KeyError,  # an ASN.1 string type that its table does not know
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What cryptography raises when it is asked for a part of a certificate that it cannot read; the last three are no ValueError."""


@dataclass(frozen=True)
class Certificate:
    """An X.509 certificate (RFC 5280), held as DER; equal by its bytes. Facts are parsed when first asked for.

    Every property raises UnreadableCertificate where that part of the DER cannot be read.
    """

    der: bytes

    @cached_property
    def parsed(self) -> x509.Certificate:
        """The certificate as cryptography reads it."""
        try:
            # A serial number of 0, say, is the server's doing, and no news for our user.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", CryptographyDeprecationWarning)
                return x509.load_der_x509_certificate(self.der)
        except UNREADABLE as error:
            raise UnreadableCertificate(str(error)[:200]) from error

    @cached_property
    def sha256(self) -> str:
        """The fingerprint: SHA-256 over the DER, lower-case hexadecimal."""
        return hashlib.sha256(self.der).hexdigest()

    @cached_property
    def spki_sha256(self) -> bytes:
        """SHA-256 over the DER SubjectPublicKeyInfo (32 bytes), as NSPinnedDomains and RFC 7469 pin it."""
        key = read_off(lambda: self.parsed.public_key())
        return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()

    @cached_property
    def subject(self) -> str:
        """The subject as RFC 4514 text, unescaped for no output: it comes from the server."""
        return read_off(lambda: self.parsed.subject.rfc4514_string())

    @cached_property
    def issuer(self) -> str:
        """The issuer as RFC 4514 text."""
        return read_off(lambda: self.parsed.issuer.rfc4514_string())

    @cached_property
    def short_name(self) -> str:
        """The subject's common name, else its whole text."""
        names = read_off(lambda: self.parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME))
        return str(names[0].value) if names else self.subject

    @cached_property
    def key_type(self) -> str:
        """``RSA``, ``DSA``, ``Ed25519``, ``Ed448``, or the curve of an EC key (``P-256``, ``secp256k1`` …); else ``unknown``."""
        parsed = self.parsed
        try:
            key = parsed.public_key()
        except UNREADABLE:
            return "unknown"
        if isinstance(key, ec.EllipticCurvePublicKey):
            return _NIST_CURVES.get(key.curve.name, key.curve.name)
        for kind, name in _KEY_TYPES:
            if isinstance(key, kind):
                return name
        return "unknown"

    @cached_property
    def key_bits(self) -> int:
        """The size of the key in bits; 0 where the kind of key is unknown."""
        if self.key_type == "unknown":
            return 0
        key = self.parsed.public_key()
        return {"Ed25519": 256, "Ed448": 456}.get(self.key_type) or int(getattr(key, "key_size", 0))

    @property
    def has_plain_rsa_key(self) -> bool:
        """Whether the key is an RSA key for every use (rsaEncryption), and not for RSASSA-PSS alone; no where it is unknown."""
        try:
            return read_off(lambda: self.parsed.public_key_algorithm_oid) == PublicKeyAlgorithmOID.RSAES_PKCS1_v1_5
        except UnreadableCertificate:
            return False

    @property
    def is_elliptic_curve(self) -> bool:
        """Whether the key is an ECDSA key (Ed25519 and Ed448 are not)."""
        return isinstance(read_off(lambda: self.parsed.public_key()), ec.EllipticCurvePublicKey)

    @cached_property
    def signature_hash(self) -> str:
        """The hash of the signature on it: ``SHA-256``, ``SHA-1``, ``MD5``; ``none`` for Ed25519 and Ed448; else ``unknown``."""
        parsed = self.parsed
        try:
            algorithm = parsed.signature_hash_algorithm
        except UNREADABLE:
            return _OLD_HASHES.get(parsed.signature_algorithm_oid.dotted_string, "unknown")
        if algorithm is None:
            return "none"
        name = algorithm.name.upper()
        return name if name.startswith(("MD", "SM", "SHA3-")) else name.replace("SHA", "SHA-")

    @cached_property
    def not_before(self) -> datetime:
        """The first second of validity, UTC."""
        return read_off(lambda: self.parsed.not_valid_before_utc)

    @cached_property
    def not_after(self) -> datetime:
        """The last second of validity, UTC."""
        return read_off(lambda: self.parsed.not_valid_after_utc)

    @cached_property
    def subject_alt_names(self) -> tuple[str, ...]:
        """The dNSNames, then the iPAddresses as text; empty where the extension is absent or unreadable."""
        try:
            names = self.parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            return (
                *names.get_values_for_type(x509.DNSName),
                *(str(ip) for ip in names.get_values_for_type(x509.IPAddress)),
            )
        except x509.ExtensionNotFound:
            return ()
        except UNREADABLE:
            return ()

    @cached_property
    def is_self_signed(self) -> bool:
        """Whether it names itself as issuer and its own key verifies its signature."""
        if read_off(lambda: self.parsed.subject != self.parsed.issuer):
            return False
        try:
            self.parsed.verify_directly_issued_by(self.parsed)
        except InvalidSignature:
            return False
        except UNREADABLE:
            return True  # an algorithm that cryptography refuses to verify (MD5, SHA-1): the names decide
        return True


_KEY_TYPES: tuple[tuple[type, str], ...] = (
    (rsa.RSAPublicKey, "RSA"),
    (dsa.DSAPublicKey, "DSA"),
    (ed25519.Ed25519PublicKey, "Ed25519"),
    (ed448.Ed448PublicKey, "Ed448"),
)
_OLD_HASHES = {"1.2.840.113549.1.1.2": "MD2", "1.2.840.113549.1.1.3": "MD4"}
"""Signature algorithms of RFC 3279 §2.2.1 whose hash cryptography does not know."""

_NIST_CURVES = {
    "secp192r1": "P-192",
    "secp224r1": "P-224",
    "secp256r1": "P-256",
    "secp384r1": "P-384",
    "secp521r1": "P-521",
}


def read_off(fact: Callable[[], T]) -> T:
    """Give what a parser reads off a certificate; raises UnreadableCertificate where it cannot."""
    try:
        return fact()
    except UnreadableCertificate:
        raise
    except UNREADABLE as error:
        raise UnreadableCertificate(str(error)[:200]) from error


def utc(year: int, month: int, day: int) -> datetime:
    """Give midnight UTC of a day, the form in which rules state their dates."""
    return datetime(year, month, day, tzinfo=UTC)
