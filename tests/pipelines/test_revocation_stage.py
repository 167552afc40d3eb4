"""The stage after the scan: who is asked, at which addresses, and where the answers go."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from atsprobe.lab import odd_servers, pki
from atsprobe.model.certificate import Certificate
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.endpoint import Endpoint, Host, parse_host
from atsprobe.model.handshake import Experiment, Negotiated, Offer
from atsprobe.model.observation import (
    Address,
    HttpAnswer,
    PlaintextObservation,
    Resolution,
    Resolved,
    TlsObservation,
    Unresolved,
)
from atsprobe.pipelines import revocation
from atsprobe.pipelines.progress import Progress
from atsprobe.pipelines.revocation import Reach, check_revocation, reach
from atsprobe.scan.revocation import Fetched
from atsprobe.settings import Settings

NOW = datetime(2026, 11, 24, tzinfo=UTC)
TOP = pki.make_root("Top", key="p256")
OFFER = Offer((TlsVersion.TLS_1_2,), ("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",), ("x25519",), ())
PUBLIC, PRIVATE, LOOPBACK, LINK_LOCAL = "1.1.1.1", "10.0.0.7", "127.0.0.1", "169.254.169.254"


def certificate(identity) -> Certificate:
    return Certificate(identity.certificate.public_bytes(pki.Encoding.DER))


def leaf(url):
    uri = x509.UniformResourceIdentifier(url)
    access = x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.OCSP, uri)])
    return pki.issue(TOP, ["a.example.com"], key="p256", extensions=[(access, False)])


def seen(*leaves, ip=PUBLIC, host="a.example.com"):
    made = tuple(
        Experiment(
            OFFER, Negotiated(TlsVersion.TLS_1_2, OFFER.cipher_suites[0], "x25519", None, True, (c, certificate(TOP)))
        )
        for c in map(certificate, leaves)
    )
    return TlsObservation(Endpoint(Host(host), 443), Address(ip, 443), NOW, made)


class Names:
    """Resolve from a table; a name that is not in it does not exist. Remembers what was asked."""

    def __init__(self, source="dns", **addresses):
        self.asked = []
        self._source = source
        self._addresses = {f"{name}.example.com": ips for name, ips in addresses.items()}

    def __call__(self, names):
        self.asked += names
        return tuple(Resolution(host, port, self._outcome(host, port)) for host, port in names)

    def _outcome(self, host, port):
        ips = self._addresses.get(host) or ([host] if host[0].isdigit() or ":" in host else [])
        if not ips:
            return Unresolved("no-such-name")
        return Resolved(tuple(Address(ip, port) for ip in ips), self._source)


@pytest.fixture
def network(monkeypatch):
    """No packet is sent: each task gets the answer of a table by its URL, else its own addresses as a body."""
    table: dict[str, Fetched] = {}

    def fetched(tasks, *, jobs, on_finished):
        for number, task in enumerate(tasks):
            ips = ",".join(a.ip for a in task.addresses).encode()
            on_finished(number, table.get(task.url) or Fetched(NOW, ips))

    monkeypatch.setattr(revocation, "fetch_in_threads", fetched)
    return table


def ask(*observations, names=None, settings=None):
    names = names or Names(ocsp=[PUBLIC])
    found, interrupted = check_revocation(observations, (), settings or Settings(), names, Progress())
    assert not interrupted
    return found


def only(observations):
    (answer,) = observations[0].revocation
    return answer


def test_one_leaf_is_asked_about_once(network):
    """On two addresses and two hosts: one question, and the answer beside each handshake."""
    one, other = leaf("http://ocsp.example.com/1"), leaf("http://ocsp.example.com/1")
    names = Names(ocsp=[PUBLIC])
    found = ask(seen(one), seen(one, ip="1.0.0.1", host="b.example.com"), seen(other, one), names=names)
    assert names.asked == [(Host("ocsp.example.com"), 80)]
    assert found[0].revocation == found[1].revocation
    assert [a.leaf_sha256 for a in found[2].revocation] == [certificate(other).sha256, certificate(one).sha256]
    assert only(found).received_at == NOW


def test_what_is_no_tls_stays_as_it_is(network):
    """And where nobody is named, nobody is resolved."""
    clear = PlaintextObservation(Endpoint(Host("a.example.com"), 80, "http"), Address(PUBLIC, 80), NOW, HttpAnswer(200))
    silent = seen(pki.issue(TOP, ["a.example.com"], key="p256"))
    names = Names()
    assert ask(clear, silent, names=names) == (clear, silent)
    assert names.asked == []


@pytest.mark.parametrize(
    ("server", "responder", "asked"),
    [
        (PUBLIC, PUBLIC, True),
        (PUBLIC, PRIVATE, False),
        (PUBLIC, LOOPBACK, False),
        (PUBLIC, LINK_LOCAL, False),
        (PUBLIC, "::ffff:127.0.0.1", False),
        (PUBLIC, "::1", False),
        (PUBLIC, "0.0.0.0", False),
        (PUBLIC, "fd00::1", False),
        (PUBLIC, "100.64.0.1", False),
        (PRIVATE, PUBLIC, True),
        (PRIVATE, "192.168.1.1", True),
        (PRIVATE, LOOPBACK, False),
        (PRIVATE, LINK_LOCAL, False),
        (LOOPBACK, LOOPBACK, True),
        (LOOPBACK, PRIVATE, True),
    ],
)
def test_a_certificate_leads_no_nearer_than_its_server_is(network, server, responder, asked):
    """A stranger's certificate must not make the auditor ask the auditor's own machines; a server there may name its own."""
    answer = only(ask(seen(leaf("http://ocsp.example.com/"), ip=server), names=Names(ocsp=[responder])))
    assert (answer.body is not None) == asked
    if not asked:
        assert answer.detail == f"{responder} is a local or private address, not contacted (--allow-private)"
        anyway = Settings(allow_private=True)
        assert only(ask(seen(leaf("http://ocsp.example.com/")), names=Names(ocsp=[responder]), settings=anyway)).body


def test_addresses_that_are_written_into_the_url_are_no_different(network):
    """An IP literal is one more way to say it."""
    for url in ("http://127.0.0.1:8080/", "http://[::1]/", "http://169.254.169.254/latest/meta-data"):
        assert only(ask(seen(leaf(url)), names=Names())).body is None


def test_of_several_addresses_the_far_ones_are_asked(network):
    """A name may point here and there."""
    answer = only(ask(seen(leaf("http://ocsp.example.com/")), names=Names(ocsp=[LOOPBACK, PUBLIC, PRIVATE])))
    assert answer.body == PUBLIC.encode()


@pytest.mark.parametrize("source", ["resolve-option", "connect-to-option"])
def test_an_address_that_the_user_gave_is_asked(network, source):
    """Whoever writes --resolve for a responder means it."""
    assert only(ask(seen(leaf("http://ocsp.example.com/")), names=Names(source, ocsp=[LOOPBACK]))).body


def test_a_name_without_address_is_told(network):
    """NXDOMAIN is no revocation."""
    answer = only(ask(seen(leaf("http://gone.example.com/"))))
    assert (answer.body, answer.detail) == (None, "gone.example.com has no address (no such name)")


def test_redirects_are_followed_three_times(network):
    """Each target is resolved, and has no more rights than the first; the answer bears the URL of the leaf."""
    for number in range(5):
        network[f"http://r{number}.example.com/"] = Fetched(NOW, moved_to=f"http://r{number + 1}.example.com/")
    names = Names(**{f"r{n}": [PUBLIC] for n in range(9)})
    assert only(ask(seen(leaf("http://r0.example.com/")), names=names)).detail == "more than 3 redirects"
    followed = only(ask(seen(leaf("http://r2.example.com/")), names=names))
    assert (followed.body, followed.url) == (PUBLIC.encode(), "http://r2.example.com/")
    network["http://r4.example.com/"] = Fetched(NOW, moved_to="http://here.example.com/")
    inwards = only(ask(seen(leaf("http://r4.example.com/")), names=Names(r4=[PUBLIC], here=[LOOPBACK])))
    assert "not contacted" in inwards.detail


def test_what_cannot_be_asked_says_why(network):
    """The leaf came alone, and its issuer is no root that is known."""
    alone = seen(leaf("http://ocsp.example.com/"))
    (experiment,) = alone.experiments
    chain = experiment.outcome.certificates
    bare = TlsObservation(
        alone.endpoint,
        alone.address,
        NOW,
        (Experiment(OFFER, Negotiated(TlsVersion.TLS_1_2, OFFER.cipher_suites[0], "x25519", None, True, chain[:1])),),
    )
    assert "the issuer is neither sent nor known" in only(ask(bare)).detail
    with_root, _ = check_revocation([bare], (chain[1].der,), Settings(), Names(ocsp=[PUBLIC]), Progress())
    assert with_root[0].revocation[0].body == PUBLIC.encode()


def test_an_interruption_keeps_what_came(monkeypatch):
    """Ctrl-C while one responder is asked: the others' answers stand, and that one's says that the audit ended."""

    def fetched(tasks, *, jobs, on_finished):
        on_finished(0, Fetched(NOW, b"first"))
        raise KeyboardInterrupt

    monkeypatch.setattr(revocation, "fetch_in_threads", fetched)
    first, second = leaf("http://ocsp.example.com/1"), leaf("http://ocsp.example.com/2")
    found, interrupted = check_revocation([seen(first, second)], (), Settings(), Names(ocsp=[PUBLIC]), Progress())
    assert interrupted
    assert [(a.body, a.detail) for a in found[0].revocation] == [(b"first", ""), (None, "the audit ended before")]


def test_reach():
    """Loopback and link-local are nearest, then what is private or shared, then everything else."""
    table = {
        Reach.THIS_MACHINE: [
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "::ffff:127.0.0.1",
            "0.0.0.0",
            "::",
            "169.254.1.1",
            "fe80::1",
        ],
        Reach.OWN_NETWORK: ["10.1.1.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1"],
        Reach.EVERYWHERE: ["1.1.1.1", "2606:4700::1111"],
    }
    for expected, ips in table.items():
        assert {reach(ip) for ip in ips} == {expected}


def test_a_responder_on_this_machine_is_asked_for_a_server_on_this_machine(tmp_path: Path):
    """With real sockets: the bytes that lie there are the answer."""
    (tmp_path / "x").write_bytes(b"DER")
    listener = odd_servers.start("127.0.0.1", 0, odd_servers.responder(tmp_path))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/ocsp/x"
    try:
        assert only(ask(seen(leaf(url), ip=LOOPBACK), names=Names())).body == b"DER"
    finally:
        listener.close()
    assert parse_host("127.0.0.1") == LOOPBACK
