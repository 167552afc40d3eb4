"""Which hosts are local to Apple's client, by the host as written."""

from __future__ import annotations

import ipaddress
from enum import Enum

from atsprobe.model.endpoint import Host, IpAddress, ip_address_of

_PRIVATE = tuple(ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))


class Locality(Enum):
    """Where a host lies for ATS. 100.64.0.0/10 counts as public.

    LOCAL_NAME: unqualified or ``.local`` (Apple, NSAllowsLocalNetworking). LOCAL_ADDRESS: loopback and link-local.
    PRIVATE_ADDRESS: RFC 1918 and RFC 4193, which reports from apps on iOS 17 and later contradict each other about.
    """

    PUBLIC = "public"
    LOCAL_NAME = "local name"
    LOCAL_ADDRESS = "local address"
    PRIVATE_ADDRESS = "private address"
    PUBLIC_ADDRESS = "public address"

    @property
    def is_local(self) -> bool:
        """Whether ATS leaves it out unless something puts it back."""
        return self in (Locality.LOCAL_NAME, Locality.LOCAL_ADDRESS)

    @property
    def is_own_network(self) -> bool:
        """Whether it means another machine for everybody, so that one found in an app is not contacted."""
        return self.is_local or self is Locality.PRIVATE_ADDRESS


def locality(host: Host) -> Locality:
    """Say what kind of host it is, by its text alone and never by the address that it resolves to."""
    address = ip_address_of(host)
    if address is None:
        return Locality.LOCAL_NAME if "." not in host or host.endswith(".local") else Locality.PUBLIC
    return address_locality(address)


def address_locality(address: IpAddress) -> Locality:
    """Say what kind of address it is."""
    if address.is_loopback or address.is_link_local or address.is_unspecified:
        return Locality.LOCAL_ADDRESS
    private = any(address.version == n.version and address in n for n in _PRIVATE)
    return Locality.PRIVATE_ADDRESS if private else Locality.PUBLIC_ADDRESS
