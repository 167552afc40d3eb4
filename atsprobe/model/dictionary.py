"""NSAppTransportSecurity as an app declares it, one field a key, values exactly as they stand in the plist.

What a value means is for `ats.policy`; here a string "YES" stays a string. None is an absent key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from datetime import datetime
from functools import cached_property
from typing import Any

PlistValue = bool | int | float | str | bytes | datetime | tuple["PlistValue", ...] | Mapping[str, "PlistValue"]
"""A value of a property list, with tuples for arrays. Treat mappings as immutable."""


def _key(name: str) -> Any:
    return field(default=None, metadata={"key": name})


def _keys(owner: type) -> dict[str, Field[Any]]:
    return {f.metadata["key"]: f for f in fields(owner) if "key" in f.metadata}


@dataclass(frozen=True)
class ExceptionEntry:
    """What stands under one domain of NSExceptionDomains. ``unknown`` holds keys that no Apple client reads there."""

    includes_subdomains: PlistValue | None = _key("NSIncludesSubdomains")
    allows_insecure_http_loads: PlistValue | None = _key("NSExceptionAllowsInsecureHTTPLoads")
    minimum_tls_version: PlistValue | None = _key("NSExceptionMinimumTLSVersion")
    requires_forward_secrecy: PlistValue | None = _key("NSExceptionRequiresForwardSecrecy")
    requires_certificate_transparency: PlistValue | None = _key("NSRequiresCertificateTransparency")
    requires_niap_tls_package_version: PlistValue | None = _key("NSExceptionRequiresNIAPTLSPackageVersion")
    unknown: tuple[tuple[str, PlistValue], ...] = ()

    @classmethod
    def from_plist(cls, value: Mapping[str, PlistValue]) -> ExceptionEntry:
        """Read an entry; every key is kept, whatever its type."""
        known = _keys(cls)
        entry = cls(unknown=tuple((k, v) for k, v in value.items() if k not in known))
        declared: dict[str, Any] = {f.name: value[k] for k, f in known.items() if k in value}
        return replace(entry, **declared)

    def to_plist(self) -> dict[str, PlistValue]:
        """Give the entry as it stands in a plist: known keys in Apple's order, then the unknown."""
        known = {k: getattr(self, f.name) for k, f in _keys(type(self)).items()}
        return {k: v for k, v in known.items() if v is not None} | dict(self.unknown)

    def without(self, key: str) -> ExceptionEntry:
        """Give the entry less one key, known or not."""
        return ExceptionEntry.from_plist({k: v for k, v in self.to_plist().items() if k != key})

    def with_key(self, key: str, value: PlistValue) -> ExceptionEntry:
        """Give the entry with one key set."""
        return ExceptionEntry.from_plist({**self.to_plist(), key: value})


@dataclass(frozen=True)
class DeclaredKey:
    """One key of a declared dictionary.

    ``domain`` is None for a global key; ``key`` is None for an entry that is empty, or whose value is no
    dictionary (then ``value`` is that value). ``misplaced`` keys stand outside NSAppTransportSecurity.
    """

    domain: str | None
    key: str | None
    value: PlistValue | None
    misplaced: bool = False


