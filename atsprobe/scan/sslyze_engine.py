"""Handshakes by sslyze's connection layer and nassl; the only importer of both.

Two OpenSSLs are at hand. The modern one (1.1.1) says every hello of TLS 1.0 to 1.3, exactly as offered. The legacy one
(1.0.2) says SSL 2, SSL 3 and what the modern one has dropped (export, DES, static Diffie-Hellman), with
groups and signature algorithms that cannot be changed.
"""

from __future__ import annotations

import re
import ssl
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any, cast

from nassl._nassl import OpenSSLError, WantReadError
from nassl.ephemeral_key_info import OpenSslEcNidEnum
from nassl.legacy_ssl_client import LegacySslClient
from nassl.ssl_client import (
    BaseSslClient,
    ClientCertificateRequested,
    OpenSslVerifyEnum,
    OpenSslVersionEnum,
    SslClient,
)
from sslyze.connection_helpers.tls_connection import SslConnection
from sslyze.plugins.openssl_cipher_suites.cipher_suites import CipherSuitesRepository
from sslyze.server_connectivity import TlsVersionEnum
from sslyze.server_setting import ServerNetworkConfiguration, ServerNetworkLocation

from atsprobe.model.certificate import Certificate, UnreadableCertificate
from atsprobe.model.cipher_suite import TlsVersion
from atsprobe.model.endpoint import ip_address_of
from atsprobe.model.handshake import Alert, Negotiated, NoAnswer, NotMade, Offer, Outcome, Refused, UnofferedVersion
from atsprobe.scan import openssl_hello
from atsprobe.scan.code_points import GROUPS
from atsprobe.scan.connection import AlertReceived, Then
from atsprobe.scan.listening_socket import ListeningSocket, TooManyBytes, connect
from atsprobe.scan.openssl_hello import CannotSay, Hello, Vocabulary
from atsprobe.scan.pace import Deadline, Interrupted
from atsprobe.scan.task import ScanTask
from atsprobe.scan.transcript import (
    Transcript,
    application_data_records,
    key_exchange_facts,
    read_client_hello,
    read_transcript,
)

_VERSIONS = {
    TlsVersion.SSL_2_0: TlsVersionEnum.SSL_2_0,
    TlsVersion.SSL_3_0: TlsVersionEnum.SSL_3_0,
    TlsVersion.TLS_1_0: TlsVersionEnum.TLS_1_0,
    TlsVersion.TLS_1_1: TlsVersionEnum.TLS_1_1,
    TlsVersion.TLS_1_2: TlsVersionEnum.TLS_1_2,
    TlsVersion.TLS_1_3: TlsVersionEnum.TLS_1_3,
}
_FLEXIBLE = cast(TlsVersionEnum, OpenSslVersionEnum.SSLV23)
"""OpenSSL's client of several versions, which TlsVersionEnum leaves out."""

_NIDS_OF_GROUPS = {nid.name.lower(): nid.value for nid in OpenSslEcNidEnum}
_GROUP_NIDS = {name: _NIDS_OF_GROUPS[name.lower()] for name in GROUPS.values() if name.lower() in _NIDS_OF_GROUPS}


class SslyzeEngine:
    """The engine that says every hello but those with a hybrid group."""

    def attempt(self, task: ScanTask, offer: Offer, deadline: Deadline, then: Then | None) -> Outcome:
        """Make one connection with one hello; see `engine.attempt`."""
        try:
            connection = _connection(task, _hello(offer))
        except (CannotSay, OpenSSLError, ValueError) as error:
            return NotMade(str(error)[:200])
        listening = ListeningSocket(connect(task.address, deadline), deadline, task.limits.max_bytes)
        try:
            connection.ssl_client.set_underlying_socket(cast(Any, listening))
            return _handshake(connection.ssl_client, listening, offer, then)
        finally:
            listening.close()

    def hybrid_hello(self) -> None:
        """Give none: neither OpenSSL knows a hybrid group."""

    def widest_offers(self, version: TlsVersion) -> tuple[Offer, ...]:
        """Give the hellos of one version that together hold sslyze's whole catalogue."""
        return _widest_offers(version)


@cache
def _widest_offers(version: TlsVersion) -> tuple[Offer, ...]:
    return openssl_hello.widest_offers(version, _vocabulary())


