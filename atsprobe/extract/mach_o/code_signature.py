"""The entitlements in the code signature of a Mach-O image, read within bounds.

A signature is a superblob: an index of slots, each with the offset of a blob of its own magic and length, all big-endian
(Apple, xnu, osfmk/kern/cs_blobs.h). Its other blobs hold hashes and certificates, whose URLs are no hosts of the app.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from atsprobe.extract.sighting import Buffer

_SUPERBLOB = 0xFADE0CC0  # CSMAGIC_EMBEDDED_SIGNATURE
_SLOTS: dict[tuple[int, int], Literal["xml", "der"]] = {
    (5, 0xFADE7171): "xml",  # CSSLOT_ENTITLEMENTS, CSMAGIC_EMBEDDED_ENTITLEMENTS
    (7, 0xFADE7172): "der",  # CSSLOT_DER_ENTITLEMENTS, CSMAGIC_EMBEDDED_DER_ENTITLEMENTS
}
_MAX_SLOTS = 64
_MAX_BLOB = 1 << 20


@dataclass(frozen=True, slots=True)
class EntitlementsBlob:
    """Entitlements as a property list in XML or in DER, and where their bytes lie in the file."""

    form: Literal["xml", "der"]
    start: int
    end: int


def entitlements_in(data: Buffer, start: int, end: int) -> Iterator[EntitlementsBlob]:
    """Give the entitlements of the signature that lies there, in the order of its index; none where it is damaged."""
    magic, _, count = _numbers(data, start, 3, end) or (0, 0, 0)
    if magic != _SUPERBLOB:
        return
    for index in range(min(count, _MAX_SLOTS)):
        slot, offset = _numbers(data, start + 12 + 8 * index, 2, end) or (0, 0)
        blob_magic, length = _numbers(data, start + offset, 2, end) or (0, 0)
        form = _SLOTS.get((slot, blob_magic))
        if form and 8 < length <= min(_MAX_BLOB, end - start - offset):
            yield EntitlementsBlob(form, start + offset + 8, start + offset + length)


def _numbers(data: Buffer, at: int, count: int, end: int) -> tuple[int, ...] | None:
    """Give numbers of 32 bits; None where they do not lie within the signature."""
    if at + 4 * count > min(end, len(data)):
        return None
    return struct.unpack(f">{count}I", data[at : at + 4 * count])
