"""Lines of a text report: wrapped at blanks and measured in terminal cells, then painted or left plain."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from atsprobe.report.escape import escape
from atsprobe.report.style import Style

Part = str | tuple[str, str]
"""A piece of a line: text, or text with the name of a look of ``LOOKS``."""

LOOKS = {
    "strong": "bold",
    "bad": "bold red",
    "change": "magenta",
    "good": "green",
}
"""Colours by name from the eight basic ones; yellow, blue, cyan and dim vanish on common palettes."""

_SYMBOLS = {"✗": "x", "✓": "+"}
_WORD = re.compile("[^ ]+")
_ROOM_TO_START_A_LONG_WORD = 20


class Page:
    """The lines of a report in the making. Every text given to it is escaped here, foreign or not."""

    def __init__(self, style: Style) -> None:
        """Begin an empty page of that style."""
        self.style = style
        self._lines: list[Text] = []

    def blank(self) -> None:
        """Leave a line empty, once, and not at the top."""
        if self._lines and self._lines[-1].plain:
            self._lines.append(Text())

    def add(self, *parts: Part, indent: int = 0, hang: int = 0) -> None:
        """Add one line of the report: ``indent`` blanks before it, ``hang`` before what had to be wrapped."""
        text = self._text(parts)
        spans = wrap(text.plain, self.style.columns - indent, self.style.columns - hang, fold=self.style.fold)
        for number, (start, end) in enumerate(spans):
            line = Text(" " * (hang if number else indent))
            line.append_text(text[start:end])
            self._lines.append(line)

    def add_verbatim(self, text: str, *, indent: int = 0) -> None:
        """Add a line that is to be copied: never wrapped, however narrow the terminal is."""
        self._lines.append(Text(" " * indent).append_text(self._text((text,))))

    def add_row(self, cells: Iterable[tuple[Part, int]], name: tuple[Part, ...], after: Part = "", at: int = 0) -> None:
        """Add a row of a table: cells padded to their widths, then the name, which alone may wrap; ``after`` at a column."""
        row = Text()
        for part, width in cells:
            row.append_text(self._text((part,)))
            row.append(" " * max(0, width - self._width_of(part)))
        column = cell_len(row.plain)
        if self.style.columns - column < _ROOM_TO_START_A_LONG_WORD:
            self._lines.append(row)
            row, column = Text(" " * 6), 6
        text = self._text(name)
        room = self.style.columns - column
        for number, (start, end) in enumerate(wrap(text.plain, room, room, fold=self.style.fold)):
            line = Text(" " * column) if number else row
            line.append_text(text[start:end])
            self._lines.append(line)
        if after:
            self._append_at(after, at)

    def add_pair(self, name: Part, text: str, column: int, indent: int = 2) -> None:
        """Add a name and what is said of it at a column; on a line of its own where the name is longer than that."""
        gap = column - indent - self._width_of(name)
        if gap >= 2:
            self.add(name, " " * gap, text, indent=indent, hang=column)
        else:
            self.add(name, indent=indent, hang=indent + 4)
            self.add(text, indent=column, hang=column)

    def width_of(self, parts: Iterable[Part]) -> int:
        """Measure pieces in cells, as they will be written."""
        return sum(self._width_of(part) for part in parts)

    def rendered(self) -> str:
        """Give the report: lines end with a newline, without blanks before it."""
        for line in self._lines:
            line.rstrip()
        if not self.style.color:
            return "".join(f"{line.plain}\n" for line in self._lines)
        return _painted(self._lines)

    def _append_at(self, part: Part, column: int) -> None:
        line, text = self._lines[-1], self._text((part,))
        gap = max(column - cell_len(line.plain), 2)
        if cell_len(line.plain) + gap + cell_len(text.plain) <= self.style.columns or not self.style.fold:
            line.append(" " * gap)
            line.append_text(text)

    def _width_of(self, part: Part) -> int:
        return cell_len(self._text((part,)).plain)

    def _text(self, parts: Iterable[Part]) -> Text:
        text = Text()
        for part in parts:
            plain, look = (part, "") if isinstance(part, str) else part
            shown = plain if self.style.unicode else _SYMBOLS.get(plain, plain)
            text.append(escape(shown, ascii_only=not self.style.unicode), LOOKS.get(look) or None)
        return text


def _painted(lines: Iterable[Text]) -> str:
    paper = io.StringIO()
    console = Console(
        file=paper,
        force_terminal=True,
        color_system="standard",
        no_color=False,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        width=10_000,  # the lines are wrapped already
        _environ={},
    )
    for line in lines:
        console.print(line, soft_wrap=True)
    return paper.getvalue()


def wrap(text: str, first: int, rest: int, *, fold: bool) -> list[tuple[int, int]]:
    """Cut a text into lines of at most ``first`` and then ``rest`` cells; give their start and end.

    Cuts are at blanks; ``KEY = value`` stays together. A word wider than a line is folded after a ``.`` or ``/``, or
    where the line ends, unless ``fold`` is false: then it stays where it is, if a line of its own had no more room.
    """
    lines: list[tuple[int, int]] = []
    start = end = 0
    room = first
    for begin, stop in _words(text):
        if end > start and cell_len(text[start:stop]) > room:
            too_wide_for_any_line = cell_len(text[begin:stop]) > rest
            left = room - cell_len(text[start:begin])
            if not too_wide_for_any_line or left < (_ROOM_TO_START_A_LONG_WORD if fold else rest):
                lines.append((start, end))
                start, room = begin, rest
        while fold and cell_len(text[start:stop]) > room:
            cut = _fold(text, begin, stop, room - cell_len(text[start:begin]))
            lines.append((start, cut))
            start = begin = cut
            room = rest
        end = stop
    return [*lines, (start, end)]


def _words(text: str) -> Iterator[tuple[int, int]]:
    """Give the words of a text, ``KEY = value`` as one."""
    held: tuple[int, int] | None = None
    glue = False
    for match in _WORD.finditer(text):
        if held and (glue or match.group() == "="):
            held = held[0], match.end()
        else:
            if held:
                yield held
            held = match.span()
        glue = match.group() == "="
    if held:
        yield held


def _fold(text: str, start: int, end: int, room: int) -> int:
    """Give where the first line of a word that is too wide ends."""
    width, cut = 0, start
    while cut < end and (width := width + cell_len(text[cut])) <= room:
        cut += 1
    cut = max(cut, start + 1)
    after_a_separator = max(text.rfind(".", start, cut), text.rfind("/", start, cut)) + 1
    return after_a_separator if after_a_separator > start else cut
