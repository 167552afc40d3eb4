"""What is fuzzed: every row of the table of readers, and each parser that has no row of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from atsprobe.extract.containers.container import CONTAINERS
from atsprobe.extract.extract import extract
from atsprobe.extract.host_names import urls_in, wide_urls_in
from atsprobe.extract.mach_o.code_signature import entitlements_in
from atsprobe.extract.mach_o.der import strings_under
from atsprobe.extract.mach_o.image import images_in
from atsprobe.extract.mach_o.swift_small_strings import small_strings
from atsprobe.extract.member import Unreadable
from atsprobe.extract.readers import info_plist
from atsprobe.extract.readers.network_apis import uses
from atsprobe.extract.readers.reader import FORMATS
from atsprobe.extract.sighting import Format
from fuzz.seeds import Seed, seeds

MAX_SECONDS = 10
"""No file may cost more, whatever stands in it."""


@dataclass(frozen=True)
class Parser:
    """One parser: what it is given first, and how it is run. Running it raises nothing for any content."""

    name: str
    seeds: tuple[Seed, ...]
    run: Callable[[str, bytes], None]


def parsers() -> tuple[Parser, ...]:
    """Give all of them. Raises KeyError for a row of the table without a seed."""
    rows = [Parser(row.name, seeds()[row.name], partial(_read, row)) for row in FORMATS]
    loose = Format("loose-info-plist", lambda *_: True, info_plist.read_loose)
    binaries = seeds()["mach-o"]
    others = [
        Parser(loose.name, seeds()["info-plist"], partial(_read, loose)),
        Parser("host-names", seeds()["host-names"], _host_names),
        Parser("archive", seeds()["archive"], _archive),
        Parser("swift-small-strings", binaries, _small_strings),
        Parser("code-signature", seeds()["code-signature"], _code_signature),
        Parser("network-apis", binaries, _network_apis),
    ]
    return (*rows, *others)


def _read(row: Format, path: str, content: bytes) -> None:
    try:
        for _ in row.read(path, content):
            pass
    except Unreadable:
        pass  # a reason in words, which the caller reports


def _host_names(_: str, content: bytes) -> None:
    for hit in (*urls_in(content), *urls_in(content, escapes=True), *wide_urls_in(content)):
        assert 0 <= hit.offset < len(content)


def _archive(path: str, content: bytes) -> None:
    """Read an archive through the whole of the extraction, which would turn an error of a reader into a reason."""
    assert any(row.name == "archive" for row in CONTAINERS)
    with tempfile.NamedTemporaryFile(suffix=Path(path).suffix) as file:
        file.write(content)
        file.flush()
        for skipped in extract([file.name]).skipped:
            assert "could not be read as" not in skipped.reason, skipped


def _small_strings(_: str, content: bytes) -> None:
    for image in images_in(content):
        for text, at in small_strings(content, image):
            assert len(text) <= 15 and 0 <= at < len(content)


def _code_signature(_: str, content: bytes) -> None:
    for blob in entitlements_in(content, 0, len(content)):
        assert 0 <= blob.start <= blob.end <= len(content)
        for _ in strings_under(content[blob.start : blob.end], "com.apple.developer.associated-domains"):
            pass


def _network_apis(_: str, content: bytes) -> None:
    for image in images_in(content):
        for _ in uses(content, (image,)):
            pass
