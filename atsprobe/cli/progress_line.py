"""How a scan goes, on one line of a terminal that is written over; or, on request, as a log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from atsprobe.cli.speak import Speaker
from atsprobe.model.app import Extraction
from atsprobe.model.endpoint import Endpoint
from atsprobe.pipelines.progress import Progress
from atsprobe.report.style import QUIET, VERY_VERBOSE
from atsprobe.report.words import count

_EVERY = 0.2
"""Seconds between two writings of the line; at most ten a second are allowed."""

_PATIENCE = 5.0
"""Seconds after which the line names the host that it waits for."""


class ProgressLine(Progress):
    """Shows what is done, running and failed; silent where standard error is no terminal."""

    def __init__(self, speaker: Speaker, on_extracted: Callable[[Extraction], None] | None = None) -> None:
        """Show it through a speaker, whose options are read already; ``on_extracted`` is told what the targets hold."""
        self._speaker, self._on_extracted = speaker, on_extracted
        self._shows = speaker.is_terminal and QUIET < speaker.verbosity < VERY_VERBOSE
        self._logs = speaker.verbosity >= VERY_VERBOSE
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._planned = self._done = self._failed = 0
        self._running: dict[Endpoint, list[float]] = {}
        self._since = time.monotonic()

    def extracted(self, extraction: Extraction) -> None:
        """Let whoever asked look at what the targets hold."""
        if self._on_extracted is not None:
            self._on_extracted(extraction)

    def planned(self, endpoints: int) -> None:
        """Begin, and keep the clock of the line going."""
        self._planned = endpoints
        self._since = time.monotonic()
        self._log(f"scanning {count(endpoints, 'endpoint')} on {'its' if endpoints == 1 else 'their'} addresses")
        if self._shows and endpoints:
            self._thread = threading.Thread(target=self._tick, name="progress", daemon=True)
            self._thread.start()

    def started(self, endpoint: Endpoint) -> None:
        """Count one more that is running."""
        with self._lock:
            self._running.setdefault(endpoint, []).append(time.monotonic())
        self._log(f"{endpoint.scheme}://{endpoint} begun")

    def finished(self, endpoint: Endpoint, *, failed: bool) -> None:
        """Count one that is done."""
        with self._lock:
            self._done += 1
            self._failed += failed
            starts = self._running.get(endpoint, [])
            if starts:
                starts.pop(0)
            if not starts:
                self._running.pop(endpoint, None)
        self._log(f"{endpoint.scheme}://{endpoint} {'failed' if failed else 'done'}")

    def closed(self) -> None:
        """End: leave nothing of the line."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=1)
            self._thread = None
            with self._lock:
                self._speaker.over("")

    def asking(self, leaves: int) -> None:
        """Say what is waited for after the scan."""
        if leaves:
            self._log(f"asking about {count(leaves, 'certificate')}")
        if self._shows:
            self._speaker.over(f"atsprobe: asking about {count(leaves, 'certificate')}" if leaves else "")

    def warned(self, text: str) -> None:
        """Say a warning above the line."""
        with self._lock:
            if self._thread is not None:
                self._speaker.over("")
            self._speaker.warning(text)

    def text(self) -> str:
        """Give the line as it stands now."""
        now = time.monotonic()
        with self._lock:
            running = sum(len(starts) for starts in self._running.values())
            slowest = min(self._running.items(), key=lambda item: item[1][0], default=None)
            parts = [f"{self._done} of {self._planned} done", f"{running} running"]
            failed = self._failed
        if failed:
            parts.append(f"{failed} failed")
        elapsed = int(now - self._since)
        parts.append(f"{elapsed // 60}:{elapsed % 60:02}")
        if slowest is not None and now - slowest[1][0] >= _PATIENCE:
            parts.append(f"waiting for {slowest[0].host}")
        return f"atsprobe: scanning: {', '.join(parts)}"

    def _tick(self) -> None:
        while not self._stop.wait(_EVERY):
            line = self.text()
            with self._lock:
                if not self._stop.is_set():
                    self._speaker.over(line)

    def _log(self, text: str) -> None:
        if self._logs:
            self._speaker.note(f"{time.monotonic() - self._since:8.3f} {text}")
