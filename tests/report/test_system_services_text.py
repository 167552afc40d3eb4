"""Servers of Apple's system services as an administrator sees them: one verdict each, and why beside the name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_results import IOS26, finding, load, negotiated, result, tls
from rich.cells import cell_len
from snapshot import check

from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.handshake import NoAnswer
from atsprobe.model.judgement import Verdict
from atsprobe.report.style import Style
from atsprobe.report.text.audit import render_audit

SNAPSHOTS = Path(__file__).parent / "snapshots"
SYSTEM = replace(
    IOS26, name="apple-system-27", title="Apple system services of iOS 27", reads_exceptions=False, reads_pins=False
)
TLS12 = negotiated(TlsVersion.TLS_1_2, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")


def _load(host, verdict, declared, outcome, findings=()):
    seen = (tls(Endpoint(Host(host), 443), "203.0.113.10", outcome),)
    return load(host, verdict, declared, findings=findings, observations=seen, bundles=(), reason=_reason(outcome))


def _reason(outcome):
    return "connection reset" if isinstance(outcome, NoAnswer) else ""


def _without_ems(host):
    found = finding("extended-master-secret", "TLS 1.2 without it (OpenSSL before 1.1.0?)", on=["203.0.113.10"])
    return _load(host, Verdict.BLOCKED, "blocked", TLS12, [found])


FOUR = (
    _without_ems("enroll.example.org"),
    _load("updates.example.org", Verdict.INCONCLUSIVE, "inconclusive", NoAnswer("reset")),
    _load("apps.example.org", Verdict.PASS, "allowed", negotiated()),
    _load("mdm.example.org", Verdict.PASS, "allowed", TLS12),
)


@pytest.mark.parametrize("width", [60, 80])
def test_the_servers_of_an_administrator_look_as_agreed(width):
    """The answer names the client, and no column speaks of an app or of default ATS, which are not the question."""
    text = render_audit(result(FOUR, profiles=(SYSTEM,)), Style(width=width))
    assert max(map(cell_len, text.splitlines())) <= width
    check(SNAPSHOTS / f"system-services-{width}.txt", text)


def test_more_than_five_servers_of_a_verdict_are_a_number_until_they_are_asked_for():
    """The group below names those that are blocked; what passes is named with -v."""
    many = result([_without_ems(f"h{n}.example.org") for n in range(6)], profiles=(SYSTEM,))
    table = render_audit(many, Style()).partition("Fix these servers")[0]
    assert "6 servers" in table and "h3.example.org" not in table
    assert "h3.example.org:443" in render_audit(many, Style(verbosity=1)).partition("Fix these servers")[0]


@pytest.mark.parametrize(("number", "answer"), [(0, "blocked as apple-system-27"), (2, "passes as apple-system-27")])
def test_a_single_server_is_told_as_which_client_it_passes(number, answer):
    """Neither default ATS nor an exception is spoken of, since no Info.plist is read."""
    text = render_audit(result([FOUR[number]], profiles=(SYSTEM,)), Style())
    assert text.splitlines()[0].endswith(answer)


def test_fcp21_still_speaks_of_ats():
    """The mode that an app's key lifts keeps the table of ATS."""
    text = render_audit(result(FOUR, profiles=(replace(SYSTEM, name="fcp21", reads_exceptions=True),)), Style())
    assert "default ATS" in text and "as apple-system" not in text
