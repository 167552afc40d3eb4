"""Servers that behave as no sound server does: they stay silent, reset, drip, flood, alert oddly. And an OCSP responder.

This file stands alone on the standard library, so that a container runs it as it is:

    python odd_servers.py ADDRESS PORT=BEHAVIOUR… [--pid-file FILE]

Behaviours are the keys of `BEHAVIOURS`, ``alert-N`` for a fatal alert of number N (RFC 8446 §6), and
``limit-N-HOST-PORT``: the first N connections are passed on to another server, every later one is reset. The ``responder``
gives out what lies in ``pki/ocsp`` beside this file.
"""

from __future__ import annotations

import argparse
import errno
import itertools
import os
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

Behaviour = Callable[[socket.socket], None]

LONGEST = 120.0
"""Seconds after which a connection is given up, whatever its behaviour."""
MOST_CONNECTIONS = 256
"""Connections served at a time; further ones wait in the queue of the listener."""

_ALERT, _HANDSHAKE = 21, 22
_SERVER_HELLO, _CERTIFICATE = 2, 11
_RECORD_LIMIT = 16384
_FLOOD = 16 << 20
_LONGEST_REQUEST = 1 << 16


def start(address: str, port: int, behaviour: Behaviour) -> socket.socket:
    """Listen (port 0: on any free one) and behave so towards every connection, in threads that end with the process.

    Answers the listening socket; closing it ends the service. Raises OSError where the address is taken.
    """
    listener = socket.create_server((address, port), backlog=128)
    threading.Thread(target=_accept, args=(listener, behaviour), daemon=True).start()
    return listener


@contextmanager
def serving(name: str, address: str = "127.0.0.1") -> Iterator[int]:
    """Serve one behaviour on a free port for as long as the block runs; gives the port."""
    listener = start(address, 0, behaviour_named(name))
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        listener.close()


def behaviour_named(name: str) -> Behaviour:
    """Give the behaviour of a name. Raises ValueError where there is none."""
    if name in BEHAVIOURS:
        return BEHAVIOURS[name]
    kind, *arguments = name.split("-")
    if kind == "alert" and len(arguments) == 1 and arguments[0].isdigit() and int(arguments[0]) < 256:
        return _alert(int(arguments[0]))
    if kind == "limit" and len(arguments) == 3 and arguments[0].isdigit() and arguments[2].isdigit():
        return _limited(int(arguments[0]), arguments[1], int(arguments[2]))
    raise ValueError(f"no such behaviour: {name}")


def _accept(listener: socket.socket, behaviour: Behaviour) -> None:
    free = threading.BoundedSemaphore(MOST_CONNECTIONS)
    while True:
        free.acquire()
        try:
            connection, _ = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ECONNABORTED):
                return  # the listener was closed
            free.release()
            time.sleep(0.05)
            continue
        threading.Thread(target=_serve, args=(connection, behaviour, free), daemon=True).start()


def _serve(connection: socket.socket, behaviour: Behaviour, free: threading.BoundedSemaphore) -> None:
    try:
        with connection, suppress(OSError):
            connection.settimeout(LONGEST)
            behaviour(connection)
    finally:
        free.release()


def _silent(connection: socket.socket) -> None:
    """Read what comes and say nothing, until the client gives up."""
    while connection.recv(65536):
        pass


def responder(folder: Path) -> Behaviour:
    """Answer HTTP from files made before: ``/ocsp/NAME`` by GET and POST (RFC 6960 appendix A.1), ``/NAME.crl``, and ``/``.

    Whatever is asked about, the answer is that of the name; what follows the name in a GET (the request) is not read.
    """

    def answer(connection: socket.socket) -> None:
        found = _answer_about(folder, _read_request(connection))
        status, kind, body = ("404 Not Found", "text/plain", b"no such name\n") if found is None else ("200 OK", *found)
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode("ascii") + body)

    return answer


def _answer_about(folder: Path, path: str) -> tuple[str, bytes] | None:
    first, _, rest = path.removeprefix("/").partition("/")
    if not first:
        return "text/plain", b"an OCSP responder of the lab\n"
    name = rest.partition("/")[0] if first == "ocsp" else first
    if not name or not name.replace("-", "").replace(".", "").isalnum():
        return None
    with suppress(OSError):
        kind = "application/ocsp-response" if first == "ocsp" else "application/pkix-crl"
        return kind, (folder / name).read_bytes()
    return None


def _read_request(connection: socket.socket) -> str:
    """Read a request, its body too, and give its path; a body left unread would make the close a reset."""
    data = b""
    while b"\r\n\r\n" not in data and len(data) < _LONGEST_REQUEST:
        more = connection.recv(4096)
        if not more:
            break
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((v for k, v in map(_field, head.split(b"\r\n")[1:]) if k == b"content-length"), b"0")
    left = min(int(length), _LONGEST_REQUEST) - len(body) if length.isdigit() else 0
    while left > 0 and (more := connection.recv(left)):
        left -= len(more)
    words = head.split(b"\r\n")[0].split()
    return words[1].decode("ascii", "replace") if len(words) == 3 else ""


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.strip().lower(), value.strip()


def _close(connection: socket.socket) -> None:
    _read_hello(connection)


def _reset(connection: socket.socket) -> None:
    _read_hello(connection)
    # a linger time of zero makes close() send RST in place of FIN
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _truncate(connection: socket.socket) -> None:
    _read_hello(connection)
    connection.sendall(_server_hello()[:40])


