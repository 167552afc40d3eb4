"""Audits with accepted findings, stale waivers and ignored hosts, as people see them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from made_results import APP, MIN, PFS, ferry, finding, intranet, key, load, passing, recording, reference, result
from rich.cells import cell_len
from snapshot import check

from atsprobe.model.endpoint import Endpoint, Host, Line
from atsprobe.model.judgement import RequirementId, StaleWaiver, Verdict, WaivedKey, WaivedLoad, Waiver
from atsprobe.model.recording import IgnoredHost, IgnoreRule
from atsprobe.model.result import AuditResult, exit_code
from atsprobe.report.closing import why
from atsprobe.report.style import QUIET, VERBOSE, Style
from atsprobe.report.text.audit import render_audit

SNAPSHOTS = Path(__file__).parent / "snapshots"


def waiver(requirement=None, **more) -> Waiver:
    values = {
        "reason": "moves in spring",
        "owner": "ops@example.com",
        "expires": date(2027, 3, 31),
        "place": "ats.toml:7",
    }
    return Waiver(**{**values, "requirement": requirement and RequirementId(requirement), **more})


DHE, NAME = (waiver(r, host="old.example.org") for r in ("cipher-suite", "certificate-hostname"))
LEGACY = waiver(key=MIN, host="legacy.example.com", reason="\x1b[2J\u202ewho knows", expires=date(2026, 12, 24))
OLD = Endpoint(Host("old.example.org"), 443)
VPN = IgnoreRule("*.corp.example.org", "behind the VPN", "atsprobe.toml:3")


def ignored(*hosts: str) -> tuple[IgnoredHost, ...]:
    return tuple(
        IgnoredHost(Host(h), VPN, (reference(h, f"https://{h}/", "Payload/Ferry.app/config.json", location=Line(4)),))
        for h in hosts
    )


def with_all() -> AuditResult:
    """The release engineer's app: one server and one key accepted, two waivers stale, two hosts ignored."""
    of = ferry()
    return replace(
        of,
        recording=replace(of.recording, ignored=ignored("jira.corp.example.org", "wiki.corp.example.org")),
        waived=(
            WaivedLoad(OLD, ((DHE.requirement, DHE), (NAME.requirement, NAME)), is_whole=True),
            WaivedKey("org.example.ferry", "legacy.example.com", MIN, LEGACY),
        ),
        stale_waivers=(
            StaleWaiver(
                waiver("forward-secrecy", host="files.example.net", expires=date(2026, 10, 31)),
                "expired",
                "expired on 2026-10-31; what it accepted counts again",
                "settle what it accepted, or set a later day in ats.toml:7",
            ),
            StaleWaiver(
                waiver(key=PFS, domain="example.net"),
                "unmatched",
                "no such key is declared any more",
                "take it out of ats.toml:7",
            ),
        ),
    )


@pytest.mark.parametrize("width", [60, 80, 120])
def test_an_audit_with_waivers_looks_as_agreed(width: int) -> None:
    """Accepted and ignored things in groups of their own, with reason, owner and last day; stale waivers among the work."""
    text = render_audit(with_all(), Style(width=width))
    assert max(map(cell_len, text.splitlines())) <= width
    check(SNAPSHOTS / f"waivers-{width}.txt", text)


@pytest.mark.parametrize(("verbosity", "word"), [(QUIET, "quiet"), (VERBOSE, "verbose")])
def test_more_and_less_of_it(verbosity: int, word: str) -> None:
    """Nothing accepted or ignored is silent even in a quiet report, nor looks there like a finding."""
    check(SNAPSHOTS / f"waivers-{word}.txt", render_audit(with_all(), Style(verbosity=verbosity)))


def test_the_numbers_are_less_what_is_accepted() -> None:
    """Of nine findings two are accepted, and two stale waivers come in; the closing line says the same."""
    made = with_all()
    assert (ferry().findings, made.findings, exit_code(made)) == (9, 9, 1)
    assert why(made) == "9 findings, 1 not judged, 2 accepted"
    first, second, third, *_ = render_audit(made, Style(width=200)).splitlines()
    assert first == ("✗ Ferry 4.2.0 (1187): 9 findings; 1 server is blocked, 1 could not be judged; 2 accepted")
    assert second == "  fix 1 server, change 1 URL, drop 4 exceptions, narrow 1, see to 2 waivers; 2 are needed"
    assert third.startswith("  2 bundles, 14 endpoints, 23 addresses, 2 hosts ignored; iOS 16 to 26")


