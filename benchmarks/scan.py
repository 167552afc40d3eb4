"""Scanning, measured: connections counted at the server, verdicts a second beside sslyze's stock scanner, peak memory.

Everything runs on this machine against the lab's nginx, client and servers on the same cores: trust the connections and the
ratios, not the absolute numbers. Run it with ``make bench`` (or ``python -m benchmarks.scan --rounds 1`` for a quick look).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atsprobe.lab import nginx
from atsprobe.lab.problem import LabProblem
from atsprobe.lab.server import Leaf, Odd, Server, Tls, passes
from atsprobe.lab.servers import PORTS, SERVERS, server_named

MOZILLA_INTERMEDIATE = ":".join(
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
        "DHE-RSA-AES128-GCM-SHA256",
        "DHE-RSA-AES256-GCM-SHA384",
    )
)
INTERMEDIATE = Server(
    "intermediate",
    98,
    "Mozilla's intermediate configuration: 11 suites, an RSA and an ECDSA leaf",
    passes(),
    (Tls(ciphers=MOZILLA_INTERMEDIATE, leaves=(Leaf(), Leaf(key="p256")), lines=("ssl_dhparam pki/dh2048.pem;",)),),
)
MODERN = server_named("modern")
TARGET_QUICK, TARGET_FULL, TARGET_KILOBYTES = 40, 6, 100


@contextmanager
def running(layout_of: object) -> Iterator[Path]:
    """Bring a lab up on the first free run of ports, and down afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="atsprobe-bench-"))
    try:
        for attempt in range(20):
            base_port = 25000 + (os.getpid() + attempt) % 40 * 2 * PORTS
            try:
                nginx.up(directory, layout_of(base_port))  # type: ignore[operator]
                break
            except LabProblem as problem:
                if "is taken" not in str(problem):
                    raise
        yield directory
    finally:
        nginx.down(directory)
        shutil.rmtree(directory, ignore_errors=True)


def worker(directory: Path, kind: str, targets: list[str], **more: object) -> dict[str, object]:
    """Do one job in a process of its own, so that memory and imports are its own; give what it printed."""
    job = json.dumps({"kind": kind, "directory": str(directory), "targets": targets, **more})
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scan_worker"], input=job, capture_output=True, text=True, timeout=900
    )
    if done.returncode != 0:
        raise SystemExit(f"benchmark: {kind} failed\n{done.stderr[-2000:]}")
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return result


def counted(directory: Path) -> dict[int, int]:
    """Give the connections counted at each port, once nginx has written what just ended."""
    time.sleep(0.3)
    return nginx.connections(directory)


def connections_table() -> bool:
    """Print, for each server of the lab, connections for a verdict and for the full list, beside the bounds."""
    print(
        "Connections at the server (bounds: 1 for a pass and 8 otherwise with --quick; accepted + 12 for the full list)"
    )
    held = True
    with running(nginx.Layout) as directory:
        base = nginx.base_port_of(directory)
        assert base is not None
        rows = [s for s in SERVERS if s.scheme == "https" and not any(isinstance(x, Odd) for x in s.listeners)]
        for server in rows:
            target = nginx.target(server, server.full_host, server.port(base))
            counts: list[int] = []
            seen: dict[str, object] = {}
            for quick in (True, False):
                before = sum(counted(directory).values())
                seen = worker(directory, "atsprobe", [target], quick=quick)
                counts.append(sum(counted(directory).values()) - before)
            addresses = len(server.addresses)
            most_quick = (1 if seen["verdicts"] == ["pass"] else 8) * addresses
            most_full = int(str(seen["accepted"])) + 12 * addresses
            good = counts[0] <= most_quick and counts[1] <= most_full
            held &= good
            print(
                f"  {server.name:28} {'/'.join(seen['verdicts']):20}"  # type: ignore[arg-type]
                f" quick {counts[0]:2} <= {most_quick:2}   full {counts[1]:3} <= {most_full:3}"
                f"{'' if good else '   EXCEEDED'}"
            )
    return held


def copies(server: Server, count: int, base_port: int) -> nginx.Layout:
    """Lay out one server and its copies, each on a loopback address of its own."""
    addresses = tuple(f"127.1.{number // 250}.{1 + number % 250}" for number in range(count - 1))
    return nginx.Layout(base_port, (server,), {server.name: addresses})


def throughput(server: Server, rounds: int, count: int = 60) -> tuple[float, float]:
    """Print verdicts a second over copies of a server, ours and sslyze's stock scanner in turns; give the two ratios."""
    figures: dict[str, list[float]] = {"quick": [], "full": [], "sslyze": []}
    made: dict[str, list[int]] = {name: [] for name in figures}
    with running(lambda base: copies(server, count, base)) as directory:
        targets = (directory / "targets.txt").read_text().split()
        for _ in range(rounds):
            for name, values in figures.items():
                before = sum(counted(directory).values())
                kind = "sslyze" if name == "sslyze" else "atsprobe"
                seen = worker(directory, kind, targets, quick=name == "quick")
                assert seen["judged"] == count, f"{name} judged {seen['judged']} of {count}"
                values.append(count / float(str(seen["seconds"])))
                made[name].append(sum(counted(directory).values()) - before)
    rate = {name: statistics.median(values) for name, values in figures.items()}
    print(f"\nVerdicts a second, {count} endpoints, {server.description}; median of {rounds}, imports not counted")
    for name, label in (("quick", "atsprobe --quick"), ("full", "atsprobe"), ("sslyze", "sslyze Scanner")):
        per = statistics.median(made[name]) / count
        ratio = rate[name] / rate["sslyze"]
        print(f"  {label:18} {rate[name]:8.1f}/s   {ratio:6.1f}x   {per:6.1f} connections an endpoint")
    return rate["quick"] / rate["sslyze"], rate["full"] / rate["sslyze"]


def throughputs(rounds: int) -> bool:
    """Print both kinds of server; the targets are for the one that most real servers are configured like."""
    quick, full = throughput(INTERMEDIATE, rounds)
    print(f"  targets: {TARGET_QUICK}x with --quick, {TARGET_FULL}x with the full list")
    throughput(MODERN, rounds)
    print("  (RSA leaf and OpenSSL's own list of suites: nginx's RSA signatures bound the full list here)")
    return quick >= TARGET_QUICK and full >= TARGET_FULL


def memory() -> bool:
    """Print peak resident memory for 60 and 600 endpoints, full list, and its growth."""
    peaks: dict[int, float] = {}
    for count in (60, 600):
        with running(lambda base, count=count: copies(MODERN, count, base)) as directory:
            targets = (directory / "targets.txt").read_text().split()
            peaks[count] = float(str(worker(directory, "atsprobe", targets, quick=False)["peak_kilobytes"]))
    growth = (peaks[600] - peaks[60]) / 540
    print("\nPeak resident memory, full list")
    for count, peak in peaks.items():
        print(f"  {count:4} endpoints {peak / 1024:8.1f} MB")
    print(f"  {growth:.1f} KB an endpoint (target: under {TARGET_KILOBYTES})")
    return growth < TARGET_KILOBYTES


def main() -> int:
    """Run the three parts; the exit code says whether every target was met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--part", choices=["connections", "throughput", "memory"], action="append")
    options = parser.parse_args()
    parts = {
        "connections": connections_table,
        "throughput": lambda: throughputs(options.rounds),
        "memory": memory,
    }
    met = [run() for name, run in parts.items() if not options.part or name in options.part]
    print("\nevery target met" if all(met) else "\na target was missed")
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
