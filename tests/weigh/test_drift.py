"""Two audits compared: what counts as worse, what as better, and what cannot be told."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_worlds import TRUST, World, dictionaries, networks, worlds
from scenario import ALLOW_HTTP, DOMAINS, HTTP, MIN, NO_PFS, PFS, PIN, App, entries
from simulated_network import REFUSES, TIMES_OUT, Clear
from simulated_pki import Chain, chain, issuing, root
from simulated_server import EXPIRED, OK, RSA, T12_ONLY, WRONG_NAME

from atsprobe.model.app import SkippedInput
from atsprobe.model.drift import Change
from atsprobe.model.result import AuditResult, DriftResult, exit_code
from atsprobe.weigh.conclude import conclude
from atsprobe.weigh.drift import drift
from atsprobe.weigh.pins import pins_at_risk

A, B = "https://a.example.com", "https://b.example.com"
EXAMPLES = settings(max_examples=60, deadline=None)


def _audit(net: dict[str, Any], ats: Any = None, urls: tuple[str, ...] = (A,)) -> AuditResult:
    return World(App(ats, urls), net).result()


def _changes(old: AuditResult, new: AuditResult) -> dict[tuple[str, str], Change]:
    """Give the changes of one load or key by kind and effect; each at most once here."""
    found = drift(old, new, TRUST)
    by_kind = {(c.kind, c.effect): c for c in found}
    assert len(by_kind) == len(found)
    return by_kind


def _compared(old: AuditResult, new: AuditResult) -> DriftResult:
    return DriftResult(old, new, drift(old, new, TRUST), pins_at_risk(new, TRUST))


def test_a_server_that_lost_forward_secrecy_is_worse_and_says_why() -> None:
    """The verdict of default ATS, that of the app, the requirement that fails, and the older protocol."""
    found = _changes(_audit({A: OK}), _audit({A: RSA}))
    assert set(found) == {
        ("declared-verdict", "worse"),
        ("verdict", "worse"),
        ("requirement", "worse"),
        ("protocol", "worse"),
    }
    verdict = found["verdict", "worse"]
    assert (verdict.before, verdict.after) == ("pass", "exception-required")
    assert found["requirement", "worse"].requirement == "forward-secrecy"
    assert (found["protocol", "worse"].before, found["protocol", "worse"].after) == ("TLSv1.3", "TLSv1.2")
    assert exit_code(_compared(_audit({A: OK}), _audit({A: RSA}))) == 1


def test_a_server_that_gained_it_is_better_and_nothing_to_act_on() -> None:
    """The same the other way round."""
    old, new = _audit({A: RSA}), _audit({A: OK})
    assert {effect for _, effect in _changes(old, new)} == {"better"}
    assert exit_code(_compared(old, new)) == 0


@pytest.mark.parametrize("silent", [TIMES_OUT, (OK, TIMES_OUT)])
def test_what_could_be_judged_and_cannot_any_more_is_not_worse(silent) -> None:
    """It could not be compared: incomplete, not a finding; so is the first answer of what could not be judged."""
    old, new = _audit({A: OK}), _audit({A: silent})
    for one, other in ((old, new), (new, old)):
        assert {effect for _, effect in _changes(one, other)} == {"unknown"}
        assert exit_code(_compared(one, other)) == 3
    assert drift(new, new, TRUST) == ()


def test_worse_goes_before_what_cannot_be_compared() -> None:
    """Exit 1 wins over 3."""
    old = _audit({A: OK, B: OK}, urls=(A, B))
    new = _audit({A: TIMES_OUT, B: EXPIRED}, urls=(A, B))
    compared = _compared(old, new)
    assert exit_code(compared) == 1
    assert len(compared.about("worse")) == len(compared.about("unknown")) == 1


def test_one_more_fault_under_the_same_verdict_is_worse() -> None:
    """Blocked as before, and by one thing more; the mended one is better."""
    old, new = _audit({A: EXPIRED}), _audit({A: WRONG_NAME})
    found = _changes(old, new)
    assert found["requirement", "worse"].requirement == "certificate-hostname"
    assert found["requirement", "better"].requirement == "certificate-validity"
    assert ("verdict", "worse") not in found


def test_an_older_protocol_alone_is_worse() -> None:
    """It passes with TLS 1.2 as with 1.3, and is weaker."""
    found = _changes(_audit({A: OK}), _audit({A: T12_ONLY}))
    assert set(found) == {("protocol", "worse")}


def test_an_exception_that_became_unneeded_and_back() -> None:
    """Better when default ATS passes; worse when it is needed again."""
    ats = entries({"a.example.com": NO_PFS})
    found = _changes(_audit({A: RSA}, ats), _audit({A: OK}, ats))
    key = found["exception", "better"]
    assert (key.before, key.after, key.domain, key.key) == ("needed", "unneeded", "a.example.com", PFS)
    back = _changes(_audit({A: OK}, ats), _audit({A: RSA}, ats))
    assert back["exception", "worse"].after == "needed"
    assert ("declared-verdict", "worse") not in back


def test_a_key_that_hangs_on_an_unknown_load_is_told_with_the_load() -> None:
    """One unknown, one line."""
    ats = entries({"a.example.com": NO_PFS})
    found = _changes(_audit({A: RSA}, ats), _audit({A: TIMES_OUT}, ats))
    assert set(found) == {("declared-verdict", "unknown"), ("verdict", "unknown")}


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        ({}, ALLOW_HTTP, "worse"),  # an exception that nothing needs
        (ALLOW_HTTP, {}, "better"),
        ({}, NO_PFS, "note"),  # one that the server needs, in both audits
        ({MIN: "TLSv1.0", PFS: False}, {MIN: "TLSv1.2", PFS: False}, "better"),  # another value is another key
    ],
)
def test_keys_that_come_and_go(before, after, effect) -> None:
    """A key whose status is a finding is worse when it comes, and better when it goes; of another value it is another key."""
    old = _audit({A: RSA}, entries({"a.example.com": before or {"NSIncludesSubdomains": False}}))
    new = _audit({A: RSA}, entries({"a.example.com": after or {"NSIncludesSubdomains": False}}))
    changed = [c for c in drift(old, new, TRUST) if c.kind == "exception" and c.key in (HTTP, PFS, MIN)]
    assert [c.effect for c in changed] == [effect]


def test_a_new_load_is_worse_only_where_it_is_blocked() -> None:
    """Of a new load nothing was better before; one that fails is news to act on, and one that is gone does not fail."""
    old, more = _audit({A: OK, B: OK}), _audit({A: OK, B: OK}, urls=(A, B))
    assert _changes(old, more)["endpoint", "note"].after == "allowed"
    bad = _audit({A: OK, B: EXPIRED}, urls=(A, B))
    assert _changes(old, bad)["endpoint", "worse"].after == "blocked"
    assert _changes(bad, old)["endpoint", "better"].after == ""
    silent = _audit({A: OK, B: TIMES_OUT}, urls=(A, B))
    assert _changes(old, silent)["endpoint", "unknown"].after == "inconclusive"


def test_what_only_one_audit_could_read_is_not_called_new() -> None:
    """A host of a file that the other audit could not read may have been there all the time."""
    old, bad = _audit({A: OK, B: EXPIRED}), _audit({A: OK, B: EXPIRED}, urls=(A, B))
    skipped = (SkippedInput("App.ipa", "Share", "encrypted"),)
    extraction = replace(old.recording.extraction, skipped=skipped)
    blind = conclude(replace(old.recording, extraction=extraction), trust=TRUST)
    (change,) = drift(blind, bad, TRUST)
    assert (change.effect, change.evidence) == ("unknown", "1 file was read in one audit alone")
    both = conclude(replace(bad.recording, extraction=replace(bad.recording.extraction, skipped=skipped)), trust=TRUST)
    assert [c.effect for c in drift(blind, both, TRUST)] == ["worse"]


def _server(kind: str, sent: Chain):
    return replace(OK, chains=((kind, sent),))


def _renewed(days: int) -> Chain:
    """Give the usual chain, with a leaf of the same key that begins and ends later."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding
    from simulated_pki import private_key

    from atsprobe.model.certificate import Certificate

    old = chain("ecdsa")[0].parsed
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.issuer)
        .public_key(old.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(old.not_valid_before_utc)
        .not_valid_after(old.not_valid_after_utc + timedelta(days=days))
    )
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    signed = builder.sign(private_key("issuing"), hashes.SHA256())
    return (Certificate(signed.public_bytes(Encoding.DER)), issuing())


