"""What other tools would list for the same artefact: MobSF's expression for URLs, and a plain one over `strings`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

from atsprobe.model.endpoint import Host, InvalidHost, ip_address_of, parse_host
from benchmarks.extract_corpus import files_in

MOBSF_URL = re.compile(
    r"((?:https?://|s?ftps?://|file://|javascript:|data:|www\d{0,3}[.])[\w().=/;,#:@?&~*+!$%'{}-]+)", re.UNICODE
)
"""URL_REGEX of MobSF 4.4.0 (mobsf/MobSF/utils.py), which is run over lower-cased text (views/common/shared_func.py)."""

MOBSF_SKIPS = (".nib", ".ttf", ".svg", ".woff2", ".png", ".dylib", ".mobileprovision", "Assets.car", "CodeResources")
"""The files that MobSF does not read as text (mobsf/StaticAnalyzer/views/ios/strings.py)."""

PLAIN_URL = re.compile(r"(?:https?|wss?|ftps?)://[A-Za-z0-9._:@-]+")

_BINARY = (b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf", b"!<arch>\n")
_PRINTABLE = re.compile(rb"[\t\x20-\x7e]{4,}")
_SUFFIXES = PublicSuffixList(accept_unknown=False, only_icann=True)


def strings(data: bytes) -> str:
    """Give what GNU `strings` prints: runs of four and more printable characters, one a line."""
    return "\n".join(run.group().decode("ascii") for run in _PRINTABLE.finditer(data))


def mobsf_hosts(path: Path) -> set[str]:
    """Give the hosts as MobSF lists them: `strings` of binaries, the text of all other files, in lower case."""
    urls: set[str] = set()
    for file in files_in(path):
        data = file.read_bytes()
        if data.startswith(_BINARY):
            urls.update(MOBSF_URL.findall(strings(data).lower()))
        elif not file.name.endswith(MOBSF_SKIPS):
            urls.update(MOBSF_URL.findall(data.decode("utf-8", "ignore").lower()))
    return _hosts(urls)


def plain_hosts(path: Path) -> set[str]:
    """Give the hosts that a plain expression finds in the `strings` of every file."""
    return _hosts(url for file in files_in(path) for url in PLAIN_URL.findall(strings(file.read_bytes())))


def _hosts(urls: Iterable[str]) -> set[str]:
    found = set()
    for url in urls:
        try:  # as MobSF does (mobsf/MalwareAnalyzer/views/MalwareDomainCheck.py): what has no scheme gets //
            host = parse_host(urlsplit(url if urlsplit(url).scheme else f"//{url}").hostname or "")
        except (ValueError, InvalidHost):
            continue
        if is_host(host):
            found.add(str(host))
    return found


def is_host(host: Host) -> bool:
    """Say whether a name can be a host in the internet: an IP literal, or below a public suffix."""
    return ip_address_of(host) is not None or _SUFFIXES.privatesuffix(host) is not None
