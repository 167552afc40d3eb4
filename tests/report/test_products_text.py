"""Lines for server products in a report: of one product on request, of all beside the evidence."""

from __future__ import annotations

from dataclasses import replace

from made_results import IOS26, THEN, ferry, finding, harbor, load, result

from atsprobe.model.endpoint import Host
from atsprobe.model.judgement import Verdict
from atsprobe.model.result import CertificateFinding, CertificateResult
from atsprobe.report.format import render
from atsprobe.report.server_products import products
from atsprobe.report.style import Style

NGINX = """\
      fix: enable ECDHE suites; until then
        NSExceptionRequiresForwardSecrecy = false
      nginx:
        ssl_ciphers HIGH:!aNULL:!MD5;
        see https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_ciphers
"""


def _alone(verdict: Verdict, *findings):
    declared = "blocked" if verdict is Verdict.BLOCKED else "allowed"
    return result([load("api.example.com", verdict, declared, findings=findings, bundles=((None, None),))])


def test_the_lines_of_the_product_that_was_asked_for_stand_under_the_fix() -> None:
    """With their source, at each blocked server, and of no other product."""
    text = render(ferry(), "text", Style(server="nginx"))
    assert NGINX in text
    assert text.count("nginx:") == 2
    assert not any(f"      {kind}:" in text for kind in products() if kind != "nginx")


def test_by_default_one_sentence_fits_every_product() -> None:
    """No product's lines unless they are asked for; none in a quiet report even then."""
    plain = render(ferry(), "text", Style())
    assert not any(f"{kind}:" in plain for kind in products())
    assert render(ferry(), "text", Style(verbosity=-1, server="iis")) == render(ferry(), "text", Style(verbosity=-1))


def test_beside_the_evidence_every_product_has_its_lines() -> None:
    """All six, in one order, unless one was asked for."""
    text = render(ferry(), "text", Style(verbosity=1))
    places = [text.index(f"      {kind}:\n") for kind in products()]
    assert places == sorted(places)
    assert "see https://" not in text
    one = render(ferry(), "text", Style(verbosity=1, server="aws"))
    assert "      aws:\n" in one
    assert "      nginx:" not in one


def test_neighbours_with_the_same_lines_have_them_once() -> None:
    """28 servers with one fault, one configuration."""
    assert render(harbor(), "text", Style(server="haproxy")).count("ssl-default-bind-ciphers HIGH") == 1


def test_lines_to_be_copied_are_not_wrapped() -> None:
    """However narrow the terminal, a line of a configuration stays one."""
    text = render(ferry(), "text", Style(width=40, server="aws"))
    assert "\n        aws elbv2 modify-listener --listener-arn LISTENER_ARN \\\n" in text


def test_a_single_server_has_them_below_its_requirements() -> None:
    """For what fails."""
    text = render(_alone(Verdict.BLOCKED, finding("tls-version", "TLS 1.0 at most")), "text", Style(server="apache"))
    assert text.endswith(
        "  fix: enable TLS 1.2\n"
        "  apache:\n"
        "    SSLProtocol -all +TLSv1.2 +TLSv1.3\n"
        "    see https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslprotocol\n"
    )


def test_a_warning_has_lines_too_where_nothing_fails() -> None:
    """A server that passes may be made to pass for others."""
    warning = finding("certificate-revocation", "no stapled response, although ...", "warn")
    text = render(_alone(Verdict.PASS, warning), "text", Style(server="iis"))
    assert "EnableOcspStaplingForSni 1" in text
    failing = finding("tls-version", "TLS 1.0 at most")
    assert "Staple" not in render(_alone(Verdict.BLOCKED, failing, warning), "text", Style(server="iis"))


def test_json_has_the_sentence_that_fits_every_product() -> None:
    """For what fails or warns; null for what holds, or is not known to be mendable."""
    import json

    def fix(one) -> object:
        document = json.loads(render(_alone(Verdict.PASS, one), "json", Style(server="nginx")))
        return document["endpoints"][0]["findings"][0]["fix"]

    assert fix(finding("tls-version", "TLS 1.0 at most")) == "enable TLS 1.2"
    assert fix(finding("certificate-revocation", "no stapled response, although", "warn")) == "turn on OCSP stapling"
    assert fix(finding("certificate-revocation", "no stapled response", "unknown")) is None
    assert fix(replace(finding("tls-version", "TLS 1.3"), finding=finding("tls-version", "", "pass").finding)) is None
    assert fix(finding("a-requirement-of-tomorrow", "x")) is None


def test_a_chain_in_files_has_those_of_the_product_that_was_asked_for() -> None:
    """Where another chain goes; beside the evidence alone none, since the chain is not installed yet."""
    failing = CertificateFinding(finding("certificate-lifetime", "410 days; at most 398").finding, ("ios26",))
    chain = CertificateResult(
        files=("new.pem",),
        host=Host("api.example.com"),
        at=THEN,
        is_now=True,
        profiles=(IOS26,),
        verdicts=(("ios26", "untrusted"),),
        findings=(failing,),
        path=(),
        anchor="none",
        trust_title="Apple roots 26",
    )
    assert "bind :443 ssl crt /etc/haproxy/api.example.com.pem" in render(chain, "text", Style(server="haproxy"))
    assert "haproxy" not in render(chain, "text", Style(verbosity=1))
