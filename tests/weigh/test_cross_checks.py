"""An app's declarations held against its own strings."""

from __future__ import annotations

from atsprobe.model.app import Bundle, CoveredHost, CrossChecks, Extraction, SkippedInput, UrlTemplate
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.endpoint import Confidence, Endpoint, Host, Line, Reference
from atsprobe.weigh.cross_checks import cross_checks

APP = "org.example.ferry"


def bundle(domains, *, is_loose=False):
    dictionary = AtsDictionary.from_plist({"NSExceptionDomains": domains})
    return Bundle(APP, "Ferry.ipa", "Payload/Ferry.app/Info.plist", dictionary, is_loose_plist=is_loose)


def seen(host, *, kind="url", scheme="https", confidence=Confidence.URL, owner=APP):
    endpoint = Endpoint(Host(host), 443 if scheme == "https" else 80, scheme)
    return Reference(endpoint, "Ferry.ipa", owner, "Payload/Ferry.app/Ferry", Line(1), host, kind, confidence)


def test_a_domain_that_no_string_names():
    """It is told once, by its key; one whose subdomain is loaded is mentioned only where the entry decides about that."""
    app = bundle({"gone.example.com": {}, "example.net": {"NSIncludesSubdomains": True}, "example.org": {}})
    found = (seen("api.example.net"), seen("api.example.org"), seen("gone.example.com", kind="ats-exception"))
    checks = cross_checks(Extraction(bundles=(app,), references=found))
    assert checks.unmentioned == ((APP, "gone.example.com"), (APP, "example.org"))
    assert checks.covered == (CoveredHost(APP, Host("api.example.net"), "example.net"),)


def test_any_mention_counts():
    """Noise, a name inside a text, the end of a template and a misspelt key all keep a domain from being called unmentioned."""
    names = ("noise.example.com", "text.example.com", "template.example.com", "UPPER.example.com")
    extraction = Extraction(
        bundles=(bundle({name: {} for name in names}),),
        references=(
            seen("text.example.com", kind="bare-host", confidence=Confidence.EMBEDDED),
            seen("upper.example.com"),
        ),
        noise=(seen("noise.example.com", confidence=Confidence.NOISE),),
        templates=(UrlTemplate("template.example.com", APP, "Ferry.ipa", "Ferry", "https://%@.template.example.com"),),
    )
    assert cross_checks(extraction).unmentioned == ()


def test_nothing_is_said_where_code_was_not_read():
    """Neither of a loose Info.plist nor of an app of which a part was skipped."""
    loose = Extraction(bundles=(bundle({"gone.example.com": {}}, is_loose=True),))
    cut = Extraction(
        bundles=(bundle({"gone.example.com": {}}),), skipped=(SkippedInput("Ferry.ipa", "Ferry", "encrypted"),)
    )
    assert cross_checks(loose) == CrossChecks() == cross_checks(cut)


def test_hosts_that_only_http_urls_name():
    """One https:// URL, however unsure, is enough not to be told; a bare name, or a comment, says nothing of the scheme."""
    found = (
        *(seen("old.example.com", scheme="http"), seen("both.example.com", scheme="http"), seen("both.example.com")),
        *(seen("old.example.com", kind="bare-host"), seen("bare.example.com", kind="bare-host")),
        seen("comment.example.com", scheme="http", confidence=Confidence.EMBEDDED),
    )
    assert cross_checks(Extraction(references=found)).http_only == (Host("old.example.com"),)
