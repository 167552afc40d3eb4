"""nscurl's rows: their order and words, and that each says what the server would do; errors, clients, hosts outside ATS."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_network import REFUSES, Gone
from simulated_pki import NOW, chain, root
from simulated_server import (
    CBC_SHA384,
    DHE,
    EXPIRED,
    GROUPS,
    NO_INTERMEDIATE_AIA,
    OK,
    RSA,
    SELF_SIGNED,
    T10,
    T10_ONLY,
    T11,
    T12,
    T12_ONLY,
    T13,
    TLS_1_3_SUITES,
    TRIPLE_DES,
    WRONG_NAME,
    SimulatedServer,
    handshakes,
    never,
)

from atsprobe.ats.offer import diagnostic_offers
from atsprobe.ats.policy import PolicyResolver
from atsprobe.ats.profile import ios_profiles, profiles
from atsprobe.model.app import Extraction
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.endpoint import Argument, Endpoint, Host, Reference
from atsprobe.model.handshake import Alert, Negotiated, Refused, UnofferedVersion
from atsprobe.model.judgement import Verdict
from atsprobe.model.observation import Address, Resolution, Resolved, TlsObservation, Unreachable
from atsprobe.model.recording import Recording
from atsprobe.model.result import ExitCode, exit_code
from atsprobe.model.trust_store import TrustStore
from atsprobe.weigh.diagnostics import diagnose, nscurl_tests

HOST = "example.com"
IPS = ("192.0.2.1", "198.51.100.1")
TRUST = TrustStore(public=(), installed=(root().der,))
MIN, PFS, HTTP = (
    "NSExceptionMinimumTLSVersion",
    "NSExceptionRequiresForwardSecrecy",
    "NSExceptionAllowsInsecureHTTPLoads",
)


def seen(*ports, host=HOST, ios=(), profile=None, interrupted=False):
    """Give the recording of a scan of one host, a port for each of its addresses."""
    endpoint = Endpoint(Host(host), 443)
    offers = diagnostic_offers(profiles(ios, None, profile))
    addresses = tuple(Address(ip, 443) for ip in IPS[: len(ports)])
    observations = []
    for address, port in zip(addresses, ports, strict=True):
        if isinstance(port, Gone):
            observations.append(Unreachable(endpoint, address, NOW, port.reason))
            continue
        connection = port.answer if isinstance(port, SimulatedServer) else port
        observations.append(TlsObservation(endpoint, address, NOW, handshakes(connection, offers)))
    named = Reference(endpoint, host, None, "", Argument(), host, "command-line")
    return Recording(
        extraction=Extraction(references=(named,)),
        resolutions=(Resolution(endpoint.host, 443, Resolved(addresses, "dns")),),
        observations=tuple(observations),
        installed_roots=(),
        started_at=NOW,
        finished_at=NOW,
        interrupted=interrupted,
    )


def table(*ports, sdk=None, trust=TRUST, **more):
    """Diagnose one host as one client."""
    asked = {"ios": more.get("ios", ()), "profile": more.get("profile")}
    (found,) = diagnose(seen(*ports, **more), trust=trust, sdk=sdk, **asked).diagnoses
    return found


def results(diagnosis):
    return "".join({"PASS": "P", "FAIL": "F", "INCONCLUSIVE": "?"}[row.result] for row in diagnosis.rows)


def test_the_sixteen_tests_of_nscurl():
    """Order, headings, labels and dictionaries are those that nscurl prints."""
    pfs = "Configuring TLS exceptions with PFS disabled for h.example"
    both = "Configuring TLS exceptions with PFS disabled and insecure HTTP allowed for h.example"
    rows = [
        ("Default ATS Secure Connection", "ATS Default Connection", {}),
        ("Allowing Arbitrary Loads", "Allow All Loads", {"NSAllowsArbitraryLoads": True}),
        ("Configuring TLS exceptions for h.example", "TLSv1.3", {MIN: "TLSv1.3"}),
        ("Configuring TLS exceptions for h.example", "TLSv1.2", {MIN: "TLSv1.2"}),
        ("Configuring TLS exceptions for h.example", "TLSv1.1", {MIN: "TLSv1.1"}),
        ("Configuring TLS exceptions for h.example", "TLSv1.0", {MIN: "TLSv1.0"}),
        ("Configuring PFS exceptions for h.example", "Disabling Perfect Forward Secrecy", {PFS: False}),
        (
            "Configuring PFS exceptions and allowing insecure HTTP for h.example",
            "Disabling Perfect Forward Secrecy and Allowing Insecure HTTP",
            {HTTP: True, PFS: False},
        ),
        (pfs, "TLSv1.3 with PFS disabled", {MIN: "TLSv1.3", PFS: False}),
        (pfs, "TLSv1.2 with PFS disabled", {MIN: "TLSv1.2", PFS: False}),
        (pfs, "TLSv1.1 with PFS disabled", {MIN: "TLSv1.1", PFS: False}),
        (pfs, "TLSv1.0 with PFS disabled", {MIN: "TLSv1.0", PFS: False}),
        (both, "TLSv1.3 with PFS disabled and insecure HTTP allowed", {HTTP: True, MIN: "TLSv1.3", PFS: False}),
        (both, "TLSv1.2 with PFS disabled and insecure HTTP allowed", {HTTP: True, MIN: "TLSv1.2", PFS: False}),
        (both, "TLSv1.1 with PFS disabled and insecure HTTP allowed", {HTTP: True, MIN: "TLSv1.1", PFS: False}),
        (both, "TLSv1.0 with PFS disabled and insecure HTTP allowed", {HTTP: True, MIN: "TLSv1.0", PFS: False}),
    ]
    expected = [
        (section, label, keys if number < 2 else {"NSExceptionDomains": {"h.example": keys}})
        for number, (section, label, keys) in enumerate(rows)
    ]
    assert [(t.section, t.label, t.dictionary) for t in nscurl_tests(Host("h.example"))] == expected


@pytest.mark.parametrize(
    ("server", "sdk", "rows"),
    [
        (OK, None, "PPPPPPPPPPPPPPPPPP"),
        (T12_ONLY, None, "PPFPPPPPFPPPFPPPPP"),
        (RSA, None, "FPFFFFPPFPPPFPPPFF"),
        (T10_ONLY, None, "FFFFFFFFFFFFFFFFFF"),
        (T10_ONLY, "18", "FPFFFPFFFFFPFFFPFF"),
        (DHE, None, "FFFFFFFFFFFFFFFFFF"),
        (CBC_SHA384, None, "FFFFFFFFFFFFFFFFFF"),
        # nobody has proved that an app offers 3DES where no list is imposed
        (TRIPLE_DES, None, "F?FFFFF?FFFFF???FF"),
        (EXPIRED, None, "FFFFFFFFFFFFFFFFFF"),
        (NO_INTERMEDIATE_AIA, None, "??????????????????"),
    ],
)
def test_rows_of_servers(server, sdk, rows):
    """Version floor, forward secrecy and trust, each where it bites; 3DES and a fetched intermediate stay open."""
    assert results(table(server, sdk=sdk)) == rows


def test_a_version_that_the_sdk_keeps_away():
    """As nscurl of macOS 26: every row fails, and those that an older SDK would bring back say so."""
    diagnosis = table(T10_ONLY)
    remarks = [row.test.label for row in diagnosis.rows if row.remark]
    assert remarks == [
        "Allow All Loads",
        "TLSv1.0",
        "TLSv1.0 with PFS disabled",
        "TLSv1.0 with PFS disabled and insecure HTTP allowed",
    ]
    assert diagnosis.needs_code
    assert diagnosis.verdict is Verdict.EXCEPTION_REQUIRED
    assert not table(T10_ONLY, sdk="18").needs_code
    assert not table(T10_ONLY, ios=("17",)).needs_code


@pytest.mark.parametrize(
    ("server", "with_ats", "without_ats", "requirement"),
    [
        (RSA, (-1200, -9824), None, "forward-secrecy"),
        (DHE, (-1200, -9824), (-1200, -9824), "cipher-suite"),
        (T10_ONLY, (-1200, -9836), (-1200, -9836), "tls-version"),
        (EXPIRED, (-1200, -9802), (-1202, -9814), "certificate-validity"),
        (SELF_SIGNED, (-1200, -9802), (-1202, -9813), "certificate-trust"),
        (WRONG_NAME, (-1200, -9802), (-1202, -9843), "certificate-hostname"),
    ],
)
def test_errors(server, with_ats, without_ats, requirement):
    """A failure of trust comes as -1200 where ATS is in force, and as -1202 with its own inner code where it is not."""
    default, every, *_ = table(server).rows
    assert (default.error.code, default.error.stream_code) == with_ats
    assert default.failing[0].requirement == requirement
    found = (every.error.code, every.error.stream_code) if every.error else None
    assert found == without_ats


@pytest.mark.parametrize(
    ("by", "inner"),
    [
        (Alert(40), -9824),
        (Alert(70), -9836),
        (Alert(71), -9837),
        (UnofferedVersion(T11), -9836),
    ],
)
def test_errors_of_refusals(by, inner):
    """What the server says is what URLSession tells; nothing was ever accepted here."""
    diagnosis = table(lambda offer: Refused(by) if T13 not in offer.versions else Refused(Alert(70)), ios=("17",))
    refused = table(lambda offer: Refused(by), ios=("17",))
    assert refused.default.result == "FAIL"
    assert refused.default.error.stream_code == inner
    assert refused.default.reason
    assert diagnosis.default.result == "FAIL"


@pytest.mark.parametrize("port", [REFUSES, Gone("timeout"), never("reset"), never("not-tls")])
def test_what_was_not_seen_is_open(port):
    """A closed port, a timeout, a reset: no row fails for that, and no error is made up."""
    diagnosis = table(port)
    assert results(diagnosis) == "?" * 18
    assert all(row.error is None and row.reason for row in diagnosis.rows)
    assert diagnosis.minimal_exception is None


def test_addresses_that_disagree():
    """The worst result counts, on the addresses that have it; a row on which all agree names all."""
    diagnosis = table(OK, RSA)
    default, every, *_ = diagnosis.rows
    assert (default.result, [a.ip for a in default.addresses]) == ("FAIL", [IPS[1]])
    assert (every.result, [a.ip for a in every.addresses]) == ("PASS", list(IPS))
    assert not diagnosis.addresses_agree
    assert table(OK, OK).addresses_agree


def test_an_address_that_is_not_reached():
    """One address that passes and one that was not seen leave the row open."""
    assert results(table(OK, REFUSES)) == "?" * 18
    assert results(table(RSA, REFUSES))[0] == "F"


def test_an_address_without_a_route_takes_no_part():
    """It is neither judged nor held against the others."""
    diagnosis = table(OK, Gone("no-route"))
    assert results(diagnosis) == "P" * 18
    assert [a.ip for a in diagnosis.addresses] == [IPS[0]]


@pytest.mark.parametrize("host", ["printer.local", "localhost", "127.0.0.1"])
def test_a_host_outside_ats(host):
    """ATS leaves it alone, but the load is made all the same, and its certificate is looked at."""
    diagnosis = table(WRONG_NAME, host=host)
    assert diagnosis.verdict is Verdict.EXEMPT
    assert diagnosis.default.result == "FAIL"
    assert (diagnosis.default.error.code, diagnosis.default.error.stream_code) == (-1202, -9843)


def test_an_address_that_ios_17_governs():
    """A public address is outside ATS before iOS 17: static RSA passes there, not after."""
    rows = {ios: table(RSA, host="203.0.113.5", ios=(ios,)).default.result for ios in ("15.4", "17")}
    assert rows == {"15.4": "PASS", "17": "FAIL"}


def test_a_private_address_stays_open():
    """Reports contradict each other about it, unless ATS is off or an entry names it."""
    rows = table(RSA, host="192.168.1.20", ios=("17",)).rows
    by_label = {row.test.label: row.result for row in rows}
    assert by_label["ATS Default Connection"] == "INCONCLUSIVE"
    assert by_label["TLSv1.2"] == "FAIL"


def test_clients():
    """CBC-SHA384 passed until iOS 15.3; a table for each client, oldest first, from one look."""
    recording = seen(CBC_SHA384, ios=("all",))
    found = diagnose(recording, trust=TRUST, ios=("all",)).diagnoses
    assert {d.client.profile.name: d.default.result for d in found} == {
        "ios13": "PASS",
        "ios15.4": "FAIL",
        "ios17": "FAIL",
        "ios26": "FAIL",
    }


def test_modes():
    """In the NIAP mode leaving it is the exception; a system service reads no plist, so that all rows are one."""
    old = replace(T12_ONLY, suites=("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",))
    niap = table(old, profile="fcp21")
    assert (niap.default.result, niap.rows[1].result) == ("FAIL", "PASS")
    assert niap.minimal_exception.to_plist() == {"NSExceptionRequiresNIAPTLSPackageVersion": "none"}
    system = table(RSA, profile="apple-system-27")
    assert results(system) == "F" * 18
    assert system.verdict is Verdict.BLOCKED


def test_a_key_that_the_client_does_not_know():
    """The NIAP row of an older iOS is that of default ATS, and says so."""
    row = table(OK, ios=("17",)).rows[-1]
    assert (row.result, row.remark) == ("PASS", "read from iOS 26.4 on, so this is the row of default ATS")


@pytest.mark.parametrize(
    ("ports", "more", "code"),
    [
        ((OK,), {}, ExitCode.NOTHING_TO_ACT_ON),
        ((RSA,), {}, ExitCode.FINDINGS),
        ((REFUSES,), {}, ExitCode.INCOMPLETE),
        ((OK, RSA), {}, ExitCode.FINDINGS),
        ((RSA,), {"interrupted": True}, ExitCode.INTERRUPTED),
    ],
)
def test_exit_code_follows_the_first_row(ports, more, code):
    """Default ATS fails: 1; could not be told: 3. What other rows say has no weight."""
    assert exit_code(diagnose(seen(*ports, **more), trust=TRUST)) is code


SUITES = (
    *TLS_1_3_SUITES,
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
)
KINDS = {"rsa": chain("rsa"), "ecdsa": chain("ecdsa"), "expired": chain("rsa", "expired")}


def _some(of):
    return st.lists(st.sampled_from(of), min_size=1, max_size=len(of), unique=True).map(tuple)


servers = st.builds(
    SimulatedServer,
    versions=_some((T10, T11, T12, T13)),
    suites=_some(SUITES).map(lambda suites: tuple(sorted(suites, key=lambda s: "_3DES_" in s))),  # the last choice
    chains=st.sampled_from(
        [
            (("rsa", KINDS["rsa"]),),
            (("ecdsa", KINDS["ecdsa"]),),
            (("rsa", KINDS["rsa"]), ("ecdsa", KINDS["ecdsa"])),
            (("rsa", KINDS["expired"]),),
        ]
    ),
    groups=_some(GROUPS[:3]),
    prefers_own_order=st.booleans(),
    ignores_supported_versions=st.booleans(),
)


def _truth(server, row, client):
    """Say what a load comes to when the hello goes out whole, and when it goes out without what is not proved."""
    policy = PolicyResolver(client, AtsDictionary.from_plist(row.test.dictionary or None)).policy(Host(HOST))
    versions = tuple(v for v in policy.offer.versions if v not in policy.unproved_versions)
    whole = replace(policy.offer, versions=versions)
    proved = replace(whole, cipher_suites=tuple(s for s in whole.cipher_suites if s not in policy.unproved))
    answers = [server.answer(offer) for offer in (whole, proved)]
    return {"PASS" if isinstance(a, Negotiated) and a.certificates != KINDS["expired"] else "FAIL" for a in answers}


@settings(max_examples=100, deadline=None)
@given(server=servers, ios=st.sampled_from(["26", "17", "13", "all"]))
def test_no_row_says_what_the_server_would_not_do(server, ios):
    """On any server: PASS and FAIL are true, and one client's eight connections leave open only what nobody knows."""
    recording = seen(server, ios=(ios,))
    found = diagnose(recording, trust=TRUST, ios=(ios,)).diagnoses
    for diagnosis in found:
        for row in diagnosis.rows:
            truth = _truth(server, row, diagnosis.client)
            if row.result != "INCONCLUSIVE":
                assert truth == {row.result}, row.test.label
            elif diagnosis.client.profile.name != "ios26":  # whose hybrid group was not said
                assert len(truth) == 2, row.test.label  # 3DES, which nobody has proved that an app offers
    if ios != "all":
        made = sum(e.attempts for o in recording.observations for e in o.experiments)
        assert made <= 8


@settings(max_examples=40, deadline=None)
@given(server=servers)
def test_the_law_of_the_rows(server):
    """Who offers more fails no more: giving up forward secrecy, or a version, never turns a PASS into a FAIL of the handshake."""
    rows = {row.test.label: row for row in table(server, ios=("17",)).rows}
    for wide, narrow in (
        ("TLSv1.0", "TLSv1.1"),
        ("TLSv1.1", "TLSv1.2"),
        ("TLSv1.2", "TLSv1.3"),
        ("Disabling Perfect Forward Secrecy", "ATS Default Connection"),
        ("TLSv1.0 with PFS disabled", "TLSv1.0"),
    ):
        failed = rows[wide].failing
        of_handshake = rows[wide].result == "FAIL" and not any(f.requirement.startswith("certificate-") for f in failed)
        assert not (rows[narrow].result == "PASS" and of_handshake), (wide, narrow)


def test_profiles_are_those_of_ios():
    """Every iOS has a table."""
    recording = seen(OK, ios=("all",))
    found = diagnose(recording, trust=TRUST, ios=("all",)).diagnoses
    assert [d.client.profile for d in found] == list(ios_profiles())
