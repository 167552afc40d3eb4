"""Mach-O files: the URLs in their strings, section by section, and what the load commands say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge
from pathlib import PurePosixPath

from atsprobe.extract.host_names import Hit, urls_in, wide_urls_in
from atsprobe.extract.mach_o import static_library
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
from atsprobe.extract.readers import network_apis
from atsprobe.extract.readers.found import sightings
from atsprobe.extract.sighting import BinaryFacts, Buffer, Sighting, Trouble
from atsprobe.model.endpoint import ByteOffset, Section

_PREFERRED = ("arm64", "arm64e")
_SKIPPED_SEGMENTS = frozenset({"__LLVM", "__LINKEDIT", "__DWARF"})
_SKIPPED_SECTIONS = frozenset(
    {"__text", "__stubs", "__stub_helper", "__auth_stubs", "__unwind_info", "__eh_frame", "__compact_unwind"}
)
_IOS = 2  # PLATFORM_IOS
_INSTRUCTIONS, _DEBUG = 0x80000000, 0x02000000  # S_ATTR_PURE_INSTRUCTIONS, S_ATTR_DEBUG

_BROTLI, _BROTLI_BYTES = b"timedownlifeleftback", 122_784
"""How the static dictionary of Brotli (RFC 7932, Appendix A) begins, and its length: words, among them names of hosts."""


def recognises(_: str, head: bytes) -> bool:
    """Say whether a file is Mach-O, fat, or a static library. A Java class begins as a fat file does, but names no processor."""
    if head[:4] in FAT_MAGICS:
        count, first = int.from_bytes(head[4:8], "big"), int.from_bytes(head[8:12], "big")
        return 0 < count <= MAX_SLICES and first in ARCHITECTURES
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
        yield from sightings(_in_order(content, 0, len(content)), lambda h: ByteOffset(h.offset, h.encoding))
        return
    images = [image for group in groups for image in group]
    yield _facts(images)
    needed = max(*(image.needs for image in images), *(n for _, _, n in _bounds(content)))
    if needed > len(content):
        advice = "copy, export or download it again"
        yield Trouble(f"a Mach-O file cut short: {len(content):,} of at least {needed:,} bytes", advice)
    chosen = min(groups, key=_preference)
    for image in chosen:
        yield from _read_image(content, image)
    yield from network_apis.uses(content, chosen)


def _bounds(content: Buffer) -> list[tuple[int, int, int]]:
    return list(slices_of(content)) if content[:4] in FAT_MAGICS else [(0, len(content), 0)]


def _groups(content: Buffer) -> list[tuple[Image, ...]]:
    """Give the images of each architecture: one, or the objects of a static library."""
    groups = [tuple(static_library.objects_in(content, start, end)) for start, end, _ in _bounds(content)]
    return [group for group in groups if group] + [(image,) for image in images_in(content)]


def _preference(group: Sequence[Image]) -> tuple[bool, bool]:
    """Order architectures: one that is not encrypted first, among those arm64."""
    return group[0].encrypted is not None, group[0].architecture not in _PREFERRED


def _read_image(content: Buffer, image: Image) -> Iterator[Sighting]:
    if image.is_debug_symbols:
        return
    if image.encrypted:
        part = f"({image.architecture})"
        reason = "encrypted by FairPlay, so its strings were not read"
        yield Trouble(reason, "the .xcarchive, or a decrypted .ipa", part, is_damage=False)
    done = image.start
    for section in sorted(image.sections, key=lambda s: s.start):
        if _has_strings(section):
            yield from _read_section(content, image, section, done)
            done = max(done, section.end)  # sections that overlap are read once


def _has_strings(section: ImageSection) -> bool:
    if section.segment in _SKIPPED_SEGMENTS or section.name in _SKIPPED_SECTIONS:
        return False
    return not section.is_zero_filled and not section.flags & (_INSTRUCTIONS | _DEBUG)


def _read_section(content: Buffer, image: Image, section: ImageSection, done: int) -> Iterator[Sighting]:
    def locate(hit: Hit) -> Section:
        return Section(image.architecture, section.name, hit.offset - section.start, hit.encoding)

    for start, end in _readable(content, image, section, done):
        yield from sightings(_in_order(content, start, end), locate)


def _in_order(content: Buffer, start: int, end: int) -> Iterator[Hit]:
    return merge(urls_in(content, start, end), wide_urls_in(content, start, end), key=lambda h: h.offset)


def _readable(content: Buffer, image: Image, section: ImageSection, done: int) -> Iterator[tuple[int, int]]:
    """Give the parts of a section that hold strings of the app's own: not what is encrypted, done, or Brotli's."""
    holes = [image.encrypted] if image.encrypted else []
    brotli = content.find(_BROTLI, section.start, section.end)
    if brotli >= 0:
        holes.append((brotli, brotli + _BROTLI_BYTES))
    at = max(section.start, done)
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
