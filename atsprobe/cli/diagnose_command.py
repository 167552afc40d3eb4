"""The command that gives the table of nscurl for hosts."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from atsprobe.cli import options
from atsprobe.cli.answer import answer
from atsprobe.cli.configured import ConfiguredCommand, say_settings_file
from atsprobe.cli.progress_line import ProgressLine
from atsprobe.cli.speak import Speaker
from atsprobe.settings import UsageProblem

_REPORT = "Report"
_FORMATS = ("text", "json", "markdown")

Hosts = Annotated[list[str], typer.Argument(metavar="HOST[:PORT]...", show_default=False)]
Sdk = Annotated[
    str | None,
    typer.Option("--sdk", metavar="VERSION", help="SDK that an app is linked with [26]", rich_help_panel="Judge as"),
]
Format = Annotated[
    str,
    typer.Option("--format", "-f", metavar="FORMAT", help="text, json or markdown [text]", rich_help_panel=_REPORT),
]
Nscurl = Annotated[
    bool,
    typer.Option("--nscurl", help="the sixteen tests in nscurl's own layout", rich_help_panel=_REPORT),
]
Verbose = Annotated[
    int,
    typer.Option(
        "--verbose",
        "-v",
        count=True,
        help="dictionaries and errors; -vv every handshake",
        rich_help_panel=_REPORT,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="the answer and what fails, nothing else", rich_help_panel=_REPORT),
]


class DiagnoseCommand(ConfiguredCommand):
    """The class of the command, whose table has a format more."""

    formats = _FORMATS


def diagnose(
    context: typer.Context,
    hosts: Hosts,
    ios: options.IosAlone = None,
    profile: options.Mode = None,
    sdk: Sdk = None,
    ca_files: options.CaFiles = None,
    resolve: options.Resolve = None,
    connect_to: options.ConnectTo = None,
    nameserver: options.Nameserver = None,
    timeout: options.Timeout = None,
    deadline: options.Deadline = None,
    jobs: options.Jobs = None,
    per_second: options.Rate = None,
    ipv4: options.Ipv4 = False,
    ipv6: options.Ipv6 = False,
    format_name: Format = "text",
    nscurl: Nscurl = False,
    output: options.OutputPath = None,
    server: options.ServerKind = None,
    verbose: Verbose = 0,
    quiet: Quiet = False,
    color: options.Color = "auto",
) -> int:
    """Give the table of nscurl --ats-diagnostics for a host, as the client of any iOS.

    HOST is a name, HOST:PORT, an https:// URL, an IP address, @FILE (one a line) or - (the same from standard input). At
    most 8 connections are made to an address; each row is computed from them.
    """
    speaker: Speaker = context.obj
    options.set_manner(
        speaker,
        format_name=format_name,
        output=output,
        verbose=verbose,
        quiet=quiet,
        color=color,
        targets=hosts,
        formats=_FORMATS,
        server=server,
    )
    judging = options.judging(ios, profile, sdk, assume_complete=False)
    if nscurl:
        _check_nscurl(context, judging.ios)
    reach = options.network(
        resolve=resolve,
        connect_to=connect_to,
        timeout=timeout,
        deadline=deadline,
        jobs=jobs,
        per_second=per_second,
        ipv4=ipv4,
        ipv6=ipv6,
    )
    settings = replace(
        reach,
        ios=judging.ios,
        profile=judging.profile,
        sdk=judging.sdk,
        ca_files=tuple(ca_files or ()),
        nameserver=nameserver,
    )
    say_settings_file(context, speaker)
    from atsprobe.pipelines.diagnose import diagnose as run

    return answer(speaker, run(hosts, settings, ProgressLine(speaker)), "nscurl" if nscurl else format_name)


def _check_nscurl(context: typer.Context, ios: tuple[str, ...]) -> None:
    """Raise UsageProblem for what nscurl's layout has no place for: another format, more than one client."""
    source = context.get_parameter_source("format_name")
    if source is not None and source.name == "COMMANDLINE":
        raise UsageProblem("--nscurl and --format: one or the other", "leave one of them out")
    if len(ios) > 1 or "all" in ios:
        raise UsageProblem("--nscurl: its layout does not tell clients apart", "give one --ios")
