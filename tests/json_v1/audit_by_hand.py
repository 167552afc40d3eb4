"""An audit with something of everything, written by hand: what the tests of the published format encode."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from atsprobe.model.app import Bundle, Extraction, NetworkApiUse, SkippedInput, UrlTemplate
from atsprobe.model.certificate import Certificate
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import AtsDictionary, ExceptionEntry
from atsprobe.model.endpoint import (
    Argument,
    ByteOffset,
    Confidence,
    Endpoint,
    Host,
    Line,
    PlistKey,
    Reference,
    Section,
)
from atsprobe.model.handshake import Alert, Experiment, Negotiated, NoAnswer, NotMade, Offer, Refused, UnofferedVersion
from atsprobe.model.judgement import (
    DeclaredVerdict,
    EndpointFinding,
    ExceptionJudgement,
    ExceptionStatus,
    Finding,
    Notice,
    RequirementId,
    StaleWaiver,
    Verdict,
    WaivedKey,
    WaivedLoad,
    Waiver,
)
from atsprobe.model.observation import (
    Address,
    HttpAnswer,
    PlaintextObservation,
    Resolution,
    Resolved,
    RevocationAnswer,
    TlsObservation,
    Unreachable,
    Unresolved,
)
from atsprobe.model.policy import Profile
from atsprobe.model.recording import IgnoredHost, IgnoreRule, Recording
from atsprobe.model.result import AuditResult, EndpointResult, MinimalDictionary

NOW = datetime.now(UTC)


def _certificate(name: str) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Certificate(built.public_bytes(serialization.Encoding.DER))


LEAF = _certificate("www.example.com")
OTHER_LEAF = _certificate("other.example.com")
ISSUER = _certificate("Intermediate \x1b[31mA")
UNREADABLE = Certificate(b"\x30\x03no certificate")

SUITES = tuple(f"TLS_ECDHE_RSA_WITH_NUMBER_{i}" for i in range(100))
OWN_HELLO = Offer(
    (TlsVersion.TLS_1_3, TlsVersion.TLS_1_2),
    ("TLS_AES_128_GCM_SHA256", *SUITES),
    ("X25519MLKEM768", "x25519", "secp256r1"),
    ("ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256"),
)
NEGOTIATED = Negotiated(
    version=TlsVersion.TLS_1_2,
    cipher_suite=SUITES[0],
    group="x25519",
    signature_algorithm="ecdsa_secp256r1_sha256",
    extended_master_secret=True,
    certificates=(LEAF, ISSUER),
    ocsp_response=b"\x30\x00 a staple",
    scts=b"\x00\x00",
    wants_client_certificate=True,
)

WWW = Endpoint(Host("www.example.com"), 443)
HTTP = Endpoint(Host("old.example.net"), 80, "http")
HTTP_COUNTERPART = Endpoint(Host("old.example.net"), 443)
GONE = Endpoint(Host("gone.example.org"), 443)
LEARNT = Endpoint(Host("www.example.com"), 80, "http")
V4, V6 = Address("192.0.2.1", 443), Address("2001:db8::1", 443)
MAPPED = Address("127.0.0.1", 20443)


def _smaller(*without: str) -> Offer:
    suites = tuple(s for s in OWN_HELLO.cipher_suites if s not in without)
    return Offer(OWN_HELLO.versions, suites, OWN_HELLO.groups, OWN_HELLO.signature_algorithms)


def _outcome(suite: str, **parts: object) -> Negotiated:
    values = {
        "version": TlsVersion.TLS_1_2,
        "cipher_suite": suite,
        "group": None,
        "signature_algorithm": None,
        "extended_master_secret": None,
        "certificates": (LEAF, ISSUER),
    }
    return Negotiated(**{**values, **parts})


ENUMERATION = tuple(Experiment(_smaller(*SUITES[:i]), _outcome(SUITES[i])) for i in range(20))
EXPERIMENTS = (
    Experiment(OWN_HELLO, NEGOTIATED),
    Experiment(Offer((TlsVersion.TLS_1_0,), SUITES[:3], (), ()), Refused(Alert(70))),
    Experiment(
        Offer((TlsVersion.TLS_1_3,), ("TLS_AES_128_GCM_SHA256",), (), ()), Refused(UnofferedVersion(TlsVersion.TLS_1_2))
    ),
    Experiment(Offer((TlsVersion.SSL_3_0,), SUITES[::-1], (), ()), NoAnswer("alert", "odd \x1b]0;", Alert(80)), 2),
    Experiment(Offer((TlsVersion.SSL_2_0,), ("SSL_CK_RC4_128_WITH_MD5",), (), ()), NotMade("the engine has no SSL 2")),
    Experiment(
        _smaller(SUITES[0]),
        _outcome(
            SUITES[1], certificates=(OTHER_LEAF, UNREADABLE, ISSUER), version=TlsVersion.TLS_1_3, group="secp256r1"
        ),
    ),
    *ENUMERATION,
)


def _reference(endpoint: Endpoint, location: object, kind: str = "url", **parts: object) -> Reference:
    values = {
        "target": "App.ipa",
        "bundle": "com.example.app",
        "file": "App.app/\u202e\udce9config.json",
        "text": "https://\x1b[31mwww.example.com",
        "confidence": Confidence.URL,
    }
    return Reference(endpoint=endpoint, location=location, kind=kind, **{**values, **parts})


REFERENCES = (
    _reference(WWW, PlistKey("A.B", 12)),
    _reference(HTTP, Section("arm64", "__TEXT,__cstring", 4096, "utf-16-le")),
    _reference(WWW, Line(7)),
    _reference(GONE, PlistKey("NSAppTransportSecurity"), "ats-exception", confidence=Confidence.DECLARED),
    _reference(HTTP_COUNTERPART, ByteOffset(9, "utf-8"), "bare-host", confidence=Confidence.BARE),
    _reference(WWW, Argument(None), "command-line", bundle=None, target="www.example.com", file=""),
    _reference(WWW, Argument(3), "command-line", bundle=None, target="@hosts.txt", file=""),
    _reference(Endpoint(Host("2001:db8::5"), 8443), Line(1)),
)
REDIRECT = _reference(LEARNT, Argument(None), "redirect")

DICTIONARY = AtsDictionary.from_plist(
    {
        "NSAllowsArbitraryLoads": False,
        "NSExceptionDomains": {
            "www.example.com": {"NSExceptionMinimumTLSVersion": "TLSv1.0", "NSIncludesSubdomains": 1},
            "gone.example.org": {},
            "odd.example.org": ("not", "a", "dictionary"),
            "stranger.example.org": {
                "NSExceptionAllowsInsecureHTTPLoads": 1.5,
                "blob": b"\x00\xff",
                "born": datetime(2020, 2, 29, 1, 2, 3),
                "nested": {"data": {"date": ({"dictionary": b""},)}},
                "big": 1 << 200,
                "infinite": float("inf"),
            },
        },
        "NSMisspelt": True,
    },
    misplaced={"NSAllowsArbitraryLoads": True},
)
BUNDLES = (
    Bundle(
        identifier="com.example.app",
        target="App.ipa",
        info_plist="Payload/App.app/Info.plist",
        dictionary=DICTIONARY,
        name="App",
        version="1.0",
        build="7",
        minimum_os="15.0",
        linked_sdk="26.0",
        network_apis=(NetworkApiUse("SecTrustSetExceptions", True, True, "App", "imports it"),),
        key_lines={(None, "NSAllowsArbitraryLoads"): 5, ("www.example.com", None): 8},
    ),
    Bundle("Info.plist", "Info.plist", "Info.plist", AtsDictionary.from_plist("a string"), is_loose_plist=True),
)

RULE = IgnoreRule("*.internal.example.com", "behind the VPN", "atsprobe.toml:3")
IGNORED_HOST = Host("jira.internal.example.com")
IGNORED = IgnoredHost(IGNORED_HOST, RULE, (_reference(Endpoint(IGNORED_HOST, 443), Line(9)),))

WAIVERS = (
    Waiver(
        reason="moves in spring",
        owner="ops@example.com",
        expires=date(2027, 3, 31),
        host="old.example.net",
        requirement=RequirementId("insecure-http"),
        place="atsprobe.toml:7",
    ),
    Waiver(
        reason="measured by hand",
        owner="ios",
        expires=date(2027, 1, 31),
        domain="example.com",
        key="NSExceptionMinimumTLSVersion",
        bundle="com.example.app",
    ),
    Waiver(reason="", owner="", expires=date(2020, 2, 29), key="NSAllowsArbitraryLoads"),
)

RECORDING = Recording(
    extraction=Extraction(
        bundles=BUNDLES,
        references=REFERENCES,
        skipped=(SkippedInput("App.ipa", "Broken", "is cut in half", "build it again", unreadable=False),),
        noise=(_reference(Endpoint(Host("www.apple.com"), 443), Line(2), confidence=Confidence.NOISE),),
        templates=(UrlTemplate("example.net", "com.example.app", "App.ipa", "App", "https://%@.example.net/"),),
        files_read=17,
    ),
    resolutions=(
        Resolution(WWW.host, 443, Resolved((V4, V6, Address("192.0.2.7", 443)), "dns")),
        Resolution(HTTP.host, 80, Resolved((Address("127.0.0.1", 20080),), "connect-to-option")),
        Resolution(GONE.host, 443, Unresolved("no-such-name", "NXDOMAIN")),
    ),
    observations=(
        PlaintextObservation(HTTP, Address("127.0.0.1", 20080), NOW, HttpAnswer(301, "https://old.example.net/\x7f")),
        TlsObservation(
            WWW,
            V4,
            NOW,
            EXPERIMENTS,
            http_answer=HttpAnswer(200),
            revocation=(RevocationAnswer(LEAF.sha256, "http://ocsp.example.com", "ocsp", b"\x30", ""),),
            enumerated=True,
            cut_short="the deadline",
        ),
        TlsObservation(HTTP_COUNTERPART, MAPPED, NOW, (), http_answer=NoAnswer("timeout")),
        Unreachable(WWW, V6, NOW, "no-route", "Network is unreachable"),
        PlaintextObservation(LEARNT, Address("192.0.2.1", 80), NOW, NoAnswer("reset", "by peer")),
    ),
    installed_roots=(ISSUER.der, b"no certificate either"),
    started_at=NOW,
    finished_at=NOW + timedelta(seconds=3),
    interrupted=True,
    assume_complete=True,
    families=("ipv4",),
    not_audited=(Host("maybe.example.com"),),
    quick=True,
    ignored=(IGNORED,),
)


def _profile(name: str, order: tuple[int, ...], **parts: object) -> Profile:
    return Profile(
        name=name,
        title=name,
        order=order,
        minimum_tls_version=TlsVersion.TLS_1_2,
        maximum_tls_version=TlsVersion.TLS_1_3,
        cipher_suites=SUITES,
        without_forward_secrecy=(),
        ats_off=SUITES,
        unproved_suites=(),
        groups=("x25519",),
        signature_algorithms=(),
        exempts_ip_addresses=False,
        **parts,
    )


PROFILES = (
    _profile("ios17", (17,)),
    _profile("ios26", (26,)),
    _profile("fcp21", (27,), selectable_as_ios=False),
)


def _finding(requirement: str, status: str, fixable_by: str | None = None) -> EndpointFinding:
    finding = Finding(RequirementId(requirement), status, "TLS 1.0; at least TLS 1.2", "Apple", fixable_by)
    return EndpointFinding(finding, (V4, V4, V6))


RESULT = AuditResult(
    recording=RECORDING,
    profiles=PROFILES,
    endpoints=(
        EndpointResult(
            endpoint=GONE,
            references=(REFERENCES[3],),
            is_load=False,
            verdict=Verdict.INCONCLUSIVE,
            verdicts=(("ios26", Verdict.INCONCLUSIVE),),
            declared_verdict="inconclusive",
            declared=(),
            findings=(),
            minimal_exception=None,
            reason="no such name",
            resolution=RECORDING.resolutions[2],
            observations=(),
        ),
        EndpointResult(
            endpoint=HTTP,
            references=(REFERENCES[1], REFERENCES[4]),
            is_load=True,
            verdict=Verdict.EXCEPTION_REQUIRED,
            verdicts=(("ios17", Verdict.EXCEPTION_REQUIRED), ("ios26", Verdict.EXCEPTION_REQUIRED)),
            declared_verdict="blocked",
            declared=(
                DeclaredVerdict(
                    bundle="com.example.app",
                    verdict="blocked",
                    verdicts=(("ios26", "blocked"),),
                    decided_by="default ATS",
                    failing=(RequirementId("insecure-http"),),
                ),
            ),
            findings=(_finding("insecure-http", "fail", "NSExceptionAllowsInsecureHTTPLoads"),),
            minimal_exception=ExceptionEntry(allows_insecure_http_loads=True),
            reason="http://",
            resolution=RECORDING.resolutions[1],
            observations=(RECORDING.observations[0],),
            https_verdict=Verdict.PASS,
            redirects_to="https://old.example.net/\x7f",
        ),
        EndpointResult(
            endpoint=LEARNT,
            references=(REDIRECT,),
            is_load=True,
            verdict=Verdict.INCONCLUSIVE,
            verdicts=(("ios26", Verdict.INCONCLUSIVE),),
            declared_verdict="inconclusive",
            declared=(),
            findings=(),
            minimal_exception=None,
            reason="reset",
            resolution=None,
            observations=(RECORDING.observations[4],),
        ),
        EndpointResult(
            endpoint=WWW,
            references=(REFERENCES[0], REFERENCES[2], REFERENCES[5], REFERENCES[6]),
            is_load=True,
            verdict=Verdict.PASS,
            verdicts=(("ios17", Verdict.PASS), ("ios26", Verdict.PASS)),
            declared_verdict="allowed",
            declared=(DeclaredVerdict(None, "allowed", (("ios26", "allowed"),), "default ATS", ()),),
            findings=(_finding("tls-version", "pass"), _finding("certificate-transparency", "unknown")),
            minimal_exception=ExceptionEntry(),
            reason="",
            resolution=RECORDING.resolutions[0],
            observations=(RECORDING.observations[1], RECORDING.observations[3]),
        ),
    ),
    exceptions=(
        ExceptionJudgement(
            bundle="com.example.app",
            domain="www.example.com",
            key="NSExceptionMinimumTLSVersion",
            value="TLSv1.0",
            status=ExceptionStatus.TOO_WIDE,
            reason="TLS 1.1 would do",
            hosts=(WWW, LEARNT),
            narrower="NSExceptionMinimumTLSVersion = TLSv1.1",
            line=9,
        ),
        ExceptionJudgement(
            bundle="com.example.app",
            domain="gone.example.org",
            key=None,
            value=None,
            status=ExceptionStatus.UNVERIFIABLE,
            reason="no such name",
            has_exit_weight=False,
        ),
        ExceptionJudgement(
            "Info.plist", None, "NSAppTransportSecurity", "a string", ExceptionStatus.INEFFECTIVE, "a string"
        ),
    ),
    minimal=(
        MinimalDictionary("com.example.app", {"NSExceptionDomains": {"a.example": {"NSIncludesSubdomains": True}}}),
        MinimalDictionary("Info.plist", {}),
    ),
    notices=(Notice("no-such-domain", "gone.example.org", "NXDOMAIN", to_act_on=True),),
    trust_title="Apple roots 26",
    sdk="18",
    waivers=WAIVERS,
    waived=(
        WaivedLoad(HTTP, ((RequirementId("insecure-http"), WAIVERS[0]),), is_whole=True),
        WaivedKey("com.example.app", "www.example.com", "NSExceptionMinimumTLSVersion", WAIVERS[1]),
    ),
    stale_waivers=(StaleWaiver(WAIVERS[2], "expired", "expired on 2020-02-29", "take it out"),),
)
