"""Hermes bytecode (React Native): its strings, by the string table.

Strings share bytes: more than half lie inside or across others, so that a scan of the bytes reads hosts that do not exist
and loses those that do. Layout: hermes, include/hermes/BCGen/HBC/BytecodeFileFormat.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from atsprobe.extract.readers.string_values import Value, most_bytes, scanned, sightings_of
from atsprobe.extract.sighting import Buffer, Sighting, Trouble
from atsprobe.model.endpoint import ByteOffset

MAGIC = bytes.fromhex("c61fbc03c103191f")

_HEADER_BYTES = 128
_COUNTS = struct.Struct("<6I")  # functions, string kinds, identifiers, strings, overflowing strings, bytes of storage
_COUNTS_AT = 40
_STRIDES = (16, 12, 20, 24, 28, 32)
_FIRST_OF_12 = 98
"""The version from which on the header of a function has 12 bytes, measured on what the compilers write; before, it has 16."""

_OVERFLOW = 255
_MAX_STRINGS = 1_000_000


@dataclass(frozen=True, slots=True)
class StringTable:
    """A string table that agrees with its header: the offset of its storage in the file, and (offset in it, length in
    characters, whether they are UTF-16) of each string.
    """

    storage: int
    entries: tuple[tuple[int, int, bool], ...]


def recognises(_: str, head: bytes) -> bool:
    """Say whether a file is Hermes bytecode (BytecodeFileFormat.h: the magic number)."""
    return head.startswith(MAGIC)


def read(_: str, content: Buffer) -> Iterator[Sighting]:
    """Give the hosts in its strings. Where the table does not agree with the header, the bytes are scanned, and that is said."""
    table = string_table(content)
    if table is None:
        version = int.from_bytes(content[8:12], "little")
        yield Trouble(
            f"Hermes bytecode of version {version} whose string table could not be read; it was read as plain bytes",
            "name its hosts beside the app",
            is_damage=False,
        )
        yield from scanned(content)
        return
    strings = sorted(set(table.entries))
    room = most_bytes(len(content) - table.storage)
    if sum(length for _, length, _ in strings) > room:
        yield Trouble("Hermes bytecode whose strings overlap beyond measure; those after the first were not read")
    yield from sightings_of(_values(content, table.storage, strings, room))


def string_table(content: Buffer) -> StringTable | None:
    """Find the string table: behind the headers of the functions, whose size the version tells; any size for a new version.

    None where no place agrees with the header.
    """
    header = content[:_HEADER_BYTES]
    if len(header) < _HEADER_BYTES:
        return None
    size = _COUNTS.unpack_from(header, _COUNTS_AT)[-1]
    known = 12 if int.from_bytes(header[8:12], "little") >= _FIRST_OF_12 else 16
    for stride in (known, *(s for s in _STRIDES if s != known)):
        table = _table_behind(content, header, stride)
        if table and (stride == known or _is_plausible(content, table, size)):
            return table
    return None


def _table_behind(content: Buffer, header: bytes, stride: int) -> StringTable | None:
    functions, kinds, identifiers, count, overflowing, size = _COUNTS.unpack_from(header, _COUNTS_AT)
    at = _HEADER_BYTES + stride * functions + 4 * (kinds + identifiers)
    storage = at + 4 * count + 8 * overflowing
    if storage + size > len(content) or (size and not count) or count > _MAX_STRINGS:
        return None
    small = struct.unpack(f"<{count}I", content[at : at + 4 * count])
    if sum(1 for word in small if word >> 24 == _OVERFLOW) != overflowing:
        return None
    large = tuple(struct.iter_unpack("<2I", content[at + 4 * count : storage]))
    entries: list[tuple[int, int, bool]] = []
    for word in small:
        offset, length, is_wide = word >> 1 & 0x7FFFFF, word >> 24, bool(word & 1)
        if length == _OVERFLOW:
            if offset >= overflowing:
                return None
            offset, length = large[offset]
        if offset + (2 * length if is_wide else length) > size:
            return None
        entries.append((offset, length, is_wide))
    return StringTable(storage, tuple(entries))


def _is_plausible(content: Buffer, table: StringTable, size: int) -> bool:
    """Say whether a table at a place tried on chance is the right one.

    Its strings use the storage to its end, and the narrow ones are ASCII, as Hermes writes them.
    """
    entries = set(table.entries)
    if max((at + (2 * n if wide else n) for at, n, wide in entries), default=0) + 3 < size:
        return False
    narrow = [(at, n) for at, n, wide in entries if not wide]
    if sum(n for _, n in narrow) > most_bytes(len(content) - table.storage):
        return False
    return all(content[table.storage + at : table.storage + at + n].isascii() for at, n in narrow)


def _values(content: Buffer, storage: int, strings: list[tuple[int, int, bool]], room: int) -> Iterator[Value]:
    for offset, length, is_wide in strings:
        room -= length
        if room < 0:
            return
        at = storage + offset
        if is_wide:
            text = content[at : at + 2 * length].decode("utf-16-le", "replace")
        else:
            text = content[at : at + length].decode("latin-1")
        if "." in text or "://" in text:
            yield text, ByteOffset(at, "utf-16le" if is_wide else "ascii")
