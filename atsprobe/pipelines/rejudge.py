"""Judge a saved audit again, without a packet: by today's rules, as another iOS version, or under another Info.plist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from atsprobe.extract.extract import extract
from atsprobe.json_v1.audit import DocumentProblem, JudgedAs, decode, judged_as
from atsprobe.json_v1.text import loads
from atsprobe.model.app import Extraction
from atsprobe.model.recording import IgnoreRule, Recording
from atsprobe.model.result import AuditResult
from atsprobe.pipelines.audit import check_profiles, concluded
from atsprobe.pipelines.plan import without_ignored
from atsprobe.settings import Settings, UsageProblem

_VERSION = "schema_version"


def rejudge(text: str | bytes, settings: Settings | None = None, plist: str | None = None) -> AuditResult:
    """Judge a saved audit again; conclusions in it are not read.

    ``text`` is the JSON of an audit; ``plist`` an Info.plist under whose dictionary all its hosts are judged instead. Clients
    that the settings do not name are those that the audit was asked for. Raises UsageProblem where either cannot be read.
    """
    settings = settings or Settings()
    check_profiles(settings)
    recording, asked = read_saved(text)
    if plist is not None:
        recording = under_another_plist(recording, plist)
    if settings.assume_complete:
        recording = replace(recording, assume_complete=True)
    names_client = bool(settings.ios or settings.profile)
    settings = replace(
        settings,
        ios=settings.ios if names_client else asked.ios,
        profile=settings.profile if names_client else asked.mode,
        sdk=settings.sdk or asked.sdk,
    )
    check_profiles(settings)
    return concluded(ignoring(recording, settings.ignored), settings)


def read_saved(text: str | bytes) -> tuple[Recording, JudgedAs]:
    """Read what was seen in a saved audit, and the clients that it was asked for. Raises UsageProblem."""
    try:
        document = loads(text)
        return decode(document), judged_as(document)
    except DocumentProblem as problem:
        if problem.path == _VERSION:
            said, hint = f"{problem}{_line_of_version(text)}", "audit again, or use the atsprobe that wrote it"
        else:
            said, hint = str(problem), "give the output of audit --format json"
        raise UsageProblem(said, hint) from problem


def _line_of_version(text: str | bytes) -> str:
    """Say on which line the version first stands; empty where the text is in no encoding that has it as it is."""
    name = f'"{_VERSION}"'
    before, found, _ = text.partition(name) if isinstance(text, str) else text.decode("latin-1").partition(name)
    return f" (line {before.count(chr(10)) + 1})" if found else ""


def ignoring(recording: Recording, rules: Sequence[IgnoreRule]) -> Recording:
    """Give the recording less the hosts that are to be ignored now, beside those that were when it was made."""
    extraction, found = without_ignored(recording.extraction, rules)
    ignored = {i.host: i for i in recording.ignored}
    for one in found:
        known = ignored.get(one.host)
        ignored[one.host] = replace(one, references=known.references + one.references) if known else one
    return replace(recording, extraction=extraction, ignored=tuple(ignored.values()))


def under_another_plist(recording: Recording, plist: str) -> Recording:
    """Give the recording as if the Info.plist at ``plist`` governed every host of it, and all of the same code."""
    other = extract([plist])
    if not other.bundles:
        reason = other.skipped[0].reason if other.skipped else "holds no Info.plist"
        raise UsageProblem(f"{plist}: {reason}", other.skipped[0].advice if other.skipped else "")
    seen = recording.extraction
    kept = tuple(replace(r, bundle=None) for r in seen.references if r.kind != "ats-exception")
    extraction = Extraction(
        bundles=tuple(replace(b, network_apis=seen.all_network_apis) for b in other.bundles),
        references=(*kept, *(r for r in other.references if r.kind == "ats-exception")),
        skipped=seen.skipped,
        templates=tuple(replace(t, bundle=None) for t in seen.templates),
        files_read=seen.files_read,
    )
    ignored = (
        replace(i, references=tuple(replace(r, bundle=None) for r in i.references if r.kind != "ats-exception"))
        for i in recording.ignored
    )
    return replace(recording, extraction=extraction, ignored=tuple(i for i in ignored if i.references))
