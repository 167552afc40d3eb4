"""The command policy from the command line: streams, exit codes, and what it never loads."""

from __future__ import annotations

import json
import plistlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from atsprobe.cli.commands import main

HTTP, MIN = "NSExceptionAllowsInsecureHTTPLoads", "NSExceptionMinimumTLSVersion"


@pytest.fixture
def info_plist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write an Info.plist of exceptions into the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def write(domains: dict[str, Any]) -> str:
        Path("Info.plist").write_bytes(plistlib.dumps({"NSAppTransportSecurity": {"NSExceptionDomains": domains}}))
        return "Info.plist"

    return write


@pytest.mark.parametrize(
    ("domains", "code", "why"),
    [
        ({"a.example.com": {HTTP: True}}, 0, "nothing to act on"),
        ({"a.example.com": {MIN: "TLSv1.0"}}, 0, "nothing to act on, 1 not judged"),
        ({"A.example.com": {HTTP: True}}, 1, "1 finding"),
        (
            {"A.example.com": {}, "b.example.com": {MIN: "x"}, "c.example.com": {MIN: "TLSv1.1"}},
            1,
            "2 findings, 1 not judged",
        ),
    ],
)
@pytest.mark.parametrize("format_name", ["text", "json"])
def test_the_reason_comes_last(
    domains: dict[str, Any], code: int, why: str, format_name: str, info_plist: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Standard output is the report alone; the last line on standard error tells the exit code."""
    assert main(["policy", info_plist(domains), "a.example.com", "-f", format_name]) == code
    out, err = capsys.readouterr()
    assert err == f"atsprobe: exit {code}: {why}\n"
    if format_name == "json":
        assert json.loads(out)["hosts"][0]["host"] == "a.example.com"
    else:
        assert "a.example.com" in out


def test_output_and_quiet(info_plist: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """-o writes a file, and the plist itself is never overwritten; -q leaves standard error to errors."""
    path = info_plist({"a.example.com": {HTTP: True}})
    assert main(["policy", path, "-f", "json", "-o", "out.json"]) == 0
    assert capsys.readouterr().out == ""
    assert json.loads(Path("out.json").read_text())["summary"]["hosts"] == 1
    assert main(["policy", path, "-o", path]) == 2
    assert "--output would overwrite it" in capsys.readouterr().err
    assert main(["policy", path, "-q"]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("✓ Info.plist, iOS 26: 1 host; every key does what it says\n", "")


def test_no_host_anywhere(info_plist: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A plist that names no host still demands something of each; the hint says how to ask."""
    assert main(["policy", info_plist({"10.0.0.0/8": {HTTP: True}})]) == 0
    assert "hint: name a host: atsprobe policy Info.plist api.example.com" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["policy"], "no PLIST given"),
        (["policy", "Inf.plist", "a.example.com"], "Inf.plist: no such file"),
        (["policy", "a.example.com"], "a.example.com: a host, where an Info.plist is wanted"),
        (["policy", "Info.plist", "Info.plist"], "Info.plist: a file, where a host is wanted"),
        (["policy", "Info.plist", "a b"], "a b: neither a path that exists nor a host"),
        (["policy", "Info.plist", "a.example.com", "--ios", "9"], "iOS 9 is older than the oldest profile"),
        (["policy", "Info.plist", "a.example.com", "--profile", "x"], "no profile 'x'"),
        (["policy", "Info.plist", "a.example.com", "--ios", "26", "--profile", "fcp21"], "--ios and --profile"),
        (["policy", "Info.plist", "a.example.com", "--sdk", "new"], "--sdk: new is not a version"),
        (["policy", "Info.plist", "--format", "xml"], "--format: no such value: xml"),
        (["policy", "Info.plist", "--is", "26"], "no such option: --is"),
    ],
)
def test_bad_usage(arguments: list[str], message: str, info_plist: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong, then what to do; exit 2."""
    info_plist({})
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"atsprobe: error: {message}"), err
    assert err.splitlines()[-1].startswith("atsprobe: exit 2: ")


def test_a_run_loads_neither_engine_nor_resolver(info_plist: Any) -> None:
    """sslyze, nassl and dnspython stay out, and no socket is opened."""
    info_plist({"a.example.com": {HTTP: True, "NSIncludesSubdomains": True}})
    code = (
        "import socket, sys\n"
        "def refuse(*_): raise AssertionError('a socket')\n"
        "socket.socket.connect = refuse\n"
        "from atsprobe.cli.commands import main\n"
        "code = main(['policy', 'Info.plist', 'b.a.example.com', '192.168.1.1', 'bücher.example', '-v', '--ios', 'all'])\n"
        "heavy = {'sslyze', 'nassl', 'dns'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-400:]
    assert "192.168.1.1" in done.stdout
