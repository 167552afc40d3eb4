"""What is read of archives inside targets, of exports, libraries for many systems and source trees; and hostile archives."""

from __future__ import annotations

import io
import plistlib
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from atsprobe.extract.extract import extract
from atsprobe.extract.member import Limits

INFO = plistlib.dumps({"CFBundleIdentifier": "com.example.ferry"})


def zipped(files, **options):
    """Give the bytes of an archive of {path: bytes}."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return buffer.getvalue()


def written(folder, files):
    """Write {path: bytes} below a folder, and give it."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def url(name):
    """Give a text that names a host."""
    return f'"https://{name}.example.co/"'.encode()


def names(extraction):
    """Give the first labels of the hosts found, sorted, one for each reference."""
    return sorted(r.endpoint.host.partition(".")[0] for r in extraction.references)


def reasons(extraction):
    """Give {file: reason} of what was skipped."""
    return {s.file: s.reason for s in extraction.skipped}


def both(tmp_path, files, name="Ferry.zip"):
    """Extract the same files from a folder and from an archive."""
    folder = written(tmp_path / "folder", files)
    path = tmp_path / name
    path.write_bytes(zipped(files))
    return extract([str(folder)]), extract([str(path)])


def test_an_export_is_read_less_what_xcode_lays_beside_the_app(tmp_path):
    """Symbols, Apple's libraries and stubs and the purchase are no strings of the app, in a folder and in an archive."""
    beside = (
        *("SwiftSupport/iphoneos/a.json", "Symbols/a.json", "BCSymbolMaps/a.json", "WatchKitSupport2/a.json"),
        *(
            "META-INF/a.json",
            "iTunesMetadata.plist",
            "dSYMs/Ferry.app.dSYM/a.json",
            "Payload/Ferry.app/_CodeSignature/a.json",
        ),
    )
    own = {
        "Payload/Ferry.app/Info.plist": INFO,
        "Payload/Ferry.app/Symbols/a.json": url("symbols"),
        "Payload/Ferry.app/build/node_modules/.hidden/a.json": url("modules"),
    }
    for extraction in both(tmp_path, {**dict.fromkeys(beside, url("beside")), **own}, "Ferry.ipa"):
        assert (names(extraction), extraction.skipped) == (["modules", "symbols"], ())


def test_an_archive_of_xcode_gives_app_clip_and_watch_app_each_their_own(tmp_path):
    """In a folder and zipped, every process bundle owns its files, and labels begin at the app."""
    app = "Ferry.xcarchive/Products/Applications/Ferry.app"
    bundles = {
        "ferry": app,
        "clip": f"{app}/AppClips/Clip.app",
        "watch": f"{app}/Watch/Watch.app",
        "complication": f"{app}/Watch/Watch.app/PlugIns/Face.appex",
        "share": f"{app}/PlugIns/Share.appex",
        "kit": f"{app}/Extensions/Kit.appex",
    }
    files = {"Ferry.xcarchive/Info.plist": plistlib.dumps({"ApplicationProperties": {}})}
    for name, place in bundles.items():
        files[f"{place}/Info.plist"] = plistlib.dumps({"CFBundleIdentifier": name})
        files[f"{place}/Settings.bundle/Root.json"] = url(name)
    files["Ferry.xcarchive/SwiftSupport/a.json"] = url("no")
    folder = written(tmp_path, files) / "Ferry.xcarchive"
    path = tmp_path / "Ferry.xcarchive.zip"
    path.write_bytes(zipped(files))
    for extraction in (extract([str(folder)]), extract([str(path)])):
        assert sorted((r.endpoint.host, r.bundle) for r in extraction.references) == sorted(
            (f"{name}.example.co", name) for name in bundles
        )
        assert {r.file.partition("/")[0] for r in extraction.references} == {"Ferry.app"}
        assert not extraction.skipped


