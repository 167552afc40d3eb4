"""Commands: what goes to which stream, and the exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from made_results import APP, ferry, harbor, incomplete, load, passing, recording, result, unresolved

from atsprobe.cli.commands import main
from atsprobe.model.app import Extraction, SkippedInput
from atsprobe.model.judgement import Verdict
from atsprobe.model.result import HostsResult, LabEndpoint, LabResult
from atsprobe.settings import Settings, UsageProblem

GONE = SkippedInput("Fery.ipa", "", "no such file", "did you mean Ferry.ipa?", unreadable=True)
Pipeline = Callable[..., None]
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def asked(pipeline: Pipeline) -> dict[str, object]:
    """Let `audit` answer with the result put under ``answer``; what it was asked stands beside it."""
    seen: dict[str, object] = {"answer": ferry()}

    def audit(targets, settings, progress, **more):
        seen.update(targets=targets, settings=settings, progress=progress)
        answer = seen["answer"]
        if isinstance(answer, BaseException):
            raise answer
        return answer

    pipeline("audit", audit=audit, check_profiles=lambda settings: None)
    return seen


def _last(text: str) -> str:
    return text.splitlines()[-1]


@pytest.mark.parametrize(
    ("made", "code", "why"),
    [
        (ferry, 1, "9 findings, 1 not judged"),
        (incomplete, 3, "incomplete, 4 not judged"),
        (passing, 0, "nothing to act on"),
        (lambda: result(of=recording([APP], interrupted=True)), 130, "interrupted after 0 of 0 endpoints"),
    ],
)
@pytest.mark.parametrize("format_name", ["text", "json"])
def test_report_on_standard_output_and_the_reason_last(
    asked: dict[str, object], capsys: Captured, made: Callable[[], object], code: int, why: str, format_name: str
) -> None:
    """Standard output carries the report alone; the last line on standard error tells the exit code."""
    asked["answer"] = made()
    assert main(["audit", "build/Ferry.ipa", "--format", format_name]) == code
    out, err = capsys.readouterr()
    assert "atsprobe:" not in out
    assert _last(err) == f"atsprobe: exit {code}: {why}"
    if format_name == "json":
        assert json.loads(out)["schema_version"] == "1"


def test_quiet_leaves_standard_error_to_errors(asked: dict[str, object], capsys: Captured) -> None:
    """With -q a pass says nothing on standard error, and an unreadable input one line."""
    assert main(["audit", "a", "-q"]) == 1
    assert capsys.readouterr().err == ""
    asked["answer"] = result([load("a.example.com")], of=recording((), [GONE]))
    assert main(["audit", "Fery.ipa", "a.example.com", "-q"]) == 2
    assert capsys.readouterr().err == "atsprobe: error: Fery.ipa: no such file\n"


def test_an_unreadable_input_beside_one_that_is_read(asked: dict[str, object], capsys: Captured) -> None:
    """The others are audited and reported; the exit code is 2 all the same."""
    asked["answer"] = result([load("a.example.com", bundles=((None, None),))], of=recording((), [GONE]))
    assert main(["audit", "Fery.ipa", "a.example.com"]) == 2
    out, err = capsys.readouterr()
    assert "a.example.com:443: passes default ATS" in out
    assert err == (
        "atsprobe: error: Fery.ipa: no such file\n"
        "atsprobe: hint: did you mean Ferry.ipa?\n"
        "atsprobe: exit 2: 1 input was not read, 1 not judged\n"
    )


def test_nothing_readable_gives_no_report(asked: dict[str, object], capsys: Captured) -> None:
    """There is nothing to say on standard output, and one line on what is wrong."""
    asked["answer"] = result(of=recording((), [GONE]))
    assert main(["audit", "Fery.ipa"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "atsprobe: error: Fery.ipa: no such file",
        "atsprobe: hint: did you mean Ferry.ipa?",
        "atsprobe: exit 2: nothing was audited",
    ]


def test_at_most_two_hints(asked: dict[str, object], capsys: Captured) -> None:
    """More would be read by nobody."""
    gone = [SkippedInput(f"{n}.ipa", "", "no such file", f"hint {n}", unreadable=True) for n in range(5)]
    asked["answer"] = result(of=recording((), gone))
    main(["audit", "x"])
    assert capsys.readouterr().err.count("hint:") == 2


def test_a_name_that_does_not_exist(asked: dict[str, object], capsys: Captured) -> None:
    """The hint comes with the option that helps."""
    host = "api.exmaple.example.com"
    nowhere = unresolved(host, "no-such-name")
    one = load(host, Verdict.INCONCLUSIVE, "inconclusive", observations=(), resolution=nowhere, bundles=((None, None),))
    asked["answer"] = result([one])
    assert main(["audit", host]) == 3
    assert (
        f"atsprobe: hint: a private name? --nameserver ADDR, or --resolve {host}:443:ADDR\n" in capsys.readouterr().err
    )


def test_settings_reach_the_pipeline(asked: dict[str, object], tmp_path: Path) -> None:
    """Every option of audit is one field of the settings."""
    (tmp_path / "resolve.txt").write_text("# the lab\na.example.com:443:127.0.0.1\n\nb.example.com:443:127.0.0.2\n")
    main(
        f"audit a --ios 17 --ios 26 --sdk 18.4 --assume-complete --ca-file ca.pem --resolve @{tmp_path}/resolve.txt "
        "--resolve c:443:::1 --connect-to a:443:127.0.0.1:20443 --nameserver 127.0.0.1:5300 --timeout 2.5 --deadline 9 "
        "-j 8 --rate 1 --quick --allow-private --ipv4".split()
    )
    assert asked["settings"] == Settings(
        ios=("17", "26"),
        sdk="18.4",
        assume_complete=True,
        ca_files=("ca.pem",),
        resolve=("a.example.com:443:127.0.0.1", "b.example.com:443:127.0.0.2", "c:443:::1"),
        connect_to=("a:443:127.0.0.1:20443",),
        nameserver="127.0.0.1:5300",
        families=("ipv4",),
        timeout=2.5,
        deadline=9.0,
        jobs=8,
        rate=1.0,
        quick=True,
        allow_private=True,
    )
    main(["audit", "a"])
    assert asked["settings"] == Settings()


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (
            "audit F.ipa --ios-version 17",
            "no such option: --ios-version",
            "did you mean --ios? atsprobe audit --help lists all",
        ),
        ("audit", "no TARGET given", "atsprobe audit --help lists all"),
        ("adit x", "no such command: adit", "did you mean audit? atsprobe --help lists all"),
        ("", "no command given", "atsprobe --help lists all"),
        ("audit x --jobs 0", "--jobs: 0 is not a whole number from 1 to 1000", "--jobs 64, say"),
        ("audit x --jobs 1e3", "--jobs: 1e3 is not a whole number from 1 to 1000", "--jobs 64, say"),
        ("audit x --timeout 0", "--timeout: 0 is not a number of seconds from 0 to 3600", "--timeout 10, say"),
        ("audit x --timeout nan", "--timeout: nan is not a number of seconds from 0 to 3600", "--timeout 10, say"),
        ("audit x --deadline -1", "--deadline: -1 is not a number of seconds from 0 to 3600", "--deadline 10, say"),
        ("audit x --rate inf", "--rate: inf is not a number of connections a second", "--rate 1, say"),
        ("audit x --sdk iOS", "--sdk: iOS is not a version", "--sdk 26, say"),
        ("audit x -f xml", "--format: no such value: xml", "--format takes text, json"),
        ("audit x --color blue", "--color: no such value: blue", "--color takes auto, always, never"),
        ("audit x --ipv4 --ipv6", "--ipv4 and --ipv6: each means that family alone", "leave both out to use both"),
        (
            "audit x --ios 17 --profile fcp21",
            "--ios and --profile: a profile stands instead of an iOS",
            "leave one of them out",
        ),
        (
            "audit x --resolve @none",
            "--resolve: none: no such file",
            "--resolve takes HOST:PORT:ADDR, or @FILE with one a line",
        ),
        ("audit x --resolve", "--resolve: no value given", "atsprobe --help lists all"),
        ("audit x -o x", "x: a target, and --output would overwrite it", "give another --output"),
        ("judge a b", "too many arguments: b", "atsprobe judge --help lists all"),
        ("judge none.json", "none.json: no such file", ""),
        (
            "schema nothing",
            "COMMAND: no such value: nothing",
            "COMMAND takes audit, hosts, diagnose, policy, certificate, lab, diff, config",
        ),
        ("lab upp", "no such command: upp", "did you mean up? atsprobe lab --help lists all"),
    ],
)
def test_usage_errors(
    asked: dict[str, object],
    pipeline: Pipeline,
    capsys: Captured,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: str,
    error: str,
    hint: str,
) -> None:
    """What is wrong, then what to do, in the same words for every way to get it wrong; nothing is looked at."""
    monkeypatch.chdir(tmp_path)
    pipeline("rejudge", rejudge=lambda *_: pytest.fail("not to be asked"))
    assert main(arguments.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "targets" not in asked
    nothing = "nothing was audited" if arguments[:3] in ("", "aud", "jud") else "nothing was done"
    told = [f"atsprobe: error: {error}", f"atsprobe: exit 2: {nothing}"]
    assert err.splitlines() == ([told[0], f"atsprobe: hint: {hint}", told[1]] if hint else told)


def test_a_problem_of_the_pipeline_is_one_line(asked: dict[str, object], capsys: Captured) -> None:
    """Usage errors that only the pipeline can find look the same."""
    asked["answer"] = UsageProblem("no iOS version 'x'; give one such as 26, or all", "--ios 26, or --ios all")
    assert main(["audit", "a", "--ios", "x"]) == 2
    assert capsys.readouterr().err.startswith("atsprobe: error: no iOS version 'x'; give one such as 26, or all\n")


def test_a_defect_is_one_line(asked: dict[str, object], capsys: Captured) -> None:
    """No traceback unless it is asked for; how to report it stands beside it."""
    asked["answer"] = RuntimeError("broken\x1b[31m")
    assert main(["audit", "a"]) == 2
    err = capsys.readouterr().err
    assert err.splitlines() == [
        "atsprobe: error: internal: RuntimeError: broken\\u{1b}[31m",
        "atsprobe: hint: this is a defect of atsprobe; please report it with the command and what -vv adds",
        "atsprobe: exit 2: stopped by a defect",
    ]
    main(["audit", "a", "-vv"])
    assert "Traceback" in capsys.readouterr().err


def test_a_second_interrupt_ends_at_once(asked: dict[str, object], capsys: Captured) -> None:
    """The pipeline answers the first one with what it has; one that comes through has no report."""
    asked["answer"] = KeyboardInterrupt()
    assert main(["audit", "a"]) == 130
    assert capsys.readouterr().err == "atsprobe: exit 130: interrupted, without a report\n"


def test_output_goes_to_a_file(asked: dict[str, object], capsys: Captured, tmp_path: Path) -> None:
    """Standard output is empty, and the closing line says where the report is."""
    path = tmp_path / "ats.json"
    assert main(["audit", "a", "--format", "json", "--output", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert _last(err) == f"atsprobe: exit 1: 9 findings, 1 not judged; report in {path}"
    assert len(json.loads(path.read_text())["endpoints"]) == 14


def test_an_output_that_cannot_be_written_is_found_first(
    asked: dict[str, object], capsys: Captured, tmp_path: Path
) -> None:
    """Before a packet is sent; nothing is scanned."""
    for path, why in ((tmp_path, "is a directory"), (tmp_path / "none" / "a", "no such file or directory")):
        assert main(["audit", "a", "--output", str(path)]) == 2
        assert capsys.readouterr().err.splitlines() == [
            f"atsprobe: error: {path}: cannot be written ({why})",
            "atsprobe: hint: nothing was scanned; give another --output",
            "atsprobe: exit 2: nothing was audited",
        ]
    assert "targets" not in asked


def test_an_output_that_is_there_survives_a_failure(asked: dict[str, object], tmp_path: Path) -> None:
    """A file is overwritten when the report is whole, and none is left behind where there was none."""
    kept, new = tmp_path / "kept", tmp_path / "new"
    kept.write_text("yesterday's")
    asked["answer"] = UsageProblem("no")
    main(["audit", "a", "--output", str(kept)])
    main(["audit", "a", "--output", str(new)])
    assert kept.read_text() == "yesterday's"
    assert not new.exists()


def test_a_report_in_a_file_has_no_colours(
    asked: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where the terminal has them."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    main(["audit", "a", "--output", str(tmp_path / "report")])
    assert "\x1b" not in (tmp_path / "report").read_text("utf-8")


@pytest.mark.parametrize(
    ("environment", "arguments", "colored"),
    [
        ({}, [], False),
        ({"FORCE_COLOR": "1"}, [], True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
        ({"NO_COLOR": "1"}, ["--color", "always"], True),
        ({"FORCE_COLOR": "1"}, ["--color", "never"], False),
    ],
)
def test_colours_of_a_pipe(
    asked: dict[str, object],
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    arguments: list[str],
    colored: bool,
) -> None:
    """Off when piped; the option goes before the environment, NO_COLOR before FORCE_COLOR."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    main(["audit", "a", *arguments])
    assert ("\x1b[1;31m" in capsys.readouterr().out) is colored


