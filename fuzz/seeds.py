"""Good files to damage: for every row of the table of readers, and every other parser, paths and contents that it reads."""

from __future__ import annotations

import gzip
import io
import json
import plistlib
import sqlite3
import struct
import tempfile
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

Seed = tuple[str, bytes]
"""A path inside a target, and the content of the file there."""

FIXTURES = Path(__file__).parents[1] / "fixtures" / "extract"

_TEXT = rb"""{"k": "a.example.com", "u": "https:\/\/b.example.com\/", "e": "\u0061.example.io", 'q': `c.example.dev`}
key = "d.example.com"; // 'e.example.com'
host: f.example.com # https%3A%2F%2Fg.example.com
<a href="h.example.com">i.example.com</a> ( j.example.com, "https://%@.example.net:443/", "http://[2001:db8::1]:8080/" )
"""

_DOMAINS = {"a.example.com": {"NSExceptionAllowsInsecureHTTPLoads": True}, "*.example.net": 7, "": []}
_INFO = {
    "CFBundleIdentifier": "com.example.ferry",
    "CFBundleExecutable": "Ferry",
    "MinimumOSVersion": "15.0",
    "NSAppTransportSecurity": {
        "NSExceptionDomains": _DOMAINS,
        "NSPinnedDomains": {"b.example.com": {"NSPinnedCAIdentities": [{"SPKI-SHA256-BASE64": "AAAA"}]}},
    },
    "WKAppBoundDomains": ["c.example.com"],
    "Ferry": ["https://d.example.com", "e.example.com", "caf\u00e9.example.com"],
}
_ENTITLEMENTS = {
    "com.apple.developer.associated-domains": [
        "applinks:a.example.com?mode=developer",
        "webcredentials:*.b.example.com",
    ]
}
_CAPACITOR = {"url": "https://a.example.com", "allowNavigation": ["b.example.com", "*.c.example.com"]}
_XCCONFIG = b'HOST = a.example.com // no\nURL = https:/$()/b.example.com/\n#include "b.xcconfig"\n'
_CORDOVA = b"""<?xml version='1.0'?><widget xmlns="http://www.w3.org/ns/widgets"><content src="https://a.example.com/"/>
<access origin="*"/><allow-navigation href="https://*.b.example.com/*"/></widget>"""
_SOURCE = b"""import Foundation
// http://a.example.com
let url = URL(string: "https://b.example.com/\\(path)") /* "c.example.com" */
let host = "d.example.com"
"""


@cache
def seeds() -> dict[str, tuple[Seed, ...]]:
    """Give the seeds by the name of their parser."""
    app = "Payload/Ferry.app"
    committed = ("Ferry", _committed("strings-arm64")), *(("Ferry", c) for c in (_committed("trust-arm64"),) if c)
    code = _swift()
    return {
        "info-plist": _plists(f"{app}/Info.plist", _INFO),
        "property-list": _plists(f"{app}/Ferry.plist", _INFO),
        "privacy-manifest": _plists(f"{app}/PrivacyInfo.xcprivacy", {"NSPrivacyTrackingDomains": ["a.example.com"]}),
        "google-service-info": _plists(
            f"{app}/GoogleService-Info.plist",
            {"DATABASE_URL": "https://a.firebaseio.com", "STORAGE_BUCKET": "a.appspot.com"},
        ),
        "entitlements": _plists("Ferry.entitlements", _ENTITLEMENTS),
        "provisioning-profile": (
            (f"{app}/embedded.mobileprovision", b"0\x82\x0f\x10" + plistlib.dumps({"Entitlements": _ENTITLEMENTS}) + b"\xa0\x82"),
        ),
        "capacitor": (
            (f"{app}/capacitor.config.json", json.dumps({"server": _CAPACITOR}).encode()),
            ("capacitor.config.ts", f"export default {{ server: {_CAPACITOR} }}".encode()),
        ),
        "cordova": ((f"{app}/config.xml", _CORDOVA),),
        "mach-o": (*committed, ("Ferry", code), ("Ferry", _fat(code, code)), ("libferry.a", _archive(code))),
        "dart": ((f"{app}/Frameworks/App.framework/App", _dart()),),
        "hermes": tuple((f"{app}/main.jsbundle", c) for c in (_hermes(), *map(_committed, _BYTECODE)) if c),
        "unity": ((f"{app}/Data/Managed/Metadata/global-metadata.dat", _unity()),),
        "sqlite": ((f"{app}/ferry.db", _sqlite()),),
        "gzip": ((f"{app}/a.json.gz", gzip.compress(_TEXT, mtime=0)),),
        "javascript": ((f"{app}/a.js", _TEXT),),
        "json": ((f"{app}/a.json", _TEXT),),
        "strings": ((f"{app}/a.strings", _TEXT), (f"{app}/b.strings", _TEXT.decode().encode("utf-16"))),
        "settings": ((f"{app}/a.yaml", _TEXT),),
        "xml": ((f"{app}/a.xml", _TEXT),),
        "xcconfig": (("Ferry.xcconfig", _XCCONFIG),),
        "source": (("Sources/Ferry.swift", _SOURCE),),
        "text": ((f"{app}/a.txt", _TEXT), (f"{app}/b.txt", _TEXT.decode().encode("utf-16"))),
        "archive": (("Ferry.ipa", _ipa()),),
        "host-names": (("", _TEXT), ("", _TEXT.decode().encode("utf-16-be"))),
        "code-signature": (("", _signature()),),
    }  # fmt: skip


