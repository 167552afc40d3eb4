"""What an OCSP response says about a leaf, once its signature, its subject and its time hold (RFC 6960)."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from atsprobe.judge.extensions import extension
from atsprobe.judge.revocation_state import RevocationState, good, is_current, revoked, unusable
from atsprobe.judge.signatures import SignedData, signed_by, verifies
from atsprobe.model.certificate import UNREADABLE, Certificate

_MAX_BYTES = 1 << 18
_MAX_RESPONSES = 100


def read_ocsp(response: bytes, leaf: Certificate, issuer: Certificate, at: datetime) -> RevocationState:
    """Read a response about a leaf. An answer that is forged, stale or about another certificate is unusable."""
    try:
        return _read(response, leaf, issuer, at)
    except UNREADABLE as error:
        return unusable(f"unreadable: {str(error)[:100]}")


def _read(response: bytes, leaf: Certificate, issuer: Certificate, at: datetime) -> RevocationState:
    if len(response) > _MAX_BYTES:
        return unusable("larger than 256 KB")
    parsed = ocsp.load_der_ocsp_response(response)
    if parsed.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        return unusable(f"the responder says {parsed.response_status.name.lower()}")
    single = _about(parsed, leaf, issuer)
    if single is None:
        return unusable("about another certificate")
    if not is_current(single.this_update_utc, single.next_update_utc, at):
        return unusable("not current")
    if not _is_signed(parsed, issuer, at):
        return unusable("not signed by the issuer or its responder")
    if single.certificate_status is ocsp.OCSPCertStatus.REVOKED and single.revocation_time_utc is not None:
        return revoked(single.revocation_time_utc, single.revocation_reason)
    if single.certificate_status is ocsp.OCSPCertStatus.GOOD:
        return good("good", single.next_update_utc)
    return unusable("the responder does not know the certificate")


def _about(parsed: ocsp.OCSPResponse, leaf: Certificate, issuer: Certificate) -> ocsp.OCSPSingleResponse | None:
    serial = leaf.parsed.serial_number
    for number, single in enumerate(parsed.responses):
        if number >= _MAX_RESPONSES:
            break
        if single.serial_number == serial and _names_issuer(single, leaf, issuer):
            return single
    return None


def _names_issuer(single: ocsp.OCSPSingleResponse, leaf: Certificate, issuer: Certificate) -> bool:
    digest = single.hash_algorithm
    if not isinstance(digest, hashes.SHA1 | hashes.SHA224 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512):
        return False
    asked = ocsp.OCSPRequestBuilder().add_certificate(leaf.parsed, issuer.parsed, digest).build()
    return (single.issuer_name_hash, single.issuer_key_hash) == (asked.issuer_name_hash, asked.issuer_key_hash)


def _is_signed(parsed: ocsp.OCSPResponse, issuer: Certificate, at: datetime) -> bool:
    signed = SignedData(
        parsed.tbs_response_bytes,
        parsed.signature,
        parsed.signature_algorithm_oid,
        parsed.signature_hash_algorithm,
    )
    if verifies(issuer, signed):
        return True
    return any(_may_respond(c, issuer, at) and verifies(c, signed) for c in map(_certificate, parsed.certificates[:5]))


def _may_respond(responder: Certificate, issuer: Certificate, at: datetime) -> bool:
    """Whether the issuer delegated to this certificate (RFC 6960 §4.2.2.2), and it is in its validity."""
    usage = extension(responder, x509.ExtendedKeyUsage)
    if usage is None or ExtendedKeyUsageOID.OCSP_SIGNING not in usage:
        return False
    return responder.not_before <= at <= responder.not_after and signed_by(responder, issuer) is True


def _certificate(parsed: x509.Certificate) -> Certificate:
    return Certificate(parsed.public_bytes(Encoding.DER))
