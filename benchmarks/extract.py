"""Extraction, measured on real artefacts: recall and precision against known truth, beside other tools, and speed.

The artefacts come from npm's and Python's registries, pinned in `extract_corpus.toml`, and stay in $ATSPROBE_CORPUS
(~/.cache/atsprobe-corpus). Run it with ``make bench-extract``; ``SMALL=1`` fetches 50 MB. Exit 1 says that a target for
what is found was missed; speed is printed with its target, and decides nothing.
"""

from __future__ import annotations

import argparse
import json
import plistlib
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import atsprobe
from atsprobe.extract.noise import NO_SUFFIX
from atsprobe.model.app import Extraction
from atsprobe.model.endpoint import Confidence
from benchmarks import extract_literals as literals
from benchmarks import extract_speed as speed
from benchmarks.extract_corpus import CACHE, Artefact, Corpus, Missing, load
from benchmarks.extract_literals import NotBuilt, Score
from benchmarks.extract_rivals import is_host, mobsf_hosts, plain_hosts

DECLARED = Path(__file__).with_name("extract_declared.toml")
MOST_FALSE_OF_AN_APP = 2
RATE, SECONDS, MEMORY, IPA_BYTES = 200, 3, 300, 150 * speed.MEGABYTE


@dataclass(frozen=True)
class Seen:
    """One artefact as it was read: the hosts by how sure they are, and what two other tools list."""

    artefact: Artefact
    every: frozenset[str]
    urls: frozenset[str]
    bare: frozenset[str]
    others: dict[str, frozenset[str]]

    @property
    def wrong_urls(self) -> list[str]:
        """Hosts listed as of a URL that no URL names."""
        return sorted(self.urls - {*self.artefact.urls, *self.artefact.also})

    @property
    def wrong_bare(self) -> list[str]:
        """Hosts listed as a whole string that are none."""
        return sorted(self.bare - self.artefact.hosts)

    @property
    def lost(self) -> list[str]:
        """Hosts that it names, and that are listed nowhere, not even as noise."""
        return sorted(self.artefact.hosts - self.every)

    def true_of(self, tool: str) -> int:
        """Say how many of its hosts another tool lists."""
        return len(self.others[tool] & self.artefact.hosts)


@dataclass
class Targets:
    """The table of targets as it grows; a row that could not be measured counts as neither met nor missed."""

    rows: list[tuple[str, str, str, str]] = field(default_factory=list)
    missed: int = 0
    left_out: int = 0

    def share(self, title: str, score: Score, least: float) -> None:
        """Add a row of a share that has to be reached."""
        if not score.of:
            self.unmeasured(title, "there is none")
            return
        share = score.found / score.of
        self.add(title, f"{score.found:,} of {score.of:,}, {share:.1%}", f">= {least:.0%}", is_met=share >= least)
        for name in score.lost:
            self.rows.append(("", f"lost: {name}", "", ""))

    def add(self, title: str, measured: str, target: str, *, is_met: bool, counts: bool = True) -> None:
        """Add a row."""
        self.rows.append((title, measured, target, "met" if is_met else "MISSED"))
        self.missed += counts and not is_met

    def unmeasured(self, title: str, reason: object) -> None:
        """Add a row that could not be measured, and why."""
        self.rows.append((title, f"not measured: {reason}", "", ""))
        self.left_out += 1

    def show(self) -> None:
        """Print the table."""
        print("\nTargets")
        for title, measured, target, verdict in self.rows:
            print(f"  {title:44} {measured:42} {target:10} {verdict}".rstrip())


def see(artefact: Artefact, target: Path) -> Seen:
    """Read an artefact as `atsprobe hosts` does, and as others would. Noise counts as listed, but for what no suffix ends."""
    found = atsprobe.hosts([str(target)]).extraction
    sure = [r for r in found.noise if r.noise_reason != NO_SUFFIX]
    return Seen(
        artefact,
        every=_hosts(found),
        urls=frozenset(
            str(r.endpoint.host)
            for r in (*(r for r in found.references if r.confidence is Confidence.URL), *sure)
            if r.kind == "url"
        ),
        bare=frozenset(str(r.endpoint.host) for r in found.references if r.confidence is Confidence.BARE),
        others={"MobSF": frozenset(mobsf_hosts(target)), "strings": frozenset(plain_hosts(target))},
    )


def _hosts(extraction: Extraction) -> frozenset[str]:
    return frozenset(str(r.endpoint.host) for r in (*extraction.references, *extraction.noise))


