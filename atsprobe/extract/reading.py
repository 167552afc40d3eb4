"""One target on disk → all that its files tell, not yet sorted by bundle."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from atsprobe.extract import bundle
from atsprobe.extract.containers import archive
from atsprobe.extract.containers.container import open_container
from atsprobe.extract.containers.opened import Opened
from atsprobe.extract.member import Allowance, Limits, Member, Unreadable
from atsprobe.extract.readers import info_plist, plain_text
from atsprobe.extract.readers.reader import format_of
from atsprobe.extract.sighting import (
    BinaryFacts,
    Buffer,
    Format,
    HostSighting,
    InfoPlist,
    NetworkApiSighting,
    Repeats,
    Sighting,
    TemplateSighting,
    Trouble,
)
from atsprobe.extract.target import PathTarget
from atsprobe.model.app import NetworkApiUse, SkippedInput
from atsprobe.model.endpoint import Endpoint

_MAX_SIGHTINGS = 200_000
_MAX_OF_ONE_HOST = 20
_MAX_SKIPPED = 1000
_NO_INFO_PLISTS = (".strings", ".stringsdict", ".mobileconfig")
_PLIST_ROWS = ("info-plist", "property-list")
_LOOSE_PLIST = Format("loose-info-plist", lambda *_: True, info_plist.read_loose)
_NAMED_TEXT = Format("named-text", plain_text.is_text, plain_text.read)


@dataclass
class Reading:
    """What the files of one target tell: by their path in it, sightings, Info.plists and facts of binaries; and what was not
    read. ``paths`` are all its files, looked into or not. ``unlisted`` counts what is not told one by one: sightings of one
    endpoint in one file beyond the twentieth.
    """

    target: str
    sightings: list[tuple[str, HostSighting | TemplateSighting]] = field(default_factory=list)
    infos: dict[str, InfoPlist] = field(default_factory=dict)
    binaries: dict[str, BinaryFacts] = field(default_factory=dict)
    network_apis: list[NetworkApiUse] = field(default_factory=list)
    skipped: list[SkippedInput] = field(default_factory=list)
    unlisted: Counter[Endpoint] = field(default_factory=Counter)
    paths: set[str] = field(default_factory=set)
    files_read: int = 0

    def skip(self, file: str, reason: str, advice: str = "", *, unreadable: bool = False) -> None:
        """Note that something was not read; after a thousand such notes, once that there are more."""
        if len(self.skipped) == _MAX_SKIPPED:
            reason, advice = f"and more, of which the first {_MAX_SKIPPED:,} stand above: {reason}", ""
        if len(self.skipped) <= _MAX_SKIPPED or unreadable:
            self.skipped.append(SkippedInput(self.target, file, reason, advice, unreadable))

    def binary_of(self, root: str) -> tuple[str, BinaryFacts | None] | None:
        """Give the path of a process bundle's main executable, and its facts; None where the Info.plist names none."""
        info = self.infos.get(f"{root}/Info.plist") or self.infos.get(f"{root}/Contents/Info.plist")
        if info is None or info.executable is None:
            return None
        places = (f"{root}/{info.executable}", f"{root}/Contents/MacOS/{info.executable}")
        path = next((p for p in places if p in self.paths), places[0])
        return path, self.binaries.get(path)


def read_target(target: PathTarget, limits: Limits) -> Reading:
    """Read a path that exists. What cannot be read stands in ``skipped``; nothing is raised."""
    reading = Reading(target.text)
    try:
        with open_container(target.path, limits) as opened:
            _take(reading, opened)
            if opened.is_single_file:
                _read_single(reading, opened.members[0])
            else:
                _read_members(reading, opened)
    except Unreadable as unreadable:
        reading.skip("", unreadable.reason, unreadable.advice, unreadable=True)
    return reading


def _take(reading: Reading, opened: Opened) -> None:
    reading.paths |= {m.path for m in opened.members}
    for file, trouble in opened.skipped:
        reading.skip(file, trouble.reason, trouble.advice)


def _read_single(reading: Reading, member: Member) -> None:
    """Read a file that was named itself: what is wrong with it is wrong with the target."""
    head = member.head()
    if not head:
        raise Unreadable("an empty file")
    name = member.path.lower()
    row = format_of(member.path, head) or _text_format(member.path, head)
    is_plist = row is not None and row.name in _PLIST_ROWS and not name.endswith(_NO_INFO_PLISTS)
    row = _LOOSE_PLIST if is_plist else row
    if row is None:
        raise Unreadable(
            "not an app, a property list, a Mach-O file or text", "give the .ipa, the .app folder or its Info.plist"
        )
    try:
        _read_member(reading, member, row, is_target=True)
    except Unreadable as unreadable:
        if not is_plist:
            raise
        raise Unreadable(
            unreadable.reason, f"{unreadable.advice or 'plutil -lint'} {shlex.quote(member.path)}"
        ) from unreadable


