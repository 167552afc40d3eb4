"""Reading the extensions of a certificate that nobody vouches for."""

from __future__ import annotations

from typing import TypeVar

from cryptography import x509

from atsprobe.model.certificate import Certificate, read_off

E = TypeVar("E", bound=x509.ExtensionType)


def all_extensions(certificate: Certificate) -> x509.Extensions:
    """Give the extensions. Raises UnreadableCertificate where one of them is malformed or stands there twice."""
    return read_off(lambda: certificate.parsed.extensions)


def extension(certificate: Certificate, kind: type[E]) -> E | None:
    """Give the value of one extension, None where it is absent. Raises UnreadableCertificate."""
    try:
        return all_extensions(certificate).get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
