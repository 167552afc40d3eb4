"""Each requirement about certificates: what passes, what fails, what is unknown, in Apple's numbers and our words."""

from __future__ import annotations

import datetime as dt

import pytest
from certificate_maker import (
    ANY,
    CLIENT_AUTH,
    DAY,
    HOST,
    NOW,
    SERVER_AUTH,
    Make,
    Pki,
    issuing,
    root,
    signed_with_pss,
    with_dns_names,
)
from cryptography.x509.oid import ObjectIdentifier
from judged import failing, findings, outcome, trusting

from atsprobe.ats.profile import profiles
from atsprobe.model.policy import PinnedIdentities

PKI = Pki()
PUBLIC = trusting(public=[PKI.top])
INSTALLED = trusting(installed=[PKI.top])
NOBODY = trusting()
SECOND = dt.timedelta(seconds=1)
RSA_PKI = Pki(root("RSA root", kind="rsa2048"))
RSA_TRUST = trusting(installed=[RSA_PKI.top])
UTC = dt.UTC


def test_a_good_chain_passes_everything_that_can_be_told() -> None:
    """A P-256 leaf of 90 days under a public root: nothing fails, and what is unknown decides nothing."""
    found = findings(PKI.chain(scts=3), PUBLIC)
    assert failing(found) == []
    assert outcome(found) == "allowed"
    assert {n for n, f in found.items() if f.status == "unknown"} == {
        "certificate-transparency",
        "certificate-revocation",
    }
    assert all(f.citation for f in found.values())


@pytest.mark.parametrize(
    ("kind", "status", "evidence"),
    [
        ("p256", "pass", "P-256 (leaf)"),
        ("p384", "pass", "P-384 (leaf)"),
        ("p521", "warn", "P-521 (leaf): Apple's client offers no signature for it in TLS 1.3"),
        ("p224", "fail", "P-224 (leaf); at least P-256"),
        ("p192", "fail", "P-192 (leaf); at least P-256"),
        ("k256", "fail", "secp256k1 (leaf); RSA of at least 2048, P-256 or P-384"),
        ("brainpool", "fail", "brainpoolP256r1 (leaf); RSA of at least 2048, P-256 or P-384"),
        ("ed25519", "fail", "Ed25519 (leaf); RSA of at least 2048, P-256 or P-384"),
        ("ed448", "fail", "Ed448 (leaf); RSA of at least 2048, P-256 or P-384"),
        ("dsa2048", "fail", "DSA 2048 (leaf); RSA of at least 2048, P-256 or P-384"),
        ("rsa2048", "pass", "RSA 2048 (leaf)"),
        ("rsa1024", "fail", "RSA 1024 (leaf); at least 2048"),
        ("rsa2040", "fail", "RSA 2040 (leaf); at least 2048"),
    ],
)
def test_key_size_of_the_leaf(kind: str, status: str, evidence: str) -> None:
    """SecPolicyCheckKeySize: RSA from 2048 bits, NIST curves from 256; no entry for other kinds."""
    found = findings(PKI.chain(kind=kind), PUBLIC)["certificate-key-size"]
    assert (found.status, found.evidence) == (status, evidence)


@pytest.mark.parametrize("bits", [2041, 2047])
def test_key_size_between_bytes_and_bits(bits: int) -> None:
    """2041 to 2047 bits are 256 bytes: fine for the chain, unknown for the leaf, which ATS measures in bits, in closed code."""
    leaf = findings(PKI.chain(kind=f"rsa{bits}"), INSTALLED)
    assert leaf["certificate-key-size"].status == "unknown"
    assert outcome(leaf) == "inconclusive"
    off = findings(PKI.chain(kind=f"rsa{bits}"), INSTALLED, plist={"NSAllowsArbitraryLoads": True})
    assert off["certificate-key-size"].status == "pass"
    middle = issuing(PKI.top, "Short", kind=f"rsa{bits}")
    chain = (Make(signer=middle).certificate, middle.certificate)
    assert findings(chain, INSTALLED)["certificate-key-size"].status == "pass"


