"""The suggested dictionary as a property list: valid XML, commented, whatever an app, a server or DNS wrote."""

from __future__ import annotations

import plistlib
import re
from dataclasses import replace
from datetime import datetime
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_results import (
    APP,
    HTTP,
    MIN,
    PFS,
    SHARE,
    ferry,
    finding,
    key,
    load,
    loose_plist,
    passing,
    recording,
    reference,
    result,
)

from atsprobe.model.dictionary import AtsDictionary, ExceptionEntry
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.judgement import Verdict
from atsprobe.model.result import MinimalDictionary
from atsprobe.report import plist_xml
from atsprobe.report.suggested_plist import suggested_plists

HOSTILE = "-- > <!-- & ]]> \x1b[2J \u202egnp.exe\u202c \ud800 \r\n \x00 -->"
PAY = Endpoint(Host("pay.example.org"), 443)


def suggested(dictionary, exceptions=(), loads=(), *, bundles=(APP,), more=()):
    """Give the first suggestion for a result in which a bundle's smallest dictionary is this."""
    minimal = (MinimalDictionary(bundles[0].identifier, dictionary), *more)
    return suggested_plists(replace(result(loads, exceptions, of=recording(bundles)), minimal=minimal))


def dictionaries(element: ElementTree.Element):
    """Give every dictionary of a property list."""
    return [e for e in element.iter() if e.tag == "dict"]


def check_as_plutil_would(text: str) -> None:
    """One value in plist, and in every dictionary keys and values by turns (Apple, PropertyList-1.0.dtd)."""
    root = ElementTree.fromstring(text.encode())
    assert (root.tag, root.get("version"), len(root)) == ("plist", "1.0", 1)
    for dictionary in dictionaries(root):
        tags = [child.tag for child in dictionary]
        assert len(tags) % 2 == 0
        assert set(tags[::2]) <= {"key"}
        assert "key" not in tags[1::2]
        assert len({child.text for child in dictionary[::2]}) == len(tags) // 2


def test_the_fragment_says_why_each_key_stands_there():
    """Which app, when, as which client; status, reason and what was seen of the server; and what is left out."""
    no_pfs = ExceptionEntry(requires_forward_secrecy=False)
    server = load("pay.example.org", Verdict.EXCEPTION_REQUIRED, minimal=no_pfs, ips=("192.0.2.44",))
    keys = [
        key("pay.example.org", PFS, False, "needed", "static RSA only", hosts=[PAY]),
        key("pay.example.org", HTTP, True, "unneeded", "no http:// URL found"),
    ]
    (one,) = suggested({"NSExceptionDomains": {"pay.example.org": {PFS: False}}}, keys, [server])
    assert one.text == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n'
        "<!-- Ferry 4.2.0 (1187): the smallest NSAppTransportSecurity under which all loads work that can\n"
        "     seen 2026-11-17 (UTC) by atsprobe, as iOS 26, SDK 26, Apple roots 26\n"
        "     it goes into Info.plist in the place of the whole NSAppTransportSecurity that stands there\n"
        "     left out: pay.example.org NSExceptionAllowsInsecureHTTPLoads: unneeded: no http:// URL found -->\n"
        '<plist version="1.0">\n'
        "<dict>\n"
        "\t<key>NSAppTransportSecurity</key>\n"
        "\t<dict>\n"
        "\t\t<key>NSExceptionDomains</key>\n"
        "\t\t<dict>\n"
        "\t\t\t<!-- NSExceptionRequiresForwardSecrecy: needed; static RSA only\n"
        "\t\t\t     pay.example.org:443: exception-required by default; seen: 192.0.2.44: TLS 1.3 TLS_AES_256_GCM_SHA384 -->\n"
        "\t\t\t<key>pay.example.org</key>\n"
        "\t\t\t<dict>\n"
        "\t\t\t\t<key>NSExceptionRequiresForwardSecrecy</key>\n"
        "\t\t\t\t<false/>\n"
        "\t\t\t</dict>\n"
        "\t\t</dict>\n"
        "\t</dict>\n"
        "</dict>\n"
        "</plist>\n"
    )


