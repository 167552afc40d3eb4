"""Bytes → URLs and their hosts, by an anchored scan: find ``://``, then walk a bounded way in both directions.

A regular expression of whole host names would be quadratic on hostile input; this is linear in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from heapq import merge

from atsprobe.extract.sighting import Buffer
from atsprobe.model.endpoint import (
    DEFAULT_PORTS,
    Confidence,
    Endpoint,
    Host,
    InvalidHost,
    Scheme,
    ip_address_of,
    parse_host,
)
from atsprobe.model.public_suffix import registrable_domain

SCHEMES: dict[bytes, Scheme] = {b"https": "https", b"http": "http", b"wss": "https", b"ws": "http"}
"""The schemes whose loads App Transport Security governs."""

OTHER_SCHEMES = frozenset(
    scheme.encode()
    for scheme in (
        *("ftp", "ftps", "sftp", "mqtt", "mqtts", "amqp", "amqps", "stun", "stuns", "turn", "turns", "grpc", "grpcs"),
        *("rtmp", "rtmps", "rtsp", "rtsps", "sip", "sips", "ldap", "ldaps", "smtp", "smtps", "imap", "imaps", "coap"),
        *("pop3", "pop3s", "xmpp", "nats", "tls", "ssl", "tcp", "udp", "ssh", "redis", "rediss"),
    )
)
"""Schemes of servers that an app talks to outside of App Transport Security: their hosts are listed, and are no loads."""

KNOWN_SCHEMES = OTHER_SCHEMES | SCHEMES.keys()

_BEFORE, _AFTER = 40, 400
_MAX_TEXT, _MAX_PATH = 200, 60
_SCHEME_BYTES = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-"

_SCHEME_ENDS = b"0123456789_@})abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The last byte before an anchor: of a scheme, or of what is filled in at run time."""

_ANCHOR = re.compile(rb"://")
_ESCAPED_ANCHOR = re.compile(rb":(?:/|\\/|\\u002[Ff]){2}")
_PERCENT_ANCHOR = re.compile(rb"%3[Aa]%2[Ff]%2[Ff]")
_WIDE_ANCHOR = re.compile(rb":\x00/\x00/\x00")

_RUN_TIME = rb"|".join(
    (
        rb"%(?!2[FfCc025]|3[AaFfCcEe])(?:\d\$)?[-+ #0]?\d{0,3}(?:\.\d{1,2})?(?:hh?|ll?|[qztj])?[@sSdDiuUxXoCcfgGeE]",  # printf
        rb"%\{[^{}\s]{0,64}\}",
        rb"\{\{[^{}\"'<>]{0,64}\}\}",
        rb"[$#]?\{[^{}\s\"'<>]{0,64}\}",  # ${a}, #{a}, {0}
        rb"\$\([A-Za-z0-9_.:-]{0,64}\)",  # build settings
        rb"\\\([^()\s\"]{0,64}\)",  # Swift
        rb"<[A-Za-z][A-Za-z0-9_ -]{0,40}>",
        rb"\$[A-Za-z_][A-Za-z0-9_]{0,40}",
        rb"\$[{(]",  # an expression too long or too deep to follow
        rb"\*",
    )
)
_RUN_TIME_PART = re.compile(_RUN_TIME)
_RUN_TIME_BEFORE = re.compile(
    rb"(?:%(?:\d\$)?[@sS]|\}|\\\([^()]{0,20}\)|\$\([^()]{0,20}\)|\$[A-Za-z_][A-Za-z0-9_]{0,20})\Z"
)
_AUTHORITY = re.compile(rb"(?:" + _RUN_TIME + rb"|%25|[A-Za-z0-9._~:@\[\]\x80-\xff-])*+")
_IPV6 = re.compile(rb"\[([0-9A-Fa-f:.]{2,45})(?:%25[^\]]{1,20})?\](?::([^@]*))?\Z")
_URL_REST = re.compile(rb"[^\x00-\x20\"'<>`|^\\\x7f]{0,200}")
_JSON_ESCAPE = re.compile(rb"\\(?:u([0-9A-Fa-f]{4})|(/))")
_LITTLE_ENDIAN = re.compile(rb"(?:[\x21-\x7e]\x00)*+")
_QUERY_END = re.compile(rb"[\s\"'&<>]")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_PATTERN = re.compile(rb"\\{1,4}[][.(){}?+*|^$dDwWsSbB-]")  # what follows in a regular expression, not in a URL
_NAMESPACE = re.compile(rb"xmlns(?::[A-Za-z_][A-Za-z0-9_.-]*)?=\\?[\"']\Z")
_FILLED_IN, _OPEN_END = b"\0", b"\1"


