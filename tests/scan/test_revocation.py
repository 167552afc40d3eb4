"""Whom a leaf names is asked within bounds, whatever stands in the leaf and whatever comes back."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time

import pytest
from cryptography import x509
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from atsprobe.lab import pki as lab_pki
from atsprobe.model.certificate import Certificate
from atsprobe.model.observation import Address
from atsprobe.scan import revocation
from atsprobe.scan.pace import Pace
from atsprobe.scan.revocation import fetch, fetch_in_threads
from atsprobe.scan.revocation_query import moved, place_of, query_about, target_of
from atsprobe.scan.task import Limits, RevocationTask

TOP = lab_pki.make_root("Top", key="p256")
MIDDLE = lab_pki.issue_intermediate(TOP, "Middle", key="p256")
OTHER = lab_pki.make_root("Middle", key="p256")
OLD = lab_pki.make_root("Old")
RESPONDER, LIST = "http://ocsp.example.com/a", "http://crl.example.com/b.crl"


def der(identity):
    return identity.certificate.public_bytes(lab_pki.Encoding.DER)


def leaf(*, issuer=MIDDLE, responders=(), lists=(), reasons=None, crl_issuer=None, hash_name="sha256"):
    extensions = []
    uri = x509.UniformResourceIdentifier
    if responders:
        access = [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, uri(r)) for r in responders]
        extensions.append((x509.AuthorityInformationAccess(access), False))
    if lists:
        points = [x509.DistributionPoint([uri(u)], None, reasons, crl_issuer) for u in lists]
        extensions.append((x509.CRLDistributionPoints(points), False))
    made = lab_pki.issue(issuer, ["a.example.com"], key="p256", extensions=extensions, hash_name=hash_name)
    return Certificate(der(made))


def chain(made, *above):
    return (made, *(Certificate(der(a)) for a in above))


def test_a_responder_comes_before_a_list():
    """The request names the leaf and its issuer, which was sent; the list is for a leaf without responder."""
    both = leaf(responders=[RESPONDER], lists=[LIST])
    query = query_about(chain(both, MIDDLE), ())
    assert (query.kind, query.url, query.problem) == ("ocsp", RESPONDER, "")
    asked = ocsp.load_der_ocsp_request(query.request)
    assert asked.serial_number == both.parsed.serial_number
    assert asked.issuer_key_hash == x509.SubjectKeyIdentifier.from_public_key(MIDDLE.key.public_key()).digest
    alone = query_about(chain(leaf(lists=[LIST]), MIDDLE), ())
    assert (alone.kind, alone.url, alone.request, alone.problem) == ("crl", LIST, b"", "")


def test_the_issuer_is_who_signed_and_not_who_bears_the_name():
    """Among what was sent, else among the roots known; a namesake would make a request about nobody."""
    named = leaf(responders=[RESPONDER])
    assert query_about(chain(named, OTHER, MIDDLE), ()) == query_about(chain(named, MIDDLE), ())
    assert query_about(chain(named), (der(OTHER), der(MIDDLE))) == query_about(chain(named, MIDDLE), ())
    assert "issuer is neither sent nor known" in query_about(chain(named, OTHER), (der(TOP),)).problem
    assert query_about(chain(named), (b"no certificate",)).problem


def test_a_leaf_signed_with_sha1_is_asked_about_too():
    """The library refuses to verify such a signature, and the judge does it by hand."""
    weak = leaf(issuer=OLD, responders=[RESPONDER], hash_name="sha1")
    assert query_about(chain(weak, OLD), ()).problem == ""


def test_who_names_nobody_is_not_asked_about():
    """No extension; a list for some reasons alone; a list that somebody else signs; an unreadable certificate."""
    some = frozenset({x509.ReasonFlags.key_compromise})
    name = [x509.DirectoryName(TOP.certificate.subject)]
    for silent in (leaf(), leaf(lists=[LIST], reasons=some), leaf(lists=[LIST], crl_issuer=name)):
        assert query_about(chain(silent, MIDDLE), ()) is None
    assert query_about((Certificate(b"\x30\x00"),), ()) is None


@pytest.mark.parametrize(
    "url",
    [
        "ldap://ldap.example.com/cn=x",
        "ftp://ftp.example.com/x",
        "file:///etc/passwd",
        "gopher://example.com:25/_HELO",
        "http://",
        "http:///x",
        "http://a b.example.com/",
        "http://example.com:99999/",
        "http://example.com:0/",
        "http://user:secret@example.com/",
        "http://example.com/a\r\nX-Evil: 1",
        "http://example.com/a b",
        "http://example.com/\x7f",
        "http://[::1/",
        "http://1.2.3.4.5.6.7/",
        "http://example.com/" + "a" * 2000,
        "",
    ],
)
def test_hostile_urls_are_asked_nothing(url):
    """Only http and https, only printable ASCII, no credentials: a URL in a certificate becomes a request line."""
    assert place_of(url) is None
    assert (moved("http://a.example.com/", url) or "http://a.example.com/").startswith("http://a.example.com/")
    if url:
        query = query_about(chain(leaf(responders=[url, RESPONDER]), MIDDLE), ())
        assert query.url == RESPONDER
        assert query_about(chain(leaf(responders=[url]), MIDDLE), ()).problem == "not an http URL that can be asked"


def test_urls_are_read_as_they_are_asked():
    """Host, port, path and query; a redirect may be relative, and has no more rights than the first URL."""
    assert str(place_of("HTTP://OCSP.Example.com./x?y#z")) == "ocsp.example.com:80"
    assert str(place_of("https://[2001:db8::1]/")) == "[2001:db8::1]:443"
    assert target_of("http://a.example.com") == "/"
    assert target_of("http://a.example.com/x%20?y=1#z") == "/x%20?y=1"
    assert moved("http://a.example.com/x/y", "../z") == "http://a.example.com/z"
    assert moved("http://a.example.com/", "//b.example.com/q") == "http://b.example.com/q"


@contextlib.contextmanager
def answering(*answers, context=None):
    """Serve canned answers in turn (the last one again and again): bytes, or a function of the connection."""
    seen, left = [], list(answers)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(5)
                stream = context.wrap_socket(connection, server_side=True) if context else connection
                request = stream.recv(65536)
                while request[:1] != b"\x16" and b"\r\n\r\n" not in request and (more := stream.recv(65536)):
                    request += more
                seen.append(request)
                answer = left.pop(0) if len(left) > 1 else left[0]
                if callable(answer):
                    answer(stream)
                else:
                    stream.sendall(answer)
                if context:
                    stream.unwrap()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1], seen
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def task(port, *, kind="crl", request=b"", url="http://crl.example.com:8080/x?y", more=(), limits=None):
    addresses = (*more, Address("127.0.0.1", port))
    return RevocationTask(url, kind, addresses, request, limits or Limits(timeout=2, deadline=4))


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (HEAD + b"Content-Length: 4\r\n\r\nbody", b"body"),
        (HEAD + b"\r\nbody until the end", b"body until the end"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n3;x=y\r\n, 2\r\n0\r\n\r\n", b"body, 2"),
        (b"HTTP/1.0 200 OK\r\n\r\nold", b"old"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + b"Content-Length: 2\r\n\r\nok", b"ok"),
    ],
)
def test_bodies_arrive_whole(answer, body):
    """By length, to the end, in chunks, by HTTP/1.0."""
    with answering(answer) as (port, seen):
        fetched = fetch(task(port), Pace())
    assert (fetched.body, fetched.detail, fetched.was_answered) == (body, "", True)
    assert seen[0].startswith(b"GET /x?y HTTP/1.1\r\nHost: crl.example.com:8080\r\n")


def test_an_ocsp_request_is_posted():
    """With its length and type (RFC 6960, appendix A.1)."""
    with answering(HEAD + b"Content-Length: 2\r\n\r\n0\x00") as (port, seen):
        assert fetch(task(port, kind="ocsp", request=b"REQ\x00UEST"), Pace()).body == b"0\x00"
    head, _, sent = seen[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /x?y HTTP/1.1\r\n")
    assert b"Content-Type: application/ocsp-request" in head
    assert b"Content-Length: 8" in head
    assert sent == b"REQ\x00UEST"


@pytest.mark.parametrize(
    ("answer", "detail", "answered"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "HTTP 404", True),
        (HEAD + b"Content-Length: 0\r\n\r\n", "an empty answer", True),
        (HEAD + b"Content-Length: 9\r\n\r\nbody", "the answer was cut off", True),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\nbody", "no HTTP answer", False),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nbody", "no HTTP answer", False),
        (HEAD + b"Content-Length: 99999999999999999999\r\n\r\nbody", "the answer was cut off", True),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP answer", False),
        (b"", "no HTTP answer", False),
        (HEAD + b"X: " + b"a" * 70000 + b"\r\n\r\n", "no HTTP answer", False),
        (HEAD + b"X: a\r\n" * 200 + b"\r\nbody", "no HTTP answer", False),
        (b"HTTP/1.1 302 Found\r\n\r\n", "HTTP 302 that leads nowhere", True),
        (b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n", "HTTP 302 that leads nowhere", True),
    ],
)
def test_what_is_no_answer_says_why(answer, detail, answered):
    """No body, and a few words of ours; nothing is raised."""
    with answering(answer) as (port, _):
        fetched = fetch(task(port), Pace())
    assert (fetched.body, fetched.moved_to, fetched.detail, fetched.was_answered) == (None, "", detail, answered)


def test_a_redirect_is_told_and_not_followed():
    """Its host has to be resolved first, and may be one that is not contacted."""
    with answering(b"HTTP/1.1 307 X\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n") as (port, seen):
        fetched = fetch(task(port), Pace())
    assert (fetched.body, fetched.moved_to) == (None, "http://crl.example.com:8080/new")
    assert len(seen) == 1


def test_a_body_has_a_bound(monkeypatch):
    """By length or without one, in chunks too: no more than the bound is kept, and the rest is not waited for."""
    monkeypatch.setitem(revocation._LARGEST, "crl", 1000)
    chunks = b"Transfer-Encoding: chunked\r\n\r\n" + b"ffffffff\r\n" + bytes(5000)
    for answer in (HEAD + b"\r\n" + bytes(5000), HEAD + b"Content-Length: 5000\r\n\r\n" + bytes(5000), HEAD + chunks):
        with answering(answer) as (port, _):
            assert fetch(task(port), Pace()).detail == "larger than is read"


def test_an_endless_head_has_a_bound():
    """Interim answers without end are bytes like any other."""

    def forever(connection):
        while True:
            connection.sendall(b"HTTP/1.1 100 Continue\r\nX: " + b"a" * 1000 + b"\r\n\r\n")

    with answering(forever) as (port, _):
        fetched = fetch(task(port, kind="ocsp", request=b"x"), Pace())
    assert fetched.detail == "larger than is read"


@pytest.mark.parametrize("begin", [b"", HEAD, HEAD + b"Content-Length: 100\r\n\r\n"])
def test_silence_and_dripping_end_by_the_deadline(begin):
    """A byte now and then does not begin the time anew."""

    def drip(connection):
        connection.sendall(begin)
        for _ in range(100):
            connection.sendall(b"X")
            time.sleep(0.1)

    began = time.monotonic()
    with answering(drip) as (port, _):
        fetched = fetch(task(port, limits=Limits(timeout=0.5, deadline=1.0)), Pace())
    assert (fetched.body, fetched.detail) == (None, "no answer in time")
    assert time.monotonic() - began < 4


def test_the_next_address_is_tried_where_no_connection_is_made():
    """A name may have an address where nobody listens any more."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        closed = Address("127.0.0.1", holder.getsockname()[1])
        with answering(HEAD + b"\r\nbody") as (port, _):
            assert fetch(task(port, more=[closed]), Pace()).body == b"body"
        lost = fetch(RevocationTask("http://a.example.com/", "crl", (closed,)), Pace())
    assert (lost.detail, lost.was_answered) == ("the connection is refused", False)
    assert fetch(RevocationTask("http://a.example.com/", "crl", ()), Pace()).detail == "there is no address to ask"


