"""Every certificate of the path is within its validity."""

from __future__ import annotations

from datetime import datetime

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


def check(case: ChainCase) -> Finding:
    """Compare the dates with the instant asked about; the very second of notAfter is still in."""
    at = case.question.at
    faults = []
    for index, certificate in enumerate(case.path.certificates):
        fault = _fault(certificate, at)
        if fault:
            faults.append(fault if index == 0 else f"{case.path.role(index)} {fault}")
    if faults:
        return RULE.fails(listed(faults, 3))
    first_to_end = min(c.not_after for c in case.path.certificates)
    return RULE.passes(f"until {instant(first_to_end)}")


def _fault(certificate: Certificate, at: datetime) -> str:
    begins, ends = certificate.not_before, certificate.not_after
    if at < begins:
        return f"not valid before {instant(begins)}, in {how_long(begins - at)}"
    if at.replace(microsecond=0) > ends:
        return f"expired {instant(ends)}, {how_long(at - ends)} ago"
    return ""
