"""The document of what an Info.plist demands: each host under each dictionary and client, and each declared key."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from atsprobe.json_v1 import extraction, plist_value
from atsprobe.json_v1.audit import SCHEMA_VERSION
from atsprobe.model.policy import KeyNote, PinnedIdentities, Policy, PolicyWarning, Profile
from atsprobe.model.result import BundlePolicy, PolicyResult, exit_code


def encode(result: PolicyResult) -> dict[str, Any]:
    """Write what is demanded. A host has a row for each bundle and profile; rows stand in that order."""
    profiles = list(dict.fromkeys(client.profile for of_bundle in result.bundles for client in of_bundle.clients))
    return {
        "schema_version": SCHEMA_VERSION,
        "plist": result.plist,
        "profile": _newest(profiles),
        "profiles": [profile.name for profile in profiles],
        "hosts": [
            _encode_policy(policy, of_bundle.bundle.identifier)
            for of_bundle in result.bundles
            for policy in of_bundle.policies
        ],
        "keys": [
            _encode_key(note, of_bundle.bundle.identifier) for of_bundle in result.bundles for note in of_bundle.keys
        ],
        "bundles": [_encode_bundle(of_bundle) for of_bundle in result.bundles],
        "skipped": [extraction.encode_skipped(skipped) for skipped in result.skipped],
        "summary": {
            "exit_code": int(exit_code(result)),
            "hosts": len({p.host for of_bundle in result.bundles for p in of_bundle.policies}),
            "findings": len(result.ineffective),
            "not_judged": len(result.unverifiable) + len(result.skipped),
        },
    }


def _newest(profiles: Sequence[Profile]) -> str | None:
    versions = [profile for profile in profiles if profile.selectable_as_ios] or list(profiles)
    return max(versions, key=lambda profile: profile.order).name if versions else None


def _encode_policy(policy: Policy, bundle: str) -> dict[str, Any]:
    """Write what is demanded of a host; null where Apple's documents contradict each other about it."""
    unknown = policy.contested and policy.ats_enforced
    floor = None if policy.floor_is_unknown else policy.minimum_tls_version
    return {
        "host": policy.host,
        "bundle": bundle,
        "profile": policy.client.profile.name,
        "linked_sdk": policy.client.linked_sdk,
        "ats_enforced": None if unknown else policy.ats_enforced,
        "exempt": policy.exempt,
        "http_allowed": None if unknown else policy.http_allowed,
        "http_is_loaded_as_https": policy.http_is_loaded_as_https,
        "minimum_tls_version": None if floor is None else floor.label,
        "forward_secrecy_required": policy.forward_secrecy_required,
        "extended_master_secret_required": policy.requires_extended_master_secret,
        "tls_versions": [version.label for version in policy.offer.versions if version not in policy.unproved_versions],
        "cipher_suites": [suite for suite in policy.offered_suites if suite not in policy.unproved],
        "unproved_tls_versions": [v.label for v in policy.offer.versions if v in policy.unproved_versions],
        "unproved_cipher_suites": [suite for suite in policy.offered_suites if suite in policy.unproved],
        "groups": list(policy.offer.groups),
        "signature_algorithms": list(policy.offer.signature_algorithms),
        "pins": _encode_pins(policy.pins),
        "matched_exception": policy.matched_exception,
        "decided_by": policy.decided_by,
        "warnings": [_encode_warning(warning) for warning in policy.warnings],
    }


def _encode_pins(pins: PinnedIdentities | None) -> dict[str, Any] | None:
    """Write the hashes that a path has to hold, as NSPinnedDomains has them; null where a list asks nothing."""
    if pins is None:
        return None
    lists = {"ca": pins.ca, "leaf": pins.leaf}
    return {k: None if v is None else [base64.b64encode(d).decode() for d in v] for k, v in lists.items()}


def _encode_warning(warning: PolicyWarning) -> dict[str, Any]:
    return {"kind": warning.kind, "domain": warning.domain, "key": warning.key, "text": warning.text}


def _encode_key(note: KeyNote, bundle: str) -> dict[str, Any]:
    return {
        "bundle": bundle,
        "domain": note.domain,
        "key": note.key,
        "value": None if note.value is None else plist_value.encode(note.value),
        "status": note.standing,
        "reason": note.reason,
        "effect": note.effect,
        "app_review_asks": note.wants_justification,
        "warnings": [_encode_warning(warning) for warning in note.warnings],
        "line": note.line,
    }


def _encode_bundle(of_bundle: BundlePolicy) -> dict[str, Any]:
    bundle = of_bundle.bundle
    return {
        "identifier": bundle.identifier,
        "target": bundle.target,
        "info_plist": bundle.info_plist,
        **extraction.encode_dictionary(bundle.dictionary),
        "minimum_os": bundle.minimum_os,
        "linked_sdk": bundle.linked_sdk,
        "profiles": [client.profile.name for client in of_bundle.clients],
    }
