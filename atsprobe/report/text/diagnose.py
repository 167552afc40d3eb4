"""A diagnosis as text: the answer, the table of nscurl, what the codes mean."""

from __future__ import annotations

from atsprobe.model.diagnosis import Diagnosis, DiagnosticRow
from atsprobe.model.result import DiagnoseResult
from atsprobe.report.advice import advice_for
from atsprobe.report.diagnosis_words import Kind, answer, client_title, keys, looked_at, meanings, where
from atsprobe.report.fixes import https_fix
from atsprobe.report.places import u_label
from atsprobe.report.server_products import configurations, kinds_shown
from atsprobe.report.style import QUIET, VERBOSE, VERY_VERBOSE, Style
from atsprobe.report.text.evidence import of_observations
from atsprobe.report.text.handshakes import add_handshakes
from atsprobe.report.text.item import add_labelled
from atsprobe.report.text.layout import Page, Part
from atsprobe.report.text.products import add_configurations

_SYMBOLS: dict[Kind, Part] = {
    "passes": "✓",
    "exempt": "-",
    "exception": ("!", "change"),
    "blocked": ("✗", "bad"),
    "unknown": ("?", "strong"),
}
_LOOKS = {"PASS": "good", "FAIL": "bad", "INCONCLUSIVE": "strong"}
_MARKS: dict[str, Part] = {"?": ("?", "strong"), "!": ("!", "change")}


def render_diagnose(result: DiagnoseResult, style: Style) -> str:
    """Write one table for each host and client, each under its answer."""
    page = Page(style)
    for diagnosis in result.diagnoses:
        page.blank()
        _add_answer(page, result, diagnosis)
        if style.verbosity > QUIET:
            _add_table(page, diagnosis)
        _add_meanings(page, diagnosis)
        _add_fixes(page, diagnosis)
        if style.verbosity >= VERBOSE:
            page.blank()
            add_labelled(page, of_observations(diagnosis.observations))
        if style.verbosity >= VERY_VERBOSE:
            add_handshakes(page, diagnosis.endpoint, diagnosis.observations)
    return page.rendered()


def _add_answer(page: Page, result: DiagnoseResult, diagnosis: Diagnosis) -> None:
    said = answer(diagnosis)
    name = f"{diagnosis.endpoint}{u_label(diagnosis.endpoint)}"
    if len({d.client for d in result.diagnoses}) > 1:
        name += f" as {client_title(diagnosis)}"
    page.add(_SYMBOLS[said.kind], " ", (f"{name}: {said.sentence}", "strong"), hang=2)
    if page.style.verbosity <= QUIET:
        return
    if said.beside:
        page.add(said.beside, indent=2, hang=2)
    page.add(looked_at(result, diagnosis), indent=2, hang=2)


def _add_table(page: Page, diagnosis: Diagnosis) -> None:
    verbose = page.style.verbosity >= VERBOSE
    if _says_nothing(page, diagnosis):
        return
    columns = _columns(diagnosis)
    section = ""
    page.blank()
    for row in diagnosis.rows:
        is_told = verbose or not row.test.is_nscurls
        if is_told and row.test.section != section:
            page.blank()
            page.add((row.test.section, "strong"), indent=2, hang=4)
        section = row.test.section
        _add_row(page, diagnosis, row, columns)


def _columns(diagnosis: Diagnosis) -> tuple[int, int]:
    """Give the widths of the results and of the codes."""
    results = max(len(row.result) for row in diagnosis.rows) + 2
    codes = max((len(str(row.error.telling)) + 2 for row in diagnosis.rows if row.error), default=0)
    return results, codes


def _add_row(page: Page, diagnosis: Diagnosis, row: DiagnosticRow, columns: tuple[int, int]) -> None:
    result, code = columns
    at = 2 + result + code
    shown = f"{row.error.telling}" if row.error else ""
    only = where(diagnosis, row)
    label = f"{row.test.label} ({only})" if only else row.test.label
    gap = " " * (result - len(row.result))
    page.add((row.result, _LOOKS[row.result]), f"{gap}{shown:<{code}}{label}", indent=2, hang=at)
    if page.style.verbosity >= VERBOSE:
        for text in (keys(row.test), *_error(row), row.remark):
            if text:
                page.add(text, indent=at + 2, hang=at + 4)


def _error(row: DiagnosticRow) -> tuple[str, ...]:
    if row.error is None:
        return (row.reason,)
    inner = "" if row.error.stream_code is None else f", _kCFStreamErrorCodeKey={row.error.stream_code}"
    return (f"NSURLErrorDomain {row.error.code}{inner}", row.reason)


def _add_meanings(page: Page, diagnosis: Diagnosis) -> None:
    told = meanings(diagnosis)
    if page.style.verbosity <= QUIET:
        told = tuple(m for m in told if m.mark.startswith("-"))
    elif _says_nothing(page, diagnosis):
        told = tuple(m for m in told if m.mark != "?")
    if not told:
        _add_advice(page, diagnosis)
        return
    if page.style.verbosity > QUIET:
        page.blank()
    width = max(len(m.mark) for m in told) + 2
    for meaning in told:
        mark = _MARKS.get(meaning.mark, meaning.mark)
        page.add(mark, " " * (width - len(meaning.mark)), meaning.text, indent=2, hang=2 + width)
    _add_advice(page, diagnosis)


def _add_fixes(page: Page, diagnosis: Diagnosis) -> None:
    """Tell what would make default ATS pass: one sentence, and the lines for server products."""
    fix = https_fix(diagnosis.endpoint, diagnosis.default.failing)
    if fix and page.style.verbosity > QUIET:
        page.blank()
        page.add(f"fix: {fix}", indent=2, hang=7)
    told = configurations(kinds_shown(page.style), diagnosis.endpoint, diagnosis.default.failing)
    if told:
        page.blank()
    add_configurations(page, told, indent=2)


def _says_nothing(page: Page, diagnosis: Diagnosis) -> bool:
    """Whether the table would be one result eighteen times, of which the answer has told the reason."""
    return page.style.verbosity < VERBOSE and {row.result for row in diagnosis.rows} == {"INCONCLUSIVE"}


def _add_advice(page: Page, diagnosis: Diagnosis) -> None:
    if diagnosis.default.result != "INCONCLUSIVE" or page.style.verbosity <= QUIET:
        return
    advice = advice_for(diagnosis.endpoint.host, diagnosis.resolution, diagnosis.observations)
    if advice:
        page.blank()
        page.add(f"try: {advice.replace('{server}', str(diagnosis.endpoint))}", indent=2, hang=7)
