"""Archives and folders: what is read of them, what is refused, and that nothing leaves them."""

from __future__ import annotations

import os
import stat
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atsprobe.extract.extract import extract
from atsprobe.extract.member import Limits

INFO = {"CFBundleIdentifier": "com.example.ferry", "CFBundleName": "Ferry"}
APP = {"Payload/Ferry.app/Info.plist": INFO, "Payload/Ferry.app/config.json": b'{"u": "https://api.example.com/"}'}
BAD_ZIP = "a zip archive cut short: its directory is missing or damaged"


def hosts(extraction):
    """Give the hosts found."""
    return [r.endpoint.host for r in extraction.references]


def skips(extraction):
    """Give (file, reason, whether the target itself is unreadable) of what was skipped."""
    return [(s.file, s.reason, s.unreadable) for s in extraction.skipped]


def with_flag(path, *names):
    """Mark members of an archive as encrypted, in both of their headers."""
    data = bytearray(Path(path).read_bytes())
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if not names or info.filename in names:
                data[info.header_offset + 6] |= 1
    at = data.find(b"PK\x01\x02")
    while at >= 0:
        size = int.from_bytes(data[at + 28 : at + 30], "little")
        if not names or data[at + 46 : at + 46 + size].decode() in names:
            data[at + 8] |= 1
        at = data.find(b"PK\x01\x02", at + 46)
    Path(path).write_bytes(data)
    return path


def test_an_ipa_is_read_without_its_payload_folder_in_the_labels(make_app):
    """Files of an .ipa are named as within the app's folder, the bundle's Info.plist first of all."""
    extraction = extract([make_app(APP)])
    assert [(r.endpoint.host, r.file, r.bundle) for r in extraction.references] == [
        ("api.example.com", "Ferry.app/config.json", "com.example.ferry")
    ]
    assert [(b.identifier, b.info_plist, b.title) for b in extraction.bundles] == [
        ("com.example.ferry", "Ferry.app/Info.plist", "Ferry")
    ]
    assert (extraction.skipped, extraction.files_read) == ((), 2)


@pytest.mark.parametrize("place", ["Ferry.app", "Payload/Ferry.app", "Ferry.xcarchive/Products/Applications/Ferry.app"])
@pytest.mark.parametrize("named", [True, False])
def test_a_folder_holds_the_app_at_any_depth(tmp_path, place, named):
    """The app itself, a folder that holds it, and an archive of Xcode's give the same bundle and hosts."""
    app = tmp_path / place
    app.mkdir(parents=True)
    for name, content in (("Info.plist", b"<plist><dict/></plist>"), ("a.json", b"https://api.example.com/")):
        (app / name).write_bytes(content)
    top = tmp_path / place.split("/", 1)[0] if named else tmp_path
    extraction = extract([str(top)])
    assert hosts(extraction) == ["api.example.com"]
    assert [b.is_loose_plist for b in extraction.bundles] == [False]
    if named and not place.startswith("Payload"):
        assert extraction.bundles[0].info_plist == "Ferry.app/Info.plist"


