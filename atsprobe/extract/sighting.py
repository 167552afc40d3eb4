"""What a reader of one file format tells: hosts seen, facts about the file, and what it could not read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from mmap import mmap

from atsprobe.model.app import NetworkApiUse
from atsprobe.model.dictionary import AtsDictionary
from atsprobe.model.endpoint import Confidence, Endpoint, Location, ReferenceKind

Buffer = bytes | mmap
"""The bytes of a file, in memory or mapped; slices of both are bytes."""


@dataclass(frozen=True, slots=True)
class HostSighting:
    """An endpoint that a file names. ``path`` is the beginning of a URL's path, by which a DTD is told from a load.

    ``detector`` says what found it (``mach-o``, ``swift-immediate``); empty for the reader of the file's format.
    ``noise_reason`` says why the place alone makes it none that is loaded from; empty elsewhere.
    """

    endpoint: Endpoint
    location: Location
    text: str
    kind: ReferenceKind
    confidence: Confidence
    path: str = ""
    detector: str = ""
    noise_reason: str = ""


@dataclass(frozen=True, slots=True)
class TemplateSighting:
    """A URL whose host is filled in at run time; ``suffix`` and ``is_whole_host`` as in `UrlTemplate`."""

    suffix: str
    text: str
    is_whole_host: bool = False


@dataclass(frozen=True, slots=True)
class Repeats:
    """How many more times a file names an endpoint than its reader told."""

    endpoint: Endpoint
    times: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something in a file that could not be read: why, and what to do. ``part`` names the part, such as ``(arm64)``.

    ``is_damage`` says that the file is wrong in itself, rather than of a kind that cannot be looked into.
    """

    reason: str
    advice: str = ""
    part: str = ""
    is_damage: bool = True


@dataclass(frozen=True)
class InfoPlist:
    """What an Info.plist says of its bundle; None for what it does not say, or says by a build variable."""

    dictionary: AtsDictionary
    identifier: str | None = None
    name: str | None = None
    version: str | None = None
    build: str | None = None
    executable: str | None = None
    minimum_os: str | None = None
    is_for_ios: bool = True
    sdk: str | None = None
    key_lines: dict[tuple[str | None, str | None], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BinaryFacts:
    """What the load commands of a Mach-O file say: the lowest SDK and minimum iOS of its architectures (of those for devices,
    where it has any), and the frameworks and dylibs that it links, by their last path component (``Net.framework``,
    ``libnet.dylib``).
    """

    linked_sdk: str | None
    minimum_ios: str | None
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NetworkApiSighting:
    """A network API or trust code in a Mach-O file; the ``file`` of the use is still empty."""

    use: NetworkApiUse


Sighting = HostSighting | TemplateSighting | Repeats | Trouble | InfoPlist | BinaryFacts | NetworkApiSighting


@dataclass(frozen=True, slots=True)
class Format:
    """One row of the table of readers: which files it recognises, by path and first bytes, and how it reads them.

    ``read`` is given the path and the whole content; it raises nothing for hostile content.
    """

    name: str
    recognises: Callable[[str, bytes], bool]
    read: Callable[[str, Buffer], Iterator[Sighting]]
