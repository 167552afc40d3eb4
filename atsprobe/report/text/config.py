"""The settings as text: what is in force, and where each value comes from."""

from __future__ import annotations

from atsprobe.model.judgement import Waiver
from atsprobe.model.recording import IgnoreRule
from atsprobe.model.result import ConfigResult, ConfiguredText, ConfiguredValue
from atsprobe.report.style import QUIET, Style
from atsprobe.report.text.item import Group, Item, add_group
from atsprobe.report.text.layout import Page, Part
from atsprobe.report.words import count, listed

_MOST_FOLDERS = 2


def render_config(result: ConfigResult, style: Style) -> str:
    """Write the settings: which file was read, every option, and what the file leaves out of an audit or accepts."""
    page = Page(style)
    page.add((_answer(result), "strong"), hang=2)
    if style.verbosity > QUIET:
        _add_options(page, result.values)
    add_group(page, Group("Ignored host", "Ignored hosts", tuple(map(_rule_item, result.ignored))))
    add_group(page, Group("Waiver", "Waivers", tuple(map(_waiver_item, result.waivers))))
    return page.rendered()


def _answer(result: ConfigResult) -> str:
    if result.file is None:
        where = f" in {listed(result.looked_in, _MOST_FOLDERS)}" if result.looked_in else ""
        return f"no settings file{where}: every value is a default or from the command line"
    told = [count(sum(1 for v in result.values if v.source == "file"), "option")]
    if result.ignored:
        told.append(count(len(result.ignored), "ignored host"))
    if result.waivers:
        told.append(count(len(result.waivers), "waiver"))
    return f"{result.file}: {', '.join(told)}"


def _add_options(page: Page, values: tuple[ConfiguredValue, ...]) -> None:
    page.blank()
    rows = [("option", "from", "value"), *((v.option, _source(v), _shown(v)) for v in values)]
    first, second = (max(len(row[column]) for row in rows) + 2 for column in (0, 1))
    for number, (option, source, value) in enumerate(rows):
        look = "strong" if number == 0 else ""
        cells: list[tuple[Part, int]] = [("", 2), ((option, look), first), ((source, look), second)]
        page.add_row(cells, ((value, look),))


def _source(configured: ConfiguredValue) -> str:
    if configured.source == "file":
        return "the file" if configured.line is None else f"line {configured.line}"
    return "command line" if configured.source == "command-line" else "default"


def _shown(configured: ConfiguredValue) -> str:
    return configured.meaning if configured.source == "default" and configured.meaning else _text(configured.value)


def _text(value: ConfiguredText) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _rule_item(rule: IgnoreRule) -> Item:
    return Item(id="ignored", subject=rule.pattern, reasons=(f"{rule.reason} ({rule.place})",))


def _waiver_item(waiver: Waiver) -> Item:
    told = f"{waiver.reason} ({waiver.owner}, {waiver.place})"
    only = (f"of {waiver.bundle} alone",) if waiver.bundle else ()
    return Item(id=f"until {waiver.expires}", subject=waiver.subject, reasons=(told, *only))
