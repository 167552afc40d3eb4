"""The roots that a client trusts, as DER."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrustStore:
    """Roots that the OS ships (``public``), and those that a user, an administrator or MDM ``installed``.

    Apple asks more of chains to a public root: transparency, 398 days, the serverAuth purpose.
    ``title`` names the version of the public store for reports (``Apple roots 26``). ``as_if_public`` are roots that the OS
    does not ship, and that are judged as if it did.
    """

    public: tuple[bytes, ...]
    installed: tuple[bytes, ...] = ()
    title: str = ""
    as_if_public: tuple[bytes, ...] = ()
