"""The rows of the certificate vectors, and the chains, the trust and the policy that each of them asks for."""

from __future__ import annotations

import base64
import datetime as dt
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from certificate_maker import (
    ANY,
    CLIENT_AUTH,
    EMAIL,
    MICROSOFT_SGC,
    NETSCAPE_SGC,
    NOW,
    SERVER_AUTH,
    Make,
    issuing,
    root,
    stapled,
    with_raw_names,
)
from cryptography import x509

from atsprobe.model.certificate import Certificate
from atsprobe.model.trust_store import TrustStore

Row = dict[str, Any]
FILES = ("certificate_vectors.toml", "certificate_boundaries.toml")
ROWS: list[Row] = [row for name in FILES for row in tomllib.loads((Path(__file__).parent / name).read_text())["vector"]]

OPEN_IN_A_FILE = {"certificate-transparency", "certificate-revocation"}
"""What a file never settles: looked at only where a row is about it."""

_USAGES = {
    "any": ANY,
    "client": CLIENT_AUTH,
    "server": SERVER_AUTH,
    "email": EMAIL,
    "microsoft-sgc": MICROSOFT_SGC,
    "netscape-sgc": NETSCAPE_SGC,
}
_ANCHORS = {"public": "root", "installed": "root", "installed-issuer": "issuing", "installed-leaf": "leaf"}
_PIN_LISTS = {"leaf": "NSPinnedLeafIdentities", "ca": "NSPinnedCAIdentities"}


@dataclass(frozen=True)
class Chain:
    """The certificates that a row is about: by name, and those of the file in their order; and the leaf's makings."""

    known: dict[str, Certificate]
    sent: tuple[Certificate, ...]
    leaf: Make

    def digest(self, name: str) -> str:
        """Give what stands in a pin: of a certificate its key, else the word itself; ``short:X`` is cut to 20 bytes."""
        cut, _, plain = name.rpartition(":")
        if plain not in self.known:
            return name
        digest = self.known[plain].spki_sha256
        return base64.b64encode(digest[:20] if cut == "short" else digest).decode()


def _changes(row: Row) -> Row:
    changes = {k: v for k, v in row.items() if k in Make.__dataclass_fields__}
    if "names" in row:
        changes["names"] = tuple(row["names"])
    if "sct_logs" in row:
        changes["sct_logs"] = tuple(row["sct_logs"])
    if "usage" in row:
        changes["usage"] = tuple(_USAGES[name] for name in row["usage"]) or None
    if "permitted" in row or "excluded" in row:
        trees = ([x509.DNSName(n) for n in row[kind]] if kind in row else None for kind in ("permitted", "excluded"))
        changes["constraints"] = x509.NameConstraints(*trees)
    if "ends" in row:
        changes["span"] = row["ends"] - row.get("begins", NOW - dt.timedelta(days=30))
    if "days" in row or "seconds" in row:
        changes["span"] = dt.timedelta(days=row.get("days", 90), seconds=row.get("seconds", 0))
    if row.get("no_names"):
        changes["names"] = None
    return changes


def chain_of(row: Row) -> Chain:
    """Make the certificates of a row."""
    top = root(**_changes(row.get("root", {})))
    middle = issuing(top, **_changes(row.get("issuing", {})))
    of_leaf = row.get("leaf", {})
    make = Make(**{"signer": None if of_leaf.get("self_signed") else middle, "scts": 3, **_changes(of_leaf)})
    leaf = make.certificate
    if "raw_names" in of_leaf:
        encoding = "latin-1" if of_leaf.get("latin_1") else "utf-8"
        tag = 0x81 if of_leaf.get("as_mail") else 0x82
        leaf = with_raw_names(make, [name.encode(encoding) for name in of_leaf["raw_names"]], tag)
    known = {
        "leaf": leaf,
        "issuing": middle.certificate,
        "root": top.certificate,
        "stranger": root("Stranger").certificate,
        "expired": root("Expired stranger", span=dt.timedelta(days=30)).certificate,
    }
    return Chain(known, tuple(known[name] for name in row.get("sent", ("leaf", "issuing"))), make)


def at_of(row: Row) -> dt.datetime:
    """Give the instant of a row."""
    return row.get("at", NOW)


def anchor_of(row: Row) -> tuple[str, Certificate | None]:
    """Say how the root is trusted (``public``, ``installed``, ``nobody``), and which certificate that is about."""
    trust = row.get("trust", "public")
    return trust.partition("-")[0], chain_of(row).known[_ANCHORS[trust]] if trust in _ANCHORS else None


def trust_of(row: Row) -> TrustStore:
    """Give the trust store of a row."""
    kind, certificate = anchor_of(row)
    roots = (certificate.der,) if certificate else ()
    return TrustStore((), roots) if kind == "installed" else TrustStore(roots)


def plist_of(row: Row, chain: Chain) -> dict[str, Any]:
    """Give NSAppTransportSecurity of a row, with the digests of its pins."""
    plist = dict(row.get("plist", {}))
    if "pins" in row:
        plist["NSPinnedDomains"] = {domain: _pins(entry, chain) for domain, entry in row["pins"].items()}
    return plist


def _pins(entry: Row, chain: Chain) -> dict[str, Any]:
    pinned: dict[str, Any] = {}
    for kind, key in _PIN_LISTS.items():
        if kind in entry:
            listed = entry[kind]
            is_list = isinstance(listed, list)
            pinned[key] = tuple({"SPKI-SHA256-BASE64": chain.digest(n)} for n in listed) if is_list else listed
    if "sub" in entry:
        pinned["NSIncludesSubdomains"] = entry["sub"]
    return pinned


def staple_of(row: Row, chain: Chain) -> bytes | None:
    """Give the stapled response of a row, which is ``good`` or ``revoked``; None where the row has none."""
    return stapled(chain.leaf, row["staple"]) if "staple" in row else None


def needs_a_handshake_or_an_app(row: Row) -> bool:
    """Say whether a file alone is not what the row is about, so that the command cannot be asked."""
    return any(key in row for key in ("staple", "tls_scts", "plist", "pins")) or row.get("command") is False


def expected_of(row: Row, profile: str) -> dict[str, str]:
    """Give what the row says of a profile: requirement to status."""
    return row.get("on", {}).get(profile, row["expect"])


def outcome_of(row: Row, profile: str) -> str:
    """Give the outcome that the row says, or that follows from what it expects."""
    expected = expected_of(row, profile)
    told = row.get("verdict")
    if isinstance(told, dict):
        told = told.get(profile)
    return told or ("blocked" if "fail" in expected.values() else "allowed")


def is_about(id_: str, status: str, expected: dict[str, str]) -> bool:
    """Say whether a finding belongs into the comparison: it is named, or is neither a pass nor left open by every file."""
    if id_ in expected:
        return status != "pass"
    return id_ not in OPEN_IN_A_FILE and status not in ("pass", "not-applicable")
