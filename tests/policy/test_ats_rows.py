"""Apple's pages and source row by row, through the command: ats_rows.toml has the sentences, and what follows from each."""

from __future__ import annotations

import json
import plistlib
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atsprobe.cli.commands import main

_DATA: dict[str, Any] = tomllib.loads((Path(__file__).parent / "ats_rows.toml").read_text("utf-8"))
ROWS: list[dict[str, Any]] = _DATA["row"]
DEMANDS: dict[str, dict[str, Any]] = _DATA["demand"]
LISTS: dict[str, dict[str, str]] = _DATA["list"]
IOS = ("ios13", "ios15.4", "ios17", "ios26")
SYSTEM = "apple-system-27"
Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def arguments(row: dict[str, Any], *options: str) -> list[str]:
    """Write the row's Info.plist and give the arguments of the command."""
    declared = dict(row.get("top", {}))
    if "ats" in row:
        declared["NSAppTransportSecurity"] = row["ats"]
    Path("Info.plist").write_bytes(plistlib.dumps(declared, sort_keys=False))
    linked = row.get("sdk", "18.5")
    sdk = [] if linked == "unknown" else ["--sdk", linked]
    return ["policy", "Info.plist", *row["hosts"], *sdk, *options, "--format", "json"]


def document(captured: Captured, row: dict[str, Any], *options: str) -> dict[str, Any]:
    """Run the command in this process and give its document."""
    main(arguments(row, *options))
    found: dict[str, Any] = json.loads(captured.readouterr().out)
    assert found["skipped"] == []
    return found


def suites(name: str, profile: str) -> list[str]:
    """Give a list of the data as a profile has it; one that is not listed for a profile is that of every other."""
    by_profile = LISTS[name]
    codes = by_profile[profile] if profile in by_profile else by_profile["else"]
    return [_DATA["suite"][code] for code in codes.split()]


def expected(row: dict[str, Any], demand: str, host: str, profile: str) -> dict[str, Any]:
    """Give the fields of the document that a row settles for a host and a profile."""
    fields = {**DEMANDS[demand], **row.get("expect", {})}
    for key in ("cipher_suites", "unproved_cipher_suites"):
        fields[key] = suites(fields[key], profile)
    matched = row.get("matched")
    fields["matched_exception"] = matched
    by = "its own entry" if matched == host else matched
    fields["decided_by"] = row.get("by", by or fields.get("decided_by"))
    return {key: _null(value) for key, value in fields.items()}


def _null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _null(inner) for key, inner in value.items()}
    return None if value == "null" else value


def _ids(row: dict[str, Any]) -> str:
    return str(row["id"])


def _selected(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(row.get("ios", IOS))


def _said(warnings: list[dict[str, Any]]) -> list[str]:
    return [f"{w['kind']}: {w['text']}" for w in warnings]


@pytest.mark.parametrize("row", ROWS, ids=_ids)
def test_a_row_holds_on_each_ios(row: dict[str, Any], capsys: Captured) -> None:
    """The sentence of the row is what the command answers for each host on each iOS of the row, with its warnings."""
    profiles = _selected(row)
    found = document(capsys, row, *(o for p in profiles for o in ("--ios", p.removeprefix("ios"))))
    assert [h["profile"] for h in found["hosts"]] == [*profiles] * len({h["host"] for h in found["hosts"]})
    for answer in found["hosts"]:
        asked = answer["host"]
        wanted = expected(row, row["demand"], asked, answer["profile"])
        wanted.setdefault("extended_master_secret_required", False)
        assert {k: answer[k] for k in wanted} == wanted, (row["says"], asked, answer["profile"])
        said = _said(answer["warnings"])
        for part in row.get("warns", []):
            assert any(part in text for text in said), (part, said)
        for kind in row.get("silent", []):
            assert not any(text.startswith(f"{kind}: ") for text in said), (kind, said)


@pytest.mark.parametrize("row", [r for r in ROWS if "ios26" in _selected(r)], ids=_ids)
def test_a_row_holds_in_the_niap_mode(row: dict[str, Any], capsys: Captured) -> None:
    """As iOS 26 with FCP_v2.1 for every app: the demand of the row, or the one that the row names for this mode."""
    for answer in document(capsys, row, "--profile", "fcp21")["hosts"]:
        demand = row.get("fcp21", row["demand"])
        is_same = demand == row["demand"] and "expect_fcp21" not in row
        unless = {} if is_same else {"expect": row.get("expect_fcp21", {})}
        wanted = expected({**row, **unless}, demand, answer["host"], "fcp21")
        wanted.setdefault("extended_master_secret_required", True)
        assert {k: answer[k] for k in wanted} == wanted, (row["says"], answer["host"])


@pytest.mark.parametrize("row", ROWS, ids=_ids)
def test_system_services_read_no_plist(row: dict[str, Any], capsys: Captured) -> None:
    """Apple support 126655: whatever a plist declares and whatever the host, what these processes ask is the same."""
    found = document(capsys, row, "--profile", SYSTEM)
    for answer in found["hosts"]:
        wanted = expected({}, "system", answer["host"], SYSTEM)
        assert {k: answer[k] for k in wanted} == wanted
        assert {w["kind"] for w in answer["warnings"]} <= {"ignored", "app-review"}
    assert {k["status"] for k in found["keys"]} <= {"ineffective"}


@pytest.mark.parametrize("row", [r for r in ROWS if "keys" in r or "app_review" in r], ids=_ids)
def test_what_is_said_of_each_key(row: dict[str, Any], capsys: Captured) -> None:
    """``keys``: whether a key does what it says, and why not, or what; ``app_review``: all those that have to be justified."""
    found = document(capsys, row, *(o for p in _selected(row) for o in ("--ios", p.removeprefix("ios"))))
    by_name = {" ".join(filter(None, (k["domain"], k["key"]))): k for k in found["keys"]}
    for name, words in row.get("keys", {}).items():
        status, _, part = words.partition(" ")
        assert by_name[name]["status"] == status, (name, by_name[name])
        assert part in f"{by_name[name]['reason']} {by_name[name]['effect']}", (name, by_name[name])
    if "app_review" in row:
        assert [name for name, k in by_name.items() if k["app_review_asks"]] == row["app_review"]
        warned = {w["key"] or w["domain"] for k in found["keys"] for w in k["warnings"] if w["kind"] == "app-review"}
        assert bool(warned) is bool(row["app_review"])


def _some() -> Iterator[Any]:
    wanted = _DATA["through_a_process"]
    return (pytest.param(r, id=r["id"]) for r in ROWS if r["id"] in wanted)


@pytest.mark.parametrize("row", list(_some()))
def test_the_program_answers_the_same(row: dict[str, Any], capsys: Captured) -> None:
    """The program in a process of its own prints the document that the function prints here."""
    asked = arguments(row, "--ios", "26")
    program = [sys.executable, "-m", "atsprobe", *asked]
    ran = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert main(asked) == ran.returncode
    assert json.loads(ran.stdout) == json.loads(capsys.readouterr().out)


def test_the_data_is_sound() -> None:
    """Ids are words and occur once, every row has a sentence, a source and a host, and every demand and list is used."""
    ids = [r["id"] for r in ROWS]
    assert len(set(ids)) == len(ids)
    for row in ROWS:
        assert row["says"], row["id"]
        assert row["source"], row["id"]
        assert row["hosts"], row["id"]
    used = {r["demand"] for r in ROWS} | {r["fcp21"] for r in ROWS if "fcp21" in r}
    assert used | {"system"} == set(DEMANDS)
    assert set(_DATA["through_a_process"]) <= set(ids)
