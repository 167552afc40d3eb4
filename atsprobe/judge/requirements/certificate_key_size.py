"""Every key of the chain is RSA of at least 2048 bits, or on a NIST curve of at least 256."""

from __future__ import annotations

from atsprobe.judge.chain import ChainCase
from atsprobe.judge.rule import Rule
from atsprobe.judge.wording import listed
from atsprobe.model.certificate import Certificate
from atsprobe.model.judgement import Finding, RequirementId

REQUIREMENT = RequirementId("certificate-key-size")
QUOTE = "Certificates using RSA key sizes smaller than 2048 bits are no longer trusted for TLS."
CITATION = (
    "Apple support 103769; Apple, Preventing insecure network connections; Security source, SecPolicyCheckKeySize"
)
FIXABLE_BY = None  # NSExceptionRequiresForwardSecrecy lifts only the check that ATS adds for the leaf, not this one
RULE = Rule(REQUIREMENT, CITATION, FIXABLE_BY)

_CURVES = {"P-256": 256, "P-384": 384, "P-521": 521, "P-224": 224, "P-192": 192}
_RSA_PSS_KEY = "1.2.840.113549.1.1.10"


def check(case: ChainCase) -> Finding:
    """Look at every certificate of the path, the root too, unless the leaf itself was installed as trusted.

    That lifts the check of the path; whether it lifts the one that ATS adds for the leaf is closed.
    """
    if case.path.leaf_is_trusted_by_user:
        if case.question.extended_checks and (_judge(case.leaf) is not True or _is_short_rsa(case.leaf)):
            return RULE.unknown(f"{_name(case.leaf)} (leaf): installed as trusted, and perhaps measured by ATS even so")
        return RULE.does_not_apply("the leaf itself is installed as trusted")
    sizes = [(_judge(c), f"{_name(c)} ({case.path.role(i)})") for i, c in enumerate(case.path.certificates)]
    weak = [text for verdict, text in sizes if verdict is False]
    if weak:
        return RULE.fails(f"{listed(weak, 3)}; {_at_least(case)}")
    unread = [text for verdict, text in sizes if verdict is None]
    if unread:
        return RULE.unknown(f"{listed(unread, 3)}: not known whether Apple's client takes it")
    leaf = case.leaf
    if _is_short_rsa(leaf) and case.question.extended_checks:
        # the chain is measured in whole bytes; the check of the leaf that ATS adds counts bits, in closed code
        return RULE.unknown(f"{_name(leaf)} (leaf): the client measures the chain in bytes, the leaf perhaps in bits")
    if leaf.key_type == "P-521":
        return RULE.warns("P-521 (leaf): Apple's client offers no signature for it in TLS 1.3")
    return RULE.passes(sizes[0][1])


def _judge(certificate: Certificate) -> bool | None:
    """Whether the client takes the key; None for a kind of key that cannot be read here."""
    kind, bits = certificate.key_type, certificate.key_bits
    if kind == "unknown" or certificate.parsed.public_key_algorithm_oid.dotted_string == _RSA_PSS_KEY:
        return None
    if kind == "RSA":
        return (bits + 7) // 8 >= 2048 // 8
    return _CURVES.get(kind, 0) >= 256


def _is_short_rsa(certificate: Certificate) -> bool:
    return certificate.key_type == "RSA" and certificate.key_bits < 2048


def _name(certificate: Certificate) -> str:
    kind = certificate.key_type
    return f"{kind} {certificate.key_bits}" if kind in ("RSA", "DSA") else kind


def _at_least(case: ChainCase) -> str:
    kinds = {c.key_type for c in case.path.certificates if _judge(c) is False}
    if kinds == {"RSA"}:
        return "at least 2048"
    return "at least P-256" if kinds <= {"P-192", "P-224"} else "RSA of at least 2048, P-256 or P-384"
