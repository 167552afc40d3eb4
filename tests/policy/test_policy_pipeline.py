"""From a target and names to rows: whose dictionary, which hosts, which clients, and what could not be read."""

from __future__ import annotations

import io
import json
import os
import plistlib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import atsprobe
from atsprobe.cli.commands import main
from atsprobe.json_v1.policy import encode
from atsprobe.json_v1.schema import schema
from atsprobe.json_v1.text import dumps
from atsprobe.model.result import PolicyResult, exit_code
from atsprobe.pipelines.policy import policy
from atsprobe.settings import Settings, UsageProblem

HTTP, PFS, MIN = (
    "NSExceptionAllowsInsecureHTTPLoads",
    "NSExceptionRequiresForwardSecrecy",
    "NSExceptionMinimumTLSVersion",
)


def plist(path: Path, dictionary: Any, **more: Any) -> str:
    """Write an Info.plist, binary where it is called so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(plistlib.dumps({"NSAppTransportSecurity": dictionary, **more}, sort_keys=False))
    return str(path)


def rows(result: PolicyResult) -> list[dict[str, Any]]:
    """Give the rows of the document, which has to keep its schema."""
    document = json.loads(dumps(encode(result)))
    assert [e.message for e in Draft202012Validator(schema("policy")).iter_errors(document)] == []
    assert document["summary"]["exit_code"] == exit_code(result)
    return document["hosts"]


@pytest.fixture
def app(tmp_path: Path) -> str:
    """An app from iOS 16 on with an extension of its own dictionary."""
    path = tmp_path / "Ferry.ipa"
    bundles = {
        "Payload/Ferry.app/Info.plist": {
            "CFBundleIdentifier": "org.example.ferry",
            "CFBundleName": "Ferry",
            "MinimumOSVersion": "16.0",
            "NSAppTransportSecurity": {"NSExceptionDomains": {"a.example.com": {HTTP: True}}},
        },
        "Payload/Ferry.app/PlugIns/Share.appex/Info.plist": {
            "CFBundleIdentifier": "org.example.ferry.share",
            "MinimumOSVersion": "17.0",
        },
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in bundles.items():
            archive.writestr(name, plistlib.dumps(value))
    return str(path)


def test_each_bundle_answers_for_itself(app: str) -> None:
    """The extension does not inherit the app's exceptions; each is asked about from its own iOS on."""
    found = {(r["bundle"], r["profile"]): r["http_allowed"] for r in rows(policy(app, ["a.example.com"]))}
    assert found == {
        ("org.example.ferry", "ios15.4"): True,
        ("org.example.ferry", "ios17"): True,
        ("org.example.ferry", "ios26"): True,
        ("org.example.ferry.share", "ios17"): False,
        ("org.example.ferry.share", "ios26"): False,
    }


def test_ios_and_profile_narrow_the_clients(app: str) -> None:
    """--ios for every bundle alike, --profile instead of it."""
    assert {r["profile"] for r in rows(policy(app, ["a.example.com"], Settings(ios=("13", "26"))))} == {
        "ios13",
        "ios26",
    }
    assert {r["profile"] for r in rows(policy(app, ["a.example.com"], Settings(profile="fcp21")))} == {"fcp21"}
    with pytest.raises(UsageProblem, match="no iOS version"):
        policy(app, ["a.example.com"], Settings(ios=("x",)))
    with pytest.raises(UsageProblem, match="no profile"):
        policy(app, ["a.example.com"], Settings(profile="ios99"))


def test_a_loose_plist_is_read_as_the_newest(tmp_path: Path) -> None:
    """It belongs to no binary, so no SDK is known; one that a build has not yet given a minimum iOS is for the newest."""
    exceptions = {"NSExceptionDomains": {"a.example.com": {MIN: "TLSv1.0"}}}
    built = plist(tmp_path / "Built.plist", exceptions, MinimumOSVersion="15.4")
    assert [row["profile"] for row in rows(policy(built))] == ["ios15.4", "ios17", "ios26"]
    path = plist(tmp_path / "Info.plist", exceptions)
    (row,) = rows(policy(path))
    assert (row["profile"], row["linked_sdk"], row["unproved_tls_versions"]) == ("ios26", None, ["TLSv1.1", "TLSv1.0"])
    (row,) = rows(policy(path, (), Settings(sdk="18.5")))
    assert (row["linked_sdk"], row["unproved_tls_versions"], row["minimum_tls_version"]) == ("18.5", [], "TLSv1.0")


@pytest.mark.parametrize(
    "name",
    ["b.example.com", "B.Example.Com", "b.example.com:8443", "https://b.example.com/x", "http://u@b.example.com:80"],
)
def test_a_host_in_any_form(name: str, tmp_path: Path) -> None:
    """A name, HOST:PORT and a URL all mean the host; ports do not matter to ATS."""
    path = plist(tmp_path / "Info.plist", {"NSExceptionDomains": {"b.example.com": {HTTP: True}}})
    (row,) = rows(policy(path, [name]))
    assert (row["host"], row["http_allowed"], row["matched_exception"]) == ("b.example.com", True, "b.example.com")


