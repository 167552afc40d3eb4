"""The leaf names the host in its subjectAltName; its common name does not count."""

from __future__ import annotations

from atsprobe.judge.alternative_names import alternative_names
from atsprobe.judge.chain import ChainCase
from atsprobe.judge.names import is_dns_name, matches
from atsprobe.judge.rule import Rule
from atsprobe.judge.wording import listed
from atsprobe.model.endpoint import ip_address_of
from atsprobe.model.judgement import Finding, RequirementId

REQUIREMENT = RequirementId("certificate-hostname")
QUOTE = (
    "TLS server certificates must present the DNS name of the server in the Subject Alternative Name extension of the "
    "certificate."
)
CITATION = "Apple support 103769; Security source, SecDNSMatch, SecFrameworkIsDNSName, SecPolicyCheckCertSSLHostname"
FIXABLE_BY = None
RULE = Rule(REQUIREMENT, CITATION, FIXABLE_BY)


def check(case: ChainCase) -> Finding:
    """Compare the host with the dNSNames that Apple's client takes for names; an IP literal with the iPAddresses alone.

    For an address under ATS Apple's page (NSAllowsLocalNetworking) and its source disagree: the source has the ordinary rules.
    """
    found = alternative_names(case.leaf)
    if found is None:
        return RULE.fails("no subjectAltName; the common name does not count")
    host = case.question.host
    names = [n for n in found.dns if is_dns_name(n)]
    ip = ip_address_of(host)
    if ip is not None:
        match = str(ip) if str(ip) in found.addresses else None
    else:
        match = next((name for name in names if matches(host, name)), None)
    if match is None and found.is_void and ip is None:
        return RULE.fails("a dNSName is not UTF-8, for which Apple's client drops every dNSName")
    if match is None:
        named = [n[:100] for n in (*names, *found.addresses)]
        return RULE.fails(f"names {listed(named, 4)}" if named else "the subjectAltName names no host")
    if not case.leaf.parsed.subject.rdns and not found.is_critical:
        return RULE.fails(f"names {match}, but the subject is empty and the subjectAltName not critical")
    if ip is not None and case.question.extended_checks:
        return RULE.warns(f"names {match}; Apple's page allows connections to an address only where a key names it")
    return RULE.passes(f"names {match}")
