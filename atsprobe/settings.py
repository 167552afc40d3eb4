"""Every option of the command line as plain data, with its default."""

from __future__ import annotations

from dataclasses import dataclass


class UsageProblem(ValueError):
    """Says that an option cannot be taken: one line for the user, and a hint on what to do (empty where none helps)."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Settings:
    """What the user asked for. Times are seconds; ``rate`` is connections a second to one address, None for no limit.

    ``ios`` are versions as typed (``17``, ``all``), empty for the default; ``resolve`` and ``connect_to`` are entries as curl
    writes them, ``@FILE`` already read. ``families`` are the address families to use.
    """

    ios: tuple[str, ...] = ()
    profile: str | None = None
    sdk: str | None = None
    assume_complete: bool = False
    ca_files: tuple[str, ...] = ()
    resolve: tuple[str, ...] = ()
    connect_to: tuple[str, ...] = ()
    nameserver: str | None = None
    families: tuple[str, ...] = ("ipv4", "ipv6")
    timeout: float = 10.0
    deadline: float = 30.0
    jobs: int = 64
    rate: float | None = None
    quick: bool = False
    allow_private: bool = False
