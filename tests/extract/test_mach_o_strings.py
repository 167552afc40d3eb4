"""Mach-O files, real ones: every kind of string, every architecture, and what is cut, encrypted or hostile."""

from __future__ import annotations

import random
import struct
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atsprobe.extract.mach_o.image import images_in
from atsprobe.extract.readers import mach_o_strings
from atsprobe.extract.sighting import BinaryFacts, HostSighting, TemplateSighting, Trouble

FOUND = [
    ("https", "plain.example.com:443", "(arm64) __cstring+0x0", "ascii"),
    ("https", "socket.example.com:8443", "(arm64) __cstring+0x1d", "ascii"),
    ("http", "[2001:db8::7]:8080", "(arm64) __cstring+0x42", "ascii"),
    ("https", "paths.example.com:443", "(arm64) __cstring+0x83", "ascii"),
    ("https", "files.example.com:443", "(arm64) __cstring+0xa8", "ascii"),
    ("http", "www.w3.org:80", "(arm64) __cstring+0xc1", "ascii"),
    ("https", "wide.example.dev:443", "(arm64) __const+0x0", "utf-16le"),
    ("https", "const.example.org:443", "(arm64) __const+0x35", "ascii"),
    ("https", "literal.example.org:443", "(arm64) __ustring+0x0", "utf-16le"),
]
"""What strings.m holds, section by section. ``files.example.com`` stands in an ftp URL, so that it is no load, and
``www.example.com`` in a regular expression alone.
"""


def read(data):
    """Give (hosts, templates, troubles, facts) of a Mach-O file."""
    seen = list(mach_o_strings.read("Ferry", data))
    return [[s for s in seen if isinstance(s, kind)] for kind in (HostSighting, TemplateSighting, Trouble, BinaryFacts)]


def endpoints(data):
    """Give the endpoints of a Mach-O file as text."""
    return [str(s.endpoint) for s in read(data)[0]]


def command_at(data, command):
    """Give the offset of the first load command of a kind in a thin 64-bit image."""
    at, (count,) = 32, struct.unpack("<I", data[16:20])
    for _ in range(count):
        found, size = struct.unpack("<II", data[at : at + 8])
        if found == command:
            return at
        at += size
    raise LookupError(command)


def encrypted(data):
    """Mark an image as FairPlay does: cryptid 1 over the range that the linker noted."""
    at = command_at(data, 0x2C) + 16
    return data[:at] + (1).to_bytes(4, "little") + data[at + 4 :]


def fat(*slices, is_64=False):
    """Put thin images into a fat file."""
    row = struct.Struct(">IIQQII" if is_64 else ">IIIII")
    at = 8 + row.size * len(slices)
    head = (b"\xca\xfe\xba\xbf" if is_64 else b"\xca\xfe\xba\xbe") + len(slices).to_bytes(4, "big")
    body = b""
    for image in slices:
        cpu, subtype = struct.unpack("<II", image[4:12])
        head += row.pack(cpu, subtype, at + len(body), len(image), 0, *([0] if is_64 else []))
        body += image
    return head + body


def test_every_kind_of_string_gives_its_url(strings_arm64):
    """C strings, UTF-16 literals, CFStrings and constants each give their URL, at the place where it stands."""
    hosts, templates, troubles, _ = read(strings_arm64)
    assert [(h.endpoint.scheme, str(h.endpoint), str(h.location), h.location.encoding) for h in hosts] == FOUND
    assert [(h.endpoint.host, h.confidence.value) for h in hosts if h.kind == "bare-host"] == [
        ("files.example.com", "D")
    ]
    assert [(t.suffix, t.text) for t in templates] == [("tenants.example.net", "https://%@.tenants.example.net/")]
    assert troubles == []


def test_the_load_commands_tell_sdk_and_minimum_os(strings_arm64):
    """LC_BUILD_VERSION gives the SDK and the lowest iOS, as version numbers."""
    assert read(strings_arm64)[3] == [BinaryFacts("18.2", "15.0", ())]


