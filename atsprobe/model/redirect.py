"""Where an HTTP answer sends a client on to."""

from __future__ import annotations

from urllib.parse import urlsplit

from atsprobe.model.endpoint import DEFAULT_PORTS, Endpoint, InvalidHost, Scheme, parse_host
from atsprobe.model.observation import HttpAnswer


def sends_to(endpoint: Endpoint, answer: object) -> Endpoint | None:
    """Give the endpoint of the same host to which an answer redirects; None where it does not, or elsewhere.

    Source: RFC 9110 §10.2.2 (Location).
    """
    target = redirect_target(answer)
    if target is None:
        return None
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https"):
        return None
    try:
        host, port = parse_host(parts.hostname or ""), parts.port
    except (InvalidHost, ValueError):
        return None
    scheme: Scheme = "https" if parts.scheme == "https" else "http"
    return Endpoint(host, port or DEFAULT_PORTS[scheme], scheme) if host == endpoint.host else None


def redirect_target(answer: object) -> str | None:
    """Give the Location of a redirect, lower-case scheme, raw otherwise; None for any other answer."""
    if not isinstance(answer, HttpAnswer) or not 300 <= answer.status < 400 or not answer.location:
        return None
    scheme, colon, rest = answer.location.strip().partition(":")
    try:
        urlsplit(answer.location)
    except ValueError:
        return None
    return f"{scheme.lower()}:{rest}" if colon else scheme
