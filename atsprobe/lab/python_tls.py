"""Servers embedded in this process, with Python's own ssl and plain sockets, on free ports of loopback.

They need neither nginx nor root. Each is described by data: `Tls`, `Clear`, `Closing`, `Closed`. What Python's ssl cannot
serve (stapled responses, 3DES, a choice of signature algorithms) is for the lab on nginx.
"""

from __future__ import annotations

import socket
import ssl
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from atsprobe.lab import odd_servers, pki

LOOPBACK = "127.0.0.1"
PATIENCE = 5.0
"""Seconds for which a server waits for a client."""

_MOST_REQUEST_BYTES = 16384
_DH_PARAMETERS = Path(__file__).with_name("dh2048.pem")

CertificateKind = Literal["sound", "expired", "wrong-host"]


@dataclass(frozen=True)
class Answer:
    """What is said to an HTTP request: 200, or a permanent redirect. ``{host}`` in ``location`` is the server's host."""

    location: str = ""


@dataclass(frozen=True)
class Tls:
    """A TLS server: its versions (``TLSv1``, ``TLSv1.1`` … as OpenSSL names them), an OpenSSL cipher list (empty: the default).

    ``key`` is the kind of key of its leaf, which the demo's root issues.
    """

    lowest: Literal["TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"] = "TLSv1_2"
    highest: Literal["TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3"] = "TLSv1_3"
    ciphers: str = ""
    certificate: CertificateKind = "sound"
    key: pki.KeyKind = "rsa2048"
    answer: Answer = Answer()


@dataclass(frozen=True)
class Clear:
    """A server of HTTP in the clear."""

    answer: Answer = Answer()


@dataclass(frozen=True)
class Closing:
    """A port that takes a connection, reads, and closes it without a word."""


@dataclass(frozen=True)
class Closed:
    """A port that refuses every connection."""


Service = Tls | Clear | Closing | Closed


@dataclass(frozen=True)
class EmbeddedServers:
    """What runs: the port of each server, in the order asked for, and the root that issued their certificates, as PEM."""

    ports: tuple[int, ...]
    ca_pem: bytes


@contextmanager
def embedded(services: Sequence[tuple[str, Service]]) -> Iterator[EmbeddedServers]:
    """Run servers, each for the host that it stands for, and stop them at the end of the block.

    Raises OSError where no port of loopback can be had, or no temporary file be written.
    """
    root = pki.make_root("atsprobe demo root", key="p256")
    with ExitStack() as stack:
        ports = tuple(stack.enter_context(_running(host, service, root)) for host, service in services)
        yield EmbeddedServers(ports, root.cert_pem)


@contextmanager
def _running(host: str, service: Service, root: pki.Identity) -> Iterator[int]:
    match service:
        case Closed():
            with _reserved() as port:
                yield port
            return
        case Closing():
            behaviour = odd_servers.behaviour_named("close")
        case Clear():
            behaviour = _in_the_clear(_response(service.answer, host))
        case Tls():
            behaviour = _over_tls(_context(host, service, root), _response(service.answer, host))
    listener = odd_servers.start(LOOPBACK, 0, behaviour)
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        listener.close()


@contextmanager
def _reserved() -> Iterator[int]:
    """Hold a port without listening on it: connections are refused, and nobody else can take it meanwhile."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as holder:
        holder.bind((LOOPBACK, 0))
        yield holder.getsockname()[1]


def _in_the_clear(response: bytes) -> odd_servers.Behaviour:
    def behave(connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        _answer(connection, response)

    return behave


def _over_tls(context: ssl.SSLContext, response: bytes) -> odd_servers.Behaviour:
    def behave(connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)  # before the handshake, which would wait for ever else
        with context.wrap_socket(connection, server_side=True) as encrypted:
            _answer(encrypted, response)

    return behave


def _answer(connection: socket.socket, response: bytes) -> None:
    """Read one request, as far as its headers, and answer it; a client that asks nothing gets nothing."""
    request = b""
    while b"\r\n\r\n" not in request and len(request) < _MOST_REQUEST_BYTES:
        more = connection.recv(4096)
        if not more:
            return
        request += more
    connection.sendall(response)


def _response(answer: Answer, host: str) -> bytes:
    status, more, body = "200 OK", "", "a server of the demo\n"
    if answer.location:
        status, more, body = "301 Moved Permanently", f"Location: {answer.location.format(host=host)}\r\n", ""
    fixed = f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    return f"HTTP/1.1 {status}\r\n{more}{fixed}\r\n{body}".encode("ascii")


def _context(host: str, service: Tls, root: pki.Identity) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.0 and 1.1 are what is wanted here
        context.minimum_version = ssl.TLSVersion[service.lowest]
        context.maximum_version = ssl.TLSVersion[service.highest]
    if service.ciphers:
        context.set_ciphers(service.ciphers)  # before the certificate: its security level says what may be loaded
    context.load_dh_params(str(_DH_PARAMETERS))
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    _load_certificate(context, _leaf(host, service, root))
    return context


def _leaf(host: str, service: Tls, root: pki.Identity) -> pki.Identity:
    names = [f"not-{host}" if service.certificate == "wrong-host" else host]
    age = 100 if service.certificate == "expired" else 1
    return pki.issue(root, names, key=service.key, not_before=datetime.now(UTC) - timedelta(days=age))


def _load_certificate(context: ssl.SSLContext, leaf: pki.Identity) -> None:
    """Python's ssl reads certificates from files alone."""
    with tempfile.TemporaryDirectory(prefix="atsprobe-") as folder:
        stem = Path(folder) / "leaf"
        leaf.write(stem)
        context.load_cert_chain(stem.with_suffix(".pem"), stem.with_suffix(".key"))
