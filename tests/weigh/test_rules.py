"""Corners of the rules that the table of scenarios leaves out, in the same words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scenario import (
    AL,
    ALLOW_HTTP,
    HTTP,
    LN,
    MIN,
    NO_PFS,
    PASSES,
    PFS,
    SUB,
    TLS10,
    WEB,
    App,
    Scenario,
    See,
    entries,
    needs,
)
from scenario_checks import check_plist_and_exit, check_statuses, check_verdicts, concluded
from scenarios_of_many_hosts import AC, AS, BC, BS, D_PFS, DS, ENCRYPTED, MISSING, PRINTER, PRIVATE, A, B
from scenarios_of_one_host import (
    CLEAR,
    HC,
    HS,
    NEEDS_HTTP_ALLOWED,
    NEEDS_PFS_ALLOWED,
    NEEDS_PFS_BLOCKED,
    NOT_SEEN,
    D,
    H,
    h,
    of,
)
from simulated_network import REFUSES, TIMES_OUT, Faulty, look, sends_to
from simulated_pki import chain
from simulated_server import (
    CBC_SHA384,
    EXPIRED,
    OK,
    RSA,
    T10_ONLY,
    T10_STATIC_RSA,
    T11_ONLY,
    T12,
    T13,
    TWO_LEAVES_ONE_EXPIRED,
    WRONG_NAME,
    never,
)

from atsprobe.model.app import UrlTemplate
from atsprobe.model.endpoint import Host
from atsprobe.model.handshake import NoAnswer
from atsprobe.model.result import exit_code
from atsprobe.model.trust_store import TrustStore
from atsprobe.weigh.conclude import conclude

NO_INTERMEDIATE = replace(OK, chains=(("ecdsa", chain("ecdsa", "no-intermediate")),))
T10_RSA_EXPIRED = replace(T10_STATIC_RSA, chains=(("rsa", chain("rsa", "expired")),))
T10_DHE = replace(T10_ONLY, suites=("TLS_DHE_RSA_WITH_AES_128_CBC_SHA",))
SUB_PFS_ALL_OK = {AS: OK, BS: OK, DS: OK}
UNDER_D = UrlTemplate("example.com", "org.example.app", "App.ipa", "App", "https://%@.example.com/")
NETWORK = "203.0.113.0/24"
IP5, IP6 = "http://203.0.113.5", "http://203.0.113.6"
EACH_PASSES = {AS: PASSES, BS: PASSES, DS: PASSES}


def _pattern(variant, status, plist, exit_, **more):
    """Give the row of an unneeded pattern (every host below example.com passes), with one more thing said."""
    if status == "?":
        more["said"] = ("--assume-complete", f"weighed: {A}:443 does not need it")
    return Scenario(
        0,
        App(D_PFS, (AS, BS)),
        SUB_PFS_ALL_OK,
        EACH_PASSES,
        of(D, PFS=status, SUB=status),
        plist,
        exit_,
        variant,
        **more,
    )


SEEN_IN_FULL = [
    _pattern("a-template-under-the-domain", "?", "=", 3, templates=(UNDER_D,)),
    _pattern("a-template-of-any-host", "?", "=", 3, templates=(replace(UNDER_D, suffix=""),)),
    _pattern("a-template-elsewhere", "U", None, 1, templates=(replace(UNDER_D, suffix="example.net"),)),
    _pattern("a-template-of-a-part-of-a-label", "U", None, 1, templates=(replace(UNDER_D, suffix="notexample.com"),)),
    _pattern("a-template-but-all-is-told", "U", None, 1, templates=(UNDER_D,), assume_complete=True),
    _pattern("a-host-not-audited-below", "?", "=", 3, not_audited=(Host("c.example.com"),)),
    _pattern("a-host-not-audited-elsewhere", "U", None, 1, not_audited=(Host("c.example.net"),)),
    _pattern("a-file-skipped", "?", "=", 3, skipped=(ENCRYPTED,)),
    Scenario(
        0,
        App(D_PFS),
        {DS: OK},
        {DS: PASSES},
        of(D, PFS="U", SUB="?"),
        exit=1,
        plist="not told",
        assume_complete=True,
        variant="nothing-below-but-all-is-told",
    ),
    Scenario(
        0,
        App(h(NO_PFS), (HS,)),
        {HS: OK},
        {HS: PASSES},
        of(H, PFS="U"),
        exit=1,
        skipped=(ENCRYPTED,),
        templates=(replace(UNDER_D, suffix=""),),
        variant="an-exact-key-needs-no-whole-app",
    ),
    Scenario(
        0,
        App({AL: True}, (AS,)),
        {AS: OK},
        {AS: PASSES},
        {(None, AL): "U"},
        exit=1,
        skipped=(ENCRYPTED,),
        assume_complete=True,
        variant="all-is-told-although-encrypted",
    ),
    Scenario(
        0,
        App({AL: True}, (AS,)),
        {AS: RSA},
        {AS: NEEDS_PFS_ALLOWED},
        {(None, AL): "N"},
        plist="not told",
        exit=3,
        skipped=(ENCRYPTED,),
        variant="arbitrary-loads-needed-where-not-all-was-seen",
    ),
]

HTTP_ASSUMED = [
    Scenario(
        0,
        App({AL: True}, bare=(H,)),
        {HS: REFUSES, HC: CLEAR},
        {HS: NOT_SEEN},
        {(None, AL): "?"},
        plist="=",
        exit=3,
        variant="never-because-of-arbitrary-loads",
    ),
    Scenario(
        0,
        App(h(ALLOW_HTTP)),
        {HS: EXPIRED, HC: sends_to(f"{HS}/")},
        {HS: See("B/B", ("certificate-validity",))},
        of(H, HTTP="I"),
        exit=1,
        variant="never-where-http-is-sent-on-to-https",
    ),
    Scenario(
        0,
        App(entries({D: {HTTP: True, SUB: True}}), bare=(A,)),
        {AS: REFUSES, AC: CLEAR, DS: REFUSES, f"http://{D}": CLEAR},
        {AS: NOT_SEEN, f"http://{D}": NEEDS_HTTP_ALLOWED},
        of(D, HTTP="N", SUB="?"),
        plist="=",
        exit=3,
        variant="only-for-the-host-of-the-entry",
    ),
    Scenario(
        0,
        App(h(ALLOW_HTTP)),
        {HS: T10_ONLY, HC: CLEAR},
        {HC: NEEDS_HTTP_ALLOWED},
        of(H, HTTP="N"),
        plist="=",
        variant="where-https-fails-for-its-version",
    ),
]

WHERE_HTTP_LEADS = [
    Scenario(
        0,
        App(h(ALLOW_HTTP), (HC,)),
        {HC: sends_to(f"{HS}:8443/"), f"{HS}:8443": OK, HS: REFUSES},
        {HC: NEEDS_HTTP_ALLOWED},
        of(H, HTTP="N"),
        plist="=",
        variant="sent-on-to-another-port-while-443-is-closed",
    ),
    Scenario(
        0,
        App(h(ALLOW_HTTP), (HC,)),
        {HC: sends_to(f"{HS}/"), HS: TIMES_OUT},
        {HC: See("~/~", ("insecure-http",))},
        of(H, HTTP="?"),
        plist="=",
        exit=3,
        variant="sent-on-to-an-https-that-does-not-answer",
    ),
    Scenario(
        0,
        App(h(ALLOW_HTTP), (f"{HC}:8080",)),
        {f"{HS}:8080": OK},
        {f"{HC}:8080": See("~/~", ("insecure-http",))},
        of(H, HTTP="R"),
        plist="=",
        exit=1,
        variant="the-counterpart-of-another-port-is-that-port",
    ),
    Scenario(
        0,
        App(h(ALLOW_HTTP), (HC,)),
        {HC: CLEAR, HS: replace(OK, http_answer=NoAnswer("timeout"))},
        {HC: NEEDS_HTTP_ALLOWED},
        of(H, HTTP="N"),
        plist="=",
        variant="an-https-whose-answer-did-not-come-is-no-way-out",
    ),
    Scenario(
        0,
        App(h(ALLOW_HTTP), (HC, HS)),
        {HC: CLEAR, HS: OK},
        {HC: NEEDS_HTTP_ALLOWED, HS: PASSES},
        of(H, HTTP="R"),
        plist="=",
        exit=1,
        variant="both-schemes-in-urls",
    ),
    Scenario(
        0,
        App(h(ALLOW_HTTP), (HC,)),
        {HC: (CLEAR, CLEAR), HS: (OK, EXPIRED)},
        {HC: NEEDS_HTTP_ALLOWED},
        of(H, HTTP="N"),
        plist="=",
        variant="the-counterpart-must-pass-on-every-address",
    ),
    Scenario(
        0,
        App(None, (HC,)),
        {HC: sends_to(f"{HS}/"), HS: EXPIRED},
        {HC: See("B/B", ("insecure-http", "certificate-validity"))},
        exit=1,
        variant="no-key-helps-what-is-sent-on-to-an-expired-certificate",
    ),
    Scenario(
        0,
        App(h(ALLOW_HTTP), (f"ws://{H}",)),
        {HC: CLEAR, HS: REFUSES},
        {HC: NEEDS_HTTP_ALLOWED},
        of(H, HTTP="N"),
        plist="=",
        variant="ws-counts-as-http",
    ),
    Scenario(
        0,
        App(None, ("http://service.dev",)),
        {"http://service.dev": CLEAR, "https://service.dev": RSA},
        {"http://service.dev": needs(NO_PFS, "B", "forward-secrecy")},
        plist=entries({"service.dev": NO_PFS}),
        exit=1,
        variant="under-dev-the-load-is-its-https",
    ),
]

LOCAL = [
    Scenario(
        0,
        App(None, ("https://printer.local", "https://127.0.0.1", "http://127.0.0.1")),
        {},
        {
            "https://printer.local": See("x/x", minimal={}),
            "https://127.0.0.1": See("x/x", minimal={}),
            "http://127.0.0.1": See("x/x", minimal={}),
        },
        variant="local-hosts-are-exempt-unseen",
    ),
    Scenario(
        0,
        App({LN: False}, ("https://printer.local",)),
        {},
        {"https://printer.local": See("x/~", minimal={})},
        {(None, LN): "S"},
        plist="=",
        exit=3,
        variant="https-under-ats-to-a-host-that-is-not-contacted",
    ),
    Scenario(
        0,
        App(None, ("https://192.168.1.5",)),
        {},
        {"https://192.168.1.5": See("~/~")},
        plist={LN: True},
        exit=3,
        variant="https-to-a-private-address",
    ),
    Scenario(
        0,
        App({AL: True}, (PRIVATE,)),
        {},
        {PRIVATE: See("~/A")},
        {(None, AL): "?"},
        plist="not told",
        exit=3,
        variant="a-private-address-under-arbitrary-loads",
    ),
    Scenario(
        0,
        App(entries({"printer.local": {}}), (PRINTER,)),
        {},
        {PRINTER: See("x/B", minimal={}, declared_failing=("insecure-http",))},
        {("printer.local", None): "S"},
        plist="=",
        exit=1,
        variant="an-entry-puts-ats-back-on-a-local-name",
    ),
    Scenario(
        0,
        App(None, ("http://100.64.0.7",)),
        {"http://100.64.0.7": CLEAR},
        {"http://100.64.0.7": needs(ALLOW_HTTP, "B", "insecure-http")},
        plist=entries({"100.64.0.7": ALLOW_HTTP}),
        exit=1,
        variant="shared-address-space-is-public",
    ),
    Scenario(
        0,
        App(None, ("https://203.0.113.5",)),
        {"https://203.0.113.5": OK},
        {"https://203.0.113.5": PASSES},
        variant="a-public-address-in-the-certificate",
    ),
]

NETWORKS = [
    Scenario(
        0,
        App(entries({NETWORK: ALLOW_HTTP}), (IP5,)),
        {IP5: CLEAR},
        {IP5: needs(ALLOW_HTTP, "A", "insecure-http")},
        of(NETWORK, HTTP="W"),
        plist=entries({"203.0.113.5": ALLOW_HTTP}),
        exit=1,
        variant="one-address-needs-it",
    ),
    Scenario(
        0,
        App(entries({NETWORK: ALLOW_HTTP}), (IP5, IP6)),
        {IP5: CLEAR, IP6: CLEAR},
        {IP5: needs(ALLOW_HTTP, "A", "insecure-http"), IP6: needs(ALLOW_HTTP, "A", "insecure-http")},
        of(NETWORK, HTTP="N"),
        plist="=",
        variant="every-address-needs-it",
    ),
    Scenario(
        0,
        App(entries({"203.0.113.5/32": ALLOW_HTTP}), (IP5,)),
        {IP5: CLEAR},
        {IP5: needs(ALLOW_HTTP, "A", "insecure-http")},
        of("203.0.113.5/32", HTTP="N"),
        plist="=",
        variant="a-network-of-one-address",
    ),
    Scenario(
        0,
        App(entries({NETWORK: TLS10}), ("https://203.0.113.5", "https://203.0.113.6"), sdk="18.0"),
        {"https://203.0.113.5": T11_ONLY, "https://203.0.113.6": T11_ONLY},
        {},
        of(NETWORK, MIN="W"),
        plist="not told",
        exit=1,
        variant="a-higher-floor-is-enough-for-a-network",
    ),
    Scenario(
        0,
        App(entries({NETWORK: ALLOW_HTTP | {SUB: True}}), (IP5, IP6)),
        {IP5: CLEAR, IP6: CLEAR},
        {},
        of(NETWORK, HTTP="N", SUB="X"),
        plist="not told",
        exit=1,
        variant="subdomains-of-a-network",
    ),
]

FAILING = [
    Scenario(
        0,
        App(None, (HS,)),
        {HS: server},
        {HS: See("B/B", failing)},
        exit=1,
        variant=name,
    )
    for name, server, failing in (
        ("all-that-is-wrong", T10_RSA_EXPIRED, ("tls-version", "forward-secrecy", "certificate-validity")),
        ("dhe-on-tls-1.0", T10_DHE, ("tls-version", "cipher-suite")),
        ("wrong-name", WRONG_NAME, ("certificate-hostname",)),
        ("intermediate-omitted-without-a-url-for-it", NO_INTERMEDIATE, ("certificate-trust",)),
    )
]

SMALLEST = [
    Scenario(
        0,
        App(h({MIN: "TLSv1.3"}), (HS,)),
        {HS: RSA},
        {HS: NEEDS_PFS_BLOCKED},
        of(H, MIN="S"),
        plist=h({MIN: "TLSv1.3"}, NO_PFS),
        exit=1,
        variant="a-key-that-tightens-stays-beside-what-is-needed",
    ),
    Scenario(
        0,
        App(h({MIN: "TLSv1.3"}), (HS,)),
        {HS: T10_ONLY},
        {HS: needs(TLS10, "B", "tls-version")},
        of(H, MIN="S"),
        plist="=",
        exit=1,
        variant="a-key-that-tightens-is-not-loosened",
    ),
    *(
        Scenario(
            0,
            App(h({key: value}), urls),
            net,
            {},
            {(H, key): "S"},
            plist=h(least),
            exit=1,
            variant=f"{key}-restates-the-default-and-gives-way",
        )
        for key, value, urls, net, least in (
            (MIN, "TLSv1.2", (HS,), {HS: T10_ONLY}, TLS10),
            (PFS, True, (HS,), {HS: RSA}, NO_PFS),
            (HTTP, False, (HC,), {HC: CLEAR}, ALLOW_HTTP),
        )
    ),
    Scenario(
        0,
        App(h(ALLOW_HTTP, TLS10), (HC, HS), sdk="18.0"),
        {HC: CLEAR, HS: T10_ONLY},
        {HC: NEEDS_HTTP_ALLOWED, HS: needs(TLS10, "A", "tls-version")},
        of(H, HTTP="N", MIN="N"),
        plist="=",
        variant="united-over-the-loads-of-a-host",
    ),
    Scenario(
        0,
        App(entries({D: {SUB: True, HTTP: True} | NO_PFS}), (AS, BC)),
        {AS: RSA, BC: TIMES_OUT, DS: OK},
        {AS: NEEDS_PFS_ALLOWED, BC: See("~/~", ("insecure-http",)), DS: PASSES},
        of(D, HTTP="?", PFS="N", SUB="N"),
        plist="not told",
        exit=3,
        variant="an-unknown-host-keeps-the-pattern",
    ),
]

SMALLEST += [
    Scenario(
        0,
        App(None, ("https://captive.apple.com", "http://captive.apple.com")),
        {"https://captive.apple.com": T10_ONLY, "http://captive.apple.com": CLEAR},
        {"http://captive.apple.com": PASSES},
        plist=entries({"captive.apple.com": ALLOW_HTTP | TLS10 | NO_PFS}),
        exit=1,
        variant="an-entry-that-replaces-the-built-in-one-carries-it-along",
    ),
    Scenario(
        0,
        App({AL: True}, (HS, HC)),
        {HS: RSA, HC: REFUSES},
        {HS: NEEDS_PFS_ALLOWED, HC: See("~/~", ("insecure-http",))},
        {(None, AL): "N"},
        plist=h(ALLOW_HTTP, NO_PFS, **{AL: True}),
        exit=3,
        variant="an-entry-carries-along-what-arbitrary-loads-gave-an-unknown-load",
    ),
]

NUMBERS = [
    *(
        Scenario(
            0,
            App(h({PFS: number}), (HS,)),
            {HS: server},
            {HS: see},
            of(H, PFS=letter),
            plist=h(NO_PFS) if letter == "N" else {},
            exit=0 if letter == "N" else 1,
            said=(f"the number {number} counts as false: write false",),
            variant=f"forward-secrecy-{number}-{letter}",
        )
        for number in (2, 1.5)
        for server, see, letter in (
            (RSA, NEEDS_PFS_ALLOWED, "N"),
            (OK, PASSES, "U"),
            (EXPIRED, See("B/B", ("certificate-validity",)), "I"),
        )
    ),
    Scenario(
        0,
        App(h({PFS: 2}), (HS,)),
        {HS: TIMES_OUT},
        {HS: NOT_SEEN},
        of(H, PFS="?"),
        plist=h(NO_PFS),
        exit=3,
        variant="forward-secrecy-2-of-a-silent-server-stays-as-false",
    ),
    Scenario(
        0,
        App({LN: 2}, (PRINTER,)),
        {},
        {PRINTER: See("x/B", minimal={}, declared_failing=("insecure-http",))},
        {(None, LN): "S"},
        plist={LN: False},
        exit=1,
        said=("the number 2 counts as false: write false",),
        variant="local-networking-2-is-never-loosened",
    ),
    Scenario(
        0,
        App({AL: True, WEB: 2}, (HS,)),
        {HS: RSA},
        {HS: NEEDS_PFS_BLOCKED},
        {(None, AL): "X", (None, WEB): "S"},
        plist=h(NO_PFS, **{WEB: False}),
        exit=1,
        said=("cancelled by NSAllowsArbitraryLoadsInWebContent",),
        variant="web-content-2-cancels-as-false-does",
    ),
    *(
        Scenario(
            0,
            App(ats, (HS,)),
            {HS: OK},
            {HS: PASSES},
            {at: "X"},
            exit=1,
            said=("the number 2 counts as false, which allows nothing",),
            variant=f"{at[1]}-2-allows-nothing",
        )
        for ats, at in (({AL: 2}, (None, AL)), (h({HTTP: 2}), (H, HTTP)), (h({SUB: 2}), (H, SUB)))
    ),
]

LOCAL += [
    Scenario(
        0,
        App({LN: False}, (url, "http://203.0.113.5")),
        {"http://203.0.113.5": CLEAR},
        {
            url: See("x/B", minimal={}, declared_failing=("insecure-http",)),
            "http://203.0.113.5": See("x/x", minimal={}),
        },
        {(None, LN): "S"},
        plist="=",
        exit=1,
        ios=(ios,),
        said=("relaxes nothing, and blocks",),
        variant=f"local-networking-no-puts-ats-on-{url[7:]}-before-ios-17",
    )
    for url in (PRIVATE, "http://127.0.0.1")
    for ios in ("13", "16")
]

DTLS = {MIN: "DTLSv1.2"}
NO_TLS_VERSION = [
    *(
        Scenario(
            0,
            App(h(DTLS), (HS,), sdk=sdk),
            {HS: server},
            {HS: see},
            of(H, MIN="?"),
            plist=plist,
            exit=1 if see.verdict.endswith("B") else 3,
            said=("DTLSv1.2 is not a TLS version, and its effect is unknown: write TLSv1.2",),
            variant=f"dtls-{name}",
        )
        for name, server, see, plist, sdk in (
            ("of-a-server-that-passes", OK, See("P/~", minimal={}), "=", "26.0"),
            ("of-an-old-server", T10_ONLY, needs(TLS10, "~", "tls-version"), h(TLS10), "18.0"),
            ("of-an-expired-certificate", EXPIRED, See("B/B", ("certificate-validity",)), "=", "18.0"),
            ("of-static-rsa", RSA, needs(NO_PFS, "B", "forward-secrecy"), h(DTLS, NO_PFS), "18.0"),
            ("of-a-silent-server", TIMES_OUT, NOT_SEEN, "=", "18.0"),
        )
    ),
    Scenario(
        0,
        App(h(DTLS, NO_PFS), (HS,)),
        {HS: OK},
        {HS: See("P/~", minimal={})},
        of(H, MIN="?", PFS="?"),
        plist="=",
        exit=3,
        variant="dtls-leaves-the-keys-beside-it-unverifiable",
    ),
    Scenario(
        0,
        App(h(DTLS, ALLOW_HTTP), (HC,)),
        {HC: CLEAR, HS: OK},
        {HC: NEEDS_HTTP_ALLOWED},
        of(H, MIN="?", HTTP="N"),
        plist="=",
        exit=3,
        variant="dtls-is-no-https-to-change-to",
    ),
]

ALL = [
    *NO_TLS_VERSION,
    *NUMBERS,
    *SEEN_IN_FULL,
    *HTTP_ASSUMED,
    *WHERE_HTTP_LEADS,
    *LOCAL,
    *NETWORKS,
    *FAILING,
    *SMALLEST,
]


@pytest.mark.parametrize("scenario", ALL, ids=lambda s: s.variant)
def test_corner(scenario):
    """Verdicts, statuses, the smallest dictionary and the exit code of one corner."""
    result = concluded(scenario)
    check_verdicts(scenario, result)
    check_statuses(scenario, result)
    check_plist_and_exit(scenario, result)


def test_a_leaf_that_the_client_is_not_sent_does_not_matter():
    """A server with an expired RSA and a good ECDSA certificate passes a client to which it sends the good one."""
    scenario = Scenario(0, App(None, (HS,)), {HS: TWO_LEAVES_ONE_EXPIRED}, {HS: PASSES})
    for enumerate_ in (False, True):
        check_verdicts(scenario, concluded(scenario, enumerate_=enumerate_))


@pytest.mark.parametrize("ats", [None, h(NO_PFS), h(ALLOW_HTTP, NO_PFS), {AL: True}], ids=str)
@pytest.mark.parametrize("versions", [(T13, T12), (T12,)], ids=["tls-1.3", "tls-1.2"])
def test_enumeration_of_a_bad_second_leaf_changes_nothing(ats, versions):
    """What a quick scan says of a server with one good and one expired leaf stands when both were seen."""
    server = replace(TWO_LEAVES_ONE_EXPIRED, versions=versions)
    scenario = Scenario(0, App(ats, (HS,)), {HS: server})
    quick, whole = (concluded(scenario, enumerate_=enumerate_) for enumerate_ in (False, True))
    assert [k.status for k in quick.exceptions] == [k.status for k in whole.exceptions]
    assert [(e.verdict, e.declared_verdict) for e in quick.endpoints] == [
        (e.verdict, e.declared_verdict) for e in whole.endpoints
    ]


def test_a_host_on_the_command_line_is_a_load_beside_its_urls():
    """It is https on 443 for the bundle beside it, although a URL in the bundle names the host as http."""
    scenario = Scenario(
        0,
        App(None, (HC,)),
        {HC: CLEAR, HS: RSA},
        {HC: needs(ALLOW_HTTP, "B", "insecure-http"), HS: NEEDS_PFS_BLOCKED},
        command_line=(HS,),
        plist=h(ALLOW_HTTP, NO_PFS),
        exit=1,
    )
    result = concluded(scenario)
    check_verdicts(scenario, result)
    check_plist_and_exit(scenario, result)


def test_a_url_that_also_stands_in_an_extension_is_judged_under_both_dictionaries():
    """One row for each bundle, and no row for the empty dictionary."""
    apps = (App(h(NO_PFS), (HS,)), App({}, (HS,), identifier="org.example.app.share"))
    result = concluded(Scenario(0, apps, {HS: RSA}))
    (endpoint,) = result.endpoints
    assert [(d.bundle, d.verdict) for d in endpoint.declared] == [
        ("org.example.app", "allowed"),
        ("org.example.app.share", "blocked"),
    ]


def test_the_odd_address_is_named():
    """Addresses that disagree are a notice that names the one apart from the others."""
    result = concluded(Scenario(0, App(None, (HS,)), {HS: (OK, RSA)}))
    assert any("198.51.100.1" in n.evidence for n in result.notices), result.notices


def test_a_declared_domain_that_does_not_exist_is_a_notice_of_its_own():
    """Whoever registers it inherits the exception."""
    result = concluded(Scenario(0, App(h(ALLOW_HTTP)), {}))
    assert [n.subject for n in result.notices if n.to_act_on] == [H]


def test_the_hosts_that_a_key_covers_are_listed():
    """The nearest entry decides: the parent covers no child that has an entry; SUB covers what is below alone."""
    app = App(entries({D: {SUB: True} | NO_PFS, A: NO_PFS}, **{AL: True}), (AS, BS, HS))
    keys = concluded(Scenario(0, app, {AS: RSA, BS: RSA, DS: RSA, HS: RSA})).exceptions
    hosts = {(k.domain, k.key): {e.host for e in k.hosts} for k in keys}
    assert hosts == {(D, PFS): {D, B}, (D, SUB): {B}, (A, PFS): {A}, (None, AL): {H}}


def test_the_linked_sdk_can_be_overruled():
    """Another SDK replaces that of every bundle: from 26 on a lower floor alone is not proved to work."""
    recording = look(
        Scenario(0, App(h(TLS10), (HS,), sdk="26.0")).extraction(), Scenario(0, None, {HS: T10_ONLY}).network
    )
    outcomes = [
        conclude(recording, trust=TrustStore(()), sdk=sdk).endpoints[0].declared_verdict for sdk in (None, "18.0")
    ]
    assert outcomes == ["inconclusive", "allowed"]


def test_an_interrupted_audit_exits_130_whatever_else():
    """130 goes before input that could not be read, and that before findings."""
    scenario = Scenario(0, App(h(NO_PFS), (HS,)), {HS: OK}, skipped=(MISSING,))
    result = concluded(scenario)
    assert exit_code(result) == 2
    interrupted = replace(result, recording=replace(result.recording, interrupted=True))
    assert exit_code(interrupted) == 130


def test_concluding_twice_gives_the_same():
    """Nothing is remembered from one call to the next."""
    scenario = Scenario(0, App(D_PFS, (AS, BS)), {AS: RSA, BS: TIMES_OUT, DS: RSA})
    assert concluded(scenario) == concluded(scenario)


@pytest.mark.parametrize("reason", ["timeout", "reset", "closed", "connection-refused", "not-tls", "alert", "garbage"])
def test_no_kind_of_silence_is_a_verdict(reason):
    """A server that never answers a hello is inconclusive, whichever way it does so."""
    scenario = Scenario(0, App(None, (HS,)), {HS: Faulty(never(reason))}, {HS: NOT_SEEN}, exit=3)
    result = concluded(scenario)
    check_verdicts(scenario, result)
    check_plist_and_exit(scenario, result)


@pytest.mark.parametrize(
    ("ats", "url", "ios", "profile"),
    [
        (entries({H: NO_PFS}, **{AL: True}), HS, (), "apple-system-27"),
        (entries({"203.0.113.5": ALLOW_HTTP}), "http://203.0.113.5", ("16",), None),
    ],
)
def test_a_key_that_no_client_judged_reads_is_ineffective(ats, url, ios, profile):
    """What no profile reads is told before anything that weighing could, and puts no ATS on the host either."""
    result = concluded(Scenario(0, App(ats, (url,)), {url: OK}, ios=ios, profile=profile))
    assert {str(k.status) for k in result.exceptions} == {"ineffective"}
    assert [m.dictionary for m in result.minimal] == [{}]
    assert "entry-without-effect" not in [n.kind for n in result.notices]


def test_an_entry_with_a_floor_that_is_no_tls_version_is_read():
    """What the key does is unknown, which is not the same as nothing."""
    result = concluded(Scenario(0, App(h(DTLS), (HS,)), {HS: OK}))
    assert "entry-without-effect" not in [n.kind for n in result.notices]


def test_the_versions_that_disagree_are_named():
    """A suite that was dropped with iOS 15.4 passes before it, and the report says where."""
    result = concluded(Scenario(0, App(None, (HS,)), {HS: CBC_SHA384}, ios=("all",)))
    told = [n.evidence for n in result.notices if n.kind == "versions-disagree"]
    assert told == ["blocked on iOS 15.4, iOS 17 and iOS 26, pass on iOS 13"]


@pytest.mark.parametrize(
    ("domain", "urls", "declared", "notices"),
    [
        (H, (f"https://{H}./list",), "blocked", ["final-dot"]),
        (H, (f"https://{H}/list", f"https://{H}.:443/list"), "blocked", ["final-dot"]),
        (H, (f"https://{H}/list.",), "allowed", []),
        (f"{H}.", (f"https://{H}./list",), "allowed", ["final-dot"]),
    ],
)
def test_an_entry_is_for_the_host_as_the_url_writes_it(domain, urls, declared, notices):
    """A dot at the end of the host makes it another name for an entry, so that the key of one spelling frees no other."""
    result = concluded(Scenario(0, App(entries({domain: NO_PFS}), urls), {HS: RSA}))
    (endpoint,) = result.endpoints
    assert endpoint.declared_verdict == declared
    assert [n.kind for n in result.notices] == notices


@pytest.mark.parametrize(
    ("https", "told"),
    [
        ((OK, TIMES_OUT), "its https on port 443 was reached on 1 of 2 addresses alone"),
        ((TIMES_OUT, TIMES_OUT), "its https on port 443 was not reached"),
        ((EXPIRED, EXPIRED), "https on port 443 does not pass default ATS"),
    ],
)
def test_https_that_was_not_reached_is_not_said_to_fail(https, told):
    """The http:// URL needs its key as long as its https is not seen to pass everywhere; why is said as far as it was seen."""
    scenario = Scenario(0, App(h(ALLOW_HTTP), (HC,)), {HC: (CLEAR, CLEAR), HS: https}, {}, exit=0)
    (key,) = concluded(scenario).exceptions
    assert key.status == "needed"
    assert key.reason.endswith(told)
