"""Property lists: what stands in them, on which line, and what hostile ones cost."""

from __future__ import annotations

import plistlib
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsprobe.extract import plist_file
from atsprobe.extract.member import Unreadable
from atsprobe.extract.readers import info_plist, property_list
from atsprobe.extract.sighting import HostSighting, InfoPlist, TemplateSighting, Trouble

HEAD = b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
"""
INFO = (
    HEAD
    + b"""<dict>
  <key>CFBundleIdentifier</key><string>com.example.ferry</string>
  <key>CFBundleName</key><string>Ferry</string>
  <key>CFBundleShortVersionString</key><string>$(MARKETING_VERSION)</string>
  <key>MinimumOSVersion</key><string>15.0</string>
  <key>NSAppTransportSecurity</key>
  <dict>
    <key>NSAllowsArbitraryLoads</key>
    <true/>
    <key>NSExceptionDomains</key>
    <dict>
      <key>EXAMPLE.com</key>
      <dict>
        <key>NSExceptionMinimumTLSVersion</key>
        <string>TLSv1.0</string>
      </dict>
      <key>10.0.0.0/8</key>
      <dict/>
      <key>https://maps.example.com</key>
      <string>no dictionary</string>
    </dict>
  </dict>
  <key>NSAllowsLocalNetworking</key><true/>
  <key>NSAppTransportSecurty</key><dict/>
  <key>Servers</key>
  <array>
    <string>one</string>
    <dict><key>url</key><string>https://api.example.com/ or
https://%@.example.net/</string></dict>
  </array>
