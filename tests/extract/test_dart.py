"""Dart snapshots: strings end where their objects do, in the header layouts of old and new versions."""

from __future__ import annotations

import struct
import time

import pytest

from atsprobe.extract.mach_o.image import images_in
from atsprobe.extract.readers import dart, reader
from atsprobe.extract.sighting import BinaryFacts, HostSighting, TemplateSighting, Trouble

PATH = "Ferry.app/Frameworks/App.framework/App"
MAGIC = bytes.fromhex("f5f5dcdc")
TEXTS = [
    "https://flet.dev",
    "https://a.example.com/twenty-four",
    "bare.example.cloud",
    "https://%@.t.example.io/",
    "_GrowableList",
    "package:ferry/a.dart",
    "x" * 300 + " https://long.example.net/",
]
WIDE = ["https://wide.example.org/\u20ac", "wide.example.io"]


def string_object(text, class_id=94, shift=12, is_wide=False):
    """Lay out a string as the Dart VM does: header, length as a Smi, characters, zeros up to 16 bytes."""
    data = text.encode("utf-16-le" if is_wide else "latin-1")
    units = -(-(16 + len(data)) // 16)
    size = units if units < 1 << (shift - 8) else 0
    header = (class_id + is_wide) << shift | size << 8 | 0x32 | 0xAD000500 << 32
    return (struct.pack("<QQ", header, 2 * len(text)) + data).ljust(16 * units, b"\0")


def mach_o(const, encrypted=(0, 0, 0)):
    """Lay out a Mach-O library of iOS with one section, __TEXT,__const."""
    at = 4096
    section = struct.pack("<16s16sQQ8I", b"__const", b"__TEXT", at, len(const), at, 4, 0, 0, 0, 0, 0, 0)
    segment = struct.pack("<2I16s4Q4I", 0x19, 72 + 80, b"__TEXT", 0, at + len(const), 0, at + len(const), 5, 5, 1, 0)
    build = struct.pack("<6I", 0x32, 24, 2, 13 << 16, 18 << 16, 0)
    encryption = struct.pack("<6I", 0x2C, 24, *encrypted, 0)
    body = segment + section + build + encryption
    return (struct.pack("<8I", 0xFEEDFACF, 0x0100000C, 0, 6, 3, len(body), 0, 0) + body).ljust(at, b"\0") + const


def snapshot(class_id=94, shift=12):
    """Lay out the strings above behind the magic number of a snapshot."""
    objects = [string_object(t, class_id, shift) for t in TEXTS] + [
        string_object(t, class_id, shift, True) for t in WIDE
    ]
    return MAGIC.ljust(64, b"\1") + b"".join(objects)


def found(content, path=PATH):
    row = reader.format_of(path, content[:4096])
    assert row.name == "dart"
    return list(row.read(path, content))


def hosts(sightings, confidence):
    return [s.endpoint.host for s in sightings if isinstance(s, HostSighting) and s.confidence == confidence]


@pytest.mark.parametrize(("class_id", "shift"), [(94, 12), (93, 12), (96, 12), (77, 16), (80, 16), (85, 16)])
def test_a_string_ends_where_its_object_does(class_id, shift):
    """A host of 16 letters does not run into the header behind it; class ids and layouts of several versions are told apart."""
    content = mach_o(snapshot(class_id, shift))
    (image,) = images_in(content)
    assert [text for text, _, _ in dart.strings_in(content, image)] == TEXTS + WIDE
    sightings = found(content)
    assert hosts(sightings, "B") == ["flet.dev", "a.example.com", "long.example.net", "wide.example.org"]
    assert hosts(sightings, "C") == ["bare.example.cloud", "wide.example.io"]
    assert [s.suffix for s in sightings if isinstance(s, TemplateSighting)] == ["t.example.io"]


def test_the_place_of_a_string_is_that_of_its_characters():
    """Section, offset and encoding lead to the text."""
    content = mach_o(snapshot())
    first = next(s for s in found(content) if isinstance(s, HostSighting))
    assert str(first.location) == f"(arm64) __const+{64 + 16:#x}"
    assert content[4096 + first.location.offset :].startswith(b"https://flet.dev")
    encodings = [s.location.encoding for s in found(content) if isinstance(s, HostSighting)]
    assert encodings.count("utf-16le") == 2


def test_what_the_load_commands_say_is_kept():
    """The facts of the binary are those that any Mach-O file gives."""
    assert [s for s in found(mach_o(snapshot())) if isinstance(s, BinaryFacts)] == [BinaryFacts("18.0", "13.0", ())]


def test_a_framework_of_that_name_without_a_snapshot_is_read_as_any_other():
    """An App.framework that Flutter did not make gives what the reader of Mach-O files gives, by its name."""
    sightings = found(mach_o(b"https://a.example.com/\0"))
    assert [(s.endpoint.host, s.detector) for s in sightings if isinstance(s, HostSighting)] == [
        ("a.example.com", "mach-o")
    ]


def test_an_encrypted_snapshot_is_not_read():
    """What FairPlay encrypts is said to be unread, and nothing in it is taken for a string."""
    content = mach_o(snapshot(), (4096, 1 << 20, 1))
    sightings = found(content)
    assert any(isinstance(s, Trouble) and "FairPlay" in s.reason for s in sightings)
    assert not hosts(sightings, "B") + hosts(sightings, "C")


def test_only_flutters_framework_is_looked_into():
    """Other Mach-O files, and other files of that name, are not searched for snapshots."""
    content = mach_o(snapshot())
    assert reader.format_of("Ferry.app/Ferry", content[:4096]).name == "mach-o"
    assert reader.format_of("Ferry.app/Frameworks/MyApp.framework/MyApp", content[:4096]).name == "mach-o"
    assert not dart.recognises(PATH, b"text")


@pytest.mark.parametrize("word", [2, 32, 2 * ((1 << 20) - 1), 0x0005E232])
def test_words_that_all_look_like_lengths_cost_linear_time(word):
    """Eight megabytes in which an object may begin everywhere are read in a bounded time."""
    content = mach_o(MAGIC.ljust(16, b"\0") + struct.pack("<QQ", 0x0005E032, word) * (1 << 19))
    start = time.process_time()
    found(content)
    assert time.process_time() - start < 4  # measured: 0.4 s
