"""The leaf is not revoked, as far as the server's own stapled response says, and whom the auditor asked."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from atsprobe.judge.chain import ChainCase
from atsprobe.judge.crl import read_crl
from atsprobe.judge.extensions import extension
from atsprobe.judge.ocsp import read_ocsp
from atsprobe.judge.revocation_state import RevocationState, unusable
from atsprobe.judge.rule import Rule
from atsprobe.model.certificate import Certificate
from atsprobe.model.judgement import Finding, RequirementId
from atsprobe.model.observation import RevocationAnswer

REQUIREMENT = RequirementId("certificate-revocation")
QUOTE = 'The "revoked" state indicates that the certificate has been revoked'
CITATION = "RFC 6960 §2.2; Apple Security source, SecRevocationServer.c"
FIXABLE_BY = None
RULE = Rule(REQUIREMENT, CITATION, FIXABLE_BY)


def check(case: ChainCase) -> Finding:
    """Read the staple, then what the leaf's own responder or list gave the auditor.

    The client asks neither by itself, and does not insist on a staple that the leaf promises: revoked fails in a staple
    alone. Of a leaf with ocsp-nocheck it reads nothing at all (SecPathBuilderCheckRevocation).
    """
    if extension(case.leaf, x509.OCSPNoCheck) is not None:
        return RULE.does_not_apply("the leaf has ocsp-nocheck, for which Apple's client skips the check")
    staple = _read_staple(case)
    if staple is not None and staple.status == "revoked":
        return RULE.fails(f"stapled response: {staple.detail}")
    asked = tuple(_read_answers(case))
    for source, state in asked:
        if state.status == "revoked":
            return RULE.warns(f"{source}: {state.detail}; {_what_the_client_knows(case)}")
    if staple is not None and staple.status == "good":
        return RULE.passes(f"stapled response: {staple.detail}")
    if staple is None and _promises_staple(case.leaf):
        seen = "must-staple" if case.question.is_from_file else "no stapled response, although the leaf is must-staple"
        return RULE.warns(f"{seen}; Apple's client does not insist on a staple")
    if case.question.is_from_file and not asked:
        return RULE.does_not_apply("a file has no stapled response")
    for source, state in asked:
        if state.status == "good":
            return RULE.passes(f"{source}: {state.detail}")
    for source, state in asked:
        return RULE.unknown(f"{_without(staple)}; {source}: {state.detail}")
    return RULE.unknown(f"{_without(staple)}{_whom_to_ask(case)}")


def _read_staple(case: ChainCase) -> RevocationState | None:
    response = case.question.ocsp_response
    if response is None:
        return None
    if len(case.path.certificates) < 2:
        return unusable("the issuer is not known")
    return read_ocsp(response, case.leaf, case.path.certificates[1], case.question.at)


def _read_answers(case: ChainCase) -> Iterator[tuple[str, RevocationState]]:
    """Read each answer as of the moment in which it came: it can be younger than the audit's beginning."""
    for answer in case.question.revocation:
        if answer.leaf_sha256 == case.leaf.sha256:
            yield f"{_SOURCES[answer.kind]} {_host(answer.url)}", _read_answer(case, answer)


_SOURCES = {"ocsp": "OCSP responder", "crl": "CRL of"}


def _host(url: str) -> str:
    try:
        return (urlsplit(url).netloc or url)[:100]
    except ValueError:
        return url[:100]


def _read_answer(case: ChainCase, answer: RevocationAnswer) -> RevocationState:
    if answer.body is None:
        return unusable(answer.detail or "no answer")
    if len(case.path.certificates) < 2:
        return unusable("the issuer is not known")
    read = read_ocsp if answer.kind == "ocsp" else read_crl
    return read(answer.body, case.leaf, case.path.certificates[1], answer.received_at or case.question.at)


def _what_the_client_knows(case: ChainCase) -> str:
    if case.is_certainly_private:
        return "Apple's client does not ask by itself"
    return "Apple's own Valid database probably blocks it"


def _promises_staple(leaf: Certificate) -> bool:
    features = extension(leaf, x509.TLSFeature)
    return features is not None and x509.TLSFeatureType.status_request in features


def _without(staple: RevocationState | None) -> str:
    return "no stapled response" if staple is None else f"stapled response of no use: {staple.detail}"


def _whom_to_ask(case: ChainCase) -> str:
    if not _names_somebody(case.leaf):
        return ", and the leaf names neither a responder nor a list"
    return " (--check-revocation asks)"


def _names_somebody(leaf: Certificate) -> bool:
    access = extension(leaf, x509.AuthorityInformationAccess) or ()
    if any(d.access_method == AuthorityInformationAccessOID.OCSP for d in access):
        return True
    return bool(extension(leaf, x509.CRLDistributionPoints))