@dataclass(frozen=True, slots=True)
class FoundUrl:
    """A URL with a host that stands there. ``scheme`` is None where that is filled in at run time.

    ``is_load`` is false for a URL of `OTHER_SCHEMES`, whose scheme and port are None: neither is one of a load.
    """

    host: Host
    port: int | None
    scheme: Scheme | None
    is_load: bool = True


@dataclass(frozen=True, slots=True)
class FoundTemplate:
    """A URL whose host, or whose port, is filled in at run time; ``host`` is set where only the port is."""

    suffix: str
    host: Host | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A URL in a buffer: what it says, the offset of its first byte, its text (at most 200 characters) and path.

    ``is_sure`` is false where other letters stand directly before the scheme, as in binaries that keep strings end to end.
    ``is_namespace`` says that it is the value of an ``xmlns`` attribute, which nobody loads (Namespaces in XML 1.0, §2.1).
    """

    found: FoundUrl | FoundTemplate
    offset: int
    text: str
    path: str
    is_sure: bool = True
    encoding: str = "ascii"
    is_namespace: bool = False

    @property
    def confidence(self) -> Confidence:
        """How sure it is that the app means to load from this host; of a URL that ATS does not govern as little as of a text."""
        if isinstance(self.found, FoundUrl) and self.found.scheme is None:
            return Confidence.BARE if self.found.is_load else Confidence.EMBEDDED
        return Confidence.URL if self.is_sure else Confidence.EMBEDDED


def endpoint_of(url: FoundUrl) -> Endpoint:
    """Give the endpoint that a URL names: https where its scheme is not known."""
    scheme = url.scheme or "https"
    return Endpoint(url.host, url.port or DEFAULT_PORTS[scheme], scheme)


def urls_in(data: Buffer, start: int = 0, end: int | None = None, *, escapes: bool = False) -> Iterator[Hit]:
    r"""Give the URLs in ASCII or UTF-8 bytes, in order; with ``escapes`` also ``https:\/\/`` and ``https%3A%2F%2F``."""
    end = len(data) if end is None else end
    for anchor in _escaped_anchors(data, start, end) if escapes else _ANCHOR.finditer(data, start, end):
        at, after_at = anchor.span()
        if at == start or data[at - 1] not in _SCHEME_ENDS:
            continue
        written = _scheme_before(data[max(start, at - _BEFORE) : at])
        if written is None:
            continue
        after = data[after_at : min(after_at + _AFTER, end)]
        if escapes:
            after = _unescaped(after, anchor[0])
        hit = _hit(written, after, at)
        if hit:
            yield hit


def _escaped_anchors(data: Buffer, start: int, end: int) -> Iterator[re.Match[bytes]]:
    """Give the anchors of both kinds in order. Two patterns that begin with a letter are ten times as fast as one of either."""
    anchors = _ESCAPED_ANCHOR.finditer(data, start, end)
    if not _PERCENT_ANCHOR.search(data, start, end):
        return anchors
    return merge(anchors, _PERCENT_ANCHOR.finditer(data, start, end), key=lambda m: m.start())


def wide_urls_in(data: Buffer, start: int = 0, end: int | None = None) -> Iterator[Hit]:
    """Give the URLs in UTF-16, in order. Little-endian text is looked for; big-endian text reads the same one byte off."""
    end = len(data) if end is None else end
    for anchor in _WIDE_ANCHOR.finditer(data, start, end):
        at, after_at = anchor.span()
        if at - 2 < start or data[at - 2] not in _SCHEME_ENDS:
            continue
        encoding = "utf-16le"
        if data[at - 1] == 0 and _big_endian_is_longer(data, after_at, end):
            encoding, at, after_at = "utf-16be", at - 1, after_at - 1
        written = _scheme_before(_narrow(data[at - min(2 * _BEFORE, (at - start) // 2 * 2) : at], encoding))
        if written is None:
            continue
        after = _narrow(data[after_at : min(after_at + 2 * _AFTER, end)], encoding)
        hit = _hit(written, after, at - len(written.text), encoding)  # each letter before the anchor is two bytes
        if hit:
            yield hit


def _big_endian_is_longer(data: Buffer, at: int, end: int) -> bool:
    r"""Say whether the text after ``:\0/\0/\0`` goes on for longer when each byte pair is read from one byte earlier.

    A little-endian reading of big-endian text loses the last character: ``last.example.co`` for ``last.example.com``. So
    it is what stands behind the one text, after the zero that ends it, that makes the other longer.
    """
    end = min(at + 2 * _AFTER, end)
    little = _LITTLE_ENDIAN.match(data, at, end)
    return little is not None and little.end() < end and 0x21 <= data[little.end()] <= 0x7E


def _narrow(wide: bytes, encoding: str) -> bytes:
    return wide[: len(wide) // 2 * 2].decode(encoding, "replace").encode("utf-8", "replace")


def _unescaped(after: bytes, anchor: bytes) -> bytes:
    """Undo the escapes of JSON and JavaScript, or of a URL in a query, in what follows the anchor."""
    if anchor[:1] == b"%":
        return _PERCENT.sub(lambda m: bytes((int(m[1], 16),)), _QUERY_END.split(after, maxsplit=1)[0])
    if b"\\" not in after:
        return after
    following = _ESCAPED_ANCHOR.search(after)  # behind it other URLs begin, so that each escape is undone once
    end = following.end() if following else len(after)
    return _JSON_ESCAPE.sub(_json_character, after[:end]) + after[end:]


def _json_character(escape: re.Match[bytes]) -> bytes:
    return chr(int(escape[1], 16)).encode("utf-8", "replace") if escape[1] else b"/"


@dataclass(frozen=True, slots=True)
class _Written:
    """The scheme before an anchor as it is written; None where it is filled in at run time, or is no load's."""

    scheme: Scheme | None
    text: bytes
    is_sure: bool
    is_load: bool = True
    is_namespace: bool = False


