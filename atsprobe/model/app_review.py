"""Which keys of NSAppTransportSecurity App Review wants a reason for."""

from __future__ import annotations

from atsprobe.model.dictionary import PlistValue

_ASKED_FOR_TRUE = frozenset(
    {
        "NSAllowsArbitraryLoads",
        "NSAllowsArbitraryLoadsForMedia",
        "NSAllowsArbitraryLoadsInWebContent",
        "NSExceptionAllowsInsecureHTTPLoads",
    }
)
_MINIMUM_TLS = "NSExceptionMinimumTLSVersion"
_NEEDS_NO_REASON = ("TLSv1.2", "TLSv1.3")


def wants_a_reason(key: str | None, value: PlistValue | None) -> bool:
    """Say whether App Review asks why a key is there (Apple, Preventing insecure network connections)."""
    if key == _MINIMUM_TLS:
        return value not in _NEEDS_NO_REASON
    return key in _ASKED_FOR_TRUE and value in (True, 1)
