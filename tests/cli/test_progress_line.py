"""The line that tells how a scan goes: on a terminal alone, written over, gone in the end."""

from __future__ import annotations

import time

import pytest

from atsprobe.cli import progress_line
from atsprobe.cli.progress_line import ProgressLine
from atsprobe.cli.speak import Speaker
from atsprobe.model.endpoint import Endpoint, Host

GATE = Endpoint(Host("gate.example.net"), 80, "http")
API = Endpoint(Host("api.example.com"), 443)


def _speaker(stream, *, terminal: bool, verbosity: int = 0, **environ: str) -> Speaker:
    speaker = Speaker(stream(), stream(terminal=terminal), {"COLUMNS": "80", **environ})
    speaker.verbosity = verbosity
    return speaker


def test_what_the_line_says(stream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Done, running, failed, how long; after five seconds also the host that it waits for longest."""
    now = [100.0]
    monkeypatch.setattr(progress_line.time, "monotonic", lambda: now[0])
    line = ProgressLine(_speaker(stream, terminal=False))
    line.planned(14)
    line.started(GATE)
    now[0] += 3
    line.started(API)
    line.started(API)
    line.finished(API, failed=True)
    assert line.text() == "atsprobe: scanning: 1 of 14 done, 2 running, 1 failed, 0:03"
    now[0] += 4
    assert line.text() == "atsprobe: scanning: 1 of 14 done, 2 running, 1 failed, 0:07, waiting for gate.example.net"
    line.finished(GATE, failed=False)
    line.finished(API, failed=False)
    assert line.text() == "atsprobe: scanning: 3 of 14 done, 0 running, 1 failed, 0:07"


def test_on_a_terminal_it_is_written_over_and_erased(stream, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last thing written is an empty line to stand on; a warning gets a line of its own above."""
    monkeypatch.setattr(progress_line, "_EVERY", 0.01)
    speaker = _speaker(stream, terminal=True, NO_COLOR="1")
    line = ProgressLine(speaker)
    line.planned(2)
    line.started(GATE)
    deadline = time.monotonic() + 5
    while "scanning" not in speaker._err.getvalue() and time.monotonic() < deadline:
        time.sleep(0.01)
    line.warned("gate.example.net: no such name (NXDOMAIN)")
    line.closed()
    said = speaker._err.getvalue()
    assert "\ratsprobe: scanning: 0 of 2 done, 1 running, 0:00" in said
    assert "\ratsprobe: warning: gate.example.net: no such name (NXDOMAIN)\n" in said
    assert said.endswith("\r" + " " * 79 + "\r")
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("terminal", "verbosity", "environ"), [(False, 0, {}), (True, -1, {}), (True, 0, {"TERM": "dumb"})]
)
def test_it_is_silent_elsewhere(stream, terminal: bool, verbosity: int, environ: dict[str, str]) -> None:
    """A pipe, a quiet run and a dumb terminal get no line."""
    speaker = _speaker(stream, terminal=terminal, verbosity=verbosity, **environ)
    line = ProgressLine(speaker)
    line.planned(1)
    line.started(GATE)
    line.finished(GATE, failed=False)
    line.closed()
    assert speaker._err.getvalue() == ""


def test_very_verbose_is_a_log_with_times(stream) -> None:
    """One line for each event, instead of the line that is written over."""
    speaker = _speaker(stream, terminal=True, verbosity=2)
    line = ProgressLine(speaker)
    line.planned(1)
    line.started(GATE)
    line.finished(GATE, failed=True)
    line.closed()
    lines = speaker._err.getvalue().splitlines()
    assert [text.split(None, 2)[2] for text in lines] == [
        "scanning 1 endpoint on its addresses",
        "http://gate.example.net:80 begun",
        "http://gate.example.net:80 failed",
    ]


def test_after_the_scan_it_tells_of_the_asking(stream) -> None:
    """Responders may take a while; in the end nothing is left of the line, and without a terminal it is never written."""
    speaker = _speaker(stream, terminal=True, NO_COLOR="1")
    line = ProgressLine(speaker)
    line.asking(1)
    assert speaker._err.getvalue().endswith("\ratsprobe: asking about 1 certificate")
    line.asking(0)
    assert speaker._err.getvalue().endswith(" \r")
    quiet = _speaker(stream, terminal=False)
    ProgressLine(quiet).asking(3)
    assert quiet._err.getvalue() == ""
