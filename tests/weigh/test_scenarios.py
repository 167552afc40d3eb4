"""Every scenario of the table: recorded without a packet, concluded, and compared column by column."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import scenarios_of_many_hosts
import scenarios_of_one_host
from scenario import OUTCOMES, STATUSES, VERDICTS, App, Scenario
from simulated_network import endpoint_of, look
from simulated_pki import root

from atsprobe.model.result import AuditResult, exit_code
from atsprobe.model.trust_store import TrustStore
from atsprobe.weigh.conclude import conclude

TABLE = [*scenarios_of_one_host.ROWS, *scenarios_of_many_hosts.ROWS]
WAITING_ROWS = {7, 12, 20, 58, 89, 101, 102, 103, 104}
EXEMPT_FROM_LOOSE = {85}


def _concluded(scenario: Scenario, *, enumerate_: bool = False) -> AuditResult:
    if scenario.waits:
        pytest.skip(f"waits for {scenario.waits}")
    roots = () if scenario.public_root or scenario.row == 59 else None
    recording = look(
        scenario.extraction(),
        scenario.network,
        enumerate_=enumerate_,
        families=scenario.families,
        installed_roots=roots,
    )
    if scenario.row == 59:
        return conclude(recording, trust=TrustStore(public=(), installed=(root().der,)))
    return conclude(recording, trust=TrustStore(public=(root().der,) if scenario.public_root else ()))


@pytest.fixture(params=[False, True], ids=["quick", "enumerated"])
def enumerate_(request):
    """Whether the scan went on to find every suite and group, which must change nothing."""
    return request.param


def _result_of(result, url):
    found = [e for e in result.endpoints if e.endpoint == endpoint_of(url)]
    assert found, f"{url} is missing among {[str(e.endpoint) for e in result.endpoints]}"
    return found[0]


def _with_status(endpoint, status):
    return {str(f.finding.requirement) for f in endpoint.findings if f.finding.status == status}


def _texts(result):
    for key in result.exceptions:
        yield key.reason
    for notice in result.notices:
        yield f"{notice.subject}: {notice.evidence}"
    for endpoint in result.endpoints:
        yield endpoint.reason
        yield endpoint.redirects_to or ""
        yield from (d.reason for d in endpoint.declared)
        yield from (f.finding.evidence for f in endpoint.findings)


def _plain(value):
    """Give a plist value with lists for tuples, and without an empty NSExceptionDomains."""
    if isinstance(value, dict):
        value = value.get("NSAppTransportSecurity", value)
        return {k: _plain(v) for k, v in value.items() if not (k == "NSExceptionDomains" and v == {})}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("scenario", TABLE, ids=lambda s: s.title)
def test_verdicts(scenario, enumerate_):
    """V/D of every endpoint, its failing requirements, its smallest exception, and where http leads."""
    result = _concluded(scenario, enumerate_=enumerate_)
    for url, see in scenario.see.items():
        seen = _result_of(result, url)
        verdict, declared = see.verdict.split("/")
        assert (seen.verdict, seen.declared_verdict) == (VERDICTS[verdict], OUTCOMES[declared]), seen.reason
        assert seen.is_load == see.is_load
        assert _with_status(seen, "fail") == set(see.failing)
        assert set(see.unknown) <= _with_status(seen, "unknown")
        assert set(see.not_applicable) <= _with_status(seen, "not-applicable")
        minimal = None if seen.minimal_exception is None else seen.minimal_exception.to_plist()
        assert minimal == see.minimal
        if verdict == "~":
            assert seen.reason
        _check_more(seen, see)


def _check_more(seen, see):
    for place in see.on:
        address = seen.observations[place].address
        held = [
            f.addresses for f in seen.findings if f.finding.requirement == see.failing[0] and f.finding.status == "fail"
        ]
        assert held == [(address,)]
    for bundle, letter in see.declared.items():
        assert {d.bundle: d.verdict for d in seen.declared}[bundle] == OUTCOMES[letter]
    if see.declared_failing:
        assert {f for d in seen.declared for f in d.failing} == set(see.declared_failing)
    if see.https_verdict:
        assert seen.https_verdict == see.https_verdict
    if see.redirects_to:
        assert seen.redirects_to is not None
        assert seen.redirects_to.startswith(see.redirects_to)


@pytest.mark.parametrize("scenario", TABLE, ids=lambda s: s.title)
def test_statuses(scenario, enumerate_):
    """The status of every declared key, whether it weighs in the exit code, and what must be said of it."""
    result = _concluded(scenario, enumerate_=enumerate_)
    seen = {(key.domain, key.key): key for key in result.exceptions}
    assert {at: key.status.value for at, key in seen.items()} == {
        at: STATUSES[letter[0]] for at, letter in scenario.statuses.items()
    }, [key.reason for key in result.exceptions]
    for at, letter in scenario.statuses.items():
        if letter[0] == "?":
            assert seen[at].has_exit_weight == (letter == "?"), at
    assert all(key.reason for key in result.exceptions)
    for text in scenario.said:
        assert any(text in said for said in _texts(result)), list(_texts(result))


@pytest.mark.parametrize("scenario", TABLE, ids=lambda s: s.title)
def test_smallest_dictionary_and_exit_code(scenario, enumerate_):
    """`minimal_plist` of every bundle, and what the whole means for a script."""
    result = _concluded(scenario, enumerate_=enumerate_)
    assert exit_code(result) == scenario.exit
    if scenario.row == 105:
        return
    smallest = {m.bundle: _plain(m.dictionary) for m in result.minimal}
    for app in scenario.apps:
        wanted = scenario.plist or {}
        if wanted == "=":
            wanted = app.ats
        elif app.identifier in wanted:
            wanted = wanted[app.identifier]
        assert smallest[app.identifier] == _plain(wanted)


LOOSE = [
    replace(s, app=None, command_line=s.app.urls, variant=f"{s.variant}loose")
    for s in TABLE
    if isinstance(s.app, App) and s.app.ats is None and not s.app.misplaced and s.row not in EXEMPT_FROM_LOOSE
]


@pytest.mark.parametrize("scenario", LOOSE, ids=lambda s: s.title)
def test_a_loose_host_is_judged_under_the_empty_dictionary(scenario):
    """The rows without a dictionary hold as well where the host stands alone on the command line."""
    test_verdicts(scenario, enumerate_=False)
    assert exit_code(_concluded(scenario)) == scenario.exit


def test_no_row_is_forgotten():
    """All 105 rows are there, in order; those that wait are these and no more."""
    assert list(dict.fromkeys(s.row for s in TABLE)) == list(range(1, 106))
    assert {s.row for s in TABLE if s.waits} == WAITING_ROWS
    assert len({s.title for s in TABLE}) == len(TABLE)
    assert all(re.fullmatch(r"[\w.*:°-]+", s.title) for s in TABLE)
