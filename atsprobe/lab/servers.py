"""The truth table of the lab: one row a server, with what an app on iOS 26 is in truth able to load from it.

The verdicts hold for a client that trusts the lab's roots as installed ones (``--ca-file``), so that neither Certificate
Transparency nor the limit of 398 days applies (Apple, support 103769 and 102028). Each server has one fault alone, except those
made to have several. Names lie below ``lab.example.com``, since ATS leaves local names and loopback addresses alone.

No OpenSSL 3 serves SSL 2, SSL 3, RC4 or 3DES, so no row does.
"""

from __future__ import annotations

from atsprobe.lab.server import (
    SECOND_LOOPBACK,
    Http,
    Leaf,
    Odd,
    Revocation,
    Server,
    Tls,
    blocked,
    exempt,
    inconclusive,
    needs,
    passes,
)

_HTTP = "NSExceptionAllowsInsecureHTTPLoads"
_MINIMUM = "NSExceptionMinimumTLSVersion"
_SECRECY = "NSExceptionRequiresForwardSecrecy"

_STATIC_RSA = "AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-SHA:AES128-SHA"
_BOTH_KINDS = f"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:{_STATIC_RSA}"
_OLD_ECDHE = "ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0"
_WEAK_CERTIFICATES = "DEFAULT:@SECLEVEL=0"
_DH = "ssl_dhparam pki/dh2048.pem;"
_IN_THE_CLEAR_TOO = ("error_page 497 =200 @clear;", 'location @clear { return 200 "in the clear\\n"; }')


def _leaf(leaf: Leaf, ciphers: str = "") -> tuple[Tls]:
    """A modern server whose certificate alone is of interest."""
    return (Tls(ciphers=ciphers, leaves=(leaf,)),)


def _redirect(offset: int) -> tuple[Http]:
    """Send every request on to https of the same host, on the port of another row."""
    return (Http((f"return 301 https://$host:{{base+{offset}}}$request_uri;",)),)


