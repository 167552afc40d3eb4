"""What a TARGET of the command line is: a path, a host, a URL, or a list of such; decided without reading any app."""

from __future__ import annotations

import codecs
import difflib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import BinaryIO, TextIO

from atsprobe.extract.host_names import SCHEMES
from atsprobe.extract.member import printable_path
from atsprobe.model.endpoint import DEFAULT_PORTS, Argument, Endpoint, Host, InvalidHost, host_as_written, parse_host

_MAX_LIST_BYTES = 16 << 20
_MAX_TARGETS = 100_000
_MAX_SIBLINGS = 10_000

_FILE_SUFFIXES = frozenset(
    (
        *(".ipa", ".tipa", ".app", ".appex", ".framework", ".xcframework", ".xcarchive", ".bundle", ".zip", ".dylib"),
        *(".plist", ".entitlements", ".xcent", ".xcprivacy", ".mobileprovision", ".strings"),
        *(".json", ".js", ".jsbundle", ".html", ".htm", ".css", ".xml", ".txt", ".yaml", ".yml"),
    )
)
"""What ends in one of these and does not exist is a missing file, though ``.app`` and ``.zip`` are also top-level domains."""

_FORMS = "give a path, HOST[:PORT], an IP address or a URL"
_PORTS = "a port is a number from 1 to 65535"
_ALSO_DOMAINS = (".app", ".zip")

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30})://(.*)", re.DOTALL)
_AUTHORITY_END = re.compile(r"[/?#\\]")


@dataclass(frozen=True, slots=True)
class HostTarget:
    """A host or a URL. ``file`` is the list that names it, empty for the command line itself."""

    text: str
    endpoint: Endpoint
    file: str
    location: Argument

    @property
    def host_as_written(self) -> Host:
        """The host with a dot at its end, where it was written so."""
        return host_as_written(self.text, self.endpoint.host)


@dataclass(frozen=True, slots=True)
class PathTarget:
    """A path that exists. ``text`` is it as typed, fit to be printed."""

    text: str
    path: str


@dataclass(frozen=True, slots=True)
class BadTarget:
    """A target that is neither: why, in one line, and what to do about it."""

    text: str
    reason: str
    advice: str = ""


Target = HostTarget | PathTarget | BadTarget


class _NoTarget(ValueError):
    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


def expand(targets: Sequence[str], stdin: TextIO | BinaryIO | None) -> Iterator[Target]:
    """Give the targets in order, those of lists (``@file``, ``-``) in the place of the list; the same path only once."""
    paths: set[str] = set()
    for text in targets:
        for target in _targets_of(text, stdin):
            if isinstance(target, PathTarget):
                if target.path in paths:
                    continue
                paths.add(target.path)
            yield target


def _targets_of(text: str, stdin: TextIO | BinaryIO | None) -> Iterator[Target]:
    is_stream = text in ("-", "@-")
    if not is_stream and not text.startswith("@"):
        yield _classify(text, "", Argument())
        return
    name = "standard input" if is_stream else printable_path(text[1:])
    try:
        listed = list(_lines(_read_stream(stdin) if is_stream else _read_file(text[1:])))
    except _NoTarget as error:
        yield BadTarget(printable_path(text), error.reason, error.advice)
        return
    for number, line in listed[:_MAX_TARGETS]:
        if line.startswith("@") or line == "-":
            reason = f"a list of targets inside a list (line {number} of {name})"
            yield BadTarget(printable_path(line), reason, "name that list on the command line")
        else:
            yield _classify(line, name, Argument(number))
    if not listed:
        yield BadTarget(printable_path(text), f"no target in {name}", "write one a line")
    elif len(listed) > _MAX_TARGETS:
        yield BadTarget(printable_path(text), f"more than {_MAX_TARGETS:,} targets; the rest was not read")


