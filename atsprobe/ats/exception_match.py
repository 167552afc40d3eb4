"""Which entry of NSExceptionDomains decides about a host: exact, nearest ancestor, or longest IP prefix."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Literal

from atsprobe.ats.values import boolean
from atsprobe.model.dictionary import AtsDictionary, ExceptionEntry
from atsprobe.model.endpoint import Host, InvalidHost, IpAddress, ip_address_of, parse_host

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Match:
    """The entry that decides about a host, and how it was found. ``key`` is spelled as in the plist.

    ``is_contested``: another key is for the same network, and its entry differs; which of them holds is not defined.
    """

    key: str
    entry: ExceptionEntry
    kind: Literal["exact", "ancestor", "network", "built-in"]
    is_contested: bool = False


@cache
def built_in_exceptions() -> dict[str, ExceptionEntry]:
    """Give the entries that Apple's client brings for Apple's own hosts, by domain."""
    text = (resources.files("atsprobe.ats") / "built_in_exceptions.toml").read_text("utf-8")
    return {
        row["domain"]: ExceptionEntry(
            includes_subdomains=True,
            allows_insecure_http_loads=True,
            minimum_tls_version=row["minimum_tls_version"],
            requires_forward_secrecy=False,
        )
        for row in tomllib.loads(text)["exception"]
    }


class ExceptionIndex:
    """The entries of one dictionary, ready to be asked about many hosts: a walk up the labels, not over the domains.

    Source: Apple Security source, SecProtocolConfiguration.m, find_exception_for_host and _find_cidr_exception.
    """

    def __init__(self, dictionary: AtsDictionary, *, built_in: bool = True) -> None:
        """Index the entries of a dictionary, over Apple's own where ``built_in``; what is no dictionary never matches."""
        self._own = dictionary.entries
        self._entries = {**(built_in_exceptions() if built_in else {}), **self._own}
        self._networks: dict[tuple[int, int, int], str] = {}  # of keys for one network the last is named
        self._contested: set[tuple[int, int, int]] = set()
        for key in self._own:
            network = network_of(key) if "/" in key else None
            if network is not None:
                place = (network.version, network.prefixlen, int(network.network_address))
                if self._own[self._networks.get(place, key)] != self._own[key]:
                    self._contested.add(place)
                self._networks[place] = key
        self._prefixes = sorted({(version, prefix) for version, prefix, _ in self._networks}, reverse=True)

    def match(self, host: Host) -> Match | None:
        """Find the entry that decides about a host; entries never merge."""
        if host in self._entries:
            return self._found(host, "exact")
        address = ip_address_of(host)
        if address is not None:
            return self._match_network(address)
        parent = host
        while "." in parent:
            parent = Host(parent.partition(".")[2])
            entry = self._entries.get(parent)
            if entry is not None and boolean(entry.includes_subdomains):
                return self._found(parent, "ancestor")
        return None

    def _found(self, key: str, kind: Literal["exact", "ancestor"]) -> Match:
        return Match(key, self._entries[key], kind if key in self._own else "built-in")

    def _match_network(self, address: IpAddress) -> Match | None:
        """Look up each length of prefix that is declared, the longest first: at most 33 of IPv4 and 129 of IPv6."""
        for version, prefix in self._prefixes:
            if version != address.version:
                continue
            host_bits = address.max_prefixlen - prefix
            place = (version, prefix, int(address) >> host_bits << host_bits)
            key = self._networks.get(place)
            if key is not None:
                return Match(key, self._own[key], "network", place in self._contested)
        return None


def network_of(key: str) -> IpNetwork | None:
    """Read a CIDR key as Apple's client does: host bits masked, short forms padded; None where it refuses.

    Network text of 14 (IPv4) or 38 (IPv6) and more characters does not fit its buffers; a hexadecimal letter makes it
    IPv6, without a colon too; the prefix is decimal digits, read by strtol with base 0; IPv4 inside IPv6 is no network.
    Source: Apple Security source, cidr_string_to_subnet_and_mask.
    """
    text, slash, prefix = key.partition("/")
    is_v6 = re.search("[:a-fA-F]", text) is not None
    if not slash or len(text) >= (38 if is_v6 else 14) or "%" in text or (is_v6 and "." in text):
        return None
    length = _prefix_length(prefix)
    if length is None:
        return None
    if is_v6 and "::" not in text and text.count(":") < 7:
        text += "::"
    elif not is_v6:
        text += ".0" * (3 - text.count("."))
    try:
        return ipaddress.ip_network(f"{text}/{length}", strict=False)
    except ValueError:
        return None


def _prefix_length(text: str) -> int | None:
    """Read digits as strtol does with base 0: a leading zero is octal, and what follows the last octal digit is dropped.

    So ``08`` is 0. The x of a hexadecimal number is refused before.
    """
    if not re.fullmatch("[0-9]{1,9}", text):
        return None
    if not text.startswith("0"):
        return int(text)
    octal = re.match("[0-7]+", text)
    return int(octal[0], 8) if octal else None


@lru_cache(maxsize=32)  # asked several times of one key after the other
def why_never_matches(key: str) -> str | None:
    """Say why a key of NSExceptionDomains can match no host; None where it can.

    Source: Apple, NSExceptionDomains (lower case, no port, no wildcard); exact keys compare byte by byte.
    """
    bare = "a key is a bare host name"
    if "://" in key:
        return f"never matches: {bare}"
    if "/" in key:
        return None if network_of(key) is not None else "never matches: Apple's client cannot read it as a network"
    if key.startswith("*"):
        return f"never matches: {bare}; NSIncludesSubdomains takes the place of *"
    address = _address(key)
    if address is not None:
        same = key == str(address)
        return None if same else f"never matches: an address key compares as text, {address} is the spelling"
    if ":" in key:
        return f"never matches: {bare}, without a port"
    if not key.isascii():
        return f"never matches: a key is in ASCII, {_a_labels(key)}"
    if key != key.lower():
        return "never matches: a key is in lower case"
    if key.endswith("."):
        return "never matches: a key has no dot at its end"
    return None if _is_host(key) else f"never matches: {bare}"


def _address(text: str) -> IpAddress | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None


def _a_labels(key: str) -> str:
    try:
        return str(parse_host(key))
    except InvalidHost:
        return "as A-labels"


def _is_host(key: str) -> bool:
    try:
        return parse_host(key) == key
    except InvalidHost:
        return False


def meant_host(key: str) -> Host | None:
    """Give the host that a misspelt key means, for its author's sake; None for a network and for what is no host."""
    text = key.partition("://")[2] or key
    if "/" in key and "://" not in key:
        return None
    text = text.partition("/")[0].removeprefix("*.")
    if text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return parse_host(text)
    except InvalidHost:
        return None
