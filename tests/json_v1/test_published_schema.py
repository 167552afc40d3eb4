"""The schemas in the package: sound, strict where scripts rely on them, and kept by what is written."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from audit_by_hand import RECORDING, RESULT, RULE, WAIVERS
from jsonschema import Draft202012Validator
from made_diagnoses import result as diagnosed
from made_diagnoses import static_rsa
from test_audit_document import CONTRACT

from atsprobe.ats.profile import ios_profiles
from atsprobe.json_v1 import audit, certificate, config, diagnose, drift, hosts, lab
from atsprobe.json_v1.schema import SCHEMA_NAMES, schema
from atsprobe.json_v1.text import dumps
from atsprobe.model.app import Extraction
from atsprobe.model.certificate import Certificate
from atsprobe.model.drift import Change, PinAtRisk
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.judgement import Finding, RequirementId
from atsprobe.model.result import (
    AuditResult,
    CertificateFinding,
    CertificateResult,
    ConfigResult,
    ConfiguredValue,
    DriftResult,
    HostsResult,
    LabEndpoint,
    LabResult,
)

LAB = LabResult(
    directory="/tmp/lab",
    ca_file="/tmp/lab/ca.pem",
    endpoints=(
        LabEndpoint(
            "tls10",
            "tls10.lab.example.com",
            20001,
            "https",
            "127.0.0.1",
            "TLS 1.0",
            "exception-required",
            ("tls-version",),
        ),
        LabEndpoint("v6", "2001:db8::1", 20002, "http", "::1,127.0.0.1", "by address", "exempt", ()),
    ),
    is_up=True,
)
CONFIG = ConfigResult(
    file="atsprobe.toml",
    looked_in=(),
    values=(
        ConfiguredValue("ios", ("16", "26"), "file", 2),
        ConfiguredValue("rate", None, "default"),
        ConfiguredValue("timeout", 2.5, "command-line"),
        ConfiguredValue("quick", True, "file", 3),
    ),
    ignored=(RULE,),
    waivers=WAIVERS,
)
CERTIFICATE = CertificateResult(
    files=("chain.pem",),
    host=Host("api.example.com"),
    at=datetime(2026, 11, 24, tzinfo=UTC),
    is_now=True,
    profiles=ios_profiles(),
    verdicts=(("ios17", "trusted"), ("ios26", "untrusted")),
    findings=(
        CertificateFinding(Finding(RequirementId("certificate-trust"), "fail", "self-signed", "RFC 5280"), ("ios26",)),
        CertificateFinding(Finding(RequirementId("certificate-trust"), "unknown", "?", "RFC 5280"), ("ios17",)),
    ),
    path=(Certificate(b"unreadable"),),
    anchor="none",
    trust_title="Apple roots 26",
)
DRIFT = DriftResult(
    old=RESULT,
    new=RESULT,
    changes=(
        Change(
            "requirement",
            "worse",
            "pass",
            "fail",
            "TLS 1.1 at most",
            endpoint=Endpoint(Host("2001:db8::1"), 8443),
            requirement=RequirementId("tls-version"),
        ),
        Change("exception", "note", "", "strict", bundle="org.example", domain="d", key="NSUnknown", value=b"\x00"),
        Change("exception", "better", "ineffective", "", bundle="org.example", value=(1.5, True)),
    ),
    pins=(PinAtRisk("org.example", Host("a.example.com"), "NSPinnedCAIdentities", "no-backup", "the only pin"),),
)
DOCUMENTS = {
    "audit": audit.encode(RESULT),
    "hosts": hosts.encode(HostsResult(RECORDING.extraction)),
    "certificate": certificate.encode(CERTIFICATE),
    "lab": lab.encode(LAB),
    "config": config.encode(CONFIG),
    "diff": drift.encode(DRIFT),
    "diagnose": diagnose.encode(diagnosed(static_rsa())),
}


def errors(name: str, document: object) -> list[str]:
    """What the schema has against a document."""
    found = Draft202012Validator(schema(name)).iter_errors(document)
    return [f"{error.json_path}: {error.message[:200]}" for error in found]


@pytest.mark.parametrize("name", SCHEMA_NAMES)
def test_schema_is_one(name: str) -> None:
    """Each schema is a sound schema of the draft that it names."""
    Draft202012Validator.check_schema(schema(name))
    assert schema(name)["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


def test_unknown_schema() -> None:
    """A name that leads out of the package finds nothing."""
    with pytest.raises(KeyError):
        schema("../audit")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_keep_their_schema(name: str) -> None:
    """What is written validates, read back from its text."""
    assert errors(name, json.loads(dumps(DOCUMENTS[name]))) == []


def test_empty_documents_keep_their_schema() -> None:
    """So does what is written when there is nothing to tell."""
    nothing = replace(RECORDING, extraction=Extraction(), observations=(), resolutions=(), installed_roots=())
    assert errors("audit", audit.encode(AuditResult(nothing, (), (), (), (), (), ""))) == []
    assert errors("hosts", hosts.encode(HostsResult(Extraction()))) == []
    assert errors("lab", lab.encode(LabResult("", ""))) == []
    assert errors("config", config.encode(ConfigResult(None, ("/", "."), ()))) == []
    audited = AuditResult(nothing, (), (), (), (), (), "")
    assert errors("diff", drift.encode(DriftResult(audited, audited, (), ()))) == []


@pytest.mark.parametrize("members", CONTRACT)
def test_contract_members_are_required(members: str) -> None:
    """A document without a member that scripts rely on does not validate."""
    for member in members.split():
        document = copy.deepcopy(DOCUMENTS["audit"])
        place = document
        for step in CONTRACT[members]:
            place = place[step]
        del place[member]
        assert errors("audit", document), member


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("endpoints", 0, "verdict"), "allowed"),
        (("endpoints", 0, "verdicts", "ios26"), "ok"),
        (("endpoints", 0, "declared_verdict"), "pass"),
        (("endpoints", 1, "findings", 0, "requirement"), "Not An Id"),
        (("endpoints", 1, "findings", 0, "status"), "failed"),
        (("endpoints", 1, "https_verdict"), "allowed"),
        (("endpoints", 3, "scheme"), "wss"),
        (("endpoints", 3, "addresses", 0, "status"), "up"),
        (("endpoints", 3, "addresses", 0, "protocols"), {"TLS 1.2": []}),
        (("endpoints", 3, "addresses", 0, "handshakes", 0, "outcome", "result"), "refused"),
        (("endpoints", 3, "references", 0, "kind"), "rumour"),
        (("endpoints", 3, "references", 0, "place"), {"kind": "plist-key", "path": "A"}),
        (("exceptions", 0, "status"), "superfluous"),
        (("schema_version",), "2"),
        (("started_at",), "2026-01-01T00:00:00+01:00"),
    ],
)
def test_schema_is_strict_about_words(path: tuple, wrong: object) -> None:
    """Words that the contract lists are checked, and no other word passes."""
    document = copy.deepcopy(DOCUMENTS["audit"])
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = wrong
    assert errors("audit", document)


def test_schema_takes_what_is_added() -> None:
    """Members of a later version and ids of requirements to come validate."""
    document = copy.deepcopy(DOCUMENTS["audit"])
    document["added_later"] = document["endpoints"][0]["added_later"] = 1
    document["endpoints"][1]["findings"][0]["requirement"] = "post-quantum-key-exchange"
    assert errors("audit", document) == []


def test_schemas_share_their_definitions() -> None:
    """What two schemas define under one name is the same."""
    one = schema("audit")["$defs"]
    for other in (schema("hosts")["$defs"], schema("config")["$defs"]):
        assert {name: one[name] for name in other} == other


def test_hosts_document() -> None:
    """Hosts stand one row an endpoint, with the kind of the surest sighting, and the dictionary of each bundle."""
    document = DOCUMENTS["hosts"]
    rows = {(row["host"], row["port"]): row for row in document["hosts"]}
    assert rows["gone.example.org", 443]["kind"] == "ats-exception"
    assert rows["www.example.com", 443]["kind"] == "url"
    assert len(rows["www.example.com", 443]["references"]) == 4
    assert {"target", "file", "location", "text", "kind"} <= set(rows["www.example.com", 443]["references"][0])
    assert [(a["file"], type(a["dictionary"])) for a in document["ats"]] == [
        ("Payload/App.app/Info.plist", dict),
        ("Info.plist", str),
    ]
    assert document["summary"]["exit_code"] == 3


def test_lab_document() -> None:
    """A server of the lab comes with the option that leads to it, brackets around IPv6 as curl has them."""
    endpoints = DOCUMENTS["lab"]["endpoints"]
    assert endpoints[0]["resolve"] == "tls10.lab.example.com:20001:127.0.0.1"
    assert endpoints[1]["resolve"] == "[2001:db8::1]:20002:[::1],127.0.0.1"
    assert endpoints[0]["expected"] == {"verdict": "exception-required", "failing": ["tls-version"]}


def test_certificate_document() -> None:
    """One requirement may stand there several times, each with the profiles for which it holds."""
    document = DOCUMENTS["certificate"]
    assert document["verdict"] == "untrusted"
    assert document["verdicts"] == {"ios17": "trusted", "ios26": "untrusted"}
    assert [(f["status"], f["profiles"]) for f in document["findings"]] == [("fail", ["ios26"]), ("unknown", ["ios17"])]
    assert document["summary"] == {"exit_code": 1, "findings": 1, "not_judged": 1}
    for name in ("verdict", "findings", "verdicts", "certificates", "trust"):
        assert errors("certificate", {k: v for k, v in document.items() if k != name}), name
    assert errors("certificate", {**document, "verdict": "blocked"})
