"""Servers of Apple's own system services, which read no Info.plist: one verdict for each, and why beside its name."""

from __future__ import annotations

from datetime import UTC

from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.handshake import negotiations
from atsprobe.model.judgement import Verdict
from atsprobe.model.observation import TlsObservation
from atsprobe.model.result import AuditResult, EndpointResult
from atsprobe.report.advice import why_not_judged
from atsprobe.report.places import server_names, u_label
from atsprobe.report.style import QUIET, VERBOSE
from atsprobe.report.tally import tally
from atsprobe.report.text.answer import add_looked_at, answer_symbol, subject
from atsprobe.report.text.layout import Page, Part
from atsprobe.report.text.table import ADDRESSES_DISAGREE, LOOKS_OF_VERDICTS, MOST_NAMED, SYMBOLS, sort_key
from atsprobe.report.words import are, count

_Row = tuple[EndpointResult | None, str, str, str]


def add_system_services(page: Page, result: AuditResult, client: str) -> None:
    """Write the answer, then every server with its verdict and, last, what is wrong or what was negotiated."""
    counted = tally(result)
    day = f", seen {result.recording.finished_at.astimezone(UTC).date().isoformat()}," if result.is_rejudged else ""
    told = f"{subject(result)}{day} as {client}: {_answer(len(counted.blocked), len(counted.inconclusive))}"
    page.add(answer_symbol(result, counted), " ", (told, "strong"), hang=2)
    if page.style.verbosity <= QUIET:
        return
    if page.style.verbosity >= VERBOSE:
        add_looked_at(page, result)
    _add_table(page, result)


def are_told(result: AuditResult, verbosity: int) -> bool:
    """Say whether the table gives the reason of each server that could not be judged, so that no group has to."""
    return verbosity < VERBOSE and len(tally(result).inconclusive) <= MOST_NAMED


def _answer(blocked: int, unknown: int) -> str:
    parts = [f"{blocked} {are(blocked)} blocked"] if blocked else []
    if unknown:
        parts.append(f"{unknown} could not be judged")
    return ", ".join(parts) or "nothing to act on"


def _add_table(page: Page, result: AuditResult) -> None:
    rows = _rows(result, named=page.style.verbosity >= VERBOSE)
    if not rows:
        return
    verdicts = max(len(word) for word in ("verdict", *(verdict for _, verdict, _, _ in rows))) + 2
    names = max(page.width_of((name,)) for _, _, name, _ in rows) + 2
    page.blank()
    page.add_row([("", 2), (("verdict", "strong"), verdicts)], (("server", "strong"),))
    for endpoint, verdict, name, why in rows:
        declared = endpoint.declared_verdict if endpoint else ("allowed" if verdict == "pass" else verdict)
        cells: list[tuple[Part, int]] = [
            (SYMBOLS[declared], 2),
            ((verdict, LOOKS_OF_VERDICTS.get(verdict, "")), verdicts),
        ]
        if why:
            page.add_row([*cells, (name, names)], (why,))
        else:
            page.add_row(cells, (name,))


def _rows(result: AuditResult, *, named: bool) -> list[_Row]:
    loads = sorted(result.loads, key=sort_key)
    names = server_names([e.endpoint for e in loads])
    notes = {n.subject: n.evidence for n in result.notices if n.kind == ADDRESSES_DISAGREE}
    by_verdict: dict[Verdict, list[EndpointResult]] = {}
    for load in loads:
        by_verdict.setdefault(load.verdict, []).append(load)
    rows: list[_Row] = []
    for verdict, members in by_verdict.items():
        if len(members) > MOST_NAMED and not named:
            after = "-v names them" if verdict in (Verdict.PASS, Verdict.EXEMPT) else ""
            rows.append((None, str(verdict), count(len(members), "server"), after))
            continue
        for e in members:
            why = "; ".join(filter(None, (_why(e), notes.get(str(e.endpoint), ""))))
            rows.append((e, str(verdict), names[e.endpoint] + u_label(e.endpoint), why))
    return rows


def _why(endpoint: EndpointResult) -> str:
    match endpoint.verdict:
        case Verdict.PASS:
            return _negotiated(endpoint)
        case Verdict.INCONCLUSIVE:
            return why_not_judged(endpoint)
        case Verdict.EXEMPT:
            return endpoint.reason
        case _:
            failing = (str(f.finding.requirement) for f in endpoint.findings if f.finding.status == "fail")
            return ", ".join(dict.fromkeys(failing)) or endpoint.reason


def _negotiated(endpoint: EndpointResult) -> str:
    """Give the version that every address chose; below TLS 1.3, where suites differ in worth, the suite too."""
    chosen: dict[str, None] = {}
    for observation in endpoint.observations:
        made = negotiations(observation.experiments) if isinstance(observation, TlsObservation) else ()
        first = made[0] if made else None
        if first is not None:
            suite = f", {first.cipher_suite}" if first.version < TlsVersion.TLS_1_3 else ""
            chosen[f"{first.version.title}{suite}"] = None
    return " and ".join(chosen)
