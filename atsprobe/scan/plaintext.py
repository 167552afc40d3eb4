"""The http side: ``GET /`` in the clear, and https on the same host where the answer sends there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from atsprobe.model.handshake import NoAnswer
from atsprobe.model.observation import (
    Address,
    HttpAnswer,
    Observation,
    PlaintextObservation,
    Unreachable,
    UnreachableReason,
)
from atsprobe.model.redirect import sends_to
from atsprobe.scan import http_request, tls
from atsprobe.scan.listening_socket import ListeningSocket, NotConnected, connect
from atsprobe.scan.pace import DeadlinePassed, Interrupted, Pace
from atsprobe.scan.task import ScanTask


def observe(task: ScanTask, pace: Pace) -> tuple[Observation, ...]:
    """Ask an http endpoint for ``/`` on its address; and look at https of the same host where that is the answer.

    The https endpoint is looked at only on a port that no other task has, at the same IP address.
    """
    seen = _ask(task, pace)
    if not isinstance(seen, PlaintextObservation):
        return (seen,)
    target = sends_to(task.endpoint, seen.answer)
    if target is None or target.scheme != "https" or target.port in task.https_ports_in_other_tasks or not task.offers:
        return (seen,)
    address = Address(task.address.ip, target.port)
    return seen, tls.observe(replace(task, endpoint=target, address=address, request_http=True), pace)


def _ask(task: ScanTask, pace: Pace) -> PlaintextObservation | Unreachable:
    began = datetime.now(UTC)

    def unreachable(reason: UnreachableReason, detail: str = "") -> Unreachable:
        return Unreachable(task.endpoint, task.address, began, reason, detail)

    try:
        answer = _get(task, pace)
    except NotConnected as error:
        return unreachable(error.reason, error.detail)
    except Interrupted:
        return unreachable("interrupted")
    except DeadlinePassed:
        return unreachable("failed", f"the time for one address was over ({task.limits.deadline:g} s)")
    return PlaintextObservation(task.endpoint, task.address, began, answer)


def _get(task: ScanTask, pace: Pace) -> HttpAnswer | NoAnswer:
    whole = pace.deadline(task.limits.deadline)
    with pace.turn(task.address, task.limits.rate, whole):
        deadline = whole.within(task.limits.timeout)
        stream = ListeningSocket(connect(task.address, deadline), deadline, task.limits.max_bytes)
        stream.stop_listening()
        try:
            return http_request.get(stream, task.endpoint)
        finally:
            stream.close()
