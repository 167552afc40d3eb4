"""What the recording says about a load under a what-if dictionary: the judge, asked once for each distinct policy."""

from __future__ import annotations

from collections.abc import Hashable

from atsprobe.ats.local import locality
from atsprobe.ats.policy import PolicyResolver
from atsprobe.judge.case import Case
from atsprobe.judge.judge import judge
from atsprobe.model.endpoint import Endpoint, counterpart
from atsprobe.model.judgement import Judgement, Outcome
from atsprobe.model.observation import (
    UNRESOLVED_IN_WORDS,
    Address,
    HttpAnswer,
    Observation,
    PlaintextObservation,
    Resolution,
    Resolved,
    TlsObservation,
    Unreachable,
    Unresolved,
)
from atsprobe.model.policy import Policy
from atsprobe.model.recording import Recording
from atsprobe.model.redirect import redirect_target, sends_to
from atsprobe.model.trust_store import TrustStore


def works(outcome: Outcome) -> bool | None:
    """Say whether a load works: True, False (seen to fail), or None (could not tell)."""
    return {"allowed": True, "exempt": True, "blocked": False, "inconclusive": None}[outcome]


class Evidence:
    """A recording and the roots to judge it by; remembers what it has judged."""

    def __init__(self, recording: Recording, trust: TrustStore) -> None:
        """Index the observations and resolutions of a recording."""
        self.recording = recording
        self._trust = trust
        self._seen: dict[tuple[Endpoint, str], Observation] = {}
        self._of_endpoint: dict[Endpoint, list[Observation]] = {}
        for observation in recording.observations:
            self._seen.setdefault((observation.endpoint, observation.address.ip), observation)
            self._of_endpoint.setdefault(observation.endpoint, []).append(observation)
        self._resolutions = {(r.host, r.port): r for r in recording.resolutions}
        self._judged: dict[Hashable, Judgement] = {}

    def resolution(self, endpoint: Endpoint) -> Resolution | None:
        """Give what became of the endpoint's name."""
        return self._resolutions.get((endpoint.host, endpoint.port))

    def observations(self, endpoint: Endpoint) -> tuple[Observation, ...]:
        """Give what was seen of an endpoint, one for an address."""
        return tuple(self._of_endpoint.get(endpoint, ()))

    def addresses(self, endpoint: Endpoint) -> tuple[Address | None, ...]:
        """Give the addresses that take part in the verdict; (None,) where nothing was or could be looked at."""
        resolution = self.resolution(endpoint)
        if resolution is None or not isinstance(resolution.outcome, Resolved):
            return (None,)
        routed = tuple(a for a in resolution.outcome.addresses if not self._has_no_route(endpoint, a))
        return routed or (None,)

    def left_out(self, endpoint: Endpoint) -> tuple[Address, ...]:
        """Give the addresses of a family to which this machine has no route."""
        resolution = self.resolution(endpoint)
        if resolution is None or not isinstance(resolution.outcome, Resolved):
            return ()
        return tuple(a for a in resolution.outcome.addresses if self._has_no_route(endpoint, a))

    def _has_no_route(self, endpoint: Endpoint, address: Address) -> bool:
        seen = self._seen.get((endpoint, address.ip))
        return isinstance(seen, Unreachable) and seen.reason == "no-route"

    def not_contacted(self, endpoint: Endpoint) -> bool:
        """Say whether a host was left alone because it means another machine for everybody."""
        if not locality(endpoint.host).is_own_network:
            return False
        seen = self.observations(endpoint)
        return not seen or all(isinstance(o, Unreachable) and o.reason == "not-contacted" for o in seen)

    def judgements(
        self, endpoint: Endpoint, resolver: PolicyResolver, *, accepts_server_trust: bool = False
    ) -> tuple[Judgement, ...]:
        """Judge a load on each of its addresses under the policy that a dictionary makes for its host."""
        return self.judged(endpoint, resolver.policy(endpoint.host), accepts_server_trust=accepts_server_trust)

    def judged(
        self, endpoint: Endpoint, policy: Policy, *, accepts_server_trust: bool = False
    ) -> tuple[Judgement, ...]:
        """Judge a load on each of its addresses under a policy."""
        key = (endpoint, _signature(policy), accepts_server_trust)
        return tuple(self._judge(key, endpoint, a, policy, accepts_server_trust) for a in self.addresses(endpoint))

    def _judge(
        self, key: Hashable, endpoint: Endpoint, address: Address | None, policy: Policy, accepts_server_trust: bool
    ) -> Judgement:
        whole = (key, address)
        if whole not in self._judged:
            self._judged[whole] = judge(self._case(endpoint, address, policy, accepts_server_trust))
        return self._judged[whole]

    def _case(self, endpoint: Endpoint, address: Address | None, policy: Policy, accepts_server_trust: bool) -> Case:
        seen = self._seen.get((endpoint, address.ip)) if address else None
        leads_to = self._leads_to_https(endpoint, seen, policy)
        return Case(
            endpoint=endpoint,
            address=address,
            seen=seen,
            https_seen=self._https_seen(leads_to, address) if leads_to else None,
            sent_on_to_https=leads_to is not None and not policy.http_is_loaded_as_https,
            not_contacted=self.not_contacted(endpoint),
            policy=policy,
            trust=self._trust,
            at=self.recording.started_at,
            accepts_server_trust=accepts_server_trust,
            why_no_address="" if address else self._why_no_address(endpoint),
        )

    def _why_no_address(self, endpoint: Endpoint) -> str:
        resolution = self.resolution(endpoint)
        if resolution is not None and isinstance(resolution.outcome, Unresolved):
            return UNRESOLVED_IN_WORDS[resolution.outcome.reason]
        if self.left_out(endpoint):
            return "this machine has no route to its addresses"
        return "the audit ended before it was looked at" if self.recording.interrupted else ""

    def _leads_to_https(self, endpoint: Endpoint, seen: Observation | None, policy: Policy) -> Endpoint | None:
        if endpoint.scheme != "http":
            return None
        if policy.http_is_loaded_as_https:
            return counterpart(endpoint)
        target = sends_to(endpoint, seen.answer) if isinstance(seen, PlaintextObservation) else None
        return target if target is not None and target.scheme == "https" else None

    def _https_seen(self, endpoint: Endpoint, address: Address | None) -> Observation | None:
        """The same address where it was seen there; another where the name has other addresses for that port."""
        same = self._seen.get((endpoint, address.ip)) if address else None
        return same or next(iter(self.observations(endpoint)), None)

    def counterpart_passes(self, endpoint: Endpoint, resolvers: tuple[PolicyResolver, ...]) -> bool:
        """Say whether https in place of an http load works on every address and profile, and does not send back to http."""
        other = counterpart(endpoint)
        seen = self.observations(other)
        if not seen:
            return False
        for resolver in resolvers:
            if not all(works(j.outcome) for j in self.judgements(other, resolver)):
                return False
        return all(self._stays_on_https(o) for o in seen if not self._has_no_route(other, o.address))

    def why_not_https(self, endpoint: Endpoint) -> str:
        """Say in words why https in place of an http load is no way out, as far as it was seen."""
        other = counterpart(endpoint)
        seen = self.observations(other)
        if seen and all(isinstance(o, Unreachable) and o.reason == "connection-refused" for o in seen):
            return f"its port {other.port} is closed"
        if any(isinstance(o, TlsObservation) and not self._stays_on_https(o) for o in seen):
            sends_back = any(
                isinstance(o, TlsObservation) and (redirect_target(o.http_answer) or "").startswith("http:")
                for o in seen
            )
            return f"its https on port {other.port} " + ("sends back to http://" if sends_back else "is no way out")
        reached = sum(not isinstance(o, Unreachable) for o in seen)
        if reached < len(seen):
            on = f"was reached on {reached} of {len(seen)} addresses alone" if reached else "was not reached"
            return f"its https on port {other.port} {on}"
        return f"https on port {other.port} does not pass default ATS" if seen else "its https was not seen"

    @staticmethod
    def _stays_on_https(observation: Observation) -> bool:
        if not isinstance(observation, TlsObservation) or not isinstance(observation.http_answer, HttpAnswer):
            return False
        target = redirect_target(observation.http_answer)
        return target is None or not target.startswith("http:")


def _signature(policy: Policy) -> Hashable:
    """All of a policy that a judgement can rest on, cheap to hash."""
    return (
        policy.client.profile.name,
        policy.client.profile.oldest,
        policy.exempt,
        policy.contested,
        policy.ats_enforced,
        policy.http_allowed,
        policy.http_is_loaded_as_https,
        policy.minimum_tls_version,
        policy.offer.versions,
        policy.offer.cipher_suites,
        policy.offer.signature_algorithms,
        policy.unproved,
        policy.unproved_versions,
        policy.requires_extended_master_secret,
        policy.niap_in_force,
        policy.pins,
    )
