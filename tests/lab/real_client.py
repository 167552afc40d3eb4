"""Clients that owe nothing to atsprobe: openssl s_client and curl."""

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
OLD_VERSIONS = {"TLSv1.0": "TLSv1", "TLSv1.1": "TLSv1.1"}


@dataclass(frozen=True)
class Handshake:
    """What s_client says of a completed handshake; ``verification`` is OK or the error."""

    version: str
    suite: str
    verification: str
    key: str
    output: str


def s_client(lab, name: str, *arguments: str, address: str = "127.0.0.1") -> Handshake | None:
    """Shake hands with a row of the lab; None when that does not come about."""
    host = lab.server(name).full_host
    command = ["openssl", "s_client", "-brief", "-connect", f"{address}:{lab.port(name)}", "-CAfile", str(lab.ca_file)]
    command += ["-servername", host, "-verify_ip" if _is_ip(host) else "-verify_hostname", host, *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False)
    output = done.stdout + done.stderr
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
    exception = exception or {}
    suites, floor, level = ATS_SUITES, "TLSv1.2", 2
    if exception.get("NSExceptionRequiresForwardSecrecy") is False:
        suites = f"{STATIC_RSA_SUITES}:{suites}"
    minimum = exception.get("NSExceptionMinimumTLSVersion")
    if isinstance(minimum, str):
        floor, level = OLD_VERSIONS[minimum], 0
    return [
        *("-min_protocol", floor, "-cipher", f"{suites}:@SECLEVEL={level}"),
        *("-groups", "X25519:P-256:P-384:P-521", "-sigalgs", _ATS_SIGNATURES),
    ]


EVERYTHING = ("-min_protocol", "TLSv1", "-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0")
"""The arguments that make s_client offer all it can."""


def curl(lab, name: str, *arguments: str, scheme: str | None = None) -> str:
    """Send GET / and give the answer, head first; empty where there was none."""
    server = lab.server(name)
    url = f"{scheme or server.scheme}://{server.full_host}:{lab.port(name)}/"
    options = ["--resolve", f"{server.full_host}:{lab.port(name)}:127.0.0.1", "--cacert", str(lab.ca_file)]
    command = ["curl", "-s", "-i", "-m", "10", "--noproxy", "*", *options, *arguments, url]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout


def _field(output: str, name: str) -> str:
    found = re.search(rf"^{name}: (.*)$", output, re.MULTILINE)
    return found[1].strip() if found else ""


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
