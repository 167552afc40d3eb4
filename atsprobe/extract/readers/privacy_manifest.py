"""A privacy manifest (PrivacyInfo.xcprivacy) of the app or of an SDK: the domains that it declares as tracking."""

from __future__ import annotations

from collections.abc import Iterator

from atsprobe.extract import plist_file
from atsprobe.extract.member import Unreadable
from atsprobe.extract.readers import apple_domains, property_list
from atsprobe.extract.sighting import Buffer, Sighting, Trouble


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is a privacy manifest, by its suffix."""
    return bool(head) and path.lower().endswith(".xcprivacy")


def read(_: str, content: Buffer) -> Iterator[Sighting]:
    """Give the tracking domains, and the URLs of all values."""
    try:
        plist = plist_file.load(content)
    except Unreadable as unreadable:
        yield Trouble(unreadable.reason, unreadable.advice)
        return
    yield from apple_domains.tracking(plist)
    yield from property_list.urls_of(plist, without=apple_domains.DECLARED)
