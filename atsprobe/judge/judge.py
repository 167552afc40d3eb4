"""Would this client load from this server? One load, on one address, under one policy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from atsprobe.judge.case import Case
from atsprobe.judge.certificates import (
    best_path,
    chain_findings,
    chain_outcome,
    findings_apart,
    leaf_first,
    unknown_chain,
)
from atsprobe.judge.chain import ChainQuestion
from atsprobe.judge.handshakes import Handshakes
from atsprobe.judge.path import Path
from atsprobe.judge.reasons import of_absence, of_refusal, of_unsettled
from atsprobe.judge.requirements import extended_master_secret, insecure_http, pinned_identity
from atsprobe.judge.requirements.registry import REQUIREMENTS, AboutHandshakes
from atsprobe.model.certificate import Certificate, UnreadableCertificate
from atsprobe.model.endpoint import Host
from atsprobe.model.handshake import Negotiated, Refused, negotiations
from atsprobe.model.judgement import Finding, Judgement, Outcome
from atsprobe.model.law_of_leaves import leaves_of
from atsprobe.model.law_of_offers import Contradiction, SomeHandshake, Unknown
from atsprobe.model.observation import (
    HttpAnswer,
    Observation,
    PlaintextObservation,
    RevocationAnswer,
    TlsObservation,
)
from atsprobe.model.policy import Policy
from atsprobe.model.trust_store import TrustStore

_NO_TLS_VERSION = "the floor that is declared is not a TLS version, and its effect is unknown"

_LEFT_TO_THE_APP = {"certificate-trust", "certificate-validity", "certificate-hostname"}
"""What an app's own challenge handler may accept where ATS is off (Apple, NSExceptionAllowsInsecureHTTPLoads)."""


@dataclass(frozen=True)
class _View:
    """An outcome, the findings that speak (every other requirement does not apply), and why it is no plain allowed."""

    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    elsewhere: str = ""


def judge(case: Case) -> Judgement:
    """Say what becomes of a load, with one finding for every requirement, in the order of the registry.

    Unknown wherever the observation does not settle it. A finding that was seen stands, even where the outcome is unknown.
    """
    policy = case.policy
    if policy.exempt:
        view = _View("exempt", reason=policy.decided_by, elsewhere="outside App Transport Security")
    elif case.endpoint.scheme == "http":
        view = _http(case)
    else:
        view = _https(case, case.seen)
    spoken = {f.requirement: f for f in view.findings}
    if not policy.exempt:
        spoken[insecure_http.REQUIREMENT] = insecure_http.check(case)
    if policy.pins is None:
        spoken[pinned_identity.REQUIREMENT] = pinned_identity.RULE.does_not_apply("no pin for this host")
    findings = tuple(
        spoken.get(r.rule.id) or r.rule.does_not_apply(view.elsewhere or "http:// load") for r in REQUIREMENTS
    )
    return Judgement(case.endpoint, case.address, view.outcome, findings, view.reason or _first_failure(findings))


def judge_chain(
    certificates: Sequence[Certificate],
    host: Host,
    policy: Policy,
    trust: TrustStore,
    at: datetime,
    *,
    ocsp_response: bytes | None = None,
) -> tuple[Finding, ...]:
    """Judge a chain from a file, in any order: a finding for each requirement about certificates.

    `chain_outcome` says what they come to. ``certificates`` has at least one.
    """
    question = ChainQuestion.under(policy, leaf_first(tuple(certificates), host), trust, at)
    return chain_findings(replace(question, ocsp_response=ocsp_response))


@dataclass(frozen=True)
class JudgedFile:
    """What becomes of a chain from a file: the path that counts, the findings, of which one requirement may have several.

    ``path`` is None where the leaf cannot be read.
    """

    path: Path | None
    findings: tuple[Finding, ...]

    @property
    def outcome(self) -> Outcome:
        """Whether the client accepts the chain."""
        return chain_outcome(self.findings)


def judge_file(certificates: Sequence[Certificate], policy: Policy, trust: TrustStore, at: datetime) -> JudgedFile:
    """Judge a chain that no handshake brought, in any order, for the host of a policy; every fault has its own finding."""
    chain = leaf_first(tuple(certificates), policy.host)
    question = replace(ChainQuestion.under(policy, chain, trust, at), is_from_file=True)
    try:
        path = best_path(question)
    except UnreadableCertificate:
        path = None
    return JudgedFile(path, findings_apart(question))


