"""Python's own ssl says the hybrid group where its OpenSSL can, only when something waits for it, and tells what came of it."""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import replace

import pytest
import scan_servers as servers
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from atsprobe.lab.odd_servers import serving
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.handshake import Alert, Negotiated, NoAnswer, NotMade, Refused, UnofferedVersion
from atsprobe.model.observation import HttpAnswer, TlsObservation
from atsprobe.pipelines.audit import audit
from atsprobe.scan import engine, http_request, stdlib_engine, tls
from atsprobe.scan.engine import attempt, hybrid_hello
from atsprobe.scan.pace import Deadline, Pace
from atsprobe.scan.sslyze_engine import SslyzeEngine
from atsprobe.scan.stdlib_engine import StdlibEngine, own_hello
from atsprobe.settings import Settings

HYBRID = "X25519MLKEM768"
V13 = TlsVersion.TLS_1_3
CAN = ssl.OPENSSL_VERSION_INFO >= (3, 5)
OWN = replace(servers.OWN, groups=(HYBRID, *servers.OWN.groups))
ALONE = replace(OWN, versions=(V13,), cipher_suites=servers.TLS_1_3)


@pytest.fixture
def able(monkeypatch):
    """Let the engine say OpenSSL's own hello as if it held the hybrid group, so that older ones show what it does with it."""
    monkeypatch.setattr(StdlibEngine, "hybrid_hello", lambda _: own_hello())


def ask(server, then=None, **more):
    return StdlibEngine().attempt(servers.task(server.port, **more), own_hello(), Deadline.after(2), then)


def test_the_hello_is_read_off_itself():
    """TLS 1.3 alone, its three suites, and more groups and algorithms than Apple's client has."""
    hello = own_hello()
    assert hello.versions == (V13,)
    assert set(hello.cipher_suites) == set(servers.TLS_1_3)
    assert {"x25519", "secp256r1", "secp384r1"} <= set(hello.groups)
    assert {"ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256", "ed25519"} <= set(hello.signature_algorithms)


@pytest.mark.skipif(CAN, reason="this OpenSSL knows the hybrid group")
def test_an_old_openssl_makes_no_hello():
    """No connection is made, and the reason names the library."""
    assert StdlibEngine().hybrid_hello() is None
    assert hybrid_hello() is None
    with servers.Server(servers.silent) as server:
        outcome = attempt(servers.task(server.port), ALONE, Deadline.after(2))
        assert server.connections == 0
    assert isinstance(outcome, NotMade)
    assert ssl.OPENSSL_VERSION in outcome.reason


@pytest.mark.skipif(not CAN, reason="needs OpenSSL 3.5 below Python")
def test_a_new_openssl_negotiates_the_hybrid_group(pki):
    """Seen in the ServerHello; the rest is told as by any engine."""
    hello = hybrid_hello()
    assert HYBRID in hello.groups
    with servers.Server(servers.over_tls(servers.tls_context(pki["ecdsa"]))) as server:
        outcome = attempt(servers.task(server.port), hello, Deadline.after(5))
    assert (outcome.version, outcome.group, outcome.signature_algorithm) == (V13, HYBRID, "ecdsa_secp256r1_sha256")


def test_no_other_hello_is_made(able):
    """What was not asked for exactly is not what would be told."""
    with servers.Server(servers.silent) as server:
        for offer in (ALONE, servers.OWN, replace(own_hello(), groups=("x25519",))):
            task = servers.task(server.port)
            assert isinstance(StdlibEngine().attempt(task, offer, Deadline.after(2), None), NotMade)
        assert server.connections == 0
    assert StdlibEngine().widest_offers(V13) == ()


