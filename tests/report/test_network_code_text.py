"""What a report says of code outside ATS and of trust code: by image, in words that claim no more than that it is there."""

from __future__ import annotations

from dataclasses import replace

from made_results import APP, SHARE

from atsprobe.model.app import Extraction, NetworkApiUse
from atsprobe.report.style import Style
from atsprobe.report.text.layout import Page
from atsprobe.report.text.network_code import add_network_code

APP_PATH = "Payload/Ferry.app"
ENGINE = f"{APP_PATH}/Frameworks/Flutter.framework/Versions/A/Flutter"
SENT = "sends credentialForTrust: once, near -[Ferry x:]"
SESSION = NetworkApiUse(
    "URLSession", True, False, f"{APP_PATH}/Ferry", "imports it", "api.urlsession", "links URLSession"
)
TLS = NetworkApiUse(
    "BoringSSL", False, False, ENGINE, 'string "x"', "tls.boringssl", "carries BoringSSL", "medium", in_sdk=True
)
SOCKETS = NetworkApiUse(
    "BSD sockets", False, False, ENGINE, "imports _connect", "api.bsd_sockets", "contains socket code"
)
TRUST = NetworkApiUse(
    "credential", True, True, f"{APP_PATH}/Ferry", f"imports X; {SENT}", "trust.credential_for_trust", "may accept"
)
HANDLER = NetworkApiUse(
    "handler", False, False, ENGINE, "implements x", "trust.stream_validation", "refers to it", "low"
)
UNREAD = NetworkApiUse(
    "strings",
    None,
    False,
    f"{APP_PATH}/Ferry",
    "encrypted",
    "analysis.strings_and_selectors",
    "is encrypted",
    analysed=False,
)


def told(*uses: NetworkApiUse, verbosity: int = 0, loose: tuple[NetworkApiUse, ...] = ()) -> str:
    """Write the sections for an app that has that code, which its extension shares."""
    app = replace(APP, network_apis=uses, info_plist=f"{APP_PATH}/Info.plist")
    share = replace(
        SHARE, network_apis=uses, info_plist=f"{APP_PATH}/PlugIns/Share.appex/Info.plist", target=app.target
    )
    page = Page(Style(width=80, verbosity=verbosity))
    add_network_code(page, Extraction(bundles=(app, share), network_apis=loose))
    return page.rendered()


def test_each_image_once_with_all_that_it_carries() -> None:
    """A framework is called by its name, whoever links it; what ATS governs, and mere handlers, are not told unasked."""
    assert told(SESSION, TLS, SOCKETS, HANDLER) == (
        "Outside ATS (1)\n  Frameworks/Flutter.framework  BoringSSL, BSD sockets: ATS does not govern them\n"
    )
    assert told(SOCKETS).endswith("BSD sockets: ATS does not govern it\n")


def test_trust_code_is_told_with_the_sign_that_proves_it() -> None:
    """Code that may accept failures has a section of its own."""
    assert told(SESSION, TRUST).split() == (
        f"Trust code (1) Ferry trust failures may be accepted by code here: {SENT}".split()
    )


def test_what_was_not_analysed_is_never_told_as_none() -> None:
    """An encrypted image has a line that says so."""
    assert told(SESSION, UNREAD) == "Network code not analysed (1)\n  Ferry  is encrypted\n"


def test_nothing_is_said_where_nothing_was_found_and_in_quiet_reports() -> None:
    """No section without rows, and none for scripts."""
    assert told(SESSION) == "" and told(TLS, TRUST, UNREAD, verbosity=-1) == ""


def test_verbose_tells_everything_with_evidence() -> None:
    """All sections, each API with its sentence, how sure it is, and by which sign."""
    text = told(SESSION, TLS, TRUST, HANDLER, UNREAD, verbosity=1)
    headings = [line for line in text.splitlines() if line and not line.startswith(" ")]
    assert headings == ["Under ATS (1)", "Outside ATS (1)", "Trust code (2)", "Network code not analysed (1)"]
    assert (
        '      BoringSSL: carries BoringSSL\n        medium confidence, not the app\'s own code; string "x"\n' in text
    )


def test_a_library_outside_every_bundle_is_told_as_well() -> None:
    """Hostile text in its name is escaped like any other."""
    loose = replace(SOCKETS, file="lib\x1b[2J.dylib", target="other")
    text = told(loose=(loose,))
    assert "\x1b" not in text and "BSD sockets: ATS does not govern it" in text
