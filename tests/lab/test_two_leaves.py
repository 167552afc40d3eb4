"""Servers of TLS 1.2 with two leaves, of which one is bad: a hello with static RSA first is shown the RSA one."""

from __future__ import annotations

import json
import plistlib
import time
from pathlib import Path

import pytest

from atsprobe.cli.commands import main
from atsprobe.lab import nginx
from atsprobe.pipelines.audit import audit
from atsprobe.pipelines.diagnose import diagnose
from atsprobe.settings import Settings

pytestmark = pytest.mark.lab

ROWS = ("rsa-leaf-expired", "ecdsa-leaf-expired")
NO_SECRECY = {"NSExceptionRequiresForwardSecrecy": False}
AS_DECLARED = [
    # row, entry of its host, global keys: declared verdict, and the status of the key; what harms is unneeded, too
    ("rsa-leaf-expired", NO_SECRECY, {}, "blocked", ["unneeded"]),
    ("rsa-leaf-expired", {"NSExceptionMinimumTLSVersion": "TLSv1.0"}, {}, "allowed", ["unneeded"]),
    ("rsa-leaf-expired", None, {"NSAllowsArbitraryLoads": True}, "allowed", ["unneeded"]),
    ("ecdsa-leaf-expired", NO_SECRECY, {}, "allowed", ["needed"]),
    ("ecdsa-leaf-expired", None, {"NSAllowsArbitraryLoads": True}, "blocked", ["insufficient"]),
]


def _plist(lab, path: Path, row: str, entry, global_keys) -> str:
    host = lab.server(row).full_host
    domains = {} if entry is None else {"NSExceptionDomains": {host: entry}}
    url = f"https://{host}:{lab.port(row)}/"
    path.write_bytes(plistlib.dumps({"NSAppTransportSecurity": {**global_keys, **domains}, "URL": url}))
    return str(path)


def _settings(lab, **more) -> Settings:
    return Settings(ca_files=(str(lab.ca_file),), resolve=lab.resolve, timeout=3, deadline=8, **more)


def _audit_counted(lab, row: str, target: str, **more) -> int:
    """Give how many connections an audit took by nginx's count, which lags behind what the audit tells of itself."""
    time.sleep(0.3)  # for the connections of the test before
    before = nginx.connections(lab.directory).get(lab.port(row), 0)
    seen = audit([target], _settings(lab, quick=True, **more)).recording.observations
    told = sum(e.attempts for o in seen for e in o.experiments)
    deadline = time.monotonic() + 5
    while (counted := nginx.connections(lab.directory).get(lab.port(row), 0) - before) < told:
        assert time.monotonic() < deadline, f"{counted} of {told}"
        time.sleep(0.05)
    return counted


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize(("row", "entry", "global_keys", "verdict", "statuses"), AS_DECLARED)
def test_a_declared_exception_is_judged_by_the_leaf_that_it_brings(
    lab, tmp_path, row, entry, global_keys, verdict, statuses, quick
):
    """By a real audit of each dictionary, quick or not: verdict, and status of what is declared."""
    result = audit([_plist(lab, tmp_path / "Info.plist", row, entry, global_keys)], _settings(lab, quick=quick))
    (load,) = result.loads
    assert load.declared_verdict == verdict, load.reason
    assert [e.status for e in result.exceptions] == statuses


def test_every_client_of_ios_costs_eight_connections_at_most(lab, tmp_path):
    """As nginx counts them; for one client alone, three show both leaves."""
    for row in ROWS:
        plist = _plist(lab, tmp_path / "Info.plist", row, NO_SECRECY, {})
        assert 2 <= _audit_counted(lab, row, plist, ios=("all",)) <= 8
    assert _audit_counted(lab, "rsa-leaf-expired", lab.target("rsa-leaf-expired")) <= 3


def test_the_rows_without_forward_secrecy_fail(lab):
    """nscurl's rows with PFS disabled get the expired RSA leaf; where http is allowed too no list puts static RSA first."""
    (diagnosis,) = diagnose([lab.target("rsa-leaf-expired")], _settings(lab)).diagnoses
    failing = {row.test.label for row in diagnosis.rows[:16] if row.result == "FAIL"}
    labels = [row.test.label for row in diagnosis.rows[:16]]
    with_rsa = {label for label in labels if ("PFS" in label or "Perfect" in label) and "nsecure" not in label}
    assert failing == {*with_rsa, *(label for label in labels if label.startswith("TLSv1.3"))}


def test_a_saved_audit_that_saw_one_leaf_tells_nothing_of_the_other(lab, tmp_path, monkeypatch):
    """With one handshake on record, the load that may bring another leaf is inconclusive under another plist."""
    monkeypatch.chdir(tmp_path)
    resolve = [x for r in lab.resolve for x in ("--resolve", r)]
    given = [lab.target("rsa-leaf-expired"), "--ca-file", str(lab.ca_file), "--quick", "--format", "json"]
    assert main(["audit", *given, *resolve, "--output", "saved.json"]) == 0
    saved = json.loads(Path("saved.json").read_text())
    for address in (a for e in saved["endpoints"] for a in e["addresses"]):
        del address["handshakes"][1:]
    Path("saved.json").write_text(json.dumps(saved))
    plist = _plist(lab, tmp_path / "Info.plist", "rsa-leaf-expired", NO_SECRECY, {})
    main(["judge", "saved.json", "--plist", plist, "--format", "json", "--output", "judged.json"])
    loads = json.loads(Path("judged.json").read_text())["endpoints"]
    verdicts = {
        (load["verdict"], load["declared_verdict"]) for load in loads if load["port"] == lab.port("rsa-leaf-expired")
    }
    assert verdicts == {("pass", "inconclusive")}
