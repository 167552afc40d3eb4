"""What is suggested, taken over as it is: the next audit has nothing more to say than what no dictionary can mend."""

from __future__ import annotations

import itertools
import plistlib
from dataclasses import replace

import pytest
import scenarios_of_many_hosts
import scenarios_of_one_host
from hypothesis import assume, given, settings
from random_worlds import TRUST, worlds
from scenario import ALLOW_HTTP, NO_PFS, TLS10
from scenario_checks import concluded

from atsprobe.ats.policy import PolicyResolver
from atsprobe.ats.profile import profiles
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.judgement import ExceptionStatus, Verdict
from atsprobe.model.policy import Client
from atsprobe.report.app_review_notes import app_review_notes
from atsprobe.report.suggested_plist import suggested_plists
from atsprobe.weigh.evidence import Evidence, works

WITH_AN_APP = [s for s in (*scenarios_of_one_host.ROWS, *scenarios_of_many_hosts.ROWS) if s.apps]
NO_KEY_IS_KNOWN_TO_HELP = (Verdict.BLOCKED, Verdict.INCONCLUSIVE)
EVERY_KEY = ALLOW_HTTP | NO_PFS | TLS10
BEFORE_EVERY_SDK_RULE = "18.0"


def taken_over(scenario, result):
    """Give the scenario with the files that are suggested copied into its Info.plists, stray keys removed as they say."""
    dictionaries = suggestions(result)
    return replace(
        scenario, app=tuple(replace(a, ats=dictionaries.get(a.identifier), misplaced=None) for a in scenario.apps)
    )


def suggestions(result):
    """Give the suggested dictionaries by bundle, read from the files and written as extraction would."""
    read = {s.bundle: plistlib.loads(s.text.encode()) for s in suggested_plists(result)}
    return {bundle: as_extracted(plist.get("NSAppTransportSecurity")) for bundle, plist in read.items()}


def as_extracted(value):
    """Give a value of plistlib's with tuples for arrays."""
    if isinstance(value, dict):
        return {k: as_extracted(v) for k, v in value.items()}
    return tuple(map(as_extracted, value)) if isinstance(value, list) else value


def what_is_left(before, after, out_of_reach=frozenset()):
    """Give what an audit finds after the suggestion was taken over, and should not: blocked loads, then keys.

    ``out_of_reach`` are loads that no set of keys lets work on each of their addresses.
    """
    strict = [k for k in after.exceptions if k.status is ExceptionStatus.STRICT]
    unmendable = out_of_reach | {
        e.endpoint
        for e in after.loads
        if e.verdict in NO_KEY_IS_KNOWN_TO_HELP or any(k.domain is None or e.endpoint in k.hosts for k in strict)
    }
    blocked = [e for e in after.loads if e.declared_verdict == "blocked" and e.endpoint not in unmendable]
    return [(str(e.endpoint), e.reason) for e in blocked] + [
        (k.domain, k.key, k.status, k.reason)
        for k in after.exceptions
        if (k.counts_as_not_judged or is_to_act_on(k, unmendable)) and not is_excused(k, before, after)
    ]


def is_to_act_on(key, unmendable):
    """Whether a key is a finding that a better suggestion would not have left.

    Two stay with reason: an http:// URL to change, and a key that covers a load which is blocked all the same.
    """
    if key.status in (ExceptionStatus.INSUFFICIENT, ExceptionStatus.TOO_WIDE):
        return not unmendable & set(key.hosts)
    return key.status.is_finding and key.status is not ExceptionStatus.REPLACEABLE


def is_excused(key, before, after):
    """Whether a key is unverifiable for the sake of what could not be judged before either, or hangs on the linked SDK alone.

    A floor below TLS 1.2 is the right key, and in an app of a recent SDK it alone is not proved to be enough.
    """
    if not key.counts_as_not_judged:
        return False
    loads = [e for e in after.loads if e.endpoint.host == key.domain and e.minimal_exception]
    return (
        any(k.counts_as_not_judged for k in before.exceptions)
        or any(Verdict.INCONCLUSIVE in (e.verdict, e.declared_verdict) for e in before.loads)
        or any(e.minimal_exception.minimum_tls_version for e in loads)
    )


@pytest.mark.parametrize("scenario", WITH_AN_APP, ids=lambda s: s.title)
def test_nothing_is_left_to_act_on_but_what_no_dictionary_mends(scenario):
    """Blocked servers, http:// URLs to change, what a stricter key blocks, and what could not be judged before."""
    before = concluded(scenario)
    changed = taken_over(scenario, before)
    after = concluded(changed)
    assert not what_is_left(before, after)
    assert taken_over(changed, after).apps == changed.apps, "a second suggestion differs from the first"


@pytest.mark.parametrize("scenario", WITH_AN_APP, ids=lambda s: s.title)
def test_notes_speak_of_every_key(scenario):
    """Each key, whether it stays or goes, is named with its status; what stays with whether App Review wants a reason."""
    result = concluded(scenario)
    page = app_review_notes(result)
    for key in result.exceptions:
        assert f"{key.status}:" in page
        assert key.key is None or f"`{key.key}`" in page
    assert ("## Exceptions that stay" in page or "once a URL is changed" in page) == ("- App Review asks for" in page)


EXAMPLES = settings(max_examples=60, deadline=None)


@EXAMPLES
@given(worlds())
def test_nothing_is_left_to_act_on_in_any_world(world):
    """The same for random dictionaries and servers; Apple's own hosts aside, whose built-in entry a declared one replaces."""
    assume("captive.apple.com" not in world.app.ats.get("NSExceptionDomains", {}))
    before = world.result()
    after = world.with_dictionary(suggestions(before)["org.example.app"]).result()
    evidence = Evidence(after.recording, TRUST)
    client = Client(profiles(())[-1], BEFORE_EVERY_SDK_RULE)
    out_of_reach = {e.endpoint for e in after.loads if not all(_outcomes(evidence, client, e.endpoint, EVERY_KEY))}
    assert not what_is_left(before, after, out_of_reach)


@EXAMPLES
@given(worlds())
def test_every_strict_subset_of_a_smallest_exception_fails(world):
    """Less than what is suggested for a server is not enough: some address of it then fails, that works with all."""
    result = world.result()
    evidence = Evidence(result.recording, TRUST)
    client = Client(profiles(())[-1], BEFORE_EVERY_SDK_RULE)
    for load in result.loads:
        if load.verdict is not Verdict.EXCEPTION_REQUIRED or load.minimal_exception is None:
            continue
        keys = load.minimal_exception.to_plist()
        whole = _outcomes(evidence, client, load.endpoint, keys)
        for number in range(len(keys)):
            for subset in itertools.combinations(keys.items(), number):
                less = _outcomes(evidence, client, load.endpoint, dict(subset))
                assert any(w is True and part is False for w, part in zip(whole, less, strict=True)), (keys, subset)


def _outcomes(evidence, client, endpoint, entry):
    declared = {"NSExceptionDomains": {endpoint.host: entry}} if entry else None
    resolver = PolicyResolver(client, AtsDictionary.from_plist(declared))
    return [works(j.outcome) for j in evidence.judgements(endpoint, resolver)]
