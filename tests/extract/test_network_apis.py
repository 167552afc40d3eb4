"""Which network APIs and trust code are told of an image, by which sign, and to which bundle they belong."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from made_mach_o import BASE, OBJECT, Made, mach_o

from atsprobe.extract.extract import extract
from atsprobe.extract.mach_o.image import images_in
from atsprobe.extract.readers.mach_o_strings import read
from atsprobe.extract.readers.network_apis import NOT_ANALYSED, _rules, uses
from atsprobe.extract.sighting import NetworkApiSighting
from atsprobe.model.app import NetworkApiUse

KINDS = {"imports", "defines", "class", "implements", "sends", "section", "literal", "wide", "found"}
SESSION = b"_OBJC_CLASS_$_NSURLSession"


@pytest.fixture(scope="session")
def trust_arm64() -> bytes:
    """The committed image whose code answers a challenge with a credential for the server trust (trust.m)."""
    return (Path(__file__).parents[2] / "fixtures" / "extract" / "trust-arm64").read_bytes()


def told(data: bytes) -> dict[str, NetworkApiUse]:
    """Give what is told of a file, by id."""
    return {s.use.id: s.use for s in read("App", data) if isinstance(s, NetworkApiSighting)}


def with_strings(*texts: bytes, name: str = "__cstring", **more) -> bytes:
    """Make an image with strings."""
    return mach_o([Made("__TEXT", name, BASE, b"\0".join((b"", *texts, b"")))], **more)


def test_the_table_is_sound() -> None:
    """Every row has an id of its own and a sentence, asks what can be answered, and looks at rows above it alone."""
    above: set[str] = set()
    for rule in _rules():
        assert rule.id not in above and rule.id.partition(".")[0] in ("api", "tls", "trust")
        assert rule.name and rule.says and rule.confidence in ("high", "medium", "low") and rule.when
        for condition in (c for alternative in rule.when for c in alternative):
            assert condition.kind in KINDS and condition.argument
            assert condition.kind != "found" or condition.argument in above, rule.id
        assert not rule.refines or rule.refines in above
        assert not rule.accepts or rule.id.startswith("trust.")
        above.add(rule.id)


@pytest.mark.parametrize(
    ("imports", "api", "governed"),
    [
        ([SESSION], "api.urlsession", True),
        ([b"_$sSo12NSURLSessionC10FoundationE4data3fortF"], "api.urlsession", True),
        ([b"_OBJC_CLASS_$_WKWebView"], "api.wkwebview", True),
        ([b"_OBJC_METACLASS_$_NSURLProtocol"], "api.nsurlprotocol", None),
        ([b"_CFReadStreamCreateForHTTPRequest"], "api.cfhttp_stream", None),
        ([b"_connect", b"_getaddrinfo"], "api.bsd_sockets", False),
        ([b"_nw_connection_create"], "api.network_framework", False),
        ([b"_$s7Network12NWConnectionC4hostAcA0B8EndpointO"], "api.network_framework", False),
        ([b"_CFStreamCreatePairWithSocketToHost"], "api.cfstream_socket", False),
        ([b"_SSLHandshake"], "tls.secure_transport", False),
        ([b"_SecTrustSetExceptions"], "trust.set_exceptions", True),
        ([b"_sec_protocol_options_set_verify_block"], "trust.network_verify_block", False),
    ],
)
def test_imports_tell_an_api(imports, api, governed) -> None:
    """One row, with what was imported as evidence."""
    found = told(mach_o(imports=imports))
    assert list(found) == [api]
    assert (found[api].governed_by_ats, found[api].architecture) == (governed, "arm64")
    assert found[api].evidence.startswith("imports _")


@pytest.mark.parametrize(
    "imports",
    [
        [b"_connect"],
        [b"_OBJC_CLASS_$_NSMutableURLRequest", b"_OBJC_CLASS_$_NSInputStream", b"_OBJC_CLASS_$_AVURLAsset"],
        [b"_nw_path_monitor_create", b"_$s7Network6NWPathV"],
        [b"_CFSocketCreateWithNative", b"_CFHTTPMessageCreateRequest"],
        [b"_SecPolicyCreateBasicX509"],
        [b"_OBJC_CLASS_$_NSURLCredential"],
    ],
)
def test_what_proves_nothing(imports) -> None:
    """Local sockets, bodies of uploads, watching reachability, parsing, one half of a rule."""
    assert told(mach_o(imports=imports)) == {}


TLS_LABEL = b"extended master secret"


@pytest.mark.parametrize(
    ("texts", "ids", "name"),
    [
        ([b"tls13 c hs traffic"], ["tls.embedded"], "TLS stack of its own"),
        ([TLS_LABEL, b"CERTIFICATE_VERIFY_FAILED"], ["tls.boringssl"], "BoringSSL"),
        ([TLS_LABEL, b"../ssl/statem/x.c", b"OpenSSL 3.0.13 30 Jan 2024"], ["tls.openssl"], "OpenSSL 3.0.13"),
        (
            [TLS_LABEL, b"../ssl/statem/x.c", b"OpenSSL License", b"OpenSSL 1.1.1w 11 Sep"],
            ["tls.openssl"],
            "OpenSSL 1.1.1w",
        ),
        ([TLS_LABEL, b"/build/library/ssl_tls.c"], ["tls.mbedtls"], "Mbed TLS"),
        ([b"tls13 c hs traffic", b"/rustls-0.23.46/src/lib.rs"], ["tls.rustls"], "rustls"),
        ([TLS_LABEL, b"grpc-c/", b"src/core/x.cc"], ["tls.embedded", "api.grpc_core"], "TLS stack of its own"),
        ([b"OpenSSL 3.0.13 30 Jan 2024", b"certificate verify failed", b"ssl/statem/", b"boringssl"], [], ""),
    ],
)
def test_a_tls_library_is_told_by_its_labels(texts, ids, name) -> None:
    """Any TLS has the labels of the key schedule, then its own marks name it; a library of mere cryptography has none."""
    found = told(with_strings(*texts))
    assert list(found) == ids
    assert not ids or (found[ids[0]].api, found[ids[0]].governed_by_ats) == (name, False)


def test_dart_go_and_openssl_by_name() -> None:
    """A snapshot of Dart with its HTTP client, Go by a section, and names of functions that a loader would look up."""
    dart = with_strings(b"dart:_http", b"_HttpClient", name="__const", defines=[b"_kDartIsolateSnapshotData"])
    assert list(told(dart)) == ["api.dart_io"]
    assert told(with_strings(b"dart:_http", b"_HttpClient")) == {}
    go = mach_o(
        [
            Made("__TEXT", "__rodata", BASE, b"crypto/tls.(*Conn).Handshake\0"),
            Made("__TEXT", "__gopclntab", BASE + 4096, b"\0"),
        ]
    )
    assert list(told(go)) == ["tls.go"]
    loaded = told(with_strings(b"SSL_CTX_new", b"SSL_connect"))
    assert (list(loaded), loaded["tls.openssl_loaded"].confidence) == (["tls.openssl_loaded"], "low")


def test_own_anchors_within_a_foreign_stack_are_its_verifier() -> None:
    """They tell nothing of URLSession then."""
    anchors = b"_SecTrustSetAnchorCertificates"
    assert list(told(mach_o(imports=[anchors]))) == ["trust.own_anchors"]
    assert list(told(mach_o(imports=[anchors, b"_SSLHandshake"]))) == ["tls.secure_transport"]
    assert "trust.own_anchors" not in told(with_strings(TLS_LABEL, imports=[anchors]))


def test_code_that_answers_with_a_credential(trust_arm64) -> None:
    """It is sent, by a method that is named; the handler is implemented, and that of the protocol alone is not."""
    found = told(trust_arm64)
    assert set(found) == {"api.urlsession", "trust.credential_for_trust", "trust.challenge_handler"}
    accepting = found["trust.credential_for_trust"]
    assert accepting.accepts_server_trust and accepting.analysed and accepting.confidence == "high"
    assert "-[Ferry(Sessions) URLSession:didReceiveChallenge:completionHandler:]" in accepting.evidence
    assert not found["trust.challenge_handler"].accepts_server_trust


def test_code_that_only_handles_challenges(build, tmp_path) -> None:
    """Compiled without the message, the same class decides nothing."""
    build.thin(tmp_path / "Ferry", "arm64", "trust.m")
    assert set(told((tmp_path / "Ferry").read_bytes())) == {"api.urlsession", "trust.challenge_handler"}


def test_on_other_architectures_a_message_is_not_looked_for(build, tmp_path) -> None:
    """The reference alone is no proof; what could not be looked at is said, and is not taken for absent."""
    build.thin(tmp_path / "Ferry", "x86_64", "trust.m", defines=("SENDS",))
    found = told((tmp_path / "Ferry").read_bytes())["trust.credential_for_trust"]
    assert (found.analysed, found.confidence, found.accepts_server_trust) == (False, "low", True)
    assert "not looked at in code for x86_64" in found.evidence


def test_code_of_a_known_library_counts_and_is_named(trust_arm64) -> None:
    """A class named as those of TrustKit sends it in every app that has it: less sure, not the app's own, but it may accept."""
    renamed = trust_arm64.replace(b"\0Ferry\0", b"\0TSKit\0")
    found = told(renamed)["trust.credential_for_trust"]
    assert (found.confidence, found.in_sdk, found.accepts_server_trust) == ("medium", True, True)


