"""An app's declarations against its own strings: what no code mentions, what an exception reaches, what is http:// alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atsprobe.ats.exception_match import ExceptionIndex, meant_host
from atsprobe.model.app import Bundle, CoveredHost, CrossChecks, Extraction
from atsprobe.model.endpoint import Confidence, Host, Reference

_OF_CODE = frozenset({"url", "bare-host", "configuration", "redirect"})


def cross_checks(extraction: Extraction) -> CrossChecks:
    """Hold the exception domains of every bundle against the hosts that its files name.

    A domain counts as mentioned where any string names it or a host that its entry decides about, however unsure or noisy
    the sighting; so ``unmentioned`` claims the least. Nothing is said of a bundle whose code was not at hand.
    """
    unmentioned: list[tuple[str, str]] = []
    covered: list[CoveredHost] = []
    for bundle in extraction.bundles:
        index = ExceptionIndex(bundle.dictionary)
        named = sorted({r.endpoint.host for r in _of_bundle(extraction, bundle, extraction.references)})
        matched = [(host, match.key) for host in named if (match := index.match(host)) and match.kind != "built-in"]
        covered += [CoveredHost(bundle.identifier, host, key) for host, key in matched]
        unmentioned += [(bundle.identifier, domain) for domain in _unmentioned(extraction, bundle, index)]
    return CrossChecks(tuple(unmentioned), tuple(covered), _http_only(extraction))


def _unmentioned(extraction: Extraction, bundle: Bundle, index: ExceptionIndex) -> Iterator[str]:
    if bundle.is_loose_plist or any(s.target == bundle.target for s in extraction.skipped):
        return  # no code was read, or not all
    sightings = (*extraction.references, *extraction.noise)
    hosts = {r.endpoint.host for r in _of_bundle(extraction, bundle, sightings)}
    reached = {match.key for host in hosts if (match := index.match(host))}
    reached |= {t.suffix for t in extraction.templates if t.bundle in (None, bundle.identifier)}
    for domain in bundle.dictionary.entries:
        meant = meant_host(domain)
        if domain not in reached and meant not in hosts and meant not in reached:
            yield domain


def _of_bundle(extraction: Extraction, bundle: Bundle, references: Sequence[Reference]) -> Iterator[Reference]:
    """Give the sightings in code and configuration that belong to a bundle."""
    return (r for r in references if r.kind in _OF_CODE and bundle.identifier in extraction.bundles_of(r))


def _http_only(extraction: Extraction) -> tuple[Host, ...]:
    """Give the hosts that are surely in URLs, and in no https:// one, however unsure that is."""
    named = [r for r in extraction.references if r.names_load and r.kind != "command-line"]
    in_the_clear = {
        r.endpoint.host for r in named if r.endpoint.scheme == "http" and r.confidence.is_at_least(Confidence.URL)
    }
    return tuple(sorted(in_the_clear - {r.endpoint.host for r in named if r.endpoint.scheme == "https"}))
