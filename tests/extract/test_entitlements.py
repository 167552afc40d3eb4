"""Associated domains: out of code signatures in both forms, provisioning profiles and files of entitlements."""

from __future__ import annotations

import plistlib
import random
import struct

import pytest

from atsprobe.extract.extract import extract
from atsprobe.extract.mach_o.code_signature import entitlements_in
from atsprobe.extract.mach_o.der import strings_under

KEY = "com.apple.developer.associated-domains"
DOMAINS = ["applinks:links.example.co", "webcredentials:login.example.co?mode=developer", "appclips:*.clips.example.co"]
XML, DER = 0xFADE7171, 0xFADE7172


def tlv(tag, body):
    """Give a value in DER."""
    length = len(body)
    size = b"" if length < 0x80 else length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, length if length < 0x80 else 0x80 | len(size)]) + (size or b"") + body


def der_entitlements(domains):
    """Give entitlements as Apple's tools write them in DER: a version, then a dictionary of pairs."""
    listed = tlv(0x30, b"".join(tlv(0x0C, d.encode()) for d in domains))
    pairs = [
        tlv(0x30, tlv(0x0C, b"application-identifier") + tlv(0x0C, b"TEAM.com.example.ferry")),
        tlv(0x30, tlv(0x0C, KEY.encode()) + listed),
        tlv(0x30, tlv(0x0C, b"get-task-allow") + tlv(0x01, b"\xff")),
    ]
    return tlv(0x70, tlv(0x02, b"\x01") + tlv(0xB0, b"".join(pairs)))


def superblob(*slots):
    """Give a code signature of (slot, magic, content)."""
    at, index, blobs = 12 + 8 * len(slots), b"", b""
    for slot, magic, content in slots:
        index += struct.pack(">II", slot, at + len(blobs))
        blobs += struct.pack(">II", magic, 8 + len(content)) + content
    return struct.pack(">III", 0xFADE0CC0, at + len(blobs), len(slots)) + index + blobs


def signed(signature):
    """Give an executable for arm64 that holds a code signature and nothing else."""
    header = struct.pack("<8I", 0xFEEDFACF, 0x0100000C, 0, 2, 1, 16, 0, 0)
    return header + struct.pack("<4I", 0x1D, 16, 48, len(signature)) + signature


def declared(extraction):
    """Give {host: bundles} of the associated domains."""
    found = {}
    for r in extraction.references:
        if r.kind == "associated-domain":
            found.setdefault(r.endpoint.host, set()).add(r.bundle)
    return found


@pytest.mark.parametrize(
    "slots",
    [
        [(5, XML, plistlib.dumps({KEY: DOMAINS}))],
        [(7, DER, der_entitlements(DOMAINS))],
        [(0, 0xFADE0C02, b"\0" * 40), (5, XML, plistlib.dumps({KEY: DOMAINS})), (7, DER, der_entitlements(DOMAINS))],
        [(5, XML, b"<plist><dict><key>"), (7, DER, der_entitlements(DOMAINS))],
    ],
    ids=["xml", "der", "both", "broken xml"],
)
def test_a_code_signature_names_the_associated_domains(make_app, slots):
    """Either form gives each host once, with its place in the signature; a wildcard is its fixed end, and no host."""
    info = {"CFBundleIdentifier": "com.example.ferry", "CFBundleExecutable": "Ferry"}
    certificates = (0x10000, 0xFADE0B01, b"\x86\x22http://ocsp.certificates.example.co/x\0")
    files = {
        "Payload/Ferry.app/Info.plist": info,
        "Payload/Ferry.app/Ferry": signed(superblob(*slots, certificates)),
    }
    extraction = extract([make_app(files)])
    assert declared(extraction) == {
        "links.example.co": {"com.example.ferry"},
        "login.example.co": {"com.example.ferry"},
    }
    assert len(extraction.references) == 2
    (links,) = [r for r in extraction.references if r.endpoint.host == "links.example.co"]
    assert (links.text, links.file, links.confidence) == ("applinks:links.example.co", "Ferry.app/Ferry", "A")
    assert str(links.location).startswith("(arm64) LC_CODE_SIGNATURE+0x")
    assert [(t.suffix, t.text) for t in extraction.templates] == [("clips.example.co", "appclips:*.clips.example.co")]
    assert not extraction.skipped


