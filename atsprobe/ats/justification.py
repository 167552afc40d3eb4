"""Which keys of an exception App Review wants a reason for."""

from __future__ import annotations

from atsprobe.ats.key_effect import ALLOWS_HTTP, MINIMUM_TLS
from atsprobe.ats.values import boolean, tls_version
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import ExceptionEntry


def justified_keys(entry: ExceptionEntry) -> tuple[str, ...]:
    """Give the keys of an entry that trigger additional App Store review, so that a reason has to be given.

    NSExceptionAllowsInsecureHTTPLoads where it is true, and NSExceptionMinimumTLSVersion below TLS 1.2; neither
    NSExceptionRequiresForwardSecrecy nor the NIAP keys. Source: Apple, Preventing insecure network connections.
    """
    version = tls_version(entry.minimum_tls_version)
    asks = {
        ALLOWS_HTTP: boolean(entry.allows_insecure_http_loads) is True,
        MINIMUM_TLS: version is not None and version < TlsVersion.TLS_1_2,
    }
    return tuple(key for key in asks if asks[key])
