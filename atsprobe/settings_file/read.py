"""A settings file as values: options, hosts to leave out, findings accepted for a while; each with its line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from atsprobe.model.judgement import Waiver
from atsprobe.model.recording import IgnoreRule
from atsprobe.settings_file.document import Document, meant
from atsprobe.settings_file.options import EXCLUSIVE, OPTIONS, FileValue, read_option
from atsprobe.settings_file.waivers import TABLES, read_ignored, read_waivers


@dataclass(frozen=True)
class SettingsFile:
    """What a settings file says; ``shown`` is how the file is called from here."""

    shown: str
    values: tuple[FileValue, ...] = ()
    ignored: tuple[IgnoreRule, ...] = ()
    waivers: tuple[Waiver, ...] = ()

    def value(self, option: str) -> FileValue | None:
        """Give the value of an option; None where the file does not hold it."""
        return next((v for v in self.values if v.option == option), None)


def read_settings(document: Document, requirements: Callable[[], Sequence[str]]) -> SettingsFile:
    """Read everything that a file says; ``requirements`` gives the ids that a waiver may name.

    Raises UsageProblem for the first thing that cannot be taken: file, line, reason, and what was probably meant.
    """
    for key in document.table:
        if key not in OPTIONS and key not in TABLES:
            raise _unknown(document, key)
    values = tuple(read_option(document, key) for key in document.table if key in OPTIONS)
    for one, other in EXCLUSIVE:
        given = {v.option for v in values if v.value}
        if {one, other} <= given:
            raise document.problem(f"{one} and {other}: one or the other", "leave one of them out", other)
    return SettingsFile(document.shown, values, read_ignored(document), read_waivers(document, requirements))


def _unknown(document: Document, key: str) -> Exception:
    value = document.table[key]
    is_table = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, dict) for v in value))
    if is_table:
        known = " and ".join(f"[[{name}]]" for name in TABLES)
        did_you_mean = meant(key, TABLES)
        return document.problem(f"no such table: {key[:60]}", f"{did_you_mean}the tables are {known}", key)
    hint = f"{meant(key, (*OPTIONS, *TABLES))}atsprobe config lists all"
    return document.problem(f"no such option: {key[:60]}", hint, key)