@pytest.mark.parametrize("name", ["b.example.com.", "https://u@B.example.com.:8443/x?y.", "b.example.com.:443"])
def test_a_dot_at_the_end_is_part_of_the_host(name: str, tmp_path: Path) -> None:
    """Entries match the text (Security source, find_exception_for_host): with and without the dot are two hosts."""
    path = plist(tmp_path / "Info.plist", {"NSExceptionDomains": {"b.example.com": {HTTP: True}}})
    (row,) = rows(policy(path, [name]))
    assert (row["host"], row["http_allowed"], row["matched_exception"]) == ("b.example.com.", False, None)
    assert [w["kind"] for w in row["warnings"]] == ["final-dot"]
    dotted = plist(tmp_path / "dotted.plist", {"NSExceptionDomains": {"b.example.com.": {HTTP: True}}})
    assert rows(policy(dotted, [name]))[0]["http_allowed"] is True
    assert rows(policy(dotted, ["https://b.example.com/."]))[0]["http_allowed"] is False


def test_the_same_host_once(tmp_path: Path) -> None:
    """Named in several ways it is one row; addresses and names in other scripts come in their one spelling."""
    path = plist(tmp_path / "Info.plist", {})
    named = ["b.example.com", "https://b.example.com:8443/", "[2001:DB8:0::1]:443", "bücher.example"]
    assert [r["host"] for r in rows(policy(path, named))] == ["b.example.com", "2001:db8::1", "xn--bcher-kva.example"]


def test_hosts_from_a_list_and_from_standard_input(tmp_path: Path) -> None:
    """@FILE and - hold one a line, as everywhere."""
    path = plist(tmp_path / "Info.plist", {})
    (tmp_path / "hosts.txt").write_text("a.example.com\n# no host\n\nb.example.com:8443\n")
    assert [r["host"] for r in rows(policy(path, [f"@{tmp_path / 'hosts.txt'}"]))] == ["a.example.com", "b.example.com"]
    assert [r["host"] for r in rows(policy(path, ["-"], stdin=io.StringIO("c.example.com\n")))] == ["c.example.com"]


def test_without_a_host_those_that_the_plist_names(tmp_path: Path) -> None:
    """Exceptions, what a misspelt one means, and pins; a network names no host."""
    dictionary = {
        "NSExceptionDomains": {
            "a.example.com": {},
            "https://B.example.com/": {},
            "10.0.0.0/8": {},
            "": {},
            "203.0.113.5": {},
        },
        "NSPinnedDomains": {"pinned.example.com": {"NSPinnedCAIdentities": []}, "a.example.com": {}},
    }
    result = policy(plist(tmp_path / "Info.plist", dictionary))
    found = rows(result)
    assert [r["host"] for r in found] == ["a.example.com", "b.example.com", "203.0.113.5", "pinned.example.com"]
    assert found[-1]["pins"] == {"ca": [], "leaf": None}
    assert found[0]["pins"] is None


def test_contested_hosts_are_null(tmp_path: Path) -> None:
    """What Apple's documents and clients contradict each other about is neither true nor false."""
    by_host = {r["host"]: r for r in rows(policy(plist(tmp_path / "Info.plist", {}), ["192.168.1.5", "localhost"]))}
    assert by_host["192.168.1.5"]["ats_enforced"] is by_host["192.168.1.5"]["http_allowed"] is None
    assert by_host["localhost"]["ats_enforced"] is False
    assert (by_host["localhost"]["exempt"], by_host["localhost"]["http_allowed"]) == (True, True)
    off = plist(tmp_path / "off.plist", {"NSAllowsArbitraryLoads": True})
    assert rows(policy(off, ["192.168.1.5"]))[0]["http_allowed"] is True