def _text_format(path: str, head: bytes) -> Format | None:
    return _NAMED_TEXT if _NAMED_TEXT.recognises(path, head) else None


def _read_members(reading: Reading, opened: Opened) -> None:
    _read_all(reading, opened, is_nested=False)
    _check_bundles(reading, needs_app=opened.needs_app)


def _read_all(reading: Reading, opened: Opened, *, is_nested: bool) -> None:
    for member in opened.members:
        if len(reading.sightings) > _MAX_SIGHTINGS:
            reading.skip(member.path, f"more than {_MAX_SIGHTINGS:,} hosts; this file and those after it were not read")
            return
        try:
            head = member.head()
            if head.startswith(archive.MAGICS) and archive.has_suffix(member.path):
                _read_nested(reading, member, opened.allowance, is_nested=is_nested)
                continue
            row = format_of(member.path, head)
            if row:
                _read_member(reading, member, row, is_target=False)
        except Unreadable as unreadable:
            reading.skip(member.path, unreadable.reason, unreadable.advice)


def _read_nested(reading: Reading, member: Member, allowance: Allowance, *, is_nested: bool) -> None:
    """Read an archive that lies in the target; one that lies in such an archive again is not opened."""
    if is_nested:
        raise Unreadable(
            "an archive in an archive in the target; it was not opened", "unpack it and audit what is in it"
        )
    with archive.open_nested(member, allowance) as opened:
        _take(reading, opened)
        _read_all(reading, opened, is_nested=True)


def _read_member(reading: Reading, member: Member, row: Format, *, is_target: bool) -> None:
    content = member.content()
    reading.files_read += 1
    times: Counter[tuple[Endpoint, str]] = Counter()
    for sighting in _guarded(row, member.path, content):
        match sighting:
            case HostSighting():
                key = sighting.endpoint, sighting.kind + sighting.noise_reason
                times[key] += 1
                if times[key] > _MAX_OF_ONE_HOST:
                    reading.unlisted[sighting.endpoint] += 1
                else:
                    reading.sightings.append((member.path, replace(sighting, detector=sighting.detector or row.name)))
            case Repeats():
                reading.unlisted[sighting.endpoint] += sighting.times
            case TemplateSighting():
                reading.sightings.append((member.path, sighting))
            case InfoPlist():
                reading.infos[member.path] = sighting
            case BinaryFacts():
                reading.binaries[member.path] = sighting
            case NetworkApiSighting():
                use = replace(sighting.use, file=member.path, target=reading.target)
                reading.network_apis.append(use)
            case Trouble():
                file = f"{'' if is_target else member.path} {sighting.part}".strip()
                reading.skip(file, sighting.reason, sighting.advice, unreadable=is_target and sighting.is_damage)


def _guarded(row: Format, path: str, content: Buffer) -> Iterator[Sighting]:
    try:
        yield from row.read(path, content)
    except Unreadable:
        raise
    except Exception as error:  # noqa: BLE001 - one hostile file must not end the audit of all others
        yield Trouble(f"could not be read as {row.name} ({type(error).__name__})")


def _check_bundles(reading: Reading, *, needs_app: bool) -> None:
    """Say which bundles have no Info.plist that can be read, or not the executable that it names."""
    folders = bundle.process_folders(reading.paths)
    read = {root for path in reading.infos if (root := bundle.process_root(path))}
    if not folders and needs_app:
        reading.skip("", "no app inside: nothing lies under Payload/NAME.app/", "export it again", unreadable=True)
    for folder in folders:
        is_outermost = not any(folder.startswith(f"{other}/") for other in folders)
        if folder not in read:
            _say_no_info_plist(reading, folder, is_outermost=is_outermost)
            continue
        binary = reading.binary_of(folder)
        if binary and binary[1] is None and not any(s.file == binary[0] for s in reading.skipped):
            is_there = binary[0] in reading.paths
            reason = (
                "the executable of its bundle, but no Mach-O file"
                if is_there
                else "the executable of its bundle is missing"
            )
            reading.skip(binary[0], reason, "build or export the app again")


def _say_no_info_plist(reading: Reading, folder: str, *, is_outermost: bool) -> None:
    """Say it of the whole target where the bundle is an app of its own: without a dictionary it cannot be judged."""
    names = (f"{folder}/Info.plist", f"{folder}/Contents/Info.plist")
    broken = [s for s in reading.skipped if s.file in names]
    if not broken:
        reading.skip(folder, "no Info.plist in this bundle", "build or export the app again", unreadable=is_outermost)
    elif is_outermost:
        others = [s for s in reading.skipped if s not in broken]
        worse = [
            SkippedInput(s.target, s.file, s.reason, s.advice or "build or export the app again", unreadable=True)
            for s in broken
        ]
        reading.skipped[:] = others + worse
