"""What ATS demands of a host: Apple's resolution order over a declared dictionary."""

from __future__ import annotations

from dataclasses import dataclass, replace

from atsprobe.ats.exception_match import ExceptionIndex, Match
from atsprobe.ats.local import Locality, locality
from atsprobe.ats.pins import PinIndex
from atsprobe.ats.profile import is_at_least
from atsprobe.ats.values import boolean, is_no_tls_version, niap_mode, tls_version
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import AtsDictionary, ExceptionEntry
from atsprobe.model.endpoint import Host
from atsprobe.model.handshake import Offer
from atsprobe.model.policy import Client, Policy, Profile

_ALWAYS_HTTPS = (".dev", ".app")


class PolicyResolver:
    """Resolves one dictionary for one client; ask it about as many hosts as you like.

    Order, on every iOS (Apple Security source, SecProtocolConfiguration.m, tls_required): the entry that matches decides
    alone; else a local host is outside ATS unless NSAllowsLocalNetworking is NO; else NSAllowsArbitraryLoads, which the mere
    presence of a local, web or media key cancels.
    """

    def __init__(self, client: Client, dictionary: AtsDictionary) -> None:
        """Read the dictionary as the client does; a client that reads no plist sees an empty one."""
        self.client = client
        self._dictionary = dictionary if client.profile.reads_exceptions else AtsDictionary()
        self._index = ExceptionIndex(self._dictionary, built_in=not client.profile.asks_every_host)
        self._local_networking = boolean(self._dictionary.allows_local_networking)
        self._arbitrary_loads = arbitrary_loads_in_force(self._dictionary)
        self._global_niap = niap_mode(self._dictionary.requires_niap_tls_package_version)
        self._pins = PinIndex(self._dictionary) if client.profile.reads_pins else PinIndex(AtsDictionary())

    def match(self, host: Host) -> Match | None:
        """Find the entry that decides about a host."""
        return self._index.match(host)

    def policy(self, host: Host) -> Policy:
        """Say what is demanded of a host: the exceptions decide about ATS, and pins are asked for beside it."""
        return replace(self._by_exceptions(host), pins=self._pins.pins(host))

    def _by_exceptions(self, host: Host) -> Policy:
        kind = locality(host)
        profile = self.client.profile
        if profile.asks_every_host:
            return self._default(host, contested=False)
        if profile.exempts_ip_addresses and kind not in (Locality.PUBLIC, Locality.LOCAL_NAME):
            if kind is not Locality.PUBLIC_ADDRESS and self._local_networking is False:
                return self._default(host, contested=False)  # no key names an address there, and no global is left
            return self._exempt(host, "IP address, outside ATS before iOS 17")
        match = self._index.match(host)
        if match is not None and match.is_contested:
            return self._by_either_entry(host, match)
        if match is not None:
            by_entry = self._by_entry(host, match)
            is_unknown = is_no_tls_version(match.entry.minimum_tls_version)
            return replace(by_entry, unproved_versions=frozenset(by_entry.offer.versions)) if is_unknown else by_entry
        if kind.is_local and self._local_networking is not False:
            return self._exempt(host, kind.value)
        if kind is Locality.PRIVATE_ADDRESS and self._local_networking is True:
            return self._exempt(host, "NSAllowsLocalNetworking")
        contested = kind is Locality.PRIVATE_ADDRESS and self._local_networking is None
        if self._arbitrary_loads:
            return self._ats_off(host, contested=contested)
        return self._default(host, contested=contested)

    def _by_either_entry(self, host: Host, match: Match) -> Policy:
        """Of two keys for one network the one that is enumerated last holds, in an order that nobody defines: all is open."""
        default = self._default(host, contested=True)
        versions = frozenset(default.offer.versions)
        return replace(default, unproved_versions=versions, matched_exception=match.key, decided_by=match.key)

    def _exempt(self, host: Host, decided_by: str) -> Policy:
        off = self._ats_off(host, contested=False)
        return replace(off, exempt=True, decided_by=decided_by)

    def _default(self, host: Host, *, contested: bool) -> Policy:
        profile = self.client.profile
        demand = _Demand(profile.minimum_tls_version, profile.cipher_suites)
        if self._niap(None):
            demand = _Demand.of_niap(profile, profile.minimum_tls_version)
        decided_by = "private address" if contested else "default ATS"
        if self._local_networking is False and not profile.asks_every_host and locality(host).is_own_network:
            decided_by = "NSAllowsLocalNetworking"  # false, which puts ATS back on what is outside by default
        return self._policy(host, demand, enforced=True, decided_by=decided_by, contested=contested)

    def _ats_off(self, host: Host, *, contested: bool) -> Policy:
        profile = self.client.profile
        floor = TlsVersion.TLS_1_0
        if profile.sdk_default_floor is not None and is_at_least(self.client.linked_sdk, profile.sdk_default_floor):
            floor = TlsVersion.TLS_1_2
        demand = _Demand(floor, profile.ats_off, unproved=frozenset(profile.unproved_suites), sets_floor=False)
        policy = self._policy(host, demand, enforced=False, decided_by="NSAllowsArbitraryLoads", contested=contested)
        return replace(policy, http_allowed=True, forward_secrecy_required=False)

    def _by_entry(self, host: Host, match: Match) -> Policy:
        entry, profile = match.entry, self.client.profile
        allows_http = boolean(entry.allows_insecure_http_loads) is True
        forward_secrecy = boolean(entry.requires_forward_secrecy) is not False
        floor = tls_version(entry.minimum_tls_version) or profile.minimum_tls_version
        if is_no_tls_version(entry.minimum_tls_version):
            floor = TlsVersion.TLS_1_0  # the lowest that may be offered; none of the versions is proved then
        if self._niap(entry):
            return self._by_niap_entry(host, match, floor, allows_http=allows_http)
        if forward_secrecy:
            demand = _Demand(floor, profile.cipher_suites)
        elif allows_http:
            # no list is imposed then: the default of the OS holds, in its own order, which may have 3DES: unproved
            demand = _Demand(floor, profile.ats_off, unproved=frozenset(profile.unproved_suites))
        else:
            demand = _Demand(floor, profile.without_forward_secrecy + profile.cipher_suites)
        policy = self._policy(host, demand, enforced=not allows_http, decided_by=_decided_by(match, host))
        return replace(
            policy,
            http_allowed=allows_http,
            forward_secrecy_required=forward_secrecy,
            matched_exception=match.key if match.kind != "built-in" else None,
            unproved_versions=self._unproved_versions(floor),
        )

    def _by_niap_entry(self, host: Host, match: Match, floor: TlsVersion, *, allows_http: bool) -> Policy:
        """In the NIAP mode neither static RSA nor an older version is left for the entry to add."""
        demand = _Demand.of_niap(self.client.profile, floor)
        policy = self._policy(host, demand, enforced=not allows_http, decided_by=_decided_by(match, host))
        matched = match.key if match.kind != "built-in" else None
        return replace(policy, http_allowed=allows_http, matched_exception=matched)

    def _niap(self, entry: ExceptionEntry | None) -> bool:
        """Say whether the NIAP mode is in force: by the entry, else by the global key, else as the client comes."""
        if not self.client.profile.niap_cipher_suites:
            return False
        own = niap_mode(entry.requires_niap_tls_package_version) if entry is not None else None
        if own is None:
            own = self._global_niap
        return self.client.profile.niap_by_default if own is None else own

    def _unproved_versions(self, floor: TlsVersion) -> frozenset[TlsVersion]:
        """Below the default floor of the linked SDK, the key alone is not proved to work."""
        since = self.client.profile.sdk_default_floor
        if since is None or floor >= TlsVersion.TLS_1_2 or not is_at_least(self.client.linked_sdk, since):
            return frozenset()
        return frozenset(v for v in TlsVersion if floor <= v < TlsVersion.TLS_1_2)

    def _policy(
        self, host: Host, demand: _Demand, *, enforced: bool, decided_by: str, contested: bool = False
    ) -> Policy:
        # the NIAP mode and the clients that come with it ask both: EMS, and a certificate signed as the hello offers
        strict = demand.is_niap or self.client.profile.requires_extended_master_secret
        return Policy(
            client=self.client,
            host=host,
            ats_enforced=enforced,
            exempt=False,
            contested=contested,
            http_allowed=False,
            http_is_loaded_as_https=host.removesuffix(".").endswith(_ALWAYS_HTTPS),
            minimum_tls_version=demand.floor if demand.sets_floor else None,
            forward_secrecy_required=True,
            offer=demand.offer(self.client.profile),
            unproved=demand.unproved,
            requires_extended_master_secret=strict,
            requires_offered_certificate_signature=strict,
            niap_in_force=demand.is_niap,
            decided_by=decided_by,
        )


