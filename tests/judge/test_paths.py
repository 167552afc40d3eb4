"""The path that counts is the one that the client would find, whatever else was sent."""

from __future__ import annotations

import ipaddress
import itertools
import time

import pytest
from certificate_maker import DAY, HOST, Make, Pki, issuing, root
from cryptography import x509
from cryptography.x509.oid import ObjectIdentifier
from judged import failing, findings, outcome, trusting

from atsprobe.judge.path import candidate_paths
from atsprobe.judge.signatures import signed_by
from atsprobe.model.certificate import Certificate
from atsprobe.model.trust_store import TrustStore

PKI = Pki()
PUBLIC = trusting(public=[PKI.top])
LEAF, MIDDLE, TOP = *PKI.chain(), PKI.top.certificate
STRANGER = root("Stranger").certificate


@pytest.mark.parametrize(
    "sent",
    [
        (LEAF, MIDDLE),
        (LEAF, MIDDLE, TOP),
        (LEAF, TOP, MIDDLE),
        (LEAF, LEAF, MIDDLE, MIDDLE),
        (LEAF, STRANGER, MIDDLE),
        (LEAF, Certificate(b"no certificate"), MIDDLE),
        (LEAF, *(root(f"Extra {i}").certificate for i in range(20)), MIDDLE),
    ],
    ids=["plain", "root sent", "misordered", "duplicates", "unrelated", "unreadable extra", "twenty extras"],
)
def test_what_else_was_sent_does_no_harm(sent) -> None:
    """Extra, doubled, misordered and unreadable certificates behind the leaf change nothing."""
    assert outcome(findings(sent, PUBLIC)) == "allowed"


def test_a_chain_from_a_file_may_stand_in_any_order() -> None:
    """The leaf of a file is found by its name and by not being a CA."""
    other = PKI.leaf(subject="other", names=("other.example.com",)).certificate
    for order in itertools.permutations((LEAF, MIDDLE, TOP, other)):
        assert outcome(findings(order, PUBLIC)) == "allowed"


def _cross_signed(top: Make, by: Make, **more) -> Make:
    """Give the same name and key as a root, signed by another."""
    return issuing(by, top.subject, kind=top.kind, **more)


def test_an_expired_cross_signature_does_not_hide_the_root() -> None:
    """Where one path fails and another holds, the client takes the one that holds."""
    old = root("Old root", span=10 * DAY)
    cross = _cross_signed(PKI.top, old, span=20 * DAY)
    for trust in (PUBLIC, trusting(public=[old, PKI.top]), trusting(public=[PKI.top, old])):
        found = findings((LEAF, MIDDLE, cross.certificate, old.certificate), trust)
        assert failing(found) == []
        assert 'root "Root"' in found["certificate-trust"].evidence


def test_a_cross_signature_leads_to_the_only_known_root() -> None:
    """A root that this client does not know is an intermediate under one that it knows."""
    known = root("Known root")
    cross = _cross_signed(PKI.top, known)
    found = findings((LEAF, MIDDLE, cross.certificate), trusting(public=[known]))
    assert found["certificate-trust"].evidence == 'root "Known root", in Apple\'s store'


def test_of_a_public_and_an_installed_root_the_path_that_passes_counts() -> None:
    """A chain that is too long for a public root may still hold under an installed one."""
    mine = root("Mine")
    cross = _cross_signed(PKI.top, mine)
    chain = (PKI.leaf(span=500 * DAY).certificate, MIDDLE, cross.certificate)
    assert failing(findings(chain, PUBLIC)) == ["certificate-lifetime"]
    assert failing(findings(chain, trusting(public=[PKI.top], installed=[mine]))) == []


def test_certificates_that_sign_each_other_end() -> None:
    """Two CAs that issued each other make no endless path."""
    one, two = root("One"), root("Two")
    one_by_two, two_by_one = issuing(two, "One"), issuing(one, "Two")
    leaf = Make(signer=one)
    start = time.monotonic()
    found = findings((leaf.certificate, one_by_two.certificate, two_by_one.certificate), PUBLIC)
    assert failing(found) == ["certificate-trust"]
    assert time.monotonic() - start < 5


