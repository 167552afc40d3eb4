"""The first three lines of an audit: the answer, what to do in numbers, what was looked at and as which client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC

from atsprobe.model.app import Bundle
from atsprobe.model.judgement import ExceptionStatus, Verdict
from atsprobe.model.observation import Unreachable
from atsprobe.model.policy import Profile
from atsprobe.model.result import AuditResult
from atsprobe.report.places import bundle_title, main_bundles
from atsprobe.report.style import QUIET
from atsprobe.report.tally import Tally, addresses, interrupted, tally, with_status
from atsprobe.report.text.layout import Page, Part
from atsprobe.report.words import are, count, version, were

DROPPED = (ExceptionStatus.UNNEEDED, ExceptionStatus.INSUFFICIENT, ExceptionStatus.INEFFECTIVE)


def add_answer(page: Page, result: AuditResult) -> None:
    """Write the answer; below it, unless the report is to be quiet, what to do and what was looked at."""
    counted = tally(result)
    symbol = answer_symbol(result, counted)
    page.add(symbol, " ", (f"{subject(result)}{seen_before(result)}: {_answer(result, counted)}", "strong"), hang=2)
    if page.style.verbosity <= QUIET:
        return
    page.add(_what_to_do(result, counted), indent=2, hang=2)
    add_looked_at(page, result)


def add_looked_at(page: Page, result: AuditResult) -> None:
    """Write what was looked at, and as which client."""
    page.add(_looked_at(result, tally(result)), indent=2, hang=2)


def system_services(result: AuditResult) -> str:
    """Name the clients, where none of them reads an Info.plist, so that ATS and its keys are not the question; else empty."""
    return "" if any(p.reads_exceptions for p in result.profiles) else ", ".join(p.name for p in result.profiles)


def answer_symbol(result: AuditResult, counted: Tally) -> Part:
    """Give the sign of the answer."""
    if counted.findings:
        return ("✗", "bad")
    if counted.not_judged or result.recording.interrupted:
        return ("?", "strong")
    return "✓" if counted.loads or result.exceptions else "-"


def subject(result: AuditResult) -> str:
    """Name what was audited: the app, the Info.plist, or how many endpoints."""
    mains = main_bundles(result.recording.extraction)
    if not mains:
        return count(len(result.loads), "endpoint")
    others = f" and {len(mains) - 1} more" if len(mains) > 1 else ""
    return bundle_title(mains[0]) + others


def seen_before(result: AuditResult) -> str:
    """Say when an audit that is judged again was made, and as which client it is judged now; else empty."""
    if not result.is_rejudged:
        return ""
    day = result.recording.finished_at.astimezone(UTC).date().isoformat()
    return f", seen {day}, as {client_title(result)}"


def _answer(result: AuditResult, counted: Tally) -> str:
    cut_off = len(interrupted(result))
    parts = [_findings(counted)] if counted.findings else []
    if result.recording.interrupted:
        parts.insert(0, f"interrupted after {len(counted.loads) - cut_off} of {len(counted.loads)} endpoints")
    if counted.findings:
        parts.append(_servers(counted))
    elif counted.not_judged or result.recording.interrupted:
        parts.append(("" if result.recording.interrupted else "incomplete; ") + _no_findings_but(counted))
    else:
        parts += ["nothing to act on", _allowed(counted) if counted.loads else _no_server(result)]
    if counted.accepted:
        parts.append(f"{counted.accepted} accepted")
    return "; ".join(part for part in parts if part)


def _findings(counted: Tally) -> str:
    return count(counted.findings, "finding")


def _servers(counted: Tally) -> str:
    """Say how many servers are blocked, and what could not be judged."""
    unknown, keys = len(counted.inconclusive), len(counted.keys_alone)
    parts = []
    if counted.blocked:
        parts.append(f"{count(len(counted.blocked), 'server')} {are(len(counted.blocked))} blocked")
    things = []
    if unknown and keys:
        things.append(count(unknown, "server"))
    elif unknown:
        things.append(str(unknown) if counted.blocked else f"{unknown} of {count(len(counted.loads), 'server')}")
    if keys:
        things.append(count(keys, "exception"))
    if things:
        parts.append(f"{' and '.join(things)} could not be judged")
    elif counted.skipped:
        parts.append(f"{_unread(counted)} not read")
    return ", ".join(parts)


def _no_findings_but(counted: Tally) -> str:
    things = []
    if counted.inconclusive:
        things.append(count(len(counted.inconclusive), "server"))
    if counted.keys_alone:
        things.append(count(len(counted.keys_alone), "exception"))
    if things:
        number = len(counted.inconclusive) + len(counted.keys_alone)
        return f"no findings, but {' and '.join(things)} {were(number)} not judged"
    return f"no findings, but {_unread(counted)} not read" if counted.skipped else "no findings"


def _unread(counted: Tally) -> str:
    """Say how many files (or binaries, where all are) were not read, up to the verb."""
    number = len(counted.skipped)
    all_binaries = all("FairPlay" in s.reason or s.file.endswith(")") for s in counted.skipped)
    return f"{count(number, 'binary' if all_binaries else 'file')} {were(number)}"


def _no_server(result: AuditResult) -> str:
    return "no server was looked at" if result.recording.ignored else "no server was found"


def _allowed(counted: Tally) -> str:
    exempt = sum(1 for e in counted.loads if e.declared_verdict == "exempt")
    allowed = sum(1 for e in counted.loads if e.declared_verdict == "allowed")
    told = [f"{count(allowed, 'server')} {are(allowed)} allowed"] if allowed else []
    if exempt:
        noun = f"{exempt}" if told else count(exempt, "server")
        told.append(f"{noun} {are(exempt)} exempt")
    return ", ".join(told)


def _what_to_do(result: AuditResult, counted: Tally) -> str:
    if not counted.findings:
        return _what_holds(result, counted)
    works = []
    if counted.blocked:
        works.append(f"fix {count(len(counted.blocked), 'server')}")
    urls = len(with_status(result, ExceptionStatus.REPLACEABLE))
    if urls:
        works.append(f"change {count(urls, 'URL')}")
    noun_was_said = False
    for verb, statuses in (("drop", DROPPED), ("narrow", (ExceptionStatus.TOO_WIDE,))):
        number = len(with_status(result, *statuses))
        if number:
            works.append(f"{verb} {number}" if noun_was_said else f"{verb} {count(number, 'exception')}")
            noun_was_said = True
    stale = len(result.stale_waivers)
    if stale:
        works.append(f"see to {count(stale, 'waiver')}")
    needed = len(with_status(result, ExceptionStatus.NEEDED))
    kept = f"{needed} {are(needed)} needed" if noun_was_said else f"{count(needed, 'exception')} {are(needed)} needed"
    return ", ".join(works) + (f"; {kept}" if needed else "")


def _what_holds(result: AuditResult, counted: Tally) -> str:
    passing = sum(1 for e in counted.loads if e.verdict is Verdict.PASS)
    complete, where = not counted.not_judged, _on_every_address(result)
    ignored = len(result.recording.ignored)
    if not counted.loads:
        left = len(result.recording.not_audited)
        held = "no host was found in what was read" if counted.skipped else "no host was found or named"
        if left:
            listed = f"atsprobe hosts lists {'it' if left == 1 else 'them'}"
            held = f"{count(left, 'less sure host')} {were(left)} left out ({listed})"
        elif ignored:
            held = f"{count(ignored, 'host')} {are(ignored)} ignored"
    elif complete:
        everything = passing == len(counted.loads) > 1
        held = f"{'all ' if everything else ''}{passing} {'passes' if passing == 1 else 'pass'} default ATS {where}"
    else:
        verb = "passes" if len(counted.loads) == 1 else "pass"
        held = f"{passing} of {count(len(counted.loads), 'server')} {verb} default ATS {where}"
    told = [held]
    if not complete and counted.skipped:
        told.append(f"{_unread(counted)} not read")
    if result.recording.extraction.bundles and (complete or result.exceptions):
        told.append(_declared(result))
    return "; ".join(told)


def _on_every_address(result: AuditResult) -> str:
    """Say where servers pass: addresses that the user left out, or that have no route from here, were not asked."""
    families = {"ipv4": "IPv4 ", "ipv6": "IPv6 "}
    family = families.get(result.recording.families[0], "") if len(result.recording.families) == 1 else ""
    unreached = any(isinstance(o, Unreachable) and o.reason == "no-route" for e in result.loads for o in e.observations)
    return f"on every {family}address{' with a route from here' if unreached else ''}"


def _declared(result: AuditResult) -> str:
    """Say what became of the declared keys, where none of them is a finding."""
    total = len(result.exceptions)
    if not total:
        return "no exception is declared"
    declared = f"{count(total, 'exception')} {are(total)} declared"
    statuses = Counter(str(k.status) for k in result.exceptions)
    if len(statuses) == 1:
        return f"{declared}, and {are(total)} {next(iter(statuses))}"
    return f"{declared}, {', '.join(f'{n} {status}' for status, n in sorted(statuses.items()))}"


def _looked_at(result: AuditResult, counted: Tally) -> str:
    bundles = len(result.recording.extraction.bundles)
    seen = [count(bundles, "bundle")] if bundles else []
    seen.append(count(len(counted.loads), "endpoint"))
    seen.append(count(len(addresses(counted.loads)), "address"))
    if result.recording.ignored:
        seen.append(f"{count(len(result.recording.ignored), 'host')} ignored")
    return f"{', '.join(seen)}; {client(result)}"


def client(result: AuditResult) -> str:
    """Say as which client everything was judged: iOS, SDK, roots."""
    parts = [client_title(result)]
    bundles = result.recording.extraction.bundles
    if bundles:
        linked = {version(result.sdk or b.linked_sdk or "unknown") for b in bundles}
        parts.append(f"SDK {' and '.join(sorted(linked))}")
    parts.append(result.trust_title)
    installed = len(result.recording.installed_roots)
    if installed:
        parts.append(count(installed, "installed root"))
    return ", ".join(part for part in parts if part)


def client_title(result: AuditResult) -> str:
    """Name the profiles: ``iOS 16 to 26``, from the oldest that the app runs on."""
    return versions_title(result.profiles, result.recording.extraction.bundles)


def versions_title(profiles: Sequence[Profile], bundles: Sequence[Bundle]) -> str:
    """Name profiles, those of several iOS versions from the oldest that one of the bundles runs on."""
    versions = [p for p in profiles if p.selectable_as_ios]
    if len(versions) < 2 or len(versions) < len(profiles):
        return ", ".join(p.title for p in profiles)
    newest = versions[-1].title.removeprefix("iOS ")
    return f"iOS {_oldest(versions, bundles)} to {newest}"


def _oldest(profiles: Sequence[Profile], bundles: Sequence[Bundle]) -> str:
    """Give the oldest iOS that the app runs on where it lies between the two oldest profiles, else that of the profile."""
    lowest = [b.minimum_os for b in bundles if b.minimum_os]
    parsed = {_order(text): text for text in lowest if _order(text)}
    if parsed and profiles[0].order < min(parsed) < profiles[1].order:
        return version(parsed[min(parsed)])
    return profiles[0].title.removeprefix("iOS ")


def _order(text: str) -> tuple[int, ...]:
    parts = text.split(".")
    return tuple(int(p) for p in parts) if all(p.isascii() and p.isdigit() and len(p) < 6 for p in parts) else ()
