"""The law of offers: what the outcome of one hello says about another that was never sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from atsprobe.model.cipher_suite import TlsVersion, has_forward_secrecy_by_ecdhe, usable
from atsprobe.model.handshake import (
    HYBRID_GROUPS,
    Alert,
    Experiment,
    Negotiated,
    NoAnswer,
    NotMade,
    Offer,
    Refused,
    UnofferedVersion,
)


@dataclass(frozen=True, slots=True)
class SomeHandshake:
    """The offer certainly negotiates, since it contains ``least``; which suite and leaf it gets was not seen."""

    least: Negotiated


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two experiments say opposite things about the offer: the server changed its mind, or is throttling.

    ``leaf_was_seen`` is no where what was negotiated is only contained in the offer.
    """

    negotiated: Negotiated
    refused: Refused
    leaf_was_seen: bool = True


@dataclass(frozen=True, slots=True)
class Unknown:
    """No experiment settles the offer. ``tried`` is the outcome of this very offer, where it was made in vain."""

    tried: NoAnswer | NotMade | Refused | None = None


Following = Negotiated | Refused | SomeHandshake | Contradiction | Unknown


@lru_cache(maxsize=4096)
def normalised(offer: Offer) -> Offer:
    """Drop what cannot take part: suites that no offered version can use, versions without a suite, hybrid groups.

    Kept in memory, since the law compares each offer with many, and servers are asked the same ones.
    """
    suites = tuple(s for s in offer.cipher_suites if any(usable(s, v) for v in offer.versions))
    versions = tuple(v for v in offer.versions if any(usable(s, v) for s in suites))
    return replace(offer.without_hybrids(), versions=versions or offer.versions, cipher_suites=suites)


def outcome_of(offer: Offer, experiments: Sequence[Experiment]) -> Following:
    """Say what the experiments tell about an offer, made or not: the law of offers.

    Among offers with one ceiling, after `normalised`: the same offer has the same outcome; an offer within a
    refused one is refused; an offer within a negotiated one that still holds what was negotiated gets that very
    handshake; one wholly above the negotiated version is refused; one that contains a negotiated offer gets some
    handshake; one of which every choice was refused, in one hello or several, is refused. A refusal of an offer with a
    hybrid group that was not said stands only where the server is seen to have no TLS 1.3, the only version that could
    use the group, or where a hello with the group decides.
    """
    verdict = _without_hybrids(normalised(offer), [e for e in experiments if not _chose_hybrid(e)])
    hybrid_left_out = bool(HYBRID_GROUPS.intersection(offer.groups)) and TlsVersion.TLS_1_3 in offer.versions
    if isinstance(verdict, Refused) and hybrid_left_out and not lacks_tls_1_3(experiments):
        return _by_hybrid(offer, verdict, experiments)
    return verdict


def _chose_hybrid(experiment: Experiment) -> bool:
    return isinstance(experiment.outcome, Negotiated) and experiment.outcome.group in HYBRID_GROUPS


def _by_hybrid(offer: Offer, refused: Refused, experiments: Iterable[Experiment]) -> Negotiated | Refused | Unknown:
    """Say what becomes of an offer that is refused without its hybrid group, by the hellos that were said with it.

    One refused with all that the offer has for TLS 1.3 leaves it refused. One that got the hybrid group gets the offer, too,
    that very handshake, unless the server would choose another suite or sign otherwise.
    """
    asked = _for_tls_1_3(offer)
    hybrids = HYBRID_GROUPS.intersection(offer.groups)
    for experiment in experiments:
        made, outcome = _for_tls_1_3(experiment.offer), experiment.outcome
        if not hybrids <= set(made.groups):
            continue
        if isinstance(outcome, Refused) and is_within(replace(asked, groups=()), made):
            return refused
        if isinstance(outcome, Negotiated) and outcome.group in hybrids and _holds_but_group(asked, made, outcome):
            return outcome
    return Unknown(refused)


def _for_tls_1_3(offer: Offer) -> Offer:
    """Give what TLS 1.3 can use of an offer (no PKCS #1 and no SHA-1 signature proves possession: RFC 8446 §4.2.3)."""
    versions = tuple(v for v in offer.versions if v is TlsVersion.TLS_1_3)
    signs = tuple(s for s in offer.signature_algorithms if not s.startswith("rsa_pkcs1_") and not s.endswith("_sha1"))
    return replace(tls_1_3_alone(offer), versions=versions, signature_algorithms=signs)


