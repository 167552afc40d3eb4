"""Which Info.plist answers for a file: the innermost process bundle around it, and the extensions that link it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import PurePosixPath

from atsprobe.extract.source_tree import is_in_test

_PROCESS_SUFFIXES = (".app", ".appex")
_CODE_SUFFIXES = (*_PROCESS_SUFFIXES, ".framework")
_BUNDLE_SUFFIXES = (*_CODE_SUFFIXES, ".xcframework", ".xcarchive", ".bundle", ".dSYM")


def is_bundle_folder(name: str) -> bool:
    """Say whether a folder of that name is a bundle of Apple's, rather than a plain folder."""
    return name.endswith(_BUNDLE_SUFFIXES)


def process_root(info_plist: str) -> str | None:
    """Give the folder of the process bundle whose Info.plist has this path; None where it is no process bundle's.

    ``Ferry.app/Info.plist``, and on macOS ``Ferry.app/Contents/Info.plist``, answer for ``Ferry.app``.
    """
    folder, _, name = info_plist.rpartition("/")
    root = folder.removesuffix("/Contents")
    return root if name == "Info.plist" and root.endswith(_PROCESS_SUFFIXES) else None


def process_folders(paths: Iterable[str]) -> tuple[str, ...]:
    """Give the folders among the parents of those paths that are process bundles by name, sorted."""
    return tuple(sorted({p for path in paths for p in _parents(path) if p.endswith(_PROCESS_SUFFIXES)}))


def is_loose_info_plist(path: str) -> bool:
    """Say whether a path is that of an Info.plist of sources: named so, in no bundle, and not of a target of tests."""
    folder, _, name = path.rpartition("/")
    named_so = name == "Info.plist" or name.endswith("-Info.plist")
    return named_so and not is_in_test(path) and not any(is_bundle_folder(part) for part in folder.split("/"))


class Scopes:
    """The process bundles of one target, by their folders, and which of them a file belongs to.

    ``links`` are, by path of a Mach-O file, the frameworks and dylibs that it links (`BinaryFacts.links`).
    """

    def __init__(self, roots: Iterable[str], links: Mapping[str, tuple[str, ...]]) -> None:
        """Take the folders and the links."""
        self._roots = frozenset(roots)
        self._links = links

    def owners(self, path: str) -> tuple[str, ...]:
        """Give the folders of the process bundles that run what is in a file: the innermost around it, then each one
        nested in that which links the framework or dylib that the file belongs to. Empty outside every bundle.
        """
        inside = next((p for p in _parents(path) if p in self._roots), None)
        if inside is None:
            return ()
        unit = _code_unit(path)
        if unit in self._roots:
            return (inside,)
        name = PurePosixPath(unit).name
        nested = (r for r in sorted(self._roots) if r.startswith(inside + "/"))
        return (inside, *(r for r in nested if name in self._reach[r]))

    @cached_property
    def _reach(self) -> dict[str, frozenset[str]]:
        """By process bundle, the names of all that it links, directly or through what it links."""
        linked_by_unit: dict[str, set[str]] = defaultdict(set)
        units_by_name: dict[str, set[str]] = defaultdict(set)
        for path, names in self._links.items():
            unit = _code_unit(path)
            linked_by_unit[unit].update(names)
            units_by_name[PurePosixPath(unit).name].add(unit)
        reach: dict[str, frozenset[str]] = {}
        for root in self._roots:
            seen: set[str] = set()
            waiting = list(linked_by_unit[root])
            while waiting:
                name = waiting.pop()
                if name not in seen:
                    seen.add(name)
                    waiting += [n for unit in units_by_name.get(name, ()) for n in linked_by_unit[unit]]
            reach[root] = frozenset(seen)
        return reach


def _parents(path: str) -> Iterator[str]:
    """Give the folders around a path, innermost first."""
    end = path.rfind("/")
    while end > 0:
        yield path[:end]
        end = path.rfind("/", 0, end)


def _code_unit(path: str) -> str:
    """Give what is linked as one: the innermost framework or process bundle around a file, or a dylib itself."""
    if path.endswith(".dylib"):
        return path
    return next((p for p in _parents(path) if p.endswith(_CODE_SUFFIXES)), path)
