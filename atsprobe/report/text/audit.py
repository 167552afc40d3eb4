"""An audit as text: the answer, the table, one group for each kind of work."""

from __future__ import annotations

from atsprobe.model.result import AuditResult
from atsprobe.report.server_products import kinds_shown
from atsprobe.report.style import QUIET, VERBOSE, VERY_VERBOSE, Style
from atsprobe.report.text.answer import add_answer
from atsprobe.report.text.groups import groups
from atsprobe.report.text.handshakes import add_handshakes
from atsprobe.report.text.item import Group, add_group
from atsprobe.report.text.layout import Page
from atsprobe.report.text.one_server import add_one_server
from atsprobe.report.text.table import add_table, sort_key


def render_audit(result: AuditResult, style: Style) -> str:
    """Write an audit; one that is judged again has the day on which it was seen in the answer."""
    page = Page(style)
    loads = result.loads
    alone = len(loads) == 1 and not result.recording.extraction.bundles
    if alone:
        add_one_server(page, result, loads[0])
    else:
        add_answer(page, result)
        if style.verbosity > QUIET:
            add_table(page, result)
    if style.verbosity >= VERY_VERBOSE:
        _add_handshakes(page, result)
    for group in groups(result, every_notice=style.verbosity >= VERBOSE, servers=kinds_shown(style)):
        add_group(page, _without_the_server(group) if alone else group)
    return page.rendered()


def _without_the_server(group: Group) -> Group:
    """Leave out what the report on a single server has told already."""
    told = ("blocked", "inconclusive")
    kept = tuple(item for item in group.items if item.id not in told or item.quiet_id)
    return Group(group.one, group.several, kept)


def _add_handshakes(page: Page, result: AuditResult) -> None:
    """List every offer made and its outcome, server by server, address by address."""
    for endpoint in sorted(result.loads, key=sort_key):
        add_handshakes(page, endpoint.endpoint, endpoint.observations)
