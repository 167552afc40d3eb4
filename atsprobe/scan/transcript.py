"""What a server said in the clear during a handshake, read off the bytes: facts that no TLS library hands out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from atsprobe.scan.code_points import group_name, signature_scheme_name

_CHANGE_CIPHER_SPEC, _ALERT, _HANDSHAKE, _APPLICATION_DATA = 20, 21, 22, 23
_SERVER_HELLO, _CERTIFICATE, _SERVER_KEY_EXCHANGE, _CERTIFICATE_REQUEST = 2, 11, 12, 13
_SERVER_HELLO_DONE, _CERTIFICATE_STATUS = 14, 22
_SUPPORTED_GROUPS, _SIGNATURE_ALGORITHMS = 10, 13
_EXTENDED_MASTER_SECRET, _SUPPORTED_VERSIONS, _KEY_SHARE = 23, 43, 51
_TLS_1_2, _TLS_1_3 = 0x0303, 0x0304
_FATAL = 2
_HELLO_RETRY_REQUEST = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
_NAMED_CURVE = 3


@dataclass(slots=True)
class Transcript:
    """Facts in the clear, each at its default where it was not said (RFC 5246 §7.4, RFC 8446 §4, RFC 6066 §8).

    ``version``, ``cipher_suite``, ``group`` and ``alert`` are code points; ``version`` is None before the
    ServerHello. Certificates and staple are DER, and are encrypted under TLS 1.3. ``complete`` says that
    ServerHelloDone came (up to TLS 1.2).
    """

    speaks_tls: bool = True
    version: int | None = None
    cipher_suite: int = 0
    group: int | None = None
    key_exchange: bytes = b""
    extended_master_secret: bool = False
    certificates: tuple[bytes, ...] = ()
    ocsp_response: bytes | None = None
    wants_client_certificate: bool = False
    complete: bool = False
    alert: int | None = None


class _Truncated(ValueError):
    pass


class _Reader:
    """Takes fields off the front of some bytes. Raises _Truncated where there are too few."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, size: int) -> bytes:
        if self._at + size > len(self._data):
            raise _Truncated
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, length_size: int) -> bytes:
        return self.take(self.number(length_size))


