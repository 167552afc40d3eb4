"""Mach-O images made byte by byte, for what no linker at hand writes."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ARM64, X86_64 = 0x0100000C, 0x01000007
DYLIB, OBJECT = 6, 1
BASE = 0x100000000


@dataclass(frozen=True)
class Made:
    """A section to be: its segment, name, address and bytes."""

    segment: str
    name: str
    address: int
    content: bytes
    flags: int = 0


def mach_o(
    sections: Sequence[Made] = (),
    *,
    imports: Sequence[bytes] = (),
    defines: Sequence[bytes] = (),
    chained: bytes = b"",
    binds: bytes = b"",
    lazy_binds: bytes = b"",
    exports: bytes = b"",
    trie: bytes = b"",
    encrypted: bool = False,
    cpu: int = ARM64,
    file_type: int = DYLIB,
) -> bytes:
    """Make a 64-bit image: each section lies in a segment of its own, then come the parts that the loader reads."""
    names = b"\0" + b"".join(name + b"\0" for name in (*imports, *defines))
    rows, at = b"", 1
    for name, kind in (*((n, 1) for n in imports), *((n, 15) for n in defines)):
        rows += struct.pack("<IBBHQ", at, kind, 0 if kind == 1 else 1, 0, 0)
        at += len(name) + 1
    tails = {"rows": rows, "names": names, "chained": chained, "binds": binds, "lazy": lazy_binds}
    tails |= {"exports": exports, "trie": trie}
    size = 32 + len(sections) * 152 + 24 + 48 + 16 * bool(chained) + 16 * bool(trie) + 24 * encrypted
    place, body, where = size, b"", {}
    for made in sections:
        where[made.name] = place + len(body)
        body += made.content
    for name, content in tails.items():
        where[name] = place + len(body)
        body += content
    commands = [_segment(made, where[made.name]) for made in sections]
    commands.append(struct.pack("<6I", 0x2, 24, where["rows"], len(rows) // 16, where["names"], len(names)))
    parts = [(where[n], len(tails[n])) for n in ("binds", "lazy", "exports")]
    bind, lazy, export = parts
    commands.append(struct.pack("<12I", 0x80000022, 48, 0, 0, *bind, 0, 0, *lazy, *export))
    if chained:
        commands.append(struct.pack("<4I", 0x80000034, 16, where["chained"], len(chained)))
    if trie:
        commands.append(struct.pack("<4I", 0x80000033, 16, where["trie"], len(trie)))
    if encrypted:
        commands.append(struct.pack("<6I", 0x2C, 24, size, len(body), 1, 0))
    loaded = b"".join(commands)
    header = struct.pack("<8I", 0xFEEDFACF, cpu, 0, file_type, len(commands), len(loaded), 0, 0)
    assert len(header) + len(loaded) == size
    return header + loaded + body


def _segment(made: Made, offset: int) -> bytes:
    size = len(made.content)
    name, segment = made.name.encode(), made.segment.encode()
    head = struct.pack("<II16s4Q2i2I", 0x19, 152, segment, made.address, size, offset, size, 3, 3, 1, 0)
    return head + struct.pack("<16s16s2Q8I", name, segment, made.address, size, offset, 2, 0, 0, made.flags, 0, 0, 0)


def pointers(*values: int) -> bytes:
    """Write pointers."""
    return struct.pack(f"<{len(values)}Q", *values)


def strings(at: int, *texts: str) -> tuple[bytes, Mapping[str, int]]:
    """Write strings that begin at an address, and give where each of them lies."""
    content, places = b"", {}
    for text in texts:
        places[text] = at + len(content)
        content += text.encode() + b"\0"
    return content, places


def fixups(form: int, imports: Sequence[bytes] = (), import_format: int = 1, starts: int = 28) -> bytes:
    """Write chained fixups: one segment with pages of a pointer format, and a table of imports."""
    names, rows = b"\0", b""
    for name in imports:
        rows += {
            1: struct.pack("<I", 1 | len(names) << 9),
            2: struct.pack("<Ii", 1 | len(names) << 9, 0),
            3: struct.pack("<QQ", 1 | len(names) << 32, 0),
        }[import_format]
        names += name + b"\0"
    of_image = struct.pack("<II", 1, 8) + struct.pack("<IHHQIHH", 24, 0x4000, form, 0, 0, 1, 0)
    table = starts + len(of_image)
    header = struct.pack("<7I", 0, starts, table, table + len(rows), len(imports), import_format, 0)
    return header + of_image + rows + names
