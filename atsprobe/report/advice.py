"""Why something could not be judged, and what to try."""

from __future__ import annotations

import ipaddress

from atsprobe.model.endpoint import ip_address_of
from atsprobe.model.handshake import NoAnswer
from atsprobe.model.observation import PlaintextObservation, TlsObservation, Unreachable, Unresolved
from atsprobe.model.result import EndpointResult

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
_PRIVATE = tuple(ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
_UNRESOLVED = {
    "no-such-name": "no such name (NXDOMAIN)",
    "no-addresses": "the name has no address",
    "no-answer": "no name server answered",
    "refused": "the name server refused to answer",
    "invalid": "no name that DNS could answer",
}


def why_not_judged(endpoint: EndpointResult) -> str:
    """Say why a load could not be judged: what became of its name, else what judging says."""
    resolution = endpoint.resolution
    if resolution is not None and isinstance(resolution.outcome, Unresolved):
        told = _UNRESOLVED[resolution.outcome.reason]
        detail = resolution.outcome.detail
        return f"{told}: {detail}" if detail else told
    unknown = (d.reason for d in endpoint.declared if d.verdict == "inconclusive" and d.reason)
    return next(unknown, "") or endpoint.reason


def advice(endpoint: EndpointResult) -> str:
    """Give the option that may settle a load, with ``{server}`` for HOST:PORT; empty where none is known."""
    address = ip_address_of(endpoint.endpoint.host)
    if address is not None and any(address in network for network in _PRIVATE):
        return "NSAllowsLocalNetworking = true, which settles it"
    resolution = endpoint.resolution
    if resolution is not None and isinstance(resolution.outcome, Unresolved):
        return _FOR_NAMES.get(resolution.outcome.reason, "")
    for observation in endpoint.observations:
        found = ""
        if isinstance(observation, Unreachable):
            found = _FOR_CONNECTIONS.get(observation.reason, "")
        elif isinstance(observation, TlsObservation):
            failed = [e.outcome for e in observation.experiments if isinstance(e.outcome, NoAnswer)]
            found = next((_FOR_ANSWERS[o.reason] for o in failed if o.reason in _FOR_ANSWERS), "")
        elif isinstance(observation, PlaintextObservation) and isinstance(observation.answer, NoAnswer):
            found = _FOR_ANSWERS.get(observation.answer.reason, "")
        if found:
            return found
    return ""
