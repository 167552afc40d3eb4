"""TLS 1.2 is negotiated with the extended master secret (RFC 7627), where the client insists on it."""

from __future__ import annotations

from dataclasses import replace

from atsprobe.judge.handshakes import Handshakes
from atsprobe.judge.rule import Rule
from atsprobe.model.handshake import Negotiated
from atsprobe.model.judgement import Finding, RequirementId
from atsprobe.model.law_of_offers import SomeHandshake

REQUIREMENT = RequirementId("extended-master-secret")
QUOTE = "Clients and servers SHOULD NOT accept handshakes that do not use the extended master secret"
CITATION = "Apple, NSRequiresNIAPTLSPackageVersion; Apple support 126655; RFC 7627 §4"
FIXABLE_BY = None
RULE = Rule(REQUIREMENT, CITATION, FIXABLE_BY)


def check(handshakes: Handshakes) -> Finding:
    """Look at the client's own handshake, else at all of TLS 1.2 and older; TLS 1.3 has no use for it."""
    required = handshakes.policy.requires_extended_master_secret
    old = handshakes.before_tls_1_3
    if not old:
        if required and not isinstance(handshakes.following, Negotiated):
            return RULE.unknown("no handshake of TLS 1.2 was seen")
        return RULE.does_not_apply("TLS 1.3 has no use for it")
    answers = {n.extended_master_secret for n in old}
    if answers == {True}:
        return RULE.passes("negotiated")
    if answers == {False}:
        if required and isinstance(handshakes.following, SomeHandshake):
            return RULE.unknown("whether this client's handshake has it was not seen")
        if required:
            failed = RULE.fails("TLS 1.2 without it (OpenSSL before 1.1.0?)")
            in_force = handshakes.policy.niap_in_force
            return replace(failed, fixable_by="NSExceptionRequiresNIAPTLSPackageVersion") if in_force else failed
        return RULE.warns("not negotiated; an iOS 27 system service would fail")
    return RULE.unknown("not seen") if required else RULE.does_not_apply("not asked for by this client")
