"""The sixteen rows of ``nscurl --ats-diagnostics`` for a host, computed from what was seen; and rows that it never tries.

Order, headings, labels and dictionaries: Apple, Identifying the source of blocked connections, and transcripts of nscurl.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from atsprobe.ats.key_effect import ALLOWS_HTTP, ARBITRARY_LOADS, FORWARD_SECRECY, GLOBAL_NIAP, MINIMUM_TLS
from atsprobe.ats.policy import PolicyResolver
from atsprobe.ats.profile import is_at_least, profiles
from atsprobe.judge.requirements.registry import REQUIREMENTS, AboutChain
from atsprobe.model.app_review import wants_a_reason
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.diagnosis import Diagnosis, DiagnosticRow, DiagnosticTest
from atsprobe.model.dictionary import AtsDictionary, DeclaredKey, ExceptionEntry, PlistValue
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.handshake import Refused, accepted_suites
from atsprobe.model.judgement import Finding, Judgement, Verdict
from atsprobe.model.law_of_offers import Unknown, outcome_of
from atsprobe.model.observation import Address, TlsObservation
from atsprobe.model.policy import Client, Policy
from atsprobe.model.recording import Recording
from atsprobe.model.result import DiagnoseResult
from atsprobe.model.trust_store import TrustStore
from atsprobe.weigh.evidence import Evidence, works
from atsprobe.weigh.minimal import CaseVerdict, MinimalSearch
from atsprobe.weigh.urlsession_errors import error_of

_BEFORE_EVERY_SDK_RULE = "1"
_NO_TLS_1_3 = "the server has no TLS 1.3 (ATS does not ask for it)"


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
    tests += [DiagnosticTest(section, f"{v} {both}", _entry(host, _with_version(open_http, v))) for v in versions]
    return tuple(tests)


def further_tests(host: Host) -> tuple[DiagnosticTest, ...]:
    """Give the tests that nscurl never makes: insecure HTTP alone, and the NIAP mode."""
    section = "Not tried by nscurl"
    return (
        DiagnosticTest(section, "Allowing Insecure HTTP", _entry(host, {ALLOWS_HTTP: True}), is_nscurls=False),
        DiagnosticTest(section, "NIAP TLS package FCP_v2.1", {GLOBAL_NIAP: "FCP_v2.1"}, is_nscurls=False),
    )


def _with_version(keys: dict[str, PlistValue], version: str) -> dict[str, PlistValue]:
    return dict(sorted({**keys, MINIMUM_TLS: version}.items()))


def _entry(host: Host, keys: dict[str, PlistValue]) -> dict[str, PlistValue]:
    return {"NSExceptionDomains": {host: keys}}


def diagnose(
    recording: Recording,
    *,
    trust: TrustStore,
    ios: Sequence[str] = (),
    profile: str | None = None,
    sdk: str | None = None,
) -> DiagnoseResult:
    """Give the table of every https endpoint that was named, for every client asked for, in the order in which they were named.

    ``ios`` and ``profile`` choose the clients (see `ats.profile.profiles`), ``sdk`` is what the app is linked with (None: the
    newest). Raises ats.profile.UnknownProfile.
    """
    trust = replace(trust, installed=tuple(dict.fromkeys(trust.installed + recording.installed_roots)))
    evidence = Evidence(recording, trust)
    search = MinimalSearch(evidence)
    named = dict.fromkeys(r.endpoint for r in recording.extraction.references if r.endpoint.scheme == "https")
    clients = [Client(p, sdk) for p in profiles(ios, None, profile)]
    tables = tuple(_diagnosis(e, client, evidence, search) for e in named for client in clients)
    return DiagnoseResult(recording, tables, trust.title)


def _diagnosis(endpoint: Endpoint, client: Client, evidence: Evidence, search: MinimalSearch) -> Diagnosis:
    cases = search.verdicts(endpoint, [client.profile])
    verdict = _worst(cases)
    smallest = None if verdict in (Verdict.BLOCKED, Verdict.INCONCLUSIVE) else search.smallest(endpoint, cases)
    return Diagnosis(
        endpoint=endpoint,
        client=client,
        rows=rows(endpoint, client, evidence),
        verdict=verdict,
        minimal_exception=smallest,
        justified=_justified(smallest) if smallest else (),
        needs_code=smallest is not None and _needs_code(smallest, client),
        addresses=tuple(a for a in evidence.addresses(endpoint) if a is not None),
        resolution=evidence.resolution(endpoint),
        observations=evidence.observations(endpoint),
    )


def _worst(cases: Sequence[CaseVerdict]) -> Verdict:
    found = {c.verdict for c in cases}
    return next(v for v in Verdict if v in found)


def _needs_code(entry: ExceptionEntry, client: Client) -> bool:
    since = client.profile.sdk_default_floor
    below = MINIMUM_TLS in _justified(entry)
    return below and since is not None and is_at_least(client.linked_sdk, since)


def _justified(entry: ExceptionEntry) -> tuple[str, ...]:
    return tuple(key for key, value in entry.to_plist().items() if wants_a_reason(DeclaredKey("", key, value)))


def rows(endpoint: Endpoint, client: Client, evidence: Evidence) -> tuple[DiagnosticRow, ...]:
    """Give every row for an https endpoint as one client sees it, the sixteen of nscurl first."""
    tests = (*nscurl_tests(endpoint.host), *further_tests(endpoint.host))
    return tuple(_row(test, endpoint, client, evidence) for test in tests)


def _row(test: DiagnosticTest, endpoint: Endpoint, client: Client, evidence: Evidence) -> DiagnosticRow:
    policy = _policy(test, endpoint.host, client)
    judged = evidence.judged(endpoint, policy)
    outcomes = [works(j.outcome) for j in judged]
    worst = min(outcomes, key=(False, None, True).index)
    those = [j for j, outcome in zip(judged, outcomes, strict=True) if outcome is worst]
    row = DiagnosticRow(
        test,
        "PASS" if worst else "INCONCLUSIVE",
        reason=_why_unknown(those[0]) if worst is None else "",
        addresses=tuple(j.address for j in those if j.address is not None),
        remark=_remark(test, client),
    )
    return row if worst is not False else _failed(row, those[0], policy, endpoint, evidence)


def _policy(test: DiagnosticTest, host: Host, client: Client) -> Policy:
    """Give the policy of a test: what a program that is linked with the SDK and has no code of its own asks for.

    Loads from hosts outside ATS are judged as they are made, with ATS off. Versions that a key alone is not proved to
    bring back are left out, as they are in nscurl.
    """
    policy = PolicyResolver(client, AtsDictionary.from_plist(test.dictionary or None)).policy(host)
    versions = tuple(v for v in policy.offer.versions if v not in policy.unproved_versions)
    is_off = policy.minimum_tls_version is None
    return replace(
        policy,
        exempt=False,
        contested=policy.contested and not is_off,
        offer=replace(policy.offer, versions=versions),
        unproved_versions=frozenset(),
    )


def _failed(
    row: DiagnosticRow, failed: Judgement, policy: Policy, endpoint: Endpoint, evidence: Evidence
) -> DiagnosticRow:
    refusal = _refusal(endpoint, policy, failed, evidence)
    error, because = error_of(failed, refusal, ats_enforced=policy.ats_enforced)
    others = (f for f in failed.findings if f.status == "fail" and f is not because)
    return replace(
        row,
        result="FAIL",
        error=error,
        failing=(because, *others) if because else (),
        reason=_why(because, endpoint, failed, policy, evidence) if because else failed.reason,
        remark=row.remark or _of_older_sdk(row.test, endpoint, policy.client, evidence),
    )


def _refusal(endpoint: Endpoint, policy: Policy, failed: Judgement, evidence: Evidence) -> Refused | None:
    for seen in _seen_at(endpoint, failed.address, evidence):
        following = outcome_of(policy.offer, seen.experiments)
        if isinstance(following, Refused):
            return following
        if isinstance(following, Unknown) and isinstance(following.tried, Refused):
            return following.tried
    return None


def _seen_at(endpoint: Endpoint, address: Address | None, evidence: Evidence) -> Iterator[TlsObservation]:
    for seen in evidence.observations(endpoint):
        if isinstance(seen, TlsObservation) and address is not None and seen.address.ip == address.ip:
            yield seen


def _why(because: Finding, endpoint: Endpoint, failed: Judgement, policy: Policy, evidence: Evidence) -> str:
    """Say what fails; where only a row's own floor of TLS 1.3 does, that ATS does not ask for it."""
    if because.requirement == "tls-version" and policy.minimum_tls_version is TlsVersion.TLS_1_3:
        seen = [v for o in _seen_at(endpoint, failed.address, evidence) for v in accepted_suites(o.experiments)]
        if max(seen, default=TlsVersion.TLS_1_0) >= policy.client.profile.minimum_tls_version:
            return _NO_TLS_1_3
    return because.evidence


