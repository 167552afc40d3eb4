"""The document of an audit: what the contract promises is there, and the recording comes back from it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from audit_by_hand import (
    EXPERIMENTS,
    HTTP_COUNTERPART,
    ISSUER,
    LEAF,
    LEARNT,
    OTHER_LEAF,
    RECORDING,
    REDIRECT,
    RESULT,
    SUITES,
    UNREADABLE,
)

from atsprobe.json_v1 import audit
from atsprobe.json_v1.text import dumps, loads
from atsprobe.model.app import Extraction
from atsprobe.model.recording import Recording
from atsprobe.model.result import AuditResult

CONTRACT = {
    "schema_version profile profiles started_at finished_at bundles endpoints exceptions minimal_plist minimal_plists notices "
    "skipped summary": [],
    "identifier info_plist dictionary minimum_os linked_sdk": ["bundles", 0],
    "host port scheme references verdict verdicts declared_verdict declared https_verdict redirects_to findings "
    "minimal_exception addresses": ["endpoints", 1],
    "target bundle file location text kind": ["endpoints", 1, "references", 0],
    "bundle verdict verdicts decided_by failing": ["endpoints", 1, "declared", 0],
    "requirement status evidence citation fixable_by addresses": ["endpoints", 1, "findings", 0],
    "address status protocols groups negotiated certificates handshakes": ["endpoints", 3, "addresses", 0],
    "version cipher_suite group": ["endpoints", 3, "addresses", 0, "negotiated"],
    "subject issuer key_type key_bits signature_hash sha256 spki_sha256 not_before not_after subject_alt_names der": [
        "endpoints",
        3,
        "addresses",
        0,
        "certificates",
        0,
    ],
    "offer outcome": ["endpoints", 3, "addresses", 0, "handshakes", 0],
    "bundle domain key value status reason hosts": ["exceptions", 0],
    "bundle dictionary": ["minimal_plists", 0],
    "kind subject evidence to_act_on": ["notices", 0],
    "target file reason": ["skipped", 0],
}


@pytest.fixture(scope="module")
def document() -> dict:
    """The document as a reader gets it."""
    return json.loads(dumps(audit.encode(RESULT)))


@pytest.fixture(scope="module")
def address(document: dict) -> dict:
    """The address with every kind of handshake."""
    return document["endpoints"][3]["addresses"][0]


def of(recording: Recording) -> AuditResult:
    """An audit that concluded nothing."""
    return AuditResult(recording, (), (), (), (), (), "")


@pytest.mark.parametrize("members", CONTRACT)
def test_contract_members_are_there(document: dict, members: str) -> None:
    """Every member that scripts rely on stands where the contract puts it."""
    place = document
    for step in CONTRACT[members]:
        place = place[step]
    assert set(members.split()) <= set(place)


def test_recording_comes_back() -> None:
    """Everything seen comes back from the text of the document, conclusions or none."""
    assert audit.decode(loads(dumps(audit.encode(RESULT)))) == RECORDING
    assert audit.decode(loads(dumps(audit.encode(of(RECORDING))))) == RECORDING


def test_empty_audit_comes_back() -> None:
    """An audit of nothing has a document too, without a profile."""
    nothing = replace(RECORDING, extraction=Extraction(), resolutions=(), observations=(), installed_roots=())
    document = audit.encode(of(nothing))
    assert document["profile"] is None and document["minimal_plist"] == {}
    assert audit.decode(document) == nothing


def test_conclusions_are_never_read_back(document: dict) -> None:
    """Lies among the conclusions change nothing of the recording."""
    lies = json.loads(json.dumps(document))
    for key in ("summary", "exceptions", "notices", "minimal_plist", "minimal_plists", "profile", "profiles"):
        lies[key] = "a lie"
    for row in lies["endpoints"]:
        row |= {"verdict": "pass", "verdicts": [], "findings": None, "declared": 7, "minimal_exception": "?"}
        for seen in row["addresses"]:
            seen |= {"protocols": "a lie", "groups": 1, "negotiated": []}
    lies["new_member"] = {"of": "a later version"}
    assert audit.decode(lies) == RECORDING


def test_what_was_learnt_by_looking_is_no_reference(document: dict) -> None:
    """A reference made by a redirect is shown without an index, and is not read back: judging finds it again."""
    shown = document["endpoints"][2]["references"][0]
    assert shown["kind"] == "redirect" and shown["index"] is None
    assert REDIRECT not in audit.decode(document).extraction.references


def test_endpoints_that_are_no_row_keep_their_observations(document: dict) -> None:
    """What was seen of an https counterpart stands beside the rows."""
    others = [(o["host"], o["port"], o["scheme"]) for o in document["other_observations"]]
    assert others == [(HTTP_COUNTERPART.host, 443, "https")]


def test_references_of_another_scheme_tell_their_endpoint(document: dict) -> None:
    """A bare host counts for the http row, and says that it stands for https."""
    http_row = document["endpoints"][1]
    assert "host" not in http_row["references"][0]
    assert http_row["references"][1]["scheme"] == "https"


def test_location_begins_with_the_line(document: dict) -> None:
    """What people and scripts read of a place in an XML plist or a text file begins with its line number."""
    references = document["endpoints"][3]["references"]
    assert [r["location"].split()[:1] for r in references] == [["12"], ["7"], [], ["3"]]


def test_every_address_of_the_name_is_listed(document: dict) -> None:
    """An address of which nothing was recorded is listed as not looked at."""
    listed = [(a["address"], a["status"]) for a in document["endpoints"][3]["addresses"]]
    assert listed == [("192.0.2.1", "reachable"), ("2001:db8::1", "no-route"), ("192.0.2.7", "not-looked-at")]


def test_negotiated_is_what_the_own_hello_got(address: dict) -> None:
    """It is the first handshake's outcome, and null where that failed, whatever followed."""
    assert address["negotiated"]["cipher_suite"] == SUITES[0]
    seen = replace(RECORDING.observations[1], experiments=EXPERIMENTS[1:])
    document = audit.encode(of(replace(RECORDING, observations=(seen,))))
    assert document["other_observations"][0]["negotiated"] is None


