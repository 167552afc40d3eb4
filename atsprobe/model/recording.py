"""Everything seen, nothing concluded: the one noun between looking and judging."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from atsprobe.model.app import Extraction
from atsprobe.model.endpoint import Endpoint, Host, Reference
from atsprobe.model.observation import Observation, Resolution


@dataclass(frozen=True)
class IgnoreRule:
    """Hosts that the user does not want to be audited, and why: one name, or with ``*.`` before it everything below it.

    ``place`` is where it is written, ``FILE:LINE``.
    """

    pattern: str
    reason: str
    place: str = ""

    def covers(self, host: Host) -> bool:
        """Say whether it is about a host."""
        if self.pattern.startswith("*."):
            return host.endswith(self.pattern[1:]) and host != self.pattern[1:]
        return host == self.pattern


@dataclass(frozen=True)
class IgnoredHost:
    """A host that was found, and by a rule of the user's not looked at."""

    host: Host
    rule: IgnoreRule
    references: tuple[Reference, ...]


@dataclass(frozen=True)
class Recording:
    """One look at an app and its servers.

    ``observations`` hold at most one for an (endpoint, address): loads, and their https counterparts and
    redirect targets, which are no loads of their own. ``installed_roots`` are DER. ``assume_complete``: the user
    says that the hosts found and named are all that the app uses. ``families`` are the address families that
    took part (``ipv4``, ``ipv6``) because the user chose, not because of a missing route.
    ``not_audited`` are hosts found with less confidence than was asked for (R17), ``ignored`` those that the user
    had left out: no load, and nothing that covers them was seen in full.
    """

    extraction: Extraction
    resolutions: tuple[Resolution, ...]
    observations: tuple[Observation, ...]
    installed_roots: tuple[bytes, ...]
    started_at: datetime
    finished_at: datetime
    interrupted: bool = False
    assume_complete: bool = False
    families: tuple[str, ...] = ("ipv4", "ipv6")
    not_audited: tuple[Host, ...] = ()
    quick: bool = False
    ignored: tuple[IgnoredHost, ...] = ()

    def resolution(self, host: Host, port: int) -> Resolution | None:
        """Give what became of a name for a port."""
        return next((r for r in self.resolutions if r.host == host and r.port == port), None)

    def seen(self, endpoint: Endpoint) -> Iterator[Observation]:
        """Give the observations of an endpoint, one an address, in the order made."""
        return (o for o in self.observations if o.endpoint == endpoint)
