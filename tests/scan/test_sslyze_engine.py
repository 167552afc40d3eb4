"""The hello that goes out is the offer, and the outcome is what the server said."""

from __future__ import annotations

import ssl
import subprocess
import sys
from dataclasses import replace

import pytest
import scan_servers as servers

from atsprobe.model.cipher_suite import TlsVersion, usable
from atsprobe.model.handshake import Alert, Negotiated, NoAnswer, NotMade, Refused, UnofferedVersion
from atsprobe.scan import code_points
from atsprobe.scan.engine import attempt, widest_offers
from atsprobe.scan.pace import Deadline

V12, V10 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1


def ask(server, offer, then=None, **more):
    return attempt(servers.task(server.port, **more), offer, Deadline.after(5), then)


class ClientHello:
    """The fields of a ClientHello (RFC 8446 §4.1.2)."""

    def __init__(self, data):
        at = 9 + 2 + 32
        at += 1 + data[at]
        length = int.from_bytes(data[at : at + 2], "big")
        self.suites = self._numbers(data[at + 2 : at + 2 + length])
        at += 2 + length
        at += 1 + data[at]
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        at += 2
        self.extensions = {}
        while at < end:
            kind, length = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
            self.extensions[kind] = data[at + 4 : at + 4 + length]
            at += 4 + length

    @staticmethod
    def _numbers(data):
        return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]

    @property
    def versions(self):
        return self._numbers(self.extensions[43][1:])

    @property
    def groups(self):
        return [code_points.GROUPS[n] for n in self._numbers(self.extensions[10][2:])]

    @property
    def signature_algorithms(self):
        return [code_points.SIGNATURE_SCHEMES[n] for n in self._numbers(self.extensions[13][2:])]


def hello_of(offer, **more):
    """Catch the hello that goes out for an offer."""
    seen = []

    def catch(connection, _number):
        seen.append(connection.recv(16384))
        connection.sendall(servers.alert(40))

    with servers.Server(catch) as server:
        assert isinstance(ask(server, offer, **more), Refused)
    return ClientHello(seen[0])


def test_the_hello_is_the_clients_own():
    """Versions, suites, groups and signature algorithms go out exactly as offered, in that order."""
    hello = hello_of(servers.OWN)
    assert hello.versions == [0x0304, 0x0303]
    assert hello.suites[:3] == [0x1302, 0x1303, 0x1301]
    assert hello.suites[3:] == [
        *(0xC02C, 0xC030, 0xC02B, 0xC02F, 0xCCA9, 0xCCA8, 0xC00A, 0xC014, 0xC009, 0xC013),
        0x00FF,  # the signalling value for secure renegotiation, RFC 5746 §3.3
    ]
    assert hello.groups == list(servers.OWN.groups)
    assert hello.signature_algorithms == list(servers.OWN.signature_algorithms)
    assert hello.extensions[0].endswith(servers.NAME.encode())
    assert hello.extensions[5] == b"\x01\0\0\0\0"


def test_the_widest_hellos_offer_what_they_say():
    """The offers for enumeration name the very groups and signature algorithms that go out."""
    for version in (TlsVersion.TLS_1_3, TlsVersion.TLS_1_2):
        for offer in widest_offers(version):
            hello = hello_of(offer)
            assert len([s for s in hello.suites if s != 0x00FF]) == len(offer.cipher_suites)
            assert set(hello.groups) == set(offer.groups)
            assert set(hello.signature_algorithms) == set(offer.signature_algorithms)


def test_an_ip_literal_is_no_server_name():
    """RFC 6066 §3: literal addresses are not permitted in HostName."""
    assert 0 not in hello_of(servers.OWN, host="192.0.2.7").extensions


def test_the_catalogue_is_sslyzes():
    """Every suite that sslyze would try at a version, and that the version can use, is in the widest offers."""
    from sslyze.plugins.openssl_cipher_suites.cipher_suites import CipherSuitesRepository
    from sslyze.server_connectivity import TlsVersionEnum

    for version in TlsVersion:
        theirs = {s.name for s in CipherSuitesRepository.get_all_cipher_suites(TlsVersionEnum[version.name])}
        ours = {s for offer in widest_offers(version) for s in offer.cipher_suites}
        assert {s for s in theirs if usable(s, version)} <= ours


