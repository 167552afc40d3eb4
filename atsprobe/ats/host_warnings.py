"""What somebody who asks about one host should know beside what is demanded of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atsprobe.ats.exception_match import meant_host
from atsprobe.ats.key_effect import GLOBAL_NIAP, MEDIA, PINNED_DOMAINS, SUBDOMAINS, WEB_CONTENT
from atsprobe.ats.key_warnings import DEPTH, LINKED_SDK
from atsprobe.ats.local import Locality, locality
from atsprobe.ats.profile import is_at_least
from atsprobe.ats.values import boolean
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.endpoint import Host, ip_address_of
from atsprobe.model.policy import KeyNote, Policy, PolicyWarning, Profile

_FOR_ALL_HOSTS = frozenset({PINNED_DOMAINS, GLOBAL_NIAP})
"""Global keys that count for a host whose entry decides, too."""


class HostWarnings:
    """The warnings of one dictionary by host; ask it about as many policies as you like."""

    def __init__(self, dictionary: AtsDictionary, notes: Sequence[KeyNote]) -> None:
        """Sort the notes of `key_notes` by the hosts that they concern."""
        self._dictionary = dictionary
        self._entries = dictionary.entries
        self._global: list[PolicyWarning] = []
        self._always: list[PolicyWarning] = []
        self._by_domain: dict[str, list[PolicyWarning]] = {}
        self._meant: dict[Host, list[PolicyWarning]] = {}
        self._meant_below: dict[Host, list[PolicyWarning]] = {}
        self._pins: dict[str, list[PolicyWarning]] = {}
        for note in notes:
            self._add(note)

    def _add(self, note: KeyNote) -> None:
        if note.domain is not None:
            self._by_domain.setdefault(note.domain, []).extend(note.warnings)
            meant = meant_host(note.domain) if note.standing == "ineffective" else None
            if meant is not None and (meant != note.domain or note.domain not in self._entries):
                self._meant.setdefault(meant, []).extend(note.warnings)
                if note.domain.startswith("*") or self._reaches_down(note.domain):
                    self._meant_below.setdefault(meant, []).extend(note.warnings)
            return
        for warning in note.warnings:
            if note.key == PINNED_DOMAINS and warning.domain is not None:
                self._pins.setdefault(warning.domain.lower().removesuffix("."), []).append(warning)
            else:
                (self._always if note.key in _FOR_ALL_HOSTS else self._global).append(warning)

    def _reaches_down(self, domain: str) -> bool:
        entry = self._entries.get(domain)
        return entry is not None and boolean(entry.includes_subdomains) is True

    def of(self, policy: Policy) -> tuple[PolicyWarning, ...]:
        """Give what concerns a host: the keys that decide about it or were meant to, its kind, and what lies beside."""
        matched = policy.matched_exception
        found = list(self._always)
        found += self._global if matched is None else self._of_entry(policy.host, matched)
        found += self._meant.get(policy.host, ())
        above = _above(policy.host)
        found += [w for parent in above for w in self._meant_below.get(parent, ())]
        found += [w for name in (policy.host, *above[:1]) for w in self._pins.get(name, ())]
        if policy.client.profile.reads_exceptions:
            found += self._passed_over(policy.host, matched)
            found += self._elsewhere(policy)
            found += _of_kind(policy)
        return tuple(dict.fromkeys(found))

    def _of_entry(self, host: Host, matched: str) -> Iterator[PolicyWarning]:
        """Give what is known of the entry; how deep it reaches matters to hosts that lie more than one label below."""
        is_deep = host.removesuffix(f".{matched}").count(".") > 0 and host != matched
        return (w for w in self._by_domain.get(matched, ()) if w.kind != DEPTH or is_deep)

    def _passed_over(self, host: Host, matched: str | None) -> Iterator[PolicyWarning]:
        """Tell of entries above the host that do not reach it."""
        if host == matched:
            return
        for parent in _above(host):
            if parent == matched:
                return
            if parent in self._entries and not self._reaches_down(parent):
                text = f"{parent} has an entry, which does not reach this host: it has no NSIncludesSubdomains"
                yield PolicyWarning("parent-without-subdomains", parent, SUBDOMAINS, text)

    def _elsewhere(self, policy: Policy) -> Iterator[PolicyWarning]:
        """Tell where other loads than URLSession's are freer."""
        if policy.matched_exception is not None or not policy.ats_enforced:
            return
        for key, value, what in (
            (WEB_CONTENT, self._dictionary.allows_arbitrary_loads_in_web_content, "in web views"),
            (MEDIA, self._dictionary.allows_arbitrary_loads_for_media, _of_media(policy.client.profile)),
        ):
            if boolean(value) is True:
                yield PolicyWarning("freer-elsewhere", None, key, f"ATS is off for this host {what}")


def _of_media(profile: Profile) -> str:
    """Say which loads are freer (Security source, SecProtocol.c, in_legacy_tls_exclusion_list: mediaplaybackd)."""
    kept = ", from TLS 1.0 on, with whatever SDK the app is linked" if profile.sdk_default_floor is not None else ""
    return f"for what AVFoundation loads{kept}"


def _above(host: Host) -> tuple[Host, ...]:
    """Give the names above a host, nearest first; none above an address."""
    if ip_address_of(host) is not None:
        return ()
    labels = host.removesuffix(".").split(".")
    return tuple(Host(".".join(labels[n:])) for n in range(1, len(labels)))


def _of_kind(policy: Policy) -> Iterator[PolicyWarning]:
    """Tell what is particular to a kind of host."""
    kind = locality(policy.host)
    if policy.contested and policy.matched_exception is not None:
        return  # two keys for one network, which the notes about the keys tell
    if policy.contested:
        text = "reports about private addresses contradict each other; NSAllowsLocalNetworking = true settles it"
        yield PolicyWarning("private-address", None, None, text)
    elif kind is Locality.LOCAL_ADDRESS and policy.exempt:
        text = "Apple's documentation does not say that this address is outside ATS; the name localhost is"
        yield PolicyWarning("local-address", None, None, text)
    elif kind is Locality.PUBLIC_ADDRESS and policy.ats_enforced:
        text = "Apple's page says that connections to IP addresses are not allowed, Apple's source applies the ordinary rules"
        yield PolicyWarning("ip-address", None, None, text)
    if policy.host.endswith("."):
        text = "written with a dot at its end, which Apple's client compares as well: a key without one is for another host"
        yield PolicyWarning("final-dot", None, None, text)
    if policy.http_is_loaded_as_https:
        text = "URLSession loads http:// under .dev and .app as https://"
        yield PolicyWarning("always-https", None, None, text)
    since = policy.client.profile.sdk_default_floor
    if policy.decided_by == "NSAllowsArbitraryLoads" and since is not None:
        kept = is_at_least(policy.client.linked_sdk, since)
        floor = min(policy.offer.versions, default=TlsVersion.TLS_1_2)
        text = f"the default floor of the linked SDK holds even so: {floor.title}"
        if kept:
            yield PolicyWarning(LINKED_SDK, None, "NSAllowsArbitraryLoads", text)
