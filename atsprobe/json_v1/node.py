"""A value inside a document that somebody else wrote, with its path: every question about it is answered or refused."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from atsprobe.json_v1 import instant
from atsprobe.json_v1.problem import DocumentProblem
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.endpoint import Host, InvalidHost, parse_host

T = TypeVar("T")

MAX_TEXT = 1 << 20
MAX_NAME = 200
MAX_ITEMS = 1_000_000
MAX_BASE64 = 32 << 20


class Node:
    """A JSON value and where it stands. Every method but the first two raises DocumentProblem where the value is another."""

    __slots__ = ("_key", "_parent", "value")

    def __init__(self, value: object, parent: Node | None = None, key: str = "") -> None:
        """Stand at the top of a document; children make themselves."""
        self.value = value
        self._parent = parent
        self._key = key

    @property
    def path(self) -> str:
        """Where it stands: ``endpoints[3].host``; empty at the top."""
        keys: list[str] = []
        node: Node | None = self
        while node is not None:
            keys.append(node._key)
            node = node._parent
        return "".join(reversed(keys)).removeprefix(".")

    def problem(self, what: str) -> DocumentProblem:
        """Make the exception that says what is wrong here."""
        return DocumentProblem(self.path, what)

    def __getitem__(self, key: str) -> Node:
        """Give a member of an object that has to be there."""
        members = self._object()
        if key not in members:
            raise Node(None, self, f".{key}").problem("is missing")
        return Node(members[key], self, f".{key}")

    def get(self, key: str) -> Node | None:
        """Give a member of an object, None where it is absent or null."""
        value = self._object().get(key)
        return None if value is None else Node(value, self, f".{key}")

    def members(self, most: int = MAX_ITEMS) -> list[tuple[str, Node]]:
        """Give the members of an object in order."""
        members = self._object()
        if len(members) > most:
            raise self.problem(f"has {len(members)} members; at most {most} are read")
        return [(key, Node(value, self, f"[{_shown(key)}]")) for key, value in members.items()]

    def items(self, most: int = MAX_ITEMS) -> list[Node]:
        """Give the items of an array."""
        if not isinstance(self.value, list):
            raise self._is_no("array")
        if len(self.value) > most:
            raise self.problem(f"has {len(self.value)} items; at most {most} are read")
        return [Node(item, self, f"[{i}]") for i, item in enumerate(self.value)]

    def text(self, most: int = MAX_TEXT) -> str:
        """Give a string of at most so many characters."""
        if not isinstance(self.value, str):
            raise self._is_no("string")
        if len(self.value) > most:
            raise self.problem(f"has {len(self.value)} characters; at most {most} are read")
        return self.value

    def name(self) -> str:
        """Give a short string: the IANA name of something, say."""
        return self.text(MAX_NAME)

    def integer(self, least: int, most: int) -> int:
        """Give a whole number within bounds."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self._is_no("whole number")
        if not least <= self.value <= most:
            raise self.problem(f"is not within {least} and {most}")
        return self.value

    def flag(self) -> bool:
        """Give a boolean."""
        if not isinstance(self.value, bool):
            raise self._is_no("boolean")
        return self.value

    def choice(self, known: Sequence[T]) -> T:
        """Give one of some known strings."""
        for word in known:
            if word == self.value and isinstance(self.value, str):
                return word
        raise self.problem(f"{_shown(self.value)} is none of {', '.join(str(word) for word in known)}")

    def time(self) -> datetime:
        """Give an instant, in UTC."""
        text = self.text(MAX_NAME)
        try:
            return instant.decode(text)
        except ValueError as problem:
            raise self.problem(f"{_shown(text)} is no time such as 2026-01-31T12:00:00Z") from problem

    def data(self) -> bytes:
        """Give bytes from base64."""
        text = self.text(MAX_BASE64)
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError) as problem:
            raise self.problem("is not base64") from problem

    def host(self) -> Host:
        """Give the name or address of a host, in its one spelling."""
        text = self.text(1000)
        try:
            host = parse_host(text)
        except InvalidHost as problem:
            raise self.problem(f"{_shown(text)} is no host") from problem
        if host != text:
            raise self.problem(f"{_shown(text)} should be spelled {_shown(host)}")
        return host

    def ip(self) -> str:
        """Give an IP address as text."""
        text = self.text(MAX_NAME)
        try:
            ipaddress.ip_address(text)
        except ValueError as problem:
            raise self.problem(f"{_shown(text)} is no IP address") from problem
        return text

    def port(self) -> int:
        """Give a port number."""
        return self.integer(0, 65535)

    def tls_version(self) -> TlsVersion:
        """Give a protocol version by its label."""
        text = self.text(MAX_NAME)
        try:
            return TlsVersion.from_label(text)
        except KeyError:
            known = ", ".join(v.label for v in TlsVersion)
            raise self.problem(f"{_shown(text)} is none of {known}") from None

    def _object(self) -> dict[str, object]:
        if not isinstance(self.value, dict):
            raise self._is_no("object")
        return self.value

    def _is_no(self, kind: str) -> DocumentProblem:
        return self.problem(f"is {_kind_of(self.value)} and should be {'an' if kind[0] in 'aeiou' else 'a'} {kind}")


def or_none(node: Node | None, read: Callable[[Node], T]) -> T | None:
    """Read a member that may be absent or null."""
    return None if node is None else read(node)


def or_else(node: Node | None, read: Callable[[Node], T], default: T) -> T:
    """Read a member that documents written before it was added do not have."""
    return default if node is None else read(node)


def _kind_of(value: object) -> str:
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "a boolean"),
        (int, "a number"),
        (float, "a number"),
        (str, "a string"),
        (list, "an array"),
        (dict, "an object"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")


def _shown(value: object) -> str:
    """Quote foreign text so that it stays short, on one line and harmless to a terminal."""
    return ascii(value[:60]) if isinstance(value, str) else _kind_of(value)