def test_a_maze_of_certificates_is_left_in_time() -> None:
    """Forty CAs of one name and one key, each a possible issuer of each: bounded, and no guess about trust."""
    maze = [issuing(root("Maze"), "Maze", serial=i + 1).certificate for i in range(40)]
    leaf = Make(signer=root("Maze"))
    start = time.monotonic()
    found = findings((leaf.certificate, *maze), PUBLIC)
    assert found["certificate-trust"].status == "unknown"
    assert time.monotonic() - start < 5


def test_a_root_by_name_alone_is_no_root() -> None:
    """A certificate that only bears the name of a trusted root does not become its child."""
    false_root = root("Root", kind="p384")
    middle = issuing(false_root, "Issuing", kind="p384")
    chain = (Make(signer=middle).certificate, middle.certificate)
    assert failing(findings(chain, PUBLIC)) == ["certificate-trust"]


def test_names_are_compared_without_case_and_runs_of_blanks() -> None:
    """RFC 5280 §7.1: an issuer written in another case is the same issuer."""
    middle = issuing(PKI.top, "The  Issuing CA")
    leaf = Make(signer=middle, issuer_name="the issuing ca")
    assert outcome(findings((leaf.certificate, middle.certificate), PUBLIC)) == "allowed"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"ca": False}, "is no CA (basicConstraints)"),
        ({"ca": None}, "is no CA (basicConstraints)"),
        ({"key_cert_sign": False}, "may not sign certificates (keyUsage)"),
        ({"key_cert_sign": True}, ""),
    ],
)
def test_an_issuer_must_be_one(more, words: str) -> None:
    """An intermediate without the CA flag, or whose key may not sign certificates, breaks the path."""
    middle = issuing(PKI.top, "Middle", **more)
    found = findings((Make(signer=middle).certificate, middle.certificate), PUBLIC)["certificate-trust"]
    assert found.status == ("fail" if words else "pass")
    assert words in found.evidence


def test_path_length_counts_intermediates() -> None:
    """A root that allows no intermediate is broken by one, and one that allows one by two."""
    for allowed, intermediates, status in ((0, 0, "pass"), (0, 1, "fail"), (1, 1, "pass"), (1, 2, "fail")):
        top = root(f"Top {allowed}", path_length=allowed)
        signers = [top]
        for number in range(intermediates):
            signers.append(issuing(signers[-1], f"Level {number}"))
        chain = (Make(signer=signers[-1]).certificate, *(s.certificate for s in reversed(signers[1:])))
        found = findings(chain, trusting(public=[top]))["certificate-trust"]
        assert found.status == status, (allowed, intermediates, found.evidence)


def _constraints(permitted=None, excluded=None) -> x509.NameConstraints:
    return x509.NameConstraints(permitted, excluded)


@pytest.mark.parametrize(
    ("constraints", "names", "status"),
    [
        (_constraints([x509.DNSName("example.com")]), (HOST,), "pass"),
        (_constraints([x509.DNSName(".example.com")]), (HOST,), "pass"),
        (_constraints([x509.DNSName("example.com")]), (HOST, "*.example.com"), "pass"),
        (_constraints([x509.DNSName("example.org")]), (HOST,), "fail"),
        (_constraints([x509.DNSName("ample.com")]), (HOST,), "fail"),
        (_constraints([x509.DNSName("example.com")]), (HOST, "a.example.org"), "fail"),
        (_constraints(None, [x509.DNSName("api.example.com")]), (HOST,), "fail"),
        (_constraints(None, [x509.DNSName("org")]), (HOST,), "pass"),
        (_constraints([x509.IPAddress(ipaddress.ip_network("10.0.0.0/8"))]), (HOST, "192.0.2.1"), "fail"),
        (_constraints([x509.IPAddress(ipaddress.ip_network("192.0.2.0/24"))]), (HOST, "192.0.2.1"), "pass"),
        (_constraints([x509.RFC822Name("example.org")]), (HOST,), "pass"),
        (
            _constraints([x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "FR")]))]),
            (HOST,),
            "fail",
        ),
    ],
)
def test_name_constraints(constraints, names, status: str) -> None:
    """An issuer that is kept to other names breaks the path: every name of the leaf counts, by its kind."""
    middle = issuing(PKI.top, "Kept", constraints=constraints)
    found = findings((Make(signer=middle, names=names).certificate, middle.certificate), PUBLIC)["certificate-trust"]
    assert found.status == status, found.evidence


