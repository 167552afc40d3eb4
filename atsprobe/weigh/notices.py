"""What somebody should know that is no requirement of one endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atsprobe.ats.exception_match import meant_host, why_never_matches
from atsprobe.ats.key_effect import counts_as_false, is_address_key, why_ineffective
from atsprobe.ats.local import Locality, address_locality, locality
from atsprobe.ats.profile import ios_profiles, is_at_least
from atsprobe.model.app import Bundle
from atsprobe.model.endpoint import Endpoint, IpAddress, ip_address_of, parse_host
from atsprobe.model.handshake import negotiations
from atsprobe.model.judgement import Notice, Verdict
from atsprobe.model.observation import Resolved, TlsObservation, Unresolved
from atsprobe.model.result import EndpointResult
from atsprobe.weigh.cross_checks import cross_checks
from atsprobe.weigh.evidence import Evidence
from atsprobe.weigh.minimal import CaseVerdict
from atsprobe.weigh.reasons import ip_of, list_of
from atsprobe.weigh.scope import Scope


def of_endpoint(
    endpoint: Endpoint, cases: Sequence[CaseVerdict], evidence: Evidence, scopes: Sequence[Scope]
) -> Iterator[Notice]:
    """Give the notices about one load: addresses, client certificates, the linked SDK."""
    yield from _disagreement(endpoint, cases)
    yield from _versions_disagree(endpoint, cases)
    for address in evidence.left_out(endpoint):
        text = f"{address.ip} takes no part: this machine has no route to it"
        yield Notice("no-route", str(endpoint), text)
    yield from _private_address(endpoint, evidence)
    yield from _client_certificate(endpoint, evidence)
    if locality(endpoint.host) is Locality.LOCAL_ADDRESS:
        text = "Apple's documentation does not say that this address is outside ATS; the name localhost is"
        yield Notice("local-address", str(endpoint), text)
    yield from _linked_sdk(endpoint, cases, scopes)


def _disagreement(endpoint: Endpoint, cases: Sequence[CaseVerdict]) -> Iterator[Notice]:
    for profile in dict.fromkeys(c.client.profile.name for c in cases):
        by_verdict: dict[Verdict, list[str]] = {}
        of_profile = [c for c in cases if c.client.profile.name == profile]
        for case in of_profile:
            by_verdict.setdefault(case.verdict, []).append(ip_of(str(case.judgement.address or "")))
        if len(by_verdict) < 2:
            continue
        odd = min(by_verdict, key=lambda v: (len(by_verdict[v]), list(Verdict).index(v)))
        alone = " alone" if len(by_verdict[odd]) == 1 else ""
        where = ", ".join(by_verdict[odd])
        text = f"{odd} on {where}{alone} ({len(by_verdict[odd])} of {len(of_profile)} addresses)"
        yield Notice("addresses-disagree", str(endpoint), text, to_act_on=True)
        return


def _versions_disagree(endpoint: Endpoint, cases: Sequence[CaseVerdict]) -> Iterator[Notice]:
    """Name the iOS versions on which another verdict holds than on the others."""
    worst: dict[str, Verdict] = {}
    for case in cases:
        title, verdict = case.client.profile.title, case.verdict
        worst[title] = min(worst.get(title, verdict), verdict, key=list(Verdict).index)
    by_verdict: dict[Verdict, list[str]] = {}
    for title, verdict in worst.items():
        by_verdict.setdefault(verdict, []).append(title)
    if len(by_verdict) > 1:
        text = ", ".join(f"{v} on {list_of(by_verdict[v])}" for v in sorted(by_verdict, key=list(Verdict).index))
        yield Notice("versions-disagree", str(endpoint), text)


def _private_address(endpoint: Endpoint, evidence: Evidence) -> Iterator[Notice]:
    resolution = evidence.resolution(endpoint)
    if resolution is None or not isinstance(resolution.outcome, Resolved) or ip_address_of(endpoint.host):
        return
    if resolution.outcome.source != "dns":
        return
    inside = [a.ip for a in resolution.outcome.addresses if address_locality(_ip(a.ip)) is not Locality.PUBLIC_ADDRESS]
    if inside:
        text = f"resolves to {', '.join(inside)}, an address of this network; judged as the public name that it is"
        yield Notice("private-address", str(endpoint), text)


def _ip(text: str) -> IpAddress:
    address = ip_address_of(parse_host(text))
    assert address is not None
    return address


def _client_certificate(endpoint: Endpoint, evidence: Evidence) -> Iterator[Notice]:
    for observation in evidence.observations(endpoint):
        if isinstance(observation, TlsObservation) and any(
            n.wants_client_certificate for n in negotiations(observation.experiments)
        ):
            text = "asks for a client certificate; that is outside ATS, and the app must bring one"
            yield Notice("client-certificate", str(endpoint), text)
            return


def _linked_sdk(endpoint: Endpoint, cases: Sequence[CaseVerdict], scopes: Sequence[Scope]) -> Iterator[Notice]:
    """A server below TLS 1.2 needs more than the key in an app that is linked with a recent SDK."""
    failing = {f.requirement for c in cases for f in c.judgement.findings if f.status == "fail"}
    below = any(c.verdict is Verdict.EXCEPTION_REQUIRED for c in cases) and "tls-version" in failing
    for client in (c for s in scopes for c in s.clients):
        since = client.profile.sdk_default_floor
        if below and since is not None and is_at_least(client.linked_sdk, since):
            text = (
                f"an app linked with SDK {'.'.join(map(str, since))} or later also needs "
                "tlsMinimumSupportedProtocolVersion in code; the key alone is unproved there"
            )
            yield Notice("linked-sdk", str(endpoint), text)
            return


def of_redirect(result: EndpointResult, verdicts: dict[str, Verdict]) -> Iterator[Notice]:
    """Give the notice of an http load that is sent on to another host, which is not followed."""
    target = result.redirects_to
    if target is None or result.endpoint.scheme != "http":
        return
    host = meant_host(target)
    if host is None or host == result.endpoint.host:
        return
    known = verdicts.get(host)
    text = f"sends on to {target}, which is judged by its own name" + (f": {known}" if known else "")
    yield Notice("redirects-elsewhere", str(result.endpoint), text)


def _idle_entries(scope: Scope, bundle: Bundle) -> Iterator[Notice]:
    """An entry is one for Apple's client even where it reads none of its keys: the globals no longer reach the host."""
    ineffective: dict[str, list[bool]] = {}
    readers = [p for p in scope.profiles if p.reads_exceptions]
    reads_addresses = any(not p.exempts_ip_addresses for p in readers)
    for key in bundle.dictionary.declared_keys() if readers else ():
        if key.domain is None or key.key is None or (is_address_key(key.domain) and not reads_addresses):
            continue
        if why_never_matches(key.domain) is None:
            problem = why_ineffective(key, bundle.dictionary, scope.profiles)
            ineffective.setdefault(key.domain, []).append(problem is not None)
    for domain, problems in ineffective.items():
        if all(problems):
            text = "none of its keys is read, and yet the entry counts: full App Transport Security for the host"
            yield Notice("entry-without-effect", domain, text)


