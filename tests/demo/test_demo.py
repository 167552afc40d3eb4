"""The demo gives the report that it should, on loopback alone, as anybody."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from atsprobe.model.judgement import ExceptionStatus, Verdict
from atsprobe.model.result import ExitCode, exit_code
from atsprobe.pipelines.demo import demo, unexpected

WATCHED_RUN = """
import json, sys

seen = []
WATCHED = ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname")

def watch(event, arguments):
    if event in WATCHED:
        seen.append((event, [a for a in arguments if isinstance(a, (str, int, tuple))]))

sys.addaudithook(watch)
from atsprobe.pipelines.demo import demo

outcome = demo()
json.dump({"unexpected": outcome.unexpected, "seen": seen}, sys.stdout)
"""


@pytest.fixture(scope="module")
def outcome():
    """One run of the demo."""
    return demo()


def test_the_report_is_what_it_should_be(outcome):
    """Every server has its verdict and every declared key its status, by servers that are really asked."""
    assert outcome.unexpected == ()


def test_every_verdict_and_status_shows(outcome):
    """The report holds each verdict, each outcome under the app's dictionary and each status at least once."""
    assert {e.verdict for e in outcome.result.loads} == set(Verdict)
    assert {e.declared_verdict for e in outcome.result.loads} == {"blocked", "inconclusive", "allowed", "exempt"}
    assert {e.status for e in outcome.result.exceptions} == set(ExceptionStatus)


def test_it_is_an_ordinary_audit(outcome):
    """The result is one of an audit: it has findings, so that an audit of this app would exit with 1."""
    assert exit_code(outcome.result) is ExitCode.FINDINGS
    assert len(outcome.result.recording.extraction.bundles) == 2


def test_a_name_that_does_not_exist_is_said(outcome):
    """The domain that the app declares and nobody owns gets its notice."""
    assert ("declared-domain-does-not-exist", "promo.ferry.example.org") in {
        (n.kind, n.subject) for n in outcome.result.notices
    }


def test_a_wrong_verdict_is_noticed(outcome):
    """A report with another verdict, another status, or a load too few does not pass for the right one."""
    result = outcome.result
    first = result.endpoints[0]
    other = Verdict.BLOCKED if first.verdict is not Verdict.BLOCKED else Verdict.PASS
    lines = list(unexpected(replace(result, endpoints=(replace(first, verdict=other), *result.endpoints[1:]))))
    assert any(str(first.endpoint) in line and str(other) in line for line in lines)
    lines = list(unexpected(replace(result, endpoints=result.endpoints[1:])))
    assert f"{first.endpoint}: not found in the app" in lines
    key = replace(result.exceptions[0], status=ExceptionStatus.STRICT)
    assert any("strict" in line for line in unexpected(replace(result, exceptions=(key, *result.exceptions[1:]))))
    strict = tuple(k for k in result.exceptions if k.status is not ExceptionStatus.STRICT)
    assert "no key shows strict" in list(unexpected(replace(result, exceptions=strict)))


def test_loopback_alone_and_no_root(tmp_path):
    """Without the rights of root, the demo connects to loopback only, binds no port below 1024, and looks up no name."""
    run = subprocess.run(
        [*_without_rights(), sys.executable, "-c", WATCHED_RUN],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    told = json.loads(run.stdout)
    assert told["unexpected"] == []
    connected = {tuple(a[-1]) for event, a in told["seen"] if event in ("socket.connect", "socket.sendto")}
    bound = {tuple(a[-1]) for event, a in told["seen"] if event == "socket.bind"}
    assert connected
    assert {address[0] for address in connected} == {"127.0.0.1"}
    assert min(address[1] for address in connected) >= 1024
    assert {address[1] for address in bound} == {0}
    looked_up = {str(a[0]) for event, a in told["seen"] if event in ("socket.getaddrinfo", "socket.gethostbyname")}
    assert looked_up <= {"127.0.0.1"}


def _without_rights() -> list[str]:
    """What takes from root all that others do not have; nothing for anybody else."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv of util-linux is not here, and this is root")
    return [setpriv, "--bounding-set=-all", "--inh-caps=-all"]
