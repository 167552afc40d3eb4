"""What a row of the lab's truth table is made of: a server, how it is served, and what is expected of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from atsprobe.lab.pki import HashName, KeyKind, Purpose

LOOPBACK = "127.0.0.1"
SECOND_LOOPBACK = "127.0.0.2"

IssuerName = Literal["intermediate", "rsa1024-intermediate", "sha1-intermediate", "unknown-root", "sha1-root", "itself"]
Sends = Literal["chain", "chain-and-root", "leaf-alone", "root-before-intermediate"]


@dataclass(frozen=True)
class Revocation:
    """What is said about whether a leaf is revoked, and by whom.

    ``by`` is the server's own staple, an OCSP responder or a list, whose URL then stands in the leaf; ``row`` is the server
    of the lab at that URL, which need not answer.
    """

    by: Literal["staple", "ocsp", "crl"]
    says: Literal["good", "revoked"] = "revoked"
    row: str = "responder"


@dataclass(frozen=True)
class Leaf:
    """The certificate that a server shows: sound, unless told.

    ``names`` are for the subjectAltName: None stands for the server's host and a wildcard below it. ``days`` is the lifetime,
    which begins ``begins_in`` days from now. ``ca_issuers`` says whether the leaf names a URL of its issuer.
    """

    key: KeyKind = "rsa2048"
    hash_name: HashName = "sha256"
    issuer: IssuerName = "intermediate"
    names: tuple[str, ...] | None = None
    days: int = 90
    begins_in: int = -1
    eku: tuple[Purpose, ...] = ("serverAuth",)
    ca_issuers: bool = False
    revocation: Revocation | None = None
    sends: Sends = "chain"


@dataclass(frozen=True)
class Tls:
    """A TLS listener of nginx. ``ciphers`` is an OpenSSL cipher list (empty: its default), ``lines`` more directives."""

    protocols: str = "TLSv1.2 TLSv1.3"
    ciphers: str = ""
    leaves: tuple[Leaf, ...] = (Leaf(),)
    lines: tuple[str, ...] = ()
    address: str = LOOPBACK


@dataclass(frozen=True)
class Http:
    """A listener of nginx in the clear, which does what its directives say. ``{port}`` and ``{base}`` are put in."""

    lines: tuple[str, ...]
    address: str = LOOPBACK


@dataclass(frozen=True)
class Odd:
    """A listener that behaves as no sound server does: a behaviour of `odd_servers`."""

    behaviour: str
    address: str = LOOPBACK


Listener = Tls | Http | Odd
KeyValue = str | bool


@dataclass(frozen=True)
class Expected:
    """What is true of a server: its default verdict, the ids of the requirements that fail, the smallest exception.

    ``exception`` holds the keys of that exception; it is empty for a server that passes and None where no key helps or
    nothing can be said.
    """

    verdict: str
    failing: tuple[str, ...] = ()
    exception: tuple[tuple[str, KeyValue], ...] | None = None

    @property
    def minimal_exception(self) -> dict[str, KeyValue] | None:
        """The smallest exception as the dictionary that stands under the host in NSExceptionDomains."""
        return None if self.exception is None else dict(self.exception)


@dataclass(frozen=True)
class Server:
    """One row: an endpoint of the lab and the truth about it.

    Its port is the base port of the lab and ``offset``. No listener at all means that the connection is refused.
    ``when_asked`` is the status of certificate-revocation where the auditor asks responders and lists, empty where nobody is
    named to be asked.
    """

    name: str
    offset: int
    description: str
    expected: Expected
    listeners: tuple[Listener, ...]
    scheme: Literal["https", "http"] = "https"
    host: str = ""
    note: str = ""
    when_asked: str = ""

    @property
    def full_host(self) -> str:
        """The host as a client names it."""
        return self.host or f"{self.name}.lab.example.com"

    @property
    def addresses(self) -> tuple[str, ...]:
        """The loopback addresses on which it answers, or refuses."""
        return tuple(dict.fromkeys(one.address for one in self.listeners)) or (LOOPBACK,)

    def port(self, base_port: int) -> int:
        """Give its port in a lab that begins at a base port."""
        return base_port + self.offset


def passes() -> Expected:
    """Default ATS lets the app load from it."""
    return Expected("pass", exception=())


def exempt() -> Expected:
    """ATS does not cover this kind of host."""
    return Expected("exempt", exception=())


def needs(*failing: str, exception: Mapping[str, KeyValue]) -> Expected:
    """These requirements fail, and this exception helps."""
    return Expected("exception-required", failing, tuple(exception.items()))


def blocked(*failing: str) -> Expected:
    """These requirements fail, and no exception helps."""
    return Expected("blocked", failing)


def inconclusive(*failing: str) -> Expected:
    """Nothing can be said for certain (these requirements fail all the same)."""
    return Expected("inconclusive", failing)
