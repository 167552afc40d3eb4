"""Two keys of NSExceptionDomains for one network: which of them holds is not defined, so neither counts as a pass."""

from __future__ import annotations

import pytest
from scenario import ALLOW_HTTP, NO_PFS, App, Scenario, entries
from scenarios_of_many_hosts import CLEAR, RSA
from test_rules import concluded

NETWORK, SAME = "203.0.113.0/24", "203.0.113.5/24"
HTTP_URL, HTTPS_URL = "http://203.0.113.7", "https://203.0.113.7"


@pytest.mark.parametrize("order", [(NETWORK, SAME), (SAME, NETWORK)])
@pytest.mark.parametrize(("entry", "url", "server"), [(ALLOW_HTTP, HTTP_URL, CLEAR), (NO_PFS, HTTPS_URL, RSA)])
def test_entries_that_differ_leave_the_load_open(order, entry, url, server):
    """Neither allowed nor blocked, whichever key comes first, and no key of theirs is said to be needed or unneeded."""
    keys = {order[0]: entry, order[1]: {}}
    result = concluded(Scenario(0, App(entries(keys), (url,)), {url: server}))
    (endpoint,) = result.endpoints
    assert endpoint.declared_verdict == "inconclusive"
    told = {e.status for e in result.exceptions if e.key is not None}
    assert told <= {"unverifiable"}


def test_entries_that_agree_are_one():
    """Of two spellings with the same entry either decides the same."""
    scenario = Scenario(0, App(entries({NETWORK: ALLOW_HTTP, SAME: ALLOW_HTTP}), (HTTP_URL,)), {HTTP_URL: CLEAR})
    (endpoint,) = concluded(scenario).endpoints
    assert endpoint.declared_verdict == "allowed"
