"""Sightings as CSV, as a spreadsheet reads them."""

from __future__ import annotations

import csv
import io

from atsprobe.model.app import Extraction
from atsprobe.model.endpoint import Confidence, Endpoint, Host, Line, PlistKey, Reference, Section
from atsprobe.model.result import HostsResult
from atsprobe.report.csv_sightings import COLUMNS, render_hosts

STRINGS = Section("arm64", "__cstring", 0x10, "utf-16le")


def seen(host, location, text, confidence=Confidence.URL, reason=""):
    return Reference(
        Endpoint(Host(host), 443), "a.ipa", "b", "=file", location, text, "url", confidence, reason, "mach-o"
    )


def rows(**how):
    found = (
        seen("b.example.com", STRINGS, "=HYPERLINK(0)\x1b[2J"),
        seen("a.example.com", PlistKey("A:0", 7), "one, two\nthree"),
        seen("d.example.com", Line(3), "see d", Confidence.EMBEDDED),
    )
    noise = (seen("www.w3.org", Line(1), "n", Confidence.NOISE, "a schema"),)
    text = render_hosts(HostsResult(Extraction(references=found, noise=noise), **how))
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_one_line_a_sighting():
    """Sorted by endpoint, every part of a place in a column of its own; what is less sure is not listed."""
    first, second = rows()
    assert list(first) == list(COLUMNS)
    assert (first["host"], first["line"], first["key_path"]) == ("a.example.com", "7", "A:0")
    assert (second["section"], second["offset"], second["encoding"]) == ("__cstring", "16", "utf-16le")
    assert second["detector"] == "mach-o"


def test_text_of_an_app_is_no_formula():
    """A cell that a spreadsheet would compute gets an apostrophe, control characters and line ends are escaped."""
    first, second = rows()
    assert second["text"] == "'=HYPERLINK(0)\\u{1b}[2J"
    assert second["file"] == "'=file"
    assert first["text"] == "one, two\\u{a}three"


def test_everything():
    """With all classes and noise, each with its confidence and, for noise, the reason."""
    all_rows = rows(least=Confidence.EMBEDDED, lists_noise=True)
    assert [(r["confidence"], r["noise_reason"]) for r in all_rows] == [
        ("B", ""),
        ("B", ""),
        ("D", ""),
        ("N", "a schema"),
    ]
