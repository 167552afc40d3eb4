"""nscurl's table as text, as Markdown, and to the letter of nscurl."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_diagnoses import hostile, no_such_name, old_version, older_client, open_table, passing, result, static_rsa
from made_results import ferry
from rich.cells import cell_len
from snapshot import check

from atsprobe.model.judgement import Verdict
from atsprobe.report.closing import hints, why
from atsprobe.report.format import render
from atsprobe.report.style import QUIET, VERBOSE, VERY_VERBOSE, Style

SNAPSHOTS = Path(__file__).parent / "snapshots"
MADE = {
    "static-rsa": lambda: result(static_rsa()),
    "old-version": lambda: result(old_version()),
    "several": lambda: result(passing(), passing(older_client()), hostile(), open_table(), no_such_name()),
}
RULE = "=" * 80


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", MADE)
def test_diagnoses_look_as_agreed(name, width):
    """The answer first, then the table, then what the codes mean; nothing is wider than the terminal."""
    text = render(MADE[name](), "text", Style(width=width))
    assert max(map(cell_len, text.splitlines())) <= width
    check(SNAPSHOTS / f"diagnose-{name}-{width}.txt", text)


def test_quiet():
    """The answer, and a line a fault."""
    check(SNAPSHOTS / "diagnose-quiet.txt", render(result(static_rsa()), "text", Style(verbosity=QUIET)))


def test_verbose():
    """Headings, dictionaries, errors; then what was seen, and with -vv every handshake."""
    text = render(result(static_rsa()), "text", Style(verbosity=VERBOSE))
    table, _, rest = text.partition("\n\n  -9824  ")
    check(SNAPSHOTS / "diagnose-verbose.txt", table)
    assert "      seen      192.0.2.44, 2001:db8::44: TLS 1.2 TLS_RSA_WITH_AES_128_CBC_SHA\n" in rest
    assert "      refused   the ATS hello: alert 40 (handshake_failure), 7 times\n" in rest
    everything = render(result(static_rsa()), "text", Style(verbosity=VERY_VERBOSE))
    assert everything.startswith(text)
    assert "pay.example.org:443 on [2001:db8::44]:443\n" in everything


def test_without_colour_and_beyond_ascii():
    """A colour marks PASS and FAIL where there are colours; a terminal of ASCII gets ASCII."""
    made = result(hostile())
    assert "\x1b[32mPASS\x1b[0m" in render(result(static_rsa()), "text", Style(color=True))
    assert render(made, "text", Style(unicode=False)).isascii()
    assert "\x1b" not in render(made, "text", Style())


def test_markdown():
    """A table for a pull request: what a certificate wrote makes no cell, no code, no HTML and no mention."""
    text = render(result(static_rsa(), hostile(), no_such_name(), skipped=[("a|b", "no host")]), "markdown", Style())
    check(SNAPSHOTS / "diagnose.md", text)
    assert "@octocat" not in text
    assert "<b>" not in text
    assert all(line.count("|") == 5 for line in text.splitlines() if line.startswith("|"))


def _heading(text: str) -> list[str]:
    return ["", text]


def test_nscurl_to_the_letter():
    """Blank lines, rules, headings and dashes are where nscurl has them; only the first heading has no blank below it."""
    versions = ("TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1.0")
    sections = [
        ("Allowing Arbitrary Loads", ["Allow All Loads"]),
        ("Configuring TLS exceptions for api.example.com", list(versions)),
        ("Configuring PFS exceptions for api.example.com", ["Disabling Perfect Forward Secrecy"]),
        (
            "Configuring PFS exceptions and allowing insecure HTTP for api.example.com",
            ["Disabling Perfect Forward Secrecy and Allowing Insecure HTTP"],
        ),
        (
            "Configuring TLS exceptions with PFS disabled for api.example.com",
            [f"{v} with PFS disabled" for v in versions],
        ),
        (
            "Configuring TLS exceptions with PFS disabled and insecure HTTP allowed for api.example.com",
            [f"{v} with PFS disabled and insecure HTTP allowed" for v in versions],
        ),
    ]
    lines = [
        "Starting ATS Diagnostics",
        "",
        "Configuring ATS Info.plist keys and displaying the result of HTTPS loads to https://api.example.com.",
        'A test will "PASS" if URLSession:task:didCompleteWithError: returns a nil error.',
        "Use '--verbose' to view the ATS dictionaries used and to display the error received in "
        "URLSession:task:didCompleteWithError:.",
        RULE,
        "",
        "Default ATS Secure Connection",
        "---",
        "ATS Default Connection",
        "Result : PASS",
        "---",
        "",
        RULE,
    ]
    for heading, labels in sections:
        lines += ["", heading]
        for label in labels:
            lines += ["", "---", label, "Result : PASS", "---"]
        lines += ["", RULE]
    assert render(result(passing()), "nscurl", Style()) == "\n".join(lines) + "\n"


def test_nscurl_verbose():
    """As nscurl --verbose: the dictionary as NSDictionary describes itself, and the error of a row that fails."""
    text = render(result(static_rsa()), "nscurl", Style(verbosity=VERBOSE))
    ssl_error = "An SSL error has occurred and a secure connection to the server cannot be made."
    head = f"""\
