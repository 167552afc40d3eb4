"""The corpus of real artefacts: fetched by name, version and sha256 from npm's and Python's registries, unpacked, cached."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("extract_corpus.toml")
CACHE = Path(os.environ.get("ATSPROBE_CORPUS") or Path.home() / ".cache" / "atsprobe-corpus")
NPM = os.environ.get("NPM_CONFIG_REGISTRY") or "https://registry.npmjs.org"
PYPI = os.environ.get("PIP_INDEX_URL") or "https://pypi.org/simple"
_TIMEOUT, _STEP = 60, 1 << 20


class Missing(Exception):
    """Says why an artefact is not there to be measured."""


@dataclass(frozen=True)
class Package:
    """One package of a registry, as `extract_corpus.toml` pins it."""

    registry: str
    name: str
    version: str
    sha256: str
    keep: Sequence[str]
    inner: Sequence[str] = ()
    file: str = ""
    small: bool = False

    @property
    def title(self) -> str:
        """The package as its registry would name it."""
        return f"{self.name}@{self.version}" if self.registry == "npm" else f"{self.name}=={self.version}"

    @property
    def archive(self) -> str:
        """The name of its archive in the cache."""
        return self.file or f"{self.name.strip('@').replace('/', '-')}-{self.version}.tgz"


@dataclass(frozen=True)
class Artefact:
    """A file or folder of a package, and the truth about it; `extract_corpus.toml` says what each field means."""

    name: str
    package: str
    path: str
    how: str
    urls: Sequence[str] = ()
    bare: Sequence[str] = ()
    wide: Sequence[str] = ()
    never: Sequence[str] = ()
    also: Sequence[str] = ()
    others: Mapping[str, Sequence[str]] = field(default_factory=dict)
    is_app: bool = False
    is_timed: bool = False
    compiler: Mapping[str, str] = field(default_factory=dict)
    literals: Sequence[Mapping[str, str]] = ()
    dart: Mapping[str, int] = field(default_factory=dict)

    @property
    def hosts(self) -> frozenset[str]:
        """Every host that it names."""
        return frozenset((*self.urls, *self.bare))


def load(*, small: bool) -> tuple[dict[str, Package], tuple[Artefact, ...]]:
    """Read the packages, by name, and the artefacts; ``small`` keeps those of the small corpus alone."""
    rows = tomllib.loads(DATA.read_text("utf-8"))
    packages = {row["name"]: Package(**row) for row in rows["package"] if row.get("small") or not small}
    by_name: dict[str, Any] = {row["name"]: row for row in rows["artefact"]}
    artefacts = []
    for row in rows["artefact"]:
        same = by_name.get(row.pop("same_as", ""), {})
        truth = {k: v for k, v in same.items() if k in ("urls", "bare", "wide", "never")}
        artefacts.append(Artefact(**{**truth, **row}))
    kept = (a for a in artefacts if a.package in packages and a.compiler.get("package", a.package) in packages)
    return packages, tuple(kept)


class Corpus:
    """The folder of packages. A registry that cannot be reached is asked once."""

    def __init__(self, packages: Mapping[str, Package], *, offline: bool) -> None:
        """``offline`` takes what the cache has alone."""
        self._packages = packages
        self._out_of_reach: dict[str, str] = {r: "not asked (--offline)" for r in ("npm", "pypi") if offline}

    def path(self, package: str, inside: str) -> Path:
        """Give a file or folder of a package, unpacked. Raises Missing."""
        path = self._unpacked(self._packages[package]) / inside
        if not path.exists():
            raise Missing(f"{package} has no {inside}")
        return path

    def target(self, artefact: Artefact) -> Path:
        """Give what atsprobe is pointed at: the artefact, or its bytecode. Raises Missing."""
        path = self.path(artefact.package, artefact.path)
        if not artefact.compiler:
            return path
        compiler = self.compiler(artefact)
        compiled = CACHE / "compiled" / f"{_sha256(compiler)[:16]}-{_sha256(path)[:16]}.hbc"
        if not compiled.exists():
            compiled.parent.mkdir(parents=True, exist_ok=True)
            with _part(compiled) as part:
                subprocess.run([compiler, "-emit-binary", "-O", "-w", "-out", part, path], check=True, timeout=300)
        return compiled

    def compiler(self, artefact: Artefact) -> Path:
        """Give the compiler of an artefact, which runs on Linux alone. Raises Missing."""
        if not sys.platform.startswith("linux") or os.uname().machine != "x86_64":
            raise Missing("its compiler runs on Linux on x86-64")
        compiler = self.path(artefact.compiler["package"], artefact.compiler["path"])
        compiler.chmod(0o755)
        return compiler

    def _unpacked(self, package: Package) -> Path:
        folder = CACHE / "unpacked" / f"{package.archive}-{package.sha256[:16]}"
        if not folder.exists():
            archive = self._fetched(package)
            folder.parent.mkdir(parents=True, exist_ok=True)
            waiting = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=folder.parent))
            try:
                unpack(archive, waiting, package.keep)
                for inner in package.inner:
                    unpack(waiting / inner, (waiting / inner).parent, ("",))
                    (waiting / inner).unlink()
                waiting.replace(folder)
            finally:
                shutil.rmtree(waiting, ignore_errors=True)
        return folder

    def _fetched(self, package: Package) -> Path:
        """Give the archive of a package, whole and checked. Raises Missing."""
        archive = CACHE / package.archive
        if archive.exists():
            if _sha256(archive) == package.sha256:
                return archive
            archive.unlink()
        if reason := self._out_of_reach.get(package.registry):
            raise Missing(f"{package.title} is not in {CACHE}, and {package.registry} is out of reach: {reason}")
        CACHE.mkdir(parents=True, exist_ok=True)
        try:
            with _part(archive) as part:
                _download(_address(package), part, package.sha256)
        except urllib.error.HTTPError as error:
            raise Missing(f"{package.title}: {error}") from error
        except (OSError, http.client.HTTPException) as error:
            self._out_of_reach[package.registry] = str(error)
            raise Missing(f"{package.title}: {package.registry} is out of reach: {error}") from error
        return archive


def _address(package: Package) -> str:
    """Give the URL of a package's archive. npm's follows from the name; Python's index has to be asked (PEP 503, PEP 691)."""
    if package.registry == "npm":
        return f"{NPM.rstrip('/')}/{package.name}/-/{package.name.rpartition('/')[2]}-{package.version}.tgz"
    index = f"{PYPI.rstrip('/')}/{package.name}/"
    with urllib.request.urlopen(index, timeout=_TIMEOUT) as answer:
        page = answer.read(16 << 20).decode("utf-8", "replace")
    found = re.search(rf'"([^"#\s]*/{re.escape(package.file)})["#]', page)
    if not found:
        raise Missing(f"{index} has no {package.file}")
    return urllib.parse.urljoin(index, found[1])


