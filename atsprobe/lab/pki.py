"""Make the certificates of the lab: a root, intermediates and leaves, sound or with one fault each.

Everything comes from `cryptography`. It refuses to sign certificates with SHA-1 and MD5, which a lab of weak servers needs:
there the algorithm in the signed DER is exchanged for its neighbour of the same length, and the bytes are signed again.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
KeyKind = Literal["rsa1024", "rsa2048", "rsa3072", "p256", "p384", "p521", "ed25519"]
HashName = Literal["sha256", "sha384", "sha512", "sha1", "md5"]
Purpose = Literal["serverAuth", "clientAuth"]

_HASHES: dict[str, hashes.SHA256 | hashes.SHA384 | hashes.SHA512] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_WEAK_HASHES: dict[str, hashes.SHA1 | hashes.MD5] = {"sha1": hashes.SHA1(), "md5": hashes.MD5()}  # noqa: S303 (a weak signature is what the lab is asked for)
_PURPOSES = {"serverAuth": ExtendedKeyUsageOID.SERVER_AUTH, "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH}
_CURVES: dict[str, ec.EllipticCurve] = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}
_RSA_WITH = bytes.fromhex("2a864886f70d0101")
"""The DER content of the OIDs of PKCS #1 (RFC 8017 appendix C), less the last byte, which says the hash."""
_RSA_WITH_SHA256 = _RSA_WITH + b"\x0b"
_RSA_WITH_WEAK: dict[str, bytes] = {"sha1": _RSA_WITH + b"\x05", "md5": _RSA_WITH + b"\x04"}


@dataclass(frozen=True)
class Identity:
    """A certificate, its private key, and the identity that issued it (None for one that signed itself).

    What `make_root`, `issue` and `self_signed` give; any of them can issue in turn: no CA is asked for.
    """

    certificate: x509.Certificate
    key: PrivateKey
    issuer: Identity | None

    @property
    def cert_pem(self) -> bytes:
        """This certificate alone, as PEM."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key as unencrypted PKCS #8 PEM."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def chain(self) -> tuple[Identity, ...]:
        """This identity and all above it, the root last."""
        return (self, *(self.issuer.chain if self.issuer else ()))

    @property
    def chain_pem(self) -> bytes:
        """What a well-kept server sends: this certificate and its issuers, without the root. PEM, the leaf first."""
        return b"".join(one.cert_pem for one in self.chain if one.issuer or one is self)

    def write(self, stem: Path, *, chain_pem: bytes | None = None) -> None:
        """Write ``STEM.pem`` (the chain, or another one given) and ``STEM.key``, which its owner alone may read."""
        stem.with_name(stem.name + ".pem").write_bytes(self.chain_pem if chain_pem is None else chain_pem)
        write_private(stem.with_name(stem.name + ".key"), self.key_pem)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that its owner alone may read, from its first byte on."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def new_key(kind: KeyKind) -> PrivateKey:
    """Make a private key. An RSA key takes some hundredths of a second for 2,048 bits."""
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind in _CURVES:
        return ec.generate_private_key(_CURVES[kind])
    return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.removeprefix("rsa")))


@cache
def leaf_key(kind: KeyKind) -> PrivateKey:
    """Give the one key of a kind that all leaves of this process share, since making RSA keys is what costs time."""
    return new_key(kind)


def make_root(
    name: str,
    *,
    key: KeyKind = "rsa2048",
    days: int = 3650,
    not_before: datetime | None = None,
    hash_name: HashName = "sha256",
) -> Identity:
    """Make a root: a self-signed CA certificate with a key of its own."""
    private = new_key(key)
    subject = _name(name)
    builder = _builder(subject, subject, private, not_before, days)
    builder = _as_ca(builder, path_length=None)
    return Identity(_sign(builder, private, hash_name), private, None)


def issue_intermediate(
    issuer: Identity,
    name: str,
    *,
    key: KeyKind = "rsa2048",
    days: int = 1825,
    not_before: datetime | None = None,
    hash_name: HashName = "sha256",
    path_length: int | None = 0,
) -> Identity:
    """Make a CA certificate below another, with a key of its own."""
    private = new_key(key)
    builder = _builder(_name(name), issuer.certificate.subject, private, not_before, days)
    builder = _as_ca(builder, path_length).add_extension(_authority(issuer), critical=False)
    return Identity(_sign(builder, issuer.key, hash_name), private, issuer)


def issue(
    issuer: Identity,
    names: Sequence[str],
    *,
    key: KeyKind = "rsa2048",
    days: int = 90,
    not_before: datetime | None = None,
    hash_name: HashName = "sha256",
    eku: Sequence[Purpose] = ("serverAuth",),
    aia_ca_issuers: str | None = None,
    common_name: str | None = None,
    extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
) -> Identity:
    """Make a leaf for DNS names and IP addresses, which stand in its subjectAltName (left out where there are none).

    ``not_before`` is a day ago unless told, ``days`` the whole lifetime from it. ``eku`` may be empty: no extension then.
    ``aia_ca_issuers`` is the URL from which a client could fetch the issuer. ``extensions`` are (extension, critical).
    Raises ValueError for SHA-1 and MD5 from an issuer without an RSA key, and for a name that is not ASCII.
    """
    private = leaf_key(key)
    subject = _name(common_name or (names[0] if names else "leaf"))
    builder = _as_leaf(_builder(subject, issuer.certificate.subject, private, not_before, days), names, key, eku)
    builder = builder.add_extension(_authority(issuer), critical=False)
    if aia_ca_issuers is not None:
        where = x509.UniformResourceIdentifier(aia_ca_issuers)
        access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, where)
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return Identity(_sign(builder, issuer.key, hash_name), private, issuer)


def self_signed(names: Sequence[str], *, key: KeyKind = "rsa2048", days: int = 90) -> Identity:
    """Make a leaf that signed itself, as appliances have it: no CA, sound in all else."""
    private = leaf_key(key)
    subject = _name(names[0])
    builder = _as_leaf(_builder(subject, subject, private, None, days), names, key, ("serverAuth",))
    return Identity(_sign(builder, private, "sha256"), private, None)


def ocsp_response(leaf: Identity, *, is_revoked: bool, days: int = 90) -> bytes:
    """Sign, by the leaf's issuer, what a responder says about it from a day ago on. Gives DER (RFC 6960 §4.2)."""
    issuer = _issuer_of(leaf)
    now = datetime.now(UTC).replace(microsecond=0)
    builder = ocsp.OCSPResponseBuilder().add_response(
        leaf.certificate,
        issuer.certificate,
        hashes.SHA1(),  # noqa: S303 (it names the issuer, as responders do)
        ocsp.OCSPCertStatus.REVOKED if is_revoked else ocsp.OCSPCertStatus.GOOD,
        now - timedelta(days=1),
        now + timedelta(days=days),
        now - timedelta(days=1) if is_revoked else None,
        x509.ReasonFlags.key_compromise if is_revoked else None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate)
    return builder.sign(_signer(issuer), hashes.SHA256()).public_bytes(Encoding.DER)


