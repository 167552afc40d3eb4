"""What the lab says when it cannot do what it was asked."""

from __future__ import annotations


class LabProblem(ValueError):
    """Says in one line why the lab cannot do this; ``hint`` says what to do about it (empty where nothing helps)."""

    def __init__(self, message: str, hint: str = "") -> None:
        """Take the line, and the hint."""
        super().__init__(message)
        self.hint = hint