TLS_SERVERS = (
    Server("modern", 0, "TLS 1.2 and 1.3, ECDHE, RSA 2048", passes(), (Tls(),)),
    Server("tls13", 1, "TLS 1.3 only", passes(), (Tls("TLSv1.3"),)),
    Server(
        "tls10",
        2,
        "TLS 1.0 only",
        needs("tls-version", exception={_MINIMUM: "TLSv1.0"}),
        (Tls("TLSv1", _OLD_ECDHE),),
        note="a key alone is not proved to help an app linked with the SDK of iOS 26",
    ),
    Server(
        "tls11",
        3,
        "TLS 1.1 only",
        needs("tls-version", exception={_MINIMUM: "TLSv1.1"}),
        (Tls("TLSv1.1", _OLD_ECDHE),),
        note="a key alone is not proved to help an app linked with the SDK of iOS 26",
    ),
    Server(
        "static-rsa",
        4,
        "TLS 1.2 with RSA key exchange only",
        needs("forward-secrecy", exception={_SECRECY: False}),
        (Tls("TLSv1.2", _STATIC_RSA),),
    ),
    Server(
        "tls10-static-rsa",
        5,
        "TLS 1.0 with RSA key exchange only",
        needs("tls-version", "forward-secrecy", exception={_MINIMUM: "TLSv1.0", _SECRECY: False}),
        (Tls("TLSv1", "AES256-SHA:AES128-SHA:@SECLEVEL=0"),),
    ),
    Server(
        "dhe",
        6,
        "TLS 1.2 with finite-field DHE only",
        blocked("cipher-suite"),
        (Tls("TLSv1.2", "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384", lines=(_DH,)),),
        note="forward secret, but Apple's clients no longer offer DHE",
    ),
    Server(
        "cbc-sha384",
        7,
        "TLS 1.2 with ECDHE and CBC-SHA384 only",
        blocked("cipher-suite"),
        (Tls("TLSv1.2", "ECDHE-RSA-AES256-SHA384"),),
        note="offered by iOS up to 15.3",
    ),
    Server(
        "chacha20",
        8,
        "TLS 1.2 with ECDHE and ChaCha20 only",
        passes(),
        (Tls("TLSv1.2", "ECDHE-RSA-CHACHA20-POLY1305"),),
    ),
    Server(
        "cbc-sha",
        30,
        "TLS 1.2 with ECDHE and CBC-SHA only",
        passes(),
        (Tls("TLSv1.2", "ECDHE-RSA-AES256-SHA:ECDHE-RSA-AES128-SHA"),),
    ),
    Server(
        "static-rsa-cbc-sha256",
        31,
        "TLS 1.2 with RSA key exchange and CBC-SHA256 only",
        blocked("cipher-suite"),
        (Tls("TLSv1.2", "AES256-SHA256:AES128-SHA256"),),
        note="NSExceptionRequiresForwardSecrecy adds other suites of static RSA, not these",
    ),
    Server(
        "anonymous",
        32,
        "TLS 1.2 without a certificate only",
        blocked("cipher-suite"),
        (Tls("TLSv1.2", "aNULL:@SECLEVEL=0"),),
    ),
    Server(
        "also-weak",
        33,
        "TLS 1.0 to 1.3, static RSA preferred, everything on",
        passes(),
        (
            Tls(
                "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3",
                f"{_STATIC_RSA}:DHE:ECDHE:!aNULL:!eNULL:@SECLEVEL=0",
                lines=("ssl_prefer_server_ciphers on;", _DH),
            ),
        ),
        note="weak options that the client does not offer do no harm",
    ),
    Server(
        "no-ems",
        34,
        "TLS 1.2 without extended master secret",
        passes(),
        (Tls("TLSv1.2", lines=("ssl_conf_command Options -ExtendedMasterSecret;",)),),
        note="barred by --profile apple-system-27",
    ),
    Server(
        "x25519",
        35,
        "TLS 1.2 and 1.3 with the group x25519 only",
        passes(),
        (Tls(ciphers="ECDHE", lines=("ssl_ecdh_curve X25519;",)),),
    ),
    Server(
        "client-certificate",
        20,
        "asks for a client certificate",
        passes(),
        (Tls(lines=("ssl_verify_client on;", "ssl_client_certificate pki/root.pem;", "ssl_verify_depth 3;")),),
        note="what it answers without one is for the app and its server to settle",
    ),
    Server(
        "two-addresses",
        36,
        "two addresses: a modern one, and one with RSA key exchange only",
        needs("forward-secrecy", exception={_SECRECY: False}),
        (Tls(), Tls("TLSv1.2", _STATIC_RSA, address=SECOND_LOOPBACK)),
        note=f"{SECOND_LOOPBACK} alone is weak",
    ),
)

