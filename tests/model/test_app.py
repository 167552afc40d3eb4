"""Whose dictionary governs a sighting, and what a bundle loads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsprobe.model.app import Bundle, Extraction, NetworkApiUse
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.endpoint import Argument, Endpoint, Host, Line, Reference

APP, SHARE, OTHER = "org.example.app", "org.example.app.share", "org.example.other"


def _bundle(identifier, target="App.ipa", **more):
    return Bundle(identifier, target, f"{identifier}/Info.plist", AtsDictionary(), **more)


def _sighting(host, kind="url", *, bundle=APP, target="App.ipa", port=443, scheme="https"):
    where = Argument() if kind == "command-line" else Line(1)
    return Reference(Endpoint(Host(host), port, scheme), target, bundle, "file", where, host, kind)


def _loads(*references, bundles=(APP,), more=()):
    extraction = Extraction(tuple(_bundle(b) for b in bundles), tuple(references))
    return [
        (load.bundle, load.endpoint.scheme, load.endpoint.host, load.endpoint.port) for load in extraction.loads(more)
    ]


TWO = Extraction((_bundle(APP), _bundle(SHARE), _bundle(OTHER, "Other.ipa")))


@pytest.mark.parametrize(
    ("sighting", "bundles"),
    [
        (_sighting("h"), (APP,)),
        (_sighting("h", bundle=SHARE), (SHARE,)),
        (_sighting("h", bundle=None), (APP, SHARE)),
        (_sighting("h", bundle=None, target="Other.ipa"), (OTHER,)),
        (_sighting("h", bundle=None, target="urls.txt"), (APP, SHARE, OTHER)),
        (_sighting("h", "command-line", bundle=None, target="h"), (APP, SHARE, OTHER)),
    ],
    ids=["own", "extension", "outside-every-bundle", "other-target", "target-without-bundle", "command-line"],
)
def test_whose_dictionary_governs_a_sighting(sighting, bundles):
    """Its own bundle's; outside, those of its target; named by hand, those of all."""
    assert TWO.bundles_of(sighting) == bundles


def test_without_any_bundle_the_empty_dictionary_governs():
    """A loose host is judged under default ATS."""
    assert Extraction().bundles_of(_sighting("h", "command-line", bundle=None, target="h")) == (None,)
    assert _loads(_sighting("h", "command-line", bundle=None), bundles=()) == [(None, "https", "h", 443)]


def test_a_url_gives_its_own_load_and_no_other():
    """Scheme and port are those of the URL, also where a declaration or a bare string names the host as well."""
    for kind in ("ats-exception", "bare-host", "associated-domain", "pinned-domain"):
        urls = (_sighting("h", port=80, scheme="http"), _sighting("h", port=8443))
        assert _loads(*urls, _sighting("h", kind)) == [(APP, "http", "h", 80), (APP, "https", "h", 8443)]


@pytest.mark.parametrize(
    "kind", ["ats-exception", "bare-host", "associated-domain", "pinned-domain", "tracking-domain"]
)
def test_a_host_that_no_url_names_gives_https(kind):
    """Whatever mentions it: https on 443."""
    assert _loads(_sighting("h", kind)) == [(APP, "https", "h", 443)]


def test_urls_of_one_bundle_say_nothing_about_another():
    """An app's http URL leaves the extension's bare mention of the host at https."""
    found = (_sighting("h", port=80, scheme="http"), _sighting("h", "bare-host", bundle=SHARE))
    assert _loads(*found, bundles=(APP, SHARE)) == [(APP, "http", "h", 80), (SHARE, "https", "h", 443)]


def test_the_command_line_adds_a_load_beside_any_url():
    """HOST asks for https on 443 and HOST:PORT for that port, although a URL names the host otherwise."""
    url = _sighting("h", port=80, scheme="http")
    assert _loads(url, _sighting("h", "command-line", bundle=None)) == [
        (APP, "http", "h", 80),
        (APP, "https", "h", 443),
    ]
    named = _sighting("h", "command-line", bundle=None, port=8443)
    assert _loads(_sighting("h", "ats-exception"), named) == [(APP, "https", "h", 443), (APP, "https", "h", 8443)]


def test_the_command_line_is_for_every_bundle_and_never_for_the_empty_dictionary():
    """A host named beside an app and its extension is judged under both."""
    named = _sighting("h", "command-line", bundle=None, target="h")
    assert _loads(named, bundles=(APP, SHARE)) == [(APP, "https", "h", 443), (SHARE, "https", "h", 443)]


def test_a_redirect_adds_a_load_and_takes_none_away():
    """An https answer that sends to http of the same host adds the http load; the https load stays, declared or written."""
    sent_on = _sighting("h", "redirect", port=80, scheme="http")
    both = [(APP, "http", "h", 80), (APP, "https", "h", 443)]
    assert _loads(_sighting("h"), more=(sent_on,)) == both
    assert _loads(_sighting("h", "ats-exception"), more=(sent_on,)) == both


def test_a_load_knows_whether_it_was_named():
    """Only a URL or the command line makes a load of a name that DNS does not know; every sighting is kept with it."""
    extraction = Extraction(
        (_bundle(APP),), (_sighting("a", "ats-exception"), _sighting("b"), _sighting("b", "bare-host"))
    )
    a, b = extraction.loads()
    assert (a.is_named, b.is_named) == (False, True)
    assert [r.kind for r in b.references] == ["url", "bare-host"]


@given(st.permutations([_sighting(h, k) for h in "abc" for k in ("url", "ats-exception", "bare-host")]))
def test_the_order_of_sightings_changes_no_load(found):
    """Loads are sorted and the same whatever was found first."""
    assert _loads(*found) == [(APP, "https", h, 443) for h in "abc"]


def test_a_bundle_knows_whether_its_code_accepts_a_server_trust_and_has_a_title():
    """Trust code is told from other network code; a loose plist is called by its path."""
    plain = NetworkApiUse("NWConnection", False, False, "App", "symbol")
    trusting = NetworkApiUse("URLCredential(trust:)", True, True, "App", "symbol")
    assert not _bundle(APP, network_apis=(plain,)).accepts_server_trust
    assert _bundle(APP, network_apis=(plain, trusting)).accepts_server_trust
    assert _bundle(APP, name="Shop", version="2.1", build="7").title == "Shop 2.1 (7)"
    assert _bundle(APP, name="Shop").title == "Shop"
    assert _bundle(APP, name="Shop", is_loose_plist=True).title == f"{APP}/Info.plist"
    assert TWO.bundle(SHARE) is TWO.bundles[1]
    assert TWO.bundle(None) is None
