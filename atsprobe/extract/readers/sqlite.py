"""SQLite databases: the text values of their records, read from the pages as bytes.

No SQL engine sees the file: a schema can hold views, triggers and damage that one would run into, and a database that another
process left with a journal would be written to. A scan of all bytes would not do: the values of a record lie end to end.
Layout: https://sqlite.org/fileformat2.html (1.3 header, 1.6 b-tree pages, 2.1 records).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from atsprobe.extract.member import Unreadable
from atsprobe.extract.readers.string_values import Value, scanned, sightings_of
from atsprobe.extract.sighting import Buffer, Sighting, Trouble
from atsprobe.model.endpoint import ByteOffset

MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR, _TABLE_INTERIOR = 0x0D, 0x0A, 0x02, 0x05
_CELL_BEFORE = {_TABLE_LEAF: 0, _INDEX_LEAF: 0, _INDEX_INTERIOR: 4}
_B_TREE = (*_CELL_BEFORE, _TABLE_INTERIOR)
_ENCODINGS = {1: ("utf-8", "utf-8"), 2: ("utf-16-le", "utf-16le"), 3: ("utf-16-be", "utf-16be")}
_ANCHORS = (re.compile(rb"://"), re.compile(rb"\.[a-z]{2}"))
_MAX_RECORD = 1 << 20
_MAX_CELLS, _FEW_CELLS, _BYTES_A_CELL = 2_000_000, 200_000, 32
_MAX_VALUES = 2_000


def recognises(_: str, head: bytes) -> bool:
    """Say whether a file is a database of SQLite 3, by the first bytes of its header."""
    return head.startswith(MAGIC)


def read(_: str, content: Buffer) -> Iterator[Sighting]:
    """Give the hosts in the text values. A database whose header is damaged is scanned, as unsure."""
    database = _database(content)
    if database is None:
        yield Trouble("a database whose header is damaged; it was read as plain bytes")
        yield from scanned(content)
        return
    yield from sightings_of(database.values())


def _database(content: Buffer) -> _Database | None:
    header = content[:_HEADER_BYTES]
    if len(header) < _HEADER_BYTES:
        return None
    size = int.from_bytes(header[16:18], "big")
    size = 65536 if size == 1 else size
    encoding = _ENCODINGS.get(int.from_bytes(header[56:60], "big") or 1)
    if size < 512 or size & (size - 1) or size - header[20] < 480 or encoding is None:
        return None
    return _Database(content, size, size - header[20], *encoding)


@dataclass
class _Database:
    """A database: the size of its pages, how much of each is used, and the encoding of its texts.

    ``_left`` bounds the bytes that are gathered from overflow pages, which cells of a hostile file may share.
    """

    content: Buffer
    page_size: int
    usable: int
    codec: str
    encoding: str
    _left: int = field(init=False)

    def __post_init__(self) -> None:
        self._left = max(16 << 20, 2 * len(self.content))

    def values(self) -> Iterator[Value]:
        """Give the texts that may name a host, page by page. Raises Unreadable where cells are too many, or share their bytes."""
        most = min(_MAX_CELLS, _FEW_CELLS + len(self.content) // _BYTES_A_CELL)
        cells = 0
        for number in self._pages():
            page = self.content[number * self.page_size : (number + 1) * self.page_size]
            for at in self._cells(page, first=number == 0):
                cells += 1
                if cells > most:
                    raise Unreadable(f"a database of more than {most:,} records; the rest was not read")
                yield from self._texts(page, at, number * self.page_size, first=number == 0)

    def _pages(self) -> Iterator[int]:
        """Give the pages to look into: all, or those with an anchor where all anchors lie in pages of a b-tree."""
        count = -(-len(self.content) // self.page_size)
        if self.codec != "utf-8":
            return iter(range(count))
        hit = {m.start() // self.page_size for anchor in _ANCHORS for m in anchor.finditer(self.content)}
        kinds = {self.content[n * self.page_size] for n in hit if n}
        return iter(sorted(hit) if kinds <= set(_B_TREE) else range(count))

    def _cells(self, page: bytes, *, first: bool) -> Iterator[int]:
        """Give where each cell begins in a page of a b-tree that holds records."""
        at = _HEADER_BYTES if first else 0
        if len(page) < at + 12 or page[at] not in _CELL_BEFORE:
            return
        count = int.from_bytes(page[at + 3 : at + 5], "big")
        at += 12 if page[at] == _INDEX_INTERIOR else 8
        for pointer in range(at, min(at + 2 * count, len(page) - 1), 2):
            yield int.from_bytes(page[pointer : pointer + 2], "big")

    def _texts(self, page: bytes, at: int, start: int, *, first: bool) -> Iterator[Value]:
        kind = page[_HEADER_BYTES if first else 0]
        size, at = _varint(page, at + _CELL_BEFORE[kind])
        if kind == _TABLE_LEAF:
            _, at = _varint(page, at)
        local = self._local(size, is_table=kind == _TABLE_LEAF)
        record = page[at : at + local]
        if local < size:
            following = int.from_bytes(page[at + local : at + local + 4], "big")
            record += self._overflow(following, min(size, _MAX_RECORD) - local)
        if self.codec == "utf-8" and not any(anchor.search(record) for anchor in _ANCHORS):
            return
        for offset, data in _text_values(record):
            text = data.decode(self.codec, "replace")
            if "." in text or "://" in text:
                encoding = "ascii" if self.codec == "utf-8" and text.isascii() else self.encoding
                yield text, ByteOffset(start + at + min(offset, local), encoding)

    def _local(self, size: int, *, is_table: bool) -> int:
        """Give how much of a record lies in its cell; the rest lies in overflow pages (fileformat2, 1.6)."""
        most = self.usable - 35 if is_table else (self.usable - 12) * 64 // 255 - 23
        if size <= most:
            return size
        least = (self.usable - 12) * 32 // 255 - 23
        wanted = least + (size - least) % (self.usable - 4)
        return wanted if wanted <= most else least

    def _overflow(self, number: int, size: int) -> bytes:
        """Give the rest of a record: pages that each begin with the number of the next, 0 in the last."""
        parts: list[bytes] = []
        while number and size > 0 and self._left > 0:
            start = (number - 1) * self.page_size
            page = self.content[start : start + self.usable]
            if len(page) < 4:
                break
            parts.append(page[4 : 4 + size])
            size -= len(page) - 4
            self._left -= self.page_size
            number = int.from_bytes(page[:4], "big")
        return b"".join(parts)


def _text_values(record: bytes) -> Iterator[tuple[int, bytes]]:
    """Give (offset, bytes) of the texts of a record: its header lists the type and length of each value."""
    end, at = _varint(record, 0)
    offset = end
    for _ in range(_MAX_VALUES):
        if at >= min(end, len(record)) or offset >= len(record):
            return
        kind, at = _varint(record, at)
        if kind >= 12:
            size = (kind - 12) // 2
            if kind & 1:
                yield offset, record[offset : offset + size]
        else:
            size = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0)[kind]
        offset += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Read a number of one to nine bytes, seven bits each but for the ninth; give it and where it ends."""
    value = 0
    for index in range(9):
        byte = data[at + index] if at + index < len(data) else 0
        if index == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    return value, at + 9
