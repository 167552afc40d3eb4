"""The socket's bounds hold against servers that stretch everything."""

from __future__ import annotations

import socket
import threading
import time

import pytest
import scan_servers as servers

from atsprobe.model.observation import Address
from atsprobe.scan.listening_socket import ListeningSocket, NotConnected, TooManyBytes, connect
from atsprobe.scan.pace import Deadline, DeadlinePassed, Interrupted


def open_to(server, seconds=5.0, max_bytes=1 << 20, stop=None):
    deadline = Deadline.after(seconds, stop)
    return ListeningSocket(connect(Address("127.0.0.1", server.port), deadline), deadline, max_bytes)


def test_a_drip_does_not_extend_the_deadline():
    """Bytes that keep coming do not restart the clock."""
    with servers.Server(servers.drips) as server:
        sock = open_to(server, 0.7)
        sock.send(b"hello")
        began = time.monotonic()
        with pytest.raises(DeadlinePassed):
            while True:
                sock.recv(4096)
        assert time.monotonic() - began < 3
        assert 0 < len(sock.received) < 100
        sock.close()


def test_bytes_are_bounded():
    """What arrives beyond the bound is not read."""
    with servers.Server(servers.floods(bytes(1000))) as server:
        sock = open_to(server, max_bytes=10_000)
        sock.send(b"hello")
        with pytest.raises(TooManyBytes):
            while True:
                sock.recv(4096)
        assert len(sock.received) == 10_000
        sock.close()


def test_a_peer_that_does_not_read_does_not_block_a_send():
    """Sending ends with the deadline, too."""

    def never_reads(connection, _number):
        time.sleep(3)

    with servers.Server(never_reads) as server:
        sock = open_to(server, 0.5)
        with pytest.raises(DeadlinePassed):
            while True:
                sock.send(bytes(1 << 20))
        sock.close()


def test_a_stop_ends_a_wait():
    """A stop is noticed while nothing arrives."""
    stop = threading.Event()
    with servers.Server(servers.silent) as server:
        sock = open_to(server, 60, stop=stop)
        threading.Timer(0.1, stop.set).start()
        with pytest.raises(Interrupted):
            sock.recv(1)
        sock.close()


def test_a_refused_port_is_told_from_a_silent_one():
    """Nothing listens: connection-refused. A listener whose queue is full: timeout."""
    with pytest.raises(NotConnected) as refused:
        connect(Address("127.0.0.1", servers.closed_port()), Deadline.after(5))
    assert refused.value.reason == "connection-refused"
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = []
        with pytest.raises(NotConnected) as silent:
            while True:
                waiting += [connect(Address(*full.getsockname()), Deadline.after(0.3))]
        assert silent.value.reason == "timeout"
        for sock in waiting:
            sock.close()


def test_ipv6():
    """An IPv6 literal is connected to as such."""
    with servers.Server(servers.in_the_clear(b"x"), ip="::1") as server:
        sock = connect(Address("::1", server.port), Deadline.after(5))
        assert sock.family == socket.AF_INET6
        sock.close()


def test_the_transcript_ends_when_told():
    """What is received after the handshake is not kept in memory."""
    with servers.Server(servers.in_the_clear(b"answer")) as server:
        sock = open_to(server)
        sock.send(b"hello")
        sock.stop_listening()
        sock.send(b"more")
        assert sock.recv(100)
        assert (bytes(sock.sent), bytes(sock.received)) == (b"hello", b"")
        sock.close()
