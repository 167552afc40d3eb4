"""What scan is asked to do with one endpoint on one address: plain data, so that a worker elsewhere can run it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from atsprobe.model.endpoint import Endpoint
from atsprobe.model.handshake import Offer
from atsprobe.model.observation import Address


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one address: seconds for one answer, seconds for all of it, bytes received on one connection,
    and new connections a second (None: no limit).
    """

    timeout: float = 10.0
    deadline: float = 30.0
    max_bytes: int = 1 << 20
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class ScanTask:
    """An endpoint on one address, and what to find out.

    ``offers`` are the hellos whose outcome must be known, in order (see `model.next_offer.next_offer`);
    for https, ``enumerate`` asks for all accepted suites and groups, ``request_http`` for ``GET /`` on a connection already
    made. For http, ``GET /`` is sent in the clear; where it is sent on to https of the same host on a port that is not
    in ``https_ports_in_other_tasks``, the offers are made there too, in the same task.
    """

    endpoint: Endpoint
    address: Address
    offers: tuple[Offer, ...]
    enumerate: bool = True
    request_http: bool = False
    https_ports_in_other_tasks: tuple[int, ...] = ()
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class RevocationTask:
    """A URL to be asked about certificates, at addresses that its host is known to have: the first that answers counts.

    ``request`` is the OCSP request to post, DER; empty for a list, which is fetched.
    """

    url: str
    kind: Literal["ocsp", "crl"]
    addresses: tuple[Address, ...]
    request: bytes = b""
    limits: Limits = Limits()
