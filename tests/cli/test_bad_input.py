"""What a user can get wrong, through the real pipelines: one line that says what, one that says what to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from atsprobe.cli.commands import main


def _told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capsys.readouterr()
    assert out == ""
    return [line.removeprefix("atsprobe: ") for line in err.splitlines()]


@pytest.mark.parametrize(
    ("options", "error", "hint"),
    [
        (["--resolve", "x"], "--resolve: x: not HOST:PORT:ADDRESS", "HOST:PORT:ADDRESS, as curl has it"),
        (["--resolve", "a:b:127.0.0.1"], "--resolve: a:b:127.0.0.1: b is no port", "HOST:PORT:ADDRESS, as curl has it"),
        (
            ["--connect-to", "a:1:b"],
            "--connect-to: a:1:b: not HOST:PORT:ADDRESS:PORT",
            "HOST:PORT:ADDRESS:PORT, as curl has it",
        ),
        (["--nameserver", "dns"], "--nameserver: dns: dns is no IP address", "ADDRESS or ADDRESS:PORT"),
        (["--nameserver", ""], "--nameserver: : nothing is no IP address", "ADDRESS or ADDRESS:PORT"),
        (["--output", ""], "--output: an empty path", "name a file, or - for standard output"),
    ],
)
def test_an_option_names_itself(capsys: pytest.CaptureFixture[str], options: list[str], error: str, hint: str) -> None:
    """A value that cannot be read is told with its option and that option's own form; nothing is looked at."""
    assert main(["audit", "localhost:1", *options]) == 2
    assert _told(capsys) == [f"error: {error}", f"hint: {hint}", "exit 2: nothing was audited"]


def test_an_empty_target_is_visible(capsys: pytest.CaptureFixture[str]) -> None:
    """An unset variable of a script leaves an empty argument, which is quoted."""
    assert main(["audit", ""]) == 2
    assert _told(capsys)[0] == "error: '': an empty target"


def test_an_archive_is_no_saved_audit(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Bytes that are no text get the hint that other files get."""
    path = tmp_path / "app.ipa"
    path.write_bytes(b"PK\x03\x04\xff\xfe\x00\x80")
    assert main(["judge", str(path)]) == 2
    told = _told(capsys)
    assert told[0].startswith(f"error: {path}: not JSON: neither UTF-8 nor UTF-16")
    assert told[1] == "hint: give the output of audit --format json"


def test_a_report_that_was_not_written_was_still_audited() -> None:
    """The last line does not say that nothing was audited, where only the report has no place."""
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    command = [sys.executable, "-m", "atsprobe", "audit", "printer.local", "--resolve", "printer.local:443:127.0.0.1"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-2:] == [
        "atsprobe: hint: give an --output",
        "atsprobe: exit 2: the report was not written",
    ]


def test_an_interrupt_while_modules_load_is_one_line() -> None:
    """Ctrl-C in the first moments, before a command has begun, ends without a traceback."""
    code = (
        "import builtins, sys, atsprobe.__main__ as begin\n"
        "real = builtins.__import__\n"
        "def interrupted(name, *rest):\n"
        "    if name == 'typer': raise KeyboardInterrupt\n"
        "    return real(name, *rest)\n"
        "builtins.__import__ = interrupted\n"
        "sys.exit(begin.main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "atsprobe: exit 130: interrupted, without a report\n"
