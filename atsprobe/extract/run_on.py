"""URLs in bytes that end without a NUL: where a length before them says so, and where strings stand end to end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from atsprobe.extract.host_names import FoundUrl, Hit, has_public_suffix, is_local_form, urls_in, wide_urls_in
from atsprobe.extract.sighting import Buffer
from atsprobe.model.endpoint import Host
from atsprobe.model.public_suffix import is_public_suffix

_URI, _IA5_STRING = 0x86, 0x16  # GeneralName [6] (RFC 5280 §4.2.1.6), and a policy's CPS pointer (§4.2.1.4)
_CERTIFICATE = (
    b"\xa0\x03\x02\x01\x02"  # version 3, behind the lengths of Certificate and TBSCertificate (RFC 5280 §4.1)
)
_MAX_CERTIFICATES = 10_000
_LONGEST_SUFFIX, _SHORTEST_URL = 24, 10
_ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}(?=[^\d.])")


def ended(data: Buffer, hit: Hit) -> Hit | None:
    """Give a hit as it reads up to the end of its own string, less sure where that had to be found out.

    That end is known in DER, where the URL is one of a certificate, and in the UTF-16 literals of Kotlin/Native, which begin
    with a count of their characters (ArrayHeader, Memory.h). Elsewhere a host under no suffix (``api.example.comnext``) is
    cut behind the suffix that its last label begins with. None for a name without a dot into which other text runs.
    """
    if not isinstance(hit.found, FoundUrl):
        return hit
    if hit.encoding != "ascii":
        return _counted(data, hit)
    length = _length_in_der(data, hit.offset)
    if length:
        inside = next(urls_in(data, hit.offset, hit.offset + length), None)
        return replace(inside, is_sure=False) if inside else hit
    host = hit.found.host
    if has_public_suffix(host) or (is_local_form(host) and ("." in host or ":" in host or host == "localhost")):
        return hit
    behind = hit.offset + len(hit.text)
    if is_local_form(host):
        return hit if data[behind : behind + 1] in (b"", b"\0") and hit.is_sure else None
    shorter = _cut(host)
    if shorter is None:
        return hit
    text = hit.text[: hit.text.lower().find(shorter) + len(shorter)]
    return replace(hit, found=replace(hit.found, host=shorter), text=text, path="", is_sure=False)


def certificates_in(data: Buffer, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Give where certificates in DER begin and end, in order; what they name is where their issuer's papers lie."""
    at = start
    for _ in range(_MAX_CERTIFICATES):
        at = data.find(_CERTIFICATE, at, end) + len(_CERTIFICATE)
        if at < len(_CERTIFICATE):
            return
        outer = at - len(_CERTIFICATE) - 8
        head = data[max(start, outer) : outer + 8]
        if len(head) == 8 and head[:2] == head[4:6] == b"0\x82":
            yield outer, min(end, outer + 4 + int.from_bytes(head[2:4], "big"))


def outside(spans: Iterable[tuple[int, int]], hits: Iterable[Hit]) -> Iterator[Hit]:
    """Give hits in order, those inside the spans as less sure."""
    last = 0
    ahead = iter(spans)
    span = next(ahead, None)
    for hit in hits:
        while span and span[0] <= hit.offset:
            last = max(last, span[1])
            span = next(ahead, None)
        yield replace(hit, is_sure=False) if hit.offset < last else hit


def _counted(data: Buffer, hit: Hit) -> Hit:
    """Cut a hit in UTF-16 where four bytes before it count fewer characters; one byte off, such text reads as big-endian."""
    start = hit.offset + (hit.encoding == "utf-16be")
    count = int.from_bytes(data[max(0, start - 4) : start], "little")
    if not _SHORTEST_URL <= count < len(hit.text):
        return hit
    return next(wide_urls_in(data, start, start + 2 * count), hit)


def _length_in_der(data: Buffer, offset: int) -> int:
    """Give the length that DER writes directly before a URI, 0 where there is none."""
    tag = data[max(0, offset - 2) : offset]
    return tag[1] if len(tag) == 2 and tag[0] in (_URI, _IA5_STRING) and _SHORTEST_URL <= tag[1] < 0x80 else 0


@lru_cache(maxsize=16384)
def _cut(host: Host) -> Host | None:
    address = _ADDRESS.match(host)
    if address:
        return Host(address[0])
    rest, _, last = host.rpartition(".")
    if not rest:
        return None
    for length in range(min(len(last) - 1, _LONGEST_SUFFIX), 1, -1):
        if is_public_suffix(Host(last[:length])):
            return Host(f"{rest}.{last[:length]}")
    return None
