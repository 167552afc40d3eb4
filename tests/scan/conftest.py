"""Certificates and nginx for the tests of scan, made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import scan_servers


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    return scan_servers.make_pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def nginx(tmp_path_factory, pki):
    """Debian's nginx with servers of several makes, by name."""
    if not shutil.which("nginx") and not Path("/usr/sbin/nginx").exists():
        pytest.skip("nginx is not installed")
    rsa = f"ssl_certificate {pki['rsa']}; ssl_certificate_key {pki['rsa']};"
    ecdsa = f"ssl_certificate {pki['ecdsa']}; ssl_certificate_key {pki['ecdsa']};"
    p521 = f"ssl_certificate {pki['p521']}; ssl_certificate_key {pki['p521']};"
    ed25519 = f"ssl_certificate {pki['ed25519']}; ssl_certificate_key {pki['ed25519']};"
    client = f"ssl_verify_client on; ssl_client_certificate {pki['rsa']};"
    everything = "ssl_ciphers ALL:COMPLEMENTOFALL:@SECLEVEL=0;"
    server = scan_servers.Nginx(
        tmp_path_factory.mktemp("nginx"),
        {
            "two leaves": f"{rsa} {ecdsa} ssl_protocols TLSv1.2 TLSv1.3;",
            "all but SSL": f"{rsa} {ecdsa} ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3; {everything}",
            "1.3 alone": f"{rsa} {ecdsa} ssl_protocols TLSv1.3;",
            "1.0 alone": f"{rsa} ssl_protocols TLSv1; {everything}",
            "static RSA": f"{rsa} ssl_protocols TLSv1.2; ssl_ciphers kRSA+AES;",
            "ECDSA 1.2": f"{ecdsa} ssl_protocols TLSv1.2;",
            "P-521": f"{p521} ssl_protocols TLSv1.2 TLSv1.3;",
            "Ed25519": f"{ed25519} ssl_protocols TLSv1.2 TLSv1.3;",
            "one group": f"{rsa} ssl_protocols TLSv1.2 TLSv1.3; ssl_ecdh_curve secp384r1; ssl_ciphers ECDHE;",
            "client certificate": f"{rsa} {client} ssl_protocols TLSv1.2 TLSv1.3;",
        },
    )
    yield server
    server.close()
