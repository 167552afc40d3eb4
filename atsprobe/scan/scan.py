"""Many tasks at once, in threads: plain data in, plain data out."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from atsprobe.model.observation import Address, Observation, Unreachable, UnreachableReason
from atsprobe.scan import plaintext, tls
from atsprobe.scan.engine import engines
from atsprobe.scan.pace import SLICE, Pace
from atsprobe.scan.task import ScanTask

_TIME_TO_STOP = 5.0
"""Seconds that running attempts get to notice a stop."""

Started = Callable[[ScanTask], None]
Finished = Callable[[ScanTask, tuple[Observation, ...]], None]


def run(task: ScanTask, pace: Pace | None = None) -> tuple[Observation, ...]:
    """Look at one endpoint on one address; never raises. More than one observation where http sends on to https."""
    pace = pace or Pace()
    if pace.stop.is_set():
        return (_unreachable(task, "interrupted"),)
    try:
        return plaintext.observe(task, pace) if task.endpoint.scheme == "http" else (tls.observe(task, pace),)
    except Exception as error:  # noqa: BLE001 - one bad host never breaks the rest
        return (_unreachable(task, "failed", f"{type(error).__name__}: {error}"[:200]),)


def _unreachable(task: ScanTask, reason: UnreachableReason, detail: str = "") -> Unreachable:
    return Unreachable(task.endpoint, task.address, datetime.now(UTC), reason, detail)


def scan_in_threads(
    tasks: Sequence[ScanTask],
    *,
    jobs: int = 64,
    on_started: Started | None = None,
    on_finished: Finished | None = None,
    stop: threading.Event | None = None,
) -> tuple[Observation, ...]:
    """Run the tasks, at most ``jobs`` at once and one at a time to an address; give the observations in the tasks' order.

    The callbacks are called from worker threads; what one raises is raised here, once all is done. When ``stop`` is set, what
    runs ends soon and the rest is Unreachable("interrupted"). A KeyboardInterrupt stops the scan likewise, and
    is raised again when the running attempts have ended.
    """
    if any(task.offers for task in tasks):
        engines()  # load the libraries once, not in all threads at a time
    crew = _Crew(tasks, Pace(stop), on_started, on_finished)
    threads = [threading.Thread(target=crew.work, daemon=True) for _ in range(max(1, min(jobs, crew.addresses)))]
    for thread in threads:
        thread.start()
    try:
        crew.wait()
    except KeyboardInterrupt:
        crew.pace.stop.set()
        crew.wait(_TIME_TO_STOP)
        raise
    return crew.observations()


class _Crew:
    """The tasks, in one queue for each address, and those who work on them."""

    def __init__(
        self, tasks: Sequence[ScanTask], pace: Pace, on_started: Started | None, on_finished: Finished | None
    ) -> None:
        self.pace = pace
        self._tasks = tasks
        self._on_started = on_started
        self._on_finished = on_finished
        self._results: list[tuple[Observation, ...]] = [()] * len(tasks)
        self._queues: dict[Address, deque[int]] = {}
        for number, task in enumerate(tasks):
            self._queues.setdefault(task.address, deque()).append(number)
        self.addresses = len(self._queues)
        self._free = deque(self._queues)
        self._left = len(tasks)
        self._changed = threading.Condition()
        self._error: Exception | None = None

    def wait(self, seconds: float | None = None) -> None:
        """Wait until all is done, or that long; in slices, so that a KeyboardInterrupt gets through."""
        with self._changed:
            slices = None if seconds is None else int(seconds / SLICE)
            while self._left and slices != 0:
                self._changed.wait(SLICE)
                slices = None if slices is None else slices - 1

    def observations(self) -> tuple[Observation, ...]:
        """Give what was seen, in the order of the tasks. Raises what a callback raised."""
        if self._error is not None:
            raise self._error
        return tuple(o for result in self._results for o in result)

    def work(self) -> None:
        """Take a task of an address on which nobody works, run it, and give the address back; until none is left."""
        while (number := self._take()) is not None:
            task = self._tasks[number]
            try:
                if self._on_started and not self.pace.stop.is_set():
                    self._on_started(task)
                self._results[number] = run(task, self.pace)
                if self._on_finished:
                    self._on_finished(task, self._results[number])
            except Exception as error:  # noqa: BLE001 - a callback's: raised in the caller's thread
                self._error = self._error or error
            finally:
                self._give_back(task.address)

    def _take(self) -> int | None:
        with self._changed:
            while not self._free:
                if not any(self._queues.values()):
                    return None
                self._changed.wait(SLICE)
            return self._queues[self._free.popleft()].popleft()

    def _give_back(self, address: Address) -> None:
        with self._changed:
            self._left -= 1
            if self._queues[address]:
                self._free.append(address)
            self._changed.notify_all()
