"""The document of an audit, and back to the recording that it was concluded from.

What was seen stands where readers look for it (bundles, references, addresses) and is read back from there; conclusions
are written beside it and never read back. ``index`` members keep the order of what stands under several endpoints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from atsprobe.json_v1 import conclusions, extraction, instant, observations, references, resolutions, waivers
from atsprobe.json_v1 import endpoint as endpoints
from atsprobe.json_v1.certificates import CertificateReader, CertificateWriter
from atsprobe.json_v1.node import Node, or_else, or_none
from atsprobe.json_v1.problem import DocumentProblem
from atsprobe.model.app import Bundle, Extraction
from atsprobe.model.certificate import Certificate
from atsprobe.model.endpoint import Endpoint, Reference
from atsprobe.model.observation import Observation, Resolved
from atsprobe.model.policy import Profile
from atsprobe.model.recording import Recording
from atsprobe.model.result import AuditResult, EndpointResult

__all__ = ["DocumentProblem", "JudgedAs", "decode", "encode", "judged_as"]

SCHEMA_VERSION = "1"
_FAMILIES = ("ipv4", "ipv6")
_LARGEST_INDEX = 1 << 31


def encode(result: AuditResult, fix: conclusions.Fixer = conclusions.no_fix) -> dict[str, Any]:
    """Write an audit: everything that was seen, and what was concluded. ``fix`` says how to mend a finding."""
    recording, rows = result.recording, _Rows(result.recording, fix)
    return {
        "schema_version": SCHEMA_VERSION,
        "profile": _newest(result.profiles),
        "profiles": [profile.name for profile in result.profiles],
        "started_at": instant.encode(recording.started_at),
        "finished_at": instant.encode(recording.finished_at),
        "interrupted": recording.interrupted,
        "summary": conclusions.encode_summary(result),
        "bundles": [extraction.encode_bundle(bundle) for bundle in recording.extraction.bundles],
        "endpoints": [
            {**rows.encode(row), "waived": waivers.encode_waived_load(result, row)} for row in result.endpoints
        ],
        "exceptions": [
            {**conclusions.encode_exception(judged), "waived": waivers.encode_waived_key(result, judged)}
            for judged in result.exceptions
        ],
        "waivers": waivers.encode_waivers(result),
        "ignored": [waivers.encode_ignored(ignored) for ignored in recording.ignored],
        **conclusions.encode_minimal(result),
        "notices": [conclusions.encode_notice(notice) for notice in result.notices],
        "skipped": [extraction.encode_skipped(skipped) for skipped in recording.extraction.skipped],
        "trust": result.trust_title,
        "sdk": result.sdk,
        "ios": list(result.ios),
        "mode": result.mode,
        "quick": recording.quick,
        "assume_complete": recording.assume_complete,
        "families": list(recording.families),
        "not_audited": list(recording.not_audited),
        "installed_roots": [rows.certificates.encode(Certificate(der)) for der in recording.installed_roots],
        "resolutions": [resolutions.encode(resolution) for resolution in recording.resolutions],
        "other_observations": rows.other_observations(),
        "other_references": rows.other_references(),
        **extraction.encode_beside(recording.extraction),
        "network_apis": [extraction.encode_network_api(use) for use in recording.extraction.network_apis],
    }


def _newest(profiles: Sequence[Profile]) -> str | None:
    """Give the newest iOS profile judged, else the mode judged; None where nothing was."""
    versions = [profile for profile in profiles if profile.selectable_as_ios] or list(profiles)
    return max(versions, key=lambda profile: profile.order).name if versions else None


class _Rows:
    """Writes endpoints with what was seen of them, and knows what stood under none."""

    def __init__(self, recording: Recording, fix: conclusions.Fixer) -> None:
        self.certificates = CertificateWriter()
        self._fix = fix
        self._references = recording.extraction.references
        self._index: dict[Reference, int] = {}
        for i, reference in enumerate(self._references):
            self._index.setdefault(reference, i)
        self._seen: dict[Endpoint, list[tuple[int, Observation]]] = {}
        for i, observation in enumerate(recording.observations):
            self._seen.setdefault(observation.endpoint, []).append((i, observation))
        self._written_references: set[int] = set()
        self._written_endpoints: set[Endpoint] = set()

    def encode(self, row: EndpointResult) -> dict[str, Any]:
        return {
            **endpoints.encode(row.endpoint),
            "references": [self._reference(reference, row.endpoint) for reference in row.references],
            **conclusions.encode_verdicts(row, self._fix),
            "addresses": list(self._addresses(row)),
        }

    def _reference(self, reference: Reference, row: Endpoint) -> dict[str, Any]:
        """Write a sighting with its index; null for one learnt by looking (a redirect), which judging again finds again."""
        index = self._index.get(reference)
        if index is not None:
            self._written_references.add(index)
        return {**references.encode(reference, row), "index": index}

    def _addresses(self, row: EndpointResult) -> Iterator[dict[str, Any]]:
        self._written_endpoints.add(row.endpoint)
        seen = self._seen.get(row.endpoint, [])
        for i, observation in seen:
            yield observations.encode(observation, i, self.certificates)
        if row.resolution is not None and isinstance(row.resolution.outcome, Resolved):
            looked_at = {observation.address.ip for _, observation in seen}
            for address in row.resolution.outcome.addresses:
                if address.ip not in looked_at:
                    yield observations.encode_not_looked_at(address)

    def other_observations(self) -> list[dict[str, Any]]:
        """Write what was seen of endpoints that are no row: https counterparts and redirect targets."""
        return [
            {**endpoints.encode(endpoint), **observations.encode(observation, i, self.certificates)}
            for endpoint, seen in self._seen.items()
            if endpoint not in self._written_endpoints
            for i, observation in seen
        ]

    def other_references(self) -> list[dict[str, Any]]:
        """Write the sightings that stand under no row."""
        return [
            {**references.encode(reference), "index": i}
            for i, reference in enumerate(self._references)
            if i not in self._written_references
        ]


def decode(document: object) -> Recording:
    """Read the recording in an audit's document; conclusions are not read.

    Members added since ``schema_version`` 1 began may be absent, members not known are passed over. Raises DocumentProblem, whose
    one line names the JSON path and what is wrong there.
    """
    node = Node(document)
    _check_version(node)
    rows = [(endpoints.decode(row), row) for row in node["endpoints"].items()]
    return Recording(
        extraction=_decode_extraction(node, rows),
        resolutions=tuple(resolutions.decode(n) for n in node["resolutions"].items()),
        observations=_decode_observations(node, rows),
        installed_roots=tuple(CertificateReader().decode(n).der for n in node["installed_roots"].items()),
        started_at=node["started_at"].time(),
        finished_at=node["finished_at"].time(),
        interrupted=or_else(node.get("interrupted"), Node.flag, default=False),
        assume_complete=or_else(node.get("assume_complete"), Node.flag, default=False),
        families=or_else(node.get("families"), _decode_families, default=_FAMILIES),
        not_audited=tuple(n.host() for n in _items(node, "not_audited")),
        quick=or_else(node.get("quick"), Node.flag, default=False),
        ignored=tuple(waivers.decode_ignored(n) for n in _items(node, "ignored")),
    )


@dataclass(frozen=True)
class JudgedAs:
    """The clients that the user asked for: iOS versions, a profile by name, a linked SDK; each empty where none was named."""

    ios: tuple[str, ...]
    mode: str | None
    sdk: str | None


def judged_as(document: object) -> JudgedAs:
    """Give the clients that the user asked for in the audit of a document. Raises DocumentProblem."""
    node = Node(document)
    return JudgedAs(
        ios=tuple(n.name() for n in _items(node, "ios")),
        mode=or_none(node.get("mode"), Node.name),
        sdk=or_none(node.get("sdk"), Node.name),
    )


def _check_version(node: Node) -> None:
    version = node["schema_version"]
    if version.value != SCHEMA_VERSION:
        shown = ascii(version.value)[:40] if isinstance(version.value, str | int) else "something else"
        raise version.problem(f"is {shown}; this atsprobe reads {SCHEMA_VERSION!r}")
    if node.get("started_at") is None:
        raise node.problem(
            "no audit: the members of `atsprobe audit --format json` are not there (started_at is missing)"
        )


def _items(node: Node, key: str) -> list[Node]:
    """Give the items of an array that documents written before it was added do not have."""
    return or_else(node.get(key), Node.items, default=[])


def _decode_families(node: Node) -> tuple[str, ...]:
    return tuple(family.choice(_FAMILIES) for family in node.items(len(_FAMILIES)))


def _decode_extraction(node: Node, rows: Sequence[tuple[Endpoint, Node]]) -> Extraction:
    noise = node.get("noise")
    return Extraction(
        bundles=_decode_bundles(node["bundles"]),
        references=_decode_references(node, rows),
        skipped=tuple(extraction.decode_skipped(n) for n in node["skipped"].items()),
        noise=() if noise is None else tuple(references.decode(n) for n in noise["references"].items()),
        templates=tuple(extraction.decode_template(n) for n in _items(node, "templates")),
        files_read=or_else(node.get("files_read"), lambda n: n.integer(0, 1 << 62), default=0),
        network_apis=tuple(extraction.decode_network_api(n) for n in _items(node, "network_apis")),
    )


def _decode_bundles(nodes: Node) -> tuple[Bundle, ...]:
    bundles: dict[str, Bundle] = {}
    for node in nodes.items():
        bundle = extraction.decode_bundle(node)
        if bundle.identifier in bundles:
            raise node["identifier"].problem("is that of an earlier bundle")
        bundles[bundle.identifier] = bundle
    return tuple(bundles.values())


def _decode_references(node: Node, rows: Sequence[tuple[Endpoint, Node]]) -> tuple[Reference, ...]:
    found: dict[int, Reference] = {}
    for endpoint, row in rows:
        for n in row["references"].items():
            if n["index"].value is not None:
                found.setdefault(_index(n), references.decode(n, endpoint))
    for n in _items(node, "other_references"):
        found.setdefault(_index(n), references.decode(n))
    return tuple(found[i] for i in sorted(found))


def _decode_observations(node: Node, rows: Sequence[tuple[Endpoint, Node]]) -> tuple[Observation, ...]:
    certificates = CertificateReader()
    found: dict[int, Observation] = {}
    for endpoint, row in rows:
        for n in row["addresses"].items():
            if observations.was_looked_at(n):
                found.setdefault(_index(n), observations.decode(n, endpoint, certificates))
    for n in _items(node, "other_observations"):
        found.setdefault(_index(n), observations.decode(n, endpoints.decode(n), certificates))
    return tuple(found[i] for i in sorted(found))


def _index(node: Node) -> int:
    return node["index"].integer(0, _LARGEST_INDEX)
