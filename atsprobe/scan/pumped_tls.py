"""TLS by Python's own ssl over a socket that listens in, so that its bounds and its deadline hold here too."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from atsprobe.scan.listening_socket import ListeningSocket

T = TypeVar("T")

_RECORD = 16384


class PumpedTls:
    """A client's side of one TLS connection. All methods raise OSError (ssl.SSLError is one) where the server fails."""

    def __init__(self, context: ssl.SSLContext, listening: ListeningSocket, server_name: str | None) -> None:
        """Stand over a connected socket; ``server_name`` is sent as SNI, None for an IP literal (RFC 6066 §3)."""
        self._listening = listening
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)

    def handshake(self) -> None:
        """Make the handshake, and send its last flight."""
        self._pump(self.tls.do_handshake)

    def send(self, data: bytes) -> int:
        """Send all of the data."""
        self._pump(lambda: self.tls.write(data))
        return len(data)

    def recv(self, size: int) -> bytes:
        """Receive some data, none at the end of the stream, however it came."""
        try:
            return self._pump(lambda: self.tls.read(size))
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return b""

    def _pump(self, operation: Callable[[], T]) -> T:
        while True:
            try:
                result = operation()
            except ssl.SSLWantReadError:
                self._flush()
                self._take_in()
            except ssl.SSLError:
                with suppress(OSError):  # our alert; what went wrong before it is what counts
                    self._flush()
                raise
            else:
                self._flush()
                return result

    def _take_in(self) -> None:
        data = self._listening.recv(_RECORD)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._listening.send(self._outgoing.read())
