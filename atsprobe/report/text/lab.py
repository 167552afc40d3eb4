"""The lab as text: how many servers run where, and the truth table."""

from __future__ import annotations

from pathlib import PurePath

from atsprobe.model.result import LabEndpoint, LabResult
from atsprobe.report.style import VERBOSE, Style
from atsprobe.report.text.layout import Page, Part
from atsprobe.report.words import count, listed

_ROOM_FOR_FAILS = 24
"""Columns kept for the requirements that fail; a name may reach into them where both fit."""


def render_lab(result: LabResult, style: Style, *, rows: bool = True) -> str:
    """Write the lab's first line, and with ``rows`` its truth table: what is expected of each server."""
    page = Page(style)
    addresses = sorted({address for e in result.endpoints for address in e.address.split(",")})
    on = f" on {listed(addresses)}" if addresses else ""
    page.add((f"{count(len(result.endpoints), 'server')}{on}, root {PurePath(result.ca_file)}", "strong"), hang=2)
    if rows and result.endpoints:
        page.blank()
        _add_rows(page, result.endpoints)
    return page.rendered()


def _add_rows(page: Page, endpoints: tuple[LabEndpoint, ...]) -> None:
    verdict = max(len(word) for word in ("expected", *(e.verdict for e in endpoints))) + 2
    names = {e.name: f"{e.host}:{e.port}" if e.scheme == "https" else f"http://{e.host}:{e.port}" for e in endpoints}
    fails_at = min(2 + verdict + max(map(len, names.values())) + 2, page.style.columns - _ROOM_FOR_FAILS)
    heading: Part = ("expected", "strong")
    blanks = " " * (fails_at - 2 - verdict - len("server"))
    page.add(heading, " " * (verdict - len("expected")), ("server", "strong"), blanks, ("fails", "strong"), indent=2)
    for endpoint in endpoints:
        name = names[endpoint.name]
        failing = ", ".join(endpoint.failing)
        room = page.style.columns - 2 - verdict - len(name) - len(failing)
        if room >= 2 or not failing:
            gap = min(max(fails_at - 2 - verdict - len(name), 2), room) if failing else 0
            page.add(f"{endpoint.verdict:<{verdict}}{name}", " " * gap, failing, indent=2)
        else:
            page.add(f"{endpoint.verdict:<{verdict}}{name}", indent=2, hang=2 + verdict)
            page.add(failing, indent=fails_at, hang=fails_at)
        if page.style.verbosity >= VERBOSE:
            page.add(
                f"{endpoint.description}; {endpoint.note}" if endpoint.note else endpoint.description, indent=6, hang=6
            )
