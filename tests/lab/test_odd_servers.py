"""The odd servers behave as oddly as they say."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

import pytest

from atsprobe.lab import odd_servers
from atsprobe.lab.odd_servers import BEHAVIOURS, behaviour_named, serving

HELLO = b"\x16\x03\x01\x00\x04\x01\x00\x00\x00"


def answer(name: str, *, seconds: float = 5.0, most: int = 1 << 16) -> bytes:
    """Send a hello and give what comes back until the end, the bound or the deadline."""
    with serving(name) as port, socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(HELLO)
        data = b""
        deadline = time.monotonic() + seconds
        while len(data) < most and time.monotonic() < deadline:
            connection.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                more = connection.recv(65536)
            except TimeoutError:
                break
            if not more:
                break
            data += more
        return data


@pytest.mark.parametrize("number", [0, 40, 49, 80, 112, 255])
def test_alerts_are_fatal_and_bear_their_number(number):
    """Any alert number can be had."""
    assert answer(f"alert-{number}") == bytes([21, 3, 3, 0, 2, 2, number])


def test_silence_is_silence():
    """Not a byte comes, and the connection stays open."""
    assert answer("silent", seconds=0.3) == b""


def test_a_reset_is_a_reset():
    """RST, not FIN: reading raises."""
    with pytest.raises(ConnectionResetError):
        answer("reset")


def test_a_close_is_a_clean_end():
    """FIN after the hello, and no byte."""
    assert answer("close") == b""


def test_a_truncated_hello_announces_more_than_it_sends():
    """The record is cut."""
    data = answer("truncate")
    assert data[:1] == b"\x16"
    assert len(data) < 5 + int.from_bytes(data[3:5], "big")


def test_dripping_is_slow_and_goes_on():
    """Within a second and a half there are one or two bytes, not a record."""
    assert 1 <= len(answer("drip", seconds=1.5)) <= 3


def test_the_flood_announces_16_megabytes_and_sends_them():
    """The handshake message is as long as its length field can say."""
    data = answer("flood", most=1 << 22)
    hello_length = 5 + int.from_bytes(data[3:5], "big")
    certificate = data[hello_length + 5 :]
    assert certificate[0] == 11
    assert int.from_bytes(certificate[1:4], "big") == 0xFFFFFF
    assert len(data) >= 1 << 22


@pytest.mark.parametrize(
    "name", ["garbage", "http", "banner", "echo", "warnings", "hello-requests", "oversized-record"]
)
def test_every_other_behaviour_answers_something(name):
    """Each of them sends bytes."""
    assert answer(name, seconds=0.5)


def test_a_limit_lets_the_first_connections_through_and_resets_the_rest():
    """Two connections reach the server behind, the third is reset."""
    with serving("echo") as behind, serving(f"limit-2-127.0.0.1-{behind}") as port:
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(b"hello")
                assert connection.recv(5) == b"hello"
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(HELLO)
            with pytest.raises(ConnectionResetError):
                connection.recv(5)


def test_unknown_behaviours_are_refused():
    """A misspelt name is no silent server."""
    for name in ("quiet", "alert-", "alert-256", "alert-x", "limit-2", "limit-x-localhost-1"):
        with pytest.raises(ValueError, match="no such behaviour"):
            behaviour_named(name)
    assert all(behaviour_named(name) for name in BEHAVIOURS)


def test_the_file_runs_alone_without_the_package(tmp_path):
    """A container has this file and Python's standard library, and nothing else; it ends on SIGTERM."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    pid_file = tmp_path / "pid"
    command = [
        sys.executable,
        "-I",
        "-S",
        odd_servers.__file__,
        "127.0.0.1",
        f"{port}=alert-80",
        "--pid-file",
        str(pid_file),
    ]
    with subprocess.Popen(command, cwd=tmp_path) as process:
        try:
            deadline = time.monotonic() + 20
            while not pid_file.exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(HELLO)
                assert connection.recv(7) == bytes([21, 3, 3, 0, 2, 2, 80])
        finally:
            process.terminate()
        assert process.wait(10) == 0


def test_a_taken_port_is_one_line(tmp_path):
    """No traceback: exit 1 and the reason."""
    with serving("silent") as port:
        command = [sys.executable, odd_servers.__file__, "127.0.0.1", f"{port}=silent"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("odd_servers: ")
    assert len(done.stderr.splitlines()) == 1
