"""The chain ends in a root that the client trusts, and its certificates allow each other."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from atsprobe.judge.chain import ChainCase
from atsprobe.judge.constraints import faults
from atsprobe.judge.distrust import distrust
from atsprobe.judge.path import Path, issuer_url, short_issuer, short_subject
from atsprobe.judge.rule import Rule
from atsprobe.judge.wording import listed
from atsprobe.model.judgement import Finding, RequirementId

REQUIREMENT = RequirementId("certificate-trust")
QUOTE = "Issued by a certificate authority (CA) whose root certificate is incorporated into the operating system"
CITATION = "Apple, Preventing insecure network connections; Cocoa Keys (archived); RFC 5280 §6.1"
FIXABLE_BY = None  # a root installed on the device, or a challenge handler with ATS off, is no key
RULE = Rule(REQUIREMENT, CITATION, FIXABLE_BY)


def check(case: ChainCase) -> Finding:
    """Look at where the path ends, at what Apple holds against its CAs, and at what its certificates say about each other.

    Several faults stand in one finding; `apart` gives each its own.
    """
    found = apart(case)
    for status in ("fail", "unknown"):
        told = [f for f in found if f.status == status]
        if told:
            beside = [f for f in found if f.status == "unknown" and status == "fail"]
            evidence = listed([f.evidence for f in (*beside, *told)], 3)
            return replace(told[0], evidence=evidence)
    return found[0]


def apart(case: ChainCase) -> tuple[Finding, ...]:
    """Give a finding for the end of the path, then one for each further fault: what CAs may not do, what Apple distrusts."""
    found = [_end(case), *(RULE.fails(fault) for fault in faults(case.path))]
    against = distrust(case)
    if against is not None:
        finding = RULE.fails(against.text) if against.is_certain else RULE.unknown(against.text)
        found.append(replace(finding, citation=against.citation))
    return tuple(found)


def _end(case: ChainCase) -> Finding:
    """Where the path ends. The client may fetch an issuer that was not sent where a caIssuers URL names it: unknown then."""
    path = case.path
    match path.problem:
        case "self-signed":
            return RULE.fails("self-signed, and not in Apple's store (--ca-file adds it)")
        case "unknown-root":
            return RULE.fails(f'root "{short_subject(path.last)}" is not in Apple\'s store (--ca-file adds it)')
        case "missing-intermediate":
            return _missing(path)
        case "too-many":
            return RULE.unknown("more certificates than are worth trying")
        case None:
            return _anchored(case)
        case _:
            assert_never(path.problem)


def _missing(path: Path) -> Finding:
    issuer, url = short_issuer(path.last), issuer_url(path.last)
    if url:
        return RULE.unknown(f'issuer "{issuer}" was not sent; the client may fetch it from {url}')
    return RULE.fails(f'issuer "{issuer}" was not sent, and is no root in Apple\'s store')


def _anchored(case: ChainCase) -> Finding:
    path = case.path
    where = "in Apple's store" if path.anchor == "public" else "installed (--ca-file)"
    if case.is_as_if_public:
        where = "as if preinstalled (--public-root)"
    if len(path.certificates) == 1:
        return RULE.passes(f"the leaf itself is {where}")
    return RULE.passes(f'root "{short_subject(path.last)}", {where}')
