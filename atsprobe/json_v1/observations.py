"""What was seen of an endpoint on each of its addresses."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any, assert_never, get_args

from atsprobe.json_v1 import endpoint as endpoints
from atsprobe.json_v1 import instant, outcomes
from atsprobe.json_v1.certificates import CertificateReader, CertificateWriter, distinct
from atsprobe.json_v1.node import Node, or_else, or_none
from atsprobe.json_v1.offers import OfferReader, OfferWriter
from atsprobe.model.endpoint import Endpoint
from atsprobe.model.handshake import Experiment, Negotiated, NoAnswer, accepted_groups, accepted_suites, negotiations
from atsprobe.model.observation import (
    Address,
    HttpAnswer,
    Observation,
    PlaintextObservation,
    RevocationAnswer,
    TlsObservation,
    Unreachable,
    UnreachableReason,
)

NOT_LOOKED_AT = "not-looked-at"
"""The status of an address that the name has and of which nothing was recorded."""

MAX_HANDSHAKES = 5000
MAX_ANSWERS = 1000


def encode(observation: Observation, index: int, certificates: CertificateWriter) -> dict[str, Any]:
    """Write what was seen on one address; ``index`` is its place among all observations of the audit.

    Whatever was seen, the members that readers rely on are there, empty where they do not apply.
    """
    seen = {"kind": "tls", "index": index, "observed_at": instant.encode(observation.observed_at)}
    match observation:
        case TlsObservation():
            return {
                **_encode_address(observation.address, "reachable"),
                **seen,
                **_encode_experiments(observation.experiments, certificates),
                "http_answer": outcomes.encode_http_answer(observation.http_answer),
                "revocation": [_encode_revocation(answer) for answer in observation.revocation],
                "enumerated": observation.enumerated,
                "cut_short": observation.cut_short,
            }
        case PlaintextObservation():
            return {
                **_encode_address(observation.address, "reachable"),
                **seen,
                "kind": "plaintext",
                "http_answer": outcomes.encode_http_answer(observation.answer),
            }
        case Unreachable():
            address = _encode_address(observation.address, observation.reason)
            return {**address, **seen, "kind": "unreachable", "detail": observation.detail}
        case _:
            assert_never(observation)


def encode_not_looked_at(address: Address) -> dict[str, Any]:
    """Write an address of which nothing was recorded."""
    return _encode_address(address, NOT_LOOKED_AT)


def _encode_address(address: Address, status: str) -> dict[str, Any]:
    nothing: dict[str, Any] = {"protocols": {}, "groups": [], "negotiated": None, "certificates": [], "handshakes": []}
    return {**endpoints.encode_address(address), "status": status, **nothing}


def _encode_experiments(experiments: Sequence[Experiment], certificates: CertificateWriter) -> dict[str, Any]:
    first = experiments[0].outcome if experiments else None
    offers = OfferWriter()
    return {
        "protocols": {version.label: list(suites) for version, suites in accepted_suites(experiments).items()},
        "groups": list(accepted_groups(experiments)),
        "negotiated": outcomes.encode_parameters(first) if isinstance(first, Negotiated) else None,
        "certificates": [certificates.encode(certificate) for certificate in distinct(experiments)],
        "handshakes": [
            {"offer": offers.encode(e.offer), "outcome": outcomes.encode(e.outcome), "attempts": e.attempts}
            for e in experiments
        ],
        "ocsp_responses": outcomes.encode_attachments(o.ocsp_response for o in negotiations(experiments)),
        "sct_lists": outcomes.encode_attachments(o.scts for o in negotiations(experiments)),
    }


def _encode_revocation(answer: RevocationAnswer) -> dict[str, Any]:
    return {
        "leaf_sha256": answer.leaf_sha256,
        "url": answer.url,
        "kind": answer.kind,
        "body": None if answer.body is None else base64.b64encode(answer.body).decode("ascii"),
        "detail": answer.detail,
        "received_at": None if answer.received_at is None else instant.encode(answer.received_at),
    }


def was_looked_at(node: Node) -> bool:
    """Say whether an address holds an observation."""
    return node["status"].value != NOT_LOOKED_AT


def decode(node: Node, endpoint: Endpoint, certificates: CertificateReader) -> Observation:
    """Read what was seen of an endpoint on one address."""
    address, at = endpoints.decode_address(node), node["observed_at"].time()
    match node["kind"].choice(("tls", "plaintext", "unreachable")):
        case "tls":
            return _decode_tls(node, endpoint, address, at, certificates)
        case "plaintext":
            return PlaintextObservation(endpoint, address, at, outcomes.decode_http_answer(node["http_answer"]))
        case _:
            reason = node["status"].choice(get_args(UnreachableReason))
            return Unreachable(endpoint, address, at, reason, or_else(node.get("detail"), Node.text, default=""))


def _decode_tls(
    node: Node, endpoint: Endpoint, address: Address, at: datetime, certificates: CertificateReader
) -> TlsObservation:
    revocation = node.get("revocation")
    return TlsObservation(
        endpoint=endpoint,
        address=address,
        observed_at=at,
        experiments=_decode_experiments(node, certificates),
        http_answer=_decode_http_answer(node),
        revocation=() if revocation is None else tuple(_decode_revocation(n) for n in revocation.items(MAX_ANSWERS)),
        enumerated=or_else(node.get("enumerated"), Node.flag, default=False),
        cut_short=or_else(node.get("cut_short"), Node.text, default=""),
    )


def _decode_http_answer(node: Node) -> HttpAnswer | NoAnswer | None:
    return or_none(node.get("http_answer"), outcomes.decode_http_answer)


def _decode_experiments(node: Node, certificates: CertificateReader) -> tuple[Experiment, ...]:
    offers = OfferReader()
    attachments = outcomes.Attachments(
        certificates=certificates.by_sha256(node["certificates"]),
        ocsp_responses=outcomes.decode_attachments(node.get("ocsp_responses")),
        sct_lists=outcomes.decode_attachments(node.get("sct_lists")),
    )
    return tuple(
        Experiment(
            offer=offers.decode(handshake["offer"]),
            outcome=outcomes.decode(handshake["outcome"], attachments),
            attempts=or_else(handshake.get("attempts"), lambda n: n.integer(1, 1000), default=1),
        )
        for handshake in node["handshakes"].items(MAX_HANDSHAKES)
    )


def _decode_revocation(node: Node) -> RevocationAnswer:
    return RevocationAnswer(
        leaf_sha256=node["leaf_sha256"].name(),
        url=node["url"].text(),
        kind=node["kind"].choice(("ocsp", "crl")),
        body=or_none(node.get("body"), Node.data),
        detail=or_else(node.get("detail"), Node.text, default=""),
        received_at=or_none(node.get("received_at"), Node.time),
    )
