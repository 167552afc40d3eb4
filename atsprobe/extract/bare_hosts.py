"""Bare host names, without a scheme: which strings of an app are one, and which only look like one.

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
from atsprobe.model.public_suffix import is_shared_suffix, registrable_domain

MAX_BARE = 253
"""No longer string can be a host name (RFC 1035 §2.3.4)."""

_MAX_TEXT = 200
_MAX_CANDIDATES = 20_000
_MAX_KEPT = 20
_NAMESPACE_SIZE = 10
_TABLE_SIZE = 100


@cache
def _lists() -> dict[str, frozenset[str]]:
    lists = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    return {name: frozenset(labels) for name, labels in lists.items()}


def common_suffixes() -> frozenset[str]:
    """Give the last labels under which a name is more likely a host than a member of something."""
    return _lists()["common_suffixes"]


def bare_host(text: str) -> Host | None:
    """Give the host that a whole string names (class C), None for what is no host or is more likely something else.

    Wanted: an ICANN suffix in common use, letters in lower case, no underscore, an owner of two letters or more, and no
    reverse-DNS order. IP literals are none: four numbers are more often a version.
    """
    if not 4 <= len(text) <= MAX_BARE or "." not in text:
        return None
    return _host(text)


def embedded_host(name: str) -> Host | None:
    """Give the host that a name inside a longer string is (class D): as `bare_host`, but a name of two labels needs a
    suffix that programs do not use for members.
    """
    host = bare_host(name)
    if host and host.count(".") == 1 and host.rpartition(".")[2] not in _lists()["last_labels_inside_texts"]:
        return None
    return host


@lru_cache(maxsize=16384)
def _host(text: str) -> Host | None:
    if text != text.lower() or "_" in text or not text.isascii():
        return None
    labels = text.split(".")
    if labels[-1] not in common_suffixes() or _is_identifier(labels):
        return None
    try:
        host = parse_host(text)
    except InvalidHost:
        return None
    domain = registrable_domain(host)
    if host != text or domain is None or ip_address_of(host) is not None:
        return None
    return host if len(domain.partition(".")[0]) >= 2 else None


def _is_identifier(labels: list[str]) -> bool:
    """Say whether labels are in reverse-DNS order, or a member of something."""
    lists, first, last = _lists(), labels[0], labels[-1]
    if len(labels) == 2:
        return first in lists["first_labels_of_programs"] or last in lists["last_labels_that_are_words"]
    if first not in lists["first_labels_in_reverse"]:
        return False
    return first in lists["first_labels_of_no_host"] or last not in lists["last_labels_of_hosts"]


@dataclass(frozen=True, slots=True)
class _Candidate:
    host: Host
    text: str
    location: Location
    confidence: Confidence
    detector: str


@dataclass
class WholeStrings:
    """The strings of one file that may be bare hosts, or hold one; a namespace (``llvm.add``, ``llvm.sub``, …) shows only at
    the end.
    """

    detector: str = ""
    _found: list[_Candidate] = field(default_factory=list)
    _times: Counter[tuple[Host, Confidence]] = field(default_factory=Counter)

    @property
    def is_full(self) -> bool:
        """Whether no more than these were taken."""
        return len(self._found) >= _MAX_CANDIDATES

    def add(self, text: str, location: Location) -> None:
        """Take a whole string and where it stands."""
        if not self.is_full:
            self._add(bare_host(text), text, location, Confidence.BARE, self.detector)

    def add_embedded(self, name: str, text: str, location: Location, detector: str = "") -> None:
        """Take a name inside a longer string, that string, and where the name stands."""
        if not self.is_full:
            self._add(embedded_host(name), text, location, Confidence.EMBEDDED, detector or self.detector)

    def _add(self, host: Host | None, text: str, location: Location, confidence: Confidence, detector: str) -> None:
        if host is None:
            return
        self._times[host, confidence] += 1
        if self._times[host, confidence] <= _MAX_KEPT:
            self._found.append(_Candidate(host, text[:_MAX_TEXT], location, confidence, detector))

    def sightings(self) -> Iterator[HostSighting]:
        """Give the hosts, in the order added, but for the names of a namespace; those of a table are less sure."""
        namespaces, is_table = self._namespaces(), self._is_table()
        for found in self._found:
            first = found.host.partition(".")[0]
            if first not in namespaces:
                is_sure = not is_table or (
                    first in _lists()["first_labels_of_hosts"] and not is_shared_suffix(found.host)
                )
                yield HostSighting(
                    Endpoint(found.host, 443),
                    found.location,
                    found.text,
                    "bare-host",
                    found.confidence if is_sure else Confidence.EMBEDDED,
                    detector=found.detector,
                )

    def _is_table(self) -> bool:
        """Say whether whole strings name more than a hundred owners: no app's servers, but a list of public suffixes (with
        code for cookies), of providers of mail or of what to block.
        """
        hosts = {found.host for found in self._found if found.confidence is Confidence.BARE}
        return len({registrable_domain(host) for host in hosts}) > _TABLE_SIZE

    def _namespaces(self) -> frozenset[str]:
        """Give the first labels that names under more than ten domains share; regions of one owner's hosts are under one."""
        domains = {(host.partition(".")[0], registrable_domain(host)) for host in {found.host for found in self._found}}
        firsts = Counter(first for first, _ in domains)
        many = {first for first, count in firsts.items() if count > _NAMESPACE_SIZE}
        return frozenset(many - _lists()["first_labels_of_hosts"])
