"""Endpoints and addresses, as members of what is said about them."""

from __future__ import annotations

from typing import Any, get_args

from atsprobe.json_v1.node import Node
from atsprobe.model.endpoint import Endpoint, Scheme
from atsprobe.model.observation import Address


def encode(endpoint: Endpoint) -> dict[str, Any]:
    """Write an endpoint."""
    return {"host": endpoint.host, "port": endpoint.port, "scheme": endpoint.scheme}


def decode(node: Node) -> Endpoint:
    """Read an endpoint from the object that holds its members."""
    return Endpoint(node["host"].host(), node["port"].port(), node["scheme"].choice(get_args(Scheme)))


def encode_address(address: Address) -> dict[str, Any]:
    """Write an address: the IP address, and the port to which the connection goes (another under ``--connect-to``)."""
    return {"address": address.ip, "connected_port": address.port}


def decode_address(node: Node) -> Address:
    """Read an address from the object that holds its members."""
    return Address(node["address"].ip(), node["connected_port"].port())
