"""Hostile certificates give findings, never a traceback, and never an answer out of nothing."""

from __future__ import annotations

import os
import random
import time

from certificate_maker import HOST, Pki
from cryptography import x509
from judged import failing, findings, outcome, trusting

from atsprobe.model.certificate import Certificate

MUTANTS = int(os.environ.get("ATSPROBE_MUTANTS", "2000"))
"""How many to try; ``make fuzz`` tries more."""

PKI = Pki()
PUBLIC = trusting(public=[PKI.top])
CHAIN = PKI.chain(
    scts=3,
    must_staple=True,
    issuer_url="http://pki.example.com/issuing.cer",
    names=(HOST, "*.a.example.com", "192.0.2.1"),
    more=((x509.SubjectKeyIdentifier(b"\1" * 20), False),),
)


def _mutated(der: bytes, dice: random.Random) -> bytes:
    changed = bytearray(der)
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        place = dice.randrange(len(changed))
        what = dice.randrange(4)
        if what == 0:
            changed[place] = dice.randrange(256)
        elif what == 1:
            changed[place] ^= 1 << dice.randrange(8)
        elif what == 2:
            del changed[place : place + dice.randrange(1, 9)]
        else:
            changed[place:place] = dice.randbytes(dice.randrange(1, 5))
    return bytes(changed)


def test_mutants() -> None:
    """Each certificate sent, changed at random: ten findings, in time, and accepted only where nothing signed changed."""
    dice = random.Random(2026)
    start = time.monotonic()
    whole = [c.parsed.tbs_certificate_bytes for c in CHAIN]
    for _ in range(MUTANTS):
        sent = [c.der for c in CHAIN]
        which = dice.randrange(2)
        sent[which] = _mutated(sent[which], dice)
        certificates = tuple(Certificate(der) for der in sent)
        found = findings(certificates, PUBLIC)
        assert len(found) == 10
        if outcome(found) == "allowed":
            assert [c.parsed.tbs_certificate_bytes for c in certificates] == whole
    assert time.monotonic() - start < MUTANTS * 0.03  # measured: 0.0004 s each


def test_a_leaf_that_cannot_be_read_is_inconclusive() -> None:
    """Apple's parser may be more lenient than ours: unknown, with the reason, and no failure."""
    for leaf in (b"", b"\x30", b"\x30\x80\x00\x00", b"-----BEGIN CERTIFICATE-----", bytes(5000)):
        found = findings((Certificate(leaf), CHAIN[1]), PUBLIC)
        assert failing(found) == []
        assert outcome(found) == "inconclusive"


def test_one_unreadable_extension_leaves_the_other_findings() -> None:
    """A malformed subjectAltName hides what extensions say, but not the key, the hash and the dates."""
    leaf = bytearray(CHAIN[0].der)
    at = bytes(leaf).rindex(HOST.encode())
    leaf[at - 1] = 0xFF  # the length of the first name
    found = findings((Certificate(bytes(leaf)), CHAIN[1]), PUBLIC)
    assert found["certificate-hostname"].status == "unknown"
    assert "cannot be read" in found["certificate-hostname"].evidence
    assert found["certificate-key-size"].status == "pass"
    assert found["certificate-validity"].status == "pass"
