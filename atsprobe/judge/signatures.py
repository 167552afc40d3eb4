"""Whether one certificate's key made another's signature; SHA-1 and MD5 too, which cryptography's own check refuses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import SignatureAlgorithmOID

from atsprobe.model.certificate import UNREADABLE, Certificate

NameKey = tuple[frozenset[tuple[str, str]], ...]


def name_key(name: x509.Name) -> NameKey:
    """Give a name in the form in which names are compared: case and runs of blanks do not count (RFC 5280 §7.1)."""
    return tuple(
        frozenset((a.oid.dotted_string, " ".join(str(a.value).split()).casefold()) for a in rdn) for rdn in name.rdns
    )


@dataclass(frozen=True)
class SignedData:
    """Bytes with the signature on them, and the algorithm that the signer names."""

    data: bytes
    signature: bytes
    algorithm: x509.ObjectIdentifier
    digest: hashes.HashAlgorithm | None
    pss: padding.PSS | None = None


@lru_cache(maxsize=4096)
def signed_by(child: Certificate, issuer: Certificate) -> bool | None:
    """Say whether the issuer's key verifies the child's signature; names are not looked at.

    None where the key or the algorithm is one that cannot be computed here (MD2, explicit curve parameters).
    """
    try:
        parsed = child.parsed
        pss = parsed.signature_algorithm_parameters
        signed = SignedData(
            parsed.tbs_certificate_bytes,
            parsed.signature,
            parsed.signature_algorithm_oid,
            parsed.signature_hash_algorithm,
            pss if isinstance(pss, padding.PSS) else None,
        )
    except UNREADABLE:
        return None
    return verifies(issuer, signed)


def verifies(signer: Certificate, signed: SignedData) -> bool | None:
    """Say whether the key of a certificate made a signature; None where that cannot be computed here."""
    try:
        key = signer.parsed.public_key()
        return _verify(key, signed)
    except InvalidSignature:
        return False
    except UNREADABLE:
        return None


def _verify(key: object, signed: SignedData) -> bool:
    """Raises InvalidSignature; gives False where the key is of another kind than the algorithm."""
    is_pss = signed.algorithm == SignatureAlgorithmOID.RSASSA_PSS
    kind = _KEY_OF_ALGORITHM.get(signed.algorithm.dotted_string.rpartition(".")[0], "other")
    if isinstance(key, rsa.RSAPublicKey):
        if kind != "rsa" or signed.digest is None:
            return False
        scheme = signed.pss if is_pss and signed.pss else padding.PKCS1v15()
        key.verify(signed.signature, signed.data, scheme, signed.digest)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        if kind != "ec" or signed.digest is None:
            return False
        key.verify(signed.signature, signed.data, ec.ECDSA(signed.digest))
    elif isinstance(key, dsa.DSAPublicKey):
        if signed.digest is None:
            return False
        key.verify(signed.signature, signed.data, signed.digest)
    elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        if signed.digest is not None:
            return False
        key.verify(signed.signature, signed.data)
    else:
        raise TypeError("a key of a kind that signs nothing here")
    return True


_KEY_OF_ALGORITHM = {
    "1.2.840.113549.1.1": "rsa",  # RFC 8017 appendix C
    "2.16.840.1.101.3.4.3": "rsa",  # with SHA-3
    "1.2.840.10045.4": "ec",  # ecdsa-with-SHA1
    "1.2.840.10045.4.3": "ec",  # RFC 5758 §3.2
}
"""The kind of key by the arc of the signature algorithm."""
