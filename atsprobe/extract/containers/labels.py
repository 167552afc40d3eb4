"""How a file of a target is named for people: within its app."""

from __future__ import annotations


def short_label(label: str) -> str:
    """Take off the folders that every archive of Xcode's has above the app."""
    outer, separator, rest = label.partition(".xcarchive/Products/Applications/")
    return rest if separator and "/" not in outer else label
