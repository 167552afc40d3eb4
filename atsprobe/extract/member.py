"""A file inside a target, and the bounds within which it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from atsprobe.extract.sighting import Buffer

HEAD_BYTES = 4096
"""How many of its first bytes decide which reader takes a file."""


class Unreadable(Exception):
    """Says why a target or a file in it cannot be read, in one line, and what to do about it."""

    def __init__(self, reason: str, advice: str = "") -> None:
        """Take the reason, and the advice (empty where none helps)."""
        super().__init__(reason)
        self.reason = reason
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what is read of one target: files, bytes of one file, bytes of all, and depth of folders.

    A file of an archive that grows to more than ``ratio`` times its packed size is given up at ``ratio_from`` bytes.
    """

    files: int = 100_000
    file_bytes: int = 1 << 30
    all_bytes: int = 4 << 30
    depth: int = 64
    ratio: int = 200
    ratio_from: int = 64 << 20


class Allowance:
    """What is left of the files and bytes that may be read of one target, archives inside it included."""

    def __init__(self, limits: Limits) -> None:
        """Begin with all that the limits allow."""
        self.limits = limits
        self.files = limits.files
        self._left = limits.all_bytes

    def spend(self, size: int) -> None:
        """Take that many bytes off. Raises Unreadable when nothing is left."""
        self._left -= size
        if self._left < 0:
            raise Unreadable(
                f"more than {self.limits.all_bytes >> 20} MiB to read in one target", "audit its parts one by one"
            )


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a target. ``path`` is a label for people, never used to open anything.

    ``head`` gives its first bytes and ``content`` all of it; both raise Unreadable.
    """

    path: str
    head: Callable[[], bytes]
    content: Callable[[], Buffer]


def printable_path(path: str) -> str:
    """Give a path as text that any encoder takes: bytes that are not UTF-8 are written as ``\\xff``."""
    try:
        return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return path.encode("utf-8", "replace").decode("utf-8")
