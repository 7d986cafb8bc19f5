"""What folders at the target of a far copy are given besides what is in them: modes and times, when nothing changes
in them any more."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui.engine.far.making import Making
from tui.engine.far.many import each
from tui.model.error import PlaceError
from tui.model.fidelity import Loss
from tui.model.job import JobKind
from tui.places.base import Attributes

if TYPE_CHECKING:
    from collections.abc import Set

    from tui.engine.far.deciding import Tools
    from tui.engine.far.tree import Folder
    from tui.model.entry import Entry
    from tui.model.location import Location

AT_ONCE = 8


class Dressing(Making):
    """Gives folders their attributes: those the job made, and of a sync also those that stood already."""

    def __init__(self, tools: Tools, source: Location, target: Location, fresh: Set[int]) -> None:
        super().__init__(tools, source, target, fresh)
        self._begun: set[Folder] = set()
        """The job's own folders that are not finished."""
        self._mirrors = self._run.record.row.kind is JobKind.SYNC

    def _recall_time(self, folder: Folder) -> None:
        """Keep the time an earlier go gave a folder: the original has another since things were moved out of it."""
        entry, there = folder.entry, folder.there
        if not (self._moves and folder.own) or entry is None or there is None:
            return
        began_ns = int(self._run.record.row.created_at * 1e9)
        if there.mtime_ns < began_ns <= entry.mtime_ns:
            folder.entry = replace(entry, mtime_ns=there.mtime_ns)

    async def _dress_begun(self) -> None:
        """Give folders their times though they are not complete: the originals lose theirs."""
        with contextlib.suppress(PlaceError):
            await each(self._begun, self._dress_early, AT_ONCE)

    async def _dress_early(self, folder: Folder) -> None:
        if folder.entry is not None and self._to.capabilities.folders:
            wanted = self._pairing.attributes(folder.entry)
            if wanted.mtime_ns is not None:
                await self._to.set_attributes(folder.target, Attributes(mtime_ns=wanted.mtime_ns))

    def _mode_to_begin(self, folder: Folder) -> int | None:
        """Return a mode in which things can be put into it, whatever it is to have in the end."""
        if folder.entry is None or not (self._pairing.source.modes and self._pairing.target.takes_modes):
            return None
        return folder.entry.mode & 0o777 | 0o700

    def _wears_less(self, folder: Folder, entry: Entry) -> bool:
        """Say whether a folder that stood there before a sync is to be given the time of its original."""
        if not self._mirrors or folder.there is None:
            return False
        return folder.touched or not (self._pairing.exact and self._pairing.same_time(entry, folder.there))

    async def _dress(self, folder: Folder, entry: Entry) -> None:
        """Give a folder that the job made what its original has."""
        if not self._from.capabilities.lists_times and self._from.capabilities.folders:
            entry = await self._from.stat(folder.source)
        self._pair_anew()
        self._counts.lost(entry, folder.target, self._pairing)
        await self._give(folder, self._pairing.attributes(entry))

    async def _give_time(self, folder: Folder, entry: Entry) -> None:
        """Give a folder that stood there the time of its original. (Its mode follows when all is copied.)"""
        if not self._from.capabilities.lists_times and self._from.capabilities.folders:
            entry = await self._from.stat(folder.source)
        await self._give(folder, Attributes(mtime_ns=self._pairing.attributes(entry).mtime_ns))

    async def _give(self, folder: Folder, wanted: Attributes) -> None:
        if wanted == Attributes() or not self._to.capabilities.folders:
            return
        try:
            await self._to.set_attributes(folder.target, wanted)
        except PlaceError as error:
            if (ends := self._lost(error)) is not None:
                raise ends from error
            self._counts.refused(Loss.TIMES, folder.target)
