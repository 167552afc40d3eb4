"""Clients that owe nothing to atsprobe: openssl s_client, curl and gnutls-cli."""

from __future__ import annotations

import ipaddress
import re
import subprocess
from dataclasses import dataclass

ATS_SUITES = ":".join(
    f"ECDHE-{signature}-{cipher}"
    for signature in ("ECDSA", "RSA")
    for cipher in ("AES256-GCM-SHA384", "AES128-GCM-SHA256", "CHACHA20-POLY1305", "AES256-SHA", "AES128-SHA")
)
STATIC_RSA_SUITES = "AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-SHA:AES128-SHA"
_ATS_SIGNATURES = ":".join(
    (
        "ecdsa_secp256r1_sha256",
        "rsa_pss_rsae_sha256",
        "rsa_pkcs1_sha256",
        "ecdsa_secp384r1_sha384",
        "rsa_pss_rsae_sha384",
        "rsa_pkcs1_sha384",
        "rsa_pss_rsae_sha512",
        "rsa_pkcs1_sha512",
    )
)
_ATS_GROUPS = "X25519:P-256:P-384:P-521"
_ATS_OF_GNUTLS = ":+".join(
    (
        "NONE:+VERS-TLS1.3",
        *("VERS-TLS1.2", "ECDHE-ECDSA", "ECDHE-RSA", "COMP-NULL", "CTYPE-SRV-X509"),
        *("AES-256-GCM", "AES-128-GCM", "CHACHA20-POLY1305", "AES-256-CBC", "AES-128-CBC", "AEAD", "SHA1"),
        *("GROUP-X25519", "GROUP-SECP256R1", "GROUP-SECP384R1", "GROUP-SECP521R1"),
        *("SIGN-ECDSA-SECP256R1-SHA256", "SIGN-ECDSA-SHA256", "SIGN-RSA-PSS-RSAE-SHA256", "SIGN-RSA-SHA256"),
        *("SIGN-ECDSA-SECP384R1-SHA384", "SIGN-ECDSA-SHA384", "SIGN-RSA-PSS-RSAE-SHA384", "SIGN-RSA-SHA384"),
        *("SIGN-RSA-PSS-RSAE-SHA512", "SIGN-RSA-SHA512:%PROFILE_MEDIUM"),
    )
)
OLD_VERSIONS = {"TLSv1.0": "TLSv1", "TLSv1.1": "TLSv1.1"}


@dataclass(frozen=True)
class Handshake:
    """What s_client says of a completed handshake; ``verification`` is OK or the error."""

    version: str
    suite: str
    verification: str
    key: str
    output: str


def s_client(lab, name: str, *arguments: str, address: str = "127.0.0.1", seconds: float = 20) -> Handshake | None:
    """Shake hands with a row of the lab; None when that does not come about."""
    host = lab.server(name).full_host
    command = ["openssl", "s_client", "-brief", "-connect", f"{address}:{lab.port(name)}", "-CAfile", str(lab.ca_file)]
    command += ["-servername", host, "-verify_ip" if _is_ip(host) else "-verify_hostname", host, *arguments]
    _, output = _run(command, seconds)
    if "Ciphersuite: " not in output:
        return None
    verification = _field(output, "Verification error") or ("OK" if "Verification: OK" in output else "no certificate")
    return Handshake(
        _field(output, "Protocol version"),
        _field(output, "Ciphersuite"),
        verification,
        _field(output, "Server Temp Key"),
        output,
    )


def ats_hello(exception: dict[str, str | bool] | None = None) -> list[str]:
    """Give the arguments that make s_client offer what an app on iOS 26 does under an exception."""
    floor, suites = _floor_and_suites(exception or {})
    return ["-min_protocol", floor, "-cipher", suites, "-groups", _ATS_GROUPS, "-sigalgs", _ATS_SIGNATURES]


def ats_hello_of_curl(exception: dict[str, str | bool] | None = None) -> list[str]:
    """Give the arguments that make curl offer it; curl 7 has none for the signature algorithms."""
    floor, suites = _floor_and_suites(exception or {})
    return [f"--{floor.lower()}" if "." in floor else "--tlsv1.0", "--ciphers", suites, "--curves", _ATS_GROUPS]


def _floor_and_suites(exception: dict[str, str | bool]) -> tuple[str, str]:
    suites, floor, level = ATS_SUITES, "TLSv1.2", 2
    if exception.get("NSExceptionRequiresForwardSecrecy") is False:
        suites = f"{STATIC_RSA_SUITES}:{suites}"
    minimum = exception.get("NSExceptionMinimumTLSVersion")
    if isinstance(minimum, str):
        floor, level = OLD_VERSIONS[minimum], 0
    return floor, f"{suites}:@SECLEVEL={level}"


EVERYTHING = ("-min_protocol", "TLSv1", "-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0")
"""The arguments that make s_client offer all it can."""


def curl(
    lab, name: str, *arguments: str, scheme: str | None = None, address: str = "127.0.0.1", seconds: float = 10
) -> str:
    """Send GET / and give the answer, head first; empty where there was none."""
    server = lab.server(name)
    url = f"{scheme or server.scheme}://{server.full_host}:{lab.port(name)}/"
    options = ["--connect-to", f"{server.full_host}::{address}:", "--cacert", str(lab.ca_file)]
    command = ["curl", "-s", "-i", "-m", str(seconds), "--noproxy", "*", *options, *arguments, url]
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds + 10, check=False).stdout


def gnutls_cli(lab, name: str, *, address: str = "127.0.0.1", seconds: float = 20) -> bool:
    """Say whether another library than OpenSSL, limited to what iOS 26 offers, connects to a row and trusts it."""
    host = lab.server(name).full_host
    command = ["gnutls-cli", "-p", str(lab.port(name)), "--sni-hostname", host, "--verify-hostname", host]
    command += ["--x509cafile", str(lab.ca_file), "--priority", _ATS_OF_GNUTLS, address]
    return _run(command, seconds)[0] == 0


def _run(command: list[str], seconds: float) -> tuple[int | None, str]:
    """Give exit status (None: no end in that time) and all output, foreign bytes replaced."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def _field(output: str, name: str) -> str:
    found = re.search(rf"^{name}: (.*)$", output, re.MULTILINE)
    return found[1].strip() if found else ""


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