@pytest.mark.parametrize(
    ("slices", "read"),
    [
        (["ios-arm64", "ios-arm64_x86_64-simulator", "ios-arm64_x86_64-maccatalyst", "macos-arm64"], ["ios-arm64"]),
        (["ios-arm64_armv7", "tvos-arm64", "watchos-arm64_arm64_32", "xros-arm64"], ["ios-arm64_armv7"]),
        (["ios-x86_64-simulator", "macos-x86_64"], ["ios-x86_64-simulator"]),
        (["macos-arm64_x86_64"], ["macos-arm64_x86_64"]),
        (["device", "simulator"], ["device", "simulator"]),
        (["ios-arm64", "odd"], ["ios-arm64", "odd"]),
    ],
)
def test_one_slice_of_an_xcframework_is_read(tmp_path, slices, read):
    """The same library for other systems is not read again; folders of unknown names are, so that nothing is lost."""
    files = {f"Net.xcframework/{s}/Net.framework/a.json": url("net") for s in slices}
    for extraction in both(tmp_path, files):
        assert [r.file.split("/")[1] for r in extraction.references] == sorted(read)
        assert not extraction.skipped


def test_archives_in_a_target_are_read_and_those_in_them_said(tmp_path):
    """An app's packed web pages, and an .ipa that lies in a folder, are opened; an archive in an archive in it is not."""
    pages = zipped({"index.html": url("pages"), "more.zip": zipped({"a.json": url("deep")})})
    ipa = zipped({"Payload/Ferry.app/Info.plist": INFO, "Payload/Ferry.app/a.json": url("inner")})
    folder = written(tmp_path / "f", {"www.zip": pages, "Ferry.ipa": ipa})
    extraction = extract([str(folder)])
    assert names(extraction) == ["inner", "pages"]
    assert [(b.identifier, b.info_plist) for b in extraction.bundles] == [
        ("com.example.ferry", "Ferry.ipa/Ferry.app/Info.plist")
    ]
    assert {r.bundle for r in extraction.references if r.file.startswith("Ferry.ipa")} == {"com.example.ferry"}
    assert reasons(extraction) == {"www.zip/more.zip": "an archive in an archive in the target; it was not opened"}


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        (b"PK\x03\x04 not an archive", "a zip archive cut short: its directory is missing or damaged"),
        (zipped({"a.json": url("a")})[:-30], "a zip archive cut short: its directory is missing or damaged"),
        (zipped({}), "an archive without a file in it"),
    ],
)
def test_a_broken_archive_in_an_app_costs_itself(make_app, inner, reason):
    """It is said by its name, and the app around it is read."""
    files = {
        "Payload/Ferry.app/Info.plist": INFO,
        "Payload/Ferry.app/a.json": url("own"),
        "Payload/Ferry.app/w.zip": inner,
    }
    extraction = extract([make_app(files)])
    assert (names(extraction), reasons(extraction)) == (["own"], {"Ferry.app/w.zip": reason})


def test_files_of_archives_in_archives_count_towards_the_limits(make_app):
    """Files and bytes of nested archives are taken off what is left of the whole target."""
    inner = zipped({f"{n}.json": url("inner") for n in range(10)})
    files = {"Payload/Ferry.app/Info.plist": INFO} | {f"Payload/Ferry.app/{n}.zip": inner for n in range(10)}
    extraction = extract([make_app(files)], limits=Limits(files=45))
    assert extraction.files_read == 1 + 34
    assert set(reasons(extraction).values()) == {"more than 45 files; the rest was not read"}


def test_an_archive_with_bytes_before_it_is_read(tmp_path):
    """Readers of zip look for its end: an .ipa with anything before it is an .ipa."""
    path = tmp_path / "Ferry.ipa"
    files = {"Payload/Ferry.app/Info.plist": INFO, "Payload/Ferry.app/a.json": url("own")}
    path.write_bytes(b"#!/bin/sh\nexit\n" * 100 + zipped(files))
    extraction = extract([str(path)])
    assert (names(extraction), extraction.skipped) == (["own"], ())


def test_zip64_is_read(tmp_path):
    """Sizes and offsets of 64 bits are read as those of 32."""
    path = tmp_path / "Ferry.ipa"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {"Payload/Ferry.app/Info.plist": INFO, "Payload/Ferry.app/a.json": url("own")}.items():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(content)
    assert names(extract([str(path)])) == ["own"]