def test_key_size_of_every_certificate_of_the_path() -> None:
    """The root too is measured, and each weak key is named with its place."""
    top = root("Old root", kind="rsa1024")
    middle = issuing(top, "Old issuing", kind="rsa1024")
    chain = (Make(signer=middle).certificate, middle.certificate)
    found = findings(chain, trusting(public=[top]))["certificate-key-size"]
    assert found.evidence == 'RSA 1024 (intermediate "Old issuing"), RSA 1024 (root "Old root"); at least 2048'
    assert found.fixable_by is None


def test_a_leaf_that_is_itself_installed_is_measured_by_ats_alone() -> None:
    """Key size and 825 days are skipped for a leaf that the user trusts, names are not; what ATS does besides is closed."""
    leaf = Make(kind="rsa1024", span=2000 * DAY)
    trust = trusting(installed=[leaf])
    off = findings((leaf.certificate,), trust, plist={"NSAllowsArbitraryLoads": True})
    assert outcome(off) == "allowed"
    assert off["certificate-key-size"].status == "not-applicable"
    found = findings((leaf.certificate,), trust)
    assert outcome(found) == "inconclusive"
    assert found["certificate-key-size"].status == "unknown"
    assert found["certificate-lifetime"].status == "not-applicable"
    assert failing(findings((leaf.certificate,), trust, host="b.example.com")) == ["certificate-hostname"]


@pytest.mark.parametrize(
    ("digest", "status"), [("sha256", "pass"), ("sha384", "pass"), ("sha512", "pass"), ("sha224", "fail")]
)
def test_signature_hash_under_ats(digest: str, status: str) -> None:
    """ATS asks for SHA-256 at least; SHA-224 falls below it."""
    found = findings(PKI.chain(digest=digest), PUBLIC)["certificate-signature-hash"]
    assert found.status == status


@pytest.mark.parametrize(("digest", "name"), [("sha1", "SHA-1"), ("md5", "MD5")])
def test_broken_hashes_fail_everywhere_but_on_a_root(digest: str, name: str) -> None:
    """MD5 and SHA-1: no on leaf and intermediate, with ATS off too; a root's own signature does not count."""
    found = findings(RSA_PKI.chain(digest=digest), RSA_TRUST)
    assert found["certificate-signature-hash"].evidence == f"{name} (leaf); at least SHA-256"
    assert failing(found) == ["certificate-signature-hash"]
    off = findings(RSA_PKI.chain(digest=digest), RSA_TRUST, plist={"NSAllowsArbitraryLoads": True})
    assert failing(off) == ["certificate-signature-hash"]
    middle = issuing(RSA_PKI.top, "Weak", kind="rsa2048", digest=digest)
    chain = (Make(signer=middle).certificate, middle.certificate)
    assert findings(chain, RSA_TRUST)["certificate-signature-hash"].evidence == (
        f'{name} (intermediate "Weak"); at least SHA-256'
    )
    weak_root = Pki(root("Weak root", kind="rsa2048", digest=digest))
    assert failing(findings(weak_root.chain(), trusting(public=[weak_root.top]))) == []


def test_sha_224_with_ats_off_is_a_warning() -> None:
    """SHA-224 is refused by the ATS policy alone; an entry that allows http does not lift that by itself."""
    off = findings(PKI.chain(digest="sha224"), PUBLIC, plist={"NSAllowsArbitraryLoads": True})
    assert off["certificate-signature-hash"].status == "warn"
    entry = {"NSExceptionDomains": {HOST: {"NSExceptionAllowsInsecureHTTPLoads": True}}}
    assert failing(findings(PKI.chain(digest="sha224"), PUBLIC, plist=entry)) == ["certificate-signature-hash"]


