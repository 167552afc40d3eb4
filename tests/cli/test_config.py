"""Settings of a file on the command line: which value is in force, and who says where it comes from."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from made_results import ferry
from snapshot import check

from atsprobe.cli.commands import main
from atsprobe.model.judgement import Waiver
from atsprobe.model.recording import IgnoreRule
from atsprobe.model.result import ConfigResult, ConfiguredValue, HostsResult, exit_code
from atsprobe.report.style import Style
from atsprobe.report.text.config import render_config
from atsprobe.settings import Settings, UsageProblem
from atsprobe.settings_file.options import OPTIONS

SNAPSHOTS = Path(__file__).parent / "snapshots"
Captured = pytest.CaptureFixture[str]
EVERY_OPTION = """
ios = ["17", "26"]
sdk = "18.4"
assume-complete = true
ca-file = ["ca.pem"]
resolve = ["@resolve.txt", "c:443:::1"]
connect-to = "a:443:127.0.0.1:20443"
nameserver = "127.0.0.1:5300"
timeout = 2.5
deadline = 9
jobs = 8
rate = 1
quick = true
allow-private = true
check-revocation = true
ipv4 = true
format = "json"
output = "ats.json"
color = "never"
verbose = 1
"""
WAIVER = """
[[waiver]]
host = "old.example.org"
requirement = "cipher-suite"
reason = "retired in May"
owner = "ops"
expires = 2027-05-31
"""
IGNORED = '\n[[ignored]]\nhost = "*.corp.example.org"\nreason = "behind the VPN"\n'


@pytest.fixture
def asked(pipeline: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Settings]:
    """Let `audit`, `judge` and `hosts` answer without doing anything, in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    seen: dict[str, Settings] = {}

    def audit(targets, settings, progress):
        seen["settings"] = settings
        return ferry()

    def rejudge(text, settings, plist):
        seen["settings"] = settings
        return ferry()

    nothing = {"check_roots": lambda settings: None, "check_names": lambda settings: None}
    pipeline("audit", audit=audit, check_profiles=lambda settings: None)
    pipeline("record", **nothing)
    pipeline("rejudge", rejudge=rejudge)
    pipeline("hosts", hosts=lambda targets, **_: HostsResult(ferry().recording.extraction))
    return seen


def run(command: str) -> int:
    return main(command.split())


def test_every_option_of_an_audit_has_its_place_in_the_file() -> None:
    """Each that the command takes, and no other; but for those that choose the file, and help."""
    from typer.main import get_command

    from atsprobe.cli.commands import app

    audit = get_command(app).commands["audit"]
    taken = {p.opts[0].removeprefix("--") for p in audit.params if p.param_type_name == "option"}
    assert taken - {"config", "no-config", "help"} == set(OPTIONS)


def test_a_file_gives_the_settings_that_the_command_line_would_give(asked: dict[str, Settings]) -> None:
    """Every option of it reaches the pipeline as if it were typed; the report goes where the file says."""
    Path("resolve.txt").write_text("a.example.com:443:127.0.0.1\n")
    run(
        "audit a --ios 17 --ios 26 --sdk 18.4 --assume-complete --ca-file ca.pem --resolve @resolve.txt --resolve c:443:::1 "
        "--connect-to a:443:127.0.0.1:20443 --nameserver 127.0.0.1:5300 --timeout 2.5 --deadline 9 -j 8 --rate 1 --quick "
        "--allow-private --check-revocation --ipv4"
    )
    typed = asked["settings"]
    Path("atsprobe.toml").write_text(EVERY_OPTION)
    assert main(["audit", "a"]) == 1
    assert asked["settings"] == typed != Settings()
    assert len(json.loads(Path("ats.json").read_text())["endpoints"]) == 14
    main(["audit", "a", "--no-config"])
    assert asked["settings"] == Settings()


def test_the_command_line_goes_before_the_file(asked: dict[str, Settings]) -> None:
    """Lists are replaced whole, a switch can be undone, and what excludes a value of the file puts it out of force."""
    Path("resolve.txt").write_text("")
    Path("atsprobe.toml").write_text(EVERY_OPTION)
    run("audit a --profile fcp21 --no-quick --ipv6 --resolve d:1:::1 --rate 9 --no-assume-complete -q -o x")
    settings = asked["settings"]
    assert (settings.ios, settings.profile) == ((), "fcp21")
    assert (settings.quick, settings.assume_complete, settings.allow_private) == (False, False, True)
    assert (settings.families, settings.resolve, settings.rate, settings.jobs) == (("ipv6",), ("d:1:::1",), 9.0, 8)
    assert Path("x").is_file() and not Path("ats.json").exists()


