"""The server accepts a cipher suite that the client offers, with or without forward secrecy."""

from __future__ import annotations

from dataclasses import replace

from atsprobe.judge.handshakes import Handshakes
from atsprobe.judge.rule import Rule
from atsprobe.judge.wording import listed
from atsprobe.model.handshake import Negotiated
from atsprobe.model.judgement import Finding, RequirementId

REQUIREMENT = RequirementId("cipher-suite")
QUOTE = "The connection must use either the AES-128 or AES-256 symmetric cipher."
CITATION = (
    "Apple, Preventing insecure network connections; Cocoa Keys (archived); Security source, SecProtocolInternal.h"
)
FIXABLE_BY = None
_LIFTS_NIAP = "NSExceptionRequiresNIAPTLSPackageVersion"
RULE = Rule(REQUIREMENT, CITATION, FIXABLE_BY)


def check(handshakes: Handshakes) -> Finding:
    """Fail where no suite is in common, and none would be by giving up forward secrecy.

    The real list of the client has ChaCha20-Poly1305 beside AES, and no DHE, RC4 or 3DES.
    """
    suite = handshakes.chosen_suite
    if suite is not None:
        if isinstance(handshakes.following, Negotiated) and suite in handshakes.policy.unproved:
            return RULE.unknown(f"{suite}: not proved that an app offers it")
        return RULE.passes(suite)
    if handshakes.has_common_suite:
        return RULE.passes("a suite in common")
    if handshakes.has_common_suite is None:
        return RULE.unknown("what becomes of the client's own hello was not seen")
    return _without_common_suite(handshakes)


def _without_common_suite(handshakes: Handshakes) -> Finding:
    accepted = handshakes.suites_that_count
    offered = set(handshakes.policy.offer.cipher_suites)
    by_default = tuple(s for s in accepted if s in handshakes.policy.client.profile.cipher_suites)
    if handshakes.policy.niap_in_force and by_default:
        text = f"no ECDHE suite with AES-GCM, which FCP_v2.1 asks for (accepts {listed(by_default, 2)})"
        is_fixable = handshakes.policy.client.profile.reads_exceptions
        return replace(RULE.fails(text), fixable_by=_LIFTS_NIAP if is_fixable else None)
    shared = tuple(s for s in accepted if s in offered)
    if shared:
        return RULE.fails(f"no group or signature algorithm in common (for {listed(shared, 2)})")
    if handshakes.static_rsa_suites:
        return RULE.passes(f"AES ({listed(handshakes.static_rsa_suites, 2)})")
    if not accepted:
        if handshakes.refuses_every_suite:
            return RULE.fails(f"none of the suites that an Apple client can offer{_no_key(handshakes, '; ')}")
        return RULE.unknown("the client's suites are refused; which ones the server has was not seen")
    shown = listed(accepted, 2)
    for kind, mark in (("DHE", "TLS_DHE_"), ("3DES", "_3DES_"), ("RC4", "_RC4_")):
        if all(mark in suite for suite in accepted):
            return RULE.fails(f"{kind} suites only ({shown}); ATS never offers {kind}{_no_key(handshakes, ', ')}")
    return RULE.fails(f"no suite in common (accepts {shown}){_no_key(handshakes, '; ')}")


def _no_key(handshakes: Handshakes, before: str) -> str:
    """Say that no key of an Info.plist helps, to whom one could."""
    return f"{before}no key helps" if handshakes.policy.client.profile.reads_exceptions else ""
