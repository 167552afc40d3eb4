"""The profiles of Apple's client, read from one file each, and which of them a question is about."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.policy import Profile


class UnknownProfile(ValueError):
    """Says that no profile answers to what was asked, and which ones there are."""


@cache
def all_profiles() -> tuple[Profile, ...]:
    """Give every profile in the package: iOS versions from oldest to newest, then special modes."""
    directory = resources.files("atsprobe.ats") / "profiles"
    files = [f for f in directory.iterdir() if f.name.endswith(".toml")]
    data = {d["name"]: d for d in (tomllib.loads(f.read_text("utf-8")) for f in files)}
    read = [_profile(d, data) for d in data.values()]
    return tuple(sorted(read, key=lambda p: (not p.selectable_as_ios, p.order, p.name)))


def _profile(data: dict[str, Any], others: dict[str, dict[str, Any]]) -> Profile:
    fields = _rows(data, others)
    for key in ("minimum_tls_version", "maximum_tls_version"):
        fields[key] = TlsVersion.from_label(fields[key])
    return Profile(name=data["name"], title=data["title"], order=tuple(data["order"]), **fields)


def _rows(data: dict[str, Any], others: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Give the values of a profile's rows over those of the profile that it is based on."""
    rows = _rows(others[data["based_on"]], others) if "based_on" in data else {}
    own = {key: row["value"] for key, row in data.items() if isinstance(row, dict)}
    return rows | {k: tuple(v) if isinstance(v, list) else v for k, v in own.items()}


def ios_profiles() -> tuple[Profile, ...]:
    """Give the profiles of iOS versions, oldest first."""
    return tuple(p for p in all_profiles() if p.selectable_as_ios)


def profiles(asked: Sequence[str] = (), minimum_os: str | None = None, mode: str | None = None) -> tuple[Profile, ...]:
    """Give the profiles to judge as, oldest first.

    ``mode`` names one by its own name. ``asked`` are iOS versions (``17``, ``ios26``, ``all``); a version between two
    profiles takes the older one, as the client of that version: what came between the two holds. Of several versions under
    one profile the newest counts, which asks most. With neither, every profile from ``minimum_os`` on, or the newest where
    that is None.
    Raises UnknownProfile.
    """
    if mode is not None:
        found = tuple(p for p in all_profiles() if p.name == mode)
        if not found:
            raise UnknownProfile(f"no profile {mode!r}; there are {', '.join(p.name for p in all_profiles())}")
        return found
    if asked:
        chosen = sorted((p for text in asked for p in _asked(text)), key=lambda p: p.oldest)
        return tuple(sorted({p.name: p for p in chosen}.values(), key=lambda p: p.order))
    newest = ios_profiles()[-1]
    if minimum_os is None:
        return (newest,)
    oldest = _at_or_before(_version(minimum_os) or newest.order)
    if oldest is None:
        return ios_profiles()
    return (oldest, *(p for p in ios_profiles() if p.order > oldest.order))


def _asked(text: str) -> tuple[Profile, ...]:
    if text == "all":
        return ios_profiles()
    version = _version(text.removeprefix("ios"))
    if version is None:
        raise UnknownProfile(f"no iOS version {text!r}; give one such as 26, or all")
    found = _at_or_before(version)
    if found is None:
        oldest = ios_profiles()[0]
        raise UnknownProfile(f"iOS {text} is older than the oldest profile, {oldest.title}")
    return (found,)


def _at_or_before(version: tuple[int, ...]) -> Profile | None:
    older = [p for p in ios_profiles() if p.order <= version]
    return older[-1].asked_as(version) if older else None


def _version(text: str) -> tuple[int, ...] | None:
    parts = text.split(".")
    if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        return None
    return tuple(int(part) for part in parts)


def is_at_least(version: str | None, floor: tuple[int, ...]) -> bool:
    """Say whether a version such as ``26.1`` is at least the floor; an unknown one counts as the newest."""
    read = _version(version) if version else None
    return read is None or read >= floor
