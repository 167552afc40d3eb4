"""Unity's ``global-metadata.dat`` (IL2CPP): the string literals of an app's C# code, by their table.

The literals lie end to end, so that a scan of the bytes runs from one into the next. Layout: Unity's libil2cpp,
vm/GlobalMetadataFileInternals.h: a magic number, a version, and for the table and for its data an offset and a size, newer
versions with a count behind each size. A row is (length, index), in newer versions the index alone. Which of these a file has
is told by what agrees with itself.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import pairwise

from atsprobe.extract.readers.string_values import Value, most_bytes, scanned, sightings_of
from atsprobe.extract.sighting import Buffer, Sighting, Trouble
from atsprobe.model.endpoint import ByteOffset

MAGIC = struct.pack("<I", 0xFAB11BAF)
_NAME = "global-metadata.dat"
_HEADER = struct.Struct("<8I")
_MAX_LITERALS = 2_000_000
_WITH_LENGTH, _INDEX_ALONE = 8, 4


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is IL2CPP metadata, by its magic number, or by its name where that is missing."""
    return head.startswith(MAGIC) or (path.rpartition("/")[2] == _NAME and bool(head))


def read(_: str, content: Buffer) -> Iterator[Sighting]:
    """Give the hosts in the literals. Where no table is found, the bytes are scanned, and that is said."""
    literals = literals_in(content)
    if literals is None:
        is_known = content[:4] == MAGIC
        reason = "whose table of literals could not be read" if is_known else "that is encrypted or damaged"
        yield Trouble(
            f"Unity metadata {reason}; it was read as plain bytes", "name its hosts beside the app", is_damage=False
        )
        yield from scanned(content)
        return
    yield from sightings_of(_values(content, literals))


def _values(content: Buffer, literals: list[tuple[int, int]]) -> Iterator[Value]:
    for start, end in sorted(set(literals)):
        data = content[start:end]
        if b"." in data or b"://" in data:
            yield data.decode("utf-8", "replace"), ByteOffset(start, "ascii" if data.isascii() else "utf-8")


def literals_in(content: Buffer) -> list[tuple[int, int]] | None:
    """Give where each literal starts and ends in the file; None where no layout agrees with the file."""
    header = content[: _HEADER.size]
    if len(header) < _HEADER.size or header[:4] != MAGIC:
        return None
    _, _, table, size, third, fourth, fifth, _ = _HEADER.unpack(header)
    for width in (_WITH_LENGTH, _INDEX_ALONE):
        if size == third * width:  # a count of the rows stands behind the size
            found = _rows(content, (table, size), (fourth, fifth), width)
            if found is not None:
                return found
    for width in (_WITH_LENGTH, _INDEX_ALONE):
        found = _rows(content, (table, size), (third, fourth), width)
        if found is not None:
            return found
    return None


def _rows(content: Buffer, table: tuple[int, int], data: tuple[int, int], width: int) -> list[tuple[int, int]] | None:
    """Read the table at (offset, size) for the data at (offset, size), if every row lies within it."""
    (at, size), (start, room) = table, data
    count = size // width
    is_inside = (
        at >= _HEADER.size and at + size <= len(content) and start >= _HEADER.size and start + room <= len(content)
    )
    if not is_inside or size % width or count > _MAX_LITERALS or not (count and room):
        return None
    numbers = struct.unpack(f"<{size // 4}I", content[at : at + size])
    if width == _INDEX_ALONE:
        spans = list(pairwise((*numbers, room)))
    else:
        spans = [(index, index + length) for length, index in zip(numbers[::2], numbers[1::2], strict=True)]
    if any(first > last or last > room for first, last in spans) or sum(b - a for a, b in spans) > most_bytes(room):
        return None
    return [(start + first, start + last) for first, last in spans]