@pytest.mark.parametrize(
    ("kind", "signature"), [("rsa", None), ("ecdsa", "ecdsa_secp256r1_sha256"), ("ed25519", "ed25519")]
)
def test_a_handshake_is_told(able, pki, kind, signature):
    """Suite, group and leaf; the signature where the leaf's key leaves one; and a request goes over the connection."""
    answers = []
    with servers.Server(servers.over_tls(servers.tls_context(pki[kind]))) as server:
        outcome = ask(server, lambda s: answers.append(http_request.get(s, servers.task(1).endpoint)))
    assert isinstance(outcome, Negotiated)
    assert (outcome.version, outcome.cipher_suite) == (V13, "TLS_AES_256_GCM_SHA384")
    assert outcome.group in (HYBRID, "x25519")
    assert (outcome.signature_algorithm, outcome.extended_master_secret) == (signature, None)
    leaf = x509.load_pem_x509_certificate(pki[kind].read_bytes())
    assert [c.der for c in outcome.certificates] == [leaf.public_bytes(Encoding.DER)]
    assert answers == [HttpAnswer(200)]
    assert outcome.wants_client_certificate is False


def test_a_client_certificate_is_asked_for(able, pki):
    """Under TLS 1.3 the handshake ends before the server misses one."""
    context = servers.tls_context(pki["rsa"], client_ca=pki["rsa"])
    with servers.Server(servers.over_tls(context)) as server:
        assert ask(server).wants_client_certificate is True


def test_the_server_name_is_sent_for_names_alone(able, pki):
    """RFC 6066 allows no IP literal there."""
    seen = []
    context = servers.tls_context(pki["rsa"])
    context.sni_callback = lambda _socket, name, _context: seen.append(name)
    with servers.Server(servers.over_tls(context)) as server:
        ask(server)
        ask(server, host="192.0.2.1")
    assert seen == [servers.NAME, None]


@pytest.mark.parametrize("number", [40, 70, 71])
def test_alerts_that_speak_of_the_offer_refuse(able, number):
    """As with the other engine."""
    with servers.Server(servers.after_hello(servers.alert(number))) as server:
        assert ask(server) == Refused(Alert(number))


def test_an_older_version_refuses(able, pki):
    """A server without TLS 1.3, by alert or by a ServerHello that offers another version."""
    with servers.Server(servers.over_tls(servers.tls_context(pki["rsa"], high=ssl.TLSVersion.TLSv1_2))) as server:
        assert ask(server) == Refused(Alert(70))
    hello = b"\x02\0\0\x26\x03\x03" + bytes(32) + b"\0\xc0\x2f\0"
    with servers.Server(servers.after_hello(b"\x16\x03\x03\0\x2a" + hello)) as server:
        assert ask(server) == Refused(UnofferedVersion(TlsVersion.TLS_1_2))


