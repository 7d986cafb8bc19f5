"""A bad disk for tests: what is written, or what is read back, is not what it should be, so many times."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.places.local import content, making, verifying

if TYPE_CHECKING:
    import pytest


@dataclass
class BadDisk:
    """Spoils the first `writes` files that are written, and the first `reads` pieces that are read back.

    Attributes:
        at_least: Files with fewer bytes are written as they should be.
    """

    writes: int = 0
    reads: int = 0
    at_least: int = 0

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        copy_all, some, read = making.copy_all, content.Ways.some, verifying.read_from_disk

        def bad_copy(source: int, target: int, *rest: Any) -> None:
            copy_all(source, target, *rest)
            self._spoil(target, 0)

        def bad_slice(ways: Any, source: int, target: int, offset: int, *rest: Any, **more: Any) -> int:
            count = some(ways, source, target, offset, *rest, **more)
            if offset == 0 and os.fstat(source).st_size > content.CHUNK_BYTES:
                self._spoil(target, count // 2)
            return count

        def bad_read(fd: int, size_bytes: int, offset: int) -> bytes:
            data = read(fd, size_bytes, offset)
            if self.reads:
                self.reads -= 1
                data = bytes([data[0] ^ 1]) + data[1:]
            return data

        monkeypatch.setattr(making, "copy_all", bad_copy)
        monkeypatch.setattr(content.Ways, "some", bad_slice)
        monkeypatch.setattr(verifying, "read_from_disk", bad_read)

    def _spoil(self, fd: int, offset: int) -> None:
        if self.writes and os.fstat(fd).st_size >= self.at_least:
            self.writes -= 1
            (byte,) = os.pread(fd, 1, offset)
            os.pwrite(fd, bytes([byte ^ 1]), offset)