def directory_of(rows, local):
    """Write an archive of raw local bytes and directory rows of (name, offset, packed, size, crc)."""
    directory = b"".join(
        struct.pack(
            "<4s4B4HL2L5H2L", b"PK\1\2", 20, 0, 20, 0, 0, 8, 0, 0, crc, packed, size, len(name), 0, 0, 0, 0, 0, offset
        )
        + name
        for name, offset, packed, size, crc in rows
    )
    count = min(len(rows), 0xFFFF)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), len(local), 0)
    return local + directory + end


def test_files_that_overlap_are_not_unpacked_again_and_again(tmp_path):
    """A thousand names for the same twenty megabytes cost them once, and what was not read is said."""
    text = b" " * (20 << 20) + url("once")
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed, crc = deflate.compress(text) + deflate.flush(), zlib.crc32(text)
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, crc, len(packed), len(text), 6, 0) + b"a.json" + packed
    path = tmp_path / "bomb.zip"
    path.write_bytes(directory_of([(b"a.json", 0, len(packed), len(text), crc)] * 1000, local))
    extraction = extract([str(path)])
    assert (names(extraction), extraction.files_read) == (["once"], 1)
    assert len(extraction.skipped) == 21
    assert extraction.skipped[0].reason == "overlaps another file in the archive: a zip bomb?"
    assert extraction.skipped[20].reason.endswith("so it is with 978 more files")


def test_a_directory_of_too_many_files_is_refused_before_it_is_parsed(tmp_path):
    """Rows of the directory are counted in its bytes: a million objects are not built to find out."""
    path = tmp_path / "many.zip"
    path.write_bytes(directory_of([(b"a", 0, 0, 0, 0)] * 300_001, b"PK\3\4"))
    (skipped,) = extract([str(path)]).skipped
    assert (skipped.reason, skipped.unreadable) == ("an archive of more than 300,000 files", True)


def test_names_of_any_depth_and_spelling_are_labels(make_app):
    """A name of ten thousand folders costs its file; controls and marks of direction stay within the label."""
    deep, odd = "d/" * 10_000 + "a.json", "Payload/Ferry.app/\u202egpj\x07.json"
    extraction = extract([make_app({"Payload/Ferry.app/Info.plist": INFO, deep: url("deep"), odd: url("odd")})])
    assert names(extraction) == ["odd"]
    ((file, reason),) = reasons(extraction).items()
    assert (len(file), reason) == (200, "more than 64 folders deep")