@pytest.mark.parametrize(
    ("serve", "reason"),
    [
        (servers.after_hello(servers.alert(80)), "alert"),
        (servers.after_hello(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "not-tls"),
        (servers.after_hello(), "closed"),
        (servers.reset, "reset"),
        (servers.after_hello(b"\x16\x03\x03\x00\x05hel"), "closed"),
        (servers.after_hello(b"\x16\x03\x03\x00\x04\x63\0\0\0"), "garbage"),
        (servers.floods(b"\x16\x03\x03\x00\x04\0\0\0\0"), "too-large"),
        (servers.silent, "timeout"),
        (servers.drips, "timeout"),
    ],
)
def test_what_is_no_answer(able, serve, reason):
    """Each way of not answering has its reason, and all end in time."""
    began = time.monotonic()
    with servers.Server(serve) as server:
        outcome = ask(server)
    assert isinstance(outcome, NoAnswer)
    assert outcome.reason == reason
    assert time.monotonic() - began < 10


def test_it_is_made_last_and_only_where_something_waits_for_it(able, pki):
    """Not for a server that passes; after the hello of TLS 1.3 alone for one that refuses; once."""
    with servers.Server(servers.over_tls(servers.tls_context(pki["rsa"]))) as server:
        passed = tls.observe(servers.task(server.port, offers=(OWN,)), Pace())
    assert [e.offer for e in passed.experiments] == [servers.OWN]
    with servers.Server(servers.after_hello(servers.alert(40))) as server:
        refused = tls.observe(servers.task(server.port, offers=(OWN,)), Pace())
        assert server.connections == 3
    assert [e.offer for e in refused.experiments] == [servers.OWN, ALONE.without_hybrids(), own_hello()]
    with servers.Server(servers.after_hello(servers.alert(70))) as server:
        old = tls.observe(servers.task(server.port, offers=(OWN,)), Pace())
    assert [e.offer for e in old.experiments] == [servers.OWN, ALONE.without_hybrids()]


class PostQuantumOnly:
    """What a server with X25519MLKEM768 alone does, on the side of the engines: everything without it is refused."""

    def __init__(self, pki):
        self._leaf = pki
        self.asked = []

    def hybrid_hello(self):
        return replace(own_hello(), groups=(HYBRID, "x25519"))

    def widest_offers(self, version):
        return SslyzeEngine().widest_offers(version)

    def attempt(self, _task, offer, _deadline, _then):
        self.asked.append(offer)
        if V13 not in offer.versions or HYBRID not in offer.groups:
            return Refused(Alert(40))
        return Negotiated(V13, "TLS_AES_256_GCM_SHA384", HYBRID, "ecdsa_secp256r1_sha256", None, self._leaf)


def test_enumeration_does_not_pretend_to_know_the_suites(monkeypatch, pki):
    """Over the hybrid group alone no list has an end: none of its hellos has the group."""
    leaf = x509.load_pem_x509_certificate(pki["ecdsa"].read_bytes()).public_bytes(Encoding.DER)
    fake = PostQuantumOnly((stdlib_engine.Certificate(leaf),))
    monkeypatch.setattr(engine, "engines", lambda: (fake,))
    seen = tls.observe(servers.task(1, offers=(OWN,), enumerate=True), Pace())
    assert isinstance(seen, TlsObservation)
    assert seen.cut_short == "no certain end to the list for TLS 1.3"
    assert not seen.enumerated
    assert fake.asked.count(fake.hybrid_hello()) == 2  # once to know, once to see that it still holds after refusals


def refuses_what_is_not_hybrid(connection: socket.socket, _number: int) -> None:
    """Alert 40 for TLS 1.3, 70 for all that is older: what nginx with X25519MLKEM768 alone says to anybody else."""
    hello = connection.recv(16384)
    offers_1_3 = b"\x00\x2b" in hello and b"\x03\x04" in hello[60:]
    connection.sendall(servers.alert(40 if offers_1_3 else 70))
    connection.recv(4096)


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("kind", ["by version", "everything"])
def test_a_server_that_may_speak_the_group_alone_is_not_judged(monkeypatch, kind, quick):
    """Neither blocked nor allowed while nobody can say the group; and the reason names it, whatever the listing met."""
    monkeypatch.setattr(StdlibEngine, "hybrid_hello", lambda _: None)
    serve = refuses_what_is_not_hybrid if kind == "by version" else servers.after_hello(servers.alert(40))
    with servers.Server(serve) as server:
        given = (f"pq.lab.example.com:443:127.0.0.1:{server.port}",)
        settings = Settings(connect_to=given, timeout=3, deadline=10, quick=quick)
        (seen,) = audit(["pq.lab.example.com"], settings, names_are_given=True).endpoints
    assert seen.verdict == "inconclusive"
    assert seen.reason == "refuses every hello, but may speak X25519MLKEM768 alone, which this tool cannot offer"


def test_a_server_that_refuses_the_group_too_is_blocked(monkeypatch):
    """With an engine that says it, the doubt is gone."""
    monkeypatch.setattr(StdlibEngine, "hybrid_hello", lambda _: replace(own_hello(), groups=(HYBRID, "x25519")))
    with serving("alert-40") as port:
        given = (f"pq.lab.example.com:443:127.0.0.1:{port}",)
        settings = Settings(connect_to=given, timeout=3, deadline=10, quick=True)
        (seen,) = audit(["pq.lab.example.com"], settings, names_are_given=True).endpoints
    assert seen.verdict == "blocked"
    assert {f.finding.requirement for f in seen.findings if f.finding.status == "fail"} == {"cipher-suite"}
