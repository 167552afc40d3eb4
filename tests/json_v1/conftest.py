"""Lets these tests use the results that tests/report makes by hand."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "report"))
