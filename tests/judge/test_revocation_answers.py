"""What a responder or a list said is believed when it is signed, current and about the leaf; it decides no verdict."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from certificate_maker import DAY, NOW, Pki, root
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID
from judged import outcome, policy, trusting
from test_connection_requirements import OWN, made
from test_loads import load, with_chain
from test_loads import seen as observed
from test_staples import FORGER, LEAF, PKI, PUBLIC, RESPONDER, STATUS, staple

from atsprobe.judge.certificates import chain_findings
from atsprobe.judge.chain import ChainQuestion
from atsprobe.model.observation import RevocationAnswer

CHAIN = (LEAF.certificate, PKI.middle.certificate)
URL, LIST = "http://ocsp.example.com/", "http://crl.example.com/a.crl"
MINUTE = DAY / 1440


def answer(body, kind="ocsp", detail="", *, about=LEAF, received_at=None):
    url = URL if kind == "ocsp" else LIST
    return RevocationAnswer(about.certificate.sha256, url, kind, body, detail, received_at)


def crl(*serials, signer=PKI.middle, issuer=None, begins=NOW - DAY, ends=NOW + DAY, more=(), reason=True):
    name = (issuer or signer).certificate.parsed.subject
    builder = x509.CertificateRevocationListBuilder().issuer_name(name).last_update(begins).next_update(ends)
    for serial in serials:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - 5 * DAY)
        if reason:
            entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), False)
        builder = builder.add_revoked_certificate(entry.build())
    for extension, critical in more:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer.private_key, hashes.SHA256()).public_bytes(Encoding.DER)


def scope(uris=None, **flags):
    names = None if uris is None else [x509.UniformResourceIdentifier(u) for u in uris]
    kinds = ("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs")
    values = {kind: flags.get(kind, False) for kind in kinds}
    some = flags.get("only_some_reasons")
    return (x509.IssuingDistributionPoint(names, flags.get("relative_name"), only_some_reasons=some, **values), True)


def asked(*answers, chain=CHAIN, trust=PUBLIC, **more):
    """Judge a chain with answers: the finding, after checking that no verdict hangs on it."""
    question = ChainQuestion.under(policy(), tuple(chain), trust, NOW)
    found = chain_findings(replace(question, revocation=answers, **more))
    assert outcome({str(f.requirement): f for f in found}) == "allowed"
    return next(f for f in found if f.requirement == "certificate-revocation")


ME = LEAF.certificate.parsed.serial_number
REVOKED = "revoked 2026-11-19 12:00:00 UTC (keyCompromise); Apple's own Valid database probably blocks it"
UNKNOWN_EXTENSION = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)
RELATIVE = x509.RelativeDistinguishedName([x509.NameAttribute(x509.NameOID.COMMON_NAME, "part")])


@pytest.mark.parametrize(
    ("body", "status", "evidence"),
    [
        (staple(), "pass", "good, until 2026-11-25 12:00:00 UTC"),
        (staple(STATUS.REVOKED), "warn", REVOKED),
        (staple(STATUS.REVOKED, signer=RESPONDER), "warn", REVOKED),
        (staple(signer=RESPONDER), "pass", "good, until 2026-11-25 12:00:00 UTC"),
        (staple(STATUS.UNKNOWN), "unknown", "the responder does not know the certificate"),
        (staple(STATUS.REVOKED, signer=FORGER), "unknown", "not signed by the issuer or its responder"),
        (staple(signer=FORGER), "unknown", "not signed by the issuer or its responder"),
        (staple(ends=NOW - DAY / 2), "unknown", "not current"),
        (staple(about=PKI.leaf(serial=1)), "unknown", "about another certificate"),
        (b"<html>", "unknown", "unreadable: "),
    ],
)
def test_responders(body: bytes, status: str, evidence: str) -> None:
    """Revoked is a warning, good passes; what is forged, stale or about another certificate says nothing."""
    found = asked(answer(body))
    begin = "no stapled response; " if status == "unknown" else ""
    assert found.status == status
    assert found.evidence.startswith(f"{begin}OCSP responder ocsp.example.com: {evidence}")


@pytest.mark.parametrize(
    ("body", "status", "evidence"),
    [
        (crl(), "pass", "not on the list, until 2026-11-25 12:00:00 UTC"),
        (crl(1, 2, ME + 1), "pass", "not on the list"),
        (crl(1, ME, 2), "warn", REVOKED),
        (crl(ME, reason=False), "warn", "revoked 2026-11-19 12:00:00 UTC; Apple's"),
        (crl(ME, more=[scope(only_contains_user_certs=True)]), "warn", REVOKED),
        (crl(ME, more=[(x509.CRLNumber(7), False)]), "warn", REVOKED),
        (crl(ME, signer=FORGER), "unknown", "of another issuer"),
        (crl(ME, signer=FORGER, issuer=PKI.middle), "unknown", "not signed by the issuer"),
        (crl(ME, signer=PKI.top), "unknown", "of another issuer"),
        (crl(ME, ends=NOW - DAY / 2), "unknown", "not current"),
        (crl(begins=NOW + DAY / 2), "unknown", "not current"),
        (crl(ME, more=[(x509.DeltaCRLIndicator(3), True)]), "unknown", "changes to another list alone"),
        (crl(more=[scope(only_contains_ca_certs=True)]), "unknown", "of a scope that leaves the leaf out"),
        (crl(more=[scope(only_contains_attribute_certs=True)]), "unknown", "of a scope that leaves the leaf out"),
        (crl(more=[scope(indirect_crl=True)]), "unknown", "a list for several issuers"),
        (crl(more=[scope([LIST])]), "unknown", "a part of the list that the leaf does not name"),
        (crl(more=[scope(relative_name=RELATIVE)]), "unknown", "a part of the list that the leaf does not name"),
        (
            crl(more=[scope([LIST], only_some_reasons=frozenset({x509.ReasonFlags.key_compromise}))]),
            "unknown",
            "of a scope that leaves the leaf out",
        ),
        (crl(ME, more=[UNKNOWN_EXTENSION]), "unknown", "an unknown critical extension 1.2.3.4"),
        (b"-----BEGIN X509 CRL-----", "unknown", "unreadable: "),
        (bytes((8 << 20) + 1), "unknown", "larger than 8 MB"),
    ],
)
def test_lists(body: bytes, status: str, evidence: str) -> None:
    """A list counts when the issuer signed it, now, for all of its certificates (RFC 5280 §6.3.3)."""
    found = asked(answer(body, "crl"))
    begin = "no stapled response; " if status == "unknown" else ""
    assert found.status == status
    assert found.evidence.startswith(f"{begin}CRL of crl.example.com: {evidence}")


def test_a_part_of_a_list_counts_for_the_leaf_that_names_it() -> None:
    """As large issuers have it: many lists, each named by some of the leaves."""
    uri = x509.UniformResourceIdentifier(LIST)
    point = x509.CRLDistributionPoints([x509.DistributionPoint([uri], None, None, None)])
    leaf = PKI.leaf(scts=3, more=((point, False),))
    chain = (leaf.certificate, PKI.middle.certificate)
    part = crl(ME, more=[scope([LIST, "ldap://elsewhere"])])
    assert asked(answer(part, "crl", about=leaf), chain=chain).status == "warn"


def test_a_list_needs_an_issuer_who_may_sign_it() -> None:
    """A CA whose key is not for lists signs none (RFC 5280 §4.2.1.3)."""
    usage = x509.KeyUsage(True, False, False, False, False, True, False, False, False)
    top = root("Signs no lists", key_cert_sign=None, more=((usage, True),))
    pki = Pki(top)
    leaf = replace(pki.leaf(scts=3), signer=top)
    body = crl(ME, signer=top)
    found = asked(answer(body, "crl", about=leaf), chain=(leaf.certificate,), trust=trusting(public=[top]))
    assert found.evidence.endswith("not signed by the issuer")


def test_no_answer_is_unknown_and_says_why() -> None:
    """What kept the responder from being heard stands in the evidence."""
    found = asked(answer(None, detail="no answer in time"))
    assert (found.status, found.evidence) == (
        "unknown",
        "no stapled response; OCSP responder ocsp.example.com: no answer in time",
    )


def test_an_answer_is_read_as_of_when_it_came() -> None:
    """A response made while the audit ran is no response of the future, and one that ended since was in force then."""
    fresh = staple(begins=NOW + 20 * MINUTE, ends=NOW + DAY)
    assert asked(answer(fresh)).status == "unknown"
    assert asked(answer(fresh, received_at=NOW + 20 * MINUTE)).status == "pass"
    assert asked(answer(staple(begins=NOW + 3 * MINUTE))).status == "pass"  # clocks differ
    brief = staple(STATUS.REVOKED, begins=NOW - 3 * DAY, ends=NOW - DAY)
    assert asked(answer(brief, received_at=NOW - 2 * DAY)).status == "warn"


def test_the_staple_is_read_first() -> None:
    """A revoked staple fails; a good one does not hide what the responder says; a useless one does not hide a good answer."""
    revoked, good = answer(staple(STATUS.REVOKED)), answer(staple())
    question = ChainQuestion.under(policy(), CHAIN, PUBLIC, NOW)
    failed = chain_findings(replace(question, revocation=(good,), ocsp_response=staple(STATUS.REVOKED)))
    assert outcome({str(f.requirement): f for f in failed}) == "blocked"
    assert asked(revoked, ocsp_response=staple()).status == "warn"
    assert asked(good, ocsp_response=staple(ends=NOW - DAY / 2)).evidence.startswith("OCSP responder")
    useless = asked(answer(None, detail="HTTP 503"), ocsp_response=staple(ends=NOW - DAY / 2)).evidence
    assert useless == "stapled response of no use: not current; OCSP responder ocsp.example.com: HTTP 503"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("ldap://ldap.example.com/cn=x", "ldap.example.com"),
        ("http://[", "http://["),
        ("", ""),
        ("x" * 500, "x" * 100),
        ("http://" + "x" * 500, "x" * 100),
    ],
)
def test_whom_the_evidence_names(url: str, shown: str) -> None:
    """The host is enough for people; what a certificate holds in place of a URL is shown in part."""
    nobody = replace(answer(None, detail="not an http URL that can be asked"), url=url)
    assert asked(nobody).evidence == f"no stapled response; OCSP responder {shown}: not an http URL that can be asked"


def test_under_a_private_root_nobody_else_blocks_it() -> None:
    """Apple's Valid database knows public issuers alone, and the client asks no responder by itself."""
    found = asked(answer(staple(STATUS.REVOKED)), trust=trusting(installed=[PKI.top]))
    assert found.status == "warn"
    assert found.evidence.endswith("; Apple's client does not ask by itself")


