"""The paths that Apple's client could build from what a server sent and from the roots that it trusts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from atsprobe.judge.extensions import extension
from atsprobe.judge.signatures import NameKey, name_key, signed_by
from atsprobe.model.certificate import Certificate, UnreadableCertificate, read_off
from atsprobe.model.trust_store import TrustStore

Anchor = Literal["public", "installed", "none"]
Problem = Literal["self-signed", "unknown-root", "missing-intermediate", "too-many"]

_MAX_SENT = 500
_MAX_LENGTH = 12
_MAX_PATHS = 16
_MAX_CHECKS = 200


@dataclass(frozen=True)
class Path:
    """Certificates from the leaf up, each signed by the next. ``anchor`` says which store holds the last one.

    ``problem`` is why there is no anchor: the leaf signed itself, the last one did, the issuer of the last one was not
    sent, or there were too many certificates to try.
    """

    certificates: tuple[Certificate, ...]
    anchor: Anchor
    problem: Problem | None = None

    @property
    def leaf(self) -> Certificate:
        """The server's own certificate."""
        return self.certificates[0]

    @property
    def last(self) -> Certificate:
        """The certificate at the end: the root, where there is one."""
        return self.certificates[-1]

    @property
    def leaf_is_trusted_by_user(self) -> bool:
        """Whether the leaf itself was installed as trusted, which lifts some rules (Security source, SecPolicyServer.c)."""
        return self.anchor == "installed" and len(self.certificates) == 1

    @property
    def has_root(self) -> bool:
        """Whether the last certificate is a root, trusted or not."""
        return self.anchor != "none" or self.problem in ("self-signed", "unknown-root")

    def role(self, index: int) -> str:
        """Name a certificate for people: ``leaf``, ``intermediate "X"``, ``root "X"``."""
        if index == 0:
            return "leaf"
        is_root = self.has_root and index == len(self.certificates) - 1
        return f'{"root" if is_root else "intermediate"} "{short_subject(self.certificates[index])}"'


def short_subject(certificate: Certificate) -> str:
    """Give the common name of the subject, else the whole text, at most 100 characters; raw, as the server sent it."""
    try:
        return certificate.short_name[:100]
    except UnreadableCertificate:
        return "unreadable name"


def short_issuer(certificate: Certificate) -> str:
    """Give the common name of the issuer, else the whole text, at most 100 characters; raw."""
    names = read_off(lambda: certificate.parsed.issuer).get_attributes_for_oid(NameOID.COMMON_NAME)
    return (str(names[0].value) if names else certificate.issuer)[:100]


def issuer_url(certificate: Certificate) -> str | None:
    """Give the http URL of the caIssuers access method (RFC 5280 §4.2.2.1), None where there is none."""
    access = extension(certificate, x509.AuthorityInformationAccess)
    for description in access or ():
        location = description.access_location
        if (
            description.access_method == AuthorityInformationAccessOID.CA_ISSUERS
            and isinstance(location, x509.UniformResourceIdentifier)
            and location.value.lower().startswith(("http://", "https://"))
        ):
            return location.value[:200]
    return None


def candidate_paths(sent: tuple[Certificate, ...], trust: TrustStore) -> tuple[Path, ...]:
    """Give the paths from the first certificate sent, anchored ones first; at least one.

    The order of the others, duplicates, and certificates that belong to no path play no part, as in Apple's client.
    Raises UnreadableCertificate where the leaf's names cannot be read.
    """
    search = _Search(_by_name(sent[:_MAX_SENT]), _roots(trust), is_cut=len(sent) > _MAX_SENT)
    subject_key(sent[0])
    search.extend((sent[0],))
    return tuple(sorted(search.found, key=lambda p: p.anchor == "none"))


@lru_cache(maxsize=4096)
def subject_key(certificate: Certificate) -> NameKey:
    """Give the subject in the form in which names are compared. Raises UnreadableCertificate."""
    return name_key(read_off(lambda: certificate.parsed.subject))


