"""A leaf under a public root has signed certificate timestamps (RFC 6962) from enough logs."""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.x509 import ocsp

from atsprobe.judge.chain import ChainCase
from atsprobe.judge.extensions import extension
from atsprobe.judge.rule import Rule
from atsprobe.model.certificate import UNREADABLE, Certificate, utc
from atsprobe.model.judgement import Finding, RequirementId

REQUIREMENT = RequirementId("certificate-transparency")
QUOTE = (
    "Publicly trusted Transport Layer Security (TLS) server authentication certificates must meet Apple's Certificate "
    "Transparency (CT) policy to be evaluated as trusted on Apple platforms."
)
CITATION = "Apple support 103214; Security source, CertificateTransparency.m, SecPolicyCheckSystemTrustedCTRequired"
FIXABLE_BY = None
RULE = Rule(REQUIREMENT, CITATION, FIXABLE_BY)

FROM = utc(2018, 10, 16)
BY_LIFETIME_FROM = utc(2021, 4, 21)
_MAX_SCTS = 100


def check(case: ChainCase) -> Finding:
    """Count timestamps from distinct logs; without a list of Apple's approved logs, no number is enough to pass."""
    leaf = case.leaf
    if case.is_certainly_private:
        return RULE.does_not_apply("does not apply under a private root")
    if case.path.anchor != "public":
        return RULE.unknown("the root is not known")
    if leaf.not_before < FROM:
        return RULE.does_not_apply("issued before 2018-10-16")
    if leaf.not_after < case.question.at:
        return RULE.does_not_apply("expired")
    embedded = _embedded(leaf)
    delivered = _of_tls_extension(case.question.scts) | _stapled(case.question.ocsp_response)
    needed = _needed(leaf)
    total = len(embedded | delivered)
    if len(embedded) >= needed or (delivered and total >= 2):
        return RULE.unknown(f"{_count(total)}, not checked against a log list")
    if case.question.scts is not None and total < 2:
        return RULE.fails(f"{_count(total)}; at least 2, or {needed} embedded")
    return RULE.unknown(f"{_count(len(embedded))} embedded of {needed} needed; more may come with the handshake")


def _count(number: int) -> str:
    return "1 SCT" if number == 1 else f"{number} SCTs"


def _needed(leaf: Certificate) -> int:
    """How many embedded timestamps the client asks for, by the length of validity."""
    if leaf.not_before >= BY_LIFETIME_FROM:
        span = leaf.not_after - leaf.not_before
        return 2 if span <= timedelta(days=180) else 3 if span <= timedelta(days=825) else 4
    for months, number in ((27, 3), (39, 4)):
        if not _is_later(leaf.not_after, leaf.not_before, months):
            return 2 if months == 27 and not _is_later(leaf.not_after, leaf.not_before, 15) else number
    return 5


def _is_later(end: datetime, begin: datetime, months: int) -> bool:
    month = begin.year * 12 + begin.month + months
    return (end.year * 12 + end.month, end.day, end.time()) > (month, begin.day, begin.time())


def _embedded(leaf: Certificate) -> set[bytes]:
    scts = extension(leaf, x509.PrecertificateSignedCertificateTimestamps)
    return {sct.log_id for sct in list(scts or ())[:_MAX_SCTS]}


def _of_tls_extension(raw: bytes | None) -> set[bytes]:
    """Read the log ids off a SignedCertificateTimestampList (RFC 6962 §3.3); what is malformed counts for nothing."""
    found: set[bytes] = set()
    rest = (raw or b"")[2:]
    while len(rest) > 2 and len(found) < _MAX_SCTS:
        length = int.from_bytes(rest[:2], "big")
        sct, rest = rest[2 : 2 + length], rest[2 + length :]
        if len(sct) > 33 and sct[0] == 0:
            found.add(sct[1:33])
    return found


def _stapled(response: bytes | None) -> set[bytes]:
    if response is None:
        return set()
    try:
        extensions = ocsp.load_der_ocsp_response(response).single_extensions
        scts = extensions.get_extension_for_class(x509.SignedCertificateTimestamps).value
        return {sct.log_id for sct in list(scts)[:_MAX_SCTS]}
    except x509.ExtensionNotFound:
        return set()
    except UNREADABLE:
        return set()
