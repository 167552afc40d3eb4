"""Which hosts are local to Apple's client, by the host as written."""

from __future__ import annotations

import ipaddress
from enum import Enum

from atsprobe.model.endpoint import Host, IpAddress, ip_address_of

_PRIVATE = tuple(ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
# written out, since the versions of Python differ about IPv4 inside IPv6
_LOCAL = tuple(
    ipaddress.ip_network(n) for n in ("127.0.0.0/8", "169.254.0.0/16", "0.0.0.0/32", "::1/128", "fe80::/10", "::/128")
)


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
        name = host.removesuffix(".")
        return Locality.LOCAL_NAME if "." not in name or name.endswith(".local") else Locality.PUBLIC
    return address_locality(address)


def address_locality(address: IpAddress) -> Locality:
    """Say what kind of address it is."""
    for kind, networks in ((Locality.LOCAL_ADDRESS, _LOCAL), (Locality.PRIVATE_ADDRESS, _PRIVATE)):
        if any(address.version == n.version and address in n for n in networks):
            return kind
    return Locality.PUBLIC_ADDRESS
