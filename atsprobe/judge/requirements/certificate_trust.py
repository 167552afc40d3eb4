"""The chain ends in a root that the client trusts, and its certificates allow each other."""

from __future__ import annotations

from atsprobe.judge.chain import ChainCase
from atsprobe.judge.constraints import faults
from atsprobe.judge.path import issuer_url, short_issuer, short_subject
from atsprobe.judge.rule import Rule
from atsprobe.judge.wording import listed
from atsprobe.model.judgement import Finding, RequirementId

REQUIREMENT = RequirementId("certificate-trust")
QUOTE = "Issued by a certificate authority (CA) whose root certificate is incorporated into the operating system"
CITATION = "Apple, Preventing insecure network connections; Cocoa Keys (archived); RFC 5280 §6.1"
FIXABLE_BY = None  # a root installed on the device, or a challenge handler with ATS off, is no key
RULE = Rule(REQUIREMENT, CITATION, FIXABLE_BY)


def check(case: ChainCase) -> Finding:
    """Look at where the path ends, and at what its certificates say about each other.

    The issuer of the last certificate may be fetched by the client where a caIssuers URL names it: unknown then.
    """
    broken = faults(case.path)
    if broken:
        return RULE.fails(listed((*_why_untrusted(case), *broken), 3))
    path = case.path
    if path.problem == "too-many":
        return RULE.unknown("more certificates than are worth trying")
    if path.problem == "missing-intermediate":
        url = issuer_url(path.last)
        if url:
            return RULE.unknown(f'issuer "{short_issuer(path.last)}" was not sent; the client may fetch it from {url}')
    untrusted = _why_untrusted(case)
    if untrusted:
        return RULE.fails(untrusted[0])
    where = "in Apple's store" if path.anchor == "public" else "installed (--ca-file)"
    if len(path.certificates) == 1:
        return RULE.passes(f"the leaf itself is {where}")
    return RULE.passes(f'root "{short_subject(path.last)}", {where}')


def _why_untrusted(case: ChainCase) -> tuple[str, ...]:
    path = case.path
    if path.problem == "self-signed":
        return ("self-signed, and not in Apple's store (--ca-file adds it)",)
    if path.problem == "unknown-root":
        return (f'root "{short_subject(path.last)}" is not in Apple\'s store (--ca-file adds it)',)
    if path.problem == "missing-intermediate":
        return (f'issuer "{short_issuer(path.last)}" was not sent, and is no root in Apple\'s store',)
    return ()
