"""A Mach-O file: its architectures, their sections, SDK, encryption and linked libraries, read within bounds.

Layouts: Apple, <mach-o/loader.h> and <mach-o/fat.h>.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from atsprobe.extract.sighting import Buffer

THIN_MAGICS = (b"\xfe\xed\xfa\xce", b"\xce\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xcf\xfa\xed\xfe")
FAT_MAGICS = (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")

MAX_SLICES = 64
_MAX_COMMANDS = 4096
_MAX_SECTIONS = 4096
_MAX_SEGMENTS = 64
_OBJECT, _DEBUG_SYMBOLS = 0x1, 0xA  # MH_OBJECT, MH_DSYM

_SEGMENT, _SEGMENT_64 = 0x1, 0x19
_SYMTAB = 0x2
_DYLD_INFO = frozenset({0x22, 0x80000022})
_DYLD_EXPORTS_TRIE, _DYLD_CHAINED_FIXUPS = 0x80000033, 0x80000034
_ENCRYPTION_INFO, _ENCRYPTION_INFO_64 = 0x21, 0x2C
_BUILD_VERSION = 0x32
_CODE_SIGNATURE = 0x1D
_VERSION_MIN = {0x24: 1, 0x25: 2, 0x2F: 3, 0x30: 4}  # LC_VERSION_MIN_*: macOS, iOS, tvOS, watchOS
_LOAD_DYLIB = frozenset({0xC, 0x80000018, 0x8000001F, 0x20, 0x80000023})  # plain, weak, re-exported, lazy, upward
_IOS_PLATFORMS = frozenset({2, 6, 7})  # iOS, Mac Catalyst, iOS simulator
_ZERO_FILLED = frozenset({0x1, 0xC, 0x12})  # S_ZEROFILL, S_GB_ZEROFILL, S_THREAD_LOCAL_ZEROFILL

_ARM64 = 0x0100000C
ARCHITECTURES = {_ARM64: "arm64", 12: "arm", 0x0200000C: "arm64_32", 0x01000007: "x86_64", 7: "i386", 18: "ppc"}
_SUBTYPES = {(_ARM64, 2): "arm64e", (12, 9): "armv7", (12, 11): "armv7s", (12, 12): "armv7k", (12, 6): "armv6"}


@dataclass(frozen=True, slots=True)
class ImageSection:
    """A section of an image: names, flags, and where its bytes lie in the file, clipped to it.

    ``address`` is where they lie in memory once the image is loaded at its preferred address.
    """

    segment: str
    name: str
    flags: int
    start: int
    end: int
    address: int = 0

    @property
    def is_zero_filled(self) -> bool:
        """Whether it has no bytes in the file."""
        return self.flags & 0xFF in _ZERO_FILLED


@dataclass(frozen=True, slots=True)
class BuildVersion:
    """The platform, the minimum OS and the SDK that a linker noted; None where it noted none."""

    platform: int
    minimum_os: tuple[int, int, int] | None
    sdk: tuple[int, int, int] | None

    @property
    def is_for_ios(self) -> bool:
        """Whether the minimum OS is a version of iOS."""
        return self.platform in _IOS_PLATFORMS


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of an image: its name, its address in memory, and where its bytes lie in the file, clipped to it."""

    name: str
    address: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SymbolTable:
    """LC_SYMTAB: where the table and the names lie in the file, clipped to it."""

    entries: tuple[int, int]
    names: tuple[int, int]