def side_by_side(seen: Sequence[Seen]) -> bool:
    """Print how many true hosts each tool lists, and by name what others list and atsprobe does not; say whether that is nothing
    that the artefact names.
    """
    heads = f"{'there are':>9} {'atsprobe':>9} {'MobSF':>7} {'strings+regex':>14}"
    print(f"\n{'True hosts, listed by':28} {heads}   false ones of atsprobe")
    behind = False
    for one in seen:
        own, hosts = len(one.artefact.hosts & one.every), one.artefact.hosts
        counts = f"{len(hosts):9} {own:9} {one.true_of('MobSF'):7} {one.true_of('strings'):14}"
        wrong = [f"URL {name}" for name in one.wrong_urls] + [f"bare {name}" for name in one.wrong_bare]
        print(f"  {one.artefact.name:26} {counts}   {', '.join(wrong)}".rstrip())
        behind |= any(one.true_of(tool) > own for tool in one.others)
        if one.lost:
            print(f"      lost: {', '.join(one.lost)}")
        for name in one.artefact.never:
            if name in one.every:
                print(f"      made up: {name}")
                behind = True
    return not _explain(seen) and not behind


def _explain(seen: Sequence[Seen]) -> list[str]:
    """Print what other tools list and atsprobe does not, each with why; give those that nothing explains."""
    unexplained = []
    print("\nListed by others, not by atsprobe")
    for one in seen:
        reasons = {host: reason for reason, hosts in one.artefact.others.items() for host in hosts}
        more = sorted(frozenset().union(*one.others.values()) - one.every)
        for host in (h for h in more if is_host(h)):  # type: ignore[arg-type]
            tools = ", ".join(tool for tool, hosts in one.others.items() if host in hosts)
            reason = "MISSED" if host in one.artefact.hosts else reasons.get(host, "UNEXPLAINED")
            print(f"  {one.artefact.name:26} {host:40} {tools:16} {reason}")
            if host not in reasons:
                unexplained.append(host)
    return unexplained


def declared() -> Score:
    """Read an app that declares hosts in every way there is."""
    rows = tomllib.loads(DECLARED.read_text("utf-8"))["file"]
    with tempfile.TemporaryDirectory(prefix="atsprobe-bench-") as folder:
        path = Path(folder) / "Ferry.ipa"
        with zipfile.ZipFile(path, "w") as archive:
            for row in rows:
                archive.writestr(row["path"], FORMATS[row["format"]](row["content"]))
        references = atsprobe.hosts([str(path)]).extraction.references
    found = {(r.file, str(r.endpoint.host)) for r in references if r.confidence is Confidence.DECLARED}
    truth = {(row["path"].removeprefix("Payload/"), host) for row in rows for host in row["hosts"]}
    found = {(file.removeprefix("Payload/"), host) for file, host in found}
    return Score(len(truth & found), len(truth), tuple(f"{h} of {f}" for f, h in sorted(truth - found)))


FORMATS: dict[str, Callable[[object], bytes]] = {
    "plist": lambda content: plistlib.dumps(content),  # type: ignore[arg-type]
    "json": lambda content: json.dumps(content, indent=2).encode(),
    "text": lambda content: str(content).encode(),
    "profile": lambda content: b"0\x82\x2f\x10\x06\x09*\x86H" + plistlib.dumps(content) + b"\xa0\x82",  # type: ignore[arg-type]
}
"""How the files of `extract_declared.toml` are written; a profile is a plist inside a CMS message (RFC 5652)."""


def strings_of_code(table: Targets, corpus: Corpus, artefacts: Sequence[Artefact]) -> None:
    """Hold single strings against the truth of compilers."""
    _measured(table, "URL literals, compiled fixtures", 0.99, literals.compiled)
    for artefact in artefacts:
        if artefact.compiler:
            _measured(table, f"string table, {artefact.name}", 1.0, lambda a=artefact: literals.hermes(corpus, a))
        if artefact.dart:
            _measured(table, f"string objects, {artefact.name}", 1.0, lambda a=artefact: literals.dart(corpus, a))
    plain, decoded = Score(0, 0), Score(0, 0)
    for artefact in artefacts:
        if artefact.literals:
            try:
                scores = literals.swift(corpus, artefact)
            except Missing:
                continue
            plain, decoded = plain + scores[0], decoded + scores[1]
    if plain.of:
        table.share("Swift literals of 9 to 15 bytes", Score(decoded.found, decoded.of), 0.85)
        table.rows.append(
            ("", f"in the bytes alone: {plain.found} of {plain.of}, {plain.found / plain.of:.1%}", "", "")
        )


def _measured(table: Targets, title: str, least: float, measure: Callable[[], Score]) -> None:
    try:
        score = measure()
    except (NotBuilt, Missing) as reason:
        table.unmeasured(title, reason)
        return
    table.share(title, score, least)
    if score.remark:
        table.rows.append(("", score.remark, "", ""))


