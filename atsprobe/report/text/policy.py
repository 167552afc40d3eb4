"""What an Info.plist demands, as text: the answer, a table of hosts, and the keys that do not do what they say."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import fields

from atsprobe.model.app import SkippedInput
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import AtsDictionary, ExceptionEntry
from atsprobe.model.endpoint import Host, unicode_name
from atsprobe.model.policy import Client, KeyNote, Policy, PolicyWarning
from atsprobe.model.public_suffix import registrable_domain
from atsprobe.model.result import BundlePolicy, PolicyResult
from atsprobe.report.places import bundle_title, key_name, without_payload
from atsprobe.report.style import QUIET, VERBOSE, Style
from atsprobe.report.text.answer import versions_title
from atsprobe.report.text.item import Group, Item, add_group, add_labelled
from atsprobe.report.text.layout import Page, Part
from atsprobe.report.words import count, version

_NOT_ENOUGH, _NOT_TOLD, _NO_BOOLEAN = "linked-sdk", "other", "counts-as-false"
_HTTP, _HTTPS, _HOST, _BY = "http://", "https:// at least", "host", "decided by"
_LEAST_FOR_BY = 16
"""Columns that the last cell of a row wants beside a host; it stands below a host that leaves it fewer."""


def render_policy(result: PolicyResult, style: Style) -> str:
    """Write a block for each bundle, under one answer where there are several."""
    page = Page(style)
    several = len(result.bundles) > 1
    if several:
        _add_overall(page, result)
    for of_bundle in result.bundles:
        if several and style.verbosity > QUIET:
            page.blank()
        _add_bundle(page, of_bundle, several=several)
    add_group(page, Group("Could not be judged", "Could not be judged", tuple(map(_skipped, result.skipped))))
    return page.rendered()


def _skipped(skipped: SkippedInput) -> Item:
    subject = without_payload(skipped.file) or skipped.target
    return Item("skipped", subject, (skipped.reason,), ("try", skipped.advice) if skipped.advice else None)


def _add_overall(page: Page, result: PolicyResult) -> None:
    hosts = len({p.host for of_bundle in result.bundles for p in of_bundle.policies})
    keys = [note for of_bundle in result.bundles for note in of_bundle.keys]
    told = f"{result.plist}: {count(len(result.bundles), 'bundle')}, {count(hosts, 'host')}{_told_of(keys)}"
    page.add(_symbol(keys), " ", (told, "strong"), hang=2)


def _add_bundle(page: Page, of_bundle: BundlePolicy, *, several: bool) -> None:
    title = bundle_title(of_bundle.bundle)
    if several:
        title += f" ({without_payload(of_bundle.bundle.info_plist)})"
    hosts = len({p.host for p in of_bundle.policies})
    told = f"{title}, {_client_title(of_bundle)}: {count(hosts, 'host')}{_told_of(of_bundle.keys)}"
    page.add(_symbol(of_bundle.keys), " ", (told, "strong"), hang=2)
    if page.style.verbosity > QUIET and of_bundle.policies:
        _add_hosts(page, of_bundle)
    faulty = [note for note in of_bundle.keys if _is_faulty(note)]
    heading = "Key that does not do what it says", "Keys that do not do what they say"
    verbose = page.style.verbosity >= VERBOSE
    items = tuple(
        _item(note, of_bundle, with_place=verbose or note.standing == "ineffective")
        for note in sorted(faulty, key=_key_order)
    )
    add_group(page, Group(*heading, items))
    if verbose:
        others = (note for note in of_bundle.keys if not _is_faulty(note))
        items = tuple(_item(note, of_bundle, with_place=True) for note in others)
        add_group(page, Group("Other key", "Other keys", items))


def _client_title(of_bundle: BundlePolicy) -> str:
    """Name the clients, and the SDK where it is known."""
    title = versions_title([c.profile for c in of_bundle.clients], [of_bundle.bundle])
    linked = next((c.linked_sdk for c in of_bundle.clients if c.linked_sdk), None)
    return f"{title}, SDK {version(linked)}" if linked else title


def _symbol(keys: Sequence[KeyNote]) -> Part:
    return ("!", "change") if any(map(_is_faulty, keys)) else "✓"


def _told_of(keys: Sequence[KeyNote]) -> str:
    """Say in numbers which keys do not do what they say."""
    ineffective = sum(1 for note in keys if note.standing == "ineffective")
    unverifiable = [_kind(note) for note in keys if note.standing == "unverifiable"]
    not_enough, not_told = (sum(1 for kind in unverifiable if kind == k) for k in (_NOT_ENOUGH, _NOT_TOLD))
    no_boolean = sum(1 for note in keys if note.standing == "effective" and _is_faulty(note))
    parts: list[str] = []
    for number, one, several in (
        (ineffective, "has no effect", "have no effect"),
        (not_enough, "is not enough by itself", "are not enough by themselves"),
        (not_told, "cannot be told", "cannot be told"),
        (no_boolean, "is no boolean", "are no booleans"),
    ):
        if number:
            parts.append(f"{number if parts else count(number, 'key')} {one if number == 1 else several}")
    if parts:
        return f"; {', '.join(parts)}"
    return "; every key does what it says" if keys else "; no key is declared"


def _is_faulty(note: KeyNote) -> bool:
    """Whether a key does not do what it says, or does so by another value than it says."""
    return note.standing != "effective" or any(w.kind == _NO_BOOLEAN for w in note.warnings)


def _kind(note: KeyNote) -> str:
    return _NOT_ENOUGH if any(w.kind == _NOT_ENOUGH for w in note.warnings) else _NOT_TOLD


def _key_order(note: KeyNote) -> tuple[bool, bool, str, str]:
    domain = note.domain or ""
    return note.standing != "ineffective", note.domain is None, domain, note.key or ""


def _item(note: KeyNote, of_bundle: BundlePolicy, *, with_place: bool) -> Item:
    """Write a note as a line; on request with what the key does, what App Review asks, and what else there is to know."""
    evidence = [("effect", note.effect)] if note.effect else []
    if note.effect or note.wants_justification:
        asks = "App Review asks for the reason" if note.wants_justification else "App Review asks for no reason"
        evidence.append(("review", asks))
    reasons = (*filter(None, (note.reason,)), *_always_told(note))
    told = [w for w in note.warnings if w.text not in reasons and w.kind != "app-review"]
    notes = list(dict.fromkeys(f"{w.domain}: {w.text}" if w.domain != note.domain else w.text for w in told))
    evidence += [("note" if number == 0 else "", text) for number, text in enumerate(notes)]
    return Item(
        id=note.standing,
        subject=f"{_name(note)}{_place(note, of_bundle) if with_place else ''}",
        reasons=reasons,
        evidence=(*evidence, ("source", f"Apple, {_page(note)}")),
    )


def _page(note: KeyNote) -> str:
    """Give the page of Apple's that speaks of a key: its own, where it is one of Apple's keys."""
    known = {f.metadata.get("key") for noun in (AtsDictionary, ExceptionEntry) for f in fields(noun)}
    if note.key is not None and note.key in known:
        return note.key
    return "NSAppTransportSecurity" if note.domain is None else "NSExceptionDomains"


def _always_told(note: KeyNote) -> tuple[str, ...]:
    """An entry that puts ATS back without meaning to is told of beside the key that has no effect; so is what is no boolean."""
    return tuple(w.text for w in note.warnings if w.kind in ("re-imposes-ats", _NO_BOOLEAN))


def _name(note: KeyNote) -> str:
    """Name a key; an entry that is told of as a whole by its domain alone."""
    if note.key is None and note.domain is not None and note.value is not None:
        return key_name(note.domain, None, None).rpartition(" (")[0]
    return key_name(note.domain, note.key, note.value)


def _place(note: KeyNote, of_bundle: BundlePolicy) -> str:
    if note.line is None:
        return ""
    return f" ({of_bundle.bundle.info_plist.rpartition('/')[2]}:{note.line})"


class _Row:
    """A line of the table: what holds for a host on some of the clients."""

    def __init__(self, policies: Sequence[Policy], all_clients: Sequence[Client]) -> None:
        first = policies[0]
        self.policies = policies
        self.http, self.https = _http(first), _https(first)
        on = f" ({_titles(policies)})" if len(policies) < len(all_clients) else ""
        self.by = f"{first.decided_by}{on}"


def _titles(policies: Sequence[Policy]) -> str:
    """Give the clients of policies: ``iOS 13, 15.4``."""
    titles = [p.client.profile.title for p in policies]
    return ", ".join([titles[0], *(t.removeprefix("iOS ") for t in titles[1:])])


def _add_hosts(page: Page, of_bundle: BundlePolicy) -> None:
    by_host: dict[Host, list[Policy]] = {}
    for policy in of_bundle.policies:
        by_host.setdefault(policy.host, []).append(policy)
    rows = {host: _rows(by_host[host], of_bundle.clients) for host in sorted(by_host, key=_host_order)}
    http = _width((_HTTP, *(row.http for of_host in rows.values() for row in of_host)))
    https = _width((_HTTPS, *(row.https for of_host in rows.values() for row in of_host)))
    shown = {host: _shown(host) for host in rows}
    at = 2 + http + https
    host_width = max(page.width_of((name,)) for name in (_HOST, *shown.values())) + 2
    column = at + host_width
    if page.style.fold:
        column = min(column, page.style.columns - _LEAST_FOR_BY)
    page.blank()
    heading: list[tuple[Part, int]] = [("", 2), ((_HTTP, "strong"), http), ((_HTTPS, "strong"), https)]
    page.add_row(heading, ((_HOST, "strong"),), (_BY, "strong"), column)
    told: _Told = {}
    for host, of_host in rows.items():
        for row in of_host:
            _add_row(page, row, shown[host], (http, https), column)
            if page.style.verbosity >= VERBOSE:
                _add_details(page, row, told)


def _add_row(page: Page, row: _Row, host: str, widths: tuple[int, int], column: int) -> None:
    look = "strong" if row.http == "unknown" else ""
    cells: list[tuple[Part, int]] = [("", 2), ((row.http, look), widths[0]), (row.https, widths[1])]
    at = 2 + sum(widths)
    fits = at + page.width_of((host,)) + 2 <= column and column + page.width_of((row.by,)) <= page.style.columns
    if fits or not page.style.fold:
        page.add_row(cells, (host,), row.by, column)
        return
    page.add_row(cells, (host,))
    page.add(row.by, indent=6, hang=8)


def _rows(policies: Sequence[Policy], clients: Sequence[Client]) -> list[_Row]:
    """Put clients that ask the same into one row."""
    alike: dict[tuple[str, str, str], list[Policy]] = {}
    for policy in policies:
        alike.setdefault((_http(policy), _https(policy), policy.decided_by), []).append(policy)
    return [_Row(those, clients) for those in alike.values()]


def _host_order(host: Host) -> tuple[str, str]:
    return registrable_domain(host) or host, host


def _shown(host: Host) -> str:
    name = unicode_name(host)
    return host if name == host else f"{host} ({name})"


def _width(words: Iterable[str]) -> int:
    return max(len(word) for word in words) + 2


def _http(policy: Policy) -> str:
    if policy.http_is_loaded_as_https:
        return "as https"
    if policy.contested and policy.ats_enforced:
        return "unknown"
    return "allowed" if policy.http_allowed else "refused"


def _https(policy: Policy) -> str:
    """Say the least that https has to be: ``TLS 1.2, ECDHE``."""
    pinned = ["pinned"] if policy.pins is not None else []
    if policy.exempt:
        return ", ".join(["exempt", *pinned])
    floor = min(policy.offer.versions)
    parts = ["unknown" if policy.floor_is_unknown else floor.title]
    if policy.minimum_tls_version is None:
        parts.append("ATS off")
    elif floor < TlsVersion.TLS_1_3:
        ecdhe = "ECDHE with AES-GCM" if policy.niap_in_force else "ECDHE"
        parts.append(ecdhe if policy.forward_secrecy_required else "ECDHE or RSA")
        parts += ["EMS"] if policy.requires_extended_master_secret else []
    told = ", ".join([*parts, *pinned])
    may_be_exempt = policy.contested and policy.ats_enforced and policy.matched_exception is None
    return f"exempt or {told}" if may_be_exempt else told


_Rows = tuple[tuple[str, str], ...]
_Told = dict[_Rows, str]
"""What was told to be offered, and of which host it was."""


def _add_details(page: Page, row: _Row, told: _Told) -> None:
    """Write what would be offered, once for all hosts that get the same, and what else there is to know of a host."""
    details: dict[_Rows, list[Policy]] = {}
    for policy in row.policies:
        details.setdefault(_offered(policy), []).append(policy)
    for offered, policies in details.items():
        if len(details) > 1:
            add_labelled(page, [("as", _titles(policies))])
        known = told.get(offered)
        add_labelled(page, [("offers", f"what {known}")] if known else offered)
        on = f" as {_titles(policies)}" if len(details) > 1 else ""
        told.setdefault(offered, f"{policies[0].host} gets{on}")
    texts = dict.fromkeys(_note(w) for p in row.policies for w in p.warnings)
    add_labelled(page, [("note" if number == 0 else "", text) for number, text in enumerate(texts)])


def _note(warning: PolicyWarning) -> str:
    about = key_name(warning.domain, warning.key, True) if warning.key or warning.domain else ""
    return f"{about.removesuffix(' = true')}: {warning.text}" if about else warning.text


def _offered(policy: Policy) -> _Rows:
    sure = [s for s in policy.offered_suites if s not in policy.unproved]
    versions = [v.title for v in policy.offer.versions if v not in policy.unproved_versions]
    unsure = [v.title for v in policy.offer.versions if v in policy.unproved_versions]
    unsure += [s for s in policy.offered_suites if s in policy.unproved]
    rows = [("versions", ", ".join(versions) or "none that is sure"), ("suites", ", ".join(sure))]
    if unsure:
        rows.append(("unproved", ", ".join(unsure)))
    if policy.pins is not None:
        for kind, digests in (("CA", policy.pins.ca), ("leaf", policy.pins.leaf)):
            if digests is not None:
                hashes = ", ".join(base64.b64encode(d).decode() for d in digests) or "none that could match"
                rows.append(("pins", f"{kind}: {hashes}"))
    return tuple(rows)
