"""Whose dictionary governs a file, what is noise, and that the same input gives the same answer."""

from __future__ import annotations

import plistlib
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from atsprobe.extract.bundle import Scopes
from atsprobe.extract.extract import extract
from atsprobe.extract.noise import noise_reason
from atsprobe.extract.readers import mach_o_strings
from atsprobe.extract.sighting import BinaryFacts

EXCEPTION = {"NSAppTransportSecurity": {"NSExceptionDomains": {"api.example.com": {}}}}


def info(name, **more):
    """Give an Info.plist."""
    return {"CFBundleIdentifier": f"com.example.{name}", "CFBundleName": name.title(), **more}


def owners(extraction, host):
    """Give the bundles that a host was found for."""
    return [r.bundle for r in extraction.references if r.endpoint.host == host]


def test_a_file_belongs_to_the_innermost_process_bundle(make_app):
    """App, extension, App Clip and watch app each have their dictionary and own what lies in them."""
    roots = {
        "ferry": "Payload/Ferry.app",
        "share": "Payload/Ferry.app/PlugIns/Share.appex",
        "clip": "Payload/Ferry.app/AppClips/Clip.app",
        "watch": "Payload/Ferry.app/Watch/Watch.app",
        "glance": "Payload/Ferry.app/Watch/Watch.app/PlugIns/Glance.appex",
    }
    files = {f"{root}/Info.plist": info(name) for name, root in roots.items()}
    files |= {
        f"{root}/Resources.bundle/en.lproj/a.json": f"https://{name}.example.com/".encode()
        for name, root in roots.items()
    }
    files["iTunesMetadata.json"] = b"https://outside.example.com/"
    extraction = extract([make_app(files)])
    assert sorted(b.identifier for b in extraction.bundles) == sorted(f"com.example.{name}" for name in roots)
    for name in roots:
        assert owners(extraction, f"{name}.example.com") == [f"com.example.{name}"]
    assert owners(extraction, "outside.example.com") == [None]


def test_plists_of_frameworks_decide_nothing_but_their_urls_count(make_app):
    """NSAppTransportSecurity of a framework and of a resource bundle is no dictionary and names no exception."""
    files = {"Payload/Ferry.app/Info.plist": info("ferry")}
    for place in ("Frameworks/Net.framework", "Net.bundle"):
        plist = {**info("net", **EXCEPTION), "Server": f"https://{place[-6:].strip('.')}.example.com/"}
        files[f"Payload/Ferry.app/{place}/Info.plist"] = plist
    extraction = extract([make_app(files)])
    assert [b.identifier for b in extraction.bundles] == ["com.example.ferry"]
    assert [(r.endpoint.host, r.kind, r.bundle) for r in extraction.references] == [
        ("mework.example.com", "url", "com.example.ferry"),
        ("bundle.example.com", "url", "com.example.ferry"),
    ]


def test_a_framework_belongs_to_the_app_and_to_each_extension_that_links_it():
    """Links are followed through other frameworks, not to extensions that link nothing, nor out of the app."""
    app, share, today = "A.app", "A.app/PlugIns/Share.appex", "A.app/PlugIns/Today.appex"
    links = {
        f"{share}/Share": ("Ui.framework", "libfast.dylib"),
        "A.app/Frameworks/Ui.framework/Ui": ("Net.framework", "Ui.framework"),
        f"{today}/Today": (),
    }
    scopes = Scopes([app, share, today, "B.app"], links)
    assert scopes.owners("A.app/Frameworks/Net.framework/Net") == (app, share)
    assert scopes.owners("A.app/Frameworks/Ui.framework/en.lproj/a.strings") == (app, share)
    assert scopes.owners("A.app/Frameworks/libfast.dylib") == (app, share)
    assert scopes.owners("A.app/Frameworks/Other.framework/Other") == (app,)
    assert scopes.owners("A.app/a.json") == (app,)
    assert scopes.owners(f"{share}/a.json") == (share,)
    assert scopes.owners("B.app/Frameworks/Net.framework/Net") == ("B.app",)
    assert scopes.owners("elsewhere/a.json") == ()


