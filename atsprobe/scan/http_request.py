"""One ``GET /``, in the clear or over TLS, and the head of its answer within bounds."""

from __future__ import annotations

import re

from atsprobe.model.endpoint import DEFAULT_PORTS, Endpoint
from atsprobe.model.handshake import NoAnswer
from atsprobe.model.observation import HttpAnswer
from atsprobe.scan.connection import AlertReceived, Stream
from atsprobe.scan.listening_socket import TooManyBytes
from atsprobe.scan.pace import Interrupted

_LONGEST_HEAD = 64 * 1024
_LONGEST_LOCATION = 2000
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: [^\r\n]*)?\r?\n")
_LOCATION = re.compile(rb"^location:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")


def get(stream: Stream, endpoint: Endpoint) -> HttpAnswer | NoAnswer:
    """Ask for ``/`` and read the head of the final answer (RFC 9112 §2 to §4); interim ones (1xx) are passed over.

    Raises Interrupted after a stop.
    """
    try:
        stream.send(_request(endpoint))
        return _read_answer(stream)
    except Interrupted:
        raise
    except TooManyBytes as error:
        return NoAnswer("too-large", str(error))
    except TimeoutError:
        return NoAnswer("timeout")
    except AlertReceived as error:
        return NoAnswer("alert", error.alert.name, error.alert)
    except OSError as error:
        return NoAnswer("reset", "" if error.errno else str(error)[:100])


def _request(endpoint: Endpoint) -> bytes:
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    port = "" if endpoint.port == DEFAULT_PORTS[endpoint.scheme] else f":{endpoint.port}"
    head = f"GET / HTTP/1.1\r\nHost: {host}{port}\r\nUser-Agent: atsprobe\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    return head.encode("ascii")


def _read_answer(stream: Stream) -> HttpAnswer | NoAnswer:
    data = b""
    while True:
        answer, data = _take_answer(data)
        if answer:
            return answer
        if len(data) > _LONGEST_HEAD:
            return NoAnswer("too-large", "the head of the answer does not end")
        more = stream.recv(4096)
        if not more:
            return NoAnswer("garbage", _no_http(data)) if data else NoAnswer("closed")
        data += more


def _take_answer(data: bytes) -> tuple[HttpAnswer | NoAnswer | None, bytes]:
    """Read a final answer off the front, if its head is complete; give what remains after interim ones."""
    while True:
        if b"HTTP/1."[: len(data)] != data[:7]:
            return NoAnswer("garbage", _no_http(data)), data
        end = _END_OF_HEAD.search(data)
        if end is None:
            return None, data
        status = _STATUS_LINE.match(data)
        if status is None:
            return NoAnswer("garbage", "a malformed status line"), data
        if not status[1].startswith(b"1"):
            location = _LOCATION.search(data, status.end() - 1, end.end())
            text = location[1].strip().decode("latin-1")[:_LONGEST_LOCATION] if location else None
            return HttpAnswer(int(status[1]), text), data
        data = data[end.end() :]


def _no_http(data: bytes) -> str:
    return (
        "TLS, where HTTP in the clear was asked for" if data[:2] in (b"\x15\x03", b"\x16\x03") else "no HTTP/1 answer"
    )
