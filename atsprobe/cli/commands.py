"""The commands: parse, one call, a format, an exit code. Each imports its pipeline when it runs."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from dataclasses import replace
from importlib import metadata
from typing import Annotated

import typer

from atsprobe.cli import options
from atsprobe.cli.answer import EXIT, answer, closed
from atsprobe.cli.certificate_command import certificate
from atsprobe.cli.config_command import config, config_class
from atsprobe.cli.configured import (
    ConfiguredCommand,
    ReportingCommand,
    is_from_file,
    say_settings_file,
    with_settings_file,
)
from atsprobe.cli.diagnose_command import DiagnoseCommand, diagnose
from atsprobe.cli.diff_command import EPILOG, diff
from atsprobe.cli.help import PlainCommand, PlainGroup
from atsprobe.cli.lab_commands import lab_commands
from atsprobe.cli.papers import papers
from atsprobe.cli.policy_command import policy
from atsprobe.cli.progress_line import ProgressLine
from atsprobe.cli.speak import NotWritten, Speaker, standard_speaker
from atsprobe.cli.usage import usage
from atsprobe.model.endpoint import Confidence
from atsprobe.model.result import AuditResult, ExitCode, exit_code
from atsprobe.report.closing import why
from atsprobe.report.format import HOSTS_FORMATS
from atsprobe.report.style import VERY_VERBOSE
from atsprobe.report.words import count
from atsprobe.settings import Settings, UsageProblem

_HELP = {"help_option_names": ["-h", "--help"]}
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""What typer raises for an option that it cannot read; typer exports the subclass alone, and its click goes by two names."""


_NOTHING = {"audit": "nothing was audited", "judge": "nothing was audited", "diff": "nothing was compared"}
"""What a command that was stopped has not done, for its last line."""


class _Commands(PlainGroup):
    order = ("audit", "judge", "hosts", "diagnose", "policy", "certificate", "demo", "lab", "diff", "config", "schema")


app = typer.Typer(
    cls=_Commands,
    context_settings=_HELP,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=(
        "Will App Transport Security let an iOS app load from its servers, and is each exception in its Info.plist still "
        "needed?"
    ),
)