def test_a_linked_framework_is_seen_through_real_load_commands(build, make_app, tmp_path):
    """An extension's executable that links the app's framework makes the framework's hosts its own, too."""
    (tmp_path / "Net.framework").mkdir()
    net, plugin = tmp_path / "Net.framework" / "Net", tmp_path / "Share"
    build.thin(net, "arm64")
    build.thin(plugin, "arm64", links=(net,))
    files = {
        "Payload/Ferry.app/Info.plist": info("ferry"),
        "Payload/Ferry.app/Frameworks/Net.framework/Net": net.read_bytes(),
        "Payload/Ferry.app/PlugIns/Share.appex/Info.plist": info("share", CFBundleExecutable="Share"),
        "Payload/Ferry.app/PlugIns/Share.appex/Share": plugin.read_bytes(),
        "Payload/Ferry.app/PlugIns/Today.appex/Info.plist": info("today"),
    }
    extraction = extract([make_app(files)])
    of_framework = [r for r in extraction.references if r.file.endswith("Net.framework/Net")]
    assert [r.bundle for r in of_framework if r.endpoint.host == "plain.example.com"] == [
        "com.example.ferry",
        "com.example.share",
    ]
    assert {t.bundle for t in extraction.templates} == {"com.example.ferry", "com.example.share"}
    assert extraction.bundle("com.example.share").linked_sdk == "18.2"


def test_sdk_and_minimum_os_come_from_the_executable(make_app, strings_arm64):
    """The SDK is that of the main executable; the minimum iOS is the plist's, else the executable's; a watch has none."""
    name = "Payload/Ferry.app/PlugIns/Share.appex"
    files = {
        "Payload/Ferry.app/Info.plist": info("ferry", CFBundleExecutable="Ferry", MinimumOSVersion="16.4"),
        "Payload/Ferry.app/Ferry": strings_arm64,
        f"{name}/Info.plist": info("share", CFBundleExecutable="Share"),
        f"{name}/Share": strings_arm64,
        "Payload/Ferry.app/Watch/W.app/Info.plist": info(
            "watch", MinimumOSVersion="9.0", CFBundleSupportedPlatforms=["WatchOS"]
        ),
    }
    bundles = {b.name: b for b in extract([make_app(files)]).bundles}
    assert (bundles["Ferry"].minimum_os, bundles["Ferry"].linked_sdk) == ("16.4", "18.2")
    assert (bundles["Share"].minimum_os, bundles["Share"].linked_sdk) == ("15.0", "18.2")
    assert (bundles["Watch"].minimum_os, bundles["Watch"].linked_sdk) == (None, None)


def test_the_executable_tells_the_sdk_and_the_plist_only_where_it_does_not(make_app, strings_arm64):
    """Keys of the Info.plist can be edited after the build: where the two disagree it is said, and which counts."""
    said = {"DTSDKName": "iphoneos26.0", "MinimumOSVersion": "16.4"}
    files = {
        "Payload/Ferry.app/Info.plist": info("ferry", CFBundleExecutable="Ferry", **said),
        "Payload/Ferry.app/Ferry": strings_arm64,
        "Payload/Same.app/Info.plist": info(
            "same", CFBundleExecutable="Same", DTSDKName="iphoneos18.2", MinimumOSVersion="15.0"
        ),
        "Payload/Same.app/Same": strings_arm64,
        "Payload/Bare.app/Info.plist": info("bare", DTPlatformVersion="18.5"),
    }
    bundles = {b.info_plist.split("/")[-2]: b for b in extract([make_app(files)]).bundles}
    assert (bundles["Ferry.app"].linked_sdk, bundles["Ferry.app"].minimum_os) == ("18.2", "16.4")
    assert bundles["Ferry.app"].build_notes == (
        "linked with SDK 18.2, though the Info.plist says 26.0; the former counts",
        "linked for iOS 15.0 on, though the Info.plist says 16.4; the latter counts",
    )
    assert bundles["Same.app"].build_notes == ()
    assert bundles["Bare.app"].linked_sdk == "18.5"


