"""Certificates for simulated servers: one private authority, and leaves with one fault each, all around one instant."""

from __future__ import annotations

import datetime as dt
import ipaddress
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from atsprobe.model.certificate import Certificate

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
"""The instant at which the simulated servers are looked at."""

NAMES = (
    "api.example.net",
    "example.com",
    "a.example.com",
    "b.example.com",
    "c.a.example.com",
    "other.example.org",
    "service.dev",
    "captive.apple.com",
    "203.0.113.5",
    "203.0.113.6",
)
Chain = tuple[Certificate, ...]
_DAY = dt.timedelta(days=1)


@cache
def private_key(name: str) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    """Give the key of an authority, or of every leaf of a kind (``rsa``, ``ecdsa``)."""
    if name.startswith("rsa"):
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _san(names: tuple[str, ...]) -> x509.SubjectAlternativeName:
    general: list[x509.GeneralName] = []
    for name in names:
        try:
            general.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            general.append(x509.DNSName(name))
    return x509.SubjectAlternativeName(general)


def _authority(subject: str, issuer: str) -> Certificate:
    key = private_key(subject)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 365 * _DAY)
        .not_valid_after(NOW + 1825 * _DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=True,
                crl_sign=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(private_key(issuer).public_key()),
            critical=False,
        )
    )
    return Certificate(builder.sign(private_key(issuer), hashes.SHA256()).public_bytes(Encoding.DER))


def _leaf(
    kind: str, *, names: tuple[str, ...] = NAMES, expired: bool = False, issuer: str = "issuing", aia: bool = False
) -> Certificate:
    key = private_key(kind)
    start = NOW - (120 if expired else 30) * _DAY
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(names[0]))
        .issuer_name(_name(names[0] if issuer == kind else issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + 90 * _DAY)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_san(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(private_key(issuer).public_key()),
            critical=False,
        )
    )
    if aia:
        url = x509.UniformResourceIdentifier("http://pki.example.org/issuing.cer")
        access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, url)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    return Certificate(builder.sign(private_key(issuer), hashes.SHA256()).public_bytes(Encoding.DER))


@cache
def root() -> Certificate:
    """Give the private root."""
    return _authority("root", "root")


@cache
def issuing() -> Certificate:
    """Give the intermediate under it."""
    return _authority("issuing", "root")


@cache
def chain(kind: str = "ecdsa", fault: str = "") -> Chain:
    """Give what a server sends: ``kind`` is ``rsa`` or ``ecdsa``.

    ``fault``: ``expired``, ``self-signed``, ``wrong-name``, ``no-intermediate`` (its leaf has no caIssuers URL),
    ``no-intermediate-aia`` (its leaf has one), or none.
    """
    if fault == "self-signed":
        return (_leaf(kind, issuer=kind),)
    if fault == "no-intermediate-aia":
        return (_leaf(kind, aia=True),)
    leaf = _leaf(kind, names=("elsewhere.example.org",) if fault == "wrong-name" else NAMES, expired=fault == "expired")
    return (leaf,) if fault == "no-intermediate" else (leaf, issuing())
