"""A plist with a key of every status, audited over the lab, patched as suggested, and audited again."""

from __future__ import annotations

import json
import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

from atsprobe.cli.commands import main
from atsprobe.pipelines.audit import audit
from atsprobe.settings import Settings

pytestmark = pytest.mark.lab

PLIST = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- kept by hand -->
<plist version="1.0">
<dict>
  <key>CFBundleIdentifier</key> <string>$(PRODUCT_BUNDLE_IDENTIFIER)</string>
  <key>FerryNews</key>          <string>http://redirect.lab.example.com/news</string>
  <key>FerryOffice</key>        <string>https://tls10-static-rsa.lab.example.com/</string>
  <key>FerryFiles</key>         <string>https://dhe.lab.example.com/</string>
  <key>NSAllowsArbitraryLoads</key> <true/>
  <key>NSAppTransportSecurity</key>
  <dict>
    <!-- one entry a server -->
    <key>NSExceptionDomains</key>
    <dict>
      <key>static-rsa.lab.example.com</key>
      <dict>
        <key>NSExceptionRequiresForwardSecrecy</key> <false/> <!-- until the hardware is replaced -->
        <key>NSExceptionAllowsInsecureHTTPLoads</key> <true/>
      </dict>
      <key>modern.lab.example.com</key>
      <dict><key>NSExceptionAllowsInsecureHTTPLoads</key><true/></dict>
      <key>redirect.lab.example.com</key>
      <dict><key>NSExceptionAllowsInsecureHTTPLoads</key><true/></dict>
      <key>tls11.lab.example.com</key>
      <dict>
        <key>NSExceptionMinimumTLSVersion</key> <string>TLSv1.0</string>
      </dict>
      <key>dhe.lab.example.com</key>
      <dict><key>NSExceptionRequiresForwardSecrecy</key><false/></dict>
      <key>MODERN.lab.example.com</key>
      <dict><key>NSExceptionRequiresForwardSecrecy</key><false/></dict>
      <key>chacha20.lab.example.com</key>
      <dict><key>NSExceptionMinimumTLSVersion</key><string>TLSv1.3</string></dict>
      <key>silent.lab.example.com</key>
      <dict><key>NSExceptionRequiresForwardSecrecy</key><false/></dict>
    </dict>
  </dict>
</dict>
</plist>
"""
ON_443 = {
    "static-rsa": "static-rsa",
    "modern": "modern",
    "redirect": "redirect-https",
    "tls10-static-rsa": "tls10-static-rsa",
    "tls11": "tls11",
    "dhe": "dhe",
    "chacha20": "chacha20",
    "silent": "silent",
}
"""By host, the row of the truth table that stands on its port 443."""

EVERY_STATUS = {
    "needed",
    "unneeded",
    "replaceable",
    "too-wide",
    "insufficient",
    "ineffective",
    "strict",
    "unverifiable",
}


def ways(lab) -> list[str]:
    """Give where the app's own ports lead, as ``--connect-to`` takes it."""
    found = []
    for host, row in ON_443.items():
        name = f"{host}.lab.example.com"
        on_80 = lab.port("redirect" if host == "redirect" else "refuses")
        found += [f"{name}:443:127.0.0.1:{lab.port(row)}", f"{name}:80:127.0.0.1:{on_80}"]
    target = lab.port("redirect-https")
    return [*found, f"redirect.lab.example.com:{target}:127.0.0.1:{target}"]


