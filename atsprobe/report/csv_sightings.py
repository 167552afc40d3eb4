"""The hosts of an app as CSV (RFC 4180), one line a sighting, for a spreadsheet or another program."""

from __future__ import annotations

import csv
import io
from typing import assert_never

from atsprobe.model.endpoint import Argument, ByteOffset, Line, Location, PlistKey, Reference, Section
from atsprobe.model.result import HostsResult
from atsprobe.report.escape import escape

COLUMNS = (
    *("host", "port", "scheme", "kind", "confidence", "target", "bundle", "file"),
    *("line", "key_path", "architecture", "section", "offset", "encoding", "text", "detector", "noise_reason"),
)
"""The first line. What a place does not have is empty."""

_FORMULA = ("=", "+", "-", "@")


def render_hosts(result: HostsResult) -> str:
    """Write a line for each sighting, sorted by endpoint. Control characters are escaped, and no cell begins a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for reference in sorted(result.references, key=lambda r: r.endpoint):
        writer.writerow([_cell(value) for value in _row(reference)])
    return out.getvalue()


def _row(reference: Reference) -> tuple[object, ...]:
    endpoint = reference.endpoint
    return (
        *(endpoint.host, endpoint.port, endpoint.scheme, reference.kind, reference.confidence.value),
        *(reference.target, reference.bundle, reference.file, *_place(reference.location)),
        *(reference.text, reference.detector, reference.noise_reason),
    )


def _place(location: Location) -> tuple[object, ...]:
    """Give line, path of keys, architecture, section, offset and encoding."""
    match location:
        case PlistKey():
            return (location.line, location.path, None, None, None, None)
        case Section():
            return (None, None, location.architecture, location.section, location.offset, location.encoding)
        case Line():
            return (location.number, None, None, None, None, None)
        case ByteOffset():
            return (None, None, None, None, location.offset, location.encoding)
        case Argument():
            return (location.line, None, None, None, None, None)
        case _:
            assert_never(location)


def _cell(value: object) -> str:
    """Write a cell; one that a spreadsheet would take for a formula gets an apostrophe before it."""
    text = "" if value is None else escape(str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text
