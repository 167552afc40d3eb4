"""One line of work: an id, its subject, and below it why and what to do; and the groups that such lines form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atsprobe.report.server_products import Configuration
from atsprobe.report.style import NORMAL, QUIET, VERBOSE
from atsprobe.report.text.layout import Page
from atsprobe.report.text.products import add_configurations

LOOKS_OF_IDS = {
    "blocked": "bad",
    "worse": "bad",
    "replaceable": "change",
    "unneeded": "change",
    "insufficient": "change",
    "ineffective": "change",
    "too-wide": "change",
    "inconclusive": "strong",
    "unverifiable": "strong",
    "skipped": "strong",
    "expired": "change",
    "unmatched": "change",
}
_LABEL_WIDTH = 10
_WIDEST_ID = len("unverifiable")  # one column for all groups where headings do not part them
_BELOW, _BELOW_WRAPPED = 6, 8


@dataclass(frozen=True)
class Item:
    """A line with an id.

    ``reasons`` are the lines below it, ``remedy`` a verb (``fix``, ``try``) and what to do. ``evidence`` is shown on
    request: (label, text) pairs, where one without a label goes on with the one before. ``shared_remedy`` is the
    remedy less what names this subject, where neighbours may share it. ``quiet_id`` stands in place of the id where no
    heading says what becomes of it. ``configurations`` are the lines for server products, told below the remedy.
    """

    id: str
    subject: str
    reasons: tuple[str, ...] = ()
    remedy: tuple[str, str] | None = None
    evidence: tuple[tuple[str, str], ...] = ()
    shared_remedy: str = ""
    quiet_id: str = ""
    configurations: tuple[Configuration, ...] = ()

    def shares_with(self, other: Item) -> bool:
        """Say whether what stands below both is the same, so that it need be told once."""
        if self.configurations != other.configurations:
            return False
        mine, theirs = (self.shared_remedy or self.remedy), (other.shared_remedy or other.remedy)
        return (self.reasons, mine) == (other.reasons, theirs) and bool(self.reasons or mine)


@dataclass(frozen=True)
class Group:
    """Lines that ask for the same kind of work. Headings are for one line and for several."""

    one: str
    several: str
    items: tuple[Item, ...]


def add_group(page: Page, group: Group) -> None:
    """Write a group; nothing where it is empty. A quiet report has the lines with an id alone."""
    if not group.items:
        return
    if page.style.verbosity > QUIET:
        page.blank()
        heading = group.one if len(group.items) == 1 else group.several
        page.add((f"{heading} ({len(group.items)})", "strong"))
    quiet = page.style.verbosity <= QUIET
    ids = [item.quiet_id or item.id if quiet else item.id for item in group.items]
    width = _WIDEST_ID if quiet else max(map(len, ids))
    following: Sequence[Item | None] = (*group.items[1:], None)
    first_of_run: Item | None = None
    for item, shown, after in zip(group.items, ids, following, strict=True):
        first_of_run = first_of_run or item
        blanks = " " * (max(width - len(shown), 0) + 2)  # a quiet report has ids that are longer than its column
        page.add((shown, LOOKS_OF_IDS.get(shown, "")), f"{blanks}{item.subject}", indent=2, hang=_BELOW)
        if page.style.verbosity >= VERBOSE:
            _add_evidence(page, item)
        elif not (after and item.shares_with(after)):
            if page.style.verbosity == NORMAL:
                _add_below(page, first_of_run)
            first_of_run = None


def _add_below(page: Page, item: Item) -> None:
    for reason in item.reasons:
        page.add(reason, indent=_BELOW, hang=_BELOW_WRAPPED)
    if item.remedy:
        verb, what = item.remedy
        page.add(f"{verb}: {what}", indent=_BELOW, hang=_BELOW_WRAPPED)
    add_configurations(page, item.configurations, indent=_BELOW)


def _add_evidence(page: Page, item: Item) -> None:
    rows = [("reason" if number == 0 else "", reason) for number, reason in enumerate(item.reasons)]
    if item.remedy:
        rows.append(item.remedy)
    add_labelled(page, rows)
    add_configurations(page, item.configurations, indent=_BELOW)
    add_labelled(page, item.evidence)


def add_labelled(page: Page, rows: Sequence[tuple[str, str]]) -> None:
    """Write evidence: labels in a column, texts wrapped beside them."""
    for label, text in rows:
        page.add(f"{label:<{_LABEL_WIDTH}}{text}", indent=_BELOW, hang=_BELOW + _LABEL_WIDTH)
