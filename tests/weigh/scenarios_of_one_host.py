"""Rows 1 to 59 of the table of scenarios: one host, what its server does, and what keys of its own entry are worth.

Unless told: iOS 26, linked with SDK 26, one address; port 80 refuses.
"""

from __future__ import annotations

from scenario import (
    AL,
    ALLOW_HTTP,
    DOMAINS,
    HTTP,
    LEGACY,
    MIN,
    NO_PFS,
    PASSES,
    PFS,
    SUB,
    TLS10,
    TLS11,
    App,
    Scenario,
    See,
    entries,
    needs,
)
from simulated_network import REFUSES, TIMES_OUT, Clear, Contradicting, Faulty, sends_to, with_http_answer
from simulated_server import (
    CBC_SHA384,
    DHE,
    EXPIRED,
    NO_INTERMEDIATE_AIA,
    OK,
    RSA,
    RSA_THEN_T10,
    SELF_SIGNED,
    T10_ONLY,
    T10_STATIC_RSA,
    T11_ONLY,
    T12_ONLY,
    TRIPLE_DES,
    WANTS_CLIENT_CERTIFICATE,
    Throttled,
    never,
)

H = "api.example.net"
D = "example.com"
HS, HC = f"https://{H}", f"http://{H}"
CLEAR = Clear()
NOT_SEEN = See("~/~", unknown=(), minimal=None)
NEEDS_PFS_ALLOWED = needs(NO_PFS, "A", "forward-secrecy")
NEEDS_PFS_BLOCKED = needs(NO_PFS, "B", "forward-secrecy")
NEEDS_HTTP_ALLOWED = needs(ALLOW_HTTP, "A", "insecure-http")
NEEDS_HTTP_BLOCKED = needs(ALLOW_HTTP, "B", "insecure-http")
FROM_IOS_15_4 = {"ios13": "P/A", "ios15.4": "B/B", "ios17": "B/B", "ios26": "B/B"}


def h(*keys, **more):
    """Give a dictionary with one entry, for the host of most rows."""
    return entries({H: {k: v for part in keys for k, v in part.items()}}, **more)


def of(domain, **letters):
    """Give statuses by the short names of keys."""
    names = {"HTTP": HTTP, "MIN": MIN, "PFS": PFS, "SUB": SUB}
    return {(domain, names[k]): v for k, v in letters.items()}


MIN_PFS = h(NO_PFS)
ALL_THREE = h(ALLOW_HTTP, TLS10, NO_PFS)
HS_APP = App(None, (HS,))

