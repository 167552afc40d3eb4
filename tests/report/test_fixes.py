"""What to do: at the server, in the app, or with an option that settles what could not be judged."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_results import THEN, finding, load, negotiated, recording, tls, unresolved

from atsprobe.model.dictionary import ExceptionEntry
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.handshake import NoAnswer
from atsprobe.model.judgement import Verdict
from atsprobe.model.observation import Address, HttpAnswer, PlaintextObservation, Unreachable
from atsprobe.report.advice import advice, why_not_judged
from atsprobe.report.fixes import declared_fix, server_fix

HTTPS = Endpoint(Host("a.example.com"), 443)
HTTP = Endpoint(Host("a.example.com"), 80, "http")


def _fix(*failing: tuple[str, str], **more: object) -> str:
    findings = [finding(requirement, evidence) for requirement, evidence in failing]
    one = load("a.example.com", Verdict.BLOCKED, "blocked", findings=findings, **more)
    return server_fix(one, [f.finding for f in findings], recording())


@pytest.mark.parametrize(
    ("failing", "fix"),
    [
        ([("tls-version", "TLS 1.1 at most")], "enable TLS 1.2"),
        ([("tls-version", ""), ("forward-secrecy", "")], "enable TLS 1.2 with ECDHE suites"),
        ([("forward-secrecy", ""), ("cipher-suite", "DHE suites only")], "enable ECDHE suites"),
        ([("cipher-suite", "accepts TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384")], "enable ECDHE suites with AES-GCM"),
        (
            [("certificate-lifetime", "410 days; at most 398 under a public root")],
            "get a certificate for at most 398 days",
        ),
        (
            [
                ("certificate-hostname", "names b"),
                ("certificate-key-size", "RSA 1024 (leaf)"),
                ("certificate-trust", ""),
            ],
            "new certificate (P-256 or RSA 2048, name a.example.com)",
        ),
        ([("certificate-validity", "expired"), ("certificate-trust", "")], "new certificate"),
        ([("a-requirement-of-tomorrow", "x")], ""),
    ],
)
def test_one_sentence_for_each_thing_to_do(failing: list[tuple[str, str]], fix: str) -> None:
    """What is wrong with one certificate is one new certificate, and the protocol is one clause."""
    assert _fix(*failing) == fix


@pytest.mark.parametrize(
    ("more", "fix"),
    [
        ({}, "serve https:// on a.example.com"),
        ({"https_verdict": Verdict.PASS}, "load https://a.example.com instead, which passes default ATS"),
    ],
)
def test_an_http_load_and_its_https(more: dict[str, object], fix: str) -> None:
    """The URL is what to change where https passes."""
    assert _fix(("insecure-http", "refused"), scheme="http", **more) == fix


def test_an_http_load_that_is_sent_on_names_where_to() -> None:
    """Only to the same host: another host's https is no replacement."""
    one = load("a.example.com", Verdict.BLOCKED, "blocked", scheme="http", findings=[finding("insecure-http", "")])
    failing = [f.finding for f in one.findings]
    there = replace(one, redirects_to="https://a.example.com:8443/x")
    assert (
        server_fix(there, failing, recording()) == "load https://a.example.com:8443 instead, to which it sends anyway"
    )
    elsewhere = replace(one, redirects_to="https://b.example.com/")
    assert server_fix(elsewhere, failing, recording()) == "serve https:// on a.example.com"


def test_an_https_that_sends_back_is_no_replacement() -> None:
    """It negotiates as ATS asks, and still ends in the clear."""
    one = load("a.example.com", scheme="http", findings=[finding("insecure-http", "")], https_verdict=Verdict.PASS)
    back = replace(tls(HTTPS, "192.0.2.1"), http_answer=HttpAnswer(301, "http://a.example.com/"))
    seen = replace(recording(), observations=(back,))
    assert server_fix(one, [f.finding for f in one.findings], seen) == (
        "let https://a.example.com answer instead of sending back to http://"
    )


def test_the_smallest_exception_helps_until_then() -> None:
    """All its keys, each with its value."""
    entry = ExceptionEntry(minimum_tls_version="TLSv1.0", requires_forward_secrecy=False)
    one = load("a.example.com", Verdict.EXCEPTION_REQUIRED, "blocked", minimal=entry)
    assert server_fix(one, [], recording()) == (
        "until then NSExceptionMinimumTLSVersion = TLSv1.0, NSExceptionRequiresForwardSecrecy = false"
    )


@pytest.mark.parametrize(
    ("requirement", "reason", "fix"),
    [
        ("tls-version", "TLS 1.2 at most; at least 1.3", "enable TLS 1.3"),
        ("cipher-suite", "no suite in common", "enable ECDHE suites"),
    ],
)
def test_what_the_app_alone_asks_for_may_be_met_or_asked_for_less(requirement: str, reason: str, fix: str) -> None:
    """A server that passes default ATS, and a stricter key of the app that blocks it, comes with what to do."""
    one = load("a.example.com", Verdict.PASS, "blocked", failing=(requirement,))
    strict = replace(one, declared=tuple(replace(d, reason=f"{requirement}: {reason}") for d in one.declared))
    assert declared_fix(strict) == f"{fix}, or let the app's own dictionary ask for less"
    known = replace(strict, findings=(finding(requirement, reason),))
    assert not declared_fix(known)
    assert not declared_fix(load("a.example.com", Verdict.PASS, "allowed"))


def _unknown(**more: object):
    return load("a.example.com", Verdict.INCONCLUSIVE, "inconclusive", reason="why", **more)


@pytest.mark.parametrize(
    ("made", "why", "option"),
    [
        (_unknown(observations=(tls(HTTPS, "192.0.2.1", NoAnswer("reset")),)), "why", "--rate 1"),
        (_unknown(observations=(tls(HTTPS, "192.0.2.1", NoAnswer("not-tls")),)), "why", ""),
        (_unknown(observations=(tls(HTTPS, "192.0.2.1", negotiated(), NoAnswer("closed")),)), "why", ""),
        (_unknown(observations=(PlaintextObservation(HTTP, Address("192.0.2.1", 80), THEN, NoAnswer("timeout")),)), "why",
         "--timeout and --deadline SECONDS"),
        (_unknown(observations=(Unreachable(HTTPS, Address("192.0.2.1", 443), THEN, "not-contacted"),)), "why",
         "--allow-private, or name it on the command line"),
        (_unknown(observations=(), resolution=unresolved("a.example.com", "no-addresses")), "the name has no address",
         "--resolve {server}:ADDRESS"),
        (_unknown(observations=(), resolution=unresolved("a.example.com", "no-answer", "no name server is configured")),
         "no name server is configured", "--nameserver ADDRESS, or --resolve {server}:ADDRESS"),
        (_unknown(findings=[finding("certificate-trust", "issuer not sent", "unknown"),
                            finding("certificate-revocation", "no staple", "unknown")]),
         "certificate-trust: issuer not sent", ""),
    ],
)  # fmt: skip
def test_why_a_load_could_not_be_judged_and_what_settles_it(made, why: str, option: str) -> None:
    """The reason as seen, and an option only where one helps."""
    assert (why_not_judged(made), advice(made)) == (why, option)


def test_a_private_address_is_settled_in_the_plist() -> None:
    """iOS versions differ there, so no option of ours helps."""
    made = load("192.168.1.20", Verdict.INCONCLUSIVE, "inconclusive", scheme="http", port=3000)
    assert advice(made) == "NSAllowsLocalNetworking = true, which settles it"
    assert advice(load("192.0.2.1", Verdict.INCONCLUSIVE, "inconclusive")) == ""