def read_transcript(received: bytes) -> Transcript:
    """Read all that the bytes say, as far as they make sense; never raises."""
    transcript = Transcript()
    if received and not (_CHANGE_CIPHER_SPEC <= received[0] <= _APPLICATION_DATA and received[1:2] in (b"", b"\x03")):
        transcript.speaks_tls = False
        return transcript
    handshake = bytearray()
    for kind, payload in _records(received):
        if kind == _HANDSHAKE:
            handshake += payload
            _read_messages(transcript, handshake)
        elif kind == _ALERT and len(payload) == 2 and payload[0] == _FATAL:
            transcript.alert = payload[1]
        elif kind == _APPLICATION_DATA or (
            kind == _CHANGE_CIPHER_SPEC and (transcript.version or _TLS_1_3) <= _TLS_1_2
        ):
            break  # what follows is encrypted
    return transcript


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What a ClientHello offers, as code points in its order."""

    cipher_suites: tuple[int, ...]
    groups: tuple[int, ...]
    signature_schemes: tuple[int, ...]


def read_client_hello(hello: bytes) -> ClientHello:
    """Read a record with a ClientHello of our own (RFC 8446 §4.1.2, §4.2.3, §4.2.7)."""
    reader = _Reader(hello)
    reader.take(5 + 4 + 2 + 32)  # record and message headers, version, random
    reader.vector(1)  # session id
    suites = _code_points(reader.vector(2))
    reader.vector(1)  # compression
    lists: dict[int, tuple[int, ...]] = {}
    extensions = _Reader(reader.vector(2) if reader else b"")
    while extensions:
        kind, data = extensions.number(2), _Reader(extensions.vector(2))
        if kind in (_SUPPORTED_GROUPS, _SIGNATURE_ALGORITHMS):
            lists[kind] = _code_points(data.vector(2))
    return ClientHello(suites, lists.get(_SUPPORTED_GROUPS, ()), lists.get(_SIGNATURE_ALGORITHMS, ()))


def _code_points(data: bytes) -> tuple[int, ...]:
    return tuple(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2))


def application_data_records(sent: bytes) -> int:
    """Count the records of encrypted content that were sent (the client's own second flight, under TLS 1.3)."""
    return sum(1 for kind, _ in _records(sent) if kind == _APPLICATION_DATA)


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    reader = _Reader(data)
    try:
        while reader:
            kind, _version = reader.number(1), reader.number(2)
            yield kind, reader.vector(2)
    except _Truncated:
        return


def _read_messages(transcript: Transcript, handshake: bytearray) -> None:
    """Read the messages that are complete, and take them away."""
    while len(handshake) >= 4:
        end = 4 + int.from_bytes(handshake[1:4], "big")
        if len(handshake) < end:
            return
        kind, body = handshake[0], bytes(handshake[4:end])
        del handshake[:end]
        try:
            _read_message(transcript, kind, _Reader(body), body)
        except _Truncated:
            continue


def _read_message(transcript: Transcript, kind: int, reader: _Reader, body: bytes) -> None:
    if kind == _SERVER_HELLO:
        _read_server_hello(transcript, reader)
    elif kind == _CERTIFICATE:
        chain = _Reader(reader.vector(3))
        certificates = []
        while chain:
            certificates.append(chain.vector(3))
        transcript.certificates = tuple(certificates)
    elif kind == _CERTIFICATE_STATUS and reader.number(1) == 1:
        transcript.ocsp_response = reader.vector(3)
    elif kind == _SERVER_KEY_EXCHANGE:
        transcript.key_exchange = body
    elif kind == _CERTIFICATE_REQUEST:
        transcript.wants_client_certificate = True
    elif kind == _SERVER_HELLO_DONE:
        transcript.complete = True


def _read_server_hello(transcript: Transcript, reader: _Reader) -> None:
    version = reader.number(2)
    is_retry = reader.take(32) == _HELLO_RETRY_REQUEST
    reader.vector(1)  # session id
    suite = reader.number(2)
    reader.take(1)  # compression
    extensions = _Reader(reader.vector(2) if reader else b"")
    while extensions:
        kind, data = extensions.number(2), _Reader(extensions.vector(2))
        if kind == _SUPPORTED_VERSIONS:
            version = data.number(2)
        elif kind == _KEY_SHARE:
            transcript.group = data.number(2)
        elif kind == _EXTENDED_MASTER_SECRET:
            transcript.extended_master_secret = True
    if not is_retry:
        transcript.version, transcript.cipher_suite = version, suite


def key_exchange_facts(transcript: Transcript, suite: str) -> tuple[str | None, str | None]:
    """Give the IANA names of the group and of the server's signature scheme, None where there is none or none was said.

    Up to TLS 1.2 both stand in ServerKeyExchange, whose shape follows from the suite (RFC 5246 §7.4.3, RFC 8422 §5.4);
    only TLS 1.2 names the signature scheme. Under TLS 1.3 the group stands in the ServerHello, the scheme is encrypted.
    """
    if transcript.version == _TLS_1_3:
        return (None if transcript.group is None else group_name(transcript.group)), None
    reader = _Reader(transcript.key_exchange)
    group: str | None = None
    try:
        if suite.startswith(("TLS_ECDHE_", "TLS_ECDH_anon_")):
            if reader.number(1) != _NAMED_CURVE:
                return None, None
            group = group_name(reader.number(2))
            reader.vector(1)
        elif suite.startswith("TLS_DHE_"):
            for _ in range(3):
                reader.vector(2)
        else:
            return None, None
        signed = transcript.version == _TLS_1_2 and "_anon_" not in suite
        return group, signature_scheme_name(reader.number(2)) if signed else None
    except _Truncated:
        return group, None
