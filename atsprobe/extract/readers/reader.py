"""The ordered table of readers: the first row that recognises a file reads it."""

from __future__ import annotations

from atsprobe.extract.readers import (
    capacitor,
    cordova,
    entitlements,
    google_service_info,
    hermes,
    info_plist,
    mach_o_strings,
    plain_text,
    privacy_manifest,
    property_list,
    source_code,
    xcconfig,
)
from atsprobe.extract.sighting import Format

FORMATS = (
    Format("entitlements", entitlements.recognises, entitlements.read),
    Format("provisioning-profile", entitlements.recognises_profile, entitlements.read_profile),
    Format("privacy-manifest", privacy_manifest.recognises, privacy_manifest.read),
    Format("google-service-info", google_service_info.recognises, google_service_info.read),
    Format("capacitor", capacitor.recognises, capacitor.read),
    Format("cordova", cordova.recognises, cordova.read),
    Format("info-plist", info_plist.recognises, info_plist.read),
    Format("property-list", property_list.recognises, property_list.read),
    Format("mach-o", mach_o_strings.recognises, mach_o_strings.read),
    Format("hermes", hermes.recognises, hermes.read),
    Format("xcconfig", xcconfig.recognises, xcconfig.read),
    Format("source", source_code.recognises, source_code.read),
    Format("text", plain_text.recognises, plain_text.read),
)


def format_of(path: str, head: bytes) -> Format | None:
    """Give the row that reads a file with this path and these first bytes; None for what holds no hosts, such as an image."""
    return next((row for row in FORMATS if row.recognises(path, head)), None)
