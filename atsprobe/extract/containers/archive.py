"""A zip archive (.ipa, .tipa): its files as capped streams, never written to disk."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from atsprobe.extract.containers.file import unreadable
from atsprobe.extract.containers.opened import Opened
from atsprobe.extract.member import HEAD_BYTES, Allowance, Limits, Member, Unreadable, printable_path
from atsprobe.extract.sighting import Trouble

SUFFIXES = frozenset({".ipa", ".tipa"})
MAGICS = (b"PK\x03\x04", b"PK\x05\x06")

_STEP = 1 << 20
_END_RECORD, _END_RECORD_64 = b"PK\x05\x06", b"PK\x06\x06"
_LONGEST_TAIL = 22 + 0xFFFF + 20 + 56  # end record, comment, zip64 locator and end record
_MAX_DIRECTORY = 64 << 20
_ENCRYPTED = 0x1
_LISTED = 20
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


@contextmanager
def open_archive(path: str, limits: Limits) -> Iterator[Opened]:
    """List an archive by its central directory (APPNOTE.TXT 4.3.12). Members' names are labels: they never choose a path.

    Symbolic links, AppleDouble files and empty names are left out; of two members of one name both are read, and that is said.
    Raises Unreadable for what is no whole zip archive, or is encrypted as a whole.
    """
    _check_directory(path)
    try:
        archive = zipfile.ZipFile(path)
    except _ERRORS as error:
        raise Unreadable(*_CUT_SHORT) from error
    with archive:
        infos = [i for i in archive.infolist() if _is_wanted(i)]
        if infos and all(i.flag_bits & _ENCRYPTED for i in infos):
            raise Unreadable(
                "encrypted: the archive wants a password", "unpack it with its password and give the .app folder"
            )
        if not infos:
            raise Unreadable("an archive without a file in it", "export or download it again")
        too_many = infos[limits.files :]
        kept = infos[: limits.files]
        allowance = Allowance(limits)
        members = [_member(archive, i, allowance) for i in kept if not i.flag_bits & _ENCRYPTED]
        skipped = [*_encrypted(kept), *_duplicates(kept)]
        if too_many:
            skipped.append((_label(too_many[0]), Trouble(f"more than {limits.files} files; the rest was not read")))
        yield Opened(
            tuple(sorted(members, key=lambda m: m.path)),
            tuple(skipped),
            needs_app=Path(path).suffix.lower() in SUFFIXES,
        )


_CUT_SHORT = ("a zip archive cut short: its directory is missing or damaged", "copy, export or download it again")


def _check_directory(path: str) -> None:
    """Bound the central directory before zipfile reads it whole: a record can be 46 bytes, and the file any size."""
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _LONGEST_TAIL))
            tail = file.read()
    except OSError as error:
        raise unreadable(error) from error
    at = tail.rfind(_END_RECORD)
    if at < 0 or len(tail) < at + 22:
        raise Unreadable(*_CUT_SHORT)
    directory = int.from_bytes(tail[at + 12 : at + 16], "little")
    at_64 = tail.rfind(_END_RECORD_64)
    if directory == 0xFFFFFFFF and at_64 >= 0:
        directory = int.from_bytes(tail[at_64 + 40 : at_64 + 48], "little")
    if directory > _MAX_DIRECTORY:
        raise Unreadable("an archive whose directory is larger than 64 MiB", "unpack it and give the .app folder")


def _is_wanted(info: zipfile.ZipInfo) -> bool:
    parts = info.filename.split("/")
    is_link = stat.S_ISLNK(info.external_attr >> 16)
    return not (info.is_dir() or is_link or parts[-1].startswith("._") or "__MACOSX" in parts or not _label(info))


def _label(info: zipfile.ZipInfo) -> str:
    parts = [p for p in info.filename.split("/") if p not in ("", ".")]
    return printable_path("/".join(parts[1:] if parts[:1] == ["Payload"] else parts))


def _encrypted(infos: Iterable[zipfile.ZipInfo]) -> Iterator[tuple[str, Trouble]]:
    labels = sorted(_label(i) for i in infos if i.flag_bits & _ENCRYPTED)
    advice = "unpack it with its password and give the .app folder"
    for label in labels[:_LISTED]:
        yield label, Trouble("encrypted in the archive", advice)
    if len(labels) > _LISTED:
        yield (
            labels[_LISTED],
            Trouble(f"encrypted in the archive, and {len(labels) - _LISTED - 1} more files are", advice),
        )


def _duplicates(infos: Iterable[zipfile.ZipInfo]) -> Iterator[tuple[str, Trouble]]:
    seen = Counter(_label(i) for i in infos)
    for label in sorted(label for label, times in seen.items() if times > 1)[:_LISTED]:
        yield (
            label,
            Trouble(f"{seen[label]} files of this name in the archive; all were read, which one is installed is open"),
        )


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, allowance: Allowance) -> Member:
    return Member(
        _label(info),
        lambda: _inflate(archive, info, allowance, HEAD_BYTES),
        lambda: _inflate(archive, info, allowance, None),
    )


def _inflate(archive: zipfile.ZipFile, info: zipfile.ZipInfo, allowance: Allowance, wanted: int | None) -> bytes:
    """Unpack a member, or its first ``wanted`` bytes, counting what comes out: declared sizes can lie."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unreadable(f"packed by zip method {info.compress_type}, which iOS does not install")
    limits, content = allowance.limits, bytearray()
    try:
        with archive.open(info) as stream:
            while wanted is None or len(content) < wanted:
                step = stream.read(_STEP if wanted is None else wanted - len(content))
                if not step:
                    break
                content += step
                allowance.spend(len(step))
                if len(content) > limits.file_bytes:
                    raise Unreadable(f"larger than {limits.file_bytes >> 20} MiB")
                if len(content) > limits.ratio_from and len(content) > limits.ratio * max(info.compress_size, 1):
                    raise Unreadable(f"unpacks to more than {limits.ratio} times its size: a zip bomb?")
    except _ERRORS as error:
        raise Unreadable("damaged in the archive", "copy, export or download it again") from error
    return bytes(content)
