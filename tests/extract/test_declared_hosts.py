"""Hosts that an app declares apart from exceptions: Apple's keys, Capacitor, Cordova, Firebase."""

from __future__ import annotations

import json
import plistlib

import pytest

from atsprobe.extract.extract import extract
from atsprobe.model.endpoint import Confidence

INFO = {"CFBundleIdentifier": "com.example.ferry"}


def found(extraction):
    """Give (host, port, scheme, kind, class, place) of every reference."""
    return [
        (r.endpoint.host, r.endpoint.port, r.endpoint.scheme, r.kind, str(r.confidence), str(r.location))
        for r in extraction.references
    ]


def of_file(tmp_path, name, content):
    """Extract from a folder of sources that holds an Info.plist and one file."""
    (tmp_path / "Info.plist").write_bytes(plistlib.dumps(INFO))
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return extract([str(tmp_path)])


def test_an_info_plist_declares_domains_under_each_of_apples_keys(make_app):
    """Pinned, app-bound and tracking domains and the endpoint of attribution reports, each with its kind and key path."""
    info = INFO | {
        "NSAppTransportSecurity": {
            "NSPinnedDomains": {"pinned.example.co": {"NSIncludesSubdomains": True}, "*.PIN.co": {}}
        },
        "WKAppBoundDomains": ["bound.example.co", "*.wild.example.co", 7],
        "NSPrivacyTrackingDomains": ["tracking.example.co"],
        "NSAdvertisingAttributionReportEndpoint": "https://report.example.co",
    }
    extraction = extract([make_app({"Payload/Ferry.app/Info.plist": plistlib.dumps(info, fmt=plistlib.FMT_BINARY)})])
    pins = "NSAppTransportSecurity:NSPinnedDomains"
    assert sorted(found(extraction)) == sorted(
        [
            ("pinned.example.co", 443, "https", "pinned-domain", "A", f"{pins}:pinned.example.co"),
            ("pin.co", 443, "https", "pinned-domain", "A", f"{pins}:*.PIN.co"),
            ("bound.example.co", 443, "https", "app-bound-domain", "A", "WKAppBoundDomains:0"),
            ("tracking.example.co", 443, "https", "tracking-domain", "A", "NSPrivacyTrackingDomains:0"),
            ("report.example.co", 443, "https", "configuration", "A", "NSAdvertisingAttributionReportEndpoint"),
        ]
    )
    assert [t.suffix for t in extraction.templates] == ["wild.example.co"]


def test_a_declared_domain_is_https_443_only_where_no_url_names_its_host(make_app):
    """A tracking domain gives a load of its own, unless a URL of the same bundle names the host."""
    info = INFO | {"NSPrivacyTrackingDomains": ["one.example.co", "two.example.co"], "Home": "http://two.example.co/"}
    extraction = extract([make_app({"Payload/Ferry.app/Info.plist": info})])
    loads = {(x.endpoint.host, x.endpoint.port, x.is_named) for x in extraction.loads()}
    assert loads == {("one.example.co", 443, False), ("two.example.co", 80, True)}


def test_the_privacy_manifest_of_a_framework_counts_for_the_app(make_app):
    """Tracking domains of an SDK's manifest belong to the app that carries it, whatever the noise list says of them."""
    manifest = {"NSPrivacyTracking": True, "NSPrivacyTrackingDomains": ["ads.example.co", "github.com"]}
    extraction = extract(
        [
            make_app(
                {
                    "Payload/Ferry.app/Info.plist": INFO,
                    "Payload/Ferry.app/Frameworks/Ads.framework/PrivacyInfo.xcprivacy": manifest,
                    "Payload/Ferry.app/Frameworks/Ads.framework/Info.plist": {"WKAppBoundDomains": ["no.example.co"]},
                }
            )
        ]
    )
    declared = [r for r in extraction.references if r.confidence is Confidence.DECLARED]
    assert [(r.endpoint.host, r.kind, r.bundle) for r in declared] == [
        ("ads.example.co", "tracking-domain", "com.example.ferry"),
        ("github.com", "tracking-domain", "com.example.ferry"),
    ]
    assert [(r.endpoint.host, r.kind) for r in extraction.references if r not in declared] == [
        ("no.example.co", "bare-host")
    ]
    assert not extraction.noise


