"""Offers, each written as what it lacks of an earlier one of the same address.

An enumeration repeats an offer of a hundred names thirty times, each time with one name less. So a list of an offer stands in
full (``cipher_suites``), or as that of an earlier handshake less a few names (``cipher_suites_of`` is its index,
``cipher_suites_without`` are the names, absent where none is missing); ``groups`` and ``signature_algorithms`` likewise.
"""

from __future__ import annotations

from sys import intern
from typing import Any

from atsprobe.json_v1.node import Node
from atsprobe.model.handshake import Offer

MAX_NAMES = 1000
_MAX_BASES = 8


class OfferWriter:
    """Writes the offers of one address, in the order of its handshakes."""

    def __init__(self) -> None:
        """Begin an address."""
        self._suites = _ListWriter("cipher_suites")
        self._groups = _ListWriter("groups")
        self._algorithms = _ListWriter("signature_algorithms")

    def encode(self, offer: Offer) -> dict[str, Any]:
        """Write the next offer."""
        return {
            "versions": [version.label for version in offer.versions],
            **self._suites.encode(offer.cipher_suites),
            **self._groups.encode(offer.groups),
            **self._algorithms.encode(offer.signature_algorithms),
        }


class _ListWriter:
    """Writes one list of each offer: in full, or by what an earlier one has more."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._next = 0
        self._first: dict[tuple[str, ...], int] = {}
        self._in_full: list[tuple[str, ...]] = []
        self._previous: tuple[str, ...] = ()

    def encode(self, names: tuple[str, ...]) -> dict[str, Any]:
        members = self._encode(names)
        if self._name in members and len(self._in_full) < _MAX_BASES:
            self._in_full.append(names)
        self._first.setdefault(names, self._next)
        self._previous = names
        self._next += 1
        return members

    def _encode(self, names: tuple[str, ...]) -> dict[str, Any]:
        if not names:
            return {self._name: []}
        if names in self._first:
            return {f"{self._name}_of": self._first[names]}
        for earlier in (self._previous, *self._in_full):
            missing = _missing(names, earlier)
            if missing is not None and len(missing) < len(names):
                return {f"{self._name}_of": self._first[earlier], f"{self._name}_without": missing}
        return {self._name: list(names)}


def _missing(names: tuple[str, ...], earlier: tuple[str, ...]) -> list[str] | None:
    """Give what an earlier list has more, None where leaving that out does not give these names in this order."""
    kept = set(names)
    if tuple(name for name in earlier if name in kept) != names:
        return None
    return list(dict.fromkeys(name for name in earlier if name not in kept))


class OfferReader:
    """Reads the offers of one address, in the order of its handshakes."""

    def __init__(self) -> None:
        """Begin an address."""
        self._suites = _ListReader("cipher_suites")
        self._groups = _ListReader("groups")
        self._algorithms = _ListReader("signature_algorithms")

    def decode(self, node: Node) -> Offer:
        """Read the next offer."""
        versions = tuple(version.tls_version() for version in node["versions"].items(MAX_NAMES))
        if not versions:
            raise node["versions"].problem("is empty: a hello offers a version")
        return Offer(versions, self._suites.decode(node), self._groups.decode(node), self._algorithms.decode(node))


class _ListReader:
    def __init__(self, name: str) -> None:
        self._name = name
        self._read: list[tuple[str, ...]] = []

    def decode(self, node: Node) -> tuple[str, ...]:
        names = self._names(node)
        self._read.append(names)
        return names

    def _names(self, node: Node) -> tuple[str, ...]:
        index = node.get(f"{self._name}_of")
        if index is None:
            return names(node[self._name])
        if not self._read:
            raise index.problem("points to an earlier handshake, and there is none")
        earlier = self._read[index.integer(0, len(self._read) - 1)]
        without = node.get(f"{self._name}_without")
        if without is None:
            return earlier
        left_out = frozenset(names(without))
        return tuple(name for name in earlier if name not in left_out)


def names(node: Node) -> tuple[str, ...]:
    """Read an array of IANA names."""
    return tuple(intern(name.name()) for name in node.items(MAX_NAMES))
