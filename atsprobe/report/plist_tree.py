"""Where the dictionaries of an XML property list stand in its text, found by one pass of expat."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.parsers import expat

_START = re.compile(rb"<\?xml|<plist|<!DOCTYPE plist")
_TAG_END = re.compile(rb"""(?:"[^"]*"|'[^']*'|[^"'>])*>""")
_MOST_BEFORE = 4096


class Uneditable(ValueError):
    """Says why the text of a property list cannot be edited in place."""


@dataclass
class Element:
    """A value in the text: bytes ``start`` to ``end``. Of a dictionary also its members and where its closing tag begins.

    ``is_empty_tag``: it is written as ``<dict/>``, which has no closing tag.
    """

    name: str
    start: int
    end: int = 0
    closing: int = 0
    is_empty_tag: bool = False
    members: list[Member] = field(default_factory=list)

    @property
    def is_dict(self) -> bool:
        """Whether it is a dictionary."""
        return self.name == "dict"

    def last(self, key: str) -> Member | None:
        """Give the member of a key; of several the last, which is the one that counts for a reader that overwrites."""
        return next((m for m in reversed(self.members) if m.key == key), None)


@dataclass
class Member:
    """A key of a dictionary, from byte ``start`` to ``key_end``, and its value."""

    key: str
    start: int
    key_end: int = 0
    value: Element = field(default_factory=lambda: Element("", 0))


def root_dictionary(data: bytes) -> Element:
    """Give the dictionary that a property list holds. Raises Uneditable where there is none, or the XML is not well-formed."""
    root = _Reader(data, len(data) - len(xml_of(data))).read()
    if root is None or not root.is_dict:
        raise Uneditable("holds no dictionary")
    return root


def xml_of(data: bytes) -> bytes:
    """Give a property list from where its XML begins: blank lines or a comment before that are forgiven, as Apple does."""
    start = _START.search(data, 0, _MOST_BEFORE)
    if start is None:
        raise Uneditable("not a property list in XML")
    return data[start.start() :]


class _Reader:
    """Builds the tree of dictionaries; what stands inside arrays is passed over."""

    def __init__(self, data: bytes, offset: int) -> None:
        self._data, self._offset = data, offset
        self._open: list[Element] = []
        self._member: Member | None = None
        self._waiting: list[Member | None] = []
        self._key_text: list[str] = []
        self._root: Element | None = None
        parser = self._parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = self._refuse_entity

    def read(self) -> Element | None:
        try:
            self._parser.Parse(self._data[self._offset :], True)
        except expat.ExpatError as error:
            raise Uneditable(f"line {error.lineno}: {expat.ErrorString(error.code)}") from error
        except LookupError as error:
            raise Uneditable("an encoding that is not known") from error
        return self._root

    def _refuse_entity(self, *_: object) -> None:
        raise Uneditable("declares an XML entity, which no property list does")

    @property
    def _at(self) -> int:
        return self._parser.CurrentByteIndex + self._offset

    def _start(self, name: str, _: dict[str, str]) -> None:
        if name == "plist" and not self._open:
            return
        if name == "key" and self._open and self._open[-1].is_dict:
            self._member = Member("", self._at)
            self._key_text = []
            return
        element = Element(name, self._at)
        if not self._open:
            self._root = self._root or element
        elif self._open[-1].is_dict and self._member is not None:
            self._member.value = element
        self._waiting.append(self._member)
        self._member = None
        self._open.append(element)

    def _end(self, name: str) -> None:
        if name == "plist" and not self._open:
            return
        if name == "key" and self._member is not None:
            self._member.key, self._member.key_end = "".join(self._key_text), self._tag_end(self._at)
            return
        element = self._open.pop()
        opened = self._tag_end(element.start)
        element.is_empty_tag = self._data[opened - 2 : opened] == b"/>"  # its end event has no place of its own
        element.closing = element.start if element.is_empty_tag else self._at
        element.end = opened if element.is_empty_tag else self._tag_end(self._at)
        owner = self._waiting.pop()
        if owner is not None and self._open:
            self._open[-1].members.append(owner)

    def _text(self, text: str) -> None:
        if self._member is not None and not self._member.key_end:
            self._key_text.append(text)

    def _tag_end(self, start: int) -> int:
        found = _TAG_END.match(self._data, start)
        if found is None:
            raise Uneditable("a tag without an end")
        return found.end()
