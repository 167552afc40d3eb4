"""The command that compares two saved audits."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from atsprobe.cli import options
from atsprobe.cli.answer import answer
from atsprobe.cli.configured import in_force, say_settings_file
from atsprobe.cli.speak import Speaker
from atsprobe.settings import UsageProblem

EPILOG = "Exit: 0 nothing got worse, 1 something did, 2 bad usage or input, 3 something could not be compared"

Older = Annotated[str, typer.Argument(metavar="OLD.json", show_default=False)]
Newer = Annotated[str, typer.Argument(metavar="NEW.json", show_default=False)]
Ios = Annotated[
    list[str] | None,
    typer.Option(
        "--ios", metavar="VERSION", help="an iOS, or all; repeatable [as for NEW.json]", rich_help_panel="Judge as"
    ),
]
Sdk = Annotated[
    str | None,
    typer.Option(
        "--sdk", metavar="VERSION", help="SDK the app is linked with [as for NEW.json]", rich_help_panel="Judge as"
    ),
]
Verbose = Annotated[
    int,
    typer.Option(
        "--verbose",
        "-v",
        count=True,
        help="evidence, and what got neither better nor worse",
        rich_help_panel="Report",
    ),
]


def diff(
    context: typer.Context,
    old: Older,
    new: Newer,
    ios: Ios = None,
    profile: options.Mode = None,
    sdk: Sdk = None,
    format_name: options.Format = "text",
    output: options.OutputPath = None,
    verbose: Verbose = 0,
    quiet: options.Quiet = False,
    color: options.Color = "auto",
) -> int:
    """Say what got better or worse between two audits; no packet is sent.

    OLD.json and NEW.json are what audit --format json wrote; one of them may be - for standard input. Both are judged anew by
    today's rules, as the same clients: those that NEW.json was asked for, unless named here.
    """
    speaker: Speaker = context.obj
    options.set_manner(
        speaker,
        format_name=format_name,
        output=output,
        verbose=verbose,
        quiet=quiet,
        color=color,
        targets=[old, new],
    )
    if old == new == "-":
        raise UsageProblem("-: standard input can be one of the two audits", "give the other one as a file")
    ignored = in_force(context).ignored
    settings = replace(options.judging(ios, profile, sdk, assume_complete=False), ignored=ignored)
    say_settings_file(context, speaker, {"ignored host": len(ignored)})
    from atsprobe.pipelines.audit import check_profiles
    from atsprobe.pipelines.drift import drift

    check_profiles(settings)
    result = drift(options.read_json(old), options.read_json(new), settings, names=(old, new))
    if result.old.recording.started_at > result.new.recording.started_at:
        speaker.warning(f"{old} was made after {new}: worse and better may be the wrong way round")
    return answer(speaker, result, format_name)
