"""Files packed by themselves: what is inside, bounds on what they grow to, and what a file of licences is worth."""

from __future__ import annotations

import gzip
import time
import zlib

from atsprobe.extract.extract import extract
from atsprobe.extract.readers import gzip_member, reader
from atsprobe.extract.sighting import HostSighting, Trouble

TEXT = b'{"host": "a.example.com", "url": "https://b.example.com/"}'


def found(path, content):
    row = reader.format_of(path, content[:4096])
    assert row.name == "gzip"
    return list(row.read(path, content))


def hosts(sightings):
    return [(s.endpoint.host, s.confidence.value) for s in sightings if isinstance(s, HostSighting)]


def test_what_is_packed_is_read_as_what_it_is():
    """gzip and zlib, by the name inside: JSON as JSON, and text where the name says nothing."""
    for pack in (gzip.compress, zlib.compress):
        assert hosts(found("data.json.gz", pack(TEXT))) == [("b.example.com", "B"), ("a.example.com", "C")]
        assert hosts(found("flutter_assets/NOTICES.Z", pack(TEXT))) == [("b.example.com", "B")]
    two = gzip.compress(TEXT) + gzip.compress(b' "https://c.example.com/"') + bytes(512)
    assert ("c.example.com", "B") in hosts(found("data.json.gz", two))


def test_only_known_names_are_unpacked():
    """Archives of files and packed data of any other name are left alone, and so is text that is named so."""
    packed = gzip.compress(TEXT)
    assert reader.format_of("a.tar.gz", packed) is None
    assert reader.format_of("a.bin", packed) is None
    assert reader.format_of("a.json.gz", TEXT) is None


def test_licences_are_noise_with_their_reason(make_app):
    """Hosts of NOTICES.Z and LICENSE are counted as noise; the same host elsewhere is a host."""
    app = make_app(
        {
            "Payload/Ferry.app/Info.plist": {"CFBundleIdentifier": "com.example.ferry"},
            "Payload/Ferry.app/NOTICES.Z": gzip.compress(b"https://b.example.com/ https://lawyers.example.com/"),
            "Payload/Ferry.app/LICENSE": b"https://lawyers.example.com/",
            "Payload/Ferry.app/a.json": TEXT,
        }
    )
    extraction = extract([app])
    assert [r.endpoint.host for r in extraction.references] == ["b.example.com", "a.example.com"]
    assert [(r.file.rpartition("/")[2], r.endpoint.host) for r in extraction.noise] == [
        ("LICENSE", "lawyers.example.com"),
        ("NOTICES.Z", "b.example.com"),
        ("NOTICES.Z", "lawyers.example.com"),
    ]
    assert {r.noise_reason for r in extraction.noise} == {"in the text of a licence"}


def test_what_grows_without_measure_is_given_up():
    """A file of zeros, and one packed twice, are not unpacked to their end."""
    bomb = gzip.compress(b"https://a.example.com/ " + bytes(256 << 20))
    start = time.process_time()
    data, trouble = gzip_member.inflate(bomb)
    assert time.process_time() - start < 2  # measured: 0.1 s
    assert len(data) <= 64 << 20
    assert "more than" in trouble.reason
    assert not hosts(found("a.json.gz.gz", gzip.compress(gzip.compress(TEXT))))


def test_damage_is_said_and_what_was_read_stands():
    """A file cut short gives what comes before, and one with a damaged header nothing."""
    lines = b"".join(b'"https://h%d.example.com/",' % n for n in range(2000))
    packed = gzip.compress(lines)
    sightings = found("a.json.gz", packed[: len(packed) // 2])
    assert any(isinstance(s, Trouble) and "cut short" in s.reason for s in sightings)
    assert 100 < len(hosts(sightings)) < 2000
    assert any(isinstance(s, Trouble) for s in found("a.json.gz", packed[:10] + b"\xff" * 90))


def test_many_empty_parts_cost_nothing():
    """A file of hundreds of thousands of empty parts ends after the first hundred, and that is said."""
    start = time.process_time()
    (trouble,) = found("a.json.gz", gzip.compress(b"") * 400_000)
    assert trouble.reason.startswith("more than 100 parts")
    assert time.process_time() - start < 8  # measured: 0.1 s
