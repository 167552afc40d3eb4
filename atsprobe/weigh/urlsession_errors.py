"""The errors that URLSession gives for a load that fails: NSURLErrorDomain, and the inner stream error of Secure Transport.

Numbers and names: Apple Security source, base/SecBase.h; NSURLError.h. Which cause gives which: Apple, Identifying the source of
blocked connections; errors that apps and nscurl printed. Apple documents no full table, so a code is the likely one.
"""

from __future__ import annotations

from typing import NamedTuple

from atsprobe.model.diagnosis import UrlSessionError
from atsprobe.model.handshake import Alert, Refused, UnofferedVersion
from atsprobe.model.judgement import Finding, Judgement

SECURE_CONNECTION_FAILED = -1200
SERVER_CERTIFICATE_UNTRUSTED = -1202

_FATAL_ALERT = -9802
_CHAIN_INVALID = -9807
_PEER_HANDSHAKE_FAIL = -9824
_PEER_PROTOCOL_VERSION = -9836
_PEER_INSUFFICIENT_SECURITY = -9837
_ATS_VIOLATION = -9880

_OF_CONNECTION = ("tls-version", "forward-secrecy", "cipher-suite")


class _Row(NamedTuple):
    """A requirement (where its evidence holds ``words``), and the inner code with ATS in force and without."""

    requirement: str
    words: str
    with_ats: int
    without_ats: int


_AFTER_THE_HANDSHAKE = (
    _Row("certificate-trust", "", _FATAL_ALERT, -9813),
    _Row("certificate-validity", "not valid before", _FATAL_ALERT, -9815),
    _Row("certificate-validity", "", _FATAL_ALERT, -9814),
    _Row("certificate-hostname", "", _FATAL_ALERT, -9843),
    _Row("certificate-key-size", "(leaf)", -9883, _CHAIN_INVALID),
    _Row("certificate-signature-hash", "(leaf)", -9884, _CHAIN_INVALID),
    _Row("certificate-signature-hash", "", -9885, _CHAIN_INVALID),
    _Row("pinned-identity", "", -9886, -9886),
    _Row("extended-master-secret", "", _ATS_VIOLATION, _ATS_VIOLATION),
    _Row("certificate-", "", _FATAL_ALERT, _CHAIN_INVALID),
)
"""In the order in which they decide where several fail at once."""


def error_of(
    judgement: Judgement, refusal: Refused | None, *, ats_enforced: bool
) -> tuple[UrlSessionError, Finding | None]:
    """Give the error of an https load that is blocked, and the failing requirement from which it comes.

    None beside it where the server refuses for a reason that no requirement names. ``refusal`` is how the server refused the
    client's hello, None where it did not. A failure of trust comes as -1200 with ATS in force, as -1202 without.
    """
    failing = [f for f in judgement.findings if f.status == "fail"]
    of_connection = next((f for name in _OF_CONNECTION for f in failing if f.requirement == name), None)
    if of_connection is not None and of_connection.requirement == "tls-version":
        return UrlSessionError(SECURE_CONNECTION_FAILED, _PEER_PROTOCOL_VERSION), of_connection
    if refusal is not None:
        return UrlSessionError(SECURE_CONNECTION_FAILED, _of_refusal(refusal)), of_connection
    for row in _AFTER_THE_HANDSHAKE:
        for finding in failing:
            if finding.requirement.startswith(row.requirement) and row.words in finding.evidence:
                is_trust = finding.requirement.startswith("certificate-") and not ats_enforced
                code = SERVER_CERTIFICATE_UNTRUSTED if is_trust else SECURE_CONNECTION_FAILED
                return UrlSessionError(code, row.with_ats if ats_enforced else row.without_ats), finding
    return UrlSessionError(SECURE_CONNECTION_FAILED), next(iter(failing), None)


def _of_refusal(refusal: Refused) -> int:
    match refusal.by:
        case UnofferedVersion() | Alert(number=70):
            return _PEER_PROTOCOL_VERSION
        case Alert(number=71):
            return _PEER_INSUFFICIENT_SECURITY
        case Alert():
            return _PEER_HANDSHAKE_FAIL
