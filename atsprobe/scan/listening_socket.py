"""A socket that listens in: one deadline, one bound on bytes received, and a transcript of both directions."""

from __future__ import annotations

import errno
import os
import select
import socket

from atsprobe.model.observation import Address, UnreachableReason
from atsprobe.scan.pace import SLICE, Deadline, DeadlinePassed


class NotConnected(Exception):
    """Says that no TCP connection was made, and why."""

    def __init__(self, reason: UnreachableReason, detail: str = "") -> None:
        """Hold the reason, and what the system says."""
        super().__init__(detail or reason)
        self.reason = reason
        self.detail = detail


class TooManyBytes(OSError):
    """Says that a server sent more than the bound."""


_REASONS: dict[int, UnreachableReason] = {
    errno.ECONNREFUSED: "connection-refused",
    errno.ETIMEDOUT: "timeout",
    errno.ENETUNREACH: "no-route",
    errno.EAFNOSUPPORT: "no-route",
    errno.EADDRNOTAVAIL: "no-route",
}


def connect(address: Address, deadline: Deadline) -> socket.socket:
    """Open a TCP connection and give its socket, non-blocking.

    Raises NotConnected where none comes about by the deadline, Interrupted after a stop.
    """
    try:
        sock = socket.socket(socket.AF_INET6 if ":" in address.ip else socket.AF_INET, socket.SOCK_STREAM)
    except OSError as error:
        raise _not_connected(error.errno) from error
    try:
        code = _connect(sock, address, deadline)
    except DeadlinePassed:
        sock.close()
        raise NotConnected("timeout") from None
    except OSError as error:
        sock.close()
        if error.errno is None:
            raise
        raise _not_connected(error.errno) from error
    if code:
        sock.close()
        raise _not_connected(code)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _connect(sock: socket.socket, address: Address, deadline: Deadline) -> int:
    sock.setblocking(False)
    code = sock.connect_ex((address.ip, address.port))
    if code != errno.EINPROGRESS:
        return code
    _wait(sock, select.POLLOUT, deadline)
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def _not_connected(code: int | None) -> NotConnected:
    if code is None:
        return NotConnected("failed")
    return NotConnected(_REASONS.get(code, "failed"), os.strerror(code).lower() if code > 0 else "")


def _wait(sock: socket.socket, event: int, deadline: Deadline) -> None:
    """Wait until the socket is ready; in slices, so that a stop ends it soon."""
    poller = select.poll()
    poller.register(sock, event)
    while not poller.poll(1000 * min(SLICE, deadline.left())):
        pass


class ListeningSocket:
    """What nassl needs of a socket (``recv``, ``send``, ``close``), with bounds that a hostile server cannot stretch.

    Timeouts of an ordinary socket start anew with each byte; this one has a deadline for all of them. ``received`` and
    ``sent`` are what went over the wire until `stop_listening`. ``recv`` raises TooManyBytes beyond ``max_bytes`` in all.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline, max_bytes: int) -> None:
        """Wrap a connected, non-blocking socket."""
        self.deadline = deadline
        self.received = bytearray()
        self.sent = bytearray()
        self._socket = sock
        self._left = max_bytes
        self._listens = True

    def recv(self, size: int) -> bytes:
        """Receive at least one byte, or none at the end of the stream."""
        if self._left <= 0:
            raise TooManyBytes("more bytes than the bound")
        while True:
            _wait(self._socket, select.POLLIN, self.deadline)
            try:
                data = self._socket.recv(min(size, self._left))
                break
            except BlockingIOError:
                continue
        self._left -= len(data)
        if self._listens:
            self.received += data
        return data

    def send(self, data: bytes) -> int:
        """Send all of the data."""
        if self._listens:
            self.sent += data
        rest = memoryview(data)
        while rest:
            _wait(self._socket, select.POLLOUT, self.deadline)
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                continue
        return len(data)

    def stop_listening(self) -> None:
        """Keep the transcript as it is."""
        self._listens = False

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()
