"""The server speaks a version of TLS that the client offers."""

from __future__ import annotations

from atsprobe.judge.handshakes import Handshakes
from atsprobe.judge.rule import Rule
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.handshake import Negotiated
from atsprobe.model.judgement import Finding, RequirementId

REQUIREMENT = RequirementId("tls-version")
QUOTE = "The negotiated Transport Layer Security (TLS) version must be TLS 1.2."
CITATION = "Apple, Preventing insecure network connections; NSExceptionMinimumTLSVersion; Cocoa Keys (archived)"
FIXABLE_BY = "NSExceptionMinimumTLSVersion"
RULE = Rule(REQUIREMENT, CITATION, FIXABLE_BY)


def check(handshakes: Handshakes) -> Finding:
    """Compare the versions that the server has, under whatever suite, with the lowest that the client offers."""
    following = handshakes.following
    if isinstance(following, Negotiated):
        if handshakes.policy.floor_is_unknown:
            return RULE.unknown(f"{following.version.title}; the floor that is declared is not a TLS version")
        if following.version in handshakes.policy.unproved_versions:
            return RULE.unknown(
                f"{following.version.title}; an app linked with SDK 26 or later may also need "
                "tlsMinimumSupportedProtocolVersion in its code"
            )
        return RULE.passes(following.version.title)
    if handshakes.reaches_floor is None:
        return RULE.unknown("no version was negotiated")
    highest = handshakes.highest
    if handshakes.reaches_floor and highest is not None:
        return RULE.passes(highest.title)
    floor = handshakes.floor.title
    fixable = (
        handshakes.policy.client.profile.reads_exceptions and highest is not None and highest >= TlsVersion.TLS_1_0
    )
    if highest is None:
        return RULE.fails(f"alert protocol_version; at least {floor}", fixable=False)
    return RULE.fails(f"{highest.title} at most; at least {floor.removeprefix('TLS ')}", fixable=fixable)
