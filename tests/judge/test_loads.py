"""What becomes of a load: allowed, blocked, exempt or inconclusive, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from certificate_maker import DAY, HOST, NOW, Make, Pki, root, sct_list
from judged import IOS26, policy, trusting
from test_connection_requirements import (
    CHAIN,
    FROM_10,
    NO_13,
    OWN,
    SERVERS,
    STATIC,
    T10,
    T12,
    T13,
    TRIPLE,
    WIDEST,
    WITH_RSA,
    lost,
    made,
    only,
    refused,
)

from atsprobe.judge.case import Case
from atsprobe.judge.judge import judge
from atsprobe.judge.requirements.registry import REQUIREMENTS
from atsprobe.model.certificate import Certificate
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.handshake import NoAnswer, NotMade
from atsprobe.model.observation import Address, HttpAnswer, PlaintextObservation, TlsObservation, Unreachable
from atsprobe.model.policy import PinnedIdentities

PKI = Pki()
TRUST = trusting(public=[PKI.top])
ADDRESS = Address("192.0.2.1", 443)
EXPIRED = PKI.chain(begins=NOW - 100 * DAY, span=50 * DAY)
SELF_SIGNED = (Make().certificate,)
WEAK = PKI.chain(kind="rsa1024")
ORDER = [
    "insecure-http",
    "tls-version",
    "forward-secrecy",
    "cipher-suite",
    "certificate-key-size",
    "certificate-signature-hash",
    "certificate-hostname",
    "certificate-validity",
    "certificate-trust",
    "certificate-purpose",
    "certificate-lifetime",
    "certificate-transparency",
    "certificate-revocation",
    "pinned-identity",
    "extended-master-secret",
]
ANSWERED = HttpAnswer(200)


def endpoint(scheme="https", host=HOST) -> Endpoint:
    return Endpoint(Host(host), 443 if scheme == "https" else 80, scheme)


def seen(*experiments, **more) -> TlsObservation:
    return TlsObservation(endpoint(), ADDRESS, NOW, tuple(experiments), **more)


def clear(answer=ANSWERED) -> PlaintextObservation:
    return PlaintextObservation(endpoint("http"), ADDRESS, NOW, answer)


def gone(reason="connection-refused") -> Unreachable:
    return Unreachable(endpoint(), ADDRESS, NOW, reason)


def with_chain(experiment, chain):
    return replace(experiment, outcome=replace(experiment.outcome, certificates=chain))


def load(observation, of_policy=None, *, scheme="https", https=None, **more):
    of_policy = of_policy or policy()
    case = Case(
        endpoint=endpoint(scheme, of_policy.host),
        address=ADDRESS if observation else None,
        seen=observation,
        https_seen=https,
        sent_on_to_https=more.pop("sent_on", False),
        not_contacted=more.pop("not_contacted", False),
        policy=of_policy,
        trust=more.pop("trust", TRUST),
        at=NOW,
        **more,
    )
    judgement = judge(case)
    assert [str(f.requirement) for f in judgement.findings] == ORDER
    return judgement


def entry(host=HOST, **keys):
    return {"NSExceptionDomains": {host: keys}}


HTTP = entry(NSExceptionAllowsInsecureHTTPLoads=True)
HTTP_WITHOUT_SECRECY = entry(NSExceptionAllowsInsecureHTTPLoads=True, NSExceptionRequiresForwardSecrecy=False)
ARBITRARY = {"NSAllowsArbitraryLoads": True}
GOOD = made(OWN)
BAD = with_chain(GOOD, EXPIRED)


def test_the_registry_is_the_contract() -> None:
    """Every requirement of the contract, in its order, each with a source."""
    assert [str(r.rule.id) for r in REQUIREMENTS] == ORDER
    assert all(r.rule.citation for r in REQUIREMENTS)


@pytest.mark.parametrize(
    ("experiments", "outcome", "failing", "reason"),
    [
        ([GOOD], "allowed", [], ""),
        ([BAD], "blocked", ["certificate-validity"], "certificate-validity: expired"),
        ([with_chain(GOOD, WEAK)], "blocked", ["certificate-key-size"], "certificate-key-size: RSA 1024"),
        (SERVERS["static RSA"], "blocked", ["forward-secrecy"], "forward-secrecy: static RSA"),
        (SERVERS["DHE alone, quick"], "blocked", ["cipher-suite"], "cipher-suite: none of the suites"),
        (
            [refused(OWN), NO_13, with_chain(made(WIDEST, T12, STATIC), EXPIRED)],
            "blocked",
            ["forward-secrecy", "certificate-validity"],
            "forward-secrecy: static RSA",
        ),
        (
            [refused(OWN), NO_13, lost(WIDEST)],
            "blocked",
            [],
            "the client's hello is refused: alert 40 (handshake_failure)",
        ),
        ([lost(OWN)], "inconclusive", [], "no answer in time"),
        (
            [lost(OWN), with_chain(made(WIDEST, T12, STATIC), EXPIRED)],
            "inconclusive",
            ["certificate-validity"],
            "no answer",
        ),
        (
            [GOOD, refused(OWN)],
            "inconclusive",
            [],
            "the client's hello was accepted once and refused once (throttled?)",
        ),
        ([BAD, refused(OWN)], "blocked", ["certificate-validity"], "certificate-validity: expired"),
        (
            SERVERS["refuses TLS 1.3 by alert 40"],
            "inconclusive",
            [],
            "refuses every hello, but may speak X25519MLKEM768",
        ),
        ([], "inconclusive", [], "the client's hello was not tried"),
        ([replace(lost(OWN), outcome=NotMade("no ML-KEM"))], "inconclusive", [], "a hello that this tool cannot say"),
        ([replace(lost(OWN), outcome=NoAnswer("not-tls"))], "inconclusive", [], "the port does not speak TLS"),
        ([with_chain(GOOD, ())], "inconclusive", [], "a certificate cannot be judged"),
        ([with_chain(GOOD, (Certificate(b"\x30\x03abc"),))], "inconclusive", [], "a certificate cannot be judged"),
    ],
)
def test_https(experiments, outcome: str, failing: list[str], reason: str) -> None:
    """The outcome is that of the client's own hello; what was seen under another hello stands as a finding all the same."""
    judged = load(seen(*experiments))
    assert judged.outcome == outcome
    assert [str(f) for f in judged.failing] == failing
    assert judged.reason.startswith(reason)
    assert bool(judged.reason) == (outcome != "allowed")


