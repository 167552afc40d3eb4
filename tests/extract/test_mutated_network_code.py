"""Mutants of images: whatever is flipped, cut or overwritten, the reader of network APIs ends without an error."""

from __future__ import annotations

import os
import random
import struct
from pathlib import Path

from made_mach_o import BASE, Made, fixups, mach_o, pointers, strings

from atsprobe.extract.mach_o.image import images_in
from atsprobe.extract.readers.image_code import ImageCode
from atsprobe.extract.readers.network_apis import uses

MUTANTS = int(os.environ.get("ATSPROBE_MUTANTS", "2000"))
HOSTILE = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x19, 0xFFFFFF00)


def seeds() -> list[bytes]:
    """Give a linked image, and one with chained fixups, relative lists, an export trie and bind opcodes."""
    names, at = strings(BASE, "Ferry", "credentialForTrust:", "URLSession:didReceiveChallenge:completionHandler:")
    lists = struct.pack("<II", 0x80000000 | 12, 2) + struct.pack("<6i", 0x3FF8, 0, -256, 0x3FEC + 8, 0, -128)
    code = struct.pack("<4I", 0x90000028, 0xF9400101, 0x58000001, 0xD503201F) * 64
    made = mach_o(
        [
            Made("__TEXT", "__objc_methname", BASE, b"\0" + names),
            Made("__TEXT", "__objc_methlist", BASE + 0x1000, lists),
            Made("__DATA", "__objc_const", BASE + 0x2000, bytes(16) + pointers(0, 1, 0x1000)),
            Made("__DATA", "__objc_data", BASE + 0x3000, pointers(0x3000, 0, 0, 0, 0x2000)),
            Made("__DATA", "__objc_classlist", BASE + 0x4000, pointers(0x3000, 0x3000)),
            Made("__DATA", "__objc_catlist", BASE + 0x4800, pointers(0x4900)),
            Made("__DATA", "__objc_other", BASE + 0x4900, pointers(1, 0x3000, 0x1000, 0x1000)),
            Made("__DATA", "__objc_selrefs", BASE + 0x5000, pointers(7, at["Ferry"] - BASE + 1)),
            Made("__TEXT", "__text", BASE + 0x6000, code),
        ],
        imports=[b"_OBJC_CLASS_$_NSURLCredential", b"_connect"],
        chained=fixups(6, [b"_getaddrinfo"]),
        binds=b"\x11\x40_bound\0\x51\x71\xc0\x10\x90\x00",
        trie=b"\0\x01_curl_\0\x0a\0\x01easy_perform\0\x18\x02\0\x05\0",
    )
    linked = (Path(__file__).parents[2] / "fixtures" / "extract" / "trust-arm64").read_bytes()
    return [linked, made]


def mutant(seed: bytes, chance: random.Random) -> bytes:
    """Change a few places, more often among the load commands and metadata than in the padding; sometimes cut the end off."""
    data = bytearray(seed)
    places = [n for n in range(0, len(data) - 4, 4) if n < 2048 or any(data[n : n + 4])]
    for _ in range(chance.randint(1, 8)):
        at = chance.choice(places)
        if chance.random() < 0.5:
            data[at : at + 4] = chance.choice(HOSTILE).to_bytes(4, "little")
        else:
            data[at + chance.randrange(4)] ^= 1 << chance.randrange(8)
    if chance.random() < 0.1:
        del data[chance.randrange(len(data)) :]
    return bytes(data)


def test_mutated_images_raise_nothing() -> None:
    """Every mutant is read to the end: the table, all methods, and the code around a selector."""
    chance = random.Random(20)
    read = 0
    originals = seeds()
    for number in range(MUTANTS):
        data = mutant(originals[number % 2], chance)
        for image in images_in(data):
            found = list(uses(data, (image,)))
            assert len(found) < 100
            code = ImageCode(data, (image,))
            for selector in ("credentialForTrust:", "sharedSession"):
                code.sign("sends", selector)
                code.sign("implements", selector)
            read += bool(found)
    assert read > MUTANTS // 4  # most mutants are still images
