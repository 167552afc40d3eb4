"""An OCSP responder on loopback that says good of one leaf, for servers that staple."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from atsprobe.lab import pki


@contextmanager
def serving_good_answers(issuer: pki.Identity, names: Sequence[str]) -> Iterator[pki.Identity]:
    """Give a leaf that names the responder, which answers until the end of the block."""
    answers: list[bytes] = []

    class Responder(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/ocsp-response")
            self.send_header("Content-Length", str(len(answers[0])))
            self.end_headers()
            self.wfile.write(answers[0])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Responder) as server:
        url = x509.UniformResourceIdentifier(f"http://127.0.0.1:{server.server_port}/")
        access = x509.AuthorityInformationAccess(
            [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, url)],
        )
        leaf = pki.issue(issuer, names, extensions=[(access, False)])
        answers.append(pki.ocsp_response(leaf, is_revoked=False))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield leaf
        finally:
            server.shutdown()
            thread.join()
