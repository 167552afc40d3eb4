"""Mach-O files: the URLs and the bare hosts in their strings, section by section, and what the load commands say.

A whole C string that is a host is of class C; a host inside a longer string, or put together in machine code as a short
literal of Swift, is of class D. Both are looked for where constants lie, not among names of methods and of types.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from heapq import merge
from pathlib import PurePosixPath

from atsprobe.extract.bare_hosts import WholeStrings
from atsprobe.extract.bare_names import MAX_NAMES, Name, TooManyNames, names_in, wide_names_in
from atsprobe.extract.host_names import Hit, urls_in, wide_urls_in
from atsprobe.extract.mach_o import static_library, swift_small_strings
from atsprobe.extract.mach_o.image import (
    ARCHITECTURES,
    FAT_MAGICS,
    MAX_SLICES,
    THIN_MAGICS,
    Image,
    ImageSection,
    images_in,
    slices_of,
)
from atsprobe.extract.readers import entitlements, network_apis
from atsprobe.extract.readers.found import sightings
from atsprobe.extract.run_on import certificates_in, ended, outside
from atsprobe.extract.sighting import BinaryFacts, Buffer, Sighting, Trouble
from atsprobe.model.endpoint import ByteOffset, Section

_PREFERRED = ("arm64", "arm64e")
_SKIPPED_SEGMENTS = frozenset({"__LLVM", "__LINKEDIT", "__DWARF"})
_SKIPPED_SECTIONS = frozenset(
    {"__text", "__stubs", "__stub_helper", "__auth_stubs", "__unwind_info", "__eh_frame", "__compact_unwind"}
)
_TERMINATED = frozenset({"__cstring", "__ustring"})
"""Sections in which every string ends with a NUL."""

_RUN_ON = frozenset({"__rodata", "__noptrdata"})
"""Sections in which Go's linker puts strings end to end."""

_OF_CONSTANTS = _TERMINATED | _RUN_ON | {"__const", "__data"}

_IOS = 2  # PLATFORM_IOS
_INSTRUCTIONS, _DEBUG = 0x80000000, 0x02000000  # S_ATTR_PURE_INSTRUCTIONS, S_ATTR_DEBUG

_BROTLI, _BROTLI_BYTES = b"timedownlifeleftback", 122_784
"""How the static dictionary of Brotli (RFC 7932, Appendix A) begins, and its length: words, among them names of hosts."""


def recognises(_: str, head: bytes) -> bool:
    """Say whether a file is Mach-O, fat, or a static library. A Java class begins as a fat file does, but names no processor."""
    if head[:4] in FAT_MAGICS:
        count, first = int.from_bytes(head[4:8], "big"), int.from_bytes(head[8:12], "big")
        return count > 0 and first in ARCHITECTURES
    return head[:4] in THIN_MAGICS or head.startswith(static_library.MAGIC)


def read(_: str, content: Buffer) -> Iterator[Sighting]:
    """Give the hosts in the strings of one architecture (arm64 first), and the facts of all."""
    groups = _groups(content)
    if not groups:
        if content[:8] == static_library.MAGIC:
            return
        yield Trouble(
            "a Mach-O file whose header is damaged or cut short; it was read as plain bytes", "copy or build it again"
        )
        yield from _read_bytes(content)
        return
    images = [image for group in groups for image in group]
    yield _facts(images)
    claimed = int.from_bytes(content[4:8], "big") if content[:4] in FAT_MAGICS else 0
    if claimed > MAX_SLICES:
        yield Trouble(f"a fat file that claims {claimed:,} architectures; {MAX_SLICES} of them were looked at")
    needed = max(*(image.needs for image in images), *(n for _, _, n in _bounds(content)))
    if needed > len(content):
        advice = "copy, export or download it again"
        yield Trouble(f"a Mach-O file cut short: {len(content):,} of at least {needed:,} bytes", advice)
    bare = WholeStrings()
    chosen = min(groups, key=_preference)
    for image in chosen:
        yield from entitlements.of_image(content, image)
        yield from _read_image(content, image, bare)
    yield from _bare_hosts(bare)
    yield from network_apis.uses(content, chosen)


def _bare_hosts(bare: WholeStrings) -> Iterator[Sighting]:
    if bare.is_full:
        yield Trouble("too many names that may be hosts in one file; not all were taken", is_damage=False)
    yield from bare.sightings()


def _read_bytes(content: Buffer) -> Iterator[Sighting]:
    """Read a file of which no layout is known: no string of it is surely a whole one."""
    yield from sightings(_in_order(content, 0, len(content)), lambda h: ByteOffset(h.offset, h.encoding))
    bare = WholeStrings()
    yield from _add_names(content, 0, len(content), lambda n: bare.add_embedded(n.name, n.text, _offset(n)))
    yield from _bare_hosts(bare)


def _offset(name: Name) -> ByteOffset:
    return ByteOffset(name.offset, name.encoding)


def _bounds(content: Buffer) -> list[tuple[int, int, int]]:
    return list(slices_of(content)) if content[:4] in FAT_MAGICS else [(0, len(content), 0)]


def _groups(content: Buffer) -> list[tuple[Image, ...]]:
    """Give the images of each architecture: one, or the objects of a static library."""
    groups = [tuple(static_library.objects_in(content, start, end)) for start, end, _ in _bounds(content)]
    return [group for group in groups if group] + [(image,) for image in images_in(content)]


