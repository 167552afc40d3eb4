"""The formats of a report: one row each, results in, text out."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from atsprobe.model.result import (
    AuditResult,
    CertificateResult,
    ConfigResult,
    DiagnoseResult,
    DriftResult,
    HostsResult,
    LabResult,
    PolicyResult,
    Result,
)
from atsprobe.report.style import Style


def render(result: Result, name: str, style: Style) -> str:
    """Give a result in a format. Raises KeyError for a name that no format has, or none for such a result."""
    return (HOSTS_FORMATS if isinstance(result, HostsResult) else DIAGNOSIS_FORMATS)[name](result, style)


def _text(result: Result, style: Style) -> str:
    if isinstance(result, AuditResult):
        from atsprobe.report.text.audit import render_audit

        return render_audit(result, style)
    if isinstance(result, DiagnoseResult):
        from atsprobe.report.text.diagnose import render_diagnose

        return render_diagnose(result, style)
    if isinstance(result, DriftResult):
        from atsprobe.report.text.drift import render_drift

        return render_drift(result, style)
    if isinstance(result, HostsResult):
        from atsprobe.report.text.hosts import render_hosts

        return render_hosts(result, style)
    if isinstance(result, PolicyResult):
        from atsprobe.report.text.policy import render_policy

        return render_policy(result, style)
    if isinstance(result, CertificateResult):
        from atsprobe.report.text.certificate import render_certificate

        return render_certificate(result, style)
    if isinstance(result, LabResult):
        from atsprobe.report.text.lab import render_lab

        return render_lab(result, style)
    if isinstance(result, ConfigResult):
        from atsprobe.report.text.config import render_config

        return render_config(result, style)
    assert_never(result)


def _json(result: Result, _: Style) -> str:
    from atsprobe.json_v1.text import dumps

    if isinstance(result, AuditResult):
        from atsprobe.json_v1 import audit
        from atsprobe.report.fixes import finding_fix

        recording = result.recording
        return dumps(audit.encode(result, lambda row, finding: finding_fix(row, finding, recording)))
    if isinstance(result, DiagnoseResult):
        from atsprobe.json_v1 import diagnose

        return dumps(diagnose.encode(result))
    if isinstance(result, DriftResult):
        from atsprobe.json_v1 import drift

        return dumps(drift.encode(result))
    if isinstance(result, HostsResult):
        from atsprobe.json_v1 import hosts

        return dumps(hosts.encode(result))
    if isinstance(result, PolicyResult):
        from atsprobe.json_v1 import policy

        return dumps(policy.encode(result))
    if isinstance(result, CertificateResult):
        from atsprobe.json_v1 import certificate

        return dumps(certificate.encode(result))
    if isinstance(result, LabResult):
        from atsprobe.json_v1 import lab

        return dumps(lab.encode(result))
    if isinstance(result, ConfigResult):
        from atsprobe.json_v1 import config

        return dumps(config.encode(result))
    assert_never(result)


def _diagnosis_as_markdown(result: Result, _: Style) -> str:
    from atsprobe.report.markdown.diagnose import render_diagnose

    return render_diagnose(_diagnosis(result))


def _diagnosis_as_nscurl(result: Result, style: Style) -> str:
    from atsprobe.report.nscurl import render_nscurl

    return render_nscurl(_diagnosis(result), style)


def _diagnosis(result: Result) -> DiagnoseResult:
    if not isinstance(result, DiagnoseResult):
        raise KeyError(type(result).__name__)
    return result


def _hosts_as_csv(result: Result, _: Style) -> str:
    from atsprobe.report.csv_sightings import render_hosts

    if not isinstance(result, HostsResult):
        raise KeyError(type(result).__name__)
    return render_hosts(result)


FORMATS: dict[str, Callable[[Result, Style], str]] = {"text": _text, "json": _json}
"""Those that every result has."""

HOSTS_FORMATS: dict[str, Callable[[Result, Style], str]] = {**FORMATS, "csv": _hosts_as_csv}
"""Those of a list of hosts."""

DIAGNOSIS_FORMATS: dict[str, Callable[[Result, Style], str]] = {
    **FORMATS,
    "markdown": _diagnosis_as_markdown,
    "nscurl": _diagnosis_as_nscurl,
}
"""Those of a diagnosis."""
