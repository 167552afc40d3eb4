"""The last line on standard error: why the exit code is what it is; and which commands may help next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import assert_never

from atsprobe.model.observation import Unresolved
from atsprobe.model.result import (
    AuditResult,
    CertificateResult,
    ConfigResult,
    DiagnoseResult,
    DriftResult,
    EndpointResult,
    ExitCode,
    HostsResult,
    LabResult,
    PolicyResult,
    Result,
    exit_code,
)
from atsprobe.report.plist_patch import changes
from atsprobe.report.tally import interrupted, tally
from atsprobe.report.words import are, count, were

_LONGEST_COMMAND = 300


def why(result: Result) -> str:
    """Say in a few words why `exit_code` gives what it gives."""
    if isinstance(result, AuditResult):
        return _of_audit(result)
    if isinstance(result, DiagnoseResult):
        return _of_diagnose(result)
    if isinstance(result, DriftResult):
        return _of_drift(result)
    if isinstance(result, HostsResult):
        return _of_hosts(result)
    if isinstance(result, PolicyResult):
        return _of_policy(result)
    if isinstance(result, CertificateResult):
        return _of_certificate(result)
    if isinstance(result, LabResult):
        return "the lab is up" if result.is_up else "the lab is not up"
    if isinstance(result, ConfigResult):
        return f"what is in force with {result.file}" if result.file else "what is in force without a settings file"
    assert_never(result)


def _of_audit(result: AuditResult) -> str:
    counted = tally(result)
    told = [count(counted.findings, "finding")] if counted.findings else []
    if counted.not_judged:
        told.append(f"{counted.not_judged} not judged")
    if counted.accepted:
        told.append(f"{counted.accepted} accepted")
    match exit_code(result):
        case ExitCode.INTERRUPTED:
            return _of_interrupted(result)
        case ExitCode.USAGE:
            unreadable = sum(1 for s in counted.skipped if s.unreadable)
            if not counted.loads and not result.exceptions:
                return "nothing was audited"
            return ", ".join([f"{count(unreadable, 'input')} {were(unreadable)} not read", *told])
        case ExitCode.FINDINGS:
            return ", ".join(told)
        case ExitCode.INCOMPLETE:
            return ", ".join(["incomplete", *told])
        case ExitCode.NOTHING_TO_ACT_ON:
            nowhere = "no server was looked at" if result.recording.ignored else "no server was found"
            return ", ".join(["nothing to act on", *([] if counted.loads else [nowhere]), *told])


def _of_interrupted(result: AuditResult) -> str:
    total, cut_off = len(result.loads), len(interrupted(result))
    after = f"interrupted after {total - cut_off} of {count(total, 'endpoint')}"
    if not cut_off:
        return after
    return f"{after}; the other {f'{cut_off} ' if cut_off > 1 else ''}{are(cut_off)} listed as not judged"


def _of_diagnose(result: DiagnoseResult) -> str:
    told = [count(result.findings, "finding")] if result.findings else []
    if result.not_judged:
        told.append(f"{len(result.not_judged)} not judged")
    unreadable = len(result.recording.extraction.skipped)
    match exit_code(result):
        case ExitCode.INTERRUPTED:
            return ", ".join(["interrupted", *told])
        case ExitCode.USAGE:
            not_read = f"{count(unreadable, 'target')} {were(unreadable)} not diagnosed"
            return ", ".join([not_read, *told]) if result.diagnoses else "nothing was diagnosed"
        case ExitCode.FINDINGS:
            return ", ".join(told)
        case ExitCode.INCOMPLETE:
            return ", ".join(["incomplete", *told])
        case ExitCode.NOTHING_TO_ACT_ON:
            return "nothing to act on"


def _of_drift(result: DriftResult) -> str:
    worse, unknown = len(result.about("worse")), len(result.about("unknown"))
    told = [f"{worse} got worse"] if worse else []
    if unknown:
        told.append(f"{unknown} not compared")
    match exit_code(result):
        case ExitCode.FINDINGS:
            return ", ".join(told)
        case ExitCode.INCOMPLETE:
            return ", ".join(["incomplete", *told])
        case _:
            return "nothing got worse"


def _of_hosts(result: HostsResult) -> str:
    skipped = result.extraction.skipped
    match exit_code(result):
        case ExitCode.USAGE:
            if not result.extraction.references and not result.extraction.bundles:
                return "nothing was read"
            unreadable = sum(1 for s in skipped if s.unreadable)
            return f"{count(unreadable, 'input')} {were(unreadable)} not read"
        case ExitCode.INCOMPLETE:
            return f"incomplete, {len(skipped)} skipped"
        case _:
            return "every input was read"


def _of_policy(result: PolicyResult) -> str:
    told = [count(len(result.ineffective), "finding")] if result.ineffective else []
    skipped = sum(1 for s in result.skipped if not s.unreadable)
    if result.unverifiable or skipped:
        told.append(f"{len(result.unverifiable) + skipped} not judged")
    match exit_code(result):
        case ExitCode.USAGE:
            unreadable = len(result.skipped) - skipped
            if not result.bundles:
                return "nothing was read"
            return ", ".join([f"{count(unreadable, 'input')} {were(unreadable)} not read", *told])
        case ExitCode.FINDINGS:
            return ", ".join(told)
        case ExitCode.INCOMPLETE:
            return ", ".join(["incomplete", *told])
        case _:
            return ", ".join(["nothing to act on", *told])


def _of_certificate(result: CertificateResult) -> str:
    told = [count(len(result.failing), "finding")] if result.failing else []
    if result.not_judged:
        told.append(f"{len(result.not_judged)} not judged")
    match exit_code(result):
        case ExitCode.FINDINGS:
            return ", ".join(told)
        case ExitCode.INCOMPLETE:
            return ", ".join(["incomplete", *told])
        case _:
            return ", ".join(["nothing to act on", *told])


def hints(result: Result) -> tuple[str, ...]:
    """Give what may settle names that DNS does not know, and the day from which a certificate is valid."""
    if isinstance(result, CertificateResult):
        return _as_of_then(result)
    if isinstance(result, PolicyResult):
        return _name_a_host(result)
    if not isinstance(result, AuditResult | DiagnoseResult):
        return ()
    seen = result.loads if isinstance(result, AuditResult) else result.diagnoses
    unknown = [
        e.endpoint
        for e in seen
        if e.resolution
        and not (isinstance(e, EndpointResult) and e.declared_verdict == "exempt")
        and isinstance(e.resolution.outcome, Unresolved)
        and e.resolution.outcome.reason == "no-such-name"
    ]
    if not unknown:
        return ()
    return (f"a private name? --nameserver ADDR, or --resolve {unknown[0]}:ADDR",)


def _name_a_host(result: PolicyResult) -> tuple[str, ...]:
    """A plist that names no host demands something of every host that the app loads from."""
    if not result.bundles or any(b.policies for b in result.bundles) or result.skipped:
        return ()
    return (f"name a host: atsprobe policy {shlex.quote(result.plist)} api.example.com",)


def _as_of_then(result: CertificateResult) -> tuple[str, ...]:
    begins = result.valid_from
    if begins is None:
        return ()
    if begins == begins.replace(hour=0, minute=0, second=0):
        return (f"--at {begins:%Y-%m-%d} judges as of that day",)
    return (f"--at {begins:%Y-%m-%dT%H:%M:%SZ} judges as of then",)


def next_command(result: AuditResult, arguments: Sequence[str]) -> str:
    """Give the command that writes the dictionary which remains; empty where it is the declared one, or does not run again.

    ``arguments`` are those of the command that was run, as typed.
    """
    bundles = result.recording.extraction.bundles
    if not any(changes(result, bundle.identifier) for bundle in bundles) or not arguments or "-" in arguments:
        return ""
    is_xml_source = all(bundle.is_loose_plist and bundle.key_lines for bundle in bundles)
    option = "--patch ats.diff" if is_xml_source else "--suggest ats.plist"
    command = shlex.join(("atsprobe", *arguments))
    if len(command) > _LONGEST_COMMAND:
        return f"{option} beside the options that were given writes the dictionary that remains"
    return f"{command} {option}" + ("" if is_xml_source else "   (writes the dictionary that remains)")
