"""The subjectAltName as Apple's client reads it: from the DER, name by name, more lenient than a strict parser."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from atsprobe.model.certificate import Certificate, UnreadableCertificate, read_off

_SUBJECT_ALT_NAME = bytes.fromhex("551d11")  # 2.5.29.17
_SEQUENCE, _BOOLEAN, _OBJECT_IDENTIFIER, _OCTET_STRING, _EXTENSIONS = 0x30, 0x01, 0x06, 0x04, 0xA3
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87
_MAX_NAMES = 20_000


@dataclass(frozen=True)
class AlternativeNames:
    """The names of a certificate: dNSNames as text, iPAddresses in their one spelling; whether the extension is critical.

    ``is_void``: a dNSName is not UTF-8, for which Apple's client drops every dNSName (Security source, SecCertificate.c,
    appendDNSNamesFromGeneralNames).
    """

    dns: tuple[str, ...]
    addresses: tuple[str, ...]
    is_critical: bool
    is_void: bool = False


def alternative_names(certificate: Certificate) -> AlternativeNames | None:
    """Read the names, None where there is no such extension. Raises UnreadableCertificate."""
    tbs = read_off(lambda: certificate.parsed.tbs_certificate_bytes)
    for is_critical, value in _extensions(tbs):
        return _read(value, is_critical=is_critical)
    return None


def _extensions(tbs: bytes) -> Iterator[tuple[bool, bytes]]:
    """Give flag and value of each subjectAltName extension (RFC 5280 §4.1)."""
    fields = next((content for tag, content in _elements(tbs) if tag == _SEQUENCE), b"")
    wrapped = next((content for tag, content in _elements(fields) if tag == _EXTENSIONS), b"")
    for _, listed in _elements(wrapped):
        for _, one in _elements(listed):
            parts = list(_elements(one))
            if not parts or parts[0] != (_OBJECT_IDENTIFIER, _SUBJECT_ALT_NAME) or parts[-1][0] != _OCTET_STRING:
                continue
            yield any(tag == _BOOLEAN and content != b"\0" for tag, content in parts), parts[-1][1]


def _read(value: bytes, *, is_critical: bool) -> AlternativeNames:
    names: list[str] = []
    addresses: list[str] = []
    is_void = False
    listed = next((content for tag, content in _elements(value) if tag == _SEQUENCE), None)
    if listed is None:
        raise UnreadableCertificate("the subjectAltName is no list of names")
    for number, (tag, content) in enumerate(_elements(listed)):
        if number >= _MAX_NAMES:
            break
        if tag == _DNS_NAME:
            try:
                names.append(content.decode("utf-8"))
            except UnicodeDecodeError:
                is_void = True
        elif tag == _IP_ADDRESS and len(content) in (4, 16):
            addresses.append(str(ipaddress.ip_address(content)))
    return AlternativeNames(() if is_void else tuple(names), tuple(addresses), is_critical, is_void)


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Give tag and content of each DER element in a row (X.690 §8.1); raises UnreadableCertificate where it is none."""
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            raise UnreadableCertificate("an extension ends in the middle of a name")
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            if not 1 <= size <= 4 or at + size > len(data):
                raise UnreadableCertificate("a length in the subjectAltName is malformed")
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > len(data):
            raise UnreadableCertificate("a name in the subjectAltName is longer than the extension")
        yield tag, data[at : at + length]
        at += length
