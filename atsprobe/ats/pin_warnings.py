"""What the author of NSPinnedDomains should know: lists that block every chain, and what is not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from atsprobe.ats.key_effect import PINNED_DOMAINS, SUBDOMAINS
from atsprobe.ats.pins import PinIndex
from atsprobe.model.dictionary import AtsDictionary, DeclaredKey, PlistValue
from atsprobe.model.endpoint import Host, InvalidHost, ip_address_of, parse_host
from atsprobe.model.policy import PolicyWarning

PINS_BLOCK, PINS_IGNORED = "pins-block", "pins-ignored"
_LISTS = {"NSPinnedLeafIdentities": "leaf", "NSPinnedCAIdentities": "ca"}
_BYTES_OF_SHA256 = 32
_MOST_DOMAINS = 10_000


def pin_warnings(key: DeclaredKey) -> Iterator[PolicyWarning]:
    """Give the warnings about a NSPinnedDomains key, with the pinned domain as their domain; none for any other key.

    Source: Apple, NSPinnedDomains; Security source, SecPolicy.c parseNSPinnedDomains.
    """
    if key.key != PINNED_DOMAINS or not isinstance(key.value, Mapping):
        return
    for domain, entry in list(key.value.items())[:_MOST_DOMAINS]:
        if not isinstance(entry, Mapping):
            yield PolicyWarning(
                PINS_IGNORED, domain, PINNED_DOMAINS, "pins nothing: a dictionary is wanted for a domain"
            )
            continue
        yield from _of_entry(domain, entry)


def _of_entry(domain: str, entry: Mapping[str, PlistValue]) -> Iterator[PolicyWarning]:
    name = domain.lower().removesuffix(".")
    if not _is_name(name):
        text = "pins nothing: a domain is a bare host name, and an address has no pins"
        yield PolicyWarning(PINS_IGNORED, domain, PINNED_DOMAINS, text)
    pins = PinIndex(AtsDictionary(pinned_domains={name: entry})).pins(Host(name))
    if pins is None:
        text = "pins nothing: neither NSPinnedLeafIdentities nor NSPinnedCAIdentities is there"
        yield PolicyWarning(PINS_IGNORED, domain, PINNED_DOMAINS, text)
    else:
        for key, kind in _LISTS.items():
            yield from _of_list(domain, key, pins.leaf if kind == "leaf" else pins.ca)
    subdomains = entry.get(SUBDOMAINS)
    if subdomains is not None and not isinstance(subdomains, bool):
        text = "NSIncludesSubdomains is not read here: among pins it has to be a boolean, not a number or a string"
        yield PolicyWarning(PINS_IGNORED, domain, PINNED_DOMAINS, text)


def _of_list(domain: str, key: str, digests: tuple[bytes, ...] | None) -> Iterator[PolicyWarning]:
    if digests is None:
        return
    usable = [d for d in digests if len(d) == _BYTES_OF_SHA256]
    if not usable:
        text = f"{key} holds no SHA-256 hash in base64: every certificate chain is refused"
        yield PolicyWarning(PINS_BLOCK, domain, PINNED_DOMAINS, text)
    elif len(usable) < len(digests):
        text = f"{key} holds hashes that are not 32 bytes long, which never match"
        yield PolicyWarning(PINS_IGNORED, domain, PINNED_DOMAINS, text)


def _is_name(name: str) -> bool:
    try:
        host = parse_host(name)
    except InvalidHost:
        return False
    return host == name and ip_address_of(host) is None
