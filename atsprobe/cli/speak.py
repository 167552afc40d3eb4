"""The only place that writes to a stream: the report to standard output, everything else to standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from atsprobe.report.escape import escape
from atsprobe.report.style import NORMAL, QUIET, Style
from atsprobe.settings import UsageProblem

_MOST_HINTS = 2
_COLORS = {"error": "1;31", "warning": "35"}
_PREFIX = "atsprobe: "


class NotWritten(UsageProblem):
    """Says that the report is there and could not be written."""


class Speaker:
    """Says things to whoever ran the command, in the manner that the options ask for.

    ``verbosity``, ``color`` and ``server`` are set once the options are read; ``color`` is ``auto``, ``always`` or ``never``.
    ``arguments`` are the command line as typed, for hints that repeat it.
    ``has_closed`` tells whether the closing line was said (or would have been, were it not to be quiet).
    """

    def __init__(self, out: TextIO | None, err: TextIO | None, environ: Mapping[str, str]) -> None:
        """Speak to two streams (None where the program was started without one)."""
        self._out, self._err, self._environ = out, err, environ
        self.verbosity = NORMAL
        self.color = "auto"
        self.server: str | None = None
        self.arguments: tuple[str, ...] = ()
        self.output: Output | None = None
        self.has_closed = False
        self._hints: dict[str, None] = {}

    @property
    def is_terminal(self) -> bool:
        """Whether standard error is a terminal, where a line can be written over."""
        return self._err is not None and _is_terminal(self._err) and self._environ.get("TERM") != "dumb"

    def style(self) -> Style:
        """Give the looks of a report for where it goes: a file is plain, wide enough for nothing to be folded, and UTF-8."""
        if self.output is not None:
            color = self.color == "always"
            return Style(self._columns(None), color, True, self.verbosity, fold=False, server=self.server)
        dumb = self._environ.get("TERM") == "dumb"
        folds = self._out is not None and (_is_terminal(self._out) or self._given_columns() is not None)
        return Style(
            width=self._columns(self._out),
            color=self._is_colored(self._out),
            unicode=_is_utf8(self._out) and not dumb,
            verbosity=self.verbosity,
            fold=folds,
            server=self.server,
        )

    def report(self, text: str) -> None:
        """Give the report, to the file asked for or to standard output. Raises NotWritten where that fails."""
        if self.output is not None:
            self.output.write(text)
            return
        if self._out is None:
            raise NotWritten("standard output is closed", "give an --output")
        try:
            self._out.write(text)
            self._out.flush()
        except BrokenPipeError:
            _silence(self._out)  # whoever read it has seen enough
        except (OSError, UnicodeError) as error:
            _silence(self._out)
            raise NotWritten(f"standard output: cannot be written ({_reason(error)})", "give an --output") from error

    def error(self, text: str) -> None:
        """Say what is wrong."""
        self._say("error", text)

    def warning(self, text: str) -> None:
        """Say what should be known."""
        if self.verbosity > QUIET:
            self._say("warning", text)

    def note(self, text: str) -> None:
        """Say a line that is neither error nor warning."""
        if self.verbosity > QUIET:
            self._line(f"{_PREFIX}{escape(text, ascii_only=not _is_utf8(self._err))}\n")

    def log(self, text: str) -> None:
        """Say many lines as they are, such as a traceback."""
        self._line("".join(f"{escape(line, ascii_only=not _is_utf8(self._err))}\n" for line in text.splitlines()))

    def hint(self, text: str) -> None:
        """Keep a hint for the end; the first two are said, each once."""
        if text:
            self._hints.setdefault(text)

    def closing(self, code: int, why: str) -> None:
        """Say the hints, and last of all the exit code and why."""
        for text in list(self._hints)[:_MOST_HINTS]:
            self.note(f"hint: {text}")
        self._hints.clear()
        self.has_closed = True
        into = f"; report in {self.output.path}" if self.output is not None and self.output.is_written else ""
        self.note(f"exit {code}: {why}{into}")

    def over(self, text: str) -> None:
        """Write over the last line on standard error (a terminal); an empty text leaves the line empty."""
        width = max(self._columns(self._err) - 1, 1)
        self._line(f"\r{' ' * width}\r{text[:width]}")

    def _say(self, kind: str, text: str) -> None:
        shown = f"\x1b[{_COLORS[kind]}m{kind}:\x1b[0m" if self._is_colored(self._err) else f"{kind}:"
        self._line(f"{_PREFIX}{shown} {escape(text, ascii_only=not _is_utf8(self._err))}\n")

    def _line(self, text: str) -> None:
        if self._err is None:
            return
        try:
            self._err.write(text)
            self._err.flush()
        except (OSError, UnicodeError):
            _silence(self._err)

    def _is_colored(self, stream: TextIO | None) -> bool:
        if self.color != "auto":
            return self.color == "always"
        if self._environ.get("NO_COLOR"):
            return False
        if self._environ.get("FORCE_COLOR"):
            return True
        return stream is not None and _is_terminal(stream) and self._environ.get("TERM") != "dumb"

    def _columns(self, stream: TextIO | None) -> int:
        if stream is not None and _is_terminal(stream):
            try:
                columns = os.get_terminal_size(stream.fileno()).columns
            except (OSError, ValueError):
                columns = 0
            if columns > 0:
                return columns
        return self._given_columns() or 80

    def _given_columns(self) -> int | None:
        text = self._environ.get("COLUMNS", "")
        return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 6 and int(text) else None


class Output:
    """A file that a report goes to. It is tried before anything is done, and written once the report is whole."""

    def __init__(self, path: str) -> None:
        """Try the path. Raises UsageProblem where it cannot be written; a file that is there is left as it is until then."""
        if not path:
            raise UsageProblem("--output: an empty path", "name a file, or - for standard output")
        self.path = path
        self.is_written = False
        existed = os.path.lexists(path)
        try:
            with Path(path).open("ab"):
                pass
            if not existed:
                Path(path).unlink()
        except (OSError, ValueError) as error:
            message = f"{path}: cannot be written ({_reason(error)})"
            raise UsageProblem(message, "nothing was scanned; give another --output") from error

    def write(self, text: str) -> None:
        """Write the report, UTF-8. Raises NotWritten where that fails after all."""
        try:
            with Path(self.path).open("w", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except (OSError, ValueError) as error:
            raise NotWritten(f"{self.path}: cannot be written ({_reason(error)})", "give another --output") from error
        self.is_written = True


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def _is_utf8(stream: TextIO | None) -> bool:
    encoding = getattr(stream, "encoding", None) or "ascii"
    return encoding.lower().replace("-", "").replace("_", "") == "utf8"


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return text[:1].lower() + text[1:]


def _silence(stream: TextIO) -> None:
    """Let what is still buffered go nowhere, or the interpreter complains of it when it ends."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        pass


def standard_speaker() -> Speaker:
    """Give the speaker of this process."""
    return Speaker(sys.stdout, sys.stderr, os.environ)
