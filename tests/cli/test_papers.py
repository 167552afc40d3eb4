"""--suggest, --patch and --notes: where they are written, when they are refused, and what is said at the end."""

from __future__ import annotations

import os
import plistlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from made_results import APP, SHARE, ferry, key, recording, result

from atsprobe.cli.commands import main
from atsprobe.extract.extract import extract
from atsprobe.model.result import MinimalDictionary

MODERN = {
    "NSAppTransportSecurity": {"NSExceptionDomains": {"a.example.com": {"NSExceptionRequiresForwardSecrecy": False}}}
}
NEEDS = {"NSExceptionDomains": {"b.example.com": {"NSExceptionRequiresForwardSecrecy": False}}}


@pytest.fixture
def app(tmp_path, monkeypatch) -> Path:
    """Give a folder to be in, with the source of an app's Info.plist in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "App").mkdir()
    (tmp_path / "App" / "Info.plist").write_bytes(plistlib.dumps(MODERN))
    return tmp_path


@pytest.fixture
def audits(pipeline):
    """Let `audit` extract the targets and conclude that every bundle needs ``NEEDS``; tells the targets of each call."""
    seen: list[list[str]] = []

    def audit(targets, settings, progress):
        extraction = extract(targets)
        progress.extracted(extraction)
        seen.append(targets)
        of = replace(recording(), extraction=extraction)
        keys = [key("a.example.com", "NSExceptionRequiresForwardSecrecy", False, "unneeded", "passes", bundle=b.identifier)
                for b in extraction.bundles]  # fmt: skip
        minimal = tuple(MinimalDictionary(b.identifier, NEEDS) for b in extraction.bundles)
        return replace(result([], keys, of=of), minimal=minimal)

    pipeline("audit", audit=audit, check_profiles=lambda settings: None)
    return seen


def said(capsys) -> list[str]:
    return [line.removeprefix("atsprobe: ") for line in capsys.readouterr().err.splitlines()]


def test_all_three_are_written_and_told(app, audits, capsys):
    """The last line says what lies where, and a hint how the patch is applied."""
    assert (
        main(
            [
                "audit",
                "App/Info.plist",
                "--suggest",
                "ats.plist",
                "--patch",
                "ats.diff",
                "--notes",
                "ats.md",
                "-o",
                "ats.txt",
            ]
        )
        == 1
    )
    assert said(capsys) == [
        "hint: git apply -p1 ats.diff   (or patch -p1 < ats.diff)",
        "exit 1: 1 finding; dictionary in ats.plist; patch in ats.diff; notes in ats.md; report in ats.txt",
    ]
    assert plistlib.loads((app / "ats.plist").read_bytes()) == {"NSAppTransportSecurity": NEEDS}
    assert (app / "ats.diff").read_text().startswith("--- a/App/Info.plist\n+++ b/App/Info.plist\n@@ -")
    assert (app / "ats.md").read_text().startswith("# App Transport Security of Info.plist\n")


def test_the_hint_names_the_command_that_writes_what_remains(app, audits, pipeline, capsys):
    """As typed and quoted for a shell: a patch for a source Info.plist, a dictionary for an app; none where it was asked for."""
    main(["audit", "App/Info.plist", "--notes", "my notes.md"])
    hint = "hint: atsprobe audit App/Info.plist --notes 'my notes.md' --patch ats.diff"
    assert said(capsys)[0] == hint
    built = replace(ferry(), minimal=(MinimalDictionary(APP.identifier, NEEDS),))
    pipeline("audit", audit=lambda *_: built, check_profiles=lambda settings: None)
    main(["audit", "build/Ferry.ipa"])
    assert (
        said(capsys)[0]
        == "hint: atsprobe audit build/Ferry.ipa --suggest ats.plist   (writes the dictionary that remains)"
    )
    main(["audit", "build/Ferry.ipa", "--suggest", "ats.plist"])
    main(["audit", "-"])
    assert not [line for line in said(capsys) if line.startswith("hint")]
    main(["audit", *(f"host{n}.example.com" for n in range(40))])
    assert (
        said(capsys)[0]
        == "hint: --suggest ats.plist beside the options that were given writes the dictionary that remains"
    )


def test_each_bundle_has_a_file_of_its_own(app, pipeline, capsys):
    """The main one at the path given, an extension's beside it; a file of that name that is not ours is left alone."""
    bundles = [MinimalDictionary(b.identifier, NEEDS) for b in (APP, SHARE)]
    both = replace(result(of=recording([APP, SHARE])), minimal=tuple(bundles))
    pipeline("audit", audit=lambda *_: both, check_profiles=lambda settings: None)
    for _ in range(2):  # ours are written anew
        assert main(["audit", "a", "--suggest", "ats.plist"]) == 0
        assert said(capsys) == [
            "exit 0: nothing to act on, no server was found; dictionaries in ats.plist, ats.Share.plist"
        ]
    (app / "ats.Share.plist").write_text("precious")
    assert main(["audit", "a", "--suggest", "ats.plist"]) == 2
    assert said(capsys) == [
        "error: ats.Share.plist: a file of that name is there, and atsprobe did not write it",
        "hint: move it away, or give another --suggest",
        "exit 2: not all was written, nothing to act on, no server was found; dictionary in ats.plist",
    ]
    assert (app / "ats.Share.plist").read_text() == "precious"


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        ("--suggest -", "--suggest: wants the path of a file", "--suggest ats.plist, say"),
        ("--notes=", "--notes: wants the path of a file", "--notes ats.md, say"),
        ("--patch App", "App: cannot be written (is a directory)", "nothing was scanned; give another --patch"),
        (
            "--suggest ./App/../App/Info.plist",
            "./App/../App/Info.plist: a target or the report, and --suggest would overwrite it",
            "give another --suggest",
        ),
        (
            "-o ats.txt --notes ats.txt",
            "ats.txt: a target or the report, and --notes would overwrite it",
            "give another --notes",
        ),
        (
            "--suggest ats --patch ats",
            "ats: the file of --suggest, and --patch would overwrite it",
            "give another --patch",
        ),
    ],
)
def test_a_path_that_cannot_be_is_refused_first(app, audits, capsys, arguments, error, hint):
    """Before anything is read or sent, and nothing is left behind."""
    assert main(["audit", "App/Info.plist", *arguments.split()]) == 2
    assert said(capsys) == [f"error: {error}", f"hint: {hint}", "exit 2: nothing was audited"]
    assert not audits
    assert sorted(p.name for p in app.iterdir()) == ["App"]