def test_https_is_asked_too(pki):
    """What is answered is signed by itself, so that whose certificate the responder has does not matter."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki["rsa"])
    with answering(HEAD + b"\r\n" + bytes(100_000), context=context) as (port, _):
        fetched = fetch(task(port, url="https://crl.example.com/"), Pace())
    assert (fetched.body, fetched.detail) == (bytes(100_000), "")
    with answering(b"HTTP/1.1 400 Bad\r\n\r\n") as (port, _):
        assert fetch(task(port, url="https://crl.example.com/"), Pace()).detail == "no TLS handshake came about"


def test_a_responder_that_does_not_answer_is_given_up():
    """Two silences, and its other certificates wait no longer; a responder that answers is asked about all."""
    quick = Limits(timeout=0.3, deadline=1)
    with answering(lambda _: time.sleep(1)) as (silent, asked), answering(HEAD + b"\r\nbody") as (port, _):
        tasks = [task(silent, limits=quick) for _ in range(30)] + [task(port) for _ in range(30)]
        found: dict = {}
        answers = fetch_in_threads(tasks, on_finished=found.__setitem__)
    assert [a.detail for a in answers[:3]] == ["no answer in time", "no answer in time", "it did not answer before"]
    assert all(a.body == b"body" for a in answers[30:])
    assert [found[i] for i in range(60)] == list(answers)
    assert len(asked) <= 2


def test_a_stop_ends_what_runs():
    """Soon, whatever the deadline."""
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    began = time.monotonic()
    with answering(lambda _: time.sleep(5)) as (port, _):
        answers = fetch_in_threads([task(port, limits=Limits(timeout=30, deadline=30))] * 3, stop=stop)
    assert {a.detail for a in answers} == {"the audit ended before"}
    assert time.monotonic() - began < 5