def blocked_and_allowed(*, is_whole: bool) -> AuditResult:
    """An app of which one server is blocked by two things, and both or one of them are accepted."""
    expired = [
        finding("certificate-validity", "expired 2026-02-28", on=["203.0.113.10"]),
        finding("forward-secrecy", "static RSA suites only", on=["203.0.113.10"]),
    ]
    loads = [load("old.example.org", Verdict.BLOCKED, "blocked", findings=expired), load("api.example.com")]
    one, other = (waiver(r, host="old.example.org") for r in ("certificate-validity", "forward-secrecy"))
    accepts = ((one.requirement, one), *([(other.requirement, other)] if is_whole else []))
    return replace(result(loads, of=recording([APP])), waived=(WaivedLoad(OLD, accepts, is_whole),))


def test_what_is_accepted_in_part_says_so() -> None:
    """The server is still to be fixed, for the rest alone, and the accepted fault names its day."""
    text = render_audit(blocked_and_allowed(is_whole=False), Style())
    assert text.startswith("✗ Ferry 4.2.0 (1187): 1 finding; 1 server is blocked\n")
    assert "certificate-validity: expired 2026-02-28 (accepted until 2027-03-31)\n" in text
    assert "fix: enable ECDHE suites" in text and "certificate" not in text.partition("fix: ")[2]
    assert "Accepted" not in text


def test_nothing_left_to_act_on_still_tells_what_is_accepted() -> None:
    """The answer does not count a blocked server as allowed."""
    made = blocked_and_allowed(is_whole=True)
    text = render_audit(made, Style())
    assert text.startswith("✓ Ferry 4.2.0 (1187): nothing to act on; 1 server is allowed; 1 accepted\n")
    assert "✗ blocked" in text and "Accepted (1)\n  blocked  old.example.org:443\n" in text
    assert (exit_code(made), why(made)) == (0, "nothing to act on, 1 accepted")


def test_every_host_ignored() -> None:
    """That no server was looked at is not that none was found."""
    made = result(of=replace(recording([APP]), ignored=ignored("jira.corp.example.org")))
    text = render_audit(made, Style(width=200))
    assert text.splitlines()[:2] == [
        "- Ferry 4.2.0 (1187): nothing to act on; no server was looked at",
        "  1 host is ignored; no exception is declared",
    ]
    assert why(made) == "nothing to act on, no server was looked at"


def test_one_server_accepted() -> None:
    """Alone on the command line, it is neither red nor green, and the group says who accepts it."""
    of = intranet()
    (alone,) = of.loads
    all_of_it = tuple((r, waiver(r, host="intranet.example.org")) for r in alone.declared[0].failing)
    made = replace(of, waived=(WaivedLoad(alone.endpoint, all_of_it, is_whole=True),))
    lines = render_audit(made, Style(width=100)).splitlines()
    assert lines[0] == "! intranet.example.org:443: blocked; no ATS exception helps; accepted until 2027-03-31"
    assert lines[-1] == "      accepted: until 2027-03-31 by ops@example.com: moves in spring"
    assert render_audit(passing(), Style()).startswith("✓")


def test_an_unmatched_waiver_alone_is_a_finding() -> None:
    """An app in which all passes is red all the same, and says what to see to."""
    stale = StaleWaiver(DHE, "unmatched", "the app does not load from it any more", "take it out of ats.toml:7")
    passes = result([load("api.example.com")], [key("a", PFS, False, "needed", "why")], of=recording([APP]))
    text = render_audit(replace(passes, stale_waivers=(stale,)), Style())
    assert text.startswith("✗ Ferry 4.2.0 (1187): 1 finding\n  see to 1 waiver; 1 exception is needed\n")
    assert (
        "Renew this waiver, or take it out (1)\n"
        "  unmatched  old.example.org cipher-suite (ats.toml:7)\n"
        "      the app does not load from it any more\n"
        "      ops@example.com: moves in spring\n"
        "      fix: take it out of ats.toml:7\n"
    ) in text
