"""What typer says of a command line that it cannot read, in our words."""

from __future__ import annotations

import re
from typing import Any

from atsprobe.cli.help import did_you_mean

_TOO_MANY = re.compile(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)")


def usage(problem: Any) -> tuple[str, str]:
    """Give the line and the hint for a usage error of typer's click, of whichever version."""
    command = problem.ctx.command_path if problem.ctx is not None else "atsprobe"
    name = getattr(problem, "option_name", None)
    if name is not None and hasattr(problem, "possibilities"):
        return f"no such option: {name}", did_you_mean(name, _option_names(problem.ctx), command)
    if name is not None:
        return f"{name}: no value given", f"{command} --help lists all"
    param = getattr(problem, "param", None)
    if type(problem).__name__ == "MissingParameter" and param is not None:
        missing = (param.metavar or param.name).removesuffix("...")
        return f"no {missing} given", f"{command} --help lists all"
    message = problem.format_message().strip().rstrip(".")
    extra = _TOO_MANY.fullmatch(message)
    if extra:
        return f"too many arguments: {extra[1]}", f"{command} --help lists all"
    return f"{message[:1].lower()}{message[1:]}", f"{command} --help lists all"


def _option_names(context: Any) -> list[str]:
    if context is None:
        return []
    shown = (p for p in context.command.get_params(context) if p.param_type_name == "option" and not p.hidden)
    return [name for p in shown for name in p.opts if name.startswith("--")]