@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_columns_are_kept(
    asked: dict[str, object], capsys: Captured, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    """In a pipe COLUMNS is the width, and then names fold too."""
    from rich.cells import cell_len

    asked["answer"] = harbor()
    monkeypatch.setenv("COLUMNS", columns)
    main(["audit", "a"])
    assert max(map(cell_len, capsys.readouterr().out.splitlines())) <= int(columns)


def test_hosts(pipeline: Pipeline, capsys: Captured) -> None:
    """Extraction alone: a report, and exit 3 for what was skipped."""
    skipped = (SkippedInput("a.ipa", "Payload/A.app/A", "FairPlay"),)
    pipeline("hosts", hosts=lambda targets, **_: HostsResult(Extraction((APP,), skipped=skipped, files_read=3)))
    assert main(["hosts", "a.ipa"]) == 3
    out, err = capsys.readouterr()
    assert out.startswith("0 hosts in Ferry.ipa\n  1 bundle, 3 files, 1 skipped\n")
    assert _last(err) == "atsprobe: exit 3: incomplete, 1 skipped"


def test_judge_says_when_it_was_seen(
    asked: dict[str, object], pipeline: Pipeline, capsys: Captured, tmp_path: Path
) -> None:
    """The answer has the day of the audit; the file that is at fault stands in an error."""
    saved = tmp_path / "ats.json"
    saved.write_bytes(b"\xff\xfe" + "{}".encode("utf-16-le"))
    pipeline("rejudge", rejudge=lambda text, settings, plist: ferry() if text.strip("\ufeff") == "{}" else None)
    assert main(["judge", str(saved)]) == 1
    assert capsys.readouterr().out.startswith("✗ Ferry 4.2.0 (1187), seen 2026-11-17, as iOS 16 to 26: 9 findings")

    def refuse(text, settings, plist):
        raise UsageProblem("not JSON", "give the output of audit --format json")

    pipeline("rejudge", rejudge=refuse)
    assert main(["judge", str(saved)]) == 2
    assert capsys.readouterr().err.startswith(f"atsprobe: error: {saved}: not JSON\n")


def _lab(directory: str = "lab", *_: object, **__: object) -> LabResult:
    row = LabEndpoint("modern", "modern.lab.example.com", 20443, "https", "127.0.0.1", "modern", "pass", ())
    return LabResult(directory, f"{directory}/ca.pem", (row,), is_up=True)


def test_lab(pipeline: Pipeline, capsys: Captured) -> None:
    """Up tells how to audit it, in a command that a shell takes as it is; problems are one line."""
    from atsprobe.lab.problem import LabProblem

    common = {"LabProblem": LabProblem, "DEFAULT_BASE_PORT": 20443}
    pipeline("lab", lab_up=_lab, lab_list=_lab, lab_down=lambda _: False, **common)
    assert main(["lab", "up", "-d", "my lab"]) == 0
    out, err = capsys.readouterr()
    assert out == "1 server on 127.0.0.1, root my lab/ca.pem\n"
    assert err == (
        "atsprobe: hint: atsprobe audit '@my lab/targets.txt' --ca-file 'my lab/ca.pem' --resolve '@my lab/resolve.txt'\n"
        "atsprobe: exit 0: the lab is up\n"
    )
    assert main(["lab", "down"]) == 0
    assert capsys.readouterr().err == "atsprobe: exit 0: the lab was not up\n"
    assert main(["lab", "list", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["endpoints"][0]["name"] == "modern"

    def refuse(*_: object) -> None:
        raise LabProblem("nginx is not installed", "apt install nginx")

    pipeline("lab", lab_up=refuse, **common)
    assert main(["lab", "up"]) == 2
    assert capsys.readouterr().err.startswith(
        "atsprobe: error: nginx is not installed\natsprobe: hint: apt install nginx\n"
    )


def test_demo(pipeline: Pipeline, capsys: Captured) -> None:
    """Exit 0 means that the report is what it should be, whatever it found; else each difference is an error."""
    from types import SimpleNamespace

    unexpected: list[str] = []
    shown = SimpleNamespace(result=ferry(), unexpected=unexpected)
    pipeline("demo", demo=lambda progress: shown, server_count=lambda: 16)
    assert main(["demo"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("✗ Ferry 4.2.0 (1187): 9 findings")
    assert err.splitlines() == [
        "atsprobe: demo: a sample app and 16 servers on 127.0.0.1; every verdict shows up at least once",
        "atsprobe: hint: atsprobe audit YOUR.ipa",
        "atsprobe: exit 0: the report is what the demo should give",
    ]
    unexpected.append("no key shows strict")
    assert main(["demo", "-q"]) == 1
    assert capsys.readouterr().err == "atsprobe: error: no key shows strict\n"


def test_version(capsys: Captured) -> None:
    """One line on standard output."""
    assert main(["--version"]) == 0
    assert capsys.readouterr() == ("atsprobe 0.1.0\n", "")


def _run(arguments: list[str], **more: object) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    command = [sys.executable, "-m", "atsprobe", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, **more)


def test_a_reader_that_goes_away_is_no_error() -> None:
    """`atsprobe … | head` ends without a traceback."""
    done = subprocess.run(
        f"{sys.executable} -m atsprobe schema | head -c 1", shell=True, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, "Traceback" in done.stderr, "BrokenPipe" in done.stderr) == ("{", False, False)


def test_a_full_disk_is_an_error() -> None:
    """A report that was not written is never exit 0."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    done = subprocess.run(
        f"{sys.executable} -m atsprobe schema > /dev/full", shell=True, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.startswith("atsprobe: error: standard output: cannot be written (no space left on device)\n")


def test_an_ascii_terminal_gets_ascii() -> None:
    """A locale without UTF-8 sees no broken characters and no traceback."""
    code = "import sys; sys.path[:0] = sys.argv[1:3]\nfrom test_commands import *\nimport atsprobe.pipelines\n"
    code += "import types; m = types.ModuleType('m'); m.audit = lambda *a: harbor(); m.check_profiles = None\n"
    code += "sys.modules['atsprobe.pipelines.audit'] = m\nsys.exit(main(['audit', 'a']))"
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-c", code, str(here), str(here.parent / "report")]
    done = subprocess.run(command, capture_output=True, timeout=60, env=environment)
    assert done.returncode == 1, done.stderr
    assert done.stdout.isascii()
    assert done.stdout.startswith(b"x Harbor 9.1 (77): 12 findings")
