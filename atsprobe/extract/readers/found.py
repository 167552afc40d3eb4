"""From a URL in a buffer to the sighting of a host: what all readers of text share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from atsprobe.extract.host_names import FoundTemplate, Hit, endpoint_of, has_public_suffix
from atsprobe.extract.sighting import Buffer, HostSighting, Repeats, Sighting, TemplateSighting, Trouble
from atsprobe.model.endpoint import Confidence, Endpoint, Location, ReferenceKind, ip_address_of

_MAX_KEPT = 20
_MAX_HOSTS = 20_000
_MAX_HITS = 200_000
_IS_NAMESPACE = "names an XML namespace"


def sightings(hits: Iterable[Hit | None], locate: Callable[[Hit], Location]) -> Iterator[Sighting]:
    """Turn hits into sightings, at most 20 of one endpoint, the others counted; one of too many is given up, and that is said.

    None is a hit that proved to be no URL: finding that out took its time, so that it counts towards too many.
    """
    kept: dict[tuple[Endpoint, str] | str, int] = {}
    yield from _sightings(hits, locate, kept)
    for key, times in kept.items():
        if isinstance(key, tuple) and times > _MAX_KEPT:
            yield Repeats(key[0], times - _MAX_KEPT)


def _sightings(
    hits: Iterable[Hit | None], locate: Callable[[Hit], Location], kept: dict[tuple[Endpoint, str] | str, int]
) -> Iterator[Sighting]:
    for number, hit in enumerate(hits):
        if len(kept) > _MAX_HOSTS or number >= _MAX_HITS:
            yield Trouble(
                f"more than {_MAX_HITS:,} URLs or {_MAX_HOSTS:,} hosts in one file; the rest was not read",
                is_damage=False,
            )
            return
        if hit is None:
            continue
        found = hit.found
        if isinstance(found, FoundTemplate):
            if _is_new(kept, found.suffix + "\0" + hit.text):
                yield TemplateSighting(found.suffix, hit.text, found.host is not None)
            if found.host is None:
                continue
            endpoint, has_scheme = Endpoint(found.host, 443), False
        else:
            endpoint, has_scheme = endpoint_of(found), found.scheme is not None
        if not has_scheme and not (has_public_suffix(endpoint.host) or ip_address_of(endpoint.host)):
            continue
        kind: ReferenceKind = "url" if has_scheme else "bare-host"
        reason = _IS_NAMESPACE if hit.is_namespace else ""
        if _is_new(kept, (endpoint, kind + reason)):
            yield HostSighting(endpoint, locate(hit), hit.text, kind, _confidence(hit), hit.path, noise_reason=reason)


def _confidence(hit: Hit) -> Confidence:
    """How sure it is that the app means a host: of a template whose port alone is filled in, as of a bare host."""
    return Confidence.BARE if isinstance(hit.found, FoundTemplate) else hit.confidence


def _is_new(kept: dict[tuple[Endpoint, str] | str, int], key: tuple[Endpoint, str] | str) -> bool:
    kept[key] = kept.get(key, 0) + 1
    return kept[key] <= _MAX_KEPT


class LineCounter:
    """Tells the line of one offset after another, going on from the one before."""

    def __init__(self, content: Buffer) -> None:
        """Begin at the first line."""
        self._content = content
        self._at = 0
        self._number = 1

    def at(self, offset: int) -> int:
        """Give the line of an offset, from 1; offsets come in order."""
        self._number += self._content[self._at : offset].count(b"\n")
        self._at = max(self._at, offset)
        return self._number