def test_an_rsassa_pss_signature_is_unknown() -> None:
    """Apple's code has no certain answer about RSASSA-PSS in certificates."""
    middle = issuing(RSA_PKI.top, kind="rsa2048")
    chain = (signed_with_pss(Make(signer=middle)), middle.certificate)
    assert findings(chain, RSA_TRUST)["certificate-signature-hash"].status == "unknown"


@pytest.mark.parametrize(
    ("names", "host", "status"),
    [
        ((HOST,), HOST, "pass"),
        (("API.Example.COM",), HOST, "pass"),
        (("*.example.com",), HOST, "pass"),
        (("*.example.com",), "example.com", "fail"),
        (("*.example.com",), "a.b.example.com", "fail"),
        (("a*.example.com",), HOST, "fail"),
        (("*pi.example.com",), HOST, "fail"),
        (("api.*.com",), HOST, "fail"),
        (("*.*.com",), HOST, "fail"),
        (("*.com",), "example.com", "fail"),
        (("*.co.uk",), "example.co.uk", "fail"),
        (("*.example.co.uk",), "a.example.co.uk", "pass"),
        (("api.example.com.",), HOST, "fail"),
        (("api_1.example.com",), "api_1.example.com", "pass"),
        (("-api.example.com", "b.example.com"), HOST, "fail"),
        (("xn--bcher-kva.example.com",), "xn--bcher-kva.example.com", "pass"),
        (("203.0.113.5",), "203.0.113.5", "warn"),
        (("203.0.113.6",), "203.0.113.5", "fail"),
        (("2001:db8::1",), "2001:db8::1", "warn"),
        (("*.0.113.5",), "203.0.113.5", "fail"),
        ((), HOST, "fail"),
        (None, HOST, "fail"),
    ],
)
def test_hostname(names, host: str, status: str) -> None:
    """SAN alone; a wildcard is the whole first label, stands for one, and not right under a public suffix."""
    found = findings(PKI.chain(names=names), PUBLIC, host=host)["certificate-hostname"]
    assert found.status == status


def test_an_address_written_as_a_name_matches_no_address() -> None:
    """A dNSName that looks like an address is dropped by Apple's parser; only iPAddress counts."""
    leaf = with_dns_names(PKI.leaf(names=None), ["203.0.113.5"])
    found = findings((leaf, PKI.middle.certificate), PUBLIC, host="203.0.113.5")["certificate-hostname"]
    assert (found.status, found.evidence) == ("fail", "the subjectAltName names no host")


def test_hostname_evidence_lists_what_is_named() -> None:
    """The names seen come first, at most four; the common name is said not to count."""
    found = findings(PKI.chain(names=("intranet", "*.corp.example.org")), PUBLIC)["certificate-hostname"]
    assert found.evidence == "names intranet, *.corp.example.org"
    many = findings(PKI.chain(names=tuple(f"h{i}.example.org" for i in range(9))), PUBLIC)["certificate-hostname"]
    assert many.evidence == "names h0.example.org, h1.example.org, h2.example.org, h3.example.org and 5 more"
    none = findings(PKI.chain(names=None), PUBLIC)["certificate-hostname"]
    assert none.evidence == "no subjectAltName; the common name does not count"


def test_an_empty_subject_needs_a_critical_name() -> None:
    """SecPolicy's NonEmptySubject: with no subject the subjectAltName must be critical."""
    assert failing(findings(PKI.chain(subject=""), PUBLIC)) == ["certificate-hostname"]
    assert failing(findings(PKI.chain(subject="", critical_names=True), PUBLIC)) == []