@pytest.mark.parametrize(
    ("context", "version", "suite", "group", "signature", "master_secret"),
    [
        ({}, 0x0304, "TLS_AES_256_GCM_SHA384", "x25519", "rsa_pss_rsae_sha256", None),
        ({"high": V12}, 0x0303, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "x25519", "rsa_pss_rsae_sha256", True),
        ({"high": V12, "ciphers": "kRSA"}, 0x0303, "TLS_RSA_WITH_AES_256_GCM_SHA384", None, None, True),
        (
            {"high": V12, "options": 1},
            0x0303,
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "x25519",
            "rsa_pss_rsae_sha256",
            False,
        ),
        ({"low": V10, "high": V10}, 0x0301, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "x25519", None, True),
        ({"group": "secp384r1"}, 0x0304, "TLS_AES_256_GCM_SHA384", "secp384r1", "rsa_pss_rsae_sha256", None),
    ],
)
def test_what_was_negotiated(pki, context, version, suite, group, signature, master_secret):
    """Version, suite, group, signature and EMS are the server's; the chain is as it was sent."""
    with servers.Server(servers.over_tls(servers.tls_context(pki["rsa"], **context))) as server:
        seen = ask(server, servers.WIDEST)
    assert isinstance(seen, Negotiated)
    assert (seen.version, seen.cipher_suite, seen.group, seen.signature_algorithm) == (version, suite, group, signature)
    assert seen.extended_master_secret is master_secret
    assert [c.der for c in seen.certificates] == [
        ssl.PEM_cert_to_DER_cert(pki["rsa"].read_text().split("-----BEGIN PRIV")[0])
    ]
    assert not seen.wants_client_certificate


def test_an_ecdsa_leaf(pki):
    """Under TLS 1.3 the scheme follows from the digest and the key of the leaf."""
    with servers.Server(servers.over_tls(servers.tls_context(pki["ecdsa"]))) as server:
        seen = ask(server, servers.OWN)
    assert seen.signature_algorithm == "ecdsa_secp256r1_sha256"


@pytest.mark.parametrize("high", [V12, None])
def test_a_client_certificate_that_is_wanted(pki, high):
    """The server agreed and proved itself, whatever it does for want of a certificate: that is a handshake."""
    context = servers.tls_context(pki["rsa"], high=high, client_ca=pki["rsa"])
    with servers.Server(servers.over_tls(context)) as server:
        seen = ask(server, servers.OWN)
    assert isinstance(seen, Negotiated)
    assert seen.wants_client_certificate
    assert seen.certificates
    assert seen.signature_algorithm == "rsa_pss_rsae_sha256"


def test_refusals(pki):
    """No common suite: alert 40. No common version: alert 70, or a ServerHello of a version not offered."""
    only_12 = replace(servers.OWN, versions=(TlsVersion.TLS_1_2,), cipher_suites=servers.ECDHE)
    with servers.Server(servers.over_tls(servers.tls_context(pki["rsa"], high=V12, ciphers="kRSA"))) as server:
        assert ask(server, servers.OWN) == Refused(Alert(40))
    with servers.Server(servers.over_tls(servers.tls_context(pki["rsa"], low=V10, high=V10))) as server:
        assert ask(server, servers.OWN) == Refused(Alert(70))
        assert ask(server, only_12) == Refused(UnofferedVersion(TlsVersion.TLS_1_0))


def test_a_request_on_the_connection_made(pki):
    """What is to be done with the connection is done before it is closed; answers longer than a buffer come whole."""
    answer = servers.ANSWER + bytes(30_000)
    for high in (V12, None):
        got = []

        def read_all(stream, got=got):
            stream.send(b"GET / HTTP/1.1\r\n\r\n")
            while data := stream.recv(1000):
                got.append(data)

        context = servers.tls_context(pki["rsa"], high=high)
        with servers.Server(servers.over_tls(context, answer)) as server:
            assert isinstance(ask(server, servers.OWN, read_all), Negotiated)
        assert b"".join(got) == answer


def test_what_cannot_be_said_costs_no_connection():
    """A hello with a hybrid group is not made."""
    with servers.Server(servers.silent) as server:
        outcome = ask(server, replace(servers.OWN, groups=("X25519MLKEM768", "x25519")))
        assert isinstance(outcome, NotMade)
        assert server.connections == 0


@pytest.mark.parametrize(
    ("serve", "reason"),
    [
        (servers.after_hello(servers.alert(80)), "alert"),
        (servers.after_hello(servers.alert(234)), "alert"),
        (servers.after_hello(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "not-tls"),
        (servers.after_hello(), "closed"),
        (servers.reset, "reset"),
        (servers.after_hello(b"\x16\x03\x03\x00\x05hel"), "closed"),
        (servers.after_hello(b"\x16\x03\x03\x00\x04\x63\0\0\0"), "garbage"),
        (servers.floods(servers.alert(90, 1)), "garbage"),
        (servers.floods(b"\x16\x03\x03\x00\x04\0\0\0\0"), "too-large"),
    ],
)
def test_what_is_no_answer(serve, reason):
    """Each way of not answering has its reason, and none is a refusal."""
    with servers.Server(serve) as server:
        outcome = ask(server, servers.OWN, limits={"max_bytes": 100_000})
    assert isinstance(outcome, NoAnswer)
    assert outcome.reason == reason


def test_the_libraries_load_late():
    """Importing the scan does not import sslyze or nassl; the first attempt does."""
    code = "import sys, atsprobe.scan.scan; sys.exit(any(m in sys.modules for m in ('sslyze', 'nassl')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
