"""What was seen of an address, and of a name: never a conclusion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.handshake import Experiment, NoAnswer


@dataclass(frozen=True, order=True, slots=True)
class Address:
    """Where a connection goes: an IP address, and a port (another than the endpoint's under ``--connect-to``)."""

    ip: str
    port: int

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


ResolutionSource = Literal["literal", "resolve-option", "connect-to-option", "hosts-file", "dns"]


@dataclass(frozen=True, slots=True)
class Resolved:
    """The addresses of a name, sorted IPv4 first; ``source`` says who gave them."""

    addresses: tuple[Address, ...]
    source: ResolutionSource


UnresolvedReason = Literal["no-such-name", "no-addresses", "no-answer", "refused", "invalid"]

UNRESOLVED_IN_WORDS: dict[UnresolvedReason, str] = {
    "no-such-name": "no such name (NXDOMAIN)",
    "no-addresses": "the name has no address",
    "no-answer": "no name server answered",
    "refused": "the name server refused to answer",
    "invalid": "no name that DNS could answer",
}
"""Why a name has no address, for people."""


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A name without an address. ``no-such-name`` is NXDOMAIN, ``no-addresses`` a name without A and AAAA.

    ``no-answer`` is a timeout or SERVFAIL of every name server, ``refused`` their refusal to answer.
    """

    reason: UnresolvedReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What became of the name of a host, for one port of it (``--resolve`` is for a port)."""

    host: Host
    port: int
    outcome: Resolved | Unresolved


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The head of the answer to ``GET /``: status code, and the Location header (at most 2,000 characters, raw)."""

    status: int
    location: str | None = None


@dataclass(frozen=True, slots=True)
class RevocationAnswer:
    """What an OCSP responder or a CRL distribution point gave for a leaf (SHA-256 of its DER), as bytes.

    ``url`` is the one in the leaf. Without a ``body`` nothing came, and ``detail`` says why. ``received_at`` is when it came.
    """

    leaf_sha256: str
    url: str
    kind: Literal["ocsp", "crl"]
    body: bytes | None
    detail: str = ""
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TlsObservation:
    """The experiments made with an https endpoint on one address.

    ``http_answer`` is what ``GET /`` on a TLS connection already made gave, None where it was not asked.
    ``enumerated`` says whether the suites and groups were enumerated to the end.
    ``cut_short`` is the reason why the experiments planned were not all made, empty otherwise.
    """

    endpoint: Endpoint
    address: Address
    observed_at: datetime
    experiments: tuple[Experiment, ...]
    http_answer: HttpAnswer | NoAnswer | None = None
    revocation: tuple[RevocationAnswer, ...] = ()
    enumerated: bool = False
    cut_short: str = ""


@dataclass(frozen=True, slots=True)
class PlaintextObservation:
    """What ``GET /`` in the clear gave on one address of an http endpoint."""

    endpoint: Endpoint
    address: Address
    observed_at: datetime
    answer: HttpAnswer | NoAnswer


UnreachableReason = Literal["connection-refused", "timeout", "no-route", "not-contacted", "interrupted", "failed"]


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No TCP connection was made. ``no-route``: this machine has no route to that address family.

    ``not-contacted``: a local or private address that the app names. ``interrupted``: the audit ended before.
    """

    endpoint: Endpoint
    address: Address
    observed_at: datetime
    reason: UnreachableReason
    detail: str = ""


Observation = TlsObservation | PlaintextObservation | Unreachable
