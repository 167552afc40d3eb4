"""Ask OCSP responders and fetch revocation lists: bytes within bounds, and no judgement of what they say."""

from __future__ import annotations

import io
import ssl
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from http.client import HTTPException, HTTPResponse
from typing import Any, cast

from atsprobe.model.endpoint import DEFAULT_PORTS, Endpoint, ip_address_of
from atsprobe.scan.connection import Stream
from atsprobe.scan.listening_socket import ListeningSocket, NotConnected, TooManyBytes, connect
from atsprobe.scan.pace import Deadline, Interrupted, Pace
from atsprobe.scan.pumped_tls import PumpedTls
from atsprobe.scan.revocation_query import moved, place_of, target_of
from atsprobe.scan.task import RevocationTask

_LARGEST = {"ocsp": 1 << 16, "crl": 8 << 20}
"""Bytes of a body. An OCSP response has a few kilobytes; the lists of large issuers have some megabytes."""

_LARGEST_HEAD = 1 << 16
_MOST_ADDRESSES = 3
_SILENCES = 2
"""How many questions in a row may go without an answer, until the same responder's others are given up."""

_NOT_CONNECTED = {
    "connection-refused": "the connection is refused",
    "timeout": "no TCP answer in time",
    "no-route": "no route to this address family from here",
}

Finished = Callable[[int, "Fetched"], None]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of a question: a body, or the URL to which the answer sends on, or neither and why (``detail``)."""

    at: datetime
    body: bytes | None = None
    moved_to: str = ""
    detail: str = ""
    was_answered: bool = True


def fetch_in_threads(
    tasks: Sequence[RevocationTask],
    *,
    jobs: int = 64,
    on_finished: Finished | None = None,
    stop: threading.Event | None = None,
) -> tuple[Fetched, ...]:
    """Run the tasks, at most ``jobs`` at once and one at a time to a responder; give what came in the tasks' order.

    The callback hears of each by its place among the tasks, from worker threads. A KeyboardInterrupt stops what runs, and
    is raised again when that has ended.
    """
    pace = Pace(stop)
    found: dict[int, Fetched] = {}
    groups: dict[object, list[int]] = {}
    for number, task in enumerate(tasks):
        groups.setdefault(task.addresses, []).append(number)

    def work(numbers: list[int]) -> None:
        silences = 0
        for number in numbers:
            given_up = silences >= _SILENCES and not pace.stop.is_set()
            found[number] = _failed("it did not answer before") if given_up else fetch(tasks[number], pace)
            silences = 0 if found[number].was_answered else silences + 1
            if on_finished:
                on_finished(number, found[number])

    with ThreadPoolExecutor(max_workers=max(1, min(jobs, len(groups)))) as pool:
        futures = [pool.submit(work, numbers) for numbers in groups.values()]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pace.stop.set()
            raise
    return tuple(found[number] for number in range(len(tasks)))


def fetch(task: RevocationTask, pace: Pace) -> Fetched:
    """Ask one question; never raises. Redirects are told, not followed: their host has to be resolved first."""
    endpoint = place_of(task.url)
    if endpoint is None or not task.addresses:
        return _failed("there is no address to ask")
    fetched = _failed("")
    for address in task.addresses[:_MOST_ADDRESSES]:
        try:
            whole = pace.deadline(task.limits.deadline)
            with pace.turn(address, task.limits.rate, whole):
                deadline = whole.within(task.limits.timeout)
                most = _LARGEST[task.kind] + _LARGEST_HEAD
                listening = ListeningSocket(connect(address, deadline), deadline, most)
                listening.stop_listening()
                try:
                    return _exchange(task, endpoint, listening, whole)
                finally:
                    listening.close()
        except NotConnected as error:
            fetched = _failed(_NOT_CONNECTED.get(error.reason, error.detail or "no connection could be made"))
        except Interrupted:
            return _failed("the audit ended before")
        except (OSError, HTTPException, ValueError) as error:
            return _failed(_why(error))
    return fetched


def _failed(detail: str) -> Fetched:
    return Fetched(datetime.now(UTC), detail=detail, was_answered=False)


def _why(error: Exception) -> str:
    if isinstance(error, TooManyBytes):
        return "larger than is read"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLError):
        return "no TLS handshake came about"
    is_broken = isinstance(error, OSError) and not isinstance(error, HTTPException)
    return "the connection was broken" if is_broken else "no HTTP answer"


def _exchange(task: RevocationTask, endpoint: Endpoint, listening: ListeningSocket, whole: Deadline) -> Fetched:
    stream: Stream = listening
    if endpoint.scheme == "https":
        name = None if ip_address_of(endpoint.host) else str(endpoint.host)
        stream = tls = PumpedTls(_unverified(), listening, name)
        tls.handshake()
    stream.send(_request(task, endpoint))
    response = HTTPResponse(cast(Any, _FileOf(stream)))
    response.begin()
    listening.deadline = whole  # the head came in time; a long list may take longer
    return _read(task, response)


@cache
def _unverified() -> ssl.SSLContext:
    """What is asked is no secret, and what is answered is signed by itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _request(task: RevocationTask, endpoint: Endpoint) -> bytes:
    """Write a POST of an OCSP request (RFC 6960 appendix A.1), or a GET."""
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    port = "" if endpoint.port == DEFAULT_PORTS[endpoint.scheme] else f":{endpoint.port}"
    lines = [f"{'POST' if task.request else 'GET'} {target_of(task.url)} HTTP/1.1", f"Host: {host}{port}"]
    lines += ["User-Agent: atsprobe", "Accept: */*", "Connection: close"]
    if task.request:
        lines += ["Content-Type: application/ocsp-request", f"Content-Length: {len(task.request)}"]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + task.request


def _read(task: RevocationTask, response: HTTPResponse) -> Fetched:
    now, most = datetime.now(UTC), _LARGEST[task.kind]
    if response.status in (301, 302, 303, 307, 308):
        target = moved(task.url, response.getheader("Location") or "")
        return Fetched(now, moved_to=target, detail="" if target else f"HTTP {response.status} that leads nowhere")
    if response.status != 200:
        return Fetched(now, detail=f"HTTP {response.status}")
    body = response.read(most + 1)
    if len(body) > most:
        return Fetched(now, detail="larger than is read")
    if response.length:
        return Fetched(now, detail="the answer was cut off")
    return Fetched(now, body) if body else Fetched(now, detail="an empty answer")


class _FileOf:
    """What http.client needs of a socket."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def makefile(self, mode: str) -> io.BufferedReader:
        """Give the stream as a file to read from."""
        assert mode == "rb"
        return io.BufferedReader(_Raw(self._stream))


class _Raw(io.RawIOBase):
    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)
