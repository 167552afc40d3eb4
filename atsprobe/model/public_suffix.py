"""The Public Suffix List (publicsuffix.org): which names somebody can register."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from atsprobe.model.endpoint import Host

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


@cache
def _list(*, icann_only: bool) -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # late: it parses the list

    return PublicSuffixList(accept_unknown=False, only_icann=icann_only)


def is_public_suffix(host: Host) -> bool:
    """Say whether a name is itself a suffix under which others register (``com``, ``co.uk``), ICANN's part alone."""
    return bool(_list(icann_only=True).is_public(host))


def is_shared_suffix(host: Host) -> bool:
    """Say whether a name is a suffix by either part of the list: of a registry, or of a company (``herokuapp.com``)."""
    return bool(_list(icann_only=False).is_public(host))


def registrable_domain(host: Host) -> Host | None:
    """Give the name with one label more than its ICANN suffix; None for a suffix and for names under none."""
    name = _list(icann_only=True).privatesuffix(host)
    return Host(name) if name else None
