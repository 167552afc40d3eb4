"""A connection as those see it who send a request on it, whichever engine made it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from atsprobe.model.handshake import Alert


class AlertReceived(ConnectionError):
    """Says that a server ended a connection with an alert after the handshake."""

    def __init__(self, alert: Alert) -> None:
        """Hold the alert."""
        super().__init__(alert.name)
        self.alert = alert


class Stream(Protocol):
    """A connection on which a request can be sent, in the clear or over TLS. Both methods raise OSError."""

    def send(self, data: bytes) -> int:
        """Send all of the data."""
        ...

    def recv(self, size: int) -> bytes:
        """Receive some data, none at the end of the stream."""
        ...


Then = Callable[[Stream], None]
"""What to do with a connection on which the handshake completed, before it is closed."""
