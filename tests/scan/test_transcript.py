"""Facts are read off the server's bytes, and hostile bytes never raise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atsprobe.scan.transcript import application_data_records, key_exchange_facts, read_transcript


def record(kind, payload, version=b"\x03\x03"):
    return bytes([kind]) + version + len(payload).to_bytes(2, "big") + payload


def message(kind, body):
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def extension(kind, data):
    return kind.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data


def server_hello(version=b"\x03\x03", suite=b"\xc0\x2f", extensions=b"", random=bytes(32)):
    tail = len(extensions).to_bytes(2, "big") + extensions if extensions else b""
    return message(2, version + random + b"\x00" + suite + b"\x00" + tail)


CHAIN = message(11, (10).to_bytes(3, "big") + b"\x00\x00\x02ab\x00\x00\x02cd")
X25519_SIGNED = message(12, b"\x03\x00\x1d\x20" + bytes(32) + b"\x08\x04" + b"\x00\x02xx")
DONE = message(14, b"")
TLS_1_2_FLIGHT = (
    server_hello(extensions=extension(23, b""))
    + CHAIN
    + message(22, b"\x01\x00\x00\x03ocs")
    + X25519_SIGNED
    + message(13, b"\x01\x01\x00\x00\x00\x00")
    + DONE
)


def test_a_flight_of_tls_1_2():
    """Version, chain, staple, group, signature, EMS and the wish for a client certificate all stand in the clear."""
    seen = read_transcript(record(22, TLS_1_2_FLIGHT))
    assert (seen.version, seen.certificates, seen.ocsp_response) == (0x0303, (b"ab", b"cd"), b"ocs")
    assert (seen.extended_master_secret, seen.wants_client_certificate, seen.complete) == (True, True, True)
    assert key_exchange_facts(seen, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256") == ("x25519", "rsa_pss_rsae_sha256")


@pytest.mark.parametrize("size", [1, 3, 50])
def test_messages_may_be_cut_anywhere_into_records(size):
    """A message that spans records is put together again."""
    cut = b"".join(record(22, TLS_1_2_FLIGHT[i : i + size]) for i in range(0, len(TLS_1_2_FLIGHT), size))
    assert read_transcript(cut) == read_transcript(record(22, TLS_1_2_FLIGHT))


def test_tls_1_3_after_a_retry():
    """HelloRetryRequest is no ServerHello; the version stands in supported_versions, the group in key_share."""
    retry = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
    versions = extension(43, b"\x03\x04")
    asked = record(22, server_hello(extensions=versions + extension(51, b"\x00\x18"), random=retry)) + record(
        20, b"\x01"
    )
    assert read_transcript(asked).version is None
    seen = read_transcript(asked + record(22, server_hello(extensions=versions + extension(51, b"\x00\x18\x00\x01x"))))
    assert seen.version == 0x0304
    assert key_exchange_facts(seen, "TLS_AES_128_GCM_SHA256") == ("secp384r1", None)


def test_only_a_fatal_alert_counts():
    """A warning (RFC 6066: unrecognized_name may be one) refuses nothing."""
    assert read_transcript(record(21, b"\x01\x70") + record(21, b"\x02\x28")).alert == 40
    assert read_transcript(record(21, b"\x01\x70")).alert is None


def test_what_is_encrypted_is_not_read():
    """After ChangeCipherSpec up to TLS 1.2, an alert's bytes are ciphertext."""
    data = record(22, server_hello()) + record(20, b"\x01") + record(21, b"\x02\x28")
    assert read_transcript(data).alert is None


@pytest.mark.parametrize(
    "first", [b"HTTP/1.1 400 Bad Request\r\n", b"SSH-2.0-x\r\n", b"220 mail\r\n", b"\x00\x00", b"\x16\x00\x01"]
)
def test_what_is_no_tls(first):
    """Other protocols are told by their first two bytes."""
    assert not read_transcript(first).speaks_tls
    assert read_transcript(b"").speaks_tls


@pytest.mark.parametrize(
    ("suite", "exchange", "expected"),
    [
        ("TLS_RSA_WITH_AES_128_CBC_SHA", b"", (None, None)),
        ("TLS_DHE_RSA_WITH_AES_128_CBC_SHA", b"\x00\x01p\x00\x01g\x00\x01y\x04\x01", (None, "rsa_pkcs1_sha256")),
        ("TLS_ECDH_anon_WITH_AES_128_CBC_SHA", b"\x03\x00\x17\x01x", ("secp256r1", None)),
        ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", b"\x01\x00\x17", (None, None)),
        ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", b"\x03\x00", (None, None)),
        ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", b"\x03\xfe\x01\x01x\xfe\xfe", ("0xfe01", "0xfefe")),
    ],
)
def test_the_key_exchange_is_read_by_the_suite(suite, exchange, expected):
    """Static RSA has none, DHE no group, anonymous no signature, explicit curves no name; unknown numbers stay numbers."""
    seen = read_transcript(record(22, server_hello() + message(12, exchange)))
    assert key_exchange_facts(seen, suite) == expected


def test_records_sent_are_counted_by_kind():
    """Only application data counts: the client's flight under TLS 1.3, not its hello nor ChangeCipherSpec."""
    sent = record(22, b"hello") + record(20, b"\x01") + record(23, bytes(25)) + record(23, bytes(53))
    assert application_data_records(sent) == 2


@given(st.binary(max_size=400), st.integers(0, 400))
def test_no_bytes_make_it_raise(noise, at):
    """Whatever replaces the tail of a good flight, reading it ends quietly."""
    flight = record(22, TLS_1_2_FLIGHT)
    seen = read_transcript(flight[: min(at, len(flight))] + noise)
    key_exchange_facts(seen, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
    key_exchange_facts(seen, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256")
