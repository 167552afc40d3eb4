"""Where the code of an arm64 image loads a reference to a selector, that is, sends it.

Three forms load a reference: ADRP with LDR, ADR with LDR, and, where the linker has relaxed these, LDR of a literal. Newer
linkers gather them in stubs (``__objc_stubs``) that the code branches to. Encodings: Arm, Architecture Reference Manual
(DDI 0487), C6.2.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Collection, Iterator, Sequence

from atsprobe.extract.mach_o.image import Image, ImageSection
from atsprobe.extract.sighting import Buffer

ARCHITECTURES = ("arm64", "arm64e")

_MAX_CODE = 256 << 20
_MAX_TARGETS = 2
_MAX_TRIED = 500_000
_MAX_PLACES = 1000
_MAX_BRANCHING = 16 << 20
"""Bytes of code up to which branches to stubs are looked for: they only tell which method sends."""
_WINDOW = 64  # instructions between the one that forms an address and the one that loads from it
_NEAR = 1 << 20  # what ADR and LDR (literal) reach

_ADR_OR_LITERAL = re.compile(b"[\x10\x30\x50\x70\x58]")  # their top bytes
_BRANCH = re.compile(b"[\x94-\x97]")  # top byte of BL
_LDR_MASK, _LDR = 0xFFC00000, 0xF9400000  # LDR Xt, [Xn, #imm12 * 8]


def places_that_load(data: Buffer, image: Image, targets: Sequence[int]) -> tuple[int, ...] | None:
    """Give the addresses of the instructions that load from one of the targets, at most a thousand, in order.

    Those of stubs are replaced by the branches to them; a stub that nothing branches to stands for itself. None where this
    cannot be told: another architecture, more code or addresses than are looked through, or more targets than a linker makes.
    """
    code = [s for s in image.sections if s.name == "__text" and not s.is_zero_filled][:1]
    stubs = [s for s in image.sections if s.name == "__objc_stubs" and not s.is_zero_filled][:1]
    too_much = any(s.end - s.start > _MAX_CODE for s in (*code, *stubs)) or len(targets) > _MAX_TARGETS
    if image.architecture not in ARCHITECTURES or too_much:
        return None
    try:
        found = {at for s in code for target in targets for at in _loads(data, s, target)}
        in_stubs = {at for s in stubs for target in targets for at in _loads(data, s, target)}
    except _TooMuch:
        return None
    if in_stubs:
        found |= {at for s in code for at in _branches(data, s, in_stubs)} or in_stubs
    return tuple(sorted(found)[:_MAX_PLACES])


class _TooMuch(Exception):
    """More instructions form one address than any code has."""


def _loads(data: Buffer, section: ImageSection, target: int) -> Iterator[int]:
    yield from _by_page(data, section, target)
    yield from _nearby(data, section, target)


def _by_page(data: Buffer, section: ImageSection, target: int) -> Iterator[int]:
    """Give the LDRs with the target's offset in its page, below an ADRP of that page.

    Within one page of code every such ADRP has the same three upper bytes, whatever its register, so that these are found
    without a look at any other instruction. Raises _TooMuch for more of them than code has.
    """
    offset = section.address - section.start
    tried = 0
    for page in range(section.address & ~0xFFF, section.end + offset, 0x1000):
        word = _adrp(target >> 12, page >> 12)
        upper = word.to_bytes(4, "little")[1:]
        start, end = max(page - offset, section.start), min(page + 0x1000 - offset, section.end)
        at = data.find(upper, start, end)
        while at > 0:
            if (at - 1 - section.start) % 4 == 0 and at > start and data[at - 1] & 0xE0 == word & 0xE0:
                tried += 1
                if tried > _MAX_TRIED:
                    raise _TooMuch
                yield from (place + offset for place in _loaded_below(data, section, at - 1, target & 0xFFF))
            at = data.find(upper, at + 1, end)


def _adrp(target_page: int, code_page: int) -> int:
    """Write the ADRP that leads from one page to another, with register 0."""
    distance = target_page - code_page
    return 0x90000000 | (distance & 3) << 29 | (distance >> 2 & 0x7FFFF) << 5


def _loaded_below(data: Buffer, section: ImageSection, at: int, offset: int) -> Iterator[int]:
    """Give where the next load lies that has that offset from the register that an ADRP set."""
    register = data[at] & 0x1F
    count = (min(at + 4 + 4 * _WINDOW, section.end) - at - 4) // 4
    for number, word in enumerate(struct.unpack_from(f"<{max(count, 0)}I", data, at + 4)):
        if word & _LDR_MASK == _LDR:
            if word >> 5 & 0x1F == register and (word >> 10 & 0xFFF) * 8 == offset:
                yield at + 4 + 4 * number
                return
            if word & 0x1F == register:
                return
        elif word & 0x9F00001F == 0x90000000 | register:
            return


def _nearby(data: Buffer, section: ImageSection, target: int) -> Iterator[int]:
    """Give the LDRs (literal) of a target, and the LDRs through a register that ADR set to it: both reach a megabyte."""
    offset = section.start - section.address
    start = max(section.start, section.start + (target - _NEAR - section.address) // 4 * 4)
    end = min(section.end, target + _NEAR + offset)
    for found in _ADR_OR_LITERAL.finditer(data[start + 3 : max(end, start) : 4]):
        at = start + found.start() * 4
        word = _word(data, at)
        if word >> 24 == 0x58:
            if at - offset + 4 * _signed(word >> 5, 19) == target:
                yield at - offset
        elif at - offset + _displacement(word) == target:
            yield from (place - offset for place in _loaded_from(data, section, at))


def _loaded_from(data: Buffer, section: ImageSection, at: int) -> Iterator[int]:
    """Give where the first load in the next instructions lies that goes through the register that an ADR set."""
    register = data[at] & 0x1F
    for place in range(at + 4, min(at + 4 + 4 * _WINDOW, section.end - 3), 4):
        if _word(data, place) & (_LDR_MASK | 0x3FFFE0) == _LDR | register << 5:
            yield place
            return


def _branches(data: Buffer, section: ImageSection, stubs: Collection[int]) -> Iterator[int]:
    """Give the branches to stubs; the load is the first or second instruction of one."""
    if section.end - section.start > _MAX_BRANCHING:
        return
    entries = {*stubs, *(at - 4 for at in stubs)}
    for found in _BRANCH.finditer(data[section.start + 3 : section.end : 4]):
        at = found.start() * 4
        if section.address + at + 4 * _signed(_word(data, section.start + at), 26) in entries:
            yield section.address + at


def _word(data: Buffer, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _displacement(word: int) -> int:
    """Give the immediate of ADR or ADRP."""
    return _signed((word >> 5 & 0x7FFFF) << 2 | word >> 29 & 3, 21)


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value
