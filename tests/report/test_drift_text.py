"""Two audits compared, as text: the answer first, then what got worse."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from made_results import APP, IOS26, MIN, PFS, THEN, finding, load, recording, result
from snapshot import check

from atsprobe.model.drift import Change, PinAtRisk
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.judgement import RequirementId, Verdict
from atsprobe.model.result import DriftResult, exit_code
from atsprobe.report.closing import why
from atsprobe.report.format import render
from atsprobe.report.style import Style

SNAPSHOTS = Path(__file__).parent / "snapshots"
API, PAY, GATE = (Endpoint(Host(name), 443) for name in ("api.example.com", "pay.example.org", "gate.example.net"))
CDN = Endpoint(Host("cdn.example.net"), 80, "http")
BUNDLE = "org.example.ferry"
LEAVES = "NSPinnedLeafIdentities"

WORSE = (
    Change("declared-verdict", "worse", "allowed", "blocked", "forward-secrecy: RSA", bundle=BUNDLE, endpoint=API),
    Change("verdict", "worse", "pass", "exception-required", "forward-secrecy: RSA", endpoint=API),
    Change(
        "requirement",
        "worse",
        "pass",
        "fail",
        "static RSA suites only",
        endpoint=API,
        requirement=RequirementId("forward-secrecy"),
    ),
    Change("protocol", "worse", "TLSv1.3", "TLSv1.2", endpoint=API),
    Change(
        "exception",
        "worse",
        "",
        "unneeded",
        "both addresses pass default ATS (TLS 1.3)",
        bundle=BUNDLE,
        domain="www.example.com",
        key=MIN,
        value="TLSv1.0",
    ),
)
REST = (
    Change("verdict", "better", "blocked", "pass", "certificate-validity: expired", endpoint=PAY),
    Change(
        "requirement",
        "better",
        "fail",
        "pass",
        "expired 2026-10-30",
        endpoint=PAY,
        requirement=RequirementId("certificate-validity"),
    ),
    Change(
        "exception",
        "better",
        "needed",
        "unneeded",
        "the server passes default ATS (TLS 1.3)",
        bundle=BUNDLE,
        domain="pay.example.org",
        key=PFS,
        value=False,
    ),
    Change(
        "exception", "better", "ineffective", "", "no such key", bundle=BUNDLE, domain=None, key="NSAllow", value=True
    ),
    Change("certificate", "note", "2026-10-30", "2027-01-28", "a new key; now of CA 2, before of CA 1", endpoint=PAY),
    Change("endpoint", "note", "", "allowed", endpoint=CDN),
    Change("pin", "note", "matches", "left-over", "the pin of \x1b[2J matches no key", BUNDLE, PAY, key=LEAVES),
)
UNKNOWN = (
    Change("declared-verdict", "unknown", "allowed", "inconclusive", "no answer", bundle=BUNDLE, endpoint=GATE),
    Change("verdict", "unknown", "pass", "inconclusive", "no answer", endpoint=GATE),
)
PINS = (
    PinAtRisk(BUNDLE, Host("pay.example.org"), LEAVES, "expires", "the pinned leaf ends 2026-12-01, in 14 days"),
    PinAtRisk(BUNDLE, Host("pay.example.org"), LEAVES, "no-backup", "the only pin is of a key in use"),
)


def _compared(changes=(), pins=()) -> DriftResult:
    of = recording([APP])
    rsa = finding("forward-secrecy", "static RSA suites only")
    rows = [
        load("api.example.com", Verdict.EXCEPTION_REQUIRED, "blocked", findings=[rsa]),
        load("cdn.example.net", scheme="http"),
        load("gate.example.net", Verdict.INCONCLUSIVE, "inconclusive", reason="no answer"),
        load("pay.example.org"),
    ]
    old = result(rows[:1] + rows[2:], of=replace(of, started_at=THEN - timedelta(days=7)), profiles=(IOS26,))
    new = result(rows, of=of, profiles=(IOS26,))
    return DriftResult(old, new, tuple(changes), tuple(pins))


EVERYTHING = _compared((*WORSE, *REST, *UNKNOWN), PINS)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_everything_that_can_differ(columns: int) -> None:
    """In its order, at three widths."""
    text = render(EVERYTHING, "text", Style(width=columns))
    assert max(map(len, text.splitlines())) <= columns
    check(SNAPSHOTS / f"drift-{columns}.txt", text)


@pytest.mark.parametrize(("verbosity", "name"), [(-1, "quiet"), (1, "verbose")])
def test_less_and_more_of_it(verbosity: int, name: str) -> None:
    """Quiet, the answer and a line for each thing, with what became of it; verbose, what it rests on, and the rest."""
    check(SNAPSHOTS / f"drift-{name}.txt", render(EVERYTHING, "text", Style(verbosity=verbosity)))


@pytest.mark.parametrize(
    ("changes", "answer", "code", "closing"),
    [
        ((), "✓ Ferry 4.2.0 (1187), 2026-11-10 to 2026-11-17: nothing changed", 0, "nothing got worse"),
        (REST, "✓ Ferry 4.2.0 (1187), 2026-11-10 to 2026-11-17: nothing got worse", 0, "nothing got worse"),
        (
            UNKNOWN,
            "? Ferry 4.2.0 (1187), 2026-11-10 to 2026-11-17: nothing got worse, but 1 could not be compared",
            3,
            "incomplete, 1 not compared",
        ),
        (WORSE, "✗ Ferry 4.2.0 (1187), 2026-11-10 to 2026-11-17: 2 got worse", 1, "2 got worse"),
        (
            WORSE + UNKNOWN,
            "✗ Ferry 4.2.0 (1187), 2026-11-10 to 2026-11-17: 2 got worse, 1 could not be compared",
            1,
            "2 got worse, 1 not compared",
        ),
    ],
)
def test_answer_exit_code_and_closing_line_agree(changes, answer: str, code: int, closing: str) -> None:
    """A load with three changes is one thing."""
    compared = _compared(changes)
    assert render(compared, "text", Style(width=200)).splitlines()[0] == answer
    assert (exit_code(compared), why(compared)) == (code, closing)


def test_two_audits_of_one_day_are_told_apart_by_their_time() -> None:
    """Before and after a change on the same morning."""
    later = replace(EVERYTHING.new.recording, started_at=THEN + timedelta(minutes=15))
    same_day = replace(_compared(), old=EVERYTHING.new, new=replace(EVERYTHING.new, recording=later))
    assert "2026-11-17 09:30 to 09:45 UTC: nothing changed" in render(same_day, "text", Style(width=200))


def test_pins_at_risk_leave_the_exit_code_alone() -> None:
    """They are about the newer audit, and no change."""
    compared = _compared((), PINS)
    assert exit_code(compared) == 0
    assert "Pins about to break (2)" in render(compared, "text", Style())


def test_a_load_that_is_blocked_now_comes_with_what_to_do() -> None:
    """Though no requirement of default ATS changed: the app's own pins or its stricter keys block it."""
    change = Change(
        "declared-verdict", "worse", "allowed", "blocked", "the pins do not match", bundle=BUNDLE, endpoint=API
    )
    pinned = load(API.host, Verdict.PASS, "blocked", findings=[finding("pinned-identity", "not the leaf's key")])
    strict = load(API.host, Verdict.PASS, "blocked", failing=("tls-version",))
    for row, fix in (
        (pinned, "fix: serve a key that NSPinnedDomains names, or correct the pins"),
        (strict, "fix: enable TLS 1.3, or let the app's own dictionary ask for less"),
    ):
        made = result([row])
        text = render(DriftResult(made, made, (change,), ()), "text", Style(width=120))
        assert fix in text
