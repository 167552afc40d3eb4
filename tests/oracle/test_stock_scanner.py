"""sslyze's own Scanner and ours, server by server: it never sees what we do not, and what we alone see is listed and true."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from more_servers import MORE_SERVERS
from real_client import s_client
from stock_scan import stock_scan

from atsprobe.lab.server import Tls
from atsprobe.lab.servers import SERVERS
from atsprobe.model.handshake import accepted_groups, accepted_suites, deployments
from atsprobe.model.observation import TlsObservation, Unreachable

pytestmark = [pytest.mark.lab, pytest.mark.timeout(200)]

ADDRESSES = [(s.name, a) for s in (*SERVERS, *MORE_SERVERS) for a in s.addresses]
SPEAKS_TLS = {s.name for s in (*SERVERS, *MORE_SERVERS) if any(isinstance(one, Tls) for one in s.listeners)}
LONGEST_SCAN, SHORT_SCAN = 90, 4
"""Seconds that the Scanner gets; the second where no TLS is to be had, since it may not come to an end there."""


@dataclass(frozen=True)
class Difference:
    """What we see of a server and the Scanner does not, with the reason: suites by version, groups, key types of leaves.

    ``connects`` is whether it gets so far as to scan at all.
    """

    reason: str
    suites: Mapping[str, set[str]] = field(default_factory=dict)
    groups: set[str] = field(default_factory=set)
    leaves: set[str] = field(default_factory=set)
    connects: bool = True


NONE = Difference("it sees the same")
_ECDHE_CIPHERS = (
    "AES_256_GCM_SHA384",
    "AES_128_GCM_SHA256",
    "AES_256_CBC_SHA384",
    "AES_128_CBC_SHA256",
    "AES_256_CBC_SHA",
    "AES_128_CBC_SHA",
)
_ALL = "ALL:COMPLEMENTOFALL"
_ANONYMOUS_CAMELLIA = {f"TLS_DH_anon_WITH_CAMELLIA_{bits}_CBC_SHA256" for bits in (128, 256)}
_GROUPS = {"x25519", "secp256r1", "x448", "secp384r1", "secp521r1"}

DIFFERENCES = {
    "ed25519": Difference(
        "it asks for the suites that its old OpenSSL knows by that library, which cannot read an Ed25519 key",
        suites={"TLSv1.2": {f"TLS_ECDHE_ECDSA_WITH_{cipher}" for cipher in _ECDHE_CIPHERS}},
    ),
    "x25519": Difference(
        "it asks for the suites that its old OpenSSL knows by that library, which has no X25519",
        suites={"TLSv1.2": {f"TLS_ECDHE_RSA_WITH_{cipher}" for cipher in _ECDHE_CIPHERS}},
    ),
    "anonymous": Difference(
        "its first hellos offer no suite without a certificate, so that it takes the server for one without TLS",
        suites={
            "TLSv1.2": {f"TLS_ECDH_anon_WITH_{c}" for c in ("AES_256_CBC_SHA", "AES_128_CBC_SHA", "NULL_SHA")},
        },
        groups=_GROUPS,
        connects=False,
    ),
    "no-encryption": Difference(
        "its first hellos offer no suite without encryption, so that it takes the server for one without TLS",
        suites={
            "TLSv1.2": {
                *("TLS_ECDHE_RSA_WITH_NULL_SHA", "TLS_RSA_WITH_NULL_SHA256"),
                *("TLS_RSA_WITH_NULL_SHA", "TLS_RSA_WITH_NULL_MD5"),
            },
        },
        groups=_GROUPS,
        leaves={"RSA"},
        connects=False,
    ),
    "p256-tls12": Difference(
        "it offers each group alone, and up to TLS 1.2 the groups also bound the curve of the leaf (RFC 8422 §2.2)",
        groups=_GROUPS - {"secp256r1"},
    ),
    "two-leaves-tls13": Difference(
        "it asks for a second leaf by suites of TLS 1.2 alone, which name a kind of key", leaves={"RSA"}
    ),
    "everything": Difference(
        "it asks for these two by its old OpenSSL, which does not know them", suites={"TLSv1.2": _ANONYMOUS_CAMELLIA}
    ),
}
"""The servers on which the Scanner is known to see less; nothing is to be said of any other."""


@pytest.fixture(scope="module")
def stock(oracle_lab):
    """Give a function that waits for what the Scanner says of an address; two scans run at a time, in processes."""

    def scan(name: str, address: str):
        server = oracle_lab.server(name)
        deadline = LONGEST_SCAN if name in SPEAKS_TLS else SHORT_SCAN
        return stock_scan(server.full_host, oracle_lab.port(name), address, deadline)

    pool = ThreadPoolExecutor(2)
    running = {place: pool.submit(scan, *place) for place in ADDRESSES}
    yield lambda *place: running[place].result()
    pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="module")
def ours(oracle_lab, audited):
    """Give a function for what our audit saw of an address by TLS."""
    seen = {(o.endpoint.host, o.endpoint.port, o.address.ip): o for o in audited.recording.observations if is_tls(o)}

    def look(name: str, address: str):
        return seen.get((oracle_lab.server(name).full_host, oracle_lab.port(name), address))

    return look


def is_tls(observation) -> bool:
    return isinstance(observation, TlsObservation | Unreachable) and observation.endpoint.scheme == "https"


def alone(place, ours, theirs) -> Difference:
    """Give what each of the two sees alone; fails where it is the Scanner who does."""
    suites = {version.label: set(found) for version, found in accepted_suites(ours.experiments).items()}
    leaves = {chain[0].sha256: chain[0].key_type for chain in deployments(ours.experiments)}
    groups = set(accepted_groups(ours.experiments))
    their_suites = {version: set(found) for version, found in theirs.get("suites", {}).items()}
    their_groups = {group.replace("X", "x") for group in theirs.get("groups") or ()}
    assert all(found <= suites.get(version, set()) for version, found in their_suites.items())
    assert their_groups <= groups
    assert set(theirs.get("leaves", ())) <= set(leaves)
    suites_alone = {version: found - their_suites.get(version, set()) for version, found in suites.items()}
    return Difference(
        DIFFERENCES.get(place[0], NONE).reason,
        suites={version: found for version, found in suites_alone.items() if found},
        groups=groups - their_groups,
        leaves={key_type for sha256, key_type in leaves.items() if sha256 not in theirs.get("leaves", ())},
        connects=theirs["outcome"] == "read",
    )


@pytest.mark.parametrize("place", [p for p in ADDRESSES if p[0] in SPEAKS_TLS], ids=" ".join)
def test_both_see_the_same_but_for_the_differences_listed(place, stock, ours):
    """Accepted suites of each version, groups and leaves are what the Scanner finds, and what the list says it misses."""
    seen, theirs = ours(*place), stock(*place)
    assert seen.enumerated, seen.cut_short
    assert theirs.get("failed", []) == []
    assert alone(place, seen, theirs) == DIFFERENCES.get(place[0], NONE)


@pytest.mark.parametrize("place", [p for p in ADDRESSES if p[0] not in SPEAKS_TLS], ids=" ".join)
def test_neither_sees_tls_where_none_is_spoken(place, stock, ours):
    """Servers in the clear, and odd ones: the Scanner says that it cannot connect, or does not end; we accept nothing."""
    seen = ours(*place)
    if isinstance(seen, TlsObservation):
        assert not accepted_suites(seen.experiments)
        assert not seen.enumerated
        assert seen.cut_short
    else:
        assert isinstance(seen, Unreachable)
    assert stock(*place)["outcome"] in ("no connection", "no end")


@pytest.fixture(scope="module")
def openssl_names() -> dict[str, str]:
    """Give OpenSSL's name of each suite by its IANA name."""
    command = ["openssl", "ciphers", "-stdname", f"{_ALL}:@SECLEVEL=0"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    return {line.split()[0]: line.split()[2] for line in listed.splitlines()}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_what_we_alone_see_is_true(name, oracle_lab, openssl_names):
    """A third client, asked for just that, gets each suite, group and leaf that the Scanner misses."""
    missed = DIFFERENCES[name]
    for version, suites in missed.suites.items():
        for suite in suites:
            wanted = openssl_names[suite]
            offer = ("-cipher", f"{wanted}:@SECLEVEL=0", "-min_protocol", version, "-max_protocol", version)
            seen = s_client(oracle_lab, name, *offer)
            assert seen is not None, suite
            assert (seen.version, seen.suite) == (version, wanted)
    for group in missed.groups:
        groups = ":".join(dict.fromkeys((group, "secp256r1")))  # the second for the curve of a leaf
        seen = s_client(oracle_lab, name, "-cipher", f"{_ALL}:!kRSA:@SECLEVEL=0", "-groups", groups)
        assert seen is not None, group
        assert group.replace("secp256r1", "prime256v1") in seen.key.lower()
    for key_type in missed.leaves:
        signature = {"RSA": "rsa_pss_rsae_sha256"}[key_type]
        seen = s_client(oracle_lab, name, "-cipher", f"{_ALL}:@SECLEVEL=0", "-sigalgs", signature)
        assert f"Signature type: {key_type}" in seen.output
