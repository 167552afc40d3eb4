"""The report on a chain from files: trusted or not, what it is, then requirement by requirement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atsprobe.model.certificate import Certificate, UnreadableCertificate
from atsprobe.model.endpoint import Endpoint, unicode_name
from atsprobe.model.result import CertificateFinding, CertificateResult
from atsprobe.report.escape import shortened
from atsprobe.report.server_products import configurations, kinds_shown
from atsprobe.report.style import NORMAL, QUIET, VERBOSE, Style
from atsprobe.report.text.item import add_labelled
from atsprobe.report.text.layout import Page, Part
from atsprobe.report.text.products import add_configurations
from atsprobe.report.text.requirement_rows import ORDER, add_requirement_rows
from atsprobe.report.words import count

_ANSWER_SYMBOLS: dict[str, Part] = {"trusted": "✓", "untrusted": ("✗", "bad"), "inconclusive": ("?", "strong")}
_SHOWN = {QUIET: ("fail",), NORMAL: ("fail", "warn", "unknown")}
_LONGEST_NAME = 100


def render_certificate(result: CertificateResult, style: Style) -> str:
    """Write the report on a chain; quiet, the answer and what fails."""
    page = Page(style)
    page.add(_ANSWER_SYMBOLS[result.verdict], " ", (_answer(result), "strong"), hang=2)
    if style.verbosity > QUIET:
        page.add("; ".join(filter(None, _looked_at(result))), indent=2, hang=2)
    _add_findings(page, result)
    _add_fixes(page, result)
    if style.verbosity >= VERBOSE:
        page.blank()
        add_labelled(page, tuple(_evidence(result)))
    if style.verbosity > QUIET and _waits(result):
        page.blank()
        page.add("a certificate that is not valid yet is untrusted today; --at decides", indent=2, hang=2)
    return page.rendered()


def _add_fixes(page: Page, result: CertificateResult) -> None:
    """Tell where another chain goes in the product that was asked for; unasked the page is about the chain alone."""
    if page.style.server is None:
        return
    failing = [held.finding for held in result.failing]
    told = configurations(kinds_shown(page.style), Endpoint(result.host, 443), failing)
    if told:
        page.blank()
    add_configurations(page, told, indent=2)


def _answer(result: CertificateResult) -> str:
    more = f" and {len(result.files) - 1} more" if len(result.files) > 1 else ""
    name = unicode_name(result.host)
    host = result.host if name == result.host else f"{result.host} ({name})"
    told = f"{shortened(result.files[0])}{more} for {host}: {result.verdict}"
    if result.failing:
        return f"{told} ({count(len(result.failing), 'finding')})"
    return f"{told} ({len(result.not_judged)} not judged)" if result.verdict == "inconclusive" else told


def _looked_at(result: CertificateResult) -> Iterator[str]:
    yield _leaf(result.path[0]) if result.path else "the leaf cannot be read"
    yield _chain(result)
    if result.ios or result.mode:
        yield "as " + ", ".join(profile.title for profile in result.profiles)
    if not result.is_now:
        at = result.at
        midnight = at == at.replace(hour=0, minute=0, second=0, microsecond=0)
        yield f"as of {at.date()}" if midnight else f"as of {at.replace(tzinfo=None).isoformat(' ', 'seconds')} UTC"


def _leaf(leaf: Certificate) -> str:
    try:
        return f"leaf {_key(leaf)}, {leaf.not_before.date()} to {leaf.not_after.date()}"
    except UnreadableCertificate:
        return "leaf unreadable in part"


def _key(certificate: Certificate) -> str:
    return f"{certificate.key_type} {certificate.key_bits}" if certificate.key_type == "RSA" else certificate.key_type


def _chain(result: CertificateResult) -> str:
    if not result.path:
        return result.trust_title
    where = {
        "public": f"in {result.trust_title}",
        "as-if-public": "as if preinstalled",
        "installed": "installed",
        "none": f"without a root in {result.trust_title}",
    }[result.anchor]
    if len(result.path) == 1:
        return f"alone, {where}"
    to = "" if result.anchor == "none" else f" to {_name(result.path[-1])}"
    return f"chain of {len(result.path)}{to}, {where}"


def _name(certificate: Certificate) -> str:
    try:
        return shortened(certificate.short_name, _LONGEST_NAME) or "a root without a name"
    except UnreadableCertificate:
        return "a root whose name cannot be read"


def _add_findings(page: Page, result: CertificateResult) -> None:
    shown = _SHOWN.get(page.style.verbosity, ORDER)
    if result.verdict == "inconclusive":
        shown = (*shown, "unknown")
    held = [f for f in result.findings if f.finding.status in shown]
    held.sort(key=lambda f: (ORDER.index(f.finding.status), f.finding.requirement))
    passing = {f.finding.requirement for f in result.findings if f.finding.status == "pass"}
    hidden = len(passing - {f.finding.requirement for f in held})
    if held:
        rows = [(f.finding.status, str(f.finding.requirement), _evidence_of(f, result)) for f in held]
        add_requirement_rows(page, rows)
    if hidden and page.style.verbosity == NORMAL:
        if not held:
            page.blank()
        more = "more " if held else ""
        page.add("✓", f"  {hidden} {more}{'holds' if hidden == 1 else 'hold'}  -v lists them", indent=2)


def _evidence_of(held: CertificateFinding, result: CertificateResult) -> str:
    if len(held.profiles) == len(result.profiles):
        return held.finding.evidence
    titles = [profile.title for profile in result.profiles if profile.name in held.profiles]
    return f"{', '.join(titles)}: {held.finding.evidence}"


def _waits(result: CertificateResult) -> bool:
    """Whether all that is to do about its validity is to wait, or to ask about a later day."""
    return result.is_now and result.valid_from is not None


def _evidence(result: CertificateResult) -> Iterator[tuple[str, str]]:
    """Describe each certificate of the path, then name the sources of what does not hold."""
    last = len(result.path) - 1
    for index, certificate in enumerate(result.path):
        is_root = index == last and index > 0 and result.anchor != "none"
        label = "leaf" if index == 0 else "root" if is_root else "issuer"
        for number, text in enumerate(_description(certificate)):
            yield (label if number == 0 else "", text)
    yield from _labelled("source", _sources(result))


def _description(certificate: Certificate) -> Sequence[str]:
    try:
        return (
            f"{shortened(certificate.subject) or 'without a name'}",
            f"{_key(certificate)}, signed with {certificate.signature_hash}, "
            f"{certificate.not_before.date()} to {certificate.not_after.date()}",
            f"SHA-256 {certificate.sha256}",
        )
    except UnreadableCertificate as problem:
        return (f"cannot be read: {shortened(str(problem))}", f"SHA-256 {certificate.sha256}")


def _sources(result: CertificateResult) -> list[str]:
    told = (f.finding for f in result.findings if f.finding.status in ("fail", "warn", "unknown"))
    return list(dict.fromkeys(f"{f.requirement}: {f.citation}" for f in told))


def _labelled(label: str, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    for number, text in enumerate(texts):
        yield (label if number == 0 else "", text)
