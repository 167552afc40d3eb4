"""The simulated servers answer as a real OpenSSL does, hello by hello: what the laws rest on."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from simulated_pki import chain, private_key
from simulated_server import (
    DHE,
    ECDHE_RSA,
    GROUPS,
    OK,
    RSA,
    SIGNATURES,
    STATIC_RSA,
    T10,
    T10_ONLY,
    T10_STATIC_RSA,
    T11,
    T12,
    T12_ONLY,
    T13,
    TLS_1_3_SUITES,
    SimulatedServer,
)

from atsprobe.ats.offer import decisive_offers
from atsprobe.ats.profile import profiles
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.handshake import Negotiated, Offer, Refused
from atsprobe.model.observation import Address
from atsprobe.scan.engine import attempt
from atsprobe.scan.pace import Deadline
from atsprobe.scan.task import ScanTask

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

ECDHE_ECDSA = ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA")
TWO_LEAVES = SimulatedServer(
    versions=(T13, T12),
    suites=(*TLS_1_3_SUITES, *ECDHE_ECDSA, *ECDHE_RSA, *STATIC_RSA),
    chains=(("rsa", chain("rsa")), ("ecdsa", chain("ecdsa"))),
)
SERVERS = {
    "ok": OK,
    "static-rsa": RSA,
    "tls-1.0": T10_ONLY,
    "tls-1.0-static-rsa": T10_STATIC_RSA,
    "tls-1.2": T12_ONLY,
    "dhe": DHE,
    "two-leaves": TWO_LEAVES,
    "two-leaves-in-its-own-order": replace(TWO_LEAVES, prefers_own_order=True),
    "all-versions": replace(TWO_LEAVES, versions=(T13, T12, T11, T10)),
    "one-group": replace(TWO_LEAVES, groups=("secp384r1",)),
}
WIDE = Offer((T13, T12), (*TLS_1_3_SUITES, *ECDHE_ECDSA, *ECDHE_RSA, *STATIC_RSA), GROUPS[:3], SIGNATURES[:6])
OFFERS = (
    *(o.without_hybrids() for o in decisive_offers(profiles(["26"]))),
    replace(WIDE, cipher_suites=(*TLS_1_3_SUITES, *STATIC_RSA, *ECDHE_RSA)),
    replace(WIDE, signature_algorithms=SIGNATURES[1:3]),
    replace(WIDE, signature_algorithms=SIGNATURES[:1]),
    replace(WIDE, groups=("secp384r1",)),
    replace(WIDE, groups=("secp384r1", "secp256r1")),
    replace(WIDE, versions=(T12,), cipher_suites=(*STATIC_RSA, *ECDHE_RSA)),
    replace(WIDE, versions=(T12,), cipher_suites=ECDHE_ECDSA, groups=("secp384r1",)),
    replace(WIDE, versions=(T12, T11), cipher_suites=ECDHE_RSA),
    replace(WIDE, versions=(T13,), cipher_suites=TLS_1_3_SUITES[1:], groups=("secp384r1",)),
)


@pytest.fixture(params=SERVERS, ids=str)
def pair(request, tmp_path):
    """Give a simulated server, and an address where a real one with the same configuration listens."""
    simulated = SERVERS[request.param]
    process = subprocess.Popen(
        ["openssl", "s_server", "-accept", "127.0.0.1:0", *_options(simulated, tmp_path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        listening = next((m for line in process.stdout if (m := re.match(r"ACCEPT 127.0.0.1:(\d+)", line))), None)
        assert listening, "the server did not start"
        yield simulated, Address("127.0.0.1", int(listening[1]))
    finally:
        process.kill()
        process.wait()


def _options(server: SimulatedServer, directory: Path) -> list[str]:
    options = ["-www", "-min_protocol", _protocol(min(server.versions))]
    options += ["-max_protocol", _protocol(max(server.versions)), "-groups", ":".join(map(_group, server.groups))]
    old = [s for s in server.suites if s not in TLS_1_3_SUITES] or ["TLS_RSA_WITH_AES_128_CBC_SHA"]
    options += ["-cipher", ":".join(map(_openssl_name, old)) + ":@SECLEVEL=0"]
    new = [s for s in server.suites if s in TLS_1_3_SUITES]
    options += ["-ciphersuites", ":".join(new)] if new else []
    options += ["-serverpref"] if server.prefers_own_order else []
    for (kind, sent), (cert, key) in zip(server.chains, (("-cert", "-key"), ("-dcert", "-dkey")), strict=False):
        pem = directory / f"{kind}.pem"
        pem.write_bytes(sent[0].parsed.public_bytes(Encoding.PEM))
        key_pem = directory / f"{kind}.key"
        key_pem.write_bytes(private_key(kind).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        options += [cert, str(pem), key, str(key_pem)]
    return options


def _protocol(version):
    return version.label.removesuffix(".0")


def _group(name):
    return {"x25519": "X25519", "secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}[name]


def _openssl_name(suite):
    name = suite.removeprefix("TLS_").replace("_WITH_", "-").replace("AES_", "AES").replace("_CBC_SHA", "-SHA")
    return name.replace("_", "-").removeprefix("RSA-")


def _told(outcome):
    """Give what both must agree on: the choice and the leaf, or the way of refusing."""
    if isinstance(outcome, Negotiated):
        leaf = outcome.certificates[0].sha256
        return outcome.version, outcome.cipher_suite, outcome.group, outcome.signature_algorithm, leaf
    assert isinstance(outcome, Refused), outcome
    return outcome.by


def test_a_simulated_server_answers_like_openssl(pair):
    """Every hello of the scan, and some more, gets the same handshake or the same alert from both."""
    simulated, address = pair
    task = ScanTask(Endpoint(Host("api.example.net"), address.port), address, OFFERS)
    for number, offer in enumerate(OFFERS):
        real = _told(attempt(task, offer, Deadline.after(10)))
        assert (number, _told(simulated.answer(offer))) == (number, real)
