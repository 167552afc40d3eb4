"""Each server of the lab serves what its row says, as clients see it that owe nothing to atsprobe."""

from __future__ import annotations

import socket
import ssl
import subprocess
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from real_client import EVERYTHING, OLD_VERSIONS, ats_hello, curl, s_client

from atsprobe.lab.server import Tls
from atsprobe.lab.servers import SERVERS, server_named

pytestmark = pytest.mark.lab

TLS_NAMES = [s.name for s in SERVERS if s.scheme == "https" and any(isinstance(one, Tls) for one in s.listeners)]
CERTIFICATE_ERRORS = {
    "certificate-key-size": {"EE certificate key too weak", "CA certificate key too weak"},
    "certificate-signature-hash": {"CA signature digest algorithm too weak"},
    "certificate-hostname": {"hostname mismatch"},
    "certificate-validity": {"certificate has expired", "certificate is not yet valid"},
    "certificate-trust": {
        "self-signed certificate",
        "self-signed certificate in certificate chain",
        "unable to verify the first certificate",
        "unable to get local issuer certificate",
    },
    "certificate-purpose": {"unsuitable certificate purpose", "unsupported certificate purpose"},
    "certificate-lifetime": {"OK"},
    "certificate-revocation": {"OK"},
}
"""What OpenSSL says where a requirement on certificates fails; it knows no limit on the lifetime, and reads no staple."""

