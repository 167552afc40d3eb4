"""What extraction yields: bundles with their dictionary, references, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.endpoint import Endpoint, Host, Reference, merge

ApiConfidence = Literal["high", "medium", "low"]
"""How sure the sign of a network API is: imported, implemented or sent; a string or a library's class; ability alone."""


@dataclass(frozen=True)
class NetworkApiUse:
    """A network API or trust code that a binary has code for, with where that was seen; not that it runs.

    ``api`` is its name for people and ``says`` a sentence about it; ``id`` is the stable name for programs
    (``api.urlsession``, ``tls.boringssl``, ``trust.credential_for_trust``), empty in audits saved before there was one.
    ``governed_by_ats`` is None where that cannot be told. ``file`` is the image, as a path inside ``target``, ``architecture``
    that which was looked at. ``in_sdk`` tells code of a framework, a library or a known SDK from that of the app itself.
    ``analysed`` is False where what would prove it could not be read: then ``evidence`` says what was not looked at, and why.
    """

    api: str
    governed_by_ats: bool | None
    accepts_server_trust: bool
    file: str
    evidence: str
    id: str = ""
    says: str = ""
    confidence: ApiConfidence = "high"
    architecture: str = ""
    in_sdk: bool = False
    analysed: bool = True
    target: str = ""

    @property
    def is_trust_code(self) -> bool:
        """Whether it decides about certificates, rather than makes connections."""
        return self.id.startswith("trust.")

    @property
    def is_outside_ats(self) -> bool:
        """Whether it makes connections that ATS does not check."""
        return self.governed_by_ats is False and not self.is_trust_code


@dataclass(frozen=True)
class Bundle:
    """A policy scope: a process bundle (app, extension, App Clip, watch app) or a loose Info.plist.

    ``identifier`` is unique within an Extraction: CFBundleIdentifier, or the path of the Info.plist where that is
    absent, a build variable or taken. ``info_plist`` is its path inside ``target`` (the target itself when
    loose). ``minimum_os`` and ``linked_sdk`` are versions such as ``15.0``, None where unknown; the SDK is the
    lowest of the LC_BUILD_VERSION of the executable's architectures for devices, else what the Info.plist says of it.
    ``build_notes`` say where the two disagree. ``key_lines`` gives the line of a declared key in an XML plist by
    (domain or None, key or None for the domain itself).
    """

    identifier: str
    target: str
    info_plist: str
    dictionary: AtsDictionary
    name: str | None = None
    version: str | None = None
    build: str | None = None
    minimum_os: str | None = None
    linked_sdk: str | None = None
    is_loose_plist: bool = False
    network_apis: tuple[NetworkApiUse, ...] = ()
    build_notes: tuple[str, ...] = ()
    key_lines: dict[tuple[str | None, str | None], int] = field(default_factory=dict)

    @property
    def accepts_server_trust(self) -> bool:
        """Whether code that accepts a server trust by itself was found in it (R22)."""
        return any(use.accepts_server_trust for use in self.network_apis)

    @property
    def title(self) -> str:
        """Name, version and build for people, else the path of the Info.plist."""
        if self.is_loose_plist or not self.name:
            return self.info_plist
        version = " ".join(filter(None, (self.version, f"({self.build})" if self.build else None)))
        return f"{self.name} {version}".strip()


@dataclass(frozen=True)
class InfoPlistSource:
    """The text of a bundle's XML Info.plist as it lies on disk, line endings and all.

    ``path`` is how a patch names the file: relative to where the patch is applied, with ``/`` between its parts.
    """

    bundle: str
    path: str
    text: str


@dataclass(frozen=True)
class SkippedInput:
    """Something that was not looked at, and why: never silently dropped. ``advice`` says what to do about it.

    ``unreadable`` marks input that is wrong in itself (no such file, not a plist): exit 2 rather than 3.
    """

    target: str
    file: str
    reason: str
    advice: str = ""
    unreadable: bool = False


@dataclass(frozen=True)
class UrlTemplate:
    """A URL whose host is filled in at run time, such as ``https://%@.example.net/``; ``suffix`` is the fixed end of
    the host (``example.net``), empty where none is fixed. With ``is_whole_host`` only the port is filled in
    (``http://localhost:%d/``), and ``suffix`` is the host.
    """

    suffix: str
    bundle: str | None
    target: str
    file: str
    text: str
    is_whole_host: bool = False


