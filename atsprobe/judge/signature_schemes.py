"""The TLS signature scheme (RFC 8446 §4.2.3) that the signature on a certificate belongs to."""

from __future__ import annotations

from atsprobe.model.certificate import Certificate

_RSASSA_PSS = "1.2.840.113549.1.1.10"
_RSA = "1.2.840.113549.1.1."
_ECDSA = "1.2.840.10045.4."
_PURE = {"1.3.101.112": "ed25519", "1.3.101.113": "ed448"}
_CURVES = {
    "ecdsa_secp256r1_sha256": "P-256",
    "ecdsa_secp384r1_sha384": "P-384",
    "ecdsa_secp521r1_sha512": "P-521",
}
_ECDSA_SCHEMES = {"SHA-1": "ecdsa_sha1"} | {f"SHA-{name[-3:]}": name for name in _CURVES}


def scheme_of(certificate: Certificate) -> str | None:
    """Give the scheme whose hash and kind of key made the signature on a certificate, None where no scheme has both."""
    oid = certificate.parsed.signature_algorithm_oid.dotted_string
    digest = certificate.signature_hash
    if oid in _PURE:
        return _PURE[oid]
    if not digest.startswith(("SHA-", "MD")):
        return None
    short = digest.lower().replace("-", "")
    if oid == _RSASSA_PSS:
        return f"rsa_pss_rsae_{short}"
    if oid.startswith(_RSA):
        return f"rsa_pkcs1_{short}"
    return _ECDSA_SCHEMES.get(digest, f"ecdsa_{short}") if oid.startswith(_ECDSA) else None


def is_of_scheme_curve(scheme: str, issuer: Certificate | None) -> bool:
    """Say whether an issuer's key is on the curve that an ECDSA scheme names, as TLS 1.3 has it; other schemes name none.

    For TLS 1.2 the same code points name the hash alone. False where the issuer was not seen.
    """
    curve = _CURVES.get(scheme)
    return curve is None or (issuer is not None and issuer.key_type == curve)