def _scheme_before(before: bytes) -> _Written | None:
    """Read the scheme at the end of what stands before an anchor; None for one of no server that is known here.

    http and https count too where other letters run into them; ``git+https`` and ``x-http`` are other schemes.
    """
    run = before[len(before.rstrip(_SCHEME_BYTES)) :].lstrip(b"+-.")  # a scheme begins with a letter (RFC 3986 §3.1)
    name = run.lower()
    if name in SCHEMES:
        is_namespace = b"xmlns" in before and bool(_NAMESPACE.search(before[: -len(run)]))
        return _Written(SCHEMES[name], run, is_sure=True, is_namespace=is_namespace)
    if name in OTHER_SCHEMES:
        return _Written(None, run, is_sure=True, is_load=False)
    for known in (b"https", b"http"):
        if name.endswith(known) and name[-len(known) - 1 : -len(known)].isalnum():
            return _Written(SCHEMES[known], run[-len(known) :], is_sure=False)
    if not run or b"%" in before or b"$" in before:
        filled_in = _RUN_TIME_BEFORE.search(before)
        if filled_in:
            return _Written(None, filled_in[0], is_sure=True)
    return None


def _hit(written: _Written, after: bytes, anchor: int, encoding: str = "ascii") -> Hit | None:
    authority = _AUTHORITY.match(after)
    found = _parse(written.scheme, authority[0]) if authority and authority[0] else None
    if found and not written.is_load:
        found = FoundUrl(found.host, None, None, is_load=False) if found.host else None
    if not found or not authority or _PATTERN.match(after, authority.end()):
        return None
    rest = _URL_REST.match(after, authority.end())
    path = rest[0] if rest else b""
    text = (written.text + b"://" + authority[0] + path).rstrip(b".,;:)]")
    return Hit(
        found,
        anchor - len(written.text),
        text.decode("utf-8", "replace")[:_MAX_TEXT],
        path[:_MAX_PATH].decode("utf-8", "replace"),
        written.is_sure,
        encoding,
        written.is_namespace,
    )


