"""One dictionary, the clients that read it, and the loads that it governs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from atsprobe.ats.policy import PolicyResolver
from atsprobe.ats.profile import profiles
from atsprobe.ats.values import boolean
from atsprobe.model.app import Bundle, Load
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.endpoint import Endpoint, Host, Reference
from atsprobe.model.observation import HttpAnswer, PlaintextObservation, TlsObservation, Unreachable, Unresolved
from atsprobe.model.policy import Client, Profile
from atsprobe.model.recording import Recording
from atsprobe.model.redirect import redirect_target, sends_to
from atsprobe.weigh.evidence import Evidence, works


@dataclass(frozen=True)
class Scope:
    """A bundle's dictionary, or the empty one of hosts without a bundle (``bundle`` None).

    ``clients`` are one for each profile judged, oldest first. ``loads`` are what the bundle loads;
    ``unknown_to_dns`` are hosts that it only declares and that DNS does not know: no loads.
    """

    bundle: Bundle | None
    clients: tuple[Client, ...]
    loads: tuple[Load, ...] = ()
    unknown_to_dns: tuple[Load, ...] = ()

    @property
    def identifier(self) -> str | None:
        """The bundle's identifier."""
        return self.bundle.identifier if self.bundle else None

    @property
    def dictionary(self) -> AtsDictionary:
        """What is declared."""
        return self.bundle.dictionary if self.bundle else AtsDictionary()

    @property
    def accepts_server_trust(self) -> bool:
        """Whether code that accepts a server trust was found in the bundle."""
        return self.bundle is not None and self.bundle.accepts_server_trust

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """The profiles judged, oldest first."""
        return tuple(c.profile for c in self.clients)

    def resolvers(self, dictionary: AtsDictionary | None = None) -> tuple[PolicyResolver, ...]:
        """Give a resolver for each client, of the declared dictionary or of a what-if one."""
        what_if = self.dictionary if dictionary is None else dictionary
        return tuple(PolicyResolver(c, what_if) for c in self.clients)


def scopes(
    recording: Recording, evidence: Evidence, *, ios: Sequence[str], mode: str | None, sdk: str | None
) -> tuple[Scope, ...]:
    """Give every scope of a recording: each bundle, and the empty dictionary where a host has no bundle.

    Raises ats.profile.UnknownProfile.
    """
    extraction = recording.extraction
    found: list[Scope] = []
    by_bundle: dict[str | None, list[Load]] = {b.identifier: [] for b in extraction.bundles}
    for load in extraction.loads():
        by_bundle.setdefault(load.bundle, []).append(load)
    for identifier, loads in by_bundle.items():
        bundle = extraction.bundle(identifier)
        clients = _clients(bundle, ios=ios, mode=mode, sdk=sdk)
        found.append(_with_loads(Scope(bundle, clients), loads, evidence))
    return tuple(found)


def _clients(bundle: Bundle | None, *, ios: Sequence[str], mode: str | None, sdk: str | None) -> tuple[Client, ...]:
    minimum_os = bundle.minimum_os if bundle else None
    linked = sdk or (bundle.linked_sdk if bundle else None)
    return tuple(Client(p, linked) for p in profiles(ios, minimum_os, mode))


def _with_loads(scope: Scope, loads: Iterable[Load], evidence: Evidence) -> Scope:
    loads = (*loads, *_learnt_by_redirect(scope, tuple(loads), evidence))
    merged: dict[Endpoint, Load] = {}
    unknown: list[Load] = []
    for load in loads:
        if not load.is_named and _is_unknown_to_dns(load, evidence):
            unknown.append(load)
            continue
        if not load.is_named and _answers_http_alone(scope, load, evidence):
            load = replace(load, endpoint=Endpoint(load.endpoint.host, 80, "http"))
        known = merged.get(load.endpoint)
        merged[load.endpoint] = replace(load, references=known.references + load.references) if known else load
    return replace(scope, loads=tuple(merged[e] for e in sorted(merged)), unknown_to_dns=tuple(unknown))


def _is_unknown_to_dns(load: Load, evidence: Evidence) -> bool:
    resolution = evidence.resolution(load.endpoint)
    return (
        resolution is not None
        and isinstance(resolution.outcome, Unresolved)
        and resolution.outcome.reason in ("no-such-name", "no-addresses")
    )


def has_http_exception(dictionary: AtsDictionary, host: Host) -> bool:
    """Say whether a host's own entry says NSExceptionAllowsInsecureHTTPLoads."""
    entry = dictionary.entries.get(host)
    return entry is not None and boolean(entry.allows_insecure_http_loads) is True


def _answers_http_alone(scope: Scope, load: Load, evidence: Evidence) -> bool:
    """Whether http on port 80 is the load in truth: https refused or seen to fail, and the clear port answers for itself."""
    host = load.endpoint.host
    if load.endpoint != Endpoint(host, 443, "https") or not has_http_exception(scope.dictionary, host):
        return False
    plain = evidence.observations(Endpoint(host, 80, "http"))
    if not plain or not all(_answers_in_the_clear(o) for o in plain):
        return False
    seen = evidence.observations(load.endpoint)
    if seen and all(isinstance(o, Unreachable) and o.reason == "connection-refused" for o in seen):
        return True
    return all(
        works(j.outcome) is False
        for resolver in scope.resolvers()
        for j in evidence.judgements(load.endpoint, resolver, accepts_server_trust=scope.accepts_server_trust)
    )


def _answers_in_the_clear(observation: object) -> bool:
    if not isinstance(observation, PlaintextObservation) or not isinstance(observation.answer, HttpAnswer):
        return False
    target = sends_to(observation.endpoint, observation.answer)
    return target is None or target.scheme == "http"


def _learnt_by_redirect(scope: Scope, loads: Sequence[Load], evidence: Evidence) -> list[Load]:
    """The http loads to which https loads of the same host send on, for hosts whose answer was asked for."""
    with_http = {load.endpoint.host for load in loads if load.endpoint.scheme == "http"}
    learnt: list[Load] = []
    for load in loads:
        host = load.endpoint.host
        if load.endpoint.scheme != "https" or not (host in with_http or has_http_exception(scope.dictionary, host)):
            continue
        for observation in evidence.observations(load.endpoint):
            answer = observation.http_answer if isinstance(observation, TlsObservation) else None
            target = sends_to(load.endpoint, answer)
            if target is not None and target.scheme == "http":
                learnt.append(Load(load.bundle, target, (_redirect(load, target, redirect_target(answer)),)))
                break
    return learnt


def _redirect(load: Load, target: Endpoint, text: str | None) -> Reference:
    first = load.references[0]
    return replace(first, endpoint=target, kind="redirect", text=(text or "")[:200])