def test_a_certificate_that_was_renewed_is_neither_worse_nor_better() -> None:
    """With its last day, that of the one before, and whether the key is the same."""
    old, new = _audit({A: OK}), _audit({A: _server("ecdsa", _renewed(60))})
    (change,) = drift(old, new, TRUST)
    assert (change.kind, change.effect, change.evidence) == ("certificate", "note", "the same key")
    assert change.before < change.after
    assert exit_code(_compared(old, new)) == 0


def test_a_second_leaf_of_another_kind_of_key_is_no_renewal() -> None:
    """A look that saw one leaf more, since it listed every suite, has seen no renewal."""
    both = replace(OK, chains=(("ecdsa", chain("ecdsa")), ("rsa", chain("rsa"))), suites=(*OK.suites, *T12_ONLY.suites))
    old = World(App(None, (A,)), {A: OK}).result()
    new = World(App(None, (A,)), {A: both}).result(enumerate_=True)
    assert [c for c in drift(old, new, TRUST) if c.kind == "certificate"] == []


def _pins(*leaves: bytes, ca: tuple[bytes, ...] = ()) -> dict[str, Any]:
    def identities(digests: tuple[bytes, ...]) -> tuple[dict[str, str], ...]:
        return tuple({"SPKI-SHA256-BASE64": base64.b64encode(d).decode()} for d in digests)

    entry: dict[str, Any] = {}
    if leaves:
        entry["NSPinnedLeafIdentities"] = identities(leaves)
    if ca:
        entry["NSPinnedCAIdentities"] = identities(ca)
    return {PIN: {"a.example.com": entry}}


