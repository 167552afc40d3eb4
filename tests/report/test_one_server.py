"""The report on a single server: addresses that were not seen, http, exemptions, and what cannot be told."""

from __future__ import annotations

from dataclasses import replace

from made_results import APP, THEN, finding, key, load, recording, result, tls

from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.handshake import NoAnswer
from atsprobe.model.judgement import Notice, Verdict
from atsprobe.model.observation import Address, PlaintextObservation, Resolution, Unreachable, Unresolved
from atsprobe.report.closing import hints
from atsprobe.report.style import QUIET, VERBOSE, Style
from atsprobe.report.text.audit import render_audit

HOST = Endpoint(Host("a.example.com"), 443)
HTTP = Endpoint(Host("a.example.com"), 80, "http")
ALONE = {"bundles": ((None, None),)}


def test_an_address_that_was_not_seen_has_one_line() -> None:
    """A dead second address says why once, and not once for each requirement."""
    dead = Unreachable(HOST, Address("192.0.2.2", 443), THEN, "connection-refused", "connection refused")
    requirements = ("tls-version", "cipher-suite", "certificate-trust")
    one = load(
        "a.example.com",
        Verdict.BLOCKED,
        "blocked",
        ips=("192.0.2.1", "192.0.2.2"),
        findings=[
            finding("certificate-hostname", "names b.example.com", on=["192.0.2.1"]),
            *(finding(r, "seen", "pass", on=["192.0.2.1"]) for r in requirements),
            *(finding(r, "not seen", "unknown", on=["192.0.2.2"]) for r in requirements),
        ],
        observations=(tls(HOST, "192.0.2.1"), dead),
        **ALONE,
    )
    for verbosity in (0, VERBOSE):
        text = render_audit(result([one]), Style(verbosity=verbosity))
        assert "not seen" not in text
        assert text.count("  ?  192.0.2.2: connection refused\n") == 1
    assert "192.0.2.2: connection" not in render_audit(result([one]), Style(verbosity=QUIET))


def test_an_http_load_has_no_lines_on_certificates() -> None:
    """Nothing of a certificate applies to a load in the clear, and its scheme is said."""
    names = ("certificate-trust", "certificate-validity")
    one = load(
        "a.example.com",
        Verdict.EXCEPTION_REQUIRED,
        "blocked",
        scheme="http",
        findings=[
            finding("insecure-http", "http:// is refused", on=["192.0.2.1"]),
            *(finding(name, "http:// load", "not-applicable", on=["192.0.2.1"]) for name in names),
        ],
        **ALONE,
    )
    text = render_audit(result([one]), Style())
    assert text.startswith("✗ http://a.example.com:80: default ATS fails;")
    assert "certificate" not in text


def test_an_http_load_that_no_port_answers_says_what_is_not_known() -> None:
    """That http is refused is certain; whether an exception helps is not, and the reason is what the port did."""
    closes = PlaintextObservation(HTTP, Address("192.0.2.1", 80), THEN, NoAnswer("closed"))
    one = load(
        "a.example.com",
        Verdict.INCONCLUSIVE,
        "blocked",
        scheme="http",
        ips=("192.0.2.1",),
        findings=[finding("insecure-http", "http:// is refused", on=["192.0.2.1"])],
        observations=(closes,),
        reason="insecure-http: http:// is refused",
        **ALONE,
    )
    text = render_audit(result([one]), Style(width=200))
    assert text.startswith(
        "✗ http://a.example.com:80: default ATS fails; whether an exception helps could not be judged; "
        "connection closed without an answer\n"
    )


def test_an_exempt_server_has_the_sign_of_the_table_and_no_hint() -> None:
    """Nothing was judged, so no check mark; and a name that needs no judgement needs no name server."""
    gone = Resolution(Host("printer.local"), 443, Unresolved("no-such-name"))
    one = load(
        "printer.local", Verdict.EXEMPT, "exempt", reason="local name", resolution=gone, observations=(), **ALONE
    )
    assert render_audit(result([one]), Style()).startswith("- printer.local:443: exempt; local name\n")
    assert hints(result([one])) == ()


def test_an_omitted_intermediate_has_a_remedy() -> None:
    """Where the client may or may not fetch the intermediate, sending it settles the question."""
    trust = finding("certificate-trust", 'issuer "CA 2" was not sent', "unknown", on=["203.0.113.10"])
    one = load("a.example.com", Verdict.INCONCLUSIVE, "inconclusive", findings=[trust], **ALONE)
    assert "try: let the server send its whole chain\n" in render_audit(result([one]), Style())


def test_quiet_lines_keep_a_blank_after_a_long_id() -> None:
    """The id of a notice is longer than the column of a quiet report."""
    notice = Notice("declared-domain-does-not-exist", "a.example.com", "declared, but no such name", to_act_on=True)
    kept = key("b.example.com", "NSExceptionRequiresForwardSecrecy", False, "needed", "static RSA only")
    quiet = render_audit(
        result([load("b.example.com")], [kept], of=recording([APP]), notices=[notice]), Style(verbosity=QUIET)
    )
    assert "  declared-domain-does-not-exist  a.example.com\n" in quiet
    assert "  needed        b.example.com NSExceptionRequiresForwardSecrecy = false\n" in quiet


def test_hosts_that_were_left_out_are_not_said_to_be_absent() -> None:
    """Hosts found with less confidence are not audited, which is not the same as none."""
    seen = replace(recording(), not_audited=(Host("a.example.com"), Host("b.example.com")))
    assert "2 less sure hosts were left out (atsprobe hosts lists them)" in render_audit(result(of=seen), Style())


def test_an_answer_that_is_no_http_is_told_in_the_words_of_http() -> None:
    """Evidence on port 80 does not speak of TLS records."""
    odd = PlaintextObservation(HTTP, Address("192.0.2.1", 80), THEN, NoAnswer("garbage", "no HTTP/1 answer"))
    one = load("a.example.com", Verdict.INCONCLUSIVE, "blocked", scheme="http", observations=(odd,), **ALONE)
    assert "192.0.2.1: no HTTP/1 answer\n" in render_audit(result([one]), Style(verbosity=VERBOSE))
