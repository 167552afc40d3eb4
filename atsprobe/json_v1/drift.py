"""The document of two audits compared."""

from __future__ import annotations

from typing import Any

from atsprobe.json_v1 import endpoint as endpoints
from atsprobe.json_v1 import instant, plist_value
from atsprobe.json_v1.audit import SCHEMA_VERSION
from atsprobe.model.drift import Change, PinAtRisk
from atsprobe.model.result import AuditResult, DriftResult, exit_code


def encode(result: DriftResult) -> dict[str, Any]:
    """Write what differs. The numbers of ``summary`` count loads and keys, of which each may have several changes."""
    return {
        "schema_version": SCHEMA_VERSION,
        "profiles": [profile.name for profile in result.new.profiles],
        "trust": result.new.trust_title,
        "sdk": result.new.sdk,
        "old": _encode_audit(result.old),
        "new": _encode_audit(result.new),
        "summary": {
            "exit_code": int(exit_code(result)),
            "worse": len(result.about("worse")),
            "better": len(result.about("better")),
            "unknown": len(result.about("unknown")),
            "notes": len(result.about("note")),
            "pins_at_risk": len(result.pins),
        },
        "changes": [_encode_change(change) for change in result.changes],
        "pins": [_encode_pin(pin) for pin in result.pins],
    }


def _encode_audit(audit: AuditResult) -> dict[str, Any]:
    return {
        "started_at": instant.encode(audit.recording.started_at),
        "finished_at": instant.encode(audit.recording.finished_at),
        "bundles": [
            {"identifier": b.identifier, "version": b.version, "build": b.build}
            for b in audit.recording.extraction.bundles
        ],
        "loads": len(audit.loads),
    }


def _encode_change(change: Change) -> dict[str, Any]:
    """Write a change; ``before`` and ``after`` are null where the thing was not there."""
    return {
        "kind": change.kind,
        "effect": change.effect,
        "before": str(change.before) or None,
        "after": str(change.after) or None,
        "evidence": change.evidence,
        "bundle": change.bundle,
        "endpoint": None if change.endpoint is None else endpoints.encode(change.endpoint),
        "domain": change.domain,
        "key": change.key,
        "value": None if change.value is None else plist_value.encode(change.value),
        "requirement": change.requirement,
    }


def _encode_pin(pin: PinAtRisk) -> dict[str, Any]:
    return {"bundle": pin.bundle, "host": pin.host, "key": pin.key, "risk": pin.risk, "evidence": pin.evidence}
