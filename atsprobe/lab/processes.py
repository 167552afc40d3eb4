"""Processes that outlive the command that starts them: start, wait for their pid file, stop by pid and never by name."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from atsprobe.lab.problem import LabProblem

_PATIENCE = 10.0
"""Seconds to wait for a process to begin or to end."""
_LONGEST_MESSAGE = 300
_PROC = Path("/proc")
"""Where Linux tells about processes; absent on macOS."""


def start(command: Sequence[str], pid_file: Path, output: Path) -> None:
    """Start a process in a session of its own and wait until it has written its pid file.

    What it prints goes to ``output``. Raises LabProblem when it ends before, or takes too long.
    """
    pid_file.unlink(missing_ok=True)
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(output), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    pid = os.posix_spawnp(command[0], list(command), os.environ, file_actions=actions, setsid=True)
    deadline = time.monotonic() + _PATIENCE
    while not _pid_in(pid_file):
        if _has_ended(pid):
            raise LabProblem(f"{Path(command[0]).name} did not start: {_last_line(output)}", f"see {output}")
        if time.monotonic() > deadline:
            _signal_group(pid, signal.SIGKILL)
            raise LabProblem(f"{Path(command[0]).name} did not start within {_PATIENCE:.0f} seconds", f"see {output}")
        time.sleep(0.01)


def is_running(pid_file: Path, marker: str) -> bool:
    """Say whether the process that a pid file names runs, and has ``marker`` in its command line, so that it is ours."""
    pid = _pid_in(pid_file)
    return pid is not None and not _has_ended(pid) and marker in _command_line(pid)


def stop(pid_file: Path, marker: str) -> bool:
    """End the process that a pid file names, and its children; say whether there was one of ours.

    First SIGTERM, then SIGKILL for what is left of its process group. Raises LabProblem where that is not permitted.
    """
    pid = _pid_in(pid_file)
    if pid is None or not is_running(pid_file, marker):
        pid_file.unlink(missing_ok=True)
        return False
    try:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE
        while not _has_ended(pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        _signal_group(pid, signal.SIGKILL)
    except PermissionError as error:
        hint = "stop the lab as the user who started it"
        raise LabProblem(f"process {pid} belongs to somebody else", hint) from error
    pid_file.unlink(missing_ok=True)
    return True


def _pid_in(pid_file: Path) -> int | None:
    try:
        text = pid_file.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None
    return int(text) if text.isdigit() and int(text) > 1 else None


def _has_ended(pid: int) -> bool:
    with suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG)[0] == pid  # a child of ours, and reaped if it has
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Whether it has ended and nobody has asked for its exit status yet, as in a container without an init.

    While other threads of it are still ending, its sockets are open: proc(5), /proc/pid/stat, fields 3 and 20.
    """
    with suppress(OSError):
        fields = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        return fields[0] in (b"Z", b"X") and int(fields[17]) <= 1
    return False


def _command_line(pid: int) -> str:
    with suppress(OSError):
        return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    with suppress(OSError):  # no /proc on macOS
        command = ["ps", "-o", "command=", "-p", str(pid)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return ""


def _signal_group(leader: int, number: signal.Signals) -> None:
    """The group bears the leader's id as long as one of it lives, since it was started in a session of its own."""
    with suppress(ProcessLookupError):
        os.killpg(leader, number)


def _last_line(output: Path) -> str:
    with suppress(OSError):
        lines = [line.strip() for line in output.read_text(errors="replace").splitlines() if line.strip()]
        if lines:
            return lines[-1][:_LONGEST_MESSAGE]
    return "it said nothing"