def _why_unknown(judged: Judgement) -> str:
    """Say why a load could not be judged; where only its certificate could not, what is unknown of that."""
    decides = {r.rule.id for r in REQUIREMENTS if not isinstance(r, AboutChain) or r.decides_when_unknown}
    unknown = [f for f in judged.findings if f.status == "unknown" and f.requirement in decides]
    if unknown and all(f.requirement.startswith("certificate-") for f in unknown):
        return "; ".join(f"{f.requirement}: {f.evidence}" for f in unknown)
    return judged.reason


def _remark(test: DiagnosticTest, client: Client) -> str:
    profile = client.profile
    if GLOBAL_NIAP in test.dictionary and profile.reads_exceptions and not profile.niap_cipher_suites:
        return "read from iOS 26.4 on, so this is the row of default ATS"
    return ""


def _of_older_sdk(test: DiagnosticTest, endpoint: Endpoint, client: Client, evidence: Evidence) -> str:
    """Say that the row passes in an app linked with an older SDK, whose default floor is lower, where it does."""
    since = client.profile.sdk_default_floor
    if since is None or not is_at_least(client.linked_sdk, since):
        return ""
    older = Client(client.profile, _BEFORE_EVERY_SDK_RULE)
    if all(works(j.outcome) for j in evidence.judged(endpoint, _policy(test, endpoint.host, older))):
        return f"PASS in an app linked with an SDK before {'.'.join(map(str, since))}"
    return ""
