"""The same rows, each put to `atsprobe certificate FILE --host … --at … --format json`, as every profile."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest
from certificate_maker import HOST
from certificate_rows import (
    ROWS,
    Row,
    anchor_of,
    at_of,
    chain_of,
    expected_of,
    is_about,
    needs_a_handshake_or_an_app,
    outcome_of,
)

from atsprobe.cli.commands import main
from atsprobe.model.certificate import Certificate

ASKED = [row for row in ROWS if not needs_a_handshake_or_an_app(row)]
AS = (("--ios", "all"), ("--profile", "fcp21"), ("--profile", "apple-system-27"))
VERDICTS = {"allowed": "trusted", "blocked": "untrusted", "inconclusive": "inconclusive"}
EXITS = {"trusted": 0, "untrusted": 1, "inconclusive": 3}
OPTIONS = {"public": "--public-root", "installed": "--ca-file"}


def _pem(*certificates: Certificate) -> bytes:
    lines = []
    for certificate in certificates:
        lines += [b"-----BEGIN CERTIFICATE-----", base64.encodebytes(certificate.der).strip()]
        lines += [b"-----END CERTIFICATE-----", b""]
    return b"\n".join(lines)


def _arguments(row: Row, folder: Path) -> list[str]:
    kind, anchor = anchor_of(row)
    chain = folder / "chain.pem"
    chain.write_bytes(_pem(*chain_of(row).sent))
    at = at_of(row).strftime("%Y-%m-%dT%H:%M:%SZ")
    arguments = ["certificate", str(chain), "--host", row.get("host", HOST), "--at", at, "--format", "json"]
    if anchor is None:
        return arguments
    (folder / "root.pem").write_bytes(_pem(anchor))
    return [*arguments, OPTIONS[kind], str(folder / "root.pem")]


def _check(row: Row, document: dict) -> None:
    for profile, verdict in document["verdicts"].items():
        expected = expected_of(row, profile)
        found = {
            f["requirement"]: f["status"]
            for f in document["findings"]
            if profile in f["profiles"] and is_about(f["requirement"], f["status"], expected)
        }
        assert found | {id_: "pass" for id_ in expected if id_ not in found} == expected, profile
        assert verdict == VERDICTS[outcome_of(row, profile)], profile
    said = {f["requirement"]: "" for f in document["findings"]}
    for finding in document["findings"]:
        said[finding["requirement"]] += finding["evidence"] + "\n"
    for id_, part in row.get("evidence", {}).items():
        if any(id_ in expected_of(row, profile) for profile in document["verdicts"]):
            assert part in said[id_]


@pytest.mark.parametrize("row", ASKED, ids=[row["id"] for row in ASKED])
def test_row_by_the_command(row: Row, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Verdict, findings and exit code of the command are those of the row, for the four iOS profiles and both modes."""
    arguments = _arguments(row, tmp_path)
    judged = set()
    for asked in AS:
        code = main([*arguments, *asked])
        document = json.loads(capsys.readouterr().out)
        _check(row, document)
        judged |= set(document["verdicts"])
        assert code == EXITS[document["verdict"]]
    assert len(judged) == 6


@pytest.mark.parametrize("row", ASKED[:: len(ASKED) // 4], ids=lambda row: row["id"])
def test_row_by_the_installed_program(row: Row, tmp_path: Path) -> None:
    """A few rows in a process of their own, as a user starts it."""
    command = [sys.executable, "-m", "atsprobe", *_arguments(row, tmp_path), "--ios", "all"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    document = json.loads(done.stdout)
    _check(row, document)
    assert done.returncode == EXITS[document["verdict"]]
