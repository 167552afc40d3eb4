"""What was concluded: verdicts, findings, statuses, notices, numbers. Written for readers, never read back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from atsprobe.json_v1 import endpoint as endpoints
from atsprobe.json_v1 import plist_value
from atsprobe.json_v1.resolutions import status
from atsprobe.model.dictionary import ExceptionEntry
from atsprobe.model.judgement import DeclaredVerdict, EndpointFinding, ExceptionJudgement, Finding, Notice
from atsprobe.model.observation import Resolved
from atsprobe.model.result import AuditResult, EndpointResult, exit_code

Fixer = Callable[[EndpointResult, Finding], str]
"""What says how to mend a finding, in words that fit every server; empty where nothing known helps, or nothing is wrong."""


def no_fix(_: EndpointResult, __: Finding) -> str:
    """Know of no finding how to mend it."""
    return ""


def encode_verdicts(row: EndpointResult, fix: Fixer = no_fix) -> dict[str, Any]:
    """Write what is concluded about an endpoint, by default and under each dictionary."""
    https = {}
    if row.endpoint.scheme == "http":
        verdict = None if row.https_verdict is None else row.https_verdict.value
        https = {"https_verdict": verdict, "redirects_to": row.redirects_to}
    return {
        "is_load": row.is_load,
        "resolution": status(row.resolution),
        "verdict": row.verdict.value,
        "verdicts": {profile: verdict.value for profile, verdict in row.verdicts},
        "reason": row.reason,
        "declared_verdict": row.declared_verdict,
        "declared": [_encode_declared(declared) for declared in row.declared],
        **https,
        "findings": [_encode_finding(held, fix(row, held.finding)) for held in row.findings],
        "minimal_exception": _encode_entry(row.minimal_exception),
    }


def _encode_declared(declared: DeclaredVerdict) -> dict[str, Any]:
    return {
        "bundle": declared.bundle,
        "verdict": declared.verdict,
        "verdicts": dict(declared.verdicts),
        "decided_by": declared.decided_by,
        "failing": list(declared.failing),
        "reason": declared.reason,
    }


def _encode_finding(held: EndpointFinding, fix: str) -> dict[str, Any]:
    return {
        "requirement": held.finding.requirement,
        "status": held.finding.status,
        "evidence": held.finding.evidence,
        "citation": held.finding.citation,
        "fixable_by": held.finding.fixable_by,
        "fix": fix or None,
        "addresses": list(dict.fromkeys(address.ip for address in held.addresses)),
    }


def _encode_entry(entry: ExceptionEntry | None) -> Any:
    return None if entry is None else plist_value.encode(entry.to_plist())


def encode_exception(judged: ExceptionJudgement) -> dict[str, Any]:
    """Write the status of a declared key. ``hosts`` are the loads weighed as HOST:PORT, ``loads`` the same with their scheme."""
    return {
        "bundle": judged.bundle,
        "domain": judged.domain,
        "key": judged.key,
        "value": None if judged.value is None else plist_value.encode(judged.value),
        "status": judged.status.value,
        "reason": judged.reason,
        "hosts": list(dict.fromkeys(str(endpoint) for endpoint in judged.hosts)),
        "loads": [endpoints.encode(endpoint) for endpoint in judged.hosts],
        "narrower": judged.narrower,
        "has_exit_weight": judged.has_exit_weight,
        "line": judged.line,
        "ignored": list(judged.ignored),
    }


def encode_minimal(result: AuditResult) -> dict[str, Any]:
    """Write the smallest dictionaries: the Info.plist members of the first bundle, and the dictionary of each."""
    minimal = {m.bundle: plist_value.encode(m.dictionary) for m in result.minimal}
    first = next((b.identifier for b in result.recording.extraction.bundles if b.identifier in minimal), None)
    return {
        "minimal_plist": {"NSAppTransportSecurity": minimal[first]} if first is not None and minimal[first] else {},
        "minimal_plists": [{"bundle": bundle, "dictionary": dictionary} for bundle, dictionary in minimal.items()],
    }


def encode_notice(notice: Notice) -> dict[str, Any]:
    """Write a notice."""
    return {
        "kind": notice.kind,
        "subject": notice.subject,
        "evidence": notice.evidence,
        "to_act_on": notice.to_act_on,
    }


def encode_summary(result: AuditResult) -> dict[str, Any]:
    """Write the numbers. ``findings`` are what makes exit 1: blocked loads, keys with a status to act on, stale waivers."""
    extraction = result.recording.extraction
    inconclusive = sum(1 for e in result.loads if e.declared_verdict == "inconclusive")
    return {
        "exit_code": int(exit_code(result)),
        "findings": result.findings,
        "blocked": len(result.blocked),
        "not_judged": len(result.not_judged) + len(extraction.skipped),
        "inconclusive_loads": inconclusive,
        "unverifiable_keys": len(result.not_judged) - inconclusive,
        "skipped": len(extraction.skipped),
        "accepted": len(result.accepted_loads) + len(result.accepted_keys),
        "stale_waivers": len(result.stale_waivers),
        "ignored": len(result.recording.ignored),
        "bundles": len(extraction.bundles),
        "endpoints": len(result.endpoints),
        "loads": len(result.loads),
        "hosts": len({e.endpoint.host for e in result.endpoints}),
        "addresses": len(_addresses(result)),
        "verdicts": _counted(e.verdict.value for e in result.loads),
        "declared_verdicts": _counted(str(e.declared_verdict) for e in result.loads),
        "exceptions": _counted(e.status.value for e in result.exceptions),
    }


def _addresses(result: AuditResult) -> set[tuple[str, str]]:
    return {
        (e.endpoint.host, address.ip)
        for e in result.endpoints
        if e.resolution is not None and isinstance(e.resolution.outcome, Resolved)
        for address in e.resolution.outcome.addresses
    }


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))
