"""Targets → Extraction: every host that an app names, its dictionaries, and what could not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO, TextIO, assert_never

from atsprobe.extract.bundle import Scopes, process_root
from atsprobe.extract.member import Limits
from atsprobe.extract.noise import NO_SUFFIX, is_noise_by_path, noise_reason
from atsprobe.extract.reading import Reading, read_target
from atsprobe.extract.sighting import HostSighting, InfoPlist
from atsprobe.extract.source_tree import aside_reason
from atsprobe.extract.target import BadTarget, HostTarget, PathTarget, expand
from atsprobe.model.app import Bundle, Extraction, NetworkApiUse, SkippedInput, UrlTemplate
from atsprobe.model.endpoint import Confidence, Endpoint, Host, Reference

_MAX_REFERENCES = 100


@dataclass
class _Gathered:
    """What the targets yielded so far. ``found`` are references with the path of their URL, noise among them."""

    bundles: list[Bundle] = field(default_factory=list)
    found: list[tuple[Reference, str]] = field(default_factory=list)
    templates: dict[UrlTemplate, None] = field(default_factory=dict)
    skipped: list[SkippedInput] = field(default_factory=list)
    unlisted: Counter[Endpoint] = field(default_factory=Counter)
    network_apis: list[NetworkApiUse] = field(default_factory=list)
    files_read: int = 0


def extract(
    targets: Sequence[str], *, stdin: TextIO | BinaryIO | None = None, limits: Limits | None = None
) -> Extraction:
    """Find every host that the targets name, each with where it was found, and the dictionaries of their bundles.

    ``stdin`` is what the target ``-`` reads, the process's own where None. Bad targets and what cannot be read in good ones
    become `SkippedInput`; nothing is raised for them. The order follows that of the targets, then path, then place.
    """
    gathered = _Gathered()
    for target in expand(targets, stdin):
        match target:
            case BadTarget():
                gathered.skipped.append(SkippedInput(target.text, "", target.reason, target.advice, unreadable=True))
            case HostTarget():
                gathered.found.append((_named(target), ""))
            case PathTarget():
                _add_reading(gathered, read_target(target, limits or Limits()))
            case _:
                assert_never(target)
    references, noise = _without_noise(gathered)
    return Extraction(
        bundles=tuple(gathered.bundles),
        references=references,
        skipped=tuple(gathered.skipped),
        noise=noise,
        templates=tuple(gathered.templates),
        files_read=gathered.files_read,
        unlisted=tuple(sorted(gathered.unlisted.items())),
        network_apis=tuple(gathered.network_apis),
    )


def _named(target: HostTarget) -> Reference:
    return Reference(
        endpoint=target.endpoint,
        target=target.text,
        bundle=None,
        file=target.file,
        location=target.location,
        text=target.text[:200],
        kind="command-line",
    )


def _add_reading(gathered: _Gathered, reading: Reading) -> None:
    identifiers: dict[str, str] = {}
    taken = {b.identifier for b in gathered.bundles}
    for path, info in reading.infos.items():
        identifiers[path] = _identifier(reading.target, path, info, taken)
        taken.add(identifiers[path])
        gathered.bundles.append(_bundle(reading, path, info, identifiers[path]))
    gathered.skipped += reading.skipped
    gathered.unlisted.update(reading.unlisted)
    gathered.files_read += reading.files_read
    owners = _Owners(reading, identifiers)
    _add_network_apis(gathered, reading, owners)
    for path, sighting in reading.sightings:
        for bundle in owners.of(path):
            if isinstance(sighting, HostSighting):
                gathered.found.append((_reference(sighting, reading.target, path, bundle), sighting.path))
            else:
                template = UrlTemplate(
                    sighting.suffix, bundle, reading.target, path, sighting.text, sighting.is_whole_host
                )
                gathered.templates[template] = None


def _add_network_apis(gathered: _Gathered, reading: Reading, owners: _Owners) -> None:
    """Give the network APIs of each image to the bundles that run it; outside every bundle, to all of the target."""
    of_target = {b.identifier for b in gathered.bundles if b.target == reading.target}
    main = {path for root in owners.roots if (binary := reading.binary_of(root)) for path in binary[:1]}
    by_bundle: dict[str, list[NetworkApiUse]] = {}
    for use in reading.network_apis:
        mine = replace(use, in_sdk=use.in_sdk or use.file not in main)
        owning = [i for i in owners.of(use.file) if i is not None] or sorted(of_target)
        for identifier in owning:
            by_bundle.setdefault(identifier, []).append(mine)
        if not owning:
            gathered.network_apis.append(mine)
    gathered.bundles[:] = [
        replace(b, network_apis=tuple(by_bundle[b.identifier]))
        if b.target == reading.target and b.identifier in by_bundle
        else b
        for b in gathered.bundles
    ]


class _Owners:
    """Whose strings the files of a target are, by identifier of the bundle; (None,) outside every bundle."""

    def __init__(self, reading: Reading, identifiers: dict[str, str]) -> None:
        self._loose = {
            path: i for path, i in identifiers.items() if process_root(path) is None or path == reading.target
        }
        self._by_root = {root: i for path, i in identifiers.items() if (root := process_root(path))}
        self.roots = tuple(self._by_root)
        self._scopes = Scopes(self._by_root, {path: facts.links for path, facts in reading.binaries.items()})
        self._known: dict[str, tuple[str | None, ...]] = {}

    def of(self, path: str) -> tuple[str | None, ...]:
        """Give the identifiers."""
        if path not in self._known:
            loose = self._loose.get(path)
            roots = self._scopes.owners(path)
            self._known[path] = (loose,) if loose else tuple(self._by_root[r] for r in roots) or (None,)
        return self._known[path]


def _identifier(target: str, path: str, info: InfoPlist, taken: set[str]) -> str:
    """Give an identifier that no other bundle has: its own, else the path of its Info.plist, else that within its target."""
    wanted = (info.identifier, path, f"{target}/{path}", *(f"{target}/{path} ({n})" for n in range(2, len(taken) + 3)))
    return next(i for i in wanted if i and i not in taken)


def _bundle(reading: Reading, path: str, info: InfoPlist, identifier: str) -> Bundle:
    is_loose = path == reading.target or process_root(path) is None
    binary = None if is_loose else reading.binary_of(process_root(path) or "")
    facts = binary[1] if binary else None
    linked_sdk, linked_minimum = (facts.linked_sdk, facts.minimum_ios) if facts else (None, None)
    return Bundle(
        identifier=identifier,
        target=reading.target,
        info_plist=path,
        dictionary=info.dictionary,
        name=info.name,
        version=info.version,
        build=info.build,
        minimum_os=(info.minimum_os or linked_minimum) if info.is_for_ios else None,
        linked_sdk=linked_sdk or info.sdk,
        build_notes=tuple(_build_notes(info, linked_sdk, linked_minimum)),
        is_loose_plist=is_loose,
        key_lines=info.key_lines,
    )


def _build_notes(info: InfoPlist, sdk: str | None, minimum: str | None) -> Iterator[str]:
    """Say where the Info.plist and the load commands of the executable disagree, and which counts."""
    if sdk and info.sdk and not _is_same_version(sdk, info.sdk):
        yield f"linked with SDK {sdk}, though the Info.plist says {info.sdk}; the former counts"
    if info.is_for_ios and minimum and info.minimum_os and not _is_same_version(minimum, info.minimum_os):
        yield f"linked for iOS {minimum} on, though the Info.plist says {info.minimum_os}; the latter counts"


def _is_same_version(one: str, other: str) -> bool:
    return one.removesuffix(".0").removesuffix(".0") == other.removesuffix(".0").removesuffix(".0")


def _reference(sighting: HostSighting, target: str, path: str, bundle: str | None) -> Reference:
    return Reference(
        endpoint=sighting.endpoint,
        target=target,
        bundle=bundle,
        file=path,
        location=sighting.location,
        text=sighting.text,
        kind=sighting.kind,
        confidence=sighting.confidence,
        detector=sighting.detector,
        noise_reason=sighting.noise_reason,
    )


def _without_noise(gathered: _Gathered) -> tuple[tuple[Reference, ...], tuple[Reference, ...]]:
    """Part references from noise; what the command line names or a file declares is none. Beyond 100 of a kind they are
    counted.
    """
    found = gathered.found
    declared = {r.endpoint.host for r, _ in found if r.confidence is Confidence.DECLARED}
    references: list[Reference] = []
    noise: list[Reference] = []
    times: Counter[tuple[Endpoint, str | None, str, bool]] = Counter()
    for reference, path in found:
        reason = _noise_reason(reference, path, declared)
        key = (reference.endpoint, reference.bundle, reference.kind, bool(reason))
        times[key] += 1
        if times[key] > _MAX_REFERENCES:
            gathered.unlisted[reference.endpoint] += 1
        elif reason:
            noise.append(replace(reference, confidence=Confidence.NOISE, noise_reason=reason))
        else:
            references.append(reference)
    return tuple(references), tuple(noise)


def _noise_reason(reference: Reference, path: str, declared: set[Host]) -> str | None:
    host = reference.endpoint.host
    if reference.kind not in ("url", "bare-host") or reference.confidence is Confidence.DECLARED:
        return None
    if reference.noise_reason:
        return reference.noise_reason
    if reference.file != reference.target and (aside := aside_reason(reference.file)):
        return aside
    reason = noise_reason(host, path)
    if reason is None or is_noise_by_path(host, path):
        return reason
    if host in declared or (reason == NO_SUFFIX and any(parent in declared for parent in _parents(host))):
        return None
    return reason


def _parents(host: Host) -> Iterator[Host]:
    labels = host.split(".")
    return (Host(".".join(labels[i:])) for i in range(1, len(labels)))
