"""Audits as people see them: order, words, columns and widths, with foreign text made harmless."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
from made_results import (
    APP,
    HTTP,
    IOS26,
    PFS,
    REFUSED,
    THEN,
    app_bundle,
    ferry,
    finding,
    harbor,
    incomplete,
    intranet,
    key,
    load,
    loose_plist,
    negotiated,
    passing,
    recording,
    result,
    tls,
)
from rich.cells import cell_len
from snapshot import check

from atsprobe.model.app import SkippedInput
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import ExceptionEntry
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.judgement import Notice, Verdict
from atsprobe.model.observation import Address, Unreachable
from atsprobe.report.style import Style
from atsprobe.report.text.audit import render_audit

SNAPSHOTS = Path(__file__).parent / "snapshots"
RESULTS = {"ferry": ferry, "incomplete": incomplete, "intranet": intranet, "passing": passing, "harbor": harbor}


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", RESULTS)
def test_an_audit_looks_as_agreed(name: str, width: int) -> None:
    """Every kind of audit, at the three widths that people have."""
    text = render_audit(RESULTS[name](), Style(width=width))
    assert max(map(cell_len, text.splitlines())) <= width
    check(SNAPSHOTS / f"{name}-{width}.txt", text)


@pytest.mark.parametrize(("verbosity", "word"), [(-1, "quiet"), (1, "verbose"), (2, "very-verbose")])
def test_more_and_less_of_an_audit(verbosity: int, word: str) -> None:
    """Quiet is the answer and the lines with an id; verbose puts under each line what it rests on."""
    text = render_audit(ferry(), Style(verbosity=verbosity))
    assert max(map(cell_len, text.splitlines())) <= 80
    check(SNAPSHOTS / f"ferry-{word}.txt", text)


def test_the_mock_up_of_the_gate_holds_to_the_letter() -> None:
    """The release engineer's report: what the interface was agreed to look like."""
    text = render_audit(ferry(), Style())
    assert text.startswith(
        "✗ Ferry 4.2.0 (1187): 9 findings; 2 servers are blocked, 1 could not be judged\n"
        "  fix 2 servers, change 1 URL, drop 5 exceptions, narrow 1; 2 are needed\n"
        "  2 bundles, 14 endpoints, 23 addresses; iOS 16 to 26, SDK 26, Apple roots 26\n"
        "\n"
        "  this app      default ATS         server\n"
        "✗ blocked       blocked             old.example.org:443\n"
    )
    assert (
        "  blocked  files.example.net:443\n"
        "      forward-secrecy: accepts static RSA suites only\n"
        "      fix: enable ECDHE suites; until then\n"
        "        NSExceptionRequiresForwardSecrecy = false\n"
    ) in text
    assert text.endswith(
        "Keep (2)\n"
        "  needed  example.com NSExceptionAllowsInsecureHTTPLoads\n"
        "      tiles.example.com answers http:// alone, its port 443 is closed\n"
        "  needed  pay.example.org NSExceptionRequiresForwardSecrecy = false\n"
        "      static RSA only on both addresses; iOS 16 to 26 need it\n"
    )


def test_the_order_of_the_result_does_not_show() -> None:
    """Same input, same bytes: lines are sorted by what they say."""
    made = ferry()
    shuffled = random.Random(7)
    endpoints, keys = list(made.endpoints), list(made.exceptions)
    shuffled.shuffle(endpoints)
    shuffled.shuffle(keys)
    again = replace(made, endpoints=tuple(endpoints), exceptions=tuple(keys))
    assert render_audit(again, Style()) == render_audit(made, Style())


@pytest.mark.parametrize("name", RESULTS)
def test_colours_change_no_character(name: str) -> None:
    """Without its sequences a coloured report is the plain one, and the sequences are ours alone."""
    plain = render_audit(RESULTS[name](), Style())
    colored = render_audit(RESULTS[name](), Style(color=True))
    sequences = set(re.findall(r"\x1b\[([0-9;]*)m", colored))
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain
    assert sequences <= {"0", "1", "1;31", "35", "32"}
    assert "\x1b" not in plain


