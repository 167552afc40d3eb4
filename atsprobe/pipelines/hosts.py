"""Extraction alone: every host of the targets, and where it was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from atsprobe.extract.extract import extract
from atsprobe.model.result import HostsResult


def hosts(targets: Sequence[str], *, stdin: TextIO | None = None) -> HostsResult:
    """Extract the hosts of targets; no packet is sent."""
    return HostsResult(extract(targets, stdin=stdin))
