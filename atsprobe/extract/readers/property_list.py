"""Property lists of any kind: the URLs in their string values. Their dictionaries decide nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from atsprobe.extract import plist_file
from atsprobe.extract.host_names import Hit, urls_in
from atsprobe.extract.member import Unreadable
from atsprobe.extract.plist_file import KeyPath, PlistFile
from atsprobe.extract.readers import plain_text
from atsprobe.extract.readers.found import sightings
from atsprobe.extract.sighting import Buffer, HostSighting, Sighting, Trouble
from atsprobe.model.endpoint import Confidence, PlistKey


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is a property list, by its first bytes, or by its name."""
    return plist_file.looks_like_plist(head) or (path.endswith(".plist") and bool(head))


def read(path: str, content: Buffer) -> Iterator[Sighting]:
    """Give the hosts of the URLs in a property list. One that is broken is said to be, and in XML is read as text."""
    try:
        plist = plist_file.load(content)
    except Unreadable as unreadable:
        yield Trouble(unreadable.reason)
        if content[:6] != b"bplist":
            yield from (_less_sure(s) for s in plain_text.read(path, content))
        return
    yield from urls_of(plist)


def _less_sure(sighting: Sighting) -> Sighting:
    return replace(sighting, confidence=Confidence.EMBEDDED) if isinstance(sighting, HostSighting) else sighting


def urls_of(plist: PlistFile, *, without: frozenset[KeyPath] = frozenset()) -> Iterator[Sighting]:
    """Give the hosts of the URLs in the string values, but for those at the paths of ``without``."""
    place: list[KeyPath] = [()]
    try:
        yield from sightings(_hits(plist, place, without), lambda _: location(plist, place[0]))
    except Unreadable as unreadable:
        yield Trouble(unreadable.reason)


def _hits(plist: PlistFile, place: list[KeyPath], without: frozenset[KeyPath]) -> Iterator[Hit]:
    """Give the hits of value after value; ``place`` holds the path of the one at hand."""
    for path, value in plist.strings():
        place[0] = path
        if "://" in value and path not in without:
            yield from urls_in(value.encode("utf-8", "replace"))


def location(plist: PlistFile, path: KeyPath) -> PlistKey:
    """Give the place of a value, its path as PlistBuddy(8) writes it: keys and indexes with ``:`` between them."""
    return PlistKey(":".join(str(part) for part in path)[:1000], plist.lines.get(path))
