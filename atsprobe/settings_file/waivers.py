"""The tables of a settings file: hosts to leave out of an audit, and findings that are accepted for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from atsprobe.model.endpoint import InvalidHost, parse_host
from atsprobe.model.judgement import RequirementId, Waiver
from atsprobe.model.recording import IgnoreRule
from atsprobe.settings import UsageProblem
from atsprobe.settings_file.document import Document, meant, quoted, type_of

IGNORED, WAIVER = "ignored", "waiver"
TABLES = (IGNORED, WAIVER)
"""The names of the arrays of tables."""

_KEYS = {
    IGNORED: ("host", "reason"),
    WAIVER: ("host", "domain", "requirement", "key", "bundle", "reason", "owner", "expires"),
}
_HINTS = {
    IGNORED: "[[ignored]] has host (a name, or *.example.com) and reason",
    WAIVER: "[[waiver]] has host or domain, requirement or key, reason, owner, expires, and may have bundle",
}
_LONGEST_TEXT = 500


def read_ignored(document: Document) -> tuple[IgnoreRule, ...]:
    """Read the hosts to leave out. Raises UsageProblem: file, line, reason."""
    return tuple(
        IgnoreRule(_pattern(row), row.text("reason"), document.place(IGNORED, row.number))
        for row in _rows(document, IGNORED)
    )


def read_waivers(document: Document, requirements: Callable[[], Sequence[str]]) -> tuple[Waiver, ...]:
    """Read the waivers; ``requirements`` gives the ids that there are. Raises UsageProblem: file, line, reason."""
    return tuple(_waiver(row, requirements) for row in _rows(document, WAIVER))


class _Row:
    """One table of an array of tables."""

    def __init__(self, document: Document, name: str, number: int, table: dict[str, Any]) -> None:
        self.number = number
        self._document = document
        self._name = name
        self._table = table
        for key in table:
            if key not in _KEYS[name]:
                did_you_mean = meant(key, _KEYS[name])
                raise self.problem(f"no such key: {key[:60]}", f"{did_you_mean}{_HINTS[name]}", key)

    def __contains__(self, key: str) -> bool:
        return key in self._table

    @property
    def place(self) -> str:
        return self._document.place(self._name, self.number)

    def value(self, key: str) -> Any:
        if key not in self._table:
            raise self.problem(f"no {key} given", _HINTS[self._name])
        return self._table[key]

    def text(self, key: str) -> str:
        value = self.value(key)
        if not isinstance(value, str):
            raise self.problem(f"{key}: takes a string, not {type_of(value)}", f'{key} = "..."', key)
        if not value.strip() or len(value) > _LONGEST_TEXT:
            what = "is longer than 500 characters" if value.strip() else "is empty"
            raise self.problem(f"{key}: {what}", _HINTS[self._name], key)
        return value.strip()

    def optional(self, key: str) -> str | None:
        return self.text(key) if key in self else None

    def problem(self, what: str, hint: str, *key: str) -> UsageProblem:
        return self._document.problem(f"{self._name}: {what}", hint, self._name, self.number, *key)


def _rows(document: Document, name: str) -> Iterator[_Row]:
    rows = document.table.get(name, [])
    if not isinstance(rows, list):
        hint = f"[[{name}]], in two brackets" if isinstance(rows, dict) else f"[[{name}]]"
        raise document.problem(f"{name}: takes an array of tables, not {type_of(rows)}", hint, name)
    for number, table in enumerate(rows):
        if not isinstance(table, dict):
            raise document.problem(f"{name}: takes tables, not {type_of(table)}", f"[[{name}]]", name, number)
        yield _Row(document, name, number, table)


def _pattern(row: _Row) -> str:
    text = row.text("host")
    below = text.startswith("*.")
    return f"*.{_host(row, 'host', text[2:], text)}" if below else _host(row, "host", text, text)


def _host(row: _Row, key: str, name: str, as_written: str) -> str:
    try:
        return parse_host(name)
    except InvalidHost as error:
        what = f"{key}: {quoted(as_written)} is no host name"
        raise row.problem(what, f'a bare name: {key} = "api.example.com"', key) from error


def _waiver(row: _Row, requirements: Callable[[], Sequence[str]]) -> Waiver:
    if ("requirement" in row) == ("key" in row):
        both = "requirement" in row
        raise row.problem(
            "requirement and key: one of the two" if both else "no requirement or key given", _HINTS[WAIVER]
        )
    if "host" in row and "domain" in row:
        raise row.problem("host and domain: one of the two", "domain is a name and everything below it", "domain")
    if "requirement" in row and "host" not in row and "domain" not in row:
        raise row.problem(
            "no host or domain given", "a requirement is accepted for a host, or a domain and what is below"
        )
    return Waiver(
        reason=row.text("reason"),
        owner=row.text("owner"),
        expires=_expiry(row),
        host=_whose(row, "host"),
        domain=_whose(row, "domain"),
        requirement=_requirement(row, requirements) if "requirement" in row else None,
        key=row.optional("key"),
        bundle=row.optional("bundle"),
        place=row.place,
    )


def _whose(row: _Row, key: str) -> str | None:
    """Give the host or domain: a bare name, or with an ATS key the domain of its entry, which may be misspelt."""
    text = row.optional(key)
    if text is None or "key" in row:
        return text
    if text.startswith("*."):
        below = f'domain = "{text[2:]}" is that name and everything below it'
        raise row.problem(f"{key}: {quoted(text)} is no host name", below, key)
    return _host(row, key, text, text)


def _requirement(row: _Row, requirements: Callable[[], Sequence[str]]) -> RequirementId:
    text, known = row.text("requirement"), requirements()
    if text not in known:
        hint = f"{meant(text, known)}{', '.join(known)}"
        raise row.problem(f"requirement: no such requirement: {quoted(text)}", hint, "requirement")
    return RequirementId(text)


def _expiry(row: _Row) -> date:
    """Give the last day: a TOML date, or one in a string (ISO 8601, 2027-03-31)."""
    value = row.value("expires")
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    example = "the last day on which it holds: expires = 2027-03-31"
    if not isinstance(value, str):
        raise row.problem(f"expires: takes a date, not {type_of(value)}", example, "expires")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise row.problem(f"expires: {quoted(value)} is no date", example, "expires") from error