def test_what_nobody_asked() -> None:
    """The option is named where it would help; not for a chain from a file, and not where the leaf names nobody."""
    uri = x509.UniformResourceIdentifier(URL)
    access = x509.AuthorityInformationAccess([x509.AccessDescription(AuthorityInformationAccessOID.OCSP, uri)])
    chain = PKI.chain(scts=3, more=((access, False),))
    assert asked(chain=chain).evidence == "no stapled response (--check-revocation asks)"
    assert asked(chain=chain, is_from_file=True).status == "not-applicable"
    assert asked().evidence == "no stapled response, and the leaf names neither a responder nor a list"


def test_an_answer_about_another_leaf_says_nothing() -> None:
    """Of a server with two leaves, each is judged by what was said about it."""
    assert asked(answer(staple(STATUS.REVOKED), about=PKI.leaf(serial=9))).status == "unknown"


def test_answers_reach_the_judge_with_the_observation() -> None:
    """As an audit has them: beside the handshakes of an address."""
    seen = observed(with_chain(made(OWN), CHAIN), revocation=(answer(staple(STATUS.REVOKED)),))
    judgement = load(seen, trust=PUBLIC)
    assert judgement.outcome == "allowed"
    found = {str(f.requirement): f for f in judgement.findings}["certificate-revocation"]
    assert (found.status, found.evidence) == ("warn", f"OCSP responder ocsp.example.com: {REVOKED}")


def test_mutated_lists_revoke_nothing() -> None:
    """Whatever bytes are changed in a list: no traceback, and neither a revocation nor an absence that nobody signed."""
    dice = random.Random(5280)
    good = crl(1, ME, 2, more=[(x509.CRLNumber(7), False)])
    for _ in range(1000):
        bad = bytearray(good)
        for _ in range(dice.choice((1, 1, 2, 6))):
            bad[dice.randrange(len(bad))] = dice.randrange(256)
        assert asked(answer(bytes(bad), "crl")).status == "unknown" or bytes(bad) == good
