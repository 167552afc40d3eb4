"""The rooms and who may import whom, as data; every import is read from the source."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "atsprobe"

MAY_IMPORT = {
    "model": set(),
    "extract": {"model"},
    "resolve": {"model"},
    "scan": {"model"},
    "ats": {"model"},
    "judge": {"model"},
    "certificate_files": {"model"},
    "settings": {"model"},
    "settings_file": {"model", "settings"},
    "json_v1": {"model"},
    "weigh": {"model", "ats", "judge"},
    "report": {"model", "json_v1"},
    "lab": set(),
    "pipelines": {
        "model", "extract", "resolve", "scan", "ats", "judge", "weigh", "json_v1", "lab", "certificate_files", "settings",
        "settings_file",
    },
    "cli": {"pipelines", "report", "json_v1", "settings", "settings_file", "model"},
}  # fmt: skip

THIRD_PARTY = {
    "model": {"idna", "publicsuffixlist", "cryptography"},
    "extract": set(),
    "resolve": {"dns"},
    "scan": {"sslyze", "nassl", "tls_parser", "cryptography"},
    "ats": set(),
    "judge": {"cryptography"},
    "certificate_files": {"cryptography"},
    "settings": set(),
    "settings_file": set(),
    "json_v1": set(),
    "weigh": set(),
    "report": {"rich"},
    "lab": {"cryptography"},
    "pipelines": set(),
    "cli": {"typer", "rich"},
}

ONLY_HERE = {
    "dns": {"resolve.py"},
    "sslyze": {"scan/sslyze_engine.py"},
    "nassl": {"scan/sslyze_engine.py"},
    "publicsuffixlist": {"model/public_suffix.py"},
}

PURE = ("model", "ats", "judge", "weigh", "report", "json_v1")
IMPURE_MODULES = {"socket", "ssl", "time", "subprocess", "threading", "asyncio", "urllib.request", "http.client"}


def _sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(path: Path) -> set[str]:
    """Every module that a file imports, at any depth of nesting."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            assert node.module is not None
            found.add(node.module)
            if node.module == "atsprobe":
                found |= {f"atsprobe.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", _sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_room_imports_only_what_its_row_allows(path: Path) -> None:
    """Data flows one way: no room reaches into one that the table does not give it."""
    room = _room(path)
    if room in ("__init__", "__main__"):
        return
    for name in _imports(path):
        parts = name.split(".")
        if parts[0] == "atsprobe":
            if len(parts) > 1 and parts[1] not in ("__version__",):
                assert parts[1] == room or parts[1] in MAY_IMPORT[room], f"{room} imports {name}"
        elif parts[0] not in sys.stdlib_module_names:
            assert parts[0] in THIRD_PARTY[room], f"{room} imports {name}"


def test_heavy_libraries_have_one_door() -> None:
    """sslyze, nassl, dnspython and the Public Suffix List are each imported in one file."""
    for library, doors in ONLY_HERE.items():
        users = {
            str(p.relative_to(PACKAGE)) for p in _sources() if any(m.split(".")[0] == library for m in _imports(p))
        }
        assert users <= doors, library


def test_the_pure_rooms_open_no_socket_and_read_no_clock() -> None:
    """Policy, judge, weighing and reports import nothing that could look at the world, and never ask the time."""
    for path in _sources():
        if _room(path) in PURE:
            assert not _imports(path) & IMPURE_MODULES, path
            text = path.read_text("utf-8")
            assert ".now(" not in text, path
            assert ".today(" not in text, path


def test_no_requirement_imports_another() -> None:
    """Each requirement stands alone in its file."""
    directory = PACKAGE / "judge" / "requirements"
    names = {p.stem for p in directory.glob("*.py")} - {"__init__", "registry"}
    for path in directory.glob("*.py"):
        if path.stem in names:
            used = {m.rsplit(".", 1)[-1] for m in _imports(path) if m.startswith("atsprobe.judge.requirements.")}
            assert not (used & names - {"requirement"}), path


def test_packages_below_the_top_import_nothing_by_the_way() -> None:
    """An empty __init__.py: importing one file of a room loads that file alone."""
    for path in PACKAGE.rglob("__init__.py"):
        if path.parent != PACKAGE:
            assert path.read_text("utf-8").strip() == "", path


@pytest.mark.parametrize(
    "command",
    [
        ["--help"],
        ["audit", "--help"],
        ["hosts", "--help"],
        ["judge", "--help"],
        ["policy", "--help"],
        ["certificate", "--help"],
    ],
)
def test_commands_without_a_network_load_no_engine(command: list[str]) -> None:
    """Help, hosts and judge start without sslyze, nassl and dnspython in memory."""
    code = (
        "import sys\n"
        f"sys.argv = ['atsprobe', *{command!r}]\n"
        "from atsprobe.cli.commands import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'sslyze', 'nassl', 'dns'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-400:]
