"""Property lists made to hurt: each is refused with the file and the reason, exit code 2, and no answer."""

from __future__ import annotations

import plistlib
import struct
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from atsprobe.cli.commands import main

XML = b'<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0">\n'
KEY = b"<key>NSAppTransportSecurity</key>"
DOMAINS = b"<key>NSExceptionDomains</key>"
MANY = 50 << 20


def _binary(objects: Sequence[bytes], top: int = 0) -> bytes:
    """Write a binary property list of ready objects; references in them are four bytes wide."""
    data, offsets = bytearray(b"bplist00"), []
    for one in objects:
        offsets.append(len(data))
        data += one
    table = len(data)
    data += b"".join(struct.pack(">I", offset) for offset in offsets)
    return bytes(data + struct.pack(">6xBBQQQ", 4, 4, len(objects), top, table))


def _name(text: bytes) -> bytes:
    return bytes((0x5F, 0x10, len(text))) + text


def _dictionary(*pairs: tuple[int, int]) -> bytes:
    """Write a dictionary of references to keys and values."""
    flat = [key for key, _ in pairs] + [value for _, value in pairs]
    return bytes((0xD0 | len(pairs),)) + b"".join(struct.pack(">I", ref) for ref in flat)


def cyclic() -> bytes:
    """NSAppTransportSecurity holds NSExceptionDomains, which is NSAppTransportSecurity again."""
    return _binary(
        [
            _dictionary((1, 2)),
            _name(b"NSAppTransportSecurity"),
            _dictionary((3, 2)),
            _name(b"NSExceptionDomains"),
        ]
    )


def a_domain_that_is_its_own_entry() -> bytes:
    """example.com holds example.com."""
    return _binary(
        [
            _dictionary((1, 2)),
            _name(b"NSAppTransportSecurity"),
            _dictionary((3, 4)),
            _name(b"NSExceptionDomains"),
            _dictionary((5, 4)),
            _name(b"example.com"),
        ]
    )


def keys_that_are_no_strings() -> bytes:
    """A number for a domain beside one that is a name, and a number for a key of its entry."""
    return _binary(
        [
            _dictionary((1, 2)),
            _name(b"NSAppTransportSecurity"),
            _dictionary((3, 4)),
            _name(b"NSExceptionDomains"),
            _dictionary((5, 6), (7, 6)),
            b"\x10\x2a",
            _dictionary((5, 8), (9, 8)),
            _name(b"example.com"),
            b"\x09",
            _name(b"NSExceptionAllowsInsecureHTTPLoads"),
        ]
    )


def nested_in_xml(levels: int = 200_000) -> bytes:
    """So many dictionaries, one in the other."""
    return (
        XML + b"<dict>" + KEY + b"<dict><key>a</key>" * levels + b"<true/>" + b"</dict>" * levels + b"</dict></plist>"
    )


def nested_in_binary(levels: int = 200_000) -> bytes:
    """The same in binary form."""
    chain = [_dictionary((1, at + 1)) for at in range(2, levels)]
    return _binary([_dictionary((1, 2)), _name(b"NSAppTransportSecurity"), *chain, b"\x09"])


def fifty_megabytes_of_domains() -> bytes:
    """More exceptions than an app could mean."""
    row = b"<key>host-%09d.example.com</key><dict><key>NSExceptionAllowsInsecureHTTPLoads</key><true/></dict>\n"
    rows = b"".join(row % number for number in range(MANY // len(row % 0) + 1))
    return XML + b"<dict>" + KEY + b"<dict>" + DOMAINS + b"<dict>\n" + rows + b"</dict></dict></dict></plist>"


def values_that_unfold() -> bytes:
    """Ten dictionaries of a thousand references each to the next: 10^30 values in a few kilobytes."""
    levels = [bytes((0xAF, 0x11)) + struct.pack(">H", 1000) + struct.pack(">I", at + 1) * 1000 for at in range(2, 12)]
    return _binary([_dictionary((1, 2)), _name(b"NSAppTransportSecurity"), *levels, b"\x09"])


def entities_that_unfold() -> bytes:
    """The billion laughs."""
    laughs = b"".join(b'<!ENTITY a%d "&a%d;&a%d;">' % (n + 1, n, n) for n in range(40))
    return (
        XML.replace(b"<plist", b'<!DOCTYPE plist [<!ENTITY a0 "ha">' + laughs + b"]><plist")
        + b"<string>&a40;</string></plist>"
    )


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "cyclic": (cyclic, "levels"),
    "its own entry": (a_domain_that_is_its_own_entry, "levels"),
    "nested 200,000 deep in XML": (nested_in_xml, "levels"),
    "nested 200,000 deep in binary": (nested_in_binary, "not a property list"),
    "50 MB of domains": (fifty_megabytes_of_domains, "more than 1,000,000 values"),
    "values that unfold": (values_that_unfold, ""),
    "entities that unfold": (entities_that_unfold, "entity"),
    "keys that are no strings": (keys_that_are_no_strings, "no string"),
    "empty": (lambda: b"", "an empty file"),
    "cut short": (lambda: plistlib.dumps({"NSAppTransportSecurity": {}}, fmt=plistlib.FMT_BINARY)[:-9], "a property list"),
    "closes what it did not open": (lambda: XML + b"<dict><array></dict></plist>", "closes <array>"),
    "an integer of 10,000 digits": (
        lambda: XML + b"<dict><key>a</key>\n<integer>" + b"7" * 10_000 + b"</integer></dict></plist>",
        "(line 4: an integer of more than 1,000 digits)",
    ),
    "garbage behind a binary head": (lambda: b"bplist00" + b"atsprobe" * 900, "damaged or cut short"),
    "an array": (lambda: plistlib.dumps([1, 2]), "not a dictionary"),
    "json": (lambda: b'{"NSAppTransportSecurity": {}}', "JSON"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("format_name", ["text", "json"])
def test_a_hostile_plist_is_refused(
    name: str, format_name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standard error names the file and the reason, the exit code is 2, and no host gets an answer."""
    make, words = HOSTILE[name]
    monkeypatch.chdir(tmp_path)
    Path("Info.plist").write_bytes(make())
    code = main(["policy", "Info.plist", "a.example.com", "--ios", "all", "--format", format_name])
    out, err = capsys.readouterr()
    assert code == 2, err
    assert err.startswith("atsprobe: error: Info.plist: ")
    assert words in err.splitlines()[0]
    assert err.splitlines()[-1] == "atsprobe: exit 2: nothing was read"
    assert "a.example.com" not in out
    assert "Traceback" not in err
    if format_name == "text":
        assert out == ""


def test_a_broken_dictionary_is_no_empty_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In an app, the bundle whose dictionary cannot be read gets no answer; its extension does."""
    entries = {"Payload/A.app/Info.plist": cyclic(), "Payload/A.app/PlugIns/B.appex/Info.plist": plistlib.dumps({})}
    app = tmp_path / "A.ipa"
    with zipfile.ZipFile(app, "w") as archive:
        for path, data in entries.items():
            archive.writestr(path, data)
    code = main(["policy", str(app), "example.com"])
    out, err = capsys.readouterr()
    assert code in (2, 3), err
    assert "A.app/Info.plist" in out + err
    assert out.count("example.com") == 1
