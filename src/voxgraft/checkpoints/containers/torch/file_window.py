"""FileWindow: a stretch of a memory-mapped file as a file of its own."""

from __future__ import annotations

import io
from typing import Any


class FileWindow(io.RawIOBase):
    """Reads `view` as a file; nothing is copied before it is read."""

    def __init__(self, view: memoryview) -> None:
        self.view = view
        self.at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: len(self.view)}[whence]
        if start + offset < 0:
            raise OSError("before the beginning of the file")
        self.at = start + offset
        return self.at

    def readinto(self, target: Any) -> int:
        into = memoryview(target).cast("B")
        piece = self.view[self.at : self.at + len(into)]
        into[: len(piece)] = piece
        self.at += len(piece)
        return len(piece)
