"""A folder on disk: an .app or another bundle, an .xcarchive, or a plain folder that holds some."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from atsprobe.extract.bundle import is_bundle_folder
from atsprobe.extract.containers.file import member_on_disk, unreadable
from atsprobe.extract.containers.opened import Opened
from atsprobe.extract.member import Allowance, Limits, Member, Unreadable, printable_path
from atsprobe.extract.sighting import Trouble

_IGNORED_FOLDERS = frozenset(
    {"__MACOSX", ".git", ".hg", ".svn", "node_modules", "_CodeSignature", "SC_Info", "dSYMs", "BCSymbolMaps"}
)


@contextmanager
def open_folder(path: str, limits: Limits) -> Iterator[Opened]:
    """List a folder. Symbolic links in it are not followed; files of version control and debug symbols are left out.

    Labels begin with the folder's own name where that is a bundle's, so that ``Ferry.app`` says which app it is.
    """
    name = printable_path(os.path.basename(os.path.realpath(path)))  # noqa: PTH119 - a path of surrogates stays one
    allowance = Allowance(limits)
    members: list[Member] = []
    skipped: list[tuple[str, Trouble]] = []
    for label, found in _walk(path, name if is_bundle_folder(name) else "", limits):
        if isinstance(found, Trouble):
            skipped.append((label, found))
        else:
            members.append(member_on_disk(found, _short(label), allowance))
    if not members and not skipped:
        raise Unreadable("an empty folder", "give the folder that holds the .app")
    yield Opened(tuple(sorted(members, key=lambda m: m.path)), tuple(sorted(skipped, key=lambda s: s[0])))


def _walk(top: str, label: str, limits: Limits) -> Iterator[tuple[str, str | Trouble]]:
    """Give (label, path) of each regular file, or (label, why not) of what is not entered."""
    waiting = [(top, label, 0)]
    files = 0
    while waiting:
        folder, label, depth = waiting.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda e: e.name)
        except OSError as error:
            if not depth:
                raise unreadable(error) from error
            yield label, Trouble(unreadable(error).reason)
            continue
        for entry in entries:
            below = f"{label}/{printable_path(entry.name)}" if label else printable_path(entry.name)
            if _is_folder(entry):
                if depth >= limits.depth:
                    yield below, Trouble(f"more than {limits.depth} folders deep")
                elif entry.name not in _IGNORED_FOLDERS and not entry.name.endswith(".dSYM"):
                    waiting.append((entry.path, below, depth + 1))
            elif _is_file(entry) and not entry.name.startswith("._"):
                files += 1
                if files > limits.files:
                    yield (
                        below,
                        Trouble(f"more than {limits.files} files; the rest was not read", "audit its parts one by one"),
                    )
                    return
                yield below, entry.path


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode)
    except OSError:
        return False


def _short(label: str) -> str:
    """Take off the folders that every archive of Xcode's has above the app."""
    outer, separator, rest = label.partition(".xcarchive/Products/Applications/")
    return rest if separator and "/" not in outer else label
