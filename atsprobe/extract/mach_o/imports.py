"""The names that a Mach-O image imports, and whether it defines one, read within bounds.

Three lists are united, since strip takes names of Swift out of the symbol table that dyld still needs: LC_SYMTAB, the import
table of LC_DYLD_CHAINED_FIXUPS and the bind opcodes of LC_DYLD_INFO. Layouts: Apple, <mach-o/nlist.h>, <mach-o/loader.h>,
<mach-o/fixup-chains.h>.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from atsprobe.extract.mach_o.image import Image
from atsprobe.extract.sighting import Buffer

_MAX_NAMES = 200_000
_MAX_NAME = 256
"""Longer names, of Swift, are kept up to here: a table that lies must not make a gigabyte of them."""
_ROWS_AT_ONCE = 1 << 18
_MAX_OPCODES = 2_000_000
_MAX_BIND_BYTES = 64 << 20
_MAX_STEPS = 10_000

_UNDEFINED_EXTERNAL = re.compile(b"\x01")  # n_type: N_EXT, and N_UNDF, which is 0
_IMPORT_FORMATS = {1: 4, 2: 8, 3: 16}  # DYLD_CHAINED_IMPORT, …_ADDEND, …_ADDEND64, by the size of an entry
_SET_SYMBOL, _OPERANDS = (
    0x40,
    {0x20: 1, 0x60: 1, 0x70: 1, 0x80: 1, 0xA0: 1, 0xC0: 2},
)  # bind opcodes, LEB128s after them


def imported_names(data: Buffer, image: Image) -> frozenset[bytes]:
    """Give the names of what an image takes from others, as the linker writes them (``_connect``)."""
    found = set(_from_symbols(data, image))
    found.update(_from_chained_fixups(data, image))
    for start, end in image.link_edit.binds:
        found.update(_from_binds(data[start : min(end, start + _MAX_BIND_BYTES)]))
    return frozenset(found)


def defines(data: Buffer, image: Image, name: bytes) -> bool:
    """Say whether a name that an image does not import is in its symbol table, or in its export trie where that is stripped."""
    symbols = image.link_edit.symbols
    if symbols and data.find(b"\0" + name + b"\0", *symbols.names) >= 0:
        return True
    return image.link_edit.exports is not None and _is_exported(data, *image.link_edit.exports, name)


def _from_symbols(data: Buffer, image: Image) -> Iterator[bytes]:
    symbols = image.link_edit.symbols
    if symbols is None:
        return
    row = 16 if image.is_64 else 12
    start, end = symbols.names
    name_offset = struct.Struct(image.order + "I")
    number = 0
    for at in range(*symbols.entries, row * _ROWS_AT_ONCE):
        table = data[at : min(at + row * _ROWS_AT_ONCE, symbols.entries[1])]
        for symbol in _UNDEFINED_EXTERNAL.finditer(table[4::row]):
            number += 1
            if number > _MAX_NAMES:
                return
            yield _name(data, start + name_offset.unpack_from(table, symbol.start() * row)[0], end)


def _from_chained_fixups(data: Buffer, image: Image) -> Iterator[bytes]:
    if image.link_edit.chained_fixups is None:
        return
    start, end = image.link_edit.chained_fixups
    header = data[start : min(start + 28, end)]
    if len(header) < 28:
        return
    _, _, imports, symbols, count, form, compression = struct.unpack(image.order + "7I", header)
    size = _IMPORT_FORMATS.get(form)
    if size is None or compression:
        return
    table = data[min(start + imports, end) : min(start + imports + min(count, _MAX_NAMES) * size, end)]
    row = struct.Struct(image.order + ("Q8x" if size == 16 else "I4x" if size == 8 else "I"))
    for (packed,) in row.iter_unpack(table[: len(table) // size * size]):
        yield _name(data, start + symbols + (packed >> 32 if size == 16 else packed >> 9), end)


def _from_binds(opcodes: bytes) -> Iterator[bytes]:
    at = 0
    names = 0
    for _ in range(_MAX_OPCODES):
        if at >= len(opcodes) or names > _MAX_NAMES:
            return
        opcode = opcodes[at] & 0xF0
        at += 1
        if opcode == _SET_SYMBOL:
            end = opcodes.find(b"\0", at)
            if end < 0:
                return
            names += 1
            yield opcodes[at : min(end, at + _MAX_NAME)]
            at = end + 1
        for _ in range(_OPERANDS.get(opcode, 0)):
            at = _after_leb128(opcodes, at)


def _after_leb128(data: bytes, at: int) -> int:
    while at < len(data) and data[at] & 0x80:
        at += 1
    return at + 1


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    """Give an unsigned LEB128 of at most ten bytes, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    return value, at


def _is_exported(data: Buffer, start: int, end: int, name: bytes) -> bool:
    """Walk down the export trie: a node is a size, its terminal bytes, a count, then edges of text and node offset."""
    node, rest = start, name
    for _ in range(_MAX_STEPS):  # edges without text could lead round for ever
        terminal, at = _leb128(data[node : min(node + 10, end)], 0)
        if not rest:
            return terminal > 0
        children = node + at + terminal
        following = _edge(data[children : min(children + 256 * 1024, end)], rest)
        if following is None or start + following[1] >= end:
            return False
        rest, node = rest[following[0] :], start + following[1]
    return False


def _edge(node: bytes, rest: bytes) -> tuple[int, int] | None:
    """Give the length of the edge that the rest of a name begins with, and the offset of its node."""
    at = 1
    for _ in range(node[0] if node else 0):
        end = node.find(b"\0", at)
        if end < 0:
            return None
        offset, following = _leb128(node, end + 1)
        if rest.startswith(node[at:end]):
            return end - at, offset
        at = following
    return None


def _name(data: Buffer, start: int, end: int) -> bytes:
    text = data[start : min(end, start + _MAX_NAME)]
    return text.split(b"\0", 1)[0]
