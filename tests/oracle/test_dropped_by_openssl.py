"""Servers of what no OpenSSL 3 serves any more (SSL 3, RC4, 3DES), audited as an app's servers are."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from atsprobe.lab import pki
from atsprobe.model.handshake import accepted_suites
from atsprobe.pipelines.audit import audit
from atsprobe.settings import Settings

tlslite = pytest.importorskip("tlslite.api")

HOST = "old.lab.example.com"
ALONE = {
    "3des": {"minVersion": (3, 1), "maxVersion": (3, 3), "cipherNames": ["3des"]},
    "rc4": {"minVersion": (3, 1), "maxVersion": (3, 3), "cipherNames": ["rc4"]},
    "ssl3": {
        "minVersion": (3, 0),
        "maxVersion": (3, 0),
        "versions": [(3, 0)],
        "cipherNames": ["aes256", "aes128"],
        "macNames": ["sha"],
    },
}
"""What a server speaks and nothing else, as the settings of tlslite."""


@pytest.fixture(scope="module")
def leaf():
    """Give a sound leaf, so that nothing but the transport can fail; its root is to be trusted."""
    return pki.issue(pki.make_root("a root"), [HOST])


@pytest.fixture
def audited(request, leaf, tmp_path):
    """Audit the server that the parameter names, which answers while the test runs; its root is an installed one."""
    settings = tlslite.HandshakeSettings()
    for name, value in ALONE[request.param].items():
        setattr(settings, name, value)
    (tmp_path / "ca.pem").write_bytes(leaf.issuer.cert_pem)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        threading.Thread(target=serve, args=(listener, leaf, settings), daemon=True).start()
        port = listener.getsockname()[1]
        connect_to = (f"{HOST}:443:127.0.0.1:{port}",)
        yield audit(
            [HOST],
            Settings(ca_files=(str(tmp_path / "ca.pem"),), connect_to=connect_to, deadline=60),
            names_are_given=True,
        )
        listener.shutdown(socket.SHUT_RDWR)


def serve(listener, leaf, settings) -> None:
    """Shake hands with one client after another, until the listener is shut down."""
    chain = tlslite.X509CertChain()
    chain.parsePemList(leaf.cert_pem.decode())
    key = tlslite.parsePEMKey(leaf.key_pem.decode(), private=True)
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        # tlslite raises errors of its own for each way in which a client goes away
        with connection, contextlib.suppress(Exception):
            connection.settimeout(10)
            tlslite.TLSConnection(connection).handshakeServer(certChain=chain, privateKey=key, settings=settings)


def endpoint_and_failing(result):
    (endpoint,) = result.endpoints
    return endpoint, {f.finding.requirement for f in endpoint.findings if f.finding.status == "fail"}


def suites(result):
    (observation,) = result.recording.observations
    return accepted_suites(observation.experiments)


@pytest.mark.parametrize("audited", ["3des"], indirect=True)
def test_a_server_of_3des_alone_is_inconclusive(audited):
    """Default ATS fails, and that an exception lifts the suites of App Transport Security far enough is not known."""
    assert {s.rpartition("_WITH_")[2] for found in suites(audited).values() for s in found} == {"3DES_EDE_CBC_SHA"}
    endpoint, failing = endpoint_and_failing(audited)
    assert (endpoint.verdict, failing) == ("inconclusive", {"cipher-suite"}), endpoint.reason
    assert endpoint.minimal_exception is None


@pytest.mark.parametrize("audited", ["rc4"], indirect=True)
def test_a_server_of_rc4_alone_is_blocked(audited):
    """No client of Apple's offers RC4 any more, whatever the exception."""
    assert {s.rpartition("_WITH_")[2] for found in suites(audited).values() for s in found} <= {
        "RC4_128_SHA",
        "RC4_128_MD5",
    }
    endpoint, failing = endpoint_and_failing(audited)
    assert (endpoint.verdict, failing) == ("blocked", {"cipher-suite"}), endpoint.reason


@pytest.mark.parametrize("audited", ["ssl3"], indirect=True)
def test_a_server_of_ssl_3_alone_is_blocked(audited):
    """TLS 1.0 is the lowest version that an exception can name. Its suites, ECDHE among them, would do."""
    assert [v.label for v in suites(audited)] == ["SSLv3"]
    endpoint, failing = endpoint_and_failing(audited)
    assert (endpoint.verdict, failing) == ("blocked", {"tls-version"}), endpoint.reason
