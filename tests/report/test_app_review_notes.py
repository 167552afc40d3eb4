"""The notes for App Review: what stays and why, what goes and the proof; and that foreign text stays text."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_results import (
    APP,
    HTTP,
    MIN,
    PFS,
    REFUSED,
    SHARE,
    finding,
    key,
    load,
    negotiated,
    passing,
    recording,
    reference,
    result,
    tls,
)

from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import ExceptionEntry
from atsprobe.model.endpoint import Endpoint, Host
from atsprobe.model.judgement import Verdict
from atsprobe.model.observation import HttpAnswer, PlaintextObservation
from atsprobe.model.result import MinimalDictionary
from atsprobe.report.app_review_notes import app_review_notes
from atsprobe.report.markdown_escape import code, prose

PAY = Endpoint(Host("pay.example.org"), 443)
STATIC_RSA = negotiated(TlsVersion.TLS_1_2, "TLS_RSA_WITH_AES_256_GCM_SHA384")
HOSTILE = "`|<b>*x*</b>[a](http://e)\n# h\r\n- l\x1b[2J\u202e @all $x$ &lt; _y_ \\` ~~z~~"


def notes(dictionary, exceptions, loads, *, bundles=(APP,), more=()):
    """Give the page for a result in which the first bundle's smallest dictionary is this."""
    minimal = (MinimalDictionary(bundles[0].identifier, dictionary), *more)
    return app_review_notes(replace(result(loads, exceptions, of=recording(bundles)), minimal=minimal))


def pay():
    """A server that accepts static RSA alone."""
    failing = finding("forward-secrecy", "static RSA suites only", on=["192.0.2.44"])
    seen = tls(PAY, "192.0.2.44", REFUSED, STATIC_RSA)
    no_pfs = ExceptionEntry(requires_forward_secrecy=False)
    return load("pay.example.org", Verdict.EXCEPTION_REQUIRED, minimal=no_pfs, findings=[failing], observations=(seen,))


def test_what_stays_has_measurement_and_remedy():
    """Key, whether App Review asks, when and where what was seen, and the change of the server that would remove it."""
    keys = [key("pay.example.org", PFS, False, "needed", "static RSA suites only", hosts=[PAY])]
    page = notes({"NSExceptionDomains": {"pay.example.org": {PFS: False}}}, keys, [pay()])
    assert page == (
        "# App Transport Security of Ferry 4.2.0 (1187)\n"
        "\n"
        "Seen 2026-11-17 (UTC) by atsprobe, as iOS 26, SDK 26, Apple roots 26.\n"
        "\n"
        "## Exceptions that stay (1)\n"
        "\n"
        "### `pay.example.org` `NSExceptionRequiresForwardSecrecy` = `false`\n"
        "\n"
        "- Status: needed: static RSA suites only\n"
        "- App Review asks for no reason.\n"
        "- Measured:\n"
        "  - `pay.example.org:443` (https): fails default ATS: forward-secrecy: static RSA suites only\n"
        "    - 192.0.2.44: TLS 1.2 TLS_RSA_WITH_AES_256_GCM_SHA384; refused: the ATS hello: alert 40 (handshake_failure)"
        " (https, port 443, 2026-11-17 09:30 UTC)\n"
        "      - is seen to accept TLS 1.2: TLS_RSA_WITH_AES_256_GCM_SHA384\n"
        "- It goes once the server is changed:\n"
        "  - `pay.example.org:443`: enable ECDHE suites\n"
    )


