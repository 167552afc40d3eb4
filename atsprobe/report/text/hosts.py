"""The hosts of an app as text: declared, in URLs, bare names; then what lies outside ATS, and what was not read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from atsprobe.model.app import Extraction, UrlTemplate
from atsprobe.model.endpoint import DEFAULT_PORTS, Confidence, Endpoint, Host, Reference, unicode_name
from atsprobe.model.public_suffix import registrable_domain
from atsprobe.model.result import HostsResult
from atsprobe.report.escape import escape, shortened
from atsprobe.report.places import Places, file_of, place, without_payload
from atsprobe.report.style import QUIET, VERBOSE, Style
from atsprobe.report.text.layout import Page
from atsprobe.report.text.network_code import add_network_code
from atsprobe.report.text.section import add_section, column_beside
from atsprobe.report.words import count

_SECTIONS: tuple[tuple[str, str, frozenset[str]], ...] = (
    (
        "Declared",
        "declared",
        frozenset({"ats-exception", "pinned-domain", "associated-domain", "app-bound-domain", "tracking-domain"}),
    ),
    ("In URLs", "in URLs", frozenset({"url", "configuration", "redirect"})),
    ("Bare names", "bare name", frozenset({"bare-host"})),
    ("Named", "named", frozenset({"command-line"})),
    ("Inside texts", "inside texts", frozenset()),
)
"""Title, words for the count, and kinds of each section; the last takes what is less sure, whatever its kind."""
_WORDS = {
    "ats-exception": "exception",
    "pinned-domain": "pinned",
    "app-bound-domain": "app-bound",
    "tracking-domain": "tracking",
    "configuration": "configuration",
    "redirect": "redirect",
}
_RUN_TIME = re.compile(r"[%$#{}<>()\\]")
_SERVICES = frozenset({"applinks", "webcredentials", "activitycontinuation", "appclips"})


def render_hosts(result: HostsResult, style: Style) -> str:
    """Write every host and where it was found; quiet, the bare names alone, one a line, ready for another program."""
    extraction = result.extraction
    hosts = _by_host(r for r in result.references if r.confidence is not Confidence.NOISE)
    if style.verbosity <= QUIET:
        return "".join(f"{escape(host)}\n" for host in hosts)
    page = Page(style)
    sections = [(title, word, _of_section(hosts, number)) for number, (title, word, _) in enumerate(_SECTIONS)]
    _add_head(page, result, [(word, len(found)) for _, word, found in sections])
    unlisted = dict(extraction.unlisted)
    column = column_beside(page, [_shown(h) for h in hosts] + [_template_name(t) for t in extraction.templates])
    for number, (title, _, found) in enumerate(sections):
        rows = [(_shown(host), _found(references, style, unlisted)) for host, references in found.items()]
        if number == 1:
            rows += dict.fromkeys((_template_name(t), _template(t)) for t in extraction.templates)
        add_section(page, title if found else "Filled in at run time", len(found) or len(rows), rows, column)
    _add_noise(page, result)
    places = Places(extraction)
    _add_checks(page, result, places)
    _add_builds(page, extraction)
    add_network_code(page, extraction)
    skipped = [(places.skipped(s), f"{s.reason}: {s.advice}" if s.advice else s.reason) for s in extraction.skipped]
    add_section(page, "Skipped", len(skipped), sorted(skipped), None)
    return page.rendered()


def _by_host(references: Iterable[Reference]) -> dict[Host, list[Reference]]:
    """Gather the sightings of each host, hosts sorted by domain."""
    found: dict[Host, list[Reference]] = {}
    for reference in references:
        found.setdefault(reference.endpoint.host, []).append(reference)
    order = sorted(found, key=lambda h: (registrable_domain(h) or h, h))
    return {host: found[host] for host in order}


def _of_section(hosts: dict[Host, list[Reference]], section: int) -> dict[Host, list[Reference]]:
    """Give the hosts whose best sighting belongs to a section, with the sightings of that section first."""
    chosen = {}
    for host, references in hosts.items():
        places = {_section_of(r) for r in references}
        if min(places) == section:
            chosen[host] = sorted(references, key=lambda r: _section_of(r) != section)
    return chosen


def _section_of(reference: Reference) -> int:
    """Give the section of a sighting; a host inside a text has the last, whether with a scheme or bare."""
    if reference.confidence is Confidence.EMBEDDED:
        return len(_SECTIONS) - 1
    if _is_declared(reference):
        return 0
    return next(n for n, (_, _, kinds) in enumerate(_SECTIONS) if reference.kind in kinds)


def _add_noise(page: Page, result: HostsResult) -> None:
    """List what is no host to audit, with the reason, where that was asked for."""
    if not result.lists_noise:
        return
    found = _by_host(result.extraction.noise)
    rows = [(_shown(host), f"{refs[0].noise_reason}; {_found(refs, page.style, {})}") for host, refs in found.items()]
    add_section(page, "Noise", len(rows), rows, None)


def _add_checks(page: Page, result: HostsResult, places: Places) -> None:
    """Say what the declarations and the strings of the app have to do with each other."""
    checks = result.checks
    rows = [(_shown(host), "every URL of it begins with http://") for host in checks.http_only]
    add_section(page, "Only over http://", len(rows), rows, None)
    rows = [(c.host, f"under {c.domain}{places.bundle_suffix(c.bundle)}") for c in checks.covered]
    add_section(page, "Under an exception", len(rows), rows, None)
    rows = [(domain, f"no string names it{places.bundle_suffix(bundle)}") for bundle, domain in checks.unmentioned]
    add_section(page, "Exceptions that no code mentions", len(rows), rows, None)


def _add_builds(page: Page, extraction: Extraction) -> None:
    """Say for which iOS and with which SDK each bundle was built, where that was asked for and is known."""
    if page.style.verbosity < VERBOSE:
        return
    rows = []
    for bundle in extraction.bundles:
        told = [f"linked with SDK {bundle.linked_sdk}"] if bundle.linked_sdk else []
        told += [f"for iOS {bundle.minimum_os} and later"] if bundle.minimum_os else []
        if told:
            folder = str(PurePosixPath(bundle.info_plist).parent)
            rows.append((without_payload(folder), "; ".join((", ".join(told), *bundle.build_notes))))
    add_section(page, "Built", len(rows), rows, None)


def _add_head(page: Page, result: HostsResult, numbers: Sequence[tuple[str, int]]) -> None:
    extraction = result.extraction
    hosts = sum(number for _, number in numbers)
    sightings = (*extraction.references, *extraction.noise)
    targets = sorted({r.target for r in sightings} | {b.target for b in extraction.bundles})
    within = (
        f" in {PurePosixPath(targets[0]).name or targets[0]}" if len(targets) == 1 else f" in {len(targets)} targets"
    )
    told = [count(n, word) if word == "bare name" else f"{n} {word}" for word, n in numbers if n]
    page.add((f"{count(hosts, 'host')}{within if targets else ''}{': ' if told else ''}{', '.join(told)}", "strong"))
    parts = [count(len(extraction.bundles), "bundle"), count(extraction.files_read, "file")]
    if extraction.skipped:
        parts.append(f"{len(extraction.skipped)} skipped")
    hidden = _hidden(result)
    page.add(", ".join(parts) + (f"; {hidden} hidden (--all)" if hidden else ""), indent=2, hang=2)


def _hidden(result: HostsResult) -> str:
    shown = {r.endpoint.host for r in result.references}
    noise = {r.endpoint.host for r in result.extraction.noise} - shown
    unsure = {r.endpoint.host for r in result.extraction.references} - shown - noise
    told = [f"{len(noise)} noise"] * bool(noise) + [f"{len(unsure)} unsure"] * bool(unsure)
    return f"{' and '.join(told)} {'host' if len(noise) + len(unsure) == 1 else 'hosts'}" if told else ""


def _shown(host: Host) -> str:
    name = unicode_name(host)
    return host if name == host else f"{host} ({name})"


def _found(references: Sequence[Reference], style: Style, unlisted: Mapping[Endpoint, int]) -> str:
    """Say where a host was found: at its best place and how many more, or at all; beyond a number they are counted alone."""
    told = list(dict.fromkeys(_sighting(r) for r in references)) if style.verbosity >= VERBOSE else []
    more = sum(unlisted.get(endpoint, 0) for endpoint in {r.endpoint for r in references})
    more += 0 if told else len(references) - 1
    return "; ".join([*(told or [_sighting(references[0])]), *([count(more, "more place")] if more else [])])


def _is_declared(reference: Reference) -> bool:
    """Whether the app declares the host: under a key of Apple's, or in the configuration of its framework."""
    return reference.confidence is Confidence.DECLARED and reference.kind != "command-line"


def _sighting(reference: Reference) -> str:
    endpoint, service = reference.endpoint, reference.text.partition(":")[0]
    words = [service if service in _SERVICES else _WORDS.get(reference.kind, "")]
    if endpoint.scheme == "http":
        words.append("http://")
    if endpoint.port != DEFAULT_PORTS[endpoint.scheme]:
        words.append(f"port {endpoint.port}")
    words.append(file_of(reference) if _is_declared(reference) else place(reference))
    return ", ".join(word for word in words if word)


def _template_name(template: UrlTemplate) -> str:
    if template.is_whole_host:
        return _shown(Host(template.suffix))
    return f"*.{template.suffix}" if template.suffix else "*"


def _template(template: UrlTemplate) -> str:
    """Quote a template and say who fills it in; a pattern such as ``*.example.com`` nobody does."""
    authority = template.text.rpartition("://")[2].partition("/")[0]
    if "*" in authority and not _RUN_TIME.search(authority):
        said = "of any port" if template.is_whole_host else "names no one host"
        return f"pattern {shortened(template.text)}, {said}"
    said = "the app fills in the port" if template.is_whole_host else "the app fills it in"
    return f"template {shortened(template.text)}, {said}"
