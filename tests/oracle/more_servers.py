"""Servers on which scanners differ, beside those of the truth table: several leaves, several versions, no encryption."""

from __future__ import annotations

from atsprobe.lab.server import Leaf, Server, Tls, blocked, needs, passes

_DH = "ssl_dhparam pki/dh2048.pem;"
_EVERYTHING = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"

MORE_SERVERS = (
    Server(
        "p256-tls12", 90, "TLS 1.2 alone, ECDSA P-256 leaf", passes(), (Tls("TLSv1.2", leaves=(Leaf(key="p256"),)),)
    ),
    Server(
        "two-leaves-tls13",
        91,
        "TLS 1.3 alone, an RSA and an ECDSA leaf",
        passes(),
        (Tls("TLSv1.3", leaves=(Leaf(), Leaf(key="p256"))),),
    ),
    Server(
        "everything",
        92,
        "all versions, suites and kinds of leaf that OpenSSL 3 has",
        passes(),
        (Tls("TLSv1 TLSv1.1 TLSv1.2 TLSv1.3", _EVERYTHING, (Leaf(), Leaf(key="p256")), (_DH,)),),
    ),
    Server(
        "old-versions",
        93,
        "TLS 1.0 and 1.1 with every suite",
        needs("tls-version", exception={"NSExceptionMinimumTLSVersion": "TLSv1.1"}),
        (Tls("TLSv1 TLSv1.1", _EVERYTHING, lines=(_DH,)),),
    ),
    Server(
        "own-order",
        94,
        "two groups alone, in the server's order",
        passes(),
        (
            Tls(
                "TLSv1.2 TLSv1.3",
                "ALL:@SECLEVEL=0",
                lines=("ssl_prefer_server_ciphers on;", "ssl_ecdh_curve secp521r1:secp384r1;"),
            ),
        ),
    ),
    Server(
        "no-encryption",
        95,
        "TLS 1.2 without encryption",
        blocked("cipher-suite"),
        (Tls("TLSv1.2", "eNULL:!aNULL:@SECLEVEL=0"),),
    ),
)
