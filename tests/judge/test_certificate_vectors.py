"""Apple's rules about certificates, row by row: see certificate_vectors.toml and certificate_boundaries.toml."""

from __future__ import annotations

from dataclasses import replace

import pytest
from certificate_maker import HOST, sct_list
from certificate_rows import (
    ROWS,
    Row,
    at_of,
    chain_of,
    expected_of,
    is_about,
    needs_a_handshake_or_an_app,
    outcome_of,
    plist_of,
    staple_of,
    trust_of,
)
from judged import policy

from atsprobe.ats.profile import all_profiles
from atsprobe.judge.certificates import chain_findings, chain_outcome
from atsprobe.judge.chain import ChainQuestion
from atsprobe.judge.judge import judge_file
from atsprobe.model.endpoint import parse_host
from atsprobe.model.judgement import Finding

PROFILES = {profile.name: profile for profile in all_profiles()}


def _judged(row: Row, name: str) -> tuple[tuple[Finding, ...], str]:
    """Judge as the file of the command, or, where something came with a handshake, as the server that sent it."""
    chain, trust, at = chain_of(row), trust_of(row), at_of(row)
    asked = policy(
        parse_host(row.get("host", HOST)), plist_of(row, chain), profile=PROFILES[name], sdk=row.get("sdk", "26.0")
    )
    if "staple" not in row and "tls_scts" not in row:
        judged = judge_file(chain.sent, asked, trust, at)
        return judged.findings, judged.outcome
    question = replace(
        ChainQuestion.under(asked, chain.sent, trust, at),
        ocsp_response=staple_of(row, chain),
        scts=sct_list(row["tls_scts"]) if "tls_scts" in row else None,
    )
    findings = chain_findings(question)
    return findings, chain_outcome(findings)


@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_row(row: Row, name: str) -> None:
    """The findings are those of the row, on the profile, and no others; the evidence says what the row says."""
    findings, outcome = _judged(row, name)
    expected = expected_of(row, name)
    found: dict[str, Finding] = {}
    for finding in findings:
        id_ = str(finding.requirement)
        if is_about(id_, finding.status, expected):
            assert id_ not in found, f"two findings of {id_}"
            found[id_] = finding
    passing = {id_: "pass" for id_ in expected if id_ not in found}
    assert {id_: f.status for id_, f in found.items()} | passing == expected
    for id_, part in row.get("evidence", {}).items():
        if id_ in found:
            assert part in found[id_].evidence
    assert outcome == outcome_of(row, name)
    assert all(f.citation for f in findings)


def test_each_row_says_what_it_proves() -> None:
    """Ids are unique, each row has the sentence and its source, and each word of evidence is looked for somewhere."""
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row["sentence"]
        assert row["source"]
        said = {id_ for name in PROFILES for id_ in expected_of(row, name)}
        assert set(row.get("evidence", {})) <= said, row["id"]
        assert set(row.get("on", {})) <= set(PROFILES), row["id"]


def test_most_rows_can_be_asked_of_the_command() -> None:
    """Rows that only a handshake or an app can show are the smaller part."""
    apart = [row for row in ROWS if needs_a_handshake_or_an_app(row)]
    assert len(apart) < len(ROWS) / 3
