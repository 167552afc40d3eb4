"""Two audits compared, as text: what got worse first, then what got better, then what only differs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC

from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.drift import Change
from atsprobe.model.endpoint import Endpoint
from atsprobe.model.judgement import ExceptionStatus, Verdict
from atsprobe.model.result import DriftResult, EndpointResult
from atsprobe.report.fixes import declared_fix, server_fix
from atsprobe.report.places import Places, key_name, server_names, u_label
from atsprobe.report.style import QUIET, VERBOSE, Style
from atsprobe.report.text.answer import client, subject
from atsprobe.report.text.evidence import of_server
from atsprobe.report.text.item import Group, Item, add_group
from atsprobe.report.text.layout import Page, Part
from atsprobe.report.words import are, count

Thing = tuple[Change, ...]
"""The changes with one effect that are about one load, or one declared key."""

_TELLING = ("declared-verdict", "verdict", "endpoint")
"""The kinds whose word may stand as the id of a line."""


def render_drift(result: DriftResult, style: Style) -> str:
    """Write what differs between two audits; with evidence also what got neither better nor worse."""
    page = Page(style)
    told = _Drift(result)
    page.add(told.symbol(), " ", (f"{_title(result)}: {told.answer()}", "strong"), hang=2)
    if style.verbosity > QUIET:
        if told.numbers():
            page.add(told.numbers(), indent=2, hang=2)
        page.add(_looked_at(result), indent=2, hang=2)
    for group in told.groups(everything=style.verbosity >= VERBOSE):
        add_group(page, group)
    return page.rendered()


def _title(result: DriftResult) -> str:
    """Name what was audited, and when: the days, or of one day the times."""
    before, after = (audit.recording.started_at.astimezone(UTC) for audit in (result.old, result.new))
    if before.date() != after.date():
        return f"{subject(result.new)}, {before.date()} to {after.date()}"
    return f"{subject(result.new)}, {before.date()} {before:%H:%M} to {after:%H:%M} UTC"


def _looked_at(result: DriftResult) -> str:
    before, after = len(result.old.loads), len(result.new.loads)
    endpoints = count(after, "endpoint") if before == after else f"{count(before, 'endpoint')} before, {after} now"
    return f"{endpoints}; both as {client(result.new)}"


class _Drift:
    """The things that differ, sorted into groups once, so that numbers and lines agree."""

    def __init__(self, result: DriftResult) -> None:
        self._result = result
        self._places = Places(result.new.recording.extraction)
        endpoints = dict.fromkeys(e.endpoint for audit in (result.old, result.new) for e in audit.endpoints)
        self._names = server_names(list(endpoints))
        self._now = {e.endpoint: e for e in result.new.endpoints}
        self._was = {e.endpoint: e for e in result.old.endpoints}
        self.worse = result.about("worse")
        self.unknown = result.about("unknown")
        self.unneeded = [t for t in result.about("better") if _became_unneeded(t)]
        self.better = [t for t in result.about("better") if not _became_unneeded(t)]
        notes = [(c,) for thing in result.about("note") for c in thing]
        self.renewed = [t for t in notes if t[0].kind == "certificate"]
        self.left_over = [t for t in notes if t[0].kind == "pin"]
        self.others = [t for t in notes if t[0].kind not in ("certificate", "pin")]

    def symbol(self) -> Part:
        if self.worse:
            return ("✗", "bad")
        return ("?", "strong") if self.unknown else "✓"

    def answer(self) -> str:
        unknown = f"{len(self.unknown)} could not be compared"
        if self.worse:
            return f"{len(self.worse)} got worse" + (f", {unknown}" if self.unknown else "")
        if self.unknown:
            return f"nothing got worse, but {unknown}"
        return "nothing got worse" if self._result.changes else "nothing changed"

    def numbers(self) -> str:
        unneeded, renewed = len(self.unneeded), len(self.renewed)
        pins, others = len(self._result.pins) + len(self.left_over), len(self.others)
        told = (
            (len(self.better), f"{len(self.better)} got better"),
            (unneeded, f"{count(unneeded, 'exception')} became unneeded"),
            (renewed, f"{count(renewed, 'certificate')} renewed"),
            (pins, f"{count(pins, 'pin')} {are(pins)} about to break"),
            (others, f"{count(others, 'other change')} (-v)"),
        )
        return ", ".join(text for number, text in told if number)

    def groups(self, *, everything: bool) -> tuple[Group, ...]:
        others = self._items(self.others) if everything else ()
        return (
            Group("Got worse", "Got worse", self._items(self.worse, "worse")),
            Group("Got better", "Got better", self._items(self.better, "better")),
            Group("Exception that became unneeded", "Exceptions that became unneeded", self._items(self.unneeded)),
            Group("Certificate renewed", "Certificates renewed", self._items(self.renewed)),
            Group("Pin about to break", "Pins about to break", (*self._pins(), *self._items(self.left_over))),
            Group("Could not be compared", "Could not be compared", self._items(self.unknown)),
            Group("Also changed", "Also changed", others),
        )

    def _items(self, things: Iterable[Thing], quiet_id: str = "") -> tuple[Item, ...]:
        """Give a line for each thing; ``quiet_id`` stands before it in a report without headings."""
        items = (self._of_load(t, t[0].endpoint) if t[0].endpoint else self._of_key(t) for t in things)
        return tuple(replace(item, quiet_id=quiet_id) for item in items)

    def _of_load(self, thing: Thing, endpoint: Endpoint) -> Item:
        row = self._now.get(endpoint) or self._was[endpoint]
        fix = self._fix(thing, row) if thing[0].effect == "worse" else ""
        return Item(
            id=self._id(thing, row),
            subject=self._names[endpoint] + u_label(endpoint),
            reasons=self._reasons(thing),
            remedy=("fix", fix) if fix else None,
            evidence=of_server(row),
        )

    def _id(self, thing: Thing, row: EndpointResult) -> str:
        """Give the word for what a load is now; for a change of the certificate or of a pin that alone, its own word."""
        first = thing[0]
        if first.effect == "unknown":
            return str(Verdict.INCONCLUSIVE)
        if first.kind == "certificate":
            return "renewed"
        if first.kind == "pin" and first.effect == "note":
            return first.after
        telling = next((c for c in thing if c.kind in _TELLING), None)
        if telling is not None:
            return str(telling.after) or "gone"
        return str(row.declared_verdict if self._result.new.recording.extraction.bundles else row.verdict)

    def _reasons(self, thing: Thing) -> tuple[str, ...]:
        explained = any(c.kind == "requirement" for c in thing)
        lines = [self._line(change) for change in thing]
        if not explained:
            lines += [c.evidence for c in thing if c.kind in _TELLING and c.evidence]
        return tuple(dict.fromkeys(lines))

    def _line(self, change: Change) -> str:
        before, after = change.before, change.after
        match change.kind:
            case "declared-verdict":
                return f"this app{self._places.bundle_suffix(change.bundle)}: {before} before, {after} now"
            case "verdict":
                return f"default ATS: {before} before, {after} now"
            case "requirement" if change.effect == "better":
                return f"{change.requirement}: holds; before: {change.evidence}"
            case "requirement":
                return f"{change.requirement}: {change.evidence}"
            case "protocol":
                newest, other = (TlsVersion.from_label(label).title for label in (after, before))
                return f"{newest} at most, {other} before"
            case "certificate":
                return f"until {after}, before until {before}; {change.evidence}"
            case "pin":
                return f"{change.key}: {change.evidence}"
            case _:
                return _came_or_went(change)

    def _fix(self, thing: Thing, row: EndpointResult) -> str:
        fresh = {c.requirement for c in thing if c.requirement is not None}
        is_blocked_now = any(c.kind == "declared-verdict" and c.after == "blocked" for c in thing)
        if is_blocked_now:
            fresh |= {r for d in row.declared if d.verdict == "blocked" for r in d.failing}
        failing = [f.finding for f in row.findings if f.finding.status == "fail" and f.finding.requirement in fresh]
        told = server_fix(row, failing, self._result.new.recording) if failing else ""
        return "; ".join(filter(None, (told, declared_fix(row) if is_blocked_now else "")))

    def _of_key(self, thing: Thing) -> Item:
        (change,) = thing
        reasons = [_came_or_went(change)]
        if change.effect != "note" or change.after:
            reasons.append(change.evidence)
        return Item(
            id=str(change.after) or "gone",
            subject=key_name(change.domain, change.key, change.value) + self._places.bundle_suffix(change.bundle),
            reasons=tuple(filter(None, reasons)),
        )

    def _pins(self) -> tuple[Item, ...]:
        return tuple(
            Item(
                id=pin.risk,
                subject=f"{pin.host} {pin.key}{self._places.bundle_suffix(pin.bundle)}",
                reasons=(pin.evidence,),
            )
            for pin in self._result.pins
        )


def _came_or_went(change: Change) -> str:
    if change.before and change.after:
        return f"{change.before} before"
    what = "declared" if change.kind == "exception" else "in the audit"
    return f"not {what} before" if change.after else f"not {what} any more"


def _became_unneeded(thing: Sequence[Change]) -> bool:
    return thing[0].kind == "exception" and thing[0].after == ExceptionStatus.UNNEEDED and bool(thing[0].before)
