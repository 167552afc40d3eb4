"""What every room's tests may use: the lab of weak servers, up for the whole session."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from atsprobe.lab import nginx
from atsprobe.lab.problem import LabProblem
from atsprobe.lab.server import Server
from atsprobe.lab.servers import PORTS, SERVERS


@dataclass(frozen=True)
class Lab:
    """A lab that is up: its folder, its base port, its servers, and what a client needs to reach and to trust it."""

    directory: Path
    base_port: int
    servers: tuple[Server, ...] = SERVERS

    @property
    def ca_file(self) -> Path:
        """The roots to trust, PEM."""
        return self.directory / "ca.pem"

    @property
    def resolve(self) -> tuple[str, ...]:
        """Every ``HOST:PORT:ADDRESS`` of the lab."""
        return tuple((self.directory / "resolve.txt").read_text().split())

    @property
    def targets(self) -> tuple[str, ...]:
        """Every endpoint, as a target of an audit."""
        return tuple((self.directory / "targets.txt").read_text().split())

    def server(self, name: str) -> Server:
        """Give a row of its table."""
        return next(server for server in self.servers if server.name == name)

    def port(self, name: str) -> int:
        """Give the port of a row in this lab."""
        return self.server(name).port(self.base_port)

    def target(self, name: str) -> str:
        """Give a row as a target of an audit."""
        server = self.server(name)
        return nginx.target(server, server.full_host, self.port(name))


@pytest.fixture(scope="session")
def lab(lab_of: Callable[[tuple[Server, ...]], Lab]) -> Lab:
    """The lab of the truth table, up on free ports of loopback for the whole session."""
    return lab_of(SERVERS)


@pytest.fixture(scope="session")
def lab_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[tuple[Server, ...]], Lab]]:
    """Give a function that brings up a lab of some servers until the session ends. Skips where nginx is not installed."""
    try:
        nginx.find_nginx()
    except LabProblem as problem:
        pytest.skip(f"{problem}: {problem.hint}")
    with ExitStack() as at_the_end:

        def bring_up_until_the_end(servers: tuple[Server, ...]) -> Lab:
            directory = tmp_path_factory.mktemp("lab")
            at_the_end.callback(nginx.down, directory)
            return Lab(directory, bring_up(directory, servers), servers)

        yield bring_up_until_the_end


def bring_up(directory: Path, servers: tuple[Server, ...] = SERVERS, *, most_tries: int = 20) -> int:
    """Bring a lab up on the first free run of ports below the ephemeral range, and give its base port."""
    for attempt in range(most_tries):
        base_port = 21000 + (os.getpid() + attempt) % 50 * 2 * PORTS
        try:
            nginx.up(directory, nginx.Layout(base_port, servers))
        except LabProblem as problem:
            if "is taken" not in str(problem) or attempt == most_tries - 1:
                raise
        else:
            return base_port
    raise AssertionError("unreachable")
