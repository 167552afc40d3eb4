"""NSPinnedDomains against the keys that servers have: pins that came to match no longer, and pins that soon may not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from atsprobe.ats.pins import PinIndex
from atsprobe.judge.path import candidate_paths
from atsprobe.model.certificate import Certificate, UnreadableCertificate
from atsprobe.model.drift import Change, Effect, PinAtRisk
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.handshake import deployments
from atsprobe.model.observation import TlsObservation
from atsprobe.model.result import AuditResult, EndpointResult
from atsprobe.model.trust_store import TrustStore

LEAF, CA = "NSPinnedLeafIdentities", "NSPinnedCAIdentities"
SOON = timedelta(days=30)


@dataclass(frozen=True)
class _PinnedList:
    """One list of pins for one load: the digests that it names, and the certificates that the server has for them."""

    bundle: str
    endpoint: Endpoint
    key: str
    named: frozenset[bytes]
    seen: Mapping[bytes, Certificate]

    @property
    def matched(self) -> frozenset[bytes]:
        return self.named & self.seen.keys()


def pin_changes(old: AuditResult, new: AuditResult, trust: TrustStore) -> Iterator[Change]:
    """Give the lists of pins that matched and do not, or the other way round, and pins that matched and are left over."""
    before = {(p.bundle, p.endpoint, p.key): p for p in _pinned_lists(old, trust)}
    after = {(p.bundle, p.endpoint, p.key): p for p in _pinned_lists(new, trust)}
    chains_before, chains_after = _with_chains(old), _with_chains(new)
    for place in dict.fromkeys((*before, *after)):
        was, now = before.get(place), after.get(place)
        if place[1] in chains_before and place[1] in chains_after:
            yield from _of_list(was, now)


def _of_list(was: _PinnedList | None, now: _PinnedList | None) -> Iterator[Change]:
    one = now or was
    assert one is not None
    held, holds = was is None or bool(was.matched), now is None or bool(now.matched)
    if held != holds:
        effect: Effect = "better" if holds else "worse"
        words = {True: "matches", False: "matches nothing"}
        evidence = _named(one)
        yield _change(one, effect, words[held] if was else "", words[holds] if now else "", evidence)
    elif was is not None and now is not None:
        left_over = (was.matched & now.named) - now.seen.keys()
        if left_over and now.matched:
            names = ", ".join(f'"{was.seen[d].short_name}"' for d in sorted(left_over))
            yield _change(now, "note", "matches", "left-over", f"the pin of {names} matches no key in use any more")


def _change(pinned: _PinnedList, effect: Effect, before: str, after: str, evidence: str) -> Change:
    return Change(
        "pin", effect, before, after, evidence, bundle=pinned.bundle, endpoint=pinned.endpoint, key=pinned.key
    )


def _named(pinned: _PinnedList) -> str:
    total = len(pinned.named)
    return f"{total} {'pin' if total == 1 else 'pins'}, {len(pinned.matched)} of a key in use"


def pins_at_risk(result: AuditResult, trust: TrustStore) -> tuple[PinAtRisk, ...]:
    """Give the lists of pins that match now and may soon not: a leaf that ends, no second key."""
    found: dict[PinAtRisk, None] = {}
    for pinned in _pinned_lists(result, trust):
        if pinned.matched:
            found |= dict.fromkeys(_risks(pinned, result))
    return tuple(found)


def _risks(pinned: _PinnedList, result: AuditResult) -> Iterator[PinAtRisk]:
    host = pinned.endpoint.host
    at = result.recording.started_at
    if pinned.key == LEAF:
        for digest in sorted(pinned.matched):
            left = pinned.seen[digest].not_after - at
            if left <= SOON:
                day = pinned.seen[digest].not_after.date().isoformat()
                when = f"in {left.days} days" if left >= timedelta(0) else "already"
                text = f"the pinned leaf ends {day}, {when}; the next one needs its key, or another that is named"
                yield PinAtRisk(pinned.bundle, host, pinned.key, "expires", text)
    if pinned.matched == pinned.named:
        total = len(pinned.named)
        subject = "the only pin is" if total == 1 else f"all {total} pins are"
        yield PinAtRisk(
            pinned.bundle, host, pinned.key, "no-backup", f"{subject} of a key in use; name one more (RFC 7469 §4.3)"
        )


def _pinned_lists(result: AuditResult, trust: TrustStore) -> Iterator[_PinnedList]:
    for bundle in result.recording.extraction.bundles:
        index = PinIndex(bundle.dictionary)
        for row in result.endpoints:
            pins = index.pins(Host(row.endpoint.host)) if row.endpoint.scheme == "https" else None
            chains = _chains(row)
            if pins is None or not chains or not any(d.bundle == bundle.identifier for d in row.declared):
                continue
            leaves = [chain[:1] for chain in chains]
            above = [p.certificates[1:] for chain in chains for p in candidate_paths(chain, trust)]
            for key, named, certificates in ((LEAF, pins.leaf, leaves), (CA, pins.ca, above)):
                if named is not None:
                    seen = {c.spki_sha256: c for some in certificates for c in some}
                    yield _PinnedList(bundle.identifier, row.endpoint, key, frozenset(named), seen)


def _with_chains(result: AuditResult) -> set[Endpoint]:
    return {row.endpoint for row in result.endpoints if _chains(row)}


def _chains(row: EndpointResult) -> list[tuple[Certificate, ...]]:
    """Give the chains that a server sent and that can be read whole."""
    found: dict[tuple[Certificate, ...], None] = {}
    for observation in row.observations:
        if isinstance(observation, TlsObservation):
            found |= dict.fromkeys(deployments(observation.experiments))
    return [chain for chain in found if all(map(_is_readable, chain))]


def _is_readable(certificate: Certificate) -> bool:
    try:
        _ = certificate.spki_sha256, certificate.not_after, certificate.short_name
    except UnreadableCertificate:
        return False
    return True
