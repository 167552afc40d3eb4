"""What the tests of the command line share: hand-made results, pipelines that give them, a speaker to listen to."""

from __future__ import annotations

import io
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent / "report"))


class Stream(io.StringIO):
    """A stream that may be a terminal."""

    encoding = "utf-8"

    def __init__(self, *, terminal: bool = False, encoding: str = "utf-8") -> None:
        super().__init__()
        self._terminal = terminal
        self.encoding = encoding

    def isatty(self) -> bool:
        return self._terminal


@pytest.fixture
def stream() -> type[Stream]:
    """Give streams to speak to."""
    return Stream


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put functions in the place of a pipeline's module, so that a command runs without network and files."""

    def put(name: str, **functions: object) -> None:
        module = types.ModuleType(f"atsprobe.pipelines.{name}")
        vars(module).update(functions)
        monkeypatch.setitem(sys.modules, module.__name__, module)

    return put
