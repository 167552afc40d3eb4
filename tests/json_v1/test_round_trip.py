"""The law of the saved audit: whatever was recorded comes back from the text of its document, exactly."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import get_args

from audit_by_hand import ISSUER, LEAF, UNREADABLE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atsprobe.json_v1 import audit, plist_value
from atsprobe.json_v1.node import Node
from atsprobe.json_v1.offers import OfferReader, OfferWriter
from atsprobe.json_v1.text import dumps, loads
from atsprobe.model.app import Bundle, Extraction, NetworkApiUse, SkippedInput, UrlTemplate
from atsprobe.model.certificate import Certificate
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.endpoint import (
    Argument,
    ByteOffset,
    Confidence,
    Endpoint,
    Line,
    PlistKey,
    Reference,
    ReferenceKind,
    Section,
    parse_host,
)
from atsprobe.model.handshake import (
    Alert,
    Experiment,
    Negotiated,
    NoAnswer,
    NoAnswerReason,
    NotMade,
    Offer,
    Refused,
    UnofferedVersion,
)
from atsprobe.model.judgement import Verdict
from atsprobe.model.observation import (
    Address,
    HttpAnswer,
    PlaintextObservation,
    Resolution,
    Resolved,
    RevocationAnswer,
    TlsObservation,
    Unreachable,
    UnreachableReason,
    Unresolved,
    UnresolvedReason,
)
from atsprobe.model.recording import Recording
from atsprobe.model.result import AuditResult, EndpointResult

texts = st.text(max_size=12)
lines = st.integers(0, 1 << 40)
numbers = st.integers(0, 1 << 40)
instants = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))
hosts = st.sampled_from(
    [parse_host(h) for h in ("a.example.com", "xn--bcher-kva.example", "192.0.2.1", "::1", "localhost")]
)
endpoints = st.builds(Endpoint, hosts, st.integers(0, 65535), st.sampled_from(["https", "http"]))
addresses = st.builds(Address, st.sampled_from(["192.0.2.1", "2001:db8::1", "127.0.0.1"]), st.integers(0, 65535))

keys = (
    st.sampled_from(["NSAllowsArbitraryLoads", "NSExceptionDomains", "data", "date", "dictionary", "real", "integer"])
    | texts
)
plist_leaves = (
    st.booleans()
    | st.integers(-(1 << 80), 1 << 80)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=8)
    | st.datetimes().map(lambda instant: instant.replace(fold=0))  # a fold says nothing in UTC
)
plist_values = st.recursive(
    plist_leaves,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
misplaced = st.dictionaries(texts, plist_values, max_size=2)
dictionaries = st.builds(AtsDictionary.from_plist, st.none() | plist_values, misplaced)

apis = st.builds(
    NetworkApiUse,
    api=texts,
    governed_by_ats=st.sampled_from([True, False, None]),
    accepts_server_trust=st.booleans(),
    file=texts,
    evidence=texts,
    id=texts,
    says=texts,
    confidence=st.sampled_from(["high", "medium", "low"]),
    architecture=texts,
    in_sdk=st.booleans(),
    analysed=st.booleans(),
    target=texts,
)
bundles = st.builds(
    Bundle,
    identifier=texts,
    target=texts,
    info_plist=texts,
    dictionary=dictionaries,
    name=st.none() | texts,
    version=st.none() | texts,
    build=st.none() | texts,
    minimum_os=st.none() | texts,
    linked_sdk=st.none() | texts,
    is_loose_plist=st.booleans(),
    network_apis=st.lists(apis, max_size=2).map(tuple),
    build_notes=st.lists(texts, max_size=2).map(tuple),
    key_lines=st.dictionaries(st.tuples(st.none() | texts, st.none() | texts), lines, max_size=2),
)
locations = (
    st.builds(PlistKey, texts, st.none() | lines)
    | st.builds(Section, texts, texts, numbers, texts)
    | st.builds(Line, lines)
    | st.builds(ByteOffset, numbers, texts)
    | st.builds(Argument, st.none() | lines)
)
references = st.builds(
    Reference,
    endpoint=endpoints,
    target=texts,
    bundle=st.none() | texts,
    file=texts,
    location=locations,
    text=texts,
    kind=st.sampled_from(get_args(ReferenceKind)),
    confidence=st.sampled_from(Confidence),
)


def some(strategy: st.SearchStrategy, most: int = 4) -> st.SearchStrategy:
    return st.lists(strategy, max_size=most).map(tuple)


extractions = st.builds(
    Extraction,
    bundles=st.lists(bundles, max_size=3, unique_by=lambda b: b.identifier).map(tuple),
    references=some(references, 6),
    skipped=some(st.builds(SkippedInput, texts, texts, texts, texts, st.booleans())),
    noise=some(references),
    templates=some(st.builds(UrlTemplate, texts, st.none() | texts, texts, texts, texts, st.booleans())),
    files_read=numbers,
    network_apis=some(apis, 2),
)

suites = st.sampled_from(["TLS_AES_128_GCM_SHA256", *(f"TLS_RSA_WITH_{i}" for i in range(8))])
versions = st.sampled_from(TlsVersion)
offers = st.builds(
    Offer,
    versions=st.lists(versions, min_size=1, max_size=3).map(tuple),
    cipher_suites=some(suites, 8),
    groups=some(st.sampled_from(["x25519", "secp256r1", "X25519MLKEM768"])),
    signature_algorithms=some(st.sampled_from(["rsa_pkcs1_sha1", "ed25519"])),
)
alerts = st.builds(Alert, st.integers(0, 255))
no_answers = st.builds(NoAnswer, st.sampled_from(get_args(NoAnswerReason)), texts, st.none() | alerts)
certificates = st.sampled_from([LEAF, ISSUER, UNREADABLE]) | st.builds(Certificate, st.binary(max_size=20))
blobs = st.none() | st.binary(max_size=6)
negotiated = st.builds(
    Negotiated,
    version=versions,
    cipher_suite=suites,
    group=st.none() | texts,
    signature_algorithm=st.none() | texts,
    extended_master_secret=st.none() | st.booleans(),
    certificates=some(certificates, 3),
    ocsp_response=blobs,
    scts=blobs,
    wants_client_certificate=st.booleans(),
)
outcomes = (
    negotiated
    | st.builds(Refused, alerts | st.builds(UnofferedVersion, versions))
    | no_answers
    | st.builds(NotMade, texts)
)
experiments = st.builds(Experiment, offers, outcomes, st.integers(1, 9))
answers = st.builds(HttpAnswer, st.integers(0, 999), st.none() | texts) | no_answers
revocations = st.builds(
    RevocationAnswer, texts, texts, st.sampled_from(["ocsp", "crl"]), blobs, texts, st.none() | instants
)
observations = (
    st.builds(
        TlsObservation,
        endpoint=endpoints,
        address=addresses,
        observed_at=instants,
        experiments=some(experiments, 5),
        http_answer=st.none() | answers,
        revocation=some(revocations, 2),
        enumerated=st.booleans(),
        cut_short=texts,
    )
    | st.builds(PlaintextObservation, endpoints, addresses, instants, answers)
    | st.builds(Unreachable, endpoints, addresses, instants, st.sampled_from(get_args(UnreachableReason)), texts)
)
resolved = st.builds(Resolved, some(addresses), st.sampled_from(["literal", "resolve-option", "hosts-file", "dns"]))
unresolved = st.builds(Unresolved, st.sampled_from(get_args(UnresolvedReason)), texts)
recordings = st.builds(
    Recording,
    extraction=extractions,
    resolutions=some(st.builds(Resolution, hosts, st.integers(0, 65535), resolved | unresolved)),
    observations=some(observations),
    installed_roots=some(st.binary(max_size=9), 2),
    started_at=instants,
    finished_at=instants,
    interrupted=st.booleans(),
    assume_complete=st.booleans(),
    families=st.sampled_from([("ipv4", "ipv6"), ("ipv4",), ("ipv6",), ()]),
    not_audited=some(hosts, 2),
    quick=st.booleans(),
)


def row(recording: Recording, endpoint: Endpoint, shown: tuple[Reference, ...]) -> EndpointResult:
    """An endpoint of which nothing was concluded."""
    return EndpointResult(
        endpoint=endpoint,
        references=shown,
        is_load=True,
        verdict=Verdict.INCONCLUSIVE,
        verdicts=(),
        declared_verdict="inconclusive",
        declared=(),
        findings=(),
        minimal_exception=None,
        reason="",
        resolution=recording.resolution(endpoint.host, endpoint.port),
        observations=tuple(recording.seen(endpoint)),
    )


@st.composite
def results(draw: st.DrawFn) -> AuditResult:
    """An audit whose rows show any of what was recorded, once, twice or not at all."""
    recording = draw(recordings)
    seen = [o.endpoint for o in recording.observations] + [r.endpoint for r in recording.extraction.references]
    shown = draw(some(st.sampled_from(seen), 4)) if seen else ()
    found = recording.extraction.references
    rows = tuple(row(recording, e, draw(some(st.sampled_from(found), 4)) if found else ()) for e in shown)
    return AuditResult(recording, (), rows, (), (), (), "")


@given(results())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_recording_comes_back_from_its_document(result: AuditResult) -> None:
    """Whatever was recorded, and however the rows share it out, reading the document gives the same recording."""
    assert audit.decode(loads(dumps(audit.encode(result)))) == result.recording


@given(plist_values)
@settings(max_examples=300, deadline=None)
def test_plist_values_come_back(value: object) -> None:
    """Every value of a property list comes back with its type: 1 stays no boolean, a date stays a date."""
    read = plist_value.decode(Node(loads(dumps({"value": plist_value.encode(value)})))["value"])
    assert repr(read) == repr(value)


def test_numbers_that_json_lacks_come_back() -> None:
    """Not a number, the infinities and whole numbers of more digits than Python prints come back."""
    for value in (math.inf, -math.inf, 1 << 40_000, -(1 << 64)):
        read = plist_value.decode(Node(loads(dumps({"value": plist_value.encode(value)})))["value"])
        assert read == value
    read = plist_value.decode(Node(plist_value.encode(math.nan)))
    assert isinstance(read, float) and math.isnan(read)


def test_dictionary_that_looks_like_a_tag_comes_back() -> None:
    """A dictionary with the one key `data` is no bytes, and one with the one key `dictionary` is itself."""
    for value in ({"data": "AAAA"}, {"dictionary": {"dictionary": {"date": 1}}}, {"data": "AAAA", "date": 1}):
        assert plist_value.decode(Node(plist_value.encode(value))) == value


def test_deeper_levels_are_cut_off() -> None:
    """Nesting beyond the bound is cut where it is written, so that what was written can be read."""
    deep: object = "end"
    for _ in range(5000):
        deep = (deep,)
    levels, read = 0, plist_value.decode(Node(loads(dumps({"v": plist_value.encode(deep)})))["v"])
    while isinstance(read, tuple):
        levels, read = levels + 1, read[0]
    assert (levels, read) == (100, "…")


@given(st.lists(offers, max_size=12))
@settings(max_examples=200, deadline=None)
def test_offers_come_back_in_order(made: list[Offer]) -> None:
    """Offers written as what they lack of earlier ones come back name for name, in their order."""
    writer, reader = OfferWriter(), OfferReader()
    assert [reader.decode(Node(writer.encode(offer))) for offer in made] == made
