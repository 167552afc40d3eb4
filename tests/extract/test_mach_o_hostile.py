"""Mach-O files made to cost time or to hide something: the work stays in proportion to the bytes, and the rest is read."""

from __future__ import annotations

import struct
import time

import pytest

from atsprobe.extract.mach_o.image import slices_of
from atsprobe.extract.readers import mach_o_strings, plain_text
from atsprobe.extract.sighting import HostSighting, Trouble

ARM64 = 0x0100000C
HEADER = 4096


def section(name, segment, offset, size, flags=0):
    """Give one row of a 64-bit segment command."""
    return struct.pack("<16s16sQQ8I", name, segment, 0, size, offset & 0xFFFFFFFF, 0, 0, 0, flags, 0, 0, 0)


def thin(body, rows, header=HEADER):
    """Give an arm64 image of one segment, the body behind its header."""
    row = b"".join(rows)
    segment = struct.pack("<2I16s4Q4I", 0x19, 72 + len(row), b"__TEXT", 0, 0, 0, 0, 0, 0, len(rows), 0) + row
    head = struct.pack("<8I", 0xFEEDFACF, ARM64, 0, 6, 1, len(segment), 0, 0) + segment
    return head.ljust(header, b"\0") + body


def of_strings(body):
    """Give an image whose section of C strings is the body."""
    return thin(body, [section(b"__cstring", b"__TEXT", HEADER, len(body))])


def fat(*slices, count=None):
    """Give a fat file of (offset, size) and the bytes that follow; ``count`` is what it claims."""
    rows = b"".join(struct.pack(">5I", ARM64, 0, start, size, 0) for start, size in slices)
    return b"\xca\xfe\xba\xbe" + struct.pack(">I", len(slices) if count is None else count) + rows


def read(data):
    """Give (hosts, reasons of trouble) of a file."""
    seen = list(mach_o_strings.read("x", data))
    found = [s.endpoint.host for s in seen if isinstance(s, HostSighting)]
    return found, [s.reason for s in seen if isinstance(s, Trouble)]


def damaged(body):
    """Give a file of which no architecture can be read, so that it is read as bytes."""
    return fat((0, 0)) + body


UNITS = [
    *(
        b"a",
        b"a.",
        b"http://",
        b".com",
        b"a.com\0",
        b"a.com ",
        b"https://{",
        b"://",
        b"\\u0061",
        b"https://\\u0061.com",
    ),
    (b"a" * 62 + b".") * 4 + b".com",
    b"https://" + b"\\u0061" * 20,
    b"ws%3A%2F%2F%61",
    "a.com\0".encode("utf-16-le"),
    "http://a".encode("utf-16-le"),
]
KINDS = {
    "mach-o": lambda body: mach_o_strings.read("x", of_strings(body)),
    "bytes": lambda body: mach_o_strings.read("x", damaged(body)),
    "text": lambda body: plain_text.read("x.js", body),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("unit", UNITS)
def test_twice_the_bytes_take_about_twice_the_time(unit, kind):
    """Whatever kind of file hostile bytes are in, the time is in proportion to their number."""

    def seconds(size):
        body, start = unit * (size // len(unit)), time.process_time()
        sum(1 for _ in KINDS[kind](body))
        return time.process_time() - start

    small = min(seconds(1 << 17) for _ in range(3))
    assert min(seconds(1 << 18) for _ in range(3)) < 2.6 * small + 0.01


def test_thousands_of_sections_over_the_same_bytes_are_one_scan():
    """Sections beyond the 4,096 that are read are left out, and bytes that many claim are read once."""
    body = b"\0api.example.com\0https://a.example.com\0"
    rows = [section(b"__const", b"__DATA", 1 << 20, len(body))] * 6000
    hosts, _ = read(thin(body, rows, header=1 << 20))
    assert sorted(hosts) == ["a.example.com", "api.example.com"]


@pytest.mark.parametrize("size", [0xFFFFFFFFFFFFFFFF, 1 << 63, 1 << 40, 100])
@pytest.mark.parametrize("offset", [0, HEADER, 0x7FFFFFFF, 0xFFFFFFFF])
def test_sizes_that_are_huge_or_negative_are_clipped_to_the_file(size, offset):
    """What lies inside the file is read, and what does not is not."""
    hosts, _ = read(
        thin(b"\0https://a.example.com\0".ljust(100, b"\0"), [section(b"__const", b"__DATA", offset, size)])
    )
    assert hosts == (["a.example.com"] if offset == HEADER or (offset == 0 and size > HEADER) else [])


def test_four_billion_slices_are_no_more_than_sixty_four():
    """A fat file that claims more is taken for one all the same, what can be read is read, and the claim is told."""
    image = of_strings(b"\0https://a.example.com\0")
    data = fat((28, len(image)), count=0xFFFFFFFF) + image
    assert mach_o_strings.recognises("x", data[:4096])
    hosts, reasons = read(data)
    assert hosts == ["a.example.com"]
    assert reasons[0].startswith("a fat file that claims 4,294,967,295 architectures; 64 of them")


def test_a_fat_file_in_a_fat_file_is_read_as_bytes():
    """No tool makes one; the outer one holds no architecture then, and that is said."""
    image = of_strings(b"\0https://a.example.com\0")
    inner = fat((28, len(image))) + image
    hosts, reasons = read(fat((28, len(inner))) + inner)
    assert hosts == ["a.example.com"]
    assert reasons[0].startswith("a Mach-O file whose header is damaged")


def test_of_slices_that_overlap_the_first_is_read():
    """Sixty-four slices over one image, or over parts of it, are one, so that no header is read sixty-four times."""
    image = of_strings(b"\0https://a.example.com\0")
    at = 8 + 20 * 64
    data = fat(*((at + n, len(image) - n) for n in range(64))) + image
    assert len(list(slices_of(data))) == 1
    assert read(data)[0] == ["a.example.com"]


def test_thousands_of_load_commands_are_read_in_proportion():
    """Twice as many libraries named take about twice the time."""

    def seconds(count):
        command = struct.pack("<6I", 0xC, 32, 24, 0, 0, 0) + b"@rpath/\0"
        head = struct.pack("<8I", 0xFEEDFACF, ARM64, 0, 6, count, count * 32, 0, 0)
        data, start = head + command * count, time.process_time()
        list(mach_o_strings.read("x", data))
        return time.process_time() - start

    small = min(seconds(2000) for _ in range(3))
    assert min(seconds(4000) for _ in range(3)) < 2.6 * small + 0.01


def test_names_that_were_not_all_looked_at_are_trouble(monkeypatch):
    """Where a section holds too many names, that is said, and its URLs are found all the same."""
    monkeypatch.setattr("atsprobe.extract.bare_names.MAX_NAMES", 10)
    hosts, reasons = read(of_strings(b"a.example.com\0" * 20 + b"https://b.example.com\0"))
    assert set(hosts) == {"a.example.com", "b.example.com"}
    assert any("names in one section" in reason for reason in reasons)


def test_names_that_prove_to_be_no_url_count_towards_too_many():
    """A section of constants full of ``http://`` ends the look at 200,000 places, though none of them is a URL."""
    body = b"http://" * 200_100
    _, reasons = read(thin(body, [section(b"__const", b"__TEXT", HEADER, len(body))]))
    assert any("more than 200,000 URLs" in reason for reason in reasons)
