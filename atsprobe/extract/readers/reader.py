"""The ordered table of readers: the first row that recognises a file reads it."""

from __future__ import annotations

from collections.abc import Iterator

from atsprobe.extract.readers import (
    capacitor,
    cordova,
    dart,
    entitlements,
    google_service_info,
    gzip_member,
    hermes,
    info_plist,
    javascript,
    json_text,
    key_values,
    mach_o_strings,
    plain_text,
    privacy_manifest,
    property_list,
    source_code,
    sqlite,
    strings_file,
    unity,
    xcconfig,
    xml_text,
)
from atsprobe.extract.sighting import Buffer, Format, Sighting


def _read_packed(path: str, content: Buffer) -> Iterator[Sighting]:
    return gzip_member.read(path, content, format_of)


FORMATS = (
    Format("entitlements", entitlements.recognises, entitlements.read),
    Format("provisioning-profile", entitlements.recognises_profile, entitlements.read_profile),
    Format("privacy-manifest", privacy_manifest.recognises, privacy_manifest.read),
    Format("google-service-info", google_service_info.recognises, google_service_info.read),
    Format("capacitor", capacitor.recognises, capacitor.read),
    Format("cordova", cordova.recognises, cordova.read),
    Format("info-plist", info_plist.recognises, info_plist.read),
    Format("property-list", property_list.recognises, property_list.read),
    Format("dart", dart.recognises, dart.read),
    Format("mach-o", mach_o_strings.recognises, mach_o_strings.read),
    Format("hermes", hermes.recognises, hermes.read),
    Format("unity", unity.recognises, unity.read),
    Format("sqlite", sqlite.recognises, sqlite.read),
    Format("gzip", gzip_member.recognises, _read_packed),
    Format("xcconfig", xcconfig.recognises, xcconfig.read),
    Format("source", source_code.recognises, source_code.read),
    Format("javascript", javascript.recognises, javascript.read),
    Format("json", json_text.recognises, json_text.read),
    Format("strings", strings_file.recognises, strings_file.read),
    Format("settings", key_values.recognises, key_values.read),
    Format("xml", xml_text.recognises, xml_text.read),
    Format("text", plain_text.recognises, plain_text.read),
)


def format_of(path: str, head: bytes) -> Format | None:
    """Give the row that reads a file with this path and these first bytes; None for what holds no hosts, such as an image."""
    return next((row for row in FORMATS if row.recognises(path, head)), None)
