"""The document of the settings: what is in force, and where each value comes from."""

from __future__ import annotations

from typing import Any

from atsprobe.json_v1.audit import SCHEMA_VERSION
from atsprobe.json_v1.waivers import encode_rule, encode_waiver
from atsprobe.model.result import ConfigResult, ConfiguredValue


def encode(result: ConfigResult) -> dict[str, Any]:
    """Write the settings."""
    return {
        "schema_version": SCHEMA_VERSION,
        "file": result.file,
        "looked_in": list(result.looked_in),
        "options": [_encode_value(value) for value in result.values],
        "ignored": [encode_rule(rule) for rule in result.ignored],
        "waivers": [encode_waiver(waiver) for waiver in result.waivers],
    }


def _encode_value(configured: ConfiguredValue) -> dict[str, Any]:
    value = list(configured.value) if isinstance(configured.value, tuple) else configured.value
    return {"option": configured.option, "value": value, "source": configured.source, "line": configured.line}
