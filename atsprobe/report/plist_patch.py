"""What an audit suggests, as a unified diff against the app's own Info.plist sources."""

from __future__ import annotations

from collections.abc import Iterable

from atsprobe.model.app import InfoPlistSource
from atsprobe.model.result import AuditResult
from atsprobe.report.plist_edit import edits
from atsprobe.report.plist_tree import Uneditable
from atsprobe.report.unified_diff import unified_diff

__all__ = ["Uneditable", "changes", "plist_patch"]


def plist_patch(result: AuditResult, sources: Iterable[InfoPlistSource]) -> str:
    """Write the smallest dictionaries into the sources, as one diff; empty where every source is as it should be.

    It applies by ``git apply -p1`` and by ``patch -p1``. ATS keys that stand outside NSAppTransportSecurity go.
    Raises Uneditable, with the path of the source, for one whose text cannot be edited.
    """
    return "".join(_of_source(result, source) for source in sources)


def _of_source(result: AuditResult, source: InfoPlistSource) -> str:
    bundle = result.recording.extraction.bundle(source.bundle)
    smallest = next((m.dictionary for m in result.minimal if m.bundle == source.bundle), None)
    if bundle is None or smallest is None:
        return ""
    data = source.text.encode("utf-8")
    try:
        made = edits(data, smallest, {key for key, _ in bundle.dictionary.misplaced})
    except Uneditable as problem:
        raise Uneditable(f"{source.path}: {problem}") from problem
    return unified_diff(source.path, data, made).decode("utf-8")


def changes(result: AuditResult, identifier: str) -> bool:
    """Say whether what is suggested for a bundle is not what it declares."""
    bundle = result.recording.extraction.bundle(identifier)
    smallest = next((m.dictionary for m in result.minimal if m.bundle == identifier), None)
    if bundle is None or smallest is None:
        return False
    return bool(bundle.dictionary.misplaced) or (bundle.dictionary.to_plist() or {}) != smallest
