"""The configuration of the lab's nginx: one text, the same on every OpenSSL from 3.0 on.

Paths are relative to nginx's prefix (``-p``), so that the same file serves from a container and from any folder. Every server has
a port or an address of its own: which versions and suites an address accepts is decided before the name is known (SNI).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from atsprobe.lab.certificates import named_leaves
from atsprobe.lab.server import LOOPBACK, Http, Listener, Odd, Server, Tls
from atsprobe.lab.servers import PORTS

CONFIG_FILE = "lab.conf"

_FRAME = """\
daemon off;
worker_processes 1;
pid run/nginx.pid;
error_log run/error.log info;
events {{ worker_connections {connections}; }}
http {{
  log_format lab '$connection $ssl_protocol $ssl_cipher $ssl_curves "$request" $status';
  access_log off;
  client_body_temp_path run/t;
  proxy_temp_path run/t;
  fastcgi_temp_path run/t;
  uwsgi_temp_path run/t;
  scgi_temp_path run/t;
  ssl_session_cache off;
  ssl_session_tickets off;
  keepalive_timeout 5;
{servers}
}}
"""


def nginx_config(
    servers: Sequence[Server],
    base_port: int,
    *,
    for_compose: bool = False,
    clones: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Render the configuration.

    ``for_compose`` listens on every address of a container, which publishes the ports on the loopback addresses of its host.
    ``clones`` are more loopback addresses on which a server answers, by its name.
    """
    blocks: list[str] = []
    listening = 0
    for server in servers:
        for listener in server.listeners:
            if isinstance(listener, Odd):
                continue
            more = clones.get(server.name, ()) if clones and listener is server.listeners[0] else ()
            places = [container_place(server, listener, base_port)] if for_compose else []
            places = places or [f"{address}:{server.port(base_port)}" for address in (listener.address, *more)]
            listening += len(places)
            blocks.append(_block(server, listener, places, base_port))
    # every listening socket takes up one of worker_connections
    return _FRAME.format(connections=1024 + listening, servers="\n".join(blocks))


def container_place(server: Server, listener: Listener, base_port: int) -> str:
    """Give where a listener listens inside a container, which has no second loopback address to publish from."""
    return f"0.0.0.0:{container_port(server, listener, base_port)}"


def container_port(server: Server, listener: Listener, base_port: int) -> int:
    """Give the port of a listener inside a container: its own, or one further up for a second address."""
    return server.port(base_port) + (0 if listener.address == LOOPBACK else PORTS)


def _block(server: Server, listener: Tls | Http, places: Sequence[str], base_port: int) -> str:
    lines = [f"listen {place}{' ssl' if isinstance(listener, Tls) else ''};" for place in places]
    lines += _logs(server, base_port)
    if isinstance(listener, Tls):
        lines += _tls_lines(server, listener)
    own = [_filled(line, server, base_port) for line in listener.lines]
    lines += own if any(line.startswith("return ") for line in own) else [*own, 'location / { return 200 "ok\\n"; }']
    return "\n".join([f"  server {{  # {server.name}: {server.description}", *(f"    {line}" for line in lines), "  }"])


def _logs(server: Server, base_port: int) -> list[str]:
    """At the level info, inside the server, every connection leaves a line, a request or not (see `connections`)."""
    port = server.port(base_port)
    return [f"error_log run/{port}.log info;", f"access_log run/{port}.access lab;"]


def _tls_lines(server: Server, listener: Tls) -> list[str]:
    stems = {leaf: stem for stem, leaf in named_leaves(server)}
    lines = [f"ssl_protocols {listener.protocols};"]
    if listener.ciphers:
        # before the certificates: its @SECLEVEL decides whether weak ones are loaded at all
        lines.append(f"ssl_ciphers {listener.ciphers};")
    for leaf in listener.leaves:
        lines.append(f"ssl_certificate pki/{stems[leaf]}.pem;")
        lines.append(f"ssl_certificate_key pki/{stems[leaf]}.key;")
        if leaf.revocation and leaf.revocation.by == "staple":
            lines += ["ssl_stapling on;", f"ssl_stapling_file pki/ocsp/{stems[leaf]};"]
    return lines


def _filled(line: str, server: Server, base_port: int) -> str:
    """Put ports in: ``{port}`` is the server's own, ``{base+N}`` that of the row of offset N."""
    line = line.replace("{port}", str(server.port(base_port)))
    head, found, rest = line.partition("{base+")
    if not found:
        return line
    offset, _, tail = rest.partition("}")
    return f"{head}{base_port + int(offset)}{tail}"
