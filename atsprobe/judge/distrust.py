"""CAs of which Apple takes no new certificates: rows of ``distrusted.toml``, put to a path."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from cryptography.x509.oid import NameOID

from atsprobe.judge.chain import ChainCase
from atsprobe.judge.timestamps import embedded, in_staple, in_tls_extension
from atsprobe.model.certificate import Certificate, read_off


@dataclass(frozen=True)
class Distrust:
    """What is held against a path, and the source; ``is_certain`` is false where it may not hold for this client or CA."""

    text: str
    citation: str
    is_certain: bool


def distrust(case: ChainCase) -> Distrust | None:
    """Give what Apple holds against the CAs of an anchored path, None where that is nothing. Raises UnreadableCertificate."""
    if case.path.anchor == "none":
        return None
    return _of_root(case) or _of_issuer(case) or _of_organisation(case)


@cache
def _rows() -> Mapping[str, Sequence[Mapping[str, Any]]]:
    text = (resources.files("atsprobe.judge") / "distrusted.toml").read_text("utf-8")
    return tomllib.loads(text)


def _of_root(case: ChainCase) -> Distrust | None:
    sha256 = case.path.last.sha256
    row = next((r for r in _rows()["root"] if sha256 in r["sha256"]), None)
    if row is None:
        return None
    cutoff: datetime = row["issued_after"]
    first, last, source = _issued(case)
    if last <= cutoff:
        return None
    rule = f"Apple takes no certificate of {row['who']} issued after {cutoff:%Y-%m-%d}"
    if first <= cutoff:
        return Distrust(f"{rule}; the timestamps are from before and after", row["citation"], is_certain=False)
    text = f"{rule}; this one is of {first:%Y-%m-%d} ({source})"
    if case.question.is_at_least(tuple(row["since"])):
        return Distrust(text, row["citation"], is_certain=True)
    since = ".".join(map(str, row["since"]))
    return Distrust(f"{text}; not known for iOS before {since}", row["citation"], is_certain=False)


def _issued(case: ChainCase) -> tuple[datetime, datetime, str]:
    """When the leaf was issued: the first and the last timestamp, else notBefore; and which of them tells."""
    question = case.question
    stamps = (*embedded(case.leaf), *in_tls_extension(question.scts), *in_staple(question.ocsp_response))
    times = [stamp.at for stamp in stamps if stamp.at is not None]
    if not times:
        return case.leaf.not_before, case.leaf.not_before, "notBefore"
    return min(times), max(times), "SCT"


def _of_issuer(case: ChainCase) -> Distrust | None:
    """A CA that is listed by its hash refuses every certificate below it that begins too late, intermediates too."""
    path = case.path.certificates
    for index, issuer in enumerate(path):
        row = next((r for r in _rows()["issuer"] if issuer.sha256 in r["sha256"]), None)
        late = [c for c in path[:index] if row is not None and c.not_before >= row["issued_from"]]
        if row is not None and late:
            rule = f"Apple takes no certificate of {row['who']} from {row['issued_from']:%Y-%m-%d} on"
            return Distrust(f"{rule}; one is of {late[0].not_before:%Y-%m-%d}", row["citation"], is_certain=True)
    return None


def _of_organisation(case: ChainCase) -> Distrust | None:
    """A name is no proof, so it makes an answer doubtful and no more."""
    above = case.path.certificates[1:]
    for row in _rows()["organisation"]:
        meant = above if row["anywhere"] else above[-1:]
        begins = row.get("issued_from")
        if begins is not None and case.leaf.not_before < begins:
            continue
        if any(_organisations(c) & set(row["names"]) for c in meant):
            return Distrust(row["text"], row["citation"], is_certain=False)
    return None


def _organisations(certificate: Certificate) -> set[str]:
    subject = read_off(lambda: certificate.parsed.subject)
    return {str(a.value) for a in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)}
