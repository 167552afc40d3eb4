"""Capacitor's configuration: where the web view loads from, and where it may go."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from atsprobe.extract.readers import plain_text
from atsprobe.extract.readers.declared_hosts import configured
from atsprobe.extract.sighting import Buffer, HostSighting, Sighting, Trouble
from atsprobe.model.endpoint import Endpoint, Line

_NAMES = frozenset({"capacitor.config.json", "capacitor.config.ts", "capacitor.config.js"})
_MAX_BYTES = 1 << 20
_MAX_VALUES = 1000
_MAX_MISSES = 100

_SERVER = re.compile(r"\bserver[\"']?\s{0,20}:\s{0,20}\{")
_SERVER_TEXT = 20_000
_COMMENT = re.compile(r"(?<![:\"'`\w])//[^\n]*|/\*.{0,10000}?\*/", re.DOTALL)
_VALUE = re.compile(
    r"\b(url|hostname|allowNavigation)[\"']?\s{0,20}:\s{0,20}(?:([\"'`])([^\"'`\n]{1,1000})\2|\[([^\]]{0,10000})\])"
)
_QUOTED = re.compile(r"([\"'`])([^\"'`\n]{1,1000})\1")


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is one, by its name, in an app or in sources."""
    return bool(head) and path.rpartition("/")[2] in _NAMES


def read(path: str, content: Buffer) -> Iterator[Sighting]:
    """Give server.url, server.hostname and server.allowNavigation, then the URLs of everything else.

    Source: Capacitor's documentation, Configuration (CapacitorConfig.server). A script is read by its literals.
    """
    data = content[: _MAX_BYTES + 1]
    if len(data) > _MAX_BYTES:
        yield Trouble(f"a configuration of Capacitor larger than {_MAX_BYTES >> 20} MiB")
        return
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    declared: set[Endpoint] = set()
    values = _of_json(text) if path.endswith(".json") else _of_script(text)
    for number, (value, line) in enumerate(values):
        if number == _MAX_VALUES:
            yield Trouble(f"more than {_MAX_VALUES:,} addresses; the rest was not read", is_damage=False)
            break
        for sighting in configured(value, Line(line)):
            if isinstance(sighting, HostSighting):
                declared.add(sighting.endpoint)
            yield sighting
    for sighting in plain_text.read(path, data):
        if not (isinstance(sighting, HostSighting) and sighting.endpoint in declared):
            yield sighting


def _of_json(text: str) -> Iterator[tuple[str, int]]:
    """Give (value, line) of what the server's part of the configuration names; nothing where it is no JSON."""
    try:
        root = json.loads(text)
    except (ValueError, RecursionError):
        return
    server = root.get("server") if isinstance(root, dict) else None
    if not isinstance(server, dict):
        return
    places = _Places(text, max(0, text.find('"server"')))
    for value in _strings(server):
        yield value, places.line_of(value)


class _Places:
    """Finds the lines of values that JSON has parsed: few are written with escapes, so few misses are worth a search."""

    def __init__(self, text: str, start: int) -> None:
        self._text, self._start = text, start
        self._misses = 0

    def line_of(self, value: str) -> int:
        """Give the line of a value as JSON writes it, that of the server's part where it is not found."""
        at = self._text.find(json.dumps(value, ensure_ascii=False), self._start) if self._misses < _MAX_MISSES else -1
        self._misses += at < 0
        return self._text.count("\n", 0, at if at >= 0 else self._start) + 1


def _strings(server: dict[str, Any]) -> Iterator[str]:
    listed = server.get("allowNavigation")
    for value in (
        server.get("url"),
        server.get("hostname"),
        *(listed if isinstance(listed, list) else ()),
    ):
        if isinstance(value, str):
            yield value


def _of_script(text: str) -> Iterator[tuple[str, int]]:
    """Give the same of a script, as far as the values are literals: ``server: { url: 'https://…' }``."""
    text = _COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    server = _SERVER.search(text)
    if server is None:
        return
    end = _closing_brace(text, server.end())
    for match in _VALUE.finditer(text, server.end(), end):
        if match[1] == "allowNavigation":
            quoted = _QUOTED.finditer(text, match.start(4), match.end(4)) if match[4] else iter(())
            for one in quoted:
                yield one[2], text.count("\n", 0, one.start()) + 1
        elif match[3]:
            yield match[3], text.count("\n", 0, match.start()) + 1


def _closing_brace(text: str, start: int) -> int:
    depth = 1
    for at in range(start, min(len(text), start + _SERVER_TEXT)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if not depth:
            return at
    return min(len(text), start + _SERVER_TEXT)