def test_debug_symbols_signatures_and_doubles_of_macos_are_left_out(tmp_path):
    """What holds no strings of the app's own is not read."""
    for name in (
        "Ferry.app/Info.plist",
        "Ferry.app/_CodeSignature/CodeResources",
        "Ferry.app/._config.json",
        "__MACOSX/Ferry.app/config.json",
        "dSYMs/Ferry.app.dSYM/Contents/Info.plist",
        "Other.app.dSYM/Contents/Info.plist",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(
            b"<plist><dict><key>a</key><string>https://a.example.com/</string></dict></plist>"
        )
    extraction = extract([str(tmp_path)])
    assert [r.file for r in extraction.references] == ["Ferry.app/Info.plist"]
    assert extraction.skipped == ()


def test_links_are_not_followed(tmp_path):
    """A link out of the folder, and one that leads round in a circle, are not entered."""
    (tmp_path / "secret.json").write_text("https://secret.example.com/")
    app = tmp_path / "Ferry.app"
    app.mkdir()
    (app / "a.json").write_text("https://a.example.com/")
    (app / "link.json").symlink_to("../secret.json")
    (app / "circle").symlink_to(".")
    assert hosts(extract([str(app)])) == ["a.example.com"]


def test_a_folder_that_cannot_be_listed_is_said(tmp_path, monkeypatch):
    """One folder without permission costs that folder, and the reason names it."""
    (tmp_path / "Ferry.app" / "closed").mkdir(parents=True)
    (tmp_path / "Ferry.app" / "Info.plist").write_bytes(b"<plist><dict/></plist>")
    really = os.scandir

    def scandir(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return really(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert skips(extract([str(tmp_path)])) == [("Ferry.app/closed", "permission denied", False)]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_a_truncated_archive_is_one_line(make_app, share):
    """An archive without its end is unreadable, with what to do about it."""
    path = Path(make_app(APP))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    extraction = extract([str(path), "b.example.com"])
    assert skips(extraction) == [("", BAD_ZIP, True)]
    assert hosts(extraction) == ["b.example.com"]


def test_an_archive_with_a_password_is_one_line(make_app):
    """Where every file is encrypted, the archive as a whole is unreadable."""
    assert skips(extract([with_flag(make_app(APP))])) == [("", "encrypted: the archive wants a password", True)]


def test_an_encrypted_member_costs_that_member(make_app):
    """Where one file is encrypted, the others are read and the reason names the one."""
    extraction = extract([with_flag(make_app({**APP, "Payload/Ferry.app/b.json": b"x"}), "Payload/Ferry.app/b.json")])
    assert hosts(extraction) == ["api.example.com"]
    assert skips(extraction) == [("Ferry.app/b.json", "encrypted in the archive", False)]


def test_a_damaged_member_costs_that_member(make_app):
    """A checksum that does not hold is said of its file, and the rest of the app is read."""
    path = Path(
        make_app({**APP, "Payload/Ferry.app/z.json": b"https://z.example.com/"}, compression=zipfile.ZIP_STORED)
    )
    path.write_bytes(path.read_bytes().replace(b"https://z.", b"https://y."))
    extraction = extract([str(path)])
    assert hosts(extraction) == ["api.example.com"]
    assert skips(extraction) == [("Ferry.app/z.json", "damaged in the archive", False)]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "not a zip archive, as an .ipa is"),
        ({"Payload/": b""}, "an archive without a file in it"),
        ({"Payload/readme.txt": b"x"}, "no app inside: nothing lies under Payload/NAME.app/"),
        ({"Payload/Ferry.app/config.json": b"x"}, "no Info.plist in this bundle"),
        ({"Payload/Ferry.app/Info.plist": b"nothing"}, "not a property list (line 1: syntax error)"),
        (
            {"Payload/Ferry.app/Info.plist": b"<plist><array/></plist>"},
            "not an Info.plist: it holds an array, not a dictionary",
        ),
        ({"Payload/Ferry.app/Info.plist": b""}, "no Info.plist in this bundle"),
    ],
)
def test_an_empty_app_is_unreadable(make_app, tmp_path, files, reason):
    """An archive without an app, and an app without an Info.plist that can be read, are no input."""
    if files:
        path = make_app(files)
    else:
        path = str(tmp_path / "Ferry.ipa")
        Path(path).write_bytes(b"PK")
    assert [(s.reason, s.unreadable) for s in extract([path]).skipped] == [(reason, True)]


def test_a_missing_executable_is_said(make_app):
    """An app whose executable is not there, or is none, is not taken for one without hosts."""
    info = {**INFO, "CFBundleExecutable": "Ferry"}
    for content in (None, b"#!/bin/sh"):
        files = {"Payload/Ferry.app/Info.plist": info} | ({"Payload/Ferry.app/Ferry": content} if content else {})
        (skipped,) = extract([make_app(files)]).skipped
        assert skipped.reason.startswith("the executable of its bundle")
        assert (skipped.file, skipped.unreadable) == ("Ferry.app/Ferry", False)


def test_names_in_an_archive_choose_no_path(make_app, tmp_path):
    """Names that climb out of the archive, absolute ones and those of macOS are labels: nothing is written anywhere."""
    before = sorted(p.name for p in tmp_path.rglob("*"))
    content = b"https://a.example.com/"
    names = (
        "../../evil.json",
        "/etc/evil.json",
        "Payload/Ferry.app/../evil.json",
        "Payload/Ferry.app/\x1b[2J.json",
        "a\\b.json",
    )
    extraction = extract([make_app({**APP, **dict.fromkeys(names, content), "__MACOSX/._x.json": content})])
    assert [r.file for r in extraction.references if r.endpoint.host == "a.example.com"] == sorted(
        ["../../evil.json", "etc/evil.json", "Ferry.app/../evil.json", "Ferry.app/\x1b[2J.json", "a\\b.json"]
    )
    assert sorted(p.name for p in tmp_path.rglob("*")) == sorted([*before, "Ferry.ipa"])


