"""The report on a single server named on the command line: its verdict, then requirement by requirement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
from atsprobe.report.text.answer import answer_symbol, client, seen_before, system_services
from atsprobe.report.text.evidence import of_address, of_server
from atsprobe.report.text.groups import evidence_line
from atsprobe.report.text.item import add_labelled
from atsprobe.report.text.layout import Page, Part
from atsprobe.report.text.products import add_configurations
from atsprobe.report.text.requirement_rows import ORDER, SYMBOLS, add_requirement_rows
from atsprobe.report.text.table import ADDRESSES_DISAGREE
from atsprobe.report.words import count

_MOST_ADDRESSES = 3


def add_one_server(page: Page, result: AuditResult, endpoint: EndpointResult) -> None:
    """Write the report on one server."""
    name = f"{_name(endpoint)}{u_label(endpoint.endpoint)}{seen_before(result)}"
    waived = result.waived_load(endpoint)
    accepted = f"; accepted until {waived.ends_first.expires}" if waived is not None and waived.is_whole else ""
    symbol: Part = "-" if endpoint.verdict is Verdict.EXEMPT else answer_symbol(result, tally(result))
    if accepted:
        symbol = ("!", "change")
    page.add(symbol, " ", (f"{name}: {_answer(result, endpoint)}{accepted}", "strong"), hang=2)
    if page.style.verbosity > QUIET:
        page.add("; ".join(filter(None, _looked_at(result, endpoint))), indent=2, hang=2)
    blank = _blank_addresses(endpoint)
    rows = _rows(endpoint, page.style.verbosity, blank)
    if rows:
        _add_rows(page, endpoint, rows, blank)
    for notice in result.notices if page.style.verbosity > QUIET else ():
        if notice.kind == ADDRESSES_DISAGREE:
            page.blank()
            page.add(("!", "change"), f"  {notice.evidence}", indent=2, hang=5)
    if page.style.verbosity >= NORMAL:
        _add_remedy(page, result, endpoint)
    if page.style.verbosity >= VERBOSE:
        page.blank()
        add_labelled(page, of_server(endpoint))


def _name(endpoint: EndpointResult) -> str:
    """Name the server, with its scheme where that is not https, which the table of several servers leaves to the port."""
    return f"http://{endpoint.endpoint}" if endpoint.endpoint.scheme == "http" else str(endpoint.endpoint)


def _answer(result: AuditResult, endpoint: EndpointResult) -> str:
    services = system_services(result)
    if services and endpoint.verdict in (Verdict.PASS, Verdict.BLOCKED):
        return f"{'passes' if endpoint.verdict is Verdict.PASS else 'blocked'} as {services}"
    match endpoint.verdict:
        case Verdict.PASS:
            return "passes default ATS"
        case Verdict.BLOCKED:
            return "blocked; no ATS exception helps"
        case Verdict.EXCEPTION_REQUIRED:
            return f"default ATS fails; the smallest exception that works is {smallest_exception(endpoint)}"
        case Verdict.INCONCLUSIVE:
            told = "could not be judged"
            if endpoint.declared_verdict == "blocked":
                told = "default ATS fails; whether an exception helps could not be judged"
            reason = why_not_judged(endpoint)
            return f"{told}; {reason}" if reason else told
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


def _blank_addresses(endpoint: EndpointResult) -> dict[str, str]:
    """Give the addresses of which nothing was seen while others were, each with what became of it."""
    seen = {
        address.ip
        for f in endpoint.findings
        for address in f.addresses
        if f.finding.status not in ("unknown", "not-applicable")
    }
    blank = {
        o.address.ip: of_address(o)
        for o in endpoint.observations
        if o.address.ip not in seen and not (isinstance(o, Unreachable) and o.reason == "no-route")
    }
    return blank if seen else {}


def _rows(endpoint: EndpointResult, verbosity: int, blank: Mapping[str, str]) -> list[EndpointFinding]:
    if verbosity <= QUIET:
        shown: tuple[str, ...] = ("fail",)
    elif verbosity >= VERBOSE:
        shown = ORDER
    elif endpoint.verdict is Verdict.PASS:
        shown = ("warn",)
    elif any(f.finding.status in ("fail", "warn", "pass") for f in endpoint.findings):
        shown = ("fail", "warn", "unknown", "not-applicable")
    else:
        return []  # nothing was seen, and the answer says why
    rows = [
        f
        for f in endpoint.findings
        if f.finding.status in shown
        and not (f.addresses and {a.ip for a in f.addresses} <= blank.keys())
        and (verbosity >= VERBOSE or _is_told(endpoint, f))
    ]
    return sorted(rows, key=lambda f: ORDER.index(f.finding.status))


def _is_told(endpoint: EndpointResult, finding: EndpointFinding) -> bool:
    """What does not apply is told of a certificate alone; a URL, a pin or a certificate that is not there needs no line."""
    if finding.finding.status != "not-applicable":
        return True
    has_certificate = any(f.finding.requirement == "certificate-trust" and _applies(f) for f in endpoint.findings)
    return has_certificate and finding.finding.requirement.startswith("certificate-")


def _applies(finding: EndpointFinding) -> bool:
    return finding.finding.status != "not-applicable"


def _add_rows(page: Page, endpoint: EndpointResult, rows: Sequence[EndpointFinding], blank: Mapping[str, str]) -> None:
    told = {f.finding.requirement for f in rows}
    hidden = len({f.finding.requirement for f in endpoint.findings if f.finding.status == "pass"} - told)
    told_rows = [(f.finding.status, str(f.finding.requirement), evidence_line(endpoint, f)) for f in rows]
    width = add_requirement_rows(page, told_rows)
    for ip, what in blank.items() if page.style.verbosity > QUIET else ():
        page.add(SYMBOLS["unknown"], "  ", f"{ip}: {what}", indent=2, hang=5)
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