FIRST_CHOICES = {
    "rsa-leaf-expired": ("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    "ecdsa-leaf-expired": ("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    "modern": ("TLSv1.3", "TLS_AES_256_GCM_SHA384"),
    "tls13": ("TLSv1.3", "TLS_AES_256_GCM_SHA384"),
    "tls10": ("TLSv1", "ECDHE-RSA-AES256-SHA"),
    "tls11": ("TLSv1.1", "ECDHE-RSA-AES256-SHA"),
    "static-rsa": ("TLSv1.2", "AES256-GCM-SHA384"),
    "tls10-static-rsa": ("TLSv1", "AES256-SHA"),
    "dhe": ("TLSv1.2", "DHE-RSA-AES256-GCM-SHA384"),
    "cbc-sha384": ("TLSv1.2", "ECDHE-RSA-AES256-SHA384"),
    "chacha20": ("TLSv1.2", "ECDHE-RSA-CHACHA20-POLY1305"),
    "cbc-sha": ("TLSv1.2", "ECDHE-RSA-AES256-SHA"),
    "static-rsa-cbc-sha256": ("TLSv1.2", "AES256-SHA256"),
    "anonymous": ("TLSv1.2", "AECDH-AES256-SHA"),
    "also-weak": ("TLSv1.3", "TLS_AES_256_GCM_SHA384"),
    "no-ems": ("TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384"),
    "ed25519": ("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"),
    "neglected": ("TLSv1", "AES256-SHA"),
    "redirect-tls10-https": ("TLSv1", "ECDHE-RSA-AES256-SHA"),
}
"""What a client that offers everything gets; TLS 1.3 where nothing stands here."""


@pytest.mark.parametrize("name", TLS_NAMES)
def test_a_client_that_offers_everything_gets_the_version_and_suite_of_the_row(lab, name):
    """The server is up and speaks the version and suite that its description names."""
    seen = s_client(lab, name, *EVERYTHING)
    assert seen is not None
    version, suite = FIRST_CHOICES.get(name, ("TLSv1.3", "TLS_AES_256_GCM_SHA384"))
    assert (seen.version, seen.suite) == (version, suite)


@pytest.mark.parametrize("name", TLS_NAMES)
def test_a_client_limited_to_the_suites_of_ats_agrees_with_the_verdict(lab, name):
    """The expected verdict is the truth: openssl, restricted to the hello of iOS 26, passes or fails as the row says."""
    server = lab.server(name)
    expected = server.expected
    default = [s_client(lab, name, *ats_hello(), address=address) for address in server.addresses]
    fails_in_tls = {"tls-version", "forward-secrecy", "cipher-suite"}.intersection(expected.failing)
    if fails_in_tls:
        assert None in default
    if expected.verdict == "pass":
        assert [seen.verification if seen else None for seen in default] == ["OK"] * len(default)
    elif expected.verdict == "exception-required":
        eased = [s_client(lab, name, *ats_hello(expected.minimal_exception), address=a) for a in server.addresses]
        assert [seen.verification if seen else None for seen in eased] == ["OK"] * len(eased)
    elif expected.verdict == "blocked" and "cipher-suite" in fails_in_tls:
        widest = {"NSExceptionRequiresForwardSecrecy": False, "NSExceptionMinimumTLSVersion": "TLSv1.0"}
        assert s_client(lab, name, *ats_hello(widest)) is None
    elif expected.verdict == "blocked" and not fails_in_tls and name != "no-san":  # openssl falls back on the subject
        assert default[0] is not None
        assert default[0].verification in CERTIFICATE_ERRORS[expected.failing[0]]


@pytest.mark.parametrize(
    ("name", "only"),
    [("tls10", "TLSv1"), ("tls11", "TLSv1.1"), ("tls13", "TLSv1.3"), ("static-rsa", "TLSv1.2"), ("dhe", "TLSv1.2")],
)
def test_a_server_of_one_version_refuses_every_other(lab, name, only):
    """`only` means only: each other version is refused."""
    for version in {*OLD_VERSIONS.values(), "TLSv1.2", "TLSv1.3"} - {only}:
        offer = ("-min_protocol", version, "-max_protocol", version, "-cipher", "ALL:@SECLEVEL=0")
        assert s_client(lab, name, *offer) is None
    assert s_client(lab, name, "-min_protocol", only, "-max_protocol", only, "-cipher", "ALL:@SECLEVEL=0") is not None


def test_the_minimal_version_of_tls11_is_no_lower_than_needed(lab):
    """TLS 1.1 is the highest floor that helps, and the forward-secret suites need no second key."""
    assert s_client(lab, "tls11", *ats_hello({"NSExceptionMinimumTLSVersion": "TLSv1.1"})) is not None
    assert s_client(lab, "tls10", *ats_hello({"NSExceptionMinimumTLSVersion": "TLSv1.1"})) is None
    assert s_client(lab, "tls10-static-rsa", *ats_hello({"NSExceptionMinimumTLSVersion": "TLSv1.0"})) is None


def leaves(lab, name: str, *arguments: str) -> list[x509.Certificate]:
    """Give the certificates that a row sends."""
    server = lab.server(name)
    command = ["openssl", "s_client", "-showcerts", "-connect", f"127.0.0.1:{lab.port(name)}"]
    command += ["-servername", server.full_host, *(arguments or EVERYTHING)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)
    blocks = done.stdout.split(b"-----BEGIN CERTIFICATE-----")[1:]
    pems = [b"-----BEGIN CERTIFICATE-----" + b.split(b"-----END")[0] + b"-----END CERTIFICATE-----\n" for b in blocks]
    return [x509.load_pem_x509_certificate(pem) for pem in pems]


def test_key_types_and_sizes_are_those_of_the_rows(lab):
    """RSA 1024 and 2048, P-256, P-384 and Ed25519 are really sent."""
    assert leaves(lab, "rsa1024")[0].public_key().key_size == 1024
    assert leaves(lab, "modern")[0].public_key().key_size == 2048
    assert isinstance(leaves(lab, "p256")[0].public_key().curve, ec.SECP256R1)
    assert isinstance(leaves(lab, "p384")[0].public_key().curve, ec.SECP384R1)
    assert leaves(lab, "ed25519")[0].signature_hash_algorithm.name == "sha256"
    weak = leaves(lab, "rsa1024-intermediate")
    assert [one.public_key().key_size for one in weak] == [2048, 1024]


def test_weak_signatures_are_on_the_certificate_of_the_row_alone(lab):
    """SHA-1 and MD5 sign the leaf, or the intermediate, and nothing else of the chain."""

    def hashes(name: str) -> list[str]:
        return [one.signature_hash_algorithm.name for one in leaves(lab, name)]

    assert hashes("sha1") == ["sha1", "sha256"]
    assert hashes("md5") == ["md5", "sha256"]
    assert hashes("sha1-intermediate") == ["sha256", "sha1"]
    assert hashes("sha1-root") == ["sha256", "sha1"]


def test_both_leaves_of_the_server_with_two_are_to_be_had(lab):
    """A client that verifies RSA alone gets the RSA leaf, one that verifies ECDSA alone the other."""
    offer = ("-max_protocol", "TLSv1.2", "-cipher")
    assert isinstance(leaves(lab, "rsa-and-ecdsa", *offer, "aRSA")[0].public_key(), rsa.RSAPublicKey)
    assert isinstance(leaves(lab, "rsa-and-ecdsa", *offer, "aECDSA")[0].public_key(), ec.EllipticCurvePublicKey)


def test_chains_have_the_shape_of_the_rows(lab):
    """What is missing is missing, what is misordered is misordered, and the big chain is big."""
    assert [len(leaves(lab, n)) for n in ("modern", "missing-intermediate", "missing-intermediate-unnamed")] == [
        2,
        1,
        1,
    ]
    leaf, second, third = leaves(lab, "misordered-chain")
    assert second.issuer == second.subject
    assert third.subject == leaf.issuer
    assert len(leaves(lab, "big-chain")[0].public_bytes(Encoding.DER)) > 60_000
    self_signed = leaves(lab, "self-signed")[0]
    assert self_signed.issuer == self_signed.subject


def test_one_leaf_without_its_intermediate_names_the_issuer_and_the_other_does_not(lab):
    """The two rows of a missing intermediate differ in caIssuers alone."""
    named, unnamed = (leaves(lab, n)[0] for n in ("missing-intermediate", "missing-intermediate-unnamed"))
    assert named.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
    with pytest.raises(x509.ExtensionNotFound):
        unnamed.extensions.get_extension_for_class(x509.AuthorityInformationAccess)


@pytest.mark.parametrize("name", ["wrong-host", "no-san"])
def test_a_client_that_reads_subject_alternative_names_alone_finds_another_host(lab, name):
    """The leaf does not name its host where clients look today, though its chain is sound."""
    context = ssl.create_default_context(cafile=str(lab.ca_file))
    context.hostname_checks_common_name = False
    with (
        socket.create_connection(("127.0.0.1", lab.port(name)), timeout=10) as connection,
        pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"),
    ):
        context.wrap_socket(connection, server_hostname=lab.server(name).full_host)


def test_a_long_lifetime_is_between_the_limits(lab):
    """900 days are above Apple's 825 for every root."""
    leaf = leaves(lab, "900-days")[0]
    assert 825 < (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days <= 900


def test_the_neglected_server_has_every_fault_of_its_row(lab):
    """Version, key exchange, key size, hash, host, validity and trust all fail at once."""
    leaf, root = leaves(lab, "neglected")
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert leaf.public_key().key_size == 1024
    assert leaf.signature_hash_algorithm.name == "sha1"
    assert lab.server("neglected").full_host not in names.get_values_for_type(x509.DNSName)
    assert leaf.not_valid_after_utc < datetime.now(UTC)
    assert root.subject not in {c.subject for c in x509.load_pem_x509_certificates(lab.ca_file.read_bytes())}


def test_extended_master_secret_is_left_out_where_the_row_says_so(lab):
    """no-ems negotiates TLS 1.2 without RFC 7627; modern has it on TLS 1.2."""

    def has_it(name: str) -> bool:
        port = lab.port(name)
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-max_protocol", "TLSv1.2"]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
        )
        return "Extended master secret: yes" in done.stdout

    assert has_it("modern")
    assert not has_it("no-ems")


def test_a_single_group_is_enforced(lab):
    """x25519 refuses a client that has P-256 alone, though it would do static RSA."""
    assert s_client(lab, "x25519", *EVERYTHING).key.startswith("X25519")
    assert s_client(lab, "x25519", *EVERYTHING, "-groups", "P-256") is None


def test_a_client_certificate_is_asked_for(lab):
    """The handshake completes without one, and the answer is 400."""
    assert " 400 " in curl(lab, "client-certificate").splitlines()[0]


@pytest.mark.parametrize("name", ["plain", "http-and-https", "sends-back", "local-name", "http-on-tls-port"])
def test_http_is_answered_in_the_clear(lab, name):
    """A port that speaks HTTP answers it, whatever else it does."""
    assert curl(lab, name, scheme="http").startswith("HTTP/1.1 200")


@pytest.mark.parametrize("name", ["redirect", "redirect-expired", "redirect-tls10"])
def test_redirects_lead_to_the_port_of_the_next_row(lab, name):
    """Location names https of the same host, on the port where its https row is."""
    head = curl(lab, name).lower().splitlines()
    assert head[0].startswith("http/1.1 301")
    there = lab.server(f"{name}-https")
    assert f"location: https://{there.full_host}:{there.port(lab.base_port)}/" in head


def test_https_on_the_port_of_http_answers_as_its_row_says(lab):
    """One is a sound replacement, the other sends back into the clear."""
    assert curl(lab, "http-and-https", scheme="https").startswith("HTTP/1.1 200")
    sent_back = curl(lab, "sends-back", scheme="https").lower().splitlines()
    assert sent_back[0].startswith("http/1.1 301")
    host = server_named("sends-back").full_host
    assert f"location: http://{host}:{lab.port('sends-back')}/" in sent_back


def test_http_that_closes_gives_no_answer(lab):
    """An empty reply, not a status."""
    assert curl(lab, "http-closes") == ""


def test_nothing_listens_where_the_row_says_refused(lab):
    """TCP itself is refused."""
    done = subprocess.run(["curl", "-s", f"http://127.0.0.1:{lab.port('refuses')}/"], timeout=20, check=False)
    assert done.returncode == 7  # curl: failed to connect


@pytest.mark.parametrize(("name", "status"), [("revoked-staple", "revoked"), ("good-staple", "good")])
def test_staples_say_what_their_row_does(lab, name, status):
    """The response comes with the handshake, and says so."""
    host = lab.server(name).full_host
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{lab.port(name)}", "-servername", host, "-status"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False)
    assert f"Cert Status: {status}" in done.stdout


@pytest.mark.parametrize(("name", "status"), [("revoked", "revoked"), ("not-revoked", "good")])
def test_the_responder_answers_a_client_that_is_not_ours(lab, name, status):
    """By POST, about the leaf of the row, with a signature that the lab's root stands behind."""
    pki = lab.directory / "pki"
    leaf, issuer = pki / f"{name}-0.pem", lab.directory / "issuer.pem"
    issuer.write_text("-----BEGIN" + leaf.read_text().split("-----BEGIN")[2])
    url = f"http://127.0.0.1:{lab.port('responder')}/ocsp/{name}-0"
    command = ["openssl", "ocsp", "-issuer", issuer, "-cert", leaf, "-url", url, "-CAfile", lab.ca_file, "-no_nonce"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert "Response verify OK" in done.stderr, done.stderr
    assert f"{leaf}: {status}" in done.stdout


def test_the_responder_answers_a_get_and_gives_out_the_list(lab):
    """An OCSP request may stand in the path; the list has the row's leaf alone, and lies at the URL that the leaf names."""
    import urllib.request

    base = f"http://127.0.0.1:{lab.port('responder')}"
    with urllib.request.urlopen(f"{base}/ocsp/revoked-0/MFEwTzBNMEswSTAJ", timeout=10) as answer:
        assert answer.read() == (lab.directory / "pki/ocsp/revoked-0").read_bytes()
    with urllib.request.urlopen(f"{base}/lab.crl", timeout=10) as answer:
        crl = x509.load_der_x509_crl(answer.read())
    leaf = x509.load_pem_x509_certificate((lab.directory / "pki/crl-revoked-0.pem").read_bytes())
    assert [entry.serial_number for entry in crl] == [leaf.serial_number]
    points = leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert points[0].full_name[0].value == f"http://responder.lab.example.com:{lab.port('responder')}/lab.crl"


@pytest.mark.parametrize("path", ["/ocsp/../../ca.pem", "/../revoked-0.key", "/ocsp/nobody", "/ocsp/%2e%2e", "/x"])
def test_the_responder_gives_out_nothing_else(lab, path):
    """Keys lie near what it serves."""
    with socket.create_connection(("127.0.0.1", lab.port("responder")), timeout=5) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 404")