Starting ATS Diagnostics

Configuring ATS Info.plist keys and displaying the result of HTTPS loads to https://pay.example.org.
A test will "PASS" if URLSession:task:didCompleteWithError: returns a nil error.
{RULE}

Default ATS Secure Connection
---
ATS Default Connection
ATS Dictionary:
{{
}}
Result : FAIL
Error : Error Domain=NSURLErrorDomain Code=-1200 "{ssl_error}" UserInfo={{\
NSErrorFailingURLStringKey=https://pay.example.org/, \
NSLocalizedRecoverySuggestion=Would you like to connect to the server anyway?, _kCFStreamErrorDomainKey=3, \
NSErrorFailingURLKey=https://pay.example.org/, NSLocalizedDescription={ssl_error}, _kCFStreamErrorCodeKey=-9824}}
---

{RULE}

Allowing Arbitrary Loads

---
Allow All Loads
ATS Dictionary:
{{
    NSAllowsArbitraryLoads = true;
}}
Result : PASS
---

{RULE}

Configuring TLS exceptions for pay.example.org

---
TLSv1.3
"""
    tail = f"""\
---
TLSv1.0 with PFS disabled and insecure HTTP allowed
ATS Dictionary:
{{
    NSExceptionDomains =     {{
        "pay.example.org" =         {{
            NSExceptionAllowsInsecureHTTPLoads = true;
            NSExceptionMinimumTLSVersion = "TLSv1.0";
            NSExceptionRequiresForwardSecrecy = false;
        }};
    }};
}}
Result : PASS
---

{RULE}
"""
    assert text.startswith(head)
    assert text.endswith(tail)
    assert text.count("\nError : ") == text.count("\nResult : FAIL\n") == 7


def test_nscurl_names_the_port_and_what_could_not_be_told():
    """A port stands in the URL, but not in the dictionary; nscurl has no third result, and its error needs no colour."""
    made = replace(old_version(), endpoint=replace(old_version().endpoint, host="h.example"))
    text = render(result(made), "nscurl", Style(verbosity=VERBOSE))
    assert "HTTPS loads to https://h.example:8443." in text
    assert ':8443"' not in text
    assert render(result(open_table()), "nscurl", Style(verbosity=VERBOSE)).count("Result : INCONCLUSIVE\n") == 16
    hostile_text = render(result(hostile()), "nscurl", Style(verbosity=VERBOSE))
    assert "pretending to be \u201cxn--bcher-kva.example.net\u201d which" in hostile_text
    assert render(result(hostile()), "nscurl", Style(verbosity=VERBOSE, unicode=False)).isascii()


def test_formats_that_an_audit_has_not():
    """Nothing but a diagnosis has nscurl's table."""
    for name in ("markdown", "nscurl"):
        with pytest.raises(KeyError):
            render(ferry(), name, Style())


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: result(static_rsa(), passing()), "1 finding"),
        (lambda: result(passing()), "nothing to act on"),
        (lambda: result(open_table(), passing()), "incomplete, 1 not judged"),
        (lambda: result(static_rsa(), open_table()), "1 finding, 1 not judged"),
        (lambda: result(static_rsa(), skipped=[("x", "no")]), "1 target was not diagnosed, 1 finding"),
        (lambda: result(skipped=[("x", "no")]), "nothing was diagnosed"),
    ],
)
def test_the_last_line(made, said):
    """It says why the exit code is what it is."""
    assert why(made()) == said


def test_the_hint_for_a_name():
    """A name that DNS does not know may be a private one."""
    (hint,) = hints(result(no_such_name()))
    assert hint.startswith("a private name? ")


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"verdict": Verdict.INCONCLUSIVE, "minimal_exception": None}, "whether an exception helps could not be told"),
        ({"verdict": Verdict.BLOCKED, "minimal_exception": None}, "default ATS fails, and no ATS exception helps"),
        (
            {"verdict": Verdict.EXEMPT},
            "outside App Transport Security, and the load fails all the same; forward-secrecy",
        ),
        ({"justified": ("NSExceptionRequiresForwardSecrecy",)}, "(App Review asks for a reason)"),
    ],
)
def test_answers(change, answer):
    """Each says what it rests on: no key, no key for sure, no ATS, a reason wanted."""
    text = render(result(replace(static_rsa(), **change)), "text", Style(width=400))
    assert answer in text.splitlines()[0]
