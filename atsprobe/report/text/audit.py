"""An audit as text: the answer, the table, one group for each kind of work."""

from __future__ import annotations

from collections.abc import Sequence

from atsprobe.model.result import AuditResult
from atsprobe.report.server_products import kinds_shown
from atsprobe.report.style import QUIET, VERBOSE, VERY_VERBOSE, Style
from atsprobe.report.text.answer import add_answer, system_services
from atsprobe.report.text.groups import groups
from atsprobe.report.text.handshakes import add_handshakes
from atsprobe.report.text.item import Group, add_group
from atsprobe.report.text.layout import Page
from atsprobe.report.text.network_code import add_network_code
from atsprobe.report.text.one_server import add_one_server
from atsprobe.report.text.system_services import add_system_services, are_told
from atsprobe.report.text.table import add_table, sort_key

_TOLD = ("blocked", "inconclusive")
"""What the report on a single server tells by itself."""


def render_audit(result: AuditResult, style: Style) -> str:
    """Write an audit; one that is judged again has the day on which it was seen in the answer."""
    page = Page(style)
    loads = result.loads
    alone = len(loads) == 1 and not result.recording.extraction.bundles
    services = "" if result.recording.extraction.bundles or result.recording.interrupted else system_services(result)
    in_table = bool(services) and not alone and are_told(result, style.verbosity)
    if alone:
        add_one_server(page, result, loads[0])
    elif services and loads:
        add_system_services(page, result, services)
    else:
        add_answer(page, result)
        if style.verbosity > QUIET:
            add_table(page, result)
    if style.verbosity >= VERY_VERBOSE:
        _add_handshakes(page, result)
    for group in groups(result, every_notice=style.verbosity >= VERBOSE, servers=kinds_shown(style)):
        told = _TOLD if alone else ("inconclusive",) if in_table else ()
        add_group(page, _without(group, told))
    add_network_code(page, result.recording.extraction)
    return page.rendered()


def _without(group: Group, told: Sequence[str]) -> Group:
    """Leave out what stands above the groups already; what was accepted stands nowhere else."""
    kept = tuple(item for item in group.items if item.id not in told or item.quiet_id)
    return Group(group.one, group.several, kept)


def _add_handshakes(page: Page, result: AuditResult) -> None:
    """List every offer made and its outcome, server by server, address by address."""
    for endpoint in sorted(result.loads, key=sort_key):
        add_handshakes(page, endpoint.endpoint, endpoint.observations)