def _http(case: Case) -> _View:
    """An http load: refused as it is written, unless the policy allows it; then what the port, or where it leads, answers."""
    policy = case.policy
    if policy.http_is_loaded_as_https:
        return _https(case, case.https_seen)
    leads_to = _https(case, case.https_seen) if case.sent_on_to_https else _View("allowed")
    if not policy.http_allowed:
        if policy.contested:
            return replace(leads_to, outcome="inconclusive", reason=f"http://: {policy.why_contested}")
        return replace(leads_to, outcome="blocked", reason="")
    if case.not_contacted:
        return _View("allowed")
    if isinstance(case.seen, PlaintextObservation) and isinstance(case.seen.answer, HttpAnswer):
        return leads_to
    return _View("inconclusive", reason=of_absence(case.seen, case.why_no_address, not_contacted=False))


def _https(case: Case, seen: Observation | None) -> _View:
    if not isinstance(seen, TlsObservation):
        why = of_absence(seen, case.why_no_address, not_contacted=case.not_contacted)
        return _View("inconclusive", tuple(r.rule.unknown("not seen") for r in REQUIREMENTS), why)
    policy = case.policy
    view, settled = _under(case, policy, seen)
    if policy.floor_is_unknown:
        view = _under_any_floor(case, view, seen)
    elif not settled:
        proved, _ = _under(case, _proved_part(policy), seen)
        if proved.outcome != view.outcome:
            view = replace(view, outcome="inconclusive", reason=_why_unproved(case, view, seen))
    if view.outcome != "blocked":
        return view
    failing = {f.requirement for f in view.findings if f.status == "fail"}
    if case.accepts_server_trust and not policy.ats_enforced and failing and failing <= _LEFT_TO_THE_APP:
        return replace(view, outcome="inconclusive", reason="the app has code that accepts a server trust by itself")
    if policy.contested:
        return replace(view, outcome="inconclusive", reason=policy.why_contested)
    return view


def _under_any_floor(case: Case, view: _View, seen: TlsObservation) -> _View:
    """Judge an offer whose floor is not known: what every floor blocks is blocked, since the client may offer nothing, too."""
    offer = case.policy.offer
    for floor in offer.versions:
        versions = tuple(v for v in offer.versions if v >= floor)
        narrowed = replace(case.policy, offer=replace(offer, versions=versions), unproved_versions=frozenset())
        if _under(case, narrowed, seen)[0].outcome != "blocked":
            return replace(view, outcome="inconclusive", reason=_NO_TLS_VERSION)
    return view


def _why_unproved(case: Case, view: _View, seen: TlsObservation) -> str:
    """Say which part of the offer is not proved: suites that Apple does not document, or versions that code must ask for."""
    policy = case.policy
    since = policy.client.profile.sdk_default_floor
    without_suites, _ = _under(case, _proved_part(replace(policy, unproved_versions=frozenset())), seen)
    if since is None or without_suites.outcome != view.outcome:
        return "works only with a suite that the client is not proved to offer"
    known = "" if policy.client.linked_sdk else "the linked SDK is not known (--sdk); "
    return f"{known}under SDK {'.'.join(map(str, since))} or later code must set tlsMinimumSupportedProtocolVersion too"


def _proved_part(policy: Policy) -> Policy:
    offer = policy.offer
    versions = tuple(v for v in offer.versions if v not in policy.unproved_versions)
    suites = tuple(s for s in offer.cipher_suites if s not in policy.unproved)
    return replace(policy, offer=replace(offer, versions=versions, cipher_suites=suites))


def _under(case: Case, policy: Policy, seen: TlsObservation) -> tuple[_View, bool]:
    """Judge a server under an offer; False beside it where that rests on suites or versions that are not proved."""
    handshakes = Handshakes(policy, seen.experiments)
    chains = _chains(case, policy, handshakes)
    findings = [r.check(handshakes) for r in REQUIREMENTS if isinstance(r, AboutHandshakes)]
    outcome, reason = _outcome(handshakes, chains, findings, seen)
    all_blocked = all(chain_outcome(c) == "blocked" for c in chains)
    merged = _merged(chains, all_blocked=all_blocked) if chains else unknown_chain("no certificate was seen")
    return _View(outcome, (*findings, *merged), reason), not _rests_on_unproved(handshakes)


def _rests_on_unproved(handshakes: Handshakes) -> bool:
    """A refused offer stays refused when it shrinks, and what was negotiated with a proved suite stays negotiated."""
    policy = handshakes.policy
    if not policy.unproved and not policy.unproved_versions:
        return False
    match handshakes.following:
        case Negotiated(version=version, cipher_suite=suite):
            return suite in policy.unproved or version in policy.unproved_versions
        case SomeHandshake() | Contradiction():
            return True
        case _:
            return False


