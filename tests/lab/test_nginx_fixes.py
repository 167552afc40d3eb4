"""Each fix for nginx, applied to the server of the lab that has the fault, makes a real audit pass."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from ocsp_responder import serving_good_answers

from atsprobe.lab import pki
from atsprobe.lab.certificates import write_certificates
from atsprobe.lab.nginx import find_nginx
from atsprobe.lab.nginx_config import nginx_config
from atsprobe.lab.server import Server, Tls
from atsprobe.lab.servers import PORTS, SERVERS, server_named
from atsprobe.pipelines.audit import audit
from atsprobe.report.fixes import its_https
from atsprobe.report.server_products import configurations, products
from atsprobe.settings import Settings

pytestmark = pytest.mark.lab

FAULTY = [s for s in SERVERS if s.scheme == "https" and s.expected.failing]
"""Every https server of the lab of which some requirement fails: nginx serves all of them."""

CERTIFICATE = re.compile(r"/etc/ssl/\S+\.(pem|key)")


def _sound(server: Server) -> Server:
    """Give a server of the same host that shows a sound certificate, for the file that a fix asks for."""
    return replace(server, name=f"sound-{server.name}", host=server.full_host, listeners=(Tls(),))


def _applied(config: str, fixes: Mapping[str, Sequence[str]]) -> str:
    """Apply to the block of each server its lines: a directive takes the place of those of its name, or is added."""
    blocks = re.split(r"(?m)^(?=  server \{)", config)
    return "".join(_block(block, fixes) for block in blocks)


def _block(block: str, fixes: Mapping[str, Sequence[str]]) -> str:
    named = re.match(r"  server \{  # ([^:]+):", block)
    if named is None or named[1] not in fixes:
        return block
    head, *body = block.splitlines()
    place = body[0].split()[1].rstrip(";")  # the lab listens on loopback alone
    for line in fixes[named[1]]:
        removed = re.match(r"# remove (\S+)", line)
        if line.startswith("#") and not removed:
            continue
        name = removed[1] if removed else line.split()[0]
        ours = CERTIFICATE.sub(rf"pki/sound-{named[1]}-0.\1", re.sub(r"^listen \d+", f"listen {place}", line))
        at = next((i for i, old in enumerate(body) if old.split()[:1] == [name]), len(body) - 1)
        body = [old for old in body if old.split()[:1] != [name]]
        body[at:at] = [] if removed else [f"    {ours}"]
    return "\n".join([head, *body]) + "\n"


@contextmanager
def _serving(folder: Path, config: str, port: int) -> Iterator[None]:
    """Run nginx on a configuration until the end of the block; the folder holds pki/."""
    (folder / "run/t").mkdir(parents=True, exist_ok=True)
    (folder / "lab.conf").write_text(config)
    command = [find_nginx(), "-p", f"{folder}/", "-c", str(folder / "lab.conf"), "-e", "stderr"]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, timeout=30, check=False)
    assert checked.returncode == 0, checked.stderr[-1000:]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(port)
            yield
        finally:
            process.terminate()


def _wait(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nginx does not listen")


@dataclass(frozen=True)
class Mended:
    """What an audit said of the lab's servers, the lines applied, and what it said after."""

    requirements: Mapping[str, set[str]]
    fixes: Mapping[str, tuple[str, ...]]
    after: Mapping[str, object]
    recording: object


def _audited(servers: Sequence[Server], base_port: int, ca_file: Path, *, https: bool = False, **more):
    scheme = {s.name: "https" if https else s.scheme for s in servers}
    targets = [f"{scheme[s.name]}://{s.full_host}:{s.port(base_port)}/" for s in servers]
    resolve = tuple(f"{s.full_host}:{s.port(base_port)}:{','.join(s.addresses)}" for s in servers)
    settings = Settings(ca_files=(str(ca_file),), resolve=resolve, timeout=5, deadline=15, **more)
    result = audit(targets, settings)
    found = {(e.endpoint.host, e.endpoint.port, e.endpoint.scheme): e for e in result.loads}
    return result, {s.name: found[s.full_host, s.port(base_port), scheme[s.name]] for s in servers}


def _lines(result, row, statuses=("fail",)) -> tuple[str, ...]:
    findings = [f.finding for f in row.findings if f.finding.status in statuses]
    made = configurations(("nginx",), row.endpoint, findings, its_https(row, result.recording))
    return made[0].lines if made else ()


def _mended(lab, folder: Path, servers: Sequence[Server], *, https: bool = False, **more) -> Mended:
    """Audit servers of the lab, serve them anew with the fixes applied, and audit these."""
    result, before = _audited(servers, lab.base_port, lab.ca_file, **more)
    fixes = {name: _lines(result, row) for name, row in before.items()}
    base_port = lab.base_port + PORTS
    (folder / "pki").mkdir()
    roots = write_certificates([*servers, *map(_sound, servers)], folder / "pki", base_port)
    (folder / "ca.pem").write_bytes(roots)
    config = _applied(nginx_config(servers, base_port), fixes)
    with _serving(folder, config, servers[-1].port(base_port)):
        again, after = _audited(servers, base_port, folder / "ca.pem", https=https, **more)
    failing = {
        name: {str(f.finding.requirement) for f in row.findings if f.finding.status == "fail"}
        for name, row in before.items()
    }
    return Mended(failing, fixes, after, again.recording)


