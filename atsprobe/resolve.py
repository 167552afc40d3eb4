"""Names to addresses: options, literals, the hosts file, then DNS; the only importer of dnspython, when first needed."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from atsprobe.model.endpoint import Host, InvalidHost, ip_address_of, parse_host
from atsprobe.model.observation import Address, Resolution, Resolved, Unresolved, UnresolvedReason

ANY_HOST = Host("*")
ANY_PORT = 0
_FAMILIES = {"A": "ipv4", "AAAA": "ipv6"}
_IN_FLIGHT = 32
_LONGEST_CHAIN = 8
_MOST_ADDRESSES = 256
_LARGEST_HOSTS_FILE = 1 << 20
_SILENT_NAMES = 32
"""How many names may go unanswered, before any is answered, until the name servers count as silent for the rest."""

Source = Literal["literal", "resolve-option", "connect-to-option", "hosts-file", "dns"]


@dataclass(frozen=True)
class ResolveOptions:
    """How names become addresses.

    ``resolve`` and ``connect_to`` are as `parse_resolve` and `parse_connect_to` give them, ``nameserver`` is an IP address and a
    port (None: those of the system). ``families`` are ``ipv4`` and ``ipv6``. ``timeout`` is for one name, in seconds.
    ``only_given``: names that the two options do not give do not exist, and nobody is asked.
    """

    resolve: Mapping[tuple[Host, int], tuple[str, ...]] = field(default_factory=dict)
    connect_to: Mapping[tuple[Host, int], tuple[str, int]] = field(default_factory=dict)
    nameserver: tuple[str, int] | None = None
    families: tuple[str, ...] = ("ipv4", "ipv6")
    timeout: float = 10.0
    only_given: bool = False
    hosts_file: Path = Path("/etc/hosts")


def parse_resolve(entries: Iterable[str]) -> dict[tuple[Host, int], tuple[str, ...]]:
    """Read ``HOST:PORT:ADDRESS[,ADDRESS]…`` as curl has it; a later entry replaces an earlier one for its host and port.

    ``*`` is any host. Raises ValueError, in one line that names the entry.
    """
    found: dict[tuple[Host, int], tuple[str, ...]] = {}
    for entry in entries:
        with_prefix = entry.strip().removeprefix("+")  # curl: may time out, which ours never do
        host, port, addresses = _split(entry, with_prefix, 3, "HOST:PORT:ADDRESS")
        key = (_host(entry, host), _port(entry, port))
        found[key] = tuple(_address(entry, text) for text in addresses.split(","))
    return found


def parse_connect_to(entries: Iterable[str]) -> dict[tuple[Host, int], tuple[str, int]]:
    """Read ``HOST:PORT:TARGET:PORT`` as curl has it: an empty host or port means any, an empty target the host's own.

    Any host is `ANY_HOST`, any port `ANY_PORT`; a target of the host's own is empty, a port of its own 0.
    Raises ValueError, in one line that names the entry.
    """
    found: dict[tuple[Host, int], tuple[str, int]] = {}
    for entry in entries:
        host, port, target, target_port = _split(entry, entry.strip(), 4, "HOST:PORT:ADDRESS:PORT")
        key = (_host(entry, host) if host else ANY_HOST, _port(entry, port) if port else ANY_PORT)
        where = str(_host(entry, target)) if target else ""
        if where == ANY_HOST:
            raise ValueError(f"{entry}: * is no address to connect to")
        found.setdefault(key, (where, _port(entry, target_port) if target_port else ANY_PORT))
    return found


def parse_nameserver(text: str) -> tuple[str, int]:
    """Read ``ADDRESS[:PORT]``, IPv6 with a port in brackets. Raises ValueError, in one line that names the text."""
    stripped = text.strip()
    try:
        return str(ipaddress.ip_address(stripped)), 53
    except ValueError:
        pass
    address, separator, port = stripped.rpartition(":")
    if not separator or stripped.endswith("]"):
        address, separator, port = stripped, "", ""
    return _address(text, address), _port(text, port) if separator else 53


def _split(entry: str, text: str, parts: int, form: str) -> list[str]:
    """Split at colons outside brackets; what follows the last colon wanted may hold more of them (IPv6)."""
    fields: list[str] = []
    rest = text
    while len(fields) < parts - 1:
        end = rest.find("]") + 1 if rest.startswith("[") else 0
        colon = rest.find(":", end)
        if colon < 0 or (end and colon != end):
            raise ValueError(f"{entry}: not {form}")
        fields.append(rest[:colon])
        rest = rest[colon + 1 :]
    return [*fields, rest]


def _host(entry: str, text: str) -> Host:
    if text == ANY_HOST:
        return ANY_HOST
    try:
        return parse_host(text)
    except InvalidHost as error:
        raise ValueError(f"{entry}: {error}") from error


def _port(entry: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536):
        raise ValueError(f"{entry}: {text[:20] or 'nothing'} is no port")
    return int(text)


def _address(entry: str, text: str) -> str:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError as error:
        raise ValueError(f"{entry}: {text[:60] or 'nothing'} is no IP address") from error


def resolve(names: Sequence[tuple[Host, int]], options: ResolveOptions) -> tuple[Resolution, ...]:
    """Give the addresses of each host for a port, sorted; each name is asked for once, many at a time.

    In this order: ``--connect-to`` (whose target is resolved by what follows), ``--resolve``, literals, the hosts
    file, DNS. Raises nothing but KeyboardInterrupt.
    """
    wanted = {name: _Want.of(*name, options) for name in dict.fromkeys(names)}
    hosts = {} if options.only_given else read_hosts_file(options.hosts_file)
    to_ask = sorted({w.host for w in wanted.values() if w.known is None and not _known_locally(w.host, hosts)})
    answers = _answers(to_ask, options)
    return tuple(
        Resolution(host, port, _outcome(want, hosts, answers, options)) for (host, port), want in sorted(wanted.items())
    )


@dataclass(frozen=True)
class _Want:
    """What to look up for a host and port, after the options: addresses that they give, else a name."""

    host: Host
    port: int
    known: tuple[str, ...] | None
    source: Source | None

    @classmethod
    def of(cls, host: Host, port: int, options: ResolveOptions) -> _Want:
        source: Source | None = None
        target = _find(options.connect_to, host, port)
        if target is not None:
            source = "connect-to-option"
            host, port = Host(target[0] or host), target[1] or port
            if ip_address_of(host) is not None:
                return cls(host, port, (host,), source)
        given = _find(options.resolve, host, port)
        if given is not None:
            return cls(host, port, given, source or "resolve-option")
        if ip_address_of(host) is not None:
            return cls(host, port, (host,), source or "literal")
        return cls(host, port, None, source)


def _find(given: Mapping[tuple[Host, int], Any], host: Host, port: int) -> Any:
    for key in ((host, port), (host, ANY_PORT), (ANY_HOST, port), (ANY_HOST, ANY_PORT)):
        if key in given:
            return given[key]
    return None


def _is_localhost(host: Host) -> bool:
    """Say whether a name is loopback whatever DNS says (RFC 6761 §6.3)."""
    return host == "localhost" or host.endswith(".localhost")


def _known_locally(host: Host, hosts: Mapping[str, tuple[str, ...]]) -> bool:
    return host in hosts or _is_localhost(host)


def _outcome(
    want: _Want, hosts: Mapping[str, tuple[str, ...]], answers: Mapping[Host, _Answer], options: ResolveOptions
) -> Resolved | Unresolved:
    if want.known is not None:
        return _resolved(want.known, want.port, want.source or "literal", options)
    if options.only_given:
        return Unresolved("no-such-name", "not among the names given")
    if _known_locally(want.host, hosts):
        found = hosts.get(want.host, ("127.0.0.1", "::1"))
        return _resolved(found, want.port, want.source or "hosts-file", options)
    answer = answers[want.host]
    if isinstance(answer, Unresolved):
        return answer
    return _resolved(answer, want.port, want.source or "dns", options)


def _resolved(ips: Iterable[str], port: int, source: Source, options: ResolveOptions) -> Resolved | Unresolved:
    addresses = [ipaddress.ip_address(ip) for ip in dict.fromkeys(ips)]
    allowed = [a for a in addresses if f"ipv{a.version}" in options.families]
    if not allowed:
        return Unresolved("no-addresses", f"none of {' and '.join(options.families)}")
    return Resolved(tuple(Address(str(a), port) for a in sorted(allowed, key=lambda a: (a.version, int(a)))), source)


def read_hosts_file(path: Path) -> dict[str, tuple[str, ...]]:
    """Read a hosts file: names in lower case, each with its addresses in order; empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_HOSTS_FILE).decode("utf-8", "replace")
    except OSError:
        return {}
    found: dict[str, dict[str, None]] = {}
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        try:
            ip = str(ipaddress.ip_address(address))
        except ValueError:
            continue
        for name in names if "%" not in ip else ():
            found.setdefault(name.lower().rstrip("."), {})[ip] = None
    return {name: tuple(ips) for name, ips in found.items()}


