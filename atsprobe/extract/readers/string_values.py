"""Strings that a format holds one by one (a table, a property list): the URLs in each, and the ones that are a bare host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from atsprobe.extract.bare_hosts import MAX_BARE, WholeStrings
from atsprobe.extract.host_names import Hit, urls_in
from atsprobe.extract.member import Unreadable
from atsprobe.extract.readers.found import sightings
from atsprobe.extract.sighting import Sighting, Trouble
from atsprobe.model.endpoint import Location

Value = tuple[str, Location]
"""A whole string, and where it stands in its file."""


def sightings_of(values: Iterable[Value]) -> Iterator[Sighting]:
    """Give the hosts that the strings name. Where the iterator ends with Unreadable, that is said, and what it gave stands."""
    whole = WholeStrings()
    place: list[Location] = []
    try:
        yield from sightings(_hits(values, whole, place), lambda _: place[0])
    except Unreadable as unreadable:
        yield Trouble(unreadable.reason, unreadable.advice)
    yield from whole.sightings()


def _hits(values: Iterable[Value], whole: WholeStrings, place: list[Location]) -> Iterator[Hit]:
    """Give the URLs of value after value; ``place`` holds where the one at hand stands."""
    for text, location in values:
        if "://" in text:
            place[:] = [location]
            yield from urls_in(text.encode("utf-8", "replace"))
        elif "." in text and len(text) <= MAX_BARE:
            whole.add(text, location)