CERTIFICATE_SERVERS = (
    Server(
        "rsa1024", 9, "RSA 1024 leaf", blocked("certificate-key-size"), _leaf(Leaf(key="rsa1024"), _WEAK_CERTIFICATES)
    ),
    Server(
        "sha1",
        10,
        "leaf signed with SHA-1",
        blocked("certificate-signature-hash"),
        _leaf(Leaf(hash_name="sha1"), _WEAK_CERTIFICATES),
    ),
    Server("p256", 11, "ECDSA P-256 leaf", passes(), _leaf(Leaf(key="p256"))),
    Server(
        "rsa-and-ecdsa",
        12,
        "an RSA and an ECDSA leaf side by side",
        passes(),
        (Tls(leaves=(Leaf(), Leaf(key="p256"))),),
    ),
    Server(
        "rsa-leaf-expired",
        53,
        "TLS 1.2 in the client's order, a sound ECDSA leaf and an RSA leaf expired",
        passes(),
        (Tls("TLSv1.2", _BOTH_KINDS, leaves=(Leaf(begins_in=-120), Leaf(key="p256"))),),
        note="with NSExceptionRequiresForwardSecrecy NO the client puts static RSA first, and gets the expired leaf",
    ),
    Server(
        "ecdsa-leaf-expired",
        54,
        "TLS 1.2 in the client's order, a sound RSA leaf and an ECDSA leaf expired",
        needs("certificate-validity", exception={_SECRECY: False}),
        (Tls("TLSv1.2", _BOTH_KINDS, leaves=(Leaf(), Leaf(key="p256", begins_in=-120))),),
        note="with static RSA first the client gets the sound leaf",
    ),
    Server("expired", 13, "leaf expired", blocked("certificate-validity"), _leaf(Leaf(begins_in=-120))),
    Server("not-yet-valid", 14, "leaf not yet valid", blocked("certificate-validity"), _leaf(Leaf(begins_in=30))),
    Server(
        "wrong-host",
        15,
        "leaf for another host",
        blocked("certificate-hostname"),
        _leaf(Leaf(names=("other.lab.example.com",))),
    ),
    Server("self-signed", 16, "self-signed leaf", blocked("certificate-trust"), _leaf(Leaf(issuer="itself"))),
    Server(
        "unknown-root",
        17,
        "leaf of a root that nobody trusts",
        blocked("certificate-trust"),
        _leaf(Leaf(issuer="unknown-root", sends="chain-and-root")),
    ),
    Server(
        "missing-intermediate",
        18,
        "intermediate not sent, but named by the leaf's caIssuers",
        inconclusive(),
        _leaf(Leaf(sends="leaf-alone", ca_issuers=True)),
        note="Apple's clients may fetch what the leaf names",
    ),
    Server(
        "missing-intermediate-unnamed",
        19,
        "intermediate neither sent nor named",
        blocked("certificate-trust"),
        _leaf(Leaf(sends="leaf-alone")),
    ),
    Server("p384", 40, "ECDSA P-384 leaf", passes(), _leaf(Leaf(key="p384"))),
    Server(
        "ed25519",
        41,
        "TLS 1.2 with an Ed25519 leaf",
        blocked("cipher-suite", "certificate-key-size"),
        (Tls("TLSv1.2", leaves=(Leaf(key="ed25519"),)),),
        note="no signature algorithm that Apple's clients offer fits the key, and they know no size of it that would do",
    ),
    Server(
        "md5",
        42,
        "leaf signed with MD5",
        blocked("certificate-signature-hash"),
        _leaf(Leaf(hash_name="md5"), _WEAK_CERTIFICATES),
    ),
    Server(
        "rsa1024-intermediate",
        43,
        "RSA 1024 intermediate, RSA 2048 leaf",
        blocked("certificate-key-size"),
        _leaf(Leaf(issuer="rsa1024-intermediate"), _WEAK_CERTIFICATES),
    ),
    Server(
        "sha1-intermediate",
        44,
        "intermediate signed with SHA-1",
        blocked("certificate-signature-hash"),
        _leaf(Leaf(issuer="sha1-intermediate"), _WEAK_CERTIFICATES),
    ),
    Server(
        "sha1-root",
        45,
        "root signed with SHA-1, and sent",
        passes(),
        _leaf(Leaf(issuer="sha1-root", sends="chain-and-root"), _WEAK_CERTIFICATES),
        note="nobody has to believe a root's own signature",
    ),
    Server("900-days", 46, "leaf valid for 900 days", blocked("certificate-lifetime"), _leaf(Leaf(days=900))),
    Server(
        "client-purpose",
        47,
        "leaf made for clients (EKU without serverAuth)",
        blocked("certificate-purpose"),
        _leaf(Leaf(eku=("clientAuth",))),
    ),
    Server(
        "no-san",
        48,
        "leaf that names its host in the subject alone",
        blocked("certificate-hostname"),
        _leaf(Leaf(names=())),
    ),
    Server(
        "misordered-chain",
        49,
        "root sent before the intermediate",
        passes(),
        _leaf(Leaf(sends="root-before-intermediate")),
    ),
    Server(
        "big-chain",
        50,
        "a chain of 70 kB",
        passes(),
        _leaf(Leaf(names=("big-chain.lab.example.com", *(f"n{n:04}.big-chain.lab.example.com" for n in range(2500))))),
    ),
    Server(
        "ip-address",
        51,
        "a public address in place of a name, in the leaf too",
        passes(),
        _leaf(Leaf(names=("203.0.113.5",))),
        host="203.0.113.5",
        note="outside ATS before iOS 17",
    ),
    Server(
        "neglected",
        52,
        "an old appliance: everything wrong",
        blocked(
            "tls-version",
            "forward-secrecy",
            "certificate-key-size",
            "certificate-signature-hash",
            "certificate-hostname",
            "certificate-validity",
            "certificate-trust",
        ),
        (
            Tls(
                "TLSv1",
                "AES256-SHA:AES128-SHA:@SECLEVEL=0",
                leaves=(
                    Leaf(
                        key="rsa1024",
                        hash_name="sha1",
                        issuer="unknown-root",
                        names=("appliance.lab.example.com",),
                        begins_in=-500,
                        sends="chain-and-root",
                    ),
                ),
            ),
        ),
    ),
)

