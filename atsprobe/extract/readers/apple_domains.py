"""Domains that Apple's keys of an Info.plist or a privacy manifest declare, apart from exceptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from atsprobe.extract.host_names import host_meant_by_key
from atsprobe.extract.plist_file import KeyPath, PlistFile
from atsprobe.extract.readers.declared_hosts import configured, domain
from atsprobe.extract.readers.property_list import location
from atsprobe.extract.sighting import HostSighting, Sighting, Trouble
from atsprobe.model.endpoint import Confidence, Endpoint, ReferenceKind

ATTRIBUTION_ENDPOINT: KeyPath = ("NSAdvertisingAttributionReportEndpoint",)
"""Where the system sends copies of install-validation postbacks: a URL, of which it uses the host."""

_PINNED: KeyPath = ("NSAppTransportSecurity", "NSPinnedDomains")
_APP_BOUND: KeyPath = ("WKAppBoundDomains",)
_TRACKING: KeyPath = ("NSPrivacyTrackingDomains",)
DECLARED = frozenset({ATTRIBUTION_ENDPOINT, _APP_BOUND, _TRACKING})
"""Where the values are read here, and are no strings among others."""

_MAX_DOMAINS = 10_000
_TOO_MANY = Trouble(f"more than {_MAX_DOMAINS:,} domains under one key; the rest was not read", is_damage=False)


def of_info_plist(plist: PlistFile) -> Iterator[Sighting]:
    """Give the pinned, app-bound and tracking domains of an Info.plist, and where attribution reports go."""
    pinned = _value(plist.root, _PINNED)
    for number, key in enumerate(pinned if isinstance(pinned, dict) else ()):
        if number == _MAX_DOMAINS:
            yield _TOO_MANY
            break
        host = host_meant_by_key(key) if isinstance(key, str) else None
        if host:
            place = location(plist, (*_PINNED, key))
            yield HostSighting(Endpoint(host, 443), place, key[:200], "pinned-domain", Confidence.DECLARED)
    yield from _listed(plist, _APP_BOUND, "app-bound-domain")
    yield from tracking(plist)
    endpoint = _value(plist.root, ATTRIBUTION_ENDPOINT)
    if isinstance(endpoint, str):
        yield from configured(endpoint, location(plist, ATTRIBUTION_ENDPOINT))


def tracking(plist: PlistFile) -> Iterator[Sighting]:
    """Give the domains of NSPrivacyTrackingDomains."""
    yield from _listed(plist, _TRACKING, "tracking-domain")


def _listed(plist: PlistFile, path: KeyPath, kind: ReferenceKind) -> Iterator[Sighting]:
    found = _value(plist.root, path)
    for index, text in enumerate(found if isinstance(found, list) else ()):
        if index == _MAX_DOMAINS:
            yield _TOO_MANY
            return
        if isinstance(text, str):
            yield from domain(text, location(plist, (*path, index)), kind)


def _value(root: Any, path: KeyPath) -> Any:
    for key in path:
        root = root.get(key) if isinstance(root, dict) else None
    return root
