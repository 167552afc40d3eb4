"""What became of an offer, and of a ``GET /``."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from sys import intern
from typing import Any, TypeVar, assert_never, get_args

from atsprobe.json_v1.node import Node, or_else, or_none
from atsprobe.model.certificate import Certificate
from atsprobe.model.handshake import (
    Alert,
    Negotiated,
    NoAnswer,
    NoAnswerReason,
    NotMade,
    Outcome,
    Refused,
    UnofferedVersion,
)
from atsprobe.model.observation import HttpAnswer

T = TypeVar("T")

MAX_CHAIN = 1000
MAX_ATTACHMENTS = 10_000


@dataclass(frozen=True)
class Attachments:
    """What the outcomes of one address name by SHA-256 (lower-case hexadecimal) and do not hold themselves."""

    certificates: Mapping[str, Certificate]
    ocsp_responses: Mapping[str, bytes]
    sct_lists: Mapping[str, bytes]


def encode_attachments(blobs: Iterable[bytes | None]) -> dict[str, str]:
    """Write bytes once each, by their SHA-256."""
    return {_sha256(blob): base64.b64encode(blob).decode("ascii") for blob in dict.fromkeys(blobs) if blob is not None}


def decode_attachments(node: Node | None) -> dict[str, bytes]:
    """Read bytes by the SHA-256 that they have in truth."""
    blobs = [] if node is None else [blob.data() for _, blob in node.members(MAX_ATTACHMENTS)]
    return {_sha256(blob): blob for blob in blobs}


def encode(outcome: Outcome) -> dict[str, Any]:
    """Write the outcome of an offer."""
    match outcome:
        case Negotiated():
            return {
                "result": "negotiated",
                **encode_parameters(outcome),
                "wants_client_certificate": outcome.wants_client_certificate,
                "chain": [certificate.sha256 for certificate in outcome.certificates],
                "ocsp_response": _name_of(outcome.ocsp_response),
                "scts": _name_of(outcome.scts),
            }
        case Refused():
            return {"result": "refused", **_encode_refusal(outcome.by)}
        case NoAnswer():
            return {"result": "no-answer", **encode_no_answer(outcome)}
        case NotMade():
            return {"result": "not-made", "reason": outcome.reason}
        case _:
            assert_never(outcome)


def encode_parameters(outcome: Negotiated) -> dict[str, Any]:
    """Write what a server chose."""
    return {
        "version": outcome.version.label,
        "cipher_suite": outcome.cipher_suite,
        "group": outcome.group,
        "signature_algorithm": outcome.signature_algorithm,
        "extended_master_secret": outcome.extended_master_secret,
    }


def _encode_refusal(by: Alert | UnofferedVersion) -> dict[str, Any]:
    match by:
        case Alert():
            return {"alert": _encode_alert(by)}
        case UnofferedVersion():
            return {"unoffered_version": by.version.label}
        case _:
            assert_never(by)


def _encode_alert(alert: Alert) -> dict[str, Any]:
    return {"number": alert.number, "name": alert.name}


def encode_no_answer(outcome: NoAnswer) -> dict[str, Any]:
    """Write that no outcome came, and why."""
    alert = None if outcome.alert is None else _encode_alert(outcome.alert)
    return {"reason": outcome.reason, "detail": outcome.detail, "alert": alert}


def encode_http_answer(answer: HttpAnswer | NoAnswer | None) -> dict[str, Any] | None:
    """Write what ``GET /`` gave: a status, or null and why there was no answer."""
    match answer:
        case None:
            return None
        case HttpAnswer():
            return {"status": answer.status, "location": answer.location}
        case NoAnswer():
            return {"status": None, "location": None, "no_answer": encode_no_answer(answer)}
        case _:
            assert_never(answer)


def decode(node: Node, attachments: Attachments) -> Outcome:
    """Read the outcome of an offer."""
    match node["result"].choice(("negotiated", "refused", "no-answer", "not-made")):
        case "negotiated":
            return _decode_negotiated(node, attachments)
        case "refused":
            return Refused(_decode_refusal(node))
        case "no-answer":
            return decode_no_answer(node)
        case _:
            return NotMade(node["reason"].text())


def _decode_negotiated(node: Node, attachments: Attachments) -> Negotiated:
    return Negotiated(
        version=node["version"].tls_version(),
        cipher_suite=intern(node["cipher_suite"].name()),
        group=or_none(node.get("group"), Node.name),
        signature_algorithm=or_none(node.get("signature_algorithm"), Node.name),
        extended_master_secret=or_none(node.get("extended_master_secret"), Node.flag),
        certificates=tuple(_attached(n, attachments.certificates) for n in node["chain"].items(MAX_CHAIN)),
        ocsp_response=or_none(node.get("ocsp_response"), lambda n: _attached(n, attachments.ocsp_responses)),
        scts=or_none(node.get("scts"), lambda n: _attached(n, attachments.sct_lists)),
        wants_client_certificate=or_else(node.get("wants_client_certificate"), Node.flag, default=False),
    )


def _decode_refusal(node: Node) -> Alert | UnofferedVersion:
    version = node.get("unoffered_version")
    return _decode_alert(node["alert"]) if version is None else UnofferedVersion(version.tls_version())


def _decode_alert(node: Node) -> Alert:
    return Alert(node["number"].integer(0, 255))


def decode_no_answer(node: Node) -> NoAnswer:
    """Read that no outcome came, and why."""
    return NoAnswer(
        reason=node["reason"].choice(get_args(NoAnswerReason)),
        detail=or_else(node.get("detail"), Node.text, default=""),
        alert=or_none(node.get("alert"), _decode_alert),
    )


def decode_http_answer(node: Node) -> HttpAnswer | NoAnswer:
    """Read what ``GET /`` gave."""
    no_answer = node.get("no_answer")
    if no_answer is not None:
        return decode_no_answer(no_answer)
    return HttpAnswer(node["status"].integer(0, 999), or_none(node.get("location"), Node.text))


def _attached(node: Node, attached: Mapping[str, T]) -> T:
    found = attached.get(node.name())
    if found is None:
        raise node.problem("names something that does not stand beside the handshakes of this address")
    return found


def _sha256(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()


def _name_of(blob: bytes | None) -> str | None:
    return None if blob is None else _sha256(blob)
