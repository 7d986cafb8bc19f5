"""The times of folders that a far move empties, kept in the journal until the folders stand complete at the target.

What is moved goes from its source file by file, and each changes the time of the folder it was in: after a crash nobody
else knows which that was.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from tui.engine.rows import FolderTime

if TYPE_CHECKING:
    from tui.engine.far.tree import Folder
    from tui.engine.run import Run

    Key = tuple[int, bytes]

_MOST_NS = 2**63
"""The journal holds no time as far off as this."""


class FolderTimes:
    """What is known of such times, and written down. Many ask for it at once: they are written down together."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._known: dict[Key, int] = {}
        self._new: dict[Key, FolderTime] = {}
        self._gone: list[Key] = []
        self._turn = asyncio.Lock()

    async def recall(self) -> None:
        """Read what an earlier run wrote down."""
        for each in await self._run.journal.folder_times(self._run.record.id):
            self._known[each.idx, each.path] = each.mtime_ns

    def of(self, folder: Folder) -> int | None:
        """Return the time of a folder (in ns) before something was taken out of it; None where that is not known."""
        return self._known.get(_key(folder))

    async def keep(self, folder: Folder, mtime_ns: int) -> None:
        """Have the time of a folder written down before something is taken out of it; the first one told counts."""
        key = _key(folder)
        if key not in self._known and abs(mtime_ns) < _MOST_NS:
            self._known[key] = mtime_ns
            self._new[key] = FolderTime(*key, os.fsencode(folder.target_path), mtime_ns)
        if key in self._new:
            async with self._turn:
                if key in self._new:  # or another has written it down meanwhile, with its own
                    await self._write()

    def forget(self, idx: int, path: str) -> None:
        """Say that a folder stands at the target with its time, and is gone from the source."""
        key = idx, os.fsencode(path)
        if self._known.pop(key, None) is not None:
            self._gone.append(key)

    async def end(self, *, whole: bool) -> None:
        """Write down what is left to be.

        Args:
            whole: All was moved: nothing is wanted of it any more.
        """
        if whole:
            await self._run.journal.forget_folder_times(self._run.record.id)
        elif self._gone:
            async with self._turn:
                await self._write()

    async def _write(self) -> None:
        new, gone = dict(self._new), list(self._gone)
        await self._run.journal.keep_folder_times(self._run.record.id, new.values(), gone)
        for key in new:
            self._new.pop(key, None)
        del self._gone[: len(gone)]


def _key(folder: Folder) -> Key:
    return folder.idx, os.fsencode(folder.path)
