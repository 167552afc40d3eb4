"""The command that says what is configured, and where each value comes from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from atsprobe.cli import options
from atsprobe.cli.answer import answer
from atsprobe.cli.configured import ConfiguredCommand, by_option, check, in_force, options_of
from atsprobe.cli.speak import Speaker
from atsprobe.settings import UsageProblem
from atsprobe.settings_file.options import EXCLUSIVE


def config(
    context: typer.Context,
    format_name: options.Format = "text",
    output: options.OutputPath = None,
    verbose: options.Verbose = 0,
    quiet: options.Quiet = False,
    color: options.Color = "auto",
) -> int:
    """Print what is configured, and where each value comes from; nothing is looked at.

    A settings file is atsprobe.toml, or [tool.atsprobe] in pyproject.toml: of this folder, else of the nearest one above it
    in the same repository. It holds options as on the command line, less the dashes. Those of the command line go before
    it; --no-quick, say, undoes a switch of the file. Paths in it are from its own folder.
    """
    speaker: Speaker = context.obj
    options.set_manner(speaker, format_name=format_name, output=output, verbose=verbose, quiet=quiet, color=color)
    typed = context.meta[_TYPED]
    for one, other in EXCLUSIVE:
        if typed.get(one) and typed.get(other):
            raise UsageProblem(f"--{one} and --{other}: one or the other", "leave one of them out")
    for option, value in typed.items():
        if value is not None:
            check(option, value)
    return answer(speaker, in_force(context), format_name)


_TYPED = "atsprobe.config.typed"


def config_class(audit: Callable[..., Any]) -> type[ConfiguredCommand]:
    """Give the class of the command, which takes every option that an audit takes, to show what would be in force."""

    class ConfigCommand(ConfiguredCommand):
        """Takes the options of an audit beside its own, and does nothing with them but to show them."""

        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            own = {p.name for p in self.params}
            self._shown = [p for p in options_of(audit) if p.name not in own]
            self.params = [*self._shown, *self.params]

        def invoke(self, ctx: Any) -> Any:
            ctx.meta[_TYPED] = {option: ctx.params[p.name] for option, p in by_option(self._shown).items()}
            return super().invoke(ctx)

        def _put_in_force(self, ctx: Any) -> Any:
            found = super()._put_in_force(ctx)
            for parameter in self._shown:
                del ctx.params[parameter.name]
            return found

    return ConfigCommand