def test_green_is_for_the_word_pass_alone() -> None:
    """Allowed is no praise: an exception may stand behind it."""
    colored = render_audit(ferry(), Style(color=True))
    assert set(re.findall(r"\x1b\[32m([^\x1b]*)\x1b", colored)) == {"pass"}


def test_without_unicode_every_byte_is_ascii() -> None:
    """Symbols and foreign names have another spelling where the terminal cannot show them."""
    text = render_audit(harbor(), Style(unicode=False))
    assert text.isascii()
    assert text.startswith("x Harbor 9.1 (77): ")
    assert "(b\\u{fc}cher.example.net)" in text


def test_a_pipe_gets_names_in_one_piece() -> None:
    """Programs that read lines find each name whole."""
    text = render_audit(harbor(), Style(fold=False))
    assert (
        "a-label-of-sixty-three-characters-is-as-long-as-any-may-be-0123.eu-central-1.backend.staging.example.com:8443\n"
        in text
    )


def test_a_finding_of_one_address_names_it() -> None:
    """Where addresses disagree, the odd one is told under the server's line."""
    text = render_audit(harbor(), Style(width=200))
    assert "is not in Apple's store, on 2001:db8::9 alone (1 of 3 addresses)\n" in text


def test_disagreeing_addresses_stand_under_the_row() -> None:
    """A server whose addresses disagree is named, with the odd address, even where its group is a number."""
    loads = [load(f"h{n}.example.com") for n in range(9)]
    notice = Notice(
        "addresses-disagree", "h3.example.com:443", "pass on 192.0.2.9 alone (1 of 3 addresses)", to_act_on=True
    )
    text = render_audit(result(loads, of=recording([APP]), notices=[notice]), Style())
    assert "✓ allowed   pass         h3.example.com:443\n" in text
    assert "                         pass on 192.0.2.9 alone (1 of 3 addresses)\n" in text
    assert "8 servers           -v names them\n" in text


def test_nothing_to_act_on() -> None:
    """The good case says how much passes, and what became of the declared keys."""
    pay = load("pay.example.org", Verdict.EXCEPTION_REQUIRED, minimal=ExceptionEntry(requires_forward_secrecy=False))
    keys = [key("pay.example.org", PFS, False, "needed", "static RSA only", hosts=[pay.endpoint])]
    made = result([pay, *(load(f"h{n:02}.example.com") for n in range(13))], keys, of=recording([APP]))
    assert render_audit(made, Style()).startswith(
        "✓ Ferry 4.2.0 (1187): nothing to act on; 14 servers are allowed\n"
        "  13 pass default ATS on every address; 1 exception is declared, and is needed\n"
    )


def test_an_address_without_a_route_is_not_said_to_pass() -> None:
    """What no packet reached is never counted as passing."""
    endpoint = Endpoint(Host("h.example.com"), 443)
    seen = (tls(endpoint, "192.0.2.1"), Unreachable(endpoint, Address("2001:db8::1", 443), THEN, "no-route"))
    one = load("h.example.com", ips=("192.0.2.1", "2001:db8::1"), observations=seen)
    made = result([one, load("i.example.com")], of=recording([APP]))
    assert "on every address with a route from here" in render_audit(made, Style(width=200))
    alone = replace(result([one]), recording=recording())
    assert "192.0.2.1, 2001:db8::1 (no route); TLS 1.3" in render_audit(alone, Style())


def test_one_family_alone_is_said_so() -> None:
    """With --ipv4 the other addresses were not asked."""
    made = result([load("h.example.com"), load("i.example.com")], of=recording([APP]))
    made = replace(made, recording=replace(made.recording, families=("ipv4",)))
    assert "pass default ATS on every IPv4 address" in render_audit(made, Style())


def test_an_app_without_hosts_is_not_said_to_pass() -> None:
    """Nothing was found, so nothing is ticked off."""
    text = render_audit(result(of=recording([APP])), Style())
    assert text.startswith("- Ferry 4.2.0 (1187): nothing to act on; no server was found\n  no host was found or named")


def test_an_app_that_was_not_read_is_not_said_to_have_no_hosts() -> None:
    """What is encrypted may name hosts: it is said of the rest alone that it names none."""
    app = replace(recording([APP]).extraction, skipped=(SkippedInput(APP.target, "Ferry", "encrypted", ""),))
    text = render_audit(result(of=replace(recording([APP]), extraction=app)), Style())
    assert "no host was found in what was read; 1" in text


