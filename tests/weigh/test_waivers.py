"""Findings accepted for a while: what they take out of the count, and when they are findings themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from scenario import ALLOW_HTTP, HTTP, NO_PFS, PFS, SUB, App, Scenario, entries
from scenario_checks import concluded
from scenarios_of_many_hosts import ENCRYPTED
from simulated_network import TIMES_OUT
from simulated_pki import chain
from simulated_server import EXPIRED, OK, RSA, T10_STATIC_RSA

from atsprobe.model.endpoint import Host
from atsprobe.model.judgement import RequirementId, WaivedKey, WaivedLoad, Waiver
from atsprobe.model.result import AuditResult, exit_code
from atsprobe.weigh.waivers import with_waivers

TODAY = date(2026, 11, 17)
A, B, OLD = "https://a.example.com", "https://b.example.com", "old.example.net"
T10_RSA_EXPIRED = replace(T10_STATIC_RSA, chains=(("rsa", chain("rsa", "expired")),))


def waiver(requirement=None, **more) -> Waiver:
    values = {"reason": "moves in spring", "owner": "ops", "expires": TODAY, "place": "atsprobe.toml:7"}
    return Waiver(**{**values, "requirement": requirement and RequirementId(requirement), **more})


def audited(app: App | None, net, **more) -> AuditResult:
    return concluded(Scenario(0, app, net, **more))


def two_blocked() -> AuditResult:
    """An app of which one server is expired, another knows static RSA alone; nothing is declared."""
    return audited(App(None, (A, B)), {A: EXPIRED, B: RSA})


def names(result: AuditResult) -> list[str]:
    return [str(e.endpoint.host) for e in result.blocked]


def test_an_accepted_load_does_not_count() -> None:
    """It is no finding, changes no verdict, and all the rest counts as before."""
    before = two_blocked()
    after = with_waivers(before, [waiver("certificate-validity", host="a.example.com")], TODAY)
    assert (before.findings, after.findings) == (2, 1)
    assert names(after) == ["b.example.com"]
    assert [e.endpoint.host for e in after.accepted_loads] == ["a.example.com"]
    assert after.endpoints == before.endpoints and not after.stale_waivers
    both = with_waivers(before, [*after.waivers, waiver("forward-secrecy", domain="example.com")], TODAY)
    assert (both.findings, exit_code(both)) == (0, 0)


@pytest.mark.parametrize(
    ("more", "accepted"),
    [
        ({"host": "a.example.com"}, True),
        ({"host": "A.example.com."}, True),
        ({"domain": "example.com"}, True),
        ({"domain": "a.example.com"}, True),
        ({"host": "example.com"}, False),
        ({"domain": "ple.com"}, False),
        ({"domain": "b.example.com"}, False),
        ({"host": "a.example.com", "bundle": "org.example.app"}, True),
        ({"host": "a.example.com", "bundle": "org.example.other"}, False),
    ],
)
def test_whom_a_waiver_is_about(more: dict, accepted: bool) -> None:
    """A host is one name, a domain that name and all below it, by whole labels; a bundle narrows both."""
    result = with_waivers(audited(App(None, (A,)), {A: EXPIRED}), [waiver("certificate-validity", **more)], TODAY)
    assert bool(result.accepted_loads) is accepted


def test_a_load_is_accepted_once_all_that_blocks_it_is() -> None:
    """One of two failing requirements accepted leaves it blocked; and the waiver is of use, so it is not stale."""
    result = audited(App(entries({"a.example.com": NO_PFS}), (A,)), {A: T10_RSA_EXPIRED})
    one = waiver("certificate-validity", host="a.example.com")
    in_part = with_waivers(result, [one], TODAY)
    assert names(in_part) == ["a.example.com"] and not in_part.stale_waivers
    (waived,) = in_part.waived
    assert isinstance(waived, WaivedLoad) and not waived.is_whole
    other = waiver("tls-version", host="a.example.com", expires=TODAY + timedelta(9))
    whole = with_waivers(result, [other, one], TODAY)
    assert not whole.blocked
    assert whole.waived_load(whole.accepted_loads[0]).ends_first == one


def test_each_dictionary_that_blocks_is_accepted_by_itself() -> None:
    """A load of two apps is accepted for one of them alone where the waiver names that one."""
    apps = (App(None, (A,)), App(None, (A,), identifier="org.example.other"))
    result = concluded(Scenario(0, apps, {A: EXPIRED}))
    one = waiver("certificate-validity", host="a.example.com", bundle="org.example.app")
    assert with_waivers(result, [one], TODAY).blocked
    assert not with_waivers(result, [replace(one, bundle=None)], TODAY).blocked


def with_keys() -> AuditResult:
    """An app with an unneeded key, an unneeded pattern, and a needed key."""
    ats = entries({"a.example.com": NO_PFS, OLD: ALLOW_HTTP, "b.example.com": {**NO_PFS, SUB: True}})
    return audited(
        App(ats, (A, B, f"http://{OLD}")),
        {A: OK, B: OK, f"http://{OLD}": OK, f"https://{OLD}": RSA},
        assume_complete=True,
    )


def test_an_accepted_key_does_not_count() -> None:
    """Its status stands, and it is out of what there is to act on."""
    before = with_keys()
    after = with_waivers(before, [waiver(key=PFS, host="a.example.com")], TODAY)
    assert after.findings == before.findings - 1
    assert [(k.domain, k.key) for k in after.accepted_keys] == [("a.example.com", PFS)]
    assert after.exceptions == before.exceptions
    below = with_waivers(before, [waiver(key=PFS, domain="example.com")], TODAY)
    assert {k.domain for k in below.accepted_keys} == {"a.example.com", "b.example.com"}


def test_a_key_that_could_not_be_judged_can_be_accepted() -> None:
    """What no run of the audit will ever see need not make every run incomplete."""
    result = audited(App(entries({OLD: NO_PFS}), (f"https://{OLD}",)), {f"https://{OLD}": TIMES_OUT})
    (key,) = result.exceptions
    assert key.counts_as_not_judged
    after = with_waivers(result, [waiver(key=PFS, host=OLD)], TODAY)
    assert key in after.accepted_keys
    assert key not in after.not_judged


def test_a_global_key_and_a_misspelt_one() -> None:
    """A waiver without host is of the global key alone; one of a misspelt entry names it as it is spelled."""
    ats = entries({"EXAMPLE.com": ALLOW_HTTP, "example.net": {HTTP: "YES"}}, NSAllowsArbitraryLoads=True)
    result = audited(App(ats, (A,)), {A: OK}, assume_complete=True)
    of_global = with_waivers(result, [waiver(key="NSAllowsArbitraryLoads")], TODAY)
    assert [k.domain for k in of_global.accepted_keys] == [None]
    as_spelled = with_waivers(result, [waiver(key=HTTP, host="EXAMPLE.com")], TODAY)
    assert [k.domain for k in as_spelled.accepted_keys] == ["EXAMPLE.com"]
    lower = with_waivers(result, [waiver(key=HTTP, host="example.com")], TODAY)
    assert not lower.accepted_keys and lower.stale_waivers
    meant = with_waivers(result, [waiver(key=HTTP, domain="example.com")], TODAY)
    assert [k.domain for k in meant.accepted_keys] == ["EXAMPLE.com"]


def test_the_last_day_still_counts() -> None:
    """On the day after, the waiver is a finding beside what it accepted."""
    result = audited(App(None, (A,)), {A: EXPIRED})
    one = waiver("certificate-validity", host="a.example.com")
    assert with_waivers(result, [one], TODAY).findings == 0
    after = with_waivers(result, [one], TODAY + timedelta(1))
    assert (after.findings, exit_code(after), names(after)) == (2, 1, ["a.example.com"])
    (stale,) = after.stale_waivers
    assert (stale.problem, stale.evidence) == ("expired", "expired on 2026-11-17; what it accepted counts again")
    assert stale.advice == "settle what it accepted, or set a later day in atsprobe.toml:7"


def test_the_longer_of_two_waivers_counts() -> None:
    """A renewal written beside the old one accepts; the old one is still to be taken out."""
    old, new = (waiver("certificate-validity", host="a.example.com", expires=TODAY + timedelta(n)) for n in (-1, 30))
    result = with_waivers(audited(App(None, (A,)), {A: EXPIRED}), [old, new], TODAY)
    assert not result.blocked
    (stale,) = result.stale_waivers
    assert stale.waiver == old
    assert stale.evidence == "expired on 2026-11-16; another waiver accepts the same"


@pytest.mark.parametrize(
    ("one", "evidence"),
    [
        (waiver("certificate-validity", host="b.example.com"), "b.example.com:443 is not blocked by it any more"),
        (
            waiver("certificate-hostname", domain="example.com"),
            "none of a.example.com:443, b.example.com:443 is blocked by it any more",
        ),
        (waiver("tls-version", host="gone.example.org"), "the app does not load from it any more"),
        (waiver(key=HTTP, host="a.example.com"), "no such key is declared any more"),
        (waiver(key="NSAllowsArbitraryLoads"), "no such key is declared any more"),
    ],
)
def test_a_waiver_that_matches_nothing_any_more_is_a_finding(one: Waiver, evidence: str) -> None:
    """It says what became of its subject, and to take it out."""
    result = with_waivers(two_blocked(), [one], TODAY)
    (stale,) = result.stale_waivers
    assert (stale.problem, stale.evidence, stale.advice) == ("unmatched", evidence, "take it out of atsprobe.toml:7")
    assert (result.findings, exit_code(result)) == (3, 1)
    late = with_waivers(two_blocked(), [one], TODAY + timedelta(1)).stale_waivers[0]
    assert (late.problem, late.evidence) == ("expired", f"expired on 2026-11-17, and {evidence}")


def test_a_waiver_of_a_key_that_is_needed_matches_nothing() -> None:
    """There is nothing to accept about it."""
    result = audited(App(entries({"b.example.com": NO_PFS}), (B,)), {B: RSA})
    (stale,) = with_waivers(result, [waiver(key=PFS, host="b.example.com")], TODAY).stale_waivers
    assert stale.evidence == "the key is needed: there is nothing to accept"


OF_B = waiver("certificate-validity", host="b.example.com")


@pytest.mark.parametrize(
    ("result", "one"),
    [
        (lambda: audited(App(None, (A, B)), {A: OK, B: TIMES_OUT}), OF_B),
        (lambda: audited(App(None, (A,)), {A: OK}, skipped=(ENCRYPTED,)), OF_B),
        (lambda: audited(App(None, (A,)), {A: OK}, skipped=(ENCRYPTED,)), waiver(key=PFS, host="b.example.com")),
        (lambda: audited(App(None, (A,)), {A: OK}, not_audited=(Host("b.example.com"),)), OF_B),
        (lambda: audited(None, {A: OK}, command_line=(A,)), OF_B),
        (lambda: audited(None, {A: OK}, command_line=(A,)), waiver(key=PFS, host="b.example.com")),
        (lambda: audited(App(None, (A,)), {A: OK}), replace(OF_B, bundle="org.example.other")),
    ],
    ids=["unknown load", "unread file", "unread file, key", "not audited", "no app", "no app, key", "another app"],
)
def test_what_was_not_seen_makes_no_waiver_stale(result, one: Waiver) -> None:
    """That it matches nothing is said only where what it is about was looked for, found or not, and judged."""
    made = with_waivers(result(), [one], TODAY)
    assert not made.stale_waivers
    assert made.waivers == (one,)


def test_a_requirement_that_could_not_be_judged_makes_no_waiver_stale() -> None:
    """A server that now fails before its certificate is seen may still have the fault that was accepted."""
    result = two_blocked()
    load = next(e for e in result.loads if e.endpoint.host == "b.example.com")
    unseen = next(f for f in load.findings if f.finding.requirement == "certificate-validity")
    unknown = replace(unseen, finding=replace(unseen.finding, status="unknown"))
    seen_less = replace(load, findings=tuple(unknown if f is unseen else f for f in load.findings))
    result = replace(result, endpoints=tuple(seen_less if e is load else e for e in result.endpoints))
    assert not with_waivers(result, [OF_B], TODAY).stale_waivers


def test_an_interrupted_audit_makes_no_waiver_stale() -> None:
    """What was not looked at yet is not gone."""
    result = two_blocked()
    result = replace(result, recording=replace(result.recording, interrupted=True))
    assert not with_waivers(result, [waiver("tls-version", host="gone.example.org")], TODAY).stale_waivers


def test_of_a_host_named_by_hand_a_waiver_can_be_stale() -> None:
    """It was looked for, by name."""
    result = audited(None, {A: OK}, command_line=(A,))
    one = waiver("certificate-validity", host="a.example.com")
    assert [s.problem for s in with_waivers(result, [one], TODAY).stale_waivers] == ["unmatched"]


def test_no_waiver_changes_nothing() -> None:
    """Without waivers a result is what it was."""
    result = with_keys()
    assert with_waivers(result, [], TODAY) == result
    assert all(isinstance(w, WaivedLoad | WaivedKey) for w in result.waived)
