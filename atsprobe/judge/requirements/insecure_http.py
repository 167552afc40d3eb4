"""A load goes over TLS, unless the dictionary allows plain http:// to the host."""

from __future__ import annotations

from atsprobe.judge.case import Case
from atsprobe.judge.rule import Rule
from atsprobe.model.judgement import Finding, RequirementId

REQUIREMENT = RequirementId("insecure-http")
QUOTE = "ATS requires that all HTTP connections made with the URL Loading System … use HTTPS."
CITATION = "Apple, NSAppTransportSecurity; NSExceptionAllowsInsecureHTTPLoads"
FIXABLE_BY = "NSExceptionAllowsInsecureHTTPLoads"
RULE = Rule(REQUIREMENT, CITATION, FIXABLE_BY)


def check(case: Case) -> Finding:
    """Look at the scheme as the URL is written, and at what the policy says of it; no server is needed."""
    policy = case.policy
    if case.endpoint.scheme == "https":
        return RULE.does_not_apply("https:// load")
    if policy.http_is_loaded_as_https:
        return RULE.does_not_apply("URLSession loads http:// under .dev and .app as https://")
    if policy.http_allowed:
        return RULE.does_not_apply("http:// is allowed")
    if policy.contested:
        return RULE.unknown(f"http://: {policy.why_contested}")
    return RULE.fails("http:// is refused, whatever the server does", fixable=policy.client.profile.reads_exceptions)
