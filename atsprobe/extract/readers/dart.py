"""Dart snapshots (Flutter's ``App.framework/App``): strings by the bounds of their objects, where a scan runs on.

A string that fills its last 16 bytes has no NUL behind it: the header of the next object follows, which begins with the
letter ``2``, so that ``https://flet.dev`` reads as ``https://flet.dev2``. Layout, with pointers that are not compressed, as on
iOS: a header of 8 bytes (class, size, hash), the length as a Smi (twice its value), Latin-1 or UTF-16LE, zeros up to a multiple
of 16 (Dart SDK, runtime/vm/raw_object.h and image_snapshot.cc). Class ids change from version to version, and are counted out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from atsprobe.extract.mach_o.image import Image, ImageSection, images_in
from atsprobe.extract.readers import mach_o_strings
from atsprobe.extract.readers.string_values import Value, sightings_of
from atsprobe.extract.sighting import Buffer, HostSighting, Sighting, TemplateSighting
from atsprobe.model.endpoint import Section

_PATH = re.compile(r"(?:\A|/)App\.framework/(?:Versions/[^/]+/)?App\Z")
_INSTALL_NAME = b"/App.framework/App\0"
_SNAPSHOT = bytes.fromhex("f5f5dcdc")
_PREFERRED = ("arm64", "arm64e")

_UNIT = 16
_MAX_LENGTH = 1 << 20
_CHUNK = 4 << 20
_ENOUGH = 20_000
_PRINTABLE = re.compile(rb"[\t\n\r\x20-\x7e]{4,16}\Z")


@dataclass(frozen=True, slots=True)
class _Classes:
    """The class id of one-byte strings (two-byte strings have the next), and the layout of headers that it was counted in.

    The id lies from bit ``shift`` on, the size in units of 16 bytes between bit 8 and there, 0 where it has no room.
    """

    shift: int
    one_byte: int

    def width(self, header: int) -> int:
        """Give the bytes of a character: 1, 2, or 0 for an object that is no string."""
        number = _class_id(header, self.shift) - self.one_byte
        return number + 1 if number in (0, 1) else 0


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is the Mach-O file into which Flutter puts an app's code, by its path or its install name."""
    return mach_o_strings.recognises(path, head) and (bool(_PATH.search(path)) or _INSTALL_NAME in head)


def read(path: str, content: Buffer) -> Iterator[Sighting]:
    """Give what the reader of Mach-O files gives, but the strings of snapshots by their objects."""
    images = [image for image in images_in(content) if recognises_image(content, image)]
    if not images:
        for sighting in mach_o_strings.read(path, content):
            if isinstance(sighting, HostSighting) and not sighting.detector:
                yield replace(sighting, detector="mach-o")
            else:
                yield sighting
        return
    image = min(images, key=lambda i: i.architecture not in _PREFERRED)
    names = {section.name for section in _snapshots(content, image)}
    for sighting in mach_o_strings.read(path, content):
        if isinstance(sighting, TemplateSighting):
            continue
        place = sighting.location if isinstance(sighting, HostSighting) else None
        if not isinstance(place, Section) or place.section not in names:
            yield sighting
    yield from sightings_of(_values(content, image))


def _values(content: Buffer, image: Image) -> Iterator[Value]:
    for section in _snapshots(content, image):
        for text, offset, encoding in _strings_of(content, section):
            if "." in text or "://" in text:
                yield text, Section(image.architecture, section.name, offset - section.start, encoding)


def recognises_image(content: Buffer, image: Image) -> bool:
    """Say whether an image holds a Dart snapshot that is not encrypted."""
    return bool(_snapshots(content, image))


def _snapshots(content: Buffer, image: Image) -> Sequence[ImageSection]:
    """Give the sections that hold one, by its magic number (runtime/vm/snapshot.h)."""
    encrypted = image.encrypted or (0, 0)
    found: list[ImageSection] = []
    done = image.start
    for section in sorted(image.sections, key=lambda s: s.start):
        is_plain = section.end <= encrypted[0] or section.start >= encrypted[1]
        if section.name == "__const" and section.start >= done and is_plain:
            done = section.end  # sections that overlap are searched once
            if content.find(_SNAPSHOT, section.start, section.end) >= 0:
                found.append(section)
    return found


def strings_in(content: Buffer, image: Image) -> Iterator[tuple[str, int, str]]:
    """Give (text, offset in the file, encoding) of each string object of a snapshot, in order."""
    for section in _snapshots(content, image):
        yield from _strings_of(content, section)


def _strings_of(content: Buffer, section: ImageSection) -> Iterator[tuple[str, int, str]]:
    classes = _classes(content, section)
    if classes is None:
        return
    done = section.start
    for at, header, length in _candidates(content, section):
        width = classes.width(header)
        end = at + _UNIT + length * width
        if at < done or not width or end > section.end or not _has_size(header, end - at, classes.shift):
            continue
        done = end
        data = content[at + _UNIT : end]
        if width == 2:
            yield data.decode("utf-16-le", "replace"), at + _UNIT, "utf-16le"
        else:
            yield data.decode("latin-1"), at + _UNIT, "ascii" if data.isascii() else "latin-1"


def _candidates(content: Buffer, section: ImageSection) -> Iterator[tuple[int, int, int]]:
    """Give (offset, header, length) where an object may begin: at any multiple of 16 with a small Smi in its second word."""
    for start in range(section.start, section.end - _UNIT + 1, _CHUNK):
        chunk = content[start : min(start + _CHUNK, section.end)]
        words = memoryview(chunk)[: len(chunk) // _UNIT * _UNIT].cast("Q")
        headers, lengths = words[::2], words[1::2]
        for index in [i for i, word in enumerate(lengths) if 0 < word < 2 * _MAX_LENGTH and not word & 1]:
            yield start + _UNIT * index, headers[index], lengths[index] >> 1


def _classes(content: Buffer, section: ImageSection) -> _Classes | None:
    """Count which class the objects have whose length is followed by printable text, in both layouts of a header.

    The size in it tells them apart: it has four bits, and the class id twenty; in older versions eight and sixteen.
    """
    counts: Counter[tuple[int, int]] = Counter()
    seen = 0
    for at, header, length in _candidates(content, section):
        text = content[at + _UNIT : min(at + _UNIT + min(length, _UNIT), section.end)]
        if not _PRINTABLE.match(text):
            continue
        for shift in (12, 16):
            if _has_size(header, _UNIT + length, shift):
                counts[-shift, _class_id(header, shift)] += 1
        seen += 1
        if seen == _ENOUGH:
            break
    if not counts:
        return None
    (negative, one_byte), _ = max(counts.items(), key=lambda row: (row[1], row[0]))
    return _Classes(-negative, one_byte)


def _class_id(header: int, shift: int) -> int:
    return (header & 0xFFFFFFFF) >> shift


def _has_size(header: int, size: int, shift: int) -> bool:
    units, room = -(-size // _UNIT), 1 << (shift - 8)
    return header >> 8 & (room - 1) == (units if units < room else 0)
