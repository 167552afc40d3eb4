"""The main job over the whole lab: every server gets the verdict of its row, from one audit."""

from __future__ import annotations

import pytest

from atsprobe.lab.servers import SERVERS
from atsprobe.pipelines.audit import audit
from atsprobe.settings import Settings

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def audited(lab):
    """Audit every server of the lab at once, under default ATS, trusting the lab's roots as installed ones."""
    settings = Settings(ca_files=(str(lab.ca_file),), resolve=lab.resolve, timeout=3, deadline=8, jobs=32)
    result = audit(lab.targets, settings)
    return {(e.endpoint.host, e.endpoint.port, e.endpoint.scheme): e for e in result.endpoints}


@pytest.mark.parametrize("server", SERVERS, ids=lambda s: s.name)
def test_every_server_gets_the_verdict_of_its_row(lab, audited, server):
    """Verdict, failing requirements and smallest exception are those of the truth table."""
    seen = audited[server.full_host, server.port(lab.base_port), server.scheme]
    failing = {f.finding.requirement for f in seen.findings if f.finding.status == "fail"}
    assert (seen.verdict, failing) == (server.expected.verdict, set(server.expected.failing)), seen.reason
    exception = None if seen.minimal_exception is None else seen.minimal_exception.to_plist()
    assert exception == server.expected.minimal_exception
