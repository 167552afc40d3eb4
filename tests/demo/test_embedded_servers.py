"""Each embedded server does what its row says, as Python's own TLS client sees it."""

from __future__ import annotations

import socket
import ssl
import threading
import time
import warnings

import pytest

from atsprobe.lab.demo_servers import SERVERS, STATIC_RSA
from atsprobe.lab.python_tls import LOOPBACK, Answer, Clear, Closed, Closing, Tls, embedded

VERSIONS = ("TLSv1", "TLSv1_1", "TLSv1_2", "TLSv1_3")
EXPIRED, HOSTNAME_MISMATCH = 10, 62  # X509_V_ERR_*


@pytest.fixture(scope="module")
def running():
    """The servers of the demo."""
    with embedded([(row.host, row.service) for row in SERVERS]) as servers:
        yield servers


def rows_of(kind):
    return [
        pytest.param(index, row, id=f"{row.host}-{row.port}")
        for index, row in enumerate(SERVERS)
        if isinstance(row.service, kind)
    ]


def client(version=None, ca_pem=None, ciphers="ALL:@SECLEVEL=0"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers(ciphers)
    if ca_pem is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(cadata=ca_pem.decode())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = (
            ssl.TLSVersion[version] if version else ssl.TLSVersion.TLSv1_2
        )
        if version is None:
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_3
    return context


def handshake(context, port, host):
    with (
        socket.create_connection((LOOPBACK, port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=host) as encrypted,
    ):
        return encrypted.version(), encrypted.cipher()[0]


def ask(connection, host):
    connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    answer = b""
    while more := connection.recv(65536):
        answer += more
    status, _, rest = answer.decode().partition("\r\n")
    headers = dict(line.split(": ", 1) for line in rest.partition("\r\n\r\n")[0].split("\r\n"))
    return status, headers.get("Location")


@pytest.mark.parametrize(("index", "row"), rows_of(Tls))
@pytest.mark.parametrize("version", VERSIONS)
def test_versions(running, index, row, version):
    """A client that offers one version alone gets through exactly where the row says."""
    service, port = row.service, running.ports[index]
    served = VERSIONS.index(service.lowest) <= VERSIONS.index(version) <= VERSIONS.index(service.highest)
    if served:
        assert handshake(client(version), port, row.host)[0] == version.replace("_", ".")
    else:
        with pytest.raises(ssl.SSLError):
            handshake(client(version), port, row.host)


@pytest.mark.parametrize(("index", "row"), [r for r in rows_of(Tls) if r.values[1].service == STATIC_RSA])
def test_static_rsa_servers_have_no_forward_secrecy(running, index, row):
    """They refuse ECDHE and DHE, and take RSA key exchange."""
    port = running.ports[index]
    with pytest.raises(ssl.SSLError):
        handshake(client("TLSv1_2", ciphers="ECDHE:DHE:@SECLEVEL=0"), port, row.host)
    assert handshake(client("TLSv1_2", ciphers="kRSA:@SECLEVEL=0"), port, row.host)[1] == "AES256-GCM-SHA384"


def test_the_dhe_server_has_dhe_alone(running):
    """It refuses ECDHE and RSA key exchange, and takes finite-field DHE."""
    index, row = next((i, r) for i, r in enumerate(SERVERS) if r.host == "log.ferry.example.net")
    port = running.ports[index]
    with pytest.raises(ssl.SSLError):
        handshake(client("TLSv1_2", ciphers="ECDHE:kRSA:@SECLEVEL=0"), port, row.host)
    assert handshake(client("TLSv1_2"), port, row.host)[1].startswith("DHE-RSA-")


@pytest.mark.parametrize(("index", "row"), rows_of(Tls))
def test_certificates(running, index, row):
    """A client that knows the root accepts every certificate but the two that have a fault, each for its own."""
    context = client(ca_pem=running.ca_pem)
    if row.service.certificate == "sound":
        handshake(context, running.ports[index], row.host)
        return
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        handshake(context, running.ports[index], row.host)
    faults = {"expired": EXPIRED, "wrong-host": HOSTNAME_MISMATCH}
    assert refused.value.verify_code == faults[row.service.certificate]


@pytest.mark.parametrize(("index", "row"), rows_of(Tls))
def test_https_answers_without_sending_back(running, index, row):
    """Each answers a GET over TLS, and none sends on to http."""
    with (
        socket.create_connection((LOOPBACK, running.ports[index]), timeout=10) as plain,
        client().wrap_socket(plain, server_hostname=row.host) as encrypted,
    ):
        assert ask(encrypted, row.host) == ("HTTP/1.1 200 OK", None)


@pytest.mark.parametrize(("index", "row"), rows_of(Clear))
def test_http_in_the_clear(running, index, row):
    """A port in the clear answers a GET, or sends on to https of its own host."""
    with socket.create_connection((LOOPBACK, running.ports[index]), timeout=10) as connection:
        status, location = ask(connection, row.host)
    if row.service.answer.location:
        assert (status, location) == ("HTTP/1.1 301 Moved Permanently", f"https://{row.host}/")
    else:
        assert (status, location) == ("HTTP/1.1 200 OK", None)


@pytest.mark.parametrize(("index", "row"), rows_of(Closed))
def test_closed_ports_refuse(running, index, row):
    """Nobody listens there, at once and for as long as the servers run."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, running.ports[index]), timeout=10)


@pytest.mark.parametrize(("index", "row"), rows_of(Closing))
def test_closing_ports_say_nothing(running, index, row):
    """They take the connection and end it without a byte of TLS."""
    with pytest.raises((ssl.SSLEOFError, ConnectionResetError)):
        handshake(client(), running.ports[index], row.host)


def test_no_port_needs_root(running):
    """All ports are above those that only root may take, and no two are the same."""
    assert min(running.ports) >= 1024
    assert len(set(running.ports)) == len(SERVERS)


def test_a_client_that_says_nothing_does_not_hold_the_others(running):
    """Connections that never begin a handshake leave the server free for the next one."""
    silent = [socket.create_connection((LOOPBACK, running.ports[0]), timeout=10) for _ in range(20)]
    try:
        assert handshake(client(), running.ports[0], SERVERS[0].host)[0] == "TLSv1.3"
    finally:
        for connection in silent:
            connection.close()


def test_nothing_is_left_running():
    """After the block the ports refuse, and every thread that it started ends."""
    before = set(threading.enumerate())
    with embedded([("a.example.com", Clear(Answer())), ("b.example.com", Tls(key="p256"))]) as servers:
        for port in servers.ports:
            socket.create_connection((LOOPBACK, port), timeout=10).close()
    for port in servers.ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((LOOPBACK, port), timeout=10)
    for thread in set(threading.enumerate()) - before:
        while thread.ident is None:  # listed before it has begun
            time.sleep(0.01)
        thread.join(30)
        assert not thread.is_alive()
