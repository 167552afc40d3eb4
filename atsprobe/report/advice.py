"""Why something could not be judged, and what to try."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from atsprobe.model.endpoint import Host, ip_address_of
from atsprobe.model.handshake import NoAnswer
from atsprobe.model.judgement import Verdict
from atsprobe.model.observation import (
    UNRESOLVED_IN_WORDS,
    HttpAnswer,
    Observation,
    PlaintextObservation,
    Resolution,
    Unreachable,
    Unresolved,
)
from atsprobe.model.result import EndpointResult
from atsprobe.report.text.evidence import of_address

_FOR_NAMES = {
    "no-such-name": "--nameserver ADDRESS, or --resolve {server}:ADDRESS",
    "no-addresses": "--resolve {server}:ADDRESS",
    "no-answer": "--nameserver ADDRESS, or --resolve {server}:ADDRESS",
    "refused": "--nameserver ADDRESS, or --resolve {server}:ADDRESS",
}
_FOR_CONNECTIONS = {
    "timeout": "--timeout SECONDS, from a network that reaches it",
    "no-route": "--ipv4 or --ipv6, or a network that has both",
    "not-contacted": "--allow-private, or name it on the command line",
}
_FOR_ANSWERS = {
    "timeout": "--timeout and --deadline SECONDS",
    "reset": "--rate 1",
    "closed": "--rate 1",
    "connection-refused": "--rate 1",
    "contradictory": "--rate 1",
}
_NEVER_DECIDES = frozenset({"certificate-transparency", "certificate-revocation", "certificate-lifetime"})
"""Unknown for nearly every server, so a load is judged without them."""

_PRIVATE = tuple(ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))


def why_unresolved(resolution: Resolution | None) -> str:
    """Say why a name has no address; empty where it has one, or was not asked for."""
    if resolution is None or not isinstance(resolution.outcome, Unresolved):
        return ""
    told, detail = UNRESOLVED_IN_WORDS[resolution.outcome.reason], resolution.outcome.detail
    if detail.startswith("no name server"):
        return detail
    return f"{told}: {detail}" if detail else told


def why_not_judged(endpoint: EndpointResult) -> str:
    """Say why a load could not be judged: what became of its name, else what judging says."""
    unresolved = why_unresolved(endpoint.resolution)
    if unresolved:
        return unresolved
    undecided = _undecided_certificate(endpoint)
    if undecided:
        return "; ".join(undecided)
    unknown = (d.reason for d in endpoint.declared if d.verdict == "inconclusive" and d.reason)
    return next(unknown, "") or _why_http_is_unknown(endpoint) or endpoint.reason


def _why_http_is_unknown(endpoint: EndpointResult) -> str:
    """Say what kept an http load from being judged under any exception; that it is http is no reason."""
    if endpoint.endpoint.scheme != "http" or endpoint.verdict is not Verdict.INCONCLUSIVE:
        return ""
    told = (of_address(o) for o in endpoint.observations if not _answered(o))
    return next(told, "")


def _answered(observation: Observation) -> bool:
    return isinstance(observation, PlaintextObservation) and isinstance(observation.answer, HttpAnswer)


def _undecided_certificate(endpoint: EndpointResult) -> list[str]:
    """Tell what is unknown of a certificate, where that alone keeps the load from being judged."""
    unknown = [f.finding for f in endpoint.findings if f.finding.status == "unknown"]
    deciding = [f for f in unknown if f.requirement not in _NEVER_DECIDES]
    if not all(f.requirement.startswith("certificate-") for f in deciding):
        return []
    return [f"{f.requirement}: {f.evidence}" for f in deciding]


def advice(endpoint: EndpointResult) -> str:
    """Give the option that may settle a load, with ``{server}`` for HOST:PORT; empty where none is known."""
    told = advice_for(endpoint.endpoint.host, endpoint.resolution, ())
    if not told and any("was not sent" in undecided for undecided in _undecided_certificate(endpoint)):
        return "let the server send its whole chain"
    return told or advice_for(endpoint.endpoint.host, endpoint.resolution, endpoint.observations)


def advice_for(host: Host, resolution: Resolution | None, observations: Sequence[Observation]) -> str:
    """Give the option that may settle what could not be told of a host, as `advice` does."""
    address = ip_address_of(host)
    if address is not None and any(address in network for network in _PRIVATE):
        return "NSAllowsLocalNetworking = true, which settles it"
    if resolution is not None and isinstance(resolution.outcome, Unresolved):
        return _FOR_NAMES.get(resolution.outcome.reason, "")
    tried = (_for_observation(o) for o in observations)
    return next(filter(None, tried), "")


def _for_observation(observation: Observation) -> str:
    if isinstance(observation, Unreachable):
        return _FOR_CONNECTIONS.get(observation.reason, "")
    if isinstance(observation, PlaintextObservation):
        answer = observation.answer
        return _FOR_ANSWERS.get(answer.reason, "") if isinstance(answer, NoAnswer) else ""
    first = observation.experiments[0].outcome if observation.experiments else None
    return _FOR_ANSWERS.get(first.reason, "") if isinstance(first, NoAnswer) else ""
