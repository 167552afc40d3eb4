"""What the requirements about the connection are asked about: everything that an address answered, under one policy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.handshake import (
    Alert,
    Experiment,
    Negotiated,
    Offer,
    Refused,
    UnofferedVersion,
    accepted_suites,
    negotiations,
)
from atsprobe.model.law_of_offers import Following, SomeHandshake, normalised, outcome_of
from atsprobe.model.policy import Policy


@dataclass(frozen=True)
class Handshakes:
    """The experiments made with an address, put to one policy.

    A requirement fails when it would still fail if every other one were met, so that each is asked of all that was
    seen: where the version fails, the suites are those of the versions that the server has.
    """

    policy: Policy
    experiments: tuple[Experiment, ...]

    @cached_property
    def following(self) -> Following:
        """What becomes of the policy's own hello."""
        return outcome_of(self.policy.offer, self.experiments)

    @cached_property
    def floor(self) -> TlsVersion:
        """The lowest version that the client offers."""
        return min(self.policy.offer.versions)

    @cached_property
    def accepted(self) -> dict[TlsVersion, tuple[str, ...]]:
        """The suites that the server is seen to accept, by version, newest first."""
        return accepted_suites(self.experiments)

    @cached_property
    def highest(self) -> TlsVersion | None:
        """The highest version that the server is seen to speak."""
        return max(self.accepted, default=None)

    @cached_property
    def reaches_floor(self) -> bool | None:
        """Whether the server has a version that the client offers, with whatever suite; None where that was not seen.

        It has none where a hello with all of them was answered with a lower version (RFC 5246 appendix E.1: a server
        answers with the highest that it has), or with alert protocol_version.
        """
        if any(version >= self.floor for version in self.accepted):
            return True
        wanted = set(self.policy.offer.versions)
        for experiment in self.experiments:
            made = set(normalised(experiment.offer).versions)
            if wanted <= made and self._says_lower(experiment):
                return False
        return None

    def _says_lower(self, experiment: Experiment) -> bool:
        match experiment.outcome:
            case Negotiated(version=version) | Refused(by=UnofferedVersion(version=version)):
                return version < self.floor
            case Refused(by=Alert(number=70)):
                return True
            case _:
                return False

    @cached_property
    def suites_that_count(self) -> tuple[str, ...]:
        """The suites accepted under the versions that the client offers; where there are none, under those that there are."""
        versions = [v for v in self.accepted if v >= self.floor] or list(self.accepted)
        return tuple(dict.fromkeys(suite for v in versions for suite in self.accepted[v]))

    @cached_property
    def would_negotiate(self) -> Following:
        """What becomes of the client's suites under versions that the server has, whatever the floor."""
        if self.reaches_floor is not False:
            return self.following
        every = tuple(
            v for v in sorted(TlsVersion, reverse=True) if TlsVersion.TLS_1_0 <= v <= self.policy.offer.ceiling
        )
        return outcome_of(replace(self.policy.offer, versions=every), self.experiments)

    @cached_property
    def has_common_suite(self) -> bool | None:
        """Whether the server accepts one of the client's suites, if the version were met; None where that was not seen.

        Where SSL is all that it has, the names of the suites alone can tell: a hello of SSL has no groups and no signature
        algorithms, and one of TLS was refused for its version, whatever suites it held.
        """
        if self.reaches_floor is False and self.highest is not None and self.highest < TlsVersion.TLS_1_0:
            return not set(self.policy.offer.cipher_suites).isdisjoint(self.suites_that_count)
        match self.would_negotiate:
            case Negotiated() | SomeHandshake():
                return True
            case Refused(by=by):
                speaks_of_version = isinstance(by, UnofferedVersion) or by.number == 70
                return None if speaks_of_version and not self.suites_that_count else False
            case _:
                return None

    @cached_property
    def chosen_suite(self) -> str | None:
        """The suite that the client's hello gets, where that was seen."""
        following = self.would_negotiate
        return following.cipher_suite if isinstance(following, Negotiated) else None

    @cached_property
    def static_rsa_suites(self) -> tuple[str, ...]:
        """The accepted suites that NSExceptionRequiresForwardSecrecy would add to the client's offer."""
        added = set(self.policy.client.profile.without_forward_secrecy) - set(self.policy.offer.cipher_suites)
        return tuple(s for s in self.suites_that_count if s in added)

    @cached_property
    def refuses_every_suite(self) -> bool:
        """Whether the widest hello that any dictionary makes of this client is refused, not for its version."""
        profile = self.policy.client.profile
        suites = dict.fromkeys((*profile.cipher_suites, *profile.ats_off, *profile.without_forward_secrecy))
        versions = tuple(
            v for v in sorted(TlsVersion, reverse=True) if TlsVersion.TLS_1_0 <= v <= profile.maximum_tls_version
        )
        widest = Offer(versions, tuple(suites), self.policy.offer.groups, self.policy.offer.signature_algorithms)
        following = outcome_of(widest, self.experiments)
        return isinstance(following, Refused) and isinstance(following.by, Alert) and following.by.number != 70

    @cached_property
    def before_tls_1_3(self) -> tuple[Negotiated, ...]:
        """The handshakes that tell about the extended master secret: the client's own, else all of TLS 1.2 and older."""
        made = (self.following,) if isinstance(self.following, Negotiated) else negotiations(self.experiments)
        return tuple(n for n in made if n.version < TlsVersion.TLS_1_3)
