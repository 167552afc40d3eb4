"""What an Info.plist demands of hosts: the dictionaries are read, and resolved for each client; no packet is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TextIO, assert_never

from atsprobe.ats.exception_match import meant_host
from atsprobe.ats.host_warnings import HostWarnings
from atsprobe.ats.key_warnings import key_notes
from atsprobe.ats.policy import PolicyResolver
from atsprobe.ats.profile import UnknownProfile, profiles
from atsprobe.extract.extract import extract
from atsprobe.extract.target import BadTarget, HostTarget, PathTarget, expand
from atsprobe.model.app import Bundle, Extraction, SkippedInput
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.endpoint import Host
from atsprobe.model.policy import Client, Profile
from atsprobe.model.result import BundlePolicy, PolicyResult
from atsprobe.settings import Settings, UsageProblem

_NO_PLIST = "give an Info.plist, or an .ipa or .app that holds one"


def policy(
    plist: str, hosts: Sequence[str] = (), settings: Settings | None = None, *, stdin: TextIO | None = None
) -> PolicyResult:
    """Say what App Transport Security demands of each host under a dictionary, and which key decides.

    ``plist`` is an Info.plist, or an app whose every bundle answers for itself; ``hosts`` are names, HOST:PORT, URLs, addresses
    or ``@file``, and without any the hosts that the dictionary names. A plist or a host that cannot be read stands in
    ``skipped``. Raises UsageProblem for an option that cannot be taken, and for a target that holds no Info.plist.
    """
    settings = settings or Settings()
    _profiles(settings, None)
    named, wrong = _named(hosts, stdin)
    extraction = extract([plist])
    skipped = (*_of_plists(extraction), *wrong)
    answering = [b for b in extraction.bundles if not _is_broken(b, skipped)]
    if not answering and not skipped:
        what = "a host, where an Info.plist is wanted" if extraction.references else "holds no Info.plist"
        raise UsageProblem(f"{plist}: {what}", _NO_PLIST)
    if not answering:  # then the target itself is bad input
        skipped = tuple(replace(s, unreadable=True) for s in skipped)
    found = tuple(_of_bundle(bundle, named if hosts else None, settings) for bundle in answering)
    return PolicyResult(plist=plist, bundles=found, skipped=skipped)


def _profiles(settings: Settings, minimum_os: str | None) -> tuple[Profile, ...]:
    try:
        return profiles(settings.ios, minimum_os, settings.profile)
    except UnknownProfile as problem:
        raise UsageProblem(str(problem), "--ios 26, or --ios all") from problem


def _named(hosts: Sequence[str], stdin: TextIO | None) -> tuple[tuple[Host, ...], list[SkippedInput]]:
    named: dict[Host, None] = {}
    wrong: list[SkippedInput] = []
    for target in expand(hosts, stdin):
        match target:
            case HostTarget():
                named.setdefault(target.host_as_written)
            case PathTarget():
                advice = "one Info.plist, or one app, comes first; a host of that name is written https://NAME"
                wrong.append(SkippedInput(target.text, "", "a file, where a host is wanted", advice, unreadable=True))
            case BadTarget():
                wrong.append(SkippedInput(target.text, "", target.reason, target.advice, unreadable=True))
            case _:
                assert_never(target)
    return tuple(named), wrong


def _of_plists(extraction: Extraction) -> Iterator[SkippedInput]:
    """Give what was not read of the dictionaries; an encrypted binary, say, has no part in them."""
    for skipped in extraction.skipped:
        if skipped.unreadable or skipped.file.endswith((".plist", ".app", ".appex")):
            yield skipped


def _is_broken(bundle: Bundle, skipped: Sequence[SkippedInput]) -> bool:
    return any((s.target, s.file or s.target) == (bundle.target, bundle.info_plist) for s in skipped)


def _of_bundle(bundle: Bundle, named: Sequence[Host] | None, settings: Settings) -> BundlePolicy:
    linked = settings.sdk or bundle.linked_sdk
    clients = tuple(Client(profile, linked) for profile in _profiles(settings, bundle.minimum_os))
    notes = key_notes(bundle.dictionary, clients, bundle.key_lines)
    resolvers = [PolicyResolver(client, bundle.dictionary) for client in clients]
    warnings = HostWarnings(bundle.dictionary, notes)
    hosts = tuple(_declared(bundle.dictionary)) if named is None else named
    resolved = (resolver.policy(host) for host in hosts for resolver in resolvers)
    return BundlePolicy(
        bundle=bundle,
        clients=clients,
        policies=tuple(replace(policy, warnings=warnings.of(policy)) for policy in resolved),
        keys=notes,
    )


def _declared(dictionary: AtsDictionary) -> dict[Host, None]:
    """Give the hosts that a dictionary names, or means where a key is misspelt: exceptions, then pins, each once."""
    pins = dictionary.pinned_domains
    domains = [domain for domain, _ in dictionary.exception_domains]
    domains += list(pins) if isinstance(pins, Mapping) else []
    return dict.fromkeys(host for domain in domains if (host := meant_host(domain)) is not None)
