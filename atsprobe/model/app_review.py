"""Which keys of NSAppTransportSecurity App Review wants a reason for."""

from __future__ import annotations

from atsprobe.model.dictionary import DeclaredKey

_GLOBAL = frozenset({"NSAllowsArbitraryLoads", "NSAllowsArbitraryLoadsForMedia", "NSAllowsArbitraryLoadsInWebContent"})
_ALLOWS_HTTP, _MINIMUM_TLS = "NSExceptionAllowsInsecureHTTPLoads", "NSExceptionMinimumTLSVersion"
_BELOW_TLS_1_2 = ("TLSv1.0", "TLSv1.1")


def wants_a_reason(key: DeclaredKey) -> bool:
    """Say whether App Review asks why a key is there.

    Source: Apple, Preventing insecure network connections: the three NSAllowsArbitraryLoads keys and
    NSExceptionAllowsInsecureHTTPLoads where they are true, and NSExceptionMinimumTLSVersion where it is lower than 1.2.
    """
    if key.misplaced:
        return False
    is_true = isinstance(key.value, bool | int | float) and key.value == 1
    if key.domain is None:
        return key.key in _GLOBAL and is_true
    return (key.key == _ALLOWS_HTTP and is_true) or (key.key == _MINIMUM_TLS and key.value in _BELOW_TLS_1_2)
