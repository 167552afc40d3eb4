"""Objective-C metadata of a 64-bit image: its classes and categories, what they implement, and references to selectors.

A selector among the strings of an image, and even among its selector references, may come from a protocol that some class
adopts: only the method lists of classes and categories tell what is implemented. Layouts: Apple, objc4, objc-runtime-new.h
and <mach-o/fixup-chains.h>.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from atsprobe.extract.mach_o.image import Image, ImageSection
from atsprobe.extract.sighting import Buffer

_MAX_SECTIONS = 4  # of one name: more would be read over and over where they overlap
_MAX_CLASSES = 100_000
_MAX_METHODS = 500_000
_MAX_NAME = 512

_IS_RELATIVE, _IS_DIRECT = 0x80000000, 0x40000000
_ARM64E_FORMATS = {1: False, 7: False, 9: True, 12: True}  # DYLD_CHAINED_PTR_ARM64E…: whether targets are offsets
_FORMATS = {2: False, 6: True}  # DYLD_CHAINED_PTR_64, …_OFFSET


@dataclass(frozen=True, slots=True)
class Method:
    """A method that a class or category implements: its owner by name, its selector, and where its code begins in memory."""

    owner: str
    selector: str
    code: int

    def __str__(self) -> str:
        """Write it as Apple does, though a class method as an instance method."""
        return f"-[{self.owner} {self.selector}]"


class ObjectiveC:
    """The metadata of one image; empty where it has none, or is no 64-bit little-endian image."""

    def __init__(self, data: Buffer, image: Image) -> None:
        """Take the file and the image."""
        self._data = data
        self._image = image
        self._methods_left = _MAX_METHODS
        self._is_readable = image.is_64 and image.order == "<"

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes that the image defines; those of Swift are mangled (``_TtC9Alamofire7Session``)."""
        found = (self._class_name(record) for _, record in self._class_records)
        return tuple(name for name in found if name)

    @cached_property
    def methods(self) -> tuple[Method, ...]:
        """All methods that classes and categories of the image implement, instance and class methods alike."""
        return tuple(self._all_methods())

    def references_to(self, selector: str) -> tuple[int, ...]:
        """Give where in memory the references to a selector lie, through which code sends it."""
        return tuple(at for at, name in self._selector_references if name == selector)

    def names_selector(self, selector: str) -> bool:
        """Say whether a selector is among the image's strings: where it is not, nothing implements or sends it."""
        wanted = b"\0" + selector.encode() + b"\0"
        names = list(self._sections("__objc_methname")) or list(
            self._sections("__cstring")
        )  # LLVM's linker knows one only
        for section in names:
            if self._data.find(wanted, max(section.start - 1, 0), section.end) >= 0:
                return True
            if self._data[section.start : section.start + len(wanted) - 1] == wanted[1:]:
                return True
        return False

    def _sections(self, name: str) -> Iterator[ImageSection]:
        if self._is_readable:
            named = (s for s in self._image.sections if s.name == name and not s.is_zero_filled)
            yield from islice(named, _MAX_SECTIONS)

    @cached_property
    def _selector_references(self) -> tuple[tuple[int, str], ...]:
        found = []
        for section in self._sections("__objc_selrefs"):
            for number, raw in enumerate(self._pointers(section)):
                target = self._target(raw)
                name = self._text(target) if target is not None else ""
                if name:
                    found.append((section.address + number * 8, name))
        return tuple(found)

    def _pointers(self, section: ImageSection) -> Iterator[int]:
        data = self._data[section.start : min(section.end, section.start + 8 * _MAX_CLASSES)]
        return (raw for (raw,) in struct.iter_unpack("<Q", data[: len(data) // 8 * 8]))

    @cached_property
    def _class_records(self) -> tuple[tuple[int, int], ...]:
        """By class, where it and its read-only record lie in the file."""
        found = []
        for section in (*self._sections("__objc_classlist"), *self._sections("__objc_nlclslist")):
            for raw in self._pointers(section):
                at = self._offset(raw)
                record = self._record(at) if at is not None else None
                if at is not None and record is not None:
                    found.append((at, record))
        return tuple(dict.fromkeys(found))

    def _record(self, at: int) -> int | None:
        """Give where the read-only record of a class or metaclass lies; the low bits of its pointer are flags."""
        raw = self._number(at + 32)
        return self._offset(raw, mask=~7) if raw is not None else None

    def _class_name(self, record: int) -> str:
        target = self._pointed(record + 24)
        return self._text(target) if target is not None else ""

    def _category_name(self, at: int) -> str:
        """Write ``Class(Category)``; without the class where that is of another image."""
        extended = self._pointed(at + 8)
        place = self._image.offset_of(extended) if extended is not None else None
        record = self._record(place) if place is not None else None
        name = self._pointed(at)
        return (
            f"{self._class_name(record) if record is not None else ''}({self._text(name) if name is not None else ''})"
        )

    def _all_methods(self) -> Iterator[Method]:
        for at, record in self._class_records:
            owner = self._class_name(record)
            yield from self._method_list(self._pointed(record + 32), owner)
            isa = self._pointed(at)
            metaclass = self._image.offset_of(isa) if isa is not None else None
            of_metaclass = self._record(metaclass) if metaclass is not None else None
            if of_metaclass is not None:
                yield from self._method_list(self._pointed(of_metaclass + 32), owner)
        for section in (*self._sections("__objc_catlist"), *self._sections("__objc_catlist2")):
            for raw in self._pointers(section):
                category = self._offset(raw)
                if category is not None:
                    owner = self._category_name(category)
                    for lists in (16, 24):
                        yield from self._method_list(self._pointed(category + lists), owner)

    def _method_list(self, address: int | None, owner: str) -> Iterator[Method]:
        at = self._image.offset_of(address) if address is not None else None
        header = self._data[at : at + 8] if at is not None else b""
        if address is None or at is None or len(header) < 8:
            return
        flags, count = struct.unpack("<II", header)
        is_relative = bool(flags & _IS_RELATIVE)
        size = 12 if is_relative else flags & 0xFFFC
        if size < (12 if is_relative else 24):
            return
        for number in range(min(count, self._methods_left, (len(self._data) - at) // size)):
            self._methods_left -= 1
            place = 8 + number * size
            row = self._data[at + place : at + place + (12 if is_relative else 24)]
            if len(row) < (12 if is_relative else 24):
                return
            if is_relative:
                selector, code = self._relative(row, address + place, is_direct=bool(flags & _IS_DIRECT))
            else:
                name, _, implementation = struct.unpack("<3Q", row)
                target = self._target(name)
                selector = self._text(target) if target is not None else ""
                code = self._target(implementation) or 0
            if selector:
                yield Method(owner, selector, code)

    def _relative(self, row: bytes, address: int, *, is_direct: bool) -> tuple[str, int]:
        name, _, implementation = struct.unpack("<3i", row)
        target: int | None = address + name
        if not is_direct:
            at = self._image.offset_of(address + name)
            target = self._pointed(at) if at is not None else None
        return (self._text(target) if target is not None else ""), address + 8 + implementation

    def _number(self, at: int) -> int | None:
        raw = self._data[at : at + 8] if at >= 0 else b""
        return int.from_bytes(raw, "little") if len(raw) == 8 else None

    def _pointed(self, at: int) -> int | None:
        """Give the address that the pointer at a place of the file leads to."""
        raw = self._number(at)
        return self._target(raw) if raw else None

    def _offset(self, raw: int, mask: int = -1) -> int | None:
        target = self._target(raw)
        return self._image.offset_of(target & mask) if target is not None else None

    def _target(self, raw: int) -> int | None:
        """Give the address that a raw pointer stands for; None where dyld binds it to another image, or it is null."""
        form = self._fixup_format
        if form is None or not raw:
            return raw or None
        if form in _FORMATS:
            target = None if raw >> 63 else raw & ((1 << 36) - 1)
            is_offset = _FORMATS[form]
        elif raw >> 62 & 1:
            return None
        else:
            target = raw & 0xFFFFFFFF if raw >> 63 else raw & ((1 << 43) - 1)
            is_offset = _ARM64E_FORMATS[form] or bool(raw >> 63)
        if target is None:
            return None
        return target + self._base if is_offset else target

    @cached_property
    def _base(self) -> int:
        return next((s.address for s in self._image.segments if s.name == "__TEXT"), 0)

    @cached_property
    def _fixup_format(self) -> int | None:
        """The pointer format of the chained fixups: that of the first segment that has any; None without, or if unknown."""
        if self._image.link_edit.chained_fixups is None:
            return None
        start, end = self._image.link_edit.chained_fixups
        header = self._data[start : min(start + 8, end)]
        if len(header) < 8:
            return None
        starts = start + int.from_bytes(header[4:8], "little")
        count = int.from_bytes(self._data[starts : starts + 4], "little")
        for number in range(min(count, 64)):
            at = starts + 4 + number * 4
            offset = int.from_bytes(self._data[at : at + 4], "little")
            if offset:
                form = int.from_bytes(self._data[starts + offset + 6 : starts + offset + 8], "little")
                return form if form in _FORMATS or form in _ARM64E_FORMATS else None
        return None

    def _text(self, address: int) -> str:
        at = self._image.offset_of(address)
        if at is None:
            return ""
        return self._data[at : at + _MAX_NAME].split(b"\0", 1)[0].decode("utf-8", "replace")
