"""Extraction alone: every host of the targets, and where it was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from atsprobe.extract.extract import extract
from atsprobe.model.endpoint import Confidence
from atsprobe.model.result import HostsResult
from atsprobe.weigh.cross_checks import cross_checks


def hosts(
    targets: Sequence[str],
    *,
    stdin: TextIO | None = None,
    least: Confidence = Confidence.BARE,
    lists_noise: bool = False,
) -> HostsResult:
    """Extract the hosts of targets; no packet is sent. ``least`` is how sure a sighting must be to be listed."""
    extraction = extract(targets, stdin=stdin)
    return HostsResult(extraction, least, lists_noise, cross_checks(extraction))
