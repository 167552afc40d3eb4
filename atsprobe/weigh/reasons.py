"""The sentence behind each status: what was seen, in words that a pull request can carry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from atsprobe.ats.key_effect import ALLOWS_HTTP, LOCAL_NETWORKING, MEDIA, SUBDOMAINS, WEB_CONTENT
from atsprobe.model.dictionary import DeclaredKey
from atsprobe.model.endpoint import Endpoint, Line, PlistKey, Reference
from atsprobe.model.handshake import negotiations
from atsprobe.model.judgement import ExceptionStatus
from atsprobe.model.observation import TlsObservation
from atsprobe.weigh.evidence import Evidence
from atsprobe.weigh.scope import Scope
from atsprobe.weigh.weighed import Weighed, WeighedCase


@dataclass(frozen=True)
class Ground:
    """What a status rests on. ``blind`` says what was not seen, empty where all was.

    ``passes_by_default``: every covered case works without any relaxation of the dictionary.
    """

    scope: Scope
    evidence: Evidence
    key: DeclaredKey
    weighed: Weighed
    blind: str
    passes_by_default: bool


def for_status(status: ExceptionStatus, ground: Ground) -> str:
    """Give the sentence for a status that weighing gave."""
    match status:
        case ExceptionStatus.UNNEEDED:
            return _unneeded(ground)
        case ExceptionStatus.REPLACEABLE:
            return _replaceable(ground)
        case ExceptionStatus.NEEDED:
            return _needed(ground)
        case ExceptionStatus.INSUFFICIENT:
            return _insufficient(ground)
        case _:
            return _unverifiable(ground)


def cannot_be_seen(key: DeclaredKey) -> str:
    """Say why no scan can tell whether a key is used."""
    seen = {
        WEB_CONTENT: "for web views alone; static analysis cannot tell which loads use it",
        MEDIA: "for AVFoundation alone; static analysis cannot tell which loads use it",
        LOCAL_NETWORKING: "for hosts of the network that the device is in; no scan from here can tell",
    }
    return seen.get(key.key or "", "for an address of the network that the device is in; no scan from here can tell")


def strict(key: DeclaredKey, blocked: Sequence[Endpoint]) -> str:
    """Say what a key that relaxes nothing does, and what it blocks."""
    if blocked:
        return f"relaxes nothing, and blocks {_names(blocked)}"
    if key.key is None:
        return "an empty entry: full default ATS for the host"
    if key.key == SUBDOMAINS:
        return "relaxes nothing by itself"
    return "tightens, or writes out what holds anyway"


def narrower_than_subdomains(weighed: Weighed, itself: Sequence[Endpoint]) -> str:
    """Say which exact hosts would do in place of NSIncludesSubdomains."""
    hosts = {c.endpoint.host for c in weighed.cases} | {e.host for e in itself}
    return _of_hosts(len(hosts), [str(h) for h in weighed.hosts_in_need])


def entries_instead(weighed: Weighed) -> str:
    """Say which entries would do in place of NSAllowsArbitraryLoads."""
    hosts = {c.endpoint.host for c in weighed.cases}
    return _of_hosts(len(hosts), [str(h) for h in weighed.hosts_in_need])


def _of_hosts(total: int, needing: Sequence[str]) -> str:
    if not needing:
        return "no host needs it"
    name = "name that one" if len(needing) == 1 else "name those"
    verb = "needs" if len(needing) == 1 else "need"
    if total == len(needing):
        return f"{list_of(needing)} {verb} it: {name}"
    return f"of {total} hosts that it covers only {list_of(needing)} {verb} it: {name}"


def _unneeded(ground: Ground) -> str:
    weighed = ground.weighed
    if not ground.passes_by_default:
        return "the entry's other keys are enough"
    outside = {c.judged_without.reason for c in weighed.cases if c.judged_without.outcome == "exempt"}
    if outside and all(c.judged_without.outcome == "exempt" for c in weighed.cases):
        return f"outside App Transport Security without it ({list_of(sorted(outside))})"
    text = f"{_addresses_pass(ground)} default ATS{_negotiated(ground)}"
    if ground.key.key == ALLOWS_HTTP and all(load.endpoint.scheme == "https" for load in weighed.loads):
        return f"no http:// URL found; {text}"
    return text


def _addresses_pass(ground: Ground) -> str:
    endpoints = _endpoints(ground.weighed.cases)
    if len(endpoints) > 1:
        return f"all {len(endpoints)} servers pass"
    addresses = len({c.address for c in ground.weighed.cases})
    return {1: "the server passes", 2: "both addresses pass"}.get(addresses, f"all {addresses} addresses pass")


def _negotiated(ground: Ground) -> str:
    versions: set[str] = set()
    for endpoint in _endpoints(ground.weighed.cases):
        for observation in ground.evidence.observations(endpoint):
            if isinstance(observation, TlsObservation) and (made := negotiations(observation.experiments)):
                versions.add(made[0].version.title)
    return f" ({', '.join(sorted(versions, reverse=True))})" if versions else ""


def _replaceable(ground: Ground) -> str:
    places = [
        f"{r.text} in {place(r)}"
        for load in ground.weighed.loads
        for r in load.references
        if load.endpoint.scheme == "http" and r.kind in ("url", "command-line", "redirect", "configuration")
    ]
    passes = "https:// passes default ATS"
    more = f", and {len(places) - 3} more places" if len(places) > 3 else ""
    return f"{'; '.join(places[:3])}{more}: {passes}" if places else passes


def place(reference: Reference) -> str:
    """Give the place of a sighting: ``FILE:LINE`` where a line is known, else the file and the location in it."""
    location = reference.location
    file = reference.file or reference.target
    if reference.kind == "command-line":
        return "the command line"
    if isinstance(location, Line):
        return f"{file}:{location.number}"
    if isinstance(location, PlistKey):
        return f"{file}:{location.line}" if location.line else f"{file} {location.path}"
    return f"{file} {location}"


def _needed(ground: Ground) -> str:
    needing = [c for c in ground.weighed.cases if c.needs_key]
    if ground.key.key == ALLOWS_HTTP:
        text = "; ".join(dict.fromkeys(_http_needed(ground, c.endpoint) for c in needing))
    elif len({c.endpoint.host for c in needing}) > 1:
        text = f"{_names(_endpoints(needing))} need it"
    else:
        text = "; ".join(dict.fromkeys(c.why_fails for c in needing if c.why_fails)) or "the server needs it"
        text += _on_addresses([c for c in ground.weighed.cases if c.endpoint in _endpoints(needing)], needing)
        if len(_endpoints(ground.weighed.cases)) > 1:
            text = f"{_names(_endpoints(needing))}: {text}"
    return text + _for_profiles(ground.scope, needing)


def _http_needed(ground: Ground, endpoint: Endpoint) -> str:
    if endpoint.scheme == "https":
        return f"{endpoint} needs it"
    return f"{endpoint.host} answers http://, {ground.evidence.why_not_https(endpoint)}"


def _on_addresses(cases: Sequence[WeighedCase], needing: Sequence[WeighedCase]) -> str:
    everywhere = {c.address for c in cases}
    here = sorted({c.address for c in needing})
    if len(everywhere) < 2:
        return ""
    if len(here) == len(everywhere):
        return " on both addresses" if len(here) == 2 else f" on all {len(here)} addresses"
    alone = " alone" if len(here) == 1 else ""
    return f" on {list_of([ip_of(a) for a in here])}{alone} ({len(here)} of {len(everywhere)} addresses)"


def ip_of(address: str) -> str:
    """Give the IP of an address written with its port."""
    host, colon, port = address.rpartition(":")
    return host.strip("[]") if colon and port.isdigit() else address


def _for_profiles(scope: Scope, needing: Sequence[WeighedCase]) -> str:
    if len(scope.profiles) < 2:
        return ""
    names = {c.profile for c in needing}
    titles = [p.title for p in scope.profiles if p.name in names]
    return f"; {list_of(titles)} {'needs' if len(titles) == 1 else 'need'} it"


def _insufficient(ground: Ground) -> str:
    failing = [c for c in ground.weighed.cases if c.with_key is False]
    why = "; ".join(dict.fromkeys(c.why_fails_with for c in failing if c.why_fails_with))
    return f"{_names(_endpoints(failing))} is blocked even with it{': ' if why else ''}{why}" if failing else why


def _unverifiable(ground: Ground) -> str:
    unknown = [c for c in ground.weighed.cases if c.with_key is None or c.without_key is None]
    if not unknown or not ground.weighed.is_judged:
        reasons = "; ".join(dict.fromkeys(c.why_unknown for c in unknown if c.why_unknown))
        if reasons:
            return reasons
    weighed = _what_was_weighed(ground)
    blind = ground.blind or "what it covers could not be judged"
    return f"{blind}{'; ' if weighed else ''}{weighed}"


def _what_was_weighed(ground: Ground) -> str:
    hosts = _endpoints(ground.weighed.cases)
    if not hosts:
        return ""
    needing = {c.endpoint for c in ground.weighed.cases if c.needs_key}
    shown = [f"{e} {'needs it' if e in needing else 'does not need it'}" for e in hosts[:3]]
    more = f" and {len(hosts) - 3} more" if len(hosts) > 3 else ""
    return f"weighed: {', '.join(shown)}{more}"


def _endpoints(cases: Iterable[WeighedCase]) -> list[Endpoint]:
    return list(dict.fromkeys(c.endpoint for c in cases))


def _names(endpoints: Sequence[Endpoint]) -> str:
    names = list(dict.fromkeys(str(e.host) for e in endpoints))
    return list_of(names[:4]) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def list_of(names: Sequence[str]) -> str:
    """Join names: ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""
