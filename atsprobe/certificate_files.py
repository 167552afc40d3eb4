"""Certificates in files: Apple's roots as sslyze ships them, roots that a user gives, chains to be judged."""

from __future__ import annotations

import base64
import binascii
import importlib.util
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from atsprobe.model.certificate import Certificate, UnreadableCertificate
from atsprobe.model.trust_store import TrustStore

_MAX_BYTES = 10 << 20
_MAX_CERTIFICATES = 5000
_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,60})-----")
_STORE = Path("plugins") / "certificate_info" / "trust_stores" / "pem_files"

_PEM_HINT = "give the file that begins with -----BEGIN CERTIFICATE-----"
_OTHER_THINGS = (
    ("PRIVATE KEY", "a private key, not a certificate", _PEM_HINT),
    ("PUBLIC KEY", "a public key, not a certificate", _PEM_HINT),
    ("CERTIFICATE REQUEST", "a certificate request, not a certificate", "give the certificate that the CA made of it"),
    ("PKCS7", "a PKCS #7 bundle", "openssl pkcs7 -print_certs -in FILE -out chain.pem"),
    ("CMS", "a CMS bundle", "openssl pkcs7 -print_certs -in FILE -out chain.pem"),
    ("CRL", "a revocation list, not a certificate", _PEM_HINT),
    ("TRUSTED CERTIFICATE", "a certificate in OpenSSL's own form", "openssl x509 -in FILE -out plain.pem"),
)


class CertificateFileProblem(ValueError):
    """Says what is wrong with a file of certificates: one line that names it, and a hint (empty where none helps)."""

    def __init__(self, message: str, hint: str = "") -> None:
        """Keep the message for the error line, and the hint for the line below it."""
        super().__init__(message)
        self.hint = hint


@cache
def apple_roots() -> TrustStore:
    """Give the roots of Apple's store, read from the file that sslyze ships; sslyze itself is not imported.

    ``title`` names its version: ``Apple roots 26``. Raises CertificateFileProblem where the file is not there.
    """
    found = importlib.util.find_spec("sslyze")  # a top-level package is found without being run
    directories = [Path(d) / _STORE for d in (found.submodule_search_locations or ())] if found else []
    for directory in directories:
        if (directory / "apple.pem").is_file():
            # not parsed here: a command that meets no certificate should not pay for 156 of them
            blocks = _pem_blocks("apple.pem", (directory / "apple.pem").read_bytes())
            return TrustStore(public=blocks, title=_title(directory / "apple.yaml"))
    raise CertificateFileProblem("Apple's roots were not found: sslyze is not installed whole", "pip install sslyze")


def _title(catalogue: Path) -> str:
    try:
        text = catalogue.read_text("utf-8", errors="replace")
    except OSError:
        return "Apple roots"
    version = re.search(r"^version:\s*iOS (\d+(?:\.\d+)*)", text, re.MULTILINE)
    return f"Apple roots {version.group(1)}" if version else "Apple roots"


def read_roots(path: str) -> tuple[bytes, ...]:
    """Read roots as DER from a PEM bundle or a DER file, each checked to be readable. Raises CertificateFileProblem."""
    return tuple(certificate.der for certificate in _read(path))


def read_chain(paths: Iterable[str]) -> tuple[Certificate, ...]:
    """Read certificates from PEM bundles or DER files, in the order in which they stand. Raises CertificateFileProblem."""
    return tuple(dict.fromkeys(certificate for path in paths for certificate in _read(path)))


def _read(path: str) -> tuple[Certificate, ...]:
    data = _bytes_of(path)
    if not data.strip():
        raise CertificateFileProblem(f"{path}: the file is empty", _PEM_HINT)
    ders = _pem_blocks(path, data) if b"-----BEGIN " in data else (data,)
    certificates = tuple(Certificate(der) for der in ders)
    for number, certificate in enumerate(certificates, start=1):
        try:
            certificate.parsed  # noqa: B018
        except UnreadableCertificate as error:
            if b"-----BEGIN " not in data:
                raise _not_a_certificate(path, data) from error
            reason = _in_words(" ".join(str(error).split()))[:100]
            raise CertificateFileProblem(f"{path}: certificate number {number} is broken ({reason})") from error
    return certificates


def _in_words(reason: str) -> str:
    """Give the kind of a parser's error alone, where it names one: ``invalid length``."""
    kind = re.search(r"kind: (\w+)", reason)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind[1]).lower() if kind else reason


def _bytes_of(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise CertificateFileProblem(f"{path}: no such file") from error
    except IsADirectoryError as error:
        raise CertificateFileProblem(f"{path}: a directory, not a file of certificates") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CertificateFileProblem(f"{path}: cannot be read ({reason.lower()})") from error
    if len(data) > _MAX_BYTES:
        raise CertificateFileProblem(f"{path}: more than {_MAX_BYTES >> 20} MB; that is no chain of certificates")
    return data


def _pem_blocks(path: str, data: bytes) -> tuple[bytes, ...]:
    """Give the DER of every certificate between PEM lines (RFC 7468); other blocks beside them are skipped."""
    found: list[bytes] = []
    others: list[str] = []
    for begin in _BEGIN.finditer(data):
        label = begin.group(1)
        if label not in (b"CERTIFICATE", b"X509 CERTIFICATE"):
            others.append(label.decode("ascii"))
            continue
        number = len(found) + 1
        end = data.find(b"-----END " + label + b"-----", begin.end())
        if end < 0:
            raise CertificateFileProblem(
                f"{path}: certificate number {number} has no END line", "is the file cut short?"
            )
        try:
            found.append(base64.b64decode(b"".join(data[begin.end() : end].split()), validate=True))
        except (binascii.Error, ValueError) as error:
            raise CertificateFileProblem(f"{path}: certificate number {number} is broken (not base64)") from error
        if len(found) > _MAX_CERTIFICATES:
            raise CertificateFileProblem(f"{path}: more than {_MAX_CERTIFICATES} certificates")
    if not found:
        raise _something_else(path, others)
    return tuple(found)


def _something_else(path: str, labels: list[str]) -> CertificateFileProblem:
    for label in labels:
        for mark, what, hint in _OTHER_THINGS:
            if label.endswith(mark):
                return CertificateFileProblem(f"{path}: {what}", hint)
    return CertificateFileProblem(f"{path}: no certificate in it", _PEM_HINT)


def _not_a_certificate(path: str, data: bytes) -> CertificateFileProblem:
    """Tell what a binary file is that is no certificate, as far as that can be told."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        load_der_private_key(data, None)
    except TypeError:  # encrypted, and so a private key
        return _something_else(path, ["PRIVATE KEY"])
    except (ValueError, UnsupportedAlgorithm):
        pass
    else:
        return _something_else(path, ["PRIVATE KEY"])
    if (
        data[:1] == b"\x30" and b"\x2a\x86\x48\x86\xf7\x0d\x01\x07" in data[:64]
    ):  # the arc of PKCS #7, which PKCS #12 holds
        hint = "openssl pkcs12 -in FILE -nokeys -out chain.pem, or openssl pkcs7 -inform DER -print_certs -in FILE"
        return CertificateFileProblem(f"{path}: a PKCS #12 or PKCS #7 bundle", hint)
    return CertificateFileProblem(f"{path}: no certificate in it (neither PEM nor DER)", _PEM_HINT)
