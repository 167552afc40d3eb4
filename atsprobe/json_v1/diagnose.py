"""The document of diagnoses: the rows of ``nscurl --ats-diagnostics`` for hosts, as data."""

from __future__ import annotations

from typing import Any

from atsprobe.json_v1 import extraction, instant, plist_value
from atsprobe.json_v1.audit import SCHEMA_VERSION
from atsprobe.model.diagnosis import Diagnosis, DiagnosticRow
from atsprobe.model.result import DiagnoseResult, exit_code


def encode(result: DiagnoseResult) -> dict[str, Any]:
    """Write the tables, one element of ``hosts`` for each endpoint and profile."""
    recording = result.recording
    return {
        "schema_version": SCHEMA_VERSION,
        "started_at": instant.encode(recording.started_at),
        "finished_at": instant.encode(recording.finished_at),
        "roots": result.trust_title,
        "hosts": [_encode_diagnosis(diagnosis) for diagnosis in result.diagnoses],
        "skipped": [extraction.encode_skipped(skipped) for skipped in recording.extraction.skipped],
        "summary": {
            "exit_code": int(exit_code(result)),
            "hosts": len({d.endpoint for d in result.diagnoses}),
            "failing": len(result.failing),
            "not_judged": len(result.not_judged),
            "skipped": len(recording.extraction.skipped),
        },
    }


def _encode_diagnosis(diagnosis: Diagnosis) -> dict[str, Any]:
    smallest = diagnosis.minimal_exception
    return {
        "host": diagnosis.endpoint.host,
        "port": diagnosis.endpoint.port,
        "profile": diagnosis.client.profile.name,
        "linked_sdk": diagnosis.client.linked_sdk,
        "verdict": str(diagnosis.verdict),
        "minimal_exception": None if smallest is None else plist_value.encode(smallest.to_plist()),
        "app_review_asks_for": list(diagnosis.justified),
        "needs_code": diagnosis.needs_code,
        "addresses": [{"address": a.ip, "connections": diagnosis.connections(a)} for a in diagnosis.addresses],
        "addresses_agree": diagnosis.addresses_agree,
        "rows": [_encode_row(row) for row in diagnosis.rows],
    }


def _encode_row(row: DiagnosticRow) -> dict[str, Any]:
    """Write a row; ``addresses`` are those that have its result."""
    return {
        "section": row.test.section,
        "label": row.test.label,
        "dictionary": plist_value.encode(row.test.dictionary),
        "tried_by_nscurl": row.test.is_nscurls,
        "result": row.result,
        "error_code": row.error.code if row.error else None,
        "stream_error_code": row.error.stream_code if row.error else None,
        "failing": [str(finding.requirement) for finding in row.failing],
        "reason": row.reason,
        "remark": row.remark,
        "addresses": [a.ip for a in row.addresses],
    }
