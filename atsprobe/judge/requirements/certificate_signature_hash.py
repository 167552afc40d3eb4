"""No certificate of the chain is signed over MD5 or SHA-1, and under ATS none over less than SHA-256."""

from __future__ import annotations

from dataclasses import replace

from atsprobe.judge.chain import ChainCase
from atsprobe.judge.rule import Rule
from atsprobe.judge.signature_schemes import is_of_scheme_curve, scheme_of
from atsprobe.judge.signatures import signed_by
from atsprobe.judge.wording import listed
from atsprobe.model.certificate import Certificate
from atsprobe.model.judgement import Finding, RequirementId

REQUIREMENT = RequirementId("certificate-signature-hash")
QUOTE = "SHA-1 signed certificates are no longer trusted for TLS."
CITATION = (
    "Apple support 103769; Apple, Preventing insecure network connections; "
    "Security source, SecPolicyCheckSignatureHashAlgorithms, SecPolicyCreateAppleAppTransportSecurity; "
    "Apple, NSRequiresNIAPTLSPackageVersion"
)
FIXABLE_BY = None
RULE = Rule(REQUIREMENT, CITATION, FIXABLE_BY)

NIAP_KEY = "NSExceptionRequiresNIAPTLSPackageVersion"
_BROKEN = ("MD2", "MD4", "MD5", "SHA-1")
_STRONG = ("SHA-256", "SHA-384", "SHA-512")
_RSA_PSS_SIGNATURE = "1.2.840.113549.1.1.10"


def check(case: ChainCase) -> Finding:
    """Look at every signature of the path but a root's own, which is trusted for being there."""
    if case.path.leaf_is_trusted_by_user and case.question.extended_checks and _hash(case.leaf) not in _STRONG:
        # the client's own check skips what the user trusts; whether the one that ATS adds for the leaf does is closed
        return RULE.unknown(f"{_hash(case.leaf)} (leaf): installed as trusted, and perhaps refused by ATS even so")
    counted = [(i, c) for i, c in enumerate(case.path.certificates) if _counts(case, i, c)]
    hashes = [(_hash(c), f"{_hash(c)} ({case.path.role(i)})") for i, c in counted]
    refused = _BROKEN + (("SHA-224",) if case.question.extended_checks else ())
    weak = [text for name, text in hashes if name in refused]
    if weak:
        return RULE.fails(f"{listed(weak, 3)}; at least SHA-256")
    not_offered = _not_offered(case)
    if not_offered is not None and not_offered.status == "fail":
        return not_offered
    strange = [text for name, text in hashes if name not in _STRONG and name != "SHA-224"]
    if strange:
        return RULE.unknown(f"{listed(strange, 3)}: not known whether Apple's client verifies it")
    if not_offered is not None:
        return not_offered
    short = [text for name, text in hashes if name == "SHA-224"]
    if short:
        return RULE.warns(f"{listed(short, 3)}; ATS, which is off here, asks for SHA-256")
    return RULE.passes(hashes[0][1] if hashes else "a root's own signature does not count")


def _not_offered(case: ChainCase) -> Finding | None:
    """Where the client insists that the leaf is signed as it offered (FCP_v2.1): what speaks against it, None for nothing."""
    offered = case.question.offered_signatures
    if offered is None or (len(case.path.certificates) == 1 and case.path.anchor != "none"):
        return None
    scheme = scheme_of(case.leaf)
    if scheme is None:
        return RULE.unknown(f"{_hash(case.leaf)} (leaf): not known whether FCP_v2.1 takes it")
    if scheme not in offered:
        finding = RULE.fails(f"{scheme} (leaf); FCP_v2.1 asks for an algorithm that the client offered")
        return replace(finding, fixable_by=NIAP_KEY) if case.question.niap_in_force else finding
    above = case.leaf if case.path.problem == "self-signed" else None
    if not is_of_scheme_curve(scheme, case.path.certificates[1] if len(case.path.certificates) > 1 else above):
        return RULE.unknown(f"{scheme} (leaf) with a key of another curve: not known whether FCP_v2.1 takes it")
    return None


def _counts(case: ChainCase, index: int, certificate: Certificate) -> bool:
    """A self-signed certificate proves nothing by its signature; but ATS looks at the leaf, whoever signed it."""
    if index == 0 and case.question.extended_checks and not case.path.leaf_is_trusted_by_user:
        return True
    is_anchor = case.path.anchor != "none" and index == len(case.path.certificates) - 1
    return not is_anchor and signed_by(certificate, certificate) is not True


def _hash(certificate: Certificate) -> str:
    if certificate.parsed.signature_algorithm_oid.dotted_string == _RSA_PSS_SIGNATURE:
        return "RSASSA-PSS"
    name = certificate.signature_hash
    return "an unknown hash" if name == "unknown" else "a signature without a hash" if name == "none" else name