@dataclass(frozen=True)
class AtsDictionary:
    """NSAppTransportSecurity as declared.

    ``exception_domains`` keeps order and spelling; a domain whose value is no dictionary holds that value.
    ``malformed`` is the value of an NSAppTransportSecurity, or ``malformed_domains`` that of an
    NSExceptionDomains, that is no dictionary. ``misplaced`` are ATS keys at the top of the Info.plist,
    ``unknown`` keys of NSAppTransportSecurity that no Apple client reads.
    """

    allows_arbitrary_loads: PlistValue | None = _key("NSAllowsArbitraryLoads")
    allows_arbitrary_loads_for_media: PlistValue | None = _key("NSAllowsArbitraryLoadsForMedia")
    allows_arbitrary_loads_in_web_content: PlistValue | None = _key("NSAllowsArbitraryLoadsInWebContent")
    allows_local_networking: PlistValue | None = _key("NSAllowsLocalNetworking")
    requires_niap_tls_package_version: PlistValue | None = _key("NSRequiresNIAPTLSPackageVersion")
    pinned_domains: PlistValue | None = _key("NSPinnedDomains")
    exception_domains: tuple[tuple[str, ExceptionEntry | PlistValue], ...] = ()
    malformed: PlistValue | None = None
    malformed_domains: PlistValue | None = None
    misplaced: tuple[tuple[str, PlistValue], ...] = ()
    unknown: tuple[tuple[str, PlistValue], ...] = ()

    @classmethod
    def from_plist(cls, value: PlistValue | None, misplaced: Mapping[str, PlistValue] | None = None) -> AtsDictionary:
        """Read the value of NSAppTransportSecurity (None where the Info.plist has none)."""
        stray = tuple((misplaced or {}).items())
        if value is None:
            return cls(misplaced=stray)
        if not isinstance(value, Mapping):
            return cls(malformed=value, misplaced=stray)
        known = _keys(cls)
        domains = value.get("NSExceptionDomains")
        entries = domains.items() if isinstance(domains, Mapping) else ()
        read = cls(
            exception_domains=tuple(
                (name, ExceptionEntry.from_plist(entry) if isinstance(entry, Mapping) else entry)
                for name, entry in entries
            ),
            malformed_domains=None if isinstance(domains, Mapping) else domains,
            misplaced=stray,
            unknown=tuple((k, v) for k, v in value.items() if k not in known and k != "NSExceptionDomains"),
        )
        declared: dict[str, Any] = {f.name: value[k] for k, f in known.items() if k in value}
        return replace(read, **declared)

    def to_plist(self) -> PlistValue | None:
        """Give the value of NSAppTransportSecurity back; None where nothing is declared there."""
        if self.malformed is not None:
            return self.malformed
        known = {k: getattr(self, f.name) for k, f in _keys(type(self)).items()}
        value: dict[str, PlistValue] = {k: v for k, v in known.items() if v is not None} | dict(self.unknown)
        if self.malformed_domains is not None:
            value["NSExceptionDomains"] = self.malformed_domains
        elif self.exception_domains:
            value["NSExceptionDomains"] = {
                name: entry.to_plist() if isinstance(entry, ExceptionEntry) else entry
                for name, entry in self.exception_domains
            }
        return value or None

    @cached_property
    def entries(self) -> Mapping[str, ExceptionEntry]:
        """The exception domains that hold a dictionary, by their key as spelled."""
        return {name: entry for name, entry in self.exception_domains if isinstance(entry, ExceptionEntry)}

    def declared_keys(self) -> tuple[DeclaredKey, ...]:
        """List every key that a status is due for: global ones, then domain by domain, then misplaced ones."""
        found = [DeclaredKey(None, k, getattr(self, f.name)) for k, f in _keys(type(self)).items()]
        found = [k for k in found if k.value is not None]
        found += [DeclaredKey(None, k, v) for k, v in self.unknown]
        if self.malformed is not None:
            found.append(DeclaredKey(None, "NSAppTransportSecurity", self.malformed))
        if self.malformed_domains is not None:
            found.append(DeclaredKey(None, "NSExceptionDomains", self.malformed_domains))
        for name, entry in self.exception_domains:
            if not isinstance(entry, ExceptionEntry):
                found.append(DeclaredKey(name, None, entry))
                continue
            keys = entry.to_plist()
            found += [DeclaredKey(name, k, v) for k, v in keys.items()] or [DeclaredKey(name, None, None)]
        return (*found, *(DeclaredKey(None, k, v, misplaced=True) for k, v in self.misplaced))

    def without(self, domain: str | None, key: str) -> AtsDictionary:
        """Give the dictionary less one key of a domain's entry, or less one global key (domain None)."""
        if domain is None:
            f = _keys(type(self)).get(key)
            kept = tuple((k, v) for k, v in self.unknown if k != key)
            dropped: dict[str, Any] = {f.name: None} if f else {}
            return replace(self, unknown=kept, **dropped)
        entry = self.entries.get(domain)
        return self if entry is None else self.with_exception(domain, entry.without(key))

    def without_domain(self, domain: str) -> AtsDictionary:
        """Give the dictionary less a whole entry."""
        kept = tuple((name, entry) for name, entry in self.exception_domains if name != domain)
        return replace(self, exception_domains=kept)

    def with_exception(self, domain: str, entry: ExceptionEntry) -> AtsDictionary:
        """Give the dictionary with an entry set: in the place of one of the same spelling, else last."""
        if domain in dict(self.exception_domains):
            changed = tuple((n, entry if n == domain else e) for n, e in self.exception_domains)
        else:
            changed = (*self.exception_domains, (domain, entry))
        return replace(self, exception_domains=changed)
