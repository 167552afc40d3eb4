"""An XML property list edited in place: only what has to change, by its bytes; all else stays as it was written."""

from __future__ import annotations

import plistlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from xml.parsers import expat

from atsprobe.model.dictionary import PlistValue
from atsprobe.report import plist_xml
from atsprobe.report.plist_tree import Element, Member, Uneditable, root_dictionary, xml_of

ATS = "NSAppTransportSecurity"
_BLANKS = b" \t"
_ON_ONE_LINE = plist_xml.Layout("", "", "")


@dataclass(frozen=True, order=True)
class Edit:
    """Bytes ``start`` to ``end`` of a text give way to others."""

    start: int
    end: int
    replacement: bytes


def edits(data: bytes, dictionary: Mapping[str, PlistValue], dropped: Collection[str] = ()) -> tuple[Edit, ...]:
    """Give the edits, in order, after which NSAppTransportSecurity holds ``dictionary`` (none at all where that is empty).

    ``dropped`` are keys at the top that go too. Comments and formatting outside of what goes stay. Raises Uneditable for what
    is no XML property list of a dictionary, and where the edited text would not hold exactly what it should.
    """
    root = root_dictionary(data)
    editor = _Editor(data, _layout(data, root))
    editor.drop(m for m in root.members if m.key in dropped)
    editor.set_ats(root, dictionary)
    made = _merged(editor.edits)
    _check(data, applied(data, made), dictionary, dropped)
    return made