@lru_cache(maxsize=16384)
def _parse(scheme: Scheme | None, authority: bytes) -> FoundUrl | FoundTemplate | None:
    """Read ``[userinfo@]host[:port]`` (RFC 3986 §3.2); None where no client would find a host in it."""
    place = _RUN_TIME_PART.sub(_placeholder, authority).rpartition(b"@")[2]
    literal = _IPV6.match(place)
    if literal:
        host, port = _host(literal[1]), literal[2] or b""
    else:
        name, _, port = place.partition(b":")
        if _OPEN_END in name:  # what stands behind it belongs to the expression
            name = name.partition(_OPEN_END)[0] + _FILLED_IN
        if _FILLED_IN in name:
            return _template(scheme, name, port)
        host = _host(name)
    if host is None:
        return None
    if _OPEN_END in port or _FILLED_IN in port.rstrip(_FILLED_IN) or port == _FILLED_IN:
        return FoundTemplate(host, host)
    return _url(scheme, host, port)


def _placeholder(part: re.Match[bytes]) -> bytes:
    return _OPEN_END if part[0] in (b"${", b"$(") else _FILLED_IN


def _url(scheme: Scheme | None, host: Host, port: bytes) -> FoundUrl | None:
    digits = port.rstrip(_FILLED_IN + b".")
    if not digits:
        return FoundUrl(host, None, scheme)
    number = int(digits) if digits.isdigit() and len(digits) < 6 else 0
    return FoundUrl(host, number, scheme) if 0 < number < 65536 else None


def _template(scheme: Scheme | None, name: bytes, port: bytes) -> FoundUrl | FoundTemplate | None:
    """Tell a host with a part filled in from a whole host after which the path is filled in (``https://a.example.com%@``)."""
    fixed = name.rstrip(_FILLED_IN)
    host = _host(fixed) if fixed and _FILLED_IN not in fixed and not fixed.endswith(b".") else None
    if host and (has_public_suffix(host) or ip_address_of(host)):
        return _url(scheme, host, port) if _FILLED_IN not in port else FoundTemplate(host, host)
    tail = name.rpartition(_FILLED_IN)[2]
    if not tail.startswith(b"."):
        tail = tail.partition(b".")[2]  # the first label may go on to the left
    suffix = _host(tail.strip(b".")) if tail else None
    return FoundTemplate(suffix or "")


def _host(name: bytes) -> Host | None:
    """Read a host; where other text follows it directly in a script without blanks, the ASCII part of it."""
    name = name.rstrip(b".-~")
    try:
        return parse_host(name.decode("utf-8"))
    except (InvalidHost, UnicodeDecodeError):
        pass
    ascii_part = re.match(rb"[\x00-\x7f]*", name)
    if not ascii_part or len(ascii_part[0]) == len(name):
        return None
    try:
        host = parse_host(ascii_part[0].rstrip(b".-").decode("ascii"))
    except InvalidHost:
        return None
    return host if "." in host or ":" in host or host == "localhost" else None  # else the name goes on


@lru_cache(maxsize=16384)
def has_public_suffix(host: Host) -> bool:
    """Say whether a name stands under a suffix of the Public Suffix List, so that somebody can own it."""
    return registrable_domain(host) is not None


@lru_cache(maxsize=16384)
def is_local_form(host: Host) -> bool:
    """Say whether a URL's host is an IP literal, a name of one label, or under ``.local``: no public name, but a load."""
    return ip_address_of(host) is not None or "." not in host or host.endswith(".local")


_KEY_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}://")
_KEY_PORT = re.compile(r":\d{1,5}\Z")


def host_meant_by_key(key: str) -> Host | None:
    """Give the host that a key of NSExceptionDomains names, or was meant to name where it is misspelt.

    ``EXAMPLE.com``, ``*.example.com``, ``example.com:443``, ``https://example.com/`` and ``example.com.`` all mean
    ``example.com``. A range of addresses (CIDR) names no host; nor does ``*``.
    """
    text = key.strip()[:1000]
    has_scheme = _KEY_SCHEME.match(text)
    text = text[has_scheme.end() :] if has_scheme else text
    name, slash, rest = text.partition("/")
    if slash and not has_scheme and rest.isdigit():
        return None
    name = name.rpartition("@")[2]
    if name.count(":") == 1 or name.startswith("["):
        name = _KEY_PORT.sub("", name)
    name = name.removeprefix("*").lstrip(".") if name.startswith(("*.", ".")) else name
    try:
        return parse_host(name.rstrip("."))
    except InvalidHost:
        return None
