"""The table of servers: this app, default ATS, server; words of fixed length first, the name last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from atsprobe.model.judgement import OUTCOMES_FROM_WORST, Verdict
from atsprobe.model.public_suffix import registrable_domain
from atsprobe.model.result import AuditResult, EndpointResult
from atsprobe.report.places import server_names, u_label
from atsprobe.report.style import VERBOSE
from atsprobe.report.text.layout import Page, Part
from atsprobe.report.words import count

MOST_NAMED = 5
"""Servers of one pair of verdicts that are named; more are one row with their number."""

SYMBOLS: dict[str, Part] = {
    "blocked": ("✗", "bad"),
    "inconclusive": ("?", "strong"),
    "allowed": "✓",
    "exempt": "-",
}
LOOKS_OF_VERDICTS = {
    "blocked": "bad",
    "exception-required": "change",
    "inconclusive": "strong",
    "pass": "good",
}
ADDRESSES_DISAGREE = "addresses-disagree"
"""The kind of notice that is told under the server's row."""

_VERDICTS_FROM_WORST = tuple(Verdict)
_NAMES_THEM = "-v names them"


@dataclass(frozen=True)
class _Row:
    """A line of the table; ``note`` stands under the name."""

    declared: str
    default: str
    name: str
    unicode_name: str = ""
    named_below: bool = True
    note: str = ""


def sort_key(endpoint: EndpointResult) -> tuple[int, int, str, str, int, str]:
    """Order servers: worst first under the app's dictionary, then under default ATS, then by domain, host and port."""
    host = endpoint.endpoint.host
    return (
        OUTCOMES_FROM_WORST.index(endpoint.declared_verdict),
        _VERDICTS_FROM_WORST.index(endpoint.verdict),
        registrable_domain(host) or host,
        host,
        endpoint.endpoint.port,
        endpoint.endpoint.scheme,
    )


def add_table(page: Page, result: AuditResult) -> None:
    """Write the table of every load; without a bundle there is no app, so its column is left out."""
    loads = sorted(result.loads, key=sort_key)
    if not loads:
        return
    with_app = bool(result.recording.extraction.bundles)
    notes = {n.subject: n.evidence for n in result.notices if n.kind == ADDRESSES_DISAGREE}
    rows = _rows(loads, notes, named=page.style.verbosity >= VERBOSE)
    first = _width(("this app", *(r.declared for r in rows))) if with_app else 0
    second = _width(("default ATS", *(r.default for r in rows)))
    longest = max(page.width_of((r.name,)) for r in rows)
    page.blank()
    heading: list[tuple[Part, int]] = [("", 2), *([(("this app", "strong"), first)] if with_app else [])]
    page.add_row([*heading, (("default ATS", "strong"), second)], (("server", "strong"),))
    for row in rows:
        cells: list[tuple[Part, int]] = [(SYMBOLS[row.declared], 2)]
        if with_app:
            cells.append(((row.declared, LOOKS_OF_VERDICTS.get(row.declared, "")), first))
        cells.append(((row.default, LOOKS_OF_VERDICTS.get(row.default, "")), second))
        after = "" if row.named_below else _NAMES_THEM
        column = sum(width for _, width in cells)
        page.add_row(cells, (f"{row.name}{row.unicode_name}",), after, column + longest + 2)
        if row.note:
            page.add_row([("", column)], (row.note,))


def _rows(loads: Sequence[EndpointResult], notes: Mapping[str, str], *, named: bool) -> list[_Row]:
    names = server_names([e.endpoint for e in loads])
    pairs: dict[tuple[str, str], list[EndpointResult]] = {}
    for load in loads:
        pairs.setdefault((load.declared_verdict, str(load.verdict)), []).append(load)
    rows: list[_Row] = []
    for (declared, default), members in pairs.items():
        many = [] if named or len(members) <= MOST_NAMED else [e for e in members if str(e.endpoint) not in notes]
        rows += [
            _Row(declared, default, names[e.endpoint], u_label(e.endpoint), note=notes.get(str(e.endpoint), ""))
            for e in members
            if e not in many
        ]
        if many:
            below = declared in ("blocked", "inconclusive")
            rows.append(_Row(declared, default, count(len(many), "server"), named_below=below))
    return rows


def _width(words: Iterable[str]) -> int:
    return max(len(word) for word in words) + 2