def test_a_freshly_compiled_file_gives_the_same(build, tmp_path, strings_arm64):
    """What clang and ld64.lld make of the source today says the same as the committed file, thin and fat."""
    build.thin(tmp_path / "thin", "arm64")
    build.fat(tmp_path / "fat")
    thin, both = (tmp_path / "thin").read_bytes(), (tmp_path / "fat").read_bytes()
    assert endpoints(thin) == endpoints(both) == [endpoint for _, endpoint, _, _ in FOUND]
    assert [i.architecture for i in images_in(both)] == ["x86_64", "arm64"]
    assert {h.location.architecture for h in read(both)[0]} == {"arm64"}


def test_linked_frameworks_are_named(build, tmp_path):
    """The install name of a framework that the app carries becomes its name; those of the system do not."""
    (tmp_path / "Net.framework").mkdir()
    build.thin(tmp_path / "Net.framework" / "Net", "arm64")
    build.thin(tmp_path / "Ferry", "arm64", links=(tmp_path / "Net.framework" / "Net",))
    assert read((tmp_path / "Ferry").read_bytes())[3][0].links == ("Net.framework",)


@pytest.mark.parametrize("is_64", [False, True])
def test_of_a_fat_file_arm64_is_read_wherever_it_stands(strings_arm64, is_64):
    """Another architecture before arm64 is left unread, and the lowest SDK of all is the one that counts."""
    other = bytearray(strings_arm64.replace(b"plain.example.com", b"other.example.com"))
    other[4:12] = struct.pack("<II", 0x01000007, 3)
    version = command_at(bytes(other), 0x32) + 16
    other[version : version + 4] = (13 << 16 | 0x0402).to_bytes(4, "little")
    hosts, _, troubles, facts = read(fat(bytes(other), strings_arm64, is_64=is_64))
    assert [str(h.endpoint) for h in hosts] == [endpoint for _, endpoint, _, _ in FOUND]
    assert (troubles, facts[0].linked_sdk) == ([], "13.4.2")


def test_an_encrypted_image_is_said_to_be_and_its_bytes_are_not_read(strings_arm64):
    """Of what FairPlay encrypts nothing is guessed; the reason says what to give instead."""
    hosts, _, troubles, facts = read(encrypted(strings_arm64))
    assert hosts == []
    assert [(t.reason, t.part, t.is_damage) for t in troubles] == [
        ("encrypted by FairPlay, so its strings were not read", "(arm64)", False)
    ]
    assert facts[0].linked_sdk == "18.2"


def test_of_a_half_decrypted_app_the_plain_architecture_is_read(strings_arm64):
    """Where one architecture is encrypted and another is not, the one that can be read is."""
    older = bytearray(strings_arm64)
    older[4:12] = struct.pack("<II", 12, 9)
    hosts, _, troubles, _ = read(fat(encrypted(strings_arm64), bytes(older)))
    assert ({h.location.architecture for h in hosts}, troubles) == ({"armv7"}, [])