@dataclass(frozen=True)
class CoveredHost:
    """A host that the code of a bundle names and that an entry of its NSExceptionDomains decides about."""

    bundle: str
    host: Host
    domain: str


@dataclass(frozen=True)
class CrossChecks:
    """An app's declarations held against its own strings.

    ``unmentioned`` are exception domains (bundle, domain) that no string of the bundle names; ``covered`` the hosts of its code
    that an exception reaches; ``http_only`` those that http:// URLs alone name.
    """

    unmentioned: tuple[tuple[str, str], ...] = ()
    covered: tuple[CoveredHost, ...] = ()
    http_only: tuple[Host, ...] = ()


@dataclass(frozen=True)
class Load:
    """A (scheme, host, port) that one bundle loads (R2). ``bundle`` is None for the empty dictionary of a loose host."""

    bundle: str | None
    endpoint: Endpoint
    references: tuple[Reference, ...]

    @property
    def is_named(self) -> bool:
        """Whether a URL or the command line names it, so that it is a load even where DNS does not know it (R4)."""
        return any(r.names_load for r in self.references)

    @property
    def hosts_as_written(self) -> tuple[Host, ...]:
        """The host as Apple's client compares it with the entries, in each spelling: with a dot at its end, and without."""
        written = tuple(dict.fromkeys(r.host_as_written for r in self.references if r.names_load))
        return written or (self.endpoint.host,)


@dataclass(frozen=True)
class Extraction:
    """Everything that the targets hold. ``noise`` are sightings counted but not audited.

    ``unlisted`` says of an endpoint that is named very often how many sightings are not told one by one.
    ``network_apis`` are those of code that belongs to no bundle, such as a library by itself.
    """

    bundles: tuple[Bundle, ...] = ()
    references: tuple[Reference, ...] = ()
    skipped: tuple[SkippedInput, ...] = ()
    noise: tuple[Reference, ...] = ()
    templates: tuple[UrlTemplate, ...] = ()
    files_read: int = 0
    unlisted: tuple[tuple[Endpoint, int], ...] = ()
    network_apis: tuple[NetworkApiUse, ...] = ()

    @property
    def all_network_apis(self) -> tuple[NetworkApiUse, ...]:
        """The network APIs of all bundles and of what belongs to none, each image's once."""
        found = (*self.network_apis, *(use for bundle in self.bundles for use in bundle.network_apis))
        return tuple(dict.fromkeys(found))

    def bundle(self, identifier: str | None) -> Bundle | None:
        """Give the bundle of an identifier."""
        return next((b for b in self.bundles if b.identifier == identifier), None)

    def bundles_of(self, reference: Reference) -> tuple[str | None, ...]:
        """Say whose dictionaries govern a sighting (R1): identifiers, or (None,) for the empty dictionary.

        Its own bundle; else every bundle of its target; else (the command line, or a target without a bundle)
        every bundle there is; else the empty dictionary.
        """
        if reference.bundle is not None:
            return (reference.bundle,)
        of_target = tuple(b.identifier for b in self.bundles if b.target == reference.target)
        if of_target and reference.kind != "command-line":
            return of_target
        return tuple(b.identifier for b in self.bundles) or (None,)

    def loads(self, more: Iterable[Reference] = ()) -> tuple[Load, ...]:
        """Give the loads of every bundle (R2), sorted; ``more`` are references learnt by looking (redirects).

        A host that URLs name in a bundle gives the loads of its URLs alone; any other host gives https on 443.
        What the command line names, and what a redirect leads to, is a load beside any other.
        """
        by_bundle: dict[str | None, list[Reference]] = {}
        for reference in (*self.references, *more):
            for identifier in self.bundles_of(reference):
                by_bundle.setdefault(identifier, []).append(reference)
        loads: list[Load] = []
        for identifier in sorted(by_bundle, key=lambda i: (i is None, i or "")):
            loads += _loads_of(identifier, by_bundle[identifier])
        return tuple(loads)


def _loads_of(bundle: str | None, references: Sequence[Reference]) -> list[Load]:
    named = {r.endpoint.host for r in references if r.names_load and r.kind not in ("command-line", "redirect")}
    kept = [r for r in references if r.names_load or r.endpoint.host not in named]
    loads = merge(kept)
    unnamed: dict[str, list[Reference]] = {}
    for r in references:
        if not r.names_load and r.endpoint.host in named:
            unnamed.setdefault(r.endpoint.host, []).append(r)
    return [Load(bundle, e, (*found, *unnamed.get(e.host, ()))) for e, found in loads.items()]
