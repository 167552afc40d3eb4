"""A single file on disk as a target, and how files on disk are read."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atsprobe.extract.containers.opened import Opened
from atsprobe.extract.member import HEAD_BYTES, Allowance, Limits, Member, Unreadable, printable_path
from atsprobe.extract.sighting import Buffer

_MAPPED_FROM = 16 << 20


@contextmanager
def open_file(path: str, limits: Limits) -> Iterator[Opened]:
    """Open one file; its label is the target itself."""
    allowance = Allowance(limits)
    yield Opened((member_on_disk(path, printable_path(path), allowance),), allowance, is_single_file=True)


def member_on_disk(path: str, label: str, allowance: Allowance) -> Member:
    """Give a file on disk as a Member."""
    return Member(label, lambda: _read_head(path), lambda: _read(path, allowance))


def head_of(path: str) -> bytes:
    """Give the first bytes of a file. Raises OSError."""
    with Path(path).open("rb") as file:
        return file.read(HEAD_BYTES)


def unreadable(error: Exception) -> Unreadable:
    """Say in one line why the system would not give a file."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "no such file"
    advice = "check its permissions" if isinstance(error, PermissionError) else ""
    return Unreadable(reason[:1].lower() + reason[1:], advice)


def _read_head(path: str) -> bytes:
    try:
        return head_of(path)
    except OSError as error:
        raise unreadable(error) from error


def _read(path: str, allowance: Allowance) -> Buffer:
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            if size > allowance.limits.file_bytes:
                raise Unreadable(f"larger than {allowance.limits.file_bytes >> 20} MiB")
            allowance.spend(size)
            if size >= _MAPPED_FROM:
                return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            return file.read(size)
    except OSError as error:
        raise unreadable(error) from error
