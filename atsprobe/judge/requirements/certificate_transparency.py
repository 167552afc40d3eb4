"""A leaf under a public root has signed certificate timestamps (RFC 6962) from enough logs."""

from __future__ import annotations

from datetime import datetime, timedelta

from atsprobe.judge.chain import ChainCase
from atsprobe.judge.rule import Rule
from atsprobe.judge.timestamps import embedded, in_staple, in_tls_extension
from atsprobe.model.certificate import Certificate, utc
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


def check(case: ChainCase) -> Finding:
    """Count timestamps from distinct logs; without a list of Apple's approved logs, no number is enough to pass."""
    leaf = case.leaf
    if case.is_certainly_private:
        return RULE.does_not_apply("does not apply under a private root")
    if case.path.anchor != "public":
        return RULE.unknown("the root is not known")
    if case.is_under_apples_own_root:
        return RULE.does_not_apply("does not apply under a root of Apple's own")
    if leaf.not_before < FROM:
        return RULE.does_not_apply("issued before 2018-10-16")
    if leaf.not_after < case.question.at:
        return RULE.does_not_apply("expired")
    inside = {stamp.log for stamp in embedded(leaf)}
    sent_along = (*in_tls_extension(case.question.scts), *in_staple(case.question.ocsp_response))
    delivered = {stamp.log for stamp in sent_along}
    needed = _needed(leaf)
    total = len(inside | delivered)
    if len(inside) >= needed or (delivered and total >= 2):
        return RULE.unknown(f"{_count(total)}, not checked against a log list")
    if case.question.scts is not None and total < 2:
        return RULE.fails(f"{_count(total)}; at least 2, or {needed} embedded")
    return RULE.unknown(f"{_count(len(inside))} embedded of {needed} needed; more may come with the handshake")


def _count(number: int) -> str:
    return "1 SCT" if number == 1 else f"{number} SCTs"


def _needed(leaf: Certificate) -> int:
    """How many embedded timestamps the client asks for: by the length of validity, of older ones in whole months."""
    if leaf.not_before >= BY_LIFETIME_FROM:
        span = leaf.not_after - leaf.not_before
        return 2 if span <= timedelta(days=180) else 3 if span <= timedelta(days=825) else 4
    months = _whole_months(leaf.not_before, leaf.not_after)
    return 2 if months < 15 else 3 if months <= 27 else 4 if months <= 39 else 5


def _whole_months(begin: datetime, end: datetime) -> int:
    months = (end.year - begin.year) * 12 + end.month - begin.month
    return months if (end.day, end.time()) >= (begin.day, begin.time()) else months - 1
