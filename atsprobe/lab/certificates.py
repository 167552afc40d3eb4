"""The certificates of the lab's servers as files: what `server.Leaf` describes, made by `pki`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copyfile

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from atsprobe.lab import pki
from atsprobe.lab.server import Leaf, Revocation, Server, Tls
from atsprobe.lab.servers import server_named

CA_ISSUERS_URL = "http://plain.lab.example.com/intermediate.cer"


def write_certificates(servers: Sequence[Server], folder: Path, base_port: int) -> bytes:
    """Write the leaves of the servers as ``NAME-N.pem`` and ``.key`` (N from 0), ``root.pem`` and ``dh2048.pem``.

    What is said about their revocation goes to ``ocsp/``: ``NAME-N`` is an OCSP response, ``lab.crl`` a list.
    Answers the roots that a client has to trust, as PEM. Raises OSError where the folder cannot be written.
    """
    issuers = _Issuers()
    said = folder / "ocsp"
    said.mkdir(exist_ok=True)
    listed: list[pki.Identity] = []
    for server in servers:
        for stem, leaf in named_leaves(server):
            identity = _issue(leaf, server.full_host, issuers, _pointers(leaf.revocation, stem, base_port))
            identity.write(folder / stem, chain_pem=_sent(leaf, identity))
            if leaf.revocation and leaf.revocation.by == "crl":
                listed += [identity] if leaf.revocation.says == "revoked" else []
            elif leaf.revocation:
                is_revoked = leaf.revocation.says == "revoked"
                (said / stem).write_bytes(pki.ocsp_response(identity, is_revoked=is_revoked))
    (said / "lab.crl").write_bytes(pki.revocation_list(issuers["intermediate"], listed))
    (folder / "root.pem").write_bytes(issuers.root.cert_pem)
    copyfile(Path(__file__).with_name("dh2048.pem"), folder / "dh2048.pem")
    return issuers.root.cert_pem + issuers.sha1_root.cert_pem


def named_leaves(server: Server) -> list[tuple[str, Leaf]]:
    """Give each distinct leaf of a server and the stem of its files, in the order of its listeners."""
    leaves = [leaf for one in server.listeners if isinstance(one, Tls) for leaf in one.leaves]
    return [(f"{server.name}-{n}", leaf) for n, leaf in enumerate(dict.fromkeys(leaves))]


class _Issuers:
    """The CAs of the lab: two roots to be trusted, one that nobody trusts, and intermediates."""

    def __init__(self) -> None:
        self.root = pki.make_root("atsprobe lab root")
        self.sha1_root = pki.make_root("atsprobe lab root, SHA-1", hash_name="sha1")
        self._issuers = {
            "intermediate": pki.issue_intermediate(self.root, "atsprobe lab intermediate"),
            "rsa1024-intermediate": pki.issue_intermediate(self.root, "atsprobe lab RSA 1024 CA", key="rsa1024"),
            "sha1-intermediate": pki.issue_intermediate(self.root, "atsprobe lab SHA-1 CA", hash_name="sha1"),
            "unknown-root": pki.make_root("a root that nobody trusts"),
            "sha1-root": self.sha1_root,
        }

    def __getitem__(self, name: str) -> pki.Identity:
        return self._issuers[name]


def _pointers(said: Revocation | None, stem: str, base_port: int) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    """The extension of a leaf that says where it can be asked about, if anywhere."""
    if said is None or said.by == "staple":
        return ()
    row = server_named(said.row)
    where = f"http://{row.full_host}:{row.port(base_port)}"
    if said.by == "ocsp":
        uri = x509.UniformResourceIdentifier(f"{where}/ocsp/{stem}")
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, uri)
        return ((x509.AuthorityInformationAccess([access]), False),)
    uri = x509.UniformResourceIdentifier(f"{where}/lab.crl")
    point = x509.DistributionPoint(full_name=[uri], relative_name=None, reasons=None, crl_issuer=None)
    return ((x509.CRLDistributionPoints([point]), False),)


def _issue(
    leaf: Leaf, host: str, issuers: _Issuers, pointers: tuple[tuple[x509.ExtensionType, bool], ...]
) -> pki.Identity:
    names = leaf.names if leaf.names is not None else (host, f"*.{host}")
    if leaf.issuer == "itself":
        return pki.self_signed(names, key=leaf.key, days=leaf.days)
    return pki.issue(
        issuers[leaf.issuer],
        names,
        key=leaf.key,
        days=leaf.days,
        not_before=datetime.now(UTC) + timedelta(days=leaf.begins_in),
        hash_name=leaf.hash_name,
        eku=leaf.eku,
        aia_ca_issuers=CA_ISSUERS_URL if leaf.ca_issuers else None,
        common_name=host,
        extensions=pointers,
    )


def _sent(leaf: Leaf, identity: pki.Identity) -> bytes:
    """The leaf comes first always: nginx takes no other certificate for the one of the key."""
    match leaf.sends:
        case "chain":
            sent: tuple[pki.Identity, ...] = tuple(one for one in identity.chain if one.issuer or one is identity)
        case "chain-and-root":
            sent = identity.chain
        case "leaf-alone":
            sent = (identity,)
        case "root-before-intermediate":
            sent = (identity, *reversed(identity.chain[1:]))
    return b"".join(one.cert_pem for one in sent)
