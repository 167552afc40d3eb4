"""How servers, files, bundles and keys are called in a report: short, and as the reader knows them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from atsprobe.model.app import Bundle, Extraction, SkippedInput
from atsprobe.model.dictionary import PlistValue
from atsprobe.model.endpoint import Argument, Endpoint, Line, PlistKey, Reference, Section, unicode_name
from atsprobe.model.judgement import ExceptionJudgement
from atsprobe.report.escape import shortened

_BARE_DOMAIN = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:.]+(/[0-9]+)?")
_BARE_VALUE = re.compile(r"[A-Za-z0-9._-]+")
_BESIDE_VALUE = 60
_LONGEST_HOST = 253


def server_names(endpoints: Sequence[Endpoint]) -> dict[Endpoint, str]:
    """Name servers by host and port, with the scheme where http and https share a port."""
    shared = Counter((e.host, e.port) for e in endpoints)
    return {e: f"{e.scheme}://{e}" if shared[e.host, e.port] > 1 else str(e) for e in endpoints}


def u_label(endpoint: Endpoint) -> str:
    """Give the name of a host in its own script, in parentheses; empty where it is ASCII."""
    name = unicode_name(endpoint.host)
    return "" if name == endpoint.host else f" ({name})"


def main_bundles(extraction: Extraction) -> tuple[Bundle, ...]:
    """Give the outermost bundle of each target: the app, not its extensions."""
    outermost: dict[str, Bundle] = {}
    for bundle in extraction.bundles:
        known = outermost.get(bundle.target)
        if known is None or _depth(bundle) < _depth(known):
            outermost[bundle.target] = bundle
    return tuple(outermost.values())


def _depth(bundle: Bundle) -> int:
    return len(PurePosixPath(bundle.info_plist).parts)


def bundle_title(bundle: Bundle) -> str:
    """Give name, version and build; for a loose Info.plist the name of the file."""
    return PurePosixPath(bundle.info_plist).name if bundle.is_loose_plist or not bundle.name else bundle.title


class Places:
    """Names for the bundles and files of one extraction."""

    def __init__(self, extraction: Extraction) -> None:
        """Find out which bundles are the main ones, since these need no name beside a key."""
        self._extraction = extraction
        self._main = main_bundles(extraction)
        self._has_several_targets = len({b.target for b in extraction.bundles}) > 1

    def bundle_suffix(self, identifier: str | None) -> str:
        """Give the bundle in parentheses with a blank before; empty for the only main one."""
        bundle = self._extraction.bundle(identifier)
        if bundle is None or (bundle in self._main and len(self._main) == 1):
            return ""
        if bundle in self._main:
            return f" ({bundle_title(bundle)})"
        return f" ({self.within_app(str(PurePosixPath(bundle.info_plist).parent), bundle.target)})"

    def key_suffix(self, key: ExceptionJudgement) -> str:
        """Give where a key stands: file and line where the line is known, else its bundle where there are several."""
        bundle = self._extraction.bundle(key.bundle)
        if bundle is None or key.line is None:
            return self.bundle_suffix(key.bundle)
        if bundle in self._main and len(self._main) == 1:
            return f" ({PurePosixPath(bundle.info_plist).name}:{key.line})"
        return f" ({self.within_app(bundle.info_plist, bundle.target)}:{key.line})"

    def within_app(self, path: str, target: str) -> str:
        """Give a path as it is called inside the app of its target; the target itself where the path is empty."""
        folder = next((str(PurePosixPath(b.info_plist).parent) for b in self._main if b.target == target), ".")
        inside = path.removeprefix(f"{folder}/") if folder != "." else path
        return without_payload(inside) or target

    def skipped(self, skipped: SkippedInput) -> str:
        """Name what was not looked at, with its target where there are several."""
        named = self.within_app(skipped.file, skipped.target)
        return f"{skipped.target}: {named}" if self._has_several_targets and skipped.file else named


def without_payload(path: str) -> str:
    """Give a path of an .ipa as people say it, from the .app on."""
    return path.removeprefix("Payload/")


def place(reference: Reference) -> str:
    """Say where a sighting was made: ``Ferry (arm64) __cstring+0x1a2f40``, ``Ferry.app/config.json:12``, ``command line``."""
    path, location = without_payload(reference.file), reference.location
    if isinstance(location, Argument):
        return "command line" if location.line is None else f"{path or reference.target}:{location.line}"
    if isinstance(location, Section):
        return f"{PurePosixPath(path).name} {location}"
    if isinstance(location, Line):
        return f"{path}:{location.number}"
    if isinstance(location, PlistKey):
        return f"{path} {location.path}".rstrip() if location.line is None else f"{path}:{location.line}"
    return f"{path} {location}"


def file_of(reference: Reference) -> str:
    """Say in which file a sighting was made, with the line where there is one."""
    location = reference.location
    return without_payload(reference.file) if isinstance(location, PlistKey) and not location.line else place(reference)


def spoken(reason: str) -> str:
    """Give a sentence that names files, with their paths as people say them."""
    return reason.replace(" in Payload/", " in ")


def key_name(domain: str | None, key: str | None, value: PlistValue | None) -> str:
    """Name a declared key: its domain, quoted where it is no plain host name, then the key and its value."""
    is_plain = domain is not None and len(domain) <= _LONGEST_HOST and _BARE_DOMAIN.fullmatch(domain)
    parts = [] if domain is None else [domain if is_plain else f'"{shortened(domain)}"']
    if key is not None:
        parts.append(key if value is True or isinstance(value, Mapping) else f"{key} = {shown_value(value)}")
    elif value is not None:
        parts.append(f"= {shown_value(value)}")
    else:
        parts.append("(an empty entry)")
    return " ".join(parts)


def shown_value(value: PlistValue | None) -> str:
    """Write a value of a property list: ``false``, ``TLSv1.0``, ``"YES"``, ``an array``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        is_version = _BARE_VALUE.fullmatch(value) and value.startswith("TLS")
        return value if is_version else f'"{shortened(value, _BESIDE_VALUE)}"'
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return "a dictionary"
    if isinstance(value, tuple):
        return "an array"
    return "data" if isinstance(value, bytes) else "a date"
