"""The demo: the bundled sample app audited against servers in this process, and the report held against what it should be."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from atsprobe.lab.demo_servers import EXEMPT, KEYS, SERVERS, DemoKey
from atsprobe.lab.python_tls import LOOPBACK, embedded
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.judgement import ExceptionStatus, Verdict
from atsprobe.model.result import AuditResult
from atsprobe.pipelines.audit import audit
from atsprobe.pipelines.progress import Progress
from atsprobe.settings import Settings

_TIMEOUT, _DEADLINE = 5.0, 10.0


@dataclass(frozen=True)
class DemoResult:
    """The audit of the sample app; ``unexpected`` says, a line each, where it is not what it should be."""

    result: AuditResult
    unexpected: tuple[str, ...]


def server_count() -> int:
    """Give how many ports the demo serves, or refuses, on loopback."""
    return len(SERVERS)


def demo(progress: Progress | None = None) -> DemoResult:
    """Start the servers, audit the sample app against them, stop them. No packet leaves loopback and no DNS server is asked.

    Raises OSError where no port of loopback can be had, or no temporary file be written.
    """
    services = [(server.host, server.service) for server in SERVERS]
    with embedded(services) as running, tempfile.TemporaryDirectory(prefix="atsprobe-demo-") as folder:
        ca_file = Path(folder) / "root.pem"
        ca_file.write_bytes(running.ca_pem)
        ports = zip(SERVERS, running.ports, strict=True)
        settings = Settings(
            ca_files=(str(ca_file),),
            connect_to=tuple(f"{server.host}:{server.port}:{LOOPBACK}:{port}" for server, port in ports),
            timeout=_TIMEOUT,
            deadline=_DEADLINE,
        )
        with as_file(files("atsprobe.lab") / "sample_app.ipa") as app:
            result = audit([str(app)], settings, progress, names_are_given=True)
    return DemoResult(result, tuple(unexpected(result)))


def unexpected(result: AuditResult) -> Iterator[str]:
    """Say, a line each, where the audit of the sample app is not what its servers and keys should give."""
    yield from _unexpected_loads(result)
    yield from _unexpected_keys(result)
    shown = {e.verdict for e in result.loads}
    yield from (f"no server shows {verdict}" for verdict in Verdict if verdict not in shown)
    statuses = {e.status for e in result.exceptions}
    yield from (f"no key shows {status}" for status in ExceptionStatus if status not in statuses)
    yield from (f"{skipped.file}: skipped, {skipped.reason}" for skipped in result.recording.extraction.skipped)


def _endpoint(host: str, port: int) -> Endpoint:
    return Endpoint(Host(host), port, "http" if port == 80 else "https")


def _unexpected_loads(result: AuditResult) -> Iterator[str]:
    expected = {_endpoint(s.host, s.port): (s.verdict, s.declared) for s in SERVERS if s.verdict}
    expected |= {_endpoint(host, 80): ("exempt", "exempt") for host in EXEMPT}
    found = {e.endpoint: (str(e.verdict), str(e.declared_verdict)) for e in result.loads}
    for endpoint, should_be in expected.items():
        if endpoint not in found:
            yield f"{endpoint}: not found in the app"
        elif found[endpoint] != should_be:
            verdict, declared = found[endpoint]
            yield f"{endpoint}: {verdict}, {declared} under the app's dictionary; should be {' and '.join(should_be)}"
    yield from (f"{endpoint}: no load of the app's" for endpoint in found if endpoint not in expected)


def _unexpected_keys(result: AuditResult) -> Iterator[str]:
    found = Counter(DemoKey(e.bundle, e.domain, e.key or "", str(e.status)) for e in result.exceptions)
    expected = Counter(KEYS)
    for key in (expected - found).elements():
        yield f"{key.domain or 'global'} {key.key} of {key.bundle}: should be {key.status}"
    for key in (found - expected).elements():
        yield f"{key.domain or 'global'} {key.key} of {key.bundle}: is {key.status}"
