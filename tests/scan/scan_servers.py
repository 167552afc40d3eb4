"""Servers on loopback for the tests of scan: Python's ssl, Debian's nginx, and ones that misbehave."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.handshake import Offer
from atsprobe.model.observation import Address
from atsprobe.scan.task import Limits, ScanTask

NAME = "server.lab.example.com"
TLS_1_3 = ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256")
ECDHE = tuple(
    f"TLS_ECDHE_{key}_WITH_{cipher}"
    for cipher in (
        "AES_256_GCM_SHA384",
        "AES_128_GCM_SHA256",
        "CHACHA20_POLY1305_SHA256",
        "AES_256_CBC_SHA",
        "AES_128_CBC_SHA",
    )
    for key in ("ECDSA", "RSA")
)
STATIC_RSA = ("TLS_RSA_WITH_AES_256_GCM_SHA384", "TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_256_CBC_SHA")
GROUPS = ("x25519", "secp256r1", "secp384r1", "secp521r1")
SIGNATURES = (
    "ecdsa_secp256r1_sha256",
    "rsa_pss_rsae_sha256",
    "rsa_pkcs1_sha256",
    "ecdsa_secp384r1_sha384",
    "rsa_pss_rsae_sha384",
    "rsa_pkcs1_sha384",
    "rsa_pss_rsae_sha512",
    "rsa_pkcs1_sha512",
    "rsa_pkcs1_sha1",
)
V13, V12, V11, V10 = TlsVersion.TLS_1_3, TlsVersion.TLS_1_2, TlsVersion.TLS_1_1, TlsVersion.TLS_1_0
OWN = Offer((V13, V12), TLS_1_3 + ECDHE, GROUPS, SIGNATURES)
WITH_RSA = Offer((V13, V12), TLS_1_3 + ECDHE + STATIC_RSA, GROUPS, SIGNATURES)
WIDEST = Offer((V13, V12, V11, V10), TLS_1_3 + ECDHE + STATIC_RSA, GROUPS, SIGNATURES)
LADDER = (OWN, WIDEST, WITH_RSA)


def task(port, *, offers=LADDER, scheme="https", ip="127.0.0.1", endpoint_port=443, host=NAME, **more):
    """Make a task for a server of ours; quick limits unless told."""
    limits = {"timeout": 5.0, "deadline": 15.0, **more.pop("limits", {})}
    more = {"enumerate": False, **more}
    return ScanTask(
        Endpoint(Host(host), endpoint_port, scheme), Address(ip, port), offers, limits=Limits(**limits), **more
    )


def make_pki(folder: Path) -> dict[str, Path]:
    """Make self-signed leaves, one file (certificate, key) for each kind of key."""
    keys = {
        "rsa": rsa.generate_private_key(65537, 2048),
        "ecdsa": ec.generate_private_key(ec.SECP256R1()),
        "p521": ec.generate_private_key(ec.SECP521R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate(),
    }
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    paths = {}
    for kind, key in keys.items():
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=90))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
            .sign(key, None if kind == "ed25519" else hashes.SHA256())
        )
        paths[kind] = folder / f"{kind}.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        paths[kind].write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    return paths


class Server:
    """Accepts on a loopback port and lets a function deal with each connection, in a thread; counts connections."""

    def __init__(self, serve: Callable[[socket.socket, int], None], ip: str = "127.0.0.1") -> None:
        self.connections = 0
        self.open_at_once = 0
        self.most_open_at_once = 0
        self._serve = serve
        self._lock = threading.Lock()
        self._listener = socket.create_server(
            (ip, 0), backlog=128, family=socket.AF_INET6 if ":" in ip else socket.AF_INET
        )
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                number = self.connections
                self.connections += 1
            threading.Thread(target=self._run, args=(connection, number), daemon=True).start()

    def _run(self, connection: socket.socket, number: int) -> None:
        with self._lock:
            self.open_at_once += 1
            self.most_open_at_once = max(self.most_open_at_once, self.open_at_once)
        try:
            with contextlib.suppress(OSError, ValueError), connection:
                connection.settimeout(20)
                self._serve(connection, number)
        finally:
            with self._lock:
                self.open_at_once -= 1

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def tls_context(*certificates, low=None, high=None, ciphers=None, group=None, client_ca=None, options=0):
    """Make a context of Python's ssl; versions by the names of ssl.TLSVersion."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(ciphers or "DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = low or ssl.TLSVersion.TLSv1_2
        context.maximum_version = high or ssl.TLSVersion.TLSv1_3
    for path in certificates:
        context.load_cert_chain(path)
    if group:
        context.set_ecdh_curve(group)
    context.options |= options
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    return context