def test_the_sdk_is_that_of_the_device_architectures(tmp_path, build):
    """A simulator's slice of the same file may name an older SDK, or a floor that the linker chose."""
    for architecture, platform, minimum, sdk in (("arm64", 2, 15, 18), ("x86_64", 7, 14, 14)):
        build.thin(tmp_path / architecture, architecture)
        data = bytearray((tmp_path / architecture).read_bytes())
        at = data.index(struct.pack("<II", 0x32, 32))  # LC_BUILD_VERSION with one tool
        struct.pack_into("<3I", data, at + 8, platform, minimum << 16, sdk << 16)
        (tmp_path / architecture).write_bytes(data)
    facts = [
        next(s for s in mach_o_strings.read("App", content) if isinstance(s, BinaryFacts))
        for content in (_fat(tmp_path), (tmp_path / "x86_64").read_bytes())
    ]
    assert [(f.linked_sdk, f.minimum_ios) for f in facts] == [("18.0", "15.0"), ("14.0", "14.0")]


def _fat(folder):
    """Join the two slices."""
    first, second = ((folder / name).read_bytes() for name in ("arm64", "x86_64"))
    head = struct.pack(">2I", 0xCAFEBABE, 2) + struct.pack(">5I", 0x0100000C, 0, 0x4000, len(first), 14)
    place = 0x4000 + (len(first) + 0x3FFF) // 0x4000 * 0x4000
    head += struct.pack(">5I", 0x01000007, 3, place, len(second), 14)
    return head.ljust(0x4000, b"\0") + first.ljust(place - 0x4000, b"\0") + second


def test_an_encrypted_executable_is_skipped_by_name(make_app, strings_arm64):
    """FairPlay is said of the file and its architecture; it is no fault of the input."""
    at = strings_arm64.find((0x2C).to_bytes(4, "little") + (24).to_bytes(4, "little")) + 16
    data = strings_arm64[:at] + b"\1\0\0\0" + strings_arm64[at + 4 :]
    files = {"Payload/Ferry.app/Info.plist": info("ferry", CFBundleExecutable="Ferry"), "Payload/Ferry.app/Ferry": data}
    extraction = extract([make_app(files)])
    (skipped,) = extraction.skipped
    assert (skipped.file, skipped.unreadable) == ("Ferry.app/Ferry (arm64)", False)
    assert skipped.reason == "encrypted by FairPlay, so its strings were not read"
    assert extraction.references == ()


def test_identifiers_are_unique(make_app):
    """Where CFBundleIdentifier is absent, filled in by a build or taken, the path of the Info.plist stands for it."""
    one = make_app(
        {
            "Payload/A.app/Info.plist": info("ferry"),
            "Payload/A.app/PlugIns/B.appex/Info.plist": info("ferry"),
            "Payload/A.app/PlugIns/C.appex/Info.plist": {"CFBundleIdentifier": "$(PRODUCT_BUNDLE_IDENTIFIER)"},
            "Payload/A.app/PlugIns/D.appex/Info.plist": {"CFBundleName": "D"},
        },
        "one.ipa",
    )
    two = make_app({"Payload/A.app/PlugIns/D.appex/Info.plist": {"CFBundleName": "D"}}, "two.ipa")
    assert [b.identifier for b in extract([one, two]).bundles] == [
        "com.example.ferry",
        "A.app/PlugIns/B.appex/Info.plist",
        "A.app/PlugIns/C.appex/Info.plist",
        "A.app/PlugIns/D.appex/Info.plist",
        f"{two}/A.app/PlugIns/D.appex/Info.plist",
    ]


@pytest.mark.parametrize("name", ["Info.plist", "Ferry-Info.plist", "anything.plist", "no suffix"])
@pytest.mark.parametrize("form", [plistlib.FMT_XML, plistlib.FMT_BINARY])
def test_a_loose_property_list_is_a_bundle_of_its_own(in_empty_folder, name, form):
    """An Info.plist named itself, of any name and form, governs what it names, and hosts beside it."""
    Path(name).write_bytes(plistlib.dumps({**info("ferry"), **EXCEPTION, "u": "https://url.example.com/"}, fmt=form))
    extraction = extract([name, "beside.example.com"])
    (bundle,) = extraction.bundles
    assert (bundle.identifier, bundle.info_plist, bundle.is_loose_plist) == ("com.example.ferry", name, True)
    assert [(r.endpoint.host, r.bundle, r.file) for r in extraction.references] == [
        ("api.example.com", "com.example.ferry", name),
        ("url.example.com", "com.example.ferry", name),
        ("beside.example.com", None, ""),
    ]
    assert {load.bundle for load in extraction.loads()} == {"com.example.ferry"}