@dataclass(frozen=True, slots=True)
class LinkEdit:
    """What tells the names that an image imports and exports; parts of the file (start, end), clipped to it.

    ``binds`` are the opcodes of LC_DYLD_INFO that bind at once and lazily; weak ones only unite copies of one symbol.
    """

    symbols: SymbolTable | None = None
    binds: tuple[tuple[int, int], ...] = ()
    chained_fixups: tuple[int, int] | None = None
    exports: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """One architecture of a Mach-O file.

    ``start`` and ``end`` are its bounds in the file. ``encrypted`` are the bytes (start, end) that FairPlay encrypts, None
    where it does not. ``needs`` is how long the file would have to be to hold all that the load commands speak of.
    ``signature`` are the bytes of its code signature, clipped to the image.
    ``order`` is that of its bytes, as `struct` writes it.
    """

    architecture: str
    start: int
    end: int
    needs: int
    is_debug_symbols: bool = False
    sections: tuple[ImageSection, ...] = ()
    encrypted: tuple[int, int] | None = None
    builds: tuple[BuildVersion, ...] = ()
    dylibs: tuple[str, ...] = ()
    signature: tuple[int, int] | None = None
    order: str = "<"
    is_64: bool = True
    is_object: bool = False
    segments: tuple[Segment, ...] = ()
    link_edit: LinkEdit = LinkEdit()

    def offset_of(self, address: int) -> int | None:
        """Give where in the file the byte lies that is at an address in memory; None where no segment has it."""
        for segment in self.segments:
            if 0 <= address - segment.address < segment.end - segment.start:
                return segment.start + address - segment.address
        return None


def images_in(data: Buffer) -> tuple[Image, ...]:
    """Read the architectures of a thin or fat file; those that cannot be read are left out, so that none may be left."""
    if data[:4] not in FAT_MAGICS:
        image = image_at(data, 0, len(data))
        return (image,) if image else ()
    found = (image_at(data, start, end, needs) for start, end, needs in slices_of(data))
    return tuple(image for image in found if image)


def slices_of(data: Buffer) -> Iterator[tuple[int, int, int]]:
    """Give (start, end, needed length of the file) of each slice of a fat file, clipped to the file; of slices that overlap,
    which no tool makes, the first.
    """
    taken: list[tuple[int, int]] = []
    is_64 = data[:4] == FAT_MAGICS[1]
    count = int.from_bytes(data[4:8], "big")
    size = 32 if is_64 else 20
    for index in range(min(count, MAX_SLICES)):
        at = 8 + index * size
        row = data[at : at + size]
        if len(row) < size:
            return
        start, length = struct.unpack(">QQ", row[8:24]) if is_64 else struct.unpack(">II", row[8:16])
        if any(start < end and begin < start + length for begin, end in taken):
            continue
        taken.append((start, start + length))
        yield min(start, len(data)), min(start + length, len(data)), start + length


def image_at(data: Buffer, start: int, end: int, needs: int = 0) -> Image | None:
    """Read the image whose header is at ``start``; None where there is none."""
    magic = data[start : start + 4]
    if magic not in THIN_MAGICS:
        return None
    order = ">" if magic in (THIN_MAGICS[0], THIN_MAGICS[2]) else "<"
    is_64 = magic in THIN_MAGICS[2:]
    header = data[start + 4 : start + 28]
    if len(header) < 24:
        return None
    cpu, subtype, file_type, count, size, _ = struct.unpack(order + "6I", header)
    first = start + (32 if is_64 else 28)
    image = Image(
        architecture=_SUBTYPES.get((cpu, subtype & 0xFFFFFF)) or ARCHITECTURES.get(cpu, f"cpu {cpu:#x}"),
        start=start,
        end=end,
        needs=max(needs, first + size),
        is_debug_symbols=file_type == _DEBUG_SYMBOLS,
        order=order,
        is_64=is_64,
        is_object=file_type == _OBJECT,
    )
    for command, body in _commands(data, first, min(first + size, end), count, order):
        image = _with_command(image, command, body, order)
    return image


def _commands(data: Buffer, at: int, end: int, count: int, order: str) -> Iterator[tuple[int, bytes]]:
    """Give (command, its bytes after the first eight) of each load command that lies within the bounds."""
    for _ in range(min(count, _MAX_COMMANDS)):
        if at + 8 > end:
            return
        command, size = struct.unpack(order + "II", data[at : at + 8])
        if size < 8 or at + size > end:
            return
        yield command, data[at + 8 : at + size]
        at += size