def test_capacitor_json_names_its_server_and_where_it_may_go(tmp_path):
    """A URL is a load as written, names are hosts, a pattern its fixed end; URLs of plug-ins are found as ever."""
    config = {
        "appId": "com.example.ferry",
        "plugins": {"Live": {"url": "https://live.example.co/feed"}},
        "server": {
            "url": "http://192.168.1.7:8100",
            "hostname": "app.example.co",
            "allowNavigation": ["pay.example.co", "*.bank.example.co", "*", "https://id.example.co/*"],
        },
    }
    extraction = of_file(tmp_path, "capacitor.config.json", json.dumps(config, indent=2))
    assert found(extraction) == [
        ("192.168.1.7", 8100, "http", "configuration", "A", "9"),
        ("app.example.co", 443, "https", "bare-host", "A", "10"),
        ("pay.example.co", 443, "https", "bare-host", "A", "12"),
        ("id.example.co", 443, "https", "configuration", "A", "15"),
        ("live.example.co", 443, "https", "url", "B", "5"),
    ]
    assert [t.suffix for t in extraction.templates] == ["bank.example.co"]


def test_capacitor_typescript_is_read_by_its_literals(tmp_path):
    """Values of the server's part count, those in comments and outside of it do not; what is computed is not guessed."""
    config = """import type { CapacitorConfig } from '@capacitor/cli';
const config: CapacitorConfig = {
  hostname: 'outside.example.co',
  server: {
    // url: 'http://10.0.0.2:3000',
    url: process.env.DEV ? devUrl : undefined,
    hostname: 'app.example.co',
    nested: { cleartext: true },
    allowNavigation: [
      'pay.example.co', /* 'old.example.co' */
      "https://id.example.co",
    ],
  },
  url: 'behind.example.co',
};
"""
    extraction = of_file(tmp_path, "capacitor.config.ts", config)
    assert found(extraction) == [
        ("app.example.co", 443, "https", "bare-host", "A", "7"),
        ("pay.example.co", 443, "https", "bare-host", "A", "10"),
        ("id.example.co", 443, "https", "configuration", "A", "11"),
        ("10.0.0.2", 3000, "http", "url", "D", "5"),
    ]


@pytest.mark.parametrize(
    "config",
    [
        b"{",
        b"[" * 100_000,
        b'{"server": 7}',
        b'{"server": {"allowNavigation": {"a": 1}, "url": null}}',
        b"\xff\xfe\x00",
    ],
)
def test_a_capacitor_configuration_of_any_shape_is_no_failure(tmp_path, config):
    """Broken, deep and oddly typed JSON names nothing and costs nothing."""
    extraction = of_file(tmp_path, "capacitor.config.json", config)
    assert (extraction.references, extraction.skipped) == ((), ())


def test_a_long_capacitor_script_ends(tmp_path):
    """Text that opens what it never closes is read in one pass."""
    config = b"server: {" + b"url: '" * 50_000 + b"/*" * 50_000 + b"allowNavigation: [" * 20_000
    assert found(of_file(tmp_path, "capacitor.config.ts", config)) == []