def test_a_provisioning_profile_gives_its_entitlements_alone(make_app):
    """The property list is cut out of its envelope, whose certificates name hosts that are none of the app's."""
    profile = {
        "Name": "Ferry",
        "ProvisionedDevices": [],
        "Entitlements": {KEY: ["applinks:profile.example.co"]},
        "Link": "https://portal.example.co/",
    }
    envelope = b"0\x82\x12\x34\x06\x09" + plistlib.dumps(profile) + b"\xa0\x82http://ocsp.example.co/ocsp-wwdr"
    files = {
        "Payload/Ferry.app/Info.plist": {"CFBundleIdentifier": "com.example.ferry"},
        "Payload/Ferry.app/embedded.mobileprovision": envelope,
    }
    extraction = extract([make_app(files)])
    assert [(r.endpoint.host, r.location.path) for r in extraction.references] == [
        ("profile.example.co", f"Entitlements:{KEY}:0")
    ]


@pytest.mark.parametrize("value", ["*", ["*"], [7, {"a": "b"}], {"x": "applinks:x.example.co"}, "applinks:*"])
def test_a_profile_that_allows_any_domain_names_none(make_app, value):
    """The wildcard that profiles hold, and values of a wrong type, are no hosts and no trouble."""
    files = {
        "Payload/Ferry.app/Info.plist": {"CFBundleIdentifier": "com.example.ferry"},
        "Payload/Ferry.app/embedded.mobileprovision": b"0\x80" + plistlib.dumps({"Entitlements": {KEY: value}}),
    }
    extraction = extract([make_app(files)])
    assert (extraction.references, extraction.templates, extraction.skipped) == ((), (), ())


def test_a_profile_without_a_property_list_is_said(make_app):
    """What is cut short or no profile at all costs that file."""
    files = {
        "Payload/Ferry.app/Info.plist": {"CFBundleIdentifier": "com.example.ferry"},
        "Payload/Ferry.app/embedded.mobileprovision": b"0\x80<?xml version='1.0'?><plist>",
    }
    (skipped,) = extract([make_app(files)]).skipped
    assert (skipped.file, skipped.reason) == (
        "Ferry.app/embedded.mobileprovision",
        "a provisioning profile without a property list in it",
    )


@pytest.mark.parametrize("name", ["Ferry.entitlements", "archived-expanded-entitlements.xcent"])
def test_a_file_of_entitlements_names_hosts_with_their_line(tmp_path, name):
    """Of sources, with values that a build fills in: those with a fixed end are templates, the others nothing."""
    (tmp_path / "Info.plist").write_bytes(plistlib.dumps({"CFBundleIdentifier": "com.example.ferry"}))
    domains = [
        "applinks:$(HOST)",
        "applinks:$(STAGE).example.co",
        "activitycontinuation:go.example.co",
        "go.example.co:8443",
    ]
    (tmp_path / name).write_bytes(plistlib.dumps({KEY: domains}))
    extraction = extract([str(tmp_path)])
    found = [(r.endpoint.host, r.endpoint.port, str(r.location)) for r in extraction.references]
    assert found == [("go.example.co", 443, f"9 {KEY}:2"), ("go.example.co", 443, f"10 {KEY}:3")]
    assert [t.suffix for t in extraction.templates] == ["example.co"]


def test_a_damaged_signature_says_nothing_and_does_not_fail():
    """Every cut and a thousand mutations of a signature end within its bounds."""
    whole = superblob((5, XML, plistlib.dumps({KEY: DOMAINS})), (7, DER, der_entitlements(DOMAINS)))
    chance = random.Random(5)
    mutants = [whole[:n] for n in range(0, len(whole), 7)]
    for _ in range(1000):
        mutant = bytearray(whole)
        for _ in range(3):
            mutant[chance.randrange(len(mutant))] = chance.randrange(256)
        mutants.append(bytes(mutant))
    for mutant in mutants:
        for blob in entitlements_in(mutant, 0, len(mutant)):
            assert 0 <= blob.start <= blob.end <= len(mutant)
            list(strings_under(mutant[blob.start : blob.end], KEY))


@pytest.mark.parametrize(
    "data",
    [
        b"\x30\x80" * 1000,
        b"\x30\x84\xff\xff\xff\xff" * 1000,
        b"\x30\x00" * 500_000,
        b"\x1f" * 1000,
        b"0" + b"\x84\x00\x0f\x00\x00" + b"0\x82\x01\x00" * 1000,
    ],
    ids=["indefinite", "huge", "many", "long tags", "nested"],
)
def test_hostile_der_ends(data):
    """Indefinite and huge lengths, many values and deep nesting give nothing, within the bounds of the walk."""
    assert list(strings_under(data, KEY)) == []