def _numbers_for_false(scope: Scope, bundle: Bundle) -> Iterator[Notice]:
    """A number that counts as false does what false does, and its status says so; but it is no boolean."""
    for key in bundle.dictionary.declared_keys():
        text = counts_as_false(key)
        if text is not None and why_ineffective(key, bundle.dictionary, scope.profiles) is None:
            yield Notice("counts-as-false", " ".join(filter(None, (key.domain, key.key))), text, to_act_on=True)


def _final_dots(scope: Scope) -> Iterator[Notice]:
    """An entry for the name without the dot is for another host: what the keys of that entry do is not what the URL gets."""
    match = scope.resolvers()[-1].match
    for load in scope.loads:
        host = load.endpoint.host
        if any(written != host and match(written) != match(host) for written in load.hosts_as_written):
            text = "a URL writes the host with a dot at its end, which no key without one is for: take the dot away"
            yield Notice("final-dot", str(load.endpoint), text, to_act_on=True)


def of_scope(scope: Scope, evidence: Evidence) -> Iterator[Notice]:
    """Give the notices about a bundle: entries without effect, numbers for booleans, domains that do not exist, older iOS."""
    bundle = scope.bundle
    if bundle is None:
        return
    yield from _idle_entries(scope, bundle)
    for identifier, domain in cross_checks(evidence.recording.extraction).unmentioned:
        if identifier == bundle.identifier:
            yield Notice(
                "unmentioned-exception", domain, "no string of the app names it, or a host that it decides about"
            )
    yield from _numbers_for_false(scope, bundle)
    yield from _final_dots(scope)
    declared = {meant_host(domain) for domain in bundle.dictionary.entries}
    known = {
        r.host for r in evidence.recording.resolutions if isinstance(r.outcome, Resolved)
    }  # by --resolve, on some port
    for load in (*scope.loads, *scope.unknown_to_dns):
        resolution = evidence.resolution(load.endpoint)
        outcome = resolution.outcome if resolution else None
        gone = isinstance(outcome, Unresolved) and outcome.reason == "no-such-name" and load.endpoint.host not in known
        if gone and load.endpoint.host in declared:
            text = "declared, but no such name (NXDOMAIN); whoever registers it inherits the exception"
            yield Notice("declared-domain-does-not-exist", str(load.endpoint.host), text, to_act_on=True)
        elif gone and not load.is_named:
            yield Notice("no-such-name", str(load.endpoint.host), "no such name (NXDOMAIN), and no URL names it")
    oldest = ios_profiles()[0]
    if bundle.minimum_os and not is_at_least(bundle.minimum_os, oldest.order):
        text = f"runs on iOS {bundle.minimum_os} too; versions before {oldest.title} are not judged"
        yield Notice("older-ios", bundle.identifier, text)
    for note in bundle.build_notes:
        yield Notice("build-metadata", bundle.identifier, note)
