"""``python -m atsprobe``."""

from __future__ import annotations

import sys

from atsprobe.cli.commands import main

if __name__ == "__main__":
    sys.exit(main())
