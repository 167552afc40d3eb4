"""The weak TLS lab: write it, start it, stop it, list it."""

from __future__ import annotations

from pathlib import Path

from atsprobe.lab import nginx
from atsprobe.lab.problem import LabProblem
from atsprobe.lab.servers import DEFAULT_BASE_PORT, SERVERS
from atsprobe.model.result import LabEndpoint, LabResult

__all__ = ["DEFAULT_BASE_PORT", "LabProblem", "lab_down", "lab_list", "lab_render", "lab_up"]


def lab_up(directory: str | Path, base_port: int = DEFAULT_BASE_PORT) -> LabResult:
    """Write the lab to a directory and start it on loopback. Raises LabProblem where it cannot."""
    nginx.up(Path(directory), nginx.Layout(base_port))
    return lab_list(directory)


def lab_down(directory: str | Path) -> bool:
    """Stop the lab of a directory, whose files stay; say whether it was up. Raises LabProblem where it may not."""
    return nginx.down(Path(directory))


def lab_render(directory: str | Path, for_compose: bool = True, base_port: int = DEFAULT_BASE_PORT) -> LabResult:
    """Write the lab to a directory, to be served from containers or by hand. Raises LabProblem where it cannot."""
    nginx.write_lab(Path(directory), nginx.Layout(base_port), for_compose=for_compose)
    return lab_list(directory)


def lab_list(directory: str | Path, base_port: int = DEFAULT_BASE_PORT) -> LabResult:
    """List the servers and what is expected of each: with the ports of the lab in the directory, or from ``base_port`` on."""
    folder = Path(directory)
    base = nginx.base_port_of(folder) or base_port
    endpoints = tuple(
        LabEndpoint(
            name=server.name,
            host=server.full_host,
            port=server.port(base),
            scheme=server.scheme,
            address=",".join(server.addresses),
            description=server.description,
            verdict=server.expected.verdict,
            failing=server.expected.failing,
            note=server.note,
        )
        for server in SERVERS
    )
    return LabResult(str(directory), str(folder / "ca.pem"), endpoints, nginx.is_up(folder))
