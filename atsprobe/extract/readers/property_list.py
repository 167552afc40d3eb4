"""Property lists of any kind: the hosts in their string values. Their dictionaries decide nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from atsprobe.extract import plist_file
from atsprobe.extract.member import Unreadable
from atsprobe.extract.plist_file import KeyPath, PlistFile
from atsprobe.extract.readers import plain_text, strings_file
from atsprobe.extract.readers.string_values import sightings_of
from atsprobe.extract.sighting import Buffer, HostSighting, Sighting, Trouble
from atsprobe.model.endpoint import Confidence, PlistKey


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is a property list, by its first bytes, or by its name."""
    return plist_file.looks_like_plist(head) or (path.endswith(".plist") and bool(head))


def read(path: str, content: Buffer) -> Iterator[Sighting]:
    """Give the hosts in a property list. One that is broken is said to be, and read as text where it is no binary one."""
    try:
        plist = plist_file.load(content)
    except Unreadable as unreadable:
        yield Trouble(unreadable.reason)
        if content[:6] != b"bplist":
            is_xml = b"<" in content[:100]
            fallback = plain_text if is_xml else strings_file
            yield from (_less_sure(s) for s in fallback.read(path, content))
        return
    yield from urls_of(plist)


def _less_sure(sighting: Sighting) -> Sighting:
    return replace(sighting, confidence=Confidence.EMBEDDED) if isinstance(sighting, HostSighting) else sighting


def urls_of(plist: PlistFile, *, without: frozenset[KeyPath] = frozenset()) -> Iterator[Sighting]:
    """Give the hosts of the string values, of URLs and bare, but for those at and below the paths of ``without``."""
    yield from sightings_of(
        (value, location(plist, path))
        for path, value in plist.strings()
        if ("." in value or "://" in value) and not any(path[: len(left_out)] == left_out for left_out in without)
    )


def location(plist: PlistFile, path: KeyPath) -> PlistKey:
    """Give the place of a value, its path as PlistBuddy(8) writes it: keys and indexes with ``:`` between them."""
    return PlistKey(":".join(str(part) for part in path)[:1000], plist.lines.get(path))
