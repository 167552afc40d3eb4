"""The walk finds what sslyze's stock scanner finds, in a fraction of its connections."""

from __future__ import annotations

import hashlib
import socket
import threading
import warnings

import pytest
import scan_servers as servers
import ssl2_server

from atsprobe.model.handshake import Negotiated, accepted_groups, accepted_suites, deployments
from atsprobe.model.observation import TlsObservation
from atsprobe.scan.scan import run


def look(port):
    (seen,) = run(servers.task(port, enumerate=True, limits={"timeout": 10.0, "deadline": 30.0}))
    assert isinstance(seen, TlsObservation)
    return seen


def suites_of(seen):
    return {version.label: set(suites) for version, suites in accepted_suites(seen.experiments).items()}


def stock_scanner(port):
    """Ask sslyze's own Scanner: suites by version, groups (None without ECDH), SHA-256 of the leaves."""
    from cryptography.hazmat.primitives.serialization import Encoding
    from sslyze import ScanCommand, Scanner, ServerNetworkLocation, ServerScanRequest

    versions = {
        "SSLv2": "ssl_2_0",
        "SSLv3": "ssl_3_0",
        "TLSv1.0": "tls_1_0",
        "TLSv1.1": "tls_1_1",
        "TLSv1.2": "tls_1_2",
        "TLSv1.3": "tls_1_3",
    }
    commands = {ScanCommand(f"{name}_cipher_suites") for name in versions.values()}
    location = ServerNetworkLocation(servers.NAME, port, ip_address="127.0.0.1")
    scanner = Scanner()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = commands | {ScanCommand.ELLIPTIC_CURVES, ScanCommand.CERTIFICATE_INFO}
        scanner.queue_scans([ServerScanRequest(location, scan_commands=wanted)])
        result = next(iter(scanner.get_results())).scan_result
    suites = {}
    for label, name in versions.items():
        accepted = getattr(result, f"{name}_cipher_suites").result.accepted_cipher_suites
        if accepted:
            suites[label] = {a.cipher_suite.name for a in accepted}
    curves = result.elliptic_curves.result.supported_curves
    leaves = {
        hashlib.sha256(d.received_certificate_chain[0].public_bytes(Encoding.DER)).hexdigest()
        for d in result.certificate_info.result.certificate_deployments
    }
    return suites, None if curves is None else {c.name.replace("X", "x") for c in curves}, leaves


def with_deadline(seconds, function, *arguments):
    """Run what may hang, in a thread that is left behind if it does."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(function(*arguments)), daemon=True)
    thread.start()
    thread.join(seconds)
    assert answers, "the stock scanner does not come to an end"
    return answers[0]


@pytest.mark.lab
@pytest.mark.parametrize("name", ["two leaves", "all but SSL", "static RSA", "P-521"])
def test_the_stock_scanner_finds_the_same(nginx, name):
    """Suites by version, groups and leaves equal those of sslyze's Scanner, on servers of several makes."""
    seen = look(nginx.ports[name])
    suites, groups, leaves = with_deadline(60, stock_scanner, nginx.ports[name])
    assert suites_of(seen) == suites
    assert groups is None or set(accepted_groups(seen.experiments)) == groups
    assert {chain[0].sha256 for chain in deployments(seen.experiments)} == leaves
    assert seen.enumerated


@pytest.mark.lab
def test_connections_are_few(nginx):
    """Whatever the server: one connection for each suite and group, and at most twelve; the decisive ones included."""
    for name, port in nginx.ports.items():
        seen = look(port)
        accepted = sum(len(s) for s in suites_of(seen).values()) + len(accepted_groups(seen.experiments))
        assert seen.enumerated, name
        assert sum(e.attempts for e in seen.experiments) <= accepted + 12, name


@pytest.mark.lab
def test_what_the_walk_sees_beyond_the_stock_scanner(nginx):
    """A second leaf of a server of TLS 1.3 alone; every group beside the curve of an ECDSA leaf; all of an Ed25519 leaf's.

    The stock scanner asks for each group alone, and for most suites by a library that knows no Ed25519.
    """
    alone = look(nginx.ports["1.3 alone"])
    assert {chain[0].key_type for chain in deployments(alone.experiments)} == {"RSA", "P-256"}
    ecdsa = look(nginx.ports["ECDSA 1.2"])
    assert set(accepted_groups(ecdsa.experiments)) == {"x25519", "secp256r1", "x448", "secp384r1", "secp521r1"}
    ed25519 = look(nginx.ports["Ed25519"])
    assert {"TLSv1.2", "TLSv1.3"} == set(suites_of(ed25519))
    assert "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" in suites_of(ed25519)["TLSv1.2"]
    assert accepted_groups(look(nginx.ports["one group"]).experiments) == ("secp384r1",)


