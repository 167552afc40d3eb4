"""Mach-O files: which network APIs and trust code they have code for, by the table `network_apis.toml`.

What is looked at is code that is there, not what it does: a row needs an import, a class, a method that is implemented or
a selector that is sent; strings count where only a TLS library has them. What cannot be read stays undecided, so that an
encrypted image never passes for one without network code.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from atsprobe.extract.mach_o.image import Image
from atsprobe.extract.readers.image_code import ImageCode, Sign, fits
from atsprobe.extract.sighting import Buffer, NetworkApiSighting
from atsprobe.model.app import ApiConfidence, NetworkApiUse

_GOVERNED = {"yes": True, "no": False, "unknown": None}
_MAX_EVIDENCE = 400

NOT_ANALYSED = "analysis.strings_and_selectors"
"""The id of the row that names what could not be looked for in an encrypted image."""


@dataclass(frozen=True, slots=True)
class _Condition:
    kind: str
    argument: str
    is_negated: bool


@dataclass(frozen=True, slots=True)
class _Rule:
    """One row of the table; what its fields mean stands there."""

    id: str
    name: str
    governed: bool | None
    confidence: ApiConfidence
    says: str
    when: tuple[tuple[_Condition, ...], ...]
    accepts: bool
    libraries: tuple[str, ...]
    version: str
    refines: str


def uses(content: Buffer, images: Sequence[Image]) -> Iterator[NetworkApiSighting]:
    """Give the network APIs and trust code of one architecture of a file: its image, or the objects of a static library.

    The order is that of the table. Nothing is raised for hostile content.
    """
    if not images or images[0].is_debug_symbols:
        return
    code = ImageCode(content, images)
    signs: dict[str, Sign] = {}
    for rule in _rules():
        signs[rule.id] = _sign_of(rule, code, signs)
    refined = {rule.refines for rule in _rules() if rule.refines and signs[rule.id].holds}
    unread = [rule.id for rule in _rules() if signs[rule.id].holds is None]
    for rule in _rules():
        sign = signs[rule.id]
        if (sign.holds and rule.id not in refined) or (sign.holds is None and not code.is_encrypted):
            yield NetworkApiSighting(_use(rule, sign, code))
    if code.is_encrypted and unread:
        yield NetworkApiSighting(_not_analysed(unread, code))


def _sign_of(rule: _Rule, code: ImageCode, signs: Mapping[str, Sign]) -> Sign:
    """Say whether any alternative of a row holds, with the evidence of the first few that do; None if one might."""
    found = [_all_of(conditions, code, signs) for conditions in rule.when]
    holding = [sign for sign in found if sign.holds]
    undecided = [sign for sign in found if sign.holds is None]
    if not holding:
        return undecided[0] if undecided else Sign(holds=False)
    evidence = tuple(dict.fromkeys(text for sign in holding for text in sign.evidence))
    return Sign(holds=True, evidence=evidence, owners=tuple(o for sign in holding for o in sign.owners))


def _all_of(conditions: Sequence[_Condition], code: ImageCode, signs: Mapping[str, Sign]) -> Sign:
    """Join conditions, cheap ones first as the table has them: the first that does not hold ends it."""
    evidence: list[str] = []
    owners: list[str] = []
    holds: bool | None = True
    for condition in conditions:
        sign = signs[condition.argument] if condition.kind == "found" else code.sign(condition.kind, condition.argument)
        answer = sign.holds if not condition.is_negated or sign.holds is None else not sign.holds
        if answer is False:
            return Sign(holds=False)
        holds = None if answer is None else holds
        if not condition.is_negated:
            evidence += sign.evidence
            owners += sign.owners
    return Sign(holds=holds, evidence=tuple(evidence), owners=tuple(owners))


def _use(rule: _Rule, sign: Sign, code: ImageCode) -> NetworkApiUse:
    confidence = rule.confidence
    is_library = bool(sign.owners) and all(any(fits(owner, known) for known in rule.libraries) for owner in sign.owners)
    if is_library and confidence == "high":
        confidence = "medium"
    version = code.version_after(rule.version) if rule.version and sign.holds else ""
    return NetworkApiUse(
        api=f"{rule.name} {version}".strip(),
        governed_by_ats=rule.governed,
        accepts_server_trust=rule.accepts,
        file="",
        evidence="; ".join(sign.evidence)[:_MAX_EVIDENCE],
        id=rule.id,
        says=rule.says,
        confidence=confidence if sign.holds else "low",
        architecture=code.architecture,
        in_sdk=is_library,
        analysed=bool(sign.holds),
    )


def _not_analysed(ids: Sequence[str], code: ImageCode) -> NetworkApiUse:
    return NetworkApiUse(
        api="strings and selectors",
        governed_by_ats=None,
        accepts_server_trust=False,
        file="",
        evidence=f"encrypted by FairPlay, so only imports were looked at; not analysed: {', '.join(ids)}",
        id=NOT_ANALYSED,
        says="is encrypted: its imports were analysed, its strings and selectors were not",
        confidence="low",
        architecture=code.architecture,
        analysed=False,
    )


@cache
def _rules() -> tuple[_Rule, ...]:
    table = tomllib.loads(Path(__file__).with_name("network_apis.toml").read_text("utf-8"))
    return tuple(_rule(row) for row in table["api"])


def _rule(row: Mapping[str, Any]) -> _Rule:
    return _Rule(
        id=row["id"],
        name=row["name"],
        governed=_GOVERNED[row["governed"]],
        confidence=row["confidence"],
        says=row["says"],
        when=tuple(tuple(map(_condition, conditions)) for conditions in row["when"]),
        accepts=row.get("accepts", False),
        libraries=tuple(row.get("libraries", ())),
        version=row.get("version", ""),
        refines=row.get("refines", ""),
    )


def _condition(text: str) -> _Condition:
    positive = text.removeprefix("not ")
    kind, _, argument = positive.partition(" ")
    return _Condition(kind, argument, is_negated=positive != text)
