"""Servers that misbehave: inconclusive with the reason, inside the deadline, while the others go on."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack

import pytest
import scan_servers as servers

from atsprobe.model.handshake import Negotiated, NoAnswer, Refused
from atsprobe.model.law_of_offers import outcome_of
from atsprobe.model.observation import HttpAnswer, PlaintextObservation, TlsObservation
from atsprobe.scan.scan import run, scan_in_threads

SERVER_HELLO = bytes.fromhex("16030300310200002d0303") + bytes(33) + bytes.fromhex("c02f000005ff01000100")
BIG_CERTIFICATE = b"\x16\x03\x03\x40\x00\x0b" + (16_000_000).to_bytes(3, "big") + bytes(0x4000 - 4)


def sends_16_megabytes(connection, _number):
    connection.recv(16384)
    connection.sendall(SERVER_HELLO + BIG_CERTIFICATE)
    for _ in range(1000):
        connection.sendall(b"\x16\x03\x03\x40\x00" + bytes(0x4000))


def endless_handshake(connection, _number):
    connection.recv(16384)
    while True:
        connection.sendall(b"\x16\x03\x03\x00\x04\x00\x00\x00\x00" * 1000)


HOSTILE = {
    "drips": (servers.drips, "timeout"),
    "16 MB": (sends_16_megabytes, "too-large"),
    "endless": (endless_handshake, "too-large"),
    "resets": (servers.reset, "reset"),
    "HTTP": (servers.after_hello(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "not-tls"),
    "odd alert": (servers.after_hello(servers.alert(80)), "alert"),
    "unheard-of alert": (servers.after_hello(servers.alert(234)), "alert"),
    "silent": (servers.silent, "timeout"),
    "warnings": (servers.floods(servers.alert(90, 1)), "garbage"),
    "closes": (servers.after_hello(), "closed"),
    "cut short": (servers.after_hello(SERVER_HELLO[:40]), "closed"),
    "echo": (lambda c, _n: c.sendall(c.recv(16384)), "garbage"),
}


@pytest.mark.parametrize("enumerate_too", [False, True])
def test_no_hostile_server_delays_or_breaks_the_others(pki, enumerate_too):
    """All at once, with good ones among them: each ends inside its deadline, with its reason, and proves nothing."""
    good = servers.over_tls(servers.tls_context(pki["rsa"]))
    with ExitStack() as stack:
        started = {name: stack.enter_context(servers.Server(serve)) for name, (serve, _) in HOSTILE.items()}
        fine = [stack.enter_context(servers.Server(good)) for _ in range(3)]
        limits = {"timeout": 2.0, "deadline": 8.0}
        ports = [s.port for s in started.values()] + [s.port for s in fine]
        tasks = [servers.task(p, enumerate=enumerate_too, request_http=True, limits=limits) for p in ports]
        began = time.monotonic()
        seen = scan_in_threads(tasks)
        assert time.monotonic() - began < 20
        for (name, (_, reason)), observation in zip(HOSTILE.items(), seen, strict=False):
            assert isinstance(observation, TlsObservation), name
            assert {e.outcome.reason for e in observation.experiments if e.offer in servers.LADDER} == {reason}, name
            assert not any(isinstance(e.outcome, Negotiated | Refused) for e in observation.experiments), name
            assert not observation.enumerated
            assert started[name].connections <= 8, name
        for observation in seen[len(HOSTILE) :]:
            assert isinstance(observation.experiments[0].outcome, Negotiated)
            assert isinstance(observation.http_answer, HttpAnswer)
            assert observation.enumerated is enumerate_too


def test_a_silent_server_costs_two_timeouts(pki):
    """After two hellos without an answer the rest is given up, and the observation says so."""
    with servers.Server(servers.silent) as server:
        (seen,) = run(servers.task(server.port, limits={"timeout": 0.3}))
        assert server.connections == 2
    assert "no answer to 2 hellos" in seen.cut_short


def test_an_alert_to_everything_is_given_up():
    """Four hellos that get nothing but an odd alert are enough."""
    with servers.Server(servers.after_hello(servers.alert(112))) as server:
        versions = [
            (servers.V13,),
            (servers.V13, servers.V12),
            (servers.V12,),
            (servers.V12, servers.V11),
            (servers.V11,),
        ]
        offers = tuple(
            servers.Offer(v, servers.WIDEST.cipher_suites, servers.GROUPS, servers.SIGNATURES) for v in versions
        )
        (seen,) = run(servers.task(server.port, offers=offers, enumerate=True))
        assert server.connections == 4
    assert seen.cut_short == "no answer to 4 hellos in a row"
    assert {e.outcome.alert.name for e in seen.experiments} == {"unrecognized_name"}


def test_the_time_for_one_address_ends_it():
    """Where each answer comes late, the deadline for the whole cuts the rest short."""

    def slow(connection, _number):
        connection.recv(16384)
        time.sleep(0.5)
        connection.sendall(servers.alert(80))

    with servers.Server(slow) as server:
        (seen,) = run(servers.task(server.port, limits={"deadline": 0.8}))
    assert seen.cut_short == "the time for one address was over (0.8 s)"
    assert len(seen.experiments) == 2


def test_a_server_that_throttles_by_alert_is_found_out(pki):
    """It refuses what it had accepted: its later refusals are taken back, and nothing is called enumerated."""
    good = servers.over_tls(servers.tls_context(pki["rsa"]))
    with servers.Server(servers.in_turn(good, good, good, servers.after_hello(servers.alert(40)))) as server:
        (seen,) = run(servers.task(server.port, enumerate=True))
    assert isinstance(seen.experiments[0].outcome, Negotiated)
    assert not seen.enumerated
    assert seen.cut_short == "it stopped accepting what it had accepted"
    assert not any(isinstance(e.outcome, Refused) for e in seen.experiments)
    assert any(isinstance(e.outcome, NoAnswer) and e.outcome.reason == "contradictory" for e in seen.experiments)


@pytest.mark.parametrize("then", [servers.reset, servers.silent, servers.after_hello()])
def test_a_server_that_stops_answering_keeps_what_was_seen(pki, then):
    """After the third connection it answers no more: the verdict may rest on the first, and no list is complete."""
    good = servers.over_tls(servers.tls_context(pki["rsa"]))
    with servers.Server(servers.in_turn(good, good, good, then)) as server:
        (seen,) = run(servers.task(server.port, enumerate=True, limits={"timeout": 0.5}))
    assert isinstance(seen.experiments[0].outcome, Negotiated)
    assert not seen.enumerated
    assert seen.cut_short


def test_a_reset_that_does_not_repeat_itself_is_forgotten(pki):
    """What is reset once is tried again, and the second attempt is counted."""
    good = servers.over_tls(servers.tls_context(pki["rsa"]))
    with servers.Server(servers.in_turn(servers.reset, good)) as server:
        (seen,) = run(servers.task(server.port))
    assert isinstance(seen.experiments[0].outcome, Negotiated)
    assert seen.experiments[0].attempts == 2


def test_a_contradiction_that_resolves(pki):
    """The client's own hello is refused once, a wider one gets what the first should have got: tried again, it does."""
    good = servers.over_tls(servers.tls_context(pki["rsa"]))
    with servers.Server(servers.in_turn(servers.after_hello(servers.alert(40)), good)) as server:
        (seen,) = run(servers.task(server.port))
    assert isinstance(outcome_of(servers.OWN, seen.experiments), Negotiated)
    assert seen.experiments[0].attempts == 2


