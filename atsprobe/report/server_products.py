"""What to change in the configuration of a server product, as lines to copy: from ``server_fixes/*.toml``, one file a product."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from atsprobe.model.endpoint import Endpoint, counterpart
from atsprobe.model.judgement import Finding, RequirementId
from atsprobe.report.style import QUIET, VERBOSE, Style

_NEUTRAL = "any"
"""The file of the sentences that fit every product, which `report.fixes` reads."""

_APP_SIDE = ("https passes", "sends to https")
"""What is seen of the https of an http load where nothing is to be done at the server: the app's URL is to change."""


@dataclass(frozen=True)
class Fix:
    """A change that satisfies some requirements.

    ``evidence``, where not empty, must be in what was seen. ``source`` is the page of the product's documentation.
    """

    requirements: tuple[RequirementId, ...]
    lines: tuple[str, ...]
    source: str
    evidence: str = ""


@dataclass(frozen=True)
class Product:
    """A server product: its name for people, and its fixes, of which the first that suits counts."""

    title: str
    fixes: tuple[Fix, ...]


@dataclass(frozen=True)
class Configuration:
    """The lines for one product that mend what was found at one server, and the pages that they rest on."""

    kind: str
    lines: tuple[str, ...]
    sources: tuple[str, ...]


@cache
def products() -> dict[str, Product]:
    """Give every product by its kind (``nginx``, ``iis``), in the order in which they are told."""
    read: list[tuple[int, str, Product]] = []
    for file in (resources.files("atsprobe.report") / "server_fixes").iterdir():
        kind = file.name.removesuffix(".toml")
        if file.name.endswith(".toml") and kind != _NEUTRAL:
            table = tomllib.loads(file.read_text("utf-8"))
            read.append((table["order"], kind, Product(table["title"], tuple(map(_fix, table["fix"])))))
    return {kind: product for _, kind, product in sorted(read, key=lambda row: row[:2])}


def _fix(row: dict[str, Any]) -> Fix:
    return Fix(tuple(row["requirements"]), tuple(row["lines"].splitlines()), row["source"], row.get("evidence", ""))


def kinds_shown(style: Style) -> tuple[str, ...]:
    """Give the kinds of products that a report of that style tells of: the one asked for, else all where evidence is shown."""
    if style.verbosity <= QUIET:
        return ()
    if style.server is not None:
        return (style.server,)
    return tuple(products()) if style.verbosity >= VERBOSE else ()


def configurations(
    kinds: Iterable[str], endpoint: Endpoint, findings: Sequence[Finding], its_https: str = ""
) -> tuple[Configuration, ...]:
    """Give for each kind of product the lines that mend the findings; none for a kind that cannot mend any.

    ``its_https`` is what `report.fixes` says of the https of an http load. Two findings with one remedy have its lines once.
    """
    found = (_configuration(kind, endpoint, findings, its_https) for kind in kinds)
    return tuple(one for one in found if one.lines)


def _configuration(kind: str, endpoint: Endpoint, findings: Sequence[Finding], its_https: str) -> Configuration:
    fixes = dict.fromkeys(fix for f in findings if (fix := fix_for(products()[kind], f, its_https)) is not None)
    return Configuration(
        kind=kind,
        lines=tuple(_filled(line, endpoint) for fix in fixes for line in fix.lines),
        sources=tuple(dict.fromkeys(fix.source for fix in fixes)),
    )


def fix_for(product: Product, finding: Finding, its_https: str = "") -> Fix | None:
    """Give a product's fix for a finding; None where it has none, or none is needed at the server."""
    if finding.requirement == "insecure-http" and its_https in _APP_SIDE:
        return None
    seen = f"{finding.evidence} {its_https}"
    return next((f for f in product.fixes if finding.requirement in f.requirements and f.evidence in seen), None)


def _filled(line: str, endpoint: Endpoint) -> str:
    """Put in the host and the port, for an http load those of its https; other braces are the product's own."""
    port = counterpart(endpoint).port if endpoint.scheme == "http" else endpoint.port
    return line.replace("{host}", endpoint.host).replace("{port}", str(port))