def test_a_handshake_that_was_not_seen_rests_on_every_leaf_that_it_may_get() -> None:
    """Smaller hellos were accepted: allowed if all their leaves pass, blocked if none does, else unknown.

    A leaf that only enumeration saw, under a hello of another ceiling, counts for nothing: a quick scan says the same.
    """
    with_rsa = policy(plist=entry(NSExceptionRequiresForwardSecrecy=False))
    smaller = replace(OWN, cipher_suites=(OWN.cipher_suites[0], STATIC))
    other, enumerated = made(smaller, T12, STATIC), made(only(STATIC), T12, STATIC)
    table = [
        ([GOOD, other], "allowed", []),
        ([BAD, with_chain(other, WEAK)], "blocked", ["certificate-key-size", "certificate-validity"]),
        ([GOOD, with_chain(other, WEAK)], "inconclusive", []),
        ([GOOD, with_chain(enumerated, WEAK)], "allowed", []),
    ]
    for experiments, outcome, failing in table:
        judged = load(seen(*experiments), with_rsa)
        assert (judged.outcome, [str(f) for f in judged.failing]) == (outcome, failing)


def test_a_refused_hello_and_two_leaves_of_which_one_is_bad() -> None:
    """Which leaf the client would get if its hello suited is not known, so neither pass nor fail is said of it."""
    servers = [refused(OWN), NO_13, made(WIDEST, T12, STATIC), with_chain(made(WITH_RSA, T12, STATIC), WEAK)]
    judged = load(seen(*servers))
    key_size = judged.findings[ORDER.index("certificate-key-size")]
    assert judged.outcome == "blocked"
    assert key_size.status == "unknown"
    assert key_size.evidence == "RSA 1024 (leaf); at least 2048, on 1 of 2 chains"


def test_what_rests_on_unproved_suites_is_unknown() -> None:
    """3DES with ATS off: allowed if an app offers it, refused if not. Where both come to the same, that is said."""
    triple = [refused(OWN), NO_13, refused(WITH_RSA), made(WIDEST, T12, TRIPLE)]
    for plist in (ARBITRARY, HTTP_WITHOUT_SECRECY):
        judged = load(seen(*triple), policy(plist=plist))
        assert judged.outcome == "inconclusive"
        assert judged.reason == "works only with a suite that the client is not proved to offer"
    bad = [*triple[:-1], with_chain(triple[-1], EXPIRED)]
    assert load(seen(*bad), policy(plist=ARBITRARY)).outcome == "blocked"
    assert load(seen(*triple)).outcome == "blocked"


def test_what_rests_on_an_unproved_version_is_unknown() -> None:
    """TLS 1.0 by the key alone, under SDK 26; under an older SDK it is allowed."""
    plist = entry(NSExceptionMinimumTLSVersion="TLSv1.0")
    old = [refused(OWN, T10), made(FROM_10, T10)]
    for sdk, known in (("26.1", ""), (None, "the linked SDK is not known (--sdk); ")):
        judged = load(seen(*old), policy(plist=plist, sdk=sdk))
        assert judged.outcome == "inconclusive"
        assert judged.reason == f"{known}under SDK 26 or later code must set tlsMinimumSupportedProtocolVersion too"
    assert load(seen(*old), policy(plist=plist, sdk="18.5")).outcome == "allowed"
    bad = [old[0], with_chain(old[1], EXPIRED)]
    assert load(seen(*bad), policy(plist=plist)).outcome == "blocked"


