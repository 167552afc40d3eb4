"""Commands whose options may stand in a settings file: the command line before the file, the file before the default."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any

import typer
from typer.main import get_command

from atsprobe.cli import options
from atsprobe.cli.help import PlainCommand
from atsprobe.cli.speak import Speaker
from atsprobe.model.result import ConfigResult, ConfiguredText, ConfiguredValue
from atsprobe.report.format import DIAGNOSIS_FORMATS, FORMATS
from atsprobe.report.server_products import products
from atsprobe.report.words import count
from atsprobe.settings import Settings, UsageProblem
from atsprobe.settings_file.options import EXCLUSIVE, OPTIONS, FileValue
from atsprobe.settings_file.read import SettingsFile

_IN_FORCE = "atsprobe.settings"
_FORMATS_OF_ANY = tuple(f for f in dict.fromkeys((*FORMATS, *DIAGNOSIS_FORMATS)) if f != "nscurl")
"""The formats that some command has; nscurl's own layout is asked for by an option of its own."""

_WRITTEN = ("output", "suggest", "patch", "notes")
"""The options of the file that have the command write files."""

_NONE_GIVEN: dict[str, Any] = {
    "resolve": None,
    "connect_to": None,
    "timeout": None,
    "deadline": None,
    "jobs": None,
    "per_second": None,
    "ipv4": False,
    "ipv6": False,
}


def _settings_file(
    config_file: Annotated[
        str | None,
        typer.Option(
            "--config", metavar="FILE", help="a settings file [found from here up]", rich_help_panel="Settings"
        ),
    ] = None,
    no_config: Annotated[
        bool, typer.Option("--no-config", help="read no settings file", rich_help_panel="Settings")
    ] = False,
) -> None:
    """Have the options that every command with a settings file has, as typer makes them."""


def options_of(function: Callable[..., Any]) -> list[Any]:
    """Give the options of a command's function, as typer makes them."""
    app = typer.Typer(add_completion=False)
    app.command()(function)
    return [p for p in get_command(app).params if p.param_type_name == "option"]


class ConfiguredCommand(PlainCommand):
    """A command that reads a settings file before it runs, and takes from it what the command line does not give.

    An option on the command line puts the file's value out of force, and that of an option that excludes it. Of the file
    a command takes what it knows: an option that it has, a format that is one of its ``formats``, and ``--output`` where it
    ``writes_its_report_by_file``.
    """

    formats: tuple[str, ...] = tuple(FORMATS)
    writes_its_report_by_file = False

    def __init__(self, *args: Any, **more: Any) -> None:
        """Add the options that choose the file."""
        super().__init__(*args, **more)
        self.params = [*self.params, *options_of(_settings_file)]

    def invoke(self, ctx: Any) -> Any:
        """Run the command with what is in force. Raises UsageProblem: file, line, reason."""
        ctx.meta[_IN_FORCE] = self._put_in_force(ctx)
        return super().invoke(ctx)

    def _put_in_force(self, ctx: Any) -> ConfigResult:
        from atsprobe.pipelines.config import SettingsFound, settings_found

        path, unwanted = ctx.params.pop("config_file"), ctx.params.pop("no_config")
        if path is not None and unwanted:
            raise UsageProblem("--config and --no-config: one or the other", "leave one of them out")
        found = SettingsFound() if unwanted else settings_found(path)
        given = _given(ctx, self.params)
        file = found.file or SettingsFile("")
        values = [_in_force(option, given, file) for option in OPTIONS]
        for configured in values:
            if configured.source == "file":
                self._take_from_file(ctx, configured, file)
        shown = file.shown if found.file is not None else None
        return ConfigResult(shown, found.looked_in, tuple(values), file.ignored, file.waivers)

    def _take_from_file(self, ctx: Any, configured: ConfiguredValue, file: SettingsFile) -> None:
        """Put a value of the file in the place of a parameter of this command, if it has such a one."""
        parameter = by_option(self.params).get(configured.option)
        value = file.value(configured.option)
        if parameter is None or value is None:
            return
        _check_in_file(value, file)
        if value.option in _WRITTEN and not self.writes_its_report_by_file:
            return
        if value.option == "format" and value.value not in self.formats:
            return
        ctx.params[parameter.name] = _as_typed(value)


class ReportingCommand(ConfiguredCommand):
    """The command whose report the settings file may send to a file."""

    writes_its_report_by_file = True


def in_force(context: typer.Context) -> ConfigResult:
    """Give what is in force for a `ConfiguredCommand`, and where each value comes from."""
    found: ConfigResult = context.meta[_IN_FORCE]
    return found


def is_from_file(context: typer.Context, option: str) -> bool:
    """Whether an option has its value from the settings file."""
    return any(v.option == option and v.source == "file" for v in in_force(context).values)


def with_settings_file(context: typer.Context, settings: Settings, speaker: Speaker) -> Settings:
    """Give settings with the hosts to ignore and the waivers of the file, and say which file is used."""
    found = in_force(context)
    told = {"ignored host": len(found.ignored), "waiver": len(found.waivers)}
    say_settings_file(context, speaker, told)
    return replace(settings, ignored=found.ignored, waivers=found.waivers)


