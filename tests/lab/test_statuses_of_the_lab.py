"""An app that declares every relaxing key for every server of the lab: which keys are needed, by one real audit each time."""

from __future__ import annotations

import itertools
import plistlib

import pytest

from atsprobe.lab.servers import SERVERS
from atsprobe.pipelines.audit import audit
from atsprobe.settings import Settings

pytestmark = pytest.mark.lab

HTTPS = tuple(s for s in SERVERS if s.scheme == "https" and s.expected.verdict != "exempt")
KEPT_OPEN = {
    "NSExceptionAllowsInsecureHTTPLoads": True,
    "NSExceptionMinimumTLSVersion": "TLSv1.0",
    "NSExceptionRequiresForwardSecrecy": False,
}


def audited(lab, tmp_path, entries):
    """Audit a plist with an entry and a URL for each of some servers, as an app linked with the SDK of iOS 18."""
    domains = {lab.server(name).full_host: entry for name, entry in entries.items()}
    urls = [f"https://{lab.server(n).full_host}:{lab.port(n)}/" for n in entries]
    path = tmp_path / "Info.plist"
    path.write_bytes(plistlib.dumps({"NSAppTransportSecurity": {"NSExceptionDomains": domains}, "URLs": urls}))
    settings = Settings(
        ca_files=(str(lab.ca_file),), resolve=lab.resolve, sdk="18", timeout=3, deadline=8, jobs=32, quick=True
    )
    return audit([str(path)], settings)


HARMED = "rsa-leaf-expired"
"""Passes default ATS; without forward secrecy alone it shows its expired leaf, and beside http:// allowed it does not."""


def expected_statuses(server):
    """Derive the statuses of all three keys from the truth table: what it needs is needed, on what nothing helps all fail."""
    smallest = server.expected.minimal_exception
    if server.name == HARMED:
        return {**dict.fromkeys(KEPT_OPEN, "unneeded"), "NSExceptionAllowsInsecureHTTPLoads": "needed"}
    if server.expected.verdict == "inconclusive":
        return dict.fromkeys(KEPT_OPEN, "unverifiable")
    if smallest is None:
        return dict.fromkeys(KEPT_OPEN, "insufficient")
    statuses = {key: "needed" if key in smallest else "unneeded" for key in KEPT_OPEN}
    if smallest.get("NSExceptionMinimumTLSVersion") == "TLSv1.1":
        statuses["NSExceptionMinimumTLSVersion"] = "too-wide"
    return statuses


@pytest.fixture(scope="module")
def with_every_key(lab, tmp_path_factory):
    """Statuses by host and key, of one audit in which every server has all three keys."""
    result = audited(lab, tmp_path_factory.mktemp("all"), {s.name: KEPT_OPEN for s in HTTPS})
    found = {}
    for row in result.exceptions:
        found.setdefault(row.domain, {})[row.key] = row.status
    return found


@pytest.mark.parametrize("server", HTTPS, ids=lambda s: s.name)
def test_statuses_of_all_three_keys(with_every_key, server):
    """Each key is weighed for itself: needed where the truth table says so, unneeded elsewhere, never a guess."""
    assert with_every_key[server.full_host] == expected_statuses(server)


NEEDY = tuple(s for s in HTTPS if s.expected.verdict == "exception-required")


@pytest.mark.parametrize("server", NEEDY, ids=lambda s: s.name)
def test_every_strict_subset_of_the_smallest_exception_fails(lab, tmp_path, server):
    """By real audits: allowed under the smallest dictionary, blocked under each one that lacks some of its keys."""
    smallest = server.expected.minimal_exception

    def outcome(entry):
        (load,) = audited(lab, tmp_path, {server.name: entry}).loads
        return load.declared_verdict

    assert outcome(smallest) == "allowed"
    for size in range(len(smallest)):
        for kept in itertools.combinations(smallest.items(), size):
            assert outcome(dict(kept)) == "blocked", kept