def test_the_source_of_an_audited_folder_is_not_overwritten(app, audits, capsys):
    """A folder is the target, and the path one of the Info.plists in it."""
    assert main(["audit", "App", "--notes", "App/Info.plist"]) == 2
    assert said(capsys)[0] == "error: App/Info.plist: an Info.plist that is audited, and --notes would overwrite it"
    assert plistlib.loads((app / "App" / "Info.plist").read_bytes()) == MODERN


SOURCE = "give the app's source Info.plist, in XML"


def make_binary(app: Path) -> str:
    (app / "App" / "Info.plist").write_bytes(plistlib.dumps(MODERN, fmt=plistlib.FMT_BINARY))
    return "App/Info.plist"


def make_utf16(app: Path) -> str:
    text = plistlib.dumps(MODERN).decode().replace("UTF-8", "UTF-16")
    (app / "App" / "Info.plist").write_bytes(text.encode("utf-16"))
    return "App/Info.plist"


def make_ipa(app: Path) -> str:
    plist = {**MODERN, "CFBundleIdentifier": "org.example.ferry", "CFBundlePackageType": "APPL"}
    with zipfile.ZipFile(app / "Ferry.ipa", "w") as archive:
        archive.writestr("Payload/Ferry.app/Info.plist", plistlib.dumps(plist))
    return "Ferry.ipa"


@pytest.mark.parametrize(
    ("make", "error", "hint"),
    [
        (make_binary, "App/Info.plist: a binary property list, as a build makes it; a patch needs XML", SOURCE),
        (make_utf16, "App/Info.plist: not UTF-8", "plutil -convert xml1 writes it anew in UTF-8"),
        (make_ipa, "Ferry.ipa: Ferry.app/Info.plist: inside an archive, where nothing can be patched", SOURCE),
        (lambda _: "a.example.com", "no Info.plist among the targets", SOURCE),
    ],
)
def test_a_patch_that_cannot_be_is_refused_before_the_first_packet(app, audits, capsys, make, error, hint):
    """With the reason, and what to give instead."""
    target = make(app)
    assert main(["audit", target, "--patch", "ats.diff"]) == 2
    assert said(capsys) == [f"error: --patch: {error}", f"hint: {hint}", "exit 2: nothing was audited"]
    assert not audits
    assert not (app / "ats.diff").exists()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (make_ipa, "Ferry.ipa: Ferry.app/Info.plist: inside an archive, where nothing can be patched"),
        (lambda _: "a.example.com", "no Info.plist among the targets"),
    ],
)
def test_a_patch_that_the_settings_file_asks_for_is_no_fault_where_none_can_be(app, audits, capsys, make, reason):
    """The file speaks for every audit of its folder: a target without a source is audited, and a hint says what was left out."""
    (app / "atsprobe.toml").write_text('patch = "ats.diff"\n')
    assert main(["audit", make(app)]) != 2
    assert f"hint: no patch was written to ats.diff: {reason}; {SOURCE}" in said(capsys)
    assert audits
    assert not (app / "ats.diff").exists()
    assert main(["audit", make(app), "--patch", "other.diff"]) == 2