def _with_command(image: Image, command: int, body: bytes, order: str) -> Image:
    try:
        if command in (_SEGMENT, _SEGMENT_64):
            return _with_segment(image, body, order, is_64=command == _SEGMENT_64)
        if command in (_ENCRYPTION_INFO, _ENCRYPTION_INFO_64):
            offset, size, system = struct.unpack(order + "3I", body[:12])
            start = image.start + offset
            return replace(image, encrypted=(start, start + size)) if system else image
        if command == _CODE_SIGNATURE:
            offset, size = struct.unpack(order + "II", body[:8])
            start = min(image.start + offset, image.end)
            return replace(image, signature=(start, min(start + size, image.end)))
        if command == _BUILD_VERSION or command in _VERSION_MIN:
            return replace(image, builds=(*image.builds, _build(command, body, order)))
        if command in _LOAD_DYLIB:
            (at,) = struct.unpack(order + "I", body[:4])
            name = body[max(0, at - 8) :].split(b"\0", 1)[0][:1024].decode("utf-8", "replace")
            return replace(image, dylibs=(*image.dylibs, name))
        return replace(image, link_edit=_with_link_edit(image, command, body))
    except struct.error:  # a command shorter than its own kind: nothing to learn from it
        return image


def _with_link_edit(image: Image, command: int, body: bytes) -> LinkEdit:
    known, order = image.link_edit, image.order
    if command == _SYMTAB:
        at, count, names, size = struct.unpack(order + "4I", body[:16])
        row = 16 if image.is_64 else 12
        return replace(known, symbols=SymbolTable(_part(image, at, count * row), _part(image, names, size)))
    if command in _DYLD_INFO:
        _, _, bind, bind_size, _, _, lazy, lazy_size, export, export_size = struct.unpack(order + "10I", body[:40])
        exports = _part(image, export, export_size) if export_size else known.exports
        return replace(known, binds=(_part(image, bind, bind_size), _part(image, lazy, lazy_size)), exports=exports)
    if command in (_DYLD_EXPORTS_TRIE, _DYLD_CHAINED_FIXUPS):
        part = _part(image, *struct.unpack(order + "2I", body[:8]))
        is_trie = command == _DYLD_EXPORTS_TRIE
        return replace(known, exports=part) if is_trie else replace(known, chained_fixups=part)
    return known


def _part(image: Image, offset: int, size: int) -> tuple[int, int]:
    """Give the bounds in the file of a part of an image, clipped to the image."""
    start = min(image.start + offset, image.end)
    return start, min(start + size, image.end)


def _with_segment(image: Image, body: bytes, order: str, *, is_64: bool) -> Image:
    number = "Q" if is_64 else "I"
    layout = struct.Struct(f"{order}16s4{number}2i2I")
    segment, address, _, offset, size, _, _, count, _ = layout.unpack(body[: layout.size])
    row = struct.Struct(f"{order}16s16s2{number}{8 if is_64 else 7}I")
    sections = list(image.sections)
    for index in range(min(count, _MAX_SECTIONS - len(sections))):
        at = layout.size + index * row.size
        fields = row.unpack(body[at : at + row.size])
        start = image.start + fields[4]
        end = start + fields[3]
        place = (min(start, image.end), min(end, image.end), fields[2])
        sections.append(ImageSection(_name(fields[1]), _name(fields[0]), fields[8], *place))
    segments = (*image.segments, Segment(_name(segment), address, *_part(image, offset, size)))[:_MAX_SEGMENTS]
    needs = max(image.needs, image.start + offset + size)
    return replace(image, sections=tuple(sections), segments=segments, needs=needs)


def _name(padded: bytes) -> str:
    return padded.split(b"\0", 1)[0].decode("ascii", "replace")


def _build(command: int, body: bytes, order: str) -> BuildVersion:
    if command == _BUILD_VERSION:
        platform, minimum, sdk = struct.unpack(order + "3I", body[:12])
    else:
        platform = _VERSION_MIN[command]
        minimum, sdk = struct.unpack(order + "2I", body[:8])
    return BuildVersion(platform, _version(minimum), _version(sdk))


def _version(packed: int) -> tuple[int, int, int] | None:
    """Unpack xxxx.yy.zz; 0 stands for none."""
    return (packed >> 16, packed >> 8 & 0xFF, packed & 0xFF) if packed else None
