"""The Info.plist of a bundle: NSAppTransportSecurity as declared, and what else names the bundle."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from atsprobe.extract import bundle, plist_file
from atsprobe.extract.host_names import host_meant_by_key
from atsprobe.extract.member import Unreadable
from atsprobe.extract.plist_file import PlistFile, to_value
from atsprobe.extract.readers import apple_domains, property_list
from atsprobe.extract.sighting import Buffer, HostSighting, InfoPlist, Sighting, Trouble
from atsprobe.model.dictionary import AtsDictionary, ExceptionEntry, PlistValue
from atsprobe.model.endpoint import Confidence, Endpoint

_ATS = "NSAppTransportSecurity"
_DOMAINS = "NSExceptionDomains"
_KNOWN = (
    _ATS,
    _DOMAINS,
    *(f.metadata["key"] for t in (AtsDictionary, ExceptionEntry) for f in fields(t) if f.metadata),
)
_STRAY = re.compile(
    r"NSAllows(?:Arbitrary|Local)|NS(?:Temporary|ThirdParty)?Exception|NSIncludesSubdomains|NSPinnedDomains|NSRequires(?:NIAP|Cert)"
)
_TITLE = "App Transport Security Settings"  # as Xcode shows the key
_ALIKE = 0.88
_MAX_COMPARED = 2_000
_MAX_KEY = 64
_OF_INFO_PLISTS = ("CFBundle", "LS", "UI")
_OTHER_PACKAGES = ("FMWK", "XFWK", "BNDL")
_MAX_TEXT = 200
_SDK_NAME = re.compile(r"[a-z]*([0-9]{1,3}(?:\.[0-9]{1,3}){0,2})(?:\.internal)?")  # DTSDKName: iphoneos18.2


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file is the Info.plist of a process bundle, or one of sources."""
    return bool(head) and (bundle.process_root(path) is not None or bundle.is_loose_info_plist(path))


def read(path: str, content: Buffer) -> Iterator[Sighting]:
    """Give what an Info.plist says, and its hosts. One that is broken is said to be, and not guessed at."""
    try:
        plist = plist_file.load(content)
    except Unreadable as unreadable:
        yield Trouble(unreadable.reason)
        return
    if bundle.process_root(path) is None and not _is_info_plist(plist.root):
        yield from property_list.urls_of(plist)
        return
    yield from read_loaded(plist)


def read_loose(_: str, content: Buffer) -> Iterator[Sighting]:
    """Give the same of a property list that was named itself, whatever its name. Raises Unreadable for none."""
    yield from read_loaded(plist_file.load(content))


def read_loaded(plist: PlistFile) -> Iterator[Sighting]:
    """Give what a loaded Info.plist says, and its hosts."""
    if not isinstance(plist.root, dict):
        yield Trouble(f"not an Info.plist: it holds {_KINDS.get(type(plist.root), 'a value')}, not a dictionary")
        return
    try:
        declared = to_value(plist.root[_ATS]) if _ATS in plist.root else None
        stray = {k: to_value(plist.root[k]) for k in _strays(plist.root)}
    except Unreadable as unreadable:
        yield Trouble(f"{_ATS}: {unreadable.reason}")
        declared, stray = None, {}
    yield _info(plist, AtsDictionary.from_plist(declared, stray))
    yield from _exceptions(plist, declared)
    yield from apple_domains.of_info_plist(plist)
    yield from property_list.urls_of(plist, without=apple_domains.DECLARED)


_KINDS: dict[type, str] = {list: "an array", str: "a string", bytes: "data", bool: "a boolean", int: "a number"}


def _is_info_plist(root: Any) -> bool:
    if not isinstance(root, dict) or root.get("CFBundlePackageType") in _OTHER_PACKAGES:
        return False
    return any(isinstance(k, str) and (k == _ATS or k.startswith(_OF_INFO_PLISTS)) for k in root)


def _strays(root: Mapping[Any, Any]) -> Iterator[str]:
    """Give the keys at the top of an Info.plist that were meant for NSAppTransportSecurity, or are that key misspelt."""
    compared = 0
    for key in root:
        if not isinstance(key, str) or key == _ATS or len(key) > _MAX_KEY:
            continue
        if key == _TITLE or _STRAY.match(key):
            yield key
        elif key.strip()[:2].upper() == "NS" and compared < _MAX_COMPARED:
            compared += 1
            if get_close_matches(key.strip(), _KNOWN, 1, _ALIKE):
                yield key


def _info(plist: PlistFile, dictionary: AtsDictionary) -> InfoPlist:
    root = plist.root
    platforms = root.get("CFBundleSupportedPlatforms")
    platform = (
        str(platforms[0]) if isinstance(platforms, list) and platforms and isinstance(platforms[0], str) else "iPhoneOS"
    )
    return InfoPlist(
        dictionary=dictionary,
        identifier=_text(root, "CFBundleIdentifier"),
        name=_text(root, "CFBundleDisplayName") or _text(root, "CFBundleName"),
        version=_text(root, "CFBundleShortVersionString"),
        build=_text(root, "CFBundleVersion"),
        executable=_text(root, "CFBundleExecutable"),
        minimum_os=_version(_text(root, "MinimumOSVersion")),
        sdk=_sdk(root),
        is_for_ios=platform.startswith(("iPhone", "AppleTV")) and not root.get("WKWatchKitApp"),
        key_lines=_key_lines(plist, dictionary),
    )


def _text(root: Mapping[Any, Any], key: str) -> str | None:
    """Give a string of one line; None for another type, an empty one, or one that a build fills in."""
    value = root.get(key)
    if not isinstance(value, str) or not value.strip() or "$(" in value or "${" in value:
        return None
    return value.strip()[:_MAX_TEXT]


def _sdk(root: Mapping[Any, Any]) -> str | None:
    """Give the version of the SDK that Xcode wrote down."""
    name = _SDK_NAME.fullmatch(_text(root, "DTSDKName") or "")
    return name[1] if name else _version(_text(root, "DTPlatformVersion"))


def _version(text: str | None) -> str | None:
    return text if text and re.fullmatch(r"\d{1,3}(?:\.\d{1,3}){0,2}", text) else None


def _key_lines(plist: PlistFile, dictionary: AtsDictionary) -> dict[tuple[str | None, str | None], int]:
    """Give the line of each declared key, by (domain or None, key or None for the domain itself)."""
    lines: dict[tuple[str | None, str | None], int] = {}
    strays = {key for key, _ in dictionary.misplaced}
    for path, line in plist.lines.items():
        match path:
            case (str(key),) if key in strays:
                lines.setdefault((None, key), line)
            case ("NSAppTransportSecurity",):
                lines[(None, _ATS)] = line
            case ("NSAppTransportSecurity", str(key)):
                lines[(None, key)] = line
            case ("NSAppTransportSecurity", "NSExceptionDomains", str(domain)):
                lines[(domain, None)] = line
            case ("NSAppTransportSecurity", "NSExceptionDomains", str(domain), str(key)):
                lines[(domain, key)] = line
            case _:
                pass
    return lines


def _exceptions(plist: PlistFile, declared: PlistValue | None) -> Iterator[Sighting]:
    """Give the host that each key of NSExceptionDomains names, or means where it is misspelt."""
    domains = declared.get(_DOMAINS) if isinstance(declared, Mapping) else None
    for key in domains if isinstance(domains, Mapping) else ():
        host = host_meant_by_key(key)
        if host is not None:
            place = property_list.location(plist, (_ATS, _DOMAINS, key))
            yield HostSighting(Endpoint(host, 443), place, key[:_MAX_TEXT], "ats-exception", Confidence.DECLARED)
