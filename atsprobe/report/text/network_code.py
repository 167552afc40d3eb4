"""Code that makes connections outside ATS, or decides about certificates by itself, image by image.

What is said is that the code is there: no host is tied to it, and nothing tells that it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

from atsprobe.model.app import Extraction, NetworkApiUse
from atsprobe.report.places import Places
from atsprobe.report.style import QUIET, VERBOSE
from atsprobe.report.text.layout import Page
from atsprobe.report.text.section import add_section

_INDENT, _BELOW, _BELOW_WRAPPED = 2, 6, 8

_Images = dict[str, list[NetworkApiUse]]


def add_network_code(page: Page, extraction: Extraction) -> None:
    """Write what lies outside ATS, what may accept a server trust, and what could not be told; verbose, all with evidence."""
    if page.style.verbosity <= QUIET:
        return
    images = _by_image(extraction)
    outside = _only(images, lambda use: use.is_outside_ats)
    may_accept = _only(images, lambda use: use.accepts_server_trust)
    unread = _only(images, lambda use: not use.analysed and not use.is_trust_code and use.governed_by_ats is None)
    if page.style.verbosity >= VERBOSE:
        _add_told(page, "Under ATS", _only(images, lambda use: use.governed_by_ats is True and not use.is_trust_code))
        _add_told(
            page, "Not known whether under ATS", _only(images, lambda use: use.governed_by_ats is None and use.analysed)
        )
        _add_told(page, "Outside ATS", outside)
        _add_told(page, "Trust code", _only(images, lambda use: use.is_trust_code or use.accepts_server_trust))
        _add_told(page, "Network code not analysed", unread)
        return
    add_section(page, "Outside ATS", len(outside), [(image, _not_governed(uses)) for image, uses in outside.items()])
    if may_accept:
        page.blank()
        page.add((f"Trust code ({len(may_accept)})", "strong"))
    for image, uses in may_accept.items():
        page.add(image, indent=_INDENT, hang=_BELOW)
        for use in uses:
            code = use.evidence.rpartition("; ")[2] or use.api
            page.add(f"trust failures may be accepted by code here: {code}", indent=_BELOW, hang=_BELOW_WRAPPED)
    rows = [(image, "; ".join(use.says for use in uses)) for image, uses in unread.items()]
    add_section(page, "Network code not analysed", len(rows), rows)


def _add_told(page: Page, title: str, images: _Images) -> None:
    """Write all that is known, image by image, each with its evidence."""
    if not images:
        return
    page.blank()
    page.add((f"{title} ({len(images)})", "strong"))
    for image, uses in images.items():
        page.add(image, indent=_INDENT, hang=_BELOW)
        for use in uses:
            said = f"{use.api}: {use.says}" if use.says else use.api
            page.add(said, indent=_BELOW, hang=_BELOW_WRAPPED)
            sdk = ", not the app's own code" if use.in_sdk else ""
            page.add(f"{use.confidence} confidence{sdk}; {use.evidence}", indent=_BELOW_WRAPPED, hang=_BELOW_WRAPPED)


def _only(images: _Images, belongs: Callable[[NetworkApiUse], bool]) -> _Images:
    chosen = {image: [use for use in uses if belongs(use)] for image, uses in images.items()}
    return {image: uses for image, uses in chosen.items() if uses}


def _by_image(extraction: Extraction) -> _Images:
    """Gather what was found by the name of its image, sorted; what several bundles share stands once."""
    places = Places(extraction)
    found: dict[str, dict[NetworkApiUse, None]] = {}
    in_bundles = [(use, bundle.target) for bundle in extraction.bundles for use in bundle.network_apis]
    for use, target in (*((use, use.target) for use in extraction.network_apis), *in_bundles):
        found.setdefault(_image_name(places.within_app(use.file, target)), {})[use] = None
    return {image: list(found[image]) for image in sorted(found)}


def _image_name(path: str) -> str:
    """Call the executable of a framework by the framework."""
    folder, _, name = path.rpartition("/")
    unversioned = folder.partition("/Versions/")[0]
    return unversioned if PurePosixPath(unversioned).name == f"{name}.framework" else path


def _not_governed(uses: list[NetworkApiUse]) -> str:
    names = list(dict.fromkeys(use.api for use in uses))
    return f"{', '.join(names)}: ATS does not govern {'it' if len(names) == 1 else 'them'}"
