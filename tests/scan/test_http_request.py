"""The head of an answer is read within bounds, whoever wrote it."""

from __future__ import annotations

import pytest

from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.handshake import Alert, NoAnswer
from atsprobe.model.observation import HttpAnswer
from atsprobe.scan.connection import AlertReceived
from atsprobe.scan.http_request import get
from atsprobe.scan.listening_socket import TooManyBytes
from atsprobe.scan.pace import DeadlinePassed, Interrupted

ENDPOINT = Endpoint(Host("example.com"), 80, "http")


class FakeStream:
    """Gives the pieces of an answer one by one; an exception among them is raised."""

    def __init__(self, *pieces):
        self.sent = b""
        self._pieces = list(pieces)

    def send(self, data):
        self.sent += data
        return len(data)

    def recv(self, _size):
        piece = self._pieces.pop(0) if self._pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece


@pytest.mark.parametrize(
    ("head", "answer"),
    [
        (b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody", HttpAnswer(200)),
        (b"HTTP/1.0 301\r\nlocation:https://example.com/\r\n\r\n", HttpAnswer(301, "https://example.com/")),
        (b"HTTP/1.1 302 Found\nLOCATION: \t/x \n\n", HttpAnswer(302, "/x")),
        (b"HTTP/1.1 103 Early Hints\r\nLocation: /no\r\n\r\nHTTP/1.1 204 No\r\n\r\n", HttpAnswer(204)),
        (b"HTTP/1.1 200 OK\r\n\r\nLocation: /in-the-body\r\n\r\n", HttpAnswer(200)),
        (b"HTTP/1.1 301 Moved\r\nX-Location: /no\r\n\r\n", HttpAnswer(301)),
        (b"HTTP/1.1 301 M\r\nLocation: \xff\xfe\x1b[2J\r\n\r\n", HttpAnswer(301, "\xff\xfe\x1b[2J")),
        (b"HTTP/1.1 301 M\r\nLocation: " + b"x" * 5000 + b"\r\n\r\n", HttpAnswer(301, "x" * 2000)),
    ],
)
def test_answers(head, answer):
    """Status and Location are read, whatever the spelling, and whether they come in one piece or byte by byte."""
    assert get(FakeStream(head), ENDPOINT) == answer
    assert get(FakeStream(*(head[i : i + 1] for i in range(len(head)))), ENDPOINT) == answer


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([b""], "closed"),
        ([b"HTTP/1.1 200 OK\r\nA: b\r\n"], "garbage"),
        ([b"<html>"], "garbage"),
        ([b"HTTP/2 200\r\n\r\n"], "garbage"),
        ([b"HTTP/1.1 20 OK\r\n\r\n"], "garbage"),
        ([b"\x15\x03\x03\x00\x02\x02\x46"], "garbage"),
        ([b"HTTP/1.1 200 OK\r\n"] + [b"X: " + b"y" * 4000 + b"\r\n"] * 20, "too-large"),
        ([b"HTTP/1.1 100 C\r\n\r\n" * 100] * 40, "closed"),
        ([DeadlinePassed("late")], "timeout"),
        ([TooManyBytes("much")], "too-large"),
        ([ConnectionResetError(104, "reset")], "reset"),
        ([AlertReceived(Alert(116))], "alert"),
    ],
)
def test_what_is_no_answer(pieces, reason):
    """Each way of not answering has its reason."""
    answer = get(FakeStream(*pieces), ENDPOINT)
    assert isinstance(answer, NoAnswer)
    assert answer.reason == reason


def test_a_stop_is_no_answer_of_the_server():
    """A stop reaches those who asked."""
    with pytest.raises(Interrupted):
        get(FakeStream(Interrupted("stop")), ENDPOINT)


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        (Endpoint(Host("example.com"), 80, "http"), b"example.com"),
        (Endpoint(Host("example.com"), 80, "https"), b"example.com:80"),
        (Endpoint(Host("example.com"), 8443, "https"), b"example.com:8443"),
        (Endpoint(Host("2001:db8::1"), 443, "https"), b"[2001:db8::1]"),
    ],
)
def test_the_request(endpoint, host):
    """Host carries the port where it is not the scheme's own, and brackets around IPv6 (RFC 9110 §7.2)."""
    stream = FakeStream(b"HTTP/1.1 200 OK\r\n\r\n")
    get(stream, endpoint)
    lines = stream.sent.split(b"\r\n")
    assert lines[0] == b"GET / HTTP/1.1"
    assert b"Host: " + host in lines
    assert {b"User-Agent: atsprobe", b"Connection: close"} < set(lines)
