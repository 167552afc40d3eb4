"""The truth table is sound as data."""

from __future__ import annotations

import pytest

from atsprobe.lab.certificates import named_leaves
from atsprobe.lab.nginx import Layout, clones
from atsprobe.lab.nginx_config import nginx_config
from atsprobe.lab.odd_servers import behaviour_named
from atsprobe.lab.server import Odd
from atsprobe.lab.servers import PORTS, SERVERS, server_named
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import ExceptionEntry
from atsprobe.model.endpoint import parse_host
from atsprobe.model.judgement import Verdict

REQUIREMENTS = {
    "insecure-http",
    "tls-version",
    "forward-secrecy",
    "cipher-suite",
    "certificate-key-size",
    "certificate-signature-hash",
    "certificate-hostname",
    "certificate-validity",
    "certificate-trust",
    "certificate-purpose",
    "certificate-lifetime",
    "certificate-revocation",
}


def test_names_and_offsets_are_unique_and_fit():
    """Every row has a name and a port of its own, below the number of ports that a lab takes up."""
    assert len({s.name for s in SERVERS}) == len(SERVERS)
    assert len({s.offset for s in SERVERS}) == len(SERVERS)
    assert all(0 <= s.offset < PORTS for s in SERVERS)


def test_ports_do_not_move():
    """Ports are written into documents and scripts, so that new rows take new offsets."""
    offsets = {name: server_named(name).offset for name in ("modern", "tls10", "rsa1024", "silent", "refuses")}
    assert offsets == {"modern": 0, "tls10": 2, "rsa1024": 9, "silent": 22, "refuses": 23}


@pytest.mark.parametrize("server", SERVERS, ids=lambda s: s.name)
def test_hosts_are_such_as_ats_covers(server):
    """Names lie below lab.example.com and are spelled as the model spells hosts, but for the two rows about other kinds."""
    assert parse_host(server.full_host) == server.full_host
    if server.name not in ("local-name", "ip-address"):
        assert server.full_host.endswith(".lab.example.com")


@pytest.mark.parametrize("server", SERVERS, ids=lambda s: s.name)
def test_expectations_are_in_the_words_of_the_contract(server):
    """Verdicts, requirement ids and keys exist; an exception is there if and only if one helps or none is needed."""
    expected = server.expected
    verdict = Verdict(expected.verdict)
    assert set(expected.failing) <= REQUIREMENTS
    assert (expected.minimal_exception is None) == (verdict in (Verdict.BLOCKED, Verdict.INCONCLUSIVE))
    assert bool(expected.minimal_exception) == (verdict is Verdict.EXCEPTION_REQUIRED)
    assert bool(expected.failing) or verdict in (Verdict.PASS, Verdict.EXEMPT, Verdict.INCONCLUSIVE)
    keys = {f.metadata.get("key") for f in ExceptionEntry.__dataclass_fields__.values()}
    assert set(expected.minimal_exception or {}) <= keys
    floor = (expected.minimal_exception or {}).get("NSExceptionMinimumTLSVersion")
    assert floor is None or floor in {v.label for v in TlsVersion}
    assert (server.scheme == "http" and verdict is not Verdict.EXEMPT) == ("insecure-http" in expected.failing)


def test_what_is_said_about_revocation_can_be_said():
    """A row that names somebody says what comes of asking; only a staple decides a verdict."""
    for server in SERVERS:
        said = [leaf.revocation for _, leaf in named_leaves(server) if leaf.revocation]
        assert bool(said) == bool(server.when_asked), server.name
        for revocation in said:
            assert server_named(revocation.row)
            fails = revocation.by == "staple" and revocation.says == "revoked"
            assert fails == ("certificate-revocation" in server.expected.failing)


def test_every_odd_row_names_a_behaviour_that_exists():
    """The odd servers can do what the table asks of them."""
    names = [one.behaviour for s in SERVERS for one in s.listeners if isinstance(one, Odd)]
    assert names
    assert all(behaviour_named(name) for name in names)


def test_the_configuration_for_containers_differs_in_listen_lines_alone():
    """What is tested natively is what the container serves, line by line."""
    here = nginx_config(SERVERS, 20443).splitlines()
    there = nginx_config(SERVERS, 20443, for_compose=True).splitlines()
    assert len(here) == len(there)
    different = [(a.strip(), b.strip()) for a, b in zip(here, there, strict=True) if a != b]
    assert different
    assert all(a.startswith("listen 127.0.0.") and b.startswith("listen 0.0.0.0:") for a, b in different)
    listens = [line.split()[1] for line in there if line.strip().startswith("listen ")]
    assert len(listens) == len(set(listens))


def test_leaves_shared_by_listeners_of_a_row_are_made_once():
    """The two addresses of one host show the same certificate."""
    assert len(named_leaves(server_named("two-addresses"))) == 1
    assert len(named_leaves(server_named("rsa-and-ecdsa"))) == 2


def test_copies_have_addresses_of_their_own():
    """A lab of copies has exactly as many endpoints as asked for, no two on one address and port, all in 127.0.0.0/8."""
    lines = list(clones(["modern", "static-rsa", "tls10"], 600).lines())
    places = {(port, address) for _, _, port, address in lines}
    assert len(lines) == len(places) == len({host for _, host, _, _ in lines}) == 600
    assert all(address.startswith("127.") for _, address in places)
    assert len(list(Layout().lines())) == len(SERVERS)


def test_odd_servers_cannot_be_copied():
    """They are no part of nginx, whose connections are counted."""
    with pytest.raises(ValueError, match="only nginx"):
        clones(["modern", "silent"], 60)
    with pytest.raises(KeyError):
        clones(["no-such-row"], 60)
