"""Plain help: options in their groups, short and long, values in brackets, wrapped to the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from typer.core import TyperCommand, TyperGroup

from atsprobe.settings import UsageProblem

_NARROW, _WIDE = 20, 24
"""Labels are padded to the longest of their group within these; a longer one pushes its own text to the right."""

_INDENT = 6
_COMMANDS_AT, _NAME_WIDTH = 11, 13


class PlainCommand(TyperCommand):
    """A command whose help is plain text. The docstring of its function is the text, the epilog its end."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write usage, text, groups of options, epilog."""
        parameters = self.get_params(ctx)
        arguments = [p for p in parameters if p.param_type_name == "argument"]
        usage = [ctx.command_path, "[OPTIONS]", *(p.metavar or p.name.upper() for p in arguments)]
        text = ["Usage: " + " ".join(usage), ""]
        for paragraph in _paragraphs(self.help):
            text += [*_wrapped(paragraph, formatter.width), ""]
        for title, options in _groups(parameters).items():
            text += [f"{title}:", *_rows(options, formatter.width), ""]
        for paragraph in _paragraphs(self.epilog):
            text += [*_wrapped(paragraph, formatter.width), ""]
        formatter.write("\n".join(text).rstrip() + "\n")


class PlainGroup(TyperGroup):
    """A group of commands whose help is a list of them, by the panel of each. ``order`` are their names in order."""

    order: tuple[str, ...] = ()

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write usage, text, and a line for each command."""
        width = formatter.width + 2  # click keeps two columns free
        text = [f"Usage: {ctx.command_path} COMMAND ..."]
        for paragraph in _paragraphs(self.help):
            text += _wrapped(paragraph, width)
        panel = None
        at = 2 if not any(map(_panel, self.commands.values())) else _COMMANDS_AT
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is None or command.hidden:
                continue
            told = _panel(command)
            title = "" if told == panel or not told else f"{told}:"
            panel = told
            column = at + _NAME_WIDTH
            text += _hanging(f"{title:<{at}}{name:<{_NAME_WIDTH}}", _short_help(command), column, width)
        formatter.write("\n".join(text) + "\n")

    def list_commands(self, ctx: Any) -> list[str]:
        """Give the names in the order that the group states, others last."""
        names = super().list_commands(ctx)
        return sorted(names, key=lambda n: self.order.index(n) if n in self.order else len(self.order))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command. Raises UsageProblem, with the name that may have been meant."""
        name = args[0]
        if not name.startswith("-") and name not in self.commands and not ctx.resilient_parsing:
            raise UsageProblem(f"no such command: {name}", did_you_mean(name, self.commands, ctx.command_path))
        return super().resolve_command(ctx, args)


def _panel(command: Any) -> str:
    return getattr(command, "rich_help_panel", None) or ""


def _short_help(command: Any) -> str:
    return str(command.get_short_help_str(1000))


def did_you_mean(text: str, known: Iterable[str], command: str) -> str:
    """Give a hint that names what was probably meant, and where all is listed."""
    names = sorted(known)
    within = [n for n in names if len(n) > 3 and (text.startswith(n) or n.startswith(text))]
    alike = get_close_matches(text, names, 1, 0.6) or within
    meant = f"did you mean {alike[0]}? " if alike else ""
    return f"{meant}{command} --help lists all"


def _paragraphs(text: str | None) -> list[str]:
    return [" ".join(p.split()) for p in (text or "").split("\n\n") if p.strip()]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent="  ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def _hanging(head: str, text: str, column: int, width: int) -> list[str]:
    """Write a label and the text beside it, which begins at the column, or after a label that reaches beyond it."""
    return textwrap.wrap(
        text or " ",
        width,
        initial_indent=head,
        subsequent_indent=" " * column,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [head.rstrip()]


def _groups(parameters: Sequence[Any]) -> dict[str, list[Any]]:
    """Gather options by panel; help, which has none, goes to the end of the last."""
    found: dict[str, list[Any]] = {}
    last = "Options"
    for parameter in parameters:
        if parameter.param_type_name == "option" and not parameter.hidden:
            last = getattr(parameter, "rich_help_panel", None) or last
            found.setdefault(last, []).append(parameter)
    return found


def _rows(options: Sequence[Any], width: int) -> list[str]:
    """Write a row for each option; options of one group with the same text share a row."""
    labels: dict[str, list[str]] = {}
    for option in options:
        is_help = "--help" in option.opts
        text = "show this text" if is_help else option.help or ""
        labels.setdefault(text, []).append(_label(option))
    joined = {text: ", ".join((parts[0], *(p.lstrip() for p in parts[1:]))) for text, parts in labels.items()}
    widest = max([_NARROW, *(len(label) - 4 for label in joined.values() if len(label) - 4 <= _WIDE)])
    column = _INDENT + widest + 2
    rows: list[str] = []
    for text, label in joined.items():
        rows += _hanging(f"  {label:<{column - 4}}  ", text, column, width)
    return rows


def _label(option: Any) -> str:
    """Give ``-j, --jobs N``, with blanks where there is no short name."""
    short = next((o for o in option.opts if not o.startswith("--")), None)
    long = next(o for o in option.opts if o.startswith("--"))
    value = "" if option.is_flag or option.count else f" {option.metavar or option.name.upper()}"
    return f"{f'{short}, ' if short else '    '}{long}{value}"
