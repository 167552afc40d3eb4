"""The seam between what to offer and the library that can say it; the engines load when first asked for."""

from __future__ import annotations

from functools import cache
from typing import Protocol

from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.handshake import NotMade, Offer, Outcome
from atsprobe.scan.connection import Then
from atsprobe.scan.pace import Deadline
from atsprobe.scan.task import ScanTask


class Engine(Protocol):
    """A TLS library that can say some hellos."""

    def attempt(self, task: ScanTask, offer: Offer, deadline: Deadline, then: Then | None) -> Outcome:
        """Make one connection with one hello; see `attempt` below."""
        ...

    def widest_offers(self, version: TlsVersion) -> tuple[Offer, ...]:
        """Give the hellos of one version that together hold every suite the library can say; each suite once."""
        ...

    def hybrid_hello(self) -> Offer | None:
        """Give a hello of TLS 1.3 alone with a hybrid group that the library can say, if there is one."""
        ...


@cache
def engines() -> tuple[Engine, ...]:
    """Give the engines, the first that can say a hello wins. Loads their libraries."""
    from atsprobe.scan.sslyze_engine import SslyzeEngine
    from atsprobe.scan.stdlib_engine import StdlibEngine

    return (SslyzeEngine(), StdlibEngine())


def attempt(task: ScanTask, offer: Offer, deadline: Deadline, then: Then | None = None) -> Outcome:
    """Make one connection to the task's address with one hello, and say what came of it by the deadline.

    ``then`` may use the connection once it stands. NotMade costs no connection. Raises NotConnected where TCP
    fails, Interrupted after a stop.
    """
    why: dict[str, None] = {}
    for engine in engines():
        outcome = engine.attempt(task, offer, deadline, then)
        if not isinstance(outcome, NotMade):
            return outcome
        why[outcome.reason] = None
    return NotMade("; ".join(why))


def hybrid_hello() -> Offer | None:
    """Give the hello with a hybrid group that some engine can say, None where none can."""
    return next((hello for engine in engines() if (hello := engine.hybrid_hello())), None)


def widest_offers(version: TlsVersion) -> tuple[Offer, ...]:
    """Give the hellos of one version that together hold every suite of the first engine's catalogue."""
    return engines()[0].widest_offers(version)
