"""A property list in XML or binary form, read within bounds, with the line of each key in an XML one."""

from __future__ import annotations

import plistlib
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from xml.parsers import expat

from atsprobe.extract.member import Unreadable
from atsprobe.extract.sighting import Buffer
from atsprobe.model.dictionary import PlistValue

KeyPath = tuple[str | int, ...]
"""The keys and array indexes that lead to a value."""

_MAX_BYTES = 64 << 20
_MAX_DEPTH = 64
_MAX_NODES = 1_000_000
_MAX_LINES = 100_000
_MAX_DICTIONARY_NODES = 60_000
_MAX_DIGITS = 1_000
_MAX_INTEGER_BYTES = 16
_JUNK = 1024
_XML_START = re.compile(rb"<\?xml|<plist|<!DOCTYPE plist")
_XML_PLIST = re.compile(rb"<plist[\s>]|<!DOCTYPE plist")
_CLOSING_TAG = re.compile(rb"</([A-Za-z0-9:._-]{1,40})")
_PLISTLIB_ERRORS = (
    plistlib.InvalidFileException,
    expat.ExpatError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RecursionError,
    MemoryError,
    struct.error,
)


@dataclass(frozen=True)
class PlistFile:
    """A property list as plistlib gives it, and in XML the line (from 1) of each key or array element, by its path."""

    root: Any
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def strings(self) -> Iterator[tuple[KeyPath, str]]:
        """Give each string value with its path, in order; a container that is shared or contains itself is entered once.

        Raises Unreadable at the end where it is nested more than 64 deep; what was read before stands.
        """
        if isinstance(self.root, str):
            yield (), self.root
        inside: list[tuple[KeyPath, Iterator[tuple[Any, Any]]]] = [((), _items(self.root))]
        entered, is_cut = {id(self.root)}, False
        while inside:
            above, items = inside[-1]
            for key, value in items:
                if isinstance(value, str):
                    yield (*above, key), value
                elif isinstance(value, dict | list) and id(value) not in entered:
                    entered.add(id(value))
                    if len(inside) < _MAX_DEPTH:
                        inside.append(((*above, key), _items(value)))
                        break
                    is_cut = True
            else:
                inside.pop()
        if is_cut:
            raise Unreadable(f"more than {_MAX_DEPTH} levels; the rest was not read")


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        return ((k, v) for k, v in value.items() if isinstance(k, str))
    return iter(enumerate(value) if isinstance(value, list) else ())


def looks_like_plist(head: bytes) -> bool:
    """Say by its first bytes whether a file is a binary or an XML property list."""
    if head.startswith(b"bplist"):
        return True
    text = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")  # UTF-16 reads the same then
    return text.startswith(b"<") and bool(_XML_PLIST.search(text, 0, _JUNK))


def load(content: Buffer) -> PlistFile:
    """Read a property list. Raises Unreadable, with the line in XML, for what is none."""
    data = content if isinstance(content, bytes) else content[: _MAX_BYTES + 1]
    if len(data) > _MAX_BYTES:
        raise Unreadable(f"a property list larger than {_MAX_BYTES >> 20} MiB")
    if not data.strip():
        raise Unreadable("an empty file")
    return _load_binary(data) if data.startswith(b"bplist") else _load_xml(data)


def _load_binary(data: bytes) -> PlistFile:
    try:
        _bound_binary(data)
        return PlistFile(plistlib.loads(data, fmt=plistlib.FMT_BINARY))
    except _PLISTLIB_ERRORS as error:
        raise Unreadable("not a property list (binary, but damaged or cut short)") from error


def _bound_binary(data: bytes) -> None:
    """Count what the objects of a binary property list hold before they are built.

    Many objects may point at one and the same large array, so that a small file could unfold into any number of values.
    The layout: a trailer of 32 bytes with the sizes, a table of offsets, objects of a marker, a length and a body
    (Apple, CFBinaryPList.c).
    """
    offset_size, reference_size, objects, _, table = struct.unpack(">6xBBQQQ", data[-32:])
    if not offset_size or table + objects * offset_size > len(data) - 32:
        raise ValueError  # no trailer: the file is cut short, or no property list at all
    if objects > _MAX_NODES:
        raise Unreadable(f"a property list of more than {_MAX_NODES:,} values")
    if table + objects * offset_size > len(data):
        raise plistlib.InvalidFileException  # before a loop over what is not there
    references = text = 0
    for at in range(table, table + objects * offset_size, offset_size or 1):
        start = int.from_bytes(data[at : at + offset_size], "big")
        kind, length = data[start] & 0xF0, data[start] & 0x0F
        if length == 0x0F and kind >= 0x40:
            size = 1 << (data[start + 1] & 0x03)
            length = int.from_bytes(data[start + 2 : start + 2 + size], "big")
        if kind == 0x10 and 1 << length > _MAX_INTEGER_BYTES:
            raise Unreadable(f"not a property list (an integer of more than {8 * _MAX_INTEGER_BYTES} bits)")
        width = 0
        if kind >= 0xA0:
            width = reference_size
            length *= 2 if kind == 0xD0 else 1
            references += length
        elif kind >= 0x40:
            width = 2 if kind == 0x60 else 1
            text += width * length
        if start + width * length > len(data):
            raise ValueError  # an object that is longer than the file
    if references > _MAX_NODES or text > len(data):
        raise Unreadable(f"a property list of more than {_MAX_NODES:,} values, or whose values overlap")


