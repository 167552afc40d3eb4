"""The settings file: found or named, and read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atsprobe.settings_file.find import find_settings, settings_at
from atsprobe.settings_file.read import SettingsFile, read_settings


@dataclass(frozen=True)
class SettingsFound:
    """The settings file, None where there is none or none is wanted; ``looked_in`` are the folders without one."""

    file: SettingsFile | None = None
    looked_in: tuple[str, ...] = ()


def settings_found(path: str | None = None) -> SettingsFound:
    """Read the settings file at a path, or the one that is found from the current folder up.

    Raises UsageProblem: file, line, reason.
    """
    found = settings_at(path) if path is not None else find_settings()
    if found.document is None:
        return SettingsFound(None, found.looked_in)
    return SettingsFound(read_settings(found.document, requirement_ids))


def requirement_ids() -> Sequence[str]:
    """Give the id of every requirement, which a waiver may name."""
    from atsprobe.judge.requirements.registry import REQUIREMENTS

    return [requirement.rule.id for requirement in REQUIREMENTS]
