"""Which folders of a target hold nothing that an app runs, so that they are not entered: signatures, symbols, build tools."""

from __future__ import annotations

import re
from collections.abc import Collection

from atsprobe.extract.sighting import Trouble

_EVERYWHERE = frozenset({"__MACOSX", "_CodeSignature", "SC_Info", ".git", ".hg", ".svn", "dSYMs", "BCSymbolMaps"})
"""Doubles of macOS, hashes, FairPlay's keys, version control, debug symbols."""

_OF_EXPORTS = frozenset(
    (
        *("Symbols", "SwiftSupport", "Signatures", "META-INF", "iTunesMetadata.plist"),
        *("WatchKitSupport", "WatchKitSupport2", "MessagesApplicationSupport", "MessagesApplicationExtensionSupport"),
    )
)
"""What Xcode and the App Store lay beside an app: symbols, Apple's own libraries and stubs, the purchase."""

_OF_SOURCES = frozenset({"DerivedData", "xcuserdata", "Carthage/Checkouts", "vendor/bundle"})
_OF_PROJECTS = frozenset({"build", "SourcePackages"})
_PROJECT_FILES = re.compile(r"(?:.+\.(?:xcodeproj|xcworkspace)|Podfile|pubspec\.yaml)\Z")
_OTHER_PLATFORMS = frozenset({"android", "macos", "windows", "linux", "electron", "tvos"})
_CONTENT_SUFFIXES = (".app", ".appex", ".framework", ".bundle")

_SLICE = re.compile(r"(ios|macos|tvos|watchos|xros|visionos|driverkit)-[a-z0-9_]+(?:-(simulator|maccatalyst))?\Z")

PACKAGES = "node_modules"
PACKAGES_TROUBLE = Trouble(
    "code of other packages, of which a build takes a part; it was not read",
    "audit the built .ipa or .xcarchive",
    is_damage=False,
)


def is_double(name: str) -> bool:
    """Say whether a file holds what macOS keeps beside another file: AppleDouble (RFC 1740)."""
    return name.startswith("._")


def is_hidden(path: str) -> bool:
    """Say whether a folder of sources is one of tools, such as ``.github`` or ``.dart_tool``."""
    name = path.rpartition("/")[2]
    return name.startswith(".") and bool(name.strip(".")) and not is_in_content(path)


def is_in_content(path: str) -> bool:
    """Say whether a folder is a bundle that is installed, or lies in one: there every folder is the app's own."""
    return any(part.endswith(_CONTENT_SUFFIXES) for part in path.split("/"))


def is_left_out(path: str, siblings: Collection[str]) -> bool:
    """Say whether a file is not read or a folder not entered, by its path in the target and the names of all beside it.

    Of an .xcframework the slices for the simulator, Mac Catalyst and other systems are left out where it has one for
    iOS devices: they are the same library built again, and an iPhone never runs them.
    """
    parent, _, name = path.rpartition("/")
    if name in _EVERYWHERE or name.endswith(".dSYM"):
        return True
    if parent.endswith(".xcframework"):
        return _is_other_slice(name, siblings)
    if name in _OF_EXPORTS and ("Payload" in siblings or parent.endswith(".xcarchive")):
        return True
    if is_in_content(path):
        return False
    two = f"{parent.rpartition('/')[2]}/{name}"
    if name == PACKAGES or name in _OF_SOURCES or two in _OF_SOURCES:
        return True
    if name in _OTHER_PLATFORMS and "ios" in siblings:
        return True
    return name in _OF_PROJECTS and any(_PROJECT_FILES.match(s) for s in siblings)


def _is_other_slice(name: str, siblings: Collection[str]) -> bool:
    slices = {s: match for s in siblings if (match := _SLICE.match(s))}
    devices = {s for s, match in slices.items() if match[1] == "ios" and not match[2]}
    simulators = {s for s, match in slices.items() if match[1] == "ios"}
    wanted = devices or simulators
    return bool(wanted) and name in slices and name not in wanted
