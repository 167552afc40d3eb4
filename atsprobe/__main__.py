"""``atsprobe``, and ``python -m atsprobe``."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line and give the exit code; Ctrl-C while its modules still load ends it in one line, too."""
    try:
        from atsprobe.cli.commands import main as run

        return run()
    except KeyboardInterrupt:
        sys.stderr.write("atsprobe: exit 130: interrupted, without a report\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