_BYTECODE = ("hermes/strings.v96.hbc", "hermes/strings.v99.hbc")


def _committed(name: str) -> bytes:
    path = FIXTURES / name
    return path.read_bytes() if path.exists() else b""


def _plists(path: str, root: object) -> tuple[Seed, ...]:
    return tuple((path, plistlib.dumps(root, fmt=form)) for form in (plistlib.FMT_XML, plistlib.FMT_BINARY))  # type: ignore[arg-type]


def image(sections: Sequence[tuple[str, str, int, bytes]]) -> bytes:
    """Give an arm64 Mach-O file of (segment, section, flags, content); each section begins at a multiple of 256."""
    at = 256 * (2 + len(sections))
    commands, body = b"", b""
    for segment, name, flags, content in sections:
        place = at + len(body)
        section = struct.pack(
            "<16s16s2Q8I", name.encode(), segment.encode(), place, len(content), place, 4, 0, 0, flags, 0, 0, 0
        )
        commands += struct.pack(
            "<2I16s4Q4I", 0x19, 152, segment.encode(), place, len(content), place, len(content), 5, 5, 1, 0
        )
        commands += section
        body += content.ljust(-(-len(content) // 256) * 256, b"\0")
    head = struct.pack("<8I", 0xFEEDFACF, 0x0100000C, 0, 6, len(sections), len(commands), 0, 0)
    return (head + commands).ljust(at, b"\0") + body


def _swift() -> bytes:
    """Give an image whose code puts ``api.example`` together in two registers, and that names hosts in its strings."""
    code = b""
    for register, word in enumerate((b"api.exam", b"ple\0\0\0\0\xeb")):
        for number in range(4):
            immediate = int.from_bytes(word[2 * number : 2 * number + 2], "little")
            code += struct.pack("<I", (0xF2800000 if number else 0xD2800000) | number << 21 | immediate << 5 | register)
    strings = b"\0https://a.example.com/\0b.example.com\0https://%@.example.net/\0"
    wide = "https://caf\u00e9.example.com/\0".encode("utf-16-le")
    return image(
        [
            ("__TEXT", "__text", 0x80000400, code * 8),
            ("__TEXT", "__cstring", 2, strings),
            ("__TEXT", "__ustring", 0, wide),
            ("__TEXT", "__swift5_types", 0, bytes(8)),
        ]
    )


def _fat(*slices: bytes) -> bytes:
    head, body = struct.pack(">2I", 0xCAFEBABE, len(slices)), b""
    for content in slices:
        head += struct.pack(">5I", 0x0100000C, 0, 4096 + len(body), len(content), 12)
        body += content
    return head.ljust(4096, b"\0") + body


def _archive(*members: bytes) -> bytes:
    heads = (f"{'#1/20':16}{'0':12}{'0':6}{'0':6}{'644':8}{len(m) + 20:<10}`\n".encode() for m in members)
    return b"!<arch>\n" + b"".join(
        h + b"a.o".ljust(20, b"\0") + m + b"\n" * (len(m) % 2) for h, m in zip(heads, members, strict=True)
    )


def _dart() -> bytes:
    objects = b""
    for text in ("https://flet.dev", "a.example.com", "https://b.example.com/" + "x" * 400):
        units = -(-(16 + len(text)) // 16)
        header = 94 << 12 | (units if units < 16 else 0) << 8 | 0x32
        objects += (struct.pack("<QQ", header, 2 * len(text)) + text.encode()).ljust(16 * units, b"\0")
    return image([("__TEXT", "__const", 0, bytes.fromhex("f5f5dcdc").ljust(64, b"\1") + objects)])


def _hermes() -> bytes:
    """Give bytecode of version 96 without functions: its header, its string table, its storage."""
    storage = b"https://a.example.comb.example.com" + "https://caf\u00e9.example.com".encode("utf-16-le")
    strings = ((0, 21, 0), (8, 13, 0), (21, 13, 0), (34, 24, 1))
    table = b"".join(struct.pack("<I", wide | at << 1 | length << 24) for at, length, wide in strings)
    counts = struct.pack("<2I6I", 0, 0, 0, 0, 0, len(strings), 0, len(storage))
    head = bytes.fromhex("c61fbc03c103191f") + struct.pack("<I", 96) + bytes(20)
    return (head + counts).ljust(128, b"\0") + table + storage


def _unity() -> bytes:
    texts = (b"https://a.example.com", b"b.example.cloud", b"https://c.example.com/")
    rows, at = b"", 0
    for text in texts:
        rows += struct.pack("<2I", len(text), at)
        at += len(text)
    head = struct.pack("<6I", 0xFAB11BAF, 29, 64, len(rows), 64 + len(rows), at)
    return head.ljust(64, b"\0") + rows + b"".join(texts)


def _sqlite() -> bytes:
    with tempfile.TemporaryDirectory(prefix="atsprobe-fuzz-") as folder:
        path = Path(folder) / "seed.db"
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA page_size=512")
        connection.execute("CREATE TABLE t (a TEXT PRIMARY KEY, b TEXT) WITHOUT ROWID")
        connection.execute("CREATE TABLE u (a TEXT, b INTEGER)")
        rows = [(f"https://h{n}.example.com", "x" * n * 30) for n in range(30)]
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
        connection.executemany("INSERT INTO u VALUES (?, 1)", [(row[1] + row[0],) for row in rows])
        connection.commit()
        connection.close()
        return path.read_bytes()


def _ipa() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        files = {"Info.plist": plistlib.dumps(_INFO), "a.json": _TEXT, "Ferry": _swift()}
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(f"Payload/Ferry.app/{name}", (2024, 1, 1, 0, 0, 0)), content)
    return file.getvalue()


def _signature() -> bytes:
    """Give a superblob with entitlements as a property list and in DER (xnu, cs_blobs.h)."""
    xml = plistlib.dumps(_ENTITLEMENTS)
    pair = _der(
        0x30, _der(0x0C, b"com.apple.developer.associated-domains") + _der(0x30, _der(0x0C, b"applinks:a.example.com"))
    )
    der = _der(0x70, _der(0x02, b"\1") + _der(0xB0, pair))
    blobs = [
        struct.pack(">2I", magic, 8 + len(content)) + content
        for magic, content in ((0xFADE7171, xml), (0xFADE7172, der))
    ]
    index, at = b"", 12 + 8 * len(blobs)
    for slot, blob in zip((5, 7), blobs, strict=True):
        index += struct.pack(">2I", slot, at)
        at += len(blob)
    return struct.pack(">3I", 0xFADE0CC0, at, len(blobs)) + index + b"".join(blobs)


def _der(tag: int, content: bytes) -> bytes:
    length = bytes((len(content),)) if len(content) < 128 else b"\x82" + struct.pack(">H", len(content))
    return bytes((tag,)) + length + content
