"""The lines of a configuration under a fix: one product after the other, each under its name."""

from __future__ import annotations

from collections.abc import Sequence

from atsprobe.report.server_products import Configuration
from atsprobe.report.text.layout import Page


def add_configurations(page: Page, configurations: Sequence[Configuration], *, indent: int) -> None:
    """Write the lines for each product; the pages of its documentation too, where one product was asked for."""
    for one in configurations:
        page.add(f"{one.kind}:", indent=indent, hang=indent)
        for line in one.lines:
            page.add_verbatim(line, indent=indent + 2)
        for source in one.sources if page.style.server is not None else ():
            page.add_verbatim(f"see {source}", indent=indent + 2)
