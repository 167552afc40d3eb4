"""What became of the names of hosts."""

from __future__ import annotations

from typing import Any, assert_never, get_args

from atsprobe.json_v1 import endpoint as endpoints
from atsprobe.json_v1.node import Node, or_else
from atsprobe.model.observation import Resolution, ResolutionSource, Resolved, Unresolved, UnresolvedReason


def encode(resolution: Resolution) -> dict[str, Any]:
    """Write what became of a name for one port."""
    return {"host": resolution.host, "port": resolution.port, **_encode_outcome(resolution.outcome)}


def status(resolution: Resolution | None) -> str | None:
    """Give ``resolved`` or the reason why not; None where nobody asked."""
    if resolution is None:
        return None
    return "resolved" if isinstance(resolution.outcome, Resolved) else resolution.outcome.reason


def _encode_outcome(outcome: Resolved | Unresolved) -> dict[str, Any]:
    match outcome:
        case Resolved():
            addresses = [endpoints.encode_address(address) for address in outcome.addresses]
            return {"status": "resolved", "source": outcome.source, "addresses": addresses}
        case Unresolved():
            return {"status": outcome.reason, "detail": outcome.detail, "addresses": []}
        case _:
            assert_never(outcome)


def decode(node: Node) -> Resolution:
    """Read what became of a name for one port."""
    return Resolution(node["host"].host(), node["port"].port(), _decode_outcome(node))


def _decode_outcome(node: Node) -> Resolved | Unresolved:
    found = node["status"].choice(("resolved", *get_args(UnresolvedReason)))
    if found != "resolved":
        return Unresolved(found, or_else(node.get("detail"), Node.text, default=""))
    addresses = tuple(endpoints.decode_address(address) for address in node["addresses"].items())
    return Resolved(addresses, node["source"].choice(get_args(ResolutionSource)))