@pytest.mark.parametrize(
    ("domain", "name", "value", "asks"),
    [
        ("a.example.com", HTTP, True, True),
        ("a.example.com", MIN, "TLSv1.1", True),
        ("a.example.com", MIN, "TLSv1.3", False),
        ("a.example.com", PFS, False, False),
        ("a.example.com", "NSIncludesSubdomains", True, False),
        (None, "NSAllowsArbitraryLoads", True, True),
        (None, "NSAllowsArbitraryLoadsForMedia", True, True),
        (None, "NSAllowsArbitraryLoadsInWebContent", True, True),
        (None, "NSAllowsLocalNetworking", True, False),
    ],
)
def test_which_keys_want_a_reason(domain, name, value, asks):
    """As Apple's list has it, and the page has a place to write one, never a reason made up."""
    dictionary = {"NSExceptionDomains": {domain: {name: value}}} if domain else {name: value}
    page = notes(dictionary, [key(domain, name, value, "needed", "a reason")], [])
    assert ("- App Review asks for a reason: TO BE WRITTEN by " in page) is asks
    assert ("App Review asks for a reason for 1 key that stays (Apple, Preventing insecure network" in page) is asks


def test_what_goes_has_its_proof():
    """Default ATS passes, with the handshake that shows it; a key in no place, and one that is named elsewhere, say so."""
    passes = load("legacy.example.com", ips=("203.0.113.1",))
    keys = [
        key("legacy.example.com", MIN, "TLSv1.0", "unneeded", "the server passes", hosts=[passes.endpoint]),
        key("example.org", "NSIncludesSubdomains", True, "too-wide", "name that one", hosts=[PAY]),
    ]
    page = notes({"NSExceptionDomains": {"pay.example.org": {PFS: False}}}, keys, [passes, pay()])
    assert (
        "- Status: unneeded: the server passes\n"
        "- Proof:\n"
        "  - `legacy.example.com:443` (https): passes default ATS\n"
        "    - 203.0.113.1: TLS 1.3 TLS_AES_256_GCM_SHA384 (https, port 443, 2026-11-17 09:30 UTC)\n"
    ) in page
    assert "- What needs it is named instead: `pay.example.org`.\n" in page
    assert "- Status: not declared yet, and needed: forward-secrecy: static RSA suites only\n" in page


def test_a_key_beside_which_another_is_enough():
    """It is not called proved by default ATS, which fails, and what needs the other key is not said to need it."""
    keys = [key("example.org", HTTP, True, "unneeded", "the entry's other keys are enough", hosts=[PAY])]
    page = notes({"NSExceptionDomains": {"pay.example.org": {PFS: False}}}, keys, [pay()])
    assert (
        "- Status: unneeded: the entry's other keys are enough\n- Measured:\n  - `pay.example.org:443` (https): fails"
        in page
    )
    assert "is named instead" not in page


def test_an_http_url_shows_its_https_too():
    """A key that goes once the URL is changed rests on what the https side answered."""
    server = load("cdn.example.net", Verdict.EXCEPTION_REQUIRED, scheme="http", https_verdict=Verdict.PASS)
    plain = PlaintextObservation(
        server.endpoint, server.observations[0].address, recording().started_at, HttpAnswer(200)
    )
    server = replace(server, observations=(plain,))
    https = tls(Endpoint(Host("cdn.example.net"), 443), "203.0.113.10")
    keys = [key("cdn.example.net", HTTP, True, "replaceable", "https:// passes default ATS", hosts=[server.endpoint])]
    made = result([server], keys, of=replace(recording([APP]), observations=(plain, https)))
    minimal = MinimalDictionary(APP.identifier, {"NSExceptionDomains": {"cdn.example.net": {HTTP: True}}})
    page = app_review_notes(replace(made, minimal=(minimal,)))
    assert "## Exceptions that go once a URL is changed (1)\n" in page
    assert "- App Review asks for a reason until then.\n" in page
    assert "; its https:// passes\n    - 203.0.113.10: HTTP 200 (http, port 80, 2026-11-17 09:30 UTC)\n" in page
    assert "    - 203.0.113.10: TLS 1.3 TLS_AES_256_GCM_SHA384 (https, port 443" in page


