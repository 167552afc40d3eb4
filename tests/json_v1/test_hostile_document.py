"""A saved audit is a file that anybody may have written: it is read in full, or refused in one line."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator

import pytest
from audit_by_hand import RECORDING, RESULT
from hypothesis import given, settings
from hypothesis import strategies as st

from atsprobe.json_v1 import audit
from atsprobe.json_v1.problem import DocumentProblem
from atsprobe.json_v1.text import MAX_DOCUMENT_BYTES, dumps, loads
from atsprobe.model.recording import Recording

DOCUMENT = json.loads(dumps(audit.encode(RESULT)))
JUNK = (
    None,
    True,
    0,
    -1,
    1 << 90,
    1.5,
    float("nan"),
    "",
    "\x1b[31m\n" * 40,
    [],
    [None],
    {},
    {"data": 5},
    {"index": []},
)


def problem_of(document: object) -> str | None:
    """What decode says against a document, None where it takes it."""
    try:
        assert isinstance(audit.decode(document), Recording)
    except DocumentProblem as problem:
        return str(problem)
    return None


def assert_one_harmless_line(said: str | None) -> None:
    if said is not None:
        assert said.isascii() and said.isprintable() and len(said) < 500, said


def _paths(value: object, path: tuple = (), shape: tuple = ()) -> Iterator[tuple[tuple, tuple]]:
    """Every place in a document, with its shape: the path with any index as one."""
    yield path, shape
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _paths(member, (*path, key), (*shape, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _paths(item, (*path, i), (*shape, "*"))


PLACES = sorted({shape: path for path, shape in _paths(DOCUMENT) if path}.values(), key=str)


def _put(path: tuple, junk: object) -> dict:
    document = copy.deepcopy(DOCUMENT)
    _holder(document, path)[path[-1]] = junk
    return document


def _holder(document: object, path: tuple) -> object:
    for step in path[:-1]:
        document = document[step]
    return document


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_junk_anywhere_is_read_or_refused(junk: object) -> None:
    """Any value in any place gives a recording or one harmless line, and nothing else."""
    document = copy.deepcopy(DOCUMENT)
    for path in PLACES:
        place = _holder(document, path)
        kept, place[path[-1]] = place[path[-1]], junk
        assert_one_harmless_line(problem_of(document))
        place[path[-1]] = kept


def test_missing_members_are_read_or_refused() -> None:
    """Taking any member away gives a recording or one line that names it."""
    for path in PLACES:
        document = copy.deepcopy(DOCUMENT)
        del _holder(document, path)[path[-1]]
        assert_one_harmless_line(problem_of(document))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
@settings(max_examples=200, deadline=None)
def test_any_json_value_is_refused(value: object) -> None:
    """Whatever JSON can hold, decode answers in one line."""
    said = problem_of(value)
    assert said is not None
    assert_one_harmless_line(said)


@given(st.sampled_from(PLACES), json_values)
@settings(max_examples=200, deadline=None)
def test_any_json_value_in_any_place(path: tuple, value: object) -> None:
    """The same for whatever JSON can hold inside a document that is sound otherwise."""
    assert_one_harmless_line(problem_of(_put(path, value)))


@pytest.mark.parametrize(
    ("path", "junk", "said"),
    [
        (("schema_version",), "2", "schema_version: is '2'; this atsprobe reads '1'"),
        (("schema_version",), 1, "schema_version: is 1; this atsprobe reads '1'"),
        (("started_at",), "yesterday", "started_at: 'yesterday' is no time such as 2026-01-31T12:00:00Z"),
        (("started_at",), "2026-01-31T12:00:00", "started_at: '2026-01-31T12:00:00' is no time such as"),
        (
            ("endpoints", 3, "host"),
            "WWW.example.com",
            "endpoints[3].host: 'WWW.example.com' should be spelled 'www.example.com'",
        ),
        (("endpoints", 3, "host"), "\x1b[2J", "endpoints[3].host: '\\x1b[2J' is no host"),
        (("endpoints", 3, "port"), 65536, "endpoints[3].port: is not within 0 and 65535"),
        (("endpoints", 3, "port"), True, "endpoints[3].port: is a boolean and should be a whole number"),
        (
            ("endpoints", 3, "addresses", 0, "address"),
            "1.2.3",
            "endpoints[3].addresses[0].address: '1.2.3' is no IP address",
        ),
        (
            ("endpoints", 3, "addresses", 0, "handshakes", 0, "offer", "versions"),
            [],
            "endpoints[3].addresses[0].handshakes[0].offer.versions: is empty",
        ),
        (
            ("endpoints", 3, "addresses", 0, "handshakes", 1, "offer", "cipher_suites_of"),
            1,
            "endpoints[3].addresses[0].handshakes[1].offer.cipher_suites_of: is not within 0 and 0",
        ),
        (
            ("endpoints", 3, "addresses", 0, "handshakes", 0, "outcome", "chain"),
            ["00"],
            "endpoints[3].addresses[0].handshakes[0].outcome.chain[0]: names something that does not stand beside",
        ),
        (
            ("endpoints", 3, "addresses", 0, "certificates", 0, "sha256"),
            "00",
            "endpoints[3].addresses[0].certificates[0].sha256: is not the SHA-256 of der",
        ),
        (("bundles", 1, "identifier"), "com.example.app", "bundles[1].identifier: is that of an earlier bundle"),
        (
            ("bundles", 0, "dictionary"),
            {"\n": None},
            "bundles[0].dictionary['\\n']: is null, which no property list holds",
        ),
        (("skipped",), {}, "skipped: is an object and should be an array"),
    ],
)
def test_the_line_says_where_and_what(path: tuple, junk: object, said: str) -> None:
    """A refusal names the path and what is wrong there."""
    assert (problem_of(_put(path, junk)) or "").startswith(said)


def test_documents_of_other_commands_are_told_apart() -> None:
    """A document of another command is no audit, and the line says which command writes one."""
    assert "atsprobe audit --format json" in (problem_of({"schema_version": "1", "hosts": []}) or "")
    assert problem_of([]) == "is an array and should be an object"
    assert problem_of({}) == "schema_version: is missing"


def test_members_added_later_may_be_absent() -> None:
    """A document of the first day, with no member that the contract does not name but those needed, is read."""
    document = copy.deepcopy(DOCUMENT)
    for key in (
        "interrupted",
        "quick",
        "noise",
        "templates",
        "files_read",
        "network_apis",
        "not_audited",
        "families",
        "other_references",
    ):
        del document[key]
    read = audit.decode(document)
    assert read.families == ("ipv4", "ipv6") and not read.interrupted
    assert read.resolutions == RECORDING.resolutions


def test_depth_of_a_dictionary_is_bounded() -> None:
    """A property list nested without end is refused, not followed."""
    deep: object = "end"
    for _ in range(5000):
        deep = [deep]
    said = problem_of(_put(("bundles", 0, "dictionary"), deep))
    assert said is not None and said.endswith("lies deeper than 100 levels")


def test_lists_of_names_are_bounded() -> None:
    """An offer of more names than the registries know is refused: references to it would multiply them."""
    many = [f"TLS_{i}" for i in range(1001)]
    said = problem_of(_put(("endpoints", 3, "addresses", 0, "handshakes", 0, "offer", "cipher_suites"), many))
    assert said is not None and said.endswith("has 1001 items; at most 1000 are read")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not JSON: Expecting value (line 1)"),
        (b"{\n]", "not JSON: Expecting property name"),
        (b"\xff\xfe\xfd", "not JSON: neither UTF-8 nor UTF-16"),
        (b'"\xe9"', "not JSON: neither UTF-8 nor UTF-16"),
        (b"[" * 200_000, "nested too deeply"),
        (b"9" * 5000, "not JSON: Exceeds the limit"),
        (b"NaN", "not JSON: NaN is no number of JSON"),
    ],
)
def test_text_that_is_no_json_is_refused_in_one_line(data: bytes, said: str) -> None:
    """Wrong syntax, encodings, depths and numbers give one line each."""
    with pytest.raises(DocumentProblem, match=said[:20]) as caught:
        loads(data)
    assert str(caught.value).startswith(said)
    assert_one_harmless_line(str(caught.value))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_text_is_read_in_any_unicode_encoding(encoding: str) -> None:
    """A report that a Windows shell redirected into a file is read as well."""
    assert loads(dumps({"a": "é"}).encode(encoding)) == {"a": "é"}
    assert loads("\ufeff1") == 1


def test_oversized_text_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file beyond the bound is not parsed."""
    assert MAX_DOCUMENT_BYTES >= 1 << 28
    monkeypatch.setattr("atsprobe.json_v1.text.MAX_DOCUMENT_BYTES", 10)
    with pytest.raises(DocumentProblem, match="longer than"):
        loads(b"[" + b" " * 10 + b"]")
