"""The hellos whose outcomes decide everything about an address, in the order in which to make them."""

from __future__ import annotations

from collections.abc import Sequence

from atsprobe.ats.policy import make_niap_offer, make_offer
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.handshake import Offer
from atsprobe.model.policy import Profile

_FLOORS = (TlsVersion.TLS_1_2, TlsVersion.TLS_1_1, TlsVersion.TLS_1_0, TlsVersion.TLS_1_3)


def decisive_offers(profiles: Sequence[Profile], *, niap: bool = False) -> tuple[Offer, ...]:
    """Give the offers of every policy that any dictionary can make of the profiles, each once.

    First the clients' own hellos, newest first: a server that passes needs no other. Then the widest, which
    tells what a server that refuses them has at all; most others follow from it. Then what each key could change: static
    RSA, a lower floor, both, ATS off, and TLS 1.3 alone. ``niap``: a dictionary names a NIAP mode, whose hello counts too.
    """
    newest_first = list(reversed(profiles))
    offers = [own_offer(p) for p in newest_first]
    offers += [make_niap_offer(p) for p in newest_first if niap and p.niap_cipher_suites]
    readers = [p for p in newest_first if p.reads_exceptions]
    offers += [make_offer(p, TlsVersion.TLS_1_0, _widest(p)) for p in readers]
    for p in readers:
        with_rsa = p.without_forward_secrecy + p.cipher_suites
        offers += [make_offer(p, floor, suites) for floor in _FLOORS for suites in (with_rsa, p.cipher_suites)]
        offers += [make_offer(p, floor, p.ats_off) for floor in (TlsVersion.TLS_1_2, TlsVersion.TLS_1_0)]
    return tuple(dict.fromkeys(offers))


def diagnostic_offers(profiles: Sequence[Profile]) -> tuple[Offer, ...]:
    """Give the offers of every row of nscurl's table, and of the NIAP mode, for the profiles, each once.

    The oldest client first in each kind: newer ones offer less, so that most of theirs follows.
    """
    offers = [own_offer(p) for p in profiles]
    offers += [make_niap_offer(p) for p in profiles if p.niap_cipher_suites]
    readers = [p for p in profiles if p.reads_exceptions]
    offers += [make_offer(p, TlsVersion.TLS_1_0, _widest(p)) for p in readers]
    for p in readers:
        kinds = (p.without_forward_secrecy + p.cipher_suites, p.cipher_suites, p.ats_off)
        offers += [make_offer(p, floor, suites) for floor in _FLOORS for suites in kinds]
    return tuple(dict.fromkeys(offers))


def own_offer(profile: Profile) -> Offer:
    """Give the hello of a client under default ATS."""
    if profile.niap_by_default:
        return make_niap_offer(profile)
    return make_offer(profile, profile.minimum_tls_version, profile.cipher_suites)


def _widest(profile: Profile) -> tuple[str, ...]:
    """Every suite that any dictionary can make the client offer; ECDHE first, so that a choice tells most."""
    return tuple(dict.fromkeys((*profile.cipher_suites, *profile.ats_off, *profile.without_forward_secrecy)))
