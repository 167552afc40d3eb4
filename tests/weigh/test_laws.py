"""Laws that hold for every dictionary and every server, tried on random ones."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from random_worlds import TRUST, UNRELATED, World, networks, worlds
from scenario import AL, ALLOW_HTTP, DOMAINS, NO_PFS, SUB, TLS10

from atsprobe.ats.policy import PolicyResolver
from atsprobe.ats.profile import profiles
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.endpoint import Endpoint
from atsprobe.model.judgement import ExceptionStatus, Verdict
from atsprobe.model.observation import Unreachable
from atsprobe.model.policy import Client
from atsprobe.model.result import exit_code
from atsprobe.weigh.conclude import conclude
from atsprobe.weigh.evidence import Evidence, works

TO_REMOVE_OR_NARROW = {ExceptionStatus.UNNEEDED, ExceptionStatus.REPLACEABLE, ExceptionStatus.TOO_WIDE}
EVERY_KEY = ALLOW_HTTP | NO_PFS | TLS10
EXAMPLES = settings(max_examples=80, deadline=None, derandomize=True)


def _outcomes(evidence: Evidence, world: World, ats, endpoints) -> dict[tuple[Endpoint, str], bool | None]:
    """Say of every load on every address whether it works under a dictionary."""
    client = Client(profiles(())[-1], world.app.sdk)
    resolver = PolicyResolver(client, AtsDictionary.from_plist(ats))
    return {
        (endpoint, str(judged.address)): works(judged.outcome)
        for endpoint in endpoints
        for judged in evidence.judgements(endpoint, resolver)
    }


def _less(ats, dropped):
    """Give a plist without some keys; an entry that is left with nothing that relaxes or tightens goes with them."""
    kept = {k: v for k, v in ats.items() if (None, k) not in dropped and k != DOMAINS}
    entries = {}
    for domain, entry in ats.get(DOMAINS, {}).items():
        left = {k: v for k, v in entry.items() if (domain, k) not in dropped}
        if left == entry or any(k != SUB and v != "nonsense" for k, v in left.items()):
            entries[domain] = left
    return {**kept, DOMAINS: entries} if entries else kept


def _still_works(world: World, result, ats) -> None:
    evidence = Evidence(result.recording, TRUST)
    endpoints = [e.endpoint for e in result.loads]
    declared = _outcomes(evidence, world, world.app.ats, endpoints)
    changed = _outcomes(evidence, world, ats, endpoints)
    broken = [case for case, outcome in declared.items() if outcome and not changed[case]]
    broken += [case for case, outcome in declared.items() if outcome is None and changed[case] is False]
    assert not broken, (ats, broken)


@EXAMPLES
@given(worlds())
def test_dropping_every_unneeded_key_at_once_breaks_nothing(world):
    """Every case that was seen to work works without all the keys called unneeded, and none that is unknown fails."""
    result = world.result()
    dropped = {(k.domain, k.key) for k in result.exceptions if k.status is ExceptionStatus.UNNEEDED}
    _still_works(world, result, _less(world.app.ats, dropped))


@EXAMPLES
@given(worlds())
def test_the_smallest_dictionary_blocks_nothing_that_the_declared_one_allows(world):
    """Whoever takes over the proposed plist loses no load that was seen to work, or that could not be judged."""
    result = world.result()
    _still_works(world, result, result.minimal[0].dictionary)


@EXAMPLES
@given(worlds())
def test_the_smallest_dictionary_mends_every_load_that_a_key_can_mend(world):
    """Under it no load that needs an exception fails, the SDK's floor and the app's own stricter keys aside."""
    result = world.result()
    evidence = Evidence(result.recording, TRUST)
    mendable = [e.endpoint for e in result.loads if e.verdict is Verdict.EXCEPTION_REQUIRED]
    old_sdk = replace(world, app=replace(world.app, sdk="18.0"))
    strict = [k for k in result.exceptions if k.status is ExceptionStatus.STRICT and k.value not in (False, None)]
    outcomes = _outcomes(evidence, old_sdk, result.minimal[0].dictionary, mendable)
    at_best = _outcomes(evidence, old_sdk, {DOMAINS: {e.host: EVERY_KEY for e in mendable}}, mendable)
    left = [case for case, outcome in outcomes.items() if outcome is False and at_best[case]]
    assert not left or strict, (result.minimal[0].dictionary, left)


@EXAMPLES
@given(worlds())
def test_the_smallest_exception_is_enough_and_the_verdict_says_when_there_is_one(world):
    """It is {} for pass, a dictionary under which each case works for exception-required, and none otherwise."""
    result = world.result()
    evidence = Evidence(result.recording, TRUST)
    old_sdk = replace(world, app=replace(world.app, sdk="18.0"))
    for seen in result.loads:
        if seen.verdict in (Verdict.BLOCKED, Verdict.INCONCLUSIVE):
            assert seen.minimal_exception is None
            continue
        assert seen.minimal_exception is not None
        entry = seen.minimal_exception.to_plist()
        assert bool(entry) == (seen.verdict is Verdict.EXCEPTION_REQUIRED)
        alone = {DOMAINS: {seen.endpoint.host: entry}} if entry else {}
        cases = _outcomes(evidence, old_sdk, alone, [seen.endpoint])
        # beside an address that needs the exception may be one of unknown outcome: unseen, or 3DES, unproved at best
        at_best = _outcomes(evidence, old_sdk, {DOMAINS: {seen.endpoint.host: EVERY_KEY}}, [seen.endpoint])
        assert all(outcome is not False or at_best[case] is None for case, outcome in cases.items())


@EXAMPLES
@given(worlds())
def test_the_default_verdict_does_not_look_at_the_dictionary(world):
    """An app's keys change what is declared, never what default ATS says of a server."""
    with_keys = {e.endpoint: (e.verdict, e.minimal_exception, e.findings) for e in world.result().loads}
    without = {
        e.endpoint: (e.verdict, e.minimal_exception, e.findings) for e in world.with_dictionary(None).result().loads
    }
    assert all(with_keys[e] == without[e] for e in with_keys.keys() & without.keys())