@pytest.mark.parametrize(
    ("begins", "ends", "status", "evidence"),
    [
        (-89 * DAY, DAY, "pass", "until 2026-11-25 12:00:00 UTC"),
        (-90 * DAY, 0 * DAY, "pass", "until 2026-11-24 12:00:00 UTC"),
        (-90 * DAY, -SECOND, "fail", "expired 2026-11-24 11:59:59 UTC, less than a day ago"),
        (-358 * DAY, -268 * DAY, "fail", "expired 2026-03-01 12:00:00 UTC, 268 days ago"),
        (7 * DAY, 97 * DAY, "fail", "not valid before 2026-12-01 12:00:00 UTC, in 7 days"),
        (0 * DAY, 90 * DAY, "pass", "until 2027-02-22 12:00:00 UTC"),
        (SECOND, 90 * DAY, "fail", "not valid before 2026-11-24 12:00:01 UTC, in less than a day"),
    ],
)
def test_validity(begins, ends, status: str, evidence: str) -> None:
    """Both ends count as inside, to the second."""
    found = findings(PKI.chain(begins=NOW + begins, span=ends - begins), PUBLIC)["certificate-validity"]
    assert (found.status, found.evidence) == (status, evidence)


def test_validity_of_intermediate_and_root() -> None:
    """Every certificate of the path counts, and the one that is out of date is named."""
    middle = issuing(PKI.top, "Stale", span=10 * DAY)
    found = findings((Make(signer=middle).certificate, middle.certificate), PUBLIC)["certificate-validity"]
    assert found.evidence == 'intermediate "Stale" expired 2024-03-09 12:00:00 UTC, 990 days ago'
    old = Pki(root("Stale root", span=10 * DAY))
    assert failing(findings(old.chain(), trusting(public=[old.top]))) == ["certificate-validity"]


def test_trust_says_which_root_and_which_store() -> None:
    """A public and an installed root pass, in their own words."""
    assert findings(PKI.chain(), PUBLIC)["certificate-trust"].evidence == 'root "Root", in Apple\'s store'
    assert findings(PKI.chain(), INSTALLED)["certificate-trust"].evidence == 'root "Root", installed (--ca-file)'


def test_trust_tells_the_ways_to_be_untrusted_apart() -> None:
    """Self-signed, unknown root sent along, and an issuer that nobody sent each have their own words."""
    own = Make()
    assert findings((own.certificate,), PUBLIC)["certificate-trust"].evidence == (
        "self-signed, and not in Apple's store (--ca-file adds it)"
    )
    with_root = (*PKI.chain(), PKI.top.certificate)
    assert findings(with_root, NOBODY)["certificate-trust"].evidence == (
        'root "Root" is not in Apple\'s store (--ca-file adds it)'
    )
    assert findings(PKI.chain()[:1], PUBLIC)["certificate-trust"].evidence == (
        'issuer "Issuing" was not sent, and is no root in Apple\'s store'
    )


def test_a_missing_intermediate_is_unknown_where_the_client_could_fetch_it() -> None:
    """A caIssuers URL makes it inconclusive; without one, or with one that is no http, it fails."""
    leaf = PKI.leaf(issuer_url="http://pki.example.com/issuing.cer").certificate
    found = findings((leaf,), PUBLIC)
    assert found["certificate-trust"].status == "unknown"
    assert outcome(found) == "inconclusive"
    ldap = PKI.leaf(issuer_url="ldap://pki.example.com/").certificate
    assert failing(findings((ldap,), PUBLIC)) == ["certificate-trust"]


def test_an_untrusted_root_name_is_kept_raw() -> None:
    """Foreign text in evidence stays as sent: the report escapes it."""
    top = root("Acme\x1b[2J\u202eCA")
    chain = (Make(signer=top).certificate, top.certificate)
    assert "Acme\x1b[2J\u202eCA" in findings(chain, NOBODY)["certificate-trust"].evidence


