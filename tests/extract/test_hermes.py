"""Hermes bytecode: hosts by the string table, whatever the version, and what happens where there is no table to be read."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest

from atsprobe.extract.readers import hermes
from atsprobe.extract.sighting import HostSighting, TemplateSighting, Trouble

FOLDER = Path(__file__).parents[2] / "fixtures" / "extract" / "hermes"
URLS = {
    "api.overlap.example.com:443",
    "api.overlap.example.co.uk:443",
    "live.example.dev:8443",
    "plain.example.net:80",
    "utf16.example.org:443",
    "long.example.com:443",
}
BARE = {
    "bare.example.cloud:443",
    "manager.eu.example.cloud:443",
    "overlap.example.co:443",
    "overlap.example.com:443",
    "2.example.com:443",
}


def bytecode(strings, version=96, stride=16, functions=3, kinds=2, identifiers=1, storage=None):
    """Lay out bytecode with a string table; ``strings`` are (offset in the storage, length, whether UTF-16)."""
    text = b"".join(storage) if isinstance(storage, list) else storage
    small, large = [], []
    for offset, length, is_wide in strings:
        if length >= 255 or offset >= 1 << 23:
            small.append(0xFF << 24 | len(large) << 1 | is_wide)
            large.append((offset, length))
        else:
            small.append(length << 24 | offset << 1 | is_wide)
    head = hermes.MAGIC + struct.pack("<I", version) + bytes(20)
    head += struct.pack("<8I", 0, 0, functions, kinds, identifiers, len(strings), len(large), len(text))
    body = b"\x00\x11\x22\x33" * (stride // 4 * functions) + bytes(4 * (kinds + identifiers))
    body += struct.pack(f"<{len(small)}I", *small) + b"".join(struct.pack("<2I", *row) for row in large)
    return head.ljust(128, b"\0") + body + text


def hosts(sightings, confidence):
    return {str(s.endpoint) for s in sightings if isinstance(s, HostSighting) and s.confidence == confidence}


@pytest.mark.parametrize("name", ["strings.v96.hbc", "strings.v99.hbc"])
def test_every_host_of_compiled_bytecode_is_found_and_no_other(name):
    """What real compilers wrote gives the hosts of its source exactly, with strings that overlap, are long, or are UTF-16."""
    found = list(hermes.read(name, (FOLDER / name).read_bytes()))
    assert hosts(found, "B") == URLS
    assert hosts(found, "C") == BARE
    assert [s.suffix for s in found if isinstance(s, TemplateSighting)] == ["template.example.io"]
    assert not [s for s in found if isinstance(s, Trouble)]


@pytest.mark.parametrize("name", ["strings.v96.hbc", "strings.v99.hbc"])
def test_a_place_in_bytecode_is_the_first_byte_of_the_string(name):
    """The offset of a sighting leads to its text in the file, in the encoding that it names."""
    content = (FOLDER / name).read_bytes()
    for sighting in hermes.read(name, content):
        if isinstance(sighting, HostSighting):
            encoding = {"ascii": "ascii", "utf-16le": "utf-16-le"}[sighting.location.encoding]
            text = sighting.text[:20].encode(encoding)
            assert content[sighting.location.offset :].startswith(text)
    wide = [s for s in hermes.read(name, content) if "utf16" in getattr(s, "text", "")]
    assert [s.location.encoding for s in wide] == ["utf-16le"]


@pytest.mark.parametrize(
    ("version", "stride"),
    [(v, 16) for v in range(89, 98)] + [(98, 12), (99, 12), (120, 12), (120, 24), (98, 16), (60, 20)],
)
def test_versions_are_told_apart_by_the_size_of_their_function_headers(version, stride):
    """Each version's table is found behind its function headers; for a version that is not known any size is tried."""
    storage = b"https://a.example.com" + "https://ü.example.org".encode("utf-16-le")
    strings = [(0, 21, 0), (8, 13, 0), (21, 21, 1)]
    found = list(hermes.read("", bytecode(strings, version, stride, 50, 7, 9, storage)))
    assert hosts(found, "B") == {"a.example.com:443", "xn--tda.example.org:443"}
    assert hosts(found, "C") == {"a.example.com:443"}


def test_a_table_that_disagrees_with_its_header_is_not_believed():
    """With one string outside the storage, or one long string too many, the bytes are scanned, as unsure, and that is said."""
    storage = b"https://a.example.com"
    for strings, overflowing in (([(0, 21, 0), (0, 22, 0)], 0), ([(0, 21, 0)], 1), ([(1, 21, 1)], 0)):
        content = bytearray(bytecode(strings, storage=storage))
        content[56:60] = struct.pack("<I", overflowing)
        found = list(hermes.read("main.jsbundle", bytes(content)))
        assert "version 96" in next(s.reason for s in found if isinstance(s, Trouble))
        assert hosts(found, "D") == {"a.example.com:443"}
        assert not hosts(found, "B") | hosts(found, "C")


def test_a_header_cut_anywhere_is_no_crash():
    """Bytecode cut at any length is read as far as it goes."""
    content = (FOLDER / "strings.v99.hbc").read_bytes()
    for end in range(8, len(content), 7):
        found = list(hermes.read("", content[:end]))
        assert isinstance(found[0], Trouble) or hosts(found, "B") == URLS


def test_strings_that_overlap_without_end_are_given_up():
    """A table of hundreds of thousands of strings, each as long as the storage, costs a bounded time, and that is said."""
    storage = b"a." * (1 << 21)
    content = bytecode([(n, len(storage) - n, 0) for n in range(300_000)], storage=storage)
    start = time.monotonic()
    found = list(hermes.read("", content))
    assert time.monotonic() - start < 5  # measured: 0.5 s
    assert any(isinstance(s, Trouble) for s in found)


def test_lying_counts_cost_nothing():
    """Counts of four billion functions, strings or bytes end in a scan of the bytes."""
    content = bytearray(bytecode([(0, 21, 0)], storage=b"https://a.example.com"))
    for at in range(40, 64, 4):
        lying = content[:at] + b"\xff\xff\xff\xff" + content[at + 4 :]
        start = time.monotonic()
        assert hosts(hermes.read("", bytes(lying)), "D") == {"a.example.com:443"}
        assert time.monotonic() - start < 1
