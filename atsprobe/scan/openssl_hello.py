"""An offer in the words of OpenSSL: which of the two libraries says it, and with which settings. No library is loaded here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from atsprobe.model.cipher_suite import TlsVersion, is_tls_1_3_suite, usable
from atsprobe.model.handshake import Offer
from atsprobe.model.law_of_offers import normalised
from atsprobe.scan.code_points import GROUPS, SIGNATURE_SCHEMES


class CannotSay(ValueError):
    """Says that neither OpenSSL can say a hello, and why."""


@dataclass(frozen=True)
class Vocabulary:
    """IANA names of cipher suites, each with OpenSSL's own: what the modern library, the legacy one, and SSL 2 know."""

    modern: Mapping[str, str]
    legacy: Mapping[str, str]
    ssl_2: Mapping[str, str]


@dataclass(frozen=True)
class Hello:
    """Settings of an OpenSSL client. ``version`` is the one version of the legacy library; None: the modern one.

    ``options`` are SSL_OP bits, ``groups`` are NIDs, ``signature_algorithms`` pairs of NIDs (digest, key);
    None leaves the library's own.
    """

    version: TlsVersion | None
    cipher_list: str
    tls_1_3_suites: str
    options: int = 0
    groups: tuple[int, ...] | None = None
    signature_algorithms: tuple[tuple[int, int], ...] | None = None


_NO_VERSION = {
    TlsVersion.SSL_3_0: 0x02000000,
    TlsVersion.TLS_1_0: 0x04000000,
    TlsVersion.TLS_1_1: 0x10000000,
    TlsVersion.TLS_1_2: 0x08000000,
    TlsVersion.TLS_1_3: 0x20000000,
}
"""SSL_OP_NO_… of each version."""

_MODERN_VERSIONS = (TlsVersion.TLS_1_0, TlsVersion.TLS_1_1, TlsVersion.TLS_1_2, TlsVersion.TLS_1_3)
_NOT_IN_TLS_1_2 = "TLS_RSA_WITH_IDEA_CBC_SHA"
"""Taken out of TLS 1.2 (RFC 5469), so that OpenSSL 1.1.1 leaves it out there, and 1.0.2 does not."""

TLS_1_3_GROUPS = ("x25519", "secp256r1", "x448", "secp384r1", "secp521r1")
"""The groups that TLS 1.3 can use (RFC 8446 §4.2.7), the cheapest key share first."""

ALL_GROUPS = (*TLS_1_3_GROUPS, *(n for code, n in GROUPS.items() if code < 0x0100 and n not in TLS_1_3_GROUPS))
"""The groups that the modern library can offer: the elliptic curves."""

ALL_SIGNATURE_ALGORITHMS = tuple(SIGNATURE_SCHEMES.values())
"""What the modern library offers when not told otherwise."""

TLS_1_3_SIGNATURE_ALGORITHMS = tuple(
    s for s in ALL_SIGNATURE_ALGORITHMS if not s.startswith("dsa_") and not s.endswith(("_sha1", "_sha224"))
)
"""And in a hello of TLS 1.3 alone."""

LEGACY_GROUPS = (
    "secp256r1",
    "secp521r1",
    "brainpoolP512r1",
    "brainpoolP384r1",
    "secp384r1",
    "brainpoolP256r1",
    "secp256k1",
    "sect571r1",
    "sect571k1",
    "sect409k1",
    "sect409r1",
    "sect283k1",
    "sect283r1",
)
"""What the legacy library always offers, and below its signature algorithms."""

LEGACY_SIGNATURE_ALGORITHMS = tuple(
    SIGNATURE_SCHEMES[digest << 8 | key] for digest in (6, 5, 4, 3, 2) for key in (1, 2, 3)
)

_SHA1, _SHA224, _SHA256, _SHA384, _SHA512 = 64, 675, 672, 673, 674
_RSA, _DSA, _EC, _RSA_PSS, _ED25519, _ED448 = 6, 116, 408, 912, 1087, 1088
_DIGESTS = {"sha1": _SHA1, "sha224": _SHA224, "sha256": _SHA256, "sha384": _SHA384, "sha512": _SHA512}
_KEYS = {"rsa_pkcs1": _RSA, "dsa": _DSA, "ecdsa": _EC, "rsa_pss_rsae": _RSA_PSS}
_NO_DIGEST = {"ed25519": (0, _ED25519), "ed448": (0, _ED448)}


def hello_of(offer: Offer, vocabulary: Vocabulary, group_nids: Mapping[str, int]) -> Hello:
    """Say an offer in OpenSSL's words. Raises CannotSay where neither library can say exactly that."""
    offer_ = normalised(offer)
    if offer_.groups != offer.groups:
        raise CannotSay("a hybrid group cannot be offered")
    if not any(usable(s, v) for s in offer_.cipher_suites for v in offer_.versions):
        raise CannotSay("no cipher suite fits the versions")
    if _modern_says(offer_, vocabulary):
        return _modern(offer_, vocabulary, group_nids)
    return _legacy(offer_, vocabulary)


