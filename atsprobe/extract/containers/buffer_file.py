"""Bytes in memory as a file that can be sought in, without a copy: an archive inside an archive is read from it."""

from __future__ import annotations

import io

from atsprobe.extract.sighting import Buffer


class BufferFile(io.RawIOBase):
    """A buffer, opened for reading."""

    def __init__(self, content: Buffer) -> None:
        """Take the buffer; it has to live as long as the file."""
        self._content = content
        self._at = 0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move, and give the new offset. Raises OSError for one before the start, as a file does."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._content)}[whence]
        if start + offset < 0:
            raise OSError("an offset before the start")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        """Give the offset."""
        return self._at

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        """Fill a buffer with what comes next, and give how much that was."""
        step = self._content[self._at : self._at + len(target)]
        target[: len(step)] = step
        self._at += len(step)
        return len(step)
