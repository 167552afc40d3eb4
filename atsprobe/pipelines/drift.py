"""Compare two saved audits, both concluded anew: what got better or worse; no packet is sent."""

from __future__ import annotations

from dataclasses import replace

from atsprobe.certificate_files import apple_roots
from atsprobe.json_v1.audit import JudgedAs
from atsprobe.model.app import Bundle
from atsprobe.model.recording import Recording
from atsprobe.model.result import DriftResult
from atsprobe.pipelines.audit import check_profiles, concluded
from atsprobe.pipelines.rejudge import ignoring, read_saved
from atsprobe.settings import Settings, UsageProblem
from atsprobe.weigh.drift import drift as compared
from atsprobe.weigh.pins import pins_at_risk


def drift(
    old: str | bytes,
    new: str | bytes,
    settings: Settings | None = None,
    *,
    names: tuple[str, str] = ("the older audit", "the newer audit"),
) -> DriftResult:
    """Say what differs between two audits, given as their JSON; conclusions in them are not read.

    Both are judged by today's rules as the same clients: those that the settings name, else those that the newer one was asked
    for; an app by the oldest iOS and the SDK of its newer version, and with the roots that either audit trusted. ``names`` are
    for problems. Raises UsageProblem where one cannot be read.
    """
    settings = settings or Settings()
    check_profiles(settings)
    before, _ = _read(old, names[0])
    after, asked = _read(new, names[1])
    if not (settings.ios or settings.profile):
        settings = replace(settings, ios=asked.ios, profile=asked.mode)
    settings = replace(settings, sdk=settings.sdk or asked.sdk)
    check_profiles(settings)
    before, after = _as_the_same_client(before, after)
    concluded_before, concluded_after = (concluded(ignoring(r, settings.ignored), settings) for r in (before, after))
    roots = apple_roots()
    trust = replace(roots, installed=tuple(dict.fromkeys((*roots.installed, *after.installed_roots))))
    return DriftResult(
        old=replace(concluded_before, is_rejudged=True),
        new=replace(concluded_after, is_rejudged=True),
        changes=compared(concluded_before, concluded_after, trust),
        pins=pins_at_risk(concluded_after, trust),
    )


def _read(text: str | bytes, name: str) -> tuple[Recording, JudgedAs]:
    try:
        return read_saved(text)
    except UsageProblem as problem:
        raise UsageProblem(f"{name}: {problem}", problem.hint) from problem


def _as_the_same_client(before: Recording, after: Recording) -> tuple[Recording, Recording]:
    """Give both as if the older app had had the newer one's oldest iOS and SDK, and both users the same roots and knowledge."""
    roots = tuple(dict.fromkeys((*after.installed_roots, *before.installed_roots)))
    complete = before.assume_complete or after.assume_complete
    bundles = tuple(_as_new(b, after.extraction.bundle(b.identifier)) for b in before.extraction.bundles)
    before = replace(before, extraction=replace(before.extraction, bundles=bundles))
    return (
        replace(before, installed_roots=roots, assume_complete=complete),
        replace(after, installed_roots=roots, assume_complete=complete),
    )


def _as_new(older: Bundle, newer: Bundle | None) -> Bundle:
    return replace(older, minimum_os=newer.minimum_os, linked_sdk=newer.linked_sdk) if newer is not None else older
