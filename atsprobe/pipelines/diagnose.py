"""The table of ``nscurl --ats-diagnostics`` for hosts: look at each with a few connections, then compute every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TextIO

from atsprobe.ats.offer import diagnostic_offers
from atsprobe.ats.profile import profiles
from atsprobe.certificate_files import apple_roots
from atsprobe.extract.target import BadTarget, HostTarget, Target, expand
from atsprobe.model.app import SkippedInput
from atsprobe.model.endpoint import counterpart
from atsprobe.model.result import DiagnoseResult
from atsprobe.pipelines.audit import check_profiles
from atsprobe.pipelines.progress import Progress
from atsprobe.pipelines.record import record
from atsprobe.settings import Settings
from atsprobe.weigh import diagnostics


def diagnose(
    targets: Sequence[str],
    settings: Settings | None = None,
    progress: Progress | None = None,
    *,
    names_are_given: bool = False,
    stdin: TextIO | None = None,
) -> DiagnoseResult:
    """Give the sixteen rows of nscurl, and two more, for each host and each client, from at most 8 connections to an address.

    ``targets`` are hosts and https URLs, or lists of them (``@file``, ``-``). Raises UsageProblem for an option that cannot be
    taken; a target that is no such host is in ``skipped`` of the extraction, and the others are diagnosed all the same.
    """
    settings = replace(settings or Settings(), quick=True)
    check_profiles(settings)
    found = list(expand(targets, stdin))
    hosts = [t.text for t in found if isinstance(t, HostTarget) and t.endpoint.scheme == "https"]
    offers = diagnostic_offers(profiles(settings.ios, None, settings.profile))
    recording = record(hosts, settings, progress, names_are_given=names_are_given, offers=offers)
    skipped = tuple(s for target in found if (s := _skipped(target)) is not None)
    recording = replace(recording, extraction=replace(recording.extraction, skipped=skipped))
    return diagnostics.diagnose(
        recording, trust=apple_roots(), ios=settings.ios, profile=settings.profile, sdk=settings.sdk
    )


def _skipped(target: Target) -> SkippedInput | None:
    """Say why a target has no table."""
    if isinstance(target, BadTarget):
        return SkippedInput(target.text, "", target.reason, target.advice, unreadable=True)
    if not isinstance(target, HostTarget):
        advice = "atsprobe audit reads apps and plists"
        return SkippedInput(target.text, "", "a file, and the table is of a host", advice, unreadable=True)
    if target.endpoint.scheme == "http":
        reason = "the table is of https:// loads; ATS refuses http:// whatever the server does"
        https = str(counterpart(target.endpoint)).removesuffix(":443")
        return SkippedInput(target.text, "", reason, f"give https://{https}, or use atsprobe audit", unreadable=True)
    return None
