"""Hosts that the user had left out: no load, and no proof that what covers them may go."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from random_worlds import HOSTS, MORE_HOSTS, TRUST, World, worlds
from scenario import AL, ALLOW_HTTP, HTTP, NO_PFS, PFS, SUB, App, Scenario, entries
from simulated_network import look
from simulated_pki import root
from simulated_server import OK, RSA

from atsprobe.ats.policy import PolicyResolver
from atsprobe.ats.profile import profiles
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.judgement import ExceptionJudgement
from atsprobe.model.policy import Client
from atsprobe.model.recording import IgnoreRule
from atsprobe.model.result import AuditResult, exit_code
from atsprobe.model.trust_store import TrustStore
from atsprobe.pipelines.plan import without_ignored
from atsprobe.weigh.conclude import conclude
from atsprobe.weigh.evidence import Evidence, works

A, B, C = "https://a.example.com", "https://b.example.com", "https://c.a.example.com"
VPN = IgnoreRule("c.a.example.com", "behind the VPN", "atsprobe.toml:3")


def audited(scenario: Scenario, *rules: IgnoreRule) -> AuditResult:
    extraction, ignored = without_ignored(scenario.extraction(), rules)
    seen = look(
        extraction,
        scenario.network,
        installed_roots=(root().der,),
        assume_complete=scenario.assume_complete,
    )
    return conclude(replace(seen, ignored=ignored), trust=TrustStore(public=()))


def statuses(result: AuditResult) -> dict[tuple[str | None, str | None], ExceptionJudgement]:
    return {(e.domain, e.key): e for e in result.exceptions}


def minimal(result: AuditResult) -> AtsDictionary:
    (only,) = result.minimal
    return AtsDictionary.from_plist(only.dictionary)


def test_an_ignored_host_is_no_load() -> None:
    """It is listed with its rule and its sightings, has no verdict, and makes nothing incomplete."""
    result = audited(Scenario(0, App(None, (A, C)), {A: OK}), VPN)
    assert [str(e.endpoint) for e in result.endpoints] == ["a.example.com:443"]
    (ignored,) = result.recording.ignored
    assert (ignored.host, ignored.rule, len(ignored.references)) == ("c.a.example.com", VPN, 1)
    assert exit_code(result) == 0


def test_whom_a_rule_covers() -> None:
    """A name is itself alone; with a star it is all below and not the name itself."""
    below = IgnoreRule("*.example.com", "")
    assert [h for h in ("example.com", "a.example.com", "b.a.example.com", "notexample.com") if below.covers(h)] == [
        "a.example.com",
        "b.a.example.com",
    ]
    assert VPN.covers("c.a.example.com") and not VPN.covers("x.c.a.example.com")


def test_a_host_of_the_command_line_is_not_ignored() -> None:
    """Who asks for a target by name gets an answer about it, whatever else names it."""
    result = audited(Scenario(0, App(None, (C,)), {C: OK}, command_line=(C,)), VPN)
    assert [str(e.endpoint) for e in result.loads] == ["c.a.example.com:443"]
    assert not result.recording.ignored


def test_an_exception_for_an_ignored_host_alone_is_left_to_the_user() -> None:
    """Nobody looked, on purpose: no status but unverifiable, no exit weight, the reason says why, and the key stays."""
    ats = entries({"c.a.example.com": NO_PFS})
    result = audited(Scenario(0, App(ats, (A, C)), {A: OK}), VPN)
    key = statuses(result)["c.a.example.com", PFS]
    assert (str(key.status), key.has_exit_weight, key.ignored) == ("unverifiable", False, ("c.a.example.com",))
    assert key.reason == "c.a.example.com is ignored (behind the VPN), so what it needs was not seen"
    assert exit_code(result) == 0
    assert minimal(result).entries["c.a.example.com"].requires_forward_secrecy is False


def test_a_pattern_over_an_ignored_host_was_not_seen_in_full() -> None:
    """Every other host passes, and it is said that all is known; yet the ignored one may need the key."""
    ats = entries({"example.com": {**NO_PFS, SUB: True}})
    scenario = Scenario(0, App(ats, (A, B, C)), {A: OK, B: OK, C: OK, "https://example.com": OK}, assume_complete=True)
    assert {str(s.status) for s in statuses(audited(scenario)).values()} == {"unneeded"}
    result = audited(scenario, VPN)
    for key in statuses(result).values():
        assert (str(key.status), key.has_exit_weight, key.ignored) == ("unverifiable", True, ("c.a.example.com",))
        assert key.reason.startswith(
            "c.a.example.com is ignored (behind the VPN), so what it needs was not seen; weighed: "
        )
    assert exit_code(result) == 3
    entry = minimal(result).entries["example.com"]
    assert (entry.requires_forward_secrecy, entry.includes_subdomains) == (False, True)


def test_arbitrary_loads_over_an_ignored_host_stay() -> None:
    """Needed by one host that was seen, it may be by the ignored one too: no narrower form is offered."""
    scenario = Scenario(0, App({AL: True}, (A, C)), {A: RSA, C: OK}, assume_complete=True)
    assert str(statuses(audited(scenario))[None, AL].status) == "too-wide"
    result = audited(scenario, VPN)
    key = statuses(result)[None, AL]
    assert (str(key.status), key.ignored) == ("needed", ("c.a.example.com",))
    assert minimal(result).allows_arbitrary_loads is True


def test_an_ignored_host_elsewhere_leaves_a_key_as_it_is() -> None:
    """Neither one that another entry decides about, nor one that another app loads."""
    ats = entries({"example.com": {**NO_PFS, SUB: True}, "c.a.example.com": ALLOW_HTTP})
    net = {A: OK, B: OK, "https://example.com": OK}
    result = audited(Scenario(0, App(ats, (A, B, C)), net), VPN)
    found = statuses(result)
    assert str(found["example.com", PFS].status) == "unneeded" and not found["example.com", PFS].ignored
    assert str(found["c.a.example.com", HTTP].status) == "unverifiable"
    apps = (
        App(entries({"example.com": {**NO_PFS, SUB: True}}), (A, B)),
        App(None, (C,), identifier="org.example.other"),
    )
    of_two = audited(Scenario(0, apps, net), VPN)
    assert str(statuses(of_two)["example.com", PFS].status) == "unneeded"


def test_several_ignored_hosts_are_told_in_one_sentence() -> None:
    """The first with its reason, and how many more."""
    ats = entries({"example.com": {**NO_PFS, SUB: True}})
    scenario = Scenario(0, App(ats, (A, B, C)), {A: OK, "https://example.com": OK})
    two = audited(scenario, VPN, IgnoreRule("b.example.com", "not ours"))
    key = statuses(two)["example.com", PFS]
    assert key.reason.startswith(
        "b.example.com (not ours) and c.a.example.com are ignored, so what they need was not seen"
    )
    three = audited(scenario, IgnoreRule("*.example.com", "not ours"))
    assert statuses(three)["example.com", PFS].reason.startswith(
        "a.example.com (not ours) and 2 more hosts are ignored"
    )


def ignoring(world: World, host: str) -> AuditResult:
    """Conclude a world of which one host was left out."""
    recording = world.recording()
    extraction, ignored = without_ignored(recording.extraction, [IgnoreRule(host, "not now")])
    seen = tuple(o for o in recording.observations if o.endpoint.host != host)
    return conclude(replace(recording, extraction=extraction, observations=seen, ignored=ignored), trust=TRUST)


_HOSTS = st.sampled_from(HOSTS + MORE_HOSTS)
_EXAMPLES = settings(max_examples=80, deadline=None)


@_EXAMPLES
@given(worlds(), _HOSTS)
def test_no_key_over_an_ignored_host_is_ever_called_removable(world, host):
    """Whatever the dictionary, a key that decides about it by what was seen of others keeps its place."""
    covering = {(k.domain, k.key) for k in world.result().exceptions if any(e.host == host for e in k.hosts)}
    for key in ignoring(world, host).exceptions:
        if (key.domain, key.key) in covering:
            assert str(key.status) not in ("unneeded", "replaceable", "too-wide")


@_EXAMPLES
@given(worlds(), _HOSTS)
def test_the_smallest_dictionary_blocks_no_ignored_host(world, host):
    """Whoever takes over the proposed plist loses no load of a host that was not looked at, had it worked."""
    evidence = Evidence(world.recording(), TRUST)
    endpoints = [e.endpoint for e in world.result().loads if e.endpoint.host == host]
    client = Client(profiles(())[-1], world.app.sdk)

    def outcomes(ats):
        resolver = PolicyResolver(client, AtsDictionary.from_plist(ats))
        return {(e, j.address): works(j.outcome) for e in endpoints for j in evidence.judgements(e, resolver)}

    after = outcomes(ignoring(world, host).minimal[0].dictionary)
    broken = [case for case, outcome in outcomes(world.app.ats).items() if outcome and not after[case]]
    assert not broken