@lru_cache(maxsize=1024)
def _hello(offer: Offer) -> Hello:
    return openssl_hello.hello_of(offer, _vocabulary(), _GROUP_NIDS)


@cache
def _vocabulary() -> Vocabulary:
    """Read sslyze's catalogue, and what each OpenSSL knows of it (the two spell some names differently)."""
    modern_names = _known(SslClient(ssl_verify=OpenSslVerifyEnum.NONE), "ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    legacy_names = _known(LegacySslClient(ssl_verify=OpenSslVerifyEnum.NONE), "ALL:COMPLEMENTOFALL")
    modern: dict[str, str] = {}
    legacy: dict[str, str] = {}
    for version in (v for v in TlsVersionEnum if v is not TlsVersionEnum.SSL_2_0):
        for suite in sorted(CipherSuitesRepository.get_all_cipher_suites(version), key=lambda s: s.name):
            for spelling in _spellings(suite.openssl_name):
                if spelling in modern_names or version is TlsVersionEnum.TLS_1_3:
                    modern[suite.name] = spelling
                if spelling in legacy_names and version is not TlsVersionEnum.TLS_1_3:
                    legacy[suite.name] = spelling
    ssl_2 = CipherSuitesRepository.get_all_cipher_suites(TlsVersionEnum.SSL_2_0)
    return Vocabulary(modern, legacy, {s.name: s.openssl_name for s in sorted(ssl_2, key=lambda s: s.name)})


def _known(client: BaseSslClient, everything: str) -> set[str]:
    client.set_cipher_list(everything)
    return set(client.get_cipher_list())


def _spellings(name: str) -> tuple[str, ...]:
    if name.startswith(("EDH-", "DHE-")):
        return name, {"EDH-": "DHE-", "DHE-": "EDH-"}[name[:4]] + name[4:]
    return (name,)


@cache
def _iana_names(is_ssl_2: bool) -> dict[str, str]:
    words = _vocabulary()
    if is_ssl_2:
        return {openssl: iana for iana, openssl in words.ssl_2.items()}
    return {openssl: iana for names in (words.legacy, words.modern) for iana, openssl in names.items()}


@cache
def _names_by_code() -> dict[int, str]:
    """Learn the code points of the modern library's suites from hellos that offer one each, and go nowhere."""
    names = {}
    for iana in _widest_offers(TlsVersion.TLS_1_2)[0].cipher_suites:
        client = SslClient(ssl_version=OpenSslVersionEnum.TLSV1_2, ssl_verify=OpenSslVerifyEnum.NONE)
        client.set_cipher_list(f"{_vocabulary().modern[iana]}:@SECLEVEL=0")
        with suppress(WantReadError):
            client._ssl.do_handshake()
        hello = read_client_hello(client._network_bio.read(client._network_bio.pending()))
        names[hello.cipher_suites[0]] = iana
    return names


def _name_of(code: int) -> str:
    return _names_by_code().get(code, f"0x{code:04x}")


def _connection(task: ScanTask, hello: Hello) -> SslConnection:
    """Make sslyze's connection, its client set up to say the hello. Server names only: RFC 6066 §3 allows no IP literal."""
    is_name = ip_address_of(task.endpoint.host) is None
    version = _FLEXIBLE if hello.version is None else _VERSIONS[hello.version]
    connection = SslConnection(
        server_location=ServerNetworkLocation(task.address.ip, task.address.port, ip_address=task.address.ip),
        network_configuration=ServerNetworkConfiguration(tls_server_name_indication=task.endpoint.host),
        tls_version=version,
        should_ignore_client_auth=True,
        should_use_legacy_openssl=hello.version is not None,
        should_enable_server_name_indication=is_name,
    )
    client = connection.ssl_client
    client.set_cipher_list(hello.cipher_list)
    if isinstance(client, SslClient):
        client.set_ciphersuites(hello.tls_1_3_suites)
        client._ssl.set_options(hello.options)
        if hello.groups is not None:
            client.set_groups(cast(Any, list(hello.groups)))
        if hello.signature_algorithms is not None:
            client.set_signature_algorithms(cast(Any, list(hello.signature_algorithms)))
    if hello.version not in (TlsVersion.SSL_2_0, TlsVersion.SSL_3_0):
        client.set_tlsext_status_ocsp()
    return connection


def _handshake(client: BaseSslClient, listening: ListeningSocket, offer: Offer, then: Then | None) -> Outcome:
    failure: Exception | None = None
    try:
        client.do_handshake()
        client._flush_ssl_engine()  # our own last flight, which nassl would send with the first request only
    except Interrupted:
        raise
    except (OSError, OpenSSLError, ClientCertificateRequested) as error:
        failure = error
    listening.stop_listening()
    if TlsVersion.SSL_2_0 in offer.versions:
        return _no_answer(failure) if failure else _ssl_2(client)
    transcript = read_transcript(bytes(listening.received))
    if failure:
        return _without_handshake(client, transcript, bytes(listening.received[:64]), offer, failure)
    negotiated = _negotiated(client, transcript, bytes(listening.sent))
    if then:
        then(_TlsStream(client))
    return negotiated


def _ssl_2(client: BaseSslClient) -> Negotiated:
    suite = _iana_names(True).get(client.get_current_cipher_name(), client.get_current_cipher_name())
    return Negotiated(TlsVersion.SSL_2_0, suite, None, None, False, ())


def _negotiated(client: BaseSslClient, transcript: Transcript, sent: bytes) -> Negotiated:
    assert transcript.version is not None
    version = TlsVersion(transcript.version)
    openssl_name = client.get_current_cipher_name()  # None after some failures
    suite = _iana_names(False).get(openssl_name) or _name_of(transcript.cipher_suite)
    group, signature = key_exchange_facts(transcript, suite)
    chain, staple = transcript.certificates, transcript.ocsp_response
    wants_client_certificate = transcript.wants_client_certificate
    if version is TlsVersion.TLS_1_3:
        chain, staple = _chain(client), _staple(client)
        signature = _tls_1_3_signature(client, chain)
        wants_client_certificate = application_data_records(sent) > 1  # an empty Certificate before our Finished
    return Negotiated(
        version=version,
        cipher_suite=suite,
        group=group,
        signature_algorithm=signature,
        extended_master_secret=None if version is TlsVersion.TLS_1_3 else transcript.extended_master_secret,
        certificates=tuple(Certificate(der) for der in chain),
        ocsp_response=staple,
        wants_client_certificate=wants_client_certificate,
    )


def _chain(client: BaseSslClient) -> tuple[bytes, ...]:
    try:
        return tuple(ssl.PEM_cert_to_DER_cert(pem) for pem in client.get_received_chain())
    except ValueError:  # no certificate
        return ()


def _staple(client: BaseSslClient) -> bytes | None:
    try:
        response = client.get_tlsext_status_ocsp_resp()
    except (OpenSSLError, ValueError):
        return None
    return None if response is None else cast(bytes, response.as_der_bytes())


_DIGESTS = {672: "sha256", 673: "sha384", 674: "sha512"}
_ECDSA = {672: "ecdsa_secp256r1_sha256", 673: "ecdsa_secp384r1_sha384", 674: "ecdsa_secp521r1_sha512"}
_RSASSA_PSS_KEY = "1.2.840.113549.1.1.10"


def _tls_1_3_signature(client: BaseSslClient, chain: tuple[bytes, ...]) -> str | None:
    """Tell the scheme of CertificateVerify from its digest and the leaf's key, which leave one each (RFC 8446 §4.2.3)."""
    if not chain or not isinstance(client, SslClient):
        return None
    leaf = Certificate(chain[0])
    try:
        if leaf.key_type in ("Ed25519", "Ed448"):
            return leaf.key_type.lower()
        digest = int(client._ssl.get_peer_signature_nid())
        if leaf.is_elliptic_curve:
            return _ECDSA.get(digest)
        if leaf.key_type != "RSA" or digest not in _DIGESTS:
            return None
        kind = "pss" if leaf.parsed.public_key_algorithm_oid.dotted_string == _RSASSA_PSS_KEY else "rsae"
        return f"rsa_pss_{kind}_{_DIGESTS[digest]}"
    except (UnreadableCertificate, OpenSSLError, ValueError):
        return None


def _without_handshake(
    client: BaseSslClient, transcript: Transcript, first_bytes: bytes, offer: Offer, error: Exception
) -> Outcome:
    if not transcript.speaks_tls:
        return NoAnswer("not-tls", _what_speaks(first_bytes))
    alert = None if transcript.alert is None else Alert(transcript.alert)
    if transcript.version is None:
        if alert is None:
            return _no_answer(error)
        return Refused(alert) if alert.speaks_of_the_offer else NoAnswer("alert", alert.name, alert)
    if transcript.version not in offer.versions:
        try:
            return Refused(UnofferedVersion(TlsVersion(transcript.version)))
        except ValueError:
            return NoAnswer("garbage", f"version {transcript.version:#06x}")
    if transcript.complete and _ended_for_our_sake(transcript, error):
        return _negotiated(client, transcript, b"")
    return NoAnswer("alert", alert.name, alert) if alert else _no_answer(error)


def _ended_for_our_sake(transcript: Transcript, error: Exception) -> bool:
    """Whether the server had agreed and proved itself, and what followed says nothing about other clients.

    So it is where it wanted a client certificate and hung up for want of one, and where this
    OpenSSL finds the server's Diffie-Hellman group too small.
    """
    if transcript.wants_client_certificate:
        hung_up = isinstance(error, OSError) and not isinstance(error, TimeoutError | TooManyBytes)
        return transcript.alert is not None or hung_up
    return "dh key too small" in str(error)


def _what_speaks(first_bytes: bytes) -> str:
    for start, name in ((b"HTTP/", "HTTP"), (b"SSH-", "SSH"), (b"220", "a mail or file server"), (b"<", "text")):
        if first_bytes.startswith(start):
            return f"{name} in the clear"
    return ""


_OPENSSL_CODE = re.compile(r"error:([0-9A-Fa-f]{8}):")
_ALERTS_FROM = 1000
"""OpenSSL's reason for a fatal alert received is its number plus this (sslerr.h, SSL_AD_REASON_OFFSET)."""


def _no_answer(error: Exception) -> NoAnswer:
    if isinstance(error, OpenSSLError):
        text = str(error).strip()
        code = _OPENSSL_CODE.search(text)
        reason = int(code[1], 16) & 0xFFF if code else 0
        if reason >= _ALERTS_FROM:
            alert = Alert(reason - _ALERTS_FROM)
            return NoAnswer("alert", alert.name, alert)
        detail = text.rpartition(":")[2][:100]
        return NoAnswer("too-large" if detail == "excessive message size" else "garbage", detail)
    if isinstance(error, TooManyBytes):
        return NoAnswer("too-large", str(error))
    if isinstance(error, TimeoutError):
        return NoAnswer("timeout")
    if isinstance(error, OSError) and error.errno is None:
        return NoAnswer("closed")  # nassl's own: the peer did not send data back
    return NoAnswer("reset") if isinstance(error, OSError) else NoAnswer("garbage", str(error)[:100])


_CERTIFICATE_REQUIRED = 116


def _end_of_stream(error: OpenSSLError) -> ConnectionError:
    answer = _no_answer(error)
    return AlertReceived(answer.alert) if answer.alert else ConnectionError(answer.detail)


class _TlsStream:
    """A request's way over a completed handshake."""

    def __init__(self, client: BaseSslClient) -> None:
        self._client = client

    def send(self, data: bytes) -> int:
        self._client.write(data)
        return len(data)

    def recv(self, size: int) -> bytes:
        """Receive what is decrypted already, else wait for more; b"" at the end. Raises OSError where the server fails."""
        try:
            return cast(bytes, self._client._ssl.read(size))
        except WantReadError:
            pass
        except OpenSSLError as error:
            raise _end_of_stream(error) from error
        try:
            return self._client.read(size)
        except OpenSSLError as error:
            raise _end_of_stream(error) from error
        except ClientCertificateRequested as error:  # nassl's reading of the alert
            raise AlertReceived(Alert(_CERTIFICATE_REQUIRED)) from error
        except OSError as error:
            if isinstance(error, TimeoutError | TooManyBytes | Interrupted) or error.errno is not None:
                raise
            return b""  # nassl's own: the peer closed the connection
