"""Short literals of Swift, which stand in no section: arm64 code puts them together in two registers.

A string of up to 15 bytes is two words: bytes 0-7 in the first, bytes 8-14 in the second, whose top byte is 0xE0 and the
length (Swift, StringObject.swift: the discriminator of a small ASCII string). MOVZ, MOVN or ORR of a bitmask begins a word,
MOVK sets its other halfwords (Arm Architecture Reference Manual, C6.2).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from atsprobe.extract.mach_o.image import Image
from atsprobe.extract.sighting import Buffer

WINDOW = 24
"""How many instructions before and behind the end of the second word the first one is looked for."""

_MOST_IN_STRETCH = 1 << 14
"""How many instructions are decoded at once."""

_SHORTEST, _LONGEST = 4, 15
_MAX_CANDIDATES = 20_000
_MAX_GAP = 8
"""How many instructions may lie between two moves into one register, before it is taken for another value."""

_TOP_OF_SECOND = re.compile(rb"[\xfc\xfd][\xf2\xd2]")
"""The last two bytes of MOVK or MOVZ of 0xE000 to 0xEFFF into the top halfword."""

_MOVN, _MOVZ, _MOVK, _ORR = 0x12800000, 0x52800000, 0x72800000, 0x32000000
_CLASS, _IMMEDIATES = 0x1F000000, 0x12000000
"""What tells moves and logical operations of immediates from all other instructions."""

_OPCODE, _REGISTER, _ZERO_REGISTER = 0x7F800000, 0x1F, 31
_ALL = (1 << 64) - 1


@dataclass(slots=True)
class _Word:
    """A value that code has put into a register: the instructions (from 0, in the window) that begin and end it."""

    register: int
    value: int
    first: int
    last: int


def small_strings(content: Buffer, image: Image) -> Iterator[tuple[str, int]]:
    """Give the short literals of an arm64 image of Swift, of 4 bytes and more, and the offset in the file of the instruction
    that completes each. At most 20,000 places are looked at; a section that FairPlay encrypts is not.
    """
    if not image.architecture.startswith("arm64") or not any(s.name.startswith("__swift5") for s in image.sections):
        return
    done = image.start
    for section in sorted(image.sections, key=lambda s: s.start):
        start, end = max(done, section.start), section.end
        if section.name != "__text" or start >= end:
            continue
        done = end
        if image.encrypted is None or not (image.encrypted[0] < end and start < image.encrypted[1]):
            yield from _literals(content, start, end)


def _literals(content: Buffer, start: int, end: int) -> Iterator[tuple[str, int]]:
    for first, last in _stretches(_candidates(content, start, end), start, end):
        used: set[int] = set()
        words = _words(content[first:last])
        near = 0
        for place, second in enumerate(words):
            if second.value >> 60 != 0xE:
                continue
            while words[near].first < second.last - WINDOW:
                near += 1
            literal = _literal(second, words[near : place + WINDOW], used)
            if literal:
                yield literal, first + 4 * second.last


def _candidates(content: Buffer, start: int, end: int) -> Iterator[int]:
    """Give the offsets of the instructions that may complete the second word of a literal, at most 20,000."""
    places = (match.start() - 2 for match in _TOP_OF_SECOND.finditer(content, start + 2, end))
    yield from islice((at for at in places if (at - start) % 4 == 0), _MAX_CANDIDATES)


def _stretches(candidates: Iterable[int], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Give the parts of code, from and to offsets in the file, that hold a window around each candidate."""
    first = last = -1
    for at in candidates:
        begin, behind = max(start, at - 4 * WINDOW), min(end, at + 4 * (WINDOW + 1))
        if begin > last or behind - first > 4 * _MOST_IN_STRETCH:
            if first >= 0:
                yield first, last
            first = begin
        last = behind
    if first >= 0:
        yield first, last


def _literal(second: _Word, words: list[_Word], used: set[int]) -> str | None:
    """Give the literal that ends with a word, and begins with one of those around it. ``used`` are the first words, by the
    instruction that completes them, that other literals have already; one is used again only in need.
    """
    length = second.value >> 56 & 0x0F
    if not _SHORTEST <= length <= _LONGEST:
        return None
    end = _text(second.value & (1 << 56) - 1, max(0, length - 8))
    if end is None:
        return None
    starts = [
        (w.last in used, _distance(w, second), text)
        for w in words
        if w is not second and w.last <= second.last + WINDOW and (text := _text(w.value, min(length, 8))) is not None
    ]
    if not starts:
        return None
    _, (_, _, last), text = min(starts)
    used.add(last)
    return text + end


def _distance(word: _Word, second: _Word) -> tuple[int, bool, int]:
    """Say how many instructions lie between two words; of two as near, the one before comes first, and is told by its end."""
    return max(0, second.first - word.last, word.first - second.last), word.last > second.last, word.last


def _text(value: int, length: int) -> str | None:
    """Read a word of which the first bytes are printable ASCII and all others zero."""
    data = value.to_bytes(8, "little")
    text = data[:length]
    return (
        text.decode("ascii")
        if text.isascii() and text.decode("ascii").isprintable() and not any(data[length:])
        else None
    )


def _words(window: bytes) -> list[_Word]:
    """Give the values that the moves of a window of code put together, in the order in which they begin."""
    words: list[_Word] = []
    held: dict[int, _Word] = {}
    codes = struct.unpack(f"<{len(window) // 4}I", window[: len(window) // 4 * 4])
    for index, code in [(i, c) for i, c in enumerate(codes) if c & _CLASS == _IMMEDIATES]:
        register = code & _REGISTER
        value = _begun(code)
        if value is not None:
            held[register] = _Word(register, value, index, index)
            words.append(held[register])
        elif code & _OPCODE == _MOVK and register in held and index - held[register].last <= _MAX_GAP:
            word, shift = held[register], (code >> 21 & 3) * 16
            word.value = word.value & ~(0xFFFF << shift) & _ALL | (code >> 5 & 0xFFFF) << shift
            word.last = index
    return words


def _begun(code: int) -> int | None:
    """Give the value of an instruction that sets a whole register to a constant; None for any other."""
    kind = code & _OPCODE
    size = 64 if code >> 31 else 32
    if kind in (_MOVZ, _MOVN):
        value = (code >> 5 & 0xFFFF) << (code >> 21 & 3) * 16
        return (value if kind == _MOVZ else ~value) & (1 << size) - 1
    if kind == _ORR and code >> 5 & _REGISTER == _ZERO_REGISTER:
        return _bitmask(code >> 22 & 1, code >> 10 & 0x3F, code >> 16 & 0x3F, size)
    return None


def _bitmask(n: int, ones: int, rotation: int, size: int) -> int | None:
    """Decode the immediate of a logical instruction (the manual's DecodeBitMasks); None for one that is reserved."""
    width = 1 << max(0, (n << 6 | ~ones & 0x3F).bit_length() - 1)
    if width < 2 or width > size or ones & width - 1 == width - 1:
        return None
    ones, rotation = (ones & width - 1) + 1, rotation & width - 1
    element = (1 << ones) - 1
    element = (element >> rotation | element << width - rotation) & (1 << width) - 1
    return sum(element << place for place in range(0, size, width))