@EXAMPLES
@given(worlds())
def test_nothing_unseen_is_ever_called_removable(world):
    """A key that covers an https load of which one address could not be reached is never unneeded, replaceable or too wide."""
    result = world.result()
    for key in result.exceptions:
        if key.status in TO_REMOVE_OR_NARROW:
            covered = [o for e in key.hosts if e.scheme == "https" for o in result.recording.seen(e)]
            assert not [o for o in covered if isinstance(o, Unreachable)], (key, covered)


def _digest(result):
    """Give what a reader acts on, whatever the order."""
    return (
        {e.endpoint: (e.is_load, e.verdict, e.declared_verdict, e.minimal_exception) for e in result.endpoints},
        {(k.domain, k.key): k.status for k in result.exceptions},
        [(m.bundle, m.dictionary) for m in result.minimal],
        exit_code(result),
    )


@EXAMPLES
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_keys_and_references_does_not_matter(world, random):
    """Shuffled plists and shuffled sightings give the same verdicts, statuses, dictionary and exit code."""
    recording = world.recording()
    extraction = recording.extraction
    references = random.sample(extraction.references, len(extraction.references))
    ats = dict(random.sample(list(world.app.ats.items()), len(world.app.ats)))
    if DOMAINS in ats:
        entries = random.sample(list(ats[DOMAINS].items()), len(ats[DOMAINS]))
        ats[DOMAINS] = {d: dict(random.sample(list(e.items()), len(e))) for d, e in entries}
    bundles = (replace(extraction.bundles[0], dictionary=AtsDictionary.from_plist(ats)),)
    observations = tuple(random.sample(recording.observations, len(recording.observations)))
    shuffled = replace(
        recording,
        extraction=replace(extraction, references=tuple(references), bundles=bundles),
        observations=observations,
    )
    assert _digest(conclude(shuffled, trust=TRUST)) == _digest(conclude(recording, trust=TRUST))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(worlds())
def test_enumeration_changes_no_verdict_and_no_status(world):
    """What the quick scan says stands after every suite and group was found."""
    assert _digest(world.result()) == _digest(world.result(enumerate_=True))


@EXAMPLES
@given(worlds(), networks((UNRELATED,)), st.sampled_from(["https", "http"]))
def test_an_unrelated_host_changes_no_status(world, network, scheme):
    """One more host, whatever its server does, leaves every key of an entry that does not cover it as it was."""
    more = replace(
        world,
        app=replace(world.app, urls=(*world.app.urls, f"{scheme}://{UNRELATED}")),
        net=world.net | network,
    )
    before = {(k.domain, k.key): k.status for k in world.result().exceptions if k.key != AL}
    after = {(k.domain, k.key): k.status for k in more.result().exceptions if k.key != AL}
    assert before == after


@EXAMPLES
@given(worlds())
def test_the_exit_code_follows_declared_verdicts_and_statuses(world):
    """1 for a blocked load or a status to act on, else 3 for what could not be judged, else 0."""
    result = world.result()
    declared = {e.declared_verdict for e in result.loads}
    statuses = {k.status.value for k in result.exceptions}
    unverifiable = any(k.status.value == "unverifiable" and k.has_exit_weight for k in result.exceptions)
    acts = {"unneeded", "replaceable", "too-wide", "insufficient", "ineffective"}
    if "blocked" in declared or acts & statuses:
        assert exit_code(result) == 1
    else:
        assert exit_code(result) == (3 if "inconclusive" in declared or unverifiable else 0)
