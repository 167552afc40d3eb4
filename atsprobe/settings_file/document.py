"""A settings file as TOML: the table that is ours, and where each of its keys stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from atsprobe.settings import UsageProblem, reason
from atsprobe.settings_file.toml_lines import KeyPath, key_lines, line_of

LARGEST_FILE = 1 << 20
_PLACE = re.compile(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_LONGEST_QUOTE = 60
_TYPES: dict[type, str] = {
    bool: "a boolean",
    int: "a whole number",
    float: "a number",
    str: "a string",
    dict: "a table",
    date: "a date",
    datetime: "a date with a time",
}


@dataclass(frozen=True)
class Document:
    """A file that was read. ``table`` is ours, ``under`` the keys above it; ``shown`` is how the file is called."""

    path: Path
    shown: str
    table: dict[str, Any]
    under: tuple[str, ...]
    lines: dict[KeyPath, int]

    def line(self, *path: str | int) -> int | None:
        """Give the line of a key of our table."""
        return line_of(self.lines, (*self.under, *path))

    def place(self, *path: str | int) -> str:
        """Give ``FILE:LINE`` of a key of our table."""
        line = self.line(*path)
        return self.shown if line is None else f"{self.shown}:{line}"

    def problem(self, what: str, hint: str, *path: str | int) -> UsageProblem:
        """Give the line for the user on what is wrong with a key of our table."""
        return UsageProblem(f"{self.place(*path)}: {what}", hint)


def read_document(path: Path, shown: str) -> Document | None:
    """Read a settings file; None for a pyproject.toml without ``[tool.atsprobe]``. Raises UsageProblem: file, line, reason."""
    data = _bytes(path, shown)
    is_project = path.name == "pyproject.toml"
    if is_project and b"atsprobe" not in data:
        return None
    text = _text(data, shown)
    whole = _parsed(text, shown)
    if not is_project:
        return Document(path, shown, whole, (), key_lines(text))
    tool = whole.get("tool")
    table = tool.get("atsprobe") if isinstance(tool, dict) else None
    if table is None:
        return None
    document = Document(path, shown, {}, ("tool",), key_lines(text))
    if not isinstance(table, dict):
        raise document.problem(f"atsprobe: takes a table, not {type_of(table)}", "[tool.atsprobe]", "atsprobe")
    return Document(path, shown, table, ("tool", "atsprobe"), document.lines)


def _bytes(path: Path, shown: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise UsageProblem(f"{shown}: {reason(error)}", "--no-config reads no settings file") from error
    if len(data) > LARGEST_FILE:
        raise UsageProblem(f"{shown}: larger than {LARGEST_FILE >> 20} MiB", "--no-config reads no settings file")
    return data


def _text(data: bytes, shown: str) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageProblem(f"{shown}:{line}: not UTF-8, as TOML has to be", "save it as UTF-8") from error


def _parsed(text: str, shown: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.match(str(error))
        said = place[1] if place else str(error)
        at_end = text.count("\n") + (not text.endswith("\n"))
        line = place[2] if place and place[2] else str(max(at_end, 1))
        column = f" (column {place[3]})" if place and place[3] else " (at the end)"
        what = f"{said[:1].lower()}{said[1:200]}{column}"
        raise UsageProblem(
            f"{shown}:{line}: not TOML: {what}", 'strings stand in quotes: nameserver = "192.0.2.53"'
        ) from error
    except RecursionError as error:
        raise UsageProblem(f"{shown}: nested too deeply", "--no-config reads no settings file") from error
    except ValueError as error:  # a number of more digits than Python reads
        raise UsageProblem(f"{shown}: {str(error)[:100]}", "--no-config reads no settings file") from error


def type_of(value: object) -> str:
    """Name the type of a TOML value."""
    if isinstance(value, list):
        return "an array of tables" if value and all(isinstance(v, dict) for v in value) else "an array"
    return _TYPES.get(type(value), "a time of day")


def quoted(text: str) -> str:
    """Give a text of the file in quotes, shortened."""
    more = f"[+{len(text) - _LONGEST_QUOTE}]" if len(text) > _LONGEST_QUOTE else ""
    return f'"{text[:_LONGEST_QUOTE]}"{more}'


def meant(text: str, known: Iterable[str]) -> str:
    """Give ``did you mean …? `` where something known is alike, else nothing."""
    names = sorted(known)
    alike = get_close_matches(text.replace("_", "-").lower(), names, 1, 0.6)
    return f"did you mean {alike[0]}? " if alike else ""
