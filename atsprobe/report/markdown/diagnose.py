"""A diagnosis as Markdown, fit for a pull request: the answer, the table, what the codes mean."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from atsprobe.model.diagnosis import Diagnosis
from atsprobe.model.result import DiagnoseResult
from atsprobe.report.diagnosis_words import answer, client_title, keys, looked_at, meanings, where
from atsprobe.report.fixes import https_fix
from atsprobe.report.markdown_escape import code, prose
from atsprobe.report.places import u_label


def render_diagnose(result: DiagnoseResult) -> str:
    """Write one section for each host and client, and what had no table."""
    sections = ["\n".join(_section(result, diagnosis)) for diagnosis in result.diagnoses]
    skipped = [f"- {code(s.target)}: {prose(s.reason)}" for s in result.recording.extraction.skipped]
    if skipped:
        sections.append("\n".join(("### Not diagnosed", "", *skipped)))
    return "\n\n".join(sections) + ("\n" if sections else "")


def _section(result: DiagnoseResult, diagnosis: Diagnosis) -> Iterator[str]:
    said = answer(diagnosis)
    name = f"{diagnosis.endpoint}{u_label(diagnosis.endpoint)}"
    yield f"### {code(name)} as {prose(client_title(diagnosis))}"
    yield ""
    yield f"**{prose(_capital(said.sentence))}.**"
    if said.beside:
        yield ""
        yield f"{prose(_capital(said.beside))}."
    told = meanings(diagnosis)
    if {row.result for row in diagnosis.rows} == {"INCONCLUSIVE"}:
        told = tuple(m for m in told if m.mark != "?")  # the answer has said it
    else:
        yield ""
        yield from _table(diagnosis)
    if told:
        yield ""
        yield from (f"- {_mark(meaning.mark)}{prose(meaning.text)}" for meaning in told)
    fix = https_fix(diagnosis.endpoint, diagnosis.default.failing)
    if fix:
        yield ""
        yield f"Fix: {prose(fix)}."
    yield ""
    day = result.recording.started_at.astimezone(UTC).date().isoformat()
    yield f"{prose(_capital(looked_at(result, diagnosis)))}; seen {day}."


def _capital(text: str) -> str:
    """Begin a sentence; what begins with a key or a name stays as it is."""
    first = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if first.isalpha() and first.islower() else text


def _table(diagnosis: Diagnosis) -> Iterator[str]:
    yield "| Result | Error | Test | Keys |"
    yield "|---|---|---|---|"
    for row in diagnosis.rows:
        error = str(row.error.telling) if row.error else ""
        notes = "; ".join(filter(None, (where(diagnosis, row), "" if row.test.is_nscurls else "not tried by nscurl")))
        label = f"{row.test.label} ({notes})" if notes else row.test.label
        written = code(keys(row.test)) if keys(row.test) else "none"
        yield f"| {row.result} | {error} | {prose(label)} | {written} |"


def _mark(mark: str) -> str:
    return f"{code(mark)}: " if mark.startswith("-") else "INCONCLUSIVE: " if mark == "?" else ""