def test_a_new_and_a_changed_key_say_so():
    """New with what fails that the key mends; another value with what stood there and its status."""
    old = ExceptionEntry(minimum_tls_version="TLSv1.1")
    failing = finding("tls-version", "TLS 1.1 at most; at least 1.2")
    failing = replace(failing, finding=replace(failing.finding, fixable_by=MIN))
    other = finding("forward-secrecy", "static RSA suites only")
    loads = [
        load("a.example.com", Verdict.EXCEPTION_REQUIRED, minimal=old, findings=[other, failing]),
        load("b.example.com", Verdict.EXCEPTION_REQUIRED, minimal=old, findings=[failing]),
    ]
    keys = [
        key("b.example.com", MIN, "TLSv1.0", "too-wide", "TLSv1.1 is enough", hosts=[loads[1].endpoint]),
        key("example.com", "NSIncludesSubdomains", True, "too-wide", "name that one", hosts=[loads[0].endpoint]),
    ]
    entries = {"b.example.com": {MIN: "TLSv1.1"}, "a.example.com": {MIN: "TLSv1.1"}}
    (one,) = suggested({"NSExceptionDomains": entries}, keys, loads)
    assert f"{MIN}: new; tls-version: TLS 1.1 at most; at least 1.2\n" in one.text
    assert f"{MIN}: in the place of TLSv1.0, which is too-wide; TLSv1.1 is enough\n" in one.text
    assert (
        "left out, now under a.example.com: example.com NSIncludesSubdomains: too-wide: name that one -->" in one.text
    )


def test_stray_keys_and_an_empty_dictionary():
    """Where nothing remains the list is empty and says so; a key outside NSAppTransportSecurity is named as such."""
    bundle = replace(APP, dictionary=AtsDictionary(misplaced=(("NSAllowsArbitraryLoads", True),)))
    stray = key(None, "NSAllowsArbitraryLoads", True, "ineffective", "nothing reads it there")
    (one,) = suggested({}, [stray], bundles=[bundle])
    assert plistlib.loads(one.text.encode()) == {}
    assert "no exception is needed: NSAppTransportSecurity goes from Info.plist as a whole\n" in one.text
    assert "left out, to be removed at the top of Info.plist: NSAllowsArbitraryLoads: ineffective" in one.text
    (nothing,) = suggested({})
    assert "no exception is declared, and no server was found that may need one -->" in nothing.text
    (passes,) = suggested({}, loads=passing().loads)
    assert "no exception is declared, and none is needed -->" in passes.text


def test_every_bundle_has_a_file_of_its_own():
    """The first is the main one; of others those that declare or need something, under names that any file system takes."""
    loose = [replace(loose_plist(f"{f}/Info.plist"), dictionary=AtsDictionary()) for f in ("Widget", "../..", "wídget")]
    bundles = [APP, SHARE, *loose, loose_plist("Watch-Info.plist")]
    needs = {"NSAllowsLocalNetworking": True}
    more = [MinimalDictionary(b.identifier, needs) for b in bundles[2:]] + [MinimalDictionary(SHARE.identifier, {})]
    found = suggested(needs, bundles=bundles, more=more)
    assert [s.bundle for s in found] == [APP.identifier, *(b.identifier for b in bundles[2:])]
    names = [s.name for s in found]
    assert names == ["", "Widget", "Info", "w-dget", "Watch"]
    assert len({n.casefold() for n in names}) == len(names)


def test_order_follows_the_declared_one():
    """Declared entries in their order, then new ones by name, so that a diff by eye is short."""
    declared = AtsDictionary.from_plist({"NSExceptionDomains": {"b.example.com": {}, "a.example.com": {}}})
    smallest = {
        "NSExceptionDomains": {"z.example.com": {}, "a.example.com": {}, "c.example.com": {}, "b.example.com": {}}
    }
    (one,) = suggested(smallest, bundles=[replace(APP, dictionary=declared)])
    assert re.findall(r"<key>(.)\.example\.com", one.text) == ["b", "a", "c", "z"]


