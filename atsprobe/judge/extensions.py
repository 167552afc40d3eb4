"""Reading the extensions of a certificate that nobody vouches for."""

from __future__ import annotations

from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from atsprobe.model.certificate import Certificate, UnreadableCertificate

E = TypeVar("E", bound=x509.ExtensionType)


def all_extensions(certificate: Certificate) -> x509.Extensions:
    """Give the extensions. Raises UnreadableCertificate where one of them is malformed or stands there twice."""
    try:
        return certificate.parsed.extensions
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise UnreadableCertificate(f"extensions: {str(error)[:150]}") from error


def extension(certificate: Certificate, kind: type[E]) -> E | None:
    """Give the value of one extension, None where it is absent. Raises UnreadableCertificate."""
    try:
        return all_extensions(certificate).get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
