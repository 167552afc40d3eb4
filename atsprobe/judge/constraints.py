"""What the certificates of a path say about each other: CA flags, path lengths, name constraints (RFC 5280 §6.1)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from cryptography import x509

from atsprobe.judge.extensions import all_extensions, extension
from atsprobe.judge.path import Path, issuer_key, subject_key
from atsprobe.judge.signatures import name_key
from atsprobe.model.certificate import Certificate, read_off

_MAX_NAMES = 5000

_KNOWN_TO_APPLE = ("1.2.840.113635.", "2.16.840.1.113730.1.1")
"""Critical extensions that Apple's client understands although the parser does not: Apple's own, Netscape's type."""


def faults(path: Path) -> tuple[str, ...]:
    """Give each way in which a path breaks the rules of its own certificates, in words; empty where it breaks none.

    Raises UnreadableCertificate.
    """
    return (*_issuer_faults(path), *_constraint_faults(path), *_critical_faults(path))


def _issuer_faults(path: Path) -> Iterator[str]:
    below = 0  # intermediates between this issuer and the leaf that are not self-issued
    for index, issuer in enumerate(path.certificates[1:], start=1):
        is_anchor = path.anchor != "none" and index == len(path.certificates) - 1
        basic = extension(issuer, x509.BasicConstraints)
        if (basic is None and not is_anchor) or (basic is not None and not basic.ca):
            yield f"{path.role(index)} is no CA (basicConstraints)"
        elif basic is not None and basic.path_length is not None and below > basic.path_length:
            yield f"{path.role(index)} allows a path length of {basic.path_length}, not {below}"
        usage = extension(issuer, x509.KeyUsage)
        if usage is not None and not usage.key_cert_sign:
            yield f"{path.role(index)} may not sign certificates (keyUsage)"
        if issuer_key(issuer) != subject_key(issuer):
            below += 1


def _constraint_faults(path: Path) -> Iterator[str]:
    names = _names(path.leaf)
    for index, issuer in enumerate(path.certificates[1:], start=1):
        constraints = extension(issuer, x509.NameConstraints)
        if constraints is None:
            continue
        for name in names:
            if _is_excluded(name, constraints):
                yield f"{path.role(index)} may not issue for {_text(name)} (nameConstraints)"
                break


def _critical_faults(path: Path) -> Iterator[str]:
    for index, certificate in enumerate(path.certificates):
        for found in all_extensions(certificate):
            oid = found.oid.dotted_string
            if found.critical and isinstance(found.value, x509.UnrecognizedExtension):
                if oid.startswith(_KNOWN_TO_APPLE):
                    continue
                yield f"{path.role(index)} has the unknown critical extension {oid}"


def _names(leaf: Certificate) -> tuple[x509.GeneralName, ...]:
    san = extension(leaf, x509.SubjectAlternativeName)
    names = list(san or ())[:_MAX_NAMES]
    subject = read_off(lambda: leaf.parsed.subject)
    return (*names, x509.DirectoryName(subject)) if subject.rdns else tuple(names)


def _is_excluded(name: x509.GeneralName, constraints: x509.NameConstraints) -> bool:
    excluded = [s for s in constraints.excluded_subtrees or () if isinstance(s, type(name))]
    permitted = [s for s in constraints.permitted_subtrees or () if isinstance(s, type(name))]
    if any(_within(name, subtree) for subtree in excluded):
        return True
    return bool(permitted) and not any(_within(name, subtree) for subtree in permitted)


def _within(name: x509.GeneralName, subtree: x509.GeneralName) -> bool:
    """Whether a name lies in a subtree of its own kind; kinds that no server name has always do."""
    if isinstance(name, x509.DNSName) and isinstance(subtree, x509.DNSName):
        host = name.value.lower().removeprefix("*.")
        base = subtree.value.lower()
        return not base or host == base.lstrip(".") or host.endswith("." + base.lstrip("."))
    if isinstance(name, x509.IPAddress) and isinstance(subtree, x509.IPAddress):
        network = subtree.value
        if isinstance(network, ipaddress.IPv4Network | ipaddress.IPv6Network):
            return name.value in network
        return name.value == network
    if isinstance(name, x509.DirectoryName) and isinstance(subtree, x509.DirectoryName):
        prefix = name_key(subtree.value)
        return name_key(name.value)[: len(prefix)] == prefix
    return True


def _text(name: x509.GeneralName) -> str:
    if isinstance(name, x509.DirectoryName):
        return name.value.rfc4514_string()[:100]
    return str(getattr(name, "value", ""))[:100]
