"""How fast a target is read, and with how much memory: each run in a process of its own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.extract_corpus import files_in

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Speed:
    """The best of some runs. ``size`` are the bytes of all files, unpacked; seconds by the clock and of the processor."""

    size: int
    seconds: float
    processor: float
    megabytes: float
    """The most memory that the process held at a time."""

    @property
    def rate(self) -> float:
        """Megabytes a second of one core."""
        return self.size / MEGABYTE / self.processor


def measure(target: Path, size: int, runs: int) -> Speed:
    """Read a target some times, each in a fresh process that has loaded the program before the clock starts."""
    answers = []
    for _ in range(runs):
        made = subprocess.run([sys.executable, "-m", __name__, target], check=True, capture_output=True, timeout=600)
        answers.append(json.loads(made.stdout))
    return Speed(size, *(min(answer[key] for answer in answers) for key in ("seconds", "processor", "megabytes")))


def size_of(path: Path) -> int:
    """Give the bytes of all files of a folder."""
    return sum(file.stat().st_size for file in files_in(path))


def write_ipa(app: Path, output: Path, least: int) -> int:
    """Pack a macOS app as an .ipa is laid out, its frameworks once more in extensions until ``least`` bytes are reached.

    Gives the bytes that were packed.
    """
    packed = 0
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for extension in range(-1, 20):
            below = f"Payload/{app.name}/" + (f"PlugIns/More{extension}.appex/" if extension >= 0 else "")
            for file in files_in(app):
                inside = _as_on_ios(file.relative_to(app).parts)
                if extension >= 0 and packed >= least:
                    return packed
                if extension < 0 or inside.startswith("Frameworks/"):
                    archive.write(file, below + inside)
                    packed += file.stat().st_size
    return packed


def _as_on_ios(parts: tuple[str, ...]) -> str:
    """Give the place of a file in an iOS app: neither Contents, MacOS, Resources nor Versions stand in its path."""
    left_out = {"Contents", "MacOS", "Resources", "Versions", "A"}
    return "/".join(part for part in parts if part not in left_out)


def main() -> None:
    """Read one target, and print what it took."""
    import atsprobe

    atsprobe.hosts(["example.com"])  # loads what every run loads
    clock, processor = time.perf_counter(), time.process_time()
    atsprobe.hosts(sys.argv[1:])
    spent = time.perf_counter() - clock, time.process_time() - processor
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    answer = {"seconds": spent[0], "processor": spent[1], "megabytes": kilobytes * 1024 / MEGABYTE}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
