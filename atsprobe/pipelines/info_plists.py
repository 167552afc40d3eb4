"""The Info.plists of an extraction as text on disk: what a patch is made against."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from atsprobe.extract import plist_file
from atsprobe.extract.member import Unreadable
from atsprobe.extract.readers import info_plist
from atsprobe.extract.sighting import InfoPlist
from atsprobe.model.app import Bundle, Extraction, InfoPlistSource
from atsprobe.model.dictionary import AtsDictionary

_LARGEST = 16 << 20
_GIVE_THE_SOURCE = "give the app's source Info.plist, in XML"
_INSTALLED_BELOW = "Products/Applications"
"""Where an .xcarchive has its apps, which extraction leaves out of the names of files."""


@dataclass(frozen=True)
class MissingSource:
    """A bundle whose Info.plist cannot be patched, and why; ``advice`` says what to give instead."""

    bundle: str
    path: str
    reason: str
    advice: str = _GIVE_THE_SOURCE


@dataclass(frozen=True)
class InfoPlistSources:
    """What was found: ``sources`` with paths relative to ``folder`` (empty for the current one), and ``missing``.

    ``files`` are the paths by which the sources were opened.
    """

    sources: tuple[InfoPlistSource, ...]
    missing: tuple[MissingSource, ...]
    folder: str = ""
    files: tuple[str, ...] = ()


class _NoSource(Exception):
    """Says why an Info.plist has no text to patch."""

    def __init__(self, reason: str, advice: str = _GIVE_THE_SOURCE) -> None:
        super().__init__(reason)
        self.reason, self.advice = reason, advice


def info_plist_sources(extraction: Extraction) -> InfoPlistSources:
    """Read the XML Info.plist of every bundle from disk again, where it still declares what was audited."""
    found: list[tuple[str, str, str]] = []
    missing: list[MissingSource] = []
    for bundle in extraction.bundles:
        try:
            path, text = _source(bundle)
        except _NoSource as problem:
            missing.append(MissingSource(bundle.identifier, _shown(bundle), problem.reason, problem.advice))
        else:
            found.append((bundle.identifier, path, text))
    folder = _common_folder([path for _, path, _ in found])
    top = folder or os.path.realpath(".")
    sources = tuple(
        InfoPlistSource(identifier, Path(os.path.relpath(os.path.realpath(path), top)).as_posix(), text)
        for identifier, path, text in found
    )
    return InfoPlistSources(sources, tuple(missing), folder, tuple(path for _, path, _ in found))


def _common_folder(paths: Sequence[str]) -> str:
    """Give the folder from which a patch names its files: the current one where all lie below it, which is written empty."""
    here, real = os.path.realpath("."), [os.path.realpath(path) for path in paths]
    if all(os.path.commonpath([here, path]) == here for path in real):
        return ""
    return os.path.commonpath([os.path.dirname(path) for path in real])  # noqa: PTH120 - beside commonpath


def _shown(bundle: Bundle) -> str:
    return (
        bundle.target
        if bundle.is_loose_plist and bundle.info_plist == bundle.target
        else f"{bundle.target}: {bundle.info_plist}"
    )


def _source(bundle: Bundle) -> tuple[str, str]:
    """Give the path and the text of a bundle's Info.plist."""
    if bundle.info_plist != bundle.target and not os.path.isdir(bundle.target):  # noqa: PTH112 - any text
        if not os.path.lexists(bundle.target):
            raise _NoSource(
                "no such file", "run it in the folder where the audit was made, or give the source Info.plist"
            )
        raise _NoSource("inside an archive, where nothing can be patched")
    problem: _NoSource | None = None
    for path in _places(bundle):
        try:
            data = _read(path)
            if _declared(data) != bundle.dictionary:
                raise _NoSource("changed since it was audited", "audit it again")
            return path, _text(data)
        except _NoSource as error:
            problem = problem if error.reason == "no such file" and problem else error
    raise problem or _NoSource("no such file")


def _places(bundle: Bundle) -> Iterator[str]:
    """Give where the Info.plist may lie: labels of files may begin with the name of the folder that was the target."""
    if bundle.info_plist == bundle.target:
        yield bundle.target
        return
    parts = [p for p in bundle.info_plist.split("/") if p not in ("", ".", "..")]
    yield os.path.join(bundle.target, *parts[1:])  # noqa: PTH118 - a path of surrogates stays one
    yield os.path.join(bundle.target, *parts)  # noqa: PTH118
    yield os.path.join(bundle.target, _INSTALLED_BELOW, *parts)  # noqa: PTH118


def _read(path: str) -> bytes:
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):  # a pipe would not even open
            raise _NoSource("no plain file")
        with Path(path).open("rb") as file:
            data = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError | ValueError)
        reason = "no such file" if missing else (getattr(error, "strerror", None) or "cannot be read").lower()
        raise _NoSource(reason, "give the path of the source Info.plist") from error
    if len(data) > _LARGEST:
        raise _NoSource(f"larger than {_LARGEST >> 20} MiB")
    return data


def _declared(data: bytes) -> AtsDictionary | None:
    """Give what a file declares now. Raises _NoSource for one that is no XML property list."""
    if data.startswith(b"bplist"):
        raise _NoSource("a binary property list, as a build makes it; a patch needs XML")
    try:
        read = info_plist.read_loaded(plist_file.load(data))
        return next((s.dictionary for s in read if isinstance(s, InfoPlist)), None)
    except Unreadable as problem:
        raise _NoSource(problem.reason, problem.advice or _GIVE_THE_SOURCE) from problem


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _NoSource("not UTF-8", "plutil -convert xml1 writes it anew in UTF-8") from error