def _holds_but_group(asked: Offer, made: Offer, outcome: Negotiated) -> bool:
    if not _first_alike(outcome.cipher_suite, asked.cipher_suites, made.cipher_suites):
        return False
    signs = (outcome.signature_algorithm,) if outcome.signature_algorithm else _signatures_by_rsa(made, outcome)
    return bool(signs) and all(_first_alike(s, asked.signature_algorithms, made.signature_algorithms) for s in signs)


def _signatures_by_rsa(made: Offer, outcome: Negotiated) -> tuple[str, ...]:
    """Give what an RSA leaf may have signed with, where the engine could not tell; none where it is no RSA leaf."""
    if not outcome.certificates or not outcome.certificates[0].has_plain_rsa_key:
        return ()
    return tuple(s for s in made.signature_algorithms if s.startswith("rsa_pss_rsae_"))


def _without_hybrids(offer: Offer, experiments: Sequence[Experiment]) -> Following:
    negotiated: Negotiated | None = None
    refused: Refused | None = None
    some: SomeHandshake | None = None
    tried: NoAnswer | NotMade | None = None
    for experiment in experiments:
        following = _follows(offer, experiment)
        if isinstance(following, Negotiated):
            negotiated = negotiated or following
        elif isinstance(following, Refused):
            refused = refused or following
        elif isinstance(following, SomeHandshake):
            some = some or following
        elif following is not None:
            tried = following
    accepted = negotiated or (some.least if some else None)
    if refused and accepted:
        return Contradiction(accepted, refused, leaf_was_seen=negotiated is not None)
    if tried is None and not (negotiated or refused or some):
        refused = _refused_in_parts(offer, experiments)
    return negotiated or refused or some or Unknown(tried)


def _refused_in_parts(offer: Offer, experiments: Sequence[Experiment]) -> Refused | None:
    """Give a refusal where each version of an offer was refused with all its suites, by hellos that may have other ceilings.

    A server that took the offer would take one of its suites under one of its versions, and so from the hello that had it.
    Of the refusals the one that speaks of more than a version tells how the offer is refused.
    """
    refusals: dict[Refused, None] = {}
    for version in offer.versions:
        for suite in (s for s in offer.cipher_suites if usable(s, version)):
            by = [
                e.outcome
                for e in experiments
                if isinstance(e.outcome, Refused) and rules_out(normalised(e.offer), offer, version, suite)
            ]
            if not by:
                return None
            refusals[by[0]] = None
    return min(refusals, key=lambda r: isinstance(r.by, UnofferedVersion) or r.by.number == 70, default=None)


def rules_out(refused: Offer, offer: Offer, version: TlsVersion, suite: str) -> bool:
    """Say whether a refused hello shows that an offer cannot get a suite under a version, hybrid groups aside.

    It had both, all groups and signature algorithms of the offer, and no higher version that the offer has not: where a server
    comes to this version for the offer, it had come to it for the refused hello, too.
    """
    return (
        version in refused.versions
        and suite in refused.cipher_suites
        and {v for v in refused.versions if v > version} <= set(offer.versions)
        and set(offer.groups) <= set(refused.groups)
        and set(offer.signature_algorithms) <= set(refused.signature_algorithms)
    )


def _follows(offer: Offer, experiment: Experiment) -> Negotiated | Refused | SomeHandshake | NoAnswer | NotMade | None:
    made, outcome = normalised(experiment.offer), experiment.outcome
    if made.ceiling != offer.ceiling:
        return None
    if isinstance(outcome, NoAnswer | NotMade):
        return outcome if is_within(offer, made) and is_within(made, offer) else None
    if isinstance(outcome, Refused):
        return outcome if is_within(offer, made) else None
    reached = _down_to(outcome.version, offer)
    if is_within(reached, made) and _holds(reached, made, outcome):
        return outcome
    if is_within(made, offer):
        return SomeHandshake(outcome)  # no order of what it takes makes a server refuse
    if is_within(offer, made) and min(offer.versions) > outcome.version:
        return Refused(UnofferedVersion(outcome.version))
    return None