REVOCATION_SERVERS = (
    Server(
        "responder",
        80,
        "an OCSP responder and a revocation list, over HTTP",
        needs("insecure-http", exception={_HTTP: True}),
        (Odd("responder"),),
        "http",
        note="answers for the rows below, by GET and POST",
    ),
    Server(
        "revoked-staple",
        81,
        "leaf revoked, by the server's own stapled response",
        blocked("certificate-revocation"),
        _leaf(Leaf(revocation=Revocation("staple"))),
        when_asked="fail",
    ),
    Server(
        "good-staple",
        82,
        "leaf not revoked, by the server's own stapled response",
        passes(),
        _leaf(Leaf(revocation=Revocation("staple", "good"))),
        when_asked="pass",
    ),
    Server(
        "revoked",
        83,
        "leaf revoked, as its OCSP responder says",
        passes(),
        _leaf(Leaf(revocation=Revocation("ocsp"))),
        note="Apple's client does not ask; --check-revocation does, and warns",
        when_asked="warn",
    ),
    Server(
        "not-revoked",
        84,
        "leaf not revoked, as its OCSP responder says",
        passes(),
        _leaf(Leaf(revocation=Revocation("ocsp", "good"))),
        when_asked="pass",
    ),
    Server(
        "crl-revoked",
        85,
        "leaf on its issuer's revocation list",
        passes(),
        _leaf(Leaf(revocation=Revocation("crl"))),
        note="Apple's client does not ask; --check-revocation does, and warns",
        when_asked="warn",
    ),
    Server(
        "responder-refuses",
        86,
        "leaf whose OCSP responder refuses the connection",
        passes(),
        _leaf(Leaf(revocation=Revocation("ocsp", row="refuses"))),
        when_asked="unknown",
    ),
    Server(
        "responder-silent",
        87,
        "leaf whose OCSP responder accepts and never answers",
        passes(),
        _leaf(Leaf(revocation=Revocation("ocsp", row="silent"))),
        when_asked="unknown",
    ),
)

