"""Whom a leaf names to be asked whether it is revoked, and the request that asks; nothing is sent here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeVar
from urllib.parse import SplitResult, urljoin, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from atsprobe.model.certificate import UNREADABLE, Certificate, UnreadableCertificate, read_off
from atsprobe.model.endpoint import DEFAULT_PORTS, Endpoint, InvalidHost, Scheme, parse_host

E = TypeVar("E", bound=x509.ExtensionType)

Kind = Literal["ocsp", "crl"]

_LONGEST_URL = 2000
_URL = re.compile(rf"[!-~]{{1,{_LONGEST_URL}}}")
_MOST_NAMES = 20
_MOST_SENT = 50


@dataclass(frozen=True, slots=True)
class RevocationQuery:
    """What to ask about a leaf, and where.

    ``request`` is an OCSP request to post (DER), empty for a list, which is fetched, so that one list is asked for once for all
    leaves. ``problem`` says why nobody can be asked, empty where somebody can.
    """

    kind: Kind
    url: str
    request: bytes = b""
    problem: str = ""


def query_about(chain: Sequence[Certificate], candidates: tuple[bytes, ...]) -> RevocationQuery | None:
    """Give the query about the leaf of a chain as a server sent it; None where it names nobody or cannot be read.

    An OCSP responder comes first (RFC 5280 §4.2.2.1), a revocation list (§4.2.1.13) only where the leaf names none. The issuer,
    which an OCSP request has to name, is among what was sent, else among the ``candidates`` (roots as DER).
    """
    leaf = chain[0]
    kind: Kind = "ocsp"
    try:
        url = _asked(_responders(leaf))
        if url is None:
            kind, url = "crl", _asked(_lists(leaf))
    except UnreadableCertificate:
        return None
    if url is None:
        return None
    if _place(url) is None:
        return RevocationQuery(kind, url[:_LONGEST_URL], problem="not an http URL that can be asked")
    issuer = _issuer(leaf, (*chain[1:_MOST_SENT], *_named(candidates).get(_issuer_name(leaf), ())))
    if issuer is None:
        return RevocationQuery(
            kind, url, problem="the issuer is neither sent nor known, so that no answer could be checked"
        )
    if kind == "crl":
        return RevocationQuery(kind, url)
    try:
        return RevocationQuery(kind, url, _request(leaf, issuer))
    except UNREADABLE as error:
        return RevocationQuery(kind, url, problem=f"no request can be made: {str(error)[:100]}")


def place_of(url: str) -> Endpoint | None:
    """Give the endpoint at which a URL is asked; None where it is no http or https URL that can be asked."""
    found = _place(url)
    return None if found is None else found[0]


def target_of(url: str) -> str:
    """Give path and query of a URL as a request line has them (RFC 9112 §3.2.1)."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def moved(url: str, location: str) -> str:
    """Give the URL to which a Location header sends from another (RFC 9110 §10.2.2); empty where it is none that can be asked."""
    try:
        joined = urljoin(url, location.strip())
    except ValueError:
        return ""
    return joined if location.strip() and _place(joined) is not None else ""


def _place(url: str) -> tuple[Endpoint, SplitResult] | None:
    """Printable ASCII alone: a certificate may hold anything, and what it holds becomes a request line."""
    if not _URL.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parse_host(parts.hostname or "")
    except (InvalidHost, ValueError):
        return None
    if parts.scheme not in ("http", "https") or parts.username is not None or port == 0:
        return None
    scheme: Scheme = "https" if parts.scheme == "https" else "http"
    return Endpoint(host, port or DEFAULT_PORTS[scheme], scheme), parts


def _asked(urls: Iterable[str]) -> str | None:
    """Give the first URL that can be asked, else the first there is."""
    found = list(urls)[:_MOST_NAMES]
    return next((u for u in found if _place(u) is not None), found[0] if found else None)


def _responders(leaf: Certificate) -> Iterator[str]:
    for description in _extension(leaf, x509.AuthorityInformationAccess) or ():
        if description.access_method == AuthorityInformationAccessOID.OCSP:
            yield from _uris([description.access_location])


def _lists(leaf: Certificate) -> Iterator[str]:
    """Lists of the issuer's own for all reasons: one signed by somebody else could not be checked here."""
    for point in _extension(leaf, x509.CRLDistributionPoints) or ():
        if not point.crl_issuer and point.reasons is None:
            yield from _uris(point.full_name or ())


def _uris(names: Iterable[x509.GeneralName]) -> Iterator[str]:
    return (n.value for n in names if isinstance(n, x509.UniformResourceIdentifier))


def _extension(certificate: Certificate, kind: type[E]) -> E | None:
    try:
        return read_off(lambda: certificate.parsed.extensions.get_extension_for_class(kind).value)
    except x509.ExtensionNotFound:
        return None


@lru_cache(maxsize=4)
def _named(candidates: tuple[bytes, ...]) -> Mapping[x509.Name, tuple[Certificate, ...]]:
    found: dict[x509.Name, tuple[Certificate, ...]] = {}
    for certificate in map(Certificate, candidates):
        try:
            name = _subject(certificate)
        except UnreadableCertificate:
            continue
        found[name] = (*found.get(name, ()), certificate)
    return found


def _subject(certificate: Certificate) -> x509.Name:
    return read_off(lambda: certificate.parsed.subject)


def _issuer_name(leaf: Certificate) -> x509.Name:
    return read_off(lambda: leaf.parsed.issuer)


def _issuer(leaf: Certificate, among: Iterable[Certificate]) -> Certificate | None:
    return next((c for c in among if _issued(c, leaf)), None)


def _issued(issuer: Certificate, leaf: Certificate) -> bool:
    try:
        if _subject(issuer) != _issuer_name(leaf):
            return False
        leaf.parsed.verify_directly_issued_by(issuer.parsed)
    except InvalidSignature:
        return False
    except UNREADABLE as error:
        # a signature with SHA-1 or MD5, which is refused unseen: the names agree, and the judge verifies it
        return not isinstance(error, UnreadableCertificate)
    return True


def _request(leaf: Certificate, issuer: Certificate) -> bytes:
    """Name the certificate by SHA-1, which every responder understands, and add no nonce (RFC 5019 §2.1.1)."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(leaf.parsed, issuer.parsed, hashes.SHA1())  # noqa: S303
    return builder.build().public_bytes(Encoding.DER)
