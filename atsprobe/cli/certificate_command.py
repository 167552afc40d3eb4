"""The command that judges a chain in files, before it is installed."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from atsprobe.cli import options
from atsprobe.cli.answer import answer
from atsprobe.cli.configured import say_settings_file
from atsprobe.cli.speak import Speaker
from atsprobe.settings import moment

_AS = "Judge as"

Chain = Annotated[list[str], typer.Argument(metavar="CHAIN...", show_default=False)]
HostName = Annotated[
    str,
    typer.Option(
        "--host",
        metavar="HOST",
        help="the name, or the IP address, of the server",
        rich_help_panel=_AS,
        show_default=False,
    ),
]
PublicRoots = Annotated[
    list[str] | None,
    typer.Option(
        "--public-root",
        metavar="PEM",
        help="a root to judge as if Apple shipped it; repeatable",
        rich_help_panel=_AS,
    ),
]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="a day or an ISO time, UTC [now]", rich_help_panel=_AS),
]


def certificate(
    context: typer.Context,
    chain: Chain,
    host: HostName,
    ca_files: options.CaFiles = None,
    public_roots: PublicRoots = None,
    at: At = None,
    ios: options.IosAlone = None,
    profile: options.Mode = None,
    format_name: options.Format = "text",
    output: options.OutputPath = None,
    server: options.ServerKind = None,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
    color: options.Color = "auto",
) -> int:
    """Say whether Apple's client would accept a chain for a host; no packet is sent.

    CHAIN is a file of certificates, PEM or DER, or several; the order does not matter.
    """
    speaker: Speaker = context.obj
    roots = [*(ca_files or ()), *(public_roots or ())]
    options.set_manner(
        speaker,
        format_name=format_name,
        output=output,
        verbose=verbose,
        quiet=quiet,
        color=color,
        targets=[*chain, *roots],
        server=server,
    )
    settings = options.judging(ios, profile, None, assume_complete=False)
    instant = moment("--at", at) if at is not None else None
    say_settings_file(context, speaker)
    from atsprobe.pipelines.certificate import certificate as run

    settings = replace(settings, ca_files=tuple(ca_files or ()))
    result = run(chain, host, settings, public_roots=tuple(public_roots or ()), at=instant)
    return answer(speaker, result, format_name)
