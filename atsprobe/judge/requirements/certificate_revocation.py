"""The leaf is not revoked, as far as the server's own stapled response says."""

from __future__ import annotations

from cryptography import x509

from atsprobe.judge.chain import ChainCase
from atsprobe.judge.extensions import extension
from atsprobe.judge.ocsp import read_ocsp
from atsprobe.judge.rule import Rule
from atsprobe.model.judgement import Finding, RequirementId

REQUIREMENT = RequirementId("certificate-revocation")
QUOTE = 'The "revoked" state indicates that the certificate has been revoked'
CITATION = "RFC 6960 §2.2; Apple Security source, SecRevocationServer.c"
FIXABLE_BY = None
RULE = Rule(REQUIREMENT, CITATION, FIXABLE_BY)


def check(case: ChainCase) -> Finding:
    """Read the staple. The client asks nobody else by itself, and does not insist on a staple that the leaf promises."""
    response = case.question.ocsp_response
    if response is None:
        features = extension(case.leaf, x509.TLSFeature)
        if features is not None and x509.TLSFeatureType.status_request in features:
            return RULE.warns("no stapled response, although the leaf promises one (must-staple)")
        return RULE.unknown("no stapled response")
    if len(case.path.certificates) < 2:
        return RULE.unknown("stapled response, whose issuer is not known")
    answer = read_ocsp(response, case.leaf, case.path.certificates[1], case.question.at)
    if answer.status == "revoked":
        return RULE.fails(f"stapled response: {answer.detail}")
    if answer.status == "good":
        return RULE.passes(f"stapled response: {answer.detail}")
    return RULE.unknown(f"stapled response of no use: {answer.detail}")
