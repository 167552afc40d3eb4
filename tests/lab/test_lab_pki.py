"""The certificates of the lab are what they claim to be."""

from __future__ import annotations

import stat
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from atsprobe.lab import pki


@pytest.fixture(scope="module")
def authority():
    """A root and an intermediate below it."""
    root = pki.make_root("a root")
    return root, pki.issue_intermediate(root, "an intermediate")


def verified(tmp_path, root, identity, *, level: int = 2) -> str:
    """Ask openssl about a chain; give its last words."""
    (tmp_path / "root.pem").write_bytes(root.cert_pem)
    (tmp_path / "chain.pem").write_bytes(identity.chain_pem)
    command = [
        "openssl",
        "verify",
        "-auth_level",
        str(level),
        "-purpose",
        "sslserver",
        "-CAfile",
        str(tmp_path / "root.pem"),
    ]
    command += ["-untrusted", str(tmp_path / "chain.pem"), str(tmp_path / "chain.pem")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    return (done.stdout + done.stderr).strip()


@pytest.mark.parametrize("key", ["rsa2048", "rsa3072", "p256", "p384", "p521", "ed25519"])
def test_openssl_accepts_a_sound_chain_of_each_kind_of_key(tmp_path, authority, key):
    """Nothing is wrong with a leaf that is to be sound."""
    root, intermediate = authority
    leaf = pki.issue(intermediate, ["a.lab.example.com", "203.0.113.5"], key=key)
    assert verified(tmp_path, root, leaf).endswith("chain.pem: OK")


@pytest.mark.parametrize("hash_name", ["sha1", "md5"])
def test_weak_signatures_verify_and_say_what_they_are(tmp_path, authority, hash_name):
    """The signature with the exchanged algorithm is a valid one: openssl takes it where weak hashes are let through."""
    root, intermediate = authority
    leaf = pki.issue(intermediate, ["a.lab.example.com"], hash_name=hash_name)
    assert leaf.certificate.signature_hash_algorithm.name == hash_name
    assert verified(tmp_path, root, leaf, level=0).endswith("chain.pem: OK")
    assert "too weak" in verified(tmp_path, root, leaf, level=2)


def test_weak_signatures_of_roots_and_intermediates_verify(tmp_path):
    """CA certificates can be signed weakly too."""
    root = pki.make_root("a root", hash_name="sha1")
    leaf = pki.issue(pki.issue_intermediate(root, "an intermediate", hash_name="sha1"), ["a.lab.example.com"])
    assert [one.certificate.signature_hash_algorithm.name for one in leaf.chain] == ["sha256", "sha1", "sha1"]
    assert verified(tmp_path, root, leaf, level=0).endswith("chain.pem: OK")


def test_a_weak_signature_needs_an_rsa_key():
    """What cannot be done is refused, and not done with another hash."""
    root = pki.make_root("a root", key="p256")
    with pytest.raises(ValueError, match="RSA"):
        pki.issue(root, ["a.lab.example.com"], hash_name="sha1")


def test_the_lifetime_counts_both_ends():
    """A leaf of 825 days lives 825 days to the second, as Apple counts; the first and last second belong to it."""
    root = pki.make_root("a root")
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    leaf = pki.issue(root, ["a.lab.example.com"], not_before=begins, days=825).certificate
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(days=825) - timedelta(seconds=1)


def test_names_and_purposes_can_be_left_out(authority):
    """No names: no subjectAltName; no purposes: no extended key usage."""
    leaf = pki.issue(authority[1], [], eku=(), common_name="a.lab.example.com").certificate
    for kind in (x509.SubjectAlternativeName, x509.ExtendedKeyUsage):
        with pytest.raises(x509.ExtensionNotFound):
            leaf.extensions.get_extension_for_class(kind)


def test_addresses_are_written_as_addresses(authority):
    """An IP address is an iPAddress, which is where clients look for it (RFC 6125 appendix B.2)."""
    leaf = pki.issue(authority[1], ["203.0.113.5", "a.lab.example.com"]).certificate
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["203.0.113.5"]
    assert names.get_values_for_type(x509.DNSName) == ["a.lab.example.com"]


def test_a_chain_is_sent_without_its_root(authority):
    """The leaf comes first and the root stays at home; a self-signed certificate is sent as it is."""
    leaf = pki.issue(authority[1], ["a.lab.example.com"])
    assert x509.load_pem_x509_certificates(leaf.chain_pem) == [one.certificate for one in leaf.chain[:2]]
    alone = pki.self_signed(["a.lab.example.com"])
    assert x509.load_pem_x509_certificates(alone.chain_pem) == [alone.certificate]


def test_private_keys_are_for_their_owner_alone(tmp_path, authority):
    """A key file is never readable by others, also where a readable one lay before."""
    (tmp_path / "leaf.key").write_text("an old one")
    pki.issue(authority[1], ["a.lab.example.com"]).write(tmp_path / "leaf")
    assert stat.S_IMODE((tmp_path / "leaf.key").stat().st_mode) == 0o600
    assert b"PRIVATE KEY" in (tmp_path / "leaf.key").read_bytes()
