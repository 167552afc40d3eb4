"""The key exchange is ECDHE."""

from __future__ import annotations

from atsprobe.judge.handshakes import Handshakes
from atsprobe.judge.rule import Rule
from atsprobe.judge.wording import listed
from atsprobe.model.cipher_suite import has_forward_secrecy_by_ecdhe
from atsprobe.model.judgement import Finding, RequirementId

REQUIREMENT = RequirementId("forward-secrecy")
QUOTE = (
    "The negotiated TLS connection cipher suite must support perfect forward secrecy (PFS) through Elliptic Curve "
    "Diffie-Hellman Ephemeral (ECDHE) key exchange"
)
CITATION = "Apple, Preventing insecure network connections; NSExceptionRequiresForwardSecrecy; Cocoa Keys (archived)"
FIXABLE_BY = "NSExceptionRequiresForwardSecrecy"
RULE = Rule(REQUIREMENT, CITATION, FIXABLE_BY)


def check(handshakes: Handshakes) -> Finding:
    """Fail where static RSA with AES, which the key adds to the offer, is all that the server has for this client."""
    suite = handshakes.chosen_suite
    if suite is not None and has_forward_secrecy_by_ecdhe(suite):
        return RULE.passes(f"ECDHE ({suite})")
    if not handshakes.policy.forward_secrecy_required:
        return RULE.does_not_apply("not asked for under this policy")
    if handshakes.has_common_suite:
        return RULE.passes("ECDHE")
    if handshakes.has_common_suite is None:
        return RULE.unknown("what becomes of the client's own hello was not seen")
    if handshakes.static_rsa_suites:
        fixable = handshakes.policy.client.profile.reads_exceptions
        return RULE.fails(f"static RSA suites only ({listed(handshakes.static_rsa_suites, 2)})", fixable=fixable)
    return RULE.does_not_apply("no suite in common, with or without forward secrecy")
