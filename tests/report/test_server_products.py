"""The fixes for server products: complete, in good shape, and in each product's own syntax where that can be checked here."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from atsprobe.judge.requirements.registry import REQUIREMENTS
from atsprobe.lab import pki
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.judgement import Finding, RequirementId
from atsprobe.report.server_products import configurations, fix_for, products

HTTPS = Endpoint(Host("api.example.com"), 8443)
HTTP = Endpoint(Host("api.example.com"), 80, "http")
BY_THE_SERVER = {
    "insecure-http",
    "tls-version",
    "forward-secrecy",
    "cipher-suite",
    "certificate-key-size",
    "certificate-signature-hash",
    "certificate-hostname",
    "certificate-validity",
    "certificate-trust",
    "certificate-purpose",
    "certificate-lifetime",
    "certificate-transparency",
    "certificate-revocation",
    "extended-master-secret",
}
"""Every requirement but the pins, which are the app's own."""

DOCUMENTATION = {
    "nginx": "https://nginx.org/en/docs/",
    "apache": "https://httpd.apache.org/docs/2.4/",
    "haproxy": "https://docs.haproxy.org/",
    "aws": "https://docs.aws.amazon.com/",
    "cloudflare": "https://developers.cloudflare.com/",
    "iis": "https://learn.microsoft.com/",
}


def _finding(requirement: str, evidence: str = "seen") -> Finding:
    return Finding(RequirementId(requirement), "fail", evidence, "")


def test_the_products_in_the_order_in_which_they_are_told() -> None:
    """Six, by the names that the option takes."""
    assert list(products()) == list(DOCUMENTATION)
    assert {str(one.rule.id) for one in REQUIREMENTS} - {"pinned-identity"} == BY_THE_SERVER


@pytest.mark.parametrize("kind", DOCUMENTATION)
def test_every_requirement_that_a_server_can_satisfy_has_a_fix(kind: str) -> None:
    """None is left out, none is misspelt, and pins have none."""
    product = products()[kind]
    assert all(fix_for(product, _finding(requirement)) for requirement in BY_THE_SERVER)
    assert {str(r) for fix in product.fixes for r in fix.requirements} == BY_THE_SERVER
    assert fix_for(product, _finding("pinned-identity")) is None


@pytest.mark.parametrize("kind", DOCUMENTATION)
def test_lines_fit_a_terminal_and_name_their_documentation(kind: str) -> None:
    """At most 70 characters a line, nothing to be put in but host and port, a page of the product's own documentation."""
    for fix in products()[kind].fixes:
        assert fix.lines
        assert all(0 < len(line) <= 70 and line == line.rstrip() for line in fix.lines)
        assert set(re.findall(r"\{(\w+)\}", "\n".join(fix.lines))) <= {"host", "port"}
        assert fix.source.startswith(DOCUMENTATION[kind])


@pytest.mark.parametrize("kind", DOCUMENTATION)
def test_no_fix_stands_behind_one_that_always_suits(kind: str) -> None:
    """A fix for certain evidence comes before the one for any evidence of that requirement."""
    seen: set[str] = set()
    for fix in products()[kind].fixes:
        assert not seen.issuperset(fix.requirements), fix
        seen |= set(fix.requirements) if not fix.evidence else set()


def test_host_and_port_are_those_of_the_https() -> None:
    """A load of port 80 is served on 443; the braces of the product's own language stay."""
    (nginx,) = configurations(["nginx"], HTTP, [_finding("insecure-http")])
    assert nginx.lines[0] == "listen 443 ssl;"
    assert nginx.lines[2] == "ssl_certificate /etc/ssl/api.example.com.pem;"
    assert nginx.sources == ("https://nginx.org/en/docs/http/configuring_https_servers.html",)
    (cloudflare,) = configurations(["cloudflare"], HTTPS, [_finding("certificate-hostname")])
    assert cloudflare.lines[-1] == """    "hosts": ["api.example.com"]}'"""


def test_two_findings_with_one_remedy_have_its_lines_once() -> None:
    """One new certificate mends all that is wrong with the old one."""
    findings = [_finding("certificate-validity"), _finding("certificate-hostname"), _finding("tls-version")]
    for one in configurations(products(), HTTPS, findings):
        alone = [configurations([one.kind], HTTPS, [f])[0].lines for f in findings[1:]]
        assert one.lines == alone[0] + alone[1]


