"""The document of a chain from files: the verdict of each profile, the findings, the path that counts."""

from __future__ import annotations

from typing import Any

from atsprobe.json_v1 import instant
from atsprobe.json_v1.audit import SCHEMA_VERSION
from atsprobe.json_v1.certificates import CertificateWriter
from atsprobe.model.result import CertificateFinding, CertificateResult, exit_code


def encode(result: CertificateResult) -> dict[str, Any]:
    """Write what is concluded about a chain. ``certificates`` are the path, the leaf first."""
    writer = CertificateWriter()
    return {
        "schema_version": SCHEMA_VERSION,
        "host": result.host,
        "files": list(result.files),
        "at": instant.encode(result.at),
        "profile": max(result.profiles, key=lambda profile: profile.order).name,
        "profiles": [profile.name for profile in result.profiles],
        "verdict": result.verdict,
        "verdicts": dict(result.verdicts),
        "findings": [_encode_finding(held) for held in result.findings],
        "certificates": [writer.encode(certificate) for certificate in result.path],
        "anchor": result.anchor,
        "trust": result.trust_title,
        "summary": {
            "exit_code": int(exit_code(result)),
            "findings": len(result.failing),
            "not_judged": len(result.not_judged),
        },
    }


def _encode_finding(held: CertificateFinding) -> dict[str, Any]:
    return {
        "requirement": held.finding.requirement,
        "status": held.finding.status,
        "evidence": held.finding.evidence,
        "citation": held.finding.citation,
        "fixable_by": held.finding.fixable_by,
        "profiles": list(held.profiles),
    }
