"""The document of extraction alone: every host, with where it was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from atsprobe.json_v1 import endpoint as endpoints
from atsprobe.json_v1 import extraction, references
from atsprobe.json_v1.audit import SCHEMA_VERSION
from atsprobe.model.app import Bundle, CrossChecks, Extraction, NetworkApiUse
from atsprobe.model.endpoint import Endpoint, Reference, merge
from atsprobe.model.result import HostsResult, exit_code

MAX_OF_ONE_ROW = 20
"""Sightings that are written out of one endpoint; ``sightings`` counts all."""


def encode(result: HostsResult) -> dict[str, Any]:
    """Write the hosts of an extraction, one row an endpoint, and each bundle's dictionary."""
    seen = result.extraction
    rows = merge(result.references)
    unlisted = dict(seen.unlisted)
    return {
        "schema_version": SCHEMA_VERSION,
        "hosts": [_encode_row(endpoint, found, unlisted.get(endpoint, 0)) for endpoint, found in rows.items()],
        "ats": [_encode_ats(bundle) for bundle in seen.bundles],
        "skipped": [extraction.encode_skipped(skipped) for skipped in seen.skipped],
        **extraction.encode_beside(seen),
        "cross_checks": _encode_checks(result.checks),
        "network_apis": [
            {"bundle": bundle, **extraction.encode_network_api(use)} for bundle, use in _network_apis(seen)
        ],
        "summary": {
            "exit_code": int(exit_code(result)),
            "hosts": len({endpoint.host for endpoint in rows}),
            "endpoints": len(rows),
            "references": len(result.references),
            "skipped": len(seen.skipped),
            "unsure": len({r.endpoint.host for r in seen.references} - {endpoint.host for endpoint in rows}),
        },
    }


def _encode_row(endpoint: Endpoint, found: Sequence[Reference], unlisted: int) -> dict[str, Any]:
    """Write an endpoint; its ``kind`` and ``confidence`` are those of the surest sighting, and the surest are written."""
    surest_first = sorted(found, key=lambda reference: reference.confidence.value)
    return {
        **endpoints.encode(endpoint),
        "kind": surest_first[0].kind,
        "confidence": surest_first[0].confidence.value,
        "sightings": len(found) + unlisted,
        "references": [references.encode(reference, endpoint) for reference in surest_first[:MAX_OF_ONE_ROW]],
    }


def _encode_checks(checks: CrossChecks) -> dict[str, Any]:
    return {
        "unmentioned_exceptions": [{"bundle": bundle, "domain": domain} for bundle, domain in checks.unmentioned],
        "hosts_under_exceptions": [{"bundle": c.bundle, "host": c.host, "domain": c.domain} for c in checks.covered],
        "http_only_hosts": list(checks.http_only),
    }


def _network_apis(seen: Extraction) -> Iterator[tuple[str | None, NetworkApiUse]]:
    """Give each network API with the bundle that has it; None outside every bundle."""
    yield from ((None, use) for use in seen.network_apis)
    yield from ((bundle.identifier, use) for bundle in seen.bundles for use in bundle.network_apis)


def _encode_ats(bundle: Bundle) -> dict[str, Any]:
    return {
        "target": bundle.target,
        "bundle": bundle.identifier,
        "file": bundle.info_plist,
        "minimum_os": bundle.minimum_os,
        "linked_sdk": bundle.linked_sdk,
        "build_notes": list(bundle.build_notes),
        **extraction.encode_dictionary(bundle.dictionary),
    }
