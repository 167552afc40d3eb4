"""From what a file declares to sightings of class A: domains under Apple's keys, and addresses in configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from atsprobe.extract.host_names import FoundUrl, Hit, endpoint_of, host_meant_by_key, urls_in
from atsprobe.extract.sighting import HostSighting, Sighting, TemplateSighting
from atsprobe.model.endpoint import Confidence, Endpoint, Location, ReferenceKind

_MAX_TEXT = 200
_MAX_READ = 1000
_SERVICE = re.compile(r"[A-Za-z]{1,32}:(?!\d)")
_FILLED_IN = re.compile(r"\$\([^()]{0,64}\)|\$\{[^{}]{0,64}\}|\*")


def domain(text: str, location: Location, kind: ReferenceKind) -> Iterator[Sighting]:
    """Give the host that a declared domain names; of ``*.example.com``, which names none, its fixed end as a template.

    A name with a part that a build fills in is such a template, too; what names nothing, such as ``*`` alone, gives nothing.
    """
    name = text.strip()[:_MAX_READ]
    filled_in = list(_FILLED_IN.finditer(name))
    if filled_in:
        _, dot, suffix = name[filled_in[-1].end() :].partition(".")
        host = host_meant_by_key(suffix) if dot else None
        if host and "." in host:
            yield TemplateSighting(host, text[:_MAX_TEXT])
        return
    host = host_meant_by_key(name)
    if host:
        yield HostSighting(Endpoint(host, 443), location, text[:_MAX_TEXT], kind, Confidence.DECLARED)


def associated_domain(text: str, location: Location) -> Iterator[Sighting]:
    """Give the host of an associated domain: ``applinks:example.com?mode=developer`` names ``example.com``.

    Source: Apple, Associated Domains Entitlement (``service:fully-qualified-domain``, an alternate mode behind ``?``).
    """
    name = text.strip()[:_MAX_READ].partition("?")[0]
    service = _SERVICE.match(name)
    for sighting in domain(name[service.end() :] if service else name, location, "associated-domain"):
        yield _with_text(sighting, text)


def configured(text: str, location: Location) -> Iterator[Sighting]:
    """Give what an address in configuration names: a URL its own load, a bare name a host, a pattern its fixed end."""
    if "://" not in text:
        yield from domain(text, location, "bare-host")
        return
    for hit in urls_in(text[:_MAX_READ].encode("utf-8", "replace")):
        yield from _of_hit(hit, location)


def _of_hit(hit: Hit, location: Location) -> Iterator[Sighting]:
    if not isinstance(hit.found, FoundUrl):
        if hit.found.suffix:  # a pattern for any host at all says nothing
            yield TemplateSighting(hit.found.suffix, hit.text, hit.found.host is not None)
        return
    kind: ReferenceKind = "configuration" if hit.found.scheme else "bare-host"
    yield HostSighting(endpoint_of(hit.found), location, hit.text, kind, Confidence.DECLARED, hit.path)


def _with_text(sighting: Sighting, text: str) -> Sighting:
    match sighting:
        case HostSighting(endpoint, location, _, kind, confidence):
            return HostSighting(endpoint, location, text[:_MAX_TEXT], kind, confidence)
        case TemplateSighting():
            return replace(sighting, text=text[:_MAX_TEXT])
        case _:
            return sighting
