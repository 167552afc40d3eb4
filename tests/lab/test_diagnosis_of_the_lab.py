"""nscurl's table over the whole lab: every row of every server is what the server's row of the truth table implies."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from atsprobe.json_v1.schema import schema
from atsprobe.lab import nginx
from atsprobe.lab.servers import SERVERS
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.pipelines.diagnose import diagnose
from atsprobe.report.format import render
from atsprobe.report.style import Style
from atsprobe.settings import Settings

pytestmark = pytest.mark.lab

T10, T11, T12, T13 = TlsVersion.TLS_1_0, TlsVersion.TLS_1_1, TlsVersion.TLS_1_2, TlsVersion.TLS_1_3
HTTPS = tuple(s for s in SERVERS if s.scheme == "https")
MOST_CONNECTIONS = 8

DEFAULT_FLOOR, NO_FLOOR = T12, T10
VERSIONS = {"TLSv1.3": T13, "TLSv1.2": T12, "TLSv1.1": T11, "TLSv1.0": T10}
ROWS = {
    # label: (the lowest version that is offered, whether static RSA is offered)
    "ATS Default Connection": (DEFAULT_FLOOR, False),
    "Allow All Loads": (NO_FLOOR, True),
    **{label: (version, False) for label, version in VERSIONS.items()},
    "Disabling Perfect Forward Secrecy": (DEFAULT_FLOOR, True),
    "Disabling Perfect Forward Secrecy and Allowing Insecure HTTP": (DEFAULT_FLOOR, True),
    **{f"{label} with PFS disabled": (version, True) for label, version in VERSIONS.items()},
    **{f"{label} with PFS disabled and insecure HTTP allowed": (version, True) for label, version in VERSIONS.items()},
    "Allowing Insecure HTTP": (DEFAULT_FLOOR, False),
}
"""What each test asks for; none changes who is trusted."""

ECDHE, RSA = "ecdhe", "static RSA"
SPEAKS: dict[str, tuple[dict[TlsVersion, tuple[str, ...]], ...]] = {
    # server: by address, the key exchanges that it has for each version, among the suites of Apple's clients
    "tls13": ({T13: (ECDHE,)},),
    "tls11": ({T11: (ECDHE,)},),
    "tls10": ({T10: (ECDHE,)},),
    "redirect-tls10-https": ({T10: (ECDHE,)},),
    "static-rsa": ({T12: (RSA,)},),
    "tls10-static-rsa": ({T10: (RSA,)},),
    "neglected": ({T10: (RSA,)},),
    "two-addresses": ({T12: (ECDHE,), T13: (ECDHE,)}, {T12: (RSA,)}),
    "also-weak": ({T10: (ECDHE, RSA), T11: (ECDHE, RSA), T12: (ECDHE, RSA), T13: (ECDHE,)},),
    "chacha20": ({T12: (ECDHE,)},),
    "cbc-sha": ({T12: (ECDHE,)},),
    "no-ems": ({T12: (ECDHE,)},),
    "rsa-leaf-expired": ({T12: (ECDHE, RSA)},),
    "ecdsa-leaf-expired": ({T12: (ECDHE, RSA)},),
    "dhe": ({T12: ()},),
    "cbc-sha384": ({T12: ()},),
    "static-rsa-cbc-sha256": ({T12: ()},),
    "anonymous": ({T12: ()},),
    "ed25519": ({T12: ()},),
}
MODERN: tuple[dict[TlsVersion, tuple[str, ...]], ...] = ({T12: (ECDHE,), T13: (ECDHE,)},)

BY_LEAF = {"rsa-leaf-expired": (True, False), "ecdsa-leaf-expired": (False, True)}
"""Whether the ECDSA leaf and the RSA leaf are sound, of servers that follow the client's order: with forward secrecy disabled
static RSA stands first in it, while with ATS off it stands last."""

CODES = {
    # server: the inner codes of the default row and of Allow All Loads
    "static-rsa": (-9824, None),
    "tls10": (-9836, -9836),
    "dhe": (-9824, -9824),
    "expired": (-9802, -9814),
    "not-yet-valid": (-9802, -9815),
    "wrong-host": (-9802, -9843),
    "self-signed": (-9802, -9813),
    "missing-intermediate-unnamed": (-9802, -9813),
    "rsa1024": (-9883, -9807),
    "rsa1024-intermediate": (-9802, -9807),
    "sha1": (-9884, -9807),
    "sha1-intermediate": (-9885, -9807),
    "client-purpose": (-9802, -9807),
    "900-days": (-9802, -9807),
}


def is_trusted(server, *, rsa_first: bool = False) -> bool | None:
    """Whether the client accepts the certificate that it gets; None where that could not be told."""
    if server.name in BY_LEAF:
        return BY_LEAF[server.name][rsa_first]
    if server.name == "missing-intermediate":
        return None
    return not any(requirement.startswith("certificate-") for requirement in server.expected.failing)


def never_answers(server) -> bool:
    """Whether it says nothing that a client could use."""
    return server.expected.verdict == "inconclusive" and is_trusted(server) is not None


def expected(server, label: str, sdk_floor: TlsVersion) -> str:
    """Derive the result of a row: version floor, forward secrecy, trust; the worst of all addresses.

    ``sdk_floor`` is the lowest version that a program linked with the SDK offers, whatever a key says.
    """
    if never_answers(server):
        return "INCONCLUSIVE"
    floor, with_rsa = ROWS[label]
    floor = max(floor, sdk_floor)
    offered = {ECDHE, RSA} if with_rsa else {ECDHE}
    results = set()
    for address in SPEAKS.get(server.name, MODERN):
        negotiates = any(version >= floor and offered & set(kinds) for version, kinds in address.items())
        accepted = {True: "PASS", False: "FAIL", None: "INCONCLUSIVE"}[
            is_trusted(server, rsa_first=with_rsa and label != "Allow All Loads" and "nsecure" not in label)
        ]
        results.add(accepted if negotiates else "FAIL")
    return next(r for r in ("FAIL", "INCONCLUSIVE", "PASS") if r in results)


def settings_for(lab, **more):
    return Settings(ca_files=(str(lab.ca_file),), resolve=lab.resolve, timeout=3, deadline=8, jobs=32, **more)


def targets(lab):
    return [lab.target(server.name) for server in HTTPS]


@pytest.fixture(scope="module")
def counted(lab):
    """Diagnose every https server as iOS 26, with the connections that nginx counted by port."""
    before = nginx.connections(lab.directory)
    result = diagnose(targets(lab), settings_for(lab))
    return result, _counted_since(lab, before, result)


def _counted_since(lab, before, result):
    """Wait until nginx has written down the last connection, which it does when that has ended."""
    told = Counter()
    for diagnosis in result.diagnoses:
        told[diagnosis.endpoint.port] += sum(diagnosis.connections(a) for a in diagnosis.addresses)
    for _ in range(50):
        counted = {p: n - before.get(p, 0) for p, n in nginx.connections(lab.directory).items()}
        if all(counted[port] >= told[port] for port in counted if port in told):
            break
        time.sleep(0.1)
    return counted


def _of(result, lab, server):
    return next(d for d in result.diagnoses if d.endpoint.port == lab.port(server.name))


@pytest.mark.parametrize("server", HTTPS, ids=lambda s: s.name)
def test_every_row_is_what_the_server_implies(lab, counted, server):
    """Linked with the newest SDK, as nscurl is: no version below TLS 1.2 comes back, not even with Allow All Loads."""
    rows = _of(counted[0], lab, server).rows
    assert {row.test.label: row.result for row in rows if row.test.label in ROWS} == {
        label: expected(server, label, T12) for label in ROWS
    }


@pytest.fixture(scope="module")
def with_older_sdk(lab):
    """Diagnose the servers of old versions as an app that is linked with an SDK before 26."""
    old = [s for s in HTTPS if s.name in SPEAKS]
    return diagnose([lab.target(s.name) for s in old], settings_for(lab, sdk="18"))


@pytest.mark.parametrize("name", SPEAKS)
def test_every_row_under_an_older_sdk(lab, with_older_sdk, name):
    """There the floor that the row writes is the floor that holds."""
    server = lab.server(name)
    rows = _of(with_older_sdk, lab, server).rows
    assert {row.test.label: row.result for row in rows if row.test.label in ROWS} == {
        label: expected(server, label, T10) for label in ROWS
    }
    assert not any(row.remark for row in rows)


@pytest.mark.parametrize("name", CODES)
def test_codes_of_failures(lab, counted, name):
    """The stream error tells what fails; without ATS a failure of trust comes as what it is."""
    default, every, *_ = _of(counted[0], lab, lab.server(name)).rows
    inner = tuple(row.error.stream_code if row.error else None for row in (default, every))
    assert inner == CODES[name]
    assert default.error.code == -1200


def test_rows_of_tls_1_3_alone(lab, counted):
    """A server without TLS 1.3 fails them with -9836, and is told that ATS does not ask for it."""
    rows = _of(counted[0], lab, lab.server("static-rsa")).rows
    of_1_3 = [row for row in rows if row.test.label.startswith("TLSv1.3")]
    assert [row.error.stream_code for row in of_1_3] == [-9836] * 3
    assert {row.reason for row in of_1_3} == {"the server has no TLS 1.3 (ATS does not ask for it)"}


def test_the_niap_row(lab, counted):
    """FCP_v2.1 takes no CBC, no ChaCha20, and no TLS 1.2 without the extended master secret."""
    results = {name: _of(counted[0], lab, lab.server(name)).rows[-1].result for name in ("modern", "cbc-sha", "no-ems")}
    assert results == {"modern": "PASS", "cbc-sha": "FAIL", "no-ems": "FAIL"}


@pytest.mark.parametrize("server", HTTPS, ids=lambda s: s.name)
def test_the_answer_is_that_of_an_audit(lab, counted, server):
    """Verdict and smallest exception are those of the truth table."""
    diagnosis = _of(counted[0], lab, server)
    smallest = diagnosis.minimal_exception
    assert diagnosis.verdict == server.expected.verdict
    assert (None if smallest is None else smallest.to_plist()) == server.expected.minimal_exception


def test_old_versions_need_code_too(lab, counted):
    """A key for TLS 1.0 wants a reason for App Review, and code in an app of the newest SDK; static RSA wants neither."""
    old, rsa = (_of(counted[0], lab, lab.server(name)) for name in ("tls10", "static-rsa"))
    assert (old.justified, old.needs_code) == (("NSExceptionMinimumTLSVersion",), True)
    assert (rsa.justified, rsa.needs_code) == ((), False)
    assert sum(row.remark == "PASS in an app linked with an SDK before 26" for row in old.rows) == 4


def test_addresses_disagree(lab, counted):
    """The worst address counts, and the row names it."""
    diagnosis = _of(counted[0], lab, lab.server("two-addresses"))
    assert not diagnosis.addresses_agree
    assert [a.ip for a in diagnosis.default.addresses] == ["127.0.0.2"]


def test_eight_connections_decide_every_row(lab, counted):
    """nginx counts no more than eight on an address, one where default ATS passes, and as many as are told."""
    result, by_port = counted
    for server in HTTPS:
        diagnosis = _of(result, lab, server)
        told = [diagnosis.connections(a) for a in diagnosis.addresses]
        assert max(told, default=0) <= MOST_CONNECTIONS, server.name
        if lab.port(server.name) in by_port:
            assert sum(told) == by_port[lab.port(server.name)], server.name
    modern = _of(result, lab, lab.server("modern"))
    assert modern.connections(modern.addresses[0]) == 1


def test_all_clients_share_their_connections(lab):
    """Eight decide every row of every iOS, and no row is left open by what another client's hello has shown."""
    before = nginx.connections(lab.directory)
    result = diagnose(targets(lab), settings_for(lab, ios=("all",)))
    by_port = _counted_since(lab, before, result)
    assert {d.client.profile.name for d in result.diagnoses} == {"ios13", "ios15.4", "ios17", "ios26"}
    for server in HTTPS:
        tables = [d for d in result.diagnoses if d.endpoint.port == lab.port(server.name)]
        told = [tables[0].connections(a) for a in tables[0].addresses]
        assert max(told, default=0) <= MOST_CONNECTIONS, server.name
        assert sum(told) == by_port.get(lab.port(server.name), sum(told)), server.name
        if server.expected.verdict != "inconclusive":
            assert not any(row.result == "INCONCLUSIVE" for table in tables for row in table.rows), server.name


def test_documents_of_the_lab(lab, counted):
    """The JSON keeps its schema, and says what the rows say; nscurl's layout has sixteen results for each host."""
    result = counted[0]
    document = json.loads(render(result, "json", Style()))
    errors = [e.message[:200] for e in Draft202012Validator(schema("diagnose")).iter_errors(document)]
    assert errors == []
    assert [len(host["rows"]) for host in document["hosts"]] == [18] * len(HTTPS)
    assert document["summary"]["exit_code"] == 1
    for diagnosis in result.diagnoses:
        text = render(replace(result, diagnoses=(diagnosis,)), "nscurl", Style())
        results = [line.removeprefix("Result : ") for line in text.splitlines() if line.startswith("Result : ")]
        assert results == [row.result for row in diagnosis.rows[:16]]