def say_settings_file(context: typer.Context, speaker: Speaker, more: Mapping[str, int] | None = None) -> None:
    """Say which settings file is used, for it may change what the command answers; ``more`` counts what else of it is."""
    found = in_force(context)
    own = by_option(context.command.params)
    told = {"option": sum(1 for v in found.values if v.source == "file" and v.option in own), **(more or {})}
    if found.file is not None and any(told.values()):
        speaker.note(f"using {found.file}: {', '.join(count(n, noun) for noun, n in told.items() if n)}")


def by_option(parameters: Iterable[Any]) -> dict[str, Any]:
    """Give the parameters that are options, by their long names less the dashes."""
    named = ((p, next((o for o in p.opts if o.startswith("--")), None)) for p in parameters)
    return {name.removeprefix("--"): p for p, name in named if name is not None}


def _given(ctx: Any, parameters: Iterable[Any]) -> dict[str, Any]:
    """Give the options that the command line holds, with their values."""
    return {
        option: ctx.params[p.name]
        for option, p in by_option(parameters).items()
        if p.name in ctx.params and ctx.get_parameter_source(p.name).name == "COMMANDLINE"
    }


def _in_force(option: str, given: Mapping[str, Any], file: SettingsFile) -> ConfiguredValue:
    if option in given:
        return ConfiguredValue(option, _shown(option, given[option]), "command-line")
    excluded_by = {a for pair in EXCLUSIVE if option in pair for a in pair if a != option}
    value = file.value(option)
    if value is not None and not excluded_by & set(given):
        return ConfiguredValue(option, value.value, "file", value.line)
    row = OPTIONS[option]
    return ConfiguredValue(option, row.default, "default", meaning=row.meaning)


def _shown(option: str, typed: Any) -> ConfiguredText:
    """Give a value of the command line in the type in which a file would hold it."""
    if isinstance(typed, list | tuple):
        return tuple(typed)
    is_number = isinstance(OPTIONS[option].default, int | float) or option == "rate"
    if not isinstance(typed, str) or not is_number:
        value: ConfiguredText = typed
        return value
    try:
        return int(typed) if typed.isdecimal() else float(typed)
    except ValueError:
        return typed  # the command says what is wrong with it


def _as_typed(value: FileValue) -> Any:
    """Give a value of the file as the command line would: numbers as text, but for what is counted."""
    if isinstance(value.value, tuple):
        return list(value.value)
    is_number = isinstance(value.value, int | float) and not isinstance(value.value, bool)
    return str(value.value) if is_number and value.option != "verbose" else value.value


def check(option: str, typed: Any) -> None:
    """Read a value of an option as it will be read when a command runs. Raises UsageProblem."""
    reader = _READERS.get(option)
    if reader is not None:
        reader(typed)


def _check_in_file(value: FileValue, file: SettingsFile) -> None:
    """Check a value of the file. Raises UsageProblem with its place there."""
    option = value.option
    try:
        check(option, _as_typed(value))
    except UsageProblem as problem:
        place = file.shown if value.line is None else f"{file.shown}:{value.line}"
        said = str(problem).removeprefix(f"--{option}: ")
        takes = problem.hint.startswith(f"--{option} takes ")
        hint = problem.hint.removeprefix("--") if takes else f"{option} = {OPTIONS[option].example}, say"
        if option == "ca-file":
            hint = f"paths in {file.shown} are from its own folder"
        raise UsageProblem(f"{place}: {option}: {said}", hint) from problem


def _client(**asked: Any) -> None:
    from atsprobe.pipelines.audit import check_profiles

    check_profiles(Settings(**asked))


def _names(**asked: Any) -> None:
    from atsprobe.pipelines.record import check_names

    check_names(options.network(**{**_NONE_GIVEN, **asked}))


def _nameserver(value: str) -> None:
    from atsprobe.pipelines.record import check_names

    check_names(Settings(nameserver=value))


def _roots(value: list[str]) -> None:
    from atsprobe.pipelines.record import check_roots

    check_roots(Settings(ca_files=tuple(value)))


def _numbers(**asked: Any) -> None:
    options.network(**{**_NONE_GIVEN, **asked})


_READERS: dict[str, Callable[[Any], object]] = {
    "ios": lambda v: _client(ios=tuple(v)),
    "profile": lambda v: _client(profile=v),
    "sdk": lambda v: options.judging(None, None, v, assume_complete=False),
    "ca-file": _roots,
    "resolve": lambda v: _names(resolve=v),
    "connect-to": lambda v: _names(connect_to=v),
    "nameserver": _nameserver,
    "timeout": lambda v: _numbers(timeout=v),
    "deadline": lambda v: _numbers(deadline=v),
    "jobs": lambda v: _numbers(jobs=v),
    "rate": lambda v: _numbers(per_second=v),
    "min-confidence": options.confidence,
    "format": lambda v: options.one_of("--format", v, _FORMATS_OF_ANY),
    "server": lambda v: options.one_of("--server", v, tuple(products())),
    "color": lambda v: options.one_of("--color", v, options.COLORS),
}
"""What reads the value of an option when a command runs; an option that is not here takes any value of its type."""
