"""NSPinnedDomains: which keys a host's certificate path has to hold."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from atsprobe.model.dictionary import AtsDictionary, PlistValue
from atsprobe.model.endpoint import Host
from atsprobe.model.policy import PinnedIdentities

_DIGEST = "SPKI-SHA256-BASE64"


class PinIndex:
    """The pins of one dictionary, by domain in lower case without a final dot.

    Identities of the exact entry and of the one a label above it with NSIncludesSubdomains are added together; that key
    reaches one label and has to be a boolean. Source: Apple, NSPinnedDomains; Security source, SecPolicy.c parseNSPinnedDomains.
    """

    def __init__(self, dictionary: AtsDictionary) -> None:
        """Index the entries; what is no dictionary pins nothing."""
        value = dictionary.pinned_domains
        entries = value.items() if isinstance(value, Mapping) else ()
        self._entries: dict[str, list[Mapping[str, PlistValue]]] = {}
        for domain, entry in entries:
            if isinstance(entry, Mapping):
                self._entries.setdefault(domain.lower().removesuffix("."), []).append(entry)

    def pins(self, host: Host) -> PinnedIdentities | None:
        """Give the pins of a host; None where it has none."""
        if not self._entries:
            return None
        name = host.removesuffix(".")
        parent = name.partition(".")[2]
        found = list(self._entries.get(name, ()))
        found += [e for e in self._entries.get(parent, ()) if e.get("NSIncludesSubdomains") is True]
        leaf = _united([e["NSPinnedLeafIdentities"] for e in found if "NSPinnedLeafIdentities" in e])
        ca = _united([e["NSPinnedCAIdentities"] for e in found if "NSPinnedCAIdentities" in e])
        return None if leaf is None and ca is None else PinnedIdentities(ca=ca, leaf=leaf)


def _united(lists: list[PlistValue]) -> tuple[bytes, ...] | None:
    """Join lists of identities; none at all asks nothing, while an empty or malformed one blocks every chain."""
    if not lists:
        return None
    return tuple(d for one in lists for d in (_digests(one) if isinstance(one, tuple) else ()))


def _digests(identities: tuple[PlistValue, ...]) -> list[bytes]:
    digests: list[bytes] = []
    for identity in identities:
        text = identity.get(_DIGEST) if isinstance(identity, Mapping) else None
        if isinstance(text, str):
            try:
                digests.append(base64.b64decode(text, validate=True))
            except (binascii.Error, ValueError):
                continue
    return digests
