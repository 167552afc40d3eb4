"""SQLite databases: text values of records, whatever the page size and encoding, without an SQL engine."""

from __future__ import annotations

import sqlite3
import struct
import time

import pytest

from atsprobe.extract.readers import reader
from atsprobe.extract.sighting import HostSighting, TemplateSighting, Trouble


@pytest.fixture
def database(tmp_path):
    """A function that lets SQLite itself write a database, and gives its bytes."""

    def make(statements, page_size=4096, encoding="UTF-8"):
        path = tmp_path / "a.db"
        path.unlink(missing_ok=True)
        with sqlite3.connect(path) as connection:
            connection.execute(f"PRAGMA page_size={page_size}")
            connection.execute(f"PRAGMA encoding='{encoding}'")
            for statement, *values in statements:
                connection.execute(statement, values)
        connection.close()
        return path.read_bytes()

    return make


ROWS = [
    ("CREATE TABLE t (a TEXT, b TEXT, n INTEGER DEFAULT 1, x BLOB, r REAL)",),
    ("INSERT INTO t VALUES (?, ?, 7, ?, 1.5)", "https://a.example.com", "next", b"https://blob.example.com"),
    ("INSERT INTO t VALUES (?, ?, NULL, NULL, 0)", "bare.example.cloud", "see no.example.com"),
    ("INSERT INTO t VALUES (?, ?, 1, NULL, 0)", "https://b.example.org/caf\u00e9", "https://%@.t.example.io/"),
    ("INSERT INTO t VALUES (?, ?, 123456789012, NULL, 0)", "x" * 20_000 + " https://long.example.net", "2"),
    ("CREATE TABLE w (k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID",),
    *(("INSERT INTO w VALUES (?, ?)", f"k{n}" * 9, f"https://w{n}.example.com") for n in range(150)),
]


def found(content):
    row = reader.format_of("Ferry.app/seed.db", content[:4096])
    assert row.name == "sqlite"
    return list(row.read("Ferry.app/seed.db", content))


def hosts(sightings, confidence):
    return {s.endpoint.host for s in sightings if isinstance(s, HostSighting) and s.confidence == confidence}


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
@pytest.mark.parametrize("page_size", [512, 4096, 65536])
def test_every_text_value_is_read_to_its_own_end(database, page_size, encoding):
    """What SQLite wrote is found exactly: values that lie end to end, rows in overflow pages, tables without row ids."""
    sightings = found(database(ROWS, page_size, encoding))
    expected = {"a.example.com", "b.example.org", "long.example.net", *(f"w{n}.example.com" for n in range(150))}
    assert hosts(sightings, "B") == expected
    assert hosts(sightings, "C") == {"bare.example.cloud"}
    assert {s.suffix for s in sightings if isinstance(s, TemplateSighting)} == {"t.example.io"}
    assert not [s for s in sightings if isinstance(s, Trouble)]


def test_the_place_of_a_value_is_its_first_byte(database):
    """The offset leads to the text of the value."""
    content = database(ROWS[:3])
    places = [s.location.offset for s in found(content) if isinstance(s, HostSighting)]
    assert [content[at : at + 8] for at in places] == [b"https://", b"bare.exa"]


def test_a_damaged_header_ends_in_a_scan(database):
    """With an impossible page size or encoding the bytes are scanned, as unsure, and that is said."""
    content = database(ROWS[:2])
    for at, value in ((16, b"\0\7"), (56, b"\0\0\0\x09"), (20, b"\xff")):
        sightings = found(content[:at] + value + content[at + len(value) :])
        if at != 20:
            assert any(isinstance(s, Trouble) for s in sightings)
            assert not hosts(sightings, "B")
    assert any(isinstance(s, Trouble) for s in found(content[:90]))


def test_overflow_pages_in_a_circle_end(database):
    """A chain of overflow pages that leads back to itself, shared by every cell, costs a bounded time."""
    size = 4096
    cell = b"\x90\x80\x00\x01" + bytes(489) + struct.pack(">I", 2)
    page = bytearray(size)
    page[:8] = struct.pack(">BHHHB", 0x0D, 0, 1800, 0, 0)
    for n in range(1800):
        page[8 + 2 * n : 10 + 2 * n] = struct.pack(">H", 3600)
    page[3600 : 3600 + len(cell)] = cell[: size - 3600]
    circle = struct.pack(">I", 2) + (b"ab.io a.io " * 373)[: size - 4]
    content = database([("CREATE TABLE t (a)",)])[:size] + circle + bytes(page) * 2000
    start = time.process_time()
    found(content)
    assert time.process_time() - start < 8  # measured: 1.0 s


def test_a_database_of_too_many_values_says_so(database):
    """Eight megabytes of pages full of cells are given up after a while, and what was read stands."""
    page = bytearray(database(ROWS[:3])[4096:8192])
    page[3:5] = struct.pack(">H", 2000)
    page[8:4000] = page[8:10] * 1996
    content = database(ROWS[:3])[:4096] + bytes(page) * 2000
    start = time.process_time()
    sightings = found(content)
    assert time.process_time() - start < 8  # measured: 2.0 s
    assert any(isinstance(s, Trouble) and s.reason.startswith("more than") for s in sightings)