def _outcome(
    handshakes: Handshakes,
    chains: Sequence[tuple[Finding, ...]],
    findings: Iterable[Finding],
    seen: TlsObservation,
) -> tuple[Outcome, str]:
    """Give the outcome of the policy's own hello, and a reason where no finding is one."""
    following = handshakes.following
    outcomes = {chain_outcome(c) for c in chains}
    match following:
        case Refused():
            return "blocked", "" if any(f.status == "fail" for f in findings) else of_refusal(following)
        case Unknown():
            return "inconclusive", of_unsettled(following, seen)
        case Contradiction():
            if outcomes == {"blocked"}:
                return "blocked", ""  # accepted or refused, no load comes of it
            return "inconclusive", of_unsettled(following, seen)
        case Negotiated() | SomeHandshake():
            if handshakes.policy.requires_extended_master_secret:
                outcomes.add(_of_extended_master_secret(findings))
            return _worst_or_unknown(outcomes, is_one_handshake=isinstance(following, Negotiated))
        case _:
            assert_never(following)


def _of_extended_master_secret(findings: Iterable[Finding]) -> Outcome:
    status = next(f.status for f in findings if f.requirement == extended_master_secret.REQUIREMENT)
    return "blocked" if status == "fail" else "inconclusive" if status == "unknown" else "allowed"


def _worst_or_unknown(outcomes: set[Outcome], *, is_one_handshake: bool) -> tuple[Outcome, str]:
    """All answers about one handshake must be yes; where the leaf was not seen, all leaves must agree."""
    if is_one_handshake and "blocked" in outcomes:
        return "blocked", ""
    if outcomes == {"allowed"} or outcomes == {"blocked"}:
        return next(iter(outcomes)), ""
    why = "a certificate cannot be judged" if is_one_handshake else "which certificate this client gets was not seen"
    return "inconclusive", why


def _chains(case: Case, policy: Policy, handshakes: Handshakes) -> list[tuple[Finding, ...]]:
    """Judge the chain of the client's own handshake; where that was not seen, each distinct chain that it may be.

    That are the chains with a leaf of a kind that the server may choose, and one that is unknown where it may choose a kind
    that nobody saw; of a hello that fails, all that the server sent.
    """
    unseen = False
    match handshakes.following:
        case Negotiated() as negotiated:
            made: tuple[Negotiated, ...] = (negotiated,)
        case SomeHandshake():
            leaves = leaves_of(policy.offer, handshakes.experiments)
            made, unseen = leaves.handshakes, bool(leaves.unseen)
        case Contradiction(leaf_was_seen=False):
            made = negotiations(handshakes.experiments)
            unseen = bool(leaves_of(policy.offer, handshakes.experiments).unseen)
        case _:
            made = negotiations(handshakes.experiments)
    distinct: dict[tuple[Certificate, ...], Negotiated] = {}
    for negotiated in made:
        known = distinct.get(negotiated.certificates)
        if negotiated.certificates and (known is None or known.ocsp_response is None):
            distinct[negotiated.certificates] = negotiated
    judged = [chain_findings(_question(case, policy, n)) for n in distinct.values()]
    return [*judged, unknown_chain("which certificate this client gets was not seen")] if unseen else judged


def _question(case: Case, policy: Policy, negotiated: Negotiated) -> ChainQuestion:
    return replace(
        ChainQuestion.under(policy, negotiated.certificates, case.trust, case.at),
        host=case.endpoint.host,
        ocsp_response=negotiated.ocsp_response,
        scts=negotiated.scts,
        revocation=_answers_about(case, negotiated.certificates[0]),
    )


def _answers_about(case: Case, leaf: Certificate) -> tuple[RevocationAnswer, ...]:
    seen = (o for o in (case.seen, case.https_seen) if isinstance(o, TlsObservation))
    return tuple(dict.fromkeys(a for o in seen for a in o.revocation if a.leaf_sha256 == leaf.sha256))


_FROM_WORST = ("unknown", "warn", "pass", "not-applicable")


def _merged(chains: Sequence[tuple[Finding, ...]], *, all_blocked: bool) -> tuple[Finding, ...]:
    """Put the findings about several chains together: one fails if it fails on all, or if all are refused anyway."""
    return tuple(_of_several(findings, all_blocked=all_blocked) for findings in zip(*chains, strict=True))


def _of_several(findings: Sequence[Finding], *, all_blocked: bool) -> Finding:
    failing = [f for f in findings if f.status == "fail"]
    if failing and (all_blocked or len(failing) == len(findings)):
        return failing[0]
    if failing:
        evidence = f"{failing[0].evidence}, on {len(failing)} of {len(findings)} chains"
        return replace(failing[0], status="unknown", evidence=evidence, fixable_by=None)
    return min(findings, key=lambda f: _FROM_WORST.index(f.status))


def _first_failure(findings: Iterable[Finding]) -> str:
    return next((f"{f.requirement}: {f.evidence}" for f in findings if f.status == "fail"), "")
