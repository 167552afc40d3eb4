"""The option that names a server product."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_results import ferry

from atsprobe.cli.commands import main


def test_it_chooses_the_product_whose_lines_are_told(pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    """Of that one alone."""
    pipeline("audit", audit=lambda *_: ferry(), check_profiles=lambda settings: None)
    assert main(["audit", "a", "--server", "haproxy"]) == 1
    assert "      haproxy:\n" in capsys.readouterr().out


def test_a_saved_audit_judged_again_has_them_too(tmp_path: Path, pipeline) -> None:
    """In a file as on the screen."""
    (tmp_path / "ats.json").write_text("{}")
    pipeline("audit", check_profiles=lambda settings: None)
    pipeline("rejudge", rejudge=lambda *_: ferry())
    assert main(["judge", str(tmp_path / "ats.json"), "--server", "nginx", "-o", str(tmp_path / "report.txt")]) == 1
    assert "      nginx:\n" in (tmp_path / "report.txt").read_text("utf-8")


def test_from_the_settings_file(tmp_path: Path, monkeypatch, pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    """The command line goes before it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "atsprobe.toml").write_text('server = "iis"\n')
    pipeline("audit", audit=lambda *_: ferry(), check_profiles=lambda settings: None)
    main(["audit", "a"])
    assert "      iis:\n" in capsys.readouterr().out
    main(["audit", "a", "--server", "apache"])
    assert "      apache:\n" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["audit", "judge", "diagnose", "certificate"])
def test_a_product_that_is_not_known_is_a_usage_error(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is looked at, with those that are."""
    host = ["--host", "a.example.com"] if command == "certificate" else []
    assert main([command, "a.example.com", *host, "--server", "lighttpd"]) == 2
    err = capsys.readouterr().err
    assert "error: --server: no such value: lighttpd" in err
    assert "--server takes nginx, apache, haproxy, aws, cloudflare, iis" in err