_Answer = tuple[str, ...] | Unresolved


def _answers(hosts: Sequence[Host], options: ResolveOptions) -> dict[Host, _Answer]:
    if not hosts or options.only_given:
        return {}
    import asyncio

    def ask() -> dict[Host, _Answer]:
        return asyncio.run(_ask_all(hosts, options))

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return ask()
    return _in_a_thread(ask)  # the caller is asynchronous itself


def _in_a_thread(ask: Callable[[], dict[Host, _Answer]]) -> dict[Host, _Answer]:
    answers: dict[Host, _Answer] = {}
    thread = threading.Thread(target=lambda: answers.update(ask()), daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.2)
    return answers


async def _ask_all(hosts: Sequence[Host], options: ResolveOptions) -> dict[Host, _Answer]:
    import asyncio

    import dns.asyncresolver
    import dns.exception

    try:
        resolver = dns.asyncresolver.Resolver(configure=options.nameserver is None)
    except dns.exception.DNSException:
        return dict.fromkeys(hosts, Unresolved("no-answer", "no name server is configured"))
    if options.nameserver:
        resolver.nameservers, resolver.port = [options.nameserver[0]], options.nameserver[1]
    resolver.lifetime = options.timeout
    room, answered, silent = asyncio.Semaphore(_IN_FLIGHT), 0, 0

    async def ask(host: Host) -> tuple[Host, _Answer]:
        nonlocal answered, silent
        async with room:
            if silent >= _SILENT_NAMES and not answered:
                return host, Unresolved("no-answer", "no name server answered for other names")
            answer = await _ask(resolver, host, options.families)
            is_silent = isinstance(answer, Unresolved) and answer.reason == "no-answer"
            silent, answered = silent + is_silent, answered + (not is_silent)
            return host, answer

    return dict(await asyncio.gather(*(ask(host) for host in hosts)))