@lru_cache(maxsize=4096)
def issuer_key(certificate: Certificate) -> NameKey:
    """Give the issuer in the form in which names are compared. Raises UnreadableCertificate."""
    return name_key(read_off(lambda: certificate.parsed.issuer))


@dataclass(frozen=True)
class _Roots:
    by_name: Mapping[NameKey, tuple[Certificate, ...]]
    anchors: Mapping[bytes, Anchor]


@lru_cache(maxsize=8)
def _roots(trust: TrustStore) -> _Roots:
    """Index the roots; one that is both shipped and installed counts as shipped, the stricter of the two."""
    anchors: dict[bytes, Anchor] = dict.fromkeys(trust.installed, "installed")
    anchors |= dict.fromkeys((*trust.public, *trust.as_if_public), "public")
    return _Roots(_by_name(map(Certificate, (*trust.public, *trust.as_if_public, *trust.installed))), anchors)


def _by_name(certificates: Iterable[Certificate]) -> dict[NameKey, tuple[Certificate, ...]]:
    found: dict[NameKey, tuple[Certificate, ...]] = {}
    for certificate in dict.fromkeys(certificates):
        try:
            key = subject_key(certificate)
        except UnreadableCertificate:
            continue  # an extra certificate that nobody can read does no harm
        found[key] = (*found.get(key, ()), certificate)
    return found


@dataclass
class _Search:
    sent: Mapping[NameKey, tuple[Certificate, ...]]
    roots: _Roots
    is_cut: bool
    found: list[Path] = field(default_factory=list)
    checks: int = 0

    def extend(self, chain: tuple[Certificate, ...]) -> None:
        """Follow the issuers upwards, and note each path that ends."""
        if len(self.found) >= _MAX_PATHS:
            return
        anchor = self.roots.anchors.get(chain[-1].der)
        if anchor is not None:
            self.found.append(Path(chain, anchor))
            return
        issuers = self._issuers(chain) if len(chain) < _MAX_LENGTH else []
        for issuer in issuers:
            self.extend((*chain, issuer))
        if not issuers:
            self.found.append(Path(chain, "none", self._problem(chain)))

    def _issuers(self, chain: tuple[Certificate, ...]) -> list[Certificate]:
        child = chain[-1]
        try:
            name = issuer_key(child)
        except UnreadableCertificate:
            return []
        candidates = dict.fromkeys((*self.roots.by_name.get(name, ()), *self.sent.get(name, ())))
        return [c for c in candidates if c not in chain and self._signed(child, c)]

    def _signed(self, child: Certificate, issuer: Certificate) -> bool:
        self.checks += 1
        if self.checks > _MAX_CHECKS:
            return False
        answer = signed_by(child, issuer)
        return _identifiers_agree(child, issuer) if answer is None else answer

    def _problem(self, chain: tuple[Certificate, ...]) -> Problem:
        last = chain[-1]
        if self.checks > _MAX_CHECKS or len(chain) >= _MAX_LENGTH:
            return "too-many"
        try:
            signed_itself = issuer_key(last) == subject_key(last) and signed_by(last, last) is not False
        except UnreadableCertificate:
            signed_itself = False
        if not signed_itself:
            return "too-many" if self.is_cut else "missing-intermediate"
        return "self-signed" if len(chain) == 1 else "unknown-root"


def _identifiers_agree(child: Certificate, issuer: Certificate) -> bool:
    """Where a signature cannot be computed, the key identifiers decide; where one is absent, the names do."""
    try:
        authority = extension(child, x509.AuthorityKeyIdentifier)
        subject = extension(issuer, x509.SubjectKeyIdentifier)
    except UnreadableCertificate:
        return False
    if authority is None or authority.key_identifier is None or subject is None:
        return True
    return authority.key_identifier == subject.digest
