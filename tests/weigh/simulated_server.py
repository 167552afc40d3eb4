"""A TLS server as a pure function from a hello to its answer, choosing as OpenSSL does.

OpenSSL picks the version first (the newest in common; a hello without supported_versions, RFC 8446 §4.2.1, only tells the
newest it has), then a suite that version, groups, signature algorithms and certificates allow, in its own order or the
client's, then group and signature. Under TLS 1.3 a key share that it can use, sent for the client's first group, goes
before its own order. No version in common is alert 70, no suite is alert 40.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from simulated_pki import Chain, chain

from atsprobe.model.cipher_suite import (
    TlsVersion,
    has_forward_secrecy_by_ecdhe,
    is_static_rsa,
    is_tls_1_3_suite,
    usable,
)
from atsprobe.model.handshake import (
    Alert,
    Experiment,
    Negotiated,
    NoAnswer,
    NoAnswerReason,
    Offer,
    Outcome,
    Refused,
    UnofferedVersion,
)
from atsprobe.model.next_offer import next_offer
from atsprobe.model.observation import HttpAnswer

T10, T11, T12, T13 = TlsVersion.TLS_1_0, TlsVersion.TLS_1_1, TlsVersion.TLS_1_2, TlsVersion.TLS_1_3
GROUPS = ("x25519", "secp256r1", "secp384r1", "secp521r1")
SIGNATURES = (
    "ecdsa_secp256r1_sha256",
    "rsa_pss_rsae_sha256",
    "rsa_pkcs1_sha256",
    "ecdsa_secp384r1_sha384",
    "rsa_pss_rsae_sha384",
    "rsa_pkcs1_sha384",
    "rsa_pkcs1_sha1",
)
TLS_1_3_SUITES = ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256")
_CURVES = {"P-256": "secp256r1", "P-384": "secp384r1", "P-521": "secp521r1"}


@dataclass(frozen=True, repr=False)
class SimulatedServer:
    """What a TLS server is configured with.

    ``chains`` are keyed by ``rsa`` and ``ecdsa``. ``prefers_own_order`` is OpenSSL's SSL_OP_CIPHER_SERVER_PREFERENCE,
    off by default as in OpenSSL. ``falls_back``: where the newest version in common has no suite, it tries an older one, which
    OpenSSL does not. ``suites_of`` gives a version suites of its own. ``ignores_supported_versions``: it was built
    before TLS 1.3, and answers such a hello with the newest version that it has.
    """

    versions: tuple[TlsVersion, ...] = (T13, T12)
    suites: tuple[str, ...] = (*TLS_1_3_SUITES, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
    chains: tuple[tuple[str, Chain], ...] = field(default_factory=lambda: (("ecdsa", chain("ecdsa")),))
    groups: tuple[str, ...] = GROUPS
    signatures: tuple[str, ...] = SIGNATURES
    prefers_own_order: bool = False
    falls_back: bool = False
    ignores_supported_versions: bool = False
    suites_of: tuple[tuple[TlsVersion, tuple[str, ...]], ...] = ()
    wants_client_certificate: bool = False
    http_answer: HttpAnswer | NoAnswer = HttpAnswer(200)

    def __repr__(self) -> str:
        """Name the configuration; certificates would fill the screen."""
        kinds = "+".join(f"{kind}:{sent[0].sha256[:6]}" for kind, sent in self.chains)
        versions = ",".join(v.label[4:] for v in self.versions)
        flags = [n for n in ("prefers_own_order", "falls_back", "ignores_supported_versions") if getattr(self, n)]
        return f"Server({versions} {self.suites} {kinds} {self.groups} {self.signatures} {flags} {self.http_answer})"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))

    def answer(self, offer: Offer) -> Negotiated | Refused:
        """Say what becomes of a hello; versions without a suite and suites without a version are not said."""
        said = as_said(offer)
        candidates = self._versions_for(said)
        if not candidates:
            return Refused(Alert(70))
        for version in candidates if self.falls_back else candidates[:1]:
            choice = self._choose(version, said)
            if choice is not None:
                return choice if version in said.versions else Refused(UnofferedVersion(version))
        return Refused(Alert(40))

    def _versions_for(self, offer: Offer) -> list[TlsVersion]:
        old = self.ignores_supported_versions and T13 not in self.versions
        if offer.ceiling is T13 and not old:
            common = set(self.versions) & set(offer.versions)
        else:
            common = {v for v in self.versions if v <= min(offer.ceiling, T12)}
        return sorted(common, reverse=True)

    def _choose(self, version: TlsVersion, offer: Offer) -> Negotiated | None:
        own = dict(self.suites_of).get(version, self.suites)
        for suite in self._in_order(own, offer.cipher_suites):
            if usable(suite, version):
                made = self._with_suite(version, suite, offer)
                if made is not None:
                    return made
        return None

    def _in_order(self, own: Sequence[str], theirs: Sequence[str]) -> list[str]:
        if self.prefers_own_order:
            return [x for x in own if x in theirs]
        return [x for x in theirs if x in own]

    def _with_suite(self, version: TlsVersion, suite: str, offer: Offer) -> Negotiated | None:
        group = None
        if has_forward_secrecy_by_ecdhe(suite):
            groups = [g for g in self._in_order(self.groups, offer.groups) if version is T13 or "MLKEM" not in g]
            if not groups:
                return None
            share = next((g for g in offer.groups if "MLKEM" not in g), None)
            group = share if version is T13 and share in groups else groups[0]
        signed = self._signature(version, suite, offer)
        if signed is None:
            return None
        algorithm, sent = signed
        return Negotiated(
            version=version,
            cipher_suite=suite,
            group=group,
            signature_algorithm=algorithm,
            extended_master_secret=None if version is T13 else True,
            certificates=sent,
            wants_client_certificate=self.wants_client_certificate,
        )

    def _signature(self, version: TlsVersion, suite: str, offer: Offer) -> tuple[str | None, Chain] | None:
        """Give the algorithm (None where nothing is signed, or before TLS 1.2) and the chain; None where there is neither."""
        kinds = [kind for kind, _ in self.chains if _authenticates(suite, kind)]
        chains = dict(self.chains)
        if version < T12:
            fitting = [k for k in kinds if k == "rsa" or _curve(chains[k]) in offer.groups]
            return (None, chains[fitting[0]]) if fitting else None
        for algorithm in self._in_order(self.signatures, offer.signature_algorithms):
            for kind in kinds:
                if _can_sign(algorithm, kind, chains[kind], version, offer):
                    # OpenSSL wants a signature algorithm in common even where it then signs nothing
                    return (None if is_static_rsa(suite) else algorithm), chains[kind]
        return None


def _authenticates(suite: str, kind: str) -> bool:
    if is_tls_1_3_suite(suite):
        return True
    return ("_ECDSA_" in suite) == (kind == "ecdsa")


def _curve(sent: Chain) -> str:
    return _CURVES[sent[0].key_type]


def _can_sign(algorithm: str, kind: str, sent: Chain, version: TlsVersion, offer: Offer) -> bool:
    if kind == "rsa":
        return algorithm.startswith("rsa_pss") or (algorithm.startswith("rsa_") and version < T13)
    if not algorithm.startswith("ecdsa_"):
        return False
    # RFC 8446 §4.2.3 binds the curve to the algorithm, RFC 8422 §5.1 to the groups
    return _curve(sent) in (algorithm if version is T13 else offer.groups)


def as_said(offer: Offer) -> Offer:
    """Give the hello without what cannot take part in it; hybrid groups stay."""
    suites = tuple(s for s in offer.cipher_suites if any(usable(s, v) for v in offer.versions))
    versions = tuple(v for v in offer.versions if any(usable(s, v) for s in suites))
    return replace(offer, cipher_suites=suites, versions=versions or offer.versions)


Connection = Callable[[Offer], Outcome]
"""What sends a hello and gives what came back."""


def never(reason: NoAnswerReason) -> Connection:
    """Give a connection on which no hello is ever answered."""
    return lambda offer: NoAnswer(reason, "simulated")


class Throttled:
    """A server that refuses connections after the first few."""

    def __init__(self, server: SimulatedServer, answered: int) -> None:
        """Wrap a server; ``answered`` is how many hellos it answers."""
        self._server = server
        self._left = answered

    def __call__(self, offer: Offer) -> Outcome:
        """Answer, or refuse the connection."""
        self._left -= 1
        return self._server.answer(offer) if self._left >= 0 else NoAnswer("connection-refused", "throttled")


def handshakes(
    connection: Connection, offers: Sequence[Offer], before: Sequence[Experiment] = ()
) -> tuple[Experiment, ...]:
    """Make every offer whose outcome does not follow from those made before, in order, as a scan does; give all."""
    made = list(before)
    while (offer := next_offer(offers, made)) is not None:
        made.append(Experiment(offer, connection(offer)))
        assert len(made) < 64 + len(before), "the law of offers asks without end"
    return tuple(made)


def enumeration(connection: Connection, offers: Sequence[Offer]) -> tuple[Experiment, ...]:
    """Find every accepted suite of each version, then every group, by taking away what the server chose."""
    suites = tuple(dict.fromkeys(s for o in offers for s in o.cipher_suites)) + _MORE_SUITES
    widest = Offer((T13,), tuple(dict.fromkeys(suites)), GROUPS, SIGNATURES)
    made: list[Experiment] = []
    for version in (T13, T12, T11, T10):
        of_version = tuple(s for s in widest.cipher_suites if usable(s, version))
        made += _taking_away(
            connection, replace(widest, versions=(version,), cipher_suites=of_version), "cipher_suites"
        )
    for seen in [e.outcome for e in made if isinstance(e.outcome, Negotiated) and e.outcome.group]:
        one = replace(widest, versions=(seen.version,), cipher_suites=(seen.cipher_suite,))
        made += _taking_away(connection, one, "groups")
        break
    return tuple(made)


_MORE_SUITES = (
    "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_RC4_128_SHA",
)


def _taking_away(connection: Connection, offer: Offer, what: str) -> Iterable[Experiment]:
    left = list(getattr(offer, what))
    while left:
        hello = replace(offer, **{what: tuple(left)})
        outcome = connection(hello)
        yield Experiment(hello, outcome)
        if not isinstance(outcome, Negotiated):
            return
        left.remove(outcome.cipher_suite if what == "cipher_suites" else outcome.group)


def _server(
    versions: Sequence[TlsVersion], suites: Sequence[str], kind: str = "rsa", **more: object
) -> SimulatedServer:
    return SimulatedServer(tuple(versions), tuple(suites), ((kind, chain(kind)),), **more)  # type: ignore[arg-type]


ECDHE_RSA = (
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
)
STATIC_RSA = ("TLS_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA")
OK = SimulatedServer()
WANTS_CLIENT_CERTIFICATE = replace(OK, wants_client_certificate=True)
EXPIRED = replace(OK, chains=(("ecdsa", chain("ecdsa", "expired")),))
SELF_SIGNED = replace(OK, chains=(("ecdsa", chain("ecdsa", "self-signed")),))
WRONG_NAME = replace(OK, chains=(("ecdsa", chain("ecdsa", "wrong-name")),))
NO_INTERMEDIATE_AIA = replace(OK, chains=(("ecdsa", chain("ecdsa", "no-intermediate-aia")),))
RSA = _server([T12], STATIC_RSA)
T10_ONLY = _server([T10], ECDHE_RSA)
T11_ONLY = _server([T11], ECDHE_RSA)
T12_ONLY = _server([T12], ECDHE_RSA)
T10_STATIC_RSA = _server([T10], STATIC_RSA)
DHE = _server([T12], ["TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"])
CBC_SHA384 = _server([T12], ["TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"])
TRIPLE_DES = _server([T12], ["TLS_RSA_WITH_3DES_EDE_CBC_SHA"])
CHACHA20 = _server([T12], ["TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"])
RSA_THEN_T10 = _server([T12, T10], ECDHE_RSA, suites_of=((T12, STATIC_RSA), (T10, ECDHE_RSA)), falls_back=True)
TWO_LEAVES_ONE_EXPIRED = SimulatedServer(
    suites=(*TLS_1_3_SUITES, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", *ECDHE_RSA, *STATIC_RSA),
    chains=(("rsa", chain("rsa", "expired")), ("ecdsa", chain("ecdsa"))),
)
"""Its ECDSA certificate is sound, its RSA certificate expired."""
