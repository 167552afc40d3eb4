"""Edits of a text as a unified diff, for ``git apply -p1`` and ``patch -p1``."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from atsprobe.report.plist_edit import Edit, applied

_CONTEXT = 3
_NO_NEWLINE = b"\n\\ No newline at end of file\n"
_C_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


@dataclass(frozen=True)
class _Block:
    """Lines ``first`` to ``last`` (from 0, exclusive) of the old text, which give way to the lines ``new``."""

    first: int
    last: int
    new: tuple[bytes, ...]


def unified_diff(path: str, data: bytes, edits: Sequence[Edit]) -> bytes:
    """Write the edits of one file as a diff with three lines of context; empty where they change nothing.

    ``path`` is relative, with ``/`` between its parts. The header names ``a/`` and ``b/`` and has no ``diff --git`` line, so that
    git takes it relative to the folder it runs in.
    """
    old = _split(data)
    hunks = list(_hunks(old, _blocks(data, old, edits)))
    if not hunks:
        return b""
    header = "".join(f"{sign} {_quoted(f'{side}/{path}')}\n" for sign, side in (("---", "a"), ("+++", "b")))
    return b"".join((header.encode("utf-8", "replace"), *hunks))


def _quoted(path: str) -> str:
    """Write a path as git does: in quotes where it holds what ends a line or a quote; a tab ends one that holds a blank."""
    if any(c in _C_ESCAPES or not c.isprintable() for c in path):
        return '"' + "".join(_escaped(c) for c in path) + '"'
    return f"{path}\t" if " " in path else path


def _escaped(character: str) -> str:
    if character in _C_ESCAPES:
        return _C_ESCAPES[character]
    if character.isprintable():
        return character
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "replace"))


def _split(data: bytes) -> list[bytes]:
    """Give the lines with their ends; a line ends with LF alone, as diff and patch see it."""
    lines = data.split(b"\n")
    return [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _blocks(data: bytes, old: Sequence[bytes], edits: Sequence[Edit]) -> Iterator[_Block]:
    """Give the lines that change, each run of neighbouring edits as one block."""
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    first, last, waiting = 0, -1, list[Edit]()
    for edit in edits:
        begin, end = _lines_of(edit, starts)
        if waiting and begin > last:
            yield from _block(data, starts, first, last, waiting)
            waiting = []
        first, last = (min(first, begin), max(last, end)) if waiting else (begin, end)
        waiting.append(edit)
    if waiting:
        yield from _block(data, starts, first, last, waiting)


def _lines_of(edit: Edit, starts: Sequence[int]) -> tuple[int, int]:
    """Give the lines that an edit touches: the first, and the one after the last. A place between lines touches none."""
    first = min(bisect_right(starts, edit.start) - 1, len(starts) - 1)
    if edit.start == edit.end == starts[first] and edit.replacement.endswith(b"\n"):
        return first, first
    last = max(bisect_left(starts, edit.end), min(first + 1, len(starts) - 1))
    takes_line_end = edit.end == starts[last] and not edit.replacement.endswith(b"\n")
    is_whole = edit.start == starts[first] and not edit.replacement
    return first, min(last + (takes_line_end and not is_whole), len(starts) - 1)


def _block(data: bytes, starts: Sequence[int], first: int, last: int, edits: Iterable[Edit]) -> Iterator[_Block]:
    """Give the lines as they become, less those at both ends that stay; none where all stay."""
    begin, end = starts[first], starts[last]
    inside = [Edit(e.start - begin, e.end - begin, e.replacement) for e in edits]
    before, after = _split(data[begin:end]), _split(applied(data[begin:end], inside))
    most = min(len(before), len(after))
    head = next((n for n in range(most) if before[n] != after[n]), most)
    tail = next((n for n in range(most - head) if before[-1 - n] != after[-1 - n]), most - head)
    if len(before) > head + tail or len(after) > head + tail:
        yield _Block(first + head, last - tail, tuple(after[head : len(after) - tail]))


def _hunks(old: Sequence[bytes], blocks: Iterable[_Block]) -> Iterator[bytes]:
    """Give the blocks as hunks; those whose context would meet share one."""
    shift, group = 0, list[_Block]()
    for block in blocks:
        if group and block.first - group[-1].last > 2 * _CONTEXT:
            yield _hunk(old, group, shift)
            shift += sum(len(b.new) - (b.last - b.first) for b in group)
            group = []
        group.append(block)
    if group:
        yield _hunk(old, group, shift)


def _hunk(old: Sequence[bytes], group: Sequence[_Block], shift: int) -> bytes:
    begin, end = max(0, group[0].first - _CONTEXT), min(len(old), group[-1].last + _CONTEXT)
    lines: list[bytes] = []
    at, grown = begin, 0
    for block in group:
        lines += [b" " + line for line in old[at : block.first]]
        lines += [b"-" + line for line in old[block.first : block.last]]
        lines += [b"+" + line for line in block.new]
        at, grown = block.last, grown + len(block.new) - (block.last - block.first)
    lines += [b" " + line for line in old[at:end]]
    ranges = (_range(begin, end - begin), _range(begin + shift, end - begin + grown))
    body = b"".join(line if line.endswith(b"\n") else line + _NO_NEWLINE for line in lines)
    return b"@@ -%b +%b @@\n" % tuple(r.encode("ascii") for r in ranges) + body


def _range(begin: int, count: int) -> str:
    """Write a range of lines: from 1, and of none the line before."""
    return f"{begin + 1 if count else begin},{count}"
