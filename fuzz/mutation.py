"""Mutants of a good file: a few bytes, numbers or parts of it changed, as damage or malice would."""

from __future__ import annotations

import random
import struct

_NUMBERS = (0, 1, 2, 0x19, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFF00, 0xFFFFFFFF)
_HEADER = 1024
_MAX_COPY = 64


def mutant(good: bytes, chance: random.Random) -> bytes:
    """Change one to six places of a file, every other time among its first bytes, where headers stand; rarely cut it."""
    data = bytearray(good)
    for _ in range(chance.randint(1, 6)):
        if not data:
            break
        at = chance.randrange(min(len(data), _HEADER) if chance.random() < 0.5 else len(data))
        match chance.randrange(8):
            case 0 | 1:
                data[at] ^= 1 << chance.randrange(8)
            case 2 | 3:
                at &= ~3
                data[at : at + 4] = struct.pack(chance.choice("<>") + "I", chance.choice(_NUMBERS))
            case 4:
                data[at] = chance.randrange(256)
            case 5:
                start = chance.randrange(len(data))
                data[at:at] = data[start : start + chance.randrange(1, _MAX_COPY)]
            case 6:
                data[at : at + 8] = chance.randbytes(8)
            case _:
                del data[at : at + chance.choice((1, 4, 16, len(data)))]
    return bytes(data)