def test_links_of_an_archive_are_said_where_they_lead_out_of_it(tmp_path):
    """What a link within the archive leads to is read in its own place; any other link is said, and never followed."""
    path = tmp_path / "Ferry.ipa"
    targets = {
        "Frameworks/Net.framework/Net.json": "Versions/A/Net.json",
        "Frameworks/Net.framework/Versions/Current": "A",
        "circle": "../Ferry.app",
        "self": "self",
        "passwd.json": "/etc/passwd",
        "out.json": "../../../../etc/passwd",
        "gone.json": "nowhere",
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Payload/Ferry.app/Info.plist", INFO)
        archive.writestr("Payload/Ferry.app/Frameworks/Net.framework/Versions/A/Net.json", url("net"))
        for name, target in targets.items():
            link = zipfile.ZipInfo(f"Payload/Ferry.app/{name}")
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(link, target)
    extraction = extract([str(path)])
    assert names(extraction) == ["net"]
    reason = "a symbolic link to what the archive does not hold"
    assert reasons(extraction) == {f"Ferry.app/{n}.json": reason for n in ("gone", "out", "passwd")}


def test_a_link_out_of_a_folder_is_said(tmp_path):
    """One within the folder, in a circle or to nothing is none to speak of."""
    secret = written(tmp_path, {"secret/a.json": url("secret"), "Ferry.app/Info.plist": INFO}) / "secret"
    app = tmp_path / "Ferry.app"
    for name, target in {
        "out": secret,
        "file.json": secret / "a.json",
        "circle": ".",
        "gone": "nowhere",
        "self": "self",
    }.items():
        (app / name).symlink_to(target)
    extraction = extract([str(app)])
    reason = "a symbolic link out of the target; it was not followed"
    assert (names(extraction), reasons(extraction)) == (
        [],
        {"Ferry.app/out": reason, "Ferry.app/file.json": reason},
    )


def test_what_was_not_read_is_listed_up_to_a_bound(tmp_path):
    """Of thousands of broken files the first thousand are named, and that there are more."""
    broken = {f"Ferry.app/{n}.plist": b"<plist><dict>" for n in range(1100)}
    extraction = extract([str(written(tmp_path, {"Ferry.app/Info.plist": INFO, **broken}) / "Ferry.app")])
    assert len(extraction.skipped) == 1001
    assert extraction.skipped[-1].reason.startswith("and more, of which the first 1,000 stand above")


SOURCES = {
    "ios/Ferry/Info.plist": INFO,
    "ios/Ferry/Api.swift": b'let a = "https://api.example.co/v1"\n// https://comment.example.co/\nlet h = "bare.example.com"\n',
    "ios/Ferry/Old.m": b'#define BASE @"http://old.example.co/" // "https://behind.example.co/"\n * "https://star.example.co/"\n',
    "ios/Pods/Net/Net.m": b'NSString *u = @"https://pod.example.co/";',
    "ios/build/Ferry.app/Info.plist": INFO,
    "ios/Ferry.xcodeproj/project.pbxproj": b"// !$*UTF8*$!",
    "lib/main.dart": b"final u = 'https://dart.example.co/$path';",
    "src/api.ts": b"export const u = `https://${region}.ts.example.co/`;",
    ".env": b"API=https://env.example.co/",
    ".env.production": b"API=https://production.example.co/",
    ".env.example": url("document"),
    ".github/workflows/ci.yml": url("ci"),
    "android/app/src/main/res/raw/a.json": url("android"),
    "node_modules/left-pad/index.js": url("module"),
    "node_modules/left-pad/node_modules/x/index.js": url("module"),
    "ios/FerryTests/Info.plist": plistlib.dumps({"CFBundleIdentifier": "tests"}),
    "ios/FerryTests/ApiTests.swift": url("test"),
    "src/__tests__/api.js": url("test"),
    "src/api.test.ts": url("test"),
    "docs/index.html": url("document"),
    "README.txt": url("document"),
    "LICENSE": url("licence"),
    "ios/Ferry/Settings.bundle/Acknowledgements.plist": plistlib.dumps({"a": "https://licence.example.co/"}),
    "package-lock.json": url("tool"),
    "ios/Podfile": url("tool"),
    "metro.config.js": url("tool"),
}


def test_a_source_tree_gives_the_hosts_of_its_code(tmp_path):
    """Literals are loads, names in quotes bare hosts, comments less sure; tests, documents and tools are noise with a reason."""
    for extraction in both(tmp_path, SOURCES):
        found = {(r.endpoint.host.split(".")[0], str(r.confidence), r.detector) for r in extraction.references}
        assert found == {
            ("api", "B", "source"),
            ("comment", "D", "source"),
            ("bare", "C", "source"),
            ("old", "B", "source"),
            ("behind", "D", "source"),
            ("star", "D", "source"),
            ("pod", "B", "source"),
            ("dart", "B", "source"),
            ("env", "B", "text"),
            ("production", "B", "text"),
        }
        assert [t.suffix for t in extraction.templates] == ["ts.example.co"]
        assert {(r.endpoint.host.split(".")[0], r.noise_reason) for r in extraction.noise} == {
            ("test", "in a test"),
            ("document", "in a document about the project"),
            ("licence", "in the text of a licence"),
            ("tool", "in the configuration of a build tool"),
        }
        assert [b.identifier for b in extraction.bundles] == ["com.example.ferry"]
        assert reasons(extraction) == {
            "node_modules": "code of other packages, of which a build takes a part; it was not read"
        }


def test_build_settings_of_xcode_are_read_as_xcode_reads_them(tmp_path):
    """A URL with an empty setting in it is whole, a bare host is a value; what ``//`` cuts off is a comment."""
    settings = b"""// https://comment.example.co/
API = https:/$()/api.example.co/v1
API[config=Debug] = http:/${}/debug.example.co:8080
HOST = bare.example.com // bare
CUT = https://cut.example.co/
FILLED = https:/$()/$(STAGE).filled.example.co/
"""
    folder = written(tmp_path, {"Info.plist": INFO, "Ferry.xcconfig": settings})
    extraction = extract([str(folder)])
    assert [(str(r.endpoint), str(r.confidence), str(r.location)) for r in extraction.references] == [
        ("api.example.co:443", "B", "2"),
        ("debug.example.co:8080", "B", "3"),
        ("bare.example.com:443", "C", "4"),
        ("comment.example.co:443", "D", "1"),
        ("cut.example.co:443", "D", "5"),
    ]
    assert [t.suffix for t in extraction.templates] == ["filled.example.co"]


def test_a_file_outside_every_bundle_belongs_to_each_of_them(tmp_path):
    """Beside an archive of an app, an extension and an App Clip, a file is judged under every dictionary of its target."""
    app = "Payload/Ferry.app"
    bundles = {"app": app, "share": f"{app}/PlugIns/Share.appex", "clip": f"{app}/AppClips/Clip.app"}
    files = {f"{place}/Info.plist": plistlib.dumps({"CFBundleIdentifier": name}) for name, place in bundles.items()}
    files |= {"remote.json": url("outside"), f"{bundles['share']}/a.json": url("inside")}
    for extraction in both(tmp_path, files, "Ferry.ipa"):
        loads = {(load.endpoint.host.partition(".")[0], load.bundle) for load in extraction.loads()}
        assert loads == {("outside", "app"), ("outside", "share"), ("outside", "clip"), ("inside", "share")}


def test_a_file_that_was_named_itself_is_never_aside(in_empty_folder):
    """Who names a licence or a test wants to know what is in it."""
    Path("LICENSE").write_bytes(url("licence"))
    assert names(extract(["LICENSE"])) == ["licence"]


def test_folders_with_the_names_of_tools_are_read_where_they_are_none(tmp_path):
    """Without a project beside it ``build`` may be an export, and ``android`` a folder like any other."""
    files = {
        "build/Ferry.app/Info.plist": INFO,
        "build/Ferry.app/docs/tests/a.json": url("a"),
        "android/b.json": url("b"),
    }
    for extraction in both(tmp_path, files):
        assert names(extraction) == ["a", "b"]


def test_the_description_of_a_package_in_an_app_names_no_load(make_app):
    """A package.json that a build took in tells of its author; the module beside it runs."""
    root = "Payload/Ferry.app"
    files = {
        f"{root}/Info.plist": {"CFBundleIdentifier": "com.example.ferry"},
        f"{root}/app/lib/package.json": b'{"homepage": "https://author.ferry.dev/"}',
        f"{root}/app/lib/index.js": b'f("https://api.ferry.dev/")',
    }
    extraction = extract([make_app(files)])
    assert [r.endpoint.host for r in extraction.references] == ["api.ferry.dev"]
    assert [(r.endpoint.host, r.noise_reason) for r in extraction.noise] == [
        ("author.ferry.dev", "in the description of a package")
    ]


def test_code_for_other_platforms_is_noise(tmp_path):
    """Metro and webpack build a file of another platform into no iOS app; one for iOS and one for all are the app's."""
    for name in ("a.web.ts", "b.android.js", "c.ios.js", "d.native.tsx", "web.js"):
        (tmp_path / name).write_text(f'f("https://{name[0]}.ferry.dev/")')
    extraction = extract([str(tmp_path)])
    assert {r.endpoint.host[0] for r in extraction.references} == {"c", "d", "w"}
    assert {(r.endpoint.host[0], r.noise_reason) for r in extraction.noise} == {
        (first, "in code for another platform") for first in "ab"
    }


def test_a_comment_of_several_lines_needs_no_stars(tmp_path):
    """A URL in quotes in a comment that begins a line is as unsure as any comment; ``/*`` in a string begins none."""
    code = """/*!
 @param url such as "https://comment.ferry.dev/"
 */
f(@"https://api.ferry.dev/");
g(@"https://*/*", @"src/**/*.js");
h(@"https://after.ferry.dev/");
"""
    (tmp_path / "a.h").write_text(code)
    found = {r.endpoint.host: r.confidence.value for r in extract([str(tmp_path)]).references}
    assert found == {"comment.ferry.dev": "D", "api.ferry.dev": "B", "after.ferry.dev": "B"}