@lru_cache(maxsize=4096)
def _down_to(version: TlsVersion, offer: Offer) -> Offer:
    """Give the part of a hello that a server looks at before it comes to an older version than this one."""
    if version <= min(offer.versions):
        return offer
    versions = tuple(v for v in offer.versions if v >= version)
    suites = tuple(s for s in offer.cipher_suites if any(usable(s, v) for v in versions))
    return replace(offer, versions=versions, cipher_suites=suites)


def is_within(inner: Offer, outer: Offer) -> bool:
    """Say whether all that one hello offers is offered by another, in whatever order."""
    return (
        set(inner.versions) <= set(outer.versions)
        and set(inner.cipher_suites) <= set(outer.cipher_suites)
        and set(inner.groups) <= set(outer.groups)
        and set(inner.signature_algorithms) <= set(outer.signature_algorithms)
    )


def _holds(offer: Offer, made: Offer, outcome: Negotiated) -> bool:
    """Whether the smaller offer still holds all that the server chose, so that no server would choose otherwise.

    What was not seen (who signs nothing before TLS 1.2, or in static RSA, may still have asked for an algorithm in
    common) must be there whole. A server may follow the client's order (RFC 5246 §7.4.1.3 leaves it the choice): nothing
    may have moved before what it chose.
    """
    if outcome.version not in offer.versions:
        return False
    if outcome.version <= TlsVersion.TLS_1_2 and not _holds_leaf_curve(offer, outcome):
        return False
    return (
        _first_alike(outcome.cipher_suite, offer.cipher_suites, made.cipher_suites)
        and _keeps_group(offer, made, outcome)
        and _keeps_signature(offer, made, outcome)
    )


def _keeps_group(offer: Offer, made: Offer, outcome: Negotiated) -> bool:
    if outcome.group in HYBRID_GROUPS or not has_forward_secrecy_by_ecdhe(outcome.cipher_suite):
        return True
    if outcome.group is None:
        return offer.groups == made.groups
    if not _first_alike(outcome.group, offer.groups, made.groups):
        return False
    # the key share of a TLS 1.3 hello is for its first group, and a server may take it before what it prefers
    return outcome.version is not TlsVersion.TLS_1_3 or offer.groups[0] in (made.groups[0], outcome.group)


def _keeps_signature(offer: Offer, made: Offer, outcome: Negotiated) -> bool:
    if outcome.signature_algorithm is None:
        return set(made.signature_algorithms) <= set(offer.signature_algorithms)
    return _first_alike(outcome.signature_algorithm, offer.signature_algorithms, made.signature_algorithms)


def _first_alike(chosen: str, offered: Sequence[str], made: Sequence[str]) -> bool:
    """Whether what was chosen is still offered, with nothing before it that had not stood before it."""
    if chosen not in offered or chosen not in made:
        return False
    return set(offered[: offered.index(chosen)]) <= set(made[: made.index(chosen)])


_CURVE_GROUPS = {"P-256": "secp256r1", "P-384": "secp384r1", "P-521": "secp521r1"}


def _holds_leaf_curve(offer: Offer, outcome: Negotiated) -> bool:
    """Up to TLS 1.2 the supported groups also bound the curve of an ECDSA leaf (RFC 8422 §2.2)."""
    if "_ECDSA_" not in outcome.cipher_suite or not outcome.certificates:
        return True
    key_type = outcome.certificates[0].key_type
    return _CURVE_GROUPS.get(key_type, key_type) in offer.groups


def lacks_tls_1_3(experiments: Iterable[Experiment]) -> bool:
    """Say whether the server is seen to have no TLS 1.3.

    Seen so: a lower version answered a hello that offered 1.3, or a hello of 1.3 alone got protocol_version.
    """
    for experiment in experiments:
        if TlsVersion.TLS_1_3 not in normalised(experiment.offer).versions:
            continue
        match experiment.outcome:
            case Negotiated(version=version) if version < TlsVersion.TLS_1_3:
                return True
            case Refused(by=UnofferedVersion()):
                return True
            case Refused(by=Alert(number=70)) if set(experiment.offer.versions) == {TlsVersion.TLS_1_3}:
                return True
            case _:
                pass
    return False


def tls_1_3_alone(offer: Offer) -> Offer:
    """Give a hello with TLS 1.3 and its suites alone."""
    suites = tuple(s for s in offer.cipher_suites if usable(s, TlsVersion.TLS_1_3))
    return replace(offer, versions=(TlsVersion.TLS_1_3,), cipher_suites=suites)
