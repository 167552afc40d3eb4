"""Every certificate of the path is within its validity."""

from __future__ import annotations

from datetime import datetime, timedelta

from atsprobe.judge.chain import ChainCase
from atsprobe.judge.rule import Rule
from atsprobe.judge.wording import how_long, instant, listed
from atsprobe.model.certificate import Certificate
from atsprobe.model.judgement import Finding, RequirementId

REQUIREMENT = RequirementId("certificate-validity")
QUOTE = "the period of time from notBefore through notAfter, inclusive"
CITATION = "RFC 5280 §4.1.2.5; Apple Security source, SecPolicyCheckTemporalValidity"
FIXABLE_BY = None
RULE = Rule(REQUIREMENT, CITATION, FIXABLE_BY)

SHORT = timedelta(days=120)
"""A certificate that lasts no longer may be used to its end (Security source, _ShouldApplyEarlyExpirationCheck)."""


def check(case: ChainCase) -> Finding:
    """Compare the dates with the instant asked about; the very second of notAfter is still in.

    The dates of a root of Apple's own do not count.
    """
    at = case.question.at
    faults = []
    last = len(case.path.certificates) - 1
    for index, certificate in enumerate(case.path.certificates):
        if index == last and case.is_under_apples_own_root:
            continue
        fault = _fault(certificate, at)
        if fault:
            faults.append(fault if index == 0 else f"{case.path.role(index)} {fault}")
    if faults:
        return RULE.fails(listed(faults, 3))
    ends_soon = _ends_soon(case)
    if ends_soon:
        return RULE.warns(ends_soon)
    first_to_end = min(c.not_after for c in case.path.certificates)
    return RULE.passes(f"until {instant(first_to_end)}")


def _ends_soon(case: ChainCase) -> str:
    """Say that a root is so near its end that Apple's own processes may refuse it; empty where it is not."""
    root, margin = case.path.last, timedelta(days=case.question.root_margin_days)
    if not margin or not case.path.has_root or case.is_under_apples_own_root:
        return ""
    if root.not_after - root.not_before <= SHORT or case.question.at < root.not_after - margin:
        return ""
    name = case.path.role(len(case.path.certificates) - 1)
    return f"{name} ends {instant(root.not_after)}; system processes may refuse it in its last {margin.days} days"


def _fault(certificate: Certificate, at: datetime) -> str:
    begins, ends = certificate.not_before, certificate.not_after
    if at < begins:
        return f"not valid before {instant(begins)}, in {how_long(begins - at)}"
    if at.replace(microsecond=0) > ends:
        return f"expired {instant(ends)}, {how_long(at - ends)} ago"
    return ""