def over_tls(context, answer=ANSWER):
    """Serve TLS, then one answer to one request."""

    def serve(connection: socket.socket, _number: int) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            if secure.recv(4096):
                secure.sendall(answer)

    return serve


def in_the_clear(answer):
    """Serve one answer to one request, in the clear."""

    def serve(connection: socket.socket, _number: int) -> None:
        connection.recv(4096)
        connection.sendall(answer)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(4096)

    return serve


def alert(number, level=2):
    return b"\x15\x03\x03\x00\x02" + bytes([level, number])


def after_hello(*data):
    """Read the hello, then send what is given and close."""

    def serve(connection: socket.socket, _number: int) -> None:
        connection.recv(16384)
        for piece in data:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(4096)

    return serve


def silent(connection: socket.socket, _number: int) -> None:
    while connection.recv(4096):
        pass


def reset(connection: socket.socket, _number: int) -> None:
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def drips(connection: socket.socket, _number: int) -> None:
    """A ServerHello of which one byte comes each 0.2 seconds."""
    connection.recv(16384)
    for byte in b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc" + bytes(200):
        connection.sendall(bytes([byte]))
        time.sleep(0.2)


def floods(piece):
    """Send one piece without an end."""

    def serve(connection: socket.socket, _number: int) -> None:
        connection.recv(16384)
        block = piece * (65536 // len(piece))
        while True:
            connection.sendall(block)

    return serve


def in_turn(*serves):
    """Deal with the first connections in one way each; the last way is for all that follow."""

    def serve(connection: socket.socket, number: int) -> None:
        serves[min(number, len(serves) - 1)](connection, number)

    return serve


def _nginx_block(port: int, lines: str) -> str:
    return f"server {{ listen 127.0.0.1:{port} ssl; location / {{ return 200 ok; }} {lines} }}\n"


class Nginx:
    """Debian's nginx with one server on each port asked for."""

    def __init__(self, folder: Path, blocks: dict[str, str]) -> None:
        self.folder = folder
        self.ports = {name: _free_port() for name in blocks}
        (folder / "run").mkdir()
        servers = "".join(_nginx_block(self.ports[name], lines) for name, lines in blocks.items())
        paths = " ".join(f"{p}_temp_path run/t;" for p in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "lab.conf").write_text(
            "daemon off; master_process off; worker_processes 1; pid run/nginx.pid; error_log run/error.log info;\n"
            f"events {{ worker_connections 512; }}\nhttp {{ access_log off; {paths}\n"
            f"ssl_session_cache off; ssl_session_tickets off; keepalive_timeout 5;\n{servers}}}\n"
        )
        self._process = subprocess.Popen(
            [shutil.which("nginx") or "/usr/sbin/nginx", "-p", f"{folder}/", "-c", f"{folder}/lab.conf"],
            stderr=subprocess.DEVNULL,
        )
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        last = list(self.ports.values())[-1]
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", last), 1):
                return
            assert self._process.poll() is None, (self.folder / "run/error.log").read_text()
            time.sleep(0.02)
        raise AssertionError("nginx does not answer")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)


_port_numbers = itertools.count(21000 + (time.time_ns() // 1000) % 8000)


def _free_port() -> int:
    for port in _port_numbers:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise AssertionError("no free port")


def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
