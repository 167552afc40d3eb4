"""A handshake is an experiment: an offer and its outcome; and what experiments show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from atsprobe.model.certificate import Certificate
from atsprobe.model.cipher_suite import TlsVersion

HYBRID_GROUPS = frozenset({"X25519MLKEM768"})
"""Groups that only an engine of its own may be able to say; they stay out of the comparison of offers."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a ClientHello offers, in IANA names and in the client's order."""

    versions: tuple[TlsVersion, ...]
    cipher_suites: tuple[str, ...]
    groups: tuple[str, ...]
    signature_algorithms: tuple[str, ...]

    @property
    def ceiling(self) -> TlsVersion:
        """The highest version offered."""
        return max(self.versions)

    def without_hybrids(self) -> Offer:
        """Give the hello that the engine can say."""
        return replace(self, groups=tuple(g for g in self.groups if g not in HYBRID_GROUPS))


@dataclass(frozen=True, slots=True)
class Negotiated:
    """The server chose: version, suite, group (None without ephemeral key exchange over a group) and signature.

    ``signature_algorithm`` is the IANA name of the server's handshake signature, None where it signed nothing
    (static RSA) or the engine could not tell. ``extended_master_secret`` (RFC 7627) is None under TLS 1.3.
    ``certificates`` are in the order received. ``ocsp_response`` is the stapled response, DER;
    ``scts`` is the raw SignedCertificateTimestampList of the TLS extension, where the engine saw one.
    """

    version: TlsVersion
    cipher_suite: str
    group: str | None
    signature_algorithm: str | None
    extended_master_secret: bool | None
    certificates: tuple[Certificate, ...]
    ocsp_response: bytes | None = None
    scts: bytes | None = None
    wants_client_certificate: bool = False


@dataclass(frozen=True, slots=True)
class Alert:
    """A fatal alert (RFC 8446 §6): its number."""

    number: int

    @property
    def name(self) -> str:
        """The name of RFC 8446, or ``unknown``."""
        return ALERT_NAMES.get(self.number, "unknown")

    @property
    def speaks_of_the_offer(self) -> bool:
        """Whether it says that nothing in the hello suits: handshake_failure, protocol_version, insufficient_security."""
        return self.number in (40, 70, 71)


ALERT_NAMES = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    22: "record_overflow",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    109: "missing_extension",
    110: "unsupported_extension",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
}


@dataclass(frozen=True, slots=True)
class UnofferedVersion:
    """The server answered with a version that was not offered, as OpenSSL does to a newer client."""

    version: TlsVersion


@dataclass(frozen=True, slots=True)
class Refused:
    """The server said no to this hello: by an alert that speaks of the offer, or by a version that was not offered."""

    by: Alert | UnofferedVersion


NoAnswerReason = Literal[
    "timeout",  # nothing, or not enough, within the deadline
    "reset",  # the connection was reset
    "closed",  # the connection was closed without an answer
    "connection-refused",  # TCP refused although the address had answered before
    "not-tls",  # the first bytes are no TLS record
    "alert",  # a fatal alert that does not speak of the offer
    "too-large",  # more bytes than the bound, or a handshake larger than the engine reads
    "garbage",  # TLS records that make no handshake
    "contradictory",  # two handshakes contradict each other, and so did the third
]


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No outcome: proves nothing about any other offer. ``detail`` is a short text of ours for people."""

    reason: NoAnswerReason
    detail: str = ""
    alert: Alert | None = None


@dataclass(frozen=True, slots=True)
class NotMade:
    """The engine cannot say this hello."""

    reason: str


Outcome = Negotiated | Refused | NoAnswer | NotMade


@dataclass(frozen=True, slots=True)
class Experiment:
    """An offer as it was sent, its outcome, and how many connections it took (more than 1 after a contradiction)."""

    offer: Offer
    outcome: Outcome
    attempts: int = 1


def negotiations(experiments: Iterable[Experiment]) -> tuple[Negotiated, ...]:
    """Give the handshakes that completed, in the order made."""
    return tuple(e.outcome for e in experiments if isinstance(e.outcome, Negotiated))


def accepted_suites(experiments: Iterable[Experiment]) -> dict[TlsVersion, tuple[str, ...]]:
    """Read off which suites the server accepted for each version, in the order first seen, newest version first."""
    seen: dict[TlsVersion, dict[str, None]] = {}
    for outcome in negotiations(experiments):
        seen.setdefault(outcome.version, {})[outcome.cipher_suite] = None
    return {version: tuple(seen[version]) for version in sorted(seen, reverse=True)}


def accepted_groups(experiments: Iterable[Experiment]) -> tuple[str, ...]:
    """Read off which groups the server used, in the order first seen."""
    return tuple(dict.fromkeys(o.group for o in negotiations(experiments) if o.group))


def deployments(experiments: Iterable[Experiment]) -> tuple[tuple[Certificate, ...], ...]:
    """Read off each distinct chain that the server sent, in the order first seen (an RSA and an ECDSA one, say)."""
    return tuple(dict.fromkeys(o.certificates for o in negotiations(experiments) if o.certificates))