CORDOVA = """<?xml version='1.0' encoding='utf-8'?>
<!-- https://comment.example.co/ -->
<widget id="com.example.ferry" xmlns="http://www.w3.org/ns/widgets" xmlns:cdv="http://cordova.apache.org/ns/1.0">
  <author href="https://author.example.co" />
  <content src="https://start.example.co/app" />
  <access origin="*" />
  <access origin="http://plain.example.co:8080" />
  <access origin="bare.example.co" subdomains="true" />
  <allow-navigation href="https://*.wild.example.co/*" />
  <allow-intent href="https://*/*" />
  <allow-intent href="https://shop.example.co/*" />
  <preference name="ErrorUrl" value="https://errors.example.co/" />
  <platform name="ios"><allow-navigation href="https://ios.example.co/*" /></platform>
</widget>
"""


def test_cordova_names_its_start_page_and_where_it_may_go(tmp_path):
    """Addresses that the app declares are class A, those it shows or hands on less sure, and a pattern for all is nothing."""
    extraction = of_file(tmp_path, "config.xml", CORDOVA)
    assert found(extraction) == [
        ("author.example.co", 443, "https", "url", "D", "4"),
        ("start.example.co", 443, "https", "configuration", "A", "5"),
        ("plain.example.co", 8080, "http", "configuration", "A", "7"),
        ("bare.example.co", 443, "https", "bare-host", "A", "8"),
        ("shop.example.co", 443, "https", "url", "D", "11"),
        ("errors.example.co", 443, "https", "url", "B", "12"),
        ("ios.example.co", 443, "https", "configuration", "A", "13"),
    ]
    assert [t.suffix for t in extraction.templates] == ["wild.example.co"]


def test_a_broken_cordova_configuration_is_read_as_text_and_said(tmp_path):
    """Its hosts are found all the same, less surely."""
    extraction = of_file(tmp_path, "config.xml", CORDOVA.replace("</widget>", ""))
    assert {r.endpoint.host for r in extraction.references} >= {"start.example.co", "ios.example.co"}
    assert {str(r.confidence) for r in extraction.references} == {"D"}
    (skipped,) = extraction.skipped
    assert skipped.reason.startswith("not well-formed XML")


def test_entities_in_a_cordova_configuration_are_refused(tmp_path):
    """Entities that unfold to any size are not unfolded."""
    bomb = (
        '<!DOCTYPE widget [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><widget><access origin="&b;.example.co" /></widget>'
    )
    (skipped,) = of_file(tmp_path, "config.xml", bomb).skipped
    assert "declares an entity" in skipped.reason


def test_google_service_info_names_the_database_and_the_bucket(make_app):
    """The URL of the database is a load; the bucket is a name; other URLs are found as in any property list."""
    service = {
        "DATABASE_URL": "https://ferry-1a2b3.firebaseio.com",
        "STORAGE_BUCKET": "ferry-1a2b3.appspot.com",
        "API_KEY": "AIza",
        "CUSTOM": "https://custom.example.co/",
    }
    files = {"Payload/Ferry.app/Info.plist": INFO, "Payload/Ferry.app/GoogleService-Info.plist": service}
    assert [row[:5] for row in found(extract([make_app(files)]))] == [
        ("ferry-1a2b3.firebaseio.com", 443, "https", "configuration", "A"),
        ("ferry-1a2b3.appspot.com", 443, "https", "bare-host", "A"),
        ("custom.example.co", 443, "https", "url", "B"),
    ]


@pytest.mark.parametrize("name", ["GoogleService-Info.plist", "Ferry.entitlements", "PrivacyInfo.xcprivacy"])
def test_what_is_no_info_plist_is_none_when_named_itself(tmp_path, name):
    """A property list of another kind, named on the command line, declares hosts and is no policy of its own."""
    path = tmp_path / name
    value = {
        "DATABASE_URL": "https://x.example.co",
        "NSPrivacyTrackingDomains": ["x.example.co"],
        "com.apple.developer.associated-domains": ["applinks:x.example.co"],
    }
    path.write_bytes(plistlib.dumps(value))
    extraction = extract([str(path)])
    assert extraction.bundles == ()
    assert {(r.endpoint.host, str(r.confidence)) for r in extraction.references} >= {("x.example.co", "A")}
