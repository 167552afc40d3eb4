"""Expected texts as files. With UPDATE_SNAPSHOTS=1 they are written anew; read the difference before you keep it."""

from __future__ import annotations

import os
from pathlib import Path


def check(path: Path, text: str) -> None:
    """Compare a text with the file that holds what it should be."""
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert path.is_file(), f"no snapshot {path.name}; write it with UPDATE_SNAPSHOTS=1"
    assert text == path.read_text("utf-8")
