"""Two audits compared: what got worse or better, and what could not be told. Both must be concluded by the same rules."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import replace

from atsprobe.model.certificate import Certificate, UnreadableCertificate
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.drift import Change, Effect
from atsprobe.model.endpoint import Endpoint
from atsprobe.model.handshake import deployments, negotiations
from atsprobe.model.judgement import ExceptionJudgement, ExceptionStatus, RequirementId, Verdict
from atsprobe.model.observation import TlsObservation
from atsprobe.model.result import AuditResult, EndpointResult
from atsprobe.model.trust_store import TrustStore
from atsprobe.weigh.pins import pin_changes

_DEFAULT_RANKS: Mapping[str, int] = {
    Verdict.BLOCKED: 0,
    Verdict.EXCEPTION_REQUIRED: 1,
    Verdict.PASS: 2,
    Verdict.EXEMPT: 2,
}
_DECLARED_RANKS: Mapping[str, int] = {"blocked": 0, "allowed": 1, "exempt": 1}
_STATUS_RANKS: Mapping[str, int] = {
    ExceptionStatus.INSUFFICIENT: 0,
    ExceptionStatus.INEFFECTIVE: 0,
    ExceptionStatus.NEEDED: 1,
    ExceptionStatus.TOO_WIDE: 2,
    ExceptionStatus.REPLACEABLE: 2,
    ExceptionStatus.UNNEEDED: 3,
}
"""How well the servers do without a key; a key that relaxes nothing has no place among them."""

Key = tuple[str, str | None, str | None]
"""What tells a declared key from others: bundle, domain, key."""


def drift(old: AuditResult, new: AuditResult, trust: TrustStore) -> tuple[Change, ...]:
    """Give what differs between two audits that were judged as the same clients; nothing for an audit and itself.

    ``trust`` holds the roots that both were judged by. Exchanged, the two have the same differences with worse for better.
    """
    changes = [*_of_endpoints(old, new)]
    unknown = {c.endpoint for c in changes if c.effect == "unknown" and c.endpoint}
    changes += _of_exceptions(old, new, unknown)
    changes += _of_certificates(old, new)
    changes += pin_changes(old, new, trust)
    return tuple(changes)


def _of_endpoints(old: AuditResult, new: AuditResult) -> Iterator[Change]:
    before = {e.endpoint: e for e in old.endpoints}
    after = {e.endpoint: e for e in new.endpoints}
    for endpoint in sorted(before.keys() | after.keys()):
        was, now = before.get(endpoint), after.get(endpoint)
        if was is not None and now is not None:
            yield from _of_both(was, now)
        elif now is not None:
            yield _only_in_one(now, "worse", is_new=True, other=old, this=new)
        elif was is not None:
            yield _only_in_one(was, "better", is_new=False, other=new, this=old)


def _only_in_one(
    row: EndpointResult, if_blocked: Effect, *, is_new: bool, other: AuditResult, this: AuditResult
) -> Change:
    """Tell of a load that one audit has; where the other could not read as much, it may have been there all the same."""
    word = str(row.declared_verdict)
    unread = _unread(other, this)
    effect: Effect = if_blocked if row.is_load and word == "blocked" else "note"
    evidence = row.reason if word in ("blocked", "inconclusive") else ""
    if unread and effect != "note":
        effect, evidence = "unknown", unread
    elif word == "inconclusive" and row.is_load and is_new:
        effect = "unknown"
    before, after = ("", word) if is_new else (word, "")
    return Change("endpoint", effect, before, after, evidence, endpoint=row.endpoint)


def _unread(other: AuditResult, this: AuditResult) -> str:
    """Say how many files one audit has read and the other has not; empty where none."""
    files = {(s.file, s.reason) for s in other.recording.extraction.skipped}
    files -= {(s.file, s.reason) for s in this.recording.extraction.skipped}
    return f"{len(files)} {'file was' if len(files) == 1 else 'files were'} read in one audit alone" if files else ""


def _of_both(was: EndpointResult, now: EndpointResult) -> Iterator[Change]:
    endpoint = now.endpoint
    yield from _of_declared(was, now)
    effect = _effect(was.verdict, now.verdict, _DEFAULT_RANKS)
    if effect is not None:
        reason = was.reason if now.verdict in (Verdict.PASS, Verdict.EXEMPT) else now.reason
        if effect == "unknown" and now.verdict is not Verdict.INCONCLUSIVE:
            reason = was.reason
        yield Change("verdict", effect, was.verdict, now.verdict, reason, endpoint=endpoint)
    if Verdict.INCONCLUSIVE not in (was.verdict, now.verdict):
        yield from _of_requirements(was, now)
        yield from _of_protocols(was, now)


def _effect(before: str, after: str, ranks: Mapping[str, int]) -> Effect | None:
    """Compare two words by their ranks: a word without a rank cannot be compared with another."""
    if before == after:
        return None
    if before not in ranks or after not in ranks:
        return "unknown"
    if ranks[before] == ranks[after]:
        return "note"
    return "better" if ranks[after] > ranks[before] else "worse"


def _of_declared(was: EndpointResult, now: EndpointResult) -> Iterator[Change]:
    """Compare what each dictionary makes of a load; the empty one is default ATS, and the verdict tells of that."""
    before = {d.bundle: d for d in was.declared if d.bundle is not None}
    after = {d.bundle: d for d in now.declared if d.bundle is not None}
    for bundle in [b for b in after if b in before]:
        one, other = before[bundle], after[bundle]
        effect = _effect(one.verdict, other.verdict, _DECLARED_RANKS)
        if effect is not None:
            fine = other.verdict in ("allowed", "exempt")
            evidence = one.reason if fine else other.reason
            yield Change(
                "declared-verdict",
                effect,
                one.verdict,
                other.verdict,
                evidence,
                bundle=bundle,
                endpoint=now.endpoint,
            )


def _of_requirements(was: EndpointResult, now: EndpointResult) -> Iterator[Change]:
    """Compare what fails; the pins are told with the pins, and an unknown on either side is no change."""
    failed, fails = _failing(was), _failing(now)
    held, holds = _holding(was), _holding(now)
    for requirement in dict.fromkeys((*failed, *fails)):
        if requirement in failed and requirement in holds:
            yield Change(
                "requirement",
                "better",
                "fail",
                "pass",
                failed[requirement],
                endpoint=now.endpoint,
                requirement=requirement,
            )
        elif requirement in fails and requirement in held:
            yield Change(
                "requirement",
                "worse",
                "pass",
                "fail",
                fails[requirement],
                endpoint=now.endpoint,
                requirement=requirement,
            )


def _failing(row: EndpointResult) -> dict[RequirementId, str]:
    found: dict[RequirementId, str] = {}
    for held in row.findings:
        if held.finding.status == "fail" and held.finding.requirement != "pinned-identity":
            found.setdefault(held.finding.requirement, held.finding.evidence)
    return found


def _holding(row: EndpointResult) -> set[RequirementId]:
    unclear = {f.finding.requirement for f in row.findings if f.finding.status in ("fail", "unknown")}
    return {f.finding.requirement for f in row.findings} - unclear


def _of_protocols(was: EndpointResult, now: EndpointResult) -> Iterator[Change]:
    before, after = _newest_version(was), _newest_version(now)
    if before is not None and after is not None and before != after:
        effect: Effect = "better" if after > before else "worse"
        yield Change("protocol", effect, before.label, after.label, endpoint=now.endpoint)


def _newest_version(row: EndpointResult) -> TlsVersion | None:
    """Give the newest version that every address negotiates; None where one of them negotiated nothing."""
    newest: list[TlsVersion] = []
    for observation in row.observations:
        made = negotiations(observation.experiments) if isinstance(observation, TlsObservation) else ()
        if not made:
            return None
        newest.append(max(n.version for n in made))
    return min(newest, default=None)


def _of_exceptions(old: AuditResult, new: AuditResult, unknown: set[Endpoint]) -> Iterator[Change]:
    before, after = _by_key(old.exceptions), _by_key(new.exceptions)
    for key in dict.fromkeys((*before, *after)):
        was, now = before.get(key), after.get(key)
        change = _of_key(was, now)
        if change is None:
            continue
        other, this = (old, new) if was is None else (new, old)
        if change.effect in ("worse", "better") and other.recording.extraction.bundle(key[0]) is None:
            unread = _unread(other, this)
            change = replace(change, effect="unknown", evidence=unread) if unread else change
        weighed = {e for judged in (was, now) if judged is not None for e in judged.hosts}
        hangs_on_a_load = change.effect == "unknown" and bool(weighed & unknown)
        if not hangs_on_a_load:
            yield change


def _by_key(keys: Iterable[ExceptionJudgement]) -> dict[Key, ExceptionJudgement]:
    return {(k.bundle, k.domain, k.key): k for k in keys}


def _of_key(was: ExceptionJudgement | None, now: ExceptionJudgement | None) -> Change | None:
    """Compare the status of a key; one whose value was changed is another key, and is told as one change."""
    one = now or was
    assert one is not None
    change = Change(
        "exception",
        "note",
        was.status if was else "",
        now.status if now else "",
        one.reason,
        bundle=one.bundle,
        domain=one.domain,
        key=one.key,
        value=one.value,
    )
    if was is not None and now is not None and _same_value(was.value, now.value):
        effect = _effect(was.status, now.status, _STATUS_RANKS)
        if effect == "unknown" and not (was.counts_as_not_judged or now.counts_as_not_judged):
            effect = "note"  # a key that relaxes nothing, or that no scan could tell of
        return replace(change, effect=effect) if effect is not None else None
    is_finding, was_one = now is not None and now.status.is_finding, was is not None and was.status.is_finding
    if is_finding != was_one:
        return replace(change, effect="worse" if is_finding else "better")
    if now is not None and now.counts_as_not_judged:
        return replace(change, effect="unknown")
    return change


def _same_value(one: object, other: object) -> bool:
    """Compare values of a property list, where true and 1 are two."""
    return type(one) is type(other) and one == other


def _of_certificates(old: AuditResult, new: AuditResult) -> Iterator[Change]:
    before = {e.endpoint: e for e in old.endpoints}
    for now in new.endpoints:
        was = before.get(now.endpoint)
        if was is None:
            continue
        sent, sends = _leaves(was), _leaves(now)
        for family in [f for f in sends if f in sent]:
            fresh = [c for c in sends[family] if c not in sent[family]]
            gone = [c for c in sent[family] if c not in sends[family]]
            if fresh and gone:
                yield _renewed(now.endpoint, gone, fresh)


def _leaves(row: EndpointResult) -> dict[str, tuple[Certificate, ...]]:
    """Give the leaves that a server sent, by the family of their key: it may have one of each."""
    found: dict[str, dict[Certificate, None]] = {}
    for observation in row.observations:
        chains = deployments(observation.experiments) if isinstance(observation, TlsObservation) else ()
        for leaf in (chain[0] for chain in chains):
            try:
                family = "EC" if leaf.is_elliptic_curve else leaf.key_type
                _ = leaf.not_after, leaf.spki_sha256, leaf.issuer
            except UnreadableCertificate:
                continue
            found.setdefault(family, {})[leaf] = None
    return {family: tuple(leaves) for family, leaves in found.items()}


def _renewed(endpoint: Endpoint, gone: list[Certificate], fresh: list[Certificate]) -> Change:
    old, new = (max(leaves, key=_end) for leaves in (gone, fresh))
    told = ["the same key" if old.spki_sha256 == new.spki_sha256 else "a new key"]
    if old.issuer != new.issuer:
        told.append(f"now of {new.issuer}, before of {old.issuer}")
    before, after = (c.not_after.date().isoformat() for c in (old, new))
    return Change("certificate", "note", before, after, "; ".join(told), endpoint=endpoint)


def _end(leaf: Certificate) -> tuple[Hashable, str]:
    return leaf.not_after, leaf.sha256
