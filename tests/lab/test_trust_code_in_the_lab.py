"""An app whose code accepts a server trust, audited against a server whose certificate has expired."""

from __future__ import annotations

import importlib.util
import json
import plistlib
import zipfile
from pathlib import Path

import pytest

from atsprobe.json_v1 import audit as document
from atsprobe.model.judgement import ExceptionStatus, Verdict
from atsprobe.pipelines.audit import audit
from atsprobe.pipelines.rejudge import read_saved, rejudge
from atsprobe.settings import Settings

pytestmark = pytest.mark.lab

FIXTURES = Path(__file__).parents[2] / "fixtures" / "extract"


@pytest.fixture(scope="module")
def settings(lab) -> Settings:
    """The lab's names, and its roots as installed ones."""
    return Settings(ca_files=(str(lab.ca_file),), resolve=lab.resolve, timeout=3, deadline=8)


@pytest.fixture(scope="module")
def audited(lab, settings, tmp_path_factory):
    """A function that audits an app with that executable, which loads from the expired server and has an exception for it."""
    server = lab.server("expired")

    def run(executable: bytes):
        info = {
            "CFBundleIdentifier": "com.example.ferry",
            "CFBundleExecutable": "Ferry",
            "MinimumOSVersion": "17.0",
            "NSAppTransportSecurity": {
                "NSExceptionDomains": {server.full_host: {"NSExceptionAllowsInsecureHTTPLoads": True}}
            },
        }
        path = tmp_path_factory.mktemp("app") / "Ferry.ipa"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("Payload/Ferry.app/Info.plist", plistlib.dumps(info))
            archive.writestr("Payload/Ferry.app/Ferry", executable)
            url = f"https://{server.full_host}:{lab.port('expired')}/"
            archive.writestr("Payload/Ferry.app/config.json", json.dumps({"api": url}))
        return audit([str(path)], settings)

    return run


def concluded(result) -> tuple[Verdict, str, ExceptionStatus]:
    """Give the verdict of the one load under default ATS and under the app's own dictionary, and the status of its key."""
    (load,) = result.loads
    (key,) = result.exceptions
    assert {f.finding.requirement for f in load.findings if f.finding.status == "fail"} == {"certificate-validity"}
    return load.verdict, load.declared_verdict, key.status


def test_code_that_accepts_a_server_trust_leaves_the_load_unknown(audited, settings, tmp_path) -> None:
    """Under the exception the app may accept the certificate: inconclusive, and so it stays when judged again later."""
    result = audited((FIXTURES / "trust-arm64").read_bytes())
    expected = (Verdict.BLOCKED, "inconclusive", ExceptionStatus.UNVERIFIABLE)
    assert concluded(result) == expected
    saved = json.loads(json.dumps(document.encode(result)))
    assert [n["id"] for n in saved["bundles"][0]["network_apis"] if n["accepts_server_trust"]] == [
        "trust.credential_for_trust"
    ]
    recording, _ = read_saved(json.dumps(saved))
    assert recording.extraction.bundles[0].accepts_server_trust
    again = rejudge(json.dumps(saved), settings)
    assert concluded(again) == expected
    (tmp_path / "Other.plist").write_bytes(plistlib.dumps({"NSAppTransportSecurity": {"NSAllowsArbitraryLoads": True}}))
    other = rejudge(json.dumps(saved), settings, str(tmp_path / "Other.plist"))
    assert concluded(other) == expected  # another dictionary, and the same code


def test_without_such_code_the_load_is_blocked(audited, tmp_path) -> None:
    """The same class, which handles the challenge and answers it without a credential: no key helps, so this one does not."""
    spec = importlib.util.spec_from_file_location("build_extract_fixtures", FIXTURES / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    if build.tools() is None:
        pytest.skip("clang-14, lld-14 or llvm-14 is not installed")
    build.thin(tmp_path / "Ferry", "arm64", "trust.m")
    result = audited((tmp_path / "Ferry").read_bytes())
    assert result.recording.extraction.bundles[0].network_apis  # the handler is told all the same
    assert concluded(result) == (Verdict.BLOCKED, "blocked", ExceptionStatus.INSUFFICIENT)
