"""Code that makes connections outside ATS, or decides about certificates by itself, image by image.

What is said is that the code is there: no host is tied to it, and nothing tells that it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from atsprobe.model.app import Extraction, NetworkApiUse
from atsprobe.report.places import Places
from atsprobe.report.style import QUIET, VERBOSE
from atsprobe.report.text.layout import Page
from atsprobe.report.text.section import add_section


def add_network_code(page: Page, extraction: Extraction) -> None:
    """Write what lies outside ATS, what may accept a server trust, and what could not be told; verbose, all with evidence."""
    if page.style.verbosity <= QUIET:
        return
    images = _by_image(extraction)
    verbose = page.style.verbosity >= VERBOSE
    if verbose:
        _add(page, "Under ATS", images, lambda u: u.governed_by_ats is True and not u.is_trust_code, _told)
        _add(page, "Perhaps under ATS", images, lambda u: u.governed_by_ats is None and u.analysed, _told)
    _add(page, "Outside ATS", images, lambda u: u.is_outside_ats, _told if verbose else _not_governed)
    _add(page, "Accepts certificates by itself, perhaps", images, lambda u: u.accepts_server_trust, _may_accept)
    if verbose:
        _add(page, "Other trust code", images, lambda u: u.is_trust_code and not u.accepts_server_trust, _told)
    _add(page, "Network code not analysed", images, lambda u: u.governed_by_ats is None and not u.analysed, _unread)


def _add(
    page: Page,
    title: str,
    images: dict[str, list[NetworkApiUse]],
    belongs: Callable[[NetworkApiUse], bool],
    tell: Callable[[list[NetworkApiUse]], Iterable[str]],
) -> None:
    """Write a section: each image that has such code, by its name, and what is told of it."""
    rows: list[tuple[str, str]] = []
    found = {image: [use for use in uses if belongs(use)] for image, uses in images.items()}
    for image, uses in sorted(found.items()):
        texts = list(tell(uses)) if uses else []
        rows += [(image if number == 0 else "", text) for number, text in enumerate(texts)]
    add_section(page, title, sum(1 for uses in found.values() if uses), rows)


def _by_image(extraction: Extraction) -> dict[str, list[NetworkApiUse]]:
    """Gather what was found by the name of its image; what several bundles share stands once."""
    places = Places(extraction)
    found: dict[str, dict[NetworkApiUse, None]] = {}
    in_bundles = [(use, bundle.target) for bundle in extraction.bundles for use in bundle.network_apis]
    for use, target in (*((use, use.target) for use in extraction.network_apis), *in_bundles):
        found.setdefault(places.within_app(use.file, target), {})[use] = None
    return {image: list(uses) for image, uses in found.items()}


def _not_governed(uses: list[NetworkApiUse]) -> Iterable[str]:
    names = list(dict.fromkeys(use.api for use in uses))
    yield f"{', '.join(names)}: ATS does not govern {'it' if len(names) == 1 else 'them'}"


def _told(uses: list[NetworkApiUse]) -> Iterable[str]:
    for use in uses:
        evidence = f" [{use.confidence}: {use.evidence}]" if use.evidence else ""
        yield f"{use.api}: {use.says}{evidence}" if use.says else f"{use.api}{evidence}"


def _may_accept(uses: list[NetworkApiUse]) -> Iterable[str]:
    for use in uses:
        evidence = f" ({use.evidence})" if use.evidence else ""
        yield f"trust failures may be accepted by {use.api}{evidence}"


def _unread(uses: list[NetworkApiUse]) -> Iterable[str]:
    yield from (use.says or use.evidence for use in uses)
