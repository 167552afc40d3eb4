"""The main job: look at an app and its servers, then conclude."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import TextIO

from atsprobe.ats.profile import UnknownProfile, profiles
from atsprobe.certificate_files import apple_roots
from atsprobe.model.recording import Recording
from atsprobe.model.result import AuditResult
from atsprobe.pipelines.progress import Progress
from atsprobe.pipelines.record import record
from atsprobe.settings import Settings, UsageProblem
from atsprobe.weigh.conclude import conclude
from atsprobe.weigh.waivers import with_waivers


def audit(
    targets: Sequence[str],
    settings: Settings | None = None,
    progress: Progress | None = None,
    *,
    names_are_given: bool = False,
    stdin: TextIO | None = None,
) -> AuditResult:
    """Extract hosts from targets, probe them, judge them and weigh every declared exception.

    Raises UsageProblem for an option that cannot be taken; a target that cannot be read is in ``skipped`` of the extraction.
    """
    settings = settings or Settings()
    check_profiles(settings)
    recording = record(targets, settings, progress, names_are_given=names_are_given, stdin=stdin)
    return concluded(recording, settings)


def concluded(recording: Recording, settings: Settings) -> AuditResult:
    """Judge a recording as the settings say, less the findings that are accepted on the day on which it was made."""
    result = conclude(recording, trust=apple_roots(), ios=settings.ios, profile=settings.profile, sdk=settings.sdk)
    return with_waivers(result, settings.waivers, recording.started_at.astimezone(UTC).date())


def check_profiles(settings: Settings) -> None:
    """Raise UsageProblem for an iOS version or profile that does not exist, before a packet is sent."""
    try:
        profiles(settings.ios, None, settings.profile)
    except UnknownProfile as problem:
        raise UsageProblem(str(problem), "--ios 26, or --ios all") from problem
