"""Strings that a format holds one by one (a table, a property list): the URLs in each, and the ones that are a bare host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from heapq import merge

from atsprobe.extract.bare_hosts import MAX_BARE, WholeStrings
from atsprobe.extract.host_names import Hit, urls_in, wide_urls_in
from atsprobe.extract.member import Unreadable
from atsprobe.extract.readers.found import sightings
from atsprobe.extract.sighting import Buffer, Sighting, Trouble
from atsprobe.model.endpoint import ByteOffset, Location

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
        if "://" in text or "\\/" in text or "%" in text:
            place[:] = [location]
            yield from urls_in(text.encode("utf-8", "replace"), escapes=True)
        elif "." in text and len(text) <= MAX_BARE:
            whole.add(text, location)


def scanned(content: Buffer) -> Iterator[Sighting]:
    """Give the URLs in the bytes of a file whose strings could not be told apart: they may run on, and are unsure."""
    hits = merge(urls_in(content), wide_urls_in(content), key=lambda h: h.offset)
    yield from sightings((replace(h, is_sure=False) for h in hits), lambda h: ByteOffset(h.offset, h.encoding))


def most_bytes(storage: int) -> int:
    """Give how many bytes the strings of a table may add up to: 16 times their storage, and 16 MiB, is no compiler's."""
    return max(16 << 20, 16 * storage)
