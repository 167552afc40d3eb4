"""What the metadata of Objective-C tells: classes, methods that are implemented, references to selectors."""

from __future__ import annotations

import struct
import time

import pytest
from made_mach_o import BASE, Made, fixups, mach_o, pointers, strings

from atsprobe.extract.mach_o.image import images_in
from atsprobe.extract.mach_o.objective_c import ObjectiveC

NAMES, LISTS, CONST, DATA, REFS = BASE, BASE + 0x10000, BASE + 0x20000, BASE + 0x30000, BASE + 0x40000


def one_class(methods: bytes, *, encode=lambda address: address, fixups_form: int | None = None) -> bytes:
    """Make an image with the class Ferry, whose method list is given; pointers are encoded as a linker would."""
    names, at = strings(NAMES, "Ferry", "sail:", "stop")
    record = struct.pack("<4I", 0, 0, 0, 0) + pointers(0, encode(at["Ferry"]), encode(LISTS))
    table = pointers(0, 0, 0, 0, encode(CONST) | 2)  # a flag of Swift in the low bits
    return mach_o(
        [
            Made("__TEXT", "__objc_methname", NAMES, names),
            Made("__TEXT", "__objc_methlist", LISTS, methods),
            Made("__DATA", "__objc_const", CONST, record),
            Made("__DATA", "__objc_data", DATA, table),
            Made("__DATA", "__objc_classlist", DATA + 0x1000, pointers(encode(DATA))),
            Made("__DATA", "__objc_selrefs", REFS, pointers(encode(at["stop"]), encode(at["sail:"]))),
        ],
        chained=b"" if fixups_form is None else fixups(fixups_form),
    )


def read(data: bytes) -> ObjectiveC:
    """Read the metadata of the one image of a file."""
    (image,) = images_in(data)
    return ObjectiveC(data, image)


PLAIN = struct.pack("<II", 24, 1) + pointers(NAMES + 6, 0, 0x1234)


def test_a_list_of_pointers() -> None:
    """Names of classes and methods, with where their code begins."""
    found = read(one_class(PLAIN))
    assert found.class_names == ("Ferry",)
    assert [(m.owner, m.selector, m.code) for m in found.methods] == [("Ferry", "sail:", 0x1234)]
    assert str(found.methods[0]) == "-[Ferry sail:]"


@pytest.mark.parametrize(
    ("form", "encode"),
    [
        (2, lambda a: a | 1 << 51),
        (6, lambda a: (a - BASE) | 1 << 51),
        (1, lambda a: a | 1 << 51),
        (12, lambda a: (a - BASE) | 1 << 51),
        (12, lambda a: (a - BASE) | 1 << 63 | 1 << 51),
    ],
)
def test_pointers_in_chains_of_fixups(form, encode) -> None:
    """In the formats of arm64 and arm64e, signed or not, a pointer is an address or an offset with a chain above it."""
    methods = struct.pack("<II", 24, 1) + pointers(encode(NAMES + 6), 0, encode(BASE + 0x1234))
    found = read(one_class(methods, encode=encode, fixups_form=form))
    assert [(m.owner, m.selector, m.code) for m in found.methods] == [("Ferry", "sail:", BASE + 0x1234)]
    assert found.references_to("sail:") == (REFS + 8,)


def test_pointers_bound_to_other_images_are_none() -> None:
    """A class of another image has no name here, and leads nowhere."""
    for form, bound in ((6, 1 << 63), (12, 1 << 62)):
        assert read(one_class(PLAIN, encode=lambda a, b=bound: (a - BASE) | b, fixups_form=form)).class_names == ()


def test_relative_lists() -> None:
    """Entries of three offsets lead to a reference to a selector, or straight to its name where a bit says so."""
    by_reference = struct.pack("<II", 0x80000000 | 12, 1) + struct.pack("<3i", REFS + 8 - (LISTS + 8), 0, -0x100)
    straight = struct.pack("<II", 0xC0000000 | 12, 1) + struct.pack("<3i", NAMES + 6 - (LISTS + 8), 0, -0x100)
    for methods in (by_reference, straight):
        found = read(one_class(methods)).methods
        assert [(m.selector, m.code) for m in found] == [("sail:", LISTS + 16 - 0x100)]


def test_a_selector_is_named_only_as_a_whole() -> None:
    """The first string, one in the middle, but no part of one."""
    found = read(one_class(PLAIN))
    assert found.names_selector("sail:") and found.names_selector("Ferry")
    assert not found.names_selector("ail:") and not found.names_selector("sail")


def test_lists_that_lie_and_classes_that_lead_round() -> None:
    """A class whose metaclass is itself, a count of four billion and an entry of no size end, in bounded time."""
    begun = time.monotonic()
    for methods in (
        struct.pack("<II", 24, 0xFFFFFFFF) + pointers(NAMES + 6, 0, 1),
        struct.pack("<II", 0, 0xFFFFFFFF),
        struct.pack("<II", 0xFFFFFFFF, 0xFFFFFFFF) + bytes(12),
        b"\x18",
    ):
        data = one_class(methods)
        assert len(read(data).methods) <= len(data) // 12
    names, at = strings(NAMES, "Ferry", "sail:")
    many = struct.pack("<II", 24, 200_000) + pointers(at["sail:"], 0, 1) * 200_000
    record = struct.pack("<4I", 0, 0, 0, 0) + pointers(0, at["Ferry"], LISTS)
    circle = b"".join(pointers(DATA + 40 * n, 0, 0, 0, CONST) for n in range(100))
    data = mach_o(
        [
            Made("__TEXT", "__objc_methname", NAMES, names),
            Made("__DATA", "__objc_const", CONST, record),
            Made("__DATA", "__objc_data", DATA, circle),
            Made("__DATA", "__objc_classlist", DATA + 0x1000, pointers(*(DATA + 40 * n for n in range(100)))),
            Made("__TEXT", "__objc_methlist", LISTS + 0x100000000, many),
        ]
    ).replace(pointers(LISTS), pointers(LISTS + 0x100000000))
    assert len(read(data).methods) == 500_000
    assert time.monotonic() - begun < 20