ROWS = [
    Scenario(1, HS_APP, {HS: OK}, {HS: PASSES}),
    Scenario(2, HS_APP, {HS: RSA}, {HS: NEEDS_PFS_BLOCKED}, plist=MIN_PFS, exit=1),
    Scenario(3, App(None, (HC,)), {HS: OK, HC: CLEAR}, {HC: NEEDS_HTTP_BLOCKED}, plist=h(ALLOW_HTTP), exit=1),
    Scenario(4, HS_APP, {HS: TIMES_OUT}, {HS: NOT_SEEN}, exit=3),
    Scenario(4, HS_APP, {HS: Faulty(never("timeout"))}, {HS: NOT_SEEN}, exit=3, variant="accepts-and-is-silent"),
    Scenario(5, HS_APP, {HS: Faulty(Throttled(RSA, 0))}, {HS: NOT_SEEN}, exit=3, variant="throttled"),
    Scenario(
        5,
        HS_APP,
        {HS: Faulty(Throttled(RSA, 1))},
        {HS: NOT_SEEN},
        exit=3,
        variant="throttled-after-one",
        said=("refused",),
    ),
    Scenario(5, HS_APP, {HS: Faulty(never("contradictory"))}, {HS: NOT_SEEN}, exit=3, variant="contradictory"),
    Scenario(5, HS_APP, {HS: Contradicting(OK, RSA)}, {HS: NOT_SEEN}, exit=3, variant="contradicting"),
    Scenario(6, HS_APP, {HS: WANTS_CLIENT_CERTIFICATE}, {HS: PASSES}, said=("client certificate",)),
    Scenario(
        7,
        HS_APP,
        {HS: CBC_SHA384},
        {HS: See("B/B", ("cipher-suite",), profiles=FROM_IOS_15_4)},
        exit=1,
        ios=("all",),
    ),
    Scenario(8, HS_APP, {HS: TRIPLE_DES}, {HS: See("~/B", ("cipher-suite",))}, exit=1),
    Scenario(
        9,
        App({AL: True}, (HS,)),
        {HS: TRIPLE_DES},
        {HS: See("~/~", ("cipher-suite",))},
        {(None, AL): "?"},
        plist="=",
        exit=3,
        variant="arbitrary-loads",
    ),
    Scenario(
        9,
        App(h(ALLOW_HTTP, NO_PFS), (HS,)),
        {HS: TRIPLE_DES},
        {HS: See("~/~", ("cipher-suite",))},
        of(H, HTTP="?", PFS="?"),
        plist="=",
        exit=3,
        variant="entry",
    ),
    Scenario(10, HS_APP, {HS: NO_INTERMEDIATE_AIA}, {HS: See("~/~", unknown=("certificate-trust",))}, exit=3),
    Scenario(
        11,
        HS_APP,
        {HS: OK},
        {HS: See("P/A", minimal={}, unknown=("certificate-transparency",))},
        root="public",
    ),
    Scenario(
        12,
        App(h(NO_PFS), (HS,)),
        {HS: CBC_SHA384},
        {HS: See("B/B", ("cipher-suite",), profiles=FROM_IOS_15_4)},
        of(H, PFS="I"),
        exit=1,
        ios=("all",),
    ),
    Scenario(13, App(h(NO_PFS), (HS,)), {HS: DHE}, {HS: See("B/B", ("cipher-suite",))}, of(H, PFS="I"), exit=1),
    Scenario(
        14,
        App(ALL_THREE, (HS,)),
        {HS: RSA},
        {HS: NEEDS_PFS_ALLOWED},
        of(H, HTTP="U", MIN="U", PFS="N"),
        plist=MIN_PFS,
        exit=1,
    ),
    Scenario(15, App(ALL_THREE, (HS,)), {HS: OK}, {HS: PASSES}, of(H, HTTP="U", MIN="U", PFS="U"), exit=1),
    Scenario(
        16,
        App(h(NO_PFS, TLS10), (HS,), sdk="18.0"),
        {HS: RSA_THEN_T10},
        {HS: NEEDS_PFS_ALLOWED},
        of(H, MIN="U", PFS="N"),
        plist=MIN_PFS,
        exit=1,
    ),
    Scenario(
        17,
        App(h(TLS10), (HS,), sdk="18.0"),
        {HS: T10_ONLY},
        {HS: needs(TLS10, "A", "tls-version")},
        of(H, MIN="N"),
        plist="=",
    ),
    Scenario(
        18,
        App(h(TLS10), (HS,), sdk="18.0"),
        {HS: T11_ONLY},
        {HS: needs(TLS11, "A", "tls-version")},
        of(H, MIN="W"),
        plist=h(TLS11),
        exit=1,
    ),
    *(
        Scenario(
            19,
            App(h(TLS10), (HS,), sdk=sdk),
            {HS: server},
            {HS: needs(least, "~", "tls-version")},
            of(H, MIN="?"),
            plist="=",
            exit=3,
            variant=f"{name}-sdk-{sdk}",
        )
        for sdk in ("26.0", None)
        for name, server, least in (("t10", T10_ONLY, TLS10), ("t11", T11_ONLY, TLS11))
    ),
    Scenario(
        20,
        App(h(TLS10), (HS,)),
        {HS: T10_ONLY},
        {HS: needs(TLS10, "~", "tls-version", profiles={"ios17": "E/A", "ios26": "E/~"})},
        of(H, MIN="N"),
        plist="=",
        exit=3,
        ios=("17", "26"),
    ),
    Scenario(
        21,
        App(h(TLS10), (HS,), sdk="18.0"),
        {HS: T10_STATIC_RSA},
        {HS: needs(TLS10 | NO_PFS, "B", "tls-version", "forward-secrecy")},
        of(H, MIN="I"),
        plist=h(TLS10, NO_PFS),
        exit=1,
    ),
    Scenario(
        22,
        App(h(TLS10, NO_PFS), (HS,), sdk="18.0"),
        {HS: T10_STATIC_RSA},
        {HS: needs(TLS10 | NO_PFS, "A", "tls-version", "forward-secrecy")},
        of(H, MIN="N", PFS="N"),
        plist="=",
    ),
    Scenario(
        23,
        App({AL: True}, (HS,)),
        {HS: T10_ONLY},
        {HS: needs(TLS10, "B", "tls-version")},
        {(None, AL): "I"},
        plist=h(TLS10),
        exit=1,
    ),
    Scenario(
        24,
        App({AL: True}, (HS,), sdk="18.0"),
        {HS: T10_ONLY},
        {HS: needs(TLS10, "A", "tls-version")},
        {(None, AL): "W"},
        plist=h(TLS10),
        exit=1,
    ),
    Scenario(
        25,
        App(h({MIN: "TLSv1.2", PFS: True, HTTP: False, SUB: False}), (HS,)),
        {HS: OK},
        {HS: PASSES},
        of(H, MIN="S", PFS="S", HTTP="S", SUB="S"),
        plist="=",
    ),
    Scenario(26, App(h({MIN: "TLSv1.3"}), (HS,)), {HS: OK}, {HS: PASSES}, of(H, MIN="S"), plist="="),
    Scenario(
        27,
        App(h({MIN: "TLSv1.3"}), (HS,)),
        {HS: T12_ONLY},
        {HS: See("P/B", minimal={}, declared_failing=("tls-version",))},
        of(H, MIN="S"),
        plist="=",
        exit=1,
        said=("block",),
    ),
    *(
        Scenario(
            28,
            App(h({MIN: value}), (HS,)),
            {HS: T10_ONLY},
            {HS: needs(TLS10, "B", "tls-version")},
            of(H, MIN="X"),
            plist=h(TLS10),
            exit=1,
            variant=f"{value}",
        )
        for value in ("TLSV1.0", 1.0)
    ),
    *(
        Scenario(
            29,
            App(h({HTTP: value}), (HC,)),
            {HS: REFUSES, HC: CLEAR},
            {HC: NEEDS_HTTP_BLOCKED},
            of(H, HTTP="X"),
            plist=h(ALLOW_HTTP),
            exit=1,
            variant=f"{value}",
        )
        for value in ("YES", 2)
    ),
    Scenario(
        30,
        App(h({HTTP: 1, PFS: 0}), (HS,)),
        {HS: RSA},
        {HS: NEEDS_PFS_ALLOWED},
        of(H, HTTP="U", PFS="N"),
        plist=MIN_PFS,
        exit=1,
    ),
    Scenario(
        31,
        App(h({LEGACY: True}), (HC,)),
        {HS: REFUSES, HC: CLEAR},
        {HC: NEEDS_HTTP_BLOCKED},
        {(H, LEGACY): "X"},
        plist=h(ALLOW_HTTP),
        exit=1,
        said=("yet the entry counts", "old spelling"),
    ),
    *(
        Scenario(
            32,
            App(entries({name: NO_PFS}), (f"https://{D}",)),
            {f"https://{D}": RSA},
            {f"https://{D}": NEEDS_PFS_BLOCKED},
            of(name, PFS="X"),
            plist=entries({D: NO_PFS}),
            exit=1,
            variant=name,
        )
        for name in ("EXAMPLE.com", "*.example.com", "example.com:443")
    ),
    Scenario(
        33,
        App({DOMAINS: (H,)}, (HS,)),
        {HS: OK},
        {HS: PASSES},
        {(None, DOMAINS): "X"},
        exit=1,
        variant="domains-are-an-array",
    ),
    Scenario(
        33,
        App("YES", (HS,)),
        {HS: OK},
        {HS: PASSES},
        {(None, "NSAppTransportSecurity"): "X"},
        exit=1,
        variant="a-string",
    ),
    Scenario(
        34,
        App(h(NO_PFS, {AL: True}), (HS,)),
        {HS: RSA},
        {HS: NEEDS_PFS_ALLOWED},
        of(H, PFS="N") | {(H, AL): "X"},
        plist=MIN_PFS,
        exit=1,
    ),
    Scenario(
        35,
        App({"NSAllowArbitraryLoads": True}, (HS,)),
        {HS: OK},
        {HS: PASSES},
        {(None, "NSAllowArbitraryLoads"): "X"},
        exit=1,
        variant="misspelt",
    ),
    Scenario(
        35,
        App(None, (HS,), misplaced={AL: True}),
        {HS: OK},
        {HS: PASSES},
        {(None, AL): "X"},
        exit=1,
        variant="misplaced",
    ),
    Scenario(
        36,
        App(h(ALLOW_HTTP), (HC,)),
        {HS: OK, HC: CLEAR},
        {HC: needs(ALLOW_HTTP, "A", "insecure-http", https_verdict="pass")},
        of(H, HTTP="R"),
        plist="=",
        exit=1,
    ),
    Scenario(
        37,
        App(h(ALLOW_HTTP), (HC,)),
        {HS: OK, HC: sends_to(f"{HS}/")},
        {HC: needs(ALLOW_HTTP, "A", "insecure-http", https_verdict="pass", redirects_to=HS)},
        of(H, HTTP="R"),
        plist="=",
        exit=1,
    ),
    Scenario(
        38,
        App(h(ALLOW_HTTP), (HC,)),
        {HS: with_http_answer(OK, f"{HC}/"), HC: CLEAR},
        {HC: NEEDS_HTTP_ALLOWED},
        of(H, HTTP="N"),
        plist="=",
    ),
    *(
        Scenario(
            39,
            App(h(ALLOW_HTTP), (HC,)),
            {HS: server, HC: CLEAR},
            {HC: needs(ALLOW_HTTP, "A", "insecure-http", https_verdict=verdict)},
            of(H, HTTP="N"),
            plist="=",
            variant=name,
            said=("https",),
        )
        for name, server, verdict in (
            ("expired", EXPIRED, "blocked"),
            ("t10", T10_ONLY, "exception-required"),
        )
    ),
    Scenario(
        40,
        App(h(ALLOW_HTTP), (HC,)),
        {HS: EXPIRED, HC: sends_to(f"{HS}/")},
        {HC: See("B/B", ("insecure-http", "certificate-validity"))},
        of(H, HTTP="I"),
        exit=1,
    ),
    Scenario(
        41,
        App(h(ALLOW_HTTP), (HC,), sdk="18.0"),
        {HS: T10_ONLY, HC: sends_to(f"{HS}/")},
        {HC: needs(ALLOW_HTTP | TLS10, "B", "insecure-http", "tls-version")},
        of(H, HTTP="I"),
        plist=h(ALLOW_HTTP, TLS10),
        exit=1,
    ),
    *(
        Scenario(
            42,
            App(h(ALLOW_HTTP), (HC,)),
            {HS: port, HC: CLEAR},
            {HC: NEEDS_HTTP_ALLOWED},
            of(H, HTTP="N"),
            plist="=",
            variant=name,
        )
        for name, port in (("refused", REFUSES), ("timeout", TIMES_OUT))
    ),
    Scenario(
        43,
        App(h(ALLOW_HTTP), (HC,)),
        {HS: OK},
        {HC: See("~/~", ("insecure-http",))},
        of(H, HTTP="R"),
        plist="=",
        exit=1,
    ),
    Scenario(
        44,
        App(h(ALLOW_HTTP), (HC,)),
        {HS: REFUSES},
        {HC: See("~/~", ("insecure-http",))},
        of(H, HTTP="?"),
        plist="=",
        exit=3,
    ),
    Scenario(45, App(None, (HC,)), {HC: REFUSES}, {HC: See("~/B", ("insecure-http",))}, exit=1),
    Scenario(
        46,
        App(h(ALLOW_HTTP), (f"{HC}:8080",)),
        {f"{HC}:8080": CLEAR},
        {f"{HC}:8080": NEEDS_HTTP_ALLOWED},
        of(H, HTTP="N"),
        plist="=",
    ),
    Scenario(47, App(h(ALLOW_HTTP)), {HS: OK}, {HS: PASSES}, of(H, HTTP="U"), exit=1, said=("no http:// URL",)),
    *(
        Scenario(
            48,
            App(h(ALLOW_HTTP)),
            {HS: port, HC: CLEAR},
            {HC: NEEDS_HTTP_ALLOWED},
            of(H, HTTP="N"),
            plist="=",
            variant=name,
        )
        for name, port in (("refused", REFUSES), ("expired", EXPIRED))
    ),
    Scenario(49, App(h(ALLOW_HTTP)), {HS: TIMES_OUT, HC: CLEAR}, {HS: NOT_SEEN}, of(H, HTTP="?"), plist="=", exit=3),
    Scenario(
        50,
        App(h(ALLOW_HTTP), (HS,)),
        {HS: with_http_answer(OK, f"{HC}/"), HC: CLEAR},
        {HS: PASSES, HC: NEEDS_HTTP_ALLOWED},
        of(H, HTTP="N"),
        plist="=",
    ),
    Scenario(
        51,
        App(h(ALLOW_HTTP)),
        {},
        {HS: See("~/~", is_load=False)},
        of(H, HTTP="?"),
        plist="=",
        exit=3,
        said=(H,),
    ),
    Scenario(52, App(h(ALLOW_HTTP), (HS,)), {}, {HS: NOT_SEEN}, of(H, HTTP="?"), plist="=", exit=3),
    Scenario(
        53,
        App(h(ALLOW_HTTP), (HS,), sdk="18.0"),
        {HS: T10_ONLY},
        {HS: needs(TLS10, "B", "tls-version")},
        of(H, HTTP="I"),
        plist=h(TLS10),
        exit=1,
    ),
    Scenario(
        54,
        App(entries({"service.dev": ALLOW_HTTP}), ("http://service.dev",)),
        {"https://service.dev": OK},
        {"http://service.dev": PASSES},
        of("service.dev", HTTP="R"),
        exit=1,
    ),
    *(
        Scenario(
            55,
            App(None, (HS,)),
            {HS: with_http_answer(OK, target), HC: CLEAR},
            {HS: PASSES},
            variant=name,
        )
        for name, target in (("to-http", f"{HC}/"), ("elsewhere", "https://other.example.org/"))
    ),
    Scenario(
        56,
        App(h(ALLOW_HTTP), (HC,)),
        {HS: REFUSES, HC: sends_to("http://other.example.org/")},
        {HC: needs(ALLOW_HTTP, "A", "insecure-http", redirects_to="http://other.example.org")},
        of(H, HTTP="N"),
        plist="=",
        said=("other.example.org",),
    ),
    Scenario(
        57,
        App(h(ALLOW_HTTP), (HS,)),
        {HS: SELF_SIGNED},
        {HS: See("B/B", ("certificate-trust",))},
        of(H, HTTP="I"),
        exit=1,
    ),
    Scenario(
        58,
        App(h(ALLOW_HTTP), (HS,), accepts_server_trust=True),
        {HS: SELF_SIGNED},
        {HS: See("B/~", ("certificate-trust",))},
        of(H, HTTP="?"),
        plist="=",
        exit=3,
    ),
    Scenario(59, HS_APP, {HS: OK}, {HS: PASSES}, root="installed"),
]