def sums(table: Targets, seen: Sequence[Seen], *, is_ahead: bool) -> None:
    """Add what all artefacts together come to."""
    urls = sum(len(one.urls - set(one.artefact.also)) for one in seen)
    wrong = sum(len(one.wrong_urls) for one in seen)
    named = Score(sum(len(set(s.artefact.urls) & s.every) for s in seen), sum(len(s.artefact.urls) for s in seen))
    table.share("URL hosts of the corpus, recall", named, 0.98)
    table.share("URL hosts of the corpus, precision", Score(urls - wrong, urls), 0.98)
    wide = Score(sum(len(set(s.artefact.wide) & s.every) for s in seen), sum(len(s.artefact.wide) for s in seen))
    if wide.of:
        table.share("of these in UTF-16 alone, recall", wide, 0.99)
    bare = sum(len(one.bare) for one in seen)
    false = sum(len(one.wrong_bare) for one in seen)
    table.share("bare hosts (class C), precision", Score(bare - false, bare), 0.80)
    truth = sum(len(s.artefact.bare) for s in seen)
    table.share(
        "bare hosts (class C), recall", Score(sum(len(set(s.artefact.bare) & s.every) for s in seen), truth), 0.98
    )
    most = max(seen, key=lambda one: len(one.wrong_bare))
    count = len(most.wrong_bare)
    title = "false bare hosts of an app, at most"
    table.add(
        title, f"{count} ({most.artefact.name})", f"<= {MOST_FALSE_OF_AN_APP}", is_met=count <= MOST_FALSE_OF_AN_APP
    )
    table.add("beside MobSF and strings+regex", "see above", "not below", is_met=is_ahead)


def timing(table: Targets, corpus: Corpus, artefacts: Sequence[Artefact], runs: int) -> None:
    """Add how fast the whole app is, as a folder and as an archive, and a large binary; no exit code depends on these rows.

    All bytes count, those of architectures that are left aside, too: the large binary has one architecture alone.
    """
    for artefact in artefacts:
        try:
            if artefact.is_app:
                _time_app(table, artefact, corpus.target(artefact), runs)
            elif artefact.is_timed:
                _time_one(table, artefact, corpus.target(artefact), runs)
        except Missing as reason:
            table.unmeasured(f"speed: {artefact.name}", reason)


def _time_one(table: Targets, artefact: Artefact, target: Path, runs: int) -> speed.Speed:
    one = speed.measure(target, speed.size_of(target), runs)
    measured = f"{one.rate:.0f} MB/s of {one.size / speed.MEGABYTE:.0f} MB"
    table.add(f"speed: {artefact.name}, one core", measured, f">= {RATE} MB/s", is_met=one.rate >= RATE, counts=False)
    return one


def _time_app(table: Targets, app: Artefact, folder: Path, runs: int) -> None:
    loose = _time_one(table, app, folder, runs)
    with tempfile.TemporaryDirectory(prefix="atsprobe-bench-") as place:
        ipa = Path(place) / f"{folder.stem}.ipa"
        packed = speed.write_ipa(folder, ipa, IPA_BYTES)
        archived = speed.measure(ipa, packed, runs)
    title = f"speed: as an .ipa of {packed / speed.MEGABYTE:.0f} MB unpacked"
    measured = f"{archived.seconds:.2f} s, {archived.rate / loose.rate:.2f} of that rate"
    table.add(title, measured, f"< {SECONDS} s", is_met=archived.seconds < SECONDS, counts=False)
    most = max(loose.megabytes, archived.megabytes)
    table.add("memory, at most", f"{most:.0f} MB", f"< {MEMORY} MB", is_met=most < MEMORY, counts=False)


def main() -> int:
    """Read all that is there; the exit code says whether every target for what is found was met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="the small corpus alone")
    parser.add_argument("--offline", action="store_true", help="what the cache has alone")
    parser.add_argument("--runs", type=int, default=3, help="runs of each timing, of which the best counts")
    parser.add_argument("--only", default="", help="artefacts with this in their name")
    options = parser.parse_args()
    packages, artefacts = load(small=options.small)
    artefacts = tuple(a for a in artefacts if options.only.lower() in a.name.lower())
    corpus = Corpus(packages, offline=options.offline)
    table, seen = Targets(), []
    for artefact in artefacts:
        try:
            seen.append(see(artefact, corpus.target(artefact)))
        except Missing as reason:
            print(f"{artefact.name}: skipped, {reason}")
    print(f"{len(seen)} of {len(artefacts)} artefacts, from {CACHE}")
    table.share("declared hosts (class A), fixtures", declared(), 1.0)
    strings_of_code(table, corpus, artefacts)
    if seen:
        sums(table, seen, is_ahead=side_by_side(seen))
    timing(table, corpus, artefacts, options.runs)
    table.show()
    skipped = len(artefacts) - len(seen)
    print(f"\n{table.missed} missed, {table.left_out} not measured, {skipped} artefacts skipped")
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