def test_an_encrypted_image_is_analysed_by_its_imports_alone() -> None:
    """What strings, classes and selectors would tell is named as not analysed, never as absent."""
    found = told(with_strings(TLS_LABEL, imports=[SESSION, b"_OBJC_CLASS_$_NSURLCredential"], encrypted=True))
    assert list(found) == ["api.urlsession", NOT_ANALYSED]
    unread = found[NOT_ANALYSED]
    assert not unread.analysed and unread.governed_by_ats is None and not unread.accepts_server_trust
    assert "tls.embedded" in unread.evidence and "trust.credential_for_trust" in unread.evidence
    assert "tls.secure_transport" not in unread.evidence  # a matter of imports


def test_objects_of_a_static_library_are_taken_together() -> None:
    """One imports a half of a rule, another the other half; whether a selector is sent they do not tell."""
    objects = [
        mach_o(imports=[b"_connect"], file_type=OBJECT),
        mach_o(
            [Made("__TEXT", "__objc_methname", BASE, b"\0credentialForTrust:\0")],
            imports=[b"_getaddrinfo", b"_OBJC_CLASS_$_NSURLCredential"],
            file_type=OBJECT,
        ),
    ]
    library = b"!<arch>\n"
    for number, content in enumerate(objects):
        library += f"{f'{number}.o/':<16}{0:<12}{0:<6}{0:<6}{0:<8}{len(content):<10}`\n".encode()
        library += content + b"\n" * (len(content) % 2)
    found = told(library)
    assert set(found) == {"api.bsd_sockets", "trust.credential_for_trust"}
    assert not found["trust.credential_for_trust"].analysed


