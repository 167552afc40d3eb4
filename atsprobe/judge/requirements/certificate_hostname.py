"""The leaf names the host in its subjectAltName; its common name does not count."""

from __future__ import annotations

from cryptography import x509

from atsprobe.judge.chain import ChainCase
from atsprobe.judge.extensions import all_extensions
from atsprobe.judge.names import is_dns_name, matches
from atsprobe.judge.rule import Rule
from atsprobe.judge.wording import listed
from atsprobe.model.certificate import Certificate
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

_MAX_NAMES = 20_000


def check(case: ChainCase) -> Finding:
    """Compare the host with the dNSNames that Apple's client takes for names; an IP literal with the iPAddresses alone."""
    found = _alternative_names(case.leaf)
    if found is None:
        return RULE.fails("no subjectAltName; the common name does not count")
    names, addresses, is_critical = found
    host = case.question.host
    ip = ip_address_of(host)
    if ip is not None:
        match = str(ip) if str(ip) in addresses else None
    else:
        match = next((name for name in names if matches(host, name)), None)
    if match is None:
        named = [n[:100] for n in names] + [a[:100] for a in addresses]
        return RULE.fails(f"names {listed(named, 4)}" if named else "the subjectAltName names no host")
    if not case.leaf.parsed.subject.rdns and not is_critical:
        return RULE.fails(f"names {match}, but the subject is empty and the subjectAltName not critical")
    return RULE.passes(f"names {match}")


def _alternative_names(leaf: Certificate) -> tuple[list[str], list[str], bool] | None:
    """The usable dNSNames, the iPAddresses as text, and whether the extension is critical; None where it is absent."""
    try:
        found = all_extensions(leaf).get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return None
    names = [n for n in found.value.get_values_for_type(x509.DNSName)[:_MAX_NAMES] if is_dns_name(n)]
    addresses = [str(a) for a in found.value.get_values_for_type(x509.IPAddress)[:_MAX_NAMES]]
    return names, addresses, found.critical
