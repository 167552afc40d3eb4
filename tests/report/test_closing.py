"""The last line says why the exit code is what it is, whatever the format."""

from __future__ import annotations

import pytest
from made_results import (
    APP,
    THEN,
    ferry,
    incomplete,
    key,
    load,
    passing,
    recording,
    result,
    unresolved,
)

from atsprobe.model.app import Extraction, SkippedInput
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.judgement import Verdict
from atsprobe.model.observation import Address, Unreachable
from atsprobe.model.result import HostsResult, LabResult, exit_code
from atsprobe.report.closing import hints, why
from atsprobe.report.tally import tally

GONE = SkippedInput("Fery.ipa", "", "no such file", unreadable=True)


def _cut(host: str):
    endpoint = Endpoint(Host(host), 443)
    seen = (Unreachable(endpoint, Address("203.0.113.10", 443), THEN, "interrupted"),)
    return load(host, Verdict.INCONCLUSIVE, "inconclusive", observations=seen)


CASES = {
    "findings": (ferry, 1, "9 findings, 1 not judged"),
    "incomplete": (incomplete, 3, "incomplete, 4 not judged"),
    "pass": (passing, 0, "nothing to act on"),
    "nothing found": (lambda: result(of=recording([APP])), 0, "nothing to act on, no server was found"),
    "nothing read": (lambda: result(of=recording((), [GONE])), 2, "nothing was audited"),
    "one of two": (
        lambda: result([load("a.example.com", Verdict.BLOCKED, "blocked")], of=recording((), [GONE])),
        2,
        "1 input was not read, 1 finding, 1 not judged",
    ),
    "interrupted": (
        lambda: result(
            [load("a.example.com"), _cut("b.example.com"), _cut("c.example.com")], of=recording(interrupted=True)
        ),
        130,
        "interrupted after 1 of 3 endpoints; the other 2 are listed as not judged",
    ),
    "hosts": (lambda: HostsResult(Extraction((APP,))), 0, "every input was read"),
    "hosts, skipped": (
        lambda: HostsResult(Extraction((APP,), skipped=(SkippedInput("a.ipa", "b", "FairPlay"),))),
        3,
        "incomplete, 1 skipped",
    ),
    "hosts, nothing": (lambda: HostsResult(Extraction(skipped=(GONE,))), 2, "nothing was read"),
    "lab": (lambda: LabResult("lab", "lab/ca.pem", is_up=True), 0, "the lab is up"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_reason_of_the_exit_code(name: str) -> None:
    """One for findings wins over three for what was not judged, and still says it."""
    made, code, reason = CASES[name]
    assert (exit_code(made()), why(made())) == (code, reason)


def test_an_unknown_load_counts_once_with_its_key() -> None:
    """A key that hangs on the load tells of it; a key for another reason counts by itself."""
    unknown = load("a.example.com", Verdict.INCONCLUSIVE, "inconclusive", reason="no answer")
    on_it = key(
        "a.example.com",
        "NSExceptionRequiresForwardSecrecy",
        False,
        "unverifiable",
        "no answer",
        hosts=[unknown.endpoint],
    )
    other = key("b.example.com", "NSIncludesSubdomains", True, "unverifiable", "no host below it was found")
    assert tally(result([unknown], [on_it])).not_judged == 1
    assert tally(result([unknown], [other])).not_judged == 2
    wide = key(None, "NSAllowsArbitraryLoads", True, "unverifiable", "a file was not read", hosts=[unknown.endpoint])
    assert tally(result([unknown], [wide])).not_judged == 2


def test_a_name_that_does_not_exist_gets_a_hint() -> None:
    """The hint is an option ready to be completed."""
    gone = load(
        "api.exmaple.example.com",
        Verdict.INCONCLUSIVE,
        "inconclusive",
        observations=(),
        resolution=unresolved("api.exmaple.example.com", "no-such-name"),
    )
    assert hints(result([gone])) == (
        "a private name? --nameserver ADDR, or --resolve api.exmaple.example.com:443:ADDR",
    )
    assert hints(ferry()) == ()
