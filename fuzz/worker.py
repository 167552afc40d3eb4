"""One parser under libFuzzer: ``python -m fuzz.worker PARSER CORPUS [FLAGS OF LIBFUZZER]``; started by ``python -m fuzz``."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["atsprobe.extract"]):
    from fuzz.parsers import parsers


def main() -> None:
    """Hand the process over to libFuzzer, which ends it."""
    parser = next(p for p in parsers() if p.name == sys.argv[1])
    path = parser.seeds[0][0]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], lambda content: parser.run(path, content))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
