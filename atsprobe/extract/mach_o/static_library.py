"""A static library (`ar` archive of Mach-O objects), as some frameworks are shipped."""

from __future__ import annotations

from collections.abc import Iterator

from atsprobe.extract.mach_o.image import Image, image_at
from atsprobe.extract.sighting import Buffer

MAGIC = b"!<arch>\n"

_HEADER = 60
_MAX_MEMBERS = 20_000


def objects_in(data: Buffer, start: int, end: int) -> Iterator[Image]:
    """Give the Mach-O objects of the archive at ``start`` (BSD form: long names stand before the body, `#1/LENGTH`)."""
    if data[start : start + len(MAGIC)] != MAGIC:
        return
    at = start + len(MAGIC)
    for _ in range(_MAX_MEMBERS):
        header = data[at : at + _HEADER]
        if len(header) < _HEADER or header[58:60] != b"`\n" or at + _HEADER > end:
            return
        size, name_size = _number(header[48:58]), 0
        if header.startswith(b"#1/"):
            name_size = _number(header[3:16])
        body = at + _HEADER
        object_end = min(body + size, end)
        image = image_at(data, body + name_size, object_end, body + size) if name_size <= size else None
        if image:
            yield image
        at = body + size + size % 2


def _number(field: bytes) -> int:
    text = field.strip(b" ")
    return int(text) if text.isdigit() else 0
