"""The central directory of a zip archive: which of its files are read, under which labels, and which are not, and why."""

from __future__ import annotations

import posixpath
import stat
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from atsprobe.extract.containers.labels import short_label
from atsprobe.extract.containers.left_out import PACKAGES, PACKAGES_TROUBLE, is_double, is_hidden, is_left_out
from atsprobe.extract.member import Allowance, Unreadable, printable_path
from atsprobe.extract.sighting import Trouble

ENCRYPTED = 0x1
_LOCAL_HEADER = 30
_LISTED = 20
_WITH_PASSWORD = "unpack it with its password and give the .app folder"


@dataclass(frozen=True)
class Listing:
    """The files of an archive by label, and (label, why) of those that are not read."""

    files: tuple[tuple[str, zipfile.ZipInfo], ...]
    skipped: tuple[tuple[str, Trouble], ...]


def read_directory(
    archive: zipfile.ZipFile, allowance: Allowance, head_of: Callable[[zipfile.ZipInfo], bytes]
) -> Listing:
    """List the files. Folders, AppleDouble files and what `left_out` names are left out; of two files of one name both
    are read; files that overlap others, and links to what the archive does not hold, are not. Each of these is said.

    ``head_of`` unpacks the first bytes of a file. Raises Unreadable for an archive without files, or wholly encrypted.
    """
    named = [(_path(i), i) for i in archive.infolist()]
    named = [(path, i) for path, i in named if path and not i.is_dir() and not is_double(path.rpartition("/")[2])]
    if named and all(i.flag_bits & ENCRYPTED for _, i in named):
        raise Unreadable("encrypted: the archive wants a password", _WITH_PASSWORD)
    if not named:
        raise Unreadable("an archive without a file in it", "export or download it again")
    kept, skipped = _wanted(named, allowance.limits.depth)
    links = [(path, i) for path, i in kept if stat.S_ISLNK(i.external_attr >> 16)]
    files = [(path, i) for path, i in kept if not stat.S_ISLNK(i.external_attr >> 16)]
    skipped += _said(_links_out(links, kept, head_of), "a symbolic link to what the archive does not hold")
    too_many, files = files[allowance.files :], files[: allowance.files]
    allowance.files -= len(files)
    overlapping = _overlapping(files)
    skipped += _said((p for p, i in files if i in overlapping), "overlaps another file in the archive: a zip bomb?")
    files = [(_label(path), i) for path, i in files if i not in overlapping]
    skipped += _said((p for p, i in files if i.flag_bits & ENCRYPTED), "encrypted in the archive", _WITH_PASSWORD)
    skipped += _duplicates(label for label, _ in files)
    if too_many:
        reason = f"more than {allowance.limits.files} files; the rest was not read"
        skipped.append((_label(too_many[0][0]), Trouble(reason)))
    return Listing(tuple(files), tuple(skipped))


def _path(info: zipfile.ZipInfo) -> str:
    return "/".join(p for p in info.filename.split("/") if p not in ("", "."))


def _label(path: str) -> str:
    return short_label(printable_path(path.removeprefix("Payload/")))


def _wanted(
    named: Sequence[tuple[str, zipfile.ZipInfo]], depth: int
) -> tuple[list[tuple[str, zipfile.ZipInfo]], list[tuple[str, Trouble]]]:
    """Part what is read from what lies in a folder that is not entered, or in too many of them."""
    folders = _Folders(path for path, _ in named if path.count("/") <= depth)
    kept, deep = [], []
    for path, info in named:
        if path.count("/") > depth:
            deep.append(path[:200])
        elif not folders.is_left_out(path):
            kept.append((path, info))
    skipped = [(_label(path), PACKAGES_TROUBLE) for path in sorted(folders.packages)[:_LISTED]]
    return kept, skipped + _said(deep, f"more than {depth} folders deep")


class _Folders:
    """Which folders of an archive are not entered, each asked once; ``packages`` are those of packages' code."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.packages: set[str] = set()
        self._beside: dict[str, set[str]] = defaultdict(set)
        self._known: dict[str, bool] = {"": False}
        for path in paths:
            while path:
                parent, _, name = path.rpartition("/")
                if name in self._beside[parent]:
                    break
                self._beside[parent].add(name)
                path = parent

    def is_left_out(self, path: str, *, is_folder: bool = False) -> bool:
        """Say whether a file is not read, or a folder not entered: for its own sake or for that of a folder around it."""
        parent, _, name = path.rpartition("/")
        if is_folder and path in self._known:
            return self._known[path]
        answer = self.is_left_out(parent, is_folder=True) if parent else False
        if not answer:
            answer = is_left_out(path, self._beside[parent]) or (is_folder and is_hidden(path))
            if answer and is_folder and name == PACKAGES:
                self.packages.add(path)
        if is_folder:
            self._known[path] = answer
        return answer


def _links_out(
    links: Iterable[tuple[str, zipfile.ZipInfo]],
    kept: Iterable[tuple[str, zipfile.ZipInfo]],
    head_of: Callable[[zipfile.ZipInfo], bytes],
) -> Iterator[str]:
    """Give the links that lead to no file or folder of the archive; what the others lead to is read in its own place."""
    places: set[str] | None = None
    for path, info in links:
        if places is None:
            places = {""} | {p for file, _ in kept for p in _with_parents(file)}
        try:
            target = head_of(info).decode("utf-8", "replace")
        except Unreadable:
            target = ".."
        if posixpath.normpath(posixpath.join(posixpath.dirname(path), target)).removeprefix(".") not in places:
            yield path


def _with_parents(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]


def _overlapping(files: Iterable[tuple[str, zipfile.ZipInfo]]) -> set[zipfile.ZipInfo]:
    """Give the files whose bytes run into those of the file after them, so that few bytes could be read many times."""
    in_order = sorted((i for _, i in files), key=lambda i: i.header_offset)
    pairs = pairwise(in_order)
    return {i for i, after in pairs if i.header_offset + _LOCAL_HEADER + i.compress_size > after.header_offset}


def _duplicates(labels: Iterable[str]) -> Iterator[tuple[str, Trouble]]:
    seen = Counter(labels)
    for label in sorted(label for label, times in seen.items() if times > 1)[:_LISTED]:
        reason = f"{seen[label]} files of this name in the archive; all were read, which one is installed is open"
        yield label, Trouble(reason)


def _said(paths: Iterable[str], reason: str, advice: str = "") -> list[tuple[str, Trouble]]:
    """Say the same of each path, and after the first twenty only how many there are."""
    labels = sorted(_label(path) for path in paths)
    said = [(label, Trouble(reason, advice)) for label in labels[:_LISTED]]
    if len(labels) > _LISTED:
        more = len(labels) - _LISTED - 1
        said.append(
            (labels[_LISTED], Trouble(f"{reason}; so it is with {more:,} more files" if more else reason, advice))
        )
    return said
