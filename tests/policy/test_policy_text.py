"""What an Info.plist demands as people read it: the answer, the table, the keys, at several widths and verbosities."""

from __future__ import annotations

import plistlib
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

sys.path.append(str(Path(__file__).parent.parent / "report"))
from snapshot import check

from atsprobe.pipelines.policy import policy
from atsprobe.report.format import render
from atsprobe.report.style import Style
from atsprobe.settings import Settings

SNAPSHOTS = Path(__file__).parent / "snapshots"
HTTP, PFS, MIN, SUB = (
    "NSExceptionAllowsInsecureHTTPLoads",
    "NSExceptionRequiresForwardSecrecy",
    "NSExceptionMinimumTLSVersion",
    "NSIncludesSubdomains",
)
SAMPLE = {
    "example.com": {SUB: True, HTTP: True},
    "legacy.example.com": {MIN: "TLSv1.0"},
    "https://maps.example.com": {HTTP: True},
    "pay.example.org": {PFS: False},
}
LONG = "a-label-of-sixty-three-characters-is-as-long-as-any-may-be-0123.eu-central-1.backend.staging.example.com"
HOSTILE = {
    "\u202e\x1b[2Jexample.com": {HTTP: True},
    "フェリー.example": {HTTP: True},
    "x" * 3000: {HTTP: True},
    "localhost": {"NSTemporaryExceptionAllowsInsecureHTTPLoads": "\x07"},
    "10/8": {HTTP: True},
    "10.0.0.0/8": {},
    "b.example.com": {PFS: 2, "NS\x1bExceptionRequiresForwardSecrecy": "\u2028"},
}


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write the exceptions to App/Info.plist and give the report on hosts."""
    monkeypatch.chdir(tmp_path)

    def rendered(
        domains: dict[str, Any], hosts: Sequence[str], style: Style, settings: Settings | None = None, **more: Any
    ) -> str:
        Path("App").mkdir(exist_ok=True)
        ats = {"NSExceptionDomains": domains, **more}
        form = plistlib.FMT_BINARY if domains is HOSTILE else plistlib.FMT_XML
        Path("App/Info.plist").write_bytes(plistlib.dumps({"NSAppTransportSecurity": ats}, fmt=form, sort_keys=False))
        return render(policy("App/Info.plist", hosts, settings), "text", style)

    return rendered


NAMED = ["legacy.example.com", "maps.example.com", "pay.example.org", "www.example.org", "localhost"]


def test_the_answer_the_table_and_the_keys(text: Any) -> None:
    """At 80 columns, as a developer at the desk sees it."""
    check(SNAPSHOTS / "policy.txt", text(SAMPLE, NAMED, Style(80)))


def test_quiet(text: Any) -> None:
    """The answer, and the lines with an id."""
    check(SNAPSHOTS / "policy-quiet.txt", text(SAMPLE, NAMED, Style(80, verbosity=-1)))


def test_verbose(text: Any) -> None:
    """The suites that would be offered, once, and a note on every key with what App Review asks."""
    check(SNAPSHOTS / "policy-verbose.txt", text(SAMPLE, NAMED, Style(80, verbosity=1)))


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_widths(columns: int, text: Any) -> None:
    """Long names fold after a dot, addresses that several versions treat differently take a row for each answer."""
    hosts = [LONG, "203.0.113.5", "192.168.1.1", "bücher.example", "x.dev", "pinned.example.com", "www.apple.com"]
    pins = {"pinned.example.com": {"NSPinnedLeafIdentities": [{"SPKI-SHA256-BASE64": "A" * 43 + "="}]}}
    shown = text(SAMPLE, hosts, Style(columns), Settings(ios=("all",)), NSPinnedDomains=pins)
    assert max(map(cell_len, shown.splitlines())) <= columns
    check(SNAPSHOTS / f"policy-all-{columns}.txt", shown)


def test_modes(text: Any) -> None:
    """The package FCP_v2.1 and Apple's system services."""
    for mode in ("fcp21", "apple-system-27"):
        check(SNAPSHOTS / f"policy-{mode}.txt", text(SAMPLE, NAMED, Style(80), Settings(profile=mode)))


def test_all_is_well(text: Any) -> None:
    """No key is a fault: said in the first line, and no group follows."""
    shown = text({"pay.example.org": {PFS: False}}, ["pay.example.org"], Style(80))
    assert shown.splitlines()[0] == "✓ Info.plist, iOS 26: 1 host; every key does what it says"
    assert "Keys" not in shown
    assert text({}, ["a.example.com"], Style(80)).splitlines()[0] == "✓ Info.plist, iOS 26: 1 host; no key is declared"


def test_ats_off(text: Any) -> None:
    """NSAllowsArbitraryLoads: no floor but the client's own, which the linked SDK sets."""
    for sdk, floor in (("18.5", "TLS 1.0"), ("26.0", "TLS 1.2")):
        shown = text({}, ["a.example.com"], Style(80), Settings(sdk=sdk), NSAllowsArbitraryLoads=True)
        assert f"  allowed  {floor}, ATS off" in shown
        assert f"iOS 26, SDK {sdk.removesuffix('.0')}: " in shown


def test_hostile_keys(text: Any) -> None:
    """What an app wrote is escaped and cut, and every line fits; without Unicode nothing is beyond ASCII."""
    for verbosity in (-1, 0, 1):
        shown = text(HOSTILE, [], Style(80, verbosity=verbosity))
        assert all(c.isprintable() for line in shown.splitlines() for c in line)
        assert max(map(cell_len, shown.splitlines())) <= 80
        assert text(HOSTILE, [], Style(80, unicode=False, verbosity=verbosity)).isascii()
    check(SNAPSHOTS / "policy-hostile.txt", text(HOSTILE, [], Style(80)))


def test_colour_is_beside_the_words(text: Any) -> None:
    """Less its escape sequences a coloured report is the plain one."""
    import re

    plain = text(SAMPLE, NAMED, Style(80))
    coloured = text(SAMPLE, NAMED, replace(Style(80), color=True))
    assert coloured != plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_a_block_for_each_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app and its extension under one answer, and what could not be read at the end."""
    monkeypatch.chdir(tmp_path)
    ats = {"NSExceptionDomains": SAMPLE}
    app = {"CFBundleIdentifier": "a", "CFBundleName": "Ferry", "CFBundleShortVersionString": "4.2.0", "CFBundleVersion": "1187",
           "MinimumOSVersion": "16.0", "NSAppTransportSecurity": ats}  # fmt: skip
    share = {"CFBundleIdentifier": "b", "CFBundleName": "Share", "MinimumOSVersion": "17.0"}
    with zipfile.ZipFile("Ferry.ipa", "w") as archive:
        archive.writestr("Payload/Ferry.app/Info.plist", plistlib.dumps(app))
        archive.writestr("Payload/Ferry.app/PlugIns/Share.appex/Info.plist", plistlib.dumps(share))
        archive.writestr("Payload/Ferry.app/PlugIns/Broken.appex/Info.plist", b"<plist>")
    result = policy("Ferry.ipa", ["legacy.example.com", "203.0.113.5"])
    check(SNAPSHOTS / "policy-app.txt", render(result, "text", Style(80)))
