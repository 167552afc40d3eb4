"""The groups of an audit, one for each kind of work, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.judgement import (
    EndpointFinding,
    ExceptionJudgement,
    ExceptionStatus,
    RequirementId,
    StaleWaiver,
    Waiver,
)
from atsprobe.model.observation import Observation, Unreachable
from atsprobe.model.public_suffix import registrable_domain
from atsprobe.model.recording import IgnoredHost
from atsprobe.model.result import AuditResult, EndpointResult
from atsprobe.report.advice import advice, why_not_judged
from atsprobe.report.fixes import declared_fix, its_https, server_fix
from atsprobe.report.places import Places, key_name, server_names, spoken, u_label
from atsprobe.report.server_products import configurations
from atsprobe.report.tally import tally, with_status
from atsprobe.report.text.answer import DROPPED
from atsprobe.report.text.evidence import of_key, of_server, used_by
from atsprobe.report.text.item import Group, Item
from atsprobe.report.text.table import ADDRESSES_DISAGREE, sort_key

_ORDER_OF_KEYS = (
    ExceptionStatus.REPLACEABLE,
    ExceptionStatus.UNNEEDED,
    ExceptionStatus.INSUFFICIENT,
    ExceptionStatus.INEFFECTIVE,
    ExceptionStatus.TOO_WIDE,
    ExceptionStatus.NEEDED,
    ExceptionStatus.STRICT,
    ExceptionStatus.UNVERIFIABLE,
)


def groups(result: AuditResult, *, every_notice: bool = False, servers: Sequence[str] = ()) -> tuple[Group, ...]:
    """Gather the work that a result asks for; groups may be empty. ``servers`` are the products whose lines are told."""
    return _Groups(result, every_notice=every_notice, servers=servers).all()


class _Groups:
    def __init__(self, result: AuditResult, *, every_notice: bool, servers: Sequence[str]) -> None:
        self._result = result
        self._everything = every_notice
        self._servers = servers
        self._tally = tally(result)
        self._places = Places(result.recording.extraction)
        self._names = server_names([e.endpoint for e in result.endpoints])
        self._by_endpoint = {e.endpoint: e for e in result.endpoints}

    def all(self) -> tuple[Group, ...]:
        needed = with_status(self._result, ExceptionStatus.NEEDED, ExceptionStatus.STRICT)
        weightless = tuple(k for k in with_status(self._result, ExceptionStatus.UNVERIFIABLE) if not k.has_exit_weight)
        return (
            Group("Fix this server", "Fix these servers", self._blocked()),
            Group(
                "Change this URL, then drop its exception",
                "Change these URLs, then drop their exceptions",
                self._keys(with_status(self._result, ExceptionStatus.REPLACEABLE)),
            ),
            Group("Drop this exception", "Drop these exceptions", self._keys(with_status(self._result, *DROPPED))),
            Group(
                "Narrow this exception",
                "Narrow these exceptions",
                self._keys(with_status(self._result, ExceptionStatus.TOO_WIDE)),
            ),
            Group(
                "Renew this waiver, or take it out",
                "Renew these waivers, or take them out",
                tuple(map(_stale_item, self._result.stale_waivers)),
            ),
            Group("Could not be judged", "Could not be judged", self._not_judged()),
            Group("Look at this", "Look at these", self._notices()),
            Group("Ignored", "Ignored", tuple(map(_ignored_item, self._result.recording.ignored))),
            Group("Accepted", "Accepted", self._accepted()),
            Group("Keep", "Keep", self._keys((*needed, *weightless), with_place=False)),
        )

    def _subject(self, endpoint: Endpoint) -> str:
        return self._names[endpoint] + u_label(endpoint)

    def _blocked(self) -> tuple[Item, ...]:
        return tuple(self._blocked_item(e) for e in sorted(self._tally.blocked, key=sort_key))

    def _blocked_item(self, endpoint: EndpointResult) -> Item:
        failing = failing_findings(endpoint)
        waived = self._result.waived_load(endpoint)
        in_part = waived.waivers if waived is not None and not waived.is_whole else ()
        until = {requirement: waiver.expires for requirement, waiver in in_part}
        reasons = tuple(_reason(endpoint, f, until) for f in failing) + declared_only(endpoint)
        counting = [f.finding for f in failing if f.finding.requirement not in until]
        of_the_server = server_fix(endpoint, counting, self._result.recording) if counting or not failing else ""
        fix = "; ".join(filter(None, (of_the_server, declared_fix(endpoint))))
        return Item(
            id="blocked",
            subject=self._subject(endpoint.endpoint) + self._blocking_bundles(endpoint),
            reasons=reasons or tuple(filter(None, (endpoint.reason,))),
            remedy=("fix", fix) if fix else None,
            evidence=of_server(endpoint),
            configurations=configurations(
                self._servers, endpoint.endpoint, counting, its_https(endpoint, self._result.recording)
            ),
        )

    def _accepted(self) -> tuple[Item, ...]:
        """Give what waivers accept: what it would be else, and by whom, why and until when it is accepted."""
        items: list[Item] = []
        for load in sorted(self._result.accepted_loads, key=sort_key):
            waived = self._result.waived_load(load)
            if waived is not None:
                terms = "; ".join(dict.fromkeys(_terms(waiver) for _, waiver in waived.waivers))
                items.append(_accepted_item(self._blocked_item(load), terms))
        for key in sorted(self._result.accepted_keys, key=_key_order):
            waiver = self._result.waiver_of(key)
            if waiver is not None:
                items.append(_accepted_item(self._key_item(key, with_place=True), _terms(waiver)))
        return tuple(items)

    def _blocking_bundles(self, endpoint: EndpointResult) -> str:
        blocking = [d.bundle for d in endpoint.declared if d.verdict == "blocked"]
        if len(blocking) == len(endpoint.declared):
            return ""
        return "".join(self._places.bundle_suffix(bundle) for bundle in blocking)

    def _keys(self, keys: Iterable[ExceptionJudgement], *, with_place: bool = True) -> tuple[Item, ...]:
        ordered = sorted(keys, key=_key_order)
        return tuple(self._key_item(key, with_place=with_place) for key in ordered)

    def _key_item(self, key: ExceptionJudgement, *, with_place: bool) -> Item:
        where = self._places.key_suffix(key) if with_place else self._places.bundle_suffix(key.bundle)
        remedy = ("try", key.narrower) if key.narrower and key.narrower not in key.reason else None
        return Item(
            id=str(key.status),
            subject=key_name(key.domain, key.key, key.value) + where,
            reasons=tuple(filter(None, (spoken(key.reason),))),
            remedy=remedy,
            evidence=of_key(key, [self._by_endpoint[e] for e in key.hosts if e in self._by_endpoint]),
        )

    def _not_judged(self) -> tuple[Item, ...]:
        keys = self._keys(self._tally.inconclusive_keys)
        loads = tuple(self._inconclusive_item(e) for e in _by_reason(self._tally.told_alone))
        skipped = tuple(
            Item(
                id="skipped",
                subject=self._places.skipped(s),
                reasons=(s.reason,),
                remedy=("try", s.advice) if s.advice else None,
            )
            for s in sorted(self._tally.skipped, key=lambda s: (s.target, s.file, s.reason))
        )
        return (*keys, *loads, *skipped)

    def _inconclusive_item(self, endpoint: EndpointResult) -> Item:
        template = advice(endpoint)
        reason = why_not_judged(endpoint)
        return Item(
            id="inconclusive",
            subject=self._subject(endpoint.endpoint),
            reasons=tuple(filter(None, (reason,))),
            remedy=("try", template.replace("{server}", str(endpoint.endpoint))) if template else None,
            evidence=of_server(endpoint),
            shared_remedy=template,
        )

    def _notices(self) -> tuple[Item, ...]:
        """Give the notices to act on, and on request all; what addresses disagree about stands in the table."""
        told = [n for n in self._result.notices if n.to_act_on or self._everything]
        return tuple(
            Item(id=n.kind, subject=n.subject, reasons=(n.evidence,)) for n in told if n.kind != ADDRESSES_DISAGREE
        )


def _terms(waiver: Waiver) -> str:
    return f"until {waiver.expires} by {waiver.owner}: {waiver.reason}"


def _accepted_item(item: Item, terms: str) -> Item:
    return replace(item, remedy=("accepted", terms), shared_remedy="", quiet_id="accepted", configurations=())


def _stale_item(stale: StaleWaiver) -> Item:
    waiver = stale.waiver
    return Item(
        id=stale.problem,
        subject=waiver.subject + (f" ({waiver.place})" if waiver.place else ""),
        reasons=(stale.evidence, f"{waiver.owner}: {waiver.reason}"),
        remedy=("fix", stale.advice),
    )


def _ignored_item(ignored: IgnoredHost) -> Item:
    place = f" ({ignored.rule.place})" if ignored.rule.place else ""
    endpoint = ignored.references[0].endpoint if ignored.references else None
    return Item(
        id="ignored",
        subject=ignored.host + (u_label(endpoint) if endpoint else ""),
        reasons=(f"{ignored.rule.reason}{place}",),
        evidence=tuple(used_by(ignored.references)),
    )


def _reason(endpoint: EndpointResult, finding: EndpointFinding, until: Mapping[RequirementId, date]) -> str:
    line = finding_line(endpoint, finding)
    day = until.get(finding.finding.requirement)
    return line if day is None else f"{line} (accepted until {day})"


def _by_reason(endpoints: Sequence[EndpointResult]) -> list[EndpointResult]:
    """Sort servers; those with one reason and one advice become neighbours, where the first of them stands."""
    ordered = sorted(endpoints, key=sort_key)
    first: dict[tuple[str, str], int] = {}
    for position, endpoint in enumerate(ordered):
        first.setdefault((why_not_judged(endpoint), advice(endpoint)), position)
    return sorted(ordered, key=lambda e: first[why_not_judged(e), advice(e)])


def _key_order(key: ExceptionJudgement) -> tuple[int, bool, str, str, str, str]:
    domain = key.domain or ""
    return (
        _ORDER_OF_KEYS.index(key.status),
        key.domain is None,
        (registrable_domain(Host(domain)) or domain) if domain else "",
        domain,
        key.key or "",
        key.bundle,
    )


def failing_findings(endpoint: EndpointResult) -> list[EndpointFinding]:
    """Give what fails under default ATS, less an insecure URL that every dictionary allows."""
    declared = {requirement for d in endpoint.declared for requirement in d.failing}
    return [
        f
        for f in endpoint.findings
        if f.finding.status == "fail"
        and (f.finding.requirement != "insecure-http" or f.finding.requirement in declared)
    ]


def declared_only(endpoint: EndpointResult) -> tuple[str, ...]:
    """Tell what fails under a declared dictionary alone: a pin, a raised floor."""
    known = {f.finding.requirement for f in endpoint.findings if f.finding.status == "fail"}
    told = {
        declared.reason
        if declared.reason.startswith(f"{requirement}: ")
        else f"{requirement}: fails under the dictionary, decided by {declared.decided_by}": None
        for declared in endpoint.declared
        if declared.verdict == "blocked"
        for requirement in declared.failing
        if requirement not in known
    }
    return tuple(told)


def finding_line(endpoint: EndpointResult, finding: EndpointFinding) -> str:
    """Give a finding as a line: requirement, what was seen, and on which address where others differ."""
    return f"{finding.finding.requirement}: {evidence_line(endpoint, finding)}"


def evidence_line(endpoint: EndpointResult, finding: EndpointFinding) -> str:
    """Give what was seen, and on which addresses where the others differ."""
    total = len({o.address.ip for o in endpoint.observations if not _has_no_route(o)})
    on = list(dict.fromkeys(a.ip for a in finding.addresses))
    if not on or len(on) >= total:
        return finding.finding.evidence
    where = f"on {on[0]} alone" if len(on) == 1 else f"on {', '.join(on)}"
    return f"{finding.finding.evidence}, {where} ({len(on)} of {total} addresses)"


def _has_no_route(observation: Observation) -> bool:
    return isinstance(observation, Unreachable) and observation.reason == "no-route"
