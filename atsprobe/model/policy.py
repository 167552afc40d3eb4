"""What a client demands of a host: profiles as data, and the policy that a dictionary makes of one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from atsprobe.model.cipher_suite import TlsVersion, usable
from atsprobe.model.dictionary import PlistValue
from atsprobe.model.endpoint import Host
from atsprobe.model.handshake import Offer


@dataclass(frozen=True)
class Profile:
    """One version or mode of Apple's client, read from ``ats/profiles/NAME.toml``.

    ``cipher_suites`` are offered by default; ``without_forward_secrecy`` are put before them when
    NSExceptionRequiresForwardSecrecy is false; ``ats_off`` is the whole list when ATS is off (its
    ``unproved_suites`` may or may not be offered). ``exempts_ip_addresses``: every IP literal is outside ATS (iOS 10 to 16).
    ``niap_cipher_suites`` and ``niap_signature_algorithms`` are offered, and the extended master secret is demanded, in the
    NIAP mode of NSRequiresNIAPTLSPackageVersion (empty where the client knows no such key); ``niap_by_default``: that mode is
    in force unless a key says ``none``. ``asks_every_host``: no host is outside, neither a local one nor Apple's own.
    ``reads_exceptions``: it reads an app's plist at all; ``reads_pins``: NSPinnedDomains
    in it too. ``root_margin_days``: so many days before a root ends, the client may refuse it already (0: not before).
    ``sdk_default_floor`` is the SDK from which the default floor with ATS off is TLS 1.2 and a lower exception is unproved
    (None where no SDK changes it). ``pins_since`` is the iOS within the profile from which pins are read.
    ``oldest_asked`` is the oldest iOS of those asked about, where that is newer than the profile's first.
    ``selectable_as_ios`` is false for modes that are named, never meant by a version.
    """

    name: str
    title: str
    order: tuple[int, ...]
    minimum_tls_version: TlsVersion
    maximum_tls_version: TlsVersion
    cipher_suites: tuple[str, ...]
    without_forward_secrecy: tuple[str, ...]
    ats_off: tuple[str, ...]
    unproved_suites: tuple[str, ...]
    groups: tuple[str, ...]
    signature_algorithms: tuple[str, ...]
    exempts_ip_addresses: bool
    reads_exceptions: bool = True
    reads_pins: bool = True
    asks_every_host: bool = False
    selectable_as_ios: bool = True
    sdk_default_floor: tuple[int, ...] | None = None
    requires_extended_master_secret: bool = False
    niap_cipher_suites: tuple[str, ...] = ()
    niap_signature_algorithms: tuple[str, ...] = ()
    niap_by_default: bool = False
    root_margin_days: int = 0
    pins_since: tuple[int, ...] | None = None
    oldest_asked: tuple[int, ...] = ()

    @property
    def oldest(self) -> tuple[int, ...]:
        """The oldest iOS that it stands for: what a rule asks from a later one on, it need not meet."""
        return max(self.order, self.oldest_asked)

    def asked_as(self, version: tuple[int, ...]) -> Profile:
        """Give the profile for this iOS and later ones alone, with what came within its span."""
        if version <= self.order:
            return self
        reads_pins = self.reads_pins or (self.pins_since is not None and version >= self.pins_since)
        return replace(self, oldest_asked=version, reads_pins=reads_pins)


@dataclass(frozen=True)
class Client:
    """A profile and the SDK that the app was linked with (None: unknown, counts as the newest)."""

    profile: Profile
    linked_sdk: str | None = None


@dataclass(frozen=True)
class PinnedIdentities:
    """The SPKI SHA-256 values that NSPinnedDomains demands for a host. An empty list blocks every chain; None asks nothing."""

    ca: tuple[bytes, ...] | None = None
    leaf: tuple[bytes, ...] | None = None


@dataclass(frozen=True)
class PolicyWarning:
    """Something about a declared key that its author should know. ``kind`` is a stable id, ``text`` the sentence."""

    kind: str
    domain: str | None
    key: str | None
    text: str


KeyStanding = Literal["effective", "ineffective", "unverifiable"]
"""Whether a declared key does what it says: yes, nothing at all, or what it does cannot be told from the plist."""


@dataclass(frozen=True)
class KeyNote:
    """One declared key: whether it does what it says on the clients asked about, and what its author should know.

    ``key`` is None for an empty entry, and for an entry that is told of as a whole (its ``value`` is then the entry).
    ``reason`` says why it is not effective, ``effect`` what it does. ``wants_justification``: App Review asks why.
    ``line`` is its line in an XML Info.plist.
    """

    domain: str | None
    key: str | None
    value: PlistValue | None
    standing: KeyStanding
    reason: str
    effect: str
    wants_justification: bool = False
    warnings: tuple[PolicyWarning, ...] = ()
    line: int | None = None


@dataclass(frozen=True)
class Policy:
    """What one client demands of one host under one dictionary, and which key or rule decided.

    ``ats_enforced`` is Apple's own flag; ``exempt`` says that the host is of a kind outside ATS, and nothing put ATS back.
    ``contested``: Apple's client and its documentation differ about this kind of host (private addresses), or two keys are
    for its network, so that nothing can be said (`why_contested`).
    ``http_is_loaded_as_https``: URLSession never loads http:// from it (.dev and .app).
    ``offer`` is what the client says; ``unproved`` are suites of it, and ``unproved_versions`` versions of it, that
    the client may not offer in truth: what only they negotiate is unknown. Where no version is proved, the floor is
    unknown (`floor_is_unknown`), and ``minimum_tls_version`` is the lowest that it may be; it is None where ATS sets no
    floor. ``niap_in_force``: the NIAP mode narrows the offer, and demands the extended master secret.
    ``requires_offered_certificate_signature``: the leaf has to be signed with an algorithm of the offer.
    """

    client: Client
    host: Host
    ats_enforced: bool
    exempt: bool
    contested: bool
    http_allowed: bool
    http_is_loaded_as_https: bool
    minimum_tls_version: TlsVersion | None
    forward_secrecy_required: bool
    offer: Offer
    unproved: frozenset[str] = frozenset()
    unproved_versions: frozenset[TlsVersion] = frozenset()
    requires_extended_master_secret: bool = False
    niap_in_force: bool = False
    requires_offered_certificate_signature: bool = False
    pins: PinnedIdentities | None = None
    matched_exception: str | None = None
    decided_by: str = ""
    warnings: tuple[PolicyWarning, ...] = ()

    @property
    def why_contested(self) -> str:
        """Why nothing can be said of the host, where `contested`."""
        if self.matched_exception is not None:
            return "two keys for one network: which of them holds is not defined"
        return "a private address: iOS versions and networks differ"

    @property
    def floor_is_unknown(self) -> bool:
        """Whether the floor is set to something that is no version of TLS, so that any version may be offered or none."""
        return self.unproved_versions.issuperset(self.offer.versions)

    @property
    def offered_suites(self) -> tuple[str, ...]:
        """The suites of the offer that some version offered can use."""
        return tuple(s for s in self.offer.cipher_suites if any(usable(s, v) for v in self.offer.versions))
