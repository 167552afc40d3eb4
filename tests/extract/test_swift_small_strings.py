"""Short literals of Swift are read out of real arm64 machine code, as llvm-mc assembles it."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsprobe.extract.mach_o.image import Image, ImageSection, images_in
from atsprobe.extract.mach_o.swift_small_strings import small_strings
from atsprobe.extract.readers import mach_o_strings
from atsprobe.extract.sighting import HostSighting

OF_SWIFT = ".section __TEXT,__swift5_types\n.long 0\n"


def halves(text):
    """Give the two words of a short literal."""
    data = text.encode().ljust(15, b"\0") + bytes((0xE0 | len(text),))
    return struct.unpack("<2Q", data)


def moves(register, word):
    """Give the instructions that put a word into a register, as compilers write them: MOVZ, then MOVK of what is not 0."""
    shifts = [s for s in (0, 16, 32, 48) if word >> s & 0xFFFF]
    return [
        f"mov{'zk'[i > 0]} {register}, #{word >> shift & 0xFFFF:#x}, lsl #{shift}" for i, shift in enumerate(shifts)
    ]


def literal(text, registers=("x0", "x1")):
    """Give the instructions of a literal, the first word first."""
    first, second = halves(text)
    return [*moves(registers[0], first), *moves(registers[1], second)]


@pytest.fixture(scope="session")
def assemble(tmp_path_factory):
    """A function that assembles instructions into an arm64 object of Swift, and gives it and its image."""
    tool = next(filter(None, map(shutil.which, ("llvm-mc-14", "llvm-mc"))), None)
    if tool is None:
        pytest.skip("llvm-14 is not installed")
    output = tmp_path_factory.mktemp("swift") / "code.o"

    def assembled(code, swift=OF_SWIFT):
        source = ".text\n_f:\n" + "\n".join(code) + "\nret\n" + swift
        command = [tool, "-triple=arm64-apple-ios14", "-filetype=obj", "-o", output]
        subprocess.run(command, input=source.encode(), check=True)
        data = output.read_bytes()
        return data, images_in(data)[0]

    return assembled


def found(object_file):
    """Give the literals in an object."""
    return [text for text, _ in small_strings(*object_file)]


@pytest.mark.parametrize(
    "text",
    [
        "t.co",
        "exp.host",
        "a.com",
        "https://",
        "ipinfo.io",
        "api.stripe.com",
        "abc.example.io",
        "with blank x",
        "0" * 15,
    ],
)
@pytest.mark.parametrize("registers", [("x0", "x1"), ("x9", "x8")])
def test_literals_of_every_length_are_read(assemble, text, registers):
    """From four bytes to fifteen, in any two registers, at the instruction that completes it."""
    data, image = assemble(["nop", *literal(text, registers), "bl _f"])
    ((read, at),) = small_strings(data, image)
    assert read == text
    code = next(s for s in image.sections if s.name == "__text")
    assert at == code.start + 4 * len(literal(text))


def test_words_are_paired_whatever_their_order(assemble):
    """The second word first, one register for both with a store between, moves that interleave, and literal after literal."""
    first, second = halves("api.stripe.com")
    a, b = moves("x8", first), moves("x9", second)
    interleaved = [code for pair in zip(a, b, strict=False) for code in pair] + a[len(b) :]
    one_register = [*a, "str x8, [sp]", *moves("x8", second), "str x8, [sp, #8]"]
    for code in (b + a, interleaved, one_register):
        assert found(assemble(code)) == ["api.stripe.com"]
    many = ["one.example.io", "two.example.io", "thr.example.io", "ipinfo.io"]
    assert found(assemble([code for text in many for code in literal(text)])) == many


def test_a_bitmask_and_an_inverted_move_begin_a_word_too(assemble):
    """ORR of a repeated pattern, and MOVN, are how compilers write words of repeated and of all-one halfwords."""
    blank = halves("        9 chars")
    code = ["orr x0, xzr, #0x2020202020202020", *moves("x1", blank[1])]
    assert found(assemble(code)) == ["        9 chars"]
    first, second = halves("api.stripe.com")
    inverted = [f"movn x0, #{~first & 0xFFFF:#x}", *[m.replace("movz", "movk") for m in moves("x0", first)[1:]]]
    assert found(assemble([*inverted, *moves("x1", second)])) == ["api.stripe.com"]


def test_a_first_word_far_away_is_not_taken(assemble):
    """Beyond 24 instructions two words are no literal."""
    first, second = halves("api.stripe.com")
    near, far = ["nop"] * 10, ["nop"] * 40
    assert found(assemble([*moves("x0", first), *near, *moves("x1", second)])) == ["api.stripe.com"]
    assert found(assemble([*moves("x0", first), *far, *moves("x1", second)])) == []


@pytest.mark.parametrize(
    "code",
    [
        ["mov x0, #5", "movk x0, #0xe900, lsl #48"],
        [*moves("x0", 0x6161616161616101), *moves("x1", 0xE900000000000061)],
        [*moves("x0", 0x6161616161616161), *moves("x1", 0xE900000000006161)],
        [*moves("x0", 0x6161616161616161), *moves("x1", 0xD900000000000061)],
        [*moves("x1", 0xE900000000000061)],
    ],
)
def test_other_constants_are_no_literals(assemble, code):
    """Bytes that do not print, a length that does not fit, another discriminator and a word alone give nothing."""
    assert found(assemble(code)) == []


def test_a_host_in_code_is_class_d_of_its_own_detector(assemble):
    """It is listed as put together by code, at its section; other literals are not."""
    data, _ = assemble([*literal("ipinfo.io"), *literal("https://"), *literal("hw.machine")])
    (host,) = [s for s in mach_o_strings.read("x", data) if isinstance(s, HostSighting)]
    assert (host.endpoint.host, host.confidence.value, host.detector, host.kind) == (
        *("ipinfo.io", "D", "swift-immediate", "bare-host"),
    )
    assert (host.location.section, host.location.encoding, host.location.offset % 4) == ("__text", "immediate", 0)


def test_code_that_is_not_of_swift_is_not_searched(assemble):
    """Without a section of Swift's metadata nothing is decoded, nor is what FairPlay encrypts."""
    assert found(assemble(literal("ipinfo.io"), swift="")) == []
    data, image = assemble(literal("ipinfo.io"))
    encrypted = Image(image.architecture, image.start, image.end, 0, sections=image.sections, encrypted=(0, len(data)))
    assert list(small_strings(data, encrypted)) == []