def test_a_client_that_insists_on_the_extended_master_secret() -> None:
    """Its absence under TLS 1.2 blocks such a client, and no other."""
    strict = policy(requires_extended_master_secret=True)
    without = seen(made(OWN, ems=False))
    assert [str(f) for f in load(without, strict).failing] == ["extended-master-secret"]
    assert load(without, strict).outcome == "blocked"
    assert load(seen(made(OWN, ems=None)), strict).outcome == "inconclusive"
    assert load(without).outcome == "allowed"
    assert load(seen(made(OWN, T13, "TLS_AES_128_GCM_SHA256")), strict).outcome == "allowed"


@pytest.mark.parametrize(
    ("observation", "reason"),
    [
        (gone("connection-refused"), "the port is closed (connection refused)"),
        (gone("timeout"), "no TCP answer in time"),
        (gone("no-route"), "no route to this address family from here"),
        (gone("interrupted"), "the audit ended before it was looked at"),
        (None, "no address is known"),
    ],
)
def test_https_that_was_not_reached_is_unknown(observation, reason: str) -> None:
    """A closed port, a timeout and an unknown name are never "not supported"."""
    judged = load(observation)
    assert (judged.outcome, judged.reason, judged.failing) == ("inconclusive", reason, ())
    statuses = {f.status for f in judged.findings}
    assert statuses == {"unknown", "not-applicable"}


def test_what_became_of_a_name_is_the_reason() -> None:
    """A load whose name has no address says why it has none."""
    judged = load(None, why_no_address="no such name (NXDOMAIN)")
    assert (judged.outcome, judged.reason) == ("inconclusive", "no such name (NXDOMAIN)")


def test_http_without_permission_is_blocked_whatever_the_server_does() -> None:
    """It needs no server: refused, answered and unknown ports are all the same."""
    for observation in (clear(), gone(), None, clear(NoAnswer("timeout"))):
        judged = load(observation, scheme="http")
        assert judged.outcome == "blocked"
        assert [str(f) for f in judged.failing] == ["insecure-http"]
        assert judged.findings[0].fixable_by == "NSExceptionAllowsInsecureHTTPLoads"


def test_http_with_permission_works_where_the_port_answers() -> None:
    """Any HTTP answer will do; a silent or closed port is unknown."""
    allowed = policy(plist=HTTP)
    assert load(clear(), allowed, scheme="http").outcome == "allowed"
    assert load(clear(HttpAnswer(500)), allowed, scheme="http").outcome == "allowed"
    assert load(clear(NoAnswer("timeout")), allowed, scheme="http").outcome == "inconclusive"
    assert load(gone(), allowed, scheme="http").outcome == "inconclusive"
    assert load(None, allowed, scheme="http").outcome == "inconclusive"
    assert load(None, allowed, scheme="http", not_contacted=True).outcome == "allowed"
    assert all(f.status == "not-applicable" for f in load(clear(), allowed, scheme="http").findings)


def test_http_that_is_sent_on_to_https_ends_as_that_does() -> None:
    """The redirect's target is judged under the same entry, and its failures stand beside insecure-http."""
    allowed = policy(plist=HTTP)
    sent = clear(HttpAnswer(301, f"https://{HOST}/"))
    assert load(sent, allowed, scheme="http", https=seen(GOOD), sent_on=True).outcome == "allowed"
    assert load(sent, allowed, scheme="http", https=seen(BAD), sent_on=True).outcome == "blocked"
    assert load(sent, allowed, scheme="http", https=gone(), sent_on=True).outcome == "inconclusive"
    default = load(sent, scheme="http", https=seen(BAD), sent_on=True)
    assert [str(f) for f in default.failing] == ["insecure-http", "certificate-validity"]
    assert default.reason.startswith("insecure-http")


def test_http_under_dev_and_app_is_the_https_load() -> None:
    """URLSession never sends it in the clear (Apple, iOS 13.3 release notes)."""
    host = "www.service.dev"
    of_policy = policy(host)
    chain = PKI.chain(names=(host,))
    judged = load(None, of_policy, scheme="http", https=seen(with_chain(GOOD, chain)))
    assert judged.outcome == "allowed"
    assert judged.findings[0].status == "not-applicable"
    assert load(clear(), of_policy, scheme="http", https=None).outcome == "inconclusive"
    dead = load(None, of_policy, scheme="http", https=seen(BAD))
    assert [str(f) for f in dead.failing] == ["certificate-hostname", "certificate-validity"]