def test_protocols_are_newest_first(address: dict) -> None:
    """Versions go from new to old, suites in the order in which the server chose them."""
    assert list(address["protocols"]) == ["TLSv1.3", "TLSv1.2"]
    assert address["protocols"]["TLSv1.2"][:3] == list(SUITES[:3])
    assert address["groups"] == ["x25519", "secp256r1"]


def test_certificates_stand_once_leaf_first(address: dict) -> None:
    """Certificates of all chains stand once, and chains name them in the order received."""
    assert [c["sha256"] for c in address["certificates"]] == [c.sha256 for c in (LEAF, ISSUER, OTHER_LEAF, UNREADABLE)]
    second_chain = address["handshakes"][5]["outcome"]["chain"]
    assert second_chain == [c.sha256 for c in (OTHER_LEAF, UNREADABLE, ISSUER)]


def test_unreadable_certificate_has_null_facts(address: dict) -> None:
    """What is no certificate keeps fingerprint and bytes, and every fact is null."""
    facts = address["certificates"][3]
    assert {k for k, v in facts.items() if v is not None} == {"sha256", "der"}


def test_enumeration_is_written_by_differences(address: dict) -> None:
    """A hundred suites are written out twice, once in each order offered, however many handshakes there are."""
    written_out = [h for h in address["handshakes"] if len(h["offer"].get("cipher_suites", ())) > 50]
    assert len(written_out) == 2
    last = address["handshakes"][-1]["offer"]
    assert last["cipher_suites_without"] == [SUITES[18]]
    assert "groups_without" not in last and last["groups_of"] == 0


def test_staples_stand_once(address: dict) -> None:
    """A stapled response and an SCT list stand beside the handshakes, which name them."""
    outcome = address["handshakes"][0]["outcome"]
    assert list(address["ocsp_responses"]) == [outcome["ocsp_response"]]
    assert list(address["sct_lists"]) == [outcome["scts"]]


def test_findings_list_ip_addresses_once(document: dict) -> None:
    """Addresses of a finding are those of `addresses`, without ports and repetitions."""
    assert document["endpoints"][1]["findings"][0]["addresses"] == ["192.0.2.1", "2001:db8::1"]


def test_newest_ios_profile_is_the_profile(document: dict) -> None:
    """A mode beside iOS versions is not the newest of them; alone it is the profile."""
    assert document["profile"] == "ios26" and document["profiles"] == ["ios17", "ios26", "fcp21"]
    alone = audit.encode(replace(of(RECORDING), profiles=RESULT.profiles[2:]))
    assert alone["profile"] == "fcp21"


def test_only_http_rows_have_https_members(document: dict) -> None:
    """`https_verdict` and `redirects_to` belong to scheme http alone."""
    assert ["https_verdict" in row for row in document["endpoints"]] == [False, True, True, False]
    assert str(LEARNT.port) == "80" and document["endpoints"][2]["https_verdict"] is None