@pytest.mark.lab
def test_an_optional_client_certificate_is_noted(nginx):
    """The server of TLS 1.3 that asks for a certificate, and does without, is looked at like any other."""
    seen = look(nginx.ports["client certificate"])
    assert all(e.outcome.wants_client_certificate for e in seen.experiments if isinstance(e.outcome, Negotiated))
    assert seen.enumerated


def tlslite(pki, **settings):
    """Serve with tlslite, which still speaks what OpenSSL has dropped."""
    tlslite_api = pytest.importorskip("tlslite.api")
    certificate, _, key = pki["rsa"].read_text().partition("-----BEGIN PRIVATE KEY-----")
    chain = tlslite_api.X509CertChain()
    chain.parsePemList(certificate)
    private = tlslite_api.parsePEMKey("-----BEGIN PRIVATE KEY-----" + key, private=True)
    handshake_settings = tlslite_api.HandshakeSettings()
    for name, value in settings.items():
        setattr(handshake_settings, name, value)

    def serve(connection: socket.socket, _number: int) -> None:
        try:
            tlslite_api.TLSConnection(connection).handshakeServer(
                certChain=chain, privateKey=private, settings=handshake_settings
            )
        except Exception:  # noqa: BLE001 - it raises errors of its own for each refusal
            return

    return serve


def test_ssl_3(pki):
    """SSL 3 is found behind refusals of everything newer."""
    settings = {"minVersion": (3, 0), "maxVersion": (3, 0), "versions": [(3, 0)], "macNames": ["sha", "md5"]}
    with servers.Server(tlslite(pki, **settings, cipherNames=["aes256", "aes128", "3des", "rc4"])) as server:
        suites = suites_of(look(server.port))
    assert set(suites) == {"SSLv3"}
    assert {"TLS_RSA_WITH_RC4_128_MD5", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"} < suites["SSLv3"]


def test_rc4_and_3des(pki):
    """What the newest clients have dropped, the walk still offers."""
    settings = {"minVersion": (3, 1), "maxVersion": (3, 3), "cipherNames": ["rc4", "3des"]}
    with servers.Server(tlslite(pki, **settings)) as server:
        suites = suites_of(look(server.port))
    assert set(suites) == {"TLSv1.0", "TLSv1.1", "TLSv1.2"}
    assert {"TLS_ECDHE_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"} < suites["TLSv1.2"]


def test_ssl_2(pki):
    """A server of SSL 2 hangs up on every newer hello, and is found all the same."""
    try:
        serve = ssl2_server.ssl_2(pki["rsa"], "ALL:SSLv2")
    except ssl2_server.NoSsl2Error as reason:
        pytest.skip(str(reason))
    with servers.Server(serve) as server:
        seen = look(server.port)
    suites = suites_of(seen)
    assert set(suites) == {"SSLv2"}
    assert "SSL_CK_DES_192_EDE3_CBC_WITH_MD5" in suites["SSLv2"]
    assert len(suites["SSLv2"]) == 7


OAKLEY_GROUP_1 = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A63A3620FFFFFFFFFFFFFFFF",
    16,
)
"""A prime of 768 bits (RFC 2409 §6.1)."""


def test_weak_diffie_hellman_is_still_an_accepted_suite(pki):
    """A group too small for our own OpenSSL: the server agreed to the suite, and that is what is noted."""
    settings = {"keyExchangeNames": ["dhe_rsa"], "dhParams": (2, OAKLEY_GROUP_1), "dhGroups": []}
    versions = {"minVersion": (3, 3), "maxVersion": (3, 3), "versions": [(3, 3)]}
    with servers.Server(tlslite(pki, **settings, **versions, cipherNames=["aes128gcm", "aes128"])) as server:
        suites = suites_of(look(server.port))
    assert suites["TLSv1.2"] == {
        "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
        "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
    }
