"""Which texts of a certificate are names of hosts for Apple's client, and which hosts they cover."""

from __future__ import annotations

import re

from atsprobe.model.endpoint import Host
from atsprobe.model.public_suffix import is_public_suffix

_LABEL = re.compile(r"[A-Za-z0-9_*](?:[A-Za-z0-9_*-]{0,61}[A-Za-z0-9_*])?")


def is_dns_name(text: str) -> bool:
    """Say whether Apple's client takes the text of a dNSName for a name at all.

    Letters, digits, ``-``, ``_`` and ``*`` in labels of at most 63 characters, 255 in all, no dot or dash at the end,
    and a letter or ``*`` in the last label: so no address, and no label outside ASCII.
    """
    labels = text.split(".")
    if len(text) > 255 or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    return any(c.isalpha() or c == "*" for c in labels[-1])


def matches(host: Host, name: str) -> bool:
    """Say whether a name of the certificate covers a host, both without regard to case.

    A wildcard is the whole first label, stands for one label, and has at least two labels behind it that are not
    together a suffix under which others register (``*.co.uk``).
    """
    pattern = name.lower().split(".")
    labels = host.lower().split(".")
    if pattern[0] != "*":
        return "*" not in name and pattern == labels
    rest = pattern[1:]
    if len(rest) < 2 or "*" in ".".join(rest) or len(labels) != len(pattern) or labels[1:] != rest:
        return False
    return not is_public_suffix(Host(".".join(rest)))
