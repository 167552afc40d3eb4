"""What the demo serves and what its report has to say: one row a server, one row a key that the sample app declares.

The app is built from ``fixtures/sample_app``. It is linked with the SDK of iOS 18, so that a lower TLS floor works by its key
alone. Ports are those that the app names; each server runs on a free one, to which the host and port are led.
"""

from __future__ import annotations

from dataclasses import dataclass

from atsprobe.lab.python_tls import Answer, Clear, Closed, Closing, Service, Tls

APP, EXTENSION = "com.example.sample", "com.example.sample.share"
"""The identifiers of the two bundles of the sample app."""

MODERN = Tls()
STATIC_RSA = Tls("TLSv1_2", "TLSv1_2", "AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-SHA:AES128-SHA")
_OLD_ECDHE = "ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0"
_DHE = "DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256"


@dataclass(frozen=True)
class DemoServer:
    """A port of a host. ``verdict`` is what default ATS makes of it, ``declared`` what the app's dictionary does.

    Both are empty for a port that the app does not load from, and that is only looked at for another's sake.
    """

    host: str
    port: int
    service: Service
    verdict: str = ""
    declared: str = ""


@dataclass(frozen=True)
class DemoKey:
    """A key that the sample app declares, and its status. ``domain`` is None for a global key."""

    bundle: str
    domain: str | None
    key: str
    status: str


_HTTP = "NSExceptionAllowsInsecureHTTPLoads"
_MINIMUM = "NSExceptionMinimumTLSVersion"
_SECRECY = "NSExceptionRequiresForwardSecrecy"
_SUBDOMAINS = "NSIncludesSubdomains"

SERVERS = (
    DemoServer("api.ferry.example.com", 443, Tls(key="p256"), "pass", "allowed"),
    DemoServer("id.ferry.example.com", 443, Tls("TLSv1_3"), "pass", "allowed"),
    DemoServer("tickets.ferry.example.com", 443, MODERN, "pass", "allowed"),
    DemoServer("maps.example.net", 443, MODERN, "pass", "allowed"),
    DemoServer("search.maps.example.net", 443, MODERN, "pass", "allowed"),
    DemoServer("weather.example.org", 443, MODERN, "pass", "allowed"),
    DemoServer("news.ferry.example.com", 80, Clear(Answer("https://{host}/")), "exception-required", "allowed"),
    DemoServer("news.ferry.example.com", 443, MODERN),
    DemoServer("tides.harbour.example.org", 80, Clear(), "exception-required", "allowed"),
    DemoServer("tides.harbour.example.org", 443, Closed()),
    DemoServer("tiles.maps.example.net", 443, STATIC_RSA, "exception-required", "allowed"),
    DemoServer("pay.harbour.example.org", 443, STATIC_RSA, "exception-required", "allowed"),
    DemoServer("upload.share.example.com", 443, STATIC_RSA, "exception-required", "allowed"),
    DemoServer("berths.harbour.example.org", 443, Tls("TLSv1", "TLSv1", _OLD_ECDHE), "exception-required", "allowed"),
    DemoServer(
        "cranes.harbour.example.org", 443, Tls("TLSv1_1", "TLSv1_1", _OLD_ECDHE), "exception-required", "allowed"
    ),
    DemoServer("files.ferry.example.net", 443, STATIC_RSA, "exception-required", "blocked"),
    DemoServer("log.ferry.example.net", 443, Tls("TLSv1_2", "TLSv1_2", _DHE), "blocked", "blocked"),
    DemoServer("fleet.harbour.example.org", 443, Tls(certificate="wrong-host"), "blocked", "blocked"),
    DemoServer("lock.harbour.example.org", 443, Tls(certificate="expired"), "blocked", "blocked"),
    DemoServer("push.ferry.example.net", 443, Closing(), "inconclusive", "inconclusive"),
    DemoServer("gate.ferry.example.net", 80, Closed(), "inconclusive", "inconclusive"),
    DemoServer("gate.ferry.example.net", 443, Closed()),
)
"""Every server of the demo. A name that is not here, such as promo.ferry.example.org, does not exist."""

EXEMPT = ("printer.local",)
"""Hosts that the app names, that ATS does not cover and that are not contacted."""

KEYS = (
    DemoKey(APP, None, "NSAllowsLocalNetworking", "unverifiable"),
    DemoKey(APP, "tickets.ferry.example.com", _MINIMUM, "unneeded"),
    DemoKey(APP, "id.ferry.example.com", _MINIMUM, "strict"),
    DemoKey(APP, "news.ferry.example.com", _HTTP, "replaceable"),
    DemoKey(APP, "maps.example.net", _SUBDOMAINS, "too-wide"),
    DemoKey(APP, "maps.example.net", _SECRECY, "needed"),
    DemoKey(APP, "pay.harbour.example.org", _SECRECY, "needed"),
    DemoKey(APP, "berths.harbour.example.org", _MINIMUM, "needed"),
    DemoKey(APP, "cranes.harbour.example.org", _MINIMUM, "too-wide"),
    DemoKey(APP, "tides.harbour.example.org", _HTTP, "needed"),
    DemoKey(APP, "fleet.harbour.example.org", _MINIMUM, "insufficient"),
    DemoKey(APP, "log.ferry.example.net", _SECRECY, "insufficient"),
    DemoKey(APP, "gate.ferry.example.net", _HTTP, "unverifiable"),
    DemoKey(APP, "https://weather.example.org", _HTTP, "ineffective"),
    DemoKey(APP, "promo.ferry.example.org", _HTTP, "unverifiable"),
    DemoKey(EXTENSION, None, "NSAllowsArbitraryLoads", "too-wide"),
)
"""Every key that the sample app declares, so that a missing one and a new one both show."""
