"""How Apple's client reads a value of NSAppTransportSecurity, whatever its type."""

from __future__ import annotations

from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import PlistValue

_VERSIONS = {v.label: v for v in TlsVersion if v >= TlsVersion.TLS_1_0}


def boolean(value: PlistValue | None) -> bool | None:
    """Read a boolean: a number equal to 1 is true, any other number is present and false, every other type is absent.

    Source: Apple Security source, SecProtocolConfiguration.m, ATS_VALUE_FOR_KEY and BOOLEAN_FOR_KEY (18.5 and later).
    """
    if isinstance(value, bool | int | float):
        return value == 1
    return None


def tls_version(value: PlistValue | None) -> TlsVersion | None:
    """Read a version, to the letter (``TLSv1.0`` to ``TLSv1.3``); None for anything else, which means the default, but for DTLS.

    Source: Apple Security source, SecProtocolConfiguration.m, protocol_string_to_version.
    """
    return _VERSIONS.get(value) if isinstance(value, str) else None


def is_no_tls_version(value: PlistValue | None) -> bool:
    """Say whether a version is one of DTLS: Apple's client stores it as the floor of TLS, and to what effect is not known.

    Source: Apple Security source, SecProtocolConfiguration.m, protocol_string_to_version (code points FEFF and FEFD).
    """
    return isinstance(value, str) and value in ("DTLSv1.0", "DTLSv1.2")


def niap_mode(value: PlistValue | None) -> bool | None:
    """Read a NIAP TLS package version: True for ``FCP_v2.1`` and ``recommended``, False for ``none``, None for anything else.

    Source: Apple, NSRequiresNIAPTLSPackageVersion and NSExceptionRequiresNIAPTLSPackageVersion (26.4 and later).
    """
    return {"FCP_v2.1": True, "recommended": True, "none": False}.get(value) if isinstance(value, str) else None
