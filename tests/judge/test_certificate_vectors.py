"""Apple's rules about certificates, row by row: see certificate_vectors.toml."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from certificate_maker import ANY, CLIENT_AUTH, HOST, SERVER_AUTH, Make, issuing, root, with_raw_names
from cryptography import x509
from judged import policy, trusting

from atsprobe.ats.profile import all_profiles
from atsprobe.judge.judge import judge_file
from atsprobe.model.certificate import Certificate

PROFILES = {profile.name: profile for profile in all_profiles()}
VECTORS = tomllib.loads((Path(__file__).parent / "certificate_vectors.toml").read_text("utf-8"))["vector"]
OPEN_IN_A_FILE = {"certificate-transparency", "certificate-revocation"}
USAGES = {"any": ANY, "client": CLIENT_AUTH, "server": SERVER_AUTH}


@dataclass(frozen=True)
class Chain:
    """The makings of a vector, and the certificates in the order in which they stand in the file."""

    top: Make
    sent: tuple[Certificate, ...]


def _changes(row: dict) -> dict:
    changes = {k: v for k, v in row.items() if k in Make.__dataclass_fields__}
    if "names" in row:
        changes["names"] = tuple(row["names"])
    if "usage" in row:
        changes["usage"] = tuple(USAGES[name] for name in row["usage"]) or None
    if "permitted" in row:
        changes["constraints"] = x509.NameConstraints([x509.DNSName(n) for n in row["permitted"]], None)
    if "days" in row or "seconds" in row:
        changes["span"] = dt.timedelta(days=row.get("days", 90), seconds=row.get("seconds", 0))
    if row.get("no_names"):
        changes["names"] = None
    return changes


def _leaf(row: dict, middle: Make) -> Certificate:
    make = Make(**{"signer": None if row.get("self_signed") else middle, "scts": 3, **_changes(row)})
    if "raw_names" not in row:
        return make.certificate
    encoding = "latin-1" if row.get("latin_1") else "utf-8"
    return with_raw_names(make, [name.encode(encoding) for name in row["raw_names"]])


def _chain(vector: dict) -> Chain:
    top = root(**_changes(vector.get("root", {})))
    middle = issuing(top, **_changes(vector.get("issuing", {})))
    known = {
        "leaf": _leaf(vector.get("leaf", {}), middle),
        "issuing": middle.certificate,
        "root": top.certificate,
        "stranger": root("Stranger").certificate,
    }
    return Chain(top, tuple(known[name] for name in vector.get("sent", ("leaf", "issuing"))))


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("vector", VECTORS, ids=[v["id"] for v in VECTORS])
def test_vector(vector: dict, name: str) -> None:
    """The findings are those of the row, on the profile, and no others; the evidence says what the row says."""
    chain = _chain(vector)
    trust = {
        "public": trusting(public=[chain.top]),
        "installed": trusting(installed=[chain.top]),
        "nobody": trusting(),
    }[vector.get("trust", "public")]
    at = vector.get("at", dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC))
    judged = judge_file(chain.sent, policy(vector.get("host", HOST), profile=PROFILES[name]), trust, at)
    expected = vector.get("on", {}).get(name, vector["expect"])
    found = {}
    for finding in judged.findings:
        id_ = str(finding.requirement)
        asked = id_ in expected or id_ not in OPEN_IN_A_FILE
        if asked and (finding.status != "pass") and (id_ in expected or finding.status != "not-applicable"):
            assert id_ not in found, f"two findings of {id_}"
            found[id_] = finding
    assert {id_: f.status for id_, f in found.items()} == expected
    for id_, part in vector.get("evidence", {}).items():
        assert part in found[id_].evidence
    fails = "fail" in expected.values()
    assert judged.outcome == vector.get("verdict", "blocked" if fails else "allowed")
    assert all(f.citation for f in judged.findings)


def test_each_row_says_what_it_proves() -> None:
    """Ids are unique, and each row has the sentence and its source."""
    assert len({v["id"] for v in VECTORS}) == len(VECTORS)
    assert all(v["sentence"] and v["source"] for v in VECTORS)
