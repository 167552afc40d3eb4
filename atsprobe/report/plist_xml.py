"""Values of a property list as lines of XML, and comments beside them."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from atsprobe.model.dictionary import PlistValue
from atsprobe.report.escape import escape

TAB = "\t"
_NO_XML_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}


@dataclass(frozen=True)
class Layout:
    """How XML is laid out: ``unit`` is one step of indentation.

    ``before_scalar`` and ``before_container`` are the blanks between a key and its value; None puts the value on the next line.
    """

    unit: str = TAB
    before_scalar: str | None = None
    before_container: str | None = None


APPLE = Layout()
"""As Xcode and plutil write it: a tab for each level, each key and each value on a line of its own."""


def member(key: str, value: PlistValue, indent: str, layout: Layout = APPLE) -> list[str]:
    """Write a key and its value as lines without line ends, indented by ``indent`` and more."""
    head, lines = f"{indent}<key>{text(key)}</key>", element(value, indent, layout)
    between = layout.before_container if isinstance(value, Mapping | tuple) else layout.before_scalar
    if between is None:
        return [head, *lines]
    return [head + between + lines[0].removeprefix(indent), *lines[1:]]


def element(value: PlistValue, indent: str, layout: Layout = APPLE) -> list[str]:
    """Write a value as lines."""
    if isinstance(value, Mapping):
        inner = [line for k, v in value.items() for line in member(k, v, indent + layout.unit, layout)]
        return _container("dict", inner, indent)
    if isinstance(value, tuple):
        inner = [line for v in value for line in element(v, indent + layout.unit, layout)]
        return _container("array", inner, indent)
    return [indent + _scalar(value)]


def _container(name: str, inner: Sequence[str], indent: str) -> list[str]:
    return [f"{indent}<{name}>", *inner, f"{indent}</{name}>"] if inner else [f"{indent}<{name}/>"]


def _scalar(value: bool | int | float | str | bytes | datetime) -> str:
    if isinstance(value, bool):
        return "<true/>" if value else "<false/>"
    if isinstance(value, int):
        return f"<integer>{value}</integer>"
    if isinstance(value, float):
        return f"<real>{value!r}</real>"
    if isinstance(value, str):
        return f"<string>{text(value)}</string>"
    if isinstance(value, bytes):
        return f"<data>{base64.b64encode(value).decode('ascii')}</data>"
    return f"<date>{value.year:04}-{value:%m-%dT%H:%M:%SZ}</date>"


def text(content: str) -> str:
    """Write text content in ASCII, so that it is the same in every encoding of a file.

    What XML 1.0 cannot hold (control characters, lone surrogates) becomes U+FFFD: Apple's client matches neither.
    """
    allowed = _NO_XML_CHARACTER.sub("\ufffd", content)
    return "".join(_MARKUP.get(c, c) if c.isascii() else f"&#{ord(c)};" for c in allowed)


def comment(lines: Sequence[str], indent: str = "") -> list[str]:
    """Write a comment of several lines; foreign text in them is made harmless, and cannot end the comment (XML 1.0 §2.5)."""
    safe = [escape(line).replace("--", "-\\u{2d}") for line in lines]
    body = [f"{indent}<!-- {safe[0]}", *(f"{indent}     {line}" for line in safe[1:])]
    return [*body[:-1], f"{body[-1]} -->"]
