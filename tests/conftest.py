"""What every room's tests may use: the lab of weak servers, up for the whole session."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from atsprobe.lab import nginx
from atsprobe.lab.problem import LabProblem
from atsprobe.lab.server import Server
from atsprobe.lab.servers import PORTS, SERVERS, server_named


@dataclass(frozen=True)
class Lab:
    """A lab that is up: its folder, its base port, and what a client needs to reach and to trust it."""

    directory: Path
    base_port: int

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

    @property
    def servers(self) -> tuple[Server, ...]:
        """The truth table."""
        return SERVERS

    def server(self, name: str) -> Server:
        """Give a row of the truth table."""
        return server_named(name)

    def port(self, name: str) -> int:
        """Give the port of a row in this lab."""
        return server_named(name).port(self.base_port)

    def target(self, name: str) -> str:
        """Give a row as a target of an audit."""
        server = server_named(name)
        return nginx.target(server, server.full_host, self.port(name))


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Bring the lab up on free ports of loopback, and down after the session. Skips where nginx is not installed."""
    try:
        nginx.find_nginx()
    except LabProblem as problem:
        pytest.skip(f"{problem}: {problem.hint}")
    directory = tmp_path_factory.mktemp("lab")
    base_port = bring_up(directory)
    try:
        yield Lab(directory, base_port)
    finally:
        nginx.down(directory)


def bring_up(directory: Path, *, most_tries: int = 20) -> int:
    """Bring a lab up on the first free run of ports below the ephemeral range, and give its base port."""
    for attempt in range(most_tries):
        base_port = 21000 + (os.getpid() + attempt) % 50 * 2 * PORTS
        try:
            nginx.up(directory, nginx.Layout(base_port))
        except LabProblem as problem:
            if "is taken" not in str(problem) or attempt == most_tries - 1:
                raise
        else:
            return base_port
    raise AssertionError("unreachable")