</dict>
</plist>
"""
)


def binary(objects, top=0, size=8):
    """Write a binary property list of objects that are given as bytes, with references of one byte."""
    data, offsets = b"bplist00", []
    for item in objects:
        offsets.append(len(data))
        data += item
    table = len(data)
    data += b"".join(offset.to_bytes(size, "big") for offset in offsets)
    return data + struct.pack(">6xBBQQQ", size, 1, len(objects), top, table)


def read(data):
    """Read an Info.plist, and give what was seen by type."""
    seen = list(info_plist.read("Ferry.app/Info.plist", data))
    return {
        kind: [s for s in seen if isinstance(s, kind)] for kind in (InfoPlist, HostSighting, TemplateSighting, Trouble)
    }


def test_an_info_plist_tells_its_dictionary_its_bundle_and_the_line_of_each_key():
    """Values stand as declared, keys out of place are kept, build variables are none, and lines are those of the keys."""
    seen = read(INFO)
    (info,) = seen[InfoPlist]
    assert (info.identifier, info.name, info.version, info.minimum_os) == ("com.example.ferry", "Ferry", None, "15.0")
    assert info.dictionary.to_plist() == plistlib.loads(INFO)["NSAppTransportSecurity"]
    assert info.dictionary.misplaced == (("NSAllowsLocalNetworking", True), ("NSAppTransportSecurty", {}))
    assert info.key_lines == {
        (None, "NSAppTransportSecurity"): 9,
        (None, "NSAllowsArbitraryLoads"): 11,
        (None, "NSExceptionDomains"): 13,
        ("EXAMPLE.com", None): 15,
        ("EXAMPLE.com", "NSExceptionMinimumTLSVersion"): 17,
        ("10.0.0.0/8", None): 20,
        ("https://maps.example.com", None): 22,
        (None, "NSAllowsLocalNetworking"): 26,
        (None, "NSAppTransportSecurty"): 27,
    }


def test_an_info_plist_names_its_exception_domains_and_the_urls_of_its_values():
    """Each key of NSExceptionDomains names the host that it means, each URL its endpoint, with path and line."""
    seen = read(INFO)
    assert [(s.endpoint.host, s.kind, str(s.location)) for s in seen[HostSighting]] == [
        ("example.com", "ats-exception", "15 NSAppTransportSecurity:NSExceptionDomains:EXAMPLE.com"),
        ("maps.example.com", "ats-exception", "22 NSAppTransportSecurity:NSExceptionDomains:https://maps.example.com"),
        ("api.example.com", "url", "31 Servers:1:url"),
    ]
    assert [t.suffix for t in seen[TemplateSighting]] == ["example.net"]


def test_a_binary_info_plist_says_the_same_without_lines():
    """The binary form of the same dictionary gives the same facts and hosts; it has no lines."""
    xml, same = read(INFO), read(plistlib.dumps(plistlib.loads(INFO), fmt=plistlib.FMT_BINARY, sort_keys=False))
    assert same[InfoPlist][0].dictionary == xml[InfoPlist][0].dictionary
    assert same[InfoPlist][0].key_lines == {}
    assert [s.endpoint for s in same[HostSighting]] == [s.endpoint for s in xml[HostSighting]]


def test_every_type_of_value_stands_as_declared():
    """Booleans, numbers, strings, data and arrays of the dictionary reach the model unchanged, arrays as tuples."""
    value = {
        "NSAllowsArbitraryLoads": "YES",
        "NSAllowsLocalNetworking": 1,
        "x": [1.5, b"a", True],
        "NSExceptionDomains": [],
    }
    (info,) = read(plistlib.dumps({"NSAppTransportSecurity": value}))[InfoPlist]
    assert info.dictionary.allows_arbitrary_loads == "YES"
    assert info.dictionary.allows_local_networking == 1
    assert info.dictionary.unknown == (("x", (1.5, b"a", True)),)
    assert info.dictionary.malformed_domains == ()


@pytest.mark.parametrize(
    "key", ["NSAppTransportSecurity ", "nsapptransportsecurity", "NSExceptionDomain", "App Transport Security Settings"]
)
def test_a_misspelt_key_at_the_top_is_kept(key):
    """A key that was meant for ATS is no silent nothing."""
    (info,) = read(plistlib.dumps({key: {}}))[InfoPlist]
    assert [k for k, _ in info.dictionary.misplaced] == ([key] if key != "nsapptransportsecurity" else [])


@pytest.mark.parametrize(
    "key", ["NSAppleMusicUsageDescription", "NSCameraUsageDescription", "NSExtension", "NSUserActivityTypes"]
)
def test_other_keys_of_apple_are_not_taken_for_misspelt_ones(key):
    """Keys that have their own meaning at the top of an Info.plist stay out of the dictionary."""
    (info,) = read(plistlib.dumps({key: "x"}))[InfoPlist]
    assert info.dictionary.misplaced == ()


@pytest.mark.parametrize("junk", [b"\n", b"  \r\n\r\n", b"<!-- made by\n hand -->\n", b"\xef\xbb\xbf"])
def test_what_stands_before_the_xml_is_forgiven_and_counted(junk):
    """A blank line, a comment or a byte order mark before the XML does no harm, and lines are those of the file."""
    plist = plist_file.load(junk + INFO)
    assert plist.lines[("NSAppTransportSecurity",)] == 9 + junk.count(b"\n")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_xml_in_utf_16_is_read(encoding):
    """A property list in UTF-16 with its byte order mark gives the same values."""
    text = INFO.decode().replace("UTF-8", "UTF-16")
    data = text.encode(encoding) if encoding == "utf-16" else ("\ufeff" + text).encode(encoding)
    assert plist_file.load(data).root["CFBundleName"] == "Ferry"


NONE = "not a property list "


def whole_binary() -> bytes:
    """A binary property list as an app has it."""
    return plistlib.dumps({"CFBundleName": "Ferry", "NSAppTransportSecurity": {"a": [1, 2]}}, fmt=plistlib.FMT_BINARY)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "an empty file"),
        (b" \n", "an empty file"),
        (
            HEAD + b"<dict>\n<key>a</key>\n<array>\n</dict>\n</plist>",
            "not a property list (line 7: </dict> closes <array>)",
        ),
        (HEAD + b"<dict><key>a</key>", "not a property list (line 4: no element found)"),
        (b"hello", "not a property list (line 1: syntax error)"),
        (HEAD + b"<dict><key>a</key></dict></plist>", "not a property list (missing value for key 'a' at line 4)"),
        (b'{"a": 1}', "not a property list in XML or binary form (JSON, or the old OpenStep form?)"),
        (b"bplist00", "not a property list (binary, but damaged or cut short)"),
        (b"bplist00" + b"\0" * 100, "not a property list (binary, but damaged or cut short)"),
        (HEAD + b"<date>x</date></plist>", "not a property list ("),
        *(
            (
                HEAD + b"<integer>" + digits + b"</integer></plist>",
                f"{NONE}(line 4: an integer of more than 1,000 digits)",
            )
            for digits in (b"9" * 1001, b"9" * 10_000, b"0x" + b"f" * 10_000)
        ),
        (binary([b"\x18" + b"\xff" * 256]), f"{NONE}(an integer of more than 128 bits)"),
        *((whole_binary()[:cut], f"{NONE}(binary, but damaged or cut short)") for cut in range(8, len(whole_binary()))),
        *((b"bplist00" + bytes([byte]) * 5000, f"{NONE}(binary, but damaged or cut short)") for byte in (1, 66, 255)),
        (binary([b"\x5f\x12\x00\x01\x00\x00hello"]), f"{NONE}(binary, but damaged or cut short)"),
        (b'<?xml version="1.0" encoding="nonsense"?><plist/>', "not a property list ("),
        (
            b'<!DOCTYPE plist [<!ENTITY a "b">]><plist><string>&a;</string></plist>',
            "not a property list (line 1: declares an XML entity, which no property list does)",
        ),
    ],
)
def test_what_is_no_property_list_is_said_in_one_line(data, reason):
    """The reason names the line and what is wrong there."""
    with pytest.raises(Unreadable) as error:
        plist_file.load(data)
    assert error.value.reason.startswith(reason)
    assert "\n" not in error.value.reason


def test_a_plist_that_contains_itself_is_walked_once():
    """An array that holds itself, and an URL after it, end in one sighting and no endless walk."""
    data = binary([b"\xa2\x00\x01", b"\x5f\x10\x18https://a.example.com/v1"])
    assert [s.endpoint.host for s in property_list.read("x.plist", data)] == ["a.example.com"]


def test_shared_containers_are_walked_once():
    """Ten levels of ten references to the next one are ten arrays, and not ten thousand million values."""
    objects = [b"\xaa" + bytes([level + 1]) * 10 for level in range(10)] + [b"\x55hello"]
    start = time.process_time()
    assert list(property_list.read("x.plist", binary(objects))) == []
    assert time.process_time() - start < 5


def test_a_dictionary_of_shared_containers_is_refused_as_a_setting():
    """The same bomb under NSAppTransportSecurity is trouble, and the rest of the Info.plist is read."""
    levels = [b"\xaa" + bytes([level + 3]) * 10 for level in range(10)] + [b"\x55hello"]
    data = binary([b"\xd1\x01\x02", b"\x5f\x10\x16NSAppTransportSecurity", *levels])
    seen = read(data)
    assert seen[Trouble][0].reason.startswith("NSAppTransportSecurity: a dictionary of more than 60,000 values")
    assert seen[InfoPlist][0].dictionary.to_plist() is None


def test_objects_that_overlap_are_not_unfolded():
    """Two thousand objects that all point at one array of a million references are refused before they are built."""
    body = b"\xaf\x12" + (1_000_000).to_bytes(4, "big") + b"\0" * 1_000_000
    table = len(b"bplist00" + body)
    data = b"bplist00" + body + (8).to_bytes(4, "big") * 2000 + struct.pack(">6xBBQQQ", 4, 1, 2000, 0, table)
    start = time.process_time()
    with pytest.raises(Unreadable, match="overlap"):
        plist_file.load(data)
    assert time.process_time() - start < 5


@pytest.mark.parametrize("levels", [100, 200_000])
def test_deep_nesting_ends_in_a_line(levels):
    """XML of any depth is refused, or read to a depth, without exhausting the stack."""
    data = HEAD + b"<array>" * levels + b"</array>" * levels + b"</plist>"
    (trouble,) = (s for s in property_list.read("x.plist", data) if isinstance(s, Trouble))
    assert "levels" in trouble.reason


def test_deep_nesting_in_binary_ends_in_a_line():
    """A chain of five thousand arrays in binary form does not exhaust the stack."""
    chain = [b"\xa1" + i.to_bytes(2, "big") for i in range(1, 5000)] + [b"\x51x"]
    data, offsets = b"bplist00", []
    for item in chain:
        offsets.append(len(data))
        data += item
    table = len(data)
    data += b"".join(o.to_bytes(4, "big") for o in offsets) + struct.pack(">6xBBQQQ", 4, 2, len(chain), 0, table)
    assert [type(s) for s in property_list.read("x.plist", data)] == [Trouble]


def test_keys_that_are_no_strings_are_left_out():
    """A binary dictionary with a number for a key loses that key alone."""
    data = binary([b"\xd2\x01\x02\x03\x03", b"\x10\x07", b"\x51a", b"\x5f\x10\x15https://a.example.com"])
    assert [s.endpoint.host for s in info_plist.read("Ferry.app/Info.plist", data) if isinstance(s, HostSighting)] == [
        "a.example.com"
    ]


def test_a_broken_xml_plist_is_read_as_text():
    """Hosts of a property list that no parser takes are found all the same, and that it is broken is said."""
    seen = list(property_list.read("x.plist", HEAD + b"<dict>\n<string>https://a.example.com/</string></array>"))
    assert seen[0].reason == "not a property list (line 5: </array> closes <dict>)"
    hosts = [s for s in seen if isinstance(s, HostSighting)]
    assert [(s.endpoint.host, s.confidence.value) for s in hosts] == [("www.apple.com", "D"), ("a.example.com", "D")]


def test_the_dtd_of_a_whole_plist_is_no_host():
    """A property list that is parsed gives the URLs of its values, and never that of its document type."""
    assert list(property_list.read("x.plist", HEAD + b"<dict/></plist>")) == []


@given(st.binary(max_size=300))
def test_any_bytes_are_a_property_list_or_trouble(data):
    """No bytes behind a magic number, and no mutation of a real list, make a reader fail."""
    real = plistlib.dumps(plistlib.loads(INFO), fmt=plistlib.FMT_BINARY)
    at = len(data) * 7 % len(real)
    for hostile in (
        b"bplist00" + data,
        HEAD + data,
        real[:at] + data + real[at + len(data) :],
        INFO[:at] + data + INFO[at:],
    ):
        list(property_list.read("x.plist", hostile))
        list(info_plist.read("Ferry.app/Info.plist", hostile))
