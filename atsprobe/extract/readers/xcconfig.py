"""Build settings of Xcode in a file (.xcconfig): URLs and bare hosts in values, which the app reads through its Info.plist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from atsprobe.extract.bare_hosts import WholeStrings
from atsprobe.extract.host_names import FoundTemplate, Hit, urls_in
from atsprobe.extract.readers.found import LineCounter, sightings
from atsprobe.extract.sighting import Buffer, Sighting, Trouble
from atsprobe.model.endpoint import Line

_SETTING = re.compile(rb"^[ \t]*\w{1,200}(?:\[[^\]\n]{1,200}\]){0,4}[ \t]*=[ \t]*([^\n]{1,2000})", re.MULTILINE)
_NOTHING = re.compile(rb"\$\(\)|\$\{\}")
_COMMENT = re.compile(rb"//.*")
_MAX_BYTES = 16 << 20


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is one, by its suffix."""
    return bool(head) and path.lower().endswith(".xcconfig")


def read(_: str, content: Buffer) -> Iterator[Sighting]:
    """Give the hosts of URLs and the whole values that are bare hosts; a URL in a comment is less sure.

    ``//`` begins a comment in these files, so that URLs are written with an empty setting in between: ``https:/$()/host``.
    """
    data = content[:_MAX_BYTES]
    if len(content) > _MAX_BYTES:
        yield Trouble(f"build settings larger than {_MAX_BYTES >> 20} MiB; the rest was not read", is_damage=False)
    names, line = WholeStrings(), [0]
    yield from sightings(_in_values(data, names, line), lambda _: Line(line[0]))
    yield from names.sightings()
    lines = LineCounter(data)
    in_comments = (replace(hit, is_sure=False) for hit in urls_in(data) if not isinstance(hit.found, FoundTemplate))
    yield from sightings(in_comments, lambda hit: Line(lines.at(hit.offset)))


def _in_values(data: bytes, names: WholeStrings, line: list[int]) -> Iterator[Hit]:
    """Give the URLs of value after value, and add each value to the names; ``line`` holds the line of the one at hand."""
    lines = LineCounter(data)
    for setting in _SETTING.finditer(data):
        line[0] = lines.at(setting.start(1))
        value = _NOTHING.sub(b"", _COMMENT.sub(b"", setting[1])).strip().strip(b"\"'")
        yield from urls_in(value)
        names.add(value.decode("utf-8", "replace"), Line(line[0]))