@pytest.mark.parametrize(
    ("usage", "public", "installed"),
    [
        ((SERVER_AUTH,), "pass", "pass"),
        ((SERVER_AUTH, CLIENT_AUTH), "pass", "pass"),
        ((CLIENT_AUTH,), "fail", "fail"),
        ((ANY,), "fail", "pass"),
        ((ObjectIdentifier("2.16.840.1.113730.4.1"),), "fail", "pass"),
        (None, "fail", "pass"),
    ],
)
def test_purpose_of_the_leaf(usage, public: str, installed: str) -> None:
    """serverAuth itself under a public root; under an installed one only an extension that is there may not exclude it."""
    chain = PKI.chain(usage=usage)
    assert findings(chain, PUBLIC)["certificate-purpose"].status == public
    assert findings(chain, INSTALLED)["certificate-purpose"].status == installed


def test_purpose_under_an_unknown_root_fails_only_where_every_root_would() -> None:
    """What installing the root would mend is a warning, and only for leaves of after 2019-06-30 23:00 UTC."""
    chain = (*PKI.chain(usage=None), PKI.top.certificate)
    assert findings(chain, NOBODY)["certificate-purpose"].status == "warn"
    bad = (*PKI.chain(usage=(CLIENT_AUTH,)), PKI.top.certificate)
    assert findings(bad, NOBODY)["certificate-purpose"].evidence == "extended key usage without serverAuth"
    edge = dt.datetime(2019, 6, 30, 23, tzinfo=UTC)
    for begins, status in ((edge, "pass"), (edge + SECOND, "warn")):
        old = (*PKI.chain(usage=None, begins=begins), PKI.top.certificate)
        assert findings(old, NOBODY)["certificate-purpose"].status == status


def test_purpose_of_an_intermediate() -> None:
    """An intermediate for e-mail alone blocks under a public root, and is a warning under an installed one."""
    middle = issuing(PKI.top, "Mail", usage=(ObjectIdentifier("1.3.6.1.5.5.7.3.4"),))
    chain = (Make(signer=middle).certificate, middle.certificate)
    assert failing(findings(chain, PUBLIC)) == ["certificate-purpose"]
    assert findings(chain, INSTALLED)["certificate-purpose"].status == "warn"


@pytest.mark.parametrize(
    ("begins", "span", "public", "installed"),
    [
        (NOW - DAY, 90 * DAY, "pass", "pass"),
        (NOW - DAY, 199 * DAY, "pass", "pass"),
        (NOW - DAY, 200 * DAY, "warn", "pass"),
        (NOW - DAY, 200 * DAY - SECOND, "pass", "pass"),
        (NOW - DAY, 398 * DAY, "warn", "pass"),
        (NOW - DAY, 398 * DAY + SECOND, "fail", "pass"),
        (NOW - DAY, 825 * DAY, "fail", "pass"),
        (NOW - DAY, dt.timedelta(seconds=71_283_600), "fail", "pass"),
        (NOW - DAY, dt.timedelta(seconds=71_283_601), "fail", "fail"),
        (dt.datetime(2026, 3, 15, tzinfo=UTC) - SECOND, 300 * DAY, "pass", "pass"),
        (dt.datetime(2026, 3, 15, tzinfo=UTC), 300 * DAY, "warn", "pass"),
        (dt.datetime(2020, 9, 1, tzinfo=UTC) - SECOND, 825 * DAY, "pass", "pass"),
        (dt.datetime(2020, 9, 1, tzinfo=UTC), 825 * DAY, "fail", "pass"),
        (dt.datetime(2018, 3, 1, tzinfo=UTC) - SECOND, 1000 * DAY, "pass", "pass"),
        (dt.datetime(2018, 3, 1, tzinfo=UTC), 1000 * DAY, "fail", "pass"),
        (dt.datetime(2019, 6, 30, 23, tzinfo=UTC) - SECOND, 1000 * DAY, "fail", "pass"),
        (dt.datetime(2019, 6, 30, 23, tzinfo=UTC), 1000 * DAY, "fail", "fail"),
    ],
)
def test_lifetime(begins, span, public: str, installed: str) -> None:
    """825 days and an hour for all, 398 days to the second under public roots, each from its day on."""
    chain = PKI.chain(begins=begins, span=span)
    assert findings(chain, PUBLIC)["certificate-lifetime"].status == public
    assert findings(chain, INSTALLED)["certificate-lifetime"].status == installed


