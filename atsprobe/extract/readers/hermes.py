"""Hermes bytecode (React Native): recognised, so that an app whose code is in it is not taken for one without hosts."""

from __future__ import annotations

from collections.abc import Iterator

from atsprobe.extract.sighting import Buffer, Sighting, Trouble

_MAGIC = bytes.fromhex("c61fbc03c103191f")


def recognises(_: str, head: bytes) -> bool:
    """Say whether a file is Hermes bytecode (hermes, BytecodeFileFormat.h: the magic number)."""
    return head.startswith(_MAGIC)


def read(_: str, __: Buffer) -> Iterator[Sighting]:
    """Say that its strings were not read: they overlap, so that a scan of the bytes would give wrong hosts."""
    yield Trouble("Hermes bytecode, whose strings are not read yet", "name its hosts beside the app", is_damage=False)