def _preference(group: Sequence[Image]) -> tuple[bool, bool]:
    """Order architectures: one that is not encrypted first, among those arm64."""
    return group[0].encrypted is not None, group[0].architecture not in _PREFERRED


def _read_image(content: Buffer, image: Image, bare: WholeStrings) -> Iterator[Sighting]:
    if image.is_debug_symbols:
        return
    if image.encrypted:
        part = f"({image.architecture})"
        reason = "encrypted by FairPlay, so its strings were not read"
        yield Trouble(reason, "the .xcarchive, or a decrypted .ipa", part, is_damage=False)
    done = image.start
    for section in sorted(image.sections, key=lambda s: s.start):
        if _has_strings(section):
            for start, end in _readable(content, image, section, done):
                yield from _read_part(content, image, section, start, end)
                if section.name in _OF_CONSTANTS:
                    add = partial(_add_name, bare, image, section)
                    yield from _add_names(content, start, end, add, run_on=section.name in _RUN_ON)
            done = max(done, section.end)  # sections that overlap are read once
    _add_small_strings(content, image, bare)


def _add_small_strings(content: Buffer, image: Image, bare: WholeStrings) -> None:
    """Take the short literals of Swift that may be hosts; each lies in the section of code that begins last before it."""
    code = sorted(s.start for s in image.sections if s.name == "__text")
    for text, at in swift_small_strings.small_strings(content, image):
        if "." in text:
            place = Section(image.architecture, "__text", at - code[bisect_right(code, at) - 1], "immediate")
            bare.add_embedded(text, text, place, "swift-immediate")


def _has_strings(section: ImageSection) -> bool:
    if section.segment in _SKIPPED_SEGMENTS or section.name in _SKIPPED_SECTIONS:
        return False
    return not section.is_zero_filled and not section.flags & (_INSTRUCTIONS | _DEBUG)


def _read_part(content: Buffer, image: Image, section: ImageSection, start: int, end: int) -> Iterator[Sighting]:
    def locate(hit: Hit) -> Section:
        return Section(image.architecture, section.name, hit.offset - section.start, hit.encoding)

    hits = _in_order(content, start, end)
    if section.name in _TERMINATED:
        yield from sightings(hits, locate)
    else:
        hits = outside(certificates_in(content, start, end), hits)
        yield from sightings((ended(content, hit) for hit in hits), locate)


def _add_name(bare: WholeStrings, image: Image, section: ImageSection, name: Name) -> None:
    place = Section(image.architecture, section.name, name.offset - section.start, name.encoding)
    if name.is_whole:
        bare.add(name.name, place)
    else:
        bare.add_embedded(name.name, name.text, place)


def _add_names(
    content: Buffer, start: int, end: int, add: Callable[[Name], None], *, run_on: bool = False
) -> Iterator[Trouble]:
    """Take the names in a part of a file."""
    try:
        for name in names_in(content, start, end, run_on=run_on):
            add(name)
        for name in wide_names_in(content, start, end):
            add(name)
    except TooManyNames:
        reason = f"more than {MAX_NAMES:,} names in one section; bare hosts were looked for in the first alone"
        yield Trouble(reason, is_damage=False)


def _in_order(content: Buffer, start: int, end: int) -> Iterator[Hit]:
    return merge(urls_in(content, start, end), wide_urls_in(content, start, end), key=lambda h: h.offset)


def _readable(content: Buffer, image: Image, section: ImageSection, done: int) -> Iterator[tuple[int, int]]:
    """Give the parts of a section that hold strings of the app's own: not what is encrypted, done, or Brotli's."""
    holes = [image.encrypted] if image.encrypted else []
    at = max(section.start, done)
    if at >= section.end:
        return
    brotli = content.find(_BROTLI, at, section.end)
    if brotli >= 0:
        holes.append((brotli, brotli + _BROTLI_BYTES))
    for start, end in sorted(holes):
        if end > at and start < section.end:
            if start > at:
                yield at, start
            at = end
    if at < section.end:
        yield at, section.end


def _facts(images: Sequence[Image]) -> BinaryFacts:
    builds = [b for image in images for b in image.builds]
    for_devices = [b for b in builds if b.platform == _IOS]
    builds = for_devices or builds  # the linker gives simulators and Macs other floors
    sdks = [b.sdk for b in builds if b.sdk]
    minimums = [b.minimum_os for b in builds if b.minimum_os and b.is_for_ios]
    links = {_linked_unit(name) for image in images for name in image.dylibs}
    return BinaryFacts(
        linked_sdk=_text(min(sdks)) if sdks else None,
        minimum_ios=_text(min(minimums)) if minimums else None,
        links=tuple(sorted(links - {""})),
    )


def _text(version: tuple[int, int, int]) -> str:
    major, minor, patch = version
    return f"{major}.{minor}.{patch}" if patch else f"{major}.{minor}"


def _linked_unit(name: str) -> str:
    """Give the framework or dylib that an install name speaks of, where the app itself carries it (``@rpath/…``)."""
    if not name.startswith("@"):
        return ""
    parts = PurePosixPath(name).parts
    frameworks = [p for p in parts if p.endswith(".framework")]
    return frameworks[-1] if frameworks else parts[-1]
