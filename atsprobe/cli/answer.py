"""Giving a result: its report, what could not be read, hints, and the exit code with its reason."""

from __future__ import annotations

from atsprobe.cli.papers import Papers
from atsprobe.cli.speak import Speaker
from atsprobe.model.app import SkippedInput
from atsprobe.model.result import (
    AuditResult,
    CertificateResult,
    ConfigResult,
    DiagnoseResult,
    DriftResult,
    ExitCode,
    HostsResult,
    LabResult,
    PolicyResult,
    Result,
    exit_code,
)
from atsprobe.report.closing import hints, next_command, why
from atsprobe.report.escape import shortened

EXIT = "Exit: 0 nothing to act on, 1 findings, 2 bad usage or input, 3 incomplete, 130 interrupted"
"""What the exit codes mean, for the end of a command's help."""


def answer(speaker: Speaker, result: Result, format_name: str, papers: Papers | None = None) -> int:
    """Give a result its report, write the papers beside it, say what could not be read, and close. Gives the exit code."""
    from atsprobe.report.format import render

    if not _is_empty(result) or format_name != "text":
        speaker.report(render(result, format_name, speaker.style()))
    for problem in (s for s in _skipped(result) if s.unreadable):
        speaker.error(f"{shortened(problem.file or problem.target) or repr('')}: {shortened(problem.reason)}")
        speaker.hint(problem.advice)
    code, reason = exit_code(result), why(result)
    if papers is not None and isinstance(result, AuditResult) and not _is_empty(result):
        code, reason = _with_papers(speaker, result, papers)
    for text in hints(result):
        speaker.hint(text)
    if isinstance(result, AuditResult) and not (papers and papers.has_suggestion):
        speaker.hint(next_command(result, speaker.arguments))
    return closed(speaker, code, reason)


def _with_papers(speaker: Speaker, result: AuditResult, papers: Papers) -> tuple[ExitCode, str]:
    """Write what was asked for beside the report, and give the exit code and its reason, with where it was written."""
    papers.write(result)
    for message, hint in papers.problems:
        speaker.error(message)
        speaker.hint(hint)
    for text in papers.hints:
        speaker.hint(text)
    code, reason = exit_code(result), "; ".join((why(result), *papers.told))
    if papers.problems and code is not ExitCode.INTERRUPTED:
        return ExitCode.USAGE, f"not all was written, {reason}"
    return code, reason


def closed(speaker: Speaker, code: ExitCode, reason: str) -> int:
    """Say the last line, and give the exit code as a number."""
    speaker.closing(code, reason)
    return int(code)


def _skipped(result: Result) -> tuple[SkippedInput, ...]:
    if isinstance(result, AuditResult | DiagnoseResult):
        return result.recording.extraction.skipped
    if isinstance(result, PolicyResult):
        return result.skipped
    return result.extraction.skipped if isinstance(result, HostsResult) else ()


def _is_empty(result: Result) -> bool:
    """Whether nothing was looked at, so that there is nothing to report."""
    if isinstance(result, LabResult | ConfigResult | CertificateResult | DriftResult):
        return False
    if isinstance(result, DiagnoseResult):
        return not result.diagnoses
    if isinstance(result, PolicyResult):
        return not result.bundles
    if isinstance(result, AuditResult):
        extraction, found = result.recording.extraction, bool(result.endpoints)
    else:
        extraction, found = result.extraction, bool(result.extraction.references)
    everything_is_told = bool(extraction.skipped) and all(s.unreadable for s in extraction.skipped)
    return everything_is_told and not extraction.bundles and not found