@pytest.fixture
def audited(lab, tmp_path, monkeypatch, capsys):
    """Give a function that audits ``Ferry/Info.plist`` with more options: exit code, document, standard error."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Ferry").mkdir()
    (tmp_path / "Ferry" / "Info.plist").write_text(PLIST)
    (tmp_path / "ways.txt").write_text("\n".join(ways(lab)))

    def run(*more: str):
        given = ["--sdk", "18", "--ca-file", str(lab.ca_file), "--connect-to", "@ways.txt", "--timeout", "2"]
        report = ["--deadline", "4", "--quick", "--format", "json", "--output", "ats.json"]
        code = main(["audit", "Ferry/Info.plist", *given, *report, *more])
        return code, json.loads(Path("ats.json").read_text()), capsys.readouterr().err.splitlines()

    return run


def test_what_is_left_after_the_patch(audited):
    """A blocked server, a URL that is still http, a load that a stricter key blocks, and a server that never answers."""
    code, before, said = audited("--patch", "ats.diff", "--suggest", "ats.plist", "--notes", "ats.md")
    assert code == 1
    assert {e["status"] for e in before["exceptions"]} == EVERY_STATUS
    assert "atsprobe: hint: git apply -p1 ats.diff   (or patch -p1 < ats.diff)" in said
    assert said[-1].endswith("; dictionary in ats.plist; patch in ats.diff; notes in ats.md; report in ats.json")
    shutil.copytree("Ferry", "copy/Ferry")
    subprocess.run(["git", "apply", "-p1", "ats.diff"], check=True)
    subprocess.run(["patch", "-s", "-p1", "-i", "../ats.diff"], check=True, cwd="copy")
    patched = Path("Ferry/Info.plist").read_text()
    assert patched == Path("copy/Ferry/Info.plist").read_text()
    suggested = plistlib.loads(Path("ats.plist").read_bytes())
    assert plistlib.loads(patched.encode())["NSAppTransportSecurity"] == suggested["NSAppTransportSecurity"]
    assert {line for line in PLIST.splitlines() if "<!--" in line} <= set(patched.splitlines())
    code, after, said = audited("--patch", "again.diff")
    assert {(e["domain"], e["key"], e["status"]) for e in after["exceptions"] if e["status"] != "needed"} == {
        ("redirect.lab.example.com", "NSExceptionAllowsInsecureHTTPLoads", "replaceable"),
        ("chacha20.lab.example.com", "NSExceptionMinimumTLSVersion", "strict"),
        ("silent.lab.example.com", "NSExceptionRequiresForwardSecrecy", "unverifiable"),
    }
    blocked = {e["host"] for e in after["endpoints"] if e["declared_verdict"] == "blocked"}
    assert blocked == {"dhe.lab.example.com", "chacha20.lab.example.com"}
    assert "nothing to patch, again.diff is empty" in said[-1]
    assert not any("--suggest" in line for line in said)


def test_a_saved_audit_is_patched_later(audited, capsys):
    """`judge --patch` reads the file again; once it declares something else, it says so and writes nothing."""
    audited()
    assert main(["judge", "ats.json", "--patch", "ats.diff", "-q"]) == 1
    subprocess.run(["git", "apply", "--check", "-p1", "ats.diff"], check=True)
    path = Path("Ferry/Info.plist")
    path.write_text(PLIST.replace("TLSv1.0", "TLSv1.1"))
    capsys.readouterr()
    assert main(["judge", "ats.json", "--patch", "new.diff"]) == 2
    assert capsys.readouterr().err.splitlines()[:2] == [
        "atsprobe: error: --patch: Ferry/Info.plist: changed since it was audited",
        "atsprobe: hint: audit it again",
    ]
    assert not Path("new.diff").exists()


NEEDS_BOTH = {"NSExceptionMinimumTLSVersion": "TLSv1.0", "NSExceptionRequiresForwardSecrecy": False}


@pytest.mark.parametrize(
    "left_out", [["NSExceptionMinimumTLSVersion"], ["NSExceptionRequiresForwardSecrecy"], list(NEEDS_BOTH)]
)
def test_every_strict_subset_of_a_smallest_exception_fails(lab, tmp_path, left_out):
    """By a real audit: the server that needs two keys is blocked without either, and allowed with both."""
    host = "tls10-static-rsa.lab.example.com"
    settings = Settings(sdk="18", ca_files=(str(lab.ca_file),), connect_to=tuple(ways(lab)), quick=True)

    def outcome(entry) -> str:
        plist = {"NSAppTransportSecurity": {"NSExceptionDomains": {host: entry}}, "URL": f"https://{host}"}
        (tmp_path / "Info.plist").write_bytes(plistlib.dumps(plist))
        (load,) = audit([str(tmp_path / "Info.plist")], settings, names_are_given=True).loads
        assert load.minimal_exception is not None
        assert load.minimal_exception.to_plist() == NEEDS_BOTH
        return load.declared_verdict

    assert outcome(NEEDS_BOTH) == "allowed"
    assert outcome({k: v for k, v in NEEDS_BOTH.items() if k not in left_out}) == "blocked"