def test_two_members_of_one_name_are_both_read_and_said(tmp_path):
    """Which of two files of one name is installed is open: both are read, and that is said once."""
    path = tmp_path / "Ferry.ipa"
    with zipfile.ZipFile(path, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("Payload/Ferry.app/Info.plist", b"<plist><dict/></plist>")
        archive.writestr("Payload/Ferry.app/a.json", b"https://one.example.com/")
        archive.writestr("Payload/Ferry.app/a.json", b"https://two.example.com/")
    extraction = extract([str(path)])
    assert hosts(extraction) == ["one.example.com", "two.example.com"]
    assert [(f, r[:7]) for f, r, _ in skips(extraction)] == [("Ferry.app/a.json", "2 files")]


def test_a_symbolic_link_in_an_archive_is_not_followed(tmp_path):
    """A link is no text, though its target reads like a URL."""
    path = tmp_path / "Ferry.ipa"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Payload/Ferry.app/Info.plist", b"<plist><dict/></plist>")
        link = zipfile.ZipInfo("Payload/Ferry.app/a.json")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, b"https://link.example.com/")
    assert hosts(extract([str(path)])) == []


def test_a_zip_bomb_is_given_up_early(make_app):
    """A file of 256 MiB that packs to a thousandth is stopped at its ratio, quickly, and the app is read."""
    start = time.process_time()
    extraction = extract([make_app({**APP, "Payload/Ferry.app/z.json": b" " * (256 << 20)})])
    assert skips(extraction) == [("Ferry.app/z.json", "unpacks to more than 200 times its size: a zip bomb?", False)]
    assert hosts(extraction) == ["api.example.com"]
    assert time.process_time() - start < 20


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(files=2), "more than 2 files; the rest was not read"),
        (Limits(file_bytes=1 << 20), "larger than 1 MiB"),
        (Limits(all_bytes=1 << 20), "more than 1 MiB to read in one target"),
    ],
)
def test_every_limit_ends_in_a_reason(make_app, limits, reason):
    """The number of files, the size of one and of all are bounded, and what is over a bound is named."""
    path = make_app({**APP, "Payload/Ferry.app/x.json": os.urandom(2 << 20).hex().encode()})
    assert [(f, r) for f, r, _ in skips(extract([path], limits=limits))] == [("Ferry.app/x.json", reason)]


def test_the_number_of_files_in_a_folder_is_bounded(tmp_path):
    """A folder of too many files is read up to the limit, and so is one of too many levels."""
    for number in range(5):
        (tmp_path / f"{number}.json").write_text(f"https://h{number}.example.com/")
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    assert [r for _, r, _ in skips(extract([str(tmp_path)], limits=Limits(files=3)))] == [
        "more than 3 files; the rest was not read"
    ]
    assert [r for _, r, _ in skips(extract([str(tmp_path)], limits=Limits(depth=1)))] == ["more than 1 folders deep"]


def test_a_directory_of_an_archive_is_bounded_before_it_is_read(make_app):
    """An archive that claims a directory of gigabytes is refused by its end record."""
    path = Path(make_app(APP))
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x05\x06")
    data[at + 12 : at + 16] = (0xF0000000).to_bytes(4, "little")
    path.write_bytes(data)
    assert skips(extract([str(path)])) == [("", "an archive whose directory is larger than 64 MiB", True)]


def test_a_large_file_is_mapped_and_read_the_same(tmp_path):
    """A text file of 20 MB, which is mapped rather than read, gives its hosts with their lines."""
    path = tmp_path / "big.json"
    path.write_bytes(
        b"x" * (10 << 20) + b"\nhttps://a.example.com/\n" + b"y" * (10 << 20) + b"\nhttps://b.example.com/"
    )
    assert [(r.endpoint.host, str(r.location)) for r in extract([str(path)]).references] == [
        ("a.example.com", "2"),
        ("b.example.com", "4"),
    ]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_mutated_archive_is_read_without_an_error(make_app, data):
    """Random changes to an archive end in hosts or in reasons."""
    path = Path(make_app(APP))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    for skipped in extract([str(path)]).skipped:
        assert "could not be read as" not in skipped.reason