def test_bundles_have_sections_and_long_lists_an_end():
    """An app with an extension names both; of many servers the first are told, and how many more there are."""
    servers = [load(f"h{n:02}.example.com", ips=("203.0.113.1",)) for n in range(14)]
    keys = [
        key(None, "NSAllowsArbitraryLoads", True, "unneeded", "all pass", hosts=[s.endpoint for s in servers]),
        key(None, "NSAllowsLocalNetworking", True, "unverifiable", "no scan can tell", bundle=SHARE.identifier),
    ]
    more = [MinimalDictionary(SHARE.identifier, {"NSAllowsLocalNetworking": True})]
    page = notes({}, keys, servers, bundles=[APP, SHARE], more=more)
    headings = [line for line in page.splitlines() if line.startswith("#")]
    assert headings == [
        "# App Transport Security of Ferry 4.2.0 (1187)",
        "## Ferry 4.2.0 (1187), Payload/Ferry.app/Info.plist",
        "### Exceptions that go (1)",
        "#### `NSAllowsArbitraryLoads` = `true`",
        "## Share 4.2.0 (1187), Payload/Ferry.app/PlugIns/Share.appex/Info.plist",
        "### Exceptions that stay (1)",
        "#### `NSAllowsLocalNetworking` = `true`",
    ]
    assert "  - and 4 more servers\n" in page


def test_nothing_to_say():
    """Hosts that pass need no notes, and the page says that."""
    assert app_review_notes(passing()).endswith("\n\nNo exception is declared, and none is needed.\n")


@pytest.mark.parametrize(
    ("loads", "said"),
    [
        ((), "no server was found that may need one."),
        ([replace(passing().loads[0], declared_verdict="inconclusive")], "help the 1 load not seen to work."),
    ],
)
def test_what_was_not_seen_is_not_called_needless(loads, said):
    """Without a server, or with one that was not judged, nobody knows that no exception is needed."""
    assert app_review_notes(replace(passing(), endpoints=tuple(loads))).endswith(f"{said}\n")


class _Tags(HTMLParser):
    """Gathers the tags of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)


def rendered_tags(page: str) -> set[str]:
    """Give the HTML tags that a Markdown page becomes."""
    markdown_it = pytest.importorskip("markdown_it")
    parser = _Tags()
    parser.feed(markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(page))
    return parser.tags


def test_foreign_text_stays_text():
    """No HTML, link, emphasis, table, heading or line of its own comes from an app, a server or DNS."""
    app = replace(APP, name=HOSTILE, version=HOSTILE)
    no_pfs = ExceptionEntry(requires_forward_secrecy=False)
    server = load(
        "pay.example.org",
        Verdict.EXCEPTION_REQUIRED,
        minimal=no_pfs,
        reason=HOSTILE,
        findings=[finding("forward-secrecy", HOSTILE)],
        references=[reference("pay.example.org", HOSTILE, HOSTILE)],
    )
    keys = [
        key("pay.example.org", PFS, False, "needed", HOSTILE, hosts=[PAY]),
        key(HOSTILE, HOSTILE, HOSTILE, "ineffective", HOSTILE),
    ]
    page = notes({"NSExceptionDomains": {"pay.example.org": {PFS: False}}}, keys, [server], bundles=[app])
    assert rendered_tags(page) == {"h1", "h2", "h3", "p", "ul", "li", "code"}
    assert all(c.isprintable() for line in page.split("\n") for c in line)
    assert "<" not in page
    assert "|" not in page
    ours = [line for line in page.split("\n") if line and not line.lstrip().startswith(("#", "- "))]
    assert len(ours) == 1  # when it was seen


@given(st.text(st.characters(codec="utf-8") | st.sampled_from("`*_[]()<>|\\~$&#!-+.\n"), max_size=30))
def test_any_text_stays_text(text):
    """As code and between other words, any text is one run of text."""
    for page in (f"- a: {prose(text)} b", f"- {code(text)}: b"):
        assert "\n" not in page
        assert rendered_tags(page) <= {"ul", "li", "code"}
    assert "code" not in rendered_tags(f"- a: {prose(text)} b")