def test_waivers_and_ignored_hosts_reach_audit_and_judge(asked: dict[str, Settings], capsys: Captured) -> None:
    """Both take them, and say on standard error which file is used; -q says nothing."""
    Path("atsprobe.toml").write_text("rate = 1\nnameserver = '127.0.0.1'\n" + IGNORED + WAIVER)
    Path("old.json").write_text("{}")
    for arguments, options in ((["audit", "a"], "2 options, "), (["judge", "old.json"], "")):
        main(arguments)
        assert asked["settings"].ignored == (IgnoreRule("*.corp.example.org", "behind the VPN", "atsprobe.toml:4"),)
        assert [w.place for w in asked["settings"].waivers] == ["atsprobe.toml:8"]
        assert capsys.readouterr().err.splitlines()[0] == (
            f"atsprobe: using atsprobe.toml: {options}1 ignored host, 1 waiver"
        )
        main([*arguments, "-q"])
        assert capsys.readouterr().err == ""


def test_a_command_takes_what_it_knows_of_the_file(asked: dict[str, Settings], capsys: Captured) -> None:
    """`hosts` has a format and no servers to ask; only an audit's report is sent to the file's output."""
    Path("atsprobe.toml").write_text('format = "json"\noutput = "ats.json"\nca-file = "none.pem"\n')
    main(["hosts", "a"])
    out, err = capsys.readouterr()
    assert json.loads(out)["hosts"] == [] and not Path("ats.json").exists()
    assert err.startswith("atsprobe: using atsprobe.toml: 2 options\n")
    main(["hosts", "a", "--format", "text"])
    assert capsys.readouterr().out.startswith("0 hosts")
    Path("atsprobe.toml").write_text('format = "markdown"\n' + IGNORED + WAIVER)
    assert main(["hosts", "a"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("0 hosts") and "ignored" not in err


def test_commands_about_one_thing_take_the_client_of_the_file(
    asked: dict[str, Settings], pipeline: Callable[..., None], capsys: Captured
) -> None:
    """`policy` and `certificate` judge as the clients that the settings name, unless the command line names others."""
    Path("atsprobe.toml").write_text('profile = "fcp21"\nca-file = "root.pem"\nrate = 1\n')

    def judged(*arguments, public_roots=(), at=None):
        asked["settings"] = next(a for a in arguments if isinstance(a, Settings))
        raise UsageProblem("enough")

    pipeline("policy", policy=judged)
    pipeline("certificate", certificate=judged)
    for command, options in (("policy Info.plist", "1 option"), ("certificate a.pem --host a", "2 options")):
        run(command)
        assert asked["settings"].profile == "fcp21"
        assert capsys.readouterr().err.startswith(f"atsprobe: using atsprobe.toml: {options}\n")
        run(f"{command} --ios 17")
        assert (asked["settings"].ios, asked["settings"].profile) == (("17",), None)
        capsys.readouterr()
    assert asked["settings"].ca_files == ("root.pem",)


def test_lab_and_demo_read_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    """They are about servers of our own: a file that cannot be read does not concern them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "atsprobe.toml").write_text("broken")
    assert main(["lab", "list"]) == 0
    assert main(["demo", "--config", "x"]) == 2
    assert "no such option: --config" in capsys.readouterr().err
    assert main(["schema"]) == 0


@pytest.mark.parametrize("arguments", [["audit", "a"], ["judge", "a"], ["hosts", "a"], ["config"]])
def test_a_file_that_cannot_be_read_stops_before_anything(
    asked: dict[str, Settings], capsys: Captured, arguments: list[str]
) -> None:
    """File, line, reason, what to do; exit 2; the same for every command that reads it."""
    Path("atsprobe.toml").write_text("rate = 1\n[[waiver]]\nexpiry = 2027-01-01\n")
    assert main(arguments) == 2
    assert "settings" not in asked
    out, err = capsys.readouterr()
    nothing = "nothing was audited" if arguments[0] in ("audit", "judge") else "nothing was done"
    assert (out, err.splitlines()) == (
        "",
        [
            "atsprobe: error: atsprobe.toml:3: waiver: no such key: expiry",
            "atsprobe: hint: did you mean expires? [[waiver]] has host or domain, requirement or key, reason, owner, expires,"
            " and may have bundle",
            f"atsprobe: exit 2: {nothing}",
        ],
    )
    assert main([*arguments, "--no-config"]) != 2 or arguments[0] == "judge"


@pytest.mark.parametrize(
    ("text", "error", "hint"),
    [
        ("timeout = 0", "timeout: 0 is not a number of seconds from 0 to 3600", "timeout = 10, say"),
        ("deadline = nan", "deadline: nan is not a number of seconds from 0 to 3600", "deadline = 30, say"),
        ("rate = -1.5", "rate: -1.5 is not a number of connections a second", "rate = 1, say"),
        ("jobs = 0", "jobs: 0 is not a whole number from 1 to 1000", "jobs = 64, say"),
        ("sdk = 'iOS'", "sdk: iOS is not a version", 'sdk = "26", say'),
        ("format = 'xml'", "format: no such value: xml", "format takes text, json, markdown"),
        ("color = 'blue'", "color: no such value: blue", "color takes auto, always, never"),
        (
            "resolve = ['@none']",
            "resolve: none: no such file",
            "resolve takes HOST:PORT:ADDR, or @FILE with one a line",
        ),
        ("resolve = ['a']", "resolve: a: not HOST:PORT:ADDRESS", 'resolve = ["api.example.com:443:192.0.2.1"], say'),
        ("nameserver = 'dns'", "nameserver: dns: dns is no IP address", 'nameserver = "192.0.2.53", say'),
        ("ca-file = 'none.pem'", "ca-file: none.pem: no such file", "paths in atsprobe.toml are from its own folder"),
        ("ios = ['99x']", "ios: no iOS version '99x'", 'ios = ["16", "26"], say'),
        ("profile = 'fcp'", "profile: no profile 'fcp'", 'profile = "fcp21", say'),
    ],
)
def test_a_value_that_the_command_line_would_not_take_has_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured, text: str, error: str, hint: str
) -> None:
    """The same checks as for what is typed, told with the place in the file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "atsprobe.toml").write_text(f"# settings\n{text}\n")
    assert main(["audit", "a.example.com"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith(f"atsprobe: error: atsprobe.toml:2: {error}")
    assert lines[1:] == [f"atsprobe: hint: {hint}", "atsprobe: exit 2: nothing was audited"]


def test_a_file_named_by_hand(asked: dict[str, Settings], tmp_path: Path, capsys: Captured) -> None:
    """It takes the place of the one that would be found; not both it and none."""
    Path("atsprobe.toml").write_text("rate = 1\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "ci.toml").write_text("rate = 2\nca-file = 'root.pem'\n")
    main(["audit", "a", "--config", "other/ci.toml"])
    assert (asked["settings"].rate, asked["settings"].ca_files) == (2.0, ("other/root.pem",))
    assert main(["audit", "a", "--config", "other/ci.toml", "--no-config"]) == 2
    assert "--config and --no-config: one or the other" in capsys.readouterr().err
    assert main(["audit", "a", "--config", "none.toml"]) == 2
    assert "error: none.toml: no such file\n" in capsys.readouterr().err


def values(text: str) -> dict[str, tuple[object, str, int | None]]:
    return {o["option"]: (o["value"], o["source"], o["line"]) for o in json.loads(text)["options"]}


def test_config_says_what_is_in_force_and_where_from(
    asked: dict[str, Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """Every option with its value: typed, of the file with its line, or the default; and the file's own tables."""
    Path(".git").mkdir()
    Path("atsprobe.toml").write_text(
        'ios = ["17"]\nquick = true\ntimeout = 3\nca-file = "root.pem"\n' + IGNORED + WAIVER
    )
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert run("config --format json --no-quick --rate 2 -j 9 --resolve a:1:::1") == 0
    out, err = capsys.readouterr()
    assert err == "atsprobe: exit 0: what is in force with ../atsprobe.toml\n"
    document = json.loads(out)
    found = values(out)
    assert (document["file"], list(found)) == ("../atsprobe.toml", list(OPTIONS))
    assert found["ios"] == (["17"], "file", 1)
    assert found["quick"] == (False, "command-line", None)
    assert found["timeout"] == (3, "file", 3)
    assert found["deadline"] == (30.0, "default", None)
    assert found["ca-file"] == (["../root.pem"], "file", 4)
    assert (found["rate"], found["jobs"]) == ((2, "command-line", None), (9, "command-line", None))
    assert found["resolve"] == (["a:1:::1"], "command-line", None)
    assert [r["pattern"] for r in document["ignored"]] == ["*.corp.example.org"]
    assert [(w["host"], w["expires"], w["place"]) for w in document["waivers"]] == [
        ("old.example.org", "2027-05-31", "../atsprobe.toml:10")
    ]


def test_config_takes_what_an_audit_takes_and_nothing_else(asked: dict[str, Settings], capsys: Captured) -> None:
    """Wrong values are told as an audit would tell them; there is no target; its own report is not the file's."""
    for arguments, error in (
        ("--timeout 0", "--timeout: 0 is not a number"),
        ("--ipv4 --ipv6", "--ipv4 and --ipv6: one or the other"),
        ("--ios 17 --profile fcp21", "--ios and --profile: one or the other"),
        ("a.example.com", "too many arguments: a.example.com"),
    ):
        assert main(["config", *arguments.split()]) == 2
        assert f"atsprobe: error: {error}" in capsys.readouterr().err
    Path("atsprobe.toml").write_text('output = "ats.json"\n')
    main(["config"])
    assert "output            line 1   ats.json" in capsys.readouterr().out
    assert not Path("ats.json").exists()


def test_config_without_a_file(asked: dict[str, Settings], capsys: Captured) -> None:
    """It says where it looked, and that every value is a default."""
    assert main(["config"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("no settings file in .: every value is a default or from the command line\n")
    assert err == "atsprobe: exit 0: what is in force without a settings file\n"
    main(["config", "--no-config", "-q"])
    assert capsys.readouterr().out == "no settings file: every value is a default or from the command line\n"


CONFIG = ConfigResult(
    file="../atsprobe.toml",
    looked_in=(),
    values=(
        ConfiguredValue("ios", ("16", "26"), "file", 2),
        ConfiguredValue("profile", None, "default", meaning="none, an iOS is judged"),
        ConfiguredValue("resolve", tuple(f"api{n}.example.com:443:192.0.2.{n}" for n in range(4)), "file", 104),
        ConfiguredValue("timeout", 2.5, "command-line"),
        ConfiguredValue("quick", True, "file", 3),
        ConfiguredValue("nameserver", "\x1b[31m\u202e", "file", 4),
    ),
    ignored=(IgnoreRule("*.corp.example.org", "behind the VPN", "../atsprobe.toml:8"),),
    waivers=(
        Waiver(
            "retired in May", "ops", date(2027, 5, 31), host="old.example.org", requirement="cipher-suite", place="a:9"
        ),
        Waiver(
            "a very long reason that tells what was tried, who was asked, and why nothing can be done before summer",
            "ios@example.org",
            date(2027, 6, 30),
            key="NSAllowsArbitraryLoads",
            bundle="org.example.share",
            place="a:15",
        ),
        Waiver("both", "ops", date(2027, 6, 30), domain="example.org", key="NSIncludesSubdomains", place="a:22"),
    ),
)


@pytest.mark.parametrize("width", [60, 80])
def test_config_looks_as_agreed(width: int) -> None:
    """Option, where from, value; then what is ignored and what is accepted until when."""
    text = render_config(CONFIG, Style(width=width))
    assert max(map(len, text.splitlines())) <= width
    check(SNAPSHOTS / f"config-{width}.txt", text)


def test_config_has_nothing_to_act_on() -> None:
    """Whatever is configured, it is exit 0."""
    assert exit_code(CONFIG) == 0
    assert exit_code(replace(CONFIG, file=None)) == 0


def test_a_problem_of_the_pipeline_keeps_its_words(asked: dict[str, Settings], capsys: Captured) -> None:
    """A usage error that has nothing to do with the file is told without it."""
    Path("atsprobe.toml").write_text("rate = 1\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("atsprobe.cli.options.seconds", lambda *_: (_ for _ in ()).throw(UsageProblem("no")))
        main(["audit", "a", "--timeout", "1"])
    assert "atsprobe: error: no\n" in capsys.readouterr().err