def test_hosts_outside_ats_are_exempt() -> None:
    """A local name needs nothing, unless an entry or NSAllowsLocalNetworking = false puts ATS back."""
    for scheme in ("http", "https"):
        judged = load(None, policy("localhost"), scheme=scheme, not_contacted=True)
        assert (judged.outcome, judged.failing) == ("exempt", ())
        assert {f.status for f in judged.findings} == {"not-applicable"}
    back = policy("printer.local", {"NSAllowsLocalNetworking": False})
    assert load(None, back, scheme="http", not_contacted=True).outcome == "blocked"
    assert load(None, back, not_contacted=True).outcome == "inconclusive"
    assert load(None, back, not_contacted=True).reason == "a local or private address, not contacted"


def test_private_addresses_are_contested() -> None:
    """Reports about them contradict each other: unknown, unless it works whichever way the client decides."""
    host = "192.168.1.5"
    default, off = policy(host), policy(host, ARBITRARY)
    good = seen(with_chain(GOOD, PKI.chain(names=(host,))))
    assert load(clear(), default, scheme="http").outcome == "inconclusive"
    assert load(clear(), default, scheme="http").findings[0].status == "unknown"
    assert load(clear(), off, scheme="http").outcome == "allowed"
    assert load(None, off, scheme="http", not_contacted=True).outcome == "allowed"
    assert load(None, default, not_contacted=True).outcome == "inconclusive"
    assert load(good, default).outcome == "allowed"
    assert load(seen(BAD), default).outcome == "inconclusive"


def test_code_that_accepts_a_server_trust_makes_trust_failures_unknown() -> None:
    """Only where ATS is off, only for trust, dates and names, and only if nothing else fails."""
    own = seen(with_chain(GOOD, SELF_SIGNED))
    for plist in (HTTP, ARBITRARY):
        assert load(own, policy(plist=plist)).outcome == "blocked"
        assert load(own, policy(plist=plist), accepts_server_trust=True).outcome == "inconclusive"
    assert load(own, policy(), accepts_server_trust=True).outcome == "blocked"
    weak = seen(with_chain(GOOD, (Make(kind="rsa1024").certificate,)))
    assert load(weak, policy(plist=HTTP), accepts_server_trust=True).outcome == "blocked"
    refusing = seen(*SERVERS["static RSA"])
    assert load(refusing, policy(plist=HTTP), accepts_server_trust=True).outcome == "blocked"


def test_pins_block_a_load_that_passes_otherwise() -> None:
    """The pin stands beside default ATS, and no key lifts it."""
    judged = load(seen(GOOD), policy(pins=PinnedIdentities(leaf=(b"\0" * 32,))))
    assert judged.outcome == "blocked"
    assert [str(f) for f in judged.failing] == ["pinned-identity"]


def test_scts_of_the_tls_extension_are_counted() -> None:
    """Two timestamps by the handshake are as good as embedded ones; one alone, and none embedded, is certainly too few."""
    for number, status in ((2, "unknown"), (1, "fail"), (0, "fail")):
        with_list = replace(GOOD, outcome=replace(GOOD.outcome, scts=sct_list(number)))
        finding = load(seen(with_list)).findings[ORDER.index("certificate-transparency")]
        assert finding.status == status, finding
    assert load(seen(GOOD)).findings[ORDER.index("certificate-transparency")].status == "unknown"


def test_an_installed_root_lets_a_private_chain_pass() -> None:
    """What --ca-file adds counts as installed by the user."""
    mine = Pki(root("Mine"))
    chain = mine.chain(span=800 * DAY)
    assert load(seen(with_chain(GOOD, chain))).outcome == "blocked"
    assert load(seen(with_chain(GOOD, chain)), trust=trusting(installed=[mine.top])).outcome == "allowed"


def test_the_same_chain_is_judged_once() -> None:
    """Many policies over one observation cost one look at its certificates."""
    from atsprobe.judge.certificates import chain_findings

    chain = PKI.chain(serial=999)
    before = chain_findings.cache_info().misses
    for plist in (
        {},
        HTTP,
        entry(NSExceptionMinimumTLSVersion="TLSv1.1"),
        entry(NSExceptionRequiresForwardSecrecy=False),
    ):
        load(seen(with_chain(GOOD, chain)), policy(plist=plist))
    assert chain_findings.cache_info().misses == before + 1


def test_ios26_is_what_these_tests_judge_as() -> None:
    """The chain that the experiments carry is accepted: what fails in these tests fails for its own reason."""
    assert IOS26.name == "ios26"
    assert load(seen(with_chain(GOOD, CHAIN))).outcome == "allowed"