def test_a_broken_loose_property_list_says_the_line_and_the_command(in_empty_folder):
    """What is wrong, on which line, and the command that says more; the host beside it is still taken."""
    Path("App").mkdir()
    Path("App/My Info.plist").write_text("<plist><dict>\n<array>\n</dict></plist>")
    extraction = extract(["App/My Info.plist", "b.example.com"])
    (skipped,) = extraction.skipped
    assert (skipped.target, skipped.file, skipped.unreadable) == ("App/My Info.plist", "", True)
    assert skipped.reason == "not a property list (line 3: </dict> closes <array>)"
    assert skipped.advice == "plutil -lint 'App/My Info.plist'"
    assert [r.endpoint.host for r in extraction.references] == ["b.example.com"]


def test_an_old_style_property_list_is_told_how_to_be_converted(in_empty_folder):
    """The OpenStep form, which plutil reads and we do not, comes with the command that converts it."""
    Path("Info.plist").write_text('{ CFBundleName = "Ferry"; }')
    (skipped,) = extract(["Info.plist"]).skipped
    assert skipped.advice == "plutil -convert xml1 Info.plist"


def test_a_folder_of_sources_gives_its_info_plist_and_not_others(in_empty_folder, tmp_path):
    """Info.plist and NAME-Info.plist in plain folders are loose; one of a service without bundle keys is not."""
    Path("App").mkdir()
    Path("App/Info.plist").write_bytes(plistlib.dumps({**info("ferry"), **EXCEPTION}))
    Path("App/GoogleService-Info.plist").write_bytes(plistlib.dumps({"DATABASE_URL": "https://db.example.com"}))
    Path("App/main.js").write_text("fetch('https://js.example.com/')")
    extraction = extract(["."])
    assert [(b.info_plist, b.is_loose_plist) for b in extraction.bundles] == [("App/Info.plist", True)]
    assert [(r.endpoint.host, r.bundle) for r in extraction.references] == [
        ("db.example.com", None),
        ("api.example.com", "com.example.ferry"),
        ("js.example.com", None),
    ]


@pytest.mark.parametrize(
    ("host", "path", "is_noise"),
    [
        ("www.w3.org", "/2000/svg", True),
        ("w3.org", "", False),
        ("www.apple.com", "/DTDs/PropertyList-1.0.dtd", True),
        ("www.apple.com", "/legal", False),
        ("ocsp.apple.com", "/", True),
        ("github.com", "/a/b", True),
        ("api.github.com", "/", False),
        ("example.com", "/", True),
        ("www.example.org", "/", True),
        ("pay.example.com", "/", False),
        ("a.test", "/", True),
        ("fetch.spec.whatwg.org", "/", True),
        ("server.corp", "/", True),
        ("localhost", "/", False),
        ("printer.local", "/", False),
        ("192.168.1.5", "/", False),
        ("s3.amazonaws.com", "/", False),
        ("x", "/", True),
        ("wpad", "/wpad.dat", False),
        ("search.yahoo.com", "/mrss/", True),
        ("search.yahoo.com", "/search", False),
    ],
)
def test_noise_is_told_by_host_and_path(host, path, is_noise):
    """Namespaces, certificates, documents and reserved names are noise; names below them and local forms are hosts."""
    assert bool(noise_reason(host, path)) is is_noise


def test_noise_is_counted_with_its_reason_and_never_dropped(in_empty_folder):
    """A host on the list leaves the references, and stands in the noise with a reason."""
    Path("a.xml").write_text("http://www.w3.org/ http://a.corp/ https://api.example.com/")
    extraction = extract(["a.xml"])
    assert [r.endpoint.host for r in extraction.references] == ["api.example.com"]
    assert [(r.endpoint.host, r.confidence.value, r.noise_reason) for r in extraction.noise] == [
        ("www.w3.org", "N", "names an XML namespace, a schema or a DTD"),
        ("a.corp", "N", "under no public suffix, and no exception names it"),
    ]


