"""A stapled response counts when it is about the leaf, current, and signed by the issuer or whom the issuer named."""

from __future__ import annotations

import random

import pytest
from certificate_maker import DAY, NOW, Make, Pki, root
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from judged import failing, findings, outcome, trusting

PKI = Pki()
PUBLIC = trusting(public=[PKI.top])
LEAF = PKI.leaf(scts=3)
CHAIN = (LEAF.certificate, PKI.middle.certificate)
STATUS = ocsp.OCSPCertStatus
RESPONDER = Make("Responder", signer=PKI.middle, names=None, usage=(ExtendedKeyUsageOID.OCSP_SIGNING,))


def staple(status=STATUS.GOOD, *, about=LEAF, begins=NOW - DAY, ends=NOW + DAY, signer=PKI.middle, digest=None):
    revoked = {"revocation_time": NOW - 5 * DAY, "revocation_reason": x509.ReasonFlags.key_compromise}
    builder = ocsp.OCSPResponseBuilder().add_response(
        about.certificate.parsed,
        about.signer.certificate.parsed,
        digest or hashes.SHA1(),
        status,
        begins,
        ends,
        **(revoked if status is STATUS.REVOKED else {"revocation_time": None, "revocation_reason": None}),
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate.parsed)
    if signer is not PKI.middle:
        builder = builder.certificates([signer.certificate.parsed])
    return builder.sign(signer.private_key, hashes.SHA256()).public_bytes(Encoding.DER)


FORGER = root("Forger")
UNNAMED = Make("Responder", signer=PKI.middle, names=None, usage=None)
STALE_RESPONDER = Make(
    "Stale", signer=PKI.middle, names=None, usage=(ExtendedKeyUsageOID.OCSP_SIGNING,), begins=NOW - 9 * DAY, span=DAY
)


@pytest.mark.parametrize(
    ("response", "status", "evidence"),
    [
        (staple(), "pass", "stapled response: good, until 2026-11-25 12:00:00 UTC"),
        (staple(digest=hashes.SHA256()), "pass", "stapled response: good"),
        (staple(ends=None), "pass", "stapled response: good"),
        (staple(STATUS.REVOKED), "fail", "stapled response: revoked 2026-11-19 12:00:00 UTC (keyCompromise)"),
        (staple(STATUS.REVOKED, signer=RESPONDER), "fail", "stapled response: revoked"),
        (staple(STATUS.UNKNOWN), "unknown", "stapled response of no use: the responder does not know"),
        (staple(STATUS.REVOKED, ends=NOW - DAY / 2), "unknown", "stapled response of no use: not current"),
        (staple(STATUS.REVOKED, begins=NOW + DAY / 2), "unknown", "stapled response of no use: not current"),
        (staple(STATUS.REVOKED, signer=FORGER), "unknown", "stapled response of no use: not signed"),
        (staple(STATUS.REVOKED, signer=UNNAMED), "unknown", "stapled response of no use: not signed"),
        (staple(STATUS.REVOKED, signer=STALE_RESPONDER), "unknown", "stapled response of no use: not signed"),
        (staple(STATUS.REVOKED, about=PKI.leaf(serial=1)), "unknown", "stapled response of no use: about another"),
        (
            ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(Encoding.DER),
            "unknown",
            "stapled response of no use: the responder says try_later",
        ),
        (b"", "unknown", "stapled response of no use: unreadable"),
        (b"\x30" * 300_000, "unknown", "stapled response of no use: larger than 256 KB"),
    ],
)
def test_staple(response: bytes, status: str, evidence: str) -> None:
    """Revoked fails, good passes, and whatever cannot be relied on is unknown and decides nothing."""
    found = findings(CHAIN, PUBLIC, staple=response)
    assert found["certificate-revocation"].status == status
    assert found["certificate-revocation"].evidence.startswith(evidence)
    assert outcome(found) == ("blocked" if status == "fail" else "allowed")


def test_a_staple_without_a_known_issuer_is_unknown() -> None:
    """There is no key to check it with."""
    assert findings(CHAIN[:1], PUBLIC, staple=staple(STATUS.REVOKED))["certificate-revocation"].status == "unknown"


def test_timestamps_in_a_staple_count() -> None:
    """Apple's policy takes timestamps by OCSP stapling; one that has none changes no number."""
    found = findings(CHAIN, PUBLIC, staple=staple())["certificate-transparency"]
    assert found.evidence == "3 SCTs, not checked against a log list"


def test_mutated_staples_revoke_nothing() -> None:
    """Whatever bytes are changed in a response: no traceback, and never a revocation that nobody signed."""
    dice = random.Random(26)
    good = staple()
    for _ in range(1000):
        bad = bytearray(good)
        for _ in range(dice.choice((1, 1, 2, 6))):
            bad[dice.randrange(len(bad))] = dice.randrange(256)
        assert failing(findings(CHAIN, PUBLIC, staple=bytes(bad))) == []