def code_image(code):
    """Give an image that is code alone."""
    sections = (ImageSection("__TEXT", "__text", 0, 0, len(code)), ImageSection("__TEXT", "__swift5_types", 0, 0, 0))
    return Image("arm64", 0, len(code), 0, sections=sections)


@pytest.mark.parametrize("unit", ["0020fdf2", "0020fdd2", "202c8cd2202cacf2202cccf2202cecf20120fdd2", "c0c0fdd2"])
def test_hostile_code_takes_time_that_grows_with_its_length(unit):
    """Twice the code that is all ends of literals takes about twice the time, and most of 8 MB is not decoded at all."""

    def seconds(size):
        code, start = bytes.fromhex(unit) * (size * 2 // len(unit)), time.process_time()
        count = sum(1 for _ in small_strings(code, code_image(code)))
        assert count <= 20_000 + 2 * 24
        return time.process_time() - start

    small = min(seconds(1 << 15) for _ in range(3))
    assert min(seconds(1 << 16) for _ in range(3)) < 2.6 * small + 0.01


@given(st.binary(max_size=600))
def test_any_code_is_read_without_an_error(code):
    """Any bytes as code give literals within them, or none."""
    for text, at in small_strings(code, code_image(code)):
        assert 4 <= len(text) <= 15
        assert 0 <= at < len(code)


def test_random_moves_are_read_without_an_error():
    """Random immediates of moves and of logical operations, reserved ones among them, do no harm."""
    chance = random.Random(7)
    tops = (0x12, 0x32, 0x52, 0x72, 0x92, 0xB2, 0xD2, 0xF2)
    code = b"".join(bytes(chance.choices(range(256), k=3)) + bytes((chance.choice(tops),)) for _ in range(20_000))
    list(small_strings(code, code_image(code)))