def test_what_is_declared_or_named_is_no_noise(in_empty_folder):
    """The command line and exceptions outweigh the list, and names below them need no public suffix; a DTD stays noise."""
    domains = {key: {} for key in ("www.w3.org", "server.corp", "www.apple.com")}
    plist = {
        "NSAppTransportSecurity": {"NSExceptionDomains": domains},
        "urls": [
            "http://www.w3.org/",
            "https://a.server.corp/",
            "https://b.other.corp/",
            "http://www.apple.com/DTDs/x.dtd",
        ],
    }
    Path("Info.plist").write_bytes(plistlib.dumps(plist))
    extraction = extract(["Info.plist", "example.com"])
    assert {r.endpoint.host for r in extraction.references} == {"example.com", "a.server.corp", *domains}
    assert [r.endpoint.host for r in extraction.noise] == ["b.other.corp", "www.apple.com"]


def test_urls_in_comments_are_less_sure(in_empty_folder):
    """A URL in a comment of a script is kept for the eye; one in code is a load; a template in a comment is none."""
    Path("a.js").write_text(
        "// http://one.example.com/ http://<host>/\n/* http://two.example.com/ */ x('https://three.example.com/')\n"
        "f(); // http://four.example.com/\nx = '//cdn.example.com', y = 'https://five.example.com/'\n"
    )
    extraction = extract(["a.js"])
    assert {r.endpoint.host: r.confidence.value for r in extraction.references} == {
        "one.example.com": "D",
        "two.example.com": "D",
        "three.example.com": "B",
        "four.example.com": "D",
        "five.example.com": "B",
    }
    assert extraction.templates == ()


def test_text_in_any_encoding_gives_its_line(in_empty_folder):
    """.strings files in UTF-16 give the same host and line as in UTF-8."""
    text = '"a" = "b";\n"server" = "https://api.example.com/é";\n'
    for number, encoding in enumerate(("utf-8", "utf-16")):
        Path(f"{number}.strings").write_text(text, encoding=encoding)
    found = [(str(r.endpoint), str(r.location), r.text) for r in extract(["0.strings", "1.strings"]).references]
    assert found == [("api.example.com:443", "2", "https://api.example.com/é")] * 2


def test_hermes_bytecode_without_its_table_makes_an_app_incomplete(make_app):
    """Bytecode whose table cannot be read is said to be incomplete, no fault of the input; what its bytes name is unsure."""
    content = bytes.fromhex("c61fbc03c103191f") + b"\x60\0\0\0https://a.example.com/"
    app = extract(
        [make_app({"Payload/Ferry.app/Info.plist": info("ferry"), "Payload/Ferry.app/main.jsbundle": content})]
    )
    (skipped,) = app.skipped
    assert (skipped.file, skipped.unreadable) == ("Ferry.app/main.jsbundle", False)
    assert [(r.endpoint.host, r.confidence, r.detector) for r in app.references] == [("a.example.com", "D", "hermes")]


def test_the_same_files_in_any_order_give_the_same_answer(make_app):
    """Order within an archive changes nothing: references come by path, then place."""
    files = {
        "Payload/Ferry.app/Info.plist": info("ferry", **EXCEPTION),
        "Payload/Ferry.app/b.json": b"https://b.example.com/ https://a.example.com/",
        "Payload/Ferry.app/a.json": b"https://%@.example.net/ https://c.example.com/",
        "Payload/Ferry.app/PlugIns/S.appex/Info.plist": info("share"),
    }
    path = make_app(files)
    first = extract([path])
    backwards = extract([make_app(dict(reversed(files.items())))])
    assert first == backwards
    assert [r.endpoint.host for r in first.references] == [
        "api.example.com",
        "c.example.com",
        "b.example.com",
        "a.example.com",
    ]


