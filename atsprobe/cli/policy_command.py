"""The command that tells what an Info.plist demands of hosts."""

from __future__ import annotations

from typing import Annotated

import typer

from atsprobe.cli import options
from atsprobe.cli.answer import answer
from atsprobe.cli.configured import say_settings_file
from atsprobe.cli.speak import Speaker

Plist = Annotated[str, typer.Argument(metavar="PLIST", show_default=False)]
Hosts = Annotated[list[str] | None, typer.Argument(metavar="[HOST...]", show_default=False)]
Verbose = Annotated[
    int,
    typer.Option(
        "--verbose", "-v", count=True, help="the suites offered, a note on every key", rich_help_panel="Report"
    ),
]


def policy(
    context: typer.Context,
    plist: Plist,
    hosts: Hosts = None,
    ios: options.Ios = None,
    profile: options.Mode = None,
    sdk: options.Sdk = None,
    format_name: options.Format = "text",
    output: options.OutputPath = None,
    verbose: Verbose = 0,
    quiet: options.Quiet = False,
    color: options.Color = "auto",
) -> int:
    """Say what an Info.plist demands of each host, and which key decides; no packet is sent.

    PLIST is an Info.plist, or an .ipa or .app, each bundle of which answers for itself. HOST is a name, HOST:PORT, URL, IP
    address, @FILE (one a line) or - (the same from standard input) [every host that the plist names].
    """
    speaker: Speaker = context.obj
    options.set_manner(
        speaker,
        format_name=format_name,
        output=output,
        verbose=verbose,
        quiet=quiet,
        color=color,
        targets=[plist],
    )
    settings = options.judging(ios, profile, sdk, assume_complete=False)
    say_settings_file(context, speaker)
    from atsprobe.pipelines.policy import policy as run

    return answer(speaker, run(plist, hosts or (), settings), format_name)