def _modern_says(offer: Offer, vocabulary: Vocabulary) -> bool:
    if not set(offer.versions) <= set(_MODERN_VERSIONS):
        return False
    if _NOT_IN_TLS_1_2 in offer.cipher_suites and TlsVersion.TLS_1_2 in offer.versions:
        return False
    return all(suite in vocabulary.modern for suite in offer.cipher_suites)


def _modern(offer: Offer, vocabulary: Vocabulary, group_nids: Mapping[str, int]) -> Hello:
    lowest, highest = min(offer.versions), max(offer.versions)
    if any(lowest < v < highest and v not in offer.versions for v in _MODERN_VERSIONS):
        raise CannotSay("versions with a gap cannot be offered")
    older = [vocabulary.modern[s] for s in offer.cipher_suites if not is_tls_1_3_suite(s)]
    options = 0
    for version, bit in _NO_VERSION.items():
        options |= 0 if version in offer.versions else bit
    try:
        groups = tuple(group_nids[name] for name in offer.groups)
    except KeyError as error:
        raise CannotSay(f"group {error.args[0]} cannot be offered") from error
    return Hello(
        version=None,
        cipher_list=":".join(
            [*(older or ["ALL"]), "@SECLEVEL=0"]
        ),  # level 0: weak suites and short keys are our subject
        tls_1_3_suites=":".join(vocabulary.modern[s] for s in offer.cipher_suites if is_tls_1_3_suite(s)),
        options=options,
        groups=groups or None,
        signature_algorithms=None if _are_the_defaults(offer) else _signature_algorithms(offer.signature_algorithms),
    )


def _are_the_defaults(offer: Offer) -> bool:
    alone = offer.versions == (TlsVersion.TLS_1_3,)
    defaults = TLS_1_3_SIGNATURE_ALGORITHMS if alone else ALL_SIGNATURE_ALGORITHMS
    return not offer.signature_algorithms or set(offer.signature_algorithms) == set(defaults)


def _signature_algorithms(names: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    pairs = []
    for name in names:
        key, _, digest = name.rpartition("_")
        if name.startswith("ecdsa_secp"):
            key = "ecdsa"
        pair = _NO_DIGEST.get(name) or (_DIGESTS.get(digest, 0), _KEYS.get(key, 0))
        if not pair[1]:
            raise CannotSay(f"signature algorithm {name} cannot be offered by itself")
        pairs.append(pair)
    return tuple(pairs)


def _legacy(offer: Offer, vocabulary: Vocabulary) -> Hello:
    if len(offer.versions) != 1 or TlsVersion.TLS_1_3 in offer.versions:
        raise CannotSay("these versions and cipher suites cannot be offered together")
    version = offer.versions[0]
    names = vocabulary.ssl_2 if version is TlsVersion.SSL_2_0 else vocabulary.legacy
    unknown = [s for s in offer.cipher_suites if s not in names]
    if unknown:
        raise CannotSay(f"cipher suite {unknown[0]} cannot be offered")
    if version >= TlsVersion.TLS_1_0 and (
        set(offer.groups) != set(LEGACY_GROUPS) or set(offer.signature_algorithms) != set(LEGACY_SIGNATURE_ALGORITHMS)
    ):
        raise CannotSay("groups and signature algorithms cannot be chosen for these cipher suites")
    return Hello(version=version, cipher_list=":".join(names[s] for s in offer.cipher_suites), tls_1_3_suites="")


def widest_offers(version: TlsVersion, vocabulary: Vocabulary) -> tuple[Offer, ...]:
    """Give the hellos of one version that together hold every suite known: the modern library's, then the rest.

    ECDHE suites stand first and DHE last: a server that follows the client then chooses the costly ones only when
    nothing else is left.
    """
    if version is TlsVersion.TLS_1_3:
        suites = tuple(s for s in vocabulary.modern if is_tls_1_3_suite(s))
        return (Offer((version,), suites, TLS_1_3_GROUPS, TLS_1_3_SIGNATURE_ALGORITHMS),)
    if version is TlsVersion.SSL_2_0:
        return (Offer((version,), tuple(vocabulary.ssl_2), (), ()),)
    if version is TlsVersion.SSL_3_0:
        return (Offer((version,), _in_order(s for s in vocabulary.legacy if usable(s, version)), (), ()),)
    said = {s for s in vocabulary.modern if usable(s, version)}
    if version is TlsVersion.TLS_1_2:
        said.discard(_NOT_IN_TLS_1_2)
    rest = {s for s in vocabulary.legacy if usable(s, version)} - said
    return (
        Offer((version,), _in_order(said), ALL_GROUPS, ALL_SIGNATURE_ALGORITHMS),
        Offer((version,), _in_order(rest), LEGACY_GROUPS, LEGACY_SIGNATURE_ALGORITHMS),
    )


_KEY_EXCHANGES = ("TLS_ECDHE_ECDSA_", "TLS_ECDHE_", "TLS_RSA_WITH_", "TLS_RSA_", "TLS_ECDH_", "TLS_DH_", "TLS_DHE_")


def _in_order(suites: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(suites, key=lambda s: (_place(s), s)))


def _place(suite: str) -> int:
    return next((i for i, prefix in enumerate(_KEY_EXCHANGES) if suite.startswith(prefix)), len(_KEY_EXCHANGES))