def _drip(connection: socket.socket) -> None:
    """Send a handshake that never ends, a byte a second."""
    _read_hello(connection)
    endless = itertools.chain(_server_hello() + _record(_HANDSHAKE, _certificate_header()), itertools.repeat(0))
    for byte in itertools.islice(endless, int(LONGEST)):
        connection.sendall(bytes([byte]))
        time.sleep(1.0)


def _flood(connection: socket.socket) -> None:
    """Announce a certificate message of nearly 16 MB, the most that its length can say, and send it."""
    _read_hello(connection)
    connection.sendall(_server_hello() + _record(_HANDSHAKE, _certificate_header()))
    block = _record(_HANDSHAKE, bytes(_RECORD_LIMIT))
    for _ in range(_FLOOD // _RECORD_LIMIT):
        connection.sendall(block)


def _garbage(connection: socket.socket) -> None:
    _read_hello(connection)
    connection.sendall(b"\xde\xad\xbe\xef" * 64)


def _http(connection: socket.socket) -> None:
    _read_hello(connection)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def _banner(connection: socket.socket) -> None:
    """Speak first, as mail servers do."""
    connection.sendall(b"220 mail.example.com ESMTP\r\n")
    _silent(connection)


def _echo(connection: socket.socket) -> None:
    while data := connection.recv(65536):
        connection.sendall(data)


def _warnings(connection: socket.socket) -> None:
    """Send warning alerts (user_canceled) without end."""
    _read_hello(connection)
    block = _record(_ALERT, bytes([1, 90])) * 64
    for _ in range(1024):
        connection.sendall(block)


def _hello_requests(connection: socket.socket) -> None:
    """Send empty HelloRequests (RFC 5246 §7.4.1.1), each a record of its own, 16 MB of them."""
    _read_hello(connection)
    block = _record(_HANDSHAKE, bytes(4)) * 4096
    for _ in range(_FLOOD // len(block)):
        connection.sendall(block)


def _oversized_record(connection: socket.socket) -> None:
    """Announce a record of 65,535 bytes, four times what is allowed (RFC 8446 §5.1)."""
    _read_hello(connection)
    connection.sendall(struct.pack(">BHH", _HANDSHAKE, 0x0303, 65535) + bytes(65535))


def _alert(number: int) -> Behaviour:
    def send(connection: socket.socket) -> None:
        _read_hello(connection)
        connection.sendall(_record(_ALERT, bytes([2, number])))

    return send


def _limited(most: int, host: str, port: int) -> Behaviour:
    """Pass the first connections on, then reset: what a rate limit in front of a server does."""
    numbers = itertools.count(1)

    def pass_on(connection: socket.socket) -> None:
        if next(numbers) > most:
            _reset(connection)
            return
        with socket.create_connection((host, port), timeout=LONGEST) as upstream:
            back = threading.Thread(target=_copy, args=(upstream, connection), daemon=True)
            back.start()
            _copy(connection, upstream)
            back.join(LONGEST)

    return pass_on


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _read_hello(connection: socket.socket) -> bytes:
    """Read one record, or whatever comes in its place; at most 64 kB."""
    data = b""
    while len(data) < 5 or len(data) < 5 + int.from_bytes(data[3:5], "big"):
        more = connection.recv(4096)
        if not more:
            break
        data += more
        if data[:1] != b"\x16":
            break  # no handshake record, so that its length means nothing
    return data


def _record(content_type: int, content: bytes) -> bytes:
    return struct.pack(">BHH", content_type, 0x0303, len(content)) + content


def _server_hello() -> bytes:
    """A ServerHello of TLS 1.2 for TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 (RFC 5246 §7.4.1.3), without a session."""
    renegotiation_info = struct.pack(">HHHB", 5, 0xFF01, 1, 0)
    body = b"\x03\x03" + os.urandom(32) + b"\x00" + b"\xc0\x2f" + b"\x00" + renegotiation_info
    return _record(_HANDSHAKE, bytes([_SERVER_HELLO]) + len(body).to_bytes(3, "big") + body)


def _certificate_header() -> bytes:
    """The beginning of a Certificate message as long as can be, with one certificate that fills it."""
    longest = 0xFFFFFF
    lengths = (longest, longest - 3, longest - 6)
    return bytes([_CERTIFICATE]) + b"".join(n.to_bytes(3, "big") for n in lengths)


BEHAVIOURS: dict[str, Behaviour] = {
    "silent": _silent,
    "close": _close,
    "reset": _reset,
    "truncate": _truncate,
    "drip": _drip,
    "flood": _flood,
    "garbage": _garbage,
    "http": _http,
    "banner": _banner,
    "echo": _echo,
    "warnings": _warnings,
    "hello-requests": _hello_requests,
    "oversized-record": _oversized_record,
    "responder": responder(Path(__file__).parent / "pki" / "ocsp"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Answers 1, with a line on standard error, when it cannot begin."""
    parser = argparse.ArgumentParser(description="Serve TLS as no sound server does.")
    parser.add_argument("address")
    parser.add_argument("servers", nargs="+", metavar="PORT=BEHAVIOUR")
    parser.add_argument("--pid-file", type=Path, help="written once every port answers")
    options = parser.parse_args(arguments)
    ends = {signal.SIGTERM, signal.SIGINT}
    # waited for and never delivered: the first process of a container would not heed them otherwise
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    try:
        for server in options.servers:
            port, _, name = server.partition("=")
            start(options.address, int(port), behaviour_named(name))
        if options.pid_file:
            options.pid_file.write_text(f"{os.getpid()}\n")
    except (OSError, ValueError) as error:
        sys.stderr.write(f"odd_servers: {error}\n")
        return 1
    signal.sigwait(ends)
    return 0


if __name__ == "__main__":
    sys.exit(main())
