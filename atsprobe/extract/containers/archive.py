"""A zip archive (.ipa, .tipa, .zip): its files as capped streams, never written to disk."""

from __future__ import annotations

import mmap
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO

from atsprobe.extract.containers.buffer_file import BufferFile
from atsprobe.extract.containers.directory import ENCRYPTED, Listing, read_directory
from atsprobe.extract.containers.file import unreadable
from atsprobe.extract.containers.opened import Opened
from atsprobe.extract.member import HEAD_BYTES, Allowance, Limits, Member, Unreadable
from atsprobe.extract.sighting import Buffer, Trouble

SUFFIXES = frozenset({".ipa", ".tipa"})
MAGICS = (b"PK\x03\x04", b"PK\x05\x06")

_ARCHIVE_SUFFIXES = SUFFIXES | {".zip"}
_STEP = 1 << 20
_MAPPED_FROM = 16 << 20
_MAX_NESTED = 128 << 20
_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    struct.error,
)
_CUT_SHORT = ("a zip archive cut short: its directory is missing or damaged", "copy, export or download it again")


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is a zip archive by its first bytes, or by its name: other bytes may stand before an archive."""
    return head.startswith(MAGICS) or has_suffix(path)


def has_suffix(path: str) -> bool:
    """Say whether a name is an archive's of apps or of files, rather than that of a document that is packed as zip, too."""
    return Path(path).suffix.lower() in _ARCHIVE_SUFFIXES


@contextmanager
def open_archive(path: str, limits: Limits) -> Iterator[Opened]:
    """List an archive by its central directory (APPNOTE.TXT 4.3.12). Members' names are labels: they never choose a path.

    Raises Unreadable for what is no whole zip archive, or is encrypted as a whole.
    """
    suffix = Path(path).suffix.lower()
    with _opened_file(path) as file, _opened(file, Allowance(limits), "", suffix) as opened:
        yield replace(opened, needs_app=suffix in SUFFIXES)


def _opened_file(path: str) -> IO[bytes]:
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise unreadable(error) from error


@contextmanager
def open_nested(member: Member, allowance: Allowance) -> Iterator[Opened]:
    """List an archive that lies in another target; labels begin with its own. Raises Unreadable as `open_archive`."""
    content = member.content()
    if len(content) > _MAX_NESTED:
        advice = "unpack it, and audit what is in it"
        raise Unreadable(f"an archive inside the target of more than {_MAX_NESTED >> 20} MiB", advice)
    suffix = Path(member.path).suffix.lower()
    with _opened(BufferFile(content), allowance, f"{member.path}/", suffix) as opened:
        yield opened


@contextmanager
def _opened(file: IO[bytes] | BufferFile, allowance: Allowance, prefix: str, suffix: str) -> Iterator[Opened]:
    try:
        archive = _zip_file(file, suffix)
    except _ERRORS as error:
        raise Unreadable(*_CUT_SHORT) from error
    with archive:
        listing = read_directory(archive, allowance, lambda info: _inflate(archive, info, allowance, HEAD_BYTES))
        yield Opened(_members(archive, listing, allowance, prefix), allowance, _skipped(listing, prefix))


def _zip_file(file: IO[bytes] | BufferFile, suffix: str) -> zipfile.ZipFile:
    _check_directory(file, suffix)
    return zipfile.ZipFile(file)


_END_RECORD, _END_RECORD_64 = b"PK\x05\x06", b"PK\x06\x06"
_LONGEST_TAIL = 22 + 0xFFFF + 20 + 56  # end record, comment, zip64 locator and end record
_MAX_DIRECTORY = 64 << 20
_MAX_LISTED = 300_000
_ENTRY = b"PK\x01\x02"


