"""One server looked at by sslyze's own Scanner, in a process of its own: HOST PORT ADDRESS in, a line of JSON out.

A process, because the Scanner does not come to an end where a server answers its probes with an alert that it does not know.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import warnings

VERSIONS = {
    "SSLv2": "ssl_2_0",
    "SSLv3": "ssl_3_0",
    "TLSv1.0": "tls_1_0",
    "TLSv1.1": "tls_1_1",
    "TLSv1.2": "tls_1_2",
    "TLSv1.3": "tls_1_3",
}
SECONDS_FOR_AN_ANSWER = 5


def stock_scan(host: str, port: int, address: str, deadline: float) -> dict[str, object]:
    """Give what the Scanner says of one server, as `scan` gives it; ``{"outcome": "no end"}`` when it hangs."""
    command = [sys.executable, __file__, host, str(port), address]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=deadline, check=False)
    except subprocess.TimeoutExpired:
        return {"outcome": "no end"}
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def scan(host: str, port: int, address: str) -> dict[str, object]:
    """Give suites by version (those with any), groups (None without ECDH), SHA-256 of the leaves; names are IANA's.

    ``outcome`` is ``read`` or ``no connection``. ``failed`` are the commands that did not come to a result.
    """
    from cryptography.hazmat.primitives.serialization import Encoding
    from sslyze import (
        ScanCommand,
        ScanCommandAttemptStatusEnum,
        Scanner,
        ServerNetworkConfiguration,
        ServerNetworkLocation,
        ServerScanRequest,
    )

    names = [f"{name}_cipher_suites" for name in VERSIONS.values()] + ["elliptic_curves", "certificate_info"]
    location = ServerNetworkLocation(host, port, ip_address=address)
    configuration = ServerNetworkConfiguration(
        tls_server_name_indication=host, network_timeout=SECONDS_FOR_AN_ANSWER, network_max_retries=1
    )
    scanner = Scanner()
    scanner.queue_scans([ServerScanRequest(location, configuration, {ScanCommand(name) for name in names})])
    result = next(iter(scanner.get_results())).scan_result
    if result is None:
        return {"outcome": "no connection"}
    attempts = {name: getattr(result, name) for name in names}
    failed = [name for name in names if attempts[name].status is not ScanCommandAttemptStatusEnum.COMPLETED]
    results = {name: attempts[name].result for name in names if name not in failed}
    suites = {
        label: sorted(a.cipher_suite.name for a in results[f"{name}_cipher_suites"].accepted_cipher_suites)
        for label, name in VERSIONS.items()
        if f"{name}_cipher_suites" in results
    }
    curves = results["elliptic_curves"].supported_curves if "elliptic_curves" in results else None
    deployed = results["certificate_info"].certificate_deployments if "certificate_info" in results else []
    leaves = [d.received_certificate_chain[0].public_bytes(Encoding.DER) for d in deployed]
    return {
        "outcome": "read",
        "failed": failed,
        "suites": {label: accepted for label, accepted in suites.items() if accepted},
        "groups": None if curves is None else sorted(c.name for c in curves),
        "leaves": sorted(hashlib.sha256(leaf).hexdigest() for leaf in leaves),
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    json.dump(scan(sys.argv[1], int(sys.argv[2]), sys.argv[3]), sys.stdout)
