"""How a report is to look: plain data that whoever owns the stream fills in."""

from __future__ import annotations

from dataclasses import dataclass

QUIET, NORMAL, VERBOSE, VERY_VERBOSE = -1, 0, 1, 2

NARROWEST = 40
"""Columns below which a report is laid out as if there were as many."""


@dataclass(frozen=True)
class Style:
    """The looks of a text report.

    ``width`` is in terminal cells. ``color`` puts ANSI sequences into the text. Without ``unicode`` every character that
    is not ASCII is written in another way. ``verbosity`` is -1 for the answer and one line a problem, 1 for the evidence,
    2 for every handshake. Without ``fold`` a long name stays on one line, for programs that read it. ``server`` is the kind of
    server product whose lines stand under a fix; where none is named they are told on request only, then of every product.
    """

    width: int = 80
    color: bool = False
    unicode: bool = True
    verbosity: int = NORMAL
    fold: bool = True
    server: str | None = None

    @property
    def columns(self) -> int:
        """The width to lay out for."""
        return max(self.width, NARROWEST)
