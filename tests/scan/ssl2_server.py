"""A server of SSL 2, out of the old OpenSSL inside nassl's wheel: nothing else on Debian or PyPI speaks it."""

from __future__ import annotations

import ctypes
import socket
import struct
from pathlib import Path


class NoSsl2Error(Exception):
    """Says that this build of nassl does not let its OpenSSL be called."""


def _symbols(path: Path, wanted: set[str]) -> dict[str, int]:
    """Read the values of symbols out of an ELF file's .symtab."""
    data = path.read_bytes()
    if data[:5] != b"\x7fELF\x02":
        raise NoSsl2Error("not a 64-bit ELF file")
    at, size, number = struct.unpack_from("<Q10xHH", data, 0x28)[0], *struct.unpack_from("<HH", data, 0x3A)
    sections = [struct.unpack_from("<IIQQQQII", data, at + i * size) for i in range(number)]
    found = {}
    for kind, offset, length, link in ((s[1], s[4], s[5], s[6]) for s in sections):
        if kind != 2:
            continue
        strings = sections[link][4]
        for entry in range(offset, offset + length, 24):
            name_at, _, _, _, value, _ = struct.unpack_from("<IBBHQQ", data, entry)
            name = data[strings + name_at : data.index(b"\0", strings + name_at)].decode("latin-1")
            if name in wanted and value:
                found[name] = value
    return found


def _load_base(path: Path) -> int:
    lines = [line for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith(str(path))]
    if not lines:
        raise NoSsl2Error("the library is not mapped")
    return min(int(line.split("-")[0], 16) for line in lines)


_NAMES = {
    "SSLv2_server_method",
    "SSL_CTX_new",
    "SSL_CTX_use_certificate_file",
    "SSL_CTX_use_PrivateKey_file",
    "SSL_CTX_set_cipher_list",
    "SSL_new",
    "SSL_set_fd",
    "SSL_accept",
    "SSL_free",
}


def ssl_2(certificate: Path, ciphers: str):
    """Give a function that serves SSL 2 on a connection. Raises NoSsl2Error where this build does not allow it."""
    from nassl import _nassl_legacy

    path = Path(_nassl_legacy.__file__)
    symbols = _symbols(path, _NAMES)
    if set(symbols) != _NAMES:
        raise NoSsl2Error("the library is stripped")
    base = _load_base(path)

    def call(name, result, *arguments):
        types = [ctypes.c_void_p if isinstance(a, int) and a > 1 << 20 else type_of(a) for a in arguments]
        return ctypes.CFUNCTYPE(result, *types)(base + symbols[name])(*arguments)

    def type_of(argument):
        return ctypes.c_char_p if isinstance(argument, bytes) else ctypes.c_int

    context = call("SSL_CTX_new", ctypes.c_void_p, call("SSLv2_server_method", ctypes.c_void_p))
    file = str(certificate).encode()
    assert call("SSL_CTX_use_certificate_file", ctypes.c_int, context, file, 1) == 1
    assert call("SSL_CTX_use_PrivateKey_file", ctypes.c_int, context, file, 1) == 1
    assert call("SSL_CTX_set_cipher_list", ctypes.c_int, context, ciphers.encode()) == 1

    def serve(connection: socket.socket, _number: int) -> None:
        connection.settimeout(None)
        session = call("SSL_new", ctypes.c_void_p, context)
        call("SSL_set_fd", ctypes.c_int, session, connection.fileno())
        call("SSL_accept", ctypes.c_int, session)
        call("SSL_free", ctypes.c_int, session)

    return serve
