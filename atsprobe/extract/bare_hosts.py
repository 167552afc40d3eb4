"""Bare host names, without a scheme: which whole strings of an app are one, and which only look like one.

A name such as ``manager.eu.example.com`` and a property chain such as ``event.target.name`` have the same shape. What tells
them apart was measured on frameworks of real apps: the suffix, the case, the order of the labels, and what else the file holds.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

from atsprobe.extract.sighting import HostSighting
from atsprobe.model.endpoint import Confidence, Endpoint, Host, InvalidHost, Location, ip_address_of, parse_host
from atsprobe.model.public_suffix import registrable_domain

MAX_BARE = 253
"""No longer string can be a host name (RFC 1035 §2.3.4)."""

_MAX_TEXT = 200
_MAX_CANDIDATES = 20_000
_NAMESPACE_SIZE = 10


@cache
def _labels(name: str) -> frozenset[str]:
    """Give a list of `bare_hosts.toml`."""
    return frozenset(tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))[name])


def bare_host(text: str) -> Host | None:
    """Give the host that a whole string names (class C), None for what is no host or is more likely something else.

    Wanted: an ICANN suffix in common use, letters in lower case, no underscore, an owner of two letters or more, and no
    reverse-DNS order. IP literals are none: four numbers are more often a version.
    """
    if not 4 <= len(text) <= MAX_BARE or "." not in text:
        return None
    return _host(text)


@lru_cache(maxsize=16384)
def _host(text: str) -> Host | None:
    if text != text.lower() or "_" in text or not text.isascii():
        return None
    try:
        host = parse_host(text)
    except InvalidHost:
        return None
    domain = registrable_domain(host)
    if host != text or domain is None or ip_address_of(host) is not None:
        return None
    labels = host.split(".")
    if (
        len(labels) >= 3
        and labels[0] in _labels("first_labels_in_reverse")
        and labels[1] not in _labels("common_suffixes")
    ):
        return None
    return host if labels[-1] in _labels("common_suffixes") and len(domain.partition(".")[0]) >= 2 else None


@dataclass
class WholeStrings:
    """The whole strings of one file that may be bare hosts; a namespace (``llvm.add``, ``llvm.sub``, …) shows only at the end."""

    detector: str = ""
    _found: list[tuple[Host, str, Location]] = field(default_factory=list)

    def add(self, text: str, location: Location) -> None:
        """Take a whole string and where it stands."""
        host = bare_host(text)
        if host and len(self._found) < _MAX_CANDIDATES:
            self._found.append((host, text, location))

    def sightings(self) -> Iterator[HostSighting]:
        """Give the hosts, in the order added, but for names of which more than ten share their first label."""
        firsts = Counter(first for first, _ in {(host.partition(".")[0], host) for host, _, _ in self._found})
        for host, text, location in self._found:
            if firsts[host.partition(".")[0]] <= _NAMESPACE_SIZE:
                yield HostSighting(
                    Endpoint(host, 443),
                    location,
                    text[:_MAX_TEXT],
                    "bare-host",
                    Confidence.BARE,
                    detector=self.detector,
                )
