"""A chain from a file: every fault has a finding of its own, whatever else is wrong."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from certificate_maker import CLIENT_AUTH, DAY, HOST, NOW, Make, issuing, root, with_raw_names
from cryptography import x509
from judged import failing, findings, policy, trusting

from atsprobe.judge.alternative_names import alternative_names
from atsprobe.judge.judge import judge_file
from atsprobe.model.trust_store import TrustStore

UTC = dt.UTC
KEPT = x509.NameConstraints([x509.DNSName("example.org")], None)
BAD_LEAF = {
    "kind": "rsa1024",
    "usage": (CLIENT_AUTH,),
    "begins": dt.datetime(2020, 10, 2, tzinfo=UTC),
    "span": 2000 * DAY,
    "digest": "sha1",
    "names": ("b.example.net",),
}
BAD_ISSUER = {"kind": "rsa1024", "constraints": KEPT, "digest": "sha1"}
ALWAYS = {
    "certificate-key-size": 1,
    "certificate-signature-hash": 1,
    "certificate-hostname": 1,
    "certificate-validity": 1,
    "certificate-purpose": 1,
    "certificate-lifetime": 1,
}


def _judged(chain, trust=TrustStore(()), *, host=HOST, at=NOW, **of_policy):  # noqa: B008 - frozen
    return judge_file([m.certificate for m in chain], policy(host, **of_policy), trust, at)


def _failing(judged) -> dict[str, int]:
    found: dict[str, int] = {}
    for finding in judged.findings:
        if finding.status == "fail":
            found[finding.requirement] = found.get(finding.requirement, 0) + 1
    return found


def _trust_evidence(judged) -> list[str]:
    return [f.evidence for f in judged.findings if f.requirement == "certificate-trust"]


def test_an_unknown_root_and_all_other_faults_at_once() -> None:
    """Expired, wrong purpose, weak key, weak hash, wrong name, too long, name-constrained, path too long, unknown root."""
    top = root("Acme CA", kind="rsa1024", path_length=0, digest="sha1")
    middle = issuing(top, "Acme Issuing", **BAD_ISSUER)
    leaf = Make(signer=middle, **BAD_LEAF)
    judged = _judged([leaf, middle, top])
    assert _failing(judged) == {**ALWAYS, "certificate-trust": 3}
    assert _trust_evidence(judged) == [
        'root "Acme CA" is not in Apple\'s store (--ca-file adds it)',
        'root "Acme CA" allows a path length of 0, not 1',
        'intermediate "Acme Issuing" may not issue for b.example.net (nameConstraints)',
    ]
    assert judged.outcome == "blocked"


def test_a_missing_intermediate_and_all_other_faults_at_once() -> None:
    """The issuer's issuer was not sent: said beside the name constraint, and failed or unknown by the place to fetch it."""
    top = root("Acme CA", kind="rsa1024", digest="sha1")
    for url, status in ((None, "fail"), ("http://pki.example.com/acme.cer", "unknown")):
        middle = issuing(top, "Acme Issuing", issuer_url=url, **BAD_ISSUER)
        judged = _judged([Make(signer=middle, **BAD_LEAF), middle])
        assert _failing(judged) == {**ALWAYS, "certificate-trust": 2 if status == "fail" else 1}
        of_trust = [f for f in judged.findings if f.requirement == "certificate-trust"]
        assert [f.status for f in of_trust] == [status, "fail"]
        assert of_trust[0].evidence.startswith('issuer "Acme CA" was not sent')
        assert "nameConstraints" in of_trust[1].evidence
        assert judged.outcome == "blocked"


def test_a_self_signed_leaf_and_all_other_faults_at_once() -> None:
    """There is no issuer to constrain it, and everything else is said."""
    judged = _judged([Make(**BAD_LEAF)])
    assert _failing(judged) == {**ALWAYS, "certificate-trust": 1}
    assert _trust_evidence(judged) == ["self-signed, and not in Apple's store (--ca-file adds it)"]


@pytest.mark.parametrize("number", range(1, 5))
def test_any_faults_together_give_the_sum_of_each_alone(number: int) -> None:
    """No fault hides or adds another: the findings of several are those of each."""
    faults = {
        "certificate-key-size": {"kind": "rsa1024"},
        "certificate-hostname": {"names": ("b.example.net",)},
        "certificate-validity": {"begins": NOW - 100 * DAY},
        "certificate-purpose": {"usage": (CLIENT_AUTH,)},
        "certificate-signature-hash": {"digest": "sha224"},
    }
    top = root()
    middle = issuing(top)
    for chosen in itertools.combinations(faults, number):
        changes = {k: v for name in chosen for k, v in faults[name].items()}
        judged = _judged([Make(signer=middle, **changes), middle], trusting(public=[top]))
        assert list(_failing(judged)) == [n for n in (f.requirement for f in judged.findings) if n in chosen]


