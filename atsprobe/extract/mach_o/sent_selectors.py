"""Where the code of an arm64 image loads a reference to a selector, that is, sends it.

Three forms load a reference: ADRP with LDR, ADR with LDR, and, where the linker has relaxed these, LDR of a literal. Newer
linkers gather them in stubs (``__objc_stubs``) that the code branches to. Encodings: Arm, Architecture Reference Manual
(DDI 0487), C6.2.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from atsprobe.extract.mach_o.image import Image, ImageSection
from atsprobe.extract.sighting import Buffer

ARCHITECTURES = ("arm64", "arm64e")

_MAX_CODE = 256 << 20
_MAX_TARGETS = 2
_MAX_TRIED = 100_000
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
    cannot be told: another architecture, more code than is looked through, or more targets than a linker makes.
    """
    code = [s for s in image.sections if s.name == "__text" and not s.is_zero_filled][:1]
    stubs = [s for s in image.sections if s.name == "__objc_stubs" and not s.is_zero_filled][:1]
    too_much = any(s.end - s.start > _MAX_CODE for s in (*code, *stubs)) or len(targets) > _MAX_TARGETS
    if image.architecture not in ARCHITECTURES or too_much:
        return None
    found = {at for s in code for target in targets for at in _loads(data, s, target)}
    in_stubs = {at for s in stubs for target in targets for at in _loads(data, s, target)}
    if in_stubs:
        found |= {at for s in code for at in _branches(data, s, in_stubs)} or in_stubs
    return tuple(sorted(found)[:_MAX_PLACES])


def _loads(data: Buffer, section: ImageSection, target: int) -> Iterator[int]:
    yield from _by_page(data, section, target)
    yield from _nearby(data, section, target)


def _by_page(data: Buffer, section: ImageSection, target: int) -> Iterator[int]:
    """Give the LDRs with the target's offset in its page, below an ADRP of that page.

    They are found by their two upper bytes, which hold half of the offset: there are far fewer of them than of ADRPs.
    """
    number, odd = divmod(target & 0xFFF, 8)
    if odd:
        return
    upper = re.compile(re.escape(bytes((0x40 | number >> 6, 0xF9))))
    tried = 0
    for found in upper.finditer(data, section.start, section.end):
        at = found.start() - 2
        if at < section.start or (at - section.start) % 4 or data[at + 1] >> 2 != number & 0x3F:
            continue
        tried += 1
        if tried > _MAX_TRIED:
            return
        if _page_before(data, section, at) == target & ~0xFFF:
            yield section.address + at - section.start


def _page_before(data: Buffer, section: ImageSection, at: int) -> int | None:
    """Give the page that the register of a load was set to by ADRP; None where it was not, or not lately."""
    register = _word(data, at) >> 5 & 0x1F
    for place in range(at - 4, max(at - 4 - 4 * _WINDOW, section.start - 1), -4):
        word = _word(data, place)
        if word & 0x9F00001F == 0x90000000 | register:
            here = section.address + place - section.start
            return (here & ~0xFFF) + (_displacement(word) << 12)
        if word & _LDR_MASK == _LDR and word & 0x1F == register:
            return None
    return None


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
