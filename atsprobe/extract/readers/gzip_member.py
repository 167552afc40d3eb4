"""Files packed one by one with gzip or zlib, such as ``NOTICES.Z`` and ``data.json.gz``: what is inside, within bounds."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

from atsprobe.extract.member import HEAD_BYTES, Limits
from atsprobe.extract.readers import plain_text
from atsprobe.extract.sighting import Buffer, Format, HostSighting, Sighting, TemplateSighting, Trouble

_GZIP = b"\x1f\x8b\x08"
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_SUFFIXES = (".gz", ".gzip", ".z", ".zlib")
_ARCHIVES = (".tar", ".cpio", ".zip")
_AUTOMATIC = 32 + zlib.MAX_WBITS  # a header of gzip or of zlib
_MAX_BYTES = 64 << 20
_STEP = 1 << 20
_MAX_MEMBERS = 100
_RATIO_FROM = 1 << 20


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is packed by itself, by its suffix and its first bytes; archives of files are left alone."""
    inner = _inside(path)
    return bool(inner) and not inner.lower().endswith(_ARCHIVES) and (head.startswith(_GZIP) or head[:2] in _ZLIB)


def read(path: str, content: Buffer, format_of: Callable[[str, bytes], Format | None]) -> Iterator[Sighting]:
    """Give the hosts in what is inside, as the reader for its name and first bytes gives them. One level is unpacked."""
    data, trouble = inflate(content)
    if trouble:
        yield trouble
    inner, head = _inside(path), data[:HEAD_BYTES]
    row = format_of(inner, head)
    if row is None and plain_text.is_text(inner, head):
        row = Format("text", plain_text.is_text, plain_text.read)
    if row is None or recognises(inner, head):
        return
    for sighting in row.read(inner, data):
        if isinstance(sighting, HostSighting | TemplateSighting | Trouble):
            yield sighting


def inflate(content: Buffer) -> tuple[bytes, Trouble | None]:
    """Unpack at most 64 MiB, at most 200 times the packed size; give what was unpacked, and what ended it too early."""
    limits = Limits()
    most = min(_MAX_BYTES, max(_RATIO_FROM, limits.ratio * len(content)))
    parts: list[bytes] = []
    size, members = 0, 0
    packed = content[: _MAX_BYTES + 1]
    while packed and members < _MAX_MEMBERS:
        members += 1
        stream = zlib.decompressobj(_AUTOMATIC)
        try:
            while packed and not stream.eof:
                parts.append(stream.decompress(packed, min(_STEP, most + 1 - size)))
                size += len(parts[-1])
                packed = stream.unconsumed_tail
                if size > most:
                    return b"".join(parts)[:most], Trouble(
                        f"unpacks to more than {most >> 20} MiB; the rest was not read"
                    )
        except zlib.error:
            if members > 1:  # what follows the first is padding
                return b"".join(parts), None
            return b"".join(parts), Trouble("packed with gzip or zlib, but damaged", "export or download it again")
        if not stream.eof:
            return b"".join(parts), Trouble("packed with gzip or zlib, but cut short", "export or download it again")
        packed = stream.unused_data
    rest = Trouble(f"more than {_MAX_MEMBERS} parts packed one by one; the rest was not read") if packed else None
    return b"".join(parts), rest


def _inside(path: str) -> str:
    stem, dot, suffix = path.rpartition(".")
    return stem if dot and f".{suffix.lower()}" in _SUFFIXES else ""
