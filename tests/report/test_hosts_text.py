"""Hosts and the lab as people and programs read them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_results import APP, SHARE, reference
from rich.cells import cell_len
from snapshot import check

from atsprobe.model.app import CrossChecks, Extraction, NetworkApiUse, SkippedInput, UrlTemplate
from atsprobe.model.endpoint import Confidence, Endpoint, Host, Line, PlistKey, Reference, Section
from atsprobe.model.result import HostsResult, LabEndpoint, LabResult
from atsprobe.report.style import Style
from atsprobe.report.text.hosts import render_hosts
from atsprobe.report.text.lab import render_lab

SNAPSHOTS = Path(__file__).parent / "snapshots"


def _found(host: str, kind: str, text: str, file: str, location: object, confidence: Confidence) -> Reference:
    return Reference(
        Endpoint(Host(host), 443), "Unknown.ipa", "org.example.ferry", file, location, text, kind, confidence
    )


def _hosts() -> HostsResult:
    app = replace(
        APP,
        target="Unknown.ipa",
        network_apis=(
            NetworkApiUse("own TLS stack", False, False, "Payload/Ferry.app/Frameworks/Cronet.framework", ""),
        ),
    )
    plist, binary = "Payload/Ferry.app/Info.plist", "Payload/Ferry.app/Ferry"
    declared, in_url, bare = Confidence.DECLARED, Confidence.URL, Confidence.BARE
    strings, telemetry = Section("arm64", "__cstring", 0x1A2F40), Section("arm64", "__cstring", 0x8810)
    http = {"target": "Unknown.ipa", "location": Line(3), "scheme": "http"}
    references = [
        _found("legacy.example.com", "ats-exception", "legacy.example.com", plist, PlistKey("NS"), declared),
        _found("www.example.com", "associated-domain", "applinks:www.example.com", plist, PlistKey("a"), declared),
        _found("api.example.com", "url", "https://api.example.com/", binary, strings, in_url),
        *(
            reference("cdn.example.net", "http://cdn.example.net/", f"Payload/Ferry.app/{n}.json", **http)
            for n in range(4)
        ),
        _found("ingest.eu.example.org", "bare-host", "ingest.eu.example.org", f"{binary}/Telemetry", telemetry, bare),
    ]
    share = "Payload/Ferry.app/PlugIns/Share.appex/Share"
    unsure = [
        _found("maybe.example.org", "bare-host", "see maybe.example.org", plist, Line(1), Confidence.EMBEDDED),
    ]
    noise = [
        _found("www.w3.org", "url", "http://www.w3.org/", plist, Line(1), Confidence.NOISE),
    ]
    return HostsResult(
        Extraction(
            bundles=(app, replace(SHARE, target="Unknown.ipa")),
            references=(*references, *unsure),
            skipped=(SkippedInput("Unknown.ipa", share, "FairPlay", "use the .xcarchive"),),
            noise=tuple(noise),
            templates=(UrlTemplate("example.net", "org.example.ferry", "Unknown.ipa", "a", "https://%@.example.net/"),),
            files_read=231,
        )
    )


@pytest.mark.parametrize("width", [60, 80, 120])
def test_hosts_look_as_agreed(width: int) -> None:
    """Declared first, then URLs, then bare names; templates are no hosts."""
    text = render_hosts(_hosts(), Style(width=width))
    assert max(map(cell_len, text.splitlines())) <= width
    check(SNAPSHOTS / f"hosts-{width}.txt", text)


def test_quiet_hosts_are_names_for_another_program() -> None:
    """One a line, sorted, without templates and noise."""
    assert render_hosts(_hosts(), Style(verbosity=-1)) == (
        "api.example.com\nlegacy.example.com\nwww.example.com\ncdn.example.net\ningest.eu.example.org\n"
    )


def _lab() -> LabResult:
    rows = [
        ("modern", "pass", 20443, ()),
        ("tls10", "exception-required", 20445, ("tls-version",)),
        ("rsa1024", "blocked", 20452, ("certificate-key-size",)),
        (
            "a-name-that-reaches-into-the-column-of-failures",
            "blocked",
            20453,
            ("tls-version", "certificate-signature-hash"),
        ),
        ("silent", "inconclusive", 20465, ()),
    ]
    endpoints = tuple(
        LabEndpoint(name, f"{name}.lab.example.com", port, "https", "127.0.0.1", "what it serves", verdict, failing)
        for name, verdict, port, failing in rows
    )
    return LabResult("lab", "lab/ca.pem", endpoints, is_up=True)


@pytest.mark.parametrize("width", [60, 80])
def test_the_lab_looks_as_agreed(width: int) -> None:
    """The truth table: expected, server, what fails."""
    text = render_lab(_lab(), Style(width=width))
    assert max(map(cell_len, text.splitlines())) <= width
    check(SNAPSHOTS / f"lab-{width}.txt", text)


def test_the_lab_in_a_line() -> None:
    """Starting it tells where it is, not its table."""
    assert render_lab(_lab(), Style(), rows=False) == "5 servers on 127.0.0.1, root lab/ca.pem\n"


def test_all_hosts() -> None:
    """Names inside texts and noise have sections of their own, noise with its reason, and nothing is hidden."""
    shown = _hosts()
    noise = tuple(replace(r, noise_reason="names a schema") for r in shown.extraction.noise)
    result = replace(
        shown, extraction=replace(shown.extraction, noise=noise), least=Confidence.EMBEDDED, lists_noise=True
    )
    text = render_hosts(result, Style())
    assert "hidden" not in text
    assert "Inside texts (1)\n  maybe.example.org" in text
    assert "Noise (1)\n  www.w3.org  names a schema; Ferry.app/Info.plist:1\n" in text


def test_what_was_found_of_declarations() -> None:
    """What code names only in the clear, what an exception reaches, and exceptions that no code names."""
    checks = CrossChecks((("org.example.ferry", "gone.example.com"),), (), (Host("cdn.example.net"),))
    text = render_hosts(replace(_hosts(), checks=checks), Style())
    assert "Only over http:// (1)\n  cdn.example.net  every URL of it begins with http://\n" in text
    assert "Exceptions that no code mentions (1)\n  gone.example.com  no string names it\n" in text


def test_templates_are_called_by_what_is_fixed() -> None:
    """The port alone filled in leaves the host; a pattern is filled in by nobody; else the end of the host is known."""
    texts = [
        ("localhost", "http://localhost:${port}/", True),
        ("127.0.0.1", "http://127.0.0.1:*", True),
        ("example.com", "https://*.example.com/*", False),
        ("", "https://%@/a/*", False),
    ]
    templates = tuple(UrlTemplate(suffix, None, "Unknown.ipa", "a", text, whole) for suffix, text, whole in texts)
    shown = _hosts()
    text = render_hosts(replace(shown, extraction=replace(shown.extraction, templates=templates)), Style(width=100))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "localhost template http://localhost:${port}/, the app fills in the port" in lines
    assert "127.0.0.1 pattern http://127.0.0.1:*, of any port" in lines
    assert "*.example.com pattern https://*.example.com/*, names no one host" in lines
    assert "* template https://%@/a/*, the app fills it in" in lines


def test_places_that_are_counted_alone_count() -> None:
    """Of a host that is named very often some places are told and all are counted, at any verbosity."""
    shown = _hosts()
    often = replace(
        shown, extraction=replace(shown.extraction, unlisted=((Endpoint(Host("api.example.com"), 443), 40),))
    )
    assert "__cstring+0x1a2f40; 40 more places\n" in render_hosts(often, Style(width=120))
    assert "__cstring+0x1a2f40; 40 more places\n" in render_hosts(often, Style(width=120, verbosity=1))


def test_builds_are_told_where_asked_for() -> None:
    """Verbose, each bundle has its SDK and its lowest iOS, and where its Info.plist disagrees."""
    shown = _hosts()
    bundle = replace(APP, linked_sdk="18.2", minimum_os="15.0", build_notes=("the Info.plist says 17",))
    result = replace(shown, extraction=replace(shown.extraction, bundles=(bundle,)))
    line = "  Ferry.app  linked with SDK 18.2, for iOS 15.0 and later; the Info.plist says 17\n"
    assert f"Built (1)\n{line}" in render_hosts(result, Style(width=120, verbosity=1))
    assert "Built" not in render_hosts(result, Style(width=120))


def test_what_a_framework_configures_is_declared() -> None:
    """A host of Capacitor's or Cordova's configuration is listed as declared, with or without a scheme."""
    found = [
        _found("server.example.com", kind, "t", "capacitor.config.json", Line(2), Confidence.DECLARED)
        for kind in ("configuration", "bare-host")
    ]
    text = render_hosts(HostsResult(Extraction(references=tuple(found))), Style())
    assert "Declared (1)\n  server.example.com  configuration, capacitor.config.json:2; 1 more place\n" in text


def test_templates_alone_are_no_hosts() -> None:
    """Their section has a title of its own where no URL names a host."""
    template = UrlTemplate("example.net", None, "a", "a.js", "https://${x}.example.net/")
    text = render_hosts(HostsResult(Extraction(templates=(template,))), Style())
    assert "Filled in at run time (1)\n  *.example.net" in text
    assert "(0)" not in text