HTTP_SERVERS = (
    Server(
        "plain",
        21,
        "HTTP, and no TLS",
        needs("insecure-http", exception={_HTTP: True}),
        (Http(('return 200 "in the clear\\n";',)),),
        "http",
    ),
    Server(
        "redirect",
        24,
        "HTTP that sends on to a modern https",
        needs("insecure-http", exception={_HTTP: True}),
        _redirect(25),
        "http",
        note="change the URL to https, and no exception is needed",
    ),
    Server("redirect-https", 25, "where redirect sends to", passes(), (Tls(),), host="redirect.lab.example.com"),
    Server(
        "redirect-expired",
        26,
        "HTTP that sends on to an https with an expired leaf",
        blocked("insecure-http", "certificate-validity"),
        _redirect(27),
        "http",
    ),
    Server(
        "redirect-expired-https",
        27,
        "where redirect-expired sends to",
        blocked("certificate-validity"),
        _leaf(Leaf(begins_in=-120)),
        host="redirect-expired.lab.example.com",
    ),
    Server(
        "redirect-tls10",
        28,
        "HTTP that sends on to TLS 1.0",
        needs("insecure-http", "tls-version", exception={_HTTP: True, _MINIMUM: "TLSv1.0"}),
        _redirect(29),
        "http",
    ),
    Server(
        "redirect-tls10-https",
        29,
        "where redirect-tls10 sends to",
        needs("tls-version", exception={_MINIMUM: "TLSv1.0"}),
        (Tls("TLSv1", _OLD_ECDHE),),
        host="redirect-tls10.lab.example.com",
    ),
    Server(
        "http-and-https",
        60,
        "HTTP and a modern https on one port",
        needs("insecure-http", exception={_HTTP: True}),
        (Tls(lines=_IN_THE_CLEAR_TOO),),
        "http",
        note="change the URL to https, and no exception is needed",
    ),
    Server(
        "sends-back",
        61,
        "HTTP on one port with an https that sends back to HTTP",
        needs("insecure-http", exception={_HTTP: True}),
        (Tls(lines=("return 301 http://$host:{port}/;", *_IN_THE_CLEAR_TOO)),),
        "http",
        note="its https is no replacement",
    ),
    Server(
        "http-closes",
        62,
        "HTTP that closes without an answer",
        inconclusive("insecure-http"),
        (Http(("return 444;",)),),
        "http",
    ),
    Server(
        "local-name",
        63,
        "HTTP of a .local name",
        exempt(),
        (Http(('return 200 "in the clear\\n";',)),),
        "http",
        host="printer.local",
    ),
)

ODD_SERVERS = (
    Server("silent", 22, "accepts and never answers", inconclusive(), (Odd("silent"),)),
    Server("refuses", 23, "refuses the connection", inconclusive(), ()),
    Server(
        "http-on-tls-port",
        64,
        "HTTP where TLS is expected",
        inconclusive(),
        (Http(('return 200 "in the clear\\n";',)),),
    ),
    Server("internal-error", 70, "alert internal_error for every hello", inconclusive(), (Odd("alert-80"),)),
    Server("access-denied", 71, "alert access_denied for every hello", inconclusive(), (Odd("alert-49"),)),
    Server("resets", 72, "resets the connection after the hello", inconclusive(), (Odd("reset"),)),
    Server("closes", 73, "closes the connection after the hello", inconclusive(), (Odd("close"),)),
    Server("truncates", 74, "closes in the middle of its ServerHello", inconclusive(), (Odd("truncate"),)),
    Server("drips", 75, "sends a byte a second", inconclusive(), (Odd("drip"),)),
    Server("floods", 76, "sends a certificate message of 16 MB", inconclusive(), (Odd("flood"),)),
    Server("garbage", 77, "sends bytes that are no TLS", inconclusive(), (Odd("garbage"),)),
)

SERVERS: tuple[Server, ...] = tuple(
    sorted(
        (*TLS_SERVERS, *CERTIFICATE_SERVERS, *REVOCATION_SERVERS, *HTTP_SERVERS, *ODD_SERVERS),
        key=lambda server: server.offset,
    )
)

PORTS = 100
"""How many ports a lab takes up from its base port; a second address takes as many again in a container."""

DEFAULT_BASE_PORT = 20443


def server_named(name: str) -> Server:
    """Give the row of a name. Raises KeyError where there is none."""
    for server in SERVERS:
        if server.name == name:
            return server
    raise KeyError(name)
