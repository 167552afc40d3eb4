"""The files that --suggest, --patch and --notes ask for: tried before anything is done, written once all is concluded."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from atsprobe.cli.speak import NotWritten, Output
from atsprobe.model.app import Extraction
from atsprobe.model.result import AuditResult
from atsprobe.report.words import listed
from atsprobe.settings import UsageProblem

_OURS = b"by atsprobe"
_HEAD = 4096
_GIVE_THE_SOURCE = "give the app's source Info.plist, in XML"


@dataclass
class Papers:
    """What to write beside the report, and where; None for what was not asked for.

    ``patch_is_standing``: a settings file asks for the patch, whatever is audited; where none can be made that is no fault.
    ``told`` says what was written, for the closing line; ``problems`` are lines with a hint each; ``hints`` are what to do next.
    """

    suggest: Output | None = None
    patch: Output | None = None
    notes: Output | None = None
    patch_is_standing: bool = False
    told: list[str] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    @property
    def has_suggestion(self) -> bool:
        """Whether what remains of the exceptions is written somewhere."""
        return self.suggest is not None or self.patch is not None

    @property
    def _asked(self) -> tuple[tuple[str, Output], ...]:
        named = (("--suggest", self.suggest), ("--patch", self.patch), ("--notes", self.notes))
        return tuple((option, output) for option, output in named if output is not None)

    def check(self, extraction: Extraction) -> None:
        """See before the first packet that what was asked for can be had. Raises UsageProblem."""
        if not self._asked or (not extraction.bundles and any(s.unreadable for s in extraction.skipped)):
            return
        from atsprobe.pipelines.info_plists import info_plist_sources

        found = info_plist_sources(extraction)
        for option, output in self._asked:
            if _real(output.path) in map(_real, found.files):
                what = f"{output.path}: an Info.plist that is audited, and {option} would overwrite it"
                raise UsageProblem(what, f"give another {option}")
        if self.patch is None or found.sources:
            return
        what, advice = "no Info.plist among the targets", _GIVE_THE_SOURCE
        if found.missing:
            first = found.missing[0]
            what, advice = f"{first.path}: {first.reason}", first.advice
        if not self.patch_is_standing:
            raise UsageProblem(f"--patch: {what}", advice)
        self.hints.append(f"no patch was written to {self.patch.path}: {what}; {advice}")
        self.patch = None

    def write(self, result: AuditResult) -> None:
        """Write what was asked for. What cannot be written is a problem, and keeps nothing else from being written."""
        for output, write in ((self.suggest, self._suggest), (self.patch, self._patch), (self.notes, self._notes)):
            if output is not None:
                write(result, output)

    def _suggest(self, result: AuditResult, output: Output) -> None:
        from atsprobe.report.suggested_plist import suggested_plists

        written: list[str] = []
        for suggested in suggested_plists(result):
            one = output if not suggested.name else self._beside(result, output.path, suggested.name)
            if one is not None and self._written(one, suggested.text, "--suggest"):
                written.append(one.path)
        if written:
            noun = "dictionary" if len(written) == 1 else "dictionaries"
            self.told.append(f"{noun} in {listed(written)}")

    def _beside(self, result: AuditResult, path: str, name: str) -> Output | None:
        """Give the file for another bundle, beside the first; None where one is there that is not ours."""
        beside = Path(path).with_name(f"{Path(path).stem}.{name}{Path(path).suffix}")
        targets = {b.target for b in result.recording.extraction.bundles}
        taken = {_real(p) for p in (*targets, *(o.path for _, o in self._asked))}
        try:
            if _real(str(beside)) in taken or not _is_free(beside):
                raise UsageProblem(f"{beside}: a file of that name is there, and atsprobe did not write it")
            return Output(str(beside))
        except UsageProblem as problem:
            self.problems.append((str(problem), "move it away, or give another --suggest"))
            return None

    def _patch(self, result: AuditResult, output: Output) -> None:
        from atsprobe.pipelines.info_plists import info_plist_sources
        from atsprobe.report.plist_patch import Uneditable, changes, plist_patch

        found = info_plist_sources(result.recording.extraction)
        for missing in found.missing:
            if not changes(result, missing.bundle):
                continue
            what = f"{missing.path}: {missing.reason}"
            if self.patch_is_standing:
                self.hints.append(f"{output.path} patches no {what}; {missing.advice}")
            else:
                self.problems.append((f"--patch: {what}", missing.advice))
        try:
            text = plist_patch(result, found.sources)
        except Uneditable as problem:
            self.problems.append((f"--patch: {problem}", "--suggest PLIST writes the dictionary to be copied by hand"))
            return
        if not self._written(output, text, "--patch"):
            return
        self.told.append(f"patch in {output.path}" if text else f"nothing to patch, {output.path} is empty")
        if text:
            self.hints.append(_how_to_apply(output.path, found.folder))

    def _notes(self, result: AuditResult, output: Output) -> None:
        from atsprobe.report.app_review_notes import app_review_notes

        if self._written(output, app_review_notes(result), "--notes"):
            self.told.append(f"notes in {output.path}")

    def _written(self, output: Output, text: str, option: str) -> bool:
        try:
            output.write(text)
        except NotWritten as problem:
            self.problems.append((str(problem), f"give another {option}"))
            return False
        return True


def papers(
    suggest: str | None,
    patch: str | None,
    notes: str | None,
    taken: Sequence[str],
    *,
    patch_is_standing: bool = False,
) -> Papers:
    """Try the paths; ``taken`` are those of targets and of the report. Raises UsageProblem for one that cannot be written."""
    known = [(path, "a target or the report") for path in taken]
    tried: dict[str, Output] = {}
    for option, path in (("--suggest", suggest), ("--patch", patch), ("--notes", notes)):
        if path is not None:
            tried[option] = _tried(option, path, known)
            known.append((path, f"the file of {option}"))
    return Papers(
        tried.get("--suggest"), tried.get("--patch"), tried.get("--notes"), patch_is_standing=patch_is_standing
    )


def _tried(option: str, path: str, known: Iterable[tuple[str, str]]) -> Output:
    if path in ("", "-"):
        raise UsageProblem(f"{option}: wants the path of a file", f"{option} {_EXAMPLES[option]}, say")
    for other, what in known:
        if _real(other) == _real(path):
            raise UsageProblem(f"{path}: {what}, and {option} would overwrite it", f"give another {option}")
    try:
        return Output(path)
    except UsageProblem as problem:
        raise UsageProblem(str(problem), f"nothing was scanned; give another {option}") from problem


_EXAMPLES = {"--suggest": "ats.plist", "--patch": "ats.diff", "--notes": "ats.md"}


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):  # with a NUL in it
        return path


def _is_free(path: Path) -> bool:
    """Whether nothing is lost when a file is written there: none is there, or one of ours."""
    try:
        with path.open("rb") as file:
            return _OURS in file.read(_HEAD)
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _how_to_apply(path: str, folder: str) -> str:
    """Give the command that applies a patch, and the one for who has no git."""
    if not folder:
        return f"git apply -p1 {shlex.quote(path)}   (or patch -p1 < {shlex.quote(path)})"
    real, where = shlex.quote(_real(path)), shlex.quote(folder)
    return f"git -C {where} apply -p1 {real}   (or patch -d {where} -p1 < {real})"
