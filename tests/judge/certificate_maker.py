"""Certificates with chosen faults, made by cryptography around one instant; SHA-1 and MD5 by signing by hand."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass, field, replace
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from atsprobe.model.certificate import Certificate

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
"""The instant at which the tests judge."""

DAY = dt.timedelta(days=1)
HOST = "api.example.com"
SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH
ANY = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
EMAIL = ExtendedKeyUsageOID.EMAIL_PROTECTION
MICROSOFT_SGC = ObjectIdentifier("1.3.6.1.4.1.311.10.3.3")
NETSCAPE_SGC = ObjectIdentifier("2.16.840.1.113730.4.1")

_RSA_SHA256 = bytes.fromhex("2a864886f70d01010b")
_RSA_OTHER = {
    name: bytes.fromhex("2a864886f70d0101") + bytes([last])
    for name, last in {"md2": 2, "md4": 3, "md5": 4, "sha1": 5}.items()
}
_CURVES = {
    "p256": ec.SECP256R1,
    "p384": ec.SECP384R1,
    "p521": ec.SECP521R1,
    "p224": ec.SECP224R1,
    "p192": ec.SECP192R1,
    "k256": ec.SECP256K1,
    "brainpool": ec.BrainpoolP256R1,
}


@cache
def key(kind: str, name: str = ""):
    """Give the key of a kind (``p256``, ``rsa2048``, ``ed25519`` …); one for each name."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    if kind.startswith("dsa"):
        return dsa.generate_private_key(int(kind[3:]))
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "ed448":
        return ed448.Ed448PrivateKey.generate()
    return ec.generate_private_key(_CURVES[kind]())


@dataclass(frozen=True)
class Make:
    """A certificate to make. ``signer`` is its issuer's Make (None: it signs itself); ``digest`` is ``sha1``, ``md5`` …"""

    subject: str = HOST
    kind: str = "p256"
    signer: Make | None = None
    digest: str = "sha256"
    names: tuple[str, ...] | None = (HOST,)
    begins: dt.datetime = NOW - 30 * DAY
    span: dt.timedelta = 90 * DAY
    usage: tuple[ObjectIdentifier, ...] | None = (SERVER_AUTH,)
    ca: bool | None = False
    path_length: int | None = None
    key_cert_sign: bool | None = None
    constraints: x509.NameConstraints | None = None
    issuer_url: str | None = None
    scts: int = 0
    sct_times: tuple[dt.datetime, ...] = ()
    sct_logs: tuple[int, ...] = ()
    must_staple: bool = False
    no_check: bool = False
    critical_names: bool = False
    serial: int = 4711
    more: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    issuer_name: str | None = None
    organisation: str = ""

    @property
    def private_key(self):
        return key(self.kind, self.subject)

    @property
    def certificate(self) -> Certificate:
        return _made(self)


def root(subject: str = "Root", **more) -> Make:
    """Give a root: signed by itself, ten years long."""
    more = {"names": None, "usage": None, "ca": True, "begins": NOW - 1000 * DAY, "span": 3650 * DAY, **more}
    return Make(subject=subject, **more)


def issuing(signer: Make, subject: str = "Issuing", **more) -> Make:
    """Give an intermediate under a root."""
    return root(subject, signer=signer, **more)


@cache
def _made(make: Make) -> Certificate:
    signer = make.signer or make
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(make.subject, make.organisation))
        .issuer_name(_name(make.issuer_name or signer.subject, signer.organisation))
        .public_key(make.private_key.public_key())
        .serial_number(make.serial)
        .not_valid_before(make.begins)
        .not_valid_after(make.begins + make.span)
    )
    for extension, critical in _extensions(make):
        builder = builder.add_extension(extension, critical=critical)
    by_hand = make.digest in _RSA_OTHER
    digest = None if signer.kind.startswith("ed") else getattr(hashes, "SHA256" if by_hand else make.digest.upper())()
    der = builder.sign(signer.private_key, digest).public_bytes(Encoding.DER)
    return Certificate(_signed_by_hand(der, signer.private_key, make.digest) if by_hand else der)


def _name(text: str, organisation: str = "") -> x509.Name:
    names = [(NameOID.ORGANIZATION_NAME, organisation), (NameOID.COMMON_NAME, text)]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in names if value])


