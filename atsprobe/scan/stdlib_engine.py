"""One hello by Python's own ssl: TLS 1.3 with X25519MLKEM768, where it stands on OpenSSL 3.5 or newer.

Python lets nobody choose groups, suites of TLS 1.3 or signature algorithms, so that OpenSSL's own choice is what can be said;
what that is, is read off the hello itself.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from functools import cache
from typing import Any

from atsprobe.model.certificate import Certificate, UnreadableCertificate
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.endpoint import ip_address_of
from atsprobe.model.handshake import (
    HYBRID_GROUPS,
    Alert,
    Negotiated,
    NoAnswer,
    NotMade,
    Offer,
    Outcome,
    Refused,
    UnofferedVersion,
)
from atsprobe.scan.code_points import group_name, signature_scheme_name
from atsprobe.scan.connection import Then
from atsprobe.scan.listening_socket import ListeningSocket, TooManyBytes, connect
from atsprobe.scan.pace import Deadline, Interrupted
from atsprobe.scan.pumped_tls import PumpedTls
from atsprobe.scan.task import ScanTask
from atsprobe.scan.transcript import Transcript, application_data_records, read_client_hello, read_transcript

_NEEDED = (3, 5)
"""The first OpenSSL with ML-KEM (CHANGES of OpenSSL 3.5.0)."""

_ENCODING_DER = 2
"""As the module below ssl has it (Modules/_ssl.h, PY_SSL_ENCODING_DER)."""

_SUITES = {
    0x1301: "TLS_AES_128_GCM_SHA256",
    0x1302: "TLS_AES_256_GCM_SHA384",
    0x1303: "TLS_CHACHA20_POLY1305_SHA256",
    0x1304: "TLS_AES_128_CCM_SHA256",
    0x1305: "TLS_AES_128_CCM_8_SHA256",
}
_SIGNATURES = {
    "P-256": "ecdsa_secp256r1_sha256",
    "P-384": "ecdsa_secp384r1_sha384",
    "P-521": "ecdsa_secp521r1_sha512",
    "Ed25519": "ed25519",
    "Ed448": "ed448",
}
"""The one scheme with which a key of a kind can sign under TLS 1.3 (RFC 8446 §4.2.3); an RSA key has several."""


class StdlibEngine:
    """The engine that says one hello with a hybrid group, or none."""

    def hybrid_hello(self) -> Offer | None:
        """Give the hello that it can say; None where Python's OpenSSL is too old, or is configured to leave the group out."""
        hello = own_hello() if ssl.OPENSSL_VERSION_INFO >= _NEEDED else None
        return hello if hello and HYBRID_GROUPS.intersection(hello.groups) else None

    def attempt(self, task: ScanTask, offer: Offer, deadline: Deadline, then: Then | None) -> Outcome:
        """Make one connection with that hello, and no other; see `engine.attempt`. It asks for no stapled response."""
        hello = self.hybrid_hello()
        if hello is None:
            return NotMade(f"Python's own ssl stands on {ssl.OPENSSL_VERSION}, without hybrid groups")
        if offer != hello:
            return NotMade("Python's own ssl can say one hello alone")
        listening = ListeningSocket(connect(task.address, deadline), deadline, task.limits.max_bytes)
        try:
            return _handshake(task, listening, then)
        finally:
            listening.close()

    def widest_offers(self, version: TlsVersion) -> tuple[Offer, ...]:  # noqa: ARG002 (of the seam)
        """Give none: what it says is for one question."""
        return ()


@cache
def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the judge looks at certificates
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_3
    context.set_ciphers("ALL:@SECLEVEL=0")  # level 0: short keys are our subject
    return context


@cache
def own_hello() -> Offer:
    """Give what OpenSSL offers for TLS 1.3 when not told otherwise, read off a hello that goes nowhere."""
    outgoing = ssl.MemoryBIO()
    client = _context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="example.com")
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    hello = read_client_hello(outgoing.read())
    return Offer(
        versions=(TlsVersion.TLS_1_3,),
        cipher_suites=tuple(_SUITES[code] for code in hello.cipher_suites if code in _SUITES),
        groups=tuple(map(group_name, hello.groups)),
        signature_algorithms=tuple(map(signature_scheme_name, hello.signature_schemes)),
    )


def _handshake(task: ScanTask, listening: ListeningSocket, then: Then | None) -> Outcome:
    name = str(task.endpoint.host) if ip_address_of(task.endpoint.host) is None else None
    try:
        stream = PumpedTls(_context(), listening, name)
    except ValueError as error:
        return NotMade(str(error)[:200])
    failure: OSError | None = None
    try:
        stream.handshake()
    except Interrupted:
        raise
    except OSError as error:
        failure = error
    listening.stop_listening()
    transcript = read_transcript(bytes(listening.received))
    if failure:
        return _without_handshake(transcript, failure)
    negotiated = _negotiated(stream.tls, transcript, bytes(listening.sent))
    if then:
        then(stream)
    return negotiated


def _negotiated(tls: ssl.SSLObject, transcript: Transcript, sent: bytes) -> Negotiated:
    cipher = tls.cipher()
    chain = tuple(Certificate(der) for der in _chain(tls))
    return Negotiated(
        version=TlsVersion.TLS_1_3,
        cipher_suite=cipher[0] if cipher else "",  # under TLS 1.3 OpenSSL uses IANA's names
        group=None if transcript.group is None else group_name(transcript.group),
        signature_algorithm=_signature(chain),
        extended_master_secret=None,
        certificates=chain,
        wants_client_certificate=application_data_records(sent) > 1,  # an empty Certificate before our Finished
    )


def _chain(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    """Give what the server sent, DER; public since Python 3.13, and of the same name one layer below before."""
    found: Any = tls
    if hasattr(found, "get_unverified_chain"):
        return tuple(found.get_unverified_chain())
    return tuple(c.public_bytes(_ENCODING_DER) for c in found._sslobj.get_unverified_chain() or ())


def _signature(chain: tuple[Certificate, ...]) -> str | None:
    try:
        return _SIGNATURES.get(chain[0].key_type) if chain else None
    except UnreadableCertificate:
        return None


def _without_handshake(transcript: Transcript, error: OSError) -> Outcome:
    if not transcript.speaks_tls:
        return NoAnswer("not-tls")
    if transcript.version is not None and transcript.version != TlsVersion.TLS_1_3:
        with suppress(ValueError):
            return Refused(UnofferedVersion(TlsVersion(transcript.version)))
    if transcript.alert is not None:
        alert = Alert(transcript.alert)
        is_refusal = alert.speaks_of_the_offer and transcript.version is None
        return Refused(alert) if is_refusal else NoAnswer("alert", alert.name, alert)
    if isinstance(error, TooManyBytes):
        return NoAnswer("too-large", str(error))
    if isinstance(error, TimeoutError):
        return NoAnswer("timeout")
    if isinstance(error, ssl.SSLEOFError):
        return NoAnswer("closed")
    return NoAnswer("garbage" if isinstance(error, ssl.SSLError) else "reset")
