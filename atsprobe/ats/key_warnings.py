"""What the author of a dictionary should know of each declared key: that it does nothing, or not what it seems to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from atsprobe.ats.exception_match import IpNetwork, network_of, why_never_matches
from atsprobe.ats.key_effect import (
    ARBITRARY_LOADS,
    FORWARD_SECRECY,
    MINIMUM_TLS,
    SUBDOMAINS,
    counts_as_false,
    is_address_key,
    niap_in_force,
    unknown_effect,
    why_ineffective,
)
from atsprobe.ats.key_notes import effect
from atsprobe.ats.pin_warnings import pin_warnings
from atsprobe.ats.policy import cancelling_keys
from atsprobe.ats.profile import is_at_least
from atsprobe.ats.values import boolean, niap_mode, tls_version
from atsprobe.model.app_review import wants_a_reason
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import AtsDictionary, DeclaredKey, ExceptionEntry, PlistValue
from atsprobe.model.endpoint import InvalidHost, parse_host
from atsprobe.model.policy import Client, KeyNote, KeyStanding, PolicyWarning, Profile
from atsprobe.model.public_suffix import is_public_suffix

KeyLines = Mapping[tuple[str | None, str | None], int]

NEVER_MATCHES, IGNORED, CANCELLED = "never-matches", "ignored", "cancelled"
"""The kinds of warning that say that a key has no effect at all."""

LINKED_SDK, EQUAL_NETWORKS, NO_TLS_VERSION = "linked-sdk", "equal-networks", "no-tls-version"
"""The kinds of warning that say that the plist alone does not tell what a key does."""

SOME_VERSIONS, RE_IMPOSES, DEPTH, PUBLIC_SUFFIX = "some-versions", "re-imposes-ats", "subdomain-depth", "public-suffix"
READ_AS, ADDRESS_SPELLING, APP_REVIEW = "read-as", "address-spelling", "app-review"
COUNTS_AS_FALSE = "counts-as-false"

_OUTDONE = "cancelled by the package FCP_v2.1, which asks for TLS 1.2 with ECDHE whatever the entry says"


def key_notes(
    dictionary: AtsDictionary, clients: Sequence[Client], lines: KeyLines | None = None
) -> tuple[KeyNote, ...]:
    """Give a note on each declared key, in the order declared; ``lines`` are those of an XML plist, as a Bundle has them.

    An entry whose domain never matches, or shares its network with another, is told of once, as a whole. Clients are those
    asked about, oldest first: a key has no effect where none of them reads it.
    """
    return tuple(_Notes(dictionary, clients, lines or {}).all())


class _Notes:
    def __init__(self, dictionary: AtsDictionary, clients: Sequence[Client], lines: KeyLines) -> None:
        self._dictionary = dictionary
        self._clients = clients
        self._profiles = tuple(c.profile for c in clients)
        self._is_read = any(p.reads_exceptions for p in self._profiles)
        self._lines = lines
        self._domains = dict(dictionary.exception_domains)
        self._entries = dictionary.entries
        self._twins = _twins(self._entries) if self._is_read else {}

    def all(self) -> Iterator[KeyNote]:
        told: set[str] = set()
        for key in self._dictionary.declared_keys():
            domain = key.domain
            if domain is None or not self._is_read:
                yield self._note(key)
            elif domain not in told:
                told.add(domain)
                yield from self._of_domain(domain)

    def _of_domain(self, domain: str) -> Iterator[KeyNote]:
        never = why_never_matches(domain)
        if never is not None:
            yield self._whole(domain, "ineffective", never, NEVER_MATCHES)
        elif domain in self._twins:
            twin = self._twins[domain]
            reason = f"the same network as {twin}, whose entry differs: which of them holds is not defined"
            yield self._whole(domain, "unverifiable", reason, EQUAL_NETWORKS)
        else:
            keys = _keys_of(domain, self._domains[domain])
            about = self._about_domain(domain, keys)
            for key in keys:
                note = self._note(key)
                yield replace(note, warnings=(*note.warnings, *about))
                about = ()

    def _whole(self, domain: str, standing: KeyStanding, reason: str, kind: str) -> KeyNote:
        keys = _keys_of(domain, self._domains[domain])
        entry = self._domains[domain]
        warnings = [PolicyWarning(kind, domain, None, reason)]
        warnings += [_app_review(key) for key in keys if wants_a_reason(key)]
        return KeyNote(
            domain=domain,
            key=None,
            value=entry.to_plist() if isinstance(entry, ExceptionEntry) else entry,
            standing=standing,
            reason=reason,
            effect="",
            wants_justification=any(map(wants_a_reason, keys)),
            warnings=tuple(warnings),
            line=self._lines.get((domain, None)),
        )

    def _note(self, key: DeclaredKey) -> KeyNote:
        problem = why_ineffective(key, self._dictionary, self._profiles)
        standing: KeyStanding
        if problem is not None:
            standing, kind = "ineffective", self._kind(key)
        elif self._is_outdone(key, self._profiles):
            standing, kind, problem = "ineffective", CANCELLED, _OUTDONE
        elif (problem := unknown_effect(key)) is not None:
            standing, kind = "unverifiable", NO_TLS_VERSION
        else:
            problem = self._sdk_problem(key)
            standing, kind = ("unverifiable" if problem else "effective"), LINKED_SDK
        warnings = [PolicyWarning(kind, key.domain, key.key, problem)] if problem else []
        warnings += self._more(key, is_read=standing != "ineffective")
        return KeyNote(
            domain=key.domain,
            key=key.key,
            value=key.value,
            standing=standing,
            reason=problem or "",
            effect="" if standing == "ineffective" else effect(key),
            wants_justification=wants_a_reason(key),
            warnings=tuple(warnings),
            line=self._lines.get((key.domain, key.key)),
        )

    def _kind(self, key: DeclaredKey) -> str:
        in_place = key.domain is None and not key.misplaced
        is_set = key.key == ARBITRARY_LOADS and boolean(key.value) is True and key.value == 1
        return CANCELLED if in_place and is_set and cancelling_keys(self._dictionary) and self._is_read else IGNORED

    def _is_outdone(self, key: DeclaredKey, profiles: Sequence[Profile]) -> bool:
        """Say whether every one of the profiles that read a relaxation is in the NIAP mode, which leaves it nothing to relax."""
        entry = self._entries.get(key.domain or "")
        version = tls_version(key.value) if key.key == MINIMUM_TLS else None
        is_lower = version is not None and version < TlsVersion.TLS_1_2
        if entry is None or not (is_lower or (key.key == FORWARD_SECRECY and boolean(key.value) is False)):
            return False
        reading = [p for p in profiles if why_ineffective(key, self._dictionary, [p]) is None]
        return bool(reading) and all(self._niap(entry, p) for p in reading)

    def _niap(self, entry: ExceptionEntry, profile: Profile) -> bool:
        own = niap_mode(entry.requires_niap_tls_package_version)
        if own is None:
            return niap_in_force(self._dictionary, [profile])
        return own and bool(profile.niap_cipher_suites)

    def _sdk_problem(self, key: DeclaredKey) -> str | None:
        """Below the default floor of the linked SDK, the key alone is not proved to work (Apple, iOS 26 release notes)."""
        version = tls_version(key.value) if key.key == MINIMUM_TLS and key.domain is not None else None
        if version is None or version >= TlsVersion.TLS_1_2:
            return None
        since = [
            (c.profile.sdk_default_floor, c.profile)
            for c in self._clients
            if c.profile.sdk_default_floor is not None and is_at_least(c.linked_sdk, c.profile.sdk_default_floor)
        ]
        if not since:
            return None
        sdk = ".".join(map(str, since[0][0]))
        where = f"on {_titles([p for _, p in since])}, " if len(since) < len(self._clients) else ""
        return f"{where}under SDK {sdk} code must set tlsMinimumSupportedProtocolVersion too"

    def _more(self, key: DeclaredKey, *, is_read: bool) -> Iterator[PolicyWarning]:
        if is_read:
            if (number := counts_as_false(key)) is not None:
                yield PolicyWarning(COUNTS_AS_FALSE, key.domain, key.key, number)
            yield from self._some_versions(key)
            if key.key == SUBDOMAINS and key.domain is not None and boolean(key.value) is True:
                yield from _about_subdomains(key.domain)
            if key.domain is None and not key.misplaced:
                yield from pin_warnings(key)
        if wants_a_reason(key):
            yield _app_review(key)

    def _some_versions(self, key: DeclaredKey) -> Iterator[PolicyWarning]:
        """Tell where some of the clients asked about read a key and others do not."""
        if len(self._profiles) < 2:
            return
        unread: dict[str, list[Profile]] = {}
        for profile in self._profiles:
            problem = why_ineffective(key, self._dictionary, [profile])
            if problem is None and self._is_outdone(key, [profile]):
                problem = _OUTDONE
            if problem is not None:
                unread.setdefault(problem, []).append(profile)
        for problem, those in unread.items():
            if len(those) < len(self._profiles):
                text = f"no effect on {_titles(those)}: {problem}"
                yield PolicyWarning(SOME_VERSIONS, key.domain, key.key, text)

    def _about_domain(self, domain: str, keys: Sequence[DeclaredKey]) -> tuple[PolicyWarning, ...]:
        """Tell what there is to know of an entry and of its domain, beside its keys."""
        return (*self._re_imposed(domain, keys), *_about_address(domain))

    def _re_imposed(self, domain: str, keys: Sequence[DeclaredKey]) -> Iterator[PolicyWarning]:
        """An entry without a key that anything reads is an entry all the same: found first, it decides alone."""
        unread = [why_ineffective(k, self._dictionary, self._profiles) for k in keys]
        skipped = is_address_key(domain) and all(p.exempts_ip_addresses for p in self._profiles)
        if all(unread) and domain in self._entries and not skipped:
            text = "none of its keys is read, and yet it is an entry: it puts full ATS on the host"
            yield PolicyWarning(RE_IMPOSES, domain, None, text)


def _keys_of(domain: str, entry: ExceptionEntry | PlistValue) -> tuple[DeclaredKey, ...]:
    return AtsDictionary(exception_domains=((domain, entry),)).declared_keys()


def _app_review(key: DeclaredKey) -> PolicyWarning:
    return PolicyWarning(APP_REVIEW, key.domain, key.key, "App Review asks for the reason")


def _titles(profiles: Sequence[Profile]) -> str:
    names = [p.title for p in profiles]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _about_subdomains(domain: str) -> Iterator[PolicyWarning]:
    """Tell that Apple's page and Apple's source differ, and that no suffix is too wide (Apple, NSIncludesSubdomains)."""
    text = "Apple's client goes to any depth, Apple's page speaks of one label: name deeper hosts themselves"
    yield PolicyWarning(DEPTH, domain, SUBDOMAINS, text)
    try:
        too_wide = is_public_suffix(parse_host(domain))
    except InvalidHost:
        return
    if too_wide:
        text = f"covers every host under {domain}, whoever registers it: nothing keeps a key from a public suffix"
        yield PolicyWarning(PUBLIC_SUFFIX, domain, SUBDOMAINS, text)


def _about_address(domain: str) -> Iterator[PolicyWarning]:
    """Tell how an address or a network is read (Apple Security source, SecProtocolConfiguration.m, _find_cidr_exception)."""
    network = network_of(domain)
    if network is not None and str(network) != domain:
        yield PolicyWarning(READ_AS, domain, None, f"read as {network}")
    elif ":" in domain and network is None:
        network_key = f"{domain.partition('%')[0]}/128"  # a key of a network has no zone, or it cannot be read
        text = f"compares as text, so that a URL may not spell the address in another way; {network_key} takes any spelling"
        yield PolicyWarning(ADDRESS_SPELLING, domain, None, text)


def _twins(entries: Mapping[str, ExceptionEntry]) -> dict[str, str]:
    """Give the keys that are one network with another key whose entry differs, each with that other."""
    by_network: dict[IpNetwork, list[str]] = {}
    for key in entries:
        network = network_of(key)
        if network is not None:
            by_network.setdefault(network, []).append(key)
    found: dict[str, str] = {}
    for keys in by_network.values():
        for key in keys:
            other = next((k for k in keys if k != key and _differ(entries[k], entries[key])), None)
            if other is not None:
                found[key] = other
    return found


def _differ(one: ExceptionEntry, other: ExceptionEntry) -> bool:
    mine: dict[str, PlistValue] = one.to_plist()
    return mine != other.to_plist()