def _read_stream(stdin: TextIO | BinaryIO | None) -> bytes:
    stream = sys.stdin if stdin is None else stdin
    if stream is None:  # a program started without one
        raise _NoTarget("there is no standard input")
    try:
        data = getattr(stream, "buffer", stream).read(_MAX_LIST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _NoTarget(f"cannot be read ({error})") from error
    return data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data


def _read_file(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(_MAX_LIST_BYTES + 1)
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError | ValueError)
        raise _NoTarget(*(_missing(path, "@") if missing else (_reason(error), ""))) from error


def _reason(error: Exception) -> str:
    reason = (error.strerror if isinstance(error, OSError) else None) or "cannot be read"
    return reason[:1].lower() + reason[1:]


def _lines(data: bytes) -> Iterator[tuple[int, str]]:
    """Give (number, text) of each line that is not blank or a comment; a comment begins with ``#`` after a blank."""
    if len(data) > _MAX_LIST_BYTES:
        raise _NoTarget(f"a list of targets larger than {_MAX_LIST_BYTES >> 20} MiB")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _NoTarget("a list of targets in UTF-16", "save it as UTF-8")
    text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")
    for number, line in enumerate(text.split("\n"), 1):
        target = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()
        if target:
            yield number, target


def _classify(text: str, file: str, location: Argument) -> Target:
    if _exists(text):
        return PathTarget(printable_path(text), text)
    try:
        return HostTarget(text, _endpoint(text), file, location)
    except _NoTarget as error:
        place = f" (line {location.line} of {file})" if file else ""
        return BadTarget(printable_path(text), error.reason + place, error.advice)


def _exists(path: str) -> bool:
    try:
        return bool(path) and os.path.lexists(path)
    except (OSError, ValueError):  # longer than a path can be, or with a NUL
        return False


def _endpoint(text: str) -> Endpoint:
    if not text:
        raise _NoTarget("an empty target", _FORMS)
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise _NoTarget("neither a path that exists nor a host: not UTF-8", _FORMS)
    url = _URL.fullmatch(text)
    if url:
        return _of_url(url[1].lower(), url[2])
    if _looks_like_path(text):
        raise _NoTarget(*_missing(text))
    return _of_authority(text, 443)


def _looks_like_path(text: str) -> bool:
    return "/" in text or os.path.splitext(text)[1].lower() in _FILE_SUFFIXES  # noqa: PTH122 - no path yet, and any text


def _of_url(name: str, rest: str) -> Endpoint:
    scheme = SCHEMES.get(name.encode())
    if scheme is None:
        raise _NoTarget(
            f"{name}:// is nothing that App Transport Security governs", "give http://, https://, ws:// or wss://"
        )
    authority = _AUTHORITY_END.split(rest, maxsplit=1)[0].rpartition("@")[2]
    if not authority:
        raise _NoTarget("a URL without a host", _FORMS)
    found = _of_authority(authority, DEFAULT_PORTS[scheme])
    return Endpoint(found.host, found.port, scheme)


def _of_authority(text: str, port: int) -> Endpoint:
    """Read ``host``, ``host:port``, ``[IPv6]``, ``[IPv6]:port`` or a bare IPv6 literal; https where no URL says otherwise."""
    name, digits = text, ""
    if text.startswith("["):
        name, bracket, rest = text.partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise _NoTarget("not an IPv6 literal", "write it as [2001:db8::1] or [2001:db8::1]:8443")
        name, digits = name[1:], rest[1:]
        if not _is_ipv6(name):
            raise _NoTarget("what stands in brackets is no IPv6 address", _FORMS)
        if rest == ":":
            raise _NoTarget("no port after the colon", _PORTS)
    elif ":" in text and not _is_ipv6(text):
        name, _, digits = text.rpartition(":")
        if not digits:
            raise _NoTarget("no port after the colon", _PORTS)
    return Endpoint(_host(name), _port(digits) if digits else port)


def _is_ipv6(text: str) -> bool:
    try:
        return ip_address(text).version == 6
    except ValueError:
        return False


def _port(digits: str) -> int:
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else -1
    if not 0 < number < 65536:
        shown = f"port {digits}" if number >= 0 else f"{digits[:40]!r}"
        raise _NoTarget(f"{shown} is no port", _PORTS)
    return number


def _host(name: str) -> Host:
    try:
        return parse_host(name)
    except InvalidHost as error:
        if len(name) > 253:
            raise _NoTarget(f"a host of {len(name)} characters; a host name has at most 253", _FORMS) from error
        raise _NoTarget(f"neither a path that exists nor a host: {error}", _FORMS) from error


def _missing(path: str, prefix: str = "") -> tuple[str, str]:
    """Say that a file does not exist, and which one with a similar name does, or how a host would be written."""
    folder, name = os.path.split(path)
    alike = difflib.get_close_matches(name[:255], _siblings(folder), 1, 0.6)
    if alike:
        return "no such file", f"did you mean {prefix}{printable_path(os.path.join(folder, alike[0]))}?"  # noqa: PTH118
    host = path.split("/", 1)[0]
    is_file = path == host and not path.lower().endswith(_ALSO_DOMAINS)
    if not prefix and not is_file and "." in host.strip(".") and len(host) < 254 and not host.startswith("."):
        return "no such file", f"a host? write https://{printable_path(path)}"
    return "no such file", ""


def _siblings(folder: str) -> list[str]:
    try:
        with os.scandir(folder or ".") as entries:
            return sorted(e.name for e, _ in zip(entries, range(_MAX_SIBLINGS), strict=False))
    except (OSError, ValueError):
        return []
