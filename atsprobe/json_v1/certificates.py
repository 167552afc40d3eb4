"""Certificates: the facts for readers, and the DER from which they are read again."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any

from atsprobe.json_v1 import instant
from atsprobe.json_v1.node import Node
from atsprobe.model.certificate import Certificate, UnreadableCertificate
from atsprobe.model.handshake import Experiment, deployments

MAX_CERTIFICATES = 10_000


class CertificateWriter:
    """Writes each distinct certificate once, however many servers sent it."""

    def __init__(self) -> None:
        """Begin a document."""
        self._written: dict[bytes, dict[str, Any]] = {}

    def encode(self, certificate: Certificate) -> dict[str, Any]:
        """Write a certificate; a fact that cannot be read is null."""
        known = self._written.get(certificate.der)
        if known is None:
            known = self._written[certificate.der] = _encode(certificate)
        return known


def _encode(certificate: Certificate) -> dict[str, Any]:
    return {
        "subject": _fact(certificate, lambda c: c.subject),
        "issuer": _fact(certificate, lambda c: c.issuer),
        "key_type": _fact(certificate, lambda c: c.key_type),
        "key_bits": _fact(certificate, lambda c: c.key_bits),
        "signature_hash": _fact(certificate, lambda c: c.signature_hash),
        "sha256": certificate.sha256,
        "spki_sha256": _fact(certificate, lambda c: c.spki_sha256.hex()),
        "not_before": _fact(certificate, lambda c: instant.encode(c.not_before)),
        "not_after": _fact(certificate, lambda c: instant.encode(c.not_after)),
        "subject_alt_names": _fact(certificate, lambda c: list(c.subject_alt_names)),
        "der": base64.b64encode(certificate.der).decode("ascii"),
    }


def _fact(certificate: Certificate, read: Callable[[Certificate], Any]) -> Any:
    try:
        _ = certificate.parsed  # one that cannot be parsed has no facts at all, not even an empty list of names
        return read(certificate)
    except UnreadableCertificate:
        return None


def distinct(experiments: Iterable[Experiment]) -> tuple[Certificate, ...]:
    """Give each certificate of all chains once: the first chain from its leaf on, then what the others add."""
    return tuple(dict.fromkeys(c for chain in deployments(experiments) for c in chain))


class CertificateReader:
    """Reads certificates, one object for equal bytes, and finds those of one address again by their fingerprint."""

    def __init__(self) -> None:
        """Begin a document."""
        self._read: dict[bytes, Certificate] = {}

    def decode(self, node: Node) -> Certificate:
        """Read a certificate from its DER; the facts beside it are not read, but the fingerprint has to be its own."""
        der = node["der"].data()
        certificate = self._read.setdefault(der, Certificate(der))
        if node["sha256"].name() != certificate.sha256:
            raise node["sha256"].problem("is not the SHA-256 of der")
        return certificate

    def by_sha256(self, nodes: Node) -> dict[str, Certificate]:
        """Read the certificates of an address."""
        certificates = (self.decode(node) for node in nodes.items(MAX_CERTIFICATES))
        return {certificate.sha256: certificate for certificate in certificates}
