"""Lets these tests use the simulated servers of tests/weigh."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "weigh"))
