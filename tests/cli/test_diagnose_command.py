"""The command that gives nscurl's table: formats, options, and what is no host."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from made_diagnoses import no_such_name, open_table, passing, result, static_rsa

from atsprobe.cli.commands import main
from atsprobe.settings import Settings

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def asked(pipeline: Callable[..., None]) -> dict[str, object]:
    """Let `diagnose` answer with the result put under ``answer``; what it was asked stands beside it."""
    seen: dict[str, object] = {"answer": result(static_rsa())}

    def diagnose(targets, settings, progress):
        seen.update(targets=targets, settings=settings)
        return seen["answer"]

    pipeline("diagnose", diagnose=diagnose)
    return seen


@pytest.mark.parametrize(
    ("made", "code", "why"),
    [
        (lambda: result(static_rsa()), 1, "1 finding"),
        (lambda: result(open_table()), 3, "incomplete, 1 not judged"),
        (lambda: result(passing()), 0, "nothing to act on"),
        (lambda: result(passing(), skipped=[("x y", "no host")]), 2, "1 target was not diagnosed"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--format", "json"], ["--format", "markdown"], ["--nscurl"]])
def test_exit_code_in_every_format(
    asked: dict[str, object], capsys: Captured, made: Callable[[], object], code: int, why: str, options: list[str]
) -> None:
    """The row of default ATS decides, whatever the format; the report alone is on standard output."""
    asked["answer"] = made()
    assert main(["diagnose", "pay.example.org", *options]) == code
    out, err = capsys.readouterr()
    assert err.splitlines()[-1] == f"atsprobe: exit {code}: {why}"
    assert "atsprobe:" not in out
    if "json" in options:
        assert json.loads(out)["summary"]["exit_code"] == code
    if "--nscurl" in options:
        assert out.startswith("Starting ATS Diagnostics\n\n")
        assert out.count("Result : ") == 16


def test_nscurl_verbose_is_nscurls_own(asked: dict[str, object], capsys: Captured) -> None:
    """With -v as nscurl --verbose: dictionaries and errors."""
    main(["diagnose", "pay.example.org", "--nscurl", "-v"])
    out = capsys.readouterr().out
    assert "ATS Dictionary:\n{\n}\nResult : FAIL\nError : Error Domain=NSURLErrorDomain Code=-1200 " in out
    assert "Use '--verbose'" not in out


def test_settings_reach_the_pipeline(asked: dict[str, object]) -> None:
    """Hosts, client and network, as an audit has them."""
    main(
        [
            "diagnose",
            "a.example.com",
            "b.example.com:8443",
            "--ios",
            "17",
            "--sdk",
            "18",
            "--ca-file",
            "root.pem",
            "--resolve",
            "a.example.com:443:192.0.2.1",
            "--timeout",
            "3",
            "--rate",
            "2",
            "--ipv4",
        ]
    )
    assert asked["targets"] == ["a.example.com", "b.example.com:8443"]
    assert asked["settings"] == Settings(
        ios=("17",),
        sdk="18",
        ca_files=("root.pem",),
        resolve=("a.example.com:443:192.0.2.1",),
        timeout=3,
        rate=2,
        families=("ipv4",),
    )


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--nscurl", "--format", "json"], "--nscurl and --format: one or the other"),
        (["--nscurl", "--ios", "all"], "--nscurl: its layout does not tell clients apart"),
        (["--nscurl", "--ios", "17", "--ios", "26"], "--nscurl: its layout does not tell clients apart"),
        (["--format", "xml"], "--format: no such value: xml"),
        (["--format", "nscurl"], "--format: no such value: nscurl"),
        (["--ios", "17", "--profile", "fcp21"], "--ios and --profile: a profile stands instead of an iOS"),
    ],
)
def test_usage_errors(asked: dict[str, object], capsys: Captured, options: list[str], error: str) -> None:
    """What cannot be taken is said before anything is looked at."""
    assert main(["diagnose", "a.example.com", *options]) == 2
    assert capsys.readouterr().err.startswith(f"atsprobe: error: {error}\n")
    assert "targets" not in asked


def test_markdown_is_for_diagnoses_alone(capsys: Captured) -> None:
    """An audit has no such format."""
    assert main(["audit", "a.example.com", "--format", "markdown"]) == 2
    assert "atsprobe: error: --format: no such value: markdown" in capsys.readouterr().err


def test_a_name_that_does_not_exist(asked: dict[str, object], capsys: Captured) -> None:
    """The hint comes with the option that helps."""
    asked["answer"] = result(no_such_name())
    assert main(["diagnose", "api.exmaple.example.com"]) == 3
    assert "atsprobe: hint: a private name? --nameserver ADDR, or --resolve " in capsys.readouterr().err


def test_the_report_goes_to_a_file(asked: dict[str, object], capsys: Captured, tmp_path: Path) -> None:
    """Standard output is empty, and the last line tells where the report is."""
    path = tmp_path / "table.md"
    assert main(["diagnose", "pay.example.org", "-f", "markdown", "-o", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith(f"atsprobe: exit 1: 1 finding; report in {path}\n")
    assert path.read_text("utf-8").startswith("### `pay.example.org:443` as iOS 26\n")


def test_what_is_no_host(capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file, an http:// URL and nonsense have no table, each with its reason; no packet is sent for them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Info.plist").write_text("")
    assert main(["diagnose", "http://a.example.com/x", "Info.plist", "exa mple", "@none.txt"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert lines[0] == (
        "atsprobe: error: http://a.example.com/x: the table is of https:// loads; "
        "ATS refuses http:// whatever the server does"
    )
    assert lines[1] == "atsprobe: error: Info.plist: a file, and the table is of a host"
    assert lines[2].startswith("atsprobe: error: exa mple: neither a path that exists nor a host")
    assert lines[3] == "atsprobe: error: @none.txt: no such file"
    assert lines[4] == "atsprobe: hint: give https://a.example.com, or use atsprobe audit"
    assert lines[-1] == "atsprobe: exit 2: nothing was diagnosed"


def test_public_function() -> None:
    """A library finds it where the others are."""
    import atsprobe
    from atsprobe.pipelines.diagnose import diagnose

    assert atsprobe.diagnose is diagnose
    assert "diagnose" in atsprobe.__all__


def test_the_https_to_give_in_place_of_an_http_url_keeps_a_port_of_its_own(capsys: Captured) -> None:
    """The hint can be typed as it stands: port 80 becomes that of https, any other stays, and an address its brackets."""
    assert main(["diagnose", "http://a.example.com:8080/", "http://[2001:db8::1]/"]) == 2
    hints = [line for line in capsys.readouterr().err.splitlines() if "hint: " in line]
    assert hints == [
        "atsprobe: hint: give https://a.example.com:8080, or use atsprobe audit",
        "atsprobe: hint: give https://[2001:db8::1], or use atsprobe audit",
    ]
