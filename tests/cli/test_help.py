"""Help: the text itself, its widths, and what it does not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from snapshot import check

from atsprobe.cli.commands import main

SNAPSHOTS = Path(__file__).parent / "snapshots"
COMMANDS = {
    "atsprobe": [],
    "audit": ["audit"],
    "judge": ["judge"],
    "hosts": ["hosts"],
    "diagnose": ["diagnose"],
    "policy": ["policy"],
    "certificate": ["certificate"],
    "demo": ["demo"],
    "lab": ["lab"],
    "lab-up": ["lab", "up"],
    "lab-list": ["lab", "list"],
    "diff": ["diff"],
    "config": ["config"],
    "schema": ["schema"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_looks_as_agreed(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain text, options in their groups, at 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*COMMANDS[name], "--help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    check(SNAPSHOTS / f"help-{name}.txt", out)


@pytest.mark.parametrize("columns", [60, 120])
def test_help_fits(columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a narrow terminal too."""
    monkeypatch.setenv("COLUMNS", str(columns))
    main(["audit", "-h"])
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= columns
    check(SNAPSHOTS / f"help-audit-{columns}.txt", out)


def test_every_option_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """What the parser takes is what help shows."""
    from typer.main import get_command

    from atsprobe.cli.commands import app

    audit = get_command(app).commands["audit"]
    main(["audit", "--help"])
    out = capsys.readouterr().out
    for parameter in audit.params:
        if parameter.param_type_name == "option":
            for name in parameter.opts:
                assert out.count(f" {name} ") + out.count(f" {name}\n") + out.count(f" {name},") == 1, name


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["audit", "--help"], ["diagnose", "--help"], ["judge", "none.json"], ["schema"]],
)
def test_a_command_without_network_loads_no_engine(arguments: list[str], tmp_path: Path) -> None:
    """Neither sslyze nor nassl nor dnspython, and for help not even rich."""
    code = (
        "import sys\nfrom atsprobe.cli.commands import main\n"
        f"main({arguments!r})\n"
        "heavy = {'sslyze', 'nassl', 'dns', 'rich' if '--help' in sys.argv else 'dns'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)\n"
    )
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-400:]


def test_hosts_and_judge_load_no_engine(tmp_path: Path) -> None:
    """They send no packet, so they start without what could: an Info.plist is read, a saved audit judged again."""
    from made_results import ferry

    from atsprobe.report.format import render
    from atsprobe.report.style import Style

    (tmp_path / "ats.json").write_text(render(ferry(), "json", Style()), "utf-8")
    (tmp_path / "Info.plist").write_text(
        '<?xml version="1.0"?><plist version="1.0"><dict><key>NSAppTransportSecurity</key><dict>'
        "<key>NSExceptionDomains</key><dict><key>a.example.com</key><dict/></dict></dict></dict></plist>"
    )
    code = (
        "import sys\nfrom atsprobe.cli.commands import main\n"
        "codes = main(['hosts', 'Info.plist', '-q']), main(['judge', 'ats.json', '--plist', 'Info.plist', '-q'])\n"
        "heavy = {'sslyze', 'nassl', 'dns'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}, exit codes {codes}' if heavy or codes[0] != 0 or codes[1] == 2 else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-400:]
    assert done.stdout.startswith("a.example.com\n? Info.plist, seen 2026-11-17, as iOS 26: ")
