"""The document of diagnoses: what scripts rely on, and what no document may say."""

from __future__ import annotations

import copy
import json

import pytest
from jsonschema import Draft202012Validator
from made_diagnoses import hostile, no_such_name, old_version, open_table, passing, result, static_rsa

from atsprobe.json_v1 import diagnose
from atsprobe.json_v1.schema import schema
from atsprobe.json_v1.text import dumps

DOCUMENT = diagnose.encode(
    result(
        static_rsa(), old_version(), hostile(), passing(), open_table(), no_such_name(), skipped=[("x y", "no host")]
    )
)
CONTRACT = {
    (): "schema_version hosts",
    ("hosts", 0): "host port rows",
    ("hosts", 0, "rows", 0): "section label dictionary result error_code stream_error_code reason",
}


def errors(document):
    """What the schema has against a document."""
    return [e.message[:200] for e in Draft202012Validator(schema("diagnose")).iter_errors(document)]


def place(document, path):
    """Give a part of a document."""
    for step in path:
        document = document[step]
    return document


def test_rows_as_data():
    """Rows have the result and both codes, the requirement that fails, and the dictionary as a plist would hold it."""
    assert errors(json.loads(dumps(DOCUMENT))) == []
    host = DOCUMENT["hosts"][0]
    assert (host["host"], host["port"], host["profile"], host["verdict"]) == (
        "pay.example.org",
        443,
        "ios26",
        "exception-required",
    )
    assert host["minimal_exception"] == {"NSExceptionRequiresForwardSecrecy": False}
    assert host["addresses"] == [{"address": ip, "connections": 8} for ip in ("192.0.2.44", "2001:db8::44")]
    default, every, tls13, *_ = host["rows"]
    assert (default["result"], default["error_code"], default["stream_error_code"]) == ("FAIL", -1200, -9824)
    assert default["failing"] == ["forward-secrecy"]
    assert (every["result"], every["error_code"], every["stream_error_code"]) == ("PASS", None, None)
    assert tls13["dictionary"] == {
        "NSExceptionDomains": {"pay.example.org": {"NSExceptionMinimumTLSVersion": "TLSv1.3"}}
    }
    assert [row["tried_by_nscurl"] for row in host["rows"]] == [True] * 16 + [False] * 2


def test_the_summary():
    """It counts endpoints, not tables, and has the exit code."""
    assert DOCUMENT["summary"] == {"exit_code": 2, "hosts": 6, "failing": 3, "not_judged": 2, "skipped": 1}
    assert DOCUMENT["hosts"][1]["app_review_asks_for"] == ["NSExceptionMinimumTLSVersion"]
    assert DOCUMENT["hosts"][1]["needs_code"] is True
    assert DOCUMENT["hosts"][4]["minimal_exception"] is None


def test_nothing_to_tell():
    """A run in which no target was a host gives a document all the same."""
    assert errors(diagnose.encode(result())) == []


@pytest.mark.parametrize("path", CONTRACT)
def test_contract_members_are_required(path):
    """A document without a member that scripts rely on does not validate."""
    for member in CONTRACT[path].split():
        document = copy.deepcopy(DOCUMENT)
        del place(document, path)[member]
        assert errors(document), member


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("hosts", 0, "rows", 0, "result"), "OK"),
        (("hosts", 0, "rows", 0, "error_code"), None),  # a failure has one
        (("hosts", 0, "rows", 1, "error_code"), -1200),  # a pass has none
        (("hosts", 0, "rows", 0, "failing"), ["Not An Id"]),
        (("hosts", 0, "verdict"), "ok"),
        (("hosts", 0, "rows"), []),
        (("schema_version",), "2"),
    ],
)
def test_schema_is_strict_about_words(path, wrong):
    """Words and numbers that the contract lists are checked, and no other passes."""
    document = copy.deepcopy(DOCUMENT)
    place(document, path[:-1])[path[-1]] = wrong
    assert errors(document)
