"""The document of the lab: its servers, how to reach them, and what is expected of each."""

from __future__ import annotations

from typing import Any

from atsprobe.json_v1.audit import SCHEMA_VERSION
from atsprobe.model.result import LabEndpoint, LabResult


def encode(result: LabResult) -> dict[str, Any]:
    """Write the lab."""
    return {
        "schema_version": SCHEMA_VERSION,
        "ca_file": result.ca_file,
        "directory": result.directory,
        "is_up": result.is_up,
        "endpoints": [_encode_endpoint(endpoint) for endpoint in result.endpoints],
    }


def _encode_endpoint(endpoint: LabEndpoint) -> dict[str, Any]:
    """Write a server; ``resolve`` is the value of the option that leads its name there, as curl has it."""
    addresses = endpoint.address.split(",")
    return {
        "name": endpoint.name,
        "host": endpoint.host,
        "port": endpoint.port,
        "scheme": endpoint.scheme,
        "addresses": addresses,
        "resolve": f"{_bracketed(endpoint.host)}:{endpoint.port}:{','.join(_bracketed(a) for a in addresses)}",
        "description": endpoint.description,
        "expected": {"verdict": endpoint.verdict, "failing": list(endpoint.failing)},
        "note": endpoint.note,
    }


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
