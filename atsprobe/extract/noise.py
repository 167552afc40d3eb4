"""Hosts that are named but not loaded from: XML namespaces, certificates' URLs, links to licences and documents."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from atsprobe.extract.host_names import has_public_suffix, is_local_form
from atsprobe.model.endpoint import Host

ONE_LETTER = "a name of one letter, which stands for any"
NO_SUFFIX = "under no public suffix, and no exception names it"


@dataclass(frozen=True, slots=True)
class _Row:
    reason: str
    path: str


def noise_reason(host: Host, path: str = "") -> str | None:
    """Say why a URL's host is not taken for one that the app loads from; None where it is. The list is `noise.toml`."""
    for name in _patterns(host):
        for row in _rows().get(name, ()):
            if path.startswith(row.path):
                return row.reason
    if len(host) == 1:
        return ONE_LETTER
    return None if has_public_suffix(host) or is_local_form(host) else NO_SUFFIX


def is_noise_by_path(host: Host, path: str) -> bool:
    """Say whether it is the path that makes a URL noise, so that other URLs of the host are loads all the same."""
    return any(row.path and path.startswith(row.path) for row in _rows().get(host, ()))


def _patterns(host: Host) -> Iterator[str]:
    yield host
    labels = host.split(".")
    for count in range(1, len(labels)):
        yield "*." + ".".join(labels[count:])


@cache
def _rows() -> dict[str, tuple[_Row, ...]]:
    found: dict[str, tuple[_Row, ...]] = {}
    for group in tomllib.loads(Path(__file__).with_name("noise.toml").read_text("utf-8")).values():
        for host in group["hosts"]:
            found[host] = (*found.get(host, ()), _Row(group["reason"], group.get("path", "")))
    return found
