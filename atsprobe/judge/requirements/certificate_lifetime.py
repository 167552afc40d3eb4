"""The leaf is not valid for longer than the client allows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from atsprobe.judge.chain import ChainCase
from atsprobe.judge.rule import Rule
from atsprobe.judge.wording import days
from atsprobe.model.certificate import Certificate, utc
from atsprobe.model.judgement import Finding, RequirementId

REQUIREMENT = RequirementId("certificate-lifetime")
QUOTE = (
    "TLS server certificates must have a validity period of 825 days or fewer (as expressed in the NotBefore and NotAfter "
    "fields of the certificate)."
)
CITATION = "Apple support 103769, 102028; Security source, set_ssl_validity_periods; CA/B Forum BR §6.3.2"
FIXABLE_BY = None
RULE = Rule(REQUIREMENT, CITATION, FIXABLE_BY)

LONG = timedelta(seconds=71_283_600)  # 825 days, and an hour of slack
LONG_UNDER_PUBLIC_ROOT_FROM = utc(2018, 3, 1)
LONG_FROM = datetime(2019, 6, 30, 23, tzinfo=UTC)

YEAR = timedelta(seconds=34_387_200)  # 398 days, no slack
YEAR_FROM = utc(2020, 9, 1)
YEAR_SINCE = (14,)
"""The first iOS that enforces it (macOS 11 in the source); a profile that begins earlier is warned of it."""

ISSUED = ((utc(2029, 3, 15), 47), (utc(2027, 3, 15), 100), (utc(2026, 3, 15), 200))
"""What public CAs may issue from a day on, newest first: days. No source of Apple's client up to 26.0 enforces it."""


def check(case: ChainCase) -> Finding:
    """Compare notAfter less notBefore with 825 days for all, 398 under a root that Apple ships; warn of what CAs may issue."""
    leaf = case.leaf
    if case.path.leaf_is_trusted_by_user:
        return RULE.does_not_apply("the leaf itself is installed as trusted")
    span = leaf.not_after - leaf.not_before
    length = f"{days(span)} days"
    under_public_root = case.path.anchor == "public"
    from_day = LONG_UNDER_PUBLIC_ROOT_FROM if under_public_root else LONG_FROM
    limited_to_a_year = under_public_root and leaf.not_before >= YEAR_FROM
    if limited_to_a_year and span <= YEAR:
        return _within_a_year(leaf, span, length)
    if limited_to_a_year and case.question.is_at_least(YEAR_SINCE):
        return RULE.fails(f"{length}; at most 398 under a public root{_cas_issue(leaf)}")
    if leaf.not_before >= from_day and span > LONG:
        return RULE.fails(f"{length}; at most 825 under a {'public' if under_public_root else 'private'} root")
    if limited_to_a_year:
        return RULE.warns(f"{length}; at most 398 under a public root from iOS {YEAR_SINCE[0]} on")
    if not under_public_root and not case.is_certainly_private and span > YEAR and leaf.not_before >= YEAR_FROM:
        return RULE.unknown(f"{length}; at most 398 if the root is a public one")
    return RULE.passes(length)


def _within_a_year(leaf: Certificate, span: timedelta, length: str) -> Finding:
    inclusive = span + timedelta(seconds=1)
    if span == YEAR:
        return RULE.warns("398 days to the second; Apple's text counts the last second too")
    most = _may_be_issued(leaf)
    if most is not None and inclusive > timedelta(days=most):
        return RULE.warns(f"{days(inclusive)} days; public CAs may issue {most}")
    return RULE.passes(length)


def _may_be_issued(leaf: Certificate) -> int | None:
    return next((most for begins, most in ISSUED if leaf.not_before >= begins), None)


def _cas_issue(leaf: Certificate) -> str:
    most = _may_be_issued(leaf)
    return f" (CAs issue {most})" if most is not None else ""
