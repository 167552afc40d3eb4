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
    """One row: which paths it recognises, by name, mode and first bytes, and how it opens them."""

    name: str
    recognises: Callable[[str, int, bytes], bool]
    open: Callable[[str, Limits], AbstractContextManager[Opened]]


CONTAINERS = (
    Container("folder", lambda _path, mode, _head: stat.S_ISDIR(mode), folder.open_folder),
    Container(
        "archive", lambda path, mode, head: stat.S_ISREG(mode) and archive.recognises(path, head), archive.open_archive
    ),
    Container("file", lambda _path, mode, _head: stat.S_ISREG(mode), file.open_file),
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
    for container in CONTAINERS:
        if container.recognises(path, mode, head):
            return container.open(path, limits)
    raise Unreadable("not a file or a folder", "give a regular file; a list of targets from a pipe is @PATH")
