"""Strings against a truth of their own: Hermes' own dump, Dart's objects, the Swift compiler's abi.json, compiled URLs."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import atsprobe
from atsprobe.extract.mach_o.image import Image, images_in
from benchmarks.extract_corpus import Artefact, Corpus
from benchmarks.extract_rivals import strings

FIXTURES = Path(__file__).parents[1] / "fixtures" / "extract"
URLS_OF_A_KIND = 100


@dataclass(frozen=True)
class Score:
    """How many of how many were found, and the names of those that were not, or what else there is to say."""

    found: int
    of: int
    lost: tuple[str, ...] = ()
    remark: str = ""

    def __add__(self, other: Score) -> Score:
        """Add up two scores; the remark of the first stays."""
        return Score(self.found + other.found, self.of + other.of, self.lost + other.lost, self.remark or other.remark)


class NotBuilt(Exception):
    """Says that this version of atsprobe has no reader for it, or that the machine lacks a tool."""


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(f"atsprobe.extract.{name}")
    except ModuleNotFoundError as error:
        raise NotBuilt(f"no module atsprobe.extract.{name}") from error


def hermes(corpus: Corpus, artefact: Artefact) -> Score:
    """Hold the string table that is read against the one that the compiler itself prints, entry by entry."""
    reader = _module("readers.hermes")
    if not hasattr(reader, "string_table"):
        raise NotBuilt("the reader of Hermes bytecode has no string table")
    path, compiler = corpus.target(artefact), corpus.compiler(artefact)
    dump = subprocess.run([compiler, "-dump-bytecode", path], check=True, capture_output=True, timeout=300).stdout
    table = dump[dump.index(b"Global String Table:") :]
    truth = [
        (int(first), int(last) + 1 - int(first), encoding == b"UTF-16")
        for encoding, first, last in re.findall(rb"^[si]\d+\[(ASCII|UTF-16), (\d+)\.\.(-?\d+)\]", table, re.MULTILINE)
    ]
    content = path.read_bytes()
    read = reader.string_table(content)
    entries = [] if read is None else [(at, n * (2 if wide else 1), wide) for at, n, wide in read.entries]
    return Score(
        sum(a == b for a, b in zip(truth, entries, strict=False)), len(truth), remark=f"{len(set(truth)):,} distinct"
    )


def dart(corpus: Corpus, artefact: Artefact) -> Score:
    """Hold the strings that are read against all objects of the two classes of strings, whose ids the data file gives."""
    reader = _module("readers.dart")
    content = corpus.target(artefact).read_bytes()
    image = _arm64(content)
    found = {(at, text) for text, at, _ in reader.strings_in(content, image)}
    truth = set(_dart_objects(content, image, artefact.dart["one_byte"], artefact.dart["two_byte"]))
    lost = tuple(f"{text[:40]!r} at {at:#x}" for at, text in sorted(truth - found)[:5])
    return Score(len(truth & found), len(truth), lost, f"{len(found - truth):,} read that are none")


def _dart_objects(content: bytes, image: Image, one_byte: int, two_byte: int) -> Iterator[tuple[int, str]]:
    """Give every string object, one by one: class id from bit 12 on, length as a Smi, text, zeros up to a multiple of 16."""
    for section in (s for s in image.sections if s.name == "__const"):
        data = content[section.start : section.end]
        for index, (header, smi) in enumerate(struct.iter_unpack("<QQ", data[: len(data) // 16 * 16])):
            number = (header & 0xFFFFFFFF) >> 12
            if number not in (one_byte, two_byte) or smi & 1 or not 0 < smi < 1 << 21:
                continue
            begin, size = 16 * index + 16, (smi >> 1) * (1 if number == one_byte else 2)
            text, padding = data[begin : begin + size], data[begin + size : begin + size + -size % 16]
            if len(text) == size and not any(padding):
                yield section.start + begin, text.decode("latin-1" if number == one_byte else "utf-16-le", "replace")


def swift(corpus: Corpus, artefact: Artefact) -> tuple[Score, Score]:
    """Give how many literals of 9 to 15 bytes are found in the bytes alone, and with those that code puts together.

    The truth is the abi.json that the compiler wrote beside the binary: constants of the source, some of which no code uses.
    """
    content = corpus.target(artefact).read_bytes()
    plain = set(strings(content).split("\n"))
    try:
        decode = _module("mach_o.swift_small_strings").small_strings
        decoded = {text for text, _ in decode(content, _arm64(content))}
    except NotBuilt:
        decoded = set()
    scores = [Score(0, 0), Score(0, 0)]
    for row in artefact.literals:
        constants = json.loads(corpus.path(artefact.package, row["abi"]).read_bytes())["ConstValues"]
        texts = {c["value"].strip('"') for c in constants if c["kind"] == "StringLiteral"}
        short = {t for t in texts if t.isascii() and 9 <= len(t) <= 15}
        for number, known in enumerate((plain, plain | decoded)):
            lost = tuple(f"{artefact.name}: {t!r}" for t in sorted(short - known))
            scores[number] += Score(len(short & known), len(short), lost)
    return scores[0], scores[1]


def _arm64(content: bytes) -> Image:
    return next(image for image in images_in(content) if image.architecture.startswith("arm64"))


KINDS = {
    "ascii": 'USED const char *const ascii{n} = "https://ascii{n}.example.com/v1";',
    "port": 'USED const char *const port{n} = "http://port{n}.example.com:8080/status";',
    "utf8": 'USED const char *const utf8{n} = "https://utf8{n}.example.com/caf\\u00e9";',
    "named": 'USED const char *const named{n} = "https://b\\u00fccher{n}.example.com/";',
    "bytes": 'USED const char bytes{n}[] = "\\x05https://bytes{n}.example.com/";',
    "utf16": 'USED const uint16_t utf16{n}[] = u"https://utf16{n}.example.com/";',
    "cfstring": 'USED void *const cf{n} = (void *)__builtin___CFStringMakeConstantString("https://cf{n}.example.com/");',
    "widecf": "USED void *const widecf{n} = "
    '(void *)__builtin___CFStringMakeConstantString("https://widecf{n}.example.com/caf\\u00e9");',
}
"""Every kind of string in which a compiler keeps a URL, as a line of Objective-C."""


def compiled() -> Score:
    """Compile and link a library whose source names its URLs, for arm64, and count those that are listed."""
    spec = importlib.util.spec_from_file_location("build_extract_fixtures", FIXTURES / "build.py")
    assert spec and spec.loader
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    if build.tools() is None:
        raise NotBuilt("clang-14, lld-14 or llvm-14 is not installed")
    lines = ["typedef unsigned short uint16_t;", "#define USED __attribute__((used)) static"]
    lines += [line.format(n=n) for n in range(URLS_OF_A_KIND) for line in KINDS.values()]
    source = "\n".join(lines)
    hosts = re.findall(r"://([^:/]+)", source.replace("\\u00fc", "ü"))
    truth = {h.encode("idna").decode() for h in hosts}
    with tempfile.TemporaryDirectory(prefix="atsprobe-bench-") as folder:
        path = Path(folder) / "strings.m"
        path.write_text(source, "utf-8")
        build.thin(Path(folder) / "strings", "arm64", source=str(path))
        extraction = atsprobe.hosts([str(Path(folder) / "strings")]).extraction
    found = {str(r.endpoint.host) for r in extraction.references if r.kind == "url"}
    return Score(len(truth & found), len(truth), tuple(sorted(truth - found))[:5], f"{len(KINDS)} kinds of string")