@dataclass(frozen=True)
class _Demand:
    floor: TlsVersion
    suites: tuple[str, ...]
    unproved: frozenset[str] = frozenset()
    sets_floor: bool = True
    is_niap: bool = False

    @classmethod
    def of_niap(cls, profile: Profile, floor: TlsVersion) -> _Demand:
        return cls(max(floor, TlsVersion.TLS_1_2), profile.niap_cipher_suites, is_niap=True)

    def offer(self, profile: Profile) -> Offer:
        return make_niap_offer(profile, self.floor) if self.is_niap else make_offer(profile, self.floor, self.suites)


def make_niap_offer(profile: Profile, floor: TlsVersion = TlsVersion.TLS_1_2) -> Offer:
    """Give the hello of a profile in the NIAP mode: ECDHE with AES-GCM, and no signature with SHA-1."""
    offer = make_offer(profile, floor, profile.niap_cipher_suites)
    return replace(offer, signature_algorithms=profile.niap_signature_algorithms)


def make_offer(profile: Profile, floor: TlsVersion, suites: tuple[str, ...]) -> Offer:
    """Give the hello of a profile with another floor and other suites; versions newest first, as Apple's client writes them."""
    ceiling = profile.maximum_tls_version
    versions = tuple(v for v in sorted(TlsVersion, reverse=True) if min(floor, ceiling) <= v <= ceiling)
    return Offer(versions, suites, profile.groups, profile.signature_algorithms)


def _decided_by(match: Match, host: Host) -> str:
    if match.kind == "built-in":
        return f"Apple's built-in entry for {match.key}"
    return "its own entry" if match.key == host else match.key


def arbitrary_loads_in_force(dictionary: AtsDictionary) -> bool:
    """Say whether NSAllowsArbitraryLoads counts: true, and no local, web or media key with a boolean or number beside it.

    Source: Apple, NSAllowsArbitraryLoads; Security source, SecProtocolConfiguration.m.
    """
    return boolean(dictionary.allows_arbitrary_loads) is True and not cancelling_keys(dictionary)


def cancelling_keys(dictionary: AtsDictionary) -> tuple[str, ...]:
    """Give the keys whose mere presence cancels NSAllowsArbitraryLoads, whatever their truth."""
    present = {
        "NSAllowsLocalNetworking": dictionary.allows_local_networking,
        "NSAllowsArbitraryLoadsInWebContent": dictionary.allows_arbitrary_loads_in_web_content,
        "NSAllowsArbitraryLoadsForMedia": dictionary.allows_arbitrary_loads_for_media,
    }
    return tuple(key for key, value in present.items() if boolean(value) is not None)