def hello_with(suite, context, otherwise):
    """Serve those hellos that hold a suite (two bytes); do something else to the rest."""

    def serve(connection, number):
        hello = connection.recv(16384, socket.MSG_PEEK)
        (servers.over_tls(context) if suite in hello else otherwise)(connection, number)

    return serve


def test_a_contradiction_that_stays_is_unknown(pki):
    """Time and again it refuses the client's own hello, and accepts a wider one with a suite that both hold."""
    serve = hello_with(b"\x00\x9d", servers.tls_context(pki["rsa"]), servers.after_hello(servers.alert(40)))
    with servers.Server(serve) as server:
        (seen,) = run(servers.task(server.port))
        assert server.connections <= 8
    own = next(e for e in seen.experiments if e.offer == servers.OWN)
    assert isinstance(own.outcome, NoAnswer)
    assert own.outcome.reason == "contradictory"
    assert own.attempts == 2


def test_a_handshake_that_does_not_repeat_itself_is_unknown(pki):
    """Refused, accepted, and when both are tried again refused twice: neither says anything."""
    good, refuse = servers.over_tls(servers.tls_context(pki["rsa"])), servers.after_hello(servers.alert(40))
    with servers.Server(servers.in_turn(refuse, good, refuse)) as server:
        (seen,) = run(servers.task(server.port, offers=(servers.OWN, servers.WIDEST)))
    assert {e.outcome.reason for e in seen.experiments} == {"contradictory"}


def test_http_on_the_tls_port_of_an_http_endpoint(pki):
    """The other way round: TLS on the port of an http endpoint is no HTTP answer."""
    with servers.Server(servers.over_tls(servers.tls_context(pki["rsa"]))) as server:
        (seen,) = run(servers.task(server.port, scheme="http", endpoint_port=80))
    assert isinstance(seen, PlaintextObservation)
    assert isinstance(seen.answer, NoAnswer)