def test_the_constraints_of_a_trusted_root_apply_too() -> None:
    """A root that the client trusts is still kept to its own names."""
    top = root("Kept root", constraints=_constraints([x509.DNSName("example.org")]))
    found = findings((Make(signer=top).certificate,), trusting(public=[top]))["certificate-trust"]
    assert found.evidence == 'root "Kept root" may not issue for api.example.com (nameConstraints)'


def test_an_unknown_critical_extension_breaks_the_path() -> None:
    """RFC 5280 §4.2; Apple's own and Netscape's type are known to Apple's client."""
    for oid, status in (("1.3.6.1.4.1.99999.1", "fail"), ("1.2.840.113635.100.6.1", "pass")):
        strange = x509.UnrecognizedExtension(ObjectIdentifier(oid), b"\x05\x00")
        leaf = PKI.leaf(more=((strange, True),))
        found = findings((leaf.certificate, MIDDLE), PUBLIC)["certificate-trust"]
        assert found.status == status
    harmless = PKI.leaf(
        more=((x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00"), False),)
    )
    assert findings((harmless.certificate, MIDDLE), PUBLIC)["certificate-trust"].status == "pass"


def test_untrusted_and_broken_are_both_said() -> None:
    """Two reasons of one requirement stand side by side."""
    middle = issuing(root("Nobody"), "Kept", constraints=_constraints([x509.DNSName("example.org")]))
    found = findings((Make(signer=middle).certificate, middle.certificate), PUBLIC)["certificate-trust"]
    assert "was not sent" in found.evidence
    assert "nameConstraints" in found.evidence


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa2048", "ed25519", "ed448", "dsa2048"])
def test_signatures_of_every_kind_are_verified(kind: str) -> None:
    """What a key signed is told from what it did not sign, also where names agree."""
    signer = root("Signer", kind=kind)
    other = root("Signer", kind="p521")
    child = Make(signer=signer)
    assert signed_by(child.certificate, signer.certificate) is True
    assert signed_by(child.certificate, other.certificate) is False
    assert signed_by(child.certificate, child.certificate) is False


@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_old_signatures_are_verified_too(digest: str) -> None:
    """SHA-1 and MD5 are weak, not unreadable: a forged one is still no signature."""
    signer = root("Signer", kind="rsa2048")
    child = Make(signer=signer, digest=digest).certificate
    forged = Certificate(child.der[:-1] + bytes([child.der[-1] ^ 1]))
    assert signed_by(child, signer.certificate) is True
    assert signed_by(forged, signer.certificate) is False


def test_the_roots_are_indexed_once() -> None:
    """Stores that are equal share one index, so that thousands of questions parse 156 roots once."""
    from atsprobe.judge.path import _roots

    same = TrustStore(tuple(bytes(der) for der in PUBLIC.public))
    assert _roots(same) is _roots(PUBLIC)
    assert candidate_paths((LEAF, MIDDLE), same)[0].anchor == "public"


def test_a_root_in_both_stores_counts_as_public() -> None:
    """Installing a root that Apple ships does not loosen what is asked of it."""
    both = TrustStore((TOP.der,), (TOP.der,))
    assert failing(findings((PKI.leaf(span=500 * DAY).certificate, MIDDLE), both)) == ["certificate-lifetime"]
