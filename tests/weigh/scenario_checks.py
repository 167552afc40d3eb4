"""Concludes a scenario and compares the result with each column of its row."""

from __future__ import annotations

from typing import Any

import pytest
from scenario import OUTCOMES, STATUSES, VERDICTS, Scenario
from simulated_network import endpoint_of, look
from simulated_pki import root

from atsprobe.model.result import AuditResult, exit_code
from atsprobe.model.trust_store import TrustStore
from atsprobe.weigh.conclude import conclude


def concluded(scenario: Scenario, *, enumerate_: bool = False) -> AuditResult:
    """Look at the scenario's network and conclude; skips a scenario that waits."""
    if scenario.waits:
        pytest.skip(f"waits for {scenario.waits}")
    ours = root().der
    recording = look(
        scenario.extraction(),
        scenario.network,
        enumerate_=enumerate_,
        ios=scenario.ios,
        profile=scenario.profile,
        families=scenario.families,
        assume_complete=scenario.assume_complete,
        not_audited=scenario.not_audited,
        installed_roots=(ours,) if scenario.root == "installed while recording" else (),
    )
    trust = TrustStore(
        public=(ours,) if scenario.root == "public" else (),
        installed=(ours,) if scenario.root == "installed" else (),
    )
    return conclude(recording, trust=trust, ios=scenario.ios, profile=scenario.profile)


def _result_of(result: AuditResult, url: str) -> Any:
    found = [e for e in result.endpoints if e.endpoint == endpoint_of(url)]
    assert found, f"{url} is missing among {[str(e.endpoint) for e in result.endpoints]}"
    return found[0]


def _with_status(endpoint: Any, status: str) -> set[str]:
    return {str(f.finding.requirement) for f in endpoint.findings if f.finding.status == status}


def check_verdicts(scenario: Scenario, result: AuditResult) -> None:
    """V/D of every endpoint, its failing requirements, its smallest exception, and where http leads."""
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


def _check_more(seen: Any, see: Any) -> None:
    for place in see.on:
        address = seen.observations[place].address
        held = [
            f.addresses for f in seen.findings if f.finding.requirement == see.failing[0] and f.finding.status == "fail"
        ]
        assert held == [(address,)]
    for profile, letters in see.profiles.items():
        verdict, declared = letters.split("/")
        assert dict(seen.verdicts)[profile] == VERDICTS[verdict]
        assert {dict(d.verdicts)[profile] for d in seen.declared} == {OUTCOMES[declared]}
    for bundle, letter in see.declared.items():
        assert {d.bundle: d.verdict for d in seen.declared}[bundle] == OUTCOMES[letter]
    if see.declared_failing:
        assert {f for d in seen.declared for f in d.failing} == set(see.declared_failing)
    if see.https_verdict:
        assert seen.https_verdict == see.https_verdict
    if see.redirects_to:
        assert seen.redirects_to is not None
        assert seen.redirects_to.startswith(see.redirects_to)


def _texts(result: AuditResult) -> list[str]:
    said = [key.reason for key in result.exceptions]
    said += [f"{notice.subject}: {notice.evidence}" for notice in result.notices]
    for endpoint in result.endpoints:
        said += [endpoint.reason, endpoint.redirects_to or ""]
        said += [d.reason for d in endpoint.declared]
        said += [f.finding.evidence for f in endpoint.findings]
    return said


def check_statuses(scenario: Scenario, result: AuditResult) -> None:
    """The status of every declared key, whether it weighs in the exit code, and what must be said."""
    seen = {(key.domain, key.key): key for key in result.exceptions}
    assert {at: key.status.value for at, key in seen.items()} == {
        at: STATUSES[letter[0]] for at, letter in scenario.statuses.items()
    }, [key.reason for key in result.exceptions]
    for at, letter in scenario.statuses.items():
        if letter[0] == "?":
            assert seen[at].has_exit_weight == (letter == "?"), at
    assert all(key.reason for key in result.exceptions)
    said = _texts(result)
    for text in scenario.said:
        assert any(text in sentence for sentence in said), said


def _plain(value: Any) -> Any:
    """Give a plist value with lists for tuples, and without an empty NSExceptionDomains."""
    if isinstance(value, dict):
        value = value.get("NSAppTransportSecurity", value)
        return {k: _plain(v) for k, v in value.items() if not (k == "NSExceptionDomains" and v == {})}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def check_plist_and_exit(scenario: Scenario, result: AuditResult) -> None:
    """The smallest dictionary of every bundle, and what the whole means for a script."""
    assert exit_code(result) == scenario.exit
    if scenario.plist == "not told":
        return
    smallest = {m.bundle: _plain(m.dictionary) for m in result.minimal}
    for app in scenario.apps:
        wanted = scenario.plist or {}
        if wanted == "=":
            wanted = app.ats
        elif app.identifier in wanted:
            wanted = wanted[app.identifier]
        assert smallest[app.identifier] == _plain(wanted)