def test_the_patch_of_the_settings_file_leaves_out_what_has_no_source(app, audits, capsys):
    """Beside a source that can be patched, a bundle that cannot is told of by a hint, and keeps the exit code as it is."""
    (app / "atsprobe.toml").write_text('patch = "ats.diff"\n')
    assert main(["audit", "App/Info.plist", make_ipa(app)]) == 1
    assert (app / "ats.diff").read_text().count("+++ ") == 1
    assert said(capsys)[1].startswith("hint: ats.diff patches no Ferry.ipa: Ferry.app/Info.plist: inside an archive")


def test_one_patch_holds_every_source_of_a_folder(app, audits, capsys):
    """Sources that lie elsewhere than here are named from their common folder, and the hint says where to apply it."""
    for name in ("My Widget", "Share"):
        (app / name).mkdir()
        (app / name / "Info.plist").write_bytes(plistlib.dumps(MODERN))
    assert main(["audit", ".", "--patch", "ats.diff"]) == 1
    headers = [line for line in (app / "ats.diff").read_text().splitlines() if line.startswith("+++")]
    assert headers == ["+++ b/App/Info.plist", "+++ b/My Widget/Info.plist\t", "+++ b/Share/Info.plist"]
    said(capsys)
    (app / "else where").mkdir()
    os.chdir(app / "else where")
    assert main(["audit", "../Share/Info.plist", "--patch", "ats.diff"]) == 1
    assert Path("ats.diff").read_text().startswith("--- a/Info.plist\n")
    folder, patch = app / "Share", app / "else where" / "ats.diff"
    assert said(capsys)[0] == f"hint: git -C {folder} apply -p1 '{patch}'   (or patch -d {folder} -p1 < '{patch}')"


def test_a_bundle_without_a_source_beside_one_that_has_it(app, audits, capsys):
    """The patch for the one is written, the other is an error, and the exit code says that not all is there."""
    (app / "Share").mkdir()
    (app / "Share" / "Info.plist").write_bytes(plistlib.dumps(MODERN, fmt=plistlib.FMT_BINARY))
    assert main(["audit", ".", "--patch", "ats.diff"]) == 2
    assert (app / "ats.diff").read_text().count("+++ ") == 1
    assert said(capsys)[0] == (
        "error: --patch: .: Share/Info.plist: a binary property list, as a build makes it; a patch needs XML"
    )


def test_a_bundle_folder_is_found_whatever_its_target_is_called(app, audits):
    """An .app, one in an archive of Xcode's, and one reached through a link: each is patched in its place."""
    plist = plistlib.dumps({**MODERN, "CFBundleIdentifier": "org.example.ferry", "CFBundlePackageType": "APPL"})
    inside = app / "Ferry.xcarchive" / "Products" / "Applications" / "Ferry.app"
    inside.mkdir(parents=True)
    (inside / "Info.plist").write_bytes(plist)
    (app / "link").symlink_to(inside)
    for target in ("Ferry.xcarchive", "Ferry.xcarchive/Products/Applications/Ferry.app", "link"):
        assert main(["audit", target, "--patch", "ats.diff"]) in (1, 2)
        assert (
            (app / "ats.diff")
            .read_text()
            .startswith("--- a/Ferry.xcarchive/Products/Applications/Ferry.app/Info.plist\n")
        )


def test_a_missing_target_is_its_own_error(app, audits, capsys):
    """What is wrong with the target is said, not that there is nothing to patch; and no paper is written about nothing."""
    assert main(["audit", "Nfo.plist", "--patch", "ats.diff", "--suggest", "ats.plist"]) == 2
    assert said(capsys)[0] == "error: Nfo.plist: no such file"
    assert not (app / "ats.diff").exists()
    assert not (app / "ats.plist").exists()


def test_a_paper_that_cannot_be_written_in_the_end(app, audits, capsys, monkeypatch):
    """The others are written, the report is given, and the exit code is 2."""
    from atsprobe.cli import speak

    tried = speak.Output

    class Full(tried):
        def write(self, text):
            if self.path == "ats.plist":
                raise speak.NotWritten(
                    "ats.plist: cannot be written (no space left on device)", "give another --output"
                )
            super().write(text)

    monkeypatch.setattr("atsprobe.cli.papers.Output", Full)
    assert main(["audit", "App/Info.plist", "--suggest", "ats.plist", "--notes", "ats.md"]) == 2
    assert said(capsys) == [
        "error: ats.plist: cannot be written (no space left on device)",
        "hint: give another --suggest",
        "exit 2: not all was written, 1 finding; notes in ats.md",
    ]
