"""One job of the scan benchmark, in a process of its own: a JSON job on standard input, a JSON line on standard output."""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from atsprobe.model.handshake import accepted_groups, accepted_suites
from atsprobe.model.observation import TlsObservation
from atsprobe.settings import Settings


def probe(job: dict[str, Any]) -> dict[str, Any]:
    """Audit the targets with atsprobe, as the command line would."""
    from atsprobe.pipelines.audit import audit
    from atsprobe.scan.engine import engines

    engines()  # load sslyze before the clock starts, as the stock scanner's side does
    directory = Path(job["directory"])
    settings = Settings(
        ca_files=(str(directory / "ca.pem"),),
        resolve=tuple((directory / "resolve.txt").read_text().split()),
        quick=job["quick"],
    )
    started = time.perf_counter()
    result = audit(job["targets"], settings, names_are_given=True)
    seconds = time.perf_counter() - started
    tls = [o for o in result.recording.observations if isinstance(o, TlsObservation)]
    accepted = sum(
        sum(len(s) for s in accepted_suites(o.experiments).values()) + len(accepted_groups(o.experiments)) for o in tls
    )
    verdicts = sorted({str(e.verdict) for e in result.endpoints})
    judged = sum(1 for e in result.endpoints if e.verdict != "inconclusive")
    return {"seconds": seconds, "verdicts": verdicts, "judged": judged, "accepted": accepted}


def stock(job: dict[str, Any]) -> dict[str, Any]:
    """Scan the same endpoints with sslyze's stock Scanner and the commands that a verdict needs."""
    from sslyze import ScanCommand, Scanner, ServerNetworkLocation, ServerScanRequest
    from sslyze.plugins.certificate_info.implementation import CertificateInfoExtraArgument
    from sslyze.scanner.models import ScanCommandsExtraArguments

    directory = Path(job["directory"])
    commands = {
        ScanCommand.CERTIFICATE_INFO,
        ScanCommand.TLS_1_0_CIPHER_SUITES,
        ScanCommand.TLS_1_1_CIPHER_SUITES,
        ScanCommand.TLS_1_2_CIPHER_SUITES,
        ScanCommand.TLS_1_3_CIPHER_SUITES,
        ScanCommand.ELLIPTIC_CURVES,
    }
    extra = ScanCommandsExtraArguments(
        certificate_info=CertificateInfoExtraArgument(custom_ca_file=directory / "ca.pem")
    )
    requests = []
    for line in (directory / "resolve.txt").read_text().split():
        host, port, address = line.split(":", 2)
        location = ServerNetworkLocation(hostname=host, port=int(port), ip_address=address)
        requests.append(ServerScanRequest(location, scan_commands=commands, scan_commands_extra_arguments=extra))
    started = time.perf_counter()
    scanner = Scanner()
    scanner.queue_scans(requests)
    judged = sum(1 for result in scanner.get_results() if result.scan_result is not None)
    return {"seconds": time.perf_counter() - started, "judged": judged}


def main() -> None:
    """Do the job of standard input."""
    warnings.simplefilter("ignore")
    job = json.load(sys.stdin)
    done = stock(job) if job["kind"] == "sslyze" else probe(job)
    done["peak_kilobytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps(done))


if __name__ == "__main__":
    main()