def revocation_list(issuer: Identity, leaves: Sequence[Identity], *, days: int = 90) -> bytes:
    """Sign a list of an issuer's leaves that are revoked, which holds from a day ago on. Gives DER (RFC 5280 §5)."""
    now = datetime.now(UTC).replace(microsecond=0)
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(now - timedelta(days=1)).next_update(now + timedelta(days=days))
    for leaf in leaves:
        entry = x509.RevokedCertificateBuilder().serial_number(leaf.certificate.serial_number)
        entry = entry.revocation_date(now - timedelta(days=1))
        entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(_signer(issuer), hashes.SHA256()).public_bytes(Encoding.DER)


def _issuer_of(leaf: Identity) -> Identity:
    if leaf.issuer is None:
        raise ValueError("nobody speaks of a leaf that signed itself")
    return leaf.issuer


def _signer(issuer: Identity) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    if isinstance(issuer.key, ed25519.Ed25519PrivateKey):
        raise TypeError("an issuer of these signs with RSA or ECDSA")
    return issuer.key


def _name(common_name: str) -> x509.Name:
    """A common name has at most 64 characters (RFC 5280 appendix A.1, ub-common-name)."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "atsprobe lab"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64]),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, not_before: datetime | None, days: int
) -> x509.CertificateBuilder:
    begins = (not_before or datetime.now(UTC) - timedelta(days=1)).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days, seconds=-1))  # both ends count (RFC 5280 §4.1.2.5)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _authority(issuer: Identity) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())


def _as_ca(builder: x509.CertificateBuilder, path_length: int | None) -> x509.CertificateBuilder:
    usage = _key_usage(digital_signature=True, key_cert_sign=True, crl_sign=True)
    constraints = x509.BasicConstraints(ca=True, path_length=path_length)
    return builder.add_extension(constraints, critical=True).add_extension(usage, critical=True)


def _as_leaf(
    builder: x509.CertificateBuilder, names: Sequence[str], key: KeyKind, eku: Sequence[Purpose]
) -> x509.CertificateBuilder:
    usage = _key_usage(digital_signature=True, key_encipherment=key.startswith("rsa"))
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(usage, critical=True)
    if eku:
        builder = builder.add_extension(x509.ExtendedKeyUsage([_PURPOSES[one] for one in eku]), critical=False)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(n) for n in names]), critical=False)
    return builder


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(
    *,
    digital_signature: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _sign(builder: x509.CertificateBuilder, key: PrivateKey, hash_name: HashName) -> x509.Certificate:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return builder.sign(key, None)
    if hash_name in _HASHES:
        return builder.sign(key, _HASHES[hash_name])
    if isinstance(key, rsa.RSAPrivateKey):
        return _weakly_signed(builder.sign(key, hashes.SHA256()), key, hash_name)
    raise ValueError(f"a {hash_name} signature needs an issuer with an RSA key")


def _weakly_signed(sound: x509.Certificate, key: rsa.RSAPrivateKey, hash_name: HashName) -> x509.Certificate:
    """Sign a certificate again with SHA-1 or MD5: the OIDs differ in one byte, so that no length in the DER changes."""
    weak_oid = _RSA_WITH_WEAK[hash_name]
    old_signed = sound.tbs_certificate_bytes
    signed = old_signed.replace(_RSA_WITH_SHA256, weak_oid, 1)
    head, tail = sound.public_bytes(Encoding.DER).split(old_signed)
    signature = key.sign(signed, padding.PKCS1v15(), _WEAK_HASHES[hash_name])
    tail = tail.replace(_RSA_WITH_SHA256, weak_oid, 1).replace(sound.signature, signature)
    return x509.load_der_x509_certificate(head + signed + tail)