def test_in_an_audit_the_reasons_of_one_requirement_stand_in_one_finding() -> None:
    """There a requirement has one finding for an address."""
    top = root("Acme CA")
    middle = issuing(top, "Acme Issuing", constraints=KEPT)
    found = findings([m.certificate for m in (Make(signer=middle), middle, top)], trusting())
    assert failing(found) == ["certificate-trust"]
    assert found["certificate-trust"].evidence == (
        'root "Acme CA" is not in Apple\'s store (--ca-file adds it), '
        'intermediate "Acme Issuing" may not issue for api.example.com (nameConstraints)'
    )


def test_a_root_as_if_preinstalled_is_asked_for_more() -> None:
    """It is judged as Apple's own are, and the report does not say that Apple ships it."""
    top = root()
    middle = issuing(top)
    chain = [Make(signer=middle, span=500 * DAY, usage=None), middle]
    as_if = TrustStore((), (), "", (top.certificate.der,))
    assert list(_failing(_judged(chain, as_if))) == ["certificate-purpose", "certificate-lifetime"]
    assert _failing(_judged(chain, trusting(installed=[top]))) == {}
    assert _trust_evidence(_judged(chain, as_if)) == ['root "Root", as if preinstalled (--public-root)']


def test_a_file_of_many_certificates() -> None:
    """A whole bundle around the chain does no harm; one that is cut is no proof that an issuer is missing."""
    top = root()
    middle = issuing(top)
    leaf = Make(signer=middle)
    others = [root(f"Other {i}") for i in range(120)]
    assert _judged([*others, leaf, middle], trusting(public=[top])).outcome == "allowed"
    many = [leaf, *(root(f"Other {i % 120}", serial=i + 1) for i in range(600)), middle]
    assert _judged(many, trusting(public=[top])).outcome == "inconclusive"


@pytest.mark.parametrize(
    ("signer", "digest", "status", "evidence"),
    [
        ("rsa2048", "sha256", "pass", "SHA-256 (leaf)"),
        ("rsa2048", "sha512", "pass", "SHA-512 (leaf)"),
        ("p256", "sha256", "pass", "SHA-256 (leaf)"),
        ("p384", "sha384", "pass", "SHA-384 (leaf)"),
        ("p384", "sha256", "unknown", "ecdsa_secp256r1_sha256 (leaf) with a key of another curve"),
        (
            "p521",
            "sha512",
            "fail",
            "ecdsa_secp521r1_sha512 (leaf); FCP_v2.1 asks for an algorithm that the client offered",
        ),
        ("p256", "sha512", "fail", "ecdsa_secp521r1_sha512 (leaf)"),
    ],
)
def test_under_fcp_the_leaf_is_signed_as_the_client_offered(
    signer: str, digest: str, status: str, evidence: str
) -> None:
    """NSRequiresNIAPTLSPackageVersion: the signature algorithm of the server's certificate is one of the hello."""
    top = root("Top", kind=signer)
    chain = [Make(signer=top, digest=digest).certificate]
    trust = trusting(installed=[top])
    found = findings(chain, trust, requires_offered_certificate_signature=True, niap_in_force=True)
    assert found["certificate-signature-hash"].status == status
    assert found["certificate-signature-hash"].evidence.startswith(evidence)
    key = "NSExceptionRequiresNIAPTLSPackageVersion" if status == "fail" else None
    assert found["certificate-signature-hash"].fixable_by == key
    assert findings(chain, trust)["certificate-signature-hash"].status == "pass"
    no_key = findings(chain, trust, requires_offered_certificate_signature=True)["certificate-signature-hash"]
    assert (no_key.status, no_key.fixable_by) == (status, None)


def test_a_name_that_is_not_utf_8_leaves_addresses_alone() -> None:
    """Only the dNSNames are dropped; and an iPAddress of another length is none."""
    mixed = alternative_names(with_raw_names(Make(), [b"a\xff.example.com", b"b.example.com"]))
    assert mixed is not None
    assert (mixed.dns, mixed.is_void, mixed.is_critical) == ((), True, False)
    odd = alternative_names(with_raw_names(Make(), [b"\x01\x02\x03\x04", b"\x01" * 5, b"\0" * 16], tag=0x87))
    assert odd is not None
    assert odd.addresses == ("1.2.3.4", "::")
    assert alternative_names(Make(names=None).certificate) is None