EC, RSA_KEY, SPARE = chain("ecdsa")[0].spki_sha256, chain("rsa")[0].spki_sha256, bytes(32)
RSA_SERVER = replace(T12_ONLY, versions=OK.versions, suites=(*OK.suites, *T12_ONLY.suites))


def test_a_pin_that_matches_no_longer_is_worse() -> None:
    """The load is blocked, and the list is named."""
    ats = _pins(EC, SPARE)
    found = _changes(_audit({A: OK}, ats), _audit({A: RSA_SERVER}, ats))
    pin = found["pin", "worse"]
    assert (pin.key, pin.before, pin.after) == ("NSPinnedLeafIdentities", "matches", "matches nothing")
    assert found["declared-verdict", "worse"].after == "blocked"
    assert ("requirement", "worse") not in found


def test_a_pin_of_a_key_that_went_is_left_over_where_another_matches() -> None:
    """The backup is in use now, and the first pin is of no key any more."""
    ats = _pins(EC, RSA_KEY)
    found = _changes(_audit({A: OK}, ats), _audit({A: RSA_SERVER}, ats))
    assert found["pin", "note"].after == "left-over"
    assert ("declared-verdict", "worse") not in found


@pytest.mark.parametrize(
    ("ats", "risks"),
    [
        (_pins(EC), ["no-backup"]),
        (_pins(EC, SPARE), []),
        (_pins(SPARE), []),  # blocked already
        (_pins(ca=(issuing().spki_sha256,)), ["no-backup"]),
        (_pins(ca=(issuing().spki_sha256, root().spki_sha256)), ["no-backup"]),
        (_pins(ca=(root().spki_sha256, SPARE)), []),
        (None, []),
    ],
)
def test_a_list_without_a_second_key(ats, risks) -> None:
    """Each list needs a pin that is of no key in use; the root that ends the path counts as in use."""
    assert [p.risk for p in pins_at_risk(_audit({A: OK}, ats), TRUST)] == risks


