"""A chain put to every requirement about certificates, along the best path that the client could find."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from cryptography import x509

from atsprobe.judge.chain import ChainCase, ChainQuestion
from atsprobe.judge.extensions import extension
from atsprobe.judge.names import matches
from atsprobe.judge.path import Path, candidate_paths
from atsprobe.judge.requirements.registry import REQUIREMENTS, AboutChain
from atsprobe.model.certificate import Certificate, UnreadableCertificate
from atsprobe.model.endpoint import Host
from atsprobe.model.judgement import Finding, Outcome

_ABOUT_CHAINS = tuple(r for r in REQUIREMENTS if isinstance(r, AboutChain))
_DECIDING = frozenset(r.rule.id for r in _ABOUT_CHAINS if r.decides_when_unknown)


@lru_cache(maxsize=2048)
def chain_findings(question: ChainQuestion) -> tuple[Finding, ...]:
    """Give a finding for each requirement about certificates, in their order.

    Of several paths the client takes one that it trusts, if there is one: the path with the fewest failures counts.
    """
    try:
        return _best(question)[1]
    except UnreadableCertificate as error:
        return unknown_chain(str(error))


def best_path(question: ChainQuestion) -> Path:
    """Give the path that counts. Raises UnreadableCertificate where the leaf cannot be read, or there is none."""
    return _best(question)[0]


def findings_apart(question: ChainQuestion) -> tuple[Finding, ...]:
    """Give the findings along the path that counts, where one requirement may have several: one for each fault."""
    try:
        case = ChainCase(question, best_path(question))
    except UnreadableCertificate as error:
        return unknown_chain(str(error))
    return tuple(finding for requirement in _ABOUT_CHAINS for finding in _asked_apart(requirement, case))


def _best(question: ChainQuestion) -> tuple[Path, tuple[Finding, ...]]:
    if not question.certificates:
        raise UnreadableCertificate("no certificate was sent")
    try:
        paths = candidate_paths(question.certificates, question.trust)
    except UnreadableCertificate as error:
        raise UnreadableCertificate(f"the leaf cannot be read: {error}") from error
    judged = [(path, _along(question, path)) for path in paths]
    return min(judged, key=lambda of: _badness(of[1]))  # the first of equals: anchored paths come first


def unknown_chain(why: str) -> tuple[Finding, ...]:
    """Give the findings about certificates that nobody saw."""
    return tuple(r.rule.unknown(why) for r in _ABOUT_CHAINS)


def chain_outcome(findings: Iterable[Finding]) -> Outcome:
    """Say whether a chain is accepted; unknown revocation, transparency or lifetime leaves it accepted."""
    found = tuple(findings)
    if any(f.status == "fail" for f in found):
        return "blocked"
    if any(f.status == "unknown" and f.requirement in _DECIDING for f in found):
        return "inconclusive"
    return "allowed"


def _along(question: ChainQuestion, path: Path) -> tuple[Finding, ...]:
    case = ChainCase(question, path)
    return tuple(_asked(requirement, case) for requirement in _ABOUT_CHAINS)


def _asked(requirement: AboutChain, case: ChainCase) -> Finding:
    try:
        return requirement.check(case)
    except UnreadableCertificate as error:
        return requirement.rule.unknown(f"a certificate cannot be read: {error}")


def _asked_apart(requirement: AboutChain, case: ChainCase) -> tuple[Finding, ...]:
    if requirement.apart is None:
        return (_asked(requirement, case),)
    try:
        return requirement.apart(case)
    except UnreadableCertificate as error:
        return (requirement.rule.unknown(f"a certificate cannot be read: {error}"),)


def _badness(findings: tuple[Finding, ...]) -> tuple[int, int]:
    fails = sum(1 for f in findings if f.status == "fail")
    unknowns = sum(1 for f in findings if f.status == "unknown" and f.requirement in _DECIDING)
    return fails, unknowns


def leaf_first(certificates: tuple[Certificate, ...], host: Host) -> tuple[Certificate, ...]:
    """Bring the leaf of a file to the front, whose certificates may stand in any order.

    That is the one that names the host and is no CA; else the first that is no CA; else the first. A server, which must
    send its leaf first (RFC 5246 §7.4.2), is not helped so.
    """
    leaves = [c for c in certificates if not _is_ca(c)]
    leaf = next((c for c in leaves if _names(c, host)), leaves[0] if leaves else certificates[0])
    return (leaf, *(c for c in certificates if c != leaf))


def _is_ca(certificate: Certificate) -> bool:
    try:
        basic = extension(certificate, x509.BasicConstraints)
    except UnreadableCertificate:
        return False
    return basic is not None and basic.ca


def _names(certificate: Certificate, host: Host) -> bool:
    return any(name == host or matches(host, name) for name in certificate.subject_alt_names)
