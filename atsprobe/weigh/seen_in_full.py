"""Whether everything that a key covers was seen: the condition for every advice to remove or narrow it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from atsprobe.model.app import Load, UrlTemplate
from atsprobe.model.endpoint import Host, InvalidHost, parse_host
from atsprobe.model.recording import IgnoredHost
from atsprobe.weigh.evidence import Evidence
from atsprobe.weigh.scope import Scope


def why_not_seen_in_full(
    scope: Scope,
    evidence: Evidence,
    covered: Sequence[Load],
    *,
    domain: str | None,
    by_pattern: bool,
    reaches: Callable[[Host], bool],
) -> str:
    """Say what was not seen of the loads that a key covers; empty where all was.

    ``by_pattern``: the key covers hosts by rule (subdomains, a network, everything) and not by name, so that hosts not
    found may lie under it. ``reaches`` says whether the key would decide about a host.
    """
    if ignored := ignored_under(scope, evidence, reaches):
        return _why_ignored(ignored)
    if not covered:
        return _why_nothing_is_covered(scope, domain, by_pattern=by_pattern)
    left_out = [a for load in covered for a in evidence.left_out(load.endpoint)]
    if left_out:
        return (
            f"{left_out[0].ip} was left out: this machine has no route to it (--ipv4 or --ipv6 leaves the family out)"
        )
    if not by_pattern or evidence.recording.assume_complete:
        return ""
    return _why_hosts_may_be_missing(scope, evidence, covered, domain, reaches)


def _why_nothing_is_covered(scope: Scope, domain: str | None, *, by_pattern: bool) -> str:
    if by_pattern:
        return "no host that it covers was found"
    if any(load.endpoint.host == domain for load in scope.unknown_to_dns):
        return "DNS knows no address of it, and no URL names it"
    return "nothing that the app loads from it was found"


def ignored_under(scope: Scope, evidence: Evidence, reaches: Callable[[Host], bool]) -> tuple[IgnoredHost, ...]:
    """Give the hosts of a scope that a key would decide about and that the user had left out of the audit."""
    recording = evidence.recording
    return tuple(
        ignored
        for ignored in recording.ignored
        if reaches(ignored.host)
        and any(scope.identifier in recording.extraction.bundles_of(r) for r in ignored.references)
    )


def _why_ignored(ignored: Sequence[IgnoredHost]) -> str:
    first = ignored[0]
    reason = f" ({first.rule.reason})" if first.rule.reason else ""
    if len(ignored) == 1:
        return f"{first.host} is ignored{reason}, so what it needs was not seen"
    more = (
        f" and {len(ignored) - 1} more hosts are ignored" if len(ignored) > 2 else f" and {ignored[1].host} are ignored"
    )
    return f"{first.host}{reason}{more}, so what they need was not seen"


def _why_hosts_may_be_missing(
    scope: Scope, evidence: Evidence, covered: Sequence[Load], domain: str | None, reaches: Callable[[Host], bool]
) -> str:
    if domain is not None and "/" not in domain and all(load.endpoint.host == domain for load in covered):
        return f"no host below {domain} that it decides was found (name them beside the app, or --assume-complete)"
    extraction = evidence.recording.extraction
    bundle = scope.bundle
    if bundle is not None and any(s.target == bundle.target for s in extraction.skipped):
        return "a part of the app was not read, and may name more hosts (--assume-complete says that it does not)"
    template = next((t for t in extraction.templates if _may_fall_under(t, scope, domain)), None)
    if template is not None:
        return "the app fills in a host at run time that may lie under it (--assume-complete says that none does)"
    if any(reaches(host) for host in evidence.recording.not_audited):
        return "hosts found with less confidence were not audited and lie under it (name them, or --assume-complete)"
    return ""


def _may_fall_under(template: UrlTemplate, scope: Scope, domain: str | None) -> bool:
    bundle = scope.bundle
    if bundle is None or (template.bundle or bundle.identifier) != bundle.identifier:
        return False
    if template.bundle is None and template.target != bundle.target:
        return False
    if domain is None or not template.suffix:
        return True
    try:
        suffix = parse_host(template.suffix.lstrip("."))
    except InvalidHost:
        return True
    return suffix == domain or suffix.endswith("." + domain) or domain.endswith("." + suffix)
