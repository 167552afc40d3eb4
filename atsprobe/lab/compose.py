"""The lab in containers: the same folder, mounted into nginx's official image and a Python image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from atsprobe.lab.nginx_config import CONFIG_FILE, container_port
from atsprobe.lab.server import LOOPBACK, Listener, Odd, Server

NGINX_IMAGE = "nginx:1.30"
"""Built on OpenSSL 3.5; pinned, since older ones stand on older OpenSSLs."""
PYTHON_IMAGE = "python:3.13-slim"

_TEMPLATE = """\
# The weak TLS servers of atsprobe's lab. Write what they serve, then start them:
#   atsprobe lab render {rendered}
#   docker compose up -d
#   atsprobe audit @{rendered}/targets.txt --ca-file {rendered}/ca.pem --resolve @{rendered}/resolve.txt
# Every port is published on loopback addresses alone. Made by atsprobe: edit atsprobe/lab/servers.py instead.
name: atsprobe-lab
services:
  nginx:
    image: {nginx_image}
    command: ["nginx", "-p", "/lab/", "-c", "/lab/{config}", "-e", "stderr"]
    volumes:
      - "{folder}:/lab:ro"
    tmpfs:
      - /lab/run
    ports:
{nginx_ports}
  odd:
    image: {python_image}
    command: ["python", "/odd_servers.py", "0.0.0.0"{odd_arguments}]
    user: "65534:65534"
    read_only: true
    volumes:
      - "{folder}/odd_servers.py:/odd_servers.py:ro"
      - "{folder}/pki/ocsp:/pki/ocsp:ro"
    ports:
{odd_ports}
"""


def compose_file(servers: Sequence[Server], base_port: int, *, folder: str = ".", rendered: str = ".") -> str:
    """Render a compose file for the servers of a lab.

    ``folder`` is where the lab lies as seen from the compose file, ``rendered`` as seen by who reads its first lines.
    """
    listeners = [(server, listener) for server in servers for listener in server.listeners]
    return _TEMPLATE.format(
        folder=folder,
        rendered=rendered,
        config=CONFIG_FILE,
        nginx_image=NGINX_IMAGE,
        python_image=PYTHON_IMAGE,
        nginx_ports=_ports([(s, one) for s, one in listeners if not isinstance(one, Odd)], base_port),
        odd_ports=_ports([(s, one) for s, one in listeners if isinstance(one, Odd)], base_port),
        odd_arguments="".join(f', "{argument}"' for argument in odd_arguments(servers, base_port)),
    )


def odd_arguments(servers: Sequence[Server], base_port: int) -> list[str]:
    """Give what `odd_servers` is told to serve: PORT=BEHAVIOUR, one for each odd listener."""
    return [
        f"{server.port(base_port)}={listener.behaviour}"
        for server in servers
        for listener in server.listeners
        if isinstance(listener, Odd)
    ]


def _ports(listeners: Sequence[tuple[Server, Listener]], base_port: int) -> str:
    """Publish runs of ports; a port where nothing listens stays out, since docker would accept connections on it."""
    lines: list[str] = []
    for address in sorted({listener.address for _, listener in listeners}, key=lambda a: (a != LOOPBACK, a)):
        here = [(s, one) for s, one in listeners if one.address == address]
        shift = container_port(here[0][0], here[0][1], base_port) - here[0][0].port(base_port)
        for first, last in _runs(server.port(base_port) for server, _ in here):
            published = f"{first}-{last}:{first + shift}-{last + shift}" if last > first else f"{first}:{first + shift}"
            lines.append(f'      - "{address}:{published}"')
    return "\n".join(lines)


def _runs(ports: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Give the first and last of each run of consecutive numbers."""
    first = last = None
    for port in sorted(set(ports)):
        if first is None or last is None:
            first = port
        elif port != last + 1:
            yield first, last
            first = port
        last = port
    if first is not None and last is not None:
        yield first, last
