"""The bundled app is what its sources give, byte for byte, and says what the demo needs."""

from __future__ import annotations

import importlib.util
import plistlib
import sys
import zipfile
from pathlib import Path

import pytest

from atsprobe.lab.demo_servers import APP, EXEMPT, EXTENSION, KEYS, SERVERS
from atsprobe.model.dictionary import AtsDictionary

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture(scope="module")
def builder():
    """The script that builds the app, as a module."""
    spec = importlib.util.spec_from_file_location("build_sample_app", FIXTURES / "build_sample_app.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_bundled_app_is_what_its_sources_give(builder):
    """Packing the sources again gives the very bytes that the package carries."""
    assert builder.packed() == builder.IPA.read_bytes()


def test_dates_and_modes_of_files_do_not_matter(builder, tmp_path, monkeypatch):
    """A clone has other file times and modes; the packed bytes are the same all the same."""
    import shutil

    copy = tmp_path / "Sample.app"
    shutil.copytree(builder.APP, copy)
    for path in copy.rglob("*"):
        path.chmod(0o700)
    monkeypatch.setattr(builder, "APP", copy)
    assert builder.packed() == builder.IPA.read_bytes()


@pytest.mark.parametrize("source", ["Sample.m", "Share.m"])
def test_the_compiled_executables_are_what_their_sources_give(builder, tmp_path, source):
    """Where clang 14 and its linker are at hand, compiling again gives the committed executable."""
    tools = builder.compiler()
    if tools is None or not all(tool.endswith("-14") for tool in tools):
        pytest.skip("clang-14 and lld-14 are not installed; other versions lay a file out differently")
    output = tmp_path / "executable"
    builder.compile_executable(source, output, tools)
    assert output.read_bytes() == (builder.APP / builder.EXECUTABLES[source]).read_bytes()


def test_every_declared_key_has_a_row(builder):
    """The table of keys and the app's two Info.plists name the same keys, so that neither can go stale."""
    rows = {(row.bundle, row.domain, row.key) for row in KEYS}
    declared = set()
    with zipfile.ZipFile(builder.IPA) as ipa:
        for name in [n for n in ipa.namelist() if n.endswith("Info.plist")]:
            plist = plistlib.loads(ipa.read(name))
            keys = AtsDictionary.from_plist(plist["NSAppTransportSecurity"]).declared_keys()
            declared |= {(plist["CFBundleIdentifier"], key.domain, key.key) for key in keys}
    assert declared == rows
    assert {row.bundle for row in KEYS} == {APP, EXTENSION}


def test_the_app_names_no_other_host_and_no_port(builder):
    """Every URL of the app is of a host of the table, on the port that its scheme implies."""
    from atsprobe.extract.extract import extract

    found = extract([str(builder.IPA)])
    assert not found.skipped
    loads = {(load.endpoint.host, load.endpoint.port) for load in found.loads() if load.is_named}
    served = {(server.host, server.port) for server in SERVERS if server.verdict}
    declared_alone = {("maps.example.net", 443)}
    assert loads == served - declared_alone | {(host, 80) for host in EXEMPT}


def test_hosts_come_from_every_kind_of_place(builder):
    """The app shows what extraction reads: XML and binary property lists, JSON, strings, and both encodings of a Mach-O."""
    from atsprobe.extract.extract import extract
    from atsprobe.model.endpoint import Line, PlistKey, Section

    found = extract([str(builder.IPA)])
    encodings = {r.location.encoding for r in found.references if isinstance(r.location, Section)}
    assert encodings == {"ascii", "utf-16le"}
    assert {r.file.rpartition(".")[2] for r in found.references if isinstance(r.location, Line)} == {"json", "strings"}
    assert any(isinstance(r.location, PlistKey) and r.location.line for r in found.references)
    sdks = {(bundle.identifier, bundle.minimum_os, bundle.linked_sdk) for bundle in found.bundles}
    assert sdks == {(APP, builder.MINIMUM_OS, builder.SDK), (EXTENSION, builder.MINIMUM_OS, builder.SDK)}