@pytest.mark.parametrize("share", [0.1, 0.4, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_said_to_be_and_read_as_far_as_it_goes(strings_arm64, share):
    """However much is missing, the reason gives both lengths, and what is left is read."""
    cut = strings_arm64[: int(len(strings_arm64) * share)]
    hosts, _, troubles, _ = read(cut)
    assert [t.reason.startswith(f"a Mach-O file cut short: {len(cut):,} of at least") for t in troubles] == [True]
    assert [str(h.endpoint) for h in hosts] == ([e for _, e, _, _ in FOUND] if share >= 0.4 else [])


def test_half_of_a_fat_file_misses_its_second_slice(strings_arm64):
    """A fat file cut between its slices gives the first one, and says that something is missing."""
    both = fat(strings_arm64, strings_arm64)
    hosts, _, troubles, _ = read(both[: len(both) // 2 + 100])
    assert (len(hosts), len(troubles)) == (len(FOUND), 1)


def test_a_header_alone_is_trouble():
    """A magic number with nothing of use behind it is read as bytes, and said to be damaged."""
    hosts, _, troubles, _ = read(b"\xcf\xfa\xed\xfe https://a.example.com/")
    assert [str(h.endpoint) for h in hosts] == ["a.example.com:443"]
    assert troubles[0].reason.startswith("a Mach-O file whose header is damaged")


def test_a_java_class_is_no_fat_file(strings_arm64):
    """Both begin with the same four bytes; only one names a processor behind them."""
    assert mach_o_strings.recognises("x", fat(strings_arm64)[:4096])
    assert not mach_o_strings.recognises("x", bytes.fromhex("cafebabe00000034001d0a000600"))


def test_sections_that_overlap_are_read_once(strings_arm64):
    """Sections that all claim the whole file cost one scan, and each URL is found once."""
    data = bytearray(strings_arm64)
    for found in (b"__cstring", b"__const\0\0", b"__ustring"):
        at = data.find(found)
        while at >= 0:
            data[at + 40 : at + 52] = struct.pack("<QI", len(data), 0)
            at = data.find(found, at + 60)
    assert sorted(endpoints(bytes(data))) == sorted(endpoint for _, endpoint, _, _ in FOUND)


def test_the_dictionary_of_brotli_names_no_hosts(strings_arm64):
    """Words of the compression dictionary that look like URLs are skipped; what stands before and in other sections is not."""
    section = next(s for s in images_in(strings_arm64)[0].sections if s.name == "__cstring")
    data = bytearray(strings_arm64)
    data[section.start + 0x20 : section.start + 0x34] = b"timedownlifeleftback"
    assert endpoints(bytes(data)) == [
        *("plain.example.com:443", "wide.example.dev:443", "const.example.org:443", "literal.example.org:443")
    ]


def test_a_static_library_is_read_object_by_object(build, tmp_path, strings_arm64):
    """The members of an archive of objects are Mach-O files; their sections keep their names."""

    def member(name, body):
        head = f"{'#1/20':16}{'0':12}{'0':6}{'0':6}{'644':8}{len(body) + 20:<10}`\n".encode()
        return head + name.ljust(20, b"\0") + body + b"\n" * (len(body) % 2)

    data = b"!<arch>\n" + member(b"a.o", b"no object") + member(b"b.o", strings_arm64)
    assert mach_o_strings.recognises("libx.a", data[:4096])
    hosts = read(data)[0]
    assert [(str(h.endpoint), h.location.section) for h in hosts][:1] == [("plain.example.com:443", "__cstring")]
    assert len(hosts) == len(FOUND)
    assert len(read(fat_of_archive(data))[0]) == len(FOUND)


def fat_of_archive(archive):
    """Put a static library into a fat file."""
    return b"\xca\xfe\xba\xbe" + struct.pack(">IIIIII", 1, 0x0100000C, 0, 28, len(archive), 0) + archive


def test_mutants_of_a_real_file_are_read_in_time(strings_arm64):
    """Two thousand random changes to header and load commands give no error, and none takes long."""
    chance = random.Random(5)
    start = time.process_time()
    for _ in range(2000):
        data = bytearray(strings_arm64)
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(0, 1600)] = chance.randrange(256)
        list(mach_o_strings.read("x", bytes(data)))
    assert time.process_time() - start < 60


@settings(max_examples=200)
@given(st.binary(max_size=200), st.sampled_from(["thin", "fat", "archive"]))
def test_any_bytes_behind_a_magic_number_are_read_without_an_error(data, kind):
    """Garbage as load commands, as rows of a fat header and as members of an archive is no error."""
    head = {
        "thin": b"\xcf\xfa\xed\xfe" + struct.pack("<7I", 0x0100000C, 0, 6, 5, 150, 0, 0),
        "fat": b"\xca\xfe\xba\xbe\0\0\0\x03",
        "archive": b"!<arch>\n",
    }[kind]
    list(mach_o_strings.read("x", head + data))


def test_the_committed_file_is_what_the_source_says():
    """Each host of the source stands in the committed file, so that neither is changed without the other."""
    source = (Path(__file__).parents[2] / "fixtures" / "extract" / "strings.m").read_text()
    for _, endpoint, _, _ in FOUND:
        assert endpoint.rpartition(":")[0].strip("[]") in source
