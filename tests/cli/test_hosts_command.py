"""`atsprobe hosts` and how sure a host must be, from the command line."""

from __future__ import annotations

import csv
import io
import json

import pytest

from atsprobe.cli.commands import main


@pytest.fixture
def app(tmp_path):
    """A folder that names a host in a URL, one with its scheme filled in, and a schema."""
    (tmp_path / "a.json").write_text(
        '["https://api.example.org/x", "%@://bare.example.org/y", "http://www.w3.org/2000/svg"]'
    )
    return str(tmp_path)


@pytest.mark.parametrize(
    ("options", "listed"),
    [
        ([], {"api.example.org", "bare.example.org"}),
        (["--min-confidence", "b"], {"api.example.org"}),
        (["--min-confidence", "A"], set()),
        (["--all"], {"api.example.org", "bare.example.org", "www.w3.org"}),
    ],
)
def test_what_is_listed(app, capsys, options, listed):
    """The same hosts in JSON and CSV: bare names and better, the class asked for, or everything."""
    assert main(["hosts", app, "--format", "json", *options]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {row["host"] for row in document["hosts"]} == listed
    assert main(["hosts", app, "--format", "csv", *options]) == 0
    assert {row["host"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out, newline=""))} == listed


def test_the_same_bytes_each_time(app, capsys):
    """Nothing depends on the order in which a set is walked."""
    outputs = set()
    for _ in range(3):
        main(["hosts", app, "--format", "json", "--all"])
        outputs.add(capsys.readouterr().out)
    assert len(outputs) == 1


@pytest.mark.parametrize("command", ["hosts", "audit"])
def test_no_such_class(app, capsys, command):
    """A class that there is none of is a usage error that names all."""
    assert main([command, app, "--min-confidence", "E"]) == 2
    assert "--min-confidence takes A, B, C, D" in capsys.readouterr().err


def test_all_and_a_class(app, capsys):
    """Both at once contradict each other."""
    assert main(["hosts", app, "--all", "--min-confidence", "B"]) == 2
    assert "one or the other" in capsys.readouterr().err


def test_an_audit_of_bare_names(app, capsys):
    """Asked for class C, an audit takes the bare name too; by default it does not."""
    for options, audited in (
        ([], {"api.example.org"}),
        (["--min-confidence", "C"], {"api.example.org", "bare.example.org"}),
    ):
        ways = [f"--resolve={host}:443:127.0.0.1" for host in ("api.example.org", "bare.example.org")]
        main(["audit", app, *options, *ways, "--format", "json", "--timeout", "1"])
        document = json.loads(capsys.readouterr().out)
        assert {row["host"] for row in document["endpoints"]} == audited
