"""The smallest NSAppTransportSecurity as a property list to copy from: XML, with the evidence beside each key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from atsprobe.model.app import Bundle
from atsprobe.model.dictionary import PlistValue
from atsprobe.model.result import AuditResult, EndpointResult
from atsprobe.report.dossier import DOMAINS, Dossier, Gone, Kept, dossiers, most, seen_on, without_exception
from atsprobe.report.places import bundle_title, key_name, shown_value, spoken
from atsprobe.report.plist_xml import comment, member
from atsprobe.report.text.answer import client
from atsprobe.report.text.evidence import of_server
from atsprobe.report.words import count, listed

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
)
_MOST_SERVERS = 3
_LONGEST_NAME = 60
_NO_FILE_NAME = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True)
class SuggestedPlist:
    """A suggestion for one bundle, or for hosts without one.

    ``name`` tells its file from those of other bundles, in letters, digits, ``-`` and ``_``; it is empty for the first.
    """

    bundle: str | None
    name: str
    text: str


def suggested_plists(result: AuditResult) -> tuple[SuggestedPlist, ...]:
    """Write a property list for each bundle: always for the first main one, for others where anything is declared or needed."""
    names: set[str] = {""}
    found: list[SuggestedPlist] = []
    for dossier in dossiers(result):
        name = _name(dossier.bundle, names) if found else ""
        if found and not dossier.says_something:
            continue
        names.add(name.casefold())
        identifier = dossier.bundle.identifier if dossier.bundle else None
        found.append(SuggestedPlist(identifier, name, _written(result, dossier)))
    return tuple(found)


def _name(bundle: Bundle | None, taken: set[str]) -> str:
    """Name a bundle by its folder, or an Info.plist of sources by its own name or its folder, in what any file system takes."""
    path = PurePosixPath(bundle.info_plist if bundle else "")
    stem = path.stem.removesuffix("Info").rstrip("-_. ") or PurePosixPath(path.parent.name).stem
    short = _NO_FILE_NAME.sub("-", stem).strip("-")[:_LONGEST_NAME] or "Info"
    numbered = (short, *(f"{short}-{n}" for n in range(2, len(taken) + 3)))
    return next(n for n in numbered if n.casefold() not in taken)


def _written(result: AuditResult, dossier: Dossier) -> str:
    lines = [*_HEAD, *comment(_about(result, dossier)), '<plist version="1.0">']
    if not dossier.dictionary:
        return "\n".join((*lines, "<dict/>", "</plist>", ""))
    lines += ["<dict>", "\t<key>NSAppTransportSecurity</key>", "\t<dict>"]
    for key, value in dossier.dictionary.items():
        if key == DOMAINS and isinstance(value, Mapping):
            lines += _domains(dossier, value)
        else:
            lines += [*comment(_evidence(dossier.kept_in(None, key)), "\t\t"), *member(key, value, "\t\t")]
    return "\n".join((*lines, "\t</dict>", "</dict>", "</plist>", ""))


def _domains(dossier: Dossier, entries: Mapping[str, PlistValue]) -> list[str]:
    lines = ["\t\t<key>NSExceptionDomains</key>", "\t\t<dict>"]
    for domain, entry in entries.items():
        lines += [*comment(_evidence(dossier.kept_in(domain)), "\t\t\t"), *member(domain, entry, "\t\t\t")]
    return [*lines, "\t\t</dict>"]


def _about(result: AuditResult, dossier: Dossier) -> list[str]:
    whose = bundle_title(dossier.bundle) if dossier.bundle else count(len(result.loads), "endpoint")
    under = "under which all loads work that can" if dossier.bundle else "under which they load"
    lines = [
        f"{whose}: the smallest NSAppTransportSecurity {under}",
        f"seen {seen_on(result)} (UTC) by atsprobe, as {client(result)}",
    ]
    if result.recording.interrupted:
        lines.append("the audit was interrupted: what was not seen stays as declared")
    if dossier.dictionary:
        lines.append("it goes into Info.plist in the place of the whole NSAppTransportSecurity that stands there")
    elif dossier.gone:
        lines.append("no exception is needed: NSAppTransportSecurity goes from Info.plist as a whole")
    else:
        lines.append(without_exception(result))
    return [*lines, *(_left_out(gone) for gone in dossier.gone)]


def _left_out(gone: Gone) -> str:
    judged = gone.judged
    where = ", to be removed at the top of Info.plist" if gone.is_outside else ""
    where += f", now under {listed(gone.now_under)}" if gone.now_under else ""
    return f"left out{where}: {key_name(judged.domain, judged.key, judged.value)}: {judged.status}: {spoken(judged.reason)}"


def _evidence(kept: tuple[Kept, ...]) -> list[str]:
    """Say of each key why it stands there, and what was seen of the servers behind it."""
    lines = [f"{k.key.key or 'an empty entry'}: {_why(k)}" for k in kept]
    servers = dict.fromkeys(server.endpoint for k in kept for server in k.servers)
    results = {server.endpoint: server for k in kept for server in k.servers}
    shown, more = most((results[e] for e in servers), _MOST_SERVERS)
    for server in shown:
        lines += _measured(server)
    return lines + ([f"and {count(more, 'more server')}"] if more else [])


def _why(kept: Kept) -> str:
    if kept.judged is None:
        return f"new; {kept.why_needed}"
    told = f"{kept.judged.status}; {spoken(kept.judged.reason)}"
    if kept.change == "another value":
        return f"in the place of {shown_value(kept.judged.value)}, which is {told}"
    return told


def _measured(server: EndpointResult) -> list[str]:
    rows = [
        f"{label}: {text}" if label else text for label, text in of_server(replace(server, references=(), findings=()))
    ]
    return [f"{server.endpoint}: {server.verdict} by default; {'; '.join(rows) or 'nothing was seen'}"]