def _load_xml(data: bytes) -> PlistFile:
    start = _XML_START.search(data, 0, _JUNK + 16)
    skipped_lines = 0
    if start and not data.startswith((b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe")):
        skipped_lines = data.count(b"\n", 0, start.start())
        data = data[start.start() :]  # a blank line or a comment stands before it, which Apple's parser forgives
    elif data.lstrip()[:1] in (b"{", b"("):
        raise Unreadable("not a property list in XML or binary form (JSON, or the old OpenStep form?)", _CONVERT)
    lines = _LineReader(data, skipped_lines).lines()
    try:
        return PlistFile(plistlib.loads(data, fmt=plistlib.FMT_XML), lines)
    except _PLISTLIB_ERRORS as error:
        raise Unreadable(f"not a property list ({_reason(error)})") from error


_CONVERT = "plutil -convert xml1"


def _reason(error: BaseException) -> str:
    return str(error).split("\n", 1)[0][:100] or type(error).__name__


class _LineReader:
    """Finds the line of each key in an XML property list, and says where the XML is broken."""

    def __init__(self, data: bytes, skipped_lines: int) -> None:
        self._data = data
        self._skipped = skipped_lines
        self._open: list[str] = []
        self._path: list[str | int] = []
        self._is_array: list[bool] = []
        self._elements = 0
        self._digits = 0
        self._key: list[str] | None = None
        self._key_line = 0
        self._lines: dict[KeyPath, int] = {}
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.EntityDeclHandler = self._refuse_entity

    def lines(self) -> dict[KeyPath, int]:
        """Give the lines. Raises Unreadable where the XML is not well-formed, declares entities or nests too deep."""
        try:
            self._parser.Parse(self._data, True)
        except expat.ExpatError as error:
            raise Unreadable(f"not a property list ({self._describe(error)})") from error
        except (ValueError, LookupError) as error:  # an encoding that Python does not know
            raise Unreadable(f"not a property list ({_reason(error)})") from error
        return self._lines

    @property
    def _line(self) -> int:
        return self._parser.CurrentLineNumber + self._skipped

    def _describe(self, error: expat.ExpatError) -> str:
        line = f"line {error.lineno + self._skipped}"
        if error.code == expat.errors.codes[expat.errors.XML_ERROR_TAG_MISMATCH] and self._open:
            at = max(0, self._parser.ErrorByteIndex - 2)
            closing = _CLOSING_TAG.search(self._data, at, at + 60)
            if closing:
                return f"{line}: </{closing[1].decode()}> closes <{self._open[-1]}>"
        return f"{line}: {expat.ErrorString(error.code)}"

    def _refuse_entity(self, *_: object) -> None:
        raise Unreadable(
            f"not a property list (line {self._line}: declares an XML entity, which no property list does)"
        )

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        if len(self._open) > 2 * _MAX_DEPTH:
            raise Unreadable(f"a property list of more than {_MAX_DEPTH} levels")
        self._elements += 1
        if self._elements > 2 * _MAX_NODES:
            raise Unreadable(f"a property list of more than {_MAX_NODES:,} values")
        self._open.append(name)
        self._digits = 0
        if name == "key":
            self._key, self._key_line = [], self._line
        elif name != "plist":
            self._begin_value()
            if name in ("dict", "array"):
                self._is_array.append(name == "array")
                self._path.append(-1 if name == "array" else "")

    def _begin_value(self) -> None:
        """Count an element of an array, and note its line; the line of a dictionary's value is that of its key."""
        if self._is_array and self._is_array[-1]:
            self._path[-1] = cast(int, self._path[-1]) + 1
            self._note(self._line)

    def _end(self, name: str) -> None:
        self._open.pop()
        if name == "key" and self._key is not None:
            if self._is_array and not self._is_array[-1]:
                self._path[-1] = "".join(self._key)
                self._note(self._key_line)
            self._key = None
        elif name in ("dict", "array") and self._is_array:
            self._is_array.pop()
            self._path.pop()

    def _text(self, text: str) -> None:
        if self._key is not None:
            self._key.append(text)
        elif self._open and self._open[-1] == "integer":
            self._digits += len(text)
            if self._digits > _MAX_DIGITS:
                reason = f"line {self._line}: an integer of more than {_MAX_DIGITS:,} digits"
                raise Unreadable(f"not a property list ({reason})")

    def _note(self, line: int) -> None:
        if len(self._lines) < _MAX_LINES and len(self._path) <= _MAX_DEPTH:
            self._lines[tuple(self._path)] = line


def to_value(value: Any) -> PlistValue:
    """Give a value of plistlib's as the model has it: arrays as tuples.

    A UID of a keyed archive becomes ``{"CF$UID": n}``, as XML writes it. Raises Unreadable for one that is too large or too
    deep to be a setting, that contains itself, or that has a key which is no string, which only a binary list can hold.
    """
    return _Converter().convert(value, 0)


class _Converter:
    def __init__(self) -> None:
        self._nodes = 0

    def convert(self, value: Any, depth: int) -> PlistValue:
        self._nodes += 1
        if depth > _MAX_DEPTH:
            raise Unreadable(f"a dictionary of more than {_MAX_DEPTH} levels")
        if self._nodes > _MAX_DICTIONARY_NODES:
            raise Unreadable(f"a dictionary of more than {_MAX_DICTIONARY_NODES:,} values")
        if isinstance(value, dict):
            if not all(isinstance(k, str) for k in value):
                raise Unreadable("a dictionary with a key that is no string")
            return {k: self.convert(v, depth + 1) for k, v in value.items()}
        if isinstance(value, list):
            return tuple(self.convert(v, depth + 1) for v in value)
        if isinstance(value, plistlib.UID):
            return {"CF$UID": value.data}
        if isinstance(value, bool | int | float | str | bytes | datetime):
            return value
        raise Unreadable(f"a value that no property list holds ({type(value).__name__})")