def test_hosts_without_an_app():
    """What an app would need for them: the smallest exception of each, united where a host has several."""
    rsa, old = ExceptionEntry(requires_forward_secrecy=False), ExceptionEntry(minimum_tls_version="TLSv1.0")
    http = ExceptionEntry(allows_insecure_http_loads=True, minimum_tls_version="TLSv1.1")
    loads = [
        load("a.example.com", Verdict.EXCEPTION_REQUIRED, minimal=rsa, bundles=((None, None),)),
        load("a.example.com", Verdict.EXCEPTION_REQUIRED, minimal=old, port=8443, bundles=((None, None),)),
        load("a.example.com", Verdict.EXCEPTION_REQUIRED, minimal=http, scheme="http", bundles=((None, None),)),
        load("b.example.com", bundles=((None, None),)),
    ]
    (one,) = suggested_plists(result(loads))
    assert plistlib.loads(one.text.encode())["NSAppTransportSecurity"] == {
        "NSExceptionDomains": {"a.example.com": {HTTP: True, MIN: "TLSv1.0", PFS: False}}
    }
    assert "<!-- 4 endpoints: the smallest NSAppTransportSecurity under which they load\n" in one.text
    (none,) = suggested_plists(passing())
    assert plistlib.loads(none.text.encode()) == {}


@pytest.mark.parametrize("made", [ferry, passing])
def test_same_input_same_bytes(made):
    """Nothing depends on the order of a set, on a clock or on an address of memory."""
    assert suggested_plists(made()) == suggested_plists(made())


def test_foreign_text_cannot_leave_its_comment():
    """Neither a domain, nor a reason, a name or a value ends the comment, hides in it, or makes the file no XML."""
    app = replace(APP, name=HOSTILE, version=HOSTILE)
    server = load(
        "a.example.com", Verdict.EXCEPTION_REQUIRED, references=[reference("a.example.com", HOSTILE, HOSTILE)]
    )
    keys = [
        key("a.example.com", PFS, False, "needed", HOSTILE, hosts=[server.endpoint]),
        key(HOSTILE, HOSTILE, HOSTILE, "ineffective", HOSTILE),
        key("xn--a-ecp.example", HTTP, True, "unneeded", "x--"),
    ]
    pins = {HOSTILE: {"NSPinnedLeafIdentities": ({"SPKI-SHA256-BASE64": HOSTILE},)}}
    dictionary = {"NSPinnedDomains": pins, "NSExceptionDomains": {"a.example.com": {PFS: False}, "xn--b.example": {}}}
    (one,) = suggested(dictionary, keys, [server], bundles=[app])
    check_as_plutil_would(one.text)
    ats = plistlib.loads(one.text.encode())["NSAppTransportSecurity"]
    assert list(ats["NSExceptionDomains"]) == ["a.example.com", "xn--b.example"]
    (pinned,) = ats["NSPinnedDomains"]
    assert pinned == HOSTILE.replace("\x1b", "\ufffd").replace("\ud800", "\ufffd").replace("\x00", "\ufffd")
    shown = one.text.replace("\n", "").replace("\t", "")
    assert shown.isascii()
    assert shown.isprintable()


_texts = st.text(st.characters(codec="utf-8") | st.sampled_from("-<>&\r\n\x00\ufffe"), max_size=20)
_scalars = (
    st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | _texts | st.binary(max_size=9)
)
_dates = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(lambda d: d.replace(microsecond=0))
_values = st.recursive(
    _scalars | _dates,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=9,
)


def representable(value):
    """Give a value with U+FFFD for what XML 1.0 cannot hold, and lists for tuples, as plistlib reads it."""
    if isinstance(value, str):
        return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", value)
    if isinstance(value, dict):
        return {representable(k): representable(v) for k, v in value.items()}
    return [representable(v) for v in value] if isinstance(value, tuple) else value


@given(st.dictionaries(_texts, _values, max_size=3))
def test_any_value_is_read_back(value):
    """Every value that a property list holds survives being written."""
    lines = plist_xml.element(value, "")
    text = "\n".join(('<plist version="1.0">', *lines, "</plist>"))
    assert text.isascii()
    assert plistlib.loads(text.encode()) == representable(value)


@given(st.lists(_texts, min_size=1, max_size=3))
def test_any_text_fits_a_comment(lines):
    """A comment of any text is one comment of XML, with nothing in it that a terminal would obey."""
    text = "\n".join(plist_xml.comment(lines))
    ElementTree.fromstring(f"<a>{text}</a>")
    assert text.count("-->") == 1
    assert all(c.isprintable() or c in "\n\u3000" for c in text)
