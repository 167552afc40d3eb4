"""Cordova's config.xml: the page that the app starts with, and where it may go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from xml.parsers import expat

from atsprobe.extract.host_names import FoundTemplate, urls_in
from atsprobe.extract.readers import plain_text
from atsprobe.extract.readers.declared_hosts import configured
from atsprobe.extract.readers.found import sightings
from atsprobe.extract.sighting import Buffer, HostSighting, Sighting, Trouble
from atsprobe.model.endpoint import Confidence, Line

_DECLARING = {"access": "origin", "allow-navigation": "href", "content": "src"}
_LINKS = frozenset({"author", "allow-intent"})
"""Elements whose addresses the app shows, or gives to other apps."""

_MAX_BYTES = 4 << 20
_MAX_VALUES = 10_000


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is one, by its name and its outermost element."""
    return path.rpartition("/")[2] == "config.xml" and b"<widget" in head


def read(path: str, content: Buffer) -> Iterator[Sighting]:
    """Give the addresses of access, allow-navigation and content, then the URLs of other elements.

    Source: Cordova's documentation, Config.xml and its allow list. A page of the app's own (``index.html``) names no host.
    """
    data = content[: _MAX_BYTES + 1]
    if len(data) > _MAX_BYTES:
        yield Trouble(f"a configuration of Cordova larger than {_MAX_BYTES >> 20} MiB")
        return
    reader = _Reader()
    try:
        reader.parse(data)
    except (expat.ExpatError, ValueError, LookupError) as error:
        yield Trouble(f"not well-formed XML ({str(error)[:100]}); it was read as text")
        for sighting in plain_text.read(path, data):
            if isinstance(sighting, HostSighting):
                yield replace(sighting, confidence=Confidence.EMBEDDED)
            else:
                yield sighting
        return
    if len(reader.values) == _MAX_VALUES:
        yield Trouble(f"{_MAX_VALUES:,} addresses or more; those after them were not read", is_damage=False)
    for element, text, line in reader.values:
        yield from _of_value(element, text, Line(line))


def _of_value(element: str, text: str, line: Line) -> Iterator[Sighting]:
    if element == "content" and "://" not in text:
        return
    if element in _DECLARING:
        yield from configured(text, line)
        return
    hits = (h for h in urls_in(text.encode("utf-8", "replace")) if not isinstance(h.found, FoundTemplate))
    if element in _LINKS:
        hits = (replace(h, is_sure=False) for h in hits)
    yield from sightings(hits, lambda _: line)


class _Reader:
    """Collects (element, value, line): of elements that declare their address, of others every value with a URL in it."""

    def __init__(self) -> None:
        self.values: list[tuple[str, str, int]] = []
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EntityDeclHandler = self._refuse_entity

    def parse(self, data: bytes) -> None:
        """Read all of it. Raises ExpatError or ValueError for what is no such file."""
        self._parser.Parse(data, True)

    def _refuse_entity(self, *_: object) -> None:
        raise ValueError("it declares an entity")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        for attribute, value in attributes.items():
            is_namespace = attribute == "xmlns" or attribute.startswith("xmlns:")
            is_declared = _DECLARING.get(local) == attribute
            if (is_declared or ("://" in value and not is_namespace)) and len(self.values) < _MAX_VALUES:
                self.values.append((local, value[:2000], self._parser.CurrentLineNumber))
