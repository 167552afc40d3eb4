"""Unity's metadata: literals by their table, in every layout of the header and of a row."""

from __future__ import annotations

import struct
import time

import pytest

from atsprobe.extract.readers import reader, unity
from atsprobe.extract.sighting import HostSighting, TemplateSighting, Trouble

PATH = "Ferry.app/Data/Managed/Metadata/global-metadata.dat"
TEXTS = [
    "https://api.example.com",
    "v1/users",
    "bare.example.cloud",
    "Caf\u00e9 https://cafe.example.org/",
    "x",
    "https://{0}.example.io/",
]


def metadata(texts=TEXTS, *, with_length=True, with_count=False, version=29):
    """Lay out the header, the table of literals and their data, without a NUL between them."""
    encoded = [t.encode() for t in texts]
    data, rows, at = b"".join(encoded), b"", 0
    for text in encoded:
        rows += struct.pack("<2I", len(text), at) if with_length else struct.pack("<I", at)
        at += len(text)
    counts = ([len(texts)], [len(data)]) if with_count else ([], [])
    header = [0xFAB11BAF, version, 256, len(rows), *counts[0], 256 + len(rows), len(data), *counts[1]]
    return struct.pack(f"<{len(header)}I", *header).ljust(256, b"\0") + rows + data + b"tail"


def found(content):
    row = reader.format_of(PATH, content[:4096])
    assert row.name == "unity"
    return list(row.read(PATH, content))


def hosts(sightings, confidence):
    return [s.endpoint.host for s in sightings if isinstance(s, HostSighting) and s.confidence == confidence]


@pytest.mark.parametrize("with_count", [False, True])
@pytest.mark.parametrize("with_length", [True, False])
def test_literals_end_where_the_table_says(with_length, with_count):
    """URLs and whole strings are told apart in all four layouts, though they lie end to end."""
    sightings = found(metadata(with_length=with_length, with_count=with_count))
    assert hosts(sightings, "B") == ["api.example.com", "cafe.example.org"]
    assert hosts(sightings, "C") == ["bare.example.cloud"]
    assert [s.suffix for s in sightings if isinstance(s, TemplateSighting)] == ["example.io"]
    assert not [s for s in sightings if isinstance(s, Trouble)]


def test_the_place_of_a_literal_is_its_first_byte():
    """The offset leads to the text."""
    content = metadata()
    for sighting in found(content):
        if isinstance(sighting, HostSighting) and sighting.location.encoding == "ascii":
            assert content[sighting.location.offset :].startswith(sighting.text.encode())


def test_a_table_that_lies_is_not_believed():
    """Offsets and sizes beyond the file, and literals beyond their data, end in a scan of the bytes, as unsure."""
    good = metadata()
    for at in (8, 12, 16, 20, 256, 260):
        content = good[:at] + b"\xf0\xff\xff\xff" + good[at + 4 :]
        sightings = found(content)
        assert any(isinstance(s, Trouble) for s in sightings)
        assert "api.example.comv1" in "".join(s.text for s in sightings if isinstance(s, HostSighting))
        assert not hosts(sightings, "B") + hosts(sightings, "C")


def test_metadata_that_is_encrypted_is_said_to_be():
    """A file of that name without the magic number is one whose literals cannot be read."""
    (trouble,) = found(b"\x07" * 4096)
    assert "encrypted" in trouble.reason
    assert not trouble.is_damage


def test_literals_that_overlap_without_end_are_given_up():
    """A table of half a million literals, each as long as the data, costs a bounded time."""
    data = b"a." * (2 << 20)
    rows = struct.pack("<2I", len(data), 0) * 500_000
    header = struct.pack("<6I", 0xFAB11BAF, 29, 256, len(rows), 256 + len(rows), len(data)).ljust(256, b"\0")
    start = time.process_time()
    assert isinstance(found(header + rows + data)[0], Trouble)
    assert time.process_time() - start < 4  # measured: 0.4 s
    assert unity.literals_in(header) is None
