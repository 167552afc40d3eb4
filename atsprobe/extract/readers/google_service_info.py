"""GoogleService-Info.plist: where Firebase keeps the app's data."""

from __future__ import annotations

from collections.abc import Iterator

from atsprobe.extract import plist_file
from atsprobe.extract.member import Unreadable
from atsprobe.extract.readers import property_list
from atsprobe.extract.readers.declared_hosts import configured
from atsprobe.extract.sighting import Buffer, Sighting, Trouble

_KEYS = ("DATABASE_URL", "STORAGE_BUCKET")


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is one, by its name; a variant for another build has more words in it."""
    name = path.rpartition("/")[2]
    return bool(head) and name.startswith("GoogleService-Info") and name.endswith(".plist")


def read(_: str, content: Buffer) -> Iterator[Sighting]:
    """Give the host of the database, that of the storage bucket's name, and the URLs of all other values."""
    try:
        plist = plist_file.load(content)
    except Unreadable as unreadable:
        yield Trouble(unreadable.reason, unreadable.advice)
        return
    for key in _KEYS if isinstance(plist.root, dict) else ():
        value = plist.root.get(key)
        if isinstance(value, str):
            yield from configured(value, property_list.location(plist, (key,)))
    yield from property_list.urls_of(plist, without=frozenset((key,) for key in _KEYS))
