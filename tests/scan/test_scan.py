"""Many tasks in threads: in order, politely, and to be stopped at any time."""

from __future__ import annotations

import signal
import ssl
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import scan_servers as servers

from atsprobe.model.handshake import Negotiated, NoAnswer
from atsprobe.model.observation import TlsObservation, Unreachable
from atsprobe.scan import scan
from atsprobe.scan.scan import run, scan_in_threads


def good(pki):
    return servers.over_tls(servers.tls_context(pki["rsa"]))


def test_observations_come_in_the_order_of_the_tasks(pki):
    """However long each takes: one observation a task, in the tasks' order, and callbacks for each."""

    def late(connection, number):
        time.sleep(0.3)
        good(pki)(connection, number)

    with servers.Server(late) as first, servers.Server(good(pki)) as second:
        tasks = [servers.task(first.port), servers.task(second.port), servers.task(servers.closed_port())]
        started, finished = [], []
        seen = scan_in_threads(
            tasks, on_started=started.append, on_finished=lambda task, found: finished.append((task, found))
        )
    assert [o.address for o in seen] == [t.address for t in tasks]
    assert [type(o) for o in seen] == [TlsObservation, TlsObservation, Unreachable]
    assert sorted(t.address for t in started) == sorted(t.address for t in tasks)
    assert {task.address: found for task, found in finished} == {o.address: (o,) for o in seen}


def test_a_server_that_passes_costs_one_connection(pki):
    """With its request on the same connection."""
    with servers.Server(good(pki)) as server:
        (seen,) = run(servers.task(server.port, request_http=True))
        assert server.connections == 1
    assert seen.http_answer.status == 200


def test_a_client_certificate_that_is_required(pki):
    """The handshake is a handshake; the request on it ends with the alert that says what is missing (TLS 1.3).

    The server closes on a request that it has not read, so that a reset may overtake its alert.
    """
    context = servers.tls_context(pki["rsa"], client_ca=pki["rsa"])
    with servers.Server(servers.over_tls(context)) as server:
        (seen,) = run(servers.task(server.port, request_http=True))
    assert isinstance(seen.experiments[0].outcome, Negotiated)
    assert isinstance(seen.http_answer, NoAnswer)
    assert seen.http_answer.reason == "reset" or seen.http_answer.alert.name == "certificate_required"


@pytest.mark.parametrize("context", [{"ciphers": "kRSA"}, {"ciphers": "ECDHE-RSA-AES256-SHA384"}, {"low": "1.0"}])
def test_any_other_server_costs_eight_connections_at_most(pki, context):
    """The client's own hello is refused: static RSA, a suite that no client offers, TLS 1.0 alone."""
    context = {"high": ssl.TLSVersion.TLSv1_2, **context}
    if context.get("low"):
        context |= {"low": ssl.TLSVersion.TLSv1, "high": ssl.TLSVersion.TLSv1}
    with servers.Server(servers.over_tls(servers.tls_context(pki["rsa"], **context))) as server:
        (seen,) = run(servers.task(server.port))
        assert server.connections <= 8
    assert not isinstance(seen.experiments[0].outcome, Negotiated)
    assert not seen.cut_short


def test_one_connection_at_a_time_to_an_address(pki):
    """Many names on one address are looked at one after the other; another address does not wait for them."""
    with servers.Server(good(pki)) as shared, servers.Server(good(pki)) as other:
        tasks = [servers.task(shared.port, host=f"n{i}.lab.example.com") for i in range(8)]
        seen = scan_in_threads([*tasks, servers.task(other.port)], jobs=8)
        assert shared.most_open_at_once <= 2  # the server may notice the end of one after the next began
        assert shared.connections == 8
    assert all(isinstance(o.experiments[0].outcome, Negotiated) for o in seen)


def test_the_rate_holds_across_tasks(pki):
    """Connections to one IP are spaced, whatever the port."""
    with servers.Server(good(pki)) as one, servers.Server(good(pki)) as two:
        began = time.monotonic()
        scan_in_threads([servers.task(s.port, limits={"rate": 10.0}) for s in (one, two, one, two)])
        assert time.monotonic() - began >= 0.3


def test_a_task_that_fails_breaks_no_other(pki, monkeypatch):
    """An error of ours in one task is its observation; the others are made."""

    def breaks(task, pace):
        if task.endpoint.host == "broken.example.com":
            raise RuntimeError("a bug")
        return real(task, pace)

    real = scan.tls.observe
    monkeypatch.setattr(scan.tls, "observe", breaks)
    with servers.Server(good(pki)) as server:
        broken, fine = scan_in_threads(
            [servers.task(server.port, host="broken.example.com"), servers.task(server.port)]
        )
    assert (broken.reason, broken.detail) == ("failed", "RuntimeError: a bug")
    assert isinstance(fine, TlsObservation)


def test_an_engine_that_fails_keeps_what_was_seen(pki, monkeypatch):
    """An error in the middle of a look leaves the experiments made before it."""
    from atsprobe.scan import look

    real, calls = look.attempt, []

    def fails_later(*arguments):
        calls.append(arguments)
        if len(calls) > 1:
            raise RuntimeError("a bug")
        return real(*arguments)

    monkeypatch.setattr(look, "attempt", fails_later)
    with servers.Server(servers.after_hello(servers.alert(40))) as server:
        (seen,) = run(servers.task(server.port))
    assert len(seen.experiments) == 1
    assert seen.cut_short == "failed: RuntimeError: a bug"


def test_a_callback_that_fails_is_heard_of_at_the_end(pki):
    """What a callback raises is raised to the caller, after every task was run."""
    finished = []

    def fails(task, _found):
        finished.append(task)
        raise ValueError("not in the mood")

    with servers.Server(good(pki)) as server, pytest.raises(ValueError, match="mood"):
        scan_in_threads([servers.task(server.port)] * 3, on_finished=fails)
    assert len(finished) == 3


def test_a_stop_ends_all_soon(pki):
    """What runs ends within moments, with what was seen; the rest is marked as interrupted."""
    stop = threading.Event()
    limits = {"timeout": 60.0, "deadline": 60.0}
    with ExitStack() as stack:
        silent = [stack.enter_context(servers.Server(servers.silent)) for _ in range(3)]
        halfway = stack.enter_context(
            servers.Server(servers.in_turn(servers.after_hello(servers.alert(40)), servers.silent))
        )
        tasks = [servers.task(s.port, limits=limits) for s in [*silent, halfway, *silent]]
        threading.Timer(0.5, stop.set).start()
        began = time.monotonic()
        seen = scan_in_threads(tasks, jobs=4, stop=stop)
        assert time.monotonic() - began < 5
    assert isinstance(seen[3], TlsObservation)
    assert (seen[3].cut_short, len(seen[3].experiments)) == ("interrupted", 1)
    assert {(o.reason, o.detail) for o in (*seen[:3], *seen[4:])} == {("interrupted", "")}


def test_nothing_to_do():
    """No task, no thread, no observation."""
    assert scan_in_threads([]) == ()


def test_an_interrupt_from_the_keyboard_gets_through():
    """Ctrl-C reaches the caller while every thread waits for a silent server."""
    code = """
import sys, time
sys.path.insert(0, {folder!r})
import scan_servers as servers
from atsprobe.scan.scan import scan_in_threads
with servers.Server(servers.silent) as server:
    print("ready", flush=True)
    try:
        scan_in_threads([servers.task(server.port, limits=dict(timeout=60.0, deadline=60.0))] * 3)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""
    code = code.format(folder=str(Path(__file__).parent))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20)[0] == "interrupted\n"
    assert process.returncode == 0
