"""What the user wrote down beside the audit: findings accepted for a while, and hosts left out; and which they were."""

from __future__ import annotations

from typing import Any

from atsprobe.json_v1 import endpoint as endpoints
from atsprobe.json_v1 import references
from atsprobe.json_v1.node import Node, or_else
from atsprobe.model.judgement import ExceptionJudgement, StaleWaiver, WaivedKey, WaivedLoad, Waiver
from atsprobe.model.recording import IgnoredHost, IgnoreRule
from atsprobe.model.result import AuditResult, EndpointResult


def encode_waiver(waiver: Waiver) -> dict[str, Any]:
    """Write a waiver as it was given."""
    return {
        "host": waiver.host,
        "domain": waiver.domain,
        "requirement": waiver.requirement,
        "key": waiver.key,
        "bundle": waiver.bundle,
        **_encode_terms(waiver),
        "place": waiver.place,
    }


def _encode_terms(waiver: Waiver) -> dict[str, Any]:
    return {"reason": waiver.reason, "owner": waiver.owner, "expires": waiver.expires.isoformat()}


def encode_waived_load(result: AuditResult, load: EndpointResult) -> dict[str, Any] | None:
    """Write the waiver with which the acceptance of a load ends; null where the load counts, be it in part."""
    waived = result.waived_load(load)
    return _encode_terms(waived.ends_first) if waived is not None and waived.is_whole else None


def encode_waived_key(result: AuditResult, key: ExceptionJudgement) -> dict[str, Any] | None:
    """Write the waiver that accepts the status of a key; null where it counts."""
    waiver = result.waiver_of(key)
    return None if waiver is None else _encode_terms(waiver)


def encode_waivers(result: AuditResult) -> list[dict[str, Any]]:
    """Write every waiver that was at hand: what it accepts, and what is wrong with it."""
    stale = {s.waiver: s for s in result.stale_waivers}
    return [
        {**encode_waiver(waiver), **_encode_standing(result, waiver, stale.get(waiver))} for waiver in result.waivers
    ]


def _encode_standing(result: AuditResult, waiver: Waiver, stale: StaleWaiver | None) -> dict[str, Any]:
    accepts: list[dict[str, Any]] = []
    for waived in result.waived:
        match waived:
            case WaivedLoad():
                if any(w == waiver for _, w in waived.waivers):
                    accepts.append(endpoints.encode(waived.endpoint))
            case WaivedKey():
                if waived.waiver == waiver:
                    accepts.append({"bundle": waived.bundle, "domain": waived.domain, "key": waived.key})
    unused = "in-force" if accepts else "not-concerned"
    return {
        "status": unused if stale is None else stale.problem,
        "accepts": accepts,
        "evidence": "" if stale is None else stale.evidence,
        "advice": "" if stale is None else stale.advice,
    }


def encode_rule(rule: IgnoreRule) -> dict[str, Any]:
    """Write which hosts are left out, and why."""
    return {"pattern": rule.pattern, "reason": rule.reason, "place": rule.place}


def encode_ignored(ignored: IgnoredHost) -> dict[str, Any]:
    """Write a host that was left out, the rule by which it was, and where it was found."""
    return {
        "host": ignored.host,
        **encode_rule(ignored.rule),
        "references": [references.encode(reference) for reference in ignored.references],
    }


def decode_ignored(node: Node) -> IgnoredHost:
    """Read a host that was left out."""
    return IgnoredHost(
        host=node["host"].host(),
        rule=IgnoreRule(
            node["pattern"].text(), node["reason"].text(), or_else(node.get("place"), Node.text, default="")
        ),
        references=tuple(references.decode(n) for n in node["references"].items()),
    )
