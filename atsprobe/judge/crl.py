"""What a certificate revocation list says about a leaf, once its signature, scope and time hold (RFC 5280 §5 and §6.3)."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding

from atsprobe.judge.extensions import extension
from atsprobe.judge.revocation_state import RevocationState, good, is_current, revoked, unusable
from atsprobe.judge.signatures import SignedData, name_key, verifies
from atsprobe.model.certificate import UNREADABLE, Certificate, read_off

_MAX_BYTES = 8 << 20


def read_crl(body: bytes, leaf: Certificate, issuer: Certificate, at: datetime) -> RevocationState:
    """Read a list about a leaf. One that is forged, stale, partial or of another scope is unusable, whatever it holds."""
    try:
        return _read(body, leaf, issuer, at)
    except UNREADABLE as error:
        return unusable(f"unreadable: {str(error)[:100]}")


def _read(body: bytes, leaf: Certificate, issuer: Certificate, at: datetime) -> RevocationState:
    if len(body) > _MAX_BYTES:
        return unusable("larger than 8 MB")
    crl = x509.load_der_x509_crl(body)
    if name_key(crl.issuer) != name_key(read_off(lambda: leaf.parsed.issuer)):
        return unusable("of another issuer")
    if not is_current(crl.last_update_utc, crl.next_update_utc, at):
        return unusable("not current")
    if not _is_signed(crl, issuer):
        return unusable("not signed by the issuer")
    scope = _problem_of_scope(crl, leaf)
    if scope:
        return unusable(scope)
    entry = crl.get_revoked_certificate_by_serial_number(leaf.parsed.serial_number)
    if entry is None:
        return good("not on the list", crl.next_update_utc)
    return revoked(entry.revocation_date_utc, _reason(entry))


def _is_signed(crl: x509.CertificateRevocationList, issuer: Certificate) -> bool:
    usage = extension(issuer, x509.KeyUsage)
    if usage is not None and not usage.crl_sign:
        return False
    pss = crl.signature_algorithm_parameters
    signed = SignedData(
        crl.tbs_certlist_bytes,
        crl.signature,
        crl.signature_algorithm_oid,
        crl.signature_hash_algorithm,
        pss if isinstance(pss, padding.PSS) else None,
    )
    return verifies(issuer, signed) is True


def _problem_of_scope(crl: x509.CertificateRevocationList, leaf: Certificate) -> str:
    """Say why a list does not speak of every certificate of its issuer, this one included; empty where it does."""
    for found in crl.extensions:
        value = found.value
        if isinstance(value, x509.DeltaCRLIndicator):
            return "changes to another list alone"
        if isinstance(value, x509.IssuingDistributionPoint):
            if value.only_contains_ca_certs or value.only_contains_attribute_certs or value.only_some_reasons:
                return "of a scope that leaves the leaf out"
            if value.indirect_crl:
                return "a list for several issuers"
            if value.relative_name is not None or (value.full_name and not _uris(value.full_name) & _points(leaf)):
                return "a part of the list that the leaf does not name"
        elif found.critical:
            return f"an unknown critical extension {found.oid.dotted_string}"
    return ""


def _points(leaf: Certificate) -> set[str]:
    points = extension(leaf, x509.CRLDistributionPoints) or ()
    return {uri for point in points for uri in _uris(point.full_name or [])}


def _uris(names: list[x509.GeneralName]) -> set[str]:
    return {n.value for n in names if isinstance(n, x509.UniformResourceIdentifier)}


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return None