def test_a_load_and_a_key_on_one_unknown_share_a_line() -> None:
    """The host's load is told on the key's line, and counts once."""
    made = ferry()
    text = render_audit(made, Style())
    assert "Could not be judged (1)" in text
    assert "inconclusive  gate" not in text.split("Could not be judged")[1]


def test_a_loose_plist_tells_the_line_of_a_key() -> None:
    """FILE:LINE, so that an editor finds it."""
    plist = loose_plist()
    keys = [key("files.example.net", PFS, False, "unneeded", "the server passes", bundle="App/Info.plist", line=31)]
    text = render_audit(result([load("files.example.net")], keys, of=recording([plist])), Style(width=100))
    assert text.startswith("✗ Info.plist: 1 finding\n")
    assert "NSExceptionRequiresForwardSecrecy = false (Info.plist:31)\n" in text


def test_a_bundle_that_blocks_is_named() -> None:
    """One server, two dictionaries: the one under which it is blocked stands beside it."""
    share = app_bundle("Share", identifier="org.example.ferry.share", folder="Payload/Ferry.app/PlugIns/Share.appex")
    both = (("org.example.ferry", "allowed"), ("org.example.ferry.share", "blocked"))
    one = load("a.example.com", Verdict.EXCEPTION_REQUIRED, "blocked", bundles=both)
    text = render_audit(result([one], of=recording([APP, share])), Style())
    assert "  blocked  a.example.com:443 (PlugIns/Share.appex)\n" in text


def test_interrupted() -> None:
    """The report says how far it came, and lists the rest as not judged."""
    endpoint = Endpoint(Host("b.example.com"), 443)
    cut = load(
        "b.example.com",
        Verdict.INCONCLUSIVE,
        "inconclusive",
        observations=(Unreachable(endpoint, Address("203.0.113.10", 443), THEN, "interrupted"),),
        reason="interrupted",
    )
    made = result([load("a.example.com"), cut], of=recording([APP], interrupted=True))
    text = render_audit(made, Style(width=120))
    first = "? Ferry 4.2.0 (1187): interrupted after 1 of 2 endpoints; no findings, but 1 server was not judged\n"
    assert text.startswith(first)
    assert "  inconclusive  b.example.com:443\n" in text


def test_judged_again_says_when_it_was_seen() -> None:
    """A saved audit is not today's."""
    text = render_audit(replace(ferry(), profiles=(IOS26,), is_rejudged=True), Style(width=120))
    assert text.startswith("✗ Ferry 4.2.0 (1187), seen 2026-11-17, as iOS 26: 9 findings")


def test_a_single_server_that_needs_a_key() -> None:
    """The smallest exception stands in the answer, and the remedy at the end."""
    endpoint = Endpoint(Host("pay.example.org"), 443)
    one = load(
        "pay.example.org",
        Verdict.EXCEPTION_REQUIRED,
        "blocked",
        ips=("192.0.2.44",),
        findings=[
            finding("forward-secrecy", "static RSA suites only", on=["192.0.2.44"]),
            finding("tls-version", "TLS 1.2", "pass", on=["192.0.2.44"]),
        ],
        minimal=ExceptionEntry(requires_forward_secrecy=False),
        observations=(
            tls(endpoint, "192.0.2.44", REFUSED, negotiated(TlsVersion.TLS_1_2, "TLS_RSA_WITH_AES_128_CBC_SHA")),
        ),
        bundles=((None, None),),
    )
    assert render_audit(result([one]), Style()) == (
        "✗ pay.example.org:443: default ATS fails; the smallest exception that works is\n"
        "  NSExceptionRequiresForwardSecrecy = false\n"
        "  192.0.2.44; iOS 26, Apple roots 26; 2 connections\n"
        "\n"
        "  ✗  forward-secrecy  static RSA suites only\n"
        "  ✓  1 more holds     -v lists them\n"
        "\n"
        "  fix: enable ECDHE suites; until then NSExceptionRequiresForwardSecrecy = false\n"
    )


