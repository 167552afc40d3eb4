"""Where an app loads from, and where that was found: hosts, endpoints, locations, references."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NewType

Host = NewType("Host", str)
"""A host in one spelling: lower-case A-labels without a trailing dot, or a canonical IP literal without brackets."""

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Scheme = Literal["https", "http"]
"""What ATS tells apart: ``wss`` counts as ``https`` and ``ws`` as ``http``."""

DEFAULT_PORTS: Mapping[Scheme, int] = {"https": 443, "http": 80}

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_ASCII_HOST = re.compile(r"[A-Za-z0-9._-]+")


class InvalidHost(ValueError):
    """Says that a text cannot be the name or the address of a host, and why."""


def parse_host(text: str) -> Host:
    """Give the one spelling of a host name or IP literal (``[…]`` around IPv6 is taken off).

    Names are mapped by UTS 46 to A-labels (RFC 5891); an underscore is allowed, as every resolver does.
    Raises InvalidHost for anything that DNS could not carry (RFC 1035 §2.3.4: 63 octets a label, 253 in all).
    """
    name = text.strip()
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    address = _ip_address(name)
    if address is not None:
        return Host(str(address))
    name = name[:-1] if name.endswith(".") else name
    ascii_name = (name if _ASCII_HOST.fullmatch(name) else _to_a_labels(name)).lower()
    if not ascii_name or len(ascii_name) > 253:
        raise InvalidHost("a host name has 1 to 253 characters")
    labels = ascii_name.split(".")
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise InvalidHost(f"{label[:70]!r} is no label of a host name")
    if labels[-1].isdigit():
        raise InvalidHost("the last label of a host name is not a number")
    return Host(ascii_name)


_URL_START = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://")
_AUTHORITY_END = re.compile(r"[/?#\\]")
_PORT = re.compile(r":[0-9]*\Z")


def host_as_written(text: str, host: Host) -> Host:
    """Give the host that was read from a URL, HOST or HOST:PORT, with a dot at its end where the text has one.

    Entries match the text (Security source, SecProtocolConfiguration.m, find_exception_for_host).
    """
    written = text.strip()
    scheme = _URL_START.match(written)
    authority = _AUTHORITY_END.split(written[scheme.end() if scheme else 0 :], maxsplit=1)[0]
    return Host(f"{host}.") if _PORT.sub("", authority).endswith(".") else host


def _to_a_labels(name: str) -> str:
    import idna  # late: it loads large tables, and most names are ASCII

    if len(name) > 1000:
        raise InvalidHost("a host name has 1 to 253 characters")
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise InvalidHost(str(error)[:100]) from error


def _ip_address(text: str) -> IpAddress | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def ip_address_of(host: Host) -> IpAddress | None:
    """Give the address when the host is an IP literal, else None."""
    return _ip_address(host)


def unicode_name(host: Host) -> str:
    """Give the U-labels of a host for display beside its A-labels; the host itself where it has none."""
    if "xn--" not in host:
        return host
    import idna

    try:
        return idna.decode(host)
    except (idna.IDNAError, UnicodeError):
        return host


@dataclass(frozen=True, order=True, slots=True)
class Endpoint:
    """A scheme on a port of a host: what a load asks for, and what a verdict is about."""

    host: Host
    port: int
    scheme: Scheme = "https"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def counterpart(endpoint: Endpoint) -> Endpoint:
    """Give the https endpoint that would replace an http one: 443 for port 80, else the same port (R7)."""
    return Endpoint(endpoint.host, 443 if endpoint.port == 80 else endpoint.port, "https")


ReferenceKind = Literal[
    "ats-exception",
    "url",
    "bare-host",
    "associated-domain",
    "pinned-domain",
    "app-bound-domain",
    "tracking-domain",
    "configuration",
    "redirect",
    "command-line",
]


class Confidence(StrEnum):
    """How sure it is that the app means a host: declared, in a URL, a bare whole string, inside a text, noise."""

    DECLARED = "A"
    URL = "B"
    BARE = "C"
    EMBEDDED = "D"
    NOISE = "N"

    def is_at_least(self, least: Confidence) -> bool:
        """Say whether it is as sure as another, or surer."""
        return self.value <= least.value  # A to D, then N


@dataclass(frozen=True, slots=True)
class PlistKey:
    """A place in a property list: the path of keys, and the line in an XML plist (from 1; None in a binary one)."""

    path: str
    line: int | None = None

    def __str__(self) -> str:
        return self.path if self.line is None else f"{self.line} {self.path}"


@dataclass(frozen=True, slots=True)
class Section:
    """A place in a Mach-O image: architecture, section and the offset in bytes from the section's start."""

    architecture: str
    section: str
    offset: int
    encoding: str = "ascii"

    def __str__(self) -> str:
        return f"({self.architecture}) {self.section}+{self.offset:#x}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text file, from 1."""

    number: int

    def __str__(self) -> str:
        return str(self.number)


@dataclass(frozen=True, slots=True)
class ByteOffset:
    """An offset in bytes from the start of a file that has neither lines nor sections."""

    offset: int
    encoding: str = "ascii"

    def __str__(self) -> str:
        return f"+{self.offset:#x}"


@dataclass(frozen=True, slots=True)
class Argument:
    """The command line, or the line of a target file (from 1)."""

    line: int | None = None

    def __str__(self) -> str:
        return "" if self.line is None else str(self.line)


Location = PlistKey | Section | Line | ByteOffset | Argument


@dataclass(frozen=True, slots=True)
class Reference:
    """One sighting of an endpoint.

    ``bundle`` is the identifier of the Bundle whose dictionary governs the place; None outside every bundle,
    which `Extraction.bundles_of` resolves. ``file`` is the path inside the target, ``text`` what stands there
    (at most 200 characters, unescaped). ``names_load`` is true for a URL, whose scheme and port are its own.
    ``noise_reason`` says why a sighting is counted but not audited; empty for all others. ``detector`` says what
    found it: the reader of the file's format, or one of its own (``swift-immediate``).
    """

    endpoint: Endpoint
    target: str
    bundle: str | None
    file: str
    location: Location
    text: str
    kind: ReferenceKind
    confidence: Confidence = Confidence.DECLARED
    noise_reason: str = ""
    detector: str = ""

    @property
    def names_load(self) -> bool:
        """Whether scheme and port were written there, rather than assumed as https on 443."""
        return self.kind in ("url", "command-line", "configuration", "redirect")

    @property
    def host_as_written(self) -> Host:
        """The host of the endpoint, with a dot at its end where a URL or the command line writes one."""
        return host_as_written(self.text, self.endpoint.host) if self.names_load else self.endpoint.host


def merge(references: Iterable[Reference]) -> dict[Endpoint, tuple[Reference, ...]]:
    """Gather the references to each endpoint, endpoints sorted, references in the order found."""
    found: dict[Endpoint, list[Reference]] = {}
    for reference in references:
        found.setdefault(reference.endpoint, []).append(reference)
    return {endpoint: tuple(found[endpoint]) for endpoint in sorted(found)}