@pytest.mark.parametrize(("days", "risks"), [(31, []), (30, ["expires"]), (1, ["expires"])])
def test_a_pinned_leaf_that_ends_within_30_days(days, risks) -> None:
    """Of the day of the newer audit; a leaf that is not pinned may end when it likes."""
    audit = _audit({A: OK}, _pins(EC, SPARE))
    at = chain("ecdsa")[0].not_after - timedelta(days=days)
    then = conclude(replace(audit.recording, started_at=at), trust=TRUST)
    assert [p.risk for p in pins_at_risk(then, TRUST)] == risks
    unpinned = _audit({A: OK})
    assert pins_at_risk(conclude(replace(unpinned.recording, started_at=at), trust=TRUST), TRUST) == ()


@EXAMPLES
@given(worlds(), st.booleans())
def test_an_audit_and_itself_do_not_differ(world, enumerate_) -> None:
    """Whatever the app declares and the servers do."""
    result = world.result(enumerate_=enumerate_)
    assert drift(result, result, TRUST) == ()


@EXAMPLES
@given(worlds())
def test_listing_every_suite_is_no_drift(world) -> None:
    """A quick look and a whole one of the same servers differ in nothing that got worse or better."""
    quick, whole = world.result(), world.result(enumerate_=True)
    assert {c.effect for c in drift(quick, whole, TRUST)} <= {"note"}


@st.composite
def _two(draw: st.DrawFn) -> tuple[World, World]:
    """Draw an app, and the same app later: other servers, now and then another dictionary and other URLs."""
    old = draw(worlds())
    new = replace(old, net=draw(networks(tuple({u.split("//")[1] for u in old.net}))))
    if draw(st.booleans()):
        new = new.with_dictionary(draw(dictionaries()))
    if draw(st.booleans()):
        new = replace(new, app=replace(new.app, urls=draw(worlds()).app.urls))
    return old, new


def _what(changes, effect: str) -> set[tuple[Any, ...]]:
    return {
        (c.kind, c.bundle, c.endpoint, c.domain, c.key, c.requirement, c.before, c.after)
        for c in changes
        if c.effect == effect
    }


def _backwards(things: set[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    return {(*rest, after, before) for *rest, before, after in things}


@EXAMPLES
@given(_two())
def test_exchanged_worse_is_better_and_better_is_worse(pair) -> None:
    """No order of two audits makes a loss a gain on both sides, or hides it on one."""
    old, new = (world.result() for world in pair)
    there, back = drift(old, new, TRUST), drift(new, old, TRUST)
    assert _what(there, "worse") == _backwards(_what(back, "better"))
    assert _what(there, "better") == _backwards(_what(back, "worse"))


@EXAMPLES
@given(_two())
def test_nothing_unseen_is_called_worse_or_better(pair) -> None:
    """A load that either audit could not judge is never among what got worse or better."""
    old, new = (world.result() for world in pair)
    unknown = {e.endpoint for r in (old, new) for e in r.endpoints if e.verdict == "inconclusive"}
    for change in drift(old, new, TRUST):
        if change.endpoint in unknown and change.kind in ("verdict", "requirement", "protocol"):
            assert change.effect == "unknown"


def test_the_clear_port_of_a_host_is_a_load_of_its_own() -> None:
    """What changes on https says nothing of http."""
    net = {"http://a.example.com": Clear(), A: OK}
    urls = ("http://a.example.com",)
    old = _audit(net, {DOMAINS: {"a.example.com": ALLOW_HTTP}}, urls)
    new = _audit({**net, A: REFUSES}, {DOMAINS: {"a.example.com": ALLOW_HTTP}}, urls)
    found = _changes(old, new)
    assert set(found) == {("exception", "worse")}
    assert (found["exception", "worse"].before, found["exception", "worse"].after) == ("replaceable", "needed")
