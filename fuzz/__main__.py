"""Coverage-guided fuzzing of every parser of the extraction with atheris (libFuzzer): ``python -m fuzz [PARSER …]``.

Each parser runs in a process of its own, from its seeds, with coverage of `atsprobe.extract`. An error or a run of more than
10 seconds ends that process; the input is kept, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

_MEGABYTES = 1024
_MAX_LENGTH = 1 << 16


def main() -> int:
    """Run the parsers one after another."""
    command = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    command.add_argument("parsers", nargs="*", help="names; all where none is given")
    command.add_argument("--runs", type=int, default=10_000, help="executions of each parser")
    command.add_argument("--found", default="fuzz-found", help="folder for inputs that break a parser")
    options = command.parse_args()
    from fuzz.parsers import parsers

    known = {parser.name: parser for parser in parsers()}
    failed = []
    for name in options.parsers or known:
        with tempfile.TemporaryDirectory(prefix="atsprobe-fuzz-") as folder:
            for number, (_, content) in enumerate(known[name].seeds):
                (Path(folder) / str(number)).write_bytes(content[:_MAX_LENGTH])
            print(f"{name:24}", end="", flush=True)
            said = _run(name, folder, options.runs, Path(options.found))
        print(said)
        if not said.startswith("Done"):
            failed.append(name)
    print(f"broken: {', '.join(failed)}; see {options.found}/" if failed else "nothing broke")
    return 1 if failed else 0


def _run(name: str, corpus: str, runs: int, found: Path) -> str:
    """Fuzz one parser, and give the last line that is worth reading."""
    found = found.resolve()
    found.mkdir(exist_ok=True)
    flags = [f"-runs={runs}", "-seed=1", "-timeout=10", f"-rss_limit_mb={_MEGABYTES}"]
    flags += [f"-max_len={_MAX_LENGTH}", "-len_control=0", f"-artifact_prefix={found}/{name}-"]
    worker = [sys.executable, "-m", "fuzz.worker", name, corpus, *flags]
    done = subprocess.run(worker, capture_output=True, text=True, errors="replace", cwd=Path(__file__).parents[1])
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    if done.returncode == 0:
        if not any(found.iterdir()):
            found.rmdir()
        coverage = next((line.split("cov: ")[1].split()[0] for line in reversed(lines) if "cov: " in line), "?")
        return f"{next((line for line in reversed(lines) if line.startswith('Done')), 'Done')}, {coverage} edges"
    (found / f"{name}.log").write_text(done.stderr + done.stdout, "utf-8")
    return f"FAILED ({done.returncode}): " + next((line for line in lines if "Error" in line or "ERROR" in line), "")


if __name__ == "__main__":
    sys.exit(main())
