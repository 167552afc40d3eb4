"""The lab as a folder and as running servers: write it, start it, stop it, count its connections.

A folder holds ``lab.conf``, ``pki/``, ``run/``, ``odd_servers.py``, ``docker-compose.yml``, and for a client ``ca.pem``,
``targets.txt`` and ``resolve.txt`` (a line is ``HOST:PORT:ADDRESS``, as curl's ``--resolve`` has it).
"""

from __future__ import annotations

import errno
import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from atsprobe.lab import odd_servers, processes
from atsprobe.lab.compose import compose_file, odd_arguments
from atsprobe.lab.nginx_config import CONFIG_FILE, nginx_config
from atsprobe.lab.problem import LabProblem
from atsprobe.lab.server import LOOPBACK, Odd, Server
from atsprobe.lab.servers import DEFAULT_BASE_PORT, PORTS, SERVERS

_STATE = "lab.json"
_ODD_FILE = "odd_servers.py"
_INSTALL = (
    "install nginx: apt install nginx (Debian), brew install nginx (macOS); or run it by docker: atsprobe lab render"
)
_SBIN = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")
"""Where nginx lies on systems that leave it out of an ordinary user's PATH."""


@dataclass(frozen=True)
class Layout:
    """Which servers a lab has, from which port on, and further loopback addresses of some, by the server's name."""

    base_port: int = DEFAULT_BASE_PORT
    servers: tuple[Server, ...] = SERVERS
    clones: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def lines(self) -> Iterator[tuple[Server, str, int, str]]:
        """Give server, host, port and addresses (with commas between) of every endpoint, clones included."""
        for server in self.servers:
            port = server.port(self.base_port)
            yield server, server.full_host, port, ",".join(server.addresses)
            for number, address in enumerate(self.clones.get(server.name, ()), 1):
                yield server, f"n{number}.{server.full_host}", port, address


def target(server: Server, host: str, port: int) -> str:
    """Spell an endpoint as a target of an audit."""
    return f"http://{host}:{port}/" if server.scheme == "http" else f"{host}:{port}"


def write_lab(directory: Path, layout: Layout, *, for_compose: bool = False) -> None:
    """Write the folder of a lab, with new certificates. Raises LabProblem where it cannot, or holds something else."""
    from atsprobe.lab.certificates import write_certificates  # late: it loads cryptography, which listing does not need

    _check_base_port(layout)
    _check_is_down(directory)
    if directory.exists() and not directory.is_dir():
        raise LabProblem(f"{directory} is no directory")
    if directory.is_dir() and any(directory.iterdir()) and not (directory / _STATE).exists():
        raise LabProblem(f"{directory} holds something else than a lab", "name a new directory")
    try:
        for folder in (directory, directory / "run", directory / "pki"):
            folder.mkdir(parents=True, exist_ok=True)
        (directory / _STATE).write_text(json.dumps({"base_port": layout.base_port, "for_compose": for_compose}) + "\n")
        config = nginx_config(layout.servers, layout.base_port, for_compose=for_compose, clones=layout.clones)
        (directory / CONFIG_FILE).write_text(config)
        (directory / "ca.pem").write_bytes(write_certificates(layout.servers, directory / "pki", layout.base_port))
        lines = list(layout.lines())
        targets = "".join(f"{target(server, host, port)}\n" for server, host, port, _ in lines)
        (directory / "targets.txt").write_text(targets)
        resolve = dict.fromkeys(f"{host}:{port}:{addresses}\n" for _, host, port, addresses in lines)
        (directory / "resolve.txt").write_text("".join(resolve))
        (directory / "docker-compose.yml").write_text(compose_file(layout.servers, layout.base_port))
        shutil.copyfile(odd_servers.__file__, directory / _ODD_FILE)
        for log in (directory / "run").glob("*[0-9].[al]*"):
            log.unlink()  # or connections() would count those of an earlier run
    except OSError as error:
        why = (error.strerror or "failed").lower()
        message = f"{error.filename or directory}: cannot be written ({why})"
        raise LabProblem(message, "name another directory") from error


