"""Entitlements: the associated domains of an app, from its code signature, its provisioning profile, or a file of sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from atsprobe.extract import plist_file
from atsprobe.extract.mach_o.code_signature import EntitlementsBlob, entitlements_in
from atsprobe.extract.mach_o.der import strings_under
from atsprobe.extract.mach_o.image import Image
from atsprobe.extract.member import Unreadable
from atsprobe.extract.plist_file import KeyPath, PlistFile
from atsprobe.extract.readers import property_list
from atsprobe.extract.readers.declared_hosts import associated_domain
from atsprobe.extract.sighting import Buffer, HostSighting, Sighting, Trouble
from atsprobe.model.endpoint import Section

_KEY = "com.apple.developer.associated-domains"
_SUFFIXES = (".entitlements", ".xcent")
_PROFILE_SUFFIXES = (".mobileprovision", ".provisionprofile")
_MAX_DOMAINS = 5000
_MAX_PROFILE = 16 << 20
_TOO_MANY = Trouble(f"more than {_MAX_DOMAINS:,} associated domains; the rest was not read", is_damage=False)


def recognises(path: str, head: bytes) -> bool:
    """Say whether a file holds entitlements as a property list, by its suffix."""
    return bool(head) and path.lower().endswith(_SUFFIXES)


def read(_: str, content: Buffer) -> Iterator[Sighting]:
    """Give the associated domains, and the URLs of all values."""
    try:
        plist = plist_file.load(content)
    except Unreadable as unreadable:
        yield Trouble(unreadable.reason, unreadable.advice)
        return
    yield from _domains(plist, ())
    yield from property_list.urls_of(plist)


def recognises_profile(path: str, head: bytes) -> bool:
    """Say whether a file is a provisioning profile, by its suffix."""
    return bool(head) and path.lower().endswith(_PROFILE_SUFFIXES)


def read_profile(_: str, content: Buffer) -> Iterator[Sighting]:
    """Give the associated domains of a profile's entitlements. All else in it is about Apple's and the team's certificates.

    A profile is a property list in XML, signed as CMS (RFC 5652), in which it stands in one piece.
    """
    start, end = content.find(b"<?xml"), content.rfind(b"</plist>")
    if not 0 <= start < end or end - start > _MAX_PROFILE:
        yield Trouble("a provisioning profile without a property list in it")
        return
    try:
        plist = plist_file.load(content[start : end + len(b"</plist>")])
    except Unreadable as unreadable:
        yield Trouble(unreadable.reason)
        return
    if isinstance(plist.root, dict):
        yield from _domains(PlistFile(plist.root.get("Entitlements")), ("Entitlements",))


def of_image(content: Buffer, image: Image) -> Iterator[Sighting]:
    """Give the associated domains in the code signature of a Mach-O image, once where XML and DER both name them."""
    if image.signature is None:
        return
    start, end = image.signature
    said: set[str] = set()
    for blob in entitlements_in(content, start, end):
        for text in _domains_of(content, blob):
            if text not in said and len(said) < _MAX_DOMAINS:
                said.add(text)
                at = content.find(text.encode("utf-8", "replace"), blob.start, blob.end)
                offset = (at if at >= 0 else blob.start) - start
                place = Section(image.architecture, "LC_CODE_SIGNATURE", offset, "utf-8")
                for sighting in associated_domain(text, place):
                    yield _seen_in_signature(sighting)
    if len(said) == _MAX_DOMAINS:
        yield _TOO_MANY


def _seen_in_signature(sighting: Sighting) -> Sighting:
    return replace(sighting, detector="code-signature") if isinstance(sighting, HostSighting) else sighting


def _domains_of(content: Buffer, blob: EntitlementsBlob) -> Iterator[str]:
    data = content[blob.start : blob.end]
    if blob.form == "der":
        yield from strings_under(data, _KEY)
        return
    try:
        root = plist_file.load(data).root
    except Unreadable:  # a system that reads the DER form does not look at it either
        return
    yield from (text for _, text in _strings(root))


def _domains(plist: PlistFile, above: KeyPath) -> Iterator[Sighting]:
    for path, text in _strings(plist.root):
        if path[-1] == _MAX_DOMAINS:
            yield _TOO_MANY
            return
        yield from associated_domain(text, property_list.location(plist, (*above, *path)))


def _strings(root: Any) -> Iterator[tuple[KeyPath, str]]:
    """Give each associated domain with its path: a list of strings, or one string as profiles have it."""
    value = root.get(_KEY) if isinstance(root, Mapping) else None
    if isinstance(value, str):
        yield (_KEY,), value
    for index, one in enumerate(value if isinstance(value, list) else ()):
        if isinstance(one, str):
            yield (_KEY, index), one
