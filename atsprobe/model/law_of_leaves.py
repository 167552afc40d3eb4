"""The law of leaves: which certificates a hello may be shown that certainly gets some handshake, but was not made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atsprobe.model.cipher_suite import LeafKind, TlsVersion, leaf_kind, usable
from atsprobe.model.handshake import Experiment, Negotiated, Offer, Refused, negotiations
from atsprobe.model.law_of_offers import is_within, normalised, rules_out


@dataclass(frozen=True, slots=True)
class Leaves:
    """What leaves an offer that gets some handshake may be shown: their kinds, and handshakes that showed one of these.

    Two leaves of one kind are not supposed, so that a kind that was seen is known, whatever hello it was seen under.
    """

    kinds: frozenset[LeafKind]
    handshakes: tuple[Negotiated, ...]

    @property
    def unseen(self) -> frozenset[LeafKind]:
        """The kinds of which no handshake showed a leaf."""
        return self.kinds.difference(*(_kinds_shown(h) for h in self.handshakes))

    @property
    def is_of_one_kind(self) -> bool:
        """Whether the leaf is known."""
        return len(self.kinds) == 1 and not self.unseen


def leaves_of(offer: Offer, experiments: Sequence[Experiment]) -> Leaves:
    """Say what leaves an offer may be shown, which is within no hello that negotiated, by what the server can choose.

    It chooses the highest version that it can, there what a smaller hello made it choose, or a suite that this hello had
    not, or not as early; and none that it refused where the hello had all that this offer has beside suites.
    """
    whole = normalised(offer)
    made = [(normalised(e.offer), e.outcome) for e in experiments]
    within = [
        (o, n) for o, n in made if isinstance(n, Negotiated) and o.ceiling is whole.ceiling and is_within(o, whole)
    ]
    refusing = [o for o, r in made if isinstance(r, Refused)]
    choices = [(v, s) for v in whole.versions for s in whole.cipher_suites if usable(s, v)]
    left = [
        (v, s)
        for v, s in choices
        if all(_may_choose(whole, inner, outcome, v, s) for inner, outcome in within)
        and not (v <= TlsVersion.TLS_1_2 and any(rules_out(hello, whole, v, s) for hello in refusing))
    ]
    kinds = {kind for _, s in left or choices for kind in ([leaf_kind(s)] if leaf_kind(s) else _kinds_signing(whole))}
    for inner, outcome in within:
        if outcome.version is TlsVersion.TLS_1_3 and inner.signature_algorithms == whole.signature_algorithms:
            kinds &= _kinds_shown(outcome)
    return _shown(frozenset(k for k in kinds if k), [n for _, n in within], negotiations(experiments))


def _shown(kinds: frozenset[LeafKind], nearer: Sequence[Negotiated], others: Sequence[Negotiated]) -> Leaves:
    """Give leaves of some kinds with the handshakes that showed them: those nearer to the offer, where they showed the kind."""
    handshakes = [n for n in nearer if kinds & _kinds_shown(n)]
    left = kinds.difference(*(_kinds_shown(n) for n in handshakes))
    return Leaves(kinds, (*handshakes, *(n for n in others if left & _kinds_shown(n))))


def _may_choose(offer: Offer, made: Offer, outcome: Negotiated, version: TlsVersion, suite: str) -> bool:
    """Whether a server that chose so of a smaller hello may choose a suite of the offer under a version.

    No server is taken to put 3DES (deprecated by RFC 9325 §4.2.1), which stands behind all else, before what it chose.
    """
    behind = suite not in _before(outcome.cipher_suite, offer) and suite != outcome.cipher_suite
    if version < outcome.version or (version is outcome.version and behind and "_3DES_" in suite):
        return False
    if set(made.groups) != set(offer.groups) or set(made.signature_algorithms) != set(offer.signature_algorithms):
        return True
    if suite not in made.cipher_suites or version not in made.versions:
        return True
    if version > outcome.version:
        return False
    return suite == outcome.cipher_suite or (
        suite in _before(outcome.cipher_suite, offer) and suite not in _before(outcome.cipher_suite, made)
    )


def _before(suite: str, offer: Offer) -> tuple[str, ...]:
    return offer.cipher_suites[: offer.cipher_suites.index(suite)] if suite in offer.cipher_suites else ()


def _kinds_signing(offer: Offer) -> list[LeafKind]:
    """Give the kinds of leaf that can sign under TLS 1.3 with what is offered (RFC 8446 §4.2.3)."""
    by_rsa = any(s.startswith("rsa_pss_rsae_") for s in offer.signature_algorithms)
    by_curve = any(s.startswith(("ecdsa_", "ed")) for s in offer.signature_algorithms)
    kinds: list[LeafKind] = ["RSA"] if by_rsa else []
    return [*kinds, "ECDSA"] if by_curve else kinds


def _kinds_shown(outcome: Negotiated) -> frozenset[LeafKind]:
    """Give the kind of the leaf of a handshake, as a set; the empty set where it showed none."""
    if not outcome.certificates:
        return frozenset()
    kind = leaf_kind(outcome.cipher_suite)
    if kind is None:
        leaf = outcome.certificates[0]
        is_other = leaf.key_type in ("unknown", "DSA") or (leaf.key_type == "RSA" and not leaf.has_plain_rsa_key)
        kind = "other" if is_other else "RSA" if leaf.key_type == "RSA" else "ECDSA"
    return frozenset({kind})
