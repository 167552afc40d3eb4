"""Every reader on damaged input: nothing is raised, and the time is bounded. ``make fuzz`` runs the long form."""

from __future__ import annotations

import gzip
import os
import plistlib
import random
import sqlite3
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atsprobe.extract.readers import reader
from atsprobe.extract.sighting import HostSighting

MUTANTS = int(os.environ.get("ATSPROBE_MUTANTS", "500"))
"""How many to try of each format; ``make fuzz`` tries more."""

FIXTURES = Path(__file__).parents[2] / "fixtures" / "extract"
NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000)
TEXT = """{"k": "a.example.com", "u": "https:\\/\\/b.example.com\\/", "e": "\\u0061.example.io", 'q': `c.example.dev`}
key = "d.example.com"; // 'e.example.com'
host: f.example.com # https%3A%2F%2Fg.example.com
<a href="h.example.com">i.example.com</a> ( j.example.com, "https://%@.example.net:443/" )
"""


def _sqlite(folder):
    path = folder / "seed.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA page_size=512")
        connection.execute("CREATE TABLE t (a TEXT PRIMARY KEY, b TEXT) WITHOUT ROWID")
        connection.execute("CREATE TABLE u (a TEXT, b INTEGER)")
        rows = [(f"https://h{n}.example.com", "x" * n * 30) for n in range(30)]
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
        connection.executemany("INSERT INTO u VALUES (?, 1)", [(row[1] + row[0],) for row in rows])
    connection.close()
    return path.read_bytes()


def _unity():
    texts = [b"https://a.example.com", b"b.example.cloud", b"https://c.example.com/"]
    rows, at = b"", 0
    for text in texts:
        rows += struct.pack("<2I", len(text), at)
        at += len(text)
    return (
        struct.pack("<6I", 0xFAB11BAF, 29, 64, len(rows), 64 + len(rows), at).ljust(64, b"\0") + rows + b"".join(texts)
    )


def _dart():
    objects = b""
    for text in ("https://flet.dev", "a.example.com", "https://b.example.com/" + "x" * 400):
        units = -(-(16 + len(text)) // 16)
        header = 94 << 12 | (units if units < 16 else 0) << 8 | 0x32
        objects += (struct.pack("<QQ", header, 2 * len(text)) + text.encode()).ljust(16 * units, b"\0")
    const = bytes.fromhex("f5f5dcdc").ljust(64, b"\1") + objects
    section = struct.pack("<16s16sQQ8I", b"__const", b"__TEXT", 256, len(const), 256, 4, 0, 0, 0, 0, 0, 0)
    segment = struct.pack("<2I16s4Q4I", 0x19, 152, b"__TEXT", 0, 4096, 0, 256 + len(const), 5, 5, 1, 0)
    head = struct.pack("<8I", 0xFEEDFACF, 0x0100000C, 0, 6, 1, len(segment + section), 0, 0)
    return (head + segment + section).ljust(256, b"\0") + const


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    """A path and a good file for every reader."""
    return {
        "hermes": ("main.jsbundle", (FIXTURES / "hermes" / "strings.v96.hbc").read_bytes()),
        "hermes-99": ("main.jsbundle", (FIXTURES / "hermes" / "strings.v99.hbc").read_bytes()),
        "unity": ("Metadata/global-metadata.dat", _unity()),
        "dart": ("App.framework/App", _dart()),
        "mach-o": ("Ferry", (FIXTURES / "strings-arm64").read_bytes()),
        "sqlite": ("seed.db", _sqlite(tmp_path_factory.mktemp("seed"))),
        "gzip": ("a.json.gz", gzip.compress(TEXT.encode())),
        "javascript": ("a.js", TEXT.encode()),
        "json": ("a.json", TEXT.encode()),
        "strings": ("a.strings", TEXT.encode("utf-16")),
        "settings": ("a.yaml", TEXT.encode()),
        "xml": ("a.xml", TEXT.encode()),
        "binary-plist": (
            "a.plist",
            plistlib.dumps({"a": ["https://a.example.com", "b.example.com"]}, fmt=plistlib.FMT_BINARY),
        ),
        "xml-plist": ("a.plist", plistlib.dumps({"a": ["https://a.example.com", "b.example.com"]})),
    }


NAMES = (
    *(
        "hermes",
        "hermes-99",
        "unity",
        "dart",
        "mach-o",
        "sqlite",
        "gzip",
        "javascript",
        "json",
        "strings",
        "settings",
        "xml",
    ),
    *("binary-plist", "xml-plist"),
)


def mutant(good, chance):
    """Change a few bytes or numbers of a file, cut it, or copy a part of it elsewhere."""
    data = bytearray(good)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data))
        match chance.randrange(6):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                at &= ~3
                data[at : at + 4] = struct.pack(chance.choice("<>") + "I", chance.choice(NUMBERS))
            case 2:
                del data[at:]
            case 3:
                size = chance.randrange(1, 64)
                start = chance.randrange(len(data))
                data[at:at] = data[start : start + size]
            case 4:
                data[at : at + 8] = chance.randbytes(8)
            case _:
                at = chance.randrange(min(len(data), 256))  # headers decide most
                data[at] = chance.choice(NUMBERS) & 0xFF
        if not data:
            return b"\0"
    return bytes(data)


def read_all(path, content):
    row = reader.format_of(path, content[:4096])
    return list(row.read(path, content)) if row else []


@pytest.mark.parametrize("name", NAMES)
def test_mutants_of_a_file_raise_nothing(seeds, name):
    """Thousands of damaged files of each format are read, or said to be unreadable, none of them slowly."""
    path, good = seeds[name]
    assert any(isinstance(s, HostSighting) for s in read_all(path, good))
    chance = random.Random(name)
    hosts, slowest = 0, 0.0
    for _ in range(MUTANTS):
        content = mutant(good, chance)
        start = time.process_time()
        hosts += any(isinstance(s, HostSighting) for s in read_all(path, content))
        slowest = max(slowest, time.process_time() - start)
    assert slowest < 3  # measured: 0.1 s
    assert hosts, "some are still read"


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=max(30, MUTANTS // 20), deadline=None)
@given(tail=st.binary(max_size=600), kept=st.integers(0, 300))
def test_mutated_tails_raise_nothing(seeds, name, tail, kept):
    """The beginning of a good file with anything behind it is read, or said to be unreadable."""
    path, good = seeds[name]
    read_all(path, good[:kept] + tail)


FILLS = {
    "a": b"a",
    "a.": b"a.",
    "http://": b"http://",
    "NUL": b"\0",
    "255": b"\xff",
    "words": b"\x10\0\0\0\0\0\0\0",
    "pages": bytes.fromhex("0d000001f4000000") + b"\x01\x08" * 252,
}


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("name", NAMES)
def test_eight_megabytes_behind_a_good_header_cost_a_bounded_time(seeds, name, fill):
    """A good file with eight megabytes behind it, made to cost time, is read soon."""
    path, good = seeds[name]
    content = good + FILLS[fill] * ((8 << 20) // len(FILLS[fill]))
    start = time.process_time()
    read_all(path, content)
    assert time.process_time() - start < 6  # measured: 1.7 s at most
