"""Real clients, limited to what an app on iOS 26 offers, load exactly what the audit says such an app loads."""

from __future__ import annotations

import shutil

import pytest
from more_servers import MORE_SERVERS
from real_client import ats_hello, ats_hello_of_curl, curl, gnutls_cli, s_client

from atsprobe.lab.server import Odd
from atsprobe.lab.servers import SERVERS

pytestmark = pytest.mark.lab

ROWS = (*SERVERS, *MORE_SERVERS)
LONG, SHORT = 20, 2
"""Seconds that a client gets; the second where an odd server keeps it waiting."""


def openssl_connects(lab, name: str, address: str, seconds: float) -> bool:
    hello = ("-verify_return_error", *ats_hello())
    return s_client(lab, name, *hello, address=address, seconds=seconds) is not None


def curl_connects(lab, name: str, address: str, seconds: float) -> bool:
    return bool(curl(lab, name, *ats_hello_of_curl(), address=address, seconds=seconds))


def gnutls_connects(lab, name: str, address: str, seconds: float) -> bool:
    return gnutls_cli(lab, name, address=address, seconds=seconds)


CLIENTS = {"openssl": openssl_connects, "curl": curl_connects, "gnutls": gnutls_connects}
PROGRAMS = {"openssl": "openssl", "curl": "curl", "gnutls": "gnutls-cli"}

NOT_JUDGED = {
    "certificate-lifetime": "Apple's limits on how long a certificate may be valid are no part of RFC 5280",
}
"""Requirements that no client here knows. All others are judged by each: OpenSSL at security level 2 and GnuTLS with its
profile MEDIUM take no RSA key below 2,048 bits and no signature by SHA-1 or MD5, and both ask for the purpose serverAuth."""

JUDGED_OTHERWISE = {
    ("openssl", "no-san"): "falls back on the subject's common name where a leaf has no DNS name",
    ("curl", "no-san"): "falls back on the subject's common name where a leaf has no DNS name",
    ("gnutls", "no-san"): "falls back on the subject's common name where a leaf has no DNS name",
    ("openssl", "revoked-staple"): "reads no stapled response unless it is told to",
    ("curl", "revoked-staple"): "reads no stapled response unless it is told to",
    (
        "curl",
        "ed25519",
    ): "offers the signature algorithms of its OpenSSL, Ed25519 among them: curl 7 has no option for them",
}
"""Where one client is known to load what an app cannot, with the reason."""


@pytest.fixture(scope="module")
def verdicts(audited):
    """Give the audited endpoints by host, port and scheme."""
    return {(e.endpoint.host, e.endpoint.port, e.endpoint.scheme): e for e in audited.endpoints}


def verdict_of(lab, verdicts, server):
    return verdicts[server.full_host, server.port(lab.base_port), server.scheme]


def patience(server) -> int:
    return SHORT if any(isinstance(one, Odd) for one in server.listeners) else LONG


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("server", [s for s in ROWS if s.scheme == "https"], ids=lambda s: s.name)
def test_a_client_connects_exactly_where_the_verdict_is_pass(oracle_lab, verdicts, server, client):
    """Transport, trust, name and validity: on all addresses of the endpoint, pass means that it connects, all else that not.

    What it cannot judge is on the lists, and there it must connect.
    """
    if shutil.which(PROGRAMS[client]) is None:
        pytest.skip(f"{PROGRAMS[client]} is not installed")
    seen = verdict_of(oracle_lab, verdicts, server)
    failing = {f.finding.requirement for f in seen.findings if f.finding.status == "fail"}
    connects = [CLIENTS[client](oracle_lab, server.name, a, patience(server)) for a in server.addresses]
    is_beyond_it = (client, server.name) in JUDGED_OTHERWISE or (bool(failing) and failing <= set(NOT_JUDGED))
    assert all(connects) == (seen.verdict == "pass" or is_beyond_it)


@pytest.mark.parametrize("server", [s for s in ROWS if s.scheme == "http"], ids=lambda s: s.name)
def test_curl_loads_over_http_exactly_what_the_minimal_exception_allows(oracle_lab, verdicts, server):
    """An http load ends well under the exception named (redirects followed), or without one where ATS does not apply.

    One that no exception helps does not, though curl is allowed all that the keys of an exception could allow.
    """
    seen = verdict_of(oracle_lab, verdicts, server)
    works = seen.verdict in ("exempt", "exception-required")
    widest = {"NSExceptionMinimumTLSVersion": "TLSv1.0", "NSExceptionRequiresForwardSecrecy": False}
    allowed = seen.minimal_exception.to_plist() if works else widest
    heads = curl(oracle_lab, server.name, "-L", *ats_hello_of_curl(allowed), seconds=patience(server))
    answers = [line.split()[1] for line in heads.splitlines() if line.startswith("HTTP/")]
    assert (answers[-1:] == ["200"]) == works


@pytest.mark.parametrize("server", MORE_SERVERS, ids=lambda s: s.name)
def test_servers_beside_the_truth_table_get_the_verdict_of_their_row(oracle_lab, verdicts, server):
    """The servers of which these tests alone know are what their rows say, like those of the truth table."""
    seen = verdict_of(oracle_lab, verdicts, server)
    failing = {f.finding.requirement for f in seen.findings if f.finding.status == "fail"}
    assert (seen.verdict, failing) == (server.expected.verdict, set(server.expected.failing)), seen.reason
