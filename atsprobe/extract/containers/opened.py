"""An open target: its files, and what of it will not be read."""

from __future__ import annotations

from dataclasses import dataclass

from atsprobe.extract.member import Allowance, Member
from atsprobe.extract.sighting import Trouble


@dataclass(frozen=True, slots=True)
class Opened:
    """The files of a target, sorted by path. ``skipped`` are (path, why). ``is_single_file`` tells a file that was
    named itself from one found inside something; ``needs_app`` says that a container without an app is no good.
    ``allowance`` is what may still be read.
    """

    members: tuple[Member, ...]
    allowance: Allowance
    skipped: tuple[tuple[str, Trouble], ...] = ()
    is_single_file: bool = False
    needs_app: bool = False
