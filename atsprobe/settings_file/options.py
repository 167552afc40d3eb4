"""The options that a settings file may hold: each as on the command line, less the dashes, with the type of its value."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from atsprobe.model.result import ConfiguredText
from atsprobe.settings import MOST_JOBS, Settings
from atsprobe.settings_file.document import Document, quoted, type_of

_DEFAULT = Settings()
_MOST_VERBOSE = 2


@dataclass(frozen=True)
class FileValue:
    """The value of an option in a file, of the type that its row in `OPTIONS` gives; paths from where we are."""

    option: str
    value: bool | int | float | str | tuple[str, ...]
    line: int | None


@dataclass(frozen=True)
class OptionRow:
    """An option: how its value is read, an example for who got it wrong, its default and what that means."""

    read: Callable[[Document, str, Any], bool | int | float | str | tuple[str, ...]]
    example: str
    default: ConfiguredText = None
    meaning: str = ""


def read_option(document: Document, option: str) -> FileValue:
    """Read an option that the file holds. Raises UsageProblem: file, line, what type it takes."""
    value = OPTIONS[option].read(document, option, document.table[option])
    return FileValue(option, value, document.line(option))


def _flag(document: Document, option: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong_type(document, option, "true or false", value)
    return value


def _number(document: Document, option: str, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong_type(document, option, "a number", value)
    return value


def _whole_number(document: Document, option: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong_type(document, option, "a whole number", value)
    return value


def _verbosity(document: Document, option: str, value: object) -> int:
    number = _whole_number(document, option, value)
    if not 0 <= number <= _MOST_VERBOSE:
        raise document.problem(f"{option}: {number} is not a number from 0 to {_MOST_VERBOSE}", "verbose = 1", option)
    return number


def _text(document: Document, option: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong_type(document, option, "a string", value)
    if not value:
        raise document.problem(f"{option}: is empty", _hint(option), option)
    return value


def _texts(document: Document, option: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (_text(document, option, value),)
    if not isinstance(value, list):
        raise _wrong_type(document, option, "a string, or an array of strings", value)
    for number, one in enumerate(value):
        if not isinstance(one, str) or not one:
            what = "an empty string" if one == "" else type_of(one)
            hint = _hint(option)
            raise document.problem(f"{option}: takes an array of strings, and holds {what}", hint, option, number)
    return tuple(value)


def _files(document: Document, option: str, value: object) -> tuple[str, ...]:
    return tuple(_beside(document, path) for path in _texts(document, option, value))


def _entries(document: Document, option: str, value: object) -> tuple[str, ...]:
    entries = _texts(document, option, value)
    return tuple(f"@{_beside(document, e[1:])}" if e.startswith("@") else e for e in entries)


def _beside(document: Document, path: str) -> str:
    """Give a path of the file, which is relative to the file's folder, from where we are."""
    return os.path.normpath(os.path.join(os.path.dirname(document.shown), path))  # noqa: PTH118, PTH120 - as it is called


def _written(document: Document, option: str, value: object) -> str:
    """Give the path of a report: inside the file's folder, and hidden nowhere, for who wrote the file need not run the audit."""
    path = _text(document, option, value)
    folder = document.path.parent.resolve()
    hidden = any(part.startswith(".") for part in PurePath(path).parts)
    if hidden or not (folder / path).resolve().is_relative_to(folder):
        what = f"{option}: {quoted(path)} is no plain path inside the folder of this file"
        raise document.problem(what, f"give it on the command line: --{option}", option)
    return _beside(document, path)


def _wrong_type(document: Document, option: str, takes: str, value: object) -> Exception:
    return document.problem(f"{option}: takes {takes}, not {type_of(value)}", _hint(option), option)


def _hint(option: str) -> str:
    return f"{option} = {OPTIONS[option].example}, say"


OPTIONS: dict[str, OptionRow] = {
    "ios": OptionRow(_texts, '["16", "26"]', (), "the newest; of an app all that it runs on"),
    "profile": OptionRow(_text, '"fcp21"', None, "none, an iOS is judged"),
    "sdk": OptionRow(_text, '"26"', None, "read from the app, else 26"),
    "assume-complete": OptionRow(_flag, "true", False),
    "ca-file": OptionRow(_files, '["root.pem"]', (), "none beside Apple's roots"),
    "resolve": OptionRow(_entries, '["api.example.com:443:192.0.2.1"]', ()),
    "connect-to": OptionRow(_entries, '["api.example.com:443:192.0.2.1:8443"]', ()),
    "nameserver": OptionRow(_text, '"192.0.2.53"', None, "those of this machine"),
    "timeout": OptionRow(_number, "10", _DEFAULT.timeout),
    "deadline": OptionRow(_number, "30", _DEFAULT.deadline),
    "jobs": OptionRow(_whole_number, f"{min(_DEFAULT.jobs, MOST_JOBS)}", _DEFAULT.jobs),
    "rate": OptionRow(_number, "1", None, "no limit"),
    "quick": OptionRow(_flag, "true", False),
    "allow-private": OptionRow(_flag, "true", False),
    "min-confidence": OptionRow(_text, '"C"', "B"),
    "check-revocation": OptionRow(_flag, "true", False),
    "ipv4": OptionRow(_flag, "true", False),
    "ipv6": OptionRow(_flag, "true", False),
    "format": OptionRow(_text, '"json"', "text"),
    "output": OptionRow(_written, '"ats.json"', None, "standard output"),
    "suggest": OptionRow(_written, '"ats.plist"', None, "nowhere"),
    "patch": OptionRow(_written, '"ats.diff"', None, "nowhere"),
    "notes": OptionRow(_written, '"ats.md"', None, "nowhere"),
    "server": OptionRow(_text, '"nginx"', None, "a sentence that fits every product"),
    "verbose": OptionRow(_verbosity, "1", 0),
    "quiet": OptionRow(_flag, "true", False),
    "color": OptionRow(_text, '"never"', "auto"),
}
"""Every option of `atsprobe audit`, in the order of its help."""

EXCLUSIVE = (("ios", "profile"), ("ipv4", "ipv6"), ("verbose", "quiet"))
"""Options of which one is given: in the file both are a problem, and one on the command line puts the other out of force."""