def _merged(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Give edits in order; two members that go may both take the blanks between them along."""
    merged: list[Edit] = []
    for edit in sorted(edits):
        if merged and edit.start < merged[-1].end:
            last = merged.pop()
            edit = Edit(last.start, max(last.end, edit.end), last.replacement + edit.replacement)
        merged.append(edit)
    return tuple(merged)


def applied(data: bytes, made: Iterable[Edit]) -> bytes:
    """Give the text with its edits made."""
    parts, at = [], 0
    for edit in made:
        parts += [data[at : edit.start], edit.replacement]
        at = edit.end
    return b"".join((*parts, data[at:]))


def _check(data: bytes, edited: bytes, dictionary: Mapping[str, PlistValue], dropped: Collection[str]) -> None:
    before, after = _loaded(data), _loaded(edited)
    wanted = {k: v for k, v in before.items() if k != ATS and k not in dropped}
    if dictionary:
        wanted[ATS] = _plain(dictionary)
    if after != wanted:
        raise Uneditable("cannot be edited in place")


def _loaded(data: bytes) -> dict[str, object]:
    try:
        loaded = plistlib.loads(xml_of(data), fmt=plistlib.FMT_XML)
    except (
        ValueError,
        TypeError,
        LookupError,
        ArithmeticError,
        expat.ExpatError,
        plistlib.InvalidFileException,
    ) as error:
        raise Uneditable("not a property list") from error
    if not isinstance(loaded, dict):
        raise Uneditable("holds no dictionary")
    return loaded


def _plain(value: PlistValue) -> object:
    """Give a value as plistlib has it."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


@dataclass(frozen=True)
class _Lines:
    """The lines of a text: where the one around a byte begins and ends, and what is blank on it."""

    data: bytes

    def begin(self, at: int) -> int:
        return self.data.rfind(b"\n", 0, at) + 1

    def following(self, at: int) -> int:
        found = self.data.find(b"\n", at)
        return len(self.data) if found < 0 else found + 1

    def is_first(self, at: int) -> bool:
        """Whether nothing but blanks stands before a byte on its line."""
        return not self.data[self.begin(at) : at].strip(_BLANKS)

    def is_last(self, at: int) -> bool:
        """Whether nothing but blanks follows on the line."""
        return not self.data[at : self.following(at)].strip()

    def is_blank(self, at: int) -> bool:
        return self.is_first(at) and self.is_last(at)

    def indent(self, at: int) -> str:
        """Give the blanks with which the line around a byte begins."""
        line = self.data[self.begin(at) : at]
        return line[: len(line) - len(line.lstrip(_BLANKS))].decode("ascii")


def _layout(data: bytes, root: Element) -> plist_xml.Layout:
    """Read off how a property list is laid out, from the first places that show it."""
    lines, unit = _Lines(data), ""
    between: dict[bool, str | None] = {}
    waiting = [root]
    while waiting and not (unit and len(between) == 2):
        element = waiting.pop(0)
        for m in element.members:
            gap = data[m.key_end : m.value.start]
            if not gap.strip():
                between.setdefault(m.value.name in ("dict", "array"), None if b"\n" in gap else gap.decode("ascii"))
            waiting += [m.value] if m.value.is_dict else []
        unit = unit or _unit(lines, element)
    scalar = between.get(False)
    return plist_xml.Layout(unit or plist_xml.TAB, scalar, between.get(True))


def _unit(lines: _Lines, element: Element) -> str:
    first = next((m for m in element.members if lines.is_first(m.start)), None)
    if first is None or not lines.is_first(element.closing):
        return ""
    inner, outer = lines.indent(first.start), lines.indent(element.closing)
    return inner.removeprefix(outer) if inner.startswith(outer) else ""


class _Editor:
    """Gathers edits of one text; each part of the text is edited at most once."""

    def __init__(self, data: bytes, layout: plist_xml.Layout) -> None:
        self.edits: list[Edit] = []
        self._data, self._lines, self._layout = data, _Lines(data), layout
        self._newline = b"\r\n" if 2 * data.count(b"\r\n") > data.count(b"\n") else b"\n"

    def set_ats(self, root: Element, dictionary: Mapping[str, PlistValue]) -> None:
        """Let NSAppTransportSecurity hold a dictionary, or be gone."""
        if dictionary:
            self._set(root, {ATS: dictionary}, only=(ATS,))
        else:
            self.drop(m for m in root.members if m.key == ATS)

    def _set(self, element: Element, wanted: Mapping[str, PlistValue], only: Collection[str] = ()) -> None:
        """Let the members of a dictionary be those wanted (of the keys ``only``, where some are given)."""
        kept = {key: m for key in wanted if (m := element.last(key)) is not None}
        self.drop(m for m in element.members if m is not kept.get(m.key) and (not only or m.key in only))
        for key, found in kept.items():
            self._change(found.value, wanted[key])
        self._insert(element, {k: v for k, v in wanted.items() if k not in kept})

    def _change(self, element: Element, wanted: PlistValue) -> None:
        if _value(self._data, element) == _plain(wanted):
            return
        if element.is_dict and isinstance(wanted, Mapping) and wanted:
            self._set(element, wanted)
            return
        lines = plist_xml.element(wanted, self._lines.indent(element.start), self._layout)
        self._replace(element.start, element.end, self._joined(lines).lstrip(_BLANKS))

    def drop(self, members: Iterable[Member]) -> None:
        """Let members go, with their lines where nothing else stands on these."""
        for m in members:
            self._replace(*self._extent(m.start, m.value.end), b"")

    def _extent(self, start: int, end: int) -> tuple[int, int]:
        lines = self._lines
        if not lines.is_last(end):
            while self._data[end : end + 1] in (b" ", b"\t"):
                end += 1
            return start, end
        if not lines.is_first(start):
            while self._data[start - 1 : start] in (b" ", b"\t"):
                start -= 1
            return start, end
        start, end = lines.begin(start), lines.following(end)
        if start and lines.is_blank(start - 1) and lines.is_blank(end):
            end = lines.following(end)  # of the blank lines around it one is enough
        return start, end

    def _insert(self, element: Element, wanted: Mapping[str, PlistValue]) -> None:
        """Put new members behind the others: on lines of their own, unless the others have none."""
        if not wanted:
            return
        lines, closing = self._lines, element.closing
        first = next((m for m in element.members if lines.is_first(m.start)), None)
        if element.members and first is None:
            members = (line for k, v in wanted.items() for line in plist_xml.member(k, v, "", _ON_ONE_LINE))
            self._replace(closing, closing, "".join(members).encode("ascii"))
            return
        outer, newline = lines.indent(closing).encode("ascii"), self._newline
        indent = lines.indent(first.start) if first else lines.indent(closing) + self._layout.unit
        text = self._joined([line for k, v in wanted.items() for line in plist_xml.member(k, v, indent, self._layout)])
        if element.is_empty_tag:
            self._replace(element.start, element.end, b"<dict>" + newline + text + newline + outer + b"</dict>")
        elif lines.is_first(closing):
            begin = lines.begin(closing)
            self._replace(begin, begin, text + newline)
        else:
            self._replace(closing, closing, newline + text + (b"" if first else newline + outer))

    def _joined(self, lines: Sequence[str]) -> bytes:
        return self._newline.join(line.encode("ascii") for line in lines)

    def _replace(self, start: int, end: int, replacement: bytes) -> None:
        self.edits.append(Edit(start, end, replacement))


def _value(data: bytes, element: Element) -> object:
    """Give the value of an element of the text."""
    return plistlib.loads(b"<plist>" + data[element.start : element.end] + b"</plist>", fmt=plistlib.FMT_XML)
