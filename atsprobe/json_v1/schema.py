"""The JSON Schemas of the published documents, draft 2020-12, as shipped in the package."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

SCHEMA_NAMES: tuple[str, ...] = ("audit", "hosts", "diagnose", "policy", "certificate", "lab", "diff", "config")


def schema(name: str) -> dict[str, Any]:
    """Give the schema of a command's output. Raises KeyError for a name that is not in SCHEMA_NAMES."""
    if name not in SCHEMA_NAMES:
        raise KeyError(name)
    file = resources.files("atsprobe.json_v1") / "schemas" / f"{name}.json"
    read: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return read
