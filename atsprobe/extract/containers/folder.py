"""A folder on disk: an .app or another bundle, an .xcarchive, or a plain folder that holds some."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from atsprobe.extract.bundle import is_bundle_folder
from atsprobe.extract.containers.file import member_on_disk, unreadable
from atsprobe.extract.containers.labels import short_label
from atsprobe.extract.containers.left_out import PACKAGES, PACKAGES_TROUBLE, is_double, is_hidden, is_left_out
from atsprobe.extract.containers.opened import Opened
from atsprobe.extract.member import Allowance, Limits, Member, Unreadable, printable_path
from atsprobe.extract.sighting import Trouble


@contextmanager
def open_folder(path: str, limits: Limits) -> Iterator[Opened]:
    """List a folder, less what `left_out` names. Symbolic links are not followed: what one leads to is read in its own
    place, where that is in the folder, and said not to be where it is not.

    Labels begin with the folder's own name where that is a bundle's, so that ``Ferry.app`` says which app it is.
    """
    name = printable_path(os.path.basename(os.path.realpath(path)))  # noqa: PTH119 - a path of surrogates stays one
    allowance = Allowance(limits)
    members: list[Member] = []
    skipped: list[tuple[str, Trouble]] = []
    for label, found in _walk(path, name if is_bundle_folder(name) else "", allowance):
        if isinstance(found, Trouble):
            skipped.append((label, found))
        else:
            members.append(member_on_disk(found, short_label(label), allowance))
    if not members and not skipped:
        raise Unreadable("an empty folder", "give the folder that holds the .app")
    yield Opened(tuple(sorted(members, key=lambda m: m.path)), allowance, tuple(sorted(skipped, key=lambda s: s[0])))


def _walk(top: str, label: str, allowance: Allowance) -> Iterator[tuple[str, str | Trouble]]:
    """Give (label, path) of each regular file, or (label, why not) of what is not entered."""
    limits, real_top = allowance.limits, os.path.realpath(top)
    waiting = [(top, label, 0)]
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
        for below, entry in _wanted(entries, label):
            if _is_folder(entry):
                if entry.name == PACKAGES and is_left_out(below, ()):
                    yield below, PACKAGES_TROUBLE
                elif depth >= limits.depth:
                    yield below, Trouble(f"more than {limits.depth} folders deep")
                else:
                    waiting.append((entry.path, below, depth + 1))
            elif entry.is_symlink() and _leads_out(entry.path, real_top):
                yield below, Trouble("a symbolic link out of the target; it was not followed")
            elif _is_file(entry):
                if not allowance.files:
                    reason = f"more than {limits.files} files; the rest was not read"
                    yield below, Trouble(reason, "audit its parts one by one")
                    return
                allowance.files -= 1
                yield below, entry.path


def _wanted(entries: Sequence[os.DirEntry[str]], label: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Give the entries of a folder that may be read, with their labels; packages of other people among them, to be said."""
    names = {e.name for e in entries}
    for entry in entries:
        below = f"{label}/{printable_path(entry.name)}" if label else printable_path(entry.name)
        if is_double(entry.name) or (is_left_out(below, names) and entry.name != PACKAGES):
            continue
        if not (is_hidden(below) and _is_folder(entry)):
            yield below, entry


def _leads_out(path: str, top: str) -> bool:
    """Say whether a link leads to something that exists outside of a folder."""
    target = os.path.realpath(path)
    return not (target == top or target.startswith(top.rstrip("/") + "/")) and os.path.exists(target)  # noqa: PTH110


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
