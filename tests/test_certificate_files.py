"""Certificates from files: Apple's store, bundles in PEM and DER, and everything that people give instead."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
    pkcs12,
)

from atsprobe.certificate_files import CertificateFileProblem, apple_roots, read_chain, read_roots
from atsprobe.model.certificate import Certificate

KEY = ec.generate_private_key(ec.SECP256R1())
PLAIN = NoEncryption()
HINT = "give the file that begins with -----BEGIN CERTIFICATE-----"


def _made(name: str) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return (x509.CertificateBuilder(subject, subject, KEY.public_key(), 7, start, start + dt.timedelta(days=90))).sign(
        KEY, hashes.SHA256()
    )


ONE, TWO = _made("one"), _made("two")
PEM_ONE, PEM_TWO = ONE.public_bytes(Encoding.PEM), TWO.public_bytes(Encoding.PEM)
DER_ONE, DER_TWO = ONE.public_bytes(Encoding.DER), TWO.public_bytes(Encoding.DER)


def _key(encoding: Encoding, encryption=PLAIN) -> bytes:
    return KEY.private_bytes(encoding, PrivateFormat.PKCS8, encryption)


def _csr() -> bytes:
    return x509.CertificateSigningRequestBuilder(ONE.subject).sign(KEY, hashes.SHA256()).public_bytes(Encoding.PEM)


def test_apples_roots_are_there_and_named() -> None:
    """The store that sslyze ships: public roots only, each readable, with the version in the title."""
    store = apple_roots()
    assert len(store.public) > 100
    assert store.installed == ()
    assert store.title.startswith("Apple roots ")
    assert store.title.removeprefix("Apple roots ")[0].isdigit()
    others = [c.subject for c in map(Certificate, store.public) if not c.is_self_signed]
    assert all("O=Apple Inc." in subject for subject in others)  # Apple lists one issuing CA of its own
    assert apple_roots() is store


def test_reading_apples_roots_imports_no_engine() -> None:
    """sslyze is found on disk and not run; nor is a certificate parsed before one is needed."""
    code = (
        "import sys, warnings; warnings.simplefilter('error')\n"
        "from atsprobe.certificate_files import apple_roots\n"
        "from atsprobe.model.certificate import Certificate\n"
        "[Certificate(der).key_type for der in apple_roots().public]\n"
        "sys.exit(1 if {'sslyze', 'nassl', 'dns'} & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (PEM_ONE, (DER_ONE,)),
        (PEM_ONE + PEM_TWO, (DER_ONE, DER_TWO)),
        (PEM_TWO + PEM_ONE, (DER_TWO, DER_ONE)),
        (DER_ONE, (DER_ONE,)),
        (PEM_ONE.replace(b"\n", b"\r\n"), (DER_ONE,)),
        (b"\xef\xbb\xbfBag Attributes\n  localKeyID: 1\n" + PEM_ONE + b"\ntrailing words\n", (DER_ONE,)),
        (_key(Encoding.PEM) + PEM_ONE, (DER_ONE,)),
        (PEM_ONE.replace(b" CERTIFICATE", b" X509 CERTIFICATE"), (DER_ONE,)),
    ],
    ids=["pem", "bundle", "other order", "der", "crlf", "words around", "key beside it", "old label"],
)
def test_what_is_read(tmp_path: Path, content: bytes, expected) -> None:
    """PEM with anything around it, or one DER certificate; the order is kept."""
    file = tmp_path / "chain.pem"
    file.write_bytes(content)
    assert read_roots(str(file)) == expected
    assert tuple(c.der for c in read_chain([str(file)])) == expected


def test_a_chain_from_several_files_has_no_doubles(tmp_path: Path) -> None:
    """Files are read in the order given; a certificate that stands in two of them counts once."""
    (tmp_path / "a.pem").write_bytes(PEM_ONE + PEM_TWO)
    (tmp_path / "b.der").write_bytes(DER_TWO)
    paths = [str(tmp_path / "a.pem"), str(tmp_path / "b.der")]
    assert [c.der for c in read_chain(paths)] == [DER_ONE, DER_TWO]


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (b"", "the file is empty", HINT),
        (b" \n\n", "the file is empty", HINT),
        (_key(Encoding.PEM), "a private key, not a certificate", HINT),
        (_key(Encoding.PEM, BestAvailableEncryption(b"x")), "a private key, not a certificate", HINT),
        (_key(Encoding.DER), "a private key, not a certificate", HINT),
        (_key(Encoding.DER, BestAvailableEncryption(b"x")), "a private key, not a certificate", HINT),
        (
            KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "a public key, not a certificate",
            HINT,
        ),
        (_csr(), "a certificate request, not a certificate", "give the certificate that the CA made of it"),
        (
            pkcs7.serialize_certificates([ONE], Encoding.PEM),
            "a PKCS #7 bundle",
            "openssl pkcs7 -print_certs -in FILE -out chain.pem",
        ),
        (pkcs7.serialize_certificates([ONE], Encoding.DER), "a PKCS #12 or PKCS #7 bundle", None),
        (
            pkcs12.serialize_key_and_certificates(b"x", KEY, ONE, None, BestAvailableEncryption(b"x")),
            "a PKCS #12 or PKCS #7 bundle",
            None,
        ),
        (b"hello\n", "no certificate in it (neither PEM nor DER)", HINT),
        (b"-----BEGIN NONSENSE-----\n-----END NONSENSE-----\n", "no certificate in it", HINT),
        (PEM_ONE[:200], "certificate number 1 has no END line", "is the file cut short?"),
        (PEM_ONE + PEM_TWO[:200], "certificate number 2 has no END line", "is the file cut short?"),
        (PEM_ONE.replace(b"MII", b"M!!", 1), "certificate number 1 is broken (not base64)", ""),
        (DER_ONE[:-9], "no certificate in it (neither PEM nor DER)", HINT),
    ],
)
def test_what_is_refused(tmp_path: Path, content: bytes, message: str, hint: str | None) -> None:
    """One line that names the file and the reason, and what to do about it."""
    file = tmp_path / "given"
    file.write_bytes(content)
    with pytest.raises(CertificateFileProblem) as problem:
        read_chain([str(file)])
    assert str(problem.value) == f"{file}: {message}"
    assert hint is None or problem.value.hint == hint
    assert "\n" not in str(problem.value)


def test_a_broken_certificate_is_named_by_its_number(tmp_path: Path) -> None:
    """A bundle whose second certificate is no certificate says so."""
    broken = bytearray(PEM_TWO)
    broken[28:36] = b"AAAAAAAA"
    file = tmp_path / "bundle.pem"
    file.write_bytes(PEM_ONE + bytes(broken))
    with pytest.raises(CertificateFileProblem, match=r"bundle\.pem: certificate number 2 is broken \("):
        read_roots(str(file))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing.pem", "missing.pem: no such file"),
        (".", ".: a directory, not a file of certificates"),
        ("a\0b", "a\0b: cannot be read (embedded null byte)"),
        ("x" * 300, "x" * 300 + ": cannot be read (file name too long)"),
        ("missing/file", "missing/file: no such file"),
    ],
)
def test_paths_that_lead_nowhere(tmp_path: Path, monkeypatch, path: str, message: str) -> None:
    """The path is repeated as it was typed."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CertificateFileProblem) as problem:
        read_roots(path)
    assert str(problem.value) == message


def test_a_file_without_end_is_left(tmp_path: Path) -> None:
    """Ten megabytes are no chain of certificates, and no more of it is read."""
    file = tmp_path / "huge.pem"
    with file.open("wb") as out:
        out.truncate(11 << 20)
    with pytest.raises(CertificateFileProblem, match="more than 10 MB"):
        read_roots(str(file))
