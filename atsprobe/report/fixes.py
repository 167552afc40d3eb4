"""What to do at a server that is blocked: one sentence for each thing, from ``server_fixes/*.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from atsprobe.model.dictionary import ExceptionEntry
from atsprobe.model.endpoint import Endpoint, counterpart
from atsprobe.model.judgement import Finding, Verdict
from atsprobe.model.observation import HttpAnswer, TlsObservation
from atsprobe.model.recording import Recording
from atsprobe.model.redirect import sends_to
from atsprobe.model.result import EndpointResult
from atsprobe.report.places import key_name

_TLS_AND_ECDHE = "enable TLS 1.2 with ECDHE suites"
_DAYS = re.compile(r"at most (\d+)")
_FLOOR = re.compile(r"at least (?:TLS )?(1\.\d)")
_OR_ASK_FOR_LESS = ", or let the app's own dictionary ask for less"
_LONGEST_PUBLIC_LIFE = "398"
_NEWEST_TLS = "1.3"
_KINDS = ("fix", "part", "declared")


@cache
def _fixes() -> dict[str, dict[str, str]]:
    text = (resources.files("atsprobe.report") / "server_fixes" / "any.toml").read_text("utf-8")
    return tomllib.loads(text)


def server_fix(endpoint: EndpointResult, failing: Sequence[Finding], recording: Recording) -> str:
    """Say what makes the server pass, certificate and protocol each in one clause; until then, the key that helps.

    ``failing`` are the findings to mend, ``recording`` is where the https of an http load was seen. Empty where nothing is
    known to help.
    """
    clauses = _clauses(_load(endpoint, recording), failing)
    until_then = smallest_exception(endpoint)
    if until_then:
        clauses.append(f"until then {until_then}")
    return "; ".join(clauses)


def https_fix(endpoint: Endpoint, failing: Sequence[Finding]) -> str:
    """Say what makes an https server pass default ATS; empty where nothing is known to help."""
    return "; ".join(_clauses(_Load(endpoint), failing))


def declared_fix(endpoint: EndpointResult) -> str:
    """Say what mends a load that only the app's own dictionary blocks: the server, or what the app asks for."""
    known = {f.finding.requirement for f in endpoint.findings if f.finding.status == "fail"}
    told = {
        _sentence(
            _Load(endpoint.endpoint), Finding(requirement, "fail", declared.reason, citation=""), "declared"
        ): None
        for declared in endpoint.declared
        if declared.verdict == "blocked"
        for requirement in declared.failing
        if requirement not in known and requirement in _fixes()
    }
    return "; ".join(told) + _OR_ASK_FOR_LESS if told else ""


def finding_fix(endpoint: EndpointResult, finding: Finding, recording: Recording) -> str:
    """Say what mends one finding, in words that fit every product; empty where nothing is wrong, or nothing known helps."""
    if finding.status not in ("fail", "warn") or finding.requirement not in _fixes():
        return ""
    return _sentence(_load(endpoint, recording), finding, "fix")


def smallest_exception(endpoint: EndpointResult) -> str:
    """Write the keys of the smallest exception that works; empty where none is needed or none helps."""
    if endpoint.verdict is not Verdict.EXCEPTION_REQUIRED or endpoint.minimal_exception is None:
        return ""
    return exception_keys(endpoint.minimal_exception)


def exception_keys(entry: ExceptionEntry) -> str:
    """Write the keys of an entry, each with its value."""
    return ", ".join(
        f"{key} = true" if value is True else key_name(None, key, value) for key, value in entry.to_plist().items()
    )


@dataclass(frozen=True)
class _Load:
    """What is to be mended; of an http load also what its https does, and where the load is sent."""

    endpoint: Endpoint
    of_https: str = ""
    sent_to: Endpoint | None = None


def _load(endpoint: EndpointResult, recording: Recording) -> _Load:
    return _Load(endpoint.endpoint, its_https(endpoint, recording), _sent_to(endpoint))


def _clauses(load: _Load, failing: Sequence[Finding]) -> list[str]:
    certificate = [f for f in failing if "part" in _fixes().get(f.requirement, {})]
    clauses = _of_the_server(load, [f for f in failing if f not in certificate])
    if len(certificate) > 1:
        return [_new_certificate(load, certificate), *clauses]
    return clauses + [_sentence(load, f, "fix") for f in certificate]


def _of_the_server(load: _Load, failing: Sequence[Finding]) -> list[str]:
    clauses = {_sentence(load, f, "fix"): None for f in failing if f.requirement in _fixes()}
    both = {_fixes()["tls-version"]["fix"], _fixes()["forward-secrecy"]["fix"]}
    if both <= clauses.keys():
        return [_TLS_AND_ECDHE, *(c for c in clauses if c not in both)]
    return list(clauses)


def _new_certificate(load: _Load, failing: Sequence[Finding]) -> str:
    order = list(_fixes())
    parts = [_sentence(load, f, "part") for f in sorted(failing, key=lambda f: order.index(f.requirement))]
    told = ", ".join(dict.fromkeys(p for p in parts if p))
    return f"new certificate ({told})" if told else "new certificate"


def _sentence(load: _Load, finding: Finding, kind: str) -> str:
    row = _fixes()[finding.requirement]
    seen = f"{finding.evidence} {load.of_https}"
    special = (text for words, text in row.items() if words not in _KINDS and words in seen)
    template = row[kind] if kind in row and kind != "fix" else next(special, row["fix"])
    days, floor = _DAYS.search(finding.evidence), _FLOOR.search(finding.evidence)
    return template.format(
        host=load.endpoint.host,
        days=days.group(1) if days else _LONGEST_PUBLIC_LIFE,
        floor=floor.group(1) if floor else _NEWEST_TLS,
        server=_without_443(counterpart(load.endpoint)),
        target=_without_443(load.sent_to),
    )


def _without_443(endpoint: Endpoint | None) -> str:
    return str(endpoint or "").removesuffix(":443")


def its_https(endpoint: EndpointResult, recording: Recording) -> str:
    """Say what was seen of the https that an http load could use instead; empty where nothing was, and for an https load."""
    if endpoint.endpoint.scheme != "http":
        return ""
    replacement = counterpart(endpoint.endpoint)
    for seen in recording.seen(replacement):
        back = sends_to(replacement, seen.http_answer) if isinstance(seen, TlsObservation) else None
        if back is not None and back.scheme == "http":
            return "sends back"
    if endpoint.https_verdict is Verdict.PASS:
        return "https passes"
    return "sends to https" if _sent_to(endpoint) else ""


def _sent_to(endpoint: EndpointResult) -> Endpoint | None:
    """Give the https endpoint of the same host to which an http load is redirected."""
    if endpoint.endpoint.scheme != "http" or endpoint.redirects_to is None:
        return None
    target = sends_to(endpoint.endpoint, HttpAnswer(301, endpoint.redirects_to))
    return target if target is not None and target.scheme == "https" else None
