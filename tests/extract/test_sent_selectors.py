"""Where code of arm64 loads a reference to a selector: each form of instructions, and what is none."""

from __future__ import annotations

import struct
import time

import pytest
from made_mach_o import BASE, X86_64, Made, mach_o

from atsprobe.extract.mach_o.image import images_in
from atsprobe.extract.mach_o.sent_selectors import places_that_load

TEXT, STUBS, REFERENCE = BASE + 0x4000, BASE + 0x5000, BASE + 0x8128
NOP = 0xD503201F


def adrp(register: int, at: int, target: int, *, by_page: bool = True) -> int:
    """Write ADRP, or ADR."""
    value = (target >> 12) - (at >> 12) if by_page else target - at
    return 0x10000000 | by_page << 31 | (value & 3) << 29 | (value >> 2 & 0x7FFFF) << 5 | register


def ldr(to: int, base: int, offset: int) -> int:
    """Write LDR Xt, [Xn, #offset]."""
    return 0xF9400000 | offset // 8 << 10 | base << 5 | to


def literal(to: int, at: int, target: int) -> int:
    """Write LDR Xt, label."""
    return 0x58000000 | ((target - at) // 4 & 0x7FFFF) << 5 | to


def branch(at: int, target: int) -> int:
    """Write BL."""
    return 0x94000000 | ((target - at) // 4 & 0x3FFFFFF)


def found(*words: int, stubs: tuple[int, ...] = (), cpu: int = 0x0100000C) -> tuple[int, ...] | None:
    """Give the offsets in the code at which the reference is loaded."""
    sections = [Made("__TEXT", "__text", TEXT, struct.pack(f"<{len(words)}I", *words))]
    if stubs:
        sections.append(Made("__TEXT", "__objc_stubs", STUBS, struct.pack(f"<{len(stubs)}I", *stubs)))
    data = mach_o(sections, cpu=cpu)
    (image,) = images_in(data)
    places = places_that_load(data, image, [REFERENCE])
    return None if places is None else tuple(at - TEXT for at in places)


@pytest.mark.parametrize("apart", [0, 1, 40])
def test_adrp_with_ldr(apart: int) -> None:
    """The page in one instruction and the offset in another, side by side or with others between."""
    assert found(adrp(8, TEXT, REFERENCE), *[NOP] * apart, ldr(1, 8, 0x128)) == (4 + 4 * apart,)


def test_adr_with_ldr() -> None:
    """The whole address in one instruction."""
    assert found(NOP, adrp(9, TEXT + 4, REFERENCE, by_page=False), NOP, ldr(1, 9, 0)) == (12,)


def test_ldr_of_a_literal() -> None:
    """What linkers make of the other two where the reference is near; and backwards."""
    assert found(NOP, literal(1, TEXT + 4, REFERENCE)) == (4,)
    back = [Made("__TEXT", "__text", REFERENCE + 0x1000, struct.pack("<I", literal(1, REFERENCE + 0x1000, REFERENCE)))]
    data = mach_o(back)
    (image,) = images_in(data)
    assert places_that_load(data, image, [REFERENCE]) == (REFERENCE + 0x1000,)


def test_what_loads_something_else() -> None:
    """Another offset, another page, another register, one that was set anew, and an address that is not loaded from."""
    assert found(adrp(8, TEXT, REFERENCE), ldr(1, 8, 0x120)) == ()
    assert found(adrp(8, TEXT, REFERENCE + 0x1000), ldr(1, 8, 0x128)) == ()
    assert found(adrp(8, TEXT, REFERENCE), ldr(1, 9, 0x128)) == ()
    assert found(adrp(8, TEXT, REFERENCE), ldr(8, 8, 0), ldr(1, 8, 0x128)) == ()
    assert found(adrp(8, TEXT, REFERENCE), adrp(8, TEXT + 4, REFERENCE + 0x1000), ldr(1, 8, 0x128)) == ()
    assert found(adrp(9, TEXT, REFERENCE, by_page=False)) == ()
    assert found(NOP, literal(1, TEXT + 4, REFERENCE + 8)) == ()


def test_stubs_stand_for_the_branches_to_them() -> None:
    """Where the linker gathers loads in stubs, the branches to these send; without any, the stub itself is told."""
    stub = (adrp(1, STUBS, REFERENCE), ldr(1, 1, 0x128), NOP)
    assert found(NOP, branch(TEXT + 4, STUBS), branch(TEXT + 8, STUBS + 0x40), stubs=stub) == (4,)
    assert found(NOP, stubs=stub) == (STUBS + 4 - TEXT,)


def test_other_architectures_cannot_be_told() -> None:
    """No answer is not the answer no."""
    assert found(NOP, cpu=X86_64) is None
    data = mach_o([Made("__TEXT", "__text", TEXT, bytes(4))])
    (image,) = images_in(data)
    assert places_that_load(data, image, [8, 16, 24]) is None


def test_more_addresses_than_any_code_has_are_given_up() -> None:
    """Millions of instructions that form the address, and none that loads from it: could not be told, in bounded time."""
    begun = time.monotonic()
    data = mach_o([Made("__TEXT", "__text", TEXT, struct.pack("<I", adrp(8, TEXT, REFERENCE)) * 1024)])
    (image,) = images_in(data)
    assert places_that_load(data, image, [REFERENCE]) == ()
    pages = b"".join(struct.pack("<I", adrp(8, TEXT + 4096 * n, REFERENCE)) * 1024 for n in range(600))
    data = mach_o([Made("__TEXT", "__text", TEXT, pages)])
    (image,) = images_in(data)
    assert places_that_load(data, image, [REFERENCE]) is None
    assert time.monotonic() - begun < 10
