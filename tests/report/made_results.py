"""Results made by hand: what weighing an app would give, without an app, a server or a packet."""

from __future__ import annotations

from datetime import UTC, datetime

from atsprobe.model.app import Bundle, Extraction, SkippedInput
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import AtsDictionary, ExceptionEntry
from atsprobe.model.endpoint import Argument, Confidence, Endpoint, Host, Line, PlistKey, Reference, Section
from atsprobe.model.handshake import Alert, Experiment, Negotiated, NoAnswer, Offer, Refused
from atsprobe.model.judgement import (
    DeclaredVerdict,
    EndpointFinding,
    ExceptionJudgement,
    ExceptionStatus,
    Finding,
    RequirementId,
    Verdict,
)
from atsprobe.model.observation import Address, Resolution, Resolved, TlsObservation, Unreachable, Unresolved
from atsprobe.model.policy import Profile
from atsprobe.model.recording import Recording
from atsprobe.model.result import AuditResult, EndpointResult

THEN = datetime(2026, 11, 17, 9, 30, tzinfo=UTC)
OFFER = Offer(
    (TlsVersion.TLS_1_2, TlsVersion.TLS_1_3),
    ("TLS_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    ("x25519", "secp256r1"),
    ("rsa_pss_rsae_sha256",),
)
PFS, HTTP, MIN = (
    "NSExceptionRequiresForwardSecrecy",
    "NSExceptionAllowsInsecureHTTPLoads",
    "NSExceptionMinimumTLSVersion",
)


def profile(name: str) -> Profile:
    version = name.removeprefix("ios")
    return Profile(
        name=name,
        title=f"iOS {version}",
        order=tuple(int(p) for p in version.split(".")),
        minimum_tls_version=TlsVersion.TLS_1_2,
        maximum_tls_version=TlsVersion.TLS_1_3,
        cipher_suites=OFFER.cipher_suites,
        without_forward_secrecy=(),
        ats_off=(),
        unproved_suites=(),
        groups=OFFER.groups,
        signature_algorithms=OFFER.signature_algorithms,
        exempts_ip_addresses=False,
    )


IOS26 = profile("ios26")
IOS_16_TO_26 = (profile("ios15.4"), profile("ios17"), IOS26)


def finding(requirement, evidence, status="fail", on=(), citation="Apple, Preventing insecure network connections"):
    found = Finding(RequirementId(requirement), status, evidence, citation)
    return EndpointFinding(found, tuple(Address(ip, 443) for ip in on))


def negotiated(version=TlsVersion.TLS_1_3, suite="TLS_AES_256_GCM_SHA384", certificates=()):
    return Negotiated(version, suite, "x25519", "rsa_pss_rsae_sha256", None, certificates)


def tls(endpoint, ip, *outcomes):
    experiments = tuple(Experiment(OFFER, outcome) for outcome in outcomes or (negotiated(),))
    return TlsObservation(endpoint, Address(ip, endpoint.port), THEN, experiments)


REFUSED = Refused(Alert(40))


def load(
    host,
    verdict=Verdict.PASS,
    declared="allowed",
    *,
    scheme="https",
    port=None,
    ips=("203.0.113.10",),
    findings=(),
    minimal=None,
    reason="",
    references=(),
    observations=None,
    resolution=None,
    https_verdict=None,
    bundles=(("org.example.ferry", None),),
    failing=None,
):
    endpoint = Endpoint(Host(host), port or (443 if scheme == "https" else 80), scheme)
    addresses = tuple(Address(ip, endpoint.port) for ip in ips)
    if observations is None:
        observations = tuple(tls(endpoint, ip) for ip in ips)
    fails = tuple(f.finding.requirement for f in findings if f.finding.status == "fail") if failing is None else failing
    return EndpointResult(
        endpoint=endpoint,
        references=tuple(references),
        is_load=True,
        verdict=verdict,
        verdicts=(("ios26", verdict),),
        declared_verdict=declared,
        declared=tuple(
            DeclaredVerdict(
                bundle, own or declared, (("ios26", own or declared),), "", fails if declared == "blocked" else ()
            )
            for bundle, own in bundles
        ),
        findings=tuple(findings),
        minimal_exception=minimal,
        reason=reason,
        resolution=resolution or Resolution(endpoint.host, endpoint.port, Resolved(addresses, "dns")),
        observations=observations,
        https_verdict=https_verdict,
    )


def key(
    domain, name, value, status, reason, *, hosts=(), bundle="org.example.ferry", weight=True, line=None, narrower=""
):
    return ExceptionJudgement(
        bundle=bundle,
        domain=domain,
        key=name,
        value=value,
        status=ExceptionStatus(status),
        reason=reason,
        hosts=tuple(hosts),
        has_exit_weight=weight,
        narrower=narrower,
        line=line,
    )


def reference(host, text, file, *, target="build/Ferry.ipa", location=None, scheme="https", kind="url"):
    endpoint = Endpoint(Host(host), 443 if scheme == "https" else 80, scheme)
    return Reference(
        endpoint, target, "org.example.ferry", file, location or PlistKey("url"), text, kind, Confidence.URL
    )


def recording(bundles=(), skipped=(), *, interrupted=False, installed_roots=(), **more):
    extraction = Extraction(bundles=tuple(bundles), skipped=tuple(skipped), files_read=231, **more)
    return Recording(extraction, (), (), tuple(installed_roots), THEN, THEN, interrupted)


def result(endpoints=(), exceptions=(), *, of=None, profiles=(IOS26,), sdk=None, notices=()):
    return AuditResult(
        recording=of or recording(),
        profiles=profiles,
        endpoints=tuple(endpoints),
        exceptions=tuple(exceptions),
        minimal=(),
        notices=tuple(notices),
        trust_title="Apple roots 26",
        sdk=sdk,
    )


def app_bundle(name="Ferry", version="4.2.0", build="1187", identifier="org.example.ferry", folder="Payload/Ferry.app"):
    return Bundle(
        identifier=identifier,
        target="build/Ferry.ipa",
        info_plist=f"{folder}/Info.plist",
        dictionary=AtsDictionary(),
        name=name,
        version=version,
        build=build,
        minimum_os="16.0",
        linked_sdk="26.0",
    )


def loose_plist(path="App/Info.plist"):
    return Bundle(identifier=path, target=path, info_plist=path, dictionary=AtsDictionary(), is_loose_plist=True)


APP = app_bundle()
SHARE = app_bundle("Share", identifier="org.example.ferry.share", folder="Payload/Ferry.app/PlugIns/Share.appex")


def ferry() -> AuditResult:
    """An app with work of every kind: the release engineer's gate on an .ipa."""
    http_only = Endpoint(Host("cdn.example.net"), 80, "http")
    gate = Endpoint(Host("gate.example.net"), 80, "http")
    tiles = Endpoint(Host("tiles.example.com"), 80, "http")
    pay = Endpoint(Host("pay.example.org"), 443)
    no_pfs, allow_http = ExceptionEntry(requires_forward_secrecy=False), ExceptionEntry(allows_insecure_http_loads=True)
    loads = [
        load(
            "old.example.org",
            Verdict.BLOCKED,
            "blocked",
            ips=("192.0.2.21",),
            findings=[
                finding(
                    "cipher-suite", "accepts DHE suites only; ATS never offers DHE, no key helps", on=["192.0.2.21"]
                ),
                finding("certificate-hostname", "names old.example.net only", on=["192.0.2.21"]),
            ],
        ),
        load(
            "files.example.net",
            Verdict.EXCEPTION_REQUIRED,
            "blocked",
            ips=("192.0.2.22",),
            findings=[finding("forward-secrecy", "accepts static RSA suites only", on=["192.0.2.22"])],
            minimal=no_pfs,
        ),
        load(
            "gate.example.net",
            Verdict.INCONCLUSIVE,
            "inconclusive",
            scheme="http",
            ips=("192.0.2.81", "2001:db8::51"),
            reason="192.0.2.81, 2001:db8::51: neither 80 nor 443 answered in 3 tries",
        ),
        load(
            "cdn.example.net",
            Verdict.EXCEPTION_REQUIRED,
            scheme="http",
            ips=("192.0.2.30", "192.0.2.31"),
            minimal=allow_http,
            references=[
                reference(
                    "cdn.example.net", "http://cdn.example.net/v2/", "Payload/Ferry.app/config.json", scheme="http"
                )
            ],
        ),
        load(
            "pay.example.org",
            Verdict.EXCEPTION_REQUIRED,
            ips=("192.0.2.44", "2001:db8::44"),
            minimal=no_pfs,
            observations=tuple(
                tls(pay, ip, REFUSED, negotiated(TlsVersion.TLS_1_2, "TLS_RSA_WITH_AES_256_GCM_SHA384"))
                for ip in ("192.0.2.44", "2001:db8::44")
            ),
            references=[
                reference(
                    "pay.example.org",
                    "https://pay.example.org/charge",
                    "Payload/Ferry.app/Ferry",
                    location=Section("arm64", "__cstring", 0x1A2F40),
                ),
                reference("pay.example.org", "https://pay.example.org/", "Payload/Ferry.app/a.json", location=Line(3)),
                reference("pay.example.org", "https://pay.example.org/", "Payload/Ferry.app/b.json", location=Line(7)),
            ],
        ),
        load("tiles.example.com", Verdict.EXCEPTION_REQUIRED, scheme="http", ips=("192.0.2.50",), minimal=allow_http),
        *(load(f"api{n}.example.com", ips=(f"203.0.113.{n}", f"2001:db8::{n}")[: 1 + (n < 6)]) for n in range(8)),
    ]
    keys = [
        key(
            "cdn.example.net",
            HTTP,
            True,
            "replaceable",
            "http://cdn.example.net/v2/ in Payload/Ferry.app/config.json: https:// passes default ATS",
            hosts=[http_only],
        ),
        key("legacy.example.com", MIN, "TLSv1.0", "unneeded", "both addresses pass default ATS (TLS 1.3)"),
        key("stats.example.org", PFS, False, "unneeded", "all 4 addresses pass default ATS (TLS 1.2, ECDHE)"),
        key("old.example.org", MIN, "TLSv1.1", "insufficient", "the server is blocked even with it, see above"),
        key(
            "https://maps.example.com",
            HTTP,
            True,
            "ineffective",
            "never matches: a key is a bare host name; the host passes default ATS",
        ),
        key(
            None,
            "NSAllowsArbitraryLoads",
            True,
            "ineffective",
            "cancelled by NSAllowsArbitraryLoadsInWebContent beside it",
            bundle="org.example.ferry.share",
        ),
        key(
            "example.com",
            "NSIncludesSubdomains",
            True,
            "too-wide",
            "of 5 hosts that it covers only tiles.example.com needs it: name that one",
            hosts=[tiles],
        ),
        key(
            "gate.example.net",
            HTTP,
            True,
            "unverifiable",
            "192.0.2.81, 2001:db8::51: neither 80 nor 443 answered in 3 tries",
            hosts=[gate],
        ),
        key(
            "example.com",
            HTTP,
            True,
            "needed",
            "tiles.example.com answers http:// alone, its port 443 is closed",
            hosts=[tiles],
        ),
        key(
            "pay.example.org",
            PFS,
            False,
            "needed",
            "static RSA only on both addresses; iOS 16 to 26 need it",
            hosts=[pay],
        ),
    ]
    return result(loads, keys, of=recording([APP, SHARE]), profiles=IOS_16_TO_26)


def incomplete() -> AuditResult:
    """No finding, but three servers and a binary that could not be judged."""
    no_answer = ("img.example.net", "www.example.net")
    push = Endpoint(Host("push.example.com"), 443)
    throttled = NoAnswer("closed")
    loads = [
        load(
            "push.example.com",
            Verdict.INCONCLUSIVE,
            "inconclusive",
            ips=("203.0.113.7",),
            observations=(tls(push, "203.0.113.7", throttled),),
            reason="203.0.113.7 closed 3 of 4 connections (throttled?)",
        ),
        *(
            load(
                host,
                Verdict.INCONCLUSIVE,
                "inconclusive",
                ips=(),
                observations=(),
                resolution=unresolved(host, "no-answer", "192.0.2.53 in 5 s"),
                reason="no address is known",
            )
            for host in no_answer
        ),
        *(load(f"api{n:02}.example.com", ips=(f"203.0.113.{n}",)) for n in range(10, 21)),
    ]
    skipped = SkippedInput(
        "build/Ferry.ipa",
        "Payload/Ferry.app/PlugIns/Share.appex/Share (arm64)",
        "encrypted by FairPlay, so its strings were not read",
        "the .xcarchive, or a decrypted .ipa",
    )
    return result(
        loads, of=recording([app_bundle(version="4.3.0", build="1203"), SHARE], [skipped]), profiles=IOS_16_TO_26
    )


def unresolved(host, reason, detail=""):
    return Resolution(Host(host), 443, Unresolved(reason, detail))


def intranet() -> AuditResult:
    """One server named on the command line that breaks nearly every rule."""
    on = ["198.51.100.20"]
    private = "does not apply under a private root"
    endpoint = Endpoint(Host("intranet.example.org"), 443)
    findings = [
        finding("tls-version", "TLS 1.0 at most; at least 1.2", on=on),
        finding("forward-secrecy", "static RSA suites only (TLS_RSA_WITH_AES_128_CBC_SHA)", on=on),
        finding("certificate-key-size", "RSA 1024 (leaf); at least 2048", on=on),
        finding("certificate-signature-hash", "SHA-1 (leaf); at least SHA-256", on=on),
        finding("certificate-hostname", "names intranet, *.corp.example.org", on=on),
        finding("certificate-validity", "expired 2026-02-28 23:59:59 UTC, 268 days ago", on=on),
        finding(
            "certificate-trust",
            'root "Acme\x1b[2J\u202eCA" is not in Apple\'s store (--ca-file adds it)',
            on=on,
        ),
        finding("certificate-purpose", "extended key usage without serverAuth", on=on),
        finding("certificate-lifetime", "3650 days; at most 825 under a private root", on=on),
        finding("extended-master-secret", "not negotiated; an iOS 27 system service would fail", "warn", on=on),
        finding("certificate-revocation", "no stapled response (--check-revocation asks)", "unknown", on=on),
        finding("certificate-transparency", private, "not-applicable", on=on),
        finding("insecure-http", "", "not-applicable", on=on),
    ]
    seen = tls(
        endpoint, "198.51.100.20", *([REFUSED] * 7), negotiated(TlsVersion.TLS_1_0, "TLS_RSA_WITH_AES_128_CBC_SHA")
    )
    alone = load(
        "intranet.example.org",
        Verdict.BLOCKED,
        "blocked",
        ips=("198.51.100.20",),
        findings=findings,
        observations=(seen,),
        bundles=((None, None),),
    )
    return result([alone])


def passing() -> AuditResult:
    """One server named on the command line that default ATS takes as it is."""
    return result([load("api.example.com", ips=("203.0.113.10", "2001:db8::10"), bundles=((None, None),))])


def command_line(host, target, line=None):
    return Reference(Endpoint(Host(host), 443), target, None, "", Argument(line), target, "command-line")


def unreachable(host, reason, ip="203.0.113.10"):
    return Unreachable(Endpoint(Host(host), 443), Address(ip, 443), THEN, reason)


LONG_LABEL = "a-label-of-sixty-three-characters-is-as-long-as-any-may-be-0123"


def harbor() -> AuditResult:
    """Forty endpoints, twelve findings, and names that are long, foreign or hostile."""
    no_pfs, allow_http = ExceptionEntry(requires_forward_secrecy=False), ExceptionEntry(allows_insecure_http_loads=True)
    books = Endpoint(Host("xn--bcher-kva.example.net"), 80, "http")
    hostile = 'root "Acme\x1b[2J\u202eCA" is not in Apple\'s store'
    on_one = finding("certificate-trust", hostile, on=["2001:db8::9"])
    loads = [
        load(
            f"{LONG_LABEL}.eu-central-1.backend.staging.example.com",
            Verdict.BLOCKED,
            "blocked",
            port=8443,
            ips=("192.0.2.8", "192.0.2.9", "2001:db8::9"),
            findings=[on_one, finding("certificate-hostname", f"names *.{LONG_LABEL}.example.org", on=["192.0.2.8"])],
        ),
        load(
            "2001:db8:85a3:8d3:1319:8a2e:370:7348",
            Verdict.INCONCLUSIVE,
            "inconclusive",
            ips=("2001:db8:85a3:8d3:1319:8a2e:370:7348",),
            reason="no answer to the hello in 10 s",
        ),
        load("xn--bcher-kva.example.net", Verdict.EXCEPTION_REQUIRED, scheme="http", minimal=allow_http),
        *(
            load(
                f"node-{n:02}.eu-central-1.compute.example.com",
                Verdict.EXCEPTION_REQUIRED,
                "blocked",
                findings=[finding("forward-secrecy", "accept static RSA suites only", on=["203.0.113.10"])],
                minimal=no_pfs,
            )
            for n in range(9)
        ),
        *(load(f"static-{n:02}.example.org") for n in range(28)),
    ]
    url = "http://b\u00fccher.example.net/\u202egnp.exe in Payload/\u30d5\u30a7\u30ea\u30fc.app/\u8a2d\u5b9a/\x1b]0;hi\x07.json"
    keys = [
        key(books.host, HTTP, True, "replaceable", f"{url}: https:// passes default ATS", hosts=[books], line=44),
        key("EXAMPLE.com\x1b[31m", PFS, False, "ineffective", "never matches: a key is lower case"),
    ]
    return result(loads, keys, of=recording([app_bundle("Harbor", "9.1", "77")]))
