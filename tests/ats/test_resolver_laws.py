"""Laws of resolution, tried on random dictionaries: what no row of a table could show."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from resolver_vectors import AL, CT, DOMAINS, GLOBAL_NIAP, HTTP, LN, MED, MIN, NIAP, PFS, SUB, WEB

from atsprobe.ats.exception_match import network_of
from atsprobe.ats.policy import PolicyResolver
from atsprobe.ats.profile import profiles
from atsprobe.model.cipher_suite import TlsVersion, usable
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.endpoint import ip_address_of, parse_host
from atsprobe.model.policy import Client, Policy

PROFILES = ("ios13", "ios15.4", "ios17", "ios26", "fcp21")
HOSTS = (
    "example.com", "a.example.com", "b.a.example.com", "localhost", "x.local", "10.0.0.1", "203.0.113.5", "2001:db8::1",
    "x.dev", "www.apple.com", "127.0.0.1",
)  # fmt: skip
KEYS = (
    *HOSTS,
    "com",
    "203.0.113.0/24",
    "10/8",
    "10.0.0.0/8",
    "0.0.0.0/0",
    "::/0",
    "apple.com",
    "EXAMPLE.com",
    "*.example.com",
)
SUITES = (
    "TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_AES_128_CBC_SHA256", "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
)  # fmt: skip
VERSIONS = tuple(v for v in TlsVersion if v >= TlsVersion.TLS_1_0)

_booleans = st.one_of(st.booleans(), st.sampled_from([0, 1, 2, "YES", "NO", 0.5]))
_versions = st.sampled_from(["TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3", "TLSV1.0", "DTLSv1.2", 1.0])
_modes = st.sampled_from(["none", "FCP_v2.1", "recommended", "x", True])
ENTRY = st.fixed_dictionaries(
    {}, optional={HTTP: _booleans, MIN: _versions, PFS: _booleans, SUB: _booleans, CT: _booleans, NIAP: _modes}
)
DICTIONARY = st.fixed_dictionaries(
    {},
    optional={
        AL: _booleans,
        WEB: _booleans,
        MED: _booleans,
        LN: _booleans,
        GLOBAL_NIAP: _modes,
        DOMAINS: st.dictionaries(st.sampled_from(KEYS), st.one_of(ENTRY, st.just("no entry")), max_size=6),
    },
)


@dataclass(frozen=True)
class Server:
    """What a port takes: TLS versions and suites (and whether TLS 1.2 comes with the extended master secret), or the clear."""

    versions: frozenset[TlsVersion]
    suites: frozenset[str]
    extended_master_secret: bool
    clear: bool


SERVERS = st.builds(
    Server,
    st.frozensets(st.sampled_from(VERSIONS)),
    st.frozensets(st.sampled_from(SUITES)),
    st.booleans(),
    st.booleans(),
)
CLIENTS = st.builds(
    lambda name, sdk: Client(profiles(mode=name)[0], sdk),
    st.sampled_from(PROFILES),
    st.sampled_from(["18.5", "26.0", None]),
)


def policy(dictionary: dict[str, Any], host: str, client: Client) -> Policy:
    return PolicyResolver(client, AtsDictionary.from_plist(dictionary)).policy(parse_host(host))


def works(demanded: Policy, server: Server, *, hopefully: bool = False) -> bool:
    """Whether a load works: surely, or hopefully if what is unproved is offered too."""
    if server.clear:
        return demanded.http_allowed
    return any(
        usable(suite, version)
        for version in demanded.offer.versions
        if version in server.versions and (hopefully or version not in demanded.unproved_versions)
        if version >= TlsVersion.TLS_1_3
        or server.extended_master_secret
        or not demanded.requires_extended_master_secret
        for suite in demanded.offer.cipher_suites
        if suite in server.suites and (hopefully or suite not in demanded.unproved)
    )


def no_more(after: Policy, before: Policy) -> bool:
    """Whether a policy allows nothing that another did not."""
    return (
        set(after.offer.versions) <= set(before.offer.versions)
        and set(after.offer.cipher_suites) <= set(before.offer.cipher_suites)
        and (before.http_allowed or not after.http_allowed)
        and (after.requires_extended_master_secret or not before.requires_extended_master_secret)
    )


def with_entry(dictionary: dict[str, Any], domain: str, entry: dict[str, Any]) -> dict[str, Any]:
    return dictionary | {DOMAINS: dictionary.get(DOMAINS, {}) | {domain: entry}}


def _has_twins(dictionary: dict[str, Any]) -> bool:
    networks = [network_of(k) for k, v in dictionary.get(DOMAINS, {}).items() if isinstance(v, dict)]
    read = [n for n in networks if n is not None]
    return len(set(read)) < len(read)


@given(DICTIONARY, st.sampled_from(HOSTS), CLIENTS, st.randoms())
def test_the_order_of_keys_does_not_matter(dictionary: Any, host: str, client: Client, random: Any) -> None:
    """Shuffled on every level, a dictionary demands the same (two keys for one network apart, of which Apple takes either)."""
    assume(not _has_twins(dictionary))

    def shuffled(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        keys = list(value)
        random.shuffle(keys)
        return {k: shuffled(value[k]) for k in keys}

    assert policy(dictionary, host, client) == policy(shuffled(dictionary), host, client)


@given(DICTIONARY, ENTRY, st.sampled_from(HOSTS), CLIENTS)
def test_an_entry_for_a_host_decides_alone(dictionary: Any, entry: Any, host: str, client: Client) -> None:
    """Global keys and entries above count for nothing beside it, but for the NIAP package, which it inherits.

    Before iOS 17 an address is no key, so that an entry of that name is none of the host's.
    """
    assume(not (client.profile.exempts_ip_addresses and ip_address_of(parse_host(host))))
    dictionary.pop(GLOBAL_NIAP, None)
    alone = policy({DOMAINS: {host: entry}}, host, client)
    assert policy(with_entry(dictionary, host, entry), host, client) == alone


_TIGHTER = st.sampled_from([(HTTP, False), (MIN, "TLSv1.2"), (MIN, "TLSv1.3"), (PFS, True), (NIAP, "FCP_v2.1")])


@given(DICTIONARY, ENTRY, _TIGHTER, st.sampled_from(HOSTS), CLIENTS)
def test_a_tighter_key_never_allows_more(dictionary: Any, entry: Any, tighter: Any, host: str, client: Client) -> None:
    """A key of the entry that decides, set to a stricter value than it has."""
    key, value = tighter
    assume(value != "TLSv1.2" or entry.get(MIN) != "TLSv1.3")
    before = policy(with_entry(dictionary, host, entry), host, client)
    after = policy(with_entry(dictionary, host, entry | {key: value}), host, client)
    assert no_more(after, before)


@given(DICTIONARY, st.sampled_from([(AL, False), (WEB, False), (MED, True), (GLOBAL_NIAP, "FCP_v2.1")]),
       st.sampled_from(HOSTS), CLIENTS)  # fmt: skip
def test_a_tighter_global_key_never_allows_more(dictionary: Any, tighter: Any, host: str, client: Client) -> None:
    """Neither does switching NSAllowsArbitraryLoads off, cancelling it, or asking for the package."""
    key, value = tighter
    assert no_more(policy(dictionary | {key: value}, host, client), policy(dictionary, host, client))


_RELAXING = st.sampled_from([(HTTP, True), (MIN, "TLSv1.0"), (MIN, "TLSv1.1"), (PFS, False), (NIAP, "none")])


@given(DICTIONARY, ENTRY, _RELAXING, st.sampled_from(HOSTS), CLIENTS, SERVERS)
def test_taking_a_relaxation_out_allows_nothing_new(
    dictionary: Any, entry: Any, relaxing: Any, host: str, client: Client, server: Server
) -> None:
    """HTTP = YES, a lower MIN, PFS = NO or NIAP = none out of an entry that stays never turns blocked into allowed."""
    key, value = relaxing
    with_key = entry | {key: value}
    less = {k: v for k, v in with_key.items() if k != key}
    before = policy(with_entry(dictionary, host, with_key), host, client)
    after = policy(with_entry(dictionary, host, less), host, client)
    for hopefully in (False, True):
        if not works(before, server, hopefully=True):
            assert not works(after, server, hopefully=hopefully)


def _candidates(client: Client) -> list[dict[str, Any]]:
    """The exceptions to try, smallest first: forward secrecy, floors from the highest, both; then the same with http."""
    floors: list[dict[str, Any]] = [{}, {MIN: "TLSv1.1"}, {MIN: "TLSv1.0"}]
    https = [{}, {PFS: False}, *floors[1:], *({**floor, PFS: False} for floor in floors[1:])]
    niap = [{**keys, NIAP: "none"} for keys in https] if client.profile.niap_by_default else []
    return [*https, *niap, *({HTTP: True, **keys} for keys in https)]


@given(st.sampled_from(HOSTS), CLIENTS, SERVERS)
def test_every_subset_of_a_minimal_exception_fails(host: str, client: Client, server: Server) -> None:
    """The first exception that works has no key too many: with any of them left out, the load fails."""
    demands = ((keys, policy({DOMAINS: {host: keys}}, host, client)) for keys in _candidates(client))
    smallest = next((keys for keys, demanded in demands if works(demanded, server)), None)
    assume(smallest is not None)
    for size in range(len(smallest)):
        for kept in combinations(smallest, size):
            subset = {k: smallest[k] for k in kept}
            assert not works(policy({DOMAINS: {host: subset}}, host, client), server), subset


@given(DICTIONARY, ENTRY, st.sampled_from(HOSTS), CLIENTS)
def test_an_unrelated_entry_changes_nothing(dictionary: Any, entry: Any, host: str, client: Client) -> None:
    """An entry for a name that is neither the host nor above it."""
    assert policy(with_entry(dictionary, "unrelated.example.net", entry), host, client) == policy(
        dictionary, host, client
    )


@given(DICTIONARY, st.sampled_from(HOSTS), CLIENTS)
def test_a_wider_exception_is_never_read_from_what_cannot_match(dictionary: Any, host: str, client: Client) -> None:
    """Dropping every entry that `why_never_matches` speaks of changes no demand."""
    from atsprobe.ats.exception_match import why_never_matches

    read = {k: v for k, v in dictionary.get(DOMAINS, {}).items() if why_never_matches(k) is None}
    assert policy(dictionary | {DOMAINS: read}, host, client) == policy(dictionary, host, client)


@given(DICTIONARY, CLIENTS, st.sampled_from(HOSTS))
def test_a_key_called_ineffective_is_ineffective(dictionary: Any, client: Client, host: str) -> None:
    """Dropping a key with that note changes no demand, unless it was all that made its entry one."""
    from atsprobe.ats.key_warnings import key_notes

    declared = AtsDictionary.from_plist(dictionary)
    demanded = PolicyResolver(client, declared).policy(parse_host(host))
    for note in key_notes(declared, [client]):
        if note.standing != "ineffective" or (note.domain is not None and note.key is None):
            continue
        less = declared.without(note.domain, note.key or "")
        assert PolicyResolver(client, less).policy(parse_host(host)) == demanded, note


@given(DICTIONARY, CLIENTS)
def test_every_declared_key_has_one_note(dictionary: Any, client: Client) -> None:
    """No key is passed over: each has a note of its own, or its entry has one."""
    from atsprobe.ats.key_warnings import key_notes

    declared = AtsDictionary.from_plist(dictionary)
    notes = key_notes(declared, [client])
    told = {(n.domain, n.key) for n in notes}
    assert len(told) == len(notes)
    for key in declared.declared_keys():
        assert (key.domain, key.key) in told or (key.domain is not None and (key.domain, None) in told)
    for note in notes:
        assert bool(note.reason) is (note.standing != "effective")
        assert note.effect or note.standing == "ineffective" or note.key is None