def _check_directory(file: IO[bytes] | BufferFile, suffix: str) -> None:
    """Bound the central directory before zipfile reads it whole: a record can be 46 bytes, and the file any size."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(4) or b""
    file.seek(max(0, size - _LONGEST_TAIL))
    tail = file.read(_LONGEST_TAIL) or b""
    at = tail.rfind(_END_RECORD)
    if at < 0 or len(tail) < at + 22:
        if not size:
            raise Unreadable("an empty file", "export or download it again")
        is_zip = head.startswith(MAGICS) or suffix not in SUFFIXES
        raise Unreadable(*(_CUT_SHORT if is_zip else ("not a zip archive, as an .ipa is", _CUT_SHORT[1])))
    directory = int.from_bytes(tail[at + 12 : at + 16], "little")
    at_64 = tail.rfind(_END_RECORD_64)
    if directory == 0xFFFFFFFF and at_64 >= 0:
        directory = int.from_bytes(tail[at_64 + 40 : at_64 + 48], "little")
    if directory > _MAX_DIRECTORY:
        raise Unreadable("an archive whose directory is larger than 64 MiB", _UNPACK)
    file.seek(max(0, size - len(tail) + at - directory - 76))
    if (file.read(directory + 76) or b"").count(_ENTRY) > _MAX_LISTED:
        raise Unreadable(f"an archive of more than {_MAX_LISTED:,} files", _UNPACK)


_UNPACK = "unpack it and give the .app folder"


def _members(archive: zipfile.ZipFile, listing: Listing, allowance: Allowance, prefix: str) -> tuple[Member, ...]:
    small = _Small(archive, allowance)

    def member(label: str, info: zipfile.ZipInfo) -> Member:
        if info.file_size <= HEAD_BYTES:
            whole = partial(small.content, info)
            return Member(prefix + label, whole, whole)
        head = partial(_inflate, archive, info, allowance, HEAD_BYTES)
        return Member(prefix + label, head, partial(_content, archive, info, allowance))

    members = (member(label, info) for label, info in listing.files if not info.flag_bits & ENCRYPTED)
    return tuple(sorted(members, key=lambda m: m.path))


class _Small:
    """Unpacks files no longer than their head once, and keeps the last: it is asked for again as the whole."""

    def __init__(self, archive: zipfile.ZipFile, allowance: Allowance) -> None:
        self._archive, self._allowance = archive, allowance
        self._last: tuple[zipfile.ZipInfo | None, bytes] = (None, b"")

    def content(self, info: zipfile.ZipInfo) -> bytes:
        """Give the whole of a file. Raises Unreadable."""
        if self._last[0] is not info:
            self._last = (info, _inflate(self._archive, info, self._allowance, None))
        return self._last[1]


def _skipped(listing: Listing, prefix: str) -> tuple[tuple[str, Trouble], ...]:
    return tuple((prefix + label, trouble) for label, trouble in listing.skipped)


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, allowance: Allowance) -> Buffer:
    """Unpack a member whole; a large one into memory of its own, which holds it once and is given back at once."""
    size = info.file_size
    if not _MAPPED_FROM <= size <= allowance.limits.file_bytes:
        return _inflate(archive, info, allowance, None)
    content, at = mmap.mmap(-1, size), 0
    for step in _steps(archive, info, allowance, None):
        content[at : at + len(step)] = step  # zipfile gives no more than the declared size
        at += len(step)
    return content


def _inflate(archive: zipfile.ZipFile, info: zipfile.ZipInfo, allowance: Allowance, wanted: int | None) -> bytes:
    """Unpack a member, or its first ``wanted`` bytes."""
    return b"".join(_steps(archive, info, allowance, wanted))


def _steps(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, allowance: Allowance, wanted: int | None
) -> Iterator[bytes]:
    """Give what comes out of a member piece by piece, counting it: declared sizes can lie. Raises Unreadable."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable(f"packed by zip method {info.compress_type}, which iOS does not install")
    limits, done = allowance.limits, 0
    try:
        with archive.open(info) as stream:
            while wanted is None or done < wanted:
                step = stream.read(_STEP if wanted is None else wanted - done)
                if not step:
                    break
                done += len(step)
                allowance.spend(len(step))
                if done > limits.file_bytes:
                    raise Unreadable(f"larger than {limits.file_bytes >> 20} MiB")
                if done > limits.ratio_from and done > limits.ratio * max(info.compress_size, 1):
                    raise Unreadable(f"unpacks to more than {limits.ratio} times its size: a zip bomb?")
                yield step
    except _ERRORS as error:
        raise Unreadable("damaged in the archive", "copy, export or download it again") from error
