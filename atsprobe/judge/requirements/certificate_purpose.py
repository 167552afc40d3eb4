"""The leaf may authenticate a TLS server, and no issuer is kept from issuing for one."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from atsprobe.judge.chain import ChainCase
from atsprobe.judge.extensions import extension
from atsprobe.judge.rule import Rule
from atsprobe.model.certificate import Certificate
from atsprobe.model.judgement import Finding, RequirementId

REQUIREMENT = RequirementId("certificate-purpose")
QUOTE = "TLS server certificates must contain an ExtendedKeyUsage (EKU) extension containing the id-kp-serverAuth OID."
CITATION = "Apple support 103769; Security source, SecPolicyCheckServerAuthEKU, set_ssl_ekus"
FIXABLE_BY = None
RULE = Rule(REQUIREMENT, CITATION, FIXABLE_BY)

SERVER_AUTH = ExtendedKeyUsageOID.SERVER_AUTH
ANY = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
STEP_UP = frozenset({ObjectIdentifier("1.3.6.1.4.1.311.10.3.3"), ObjectIdentifier("2.16.840.1.113730.4.1")})
"""Server-gated cryptography of Microsoft and Netscape, which the looser check still takes."""

STRICT_AFTER = datetime(2019, 6, 30, 23, tzinfo=UTC)
"""CFAbsoluteTime 583628400, an hour before the day that Apple's page names: what roots that nobody installed are asked from."""


def check(case: ChainCase) -> Finding:
    """Strict under a root that Apple ships; under an installed one, only an extension that is there may not exclude it."""
    usage = extension(case.leaf, x509.ExtendedKeyUsage)
    has = frozenset(usage) if usage is not None else None
    if has is not None and not has & ({SERVER_AUTH, ANY} | STEP_UP):
        return RULE.fails("extended key usage without serverAuth")
    if case.path.anchor == "public":
        return _under_public_root(case, has)
    excluding = _excluding_issuers(case)
    if excluding:
        return RULE.warns(f"{excluding[0]} has an extended key usage without serverAuth")
    if has is None or SERVER_AUTH not in has:
        what = "no extended key usage" if has is None else "extended key usage without serverAuth itself"
        if case.path.anchor == "installed" or case.leaf.not_before <= STRICT_AFTER:
            return RULE.passes(f"{what}, and none is asked for")
        return RULE.warns(f"{what}: fails unless the root is installed by user or MDM")
    return RULE.passes("serverAuth")


def _under_public_root(case: ChainCase, has: frozenset[ObjectIdentifier] | None) -> Finding:
    if has is None:
        return RULE.fails("no extended key usage; serverAuth under a public root")
    if SERVER_AUTH not in has:
        return RULE.fails("extended key usage without serverAuth itself; needed under a public root")
    excluding = _excluding_issuers(case)
    if excluding:
        return RULE.fails(f"{excluding[0]} has an extended key usage without serverAuth")
    return RULE.passes("serverAuth")


def _excluding_issuers(case: ChainCase) -> list[str]:
    """The intermediates whose own extension leaves serverAuth out; the root's does not count."""
    last = len(case.path.certificates) - 1
    return [
        case.path.role(index)
        for index, issuer in enumerate(case.path.certificates)
        if index > 0 and not (index == last and case.path.has_root) and _excludes(issuer)
    ]


def _excludes(issuer: Certificate) -> bool:
    usage = extension(issuer, x509.ExtendedKeyUsage)
    return usage is not None and SERVER_AUTH not in usage and ANY not in usage
