"""The ordered table of containers: what a path on disk is, and the files in it."""

from __future__ import annotations

import stat
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from atsprobe.extract.containers import archive, file, folder
from atsprobe.extract.containers.opened import Opened
from atsprobe.extract.member import Limits, Unreadable


@dataclass(frozen=True, slots=True)
class Container:
    """One row: which paths it recognises, by mode and first bytes, and how it opens them."""

    name: str
    recognises: Callable[[int, bytes], bool]
    open: Callable[[str, Limits], AbstractContextManager[Opened]]


CONTAINERS = (
    Container("folder", lambda mode, _: stat.S_ISDIR(mode), folder.open_folder),
    Container("archive", lambda _, head: head.startswith(archive.MAGICS), archive.open_archive),
    Container("file", lambda mode, _: stat.S_ISREG(mode), file.open_file),
)


def open_container(path: str, limits: Limits) -> AbstractContextManager[Opened]:
    """Open a path by the first row that recognises it.

    Raises Unreadable for one that cannot be read or is no file (a device, a pipe); so does entering what it gives.
    """
    try:
        mode = Path(path).stat().st_mode
        head = file.head_of(path) if stat.S_ISREG(mode) else b""
    except (OSError, ValueError) as error:
        raise file.unreadable(error) from error
    if stat.S_ISREG(mode):
        _require_whole_archive(path, head)
    for container in CONTAINERS:
        if container.recognises(mode, head):
            return container.open(path, limits)
    raise Unreadable("not a file or a folder", "give a regular file; a list of targets from a pipe is @PATH")


def _require_whole_archive(path: str, head: bytes) -> None:
    if Path(path).suffix.lower() in archive.SUFFIXES and not head.startswith(archive.MAGICS):
        raise Unreadable("not a zip archive, as an .ipa is" if head else "an empty file", "export or download it again")
