"""Diagnoses made by hand: what weighing a look at a host would give, without a server or a packet."""

from __future__ import annotations

from dataclasses import replace

from made_results import IOS26, OFFER, THEN, negotiated, profile, recording, unresolved

from atsprobe.model.app import Extraction, SkippedInput
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.diagnosis import Diagnosis, DiagnosticRow, UrlSessionError
from atsprobe.model.dictionary import ExceptionEntry
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.handshake import Alert, Experiment, Refused
from atsprobe.model.judgement import Finding, RequirementId, Verdict
from atsprobe.model.observation import Address, Resolution, Resolved, TlsObservation
from atsprobe.model.policy import Client
from atsprobe.model.result import DiagnoseResult
from atsprobe.weigh.diagnostics import further_tests, nscurl_tests

NO_PFS = ExceptionEntry(requires_forward_secrecy=False)
TLS10 = ExceptionEntry(minimum_tls_version="TLSv1.0")
NO_TLS_1_3 = "the server has no TLS 1.3 (ATS does not ask for it)"

Failure = tuple[int, int | None, str, str]
"""NSURLError code, inner code, requirement, reason."""


def diagnosis(
    results,
    failures=(),
    *,
    host="pay.example.org",
    port=443,
    verdict=Verdict.PASS,
    minimal=None,
    justified=(),
    needs_code=False,
    ips=("192.0.2.44", "2001:db8::44"),
    odd=None,
    connections=(8, 8),
    remarks=None,
    reason="",
    also=(),
    client=None,
    resolution=None,
):
    """Make a table: ``results`` has a letter for each row, P, ? or the digit of one of the ``failures``.

    ``odd`` is the address on which rows that do not pass fail alone; ``remarks`` are by the number of the row.
    """
    endpoint = Endpoint(Host(host), port)
    addresses = tuple(Address(ip, port) for ip in ips)
    tests = (*nscurl_tests(endpoint.host), *further_tests(endpoint.host))
    rows = []
    for number, (test, letter) in enumerate(zip(tests, results, strict=True)):
        remark = (remarks or {}).get(number, "")
        if letter in "P?":
            answer = "PASS" if letter == "P" else "INCONCLUSIVE"
            rows.append(
                DiagnosticRow(test, answer, reason=reason if letter == "?" else "", addresses=addresses, remark=remark)
            )
            continue
        code, inner, requirement, why = failures[int(letter)]
        failing = (finding(requirement, why), *(also if number == 0 else ())) if requirement else ()
        on = addresses if odd is None else tuple(a for a in addresses if a.ip == odd)
        rows.append(DiagnosticRow(test, "FAIL", UrlSessionError(code, inner), failing, why, on, remark))
    return Diagnosis(
        endpoint=endpoint,
        client=client or Client(replace(IOS26, sdk_default_floor=(26,))),
        rows=tuple(rows),
        verdict=verdict,
        minimal_exception=minimal,
        justified=justified,
        needs_code=needs_code,
        addresses=addresses,
        resolution=resolution or Resolution(endpoint.host, port, Resolved(addresses, "dns")),
        observations=tuple(seen(endpoint, a, n) for a, n in zip(addresses, connections, strict=False)),
    )


def finding(requirement, evidence):
    return Finding(RequirementId(requirement), "fail", evidence, "Apple, Preventing insecure network connections")


def seen(endpoint, address, connections):
    refused = Experiment(OFFER, Refused(Alert(40)), max(connections - 1, 1))
    accepted = Experiment(OFFER, negotiated(TlsVersion.TLS_1_2, "TLS_RSA_WITH_AES_128_CBC_SHA"))
    made = (refused, accepted) if connections > 1 else (accepted,)
    return TlsObservation(endpoint, address, THEN, made)


def result(*diagnoses, skipped=()):
    """Give what `diagnose` answers."""
    of = recording()
    extraction = Extraction(skipped=tuple(SkippedInput(t, "", why, unreadable=True) for t, why in skipped))
    return DiagnoseResult(type(of)(extraction, (), (), (), THEN, THEN), tuple(diagnoses), "Apple roots 26")


def static_rsa() -> Diagnosis:
    """A server of static RSA on both of its addresses."""
    failures = (
        (-1200, -9824, "forward-secrecy", "the server accepts static RSA suites only"),
        (-1200, -9836, "tls-version", NO_TLS_1_3),
    )
    return diagnosis("0P1000PP1PPP1PPP00", failures, verdict=Verdict.EXCEPTION_REQUIRED, minimal=NO_PFS)


def old_version() -> Diagnosis:
    """A server of TLS 1.0, whose name fills a line, and that only an older SDK would reach."""
    failures = ((-1200, -9836, "tls-version", "TLS 1.0 at most; at least 1.2"),)
    remark = "PASS in an app linked with an SDK before 26"
    return diagnosis(
        "000000000000000000",
        failures,
        host="a-label-of-sixty-three-characters-is-as-long-as-any-may-be-0123.eu-central-1.backend.example.com",
        port=8443,
        verdict=Verdict.EXCEPTION_REQUIRED,
        minimal=TLS10,
        justified=("NSExceptionMinimumTLSVersion",),
        needs_code=True,
        ips=("192.0.2.7",),
        connections=(4,),
        remarks={1: remark, 5: remark, 11: remark, 15: remark},
    )


def hostile() -> Diagnosis:
    """A server whose certificate writes what would move a cursor, make a table or mention somebody."""
    name = "names x|y`<b>@octocat</b>\x1b[2J\u202e"
    failures = (
        (-1200, -9802, "certificate-hostname", name),
        (-1202, -9843, "certificate-hostname", name),
    )
    return diagnosis(
        "010000010000111110",
        failures,
        host="xn--bcher-kva.example.net",
        verdict=Verdict.BLOCKED,
        ips=("192.0.2.8", "192.0.2.9"),
        odd="192.0.2.9",
        connections=(1, 1),
        also=(finding("certificate-validity", "expired 2026-02-28 23:59:59 UTC, 268 days ago"),),
    )


def passing(client=None) -> Diagnosis:
    """A server that default ATS takes as it is."""
    return diagnosis(
        "P" * 18,
        host="api.example.com",
        ips=("203.0.113.10",),
        connections=(1,),
        minimal=ExceptionEntry(),
        client=client,
    )


def open_table() -> Diagnosis:
    """A server that did not answer."""
    return diagnosis(
        "?" * 18,
        host="silent.example.com",
        verdict=Verdict.INCONCLUSIVE,
        ips=("203.0.113.7",),
        connections=(),
        reason="no TCP answer in time",
    )


def no_such_name() -> Diagnosis:
    """A name that DNS does not know."""
    return diagnosis(
        "?" * 18,
        host="api.exmaple.example.com",
        verdict=Verdict.INCONCLUSIVE,
        ips=(),
        connections=(),
        reason="no address is known",
        resolution=unresolved("api.exmaple.example.com", "no-such-name"),
    )


def older_client() -> Client:
    """An iOS without the NIAP keys."""
    return Client(profile("ios17"))
