"""An app whose names DNS does not know, through the real pipelines: each key and load says what became of its name."""

from __future__ import annotations

import plistlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from atsprobe.model.judgement import ExceptionStatus
from atsprobe.model.observation import Unreachable
from atsprobe.model.recording import Recording
from atsprobe.model.result import AuditResult, exit_code
from atsprobe.pipelines.audit import audit
from atsprobe.scan.task import ScanTask
from atsprobe.settings import Settings

HTTP = {"NSExceptionAllowsInsecureHTTPLoads": True}


@pytest.fixture
def app(tmp_path: Path) -> str:
    """Write an Info.plist that declares two names; a URL of it names one of them."""
    path = tmp_path / "Info.plist"
    domains = {"declared.example.com": HTTP, "loaded.example.com": HTTP}
    document = {
        "CFBundleIdentifier": "com.example.app",
        "HomePage": "https://loaded.example.com/",
        "NSAppTransportSecurity": {"NSExceptionDomains": domains},
    }
    path.write_bytes(plistlib.dumps(document))
    return str(path)


def _reasons(result: AuditResult) -> dict[str | None, tuple[ExceptionStatus, str]]:
    return {key.domain: (key.status, key.reason) for key in result.exceptions}


def test_a_key_says_what_became_of_its_name(app: str) -> None:
    """A declared name that does not exist is no load, and one that a URL names is one of unknown outcome."""
    result = audit([app], names_are_given=True)
    assert _reasons(result) == {
        "declared.example.com": (
            ExceptionStatus.UNVERIFIABLE,
            "DNS knows no address of it, and no URL names it",
        ),
        "loaded.example.com": (ExceptionStatus.UNVERIFIABLE, "no such name (NXDOMAIN)"),
    }
    assert [e.reason for e in result.loads] == ["no such name (NXDOMAIN)"]
    assert exit_code(result) == 3


def test_addresses_without_a_route_are_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """A literal has an address, so that "no address" would be wrong; this machine cannot reach it."""

    def unreachable(tasks: Sequence[ScanTask], *, on_finished: Callable[..., None], **_: object) -> None:
        for task in tasks:
            on_finished(task, (Unreachable(task.endpoint, task.address, datetime.now(UTC), "no-route"),))

    monkeypatch.setattr("atsprobe.scan.scan.scan_in_threads", unreachable)
    result = audit(["[2001:db8::1]"])
    assert [e.reason for e in result.loads] == ["this machine has no route to its addresses"]
    assert exit_code(result) == 3


def test_an_audit_that_was_interrupted_says_so(app: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while names are resolved leaves every load with that for its reason."""

    def interrupted(*_: object) -> Recording:
        raise KeyboardInterrupt

    monkeypatch.setattr("atsprobe.resolve.resolve", interrupted)
    result = audit([app], Settings(), names_are_given=True)
    assert {e.reason for e in result.loads} == {"the audit ended before it was looked at"}
    assert exit_code(result) == 130