def test_a_host_that_is_none_is_told_and_the_others_are_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code is 2 all the same. A file is no host, though a host of its name may be written as a URL."""
    monkeypatch.chdir(tmp_path)
    plist(Path("Info.plist"), {})
    Path("localhost").write_text("")
    result = policy(
        "Info.plist", ["a.example.com", "not a host", "localhost", "ftp://x.example.com", "https://localhost"]
    )
    assert [r["host"] for r in rows(result)] == ["a.example.com", "localhost"]
    assert [s.target for s in result.skipped] == ["not a host", "localhost", "ftp://x.example.com"]
    assert exit_code(result) == 2


@pytest.mark.parametrize(
    ("dictionary", "code"),
    [
        ({}, 0),
        ({"NSExceptionDomains": {"a.example.com": {HTTP: True, PFS: False}}}, 0),
        ({"NSExceptionDomains": {"a.example.com": {MIN: "TLSv1.0"}}}, 0),
        ({"NSExceptionDomains": {"A.example.com": {HTTP: True}}}, 1),
        ({"NSAllowsArbitraryLoads": "YES"}, 1),
        ({"NSAllowsArbitraryLoads": True, "NSAllowsLocalNetworking": True}, 1),
    ],
)
def test_exit_code(dictionary: Any, code: int, tmp_path: Path) -> None:
    """1 for a key without effect; a key that is not enough by itself, and a warning, leave it at 0."""
    assert exit_code(policy(plist(tmp_path / "Info.plist", dictionary), ["a.example.com"])) == code


def test_what_is_no_plist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host in the place of the plist, a missing file, and a target without an Info.plist are told apart."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageProblem, match=r"a\.example\.com: a host, where an Info\.plist is wanted"):
        policy("a.example.com", ["b.example.com"])
    Path("notes.txt").write_text("nothing")
    with pytest.raises(UsageProblem, match=r"notes\.txt: holds no Info\.plist"):
        policy("notes.txt", ["b.example.com"])
    missing = policy("Inf.plist", ["b.example.com"])
    assert (missing.bundles, missing.skipped[0].reason, exit_code(missing)) == ((), "no such file", 2)


def test_a_broken_extension_leaves_the_app(tmp_path: Path) -> None:
    """Its Info.plist is told as not read, exit 3; no answer is made up for it."""
    path = tmp_path / "Ferry.ipa"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Payload/A.app/Info.plist", plistlib.dumps({"CFBundleIdentifier": "a"}))
        archive.writestr("Payload/A.app/PlugIns/B.appex/Info.plist", b"<plist>")
        archive.writestr("Payload/A.app/A", b"no binary")
    result = policy(str(path), ["a.example.com"])
    assert [b.bundle.identifier for b in result.bundles] == ["a"]
    assert [s.file.removeprefix("Payload/") for s in result.skipped] == ["A.app/PlugIns/B.appex/Info.plist"]
    assert exit_code(result) == 3


def test_an_xml_and_a_binary_plist_are_one(tmp_path: Path) -> None:
    """The form changes no demand; lines are known of XML alone."""
    value = {"NSAppTransportSecurity": {"NSExceptionDomains": {"a.example.com": {HTTP: "x", PFS: False}}}}
    documents = []
    for name, form in (("x", plistlib.FMT_XML), ("b", plistlib.FMT_BINARY)):
        path = tmp_path / name / "Info.plist"
        path.parent.mkdir()
        path.write_bytes(plistlib.dumps(value, fmt=form))
        documents.append(encode(policy(str(path))))
    xml, binary = documents
    assert [k.pop("line") is not None for k in xml["keys"]] == [True, True]
    assert [k.pop("line") for k in binary["keys"]] == [None, None]
    for key in (*xml["keys"], *binary["keys"], *xml["hosts"], *binary["hosts"]):
        key.pop("bundle")
    assert (xml["hosts"], xml["keys"]) == (binary["hosts"], binary["keys"])


def test_it_is_public(tmp_path: Path) -> None:
    """The library's function is the pipeline's."""
    result = atsprobe.policy(plist(tmp_path / "Info.plist", {}), ["a.example.com"])
    assert isinstance(result, PolicyResult)


def test_ten_thousand_exception_domains_are_a_dictionary_like_another(tmp_path: Path) -> None:
    """Each with three keys: all are read, told of and matched."""
    keys = {HTTP: True, "NSIncludesSubdomains": True, "NSExceptionMinimumTLSVersion": "TLSv1.2"}
    domains = {f"host-{n}.example.com": keys for n in range(10_000)}
    (answer,) = policy(
        plist(tmp_path / "Info.plist", {"NSExceptionDomains": domains}), ["a.host-9999.example.com"]
    ).bundles
    assert len(answer.keys) == 30_000
    assert answer.keys[-1].line is not None
    assert answer.policies[0].matched_exception == "host-9999.example.com"


def test_many_deep_hosts_are_no_trouble(tmp_path: Path) -> None:
    """A list of 20,000 hosts is answered whole."""
    path = plist(
        tmp_path / "Info.plist", {"NSExceptionDomains": {"example.com": {"NSIncludesSubdomains": True, HTTP: True}}}
    )
    lines = os.linesep.join(f"h{n}.{'a.' * 60}example.com" for n in range(20_000))
    result = policy(path, ["-"], stdin=io.StringIO(lines))
    assert len(result.bundles[0].policies) == 20_000


def test_an_app_whose_only_info_plist_is_broken_is_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command names the file and the reason on standard error and exits with 2, as for the Info.plist alone."""
    monkeypatch.chdir(tmp_path)
    Path("A.app").mkdir()
    Path("A.app/Info.plist").write_bytes(b"<plist>")
    assert main(["policy", "A.app", "a.example.com"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "A.app/Info.plist: not a property list" in told.err


def test_the_network_that_takes_the_place_of_an_address_has_no_zone(tmp_path: Path) -> None:
    """A network key with a zone would never match, so that none is advised."""
    result = policy(plist(tmp_path / "Info.plist", {"NSExceptionDomains": {"fe80::1%en0": {HTTP: True}}}))
    texts = [w.text for b in result.bundles for key in b.keys for w in key.warnings]
    assert any("; fe80::1/128 takes any spelling" in text for text in texts), texts
