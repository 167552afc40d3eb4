"""The report on a single server named on the command line: its verdict, then requirement by requirement."""

from __future__ import annotations

from collections.abc import Sequence

from atsprobe.model.handshake import Negotiated
from atsprobe.model.judgement import EndpointFinding, Verdict
from atsprobe.model.observation import Resolved, TlsObservation, Unreachable
from atsprobe.model.result import AuditResult, EndpointResult
from atsprobe.report.advice import advice, why_not_judged
from atsprobe.report.fixes import its_https, server_fix, smallest_exception
from atsprobe.report.places import u_label
from atsprobe.report.server_products import configurations, kinds_shown
from atsprobe.report.style import NORMAL, QUIET, VERBOSE
from atsprobe.report.tally import tally
from atsprobe.report.text.answer import answer_symbol, client, seen_before
from atsprobe.report.text.evidence import of_server
from atsprobe.report.text.groups import evidence_line
from atsprobe.report.text.item import add_labelled
from atsprobe.report.text.layout import Page, Part
from atsprobe.report.text.products import add_configurations
from atsprobe.report.text.table import ADDRESSES_DISAGREE
from atsprobe.report.words import count

_MOST_ADDRESSES = 3
_SYMBOLS: dict[str, Part] = {
    "fail": ("✗", "bad"),
    "warn": ("!", "change"),
    "unknown": ("?", "strong"),
    "not-applicable": "-",
    "pass": "✓",
}
_ORDER = tuple(_SYMBOLS)


def add_one_server(page: Page, result: AuditResult, endpoint: EndpointResult) -> None:
    """Write the report on one server."""
    name = f"{endpoint.endpoint}{u_label(endpoint.endpoint)}{seen_before(result)}"
    waived = result.waived_load(endpoint)
    accepted = f"; accepted until {waived.ends_first.expires}" if waived is not None and waived.is_whole else ""
    symbol: Part = ("!", "change") if accepted else answer_symbol(result, tally(result))
    page.add(symbol, " ", (f"{name}: {_answer(endpoint)}{accepted}", "strong"), hang=2)
    if page.style.verbosity > QUIET:
        page.add("; ".join(filter(None, _looked_at(result, endpoint))), indent=2, hang=2)
    rows = _rows(endpoint, page.style.verbosity)
    if rows:
        _add_rows(page, endpoint, rows)
    for notice in result.notices if page.style.verbosity > QUIET else ():
        if notice.kind == ADDRESSES_DISAGREE:
            page.blank()
            page.add(("!", "change"), f"  {notice.evidence}", indent=2, hang=5)
    if page.style.verbosity >= NORMAL:
        _add_remedy(page, result, endpoint)
    if page.style.verbosity >= VERBOSE:
        page.blank()
        add_labelled(page, of_server(endpoint))


def _answer(endpoint: EndpointResult) -> str:
    match endpoint.verdict:
        case Verdict.PASS:
            return "passes default ATS"
        case Verdict.BLOCKED:
            return "blocked; no ATS exception helps"
        case Verdict.EXCEPTION_REQUIRED:
            return f"default ATS fails; the smallest exception that works is {smallest_exception(endpoint)}"
        case Verdict.INCONCLUSIVE:
            reason = why_not_judged(endpoint)
            return f"could not be judged; {reason}" if reason else "could not be judged"
        case Verdict.EXEMPT:
            return f"exempt; {endpoint.reason}" if endpoint.reason else "exempt"


def _looked_at(result: AuditResult, endpoint: EndpointResult) -> list[str]:
    resolution = endpoint.resolution
    addresses = resolution.outcome.addresses if resolution and isinstance(resolution.outcome, Resolved) else ()
    no_route = {o.address.ip for o in endpoint.observations if isinstance(o, Unreachable) and o.reason == "no-route"}
    ips = [f"{ip} (no route)" if ip in no_route else ip for ip in dict.fromkeys(a.ip for a in addresses)]
    where = ", ".join(ips) if len(ips) <= _MOST_ADDRESSES else count(len(ips), "address")
    negotiated = _negotiated(endpoint) if endpoint.verdict is Verdict.PASS else ""
    made = sum(e.attempts for o in endpoint.observations if isinstance(o, TlsObservation) for e in o.experiments)
    connections = count(made, "connection") if made and endpoint.verdict is not Verdict.PASS else ""
    return [where, negotiated, client(result), connections]


def _negotiated(endpoint: EndpointResult) -> str:
    """Give version and suite of the client's own hello, where every address chose the same."""
    chosen = set()
    for observation in endpoint.observations:
        if isinstance(observation, TlsObservation):
            first = next((e.outcome for e in observation.experiments if isinstance(e.outcome, Negotiated)), None)
            chosen.add(f"{first.version.title} {first.cipher_suite}" if first else "")
    return chosen.pop() if len(chosen) == 1 else ""


def _rows(endpoint: EndpointResult, verbosity: int) -> list[EndpointFinding]:
    if verbosity <= QUIET:
        shown: tuple[str, ...] = ("fail",)
    elif verbosity >= VERBOSE:
        shown = _ORDER
    elif endpoint.verdict is Verdict.PASS:
        shown = ("warn",)
    elif any(f.finding.status in ("fail", "warn", "pass") for f in endpoint.findings):
        shown = ("fail", "warn", "unknown", "not-applicable")
    else:
        return []  # nothing was seen, and the answer says why
    rows = [f for f in endpoint.findings if f.finding.status in shown and (verbosity >= VERBOSE or _is_told(f))]
    return sorted(rows, key=lambda f: _ORDER.index(f.finding.status))


def _is_told(finding: EndpointFinding) -> bool:
    """What does not apply is told of the certificate alone; a URL or a pin that is not there needs no line."""
    return finding.finding.status != "not-applicable" or finding.finding.requirement.startswith("certificate-")


def _add_rows(page: Page, endpoint: EndpointResult, rows: Sequence[EndpointFinding]) -> None:
    page.blank()
    told = {f.finding.requirement for f in rows}
    hidden = len({f.finding.requirement for f in endpoint.findings if f.finding.status == "pass"} - told)
    width = max(len(f.finding.requirement) for f in rows) + 2
    for row in rows:
        requirement: Part = f"{row.finding.requirement:<{width}}"
        page.add(
            _SYMBOLS[row.finding.status], "  ", requirement, evidence_line(endpoint, row), indent=2, hang=5 + width
        )
    if hidden and page.style.verbosity == NORMAL:
        page.add(
            "✓", "  ", f"{f'{hidden} more ' + ('holds' if hidden == 1 else 'hold'):<{width}}-v lists them", indent=2
        )


def _add_remedy(page: Page, result: AuditResult, endpoint: EndpointResult) -> None:
    failing = [f.finding for f in endpoint.findings if f.finding.status == "fail"]
    verb, what = "fix", server_fix(endpoint, failing, result.recording) if failing else ""
    if not what and endpoint.verdict is Verdict.INCONCLUSIVE:
        verb, what = "try", advice(endpoint).replace("{server}", str(endpoint.endpoint))
    if what:
        page.blank()
        page.add(f"{verb}: {what}", indent=2, hang=len(verb) + 4)
    to_mend = failing or [f.finding for f in endpoint.findings if f.finding.status == "warn"]
    https = its_https(endpoint, result.recording)
    told = configurations(kinds_shown(page.style), endpoint.endpoint, to_mend, https)
    if told and not what:
        page.blank()
    add_configurations(page, told, indent=2)
