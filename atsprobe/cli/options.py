"""The options of the command line: name, value, help; and the settings that they make. Values are read in `settings`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from atsprobe.cli.speak import Output, Speaker
from atsprobe.report.format import FORMATS
from atsprobe.report.server_products import products
from atsprobe.report.style import QUIET, VERY_VERBOSE
from atsprobe.settings import MOST_JOBS, Settings, UsageProblem, entries, families, rate, reason, seconds, whole_number

_AS, _NET, _REPORT = "Judge as", "Names and network", "Report"
_RESOLVE_FORM, _CONNECT_FORM = "HOST:PORT:ADDR", "HOST:PORT:ADDR:PORT"
COLORS = ("auto", "always", "never")
CONFIDENCES = ("A", "B", "C", "D")

Targets = Annotated[list[str], typer.Argument(metavar="TARGET...", show_default=False)]
SavedAudit = Annotated[str, typer.Argument(metavar="FILE", show_default=False)]

Ios = Annotated[
    list[str] | None,
    typer.Option(
        "--ios",
        metavar="VERSION",
        help="an iOS, or all; repeatable [newest; app: all it runs on]",
        rich_help_panel=_AS,
    ),
]
IosAlone = Annotated[
    list[str] | None,
    typer.Option("--ios", metavar="VERSION", help="an iOS, or all; repeatable [newest]", rich_help_panel=_AS),
]
Mode = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="fcp21 or apple-system-27 instead of an iOS",
        rich_help_panel=_AS,
    ),
]
Sdk = Annotated[
    str | None,
    typer.Option(
        "--sdk",
        metavar="VERSION",
        help="SDK the app is linked with [read from it; else 26]",
        rich_help_panel=_AS,
    ),
]
AssumeComplete = Annotated[
    bool,
    typer.Option(
        "--assume-complete/--no-assume-complete",
        help="the hosts found and named are all that it uses",
        rich_help_panel=_AS,
    ),
]
CaFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--ca-file",
        metavar="PEM",
        help="a root that a user or MDM installed; repeatable",
        rich_help_panel=_AS,
    ),
]
CheckRevocation = Annotated[
    bool,
    typer.Option(
        "--check-revocation/--no-check-revocation", help="ask OCSP responders and CRLs too", rich_help_panel=_AS
    ),
]
Plist = Annotated[
    str | None,
    typer.Option("--plist", metavar="FILE", help="judge under this Info.plist instead", rich_help_panel=_AS),
]
Resolve = Annotated[
    list[str] | None,
    typer.Option(
        "--resolve",
        metavar=_RESOLVE_FORM,
        help="as curl has it; @FILE for many; repeatable",
        rich_help_panel=_NET,
    ),
]
ConnectTo = Annotated[
    list[str] | None,
    typer.Option(
        "--connect-to",
        metavar=_CONNECT_FORM,
        help="as curl has it; @FILE; repeatable",
        rich_help_panel=_NET,
    ),
]
Nameserver = Annotated[
    str | None,
    typer.Option("--nameserver", metavar="ADDR[:PORT]", help="ask this DNS server", rich_help_panel=_NET),
]
Timeout = Annotated[
    str | None,
    typer.Option("--timeout", metavar="SECONDS", help="for one answer [10]", rich_help_panel=_NET),
]
Deadline = Annotated[
    str | None,
    typer.Option(
        "--deadline",
        metavar="SECONDS",
        help="for one address, whatever it does [30]",
        rich_help_panel=_NET,
    ),
]
Jobs = Annotated[
    str | None,
    typer.Option("--jobs", "-j", metavar="N", help="endpoints in flight [64]", rich_help_panel=_NET),
]
Rate = Annotated[
    str | None,
    typer.Option("--rate", metavar="N", help="new connections a second to one address", rich_help_panel=_NET),
]
Quick = Annotated[
    bool,
    typer.Option("--quick/--no-quick", help="verdicts only, no list of suites and groups", rich_help_panel=_NET),
]
MinConfidence = Annotated[
    str | None,
    typer.Option(
        "--min-confidence",
        metavar="CLASS",
        help="A declared, B URL, C bare name, D in text [B]",
        rich_help_panel=_NET,
    ),
]
MinConfidenceListed = Annotated[
    str | None,
    typer.Option(
        "--min-confidence",
        metavar="CLASS",
        help="A declared, B URL, C bare name, D in text [C]",
        rich_help_panel=_REPORT,
    ),
]
All = Annotated[
    bool,
    typer.Option("--all", help="names inside texts, too, and noise", rich_help_panel=_REPORT),
]
HostsFormat = Annotated[
    str,
    typer.Option("--format", "-f", metavar="FORMAT", help="text, json or csv [text]", rich_help_panel=_REPORT),
]
AllowPrivate = Annotated[
    bool,
    typer.Option(
        "--allow-private/--no-allow-private",
        help="probe private addresses that an app names, too",
        rich_help_panel=_NET,
    ),
]
Ipv4 = Annotated[bool, typer.Option("--ipv4/--no-ipv4", help="one address family alone", rich_help_panel=_NET)]
Ipv6 = Annotated[bool, typer.Option("--ipv6/--no-ipv6", help="one address family alone", rich_help_panel=_NET)]

Format = Annotated[
    str,
    typer.Option("--format", "-f", metavar="FORMAT", help="text or json [text]", rich_help_panel=_REPORT),
]
OutputPath = Annotated[
    str | None,
    typer.Option("--output", "-o", metavar="FILE", help="write the report there", rich_help_panel=_REPORT),
]
Suggest = Annotated[
    str | None,
    typer.Option(
        "--suggest", metavar="PLIST", help="write the smallest dictionary that works", rich_help_panel=_REPORT
    ),
]
Patch = Annotated[
    str | None,
    typer.Option(
        "--patch",
        metavar="FILE",
        help="write it as a diff against the app's own Info.plist",
        rich_help_panel=_REPORT,
    ),
]
Notes = Annotated[
    str | None,
    typer.Option(
        "--notes", metavar="FILE", help="write the reasons for App Review, as Markdown", rich_help_panel=_REPORT
    ),
]
ServerKind = Annotated[
    str | None,
    typer.Option(
        "--server", metavar="KIND", help="fixes for nginx, apache, haproxy, aws, iis ...", rich_help_panel=_REPORT
    ),
]
Verbose = Annotated[
    int,
    typer.Option(
        "--verbose",
        "-v",
        count=True,
        help="evidence, every server; -vv every handshake",
        rich_help_panel=_REPORT,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet/--no-quiet",
        "-q",
        help="the answer and one line a problem, nothing else",
        rich_help_panel=_REPORT,
    ),
]
Color = Annotated[
    str,
    typer.Option("--color", metavar="WHEN", help="auto, always or never [auto]", rich_help_panel=_REPORT),
]


def set_manner(
    speaker: Speaker,
    *,
    format_name: str = "text",
    output: str | None = None,
    verbose: int = 0,
    quiet: bool = False,
    color: str = "auto",
    targets: Sequence[str] = (),
    formats: Sequence[str] = tuple(FORMATS),
    server: str | None = None,
) -> None:
    """Tell the speaker how and where to speak; an output path is tried here, before anything is done.

    Raises UsageProblem for a value that there is none of, for a path that cannot be written, and for one that is a target.
    """
    if quiet and verbose:
        raise UsageProblem("--quiet and --verbose: one or the other")
    speaker.verbosity = QUIET if quiet else min(verbose, VERY_VERBOSE)
    speaker.color = one_of("--color", color, COLORS)
    one_of("--format", format_name, formats)
    speaker.server = None if server is None else one_of("--server", server, tuple(products()))
    if output is not None and output != "-":
        if output in targets:
            raise UsageProblem(f"{output}: a target, and --output would overwrite it", "give another --output")
        speaker.output = Output(output)


def read_json(path: str) -> str:
    """Read a JSON file of the user as text, or standard input for ``-``. Raises UsageProblem."""
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return data.decode(json.detect_encoding(data))
    except UnicodeDecodeError as error:
        message = f"{path}: not JSON: neither UTF-8 nor UTF-16 (byte {error.start})"
        raise UsageProblem(message, "give the output of audit --format json") from error
    except (OSError, ValueError) as error:
        raise UsageProblem(f"{path}: {reason(error)}") from error


def one_of(option: str, value: str, known: Sequence[str]) -> str:
    """Give a value that must be one of a few. Raises UsageProblem."""
    if value not in known:
        raise UsageProblem(f"{option}: no such value: {value}", f"{option} takes {', '.join(known)}")
    return value


def confidence(text: str) -> str:
    """Read a class of confidence, in either case. Raises UsageProblem."""
    return one_of("--min-confidence", text.upper(), CONFIDENCES)


def judging(ios: list[str] | None, profile: str | None, sdk: str | None, *, assume_complete: bool) -> Settings:
    """Give the settings of what is judged again. Raises UsageProblem."""
    if ios and profile:
        raise UsageProblem("--ios and --profile: a profile stands instead of an iOS", "leave one of them out")
    return Settings(ios=tuple(ios or ()), profile=profile, sdk=sdk and _sdk(sdk), assume_complete=assume_complete)


def _sdk(text: str) -> str:
    parts = text.split(".")
    if not all(p.isascii() and p.isdigit() and len(p) < 5 for p in parts) or len(parts) > 3:
        raise UsageProblem(f"--sdk: {text} is not a version", "--sdk 26, say")
    return text


def network(
    *,
    resolve: list[str] | None,
    connect_to: list[str] | None,
    timeout: str | None,
    deadline: str | None,
    jobs: str | None,
    per_second: str | None,
    ipv4: bool,
    ipv6: bool,
) -> Settings:
    """Give the settings of how servers are reached. Raises UsageProblem."""
    default = Settings()
    return Settings(
        resolve=entries("--resolve", resolve or (), _RESOLVE_FORM),
        connect_to=entries("--connect-to", connect_to or (), _CONNECT_FORM),
        families=families(ipv4=ipv4, ipv6=ipv6),
        timeout=default.timeout if timeout is None else seconds("--timeout", timeout),
        deadline=default.deadline if deadline is None else seconds("--deadline", deadline),
        jobs=default.jobs if jobs is None else whole_number("--jobs", jobs, 1, MOST_JOBS, default.jobs),
        rate=None if per_second is None else rate("--rate", per_second),
    )
