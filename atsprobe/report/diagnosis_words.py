"""What a diagnosis says in words, whatever the format: the answer, what was looked at, what each code means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from atsprobe.model.diagnosis import Diagnosis, DiagnosticRow, DiagnosticTest
from atsprobe.model.judgement import Verdict
from atsprobe.model.observation import Resolved
from atsprobe.model.result import DiagnoseResult
from atsprobe.report.advice import why_unresolved
from atsprobe.report.fixes import exception_keys
from atsprobe.report.places import key_name
from atsprobe.report.words import count, listed, version

Kind = Literal["passes", "exempt", "exception", "blocked", "unknown"]
_MOST_ADDRESSES = 3


@dataclass(frozen=True)
class Answer:
    """The answer of a diagnosis: its kind, the sentence, and what else its reader has to know of it."""

    kind: Kind
    sentence: str
    beside: str = ""


@dataclass(frozen=True)
class Meaning:
    """What a mark of the table means: an error code, ``?`` for INCONCLUSIVE, ``!`` for a remark, nothing for what fails too."""

    mark: str
    text: str


def answer(diagnosis: Diagnosis) -> Answer:
    """Say whether default ATS passes; if not, the smallest exception that works and whether App Review asks why."""
    default = diagnosis.default
    if default.result == "INCONCLUSIVE":
        return Answer("unknown", f"could not be judged; {why_unknown(diagnosis)}")
    if diagnosis.verdict is Verdict.EXEMPT:
        return _of_exempt(default)
    if default.result == "PASS":
        return Answer("passes", "passes default ATS")
    if diagnosis.verdict is Verdict.BLOCKED:
        return Answer("blocked", "default ATS fails, and no ATS exception helps")
    if diagnosis.minimal_exception is None:
        return Answer("blocked", "default ATS fails; whether an exception helps could not be told")
    smallest = exception_keys(diagnosis.minimal_exception)
    sentence = f"default ATS fails; the smallest exception that works is {smallest} ({_review(diagnosis)})"
    return Answer("exception", sentence, _code_too(diagnosis))


def _of_exempt(default: DiagnosticRow) -> Answer:
    """ATS leaves such a host alone; the default evaluation of trust does not."""
    outside = "outside App Transport Security, and the load"
    if default.result == "PASS":
        return Answer("exempt", f"{outside} passes")
    return Answer("blocked", f"{outside} fails all the same; {_why(default)}")


def _why(row: DiagnosticRow) -> str:
    return f"{row.failing[0].requirement}: {row.reason}" if row.failing else row.reason


def _review(diagnosis: Diagnosis) -> str:
    assert diagnosis.minimal_exception is not None
    if not diagnosis.justified:
        return "App Review asks no reason for it"
    every = len(diagnosis.justified) == len(diagnosis.minimal_exception.to_plist())
    return "App Review asks for a reason" + ("" if every else f" for {' and '.join(diagnosis.justified)}")


def _code_too(diagnosis: Diagnosis) -> str:
    since = diagnosis.client.profile.sdk_default_floor
    if not diagnosis.needs_code or since is None:
        return ""
    return (
        f"an app linked with SDK {'.'.join(map(str, since))} or later also needs tlsMinimumSupportedProtocolVersion in code; "
        "the key alone is not proved to be enough there"
    )


def why_unknown(diagnosis: Diagnosis) -> str:
    """Say why the row of default ATS is INCONCLUSIVE."""
    return why_unresolved(diagnosis.resolution) or diagnosis.default.reason or "nothing was seen"


def client_title(diagnosis: Diagnosis) -> str:
    """Name the client: ``iOS 26``, with the SDK where one was asked for."""
    sdk = diagnosis.client.linked_sdk
    return f"{diagnosis.client.profile.title}, SDK {version(sdk)}" if sdk else diagnosis.client.profile.title


def looked_at(result: DiagnoseResult, diagnosis: Diagnosis) -> str:
    """Say as which client, at which addresses, and by how many connections it was looked at."""
    installed = len(result.recording.installed_roots)
    roots = count(installed, "installed root") if installed else ""
    client = ", ".join(filter(None, (client_title(diagnosis), result.trust_title, roots)))
    return "; ".join(filter(None, (client, _addresses(diagnosis), _connections(diagnosis))))


def _addresses(diagnosis: Diagnosis) -> str:
    ips = [a.ip for a in diagnosis.addresses]
    resolution = diagnosis.resolution
    resolved = resolution.outcome.addresses if resolution and isinstance(resolution.outcome, Resolved) else ()
    left_out = [a.ip for a in resolved if a.ip not in ips]
    told = ips[0] if len(ips) == 1 else ""
    if len(ips) > 1:
        told = f"{count(len(ips), 'address')} {'agree' if diagnosis.addresses_agree else 'disagree'}"
    return ", ".join(filter(None, (told, f"no route to {listed(left_out)}" if left_out else "")))


def _connections(diagnosis: Diagnosis) -> str:
    numbers = [diagnosis.connections(a) for a in diagnosis.addresses]
    if not any(numbers):
        return ""
    if len(set(numbers)) == 1:
        return count(numbers[0], "connection") + (" each" if len(numbers) > 1 else "")
    return f"{', '.join(map(str, numbers[:-1]))} and {count(numbers[-1], 'connection')}"


def where(diagnosis: Diagnosis, row: DiagnosticRow) -> str:
    """Say on which addresses a row has its result, where they disagree; else empty."""
    if len(row.addresses) == len(diagnosis.addresses):
        return ""
    ips = [a.ip for a in row.addresses]
    return f"on {ips[0]} alone" if len(ips) == 1 else f"on {listed(ips, _MOST_ADDRESSES)}"


def keys(test: DiagnosticTest) -> str:
    """Write the keys of a test's dictionary, each with its value; empty for default ATS."""
    domains = test.dictionary.get("NSExceptionDomains")
    entries = domains.values() if isinstance(domains, Mapping) else (test.dictionary,)
    pairs = (pair for entry in entries if isinstance(entry, Mapping) for pair in entry.items())
    return ", ".join(f"{key} = true" if value is True else key_name(None, key, value) for key, value in pairs)