def test_several_servers_without_an_app_have_no_column_for_it() -> None:
    """There is no dictionary, so default ATS is the only verdict."""
    loads = [load("a.example.com", bundles=((None, None),)), load("b.example.com", bundles=((None, None),))]
    text = render_audit(result(loads), Style())
    assert text.startswith("✓ 2 endpoints: nothing to act on; 2 servers are allowed\n  all 2 pass default ATS")
    assert "\n  default ATS  server\n✓ pass         a.example.com:443\n" in text


def test_http_and_https_on_one_port_are_told_apart() -> None:
    """Two loads of one host and port get their schemes."""
    loads = [load("a.example.com", port=8080), load("a.example.com", scheme="http", port=8080)]
    text = render_audit(result(loads, of=recording([APP])), Style())
    assert "http://a.example.com:8080\n" in text
    assert "https://a.example.com:8080\n" in text


def test_a_blocked_http_load_is_sent_to_its_https() -> None:
    """Where https passes, changing the URL is the fix."""
    one = load(
        "a.example.com",
        Verdict.EXCEPTION_REQUIRED,
        "blocked",
        scheme="http",
        findings=[finding("insecure-http", "http://; https is asked for", on=["203.0.113.10"])],
        minimal=ExceptionEntry(allows_insecure_http_loads=True),
        https_verdict=Verdict.PASS,
    )
    text = render_audit(result([one], of=recording([APP])), Style(width=200))
    assert (
        "fix: load https://a.example.com instead, which passes default ATS; until then "
        "NSExceptionAllowsInsecureHTTPLoads = true\n"
    ) in text


def test_a_key_that_no_scan_can_see_is_kept_and_not_counted() -> None:
    """Web content, media, local networking: no advice to remove them, and no exit weight."""
    keys = [key(None, "NSAllowsLocalNetworking", True, "unverifiable", "no scan can tell", weight=False)]
    text = render_audit(result([load("a.example.com")], keys, of=recording([APP])), Style())
    assert text.startswith("✓ ")
    assert "Keep (1)\n  unverifiable  NSAllowsLocalNetworking\n" in text


def test_notices_to_act_on_are_told() -> None:
    """Whoever registers a declared domain that does not exist inherits its exception."""
    notice = Notice("declared-domain-does-not-exist", "gone.example.com", "declared, but no such name", to_act_on=True)
    quiet = Notice("client-certificate", "a.example.com:443", "asks for a client certificate")
    made = result([load("a.example.com")], of=recording([APP]), notices=[notice, quiet])
    assert "Look at this (1)\n  declared-domain-does-not-exist  gone.example.com\n" in render_audit(made, Style())
    assert "client-certificate" not in render_audit(made, Style())
    assert "  client-certificate              a.example.com:443\n" in render_audit(made, Style(verbosity=1))


def test_skipped_alone_makes_an_audit_incomplete() -> None:
    """What was not read is never counted as passing."""
    skipped = SkippedInput("build/Ferry.ipa", "Payload/Ferry.app/x.json", "not JSON")
    made = result([load("a.example.com")], of=recording([APP], [skipped]))
    assert render_audit(made, Style()).startswith(
        "? Ferry 4.2.0 (1187): incomplete; no findings, but 1 file was not read\n"
    )


def test_an_empty_entry_and_odd_values_have_names() -> None:
    """Every declared key can be told, whatever its value."""
    keys = [
        key("a.example.com", None, None, "strict", "an empty entry"),
        key("b.example.com", HTTP, "YES", "ineffective", "a string"),
        key("c.example.com", HTTP, 2, "ineffective", "neither 0 nor 1"),
        key(None, "NSExceptionDomains", ("x",), "ineffective", "no dictionary"),
        key(None, "NSPinnedDomains", {"a": True}, "strict", "tightens"),
        key("x" * 300, HTTP, True, "ineffective", "never matches"),
    ]
    text = render_audit(result([load("a.example.com")], keys, of=recording([APP])), Style())
    for line in (
        "a.example.com (an empty entry)\n",
        'b.example.com NSExceptionAllowsInsecureHTTPLoads = "YES"\n',
        "c.example.com NSExceptionAllowsInsecureHTTPLoads = 2\n",
        "NSExceptionDomains = an array\n",
        "NSPinnedDomains\n",
    ):
        assert line in text
    assert f'"{"x" * 200}[+100]"' in text.replace("\n      ", "")
