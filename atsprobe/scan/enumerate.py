"""Every suite and group that a server accepts: offer all, take away what it chose, until it refuses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from atsprobe.model.cipher_suite import TlsVersion, has_forward_secrecy_by_ecdhe
from atsprobe.model.handshake import (
    HYBRID_GROUPS,
    Alert,
    Experiment,
    Negotiated,
    NoAnswer,
    Offer,
    Refused,
    UnofferedVersion,
    accepted_suites,
    negotiations,
)
from atsprobe.scan.engine import widest_offers
from atsprobe.scan.look import Look

_CURVES = {"P-256": "secp256r1", "P-384": "secp384r1", "P-521": "secp521r1"}
_NO_IN_SSL_2 = ("closed", "reset", "alert", "not-tls", "garbage")
"""SSL 2 knows no alert for a server to refuse it by: whatever it says or does at once is a no."""


def enumerate_all(look: Look) -> str:
    """Find all accepted suites of each version, all groups and a second leaf; say what kept it from the end, if anything.

    Experiments made before count, so that nothing known is asked again. Connections: one for each suite and group, and
    at most twelve. Raises GivenUp.
    """
    if not look.was_answered:
        if look.was_hung_up_on:
            look_for_older_versions(look)
        return "no hello of TLS was answered"
    shortcomings = [v.title for v in sorted(TlsVersion, reverse=True) if not _walk_suites(look, v)]
    if not _walk_groups(look):
        shortcomings.append("groups")
    _look_for_a_second_leaf(look)
    if not last_refusals_hold(look):
        return "it stopped accepting what it had accepted"
    return f"no certain end to the list for {', '.join(shortcomings)}" if shortcomings else ""


def look_for_older_versions(look: Look) -> None:
    """Say the hellos of SSL 3 and SSL 2 to a server that hangs up on every other. Raises GivenUp."""
    for version in (TlsVersion.SSL_3_0, TlsVersion.SSL_2_0):
        _walk_suites(look, version)


def last_refusals_hold(look: Look) -> bool:
    """Say whether a handshake that came about before still does, after refusals; where not, take those back.

    A server that throttles refuses what it had accepted: its refusals since then prove nothing. Raises GivenUp.
    """
    places = [i for i, e in enumerate(look.experiments) if isinstance(e.outcome, Negotiated)]
    last = places[-1] if places else len(look.experiments)
    refusals = [e for e in look.experiments[last + 1 :] if isinstance(e.outcome, Refused)]
    if not refusals:
        return True
    control = look.experiments[last]
    for attempts in (1, 2):
        if attempts > 1:
            look.pause()
        if isinstance(look.again(control.offer), Negotiated):
            look.replace(control, control.outcome, control.attempts + attempts)
            return True
    for refusal in refusals:
        doubt = NoAnswer("contradictory", "refused at a time when what had been accepted was refused, too")
        look.replace(refusal, doubt, refusal.attempts)
    return False


def _walk_suites(look: Look, version: TlsVersion) -> bool:
    """Take a version's suites away until the server refuses the rest; say whether that end was reached.

    It cannot be where the server speaks over a hybrid group alone: none of these hellos has one.
    """
    if version is TlsVersion.TLS_1_3 and any(n.group in HYBRID_GROUPS for n in negotiations(look.experiments)):
        return False
    for wide in widest_offers(version):
        if version in _ruled_out(look.experiments):
            return True
        known = accepted_suites(look.experiments).get(version, ())
        left = [s for s in wide.cipher_suites if s not in known]
        while left:
            outcome = look.make(replace(wide, cipher_suites=_shared(tuple(left))))
            if isinstance(outcome, Negotiated) and outcome.cipher_suite in left:
                left.remove(outcome.cipher_suite)
            elif isinstance(outcome, Refused):
                break
            else:
                return (
                    version is TlsVersion.SSL_2_0 and isinstance(outcome, NoAnswer) and outcome.reason in _NO_IN_SSL_2
                )
    return True


def _ruled_out(experiments: Iterable[Experiment]) -> set[TlsVersion]:
    """Give the versions that the server was seen to lack, whatever the suites: by alert 70, or by answering with a lower one.

    TLS 1.3 only where every signature algorithm was offered: a server that could use none says the same.
    """
    lacking: set[TlsVersion] = set()
    for experiment in experiments:
        match experiment.outcome:
            case Refused(by=Alert(number=70)) | Refused(by=UnofferedVersion()):
                lacking.update(v for v in experiment.offer.versions if _asks_in_full(experiment.offer, v))
            case _:
                pass
    return lacking - {n.version for n in negotiations(experiments)}


def _asks_in_full(offer: Offer, version: TlsVersion) -> bool:
    if version is not TlsVersion.TLS_1_3:
        return True
    return set(offer.signature_algorithms) >= set(widest_offers(version)[0].signature_algorithms)


def _walk_groups(look: Look) -> bool:
    """Take the groups away at the highest version, where its suites use any; say whether the end was reached."""
    accepted = accepted_suites(look.experiments)
    version = max(accepted, default=TlsVersion.SSL_2_0)
    suites = tuple(s for s in accepted.get(version, ()) if has_forward_secrecy_by_ecdhe(s) or "_ECDH_anon_" in s)
    if not suites or version <= TlsVersion.SSL_3_0:
        return True
    known = {n.group for n in negotiations(look.experiments) if n.version is version}
    by_rsa = tuple(s for s in suites if "_ECDSA_" not in s)
    kept = () if by_rsa else _leaf_curves(look, version)
    wide = replace(widest_offers(version)[0], cipher_suites=by_rsa or suites)
    left = [g for g in wide.groups if g not in known]
    while left:
        outcome = look.make(replace(wide, groups=_shared((*left, *(g for g in kept if g not in left)))))
        if isinstance(outcome, Negotiated) and outcome.group in left:
            left.remove(outcome.group)
        else:
            return isinstance(outcome, Refused) or (isinstance(outcome, Negotiated) and outcome.group in kept)
    return True


def _leaf_curves(look: Look, version: TlsVersion) -> tuple[str, ...]:
    """Give the groups that must stay in the hello, or an ECDSA leaf could not be used (RFC 8422 §2.2: up to TLS 1.2)."""
    if version is TlsVersion.TLS_1_3:
        return ()
    leaves = (n.certificates[0] for n in negotiations(look.experiments) if n.certificates)
    curves = (_CURVES.get(leaf.key_type, leaf.key_type) for leaf in leaves if leaf.is_elliptic_curve)
    return tuple(dict.fromkeys(curves))


def _look_for_a_second_leaf(look: Look) -> None:
    """Ask a server of TLS 1.3 alone for a leaf with another kind of key; with TLS 1.2, suites have told already."""
    accepted = accepted_suites(look.experiments)
    if set(accepted) != {TlsVersion.TLS_1_3}:
        return
    wide = widest_offers(TlsVersion.TLS_1_3)[0]
    signatures = {n.signature_algorithm or "" for n in negotiations(look.experiments)}
    if len({s.startswith("rsa") for s in signatures}) == 1:
        is_rsa = next(iter(signatures)).startswith("rsa")
        others = tuple(
            s for s in wide.signature_algorithms if s.startswith(("ecdsa_secp", "ed") if is_rsa else "rsa_pss_rsae")
        )
        look.make(Offer(wide.versions, accepted[TlsVersion.TLS_1_3], wide.groups, others))


@lru_cache(maxsize=4096)
def _shared(names: tuple[str, ...]) -> tuple[str, ...]:
    """Let equal tuples be one: servers of one make are asked the same, and a thousand of them are kept in memory."""
    return names