@pytest.mark.parametrize(
    ("asked", "status"), [("13", "warn"), ("13.7", "warn"), ("14", "fail"), ("15.3", "fail"), ("17", "fail")]
)
def test_398_days_hold_from_ios_14_on(asked: str, status: str) -> None:
    """The version asked about decides, and not the first one of its profile."""
    (profile,) = profiles([asked])
    found = findings(PKI.chain(span=410 * DAY), PUBLIC, profile=profile)["certificate-lifetime"]
    assert found.status == status
    assert ("from iOS 14 on" in found.evidence) is (status == "warn")


def test_lifetime_evidence() -> None:
    """The days seen, then the limit of that kind of root."""
    long = (*PKI.chain(span=3650 * DAY), PKI.top.certificate)
    assert findings(long, NOBODY)["certificate-lifetime"].evidence == "3650 days; at most 825 under a private root"
    found = findings(PKI.chain(span=410 * DAY), PUBLIC)["certificate-lifetime"]
    assert found.evidence == "410 days; at most 398 under a public root (CAs issue 200)"


def test_lifetime_under_a_root_that_was_not_seen_is_unknown_between_the_limits() -> None:
    """Whether 398 or 825 days hold cannot be told, and it decides nothing."""
    leaf = PKI.leaf(span=500 * DAY).certificate
    assert findings((leaf,), PUBLIC)["certificate-lifetime"].status == "unknown"


@pytest.mark.parametrize(
    ("scts", "span", "evidence"),
    [
        (3, 90 * DAY, "3 SCTs, not checked against a log list"),
        (2, 180 * DAY, "2 SCTs, not checked against a log list"),
        (2, 181 * DAY, "2 SCTs embedded of 3 needed; more may come with the handshake"),
        (1, 90 * DAY, "1 SCT embedded of 2 needed; more may come with the handshake"),
        (0, 90 * DAY, "0 SCTs embedded of 2 needed; more may come with the handshake"),
    ],
)
def test_transparency_counts_but_never_passes(scts: int, span, evidence: str) -> None:
    """Without Apple's log list no number is enough; too few is not certain either, since others may come elsewhere."""
    found = findings(PKI.chain(scts=scts, span=span), PUBLIC)
    assert (found["certificate-transparency"].status, found["certificate-transparency"].evidence) == (
        "unknown",
        evidence,
    )
    assert outcome(found) == "allowed"


@pytest.mark.parametrize(
    ("begins", "span", "needed"),
    [
        (dt.datetime(2019, 1, 1, tzinfo=UTC), 400 * DAY, 2),
        (dt.datetime(2019, 1, 1, tzinfo=UTC), 500 * DAY, 3),
        (dt.datetime(2019, 1, 1, tzinfo=UTC), 825 * DAY, 3),  # 27 months and 4 days
        (dt.datetime(2019, 1, 1, tzinfo=UTC), 850 * DAY, 3),
        (dt.datetime(2019, 1, 1, tzinfo=UTC), 851 * DAY, 4),  # 28 months
        (dt.datetime(2019, 1, 1, tzinfo=UTC), 1300 * DAY, 5),
    ],
)
def test_transparency_of_older_certificates_goes_by_months(begins, span, needed: int) -> None:
    """Before 2021-04-21: under 15 months 2, to 27 months 3, to 39 months 4, longer 5; whole months, as the client counts."""
    found = findings(PKI.chain(scts=1, begins=begins, span=span), PUBLIC, at=begins + DAY)
    assert f"of {needed} needed" in found["certificate-transparency"].evidence