@app.callback(invoke_without_command=True)
def atsprobe(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="show the version")] = False,
) -> int:
    """Will App Transport Security let an iOS app load from its servers, and is each exception in its Info.plist still needed?"""
    speaker: Speaker = context.obj
    if version:
        speaker.report(f"atsprobe {metadata.version('atsprobe')}\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        raise UsageProblem("no command given", "atsprobe --help lists all")
    return 0


@app.command(
    cls=ReportingCommand,
    short_help="extract hosts, probe them, judge servers and exceptions",
    rich_help_panel="Audit",
    epilog=EXIT,
)
def audit(
    context: typer.Context,
    targets: options.Targets,
    ios: options.Ios = None,
    profile: options.Mode = None,
    sdk: options.Sdk = None,
    assume_complete: options.AssumeComplete = False,
    ca_files: options.CaFiles = None,
    check_revocation: options.CheckRevocation = False,
    resolve: options.Resolve = None,
    connect_to: options.ConnectTo = None,
    nameserver: options.Nameserver = None,
    timeout: options.Timeout = None,
    deadline: options.Deadline = None,
    jobs: options.Jobs = None,
    per_second: options.Rate = None,
    quick: options.Quick = False,
    allow_private: options.AllowPrivate = False,
    min_confidence: options.MinConfidence = None,
    ipv4: options.Ipv4 = False,
    ipv6: options.Ipv6 = False,
    format_name: options.Format = "text",
    output: options.OutputPath = None,
    suggest: options.Suggest = None,
    patch: options.Patch = None,
    notes: options.Notes = None,
    server: options.ServerKind = None,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
    color: options.Color = "auto",
) -> int:
    """Extract the hosts of an app, probe them, judge App Transport Security.

    TARGET is an .ipa, .app, .xcarchive, folder, Info.plist, Mach-O file, URL, HOST[:PORT], IP address, @FILE (one target a
    line) or - (the same from standard input). Hosts beside an app are judged under its Info.plist.
    """
    speaker: Speaker = context.obj
    options.set_manner(
        speaker,
        format_name=format_name,
        output=output,
        verbose=verbose,
        quiet=quiet,
        color=color,
        targets=targets,
        server=server,
    )
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
    judging = options.judging(ios, profile, sdk, assume_complete=assume_complete)
    settings = replace(
        reach,
        ios=judging.ios,
        profile=judging.profile,
        sdk=judging.sdk,
        assume_complete=assume_complete,
        ca_files=tuple(ca_files or ()),
        nameserver=nameserver,
        quick=quick,
        allow_private=allow_private,
        min_confidence=options.confidence(min_confidence) if min_confidence else Settings().min_confidence,
        check_revocation=check_revocation,
    )
    settings = with_settings_file(context, settings, speaker)
    taken = [*targets, *([output] if output else [])]
    wanted = papers(suggest, patch, notes, taken, patch_is_standing=is_from_file(context, "patch"))
    from atsprobe.pipelines.audit import audit as run

    result = run(targets, settings, ProgressLine(speaker, wanted.check))
    return answer(speaker, result, format_name, wanted)


@app.command(cls=ConfiguredCommand, short_help="judge a saved audit again, without a packet", rich_help_panel="Audit")
def judge(
    context: typer.Context,
    saved: options.SavedAudit,
    plist: options.Plist = None,
    ios: options.Ios = None,
    profile: options.Mode = None,
    sdk: options.Sdk = None,
    assume_complete: options.AssumeComplete = False,
    format_name: options.Format = "text",
    output: options.OutputPath = None,
    suggest: options.Suggest = None,
    patch: options.Patch = None,
    notes: options.Notes = None,
    server: options.ServerKind = None,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
    color: options.Color = "auto",
) -> int:
    """Judge a saved audit again, by today's rules; no packet is sent.

    FILE is what audit --format json wrote, or - for standard input. What was concluded then is not read.
    """
    speaker: Speaker = context.obj
    options.set_manner(
        speaker,
        format_name=format_name,
        output=output,
        verbose=verbose,
        quiet=quiet,
        color=color,
        targets=[saved, *([plist] if plist else [])],
        server=server,
    )
    settings = options.judging(ios, profile, sdk, assume_complete=assume_complete)
    settings = with_settings_file(context, settings, speaker)
    wanted = papers(suggest, patch, notes, [saved, *([plist] if plist else []), *([output] if output else [])])
    result = _judged_again(saved, settings, plist)
    wanted.check(result.recording.extraction)
    return answer(speaker, result, format_name, wanted)


@app.command(cls=ConfiguredCommand, short_help="every host of an app, and where it was found", rich_help_panel="Audit")
def hosts(
    context: typer.Context,
    targets: options.Targets,
    all_hosts: options.All = False,
    min_confidence: options.MinConfidenceListed = None,
    format_name: options.HostsFormat = "text",
    output: options.OutputPath = None,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
    color: options.Color = "auto",
) -> int:
    """List every host that an app names, and where; no packet is sent.

    TARGET is what audit takes. With -q the bare names, one a line, ready for atsprobe audit -
    """
    speaker: Speaker = context.obj
    options.set_manner(
        speaker,
        format_name=format_name,
        output=output,
        verbose=verbose,
        quiet=quiet,
        color=color,
        targets=targets,
        formats=tuple(HOSTS_FORMATS),
    )
    if all_hosts and min_confidence:
        raise UsageProblem("--all and --min-confidence: one or the other", "--all lists what is least sure, and noise")
    least = Confidence("D" if all_hosts else options.confidence(min_confidence or "C"))
    say_settings_file(context, speaker)
    from atsprobe.pipelines.hosts import hosts as run

    return answer(speaker, run(targets, least=least, lists_noise=all_hosts), format_name)


app.command(
    cls=DiagnoseCommand,
    short_help="the table of nscurl --ats-diagnostics for a host",
    rich_help_panel="One thing",
    epilog=EXIT,
)(diagnose)
app.command(
    cls=ConfiguredCommand,
    short_help="what an Info.plist demands of each host",
    rich_help_panel="One thing",
    epilog=EXIT,
)(policy)
app.command(
    cls=ConfiguredCommand, short_help="would Apple accept this chain", rich_help_panel="One thing", epilog=EXIT
)(certificate)
app.add_typer(
    lab_commands,
    name="lab",
    short_help="weak TLS servers on local nginx: up, down, list",
    rich_help_panel="Try it",
)


@app.command(cls=PlainCommand, short_help="a sample app against servers on this machine", rich_help_panel="Try it")
def demo(
    context: typer.Context,
    format_name: options.Format = "text",
    output: options.OutputPath = None,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
    color: options.Color = "auto",
) -> int:
    """Audit a bundled sample app against servers on this machine's loopback.

    Nothing else needs to be installed, and no packet leaves the machine. Exit 0 when the report is what it should be.
    """
    speaker: Speaker = context.obj
    options.set_manner(speaker, format_name=format_name, output=output, verbose=verbose, quiet=quiet, color=color)
    from atsprobe.pipelines.demo import demo as run
    from atsprobe.pipelines.demo import server_count
    from atsprobe.report.format import render

    servers = count(server_count(), "server")
    speaker.note(f"demo: a sample app and {servers} on 127.0.0.1; every verdict shows up at least once")
    try:
        shown = run(ProgressLine(speaker))
    except OSError as error:
        raise UsageProblem(f"the demo's servers could not be started ({str(error)[:200]})") from error
    speaker.report(render(shown.result, format_name, speaker.style()))
    if exit_code(shown.result) is ExitCode.INTERRUPTED:
        return closed(speaker, ExitCode.INTERRUPTED, why(shown.result))
    for text in shown.unexpected:
        speaker.error(text)
    if shown.unexpected:
        return closed(speaker, ExitCode.FINDINGS, "the report is not what the demo should give")
    speaker.hint("atsprobe audit YOUR.ipa")
    return closed(speaker, ExitCode.NOTHING_TO_ACT_ON, "the report is what the demo should give")


app.command(
    cls=ConfiguredCommand,
    short_help="what got better or worse between two audits",
    rich_help_panel="Other",
    epilog=EPILOG,
)(diff)
app.command(
    cls=config_class(audit),
    short_help="what is configured, and where each value comes from",
    rich_help_panel="Other",
)(config)


@app.command(cls=PlainCommand, short_help="JSON Schema of each command's output", rich_help_panel="Other")
def schema(
    context: typer.Context,
    command: Annotated[str, typer.Argument(metavar="[COMMAND]", show_default=False)] = "audit",
) -> int:
    """Print the JSON Schema of a command's output.

    COMMAND is audit, hosts, diagnose, policy, certificate, lab, diff or config [audit].
    """
    from atsprobe.json_v1.schema import SCHEMA_NAMES
    from atsprobe.json_v1.schema import schema as schema_of
    from atsprobe.json_v1.text import dumps

    speaker: Speaker = context.obj
    speaker.report(dumps(schema_of(options.one_of("COMMAND", command, SCHEMA_NAMES))))
    return closed(speaker, ExitCode.NOTHING_TO_ACT_ON, f"the schema of {command}")


def _judged_again(saved: str, settings: Settings, plist: str | None) -> AuditResult:
    """Read a saved audit and judge it. Raises UsageProblem that names the file at fault."""
    from atsprobe.pipelines.audit import check_profiles
    from atsprobe.pipelines.rejudge import rejudge

    check_profiles(settings)
    text = options.read_json(saved)
    try:
        return replace(rejudge(text, settings, plist), is_rejudged=True)
    except UsageProblem as problem:
        if plist is not None and str(problem).startswith(plist):
            raise
        raise UsageProblem(f"{saved}: {problem}", problem.hint) from problem


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give the exit code. Nothing that can be foreseen ends in a traceback."""
    speaker = standard_speaker()
    given = sys.argv[1:] if arguments is None else list(arguments)
    speaker.arguments = tuple(given)
    command = next((a for a in given if not a.startswith("-")), "audit")
    nothing = _NOTHING.get(command, "nothing was done")
    try:
        code = int(app(given, prog_name="atsprobe", standalone_mode=False, obj=speaker) or 0)
        if code == ExitCode.INTERRUPTED and not speaker.has_closed:
            raise KeyboardInterrupt  # typer turns it into an exit code
        return code
    except NotWritten as problem:
        return _refused(speaker, str(problem), problem.hint, "the report was not written")
    except UsageProblem as problem:
        return _refused(speaker, str(problem), problem.hint, nothing)
    except _UsageError as problem:
        return _refused(speaker, *usage(problem), nothing)
    except (KeyboardInterrupt, typer.Abort):
        return closed(speaker, ExitCode.INTERRUPTED, "interrupted, without a report")
    except Exception as error:  # noqa: BLE001 - the last line of defence: one line, never a bare traceback
        return _defect(speaker, error)


def _refused(speaker: Speaker, message: str, hint: str, nothing: str) -> int:
    speaker.error(message)
    speaker.hint(hint)
    return closed(speaker, ExitCode.USAGE, nothing)


def _defect(speaker: Speaker, error: Exception) -> int:
    if speaker.verbosity >= VERY_VERBOSE:
        speaker.log("".join(traceback.format_exception(error)))
    speaker.error(f"internal: {type(error).__name__}: {str(error)[:300]}")
    speaker.hint("this is a defect of atsprobe; please report it with the command and what -vv adds")
    return closed(speaker, ExitCode.USAGE, "stopped by a defect")
