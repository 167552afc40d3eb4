"""Names become addresses, and each way of not getting any is told from the others."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from atsprobe.model.endpoint import Host
from atsprobe.model.observation import Address, Resolved, Unresolved
from atsprobe.resolve import (
    ANY_HOST,
    ANY_PORT,
    ResolveOptions,
    parse_connect_to,
    parse_nameserver,
    parse_resolve,
    read_hosts_file,
    resolve,
)

NOWHERE = "/nonexistent/hosts"
RECORDS = {
    "two.example.com": {"A": ["192.0.2.2", "192.0.2.1"], "AAAA": ["2001:db8::1"]},
    "four.example.com": {"A": ["192.0.2.4"]},
    "six.example.com": {"AAAA": ["2001:db8::6"]},
    "nothing.example.com": {},
    "refused.example.com": dns.rcode.REFUSED,
    "broken.example.com": dns.rcode.SERVFAIL,
    "silent.example.com": None,
    "half.example.com": {"A": ["192.0.2.5"], "AAAA": None},
    "half-broken.example.com": {"A": ["192.0.2.5"], "AAAA": dns.rcode.SERVFAIL},
    "odd.example.com": {"A": ["192.0.2.6"], "AAAA": dns.rcode.NXDOMAIN},
    "alias.example.com": "four.example.com",
    "dangling.example.com": "gone.example.com",
    "loop-a.example.com": "loop-b.example.com",
    "loop-b.example.com": "loop-a.example.com",
    **{f"chain{i}.example.com": f"chain{i + 1}.example.com" for i in range(30)},
    "xn--bcher-kva.example.com": {"A": ["192.0.2.7"]},
    "a_b.example.com": {"A": ["192.0.2.8"]},
    "single": {"A": ["192.0.2.9"]},
    "many.example.com": {"A": [f"10.0.{i // 256}.{i % 256}" for i in range(400)]},
}


class DnsServer:
    """Answers from RECORDS over UDP and TCP; ``recursive`` follows aliases within one answer."""

    def __init__(self, recursive=True):
        self.questions = []
        self._recursive = recursive
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.address = self._tcp.getsockname()
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(self.address)
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def _serve_udp(self):
        with contextlib.suppress(OSError):
            while True:
                data, peer = self._udp.recvfrom(4096)
                if not data:
                    return
                answer = self._answer(dns.message.from_wire(data))
                if answer is not None:
                    wire = answer.to_wire(max_size=65535)
                    if len(wire) > 1232:
                        short = dns.message.make_response(dns.message.from_wire(data))
                        short.flags |= dns.flags.TC
                        wire = short.to_wire()
                    self._udp.sendto(wire, peer)

    def _serve_tcp(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._tcp.accept()
                with connection:
                    length = int.from_bytes(connection.recv(2), "big")
                    wire = self._answer(dns.message.from_wire(connection.recv(length))).to_wire(max_size=65535)
                    connection.sendall(len(wire).to_bytes(2, "big") + wire)

    def _answer(self, query):
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), question.rdtype.name
        self.questions.append((name, kind))
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        seen = set()
        while isinstance(found := RECORDS.get(name, dns.rcode.NXDOMAIN), str):
            response.answer.append(dns.rrset.from_text(name + ".", 60, "IN", "CNAME", found + "."))
            if not self._recursive or name in seen:
                return response
            seen.add(name)
            name = found
        found = found.get(kind, []) if isinstance(found, dict) else found
        if found is None:
            return None
        if isinstance(found, list):
            if found:
                response.answer.append(dns.rrset.from_text(name + ".", 60, "IN", kind, *found))
        else:
            response.set_rcode(found)
        return response

    def close(self):
        for sock in (self._udp, self._tcp):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@pytest.fixture
def server():
    with DnsServer() as running:
        yield running


def options(server=None, **more):
    from pathlib import Path

    nameserver = server.address if server else ("127.0.0.1", 1)
    return ResolveOptions(**{"nameserver": nameserver, "timeout": 1.0, "hosts_file": Path(NOWHERE), **more})


def one(host, chosen, port=443):
    (resolution,) = resolve([(Host(host), port)], chosen)
    assert (resolution.host, resolution.port) == (host, port)
    return resolution.outcome


def ips(outcome):
    assert isinstance(outcome, Resolved), outcome
    return [a.ip for a in outcome.addresses]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("two.example.com", ["192.0.2.1", "192.0.2.2", "2001:db8::1"]),
        ("four.example.com", ["192.0.2.4"]),
        ("six.example.com", ["2001:db8::6"]),
        ("alias.example.com", ["192.0.2.4"]),
        ("odd.example.com", ["192.0.2.6"]),
        ("xn--bcher-kva.example.com", ["192.0.2.7"]),
        ("a_b.example.com", ["192.0.2.8"]),
    ],
)
@pytest.mark.parametrize("recursive", [True, False])
def test_addresses(host, expected, recursive):
    """A and AAAA, IPv4 first; aliases are followed, whether the server follows them or leaves that to us."""
    with DnsServer(recursive) as server:
        outcome = one(host, options(server))
    assert ips(outcome) == expected
    assert outcome.source == "dns"
    assert {a.port for a in outcome.addresses} == {443}


@pytest.mark.parametrize(
    ("host", "reason", "detail"),
    [
        ("gone.example.com", "no-such-name", ""),
        ("nothing.example.com", "no-addresses", ""),
        ("dangling.example.com", "no-addresses", "an alias of gone.example.com., which does not exist"),
        ("refused.example.com", "refused", "A: REFUSED; AAAA: REFUSED"),
        ("broken.example.com", "no-answer", "A: SERVFAIL; AAAA: SERVFAIL"),
        ("silent.example.com", "no-answer", "A: nothing in time (1 s); AAAA: nothing in time (1 s)"),
        ("half.example.com", "no-answer", "AAAA: nothing in time (1 s); 192.0.2.5 is not all"),
        ("half-broken.example.com", "no-answer", "AAAA: SERVFAIL; 192.0.2.5 is not all"),
    ],
)
@pytest.mark.parametrize("recursive", [True, False])
def test_what_is_no_address(host, reason, detail, recursive):
    """NXDOMAIN, no records, refusal, failure and silence are told apart; half an answer is none."""
    with DnsServer(recursive) as server:
        assert one(host, options(server)) == Unresolved(reason, detail)


@pytest.mark.parametrize("recursive", [True, False])
@pytest.mark.parametrize("host", ["loop-a.example.com", "chain0.example.com"])
def test_aliases_without_an_end(host, recursive):
    """A loop of aliases, or a chain longer than anyone follows, ends as no answer."""
    with DnsServer(recursive) as server:
        outcome = one(host, options(server, timeout=3.0))
    assert isinstance(outcome, Unresolved)
    assert outcome.reason == "no-answer"


def test_one_family_alone(server):
    """With one family asked for, the other is neither asked nor missed."""
    assert ips(one("two.example.com", options(server, families=("ipv6",)))) == ["2001:db8::1"]
    assert ips(one("half.example.com", options(server, families=("ipv4",)))) == ["192.0.2.5"]
    assert {kind for name, kind in server.questions if name == "half.example.com"} == {"A"}
    assert one("192.0.2.1", options(server, families=("ipv6",))) == Unresolved("no-addresses", "none of ipv6")


def test_each_name_is_asked_for_once(server):
    """Many ports of a host are one question a family; the answers come sorted."""
    names = [(Host("four.example.com"), port) for port in (8443, 443)] + [(Host("two.example.com"), 80)] * 2
    resolutions = resolve(names, options(server))
    assert [(r.host, r.port) for r in resolutions] == sorted(set(names))
    assert sorted(server.questions) == sorted(set(server.questions))
    assert ips(resolutions[1].outcome) == ["192.0.2.4"]
    assert resolutions[1].outcome.addresses[0].port == 8443


def test_an_answer_too_long_for_udp_is_asked_for_again_over_tcp(server):
    """What does not fit comes over TCP, and no host brings more addresses than a bound."""
    assert len(ips(one("many.example.com", options(server)))) == 256


def test_a_name_without_a_dot_is_asked_for(server):
    """An unqualified name goes to the name server as it is when there is nothing to search."""
    assert ips(one("single", options(server))) == ["192.0.2.9"]


def test_silent_name_servers_are_given_up(server):
    """When nobody answers for the first names, the rest is not waited for."""
    RECORDS.update({f"s{i}.example.com": None for i in range(300)})
    began = time.monotonic()
    found = resolve([(Host(f"s{i}.example.com"), 443) for i in range(300)], options(server, timeout=0.5))
    assert time.monotonic() - began < 5
    assert {r.outcome.reason for r in found} == {"no-answer"}


def test_nobody_at_the_name_servers_address():
    """A closed port is no answer."""
    outcome = one("two.example.com", options(timeout=0.5))
    assert isinstance(outcome, Unresolved)
    assert outcome.reason == "no-answer"


def test_within_a_running_event_loop(server):
    """A caller that is asynchronous itself gets the same answer."""

    async def caller():
        return one("four.example.com", options(server))

    assert ips(asyncio.run(caller())) == ["192.0.2.4"]


def test_options_before_dns(server, tmp_path):
    """connect-to, resolve, literal, hosts file, DNS: the first that knows decides, and says so."""
    hosts = tmp_path / "hosts"
    hosts.write_text("192.0.2.60 Two.example.com four.example.com # comment\n192.0.2.61 four.example.com\n")
    chosen = options(
        server,
        hosts_file=hosts,
        resolve=parse_resolve(["four.example.com:443:192.0.2.50,[2001:db8::50]", "198.51.100.1:443:192.0.2.51"]),
        connect_to=parse_connect_to(
            ["two.example.com:443:four.example.com:8443", "six.example.com:443:four.example.com:443"]
        ),
    )
    expected = {
        ("two.example.com", 443): ("connect-to-option", ["192.0.2.60:8443", "192.0.2.61:8443"]),
        ("six.example.com", 443): ("connect-to-option", ["192.0.2.50:443", "[2001:db8::50]:443"]),
        ("four.example.com", 443): ("resolve-option", ["192.0.2.50:443", "[2001:db8::50]:443"]),
        ("198.51.100.1", 443): ("resolve-option", ["192.0.2.51:443"]),
        ("198.51.100.2", 443): ("literal", ["198.51.100.2:443"]),
        ("2001:db8::9", 443): ("literal", ["[2001:db8::9]:443"]),
        ("two.example.com", 80): ("hosts-file", ["192.0.2.60:80"]),
        ("six.example.com", 80): ("dns", ["[2001:db8::6]:80"]),
        ("localhost", 80): ("hosts-file", ["127.0.0.1:80", "[::1]:80"]),
        ("a.localhost", 80): ("hosts-file", ["127.0.0.1:80", "[::1]:80"]),
    }
    found = {(r.host, r.port): r.outcome for r in resolve([(Host(h), p) for h, p in expected], chosen)}
    assert {k: (o.source, [str(a) for a in o.addresses]) for k, o in found.items()} == expected
    assert {name for name, _ in server.questions} == {"six.example.com"}


def test_only_given_names_exist(tmp_path):
    """No packet for any other name, not even where the hosts file knows it; literals are their own addresses."""
    hosts = tmp_path / "hosts"
    hosts.write_text("192.0.2.60 two.example.com\n")
    with DnsServer() as server:
        chosen = options(
            server,
            only_given=True,
            hosts_file=hosts,
            connect_to=parse_connect_to(["a.example.com:443:127.0.0.1:20443"]),
        )
        assert one("a.example.com", chosen).addresses == (Address("127.0.0.1", 20443),)
        assert one("two.example.com", chosen).reason == "no-such-name"
        assert one("a.example.com", chosen, 80).reason == "no-such-name"
        assert ips(one("192.0.2.1", chosen)) == ["192.0.2.1"]
        assert server.questions == []


def test_wildcards():
    """* as a host and, for connect-to, nothing as a host or a port stand for any; the exact entry wins."""
    chosen = options(
        resolve=parse_resolve(["*:443:192.0.2.1", "a.example.com:443:192.0.2.2"]),
        connect_to=parse_connect_to(["::127.0.0.1:", "b.example.com:80::8080"]),
    )
    assert chosen.connect_to == {(ANY_HOST, ANY_PORT): ("127.0.0.1", 0), (Host("b.example.com"), 80): ("", 8080)}
    assert [str(a) for a in one("c.example.com", chosen).addresses] == ["127.0.0.1:443"]
    chosen = options(resolve=chosen.resolve)
    assert ips(one("a.example.com", chosen)) == ["192.0.2.2"]
    assert ips(one("c.example.com", chosen)) == ["192.0.2.1"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("example.com:443:127.0.0.1", {("example.com", 443): ("127.0.0.1",)}),
        ("+EXAMPLE.com.:443:127.0.0.1", {("example.com", 443): ("127.0.0.1",)}),
        ("example.com:443:::1", {("example.com", 443): ("::1",)}),
        ("[2001:DB8::1]:443:[::1],127.0.0.1", {("2001:db8::1", 443): ("::1", "127.0.0.1")}),
        ("bücher.example.com:443:127.0.0.1", {("xn--bcher-kva.example.com", 443): ("127.0.0.1",)}),
    ],
)
def test_resolve_entries(entry, expected):
    """HOST:PORT:ADDRESS as curl has it: lists, IPv6 with and without brackets, literals and U-labels as hosts."""
    assert parse_resolve([entry]) == expected


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("example.com:443:127.0.0.1:8443", {("example.com", 443): ("127.0.0.1", 8443)}),
        ("[2001:db8::1]:443:[::1]:8443", {("2001:db8::1", 443): ("::1", 8443)}),
        ("example.com:443:cdn.example.net:443", {("example.com", 443): ("cdn.example.net", 443)}),
    ],
)
def test_connect_to_entries(entry, expected):
    """HOST:PORT:TARGET:PORT as curl has it."""
    assert parse_connect_to([entry]) == expected


@pytest.mark.parametrize("parse", [parse_resolve, parse_connect_to])
@pytest.mark.parametrize(
    "entry",
    [
        *("", "example.com", "example.com:443", "example.com:0:127.0.0.1:1", "example.com:65536:127.0.0.1:1"),
        *("example.com:http:127.0.0.1:80", "-example.com:443:127.0.0.1", "ex ample.com:443:127.0.0.1:443"),
        *(
            "[::1:443:127.0.0.1:443",
            "[::1]x:443:127.0.0.1:443",
            "a" * 300 + ":443:127.0.0.1:443",
            "example.com:443:*:443",
        ),
        *("example.com:443:127.0.0.1:", "example.com:４４３:127.0.0.1:443", "example.com:443:127.0.0.1:x"),
    ],
)
def test_bad_entries(parse, entry):
    """One line that names the entry; what only one of the two options takes is refused by the other."""
    if parse is parse_connect_to and entry == "example.com:443:127.0.0.1:":
        assert parse([entry]) == {("example.com", 443): ("127.0.0.1", ANY_PORT)}
        return
    with pytest.raises(ValueError) as error:
        parse([entry])
    assert str(error.value).startswith(entry)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.53", ("192.0.2.53", 53)),
        ("192.0.2.53:5353", ("192.0.2.53", 5353)),
        ("2001:db8::53", ("2001:db8::53", 53)),
        ("[2001:db8::53]", ("2001:db8::53", 53)),
        ("[2001:db8::53]:5353", ("2001:db8::53", 5353)),
    ],
)
def test_nameserver(text, expected):
    """An address and perhaps a port."""
    assert parse_nameserver(text) == expected


@pytest.mark.parametrize(
    "text", ["", "dns.example.com", "192.0.2.53:", "192.0.2.53:0", "[::1", "[::1]53", "192.0.2.53:x"]
)
def test_a_bad_nameserver(text):
    """Anything else is refused in one line."""
    with pytest.raises(ValueError) as error:
        parse_nameserver(text)
    assert str(error.value).startswith(text)


def test_a_hosts_file_of_any_content(tmp_path):
    """Comments, tabs, scoped addresses, bytes that are no UTF-8: what is readable counts; no file is an empty one."""
    path = tmp_path / "hosts"
    path.write_bytes(
        b"\xff\xfe x\n127.0.0.1\tlocalhost  A.example.com. #b\nfe80::1%lo0 scoped\nnonsense name\n::1 localhost\n\n#\n"
    )
    assert read_hosts_file(path) == {"localhost": ("127.0.0.1", "::1"), "a.example.com": ("127.0.0.1",)}
    assert read_hosts_file(tmp_path / "none") == {}
    assert read_hosts_file(tmp_path) == {}


def test_dnspython_loads_late():
    """Options, literals and names that are given need no dnspython."""
    code = """
import sys
from atsprobe.resolve import *
resolve([("192.0.2.1", 443), ("a.example.com", 443)], ResolveOptions(only_given=True))
sys.exit("dns" in sys.modules or "asyncio" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
