"""Which hello to make next, so that the laws of offers and of leaves tell of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from atsprobe.model.handshake import Experiment, Offer, Refused
from atsprobe.model.law_of_leaves import leaves_of
from atsprobe.model.law_of_offers import SomeHandshake, Unknown, normalised, outcome_of, tls_1_3_alone


def next_offer(offers: Sequence[Offer], experiments: Sequence[Experiment]) -> Offer | None:
    """Give the first offer whose outcome does not follow yet, as the engine would say it; None when all is known.

    An offer that is unknown only for the hybrid group that it could not say asks for a hello of TLS 1.3 alone,
    even where its refusal would follow: alert protocol_version there settles it. Once all outcomes are known, an offer that
    gets some handshake, with one kind of leaf or another, is made itself.
    """
    made = {normalised(e.offer) for e in experiments}
    some: list[Offer] = []
    for offer in offers:
        following = outcome_of(offer, experiments)
        plain = offer.without_hybrids()
        if isinstance(following, SomeHandshake):
            some.append(offer)
        if not isinstance(following, Unknown):
            continue
        if isinstance(following.tried, Refused):
            plain = tls_1_3_alone(plain)
        if normalised(plain) not in made:
            return plain
    open_leaf = [o for o in some if normalised(o) not in made and not leaves_of(o, experiments).is_of_one_kind]
    return max(open_leaf, key=_breadth).without_hybrids() if open_leaf else None


def _breadth(offer: Offer) -> tuple[int, int, int]:
    """Put first what tells most: an offer within another gets the same handshake, if it holds what was chosen."""
    return len(offer.signature_algorithms), len(offer.cipher_suites), len(offer.versions)


def waits_for_hybrid(offers: Iterable[Offer], experiments: Sequence[Experiment]) -> bool:
    """Say whether some offer is unknown only because its hybrid group was not said."""
    outcomes = (outcome_of(offer, experiments) for offer in offers)
    return any(isinstance(o, Unknown) and isinstance(o.tried, Refused) for o in outcomes)
