"""Apps, archives and Mach-O files to extract from."""

from __future__ import annotations

import importlib.util
import plistlib
import zipfile
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parents[2] / "fixtures" / "extract"


@pytest.fixture(scope="session")
def strings_arm64() -> bytes:
    """The committed Mach-O file, built from strings.m by build.py."""
    return (FIXTURES / "strings-arm64").read_bytes()


@pytest.fixture(scope="session")
def build():
    """The build script of the fixtures; the test is skipped where its compilers are missing."""
    spec = importlib.util.spec_from_file_location("build_extract_fixtures", FIXTURES / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if module.tools() is None:
        pytest.skip("clang-14, lld-14 or llvm-14 is not installed")
    return module


@pytest.fixture
def make_app(tmp_path):
    """A function that writes an .ipa of {path: bytes or an Info.plist as a dictionary}, and gives its path."""

    def make(files, name="Ferry.ipa", compression=zipfile.ZIP_DEFLATED):
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", compression) as archive:
            for inside, content in files.items():
                archive.writestr(inside, plistlib.dumps(content) if isinstance(content, dict) else content)
        return str(path)

    return make


@pytest.fixture
def in_empty_folder(monkeypatch, tmp_path):
    """Makes an empty folder the working directory, so that targets are typed as names."""
    monkeypatch.chdir(tmp_path)
