"""The lab's commands: up, down, list, render."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from atsprobe.cli import options
from atsprobe.cli.help import PlainCommand, PlainGroup
from atsprobe.cli.speak import Speaker
from atsprobe.model.result import ExitCode, LabResult
from atsprobe.report.closing import why
from atsprobe.settings import UsageProblem, whole_number

_WHERE = "Where"

Directory = Annotated[
    str,
    typer.Option("--directory", "-d", metavar="DIR", help="the lab's folder [lab]", rich_help_panel=_WHERE),
]
BasePort = Annotated[
    str | None,
    typer.Option("--base-port", metavar="N", help="the first port, the rest follow it", rich_help_panel=_WHERE),
]
RenderedTo = Annotated[str, typer.Argument(metavar="DIR", show_default=False)]


class _LabCommands(PlainGroup):
    order = ("up", "down", "list", "render")


lab_commands = typer.Typer(
    cls=_LabCommands,
    rich_markup_mode=None,
    help="Weak TLS servers on this machine, and what is expected of each.",
)


@lab_commands.command("up", cls=PlainCommand, short_help="start it on loopback, with nginx")
def up(
    context: typer.Context,
    directory: Directory = "lab",
    base_port: BasePort = None,
    quiet: options.Quiet = False,
    color: options.Color = "auto",
) -> int:
    """Write the lab's folder and start its servers on loopback."""
    speaker: Speaker = context.obj
    options.set_manner(speaker, quiet=quiet, color=color)
    from atsprobe.pipelines.lab import lab_up
    from atsprobe.report.text.lab import render_lab

    with _problems():
        result = lab_up(directory, _port(base_port))
    speaker.report(render_lab(result, speaker.style(), rows=False))
    speaker.hint(_audit_command(result))
    return _close(speaker, ExitCode.NOTHING_TO_ACT_ON, why(result))


@lab_commands.command("down", cls=PlainCommand, short_help="stop it; its folder stays")
def down(
    context: typer.Context,
    directory: Directory = "lab",
    quiet: options.Quiet = False,
    color: options.Color = "auto",
) -> int:
    """Stop the servers of the lab's folder, which stays."""
    speaker: Speaker = context.obj
    options.set_manner(speaker, quiet=quiet, color=color)
    from atsprobe.pipelines.lab import lab_down

    with _problems():
        was_up = lab_down(directory)
    return _close(speaker, ExitCode.NOTHING_TO_ACT_ON, "the lab is down" if was_up else "the lab was not up")


@lab_commands.command("list", cls=PlainCommand, short_help="its servers, and what is expected of each")
def list_servers(
    context: typer.Context,
    directory: Directory = "lab",
    base_port: BasePort = None,
    format_name: options.Format = "text",
    output: options.OutputPath = None,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
    color: options.Color = "auto",
) -> int:
    """List the lab's servers: names, ports, and the verdict that an audit should give."""
    speaker: Speaker = context.obj
    options.set_manner(speaker, format_name=format_name, output=output, verbose=verbose, quiet=quiet, color=color)
    from atsprobe.pipelines.lab import lab_list
    from atsprobe.report.format import render

    with _problems():
        result = lab_list(directory, _port(base_port))
    speaker.report(render(result, format_name, speaker.style()))
    return _close(speaker, ExitCode.NOTHING_TO_ACT_ON, why(result))


@lab_commands.command("render", cls=PlainCommand, short_help="write what docker compose mounts")
def render_folder(
    context: typer.Context,
    directory: RenderedTo,
    base_port: BasePort = None,
    quiet: options.Quiet = False,
    color: options.Color = "auto",
) -> int:
    """Write the lab's folder to DIR, to be served from containers.

    docker compose -f DIR/docker-compose.yml up serves it.
    """
    speaker: Speaker = context.obj
    options.set_manner(speaker, quiet=quiet, color=color)
    from atsprobe.pipelines.lab import lab_render
    from atsprobe.report.text.lab import render_lab

    with _problems():
        result = lab_render(directory, base_port=_port(base_port))
    speaker.report(render_lab(result, speaker.style(), rows=False))
    return _close(speaker, ExitCode.NOTHING_TO_ACT_ON, f"written to {directory}")


def _port(text: str | None) -> int:
    from atsprobe.pipelines.lab import DEFAULT_BASE_PORT

    return DEFAULT_BASE_PORT if text is None else whole_number("--base-port", text, 1, 65535, DEFAULT_BASE_PORT)


@contextmanager
def _problems() -> Iterator[None]:
    """Give what the lab cannot do as a problem of usage."""
    from atsprobe.pipelines.lab import LabProblem

    try:
        yield
    except LabProblem as problem:
        raise UsageProblem(str(problem), problem.hint) from problem


def _audit_command(result: LabResult) -> str:
    """Give the complete command that audits the lab, quoted for a shell."""
    folder = Path(result.directory)
    return shlex.join(
        [
            "atsprobe",
            "audit",
            f"@{folder / 'targets.txt'}",
            "--ca-file",
            result.ca_file,
            "--resolve",
            f"@{folder / 'resolve.txt'}",
        ]
    )


def _close(speaker: Speaker, code: ExitCode, why_it_is: str) -> int:
    speaker.closing(code, why_it_is)
    return int(code)