@pytest.fixture(scope="module")
def mended(lab, tmp_path_factory: pytest.TempPathFactory) -> Mended:
    """Mend every https server of the lab that has a fault, all at once."""
    return _mended(lab, tmp_path_factory.mktemp("mended"), FAULTY)


@pytest.mark.parametrize("server", FAULTY, ids=lambda s: s.name)
def test_a_faulty_server_passes_once_its_fixes_are_applied(mended, server) -> None:
    """Whatever fails, alone or many at once, the lines that are told for nginx turn the verdict to pass."""
    assert mended.fixes[server.name]
    row = mended.after[server.name]
    assert row.verdict == "pass", (mended.fixes[server.name], row.reason)


def test_every_requirement_on_versions_suites_and_certificates_was_mended(mended) -> None:
    """The faults of the lab are those that a server's configuration can mend, each at least once."""
    mended_ones = set().union(*mended.requirements.values())
    by_nginx = {r for fix in products()["nginx"].fixes for r in fix.requirements}
    tested_below = {"insecure-http", "extended-master-secret", "certificate-revocation"}
    needs_a_public_root = {"certificate-transparency"}
    assert by_nginx - tested_below - needs_a_public_root <= mended_ones


def test_a_server_without_extended_master_secret_passes_for_system_services(lab, tmp_path) -> None:
    """What fails as apple-system-27 passes as apple-system-27."""
    server = server_named("no-ems")
    done = _mended(lab, tmp_path, [server], profile="apple-system-27")
    assert done.requirements[server.name] == {"extended-master-secret"}
    assert done.after[server.name].verdict == "pass"


def test_a_server_in_the_clear_passes_under_https(lab, tmp_path) -> None:
    """The port that spoke http:// speaks https:// and passes, so that the URL can be changed."""
    server = server_named("plain")
    done = _mended(lab, tmp_path, [server], https=True)
    assert done.requirements[server.name] == {"insecure-http"}
    assert done.after[server.name].verdict == "pass"


def test_an_https_that_sent_back_answers_itself(lab, tmp_path) -> None:
    """Where the https sends back to http://, the redirect goes, and https:// is a replacement."""
    server = server_named("sends-back")
    done = _mended(lab, tmp_path, [server])
    assert done.fixes[server.name] == ("# remove return 301 http://..., or the rewrite to http://",)
    row = done.after[server.name]
    assert (row.verdict, row.https_verdict) == ("exception-required", "pass")
    assert its_https(row, done.recording) == "https passes"


def test_a_server_of_a_group_that_no_client_offers_passes_with_the_groups_of_nginx(tmp_path, lab) -> None:
    """No group in common is mended by the groups, not by the suites."""
    listener = Tls("TLSv1.2", "ECDHE", lines=("ssl_ecdh_curve brainpoolP256r1;",))
    server = Server("odd-group", 90, "a group of its own", server_named("modern").expected, (listener,))
    (tmp_path / "pki").mkdir()
    (tmp_path / "ca.pem").write_bytes(write_certificates([server, _sound(server)], tmp_path / "pki", lab.base_port))
    base_port = lab.base_port + PORTS
    config = nginx_config([server], base_port)
    with _serving(tmp_path, config, server.port(base_port)):
        result, before = _audited([server], base_port, tmp_path / "ca.pem")
    assert before[server.name].verdict == "blocked"
    lines = _lines(result, before[server.name])
    assert "ssl_ecdh_curve auto;" in lines
    with _serving(tmp_path, _applied(config, {server.name: lines}), server.port(base_port)):
        _, after = _audited([server], base_port, tmp_path / "ca.pem")
    assert after[server.name].verdict == "pass"


def test_a_server_staples_once_it_is_told_to(tmp_path, lab) -> None:
    """What was unknown for want of a staple is known to be good."""
    root = pki.make_root("staple root")
    issuer = pki.issue_intermediate(root, "staple CA")
    server = Server("staples", 91, "a leaf with a responder", server_named("modern").expected, (Tls(),))
    (tmp_path / "pki").mkdir()
    (tmp_path / "ca.pem").write_bytes(root.cert_pem)
    base_port = lab.base_port + PORTS
    config = nginx_config([server], base_port)
    with serving_good_answers(issuer, [server.full_host]) as leaf:
        leaf.write(tmp_path / "pki/staples-0")
        with _serving(tmp_path, config, server.port(base_port)):
            result, before = _audited([server], base_port, tmp_path / "ca.pem")
        staple = {f.finding.requirement: f.finding.status for f in before[server.name].findings}
        assert staple["certificate-revocation"] == "unknown"
        lines = _lines(result, before[server.name], ("unknown",))
        assert lines[0] == "ssl_stapling on;"
        with _serving(tmp_path, _applied(config, {server.name: lines}), server.port(base_port)):
            for _ in range(20):  # nginx fetches its first staple after the first client has asked in vain
                _, after = _audited([server], base_port, tmp_path / "ca.pem")
                staple = {f.finding.requirement: f.finding.status for f in after[server.name].findings}
                if staple["certificate-revocation"] == "pass":
                    break
                time.sleep(0.1)
    assert staple["certificate-revocation"] == "pass"