def test_transparency_is_for_public_roots_alone() -> None:
    """A private root, a leaf from before the rule, and an expired one are left out."""
    assert findings(PKI.chain(), INSTALLED)["certificate-transparency"].evidence == (
        "does not apply under a private root"
    )
    old = PKI.chain(begins=dt.datetime(2018, 10, 15, tzinfo=UTC), span=4000 * DAY)
    assert findings(old, PUBLIC)["certificate-transparency"].status == "not-applicable"
    expired = PKI.chain(begins=NOW - 100 * DAY, span=50 * DAY)
    assert findings(expired, PUBLIC)["certificate-transparency"].status == "not-applicable"


def test_a_promised_staple_that_is_missing_is_a_warning() -> None:
    """Apple's client does not enforce must-staple (RFC 7633)."""
    found = findings(PKI.chain(must_staple=True, scts=3), PUBLIC)
    assert found["certificate-revocation"].status == "warn"
    assert outcome(found) == "allowed"


def test_pins() -> None:
    """Leaf and CA lists must each match; the CA list sees the whole path, root included; an empty list matches nothing."""
    leaf, middle, top = PKI.chain()[0], PKI.middle.certificate, PKI.top.certificate
    other = b"\0" * 32
    table = [
        (PinnedIdentities(leaf=(leaf.spki_sha256,)), "pass"),
        (PinnedIdentities(leaf=(other, leaf.spki_sha256)), "pass"),
        (PinnedIdentities(ca=(middle.spki_sha256,)), "pass"),
        (PinnedIdentities(ca=(top.spki_sha256,)), "pass"),
        (PinnedIdentities(ca=(leaf.spki_sha256,)), "fail"),
        (PinnedIdentities(ca=(top.spki_sha256,), leaf=(other,)), "fail"),
        (PinnedIdentities(ca=(other,), leaf=(leaf.spki_sha256,)), "fail"),
        (PinnedIdentities(leaf=()), "fail"),
        (PinnedIdentities(ca=()), "fail"),
        (PinnedIdentities(leaf=(b"short",)), "fail"),
        (PinnedIdentities(), "not-applicable"),
    ]
    for pins, status in table:
        assert findings(PKI.chain(), PUBLIC, pins=pins)["pinned-identity"].status == status, pins


def test_a_ca_pin_fails_a_path_of_one_and_is_unknown_where_the_path_is_incomplete() -> None:
    """A leaf alone has no CA above it; where issuers are missing, one of them may be the pinned one."""
    own = Make()
    pins = PinnedIdentities(ca=(own.certificate.spki_sha256,))
    assert findings((own.certificate,), trusting(installed=[own]), pins=pins)["pinned-identity"].status == "fail"
    found = findings(PKI.chain()[:1], PUBLIC, pins=PinnedIdentities(ca=(PKI.top.certificate.spki_sha256,)))
    assert found["pinned-identity"].status == "unknown"


def test_all_faults_at_once_are_each_found() -> None:
    """One bad leaf under an unknown root: every requirement that fails says so, none hides behind another."""
    top = root("Acme CA", kind="rsa1024", digest="sha1")
    leaf = Make(
        signer=top,
        kind="rsa1024",
        digest="sha1",
        names=("intranet", "*.corp.example.org"),
        usage=(CLIENT_AUTH,),
        begins=dt.datetime(2020, 3, 2, tzinfo=UTC),
        span=2000 * DAY,
    )
    found = findings((leaf.certificate, top.certificate), NOBODY, pins=PinnedIdentities(leaf=()))
    assert failing(found) == [
        "certificate-key-size",
        "certificate-signature-hash",
        "certificate-hostname",
        "certificate-validity",
        "certificate-trust",
        "certificate-purpose",
        "certificate-lifetime",
        "pinned-identity",
    ]
    assert found["certificate-transparency"].status == "not-applicable"
    assert all(f.fixable_by is None for f in found.values())