def test_what_the_app_has_to_change_is_nothing_for_the_server() -> None:
    """Where https:// passes already there are no lines; where it sends back there are others."""
    finding = [_finding("insecure-http")]
    assert configurations(products(), HTTP, finding, "https passes") == ()
    assert configurations(products(), HTTP, finding, "sends to https") == ()
    back = configurations(products(), HTTP, finding, "sends back")
    assert len(back) == len(products())
    assert all(a.lines != b.lines for a, b in zip(back, configurations(products(), HTTP, finding), strict=True))
    assert configurations(products(), HTTPS, [_finding("a-requirement-of-tomorrow")]) == ()


def _lines(kind: str, files: Path) -> list[tuple[str, ...]]:
    """Give the lines of every fix of a product, each with its files where they lie here."""
    made = []
    for fix in products()[kind].fixes:
        finding = _finding(fix.requirements[0], fix.evidence)
        its_https = fix.evidence if fix.requirements[0] == "insecure-http" else ""
        (one,) = configurations([kind], HTTPS, [finding], its_https)
        made.append(tuple(re.sub(r"/etc/(ssl|haproxy)/", f"{files}/", line) for line in one.lines))
    return made


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Write a certificate with its key as every product wants it."""
    root = pki.make_root("syntax root")
    leaf = pki.issue(root, [HTTPS.host])
    leaf.write(tmp_path / "leaf")
    (tmp_path / f"{HTTPS.host}.key").write_bytes(leaf.key_pem)
    (tmp_path / f"{HTTPS.host}.pem").write_bytes(leaf.chain_pem + leaf.key_pem)
    return tmp_path


def _check(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-800:]


def test_apache_takes_the_lines_for_apache(files: Path) -> None:
    """Every fix is in the syntax of httpd with mod_ssl."""
    program, modules = shutil.which("apache2", path="/usr/sbin:/usr/bin"), Path("/usr/lib/apache2/modules")
    if program is None or not (modules / "mod_ssl.so").exists():
        pytest.skip("apache2-bin is not installed")
    certificate = (f"SSLCertificateFile {files}/{HTTPS.host}.pem", f"SSLCertificateKeyFile {files}/{HTTPS.host}.key")
    for number, lines in enumerate(_lines("apache", files)):
        outside = [line for line in lines if line.startswith("SSLStaplingCache")]
        whole = list(lines) if lines[0].startswith("Listen") else []
        inside = [] if whole else [line for line in lines if line not in outside]
        config = [
            *(
                f"LoadModule {m}_module {modules}/mod_{m}.so"
                for m in ("mpm_event", "authz_core", "socache_shmcb", "ssl")
            ),
            f"ServerRoot {files}",
            "ServerName localhost",
            f"PidFile {files}/pid",
            f"ErrorLog {files}/error.log",
            *outside,
            *whole,
            *(["Listen 127.0.0.1:18443", "<VirtualHost *:18443>", "SSLEngine on", *certificate] if not whole else []),
            *inside,
            *(["</VirtualHost>"] if not whole else []),
        ]
        (files / f"{number}.conf").write_text("\n".join(config) + "\n")
        _check(program, "-t", "-f", str(files / f"{number}.conf"))


def test_haproxy_takes_the_lines_for_haproxy(files: Path) -> None:
    """Every fix is in the syntax of HAProxy; the one for a file of certificates where the version knows it."""
    program = shutil.which("haproxy", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("haproxy is not installed")
    version = subprocess.run([program, "-v"], capture_output=True, text=True, timeout=60, check=True).stdout
    old = tuple(map(int, re.findall(r"version (\d+)\.(\d+)", version)[0])) < (2, 8)
    for number, lines in enumerate(_lines("haproxy", files)):
        of_list = any("ocsp-update" in line for line in lines)
        if of_list and old:
            continue
        certificates = files / "list.txt"
        certificates.write_text("\n".join(lines) + "\n")
        binds = [line for line in lines if line.startswith("bind")]
        bind = binds or [f"bind 127.0.0.1:18443 ssl crt {files}/{HTTPS.host}.pem"]
        bind = [f"bind 127.0.0.1:18443 ssl crt-list {certificates}"] if of_list else bind
        whole = lines if lines[0] == "global" else ()
        config = [*whole, "frontend https", "  mode http", "  timeout client 5s", *(f"  {line}" for line in bind)]
        (files / f"{number}.cfg").write_text("\n".join(config) + "\n")
        _check(program, "-c", "-f", str(files / f"{number}.cfg"))


def test_no_line_keeps_those_after_it_from_running() -> None:
    """Fixes of several faults are written one below the other, so a restart of the machine is a comment."""
    lines = [line for product in products().values() for fix in product.fixes for line in fix.lines]
    assert any("Restart-Computer" in line for line in lines)
    assert all(line.startswith("#") for line in lines if "Restart-Computer" in line)
