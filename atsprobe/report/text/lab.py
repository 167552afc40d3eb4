"""The lab as text: how many servers run where, and the truth table."""

from __future__ import annotations

from pathlib import PurePath

from atsprobe.model.result import LabEndpoint, LabResult
from atsprobe.report.style import VERBOSE, Style
from atsprobe.report.text.layout import Page, Part
from atsprobe.report.words import count, listed


def render_lab(result: LabResult, style: Style, *, rows: bool = True) -> str:
    """Write the lab's first line, and with ``rows`` its truth table: what is expected of each server."""
    page = Page(style)
    addresses = sorted({e.address for e in result.endpoints})
    on = f" on {listed(addresses)}" if addresses else ""
    page.add((f"{count(len(result.endpoints), 'server')}{on}, root {PurePath(result.ca_file)}", "strong"), hang=2)
    if rows and result.endpoints:
        page.blank()
        _add_rows(page, result.endpoints)
    return page.rendered()


def _add_rows(page: Page, endpoints: tuple[LabEndpoint, ...]) -> None:
    names = {e.name: f"{e.host}:{e.port}" if e.scheme == "https" else f"http://{e.host}:{e.port}" for e in endpoints}
    verdict = max(len(word) for word in ("expected", *(e.verdict for e in endpoints))) + 2
    server = max(len(word) for word in ("server", *names.values())) + 2
    heading: list[tuple[Part, int]] = [("", 2), (("expected", "strong"), verdict), (("server", "strong"), server)]
    page.add_row(heading, (("fails", "strong"),))
    for endpoint in endpoints:
        failing = ", ".join(endpoint.failing) or endpoint.note
        cells: list[tuple[Part, int]] = [("", 2), (endpoint.verdict, verdict), (names[endpoint.name], server)]
        page.add_row(cells, (failing,))
        if page.style.verbosity >= VERBOSE:
            page.add(endpoint.description, indent=2 + verdict, hang=2 + verdict)
