"""The words in which the table of scenarios is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulated_network import Network, Port, endpoint_of

from atsprobe.ats.exception_match import meant_host
from atsprobe.model.app import Bundle, Extraction, NetworkApiUse, SkippedInput, UrlTemplate
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.endpoint import Argument, Confidence, Endpoint, Host, Line, PlistKey, Reference

AL, WEB = "NSAllowsArbitraryLoads", "NSAllowsArbitraryLoadsInWebContent"
MED, LN = "NSAllowsArbitraryLoadsForMedia", "NSAllowsLocalNetworking"
DOMAINS = "NSExceptionDomains"
HTTP, MIN = "NSExceptionAllowsInsecureHTTPLoads", "NSExceptionMinimumTLSVersion"
PFS, SUB = "NSExceptionRequiresForwardSecrecy", "NSIncludesSubdomains"
NIAP, GLOBAL_NIAP = "NSExceptionRequiresNIAPTLSPackageVersion", "NSRequiresNIAPTLSPackageVersion"
PIN = "NSPinnedDomains"
LEGACY = "NSTemporaryExceptionAllowsInsecureHTTPLoads"

ALLOW_HTTP = {HTTP: True}
NO_PFS = {PFS: False}
TLS10, TLS11 = {MIN: "TLSv1.0"}, {MIN: "TLSv1.1"}

VERDICTS = {"P": "pass", "E": "exception-required", "B": "blocked", "~": "inconclusive", "x": "exempt"}
OUTCOMES = {"A": "allowed", "B": "blocked", "~": "inconclusive", "x": "exempt"}
STATUSES = {
    "N": "needed",
    "U": "unneeded",
    "R": "replaceable",
    "W": "too-wide",
    "I": "insufficient",
    "X": "ineffective",
    "S": "strict",
    "?": "unverifiable",
}


def entries(of: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Give an NSAppTransportSecurity with exception domains."""
    return {**more, DOMAINS: dict(of)}


@dataclass(frozen=True)
class App:
    """A process bundle: its NSAppTransportSecurity, the URLs and the bare hosts found in it. The SDK is 26.0 unless told."""

    ats: Any = None
    urls: tuple[str, ...] = ()
    sdk: str | None = "26.0"
    identifier: str = "org.example.app"
    misplaced: Mapping[str, Any] | None = None
    is_loose_plist: bool = False
    accepts_server_trust: bool = False
    bare: tuple[str, ...] = ()

    def bundle(self, minimum_os: str) -> Bundle:
        """Give the bundle."""
        code = NetworkApiUse("SecTrustEvaluate", True, True, "App", "accepts a server trust")
        return Bundle(
            identifier=self.identifier,
            target="App.ipa",
            info_plist="Info.plist" if self.is_loose_plist else f"Payload/{self.identifier}/Info.plist",
            dictionary=AtsDictionary.from_plist(self.ats, self.misplaced),
            name=None if self.is_loose_plist else "App",
            minimum_os=minimum_os,
            linked_sdk=self.sdk,
            is_loose_plist=self.is_loose_plist,
            network_apis=(code,) if self.accepts_server_trust else (),
        )

    def references(self) -> list[Reference]:
        """Give a reference for each URL, for each declared domain that means a host, and for each bare host."""
        found = [
            Reference(endpoint_of(u), "App.ipa", self.identifier, "App", Line(n), u, "url", Confidence.URL)
            for n, u in enumerate(self.urls, 1)
        ]
        found += [
            Reference(
                Endpoint(Host(h), 443), "App.ipa", self.identifier, "App", Line(1), h, "bare-host", Confidence.BARE
            )
            for h in self.bare
        ]
        for name, _ in AtsDictionary.from_plist(self.ats).exception_domains:
            host = meant_host(name)
            if host is not None:
                where = PlistKey(f"NSAppTransportSecurity.NSExceptionDomains.{name}")
                found.append(
                    Reference(
                        Endpoint(host, 443), "App.ipa", self.identifier, "Info.plist", where, name, "ats-exception"
                    )
                )
        return found


@dataclass(frozen=True)
class See:
    """What is expected of one endpoint.

    ``verdict`` is V/D in the table's letters. ``failing`` are the requirements that fail under default ATS, ``unknown``
    some that must be unknown, ``not_applicable`` some that must not apply. ``on`` are the positions of the addresses on
    which the first failing requirement fails. ``declared`` gives D for each bundle, ``profiles`` V/D for each profile,
    where they differ.
    """

    verdict: str
    failing: tuple[str, ...] = ()
    minimal: Mapping[str, Any] | None = None
    unknown: tuple[str, ...] = ()
    not_applicable: tuple[str, ...] = ()
    on: tuple[int, ...] = ()
    declared: Mapping[str, str] = field(default_factory=dict)
    declared_failing: tuple[str, ...] = ()
    profiles: Mapping[str, str] = field(default_factory=dict)
    is_load: bool = True
    https_verdict: str = ""
    redirects_to: str = ""


PASSES = See("P/A", minimal={})


def needs(minimal: Mapping[str, Any], outcome: str, /, *failing: str, **more: Any) -> See:
    """Expect exception-required."""
    return See(f"E/{outcome}", failing, minimal, **more)


@dataclass(frozen=True)
class Scenario:
    """A row of the table, or one variant of it.

    ``plist`` is the smallest dictionary: ``"="`` as declared, else by bundle identifier or for the only one.
    ``root`` says how the servers' root is trusted. ``ios`` and ``profile`` choose the clients.
    ``statuses`` are by (domain, key); of several bundles one declares keys. ``said`` are texts that the report's
    sentences (reasons, notices, evidence) must hold. ``waits`` says what the row waits for.
    """

    row: int
    app: App | tuple[App, ...] | None = None
    net: Mapping[str, Port | tuple[Port, ...]] = field(default_factory=dict)
    see: Mapping[str, See] = field(default_factory=dict)
    statuses: Mapping[tuple[str | None, str | None], str] = field(default_factory=dict)
    plist: Any = None
    exit: int = 0
    variant: str = ""
    command_line: tuple[str, ...] = ()
    skipped: tuple[SkippedInput, ...] = ()
    second_is_ipv6: bool = False
    families: tuple[str, ...] = ("ipv4", "ipv6")
    said: tuple[str, ...] = ()
    root: str = "installed while recording"
    ios: tuple[str, ...] = ()
    profile: str | None = None
    assume_complete: bool = False
    templates: tuple[UrlTemplate, ...] = ()
    not_audited: tuple[Host, ...] = ()
    waits: str = ""

    @property
    def title(self) -> str:
        """The row's number, and the variant."""
        return f"{self.row:03}{'-' + self.variant if self.variant else ''}"

    @property
    def apps(self) -> tuple[App, ...]:
        """The process bundles."""
        if self.app is None:
            return ()
        return self.app if isinstance(self.app, tuple) else (self.app,)

    @property
    def network(self) -> Network:
        """What listens where."""
        return Network(self.net, self.second_is_ipv6)

    def extraction(self, minimum_os: str = "26.0") -> Extraction:
        """Give what extraction would yield."""
        references = [r for app in self.apps for r in app.references()]
        references += [Reference(endpoint_of(u), u, None, "", Argument(), u, "command-line") for u in self.command_line]
        return Extraction(
            bundles=tuple(app.bundle(minimum_os) for app in self.apps),
            references=tuple(references),
            skipped=self.skipped,
            templates=self.templates,
        )