def test_a_folder_gives_what_its_archive_gives(make_app, tmp_path):
    """The unpacked app has the same bundles, hosts and places as the .ipa."""
    files = {"Info.plist": plistlib.dumps(info("ferry", **EXCEPTION)), "b/a.json": b"https://b.example.com/"}
    packed = extract([make_app({f"Payload/Ferry.app/{name}": content for name, content in files.items()})])
    for name, content in files.items():
        (tmp_path / "Ferry.app" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "Ferry.app" / name).write_bytes(content)
    loose = extract([str(tmp_path / "Ferry.app")])
    assert [replace(r, target="") for r in packed.references] == [replace(r, target="") for r in loose.references]
    assert [replace(b, target="") for b in packed.bundles] == [replace(b, target="") for b in loose.bundles]


def test_sightings_of_one_endpoint_are_bounded(in_empty_folder):
    """A million URLs of one host are kept as a few places; hosts beyond the limit of a file are said to be unread."""
    Path("a.txt").write_bytes(b"https://a.example.com/\n" * 1000)
    Path("b.txt").write_text("\n".join(f"https://h{i}.example.com/" for i in range(20_100)))
    assert len(extract(["a.txt"]).references) == 20
    (skipped,) = extract(["b.txt"]).skipped
    assert (skipped.reason[:9], skipped.unreadable) == ("more than", False)


def test_a_reader_that_fails_costs_its_file_alone(in_empty_folder, monkeypatch):
    """A fault of our own in one reader becomes a reason, and the other targets are still read."""
    Path("a.txt").write_text("https://a.example.com/")

    def broken(path, content):
        raise ZeroDivisionError

    monkeypatch.setattr("atsprobe.extract.readers.reader.FORMATS", (_with_read(broken),))
    extraction = extract(["a.txt", "b.example.com"])
    assert [s.reason for s in extraction.skipped] == ["could not be read as text (ZeroDivisionError)"]
    assert [r.endpoint.host for r in extraction.references] == ["b.example.com"]


def _with_read(read):
    from atsprobe.extract.readers.reader import FORMATS

    return replace(FORMATS[-1], read=read)


def test_the_name_of_an_xml_namespace_is_no_load(in_empty_folder):
    """What an xmlns attribute names is noise, plain or in a string of code; the same host elsewhere is a load all the same."""
    Path("a.xml").write_text(
        '<a xmlns="http://ns.ferry.dev/a" xmlns:b="http://b.ferry.dev/" c="http://ns.ferry.dev/c"/>'
    )
    Path("b.js").write_text(r"""f("<x xmlns:d=\"http://d.ferry.dev/\" e=\"http://e.ferry.dev/\">")""")
    extraction = extract(["a.xml", "b.js"])
    assert {r.endpoint.host for r in extraction.references} == {"ns.ferry.dev", "e.ferry.dev"}
    assert {(r.endpoint.host, r.noise_reason) for r in extraction.noise} == {
        (host, "names an XML namespace") for host in ("ns.ferry.dev", "b.ferry.dev", "d.ferry.dev")
    }


def test_noise_takes_no_place_of_a_load(make_folder_of_tests):
    """However often tests name a host, and however early their files come, the file of the app that names it is told."""
    extraction = extract([make_folder_of_tests(120)])
    assert [(r.endpoint.host, r.file) for r in extraction.references] == [("api.ferry.dev", "src/main.js")]
    assert len(extraction.noise) == 100


@pytest.fixture
def make_folder_of_tests(tmp_path):
    """A function that writes a folder of so many tests that name a host, and one file of the app that does."""

    def make(count):
        for path in (*(f"__tests__/{n}.js" for n in range(count)), "src/main.js"):
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text('f("https://api.ferry.dev/")')
        return str(tmp_path)

    return make


def test_a_script_for_a_shell_is_not_read(in_empty_folder):
    """A file without a suffix that begins with ``#!`` is a tool of developers, as one that ends in .sh is."""
    Path("tools").mkdir()
    Path("tools/upload").write_text("#!/bin/sh\ncurl https://upload.ferry.dev/\n")
    Path("tools/server").write_text("https://api.ferry.dev/\n")
    assert [r.endpoint.host for r in extract(["tools"]).references] == ["api.ferry.dev"]
