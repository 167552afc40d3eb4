"""Asking responders and lists, end to end: what each row's certificate gets, and that no verdict hangs on it."""

from __future__ import annotations

import json
import time

import pytest

from atsprobe.lab.servers import SERVERS
from atsprobe.pipelines.audit import audit
from atsprobe.pipelines.rejudge import rejudge
from atsprobe.report.format import render
from atsprobe.report.style import Style
from atsprobe.settings import Settings

pytestmark = pytest.mark.lab

ASKED = [s for s in SERVERS if s.when_asked]
EVIDENCE = {
    "revoked-staple": "stapled response: revoked ",
    "good-staple": "stapled response: good, until ",
    "revoked": "OCSP responder responder.lab.example.com:{port}: revoked ",
    "not-revoked": "OCSP responder responder.lab.example.com:{port}: good, until ",
    "crl-revoked": "CRL of responder.lab.example.com:{port}: revoked ",
    "responder-refuses": "no stapled response; OCSP responder refuses.lab.example.com:",
    "responder-silent": "no stapled response; OCSP responder silent.lab.example.com:",
}
END = {"responder-refuses": ": the connection is refused", "responder-silent": ": no answer in time"}


@pytest.fixture(scope="module")
def settings(lab):
    return Settings(ca_files=(str(lab.ca_file),), resolve=lab.resolve, timeout=2, deadline=6, check_revocation=True)


@pytest.fixture(scope="module")
def audited(lab, settings):
    targets = [lab.target(s.name) for s in (*ASKED, lab.server("modern"))]
    return audit(targets, settings)


def revocation(result, server):
    seen = next(e for e in result.endpoints if e.endpoint.host == server.full_host)
    return next(f.finding for f in seen.findings if f.finding.requirement == "certificate-revocation")


@pytest.mark.parametrize("server", ASKED, ids=lambda s: s.name)
def test_each_row_gets_its_status_and_keeps_its_verdict(lab, audited, server):
    """Revoked by a staple fails; by responder or list warns; good passes; no answer is unknown."""
    found = revocation(audited, server)
    assert found.status == server.when_asked
    assert found.evidence.startswith(EVIDENCE[server.name].format(port=lab.port("responder")))
    assert found.evidence.endswith(END.get(server.name, ""))
    seen = next(e for e in audited.endpoints if e.endpoint.host == server.full_host)
    assert seen.verdict == server.expected.verdict


def test_who_names_nobody_is_not_asked_about(lab, audited):
    """And the evidence does not suggest an option that could not help."""
    found = revocation(audited, lab.server("modern"))
    assert (found.status, found.evidence) == (
        "unknown",
        "no stapled response, and the leaf names neither a responder nor a list",
    )


def test_without_the_option_nobody_is_asked(lab, settings):
    """The evidence says which option asks."""
    plain = Settings(ca_files=settings.ca_files, resolve=settings.resolve, quick=True)
    result = audit([lab.target("revoked")], plain)
    assert revocation(result, lab.server("revoked")).evidence == "no stapled response (--check-revocation asks)"
    assert all(not o.revocation for o in result.recording.observations)


def test_answers_are_kept_for_judging_again(audited):
    """The bytes stand in the JSON, and say the same without a packet, also a year later."""
    document = render(audited, "json", Style())
    again = rejudge(document)
    for server in ASKED:
        assert revocation(again, server) == revocation(audited, server)
    answers = [r for e in json.loads(document)["endpoints"] for a in e["addresses"] for r in a.get("revocation", ())]
    assert {a["kind"] for a in answers if a["body"]} == {"ocsp", "crl"}
    assert all(a["received_at"] for a in answers)


def test_a_silent_responder_delays_by_no_more_than_the_timeout(lab, settings):
    """Two seconds for one answer are two seconds, and not the deadline of an address."""
    before = time.monotonic()
    audit([lab.target("responder-silent")], settings)
    assert time.monotonic() - before < settings.deadline
