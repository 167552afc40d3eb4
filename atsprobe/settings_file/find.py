"""Where the settings file lies: here, or in a folder above within the same repository."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from atsprobe.settings import UsageProblem
from atsprobe.settings_file.document import Document, read_document

NAMES = ("atsprobe.toml", "pyproject.toml")
"""The names of a settings file, in the order in which they are tried in a folder."""

_MARKS_OF_A_REPOSITORY = (".git", ".hg", ".jj")


@dataclass(frozen=True)
class Found:
    """A settings file, or None and the folders in which there is none, as they are called from here."""

    document: Document | None
    looked_in: tuple[str, ...] = ()


def find_settings(start: Path | None = None) -> Found:
    """Find and read the settings file of a folder (the current one): its own, or that of the nearest folder above.

    Folders above are looked at up to the root of the repository that the folder is in; outside a repository, not at all:
    what anybody may have put above is not ours. Raises UsageProblem for one that is no TOML.
    """
    try:
        start = start or Path.cwd()
    except OSError:  # the current folder is gone
        return Found(None)
    looked_in: list[str] = []
    for folder in _folders(start):
        for name in NAMES:
            path = folder / name
            if _is_file(path) and (document := read_document(path, _shown(path, start))) is not None:
                return Found(document)
        looked_in.append(_shown(folder, start))
    return Found(None, tuple(looked_in))


def settings_at(path: str) -> Found:
    """Read the settings file that the user names. Raises UsageProblem where it cannot be read or is none."""
    document = read_document(Path(path), path)
    if document is None:
        raise UsageProblem(f"{path}: no [tool.atsprobe] in it", "add one, or give an atsprobe.toml")
    return Found(document)


def _folders(start: Path) -> list[Path]:
    folders = [start, *start.parents]
    for number, folder in enumerate(folders):
        if any(_exists(folder / mark) for mark in _MARKS_OF_A_REPOSITORY):
            return folders[: number + 1]
    return folders[:1]


def _shown(path: Path, start: Path) -> str:
    try:
        return os.path.relpath(path, start)
    except ValueError:  # on another drive
        return str(path)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False
