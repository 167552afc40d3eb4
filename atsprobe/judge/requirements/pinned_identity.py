"""The keys of the path are among those that NSPinnedDomains names for the host."""

from __future__ import annotations

from atsprobe.judge.chain import ChainCase
from atsprobe.judge.rule import Rule
from atsprobe.model.judgement import Finding, RequirementId

REQUIREMENT = RequirementId("pinned-identity")
QUOTE = (
    "App Transport Security (ATS) blocks the connection unless it can find the SPKI digest of the leaf certificate presented "
    "by the server among the digests in this array."
)
CITATION = "Apple, NSPinnedLeafIdentities, NSPinnedCAIdentities; Security source, SecPolicyCheckCAspkiSHA256"
FIXABLE_BY = None
RULE = Rule(REQUIREMENT, CITATION, FIXABLE_BY)


def check(case: ChainCase) -> Finding:
    """Match the leaf against the leaf list and any certificate above it, the root too, against the CA list; both must match.

    An empty list matches nothing, so that it blocks every chain. The path counts, not what the server sent.
    """
    pins = case.question.pins
    if pins is None or (pins.leaf is None and pins.ca is None):
        return RULE.does_not_apply("no pin for this host")
    if pins.leaf is not None and case.leaf.spki_sha256 not in pins.leaf:
        return RULE.fails("the leaf's key is not among NSPinnedLeafIdentities")
    if pins.ca is not None and not any(c.spki_sha256 in pins.ca for c in case.path.certificates[1:]):
        if pins.ca and case.path.problem in ("missing-intermediate", "too-many"):
            return RULE.unknown("no key of the incomplete path is among NSPinnedCAIdentities")
        return RULE.fails("no key above the leaf is among NSPinnedCAIdentities")
    return RULE.passes("the path has the pinned keys")
