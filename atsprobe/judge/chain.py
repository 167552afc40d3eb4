"""What a requirement about certificates is asked about: one chain, for one host, at one instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from atsprobe.judge.path import Path
from atsprobe.model.certificate import Certificate
from atsprobe.model.endpoint import Host
from atsprobe.model.policy import PinnedIdentities
from atsprobe.model.trust_store import TrustStore


@dataclass(frozen=True)
class ChainQuestion:
    """A chain as received, and all that decides whether it is accepted: equal questions have equal answers.

    ``extended_checks`` says that ATS adds its own checks to the client's usual server trust (the hash and the key of the
    leaf). ``ocsp_response`` and ``scts`` came with the handshake.
    """

    certificates: tuple[Certificate, ...]
    host: Host
    trust: TrustStore
    at: datetime
    extended_checks: bool = True
    pins: PinnedIdentities | None = None
    ocsp_response: bytes | None = None
    scts: bytes | None = None


@dataclass(frozen=True)
class ChainCase:
    """One path through a chain, put to the requirements about certificates."""

    question: ChainQuestion
    path: Path

    @property
    def leaf(self) -> Certificate:
        """The server's own certificate."""
        return self.path.leaf

    @property
    def is_certainly_private(self) -> bool:
        """Whether the path ends in a root that Apple does not ship."""
        return self.path.anchor == "installed" or self.path.problem in ("self-signed", "unknown-root")