def base_port_of(directory: Path) -> int | None:
    """Give the base port of the lab in a directory, None where there is no lab."""
    try:
        state = json.loads((directory / _STATE).read_text())
        return int(state["base_port"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_up(directory: Path) -> bool:
    """Say whether the nginx of the lab in a directory runs."""
    return processes.is_running(_pid_file(directory, "nginx"), _marker(directory, CONFIG_FILE))


def up(directory: Path, layout: Layout) -> None:
    """Write a lab and start it. Raises LabProblem when it is up already, nginx is missing, a port is taken."""
    nginx = find_nginx()
    directory = directory.absolute()
    _check_base_port(layout)
    _check_is_down(directory)
    _check_ports(layout)
    write_lab(directory, layout)
    command = [nginx, "-p", f"{directory}/", "-c", str(directory / CONFIG_FILE), "-e", "stderr"]
    _check_config(command)
    try:
        odd = odd_arguments(layout.servers, layout.base_port)
        if odd:
            pid_file = _pid_file(directory, "odd")
            service = [sys.executable, str(directory / _ODD_FILE), LOOPBACK, *odd, "--pid-file", str(pid_file)]
            processes.start(service, pid_file, directory / "run/odd.out")
        processes.start(command, _pid_file(directory, "nginx"), directory / "run/nginx.out")
    except BaseException:
        down(directory)
        raise


def down(directory: Path) -> bool:
    """Stop the lab of a directory; its files stay. Says whether anything ran."""
    directory = directory.absolute()
    stopped = [
        processes.stop(_pid_file(directory, "nginx"), _marker(directory, CONFIG_FILE)),
        processes.stop(_pid_file(directory, "odd"), _marker(directory, _ODD_FILE)),
    ]
    return any(stopped)


_CONNECTION = re.compile(rb"^\S+ \S+ \[\w+\] \d+#\d+: \*(\d+) ", re.MULTILINE)
_REQUEST = re.compile(rb"^(\d+) ", re.MULTILINE)


def connections(directory: Path) -> dict[int, int]:
    """Count the TCP connections that nginx has accepted on each port since the lab came up.

    A connection leaves a line with its serial number in the port's error log (level info) when it ends without a request, in
    the access log when it made one; each serial number counts once. One that is still open may not be counted yet.
    """
    counts: dict[int, int] = {}
    for log in sorted((directory / "run").glob("*.access")):
        serials = set(_REQUEST.findall(log.read_bytes()))
        with suppress(FileNotFoundError):
            serials.update(_CONNECTION.findall(log.with_suffix(".log").read_bytes()))
        counts[int(log.stem)] = len(serials)
    return counts


def clones(names: Sequence[str], count: int, base_port: int = DEFAULT_BASE_PORT) -> Layout:
    """Lay out a lab of ``count`` endpoints that are copies of some servers, each on a loopback address of its own.

    Copies of a server share its port and its certificate; for Linux, where all of 127.0.0.0/8 is there. Raises KeyError for
    a name that is no server's, ValueError for one that nginx does not serve.
    """
    servers = tuple({server.name: server for server in SERVERS}[name] for name in names)
    if any(isinstance(listener, Odd) for server in servers for listener in server.listeners):
        raise ValueError("only nginx serves copies")
    addresses: dict[str, list[str]] = {name: [] for name in names}
    for number in range(count - len(servers)):
        addresses[names[number % len(names)]].append(
            f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"
        )
    return Layout(base_port, servers, {name: tuple(found) for name, found in addresses.items()})


def find_nginx() -> str:
    """Give the path of nginx. Raises LabProblem, with the way to install it, where there is none."""
    found = shutil.which("nginx") or next((p for f in _SBIN if (p := shutil.which("nginx", path=f))), None)
    if found is None:
        raise LabProblem("nginx is not installed", _INSTALL)
    return found


def _pid_file(directory: Path, name: str) -> Path:
    return directory / "run" / f"{name}.pid"


def _marker(directory: Path, file: str) -> str:
    return str(directory.absolute() / file)


def _check_base_port(layout: Layout) -> None:
    highest = 65535 - 2 * PORTS
    if not 1 <= layout.base_port <= highest:
        raise LabProblem(f"no base port: {layout.base_port}", f"choose one from 1024 to {highest}")


def _check_is_down(directory: Path) -> None:
    if is_up(directory):
        raise LabProblem(f"the lab in {directory} is up already", f"atsprobe lab down -d {shlex.quote(str(directory))}")


def _check_config(command: Sequence[str]) -> None:
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False, timeout=30)
    if checked.returncode != 0:
        errors = [line for line in checked.stderr.splitlines() if "[emerg]" in line] or checked.stderr.splitlines()
        raise LabProblem(f"nginx does not take the configuration: {errors[0][:300] if errors else 'no reason given'}")


def _check_ports(layout: Layout) -> None:
    """Try every port first: nginx would try for 2.5 seconds, and then name one among many lines."""
    for server, _, port, addresses in layout.lines():
        for address in addresses.split(","):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((address, port))
                except OSError as error:
                    raise _port_problem(error, server, address, port) from error


def _port_problem(error: OSError, server: Server, address: str, port: int) -> LabProblem:
    if error.errno == errno.EADDRINUSE:
        return LabProblem(f"port {port} on {address} is taken, which {server.name} needs", "choose another --base-port")
    if error.errno == errno.EADDRNOTAVAIL:
        return LabProblem(f"this machine has no address {address}", f"on macOS: sudo ifconfig lo0 alias {address}")
    return LabProblem(f"cannot listen on port {port} of {address}: {error.strerror}", "choose another --base-port")
