"""Time and politeness: deadlines that a stop cuts short, and who may open a connection to an address when."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from atsprobe.model.observation import Address

SLICE = 0.2
"""The longest wait, in seconds, during which a stop goes unnoticed."""


class Interrupted(OSError):
    """Says that the scan was stopped while something waited."""


class DeadlinePassed(TimeoutError):
    """Says that the time for an answer, or for an address, is over."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """An instant of the monotonic clock, in seconds, by which to be done, whatever the other side does."""

    at: float
    stop: threading.Event

    @classmethod
    def after(cls, seconds: float, stop: threading.Event | None = None) -> Deadline:
        """Make the deadline that many seconds from now."""
        return cls(time.monotonic() + seconds, stop or threading.Event())

    @property
    def is_over(self) -> bool:
        """Whether the time is over, or the scan was stopped."""
        return self.stop.is_set() or time.monotonic() >= self.at

    def left(self) -> float:
        """Give the seconds left. Raises Interrupted after a stop, DeadlinePassed when none are left."""
        if self.stop.is_set():
            raise Interrupted("stopped")
        seconds = self.at - time.monotonic()
        if seconds <= 0:
            raise DeadlinePassed("no answer in time")
        return seconds

    def within(self, seconds: float) -> Deadline:
        """Give the earlier of this deadline and the one that many seconds from now."""
        return Deadline(min(self.at, time.monotonic() + seconds), self.stop)

    def sleep(self, seconds: float) -> None:
        """Wait. Raises Interrupted on a stop, DeadlinePassed at once where the time left does not suffice."""
        if seconds >= self.left():
            raise DeadlinePassed("no answer in time")
        if self.stop.wait(seconds):
            raise Interrupted("stopped")


class _Bucket:
    """A token bucket that holds one token: connections to one IP address are spaced evenly."""

    def __init__(self) -> None:
        self._next = 0.0

    def take(self, rate: float) -> float:
        """Take a token, perhaps one of the future; give the seconds until it is due."""
        now = time.monotonic()
        due = max(now, self._next)
        self._next = due + 1 / rate
        return due - now


class Pace:
    """What the tasks of one scan share: the stop, one connection at a time to an address, a rate for each IP."""

    def __init__(self, stop: threading.Event | None = None) -> None:
        """Begin with nobody connected."""
        self.stop = stop or threading.Event()
        self._guard = threading.Lock()
        self._turns: dict[Address, threading.Lock] = {}
        self._buckets: dict[str, _Bucket] = {}

    def deadline(self, seconds: float) -> Deadline:
        """Make a deadline that this scan's stop cuts short."""
        return Deadline.after(seconds, self.stop)

    @contextmanager
    def turn(self, address: Address, rate: float | None, deadline: Deadline) -> Iterator[None]:
        """Hold the right to the only connection to an address, once the rate (connections a second) allows one.

        Raises Interrupted or DeadlinePassed where that takes too long.
        """
        with self._guard:
            lock = self._turns.setdefault(address, threading.Lock())
        while not lock.acquire(timeout=min(SLICE, deadline.left())):
            pass
        try:
            if rate:
                with self._guard:
                    wait = self._buckets.setdefault(address.ip, _Bucket()).take(rate)
                deadline.sleep(wait)
            yield
        finally:
            lock.release()
