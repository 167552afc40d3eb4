"""Strings that a format holds one by one: their URLs, plain and escaped, and the ones that are a bare host."""

from __future__ import annotations

from atsprobe.extract.member import Unreadable
from atsprobe.extract.readers.string_values import scanned, sightings_of
from atsprobe.extract.sighting import HostSighting, Trouble
from atsprobe.model.endpoint import ByteOffset


def found(values):
    return [
        (s.endpoint.host, s.confidence.value, s.location.offset)
        for s in sightings_of(values)
        if isinstance(s, HostSighting)
    ]


def test_each_string_is_read_by_itself():
    """URLs come from inside a string in any escape, bare hosts are whole strings, and a place is that of its string."""
    texts = [
        "see https://a.example.com/ and https://b.example.com",
        r'{"u":"https:\/\/c.example.com\/"}',
        "go?to=https%3A%2F%2Fd.example.com%2Fx",
        "e.example.com",
        "f.example.com is up",
        "100 %",
        "x" * 300 + ".example.com",
    ]
    assert found((text, ByteOffset(at)) for at, text in enumerate(texts)) == [
        ("a.example.com", "B", 0),
        ("b.example.com", "B", 0),
        ("c.example.com", "B", 1),
        ("d.example.com", "B", 2),
        ("e.example.com", "C", 3),
    ]


def test_what_was_read_before_an_end_too_early_stands():
    """Where the strings end with an error, that is said, and the URLs and bare hosts before it are kept."""

    def values():
        yield "https://a.example.com/", ByteOffset(0)
        yield "b.example.com", ByteOffset(9)
        raise Unreadable("too deep", "look yourself")

    sightings = list(sightings_of(values()))
    assert [s for s in sightings if isinstance(s, Trouble)] == [Trouble("too deep", "look yourself")]
    assert [s.endpoint.host for s in sightings if isinstance(s, HostSighting)] == ["a.example.com", "b.example.com"]


def test_a_scan_of_bytes_is_never_sure():
    """Where strings could not be told apart, every URL is of the lowest class, in ASCII and UTF-16."""
    content = b"https://a.example.com\0" + "https://b.example.com".encode("utf-16-le")
    assert [(s.endpoint.host, s.confidence.value) for s in scanned(content)] == [
        ("a.example.com", "D"),
        ("b.example.com", "D"),
    ]
