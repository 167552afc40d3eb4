"""What to do at a server that is blocked: one sentence for each thing, from ``server_fixes/*.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources

from atsprobe.model.endpoint import counterpart
from atsprobe.model.judgement import Finding, Verdict
from atsprobe.model.result import EndpointResult
from atsprobe.report.places import key_name

_TLS_AND_ECDHE = "enable TLS 1.2 with ECDHE suites"
_DAYS = re.compile(r"at most (\d+)")
_LONGEST_PUBLIC_LIFE = "398"


@cache
def _fixes() -> dict[str, dict[str, str]]:
    text = (resources.files("atsprobe.report") / "server_fixes" / "any.toml").read_text("utf-8")
    return tomllib.loads(text)


def server_fix(endpoint: EndpointResult, failing: Sequence[Finding]) -> str:
    """Say what makes the server pass, certificate and protocol each in one clause; until then, the key that helps.

    ``failing`` are the findings to mend. Empty where nothing is known to help.
    """
    certificate = [f for f in failing if "part" in _fixes().get(f.requirement, {})]
    others = [f for f in failing if f not in certificate]
    clauses = _of_the_server(endpoint, others)
    if len(certificate) > 1:
        clauses.insert(0, _new_certificate(endpoint, certificate))
    else:
        clauses += [_sentence(endpoint, f, "fix") for f in certificate]
    until_then = smallest_exception(endpoint)
    if until_then:
        clauses.append(f"until then {until_then}")
    return "; ".join(clauses)


def smallest_exception(endpoint: EndpointResult) -> str:
    """Write the keys of the smallest exception that works; empty where none is needed or none helps."""
    if endpoint.verdict is not Verdict.EXCEPTION_REQUIRED or endpoint.minimal_exception is None:
        return ""
    return ", ".join(
        f"{key} = true" if value is True else key_name(None, key, value)
        for key, value in endpoint.minimal_exception.to_plist().items()
    )


def _of_the_server(endpoint: EndpointResult, failing: Sequence[Finding]) -> list[str]:
    clauses: dict[str, None] = {}
    for finding in failing:
        if finding.requirement == "insecure-http" and endpoint.https_verdict is Verdict.PASS:
            clauses[f"load https://{_netloc(endpoint)} instead, which passes default ATS"] = None
        elif finding.requirement in _fixes():
            clauses[_sentence(endpoint, finding, "fix")] = None
    both = {_fixes()["tls-version"]["fix"], _fixes()["forward-secrecy"]["fix"]}
    if both <= clauses.keys():
        return [_TLS_AND_ECDHE, *(c for c in clauses if c not in both)]
    return list(clauses)


def _netloc(endpoint: EndpointResult) -> str:
    over_https = counterpart(endpoint.endpoint)
    return str(over_https).removesuffix(":443")


def _new_certificate(endpoint: EndpointResult, failing: Sequence[Finding]) -> str:
    order = list(_fixes())
    parts = [_sentence(endpoint, f, "part") for f in sorted(failing, key=lambda f: order.index(f.requirement))]
    told = ", ".join(dict.fromkeys(p for p in parts if p))
    return f"new certificate ({told})" if told else "new certificate"


def _sentence(endpoint: EndpointResult, finding: Finding, kind: str) -> str:
    days = _DAYS.search(finding.evidence)
    template = _fixes()[finding.requirement][kind]
    host = endpoint.endpoint.host
    return template.format(host=host, days=days.group(1) if days else _LONGEST_PUBLIC_LIFE)