def test_minimal_plist_is_the_first_bundles(document: dict) -> None:
    """What can be pasted into the first bundle's Info.plist; empty where nothing is needed."""
    assert document["minimal_plist"] == {"NSAppTransportSecurity": document["minimal_plists"][0]["dictionary"]}
    swapped = replace(RESULT, minimal=RESULT.minimal[1:])
    assert audit.encode(swapped)["minimal_plist"] == {}


def test_minimal_exception_tells_nothing_from_none(document: dict) -> None:
    """{} says that no exception is needed, null that none is known."""
    assert [row["minimal_exception"] for row in document["endpoints"]] == [
        None,
        {"NSExceptionAllowsInsecureHTTPLoads": True},
        None,
        {},
    ]


def test_exception_hosts_are_host_and_port(document: dict) -> None:
    """Hosts weighed are HOST:PORT, and `loads` adds the scheme."""
    assert document["exceptions"][0]["hosts"] == ["www.example.com:443", "www.example.com:80"]
    assert document["exceptions"][0]["loads"][1] == {"host": "www.example.com", "port": 80, "scheme": "http"}


def test_summary_counts(document: dict) -> None:
    """The numbers are those of the result, and hosts that are no load count as endpoints alone."""
    summary = document["summary"]
    assert summary["exit_code"] == 130
    assert (summary["endpoints"], summary["loads"], summary["blocked"]) == (4, 3, 0)
    assert (summary["findings"], summary["accepted"], summary["stale_waivers"], summary["ignored"]) == (2, 2, 1, 1)
    assert (summary["not_judged"], summary["inconclusive_loads"], summary["skipped"]) == (2, 1, 1)
    assert summary["verdicts"] == {"exception-required": 1, "inconclusive": 1, "pass": 1}


def test_waivers_stand_whole_and_beside_what_they_accept(document: dict) -> None:
    """An accepted load or key names reason, owner and day; each waiver says what it accepts, or what is wrong with it."""
    assert document["endpoints"][1]["waived"] == {
        "reason": "moves in spring",
        "owner": "ops@example.com",
        "expires": "2027-03-31",
    }
    assert document["endpoints"][3]["waived"] is document["exceptions"][2]["waived"] is None
    assert document["exceptions"][0]["waived"]["owner"] == "ios"
    of_load, of_key, stale = document["waivers"]
    assert (of_load["status"], of_load["requirement"], of_load["place"]) == (
        "in-force",
        "insecure-http",
        "atsprobe.toml:7",
    )
    assert of_load["accepts"] == [{"host": "old.example.net", "port": 80, "scheme": "http"}]
    assert of_key["accepts"][0]["domain"] == "www.example.com"
    assert (stale["status"], stale["advice"], stale["accepts"]) == ("expired", "take it out", [])


def test_a_part_of_a_load_accepted_leaves_it_counted() -> None:
    """While one failing requirement counts, the load is not called waived; the waiver names it all the same."""
    in_part = replace(RESULT.waived[0], is_whole=False)
    written = audit.encode(replace(RESULT, waived=(in_part,)))
    assert written["endpoints"][1]["waived"] is None and written["summary"]["blocked"] == 1
    assert [w["status"] for w in written["waivers"]] == ["in-force", "not-concerned", "expired"]


def test_ignored_hosts_say_why_and_where_they_were_found(document: dict) -> None:
    """The pattern, its reason and its place, and every sighting."""
    (ignored,) = document["ignored"]
    assert (ignored["host"], ignored["pattern"]) == ("jira.internal.example.com", "*.internal.example.com")
    assert (ignored["reason"], ignored["references"][0]["location"]) == ("behind the VPN", "9")


def test_noise_is_counted_in_full_and_listed_in_part() -> None:
    """A thousand sightings of noise are listed; the count is of all."""
    many = replace(RECORDING, extraction=replace(RECORDING.extraction, noise=RECORDING.extraction.noise * 3000))
    noise = audit.encode(of(many))["noise"]
    assert noise["count"] == 3000 and len(noise["references"]) == 1000


def test_the_clients_asked_for_can_be_read_back(document: dict) -> None:
    """The SDK that the user named is part of how it was judged, and can be read for judging again."""
    assert audit.judged_as(document).sdk == "18"
    assert audit.judged_as(audit.encode(of(RECORDING))) == audit.JudgedAs((), None, None)


def test_text_holds_no_control_and_no_foreign_character() -> None:
    """Escape sequences, DEL, right-to-left marks and lone surrogates of an app reach no terminal, and come back."""
    text = dumps(audit.encode(RESULT))
    assert all(c == "\n" or (" " <= c < "\x7f") for c in text)
    assert text.endswith("}\n") and not text.endswith("\n\n")
    assert audit.decode(loads(text)) == RECORDING
