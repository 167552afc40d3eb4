"""The errors that URLSession gives for a load that fails: NSURLErrorDomain, and the inner stream error of Secure Transport.

Numbers and names: Apple Security source, base/SecBase.h; NSURLError.h. Causes: Apple, Identifying the source of blocked
connections, and transcripts of nscurl.
"""

from __future__ import annotations

from dataclasses import dataclass

from atsprobe.model.handshake import Alert, Refused, UnofferedVersion
from atsprobe.model.judgement import Judgement, RequirementId

APP_TRANSPORT_SECURITY_REQUIRES_SECURE_CONNECTION = -1022
SECURE_CONNECTION_FAILED = -1200
SERVER_CERTIFICATE_HAS_BAD_DATE = -1201
SERVER_CERTIFICATE_UNTRUSTED = -1202
SERVER_CERTIFICATE_HAS_UNKNOWN_ROOT = -1203
SERVER_CERTIFICATE_NOT_YET_VALID = -1204


@dataclass(frozen=True)
class UrlSessionError:
    """An NSURLError code, and the ``_kCFStreamErrorCodeKey`` inside it (None where there is none)."""

    code: int
    stream_code: int | None = None


_PEER_HANDSHAKE_FAIL = -9824
_PEER_PROTOCOL_VERSION = -9836
_FATAL_ALERT = -9802
_BY_REQUIREMENT: dict[str, tuple[int, int]] = {
    # requirement: (code with ATS off, inner code)
    "extended-master-secret": (SECURE_CONNECTION_FAILED, -9880),
    "certificate-trust": (SERVER_CERTIFICATE_UNTRUSTED, -9807),
    "certificate-validity": (SERVER_CERTIFICATE_HAS_BAD_DATE, -9814),
    "certificate-hostname": (SERVER_CERTIFICATE_UNTRUSTED, -9843),
    "certificate-key-size": (SERVER_CERTIFICATE_UNTRUSTED, -9883),
    "certificate-signature-hash": (SERVER_CERTIFICATE_UNTRUSTED, -9884),
    "certificate-purpose": (SERVER_CERTIFICATE_UNTRUSTED, -9807),
    "certificate-lifetime": (SERVER_CERTIFICATE_UNTRUSTED, -9807),
    "certificate-transparency": (SERVER_CERTIFICATE_UNTRUSTED, -9807),
    "certificate-revocation": (SERVER_CERTIFICATE_UNTRUSTED, -9807),
    "pinned-identity": (SECURE_CONNECTION_FAILED, -9886),
}


def error_of(judgement: Judgement, refusal: Refused | None, *, ats_enforced: bool) -> UrlSessionError | None:
    """Give the error of a load that is blocked; None for any other.

    ``refusal`` is how the server refused the client's hello, None where it did not. With ATS enforced a trust failure comes as
    -1200; with ATS off, as its own code.
    """
    if judgement.outcome != "blocked":
        return None
    failing = judgement.failing
    if RequirementId("insecure-http") in failing and judgement.endpoint.scheme == "http":
        return UrlSessionError(APP_TRANSPORT_SECURITY_REQUIRES_SECURE_CONNECTION)
    if RequirementId("tls-version") in failing:
        return UrlSessionError(SECURE_CONNECTION_FAILED, _PEER_PROTOCOL_VERSION)
    if refusal is not None:
        return UrlSessionError(SECURE_CONNECTION_FAILED, _of_refusal(refusal))
    for requirement, (code, inner) in _BY_REQUIREMENT.items():
        if RequirementId(requirement) in failing:
            return UrlSessionError(SECURE_CONNECTION_FAILED if ats_enforced else code, inner)
    return UrlSessionError(SECURE_CONNECTION_FAILED)


def _of_refusal(refusal: Refused) -> int:
    match refusal.by:
        case UnofferedVersion() | Alert(number=70):
            return _PEER_PROTOCOL_VERSION
        case Alert(number=40) | Alert(number=71):
            return _PEER_HANDSHAKE_FAIL
        case _:
            return _FATAL_ALERT
