"""A saved audit judged again with a settings file beside it, from the text of its document to the exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from scenario import NO_PFS, PFS, SUB, App, Scenario, entries
from scenario_checks import concluded
from simulated_pki import NOW
from simulated_server import EXPIRED, OK, RSA

from atsprobe.cli.commands import main
from atsprobe.json_v1 import audit
from atsprobe.json_v1.schema import schema
from atsprobe.json_v1.text import dumps

A, B, C = "https://a.example.com", "https://b.example.com", "https://c.a.example.com"
DAY = NOW.date()
Judged = Callable[..., tuple[int, dict]]


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Judged:
    """Judge what stands in saved.json again, under a settings file; gives the exit code and the document."""
    monkeypatch.chdir(tmp_path)

    def judge(settings: str, *arguments: str) -> tuple[int, dict]:
        Path("atsprobe.toml").write_text(settings)
        code = main(["judge", "saved.json", "--format", "json", *arguments])
        document = json.loads(capsys.readouterr().out)
        assert [e.message for e in Draft202012Validator(schema("audit")).iter_errors(document)] == []
        return code, document

    return judge


def save(app: App, net: dict) -> None:
    Path("saved.json").write_text(dumps(audit.encode(concluded(Scenario(0, app, net, assume_complete=True)))))


def waiver(expires, **subject: str) -> str:
    told = {**subject, "reason": "moves in spring", "owner": "ops"}
    return "[[waiver]]\n" + "".join(f'{k} = "{v}"\n' for k, v in told.items()) + f"expires = {expires}\n"


def test_what_was_accepted_on_the_day_of_the_audit_is_accepted_again(judged: Judged) -> None:
    """The clock of whoever judges again does not matter: the waiver ended with the day on which servers were looked at."""
    save(App(None, (A, B)), {A: EXPIRED, B: OK})
    subject = {"host": "a.example.com", "requirement": "certificate-validity"}
    assert judged("")[0] == 1
    code, document = judged(waiver(DAY, **subject))
    assert (code, document["summary"]["accepted"], document["waivers"][0]["status"]) == (0, 1, "in-force")
    code, document = judged(waiver(DAY - timedelta(1), **subject))
    assert (code, document["summary"]["findings"], document["waivers"][0]["status"]) == (1, 2, "expired")
    assert document["waivers"][0]["place"] == "atsprobe.toml:1"


def test_hosts_can_be_ignored_afterwards_and_stay_ignored(judged: Judged) -> None:
    """A host audited then is left out now; judged from that document without the rule, it is still not known."""
    save(App(entries({"example.com": {**NO_PFS, SUB: True}}), (A, B, C)), {A: OK, B: RSA, C: EXPIRED})
    code, before = judged("")
    assert (code, len(before["endpoints"])) == (1, 4)
    rule = '[[ignored]]\nhost = "*.a.example.com"\nreason = "not ours"\n'
    code, document = judged(rule)
    assert [i["host"] for i in document["ignored"]] == ["c.a.example.com"]
    assert {e["host"] for e in document["endpoints"]} == {"example.com", "a.example.com", "b.example.com"}
    of = {e["key"]: e for e in document["exceptions"]}
    assert (of[PFS]["status"], of[PFS]["ignored"]) == ("needed", ["c.a.example.com"])
    Path("saved.json").write_text(json.dumps(document))
    _, again = judged("")
    assert again["ignored"] == document["ignored"]
    assert again["exceptions"] == document["exceptions"]
    _, twice = judged(rule)
    assert [i["host"] for i in twice["ignored"]] == ["c.a.example.com"]


def test_an_ignored_host_stays_so_under_another_plist(judged: Judged) -> None:
    """It belongs to the dictionary that governs now, and no exception over it was seen in full."""
    save(App(None, (A, C)), {A: OK, C: OK})
    Path("Info.plist").write_text(
        '<?xml version="1.0"?><plist version="1.0"><dict><key>NSAppTransportSecurity</key><dict>'
        "<key>NSExceptionDomains</key><dict><key>a.example.com</key><dict><key>NSIncludesSubdomains</key><true/>"
        "<key>NSExceptionRequiresForwardSecrecy</key><false/></dict></dict></dict></dict></plist>"
    )
    _, document = judged("", "--plist", "Info.plist", "--assume-complete")
    assert {e["status"] for e in document["exceptions"]} == {"unneeded"}
    rule = '[[ignored]]\nhost = "c.a.example.com"\nreason = "not ours"\n'
    _, document = judged(rule, "--plist", "Info.plist", "--assume-complete")
    assert {(e["status"], *e["ignored"]) for e in document["exceptions"]} == {("unverifiable", "c.a.example.com")}


def test_an_app_of_ignored_hosts_alone_sends_no_packet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is resolved, nothing is scanned, each is listed with its reason; named by hand, one is looked at after all."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("atsprobe.resolve.resolve", lambda *_: pytest.fail("no name was to be asked for"))
    Path("atsprobe.toml").write_text('[[ignored]]\nhost = "*.example.com"\nreason = "behind the VPN"\n')
    Path("Info.plist").write_text(
        '<?xml version="1.0"?><plist version="1.0"><dict><key>NSAppTransportSecurity</key><dict>'
        "<key>NSExceptionDomains</key><dict><key>a.example.com</key><dict>"
        "<key>NSExceptionRequiresForwardSecrecy</key><false/></dict></dict></dict></dict></plist>"
    )
    assert main(["audit", "Info.plist"]) == 0
    out, err = capsys.readouterr()
    assert "Ignored (1)\n  ignored  a.example.com\n      behind the VPN (atsprobe.toml:1)\n" in out
    assert "a.example.com is ignored (behind the VPN), so what it needs was not seen\n" in out
    assert err.splitlines() == [
        "atsprobe: using atsprobe.toml: 1 ignored host",
        "atsprobe: exit 0: nothing to act on, no server was looked at",
    ]
    with pytest.raises(pytest.fail.Exception):
        main(["audit", "Info.plist", "a.example.com"])
