"""What one architecture of a Mach-O file answers to the conditions of a table row: yes, no, or could not be told."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from atsprobe.extract.mach_o.image import Image
from atsprobe.extract.mach_o.imports import defines, imported_names
from atsprobe.extract.mach_o.objective_c import Method, ObjectiveC
from atsprobe.extract.mach_o.sent_selectors import places_that_load
from atsprobe.extract.sighting import Buffer

_INSTRUCTIONS, _DEBUG = 0x80000000, 0x02000000  # S_ATTR_PURE_INSTRUCTIONS, S_ATTR_DEBUG
_MAX_NAMED = 3
_MAX_VERSIONS_TRIED = 1000
_VERSION = re.compile(rb"[0-9]{1,3}\.[0-9]{1,3}(?:\.[0-9]{1,3})?[a-z]?(?![0-9.])")


@dataclass(frozen=True, slots=True)
class Sign:
    """The answer to a condition: None where it cannot be told. ``owners`` are the classes that the code belongs to."""

    holds: bool | None
    evidence: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()


_NO = Sign(holds=False)


class ImageCode:
    """One image, or the objects of a static library taken together; everything is read when first asked for."""

    def __init__(self, data: Buffer, images: Sequence[Image]) -> None:
        """Take the file, and its images of one architecture: at least one."""
        self._data = data
        self._images = images
        self._metadata = [ObjectiveC(data, image) for image in images]
        self._asks: dict[str, Callable[[str], Sign]] = {
            "imports": self._imports,
            "defines": self._defines,
            "class": self._class,
            "implements": self._implements,
            "sends": self._sends,
            "section": self._section,
            "literal": lambda text: self._literal(text, text.encode()),
            "wide": lambda text: self._literal(text, text.encode("utf-16-le")),
        }
        self._gave_up = False
        self._known: dict[tuple[str, str], Sign] = {}

    @property
    def architecture(self) -> str:
        """The architecture, as the images name it."""
        return self._images[0].architecture

    @property
    def is_encrypted(self) -> bool:
        """Whether its strings, names of classes, selectors and code cannot be read."""
        return any(image.encrypted for image in self._images)

    def sign(self, kind: str, argument: str) -> Sign:
        """Answer a condition of the table, such as ``imports _connect``. Raises KeyError for a kind that there is not."""
        key = (kind, argument)
        if key not in self._known:
            self._known[key] = self._asks[kind](argument)
        return self._known[key]

    def version_after(self, prefix: str) -> str:
        """Give the version number that follows a prefix among the strings; empty where there is none."""
        at, tried = -1, 0
        wanted = prefix.encode()
        for start, end in self._strings:
            at = self._data.find(wanted, start, end)
            while at >= 0 and tried < _MAX_VERSIONS_TRIED:
                tried += 1
                after = at + len(wanted)
                found = _VERSION.match(self._data[after : min(after + 16, end)])
                if found:
                    return found[0].decode()
                at = self._data.find(wanted, at + 1, end)
        return ""

    @cached_property
    def _imported(self) -> frozenset[bytes]:
        return frozenset().union(*(imported_names(self._data, image) for image in self._images))

    def _imports(self, name: str) -> Sign:
        wanted = name.encode()
        if name.endswith("*"):
            found = min((n for n in self._imported if n.startswith(wanted[:-1])), default=None)
            return _NO if found is None else Sign(holds=True, evidence=(f"imports {found.decode('utf-8', 'replace')}",))
        return Sign(holds=True, evidence=(f"imports {name}",)) if wanted in self._imported else _NO

    def _defines(self, name: str) -> Sign:
        wanted = name.encode()
        if wanted not in self._imported and any(defines(self._data, image, wanted) for image in self._images):
            return Sign(holds=True, evidence=(f"defines {name}",))
        return _NO

    def _section(self, name: str) -> Sign:
        is_there = any(s.name == name for image in self._images for s in image.sections)
        return Sign(holds=True, evidence=(f"section {name}",)) if is_there else _NO

    def _class(self, pattern: str) -> Sign:
        if self.is_encrypted:
            return Sign(holds=None)
        if self._images[0].is_object and "*" not in pattern:
            return self._defines(f"_OBJC_CLASS_$_{pattern}")
        names = (n for metadata in self._metadata for n in metadata.class_names)
        found = next((n for n in names if fits(n, pattern)), None)
        return _NO if found is None else Sign(holds=True, evidence=(f"class {found}",), owners=(found,))

    def _names(self, selector: str) -> bool:
        return any(metadata.names_selector(selector) for metadata in self._metadata)

    def _implements(self, selector: str) -> Sign:
        if self.is_encrypted:
            return Sign(holds=None)
        if not self._names(selector):
            return _NO
        if self._images[0].is_object:
            return Sign(
                holds=None, evidence=(f"names {selector} (an object file does not tell whether it is implemented)",)
            )
        owners = dict.fromkeys(
            m.owner for metadata in self._metadata for m in metadata.methods if m.selector == selector
        )
        if not owners:
            return _NO
        return Sign(holds=True, evidence=(f"implements {selector} ({_some(list(owners))})",), owners=tuple(owners))

    def _sends(self, selector: str) -> Sign:
        if self.is_encrypted:
            return Sign(holds=None)
        if not self._names(selector):
            return _NO
        if self._images[0].is_object:
            return Sign(holds=None, evidence=(f"names {selector} (an object file does not tell whether it is sent)",))
        references = [at for metadata in self._metadata for at in metadata.references_to(selector)]
        places = self._places(references)
        if places is None:
            self._gave_up = True  # what one selector was too much for, others need not be tried on
            text = f"refers to {selector}; whether it is sent was not looked at in code for {self.architecture}"
            return Sign(holds=None, evidence=(text,))
        if not places:
            return _NO
        near = [method for method in map(self._method_before, places) if method]
        times = "once" if len(places) == 1 else f"in {len(places)} places"
        code = f" near {_some([str(m) for m in dict.fromkeys(near)])}" if near else f" at {places[0]:#x}"
        return Sign(holds=True, evidence=(f"sends {selector} {times},{code}",), owners=tuple(m.owner for m in near))

    def _places(self, references: Sequence[int]) -> Sequence[int] | None:
        if not references:
            return ()
        return None if self._gave_up else places_that_load(self._data, self._images[0], references)

    @cached_property
    def _by_code(self) -> tuple[list[int], list[Method]]:
        methods = sorted((m for metadata in self._metadata for m in metadata.methods), key=lambda m: m.code)
        return [m.code for m in methods], methods

    def _method_before(self, address: int) -> Method | None:
        """Give the method that begins last before an instruction: the one around it, or around the block that it is in."""
        starts, methods = self._by_code
        number = bisect_right(starts, address)
        return methods[number - 1] if number else None

    def _literal(self, text: str, wanted: bytes) -> Sign:
        if self.is_encrypted:
            return Sign(holds=None)
        if any(self._data.find(wanted, start, end) >= 0 for start, end in self._strings):
            return Sign(holds=True, evidence=(f'string "{text.strip(chr(0))}"',))
        return _NO

    @cached_property
    def _strings(self) -> tuple[tuple[int, int], ...]:
        """The parts of the file that may hold strings, none twice: data sections; a static library as a whole."""
        if self._images[0].is_object:
            return ((self._images[0].start, max(image.end for image in self._images)),)
        sections = (s for image in self._images for s in image.sections)
        parts = sorted(
            (s.start, s.end)
            for s in sections
            if not (s.is_zero_filled or s.name == "__text" or s.flags & (_INSTRUCTIONS | _DEBUG))
        )
        return tuple(_united(parts))


def _united(parts: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Unite parts that overlap or touch."""
    start, end = -1, -1
    for part in parts:
        if part[0] > end:
            if end > start:
                yield start, end
            start, end = part
        end = max(end, part[1])
    if end > start:
        yield start, end


def fits(name: str, pattern: str) -> bool:
    """Say whether a name is that of a pattern, where `*` at its end or beginning stands for any text."""
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return name.endswith(pattern[1:]) if pattern.startswith("*") else name == pattern


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MAX_NAMED
    return ", ".join(names[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
