"""The sixteen rows of ``nscurl --ats-diagnostics`` for a host, computed from what was seen; and rows that it never tries.

Order, headings, labels and dictionaries: Apple, Identifying the source of blocked connections, and transcripts of nscurl.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from atsprobe.ats.key_effect import ALLOWS_HTTP, ARBITRARY_LOADS, FORWARD_SECRECY, GLOBAL_NIAP, MINIMUM_TLS
from atsprobe.ats.policy import PolicyResolver
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import AtsDictionary, PlistValue
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.handshake import Refused, Unknown, outcome_of
from atsprobe.model.judgement import Judgement
from atsprobe.model.observation import TlsObservation
from atsprobe.model.policy import Client, Policy
from atsprobe.weigh.evidence import Evidence, works
from atsprobe.weigh.urlsession_errors import UrlSessionError, error_of

Answer = Literal["PASS", "FAIL", "INCONCLUSIVE"]


@dataclass(frozen=True)
class DiagnosticTest:
    """One test: the section it stands in, its label, and the dictionary under which the https load is made."""

    section: str
    label: str
    dictionary: dict[str, PlistValue]


@dataclass(frozen=True)
class DiagnosticRow:
    """A test with its result. ``reason`` says in words what fails, or why nothing can be said; ``failing`` is its requirement."""

    test: DiagnosticTest
    result: Answer
    error: UrlSessionError | None
    failing: str
    reason: str


def nscurl_tests(host: Host) -> tuple[DiagnosticTest, ...]:
    """Give the sixteen tests of nscurl, in its order."""
    versions = ("TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0")
    default, every = ("Default ATS Secure Connection", "Allowing Arbitrary Loads")
    both = "with PFS disabled and insecure HTTP allowed"
    no_pfs: dict[str, PlistValue] = {FORWARD_SECRECY: False}
    open_http: dict[str, PlistValue] = {ALLOWS_HTTP: True, FORWARD_SECRECY: False}
    tests = [
        DiagnosticTest(default, "ATS Default Connection", {}),
        DiagnosticTest(every, "Allow All Loads", {ARBITRARY_LOADS: True}),
    ]
    section = f"Configuring TLS exceptions for {host}"
    tests += [DiagnosticTest(section, v, _entry(host, {MINIMUM_TLS: v})) for v in versions]
    label = "Disabling Perfect Forward Secrecy"
    tests.append(DiagnosticTest(f"Configuring PFS exceptions for {host}", label, _entry(host, no_pfs)))
    section = f"Configuring PFS exceptions and allowing insecure HTTP for {host}"
    tests.append(DiagnosticTest(section, f"{label} and Allowing Insecure HTTP", _entry(host, open_http)))
    section = f"Configuring TLS exceptions with PFS disabled for {host}"
    tests += [
        DiagnosticTest(section, f"{v} with PFS disabled", _entry(host, {MINIMUM_TLS: v, **no_pfs})) for v in versions
    ]
    section = f"Configuring TLS exceptions {both} for {host}"
    tests += [DiagnosticTest(section, f"{v} {both}", _entry(host, {**open_http, MINIMUM_TLS: v})) for v in versions]
    return tuple(tests)


def further_tests(host: Host) -> tuple[DiagnosticTest, ...]:
    """Give the tests that nscurl never makes: insecure HTTP alone, and the NIAP mode."""
    section = "Not tried by nscurl"
    return (
        DiagnosticTest(section, "Allowing Insecure HTTP alone", _entry(host, {ALLOWS_HTTP: True})),
        DiagnosticTest(section, "NIAP TLS package FCP_v2.1", {GLOBAL_NIAP: "FCP_v2.1"}),
    )


def _entry(host: Host, keys: dict[str, PlistValue]) -> dict[str, PlistValue]:
    return {"NSExceptionDomains": {host: keys}}


def diagnose(endpoint: Endpoint, client: Client, evidence: Evidence) -> tuple[DiagnosticRow, ...]:
    """Give every row for an https endpoint as one client sees it, the sixteen of nscurl first."""
    tests = (*nscurl_tests(endpoint.host), *further_tests(endpoint.host))
    return tuple(_row(test, endpoint, client, evidence) for test in tests)


def _row(test: DiagnosticTest, endpoint: Endpoint, client: Client, evidence: Evidence) -> DiagnosticRow:
    resolver = PolicyResolver(client, AtsDictionary.from_plist(test.dictionary or None))
    judged = evidence.judgements(endpoint, resolver)
    outcomes = [works(j.outcome) for j in judged]
    if False in outcomes:
        failed = judged[outcomes.index(False)]
        policy = resolver.policy(endpoint.host)
        refusal = _refusal(endpoint, policy, failed, evidence)
        error = error_of(failed, refusal, ats_enforced=policy.ats_enforced)
        return DiagnosticRow(test, "FAIL", error, next(iter(failed.failing), ""), _why(failed, refusal, policy))
    if None in outcomes:
        return DiagnosticRow(test, "INCONCLUSIVE", None, "", judged[outcomes.index(None)].reason)
    return DiagnosticRow(test, "PASS", None, "", "")


def _refusal(endpoint: Endpoint, policy: Policy, failed: Judgement, evidence: Evidence) -> Refused | None:
    for seen in _seen_at(endpoint, failed, evidence):
        following = outcome_of(policy.offer, seen.experiments)
        if isinstance(following, Refused):
            return following
        if isinstance(following, Unknown) and isinstance(following.tried, Refused):
            return following.tried
    return None


def _seen_at(endpoint: Endpoint, judged: Judgement, evidence: Evidence) -> Iterator[TlsObservation]:
    for seen in evidence.observations(endpoint):
        if isinstance(seen, TlsObservation) and judged.address is not None and seen.address.ip == judged.address.ip:
            yield seen


def _why(failed: Judgement, refusal: Refused | None, policy: Policy) -> str:
    asks_for_1_3 = policy.minimum_tls_version is TlsVersion.TLS_1_3
    if refusal is not None and asks_for_1_3 and not any(f.requirement == "tls-version" for f in failed.findings[:1]):
        evidence = [f.evidence for f in failed.findings if f.status == "fail" and f.requirement == "tls-version"]
        return f"{evidence[0] if evidence else 'the server has no TLS 1.3'} (ATS does not ask for TLS 1.3)"
    return "; ".join(f.evidence for f in failed.findings if f.status == "fail") or failed.reason
