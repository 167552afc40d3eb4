"""The http side: an answer in the clear, and https of the same host where it sends on to it."""

from __future__ import annotations

import pytest
import scan_servers as servers

from atsprobe.model.handshake import Negotiated, NoAnswer
from atsprobe.model.observation import HttpAnswer, PlaintextObservation, TlsObservation, Unreachable
from atsprobe.scan.scan import run


def http_task(port, **more):
    return servers.task(port, scheme="http", endpoint_port=80, **more)


def redirect_to(location):
    return servers.in_the_clear(f"HTTP/1.1 301 Moved\r\nLocation: {location}\r\n\r\n".encode())


def test_an_answer_in_the_clear_costs_one_connection():
    """The port answers HTTP, and nothing else is asked."""
    with servers.Server(servers.in_the_clear(servers.ANSWER)) as server:
        (seen,) = run(http_task(server.port))
        assert server.connections == 1
    assert isinstance(seen, PlaintextObservation)
    assert seen.answer == HttpAnswer(200)


def test_https_is_looked_at_where_the_answer_leads(pki):
    """Sent on to https of the same host, on a port of its own: that is looked at in the same task, with its request."""
    with (
        servers.Server(servers.over_tls(servers.tls_context(pki["rsa"]))) as secure,
        servers.Server(redirect_to(f"https://{servers.NAME}:{secure.port}/x")) as server,
    ):
        seen, https = run(http_task(server.port))
    assert seen.answer.status == 301
    assert isinstance(https, TlsObservation)
    assert (https.endpoint.scheme, https.endpoint.port, https.address.port) == ("https", secure.port, secure.port)
    assert isinstance(https.experiments[0].outcome, Negotiated)
    assert https.http_answer == HttpAnswer(200)


def test_no_port_is_looked_at_twice(pki):
    """Where another task has the https port, this one leaves it alone; and so it does with other hosts."""
    with servers.Server(servers.over_tls(servers.tls_context(pki["rsa"]))) as secure:
        location = f"https://{servers.NAME}:{secure.port}/"
        with servers.Server(redirect_to(location)) as server:
            assert len(run(http_task(server.port, https_ports_in_other_tasks=(secure.port,)))) == 1
            assert len(run(http_task(server.port, offers=()))) == 1
        with servers.Server(redirect_to(f"https://other.example.com:{secure.port}/")) as server:
            assert len(run(http_task(server.port))) == 1
        with servers.Server(redirect_to("/elsewhere")) as server:
            assert len(run(http_task(server.port))) == 1
        assert secure.connections == 0


def test_a_redirect_to_nobody():
    """Nothing listens where the answer leads: seen in the clear, unreachable over https."""
    with servers.Server(redirect_to(f"https://{servers.NAME}:{servers.closed_port()}/")) as server:
        seen, https = run(http_task(server.port))
    assert isinstance(seen, PlaintextObservation)
    assert isinstance(https, Unreachable)
    assert https.reason == "connection-refused"


@pytest.mark.parametrize(
    ("serve", "reason"),
    [
        (servers.silent, "timeout"),
        (servers.reset, "reset"),
        (servers.after_hello(), "closed"),
        (servers.after_hello(servers.alert(70)), "garbage"),
        (servers.floods(b"HTTP/1.1 200 OK\r\nX: y\r\n"), "too-large"),
        (servers.floods(b"X: y\r\n"), "garbage"),
        (servers.in_the_clear(b"HTTP/1.1 200 OK\r\nX: " + bytes(100_000)), "too-large"),
    ],
)
def test_what_is_no_answer(serve, reason):
    """Silence, hanging up, TLS, and heads without an end each have their reason."""
    with servers.Server(serve) as server:
        (seen,) = run(http_task(server.port, limits={"timeout": 0.5}))
    assert isinstance(seen.answer, NoAnswer)
    assert seen.answer.reason == reason


def test_a_refused_port():
    """Nothing listens on port 80: unreachable."""
    (seen,) = run(http_task(servers.closed_port()))
    assert isinstance(seen, Unreachable)
    assert seen.reason == "connection-refused"