def _download(address: str, part: Path, sha256: str) -> None:
    print(f"fetching {address}", file=sys.stderr)
    with urllib.request.urlopen(address, timeout=_TIMEOUT) as answer, part.open("wb") as file:
        shutil.copyfileobj(answer, file, _STEP)
    if _sha256(part) != sha256:
        raise Missing(f"{address} was cut short, or has another sha256 than is pinned")


@contextmanager
def _part(path: Path) -> Iterator[Path]:
    """Give a place to write a file to; it takes its name when all of it is there."""
    descriptor, name = tempfile.mkstemp(prefix=".part-", dir=path.parent)
    os.close(descriptor)
    part = Path(name)
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def unpack(archive: Path, folder: Path, keep: Sequence[str]) -> None:
    """Unpack the members of a tar archive or a wheel that begin as one of ``keep`` does."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder, [n for n in wheel.namelist() if n.startswith(tuple(keep))])
        return
    with tarfile.open(archive) as tar:
        members = [m for m in tar.getmembers() if m.name.removeprefix("./").startswith(tuple(keep))]
        tar.extractall(folder, members, filter="data")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return str(hashlib.file_digest(file, "sha256").hexdigest())


def files_in(path: Path) -> list[Path]:
    """Give the regular files of a folder, in order, or the file itself."""
    if path.is_file():
        return [path]
    return sorted(p for p in path.rglob("*") if p.is_file() and not p.is_symlink())