def _extensions(make: Make):
    if make.ca is not None:
        yield x509.BasicConstraints(make.ca, make.path_length), True
    if make.key_cert_sign is not None:
        yield x509.KeyUsage(True, False, False, False, False, make.key_cert_sign, False, False, False), True
    if make.names is not None:
        yield x509.SubjectAlternativeName([_general(n) for n in make.names]), make.critical_names
    if make.usage is not None:
        yield x509.ExtendedKeyUsage(make.usage), False
    if make.constraints is not None:
        yield make.constraints, True
    if make.issuer_url is not None:
        url = x509.UniformResourceIdentifier(make.issuer_url)
        access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, url)
        yield x509.AuthorityInformationAccess([access]), False
    if make.scts or make.sct_times or make.sct_logs:
        yield sct_extension(make.scts, make.sct_times, make.sct_logs), False
    if make.no_check:
        yield x509.OCSPNoCheck(), False
    if make.must_staple:
        yield x509.TLSFeature([x509.TLSFeatureType.status_request]), False
    yield from make.more


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def sct_list(number: int, times: tuple[dt.datetime, ...] = (), logs: tuple[int, ...] = ()) -> bytes:
    """Give a SignedCertificateTimestampList (RFC 6962 §3.3) of so many logs that nobody knows, or of one for each time.

    ``logs`` says by number which logs they are, where one may have signed twice.
    """
    scts = b""
    times = times or (dt.datetime(2023, 11, 14, tzinfo=dt.UTC),) * (len(logs) or number)
    for log, at in zip(logs or range(len(times)), times, strict=True):
        signature = bytes.fromhex("3006020101020101")
        milliseconds = int(at.timestamp() * 1000)
        sct = b"\0" + bytes([log + 1]) * 32 + milliseconds.to_bytes(8, "big") + b"\0\0" + b"\4\3"
        sct += len(signature).to_bytes(2, "big") + signature
        scts += len(sct).to_bytes(2, "big") + sct
    return len(scts).to_bytes(2, "big") + scts


def sct_extension(
    number: int, times: tuple[dt.datetime, ...] = (), logs: tuple[int, ...] = ()
) -> x509.UnrecognizedExtension:
    """Give the extension of embedded timestamps."""
    body = sct_list(number, times, logs)
    size = len(body)
    length = bytes([size]) if size < 128 else bytes([0x81, size]) if size < 256 else b"\x82" + size.to_bytes(2, "big")
    return x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2"), b"\x04" + length + body)


def _signed_by_hand(der: bytes, signer, digest: str) -> bytes:
    """Swap the algorithm of an RSA signature and sign again: cryptography makes no SHA-1 or MD5 certificate itself."""
    parsed = x509.load_der_x509_certificate(der)
    changed = der.replace(_RSA_SHA256, _RSA_OTHER[digest])
    tbs = parsed.tbs_certificate_bytes.replace(_RSA_SHA256, _RSA_OTHER[digest])
    if digest in ("md2", "md4"):
        return changed  # nobody computes these any more: the signature stays that of SHA-256
    signature = signer.sign(tbs, padding.PKCS1v15(), getattr(hashes, digest.upper())())
    return changed[: -len(signature)] + signature


def stapled(leaf: Make, status: str) -> bytes:
    """Give a response about a leaf, signed by its issuer, current around NOW; ``good``, or ``revoked`` five days before."""
    is_revoked = status == "revoked"
    builder = ocsp.OCSPResponseBuilder().add_response(
        leaf.certificate.parsed,
        leaf.signer.certificate.parsed,
        hashes.SHA1(),
        ocsp.OCSPCertStatus.REVOKED if is_revoked else ocsp.OCSPCertStatus.GOOD,
        NOW - DAY,
        NOW + DAY,
        NOW - 5 * DAY if is_revoked else None,
        x509.ReasonFlags.key_compromise if is_revoked else None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, leaf.signer.certificate.parsed)
    return builder.sign(leaf.signer.private_key, hashes.SHA256()).public_bytes(Encoding.DER)


def spki(certificate: Certificate) -> bytes:
    """Give the DER of the public key."""
    return certificate.parsed.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True)
class Pki:
    """One root, one intermediate, and what a leaf under them is sent with."""

    top: Make = field(default_factory=root)

    @property
    def middle(self) -> Make:
        return issuing(self.top, kind=self.top.kind)

    def leaf(self, **more) -> Make:
        return Make(signer=self.middle, **more)

    def chain(self, **more) -> tuple[Certificate, ...]:
        return (self.leaf(**more).certificate, self.middle.certificate)


def signed_with_pss(make: Make) -> Certificate:
    """Give the certificate of a Make whose RSA signer signs by RSASSA-PSS."""
    builder = x509.CertificateBuilder(
        issuer_name=_name(make.signer.subject),
        subject_name=_name(make.subject),
        public_key=make.private_key.public_key(),
        serial_number=make.serial,
        not_valid_before=make.begins,
        not_valid_after=make.begins + make.span,
        extensions=[x509.Extension(e.oid, critical, e) for e, critical in _extensions(make)],
    )
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    signed = builder.sign(make.signer.private_key, hashes.SHA256(), rsa_padding=pss)
    return Certificate(signed.public_bytes(Encoding.DER))


def with_dns_names(make: Make, names: list[str]) -> Certificate:
    """Give the certificate of a Make with these texts as dNSNames, whatever they look like."""
    san = x509.SubjectAlternativeName([x509.DNSName(n) for n in names])
    return _made(replace(make, names=None, more=((san, False),)))


def with_raw_names(make: Make, names: list[bytes], tag: int = 0x82) -> Certificate:
    """Give the certificate of a Make with these bytes as dNSNames (or another kind of name), each shorter than 100 bytes."""
    listed = b"".join(bytes([tag, len(n)]) + n for n in names)
    assert len(listed) < 128
    der = b"\x30" + bytes([len(listed)]) + listed
    san = x509.UnrecognizedExtension(ObjectIdentifier("2.5.29.17"), der)
    return _made(replace(make, names=None, more=((san, False),)))