@dataclass(frozen=True)
class _Failure:
    """No addresses of one family: ``nothing`` is a name without records of that type."""

    reason: UnresolvedReason | Literal["nothing"]
    detail: str = ""


async def _ask(resolver: Any, host: Host, families: Sequence[str]) -> _Answer:
    """Ask for A and AAAA, and join what came: a family that goes unanswered leaves the whole unknown."""
    import asyncio

    kinds = [kind for kind, family in _FAMILIES.items() if family in families]
    results = dict(zip(kinds, await asyncio.gather(*(_ask_twice(resolver, host, k) for k in kinds)), strict=True))
    failures = {kind: r for kind, r in results.items() if isinstance(r, _Failure)}
    unknown = {kind: f for kind, f in failures.items() if f.reason in ("no-answer", "refused", "invalid")}
    addresses = tuple(ip for r in results.values() if not isinstance(r, _Failure) for ip in r)
    missing = {kind: f for kind, f in failures.items() if f.reason == "no-such-name"}
    if missing and not addresses and len(missing) + len(unknown) == len(results):
        return Unresolved("no-such-name")
    if unknown:
        text = "; ".join(f"{kind}: {f.detail or f.reason}" for kind, f in unknown.items())
        same = {f.reason for f in unknown.values()}
        reason: UnresolvedReason = "refused" if same == {"refused"} and len(unknown) == len(results) else "no-answer"
        if same == {"invalid"}:
            reason = "invalid"
        return Unresolved(reason, f"{text}; {', '.join(addresses[:4])} is not all" if addresses else text)
    if not addresses:
        return Unresolved("no-addresses", next((f.detail for f in failures.values() if f.detail), ""))
    return addresses


async def _ask_twice(resolver: Any, host: Host, kind: str) -> tuple[str, ...] | _Failure:
    result = await _ask_once(resolver, host, kind)
    if isinstance(result, _Failure) and result.reason in ("no-answer", "refused") and "in time" not in result.detail:
        return await _ask_once(resolver, host, kind)
    return result


async def _ask_once(resolver: Any, host: Host, kind: str) -> tuple[str, ...] | _Failure:
    """Ask for one type, following aliases that the server does not follow itself."""
    import dns.exception
    import dns.name
    import dns.resolver

    name = dns.name.from_text(host) if "." in host else dns.name.from_text(host, None)
    asked = name
    try:
        for _ in range(_LONGEST_CHAIN):
            answer = await resolver.resolve(name, kind, raise_on_no_answer=False, search="." not in host)
            if answer.rrset is not None:
                return tuple(str(record.address) for record in answer.rrset)[:_MOST_ADDRESSES]
            if answer.canonical_name == answer.qname:
                return _Failure("nothing")
            name = answer.canonical_name
    except dns.resolver.NXDOMAIN as error:
        alias_of = error.canonical_name if "." in host else asked
        return _Failure("no-such-name") if alias_of == asked else _Failure("nothing", _dangling(alias_of))
    except dns.resolver.NoNameservers as error:
        return _failure_of_all(error)
    except dns.exception.Timeout:
        return _Failure("no-answer", f"nothing in time ({resolver.lifetime:g} s)")
    except (dns.exception.DNSException, OSError) as error:
        return _Failure("invalid", (str(error) or type(error).__name__)[:100])
    return _Failure("no-answer", "aliases lead on and on")


def _dangling(target: object) -> str:
    """Say what is wrong with an alias (CNAME) whose target does not exist, while the name itself does (RFC 2308 §2.1)."""
    return f"an alias of {str(target)[:100]}, which does not exist"


def _failure_of_all(error: Any) -> _Failure:
    said = {str(e[3]) for e in error.kwargs.get("errors", ())}
    reason: UnresolvedReason = "refused" if said == {"REFUSED"} else "no-answer"
    return _Failure(reason, ", ".join(sorted(said))[:100])
