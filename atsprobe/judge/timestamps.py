"""Signed certificate timestamps (RFC 6962): embedded in a leaf, sent as a TLS extension, or in a stapled response."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.x509 import ocsp

from atsprobe.judge.extensions import extension
from atsprobe.model.certificate import UNREADABLE, Certificate

_MAX_SCTS = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Timestamp:
    """That a log (32 bytes) saw a certificate, and when; None where the time is no time. Nothing of it is verified."""

    log: bytes
    at: datetime | None


def embedded(leaf: Certificate) -> tuple[Timestamp, ...]:
    """Give the timestamps in the leaf itself. Raises UnreadableCertificate."""
    return _read(extension(leaf, x509.PrecertificateSignedCertificateTimestamps) or ())


def in_tls_extension(raw: bytes | None) -> tuple[Timestamp, ...]:
    """Read a SignedCertificateTimestampList (RFC 6962 §3.3); what is malformed counts for nothing."""
    found: list[Timestamp] = []
    rest = (raw or b"")[2:]
    while len(rest) > 2 and len(found) < _MAX_SCTS:
        length = int.from_bytes(rest[:2], "big")
        sct, rest = rest[2 : 2 + length], rest[2 + length :]
        if len(sct) > 41 and sct[0] == 0:
            found.append(Timestamp(sct[1:33], _instant(int.from_bytes(sct[33:41], "big"))))
    return tuple(found)


def in_staple(response: bytes | None) -> tuple[Timestamp, ...]:
    """Give the timestamps in a stapled OCSP response; none where it has none, or cannot be read."""
    if response is None:
        return ()
    try:
        extensions = ocsp.load_der_ocsp_response(response).single_extensions
        return _read(extensions.get_extension_for_class(x509.SignedCertificateTimestamps).value)
    except x509.ExtensionNotFound:
        return ()
    except UNREADABLE:
        return ()


def _read(scts: Iterable[x509.certificate_transparency.SignedCertificateTimestamp]) -> tuple[Timestamp, ...]:
    return tuple(Timestamp(sct.log_id, _time(sct)) for sct in list(scts)[:_MAX_SCTS])


def _time(sct: x509.certificate_transparency.SignedCertificateTimestamp) -> datetime | None:
    try:
        return sct.timestamp.replace(tzinfo=UTC)
    except OverflowError:
        return None
    except UNREADABLE:
        return None


def _instant(milliseconds: int) -> datetime | None:
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
