"""Saved audits compared: both concluded anew, as the same clients, whatever was concluded in them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from random_worlds import TRUST, World, worlds
from scenario import MIN, App, entries
from simulated_server import EXPIRED, OK, RSA, T10_ONLY

from atsprobe.cli.commands import main
from atsprobe.json_v1 import audit
from atsprobe.json_v1 import drift as documents
from atsprobe.json_v1.schema import schema
from atsprobe.json_v1.text import dumps
from atsprobe.model.app import Extraction
from atsprobe.model.recording import IgnoreRule
from atsprobe.pipelines.drift import drift
from atsprobe.settings import Settings, UsageProblem
from atsprobe.weigh.conclude import conclude

A = "https://a.example.com"
SCHEMA = Draft202012Validator(schema("diff"))
ADDED_LATER = ("ios", "mode", "sdk", "ignored", "waivers", "noise", "templates", "not_audited", "families", "quick")
CONCLUSIONS = ("summary", "profiles", "profile", "exceptions", "minimal_plist", "minimal_plists", "notices", "trust")
OF_ENDPOINTS = ("verdict", "verdicts", "declared", "declared_verdict", "findings", "minimal_exception", "reason")


def _saved(world: World, **more: Any) -> str:
    return dumps(audit.encode(world.result(**more)))


def _world(server: Any, ats: Any = None, **more: Any) -> World:
    return World(App(ats, (A,), **more), {A: server})


def _by_an_older_tool(text: str) -> str:
    """Give a document as a tool might have written it that concluded otherwise, and knew of less."""
    document = json.loads(text)
    for member in (*ADDED_LATER, *CONCLUSIONS):
        document.pop(member, None)
    for row in document["endpoints"]:
        for member in OF_ENDPOINTS:
            row.pop(member, None)
        row["verdict"] = "blocked"
    return json.dumps(document)


@settings(max_examples=25, deadline=None)
@given(worlds(), st.booleans())
def test_an_upgrade_of_the_tool_is_no_drift(world, newer_wrote_old) -> None:
    """What an older tool concluded, or left out, plays no part; nor does which of the two is the older document."""
    plain = _saved(world)
    pair = (plain, _by_an_older_tool(plain)) if newer_wrote_old else (_by_an_older_tool(plain), plain)
    result = drift(*pair)
    assert result.changes == ()


@settings(max_examples=25, deadline=None)
@given(worlds(), worlds())
def test_the_document_keeps_its_schema(one, other) -> None:
    """Whatever differs."""
    document = json.loads(dumps(documents.encode(drift(_saved(one), _saved(other)))))
    assert [error.message for error in SCHEMA.iter_errors(document)] == []
    counts = document["summary"]
    assert (counts["exit_code"] == 1) == (counts["worse"] > 0)
    assert {c["effect"] for c in document["changes"]} >= {"worse"} or not counts["worse"]


def test_clients_that_only_one_audit_was_asked_for_are_no_drift() -> None:
    """Both are judged as the clients of the newer one, or as those named now."""
    world = _world(T10_ONLY, entries({"a.example.com": {MIN: "TLSv1.0"}}))
    as_17 = dumps(audit.encode(conclude(world.recording(), trust=TRUST, ios=["17"], sdk="18.0")))
    plain = _saved(world)
    assert drift(as_17, plain).changes == drift(plain, as_17).changes == ()
    assert [p.name for p in drift(plain, as_17).new.profiles] == ["ios17"]
    assert [p.name for p in drift(plain, as_17, Settings(ios=("26",))).old.profiles] == ["ios26"]


def test_an_app_that_was_linked_anew_is_no_drift_of_its_servers() -> None:
    """Both versions are judged with the SDK of the newer one."""
    ats = entries({"a.example.com": {MIN: "TLSv1.0"}})
    old, new = _saved(_world(T10_ONLY, ats, sdk="18.0")), _saved(_world(T10_ONLY, ats, sdk="26.0"))
    assert drift(old, new).changes == drift(new, old).changes == ()


def test_roots_that_only_one_user_gave_are_no_drift() -> None:
    """A certificate is not untrusted because --ca-file was forgotten once."""
    world = _world(OK)
    recording = replace(world.recording(), installed_roots=())
    without = dumps(audit.encode(conclude(recording, trust=replace(TRUST, installed=()))))
    assert drift(_saved(world), without).changes == drift(without, _saved(world)).changes == ()


def test_a_server_that_changed_is_drift() -> None:
    """Seen from the documents as from the recordings."""
    result = drift(_saved(_world(OK)), _saved(_world(RSA)))
    assert {c.effect for c in result.changes} == {"worse"}
    assert (result.old.is_rejudged, result.new.is_rejudged) == (True, True)


def test_hosts_to_ignore_are_compared_in_neither_audit() -> None:
    """What the settings file leaves out of an audit is left out of what is compared."""
    old, new = _saved(_world(OK)), _saved(_world(EXPIRED))
    ignored = Settings(ignored=(IgnoreRule("a.example.com", "not ours"),))
    assert drift(old, new).changes
    assert drift(old, new, ignored).changes == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"schema_version": "2"}', "schema_version: is '2'; this atsprobe reads '1' (line 1)"),
        ('{\n  "schema_version": 1}', "schema_version: is 1; this atsprobe reads '1' (line 2)"),
        ("{", "not JSON"),
        ("[]", ""),
        ('{"schema_version": "1", "hosts": []}', "no audit"),
    ],
)
@pytest.mark.parametrize("position", [0, 1])
def test_what_is_no_audit_is_named(text: str, told: str, position: int) -> None:
    """The file, and what is wrong with it, whichever of the two it is."""
    good = _saved(World(App(None, ()), {}))
    pair = (text, good) if position == 0 else (good, text)
    with pytest.raises(UsageProblem) as caught:
        drift(*pair, names=("old.json", "new.json"))
    assert str(caught.value).startswith(f"{('old.json', 'new.json')[position]}: ")
    assert told in str(caught.value)


def test_a_client_that_does_not_exist_is_refused_first() -> None:
    """Before either document is read."""
    with pytest.raises(UsageProblem, match="12"):
        drift("", "", Settings(ios=("12",)))


@pytest.fixture
def files(tmp_path):
    """Save two audits, a week apart, of a server that got worse."""
    for name, server, days in (("old.json", OK, 7), ("new.json", RSA, 0)):
        document = json.loads(_saved(_world(server)))
        if days:
            document["started_at"] = "2026-11-17T12:00:00Z"
        (tmp_path / name).write_text(json.dumps(document))
    return str(tmp_path / "old.json"), str(tmp_path / "new.json")


def test_the_command_answers_and_exits_1(files, capsys) -> None:
    """Text on standard output, the reason last on standard error."""
    assert main(["diff", *files]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("✗ App, 2026-11-17 to 2026-11-24: 1 got worse\n")
    assert err.endswith("atsprobe: exit 1: 1 got worse\n")


def test_the_command_as_json_and_into_a_file(files, tmp_path, capsys) -> None:
    """The document of the schema; standard output stays empty."""
    path = tmp_path / "diff.json"
    assert main(["diff", *files, "-f", "json", "-o", str(path)]) == 1
    assert capsys.readouterr().out == ""
    assert [e.message for e in SCHEMA.iter_errors(json.loads(path.read_text()))] == []


def test_the_wrong_way_round_is_warned_of(files, capsys) -> None:
    """Better is worse when OLD is the newer one."""
    old, new = files
    assert main(["diff", new, old]) == 0
    assert f"atsprobe: warning: {new} was made after {old}" in capsys.readouterr().err


def test_an_audit_and_itself(files, capsys) -> None:
    """Nothing changed, exit 0."""
    assert main(["diff", files[0], files[0], "-q"]) == 0
    assert "nothing changed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{old}", "missing.json"], "missing.json: no such file"),
        (["other.json", "{new}"], "other.json: schema_version: is '2'; this atsprobe reads '1' (line 1)"),
        (["other.json", "{new}"], "hint: audit again, or use the atsprobe that wrote it"),
        (["-", "-"], "-: standard input can be one of the two audits"),
        (["{old}", "{new}", "--ios", "12"], "12"),
        (["{old}", "{new}", "-o", "{new}"], "--output would overwrite it"),
        (["{old}"], "no NEW.json given"),
    ],
)
def test_bad_input(files, tmp_path, monkeypatch, capsys, arguments, told) -> None:
    """One line that names the file and the reason, exit 2, nothing compared."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.json").write_text('{"schema_version": "2"}')
    old, new = files
    assert main(["diff", *(a.format(old=old, new=new) for a in arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
    assert err.splitlines()[-1] == "atsprobe: exit 2: nothing was compared"


def test_audits_of_nothing(tmp_path) -> None:
    """An empty audit differs in nothing from an empty one."""
    world = World(App(None, ()), {})
    bare = replace(world.recording(), extraction=Extraction())
    text = dumps(audit.encode(conclude(bare, trust=TRUST)))
    assert drift(text, text).changes == ()