def meanings(diagnosis: Diagnosis) -> tuple[Meaning, ...]:
    """Say what each code of the table means, what else fails, and what should be known of rows."""
    told: dict[tuple[str, str, str], Meaning] = {}
    for row in diagnosis.rows:
        requirement = str(row.failing[0].requirement) if row.failing else ""
        if row.result == "INCONCLUSIVE":
            told.setdefault(("?", "", row.reason), Meaning("?", row.reason))
        elif row.error is not None:
            mark = str(row.error.telling)
            told.setdefault((mark, requirement, _own_fault(requirement, row)), Meaning(mark, _why(row)))
    requirements = {key[1] for key in told}
    return (*_together(told.values()), *_what_fails_too(diagnosis, requirements), *_remarks(diagnosis))


def _together(told: Iterable[Meaning]) -> Iterator[Meaning]:
    """Give what means the same once: trust fails with one code under ATS and with another without."""
    marks: dict[str, list[str]] = {}
    for meaning in told:
        marks.setdefault(meaning.text, []).append(meaning.mark)
    for text, codes in marks.items():
        yield Meaning(", ".join(codes), text)


def _own_fault(requirement: str, row: DiagnosticRow) -> str:
    """Tell apart rows that fail for what they ask for themselves; of the others one speaks for all of its requirement."""
    if requirement and (requirement != "tls-version" or "; at least" in row.reason):
        return ""
    return row.reason


def _what_fails_too(diagnosis: Diagnosis, told: set[str]) -> Iterator[Meaning]:
    for finding in diagnosis.default.failing[1:]:
        if finding.requirement not in told:
            yield Meaning("", f"{finding.requirement}: {finding.evidence}")


def _remarks(diagnosis: Diagnosis) -> Iterator[Meaning]:
    if not diagnosis.client.profile.reads_exceptions:
        yield Meaning("!", "this client reads no Info.plist: every row is the same load")
    by_remark: dict[str, list[DiagnosticRow]] = {}
    for row in diagnosis.rows:
        by_remark.setdefault(row.remark, []).append(row)
    for remark, rows in by_remark.items():
        if remark:
            those = rows[0].test.label if len(rows) == 1 else count(len(rows), "row")
            yield Meaning("!", f"{those}: {remark}")
