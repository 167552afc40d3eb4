"""The names that an image imports and defines, wherever the linker wrote them down."""

from __future__ import annotations

import time

import pytest
from made_mach_o import fixups, mach_o

from atsprobe.extract.mach_o.image import images_in
from atsprobe.extract.mach_o.imports import defines, imported_names


def imported(data: bytes) -> frozenset[bytes]:
    """Read the imports of the one image of a file."""
    (image,) = images_in(data)
    return imported_names(data, image)


def test_symbol_table_chained_fixups_and_bind_opcodes_are_united() -> None:
    """A name counts wherever it stands; one that the image defines is no import."""
    data = mach_o(
        imports=[b"_connect"],
        defines=[b"_mine"],
        chained=fixups(6, [b"_$s_stripped"]),
        binds=b"\x11\x40_bound\0\x51\x71\xc0\x10\x90\x00",
        lazy_binds=b"\x72\x20\x11\x40_lazy\0\x90\x00",
    )
    assert imported(data) == {b"_connect", b"_$s_stripped", b"_bound", b"_lazy"}


@pytest.mark.parametrize("form", [1, 2, 3])
def test_every_format_of_the_table_of_imports(form: int) -> None:
    """Entries of 4, 8 and 16 bytes."""
    assert imported(mach_o(chained=fixups(2, [b"_one", b"_two"], form))) == {b"_one", b"_two"}


def test_operands_of_bind_opcodes_are_no_opcodes() -> None:
    """A LEB128 that looks like the beginning of a name is skipped with its opcode, however long it is."""
    opcodes = b"\x70\xc0\x40\x80\x41\x40_real\0\xc0\x40\x40\xa0\xc0\x40\x20\x40\x90"
    assert imported(mach_o(binds=opcodes)) == {b"_real"}


def test_names_of_a_stripped_image_are_found_in_its_export_trie() -> None:
    """The trie shares beginnings, so that no whole name lies in the file; a beginning alone is no name."""
    trie = b"\0\x01_curl_\0\x0a" + b"\0\x02easy_\0\x18get\0\x27"
    trie += b"\0\x01perform\0\x23" + b"\x02\0\x05\0" + b"\x02\0\x07\0"
    data = mach_o(trie=trie)
    (image,) = images_in(data)
    assert b"_curl_easy_perform" not in data
    assert defines(data, image, b"_curl_get") and defines(data, image, b"_curl_easy_perform")
    assert not defines(data, image, b"_curl_")
    assert not defines(data, image, b"_curl_easy")
    assert not defines(data, image, b"_other")


def test_an_older_image_has_its_trie_in_the_dyld_info() -> None:
    """The trie that LC_DYLD_INFO names is read as well."""
    data = mach_o(exports=b"\0\x01_ab\0\x07" + b"\x02\0\x07\0")
    (image,) = images_in(data)
    assert defines(data, image, b"_ab") and not defines(data, image, b"_abc")


def test_a_trie_that_leads_round_is_left() -> None:
    """An edge without text to its own node, and one past the end, end in no."""
    for trie in (b"\0\x01\0\0", b"\0\x01_\0\xff\x7f", b"\0\x01_\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\0\xff"):
        data = mach_o(trie=trie)
        (image,) = images_in(data)
        assert not defines(data, image, b"_name")


def test_tables_that_lie_are_read_as_far_as_they_go() -> None:
    """Counts, offsets and endless opcodes beyond the file give what is there, in bounded time."""
    lying = bytearray(fixups(6, [b"_one"]))
    lying[16:20] = b"\xff\xff\xff\xff"  # the number of imports
    assert b"_one" in imported(mach_o(chained=bytes(lying)))
    lying[8:12] = b"\xff\xff\xff\xff"  # where the imports lie
    assert imported(mach_o(chained=bytes(lying))) == frozenset()
    begun = time.monotonic()
    assert len(imported(mach_o(binds=b"\x40" * 8_000_000))) == 0
    assert imported(mach_o(binds=b"\x40a\0" * 2_000_000)) == {b"a"}
    assert imported(mach_o(binds=b"\xc0" + b"\x80" * 4_000_000)) == frozenset()
    assert time.monotonic() - begun < 10