def info(name: str, **more: str) -> dict[str, str]:
    """Write the Info.plist of a bundle."""
    return {"CFBundleIdentifier": f"com.example.{name}", "CFBundleExecutable": name.capitalize(), **more}


def test_code_belongs_to_each_bundle_that_runs_it(make_app, build, tmp_path, trust_arm64) -> None:
    """A framework's is the app's, and an extension's that links it; another extension has its own alone."""
    (tmp_path / "Net.framework").mkdir()
    net, share = tmp_path / "Net.framework" / "Net", tmp_path / "Share"
    build.thin(net, "arm64", "trust.m", defines=("SENDS",))
    build.thin(share, "arm64", links=(net,))
    ipa = make_app(
        {
            "Payload/Ferry.app/Info.plist": info("ferry"),
            "Payload/Ferry.app/Ferry": mach_o(imports=[b"_connect", b"_getaddrinfo"]),
            "Payload/Ferry.app/Frameworks/Net.framework/Net": net.read_bytes(),
            "Payload/Ferry.app/PlugIns/Share.appex/Info.plist": info("share"),
            "Payload/Ferry.app/PlugIns/Share.appex/Share": share.read_bytes(),
            "Payload/Ferry.app/PlugIns/Map.appex/Info.plist": info("map"),
            "Payload/Ferry.app/PlugIns/Map.appex/Map": mach_o(imports=[SESSION]),
        }
    )
    bundles = {b.identifier.rpartition(".")[2]: b for b in extract([ipa]).bundles}
    found = {name: {u.id for u in b.network_apis} for name, b in bundles.items()}
    of_net = {"api.urlsession", "trust.credential_for_trust", "trust.challenge_handler"}
    assert found == {"ferry": {"api.bsd_sockets", *of_net}, "share": of_net, "map": {"api.urlsession"}}
    assert bundles["ferry"].accepts_server_trust and bundles["share"].accepts_server_trust
    assert not bundles["map"].accepts_server_trust
    in_sdk = {u.id: u.in_sdk for u in bundles["ferry"].network_apis}
    assert in_sdk["trust.credential_for_trust"] and not in_sdk["api.bsd_sockets"]
    assert {u.file for u in bundles["share"].network_apis} == {"Ferry.app/Frameworks/Net.framework/Net"}


def test_a_library_by_itself_belongs_to_no_bundle(tmp_path, trust_arm64) -> None:
    """What it has code for is told all the same; no dictionary is judged by it."""
    (tmp_path / "libferry.dylib").write_bytes(trust_arm64)
    found = extract([str(tmp_path / "libferry.dylib")])
    assert found.bundles == () and {u.id for u in found.network_apis} >= {"api.urlsession"}
    assert found.all_network_apis == found.network_apis and all(u.in_sdk for u in found.network_apis)


def test_sections_that_overlap_are_searched_once() -> None:
    """Four thousand sections over the same eight megabytes take no longer than one."""
    content = b"extended master secreT\0" * 350_000
    data = bytearray(mach_o([Made("__TEXT", "__const", BASE + n, b"") for n in range(1500)]))
    for number in range(1500):
        at = 32 + number * 152 + 72 + 40
        data[at : at + 8] = len(content).to_bytes(8, "little")
    begun = time.monotonic()
    whole = bytes(data) + content
    assert list(uses(whole, images_in(whole))) == []
    assert time.monotonic() - begun < 10
