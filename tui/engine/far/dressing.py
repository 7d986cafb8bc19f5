"""What folders at the target of a far copy are given besides what is in them: modes and times, when nothing changes
in them any more."""

from __future__ import annotations

import contextlib
import stat
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui.engine.far.ends import look
from tui.engine.far.making import Making
from tui.model.error import PlaceError
from tui.model.fidelity import Loss
from tui.model.job import JobKind
from tui.places.base import Attributes

if TYPE_CHECKING:
    from tui.engine.far.tree import Folder
    from tui.model.entry import Entry


_OWNERS = 0o300


def opened(there: Entry) -> int | None:
    """Return the mode with which a folder's owner can put things into it; None where it has that."""
    return None if there.mode & _OWNERS == _OWNERS else stat.S_IMODE(there.mode) | 0o700


class Dressing(Making):
    """Gives folders their attributes: those the job made, and of a sync also those that stood already."""

    @property
    def _mirrors(self) -> bool:
        return self._run.record.row.kind is JobKind.SYNC

    async def _keep_time(self, folder: Folder) -> None:
        """Have the time of a folder written down before something is taken out of it, if its copy is to have it."""
        is_ours = folder.own if folder.entry is not None else folder.idx in self._fresh_sources
        if is_ours and self._to.capabilities.folders and self._pairing.keeps_times:
            if (mtime_ns := self._times.of(folder)) is None:
                mtime_ns = (folder.entry or await self._from.stat(folder.source)).mtime_ns
            await self._times.keep(folder, mtime_ns)

    def _as_it_was(self, folder: Folder, entry: Entry) -> Entry:
        """Return what a folder was before things were moved out of it."""
        mtime_ns = self._times.of(folder)
        return entry if mtime_ns is None else replace(entry, mtime_ns=mtime_ns)

    async def _open_up(self, folder: Folder) -> None:
        """Have something put into a folder; one that is the job's, or a sync's, is writable for its owner meanwhile."""
        folder.touched, place = True, self._to.capabilities
        is_ours = self._mirrors or folder.own or folder.idx in self._fresh_sources
        if folder.idx < 0 or folder.lent or not (is_ours and place.modes and place.takes_modes):
            return
        with contextlib.suppress(PlaceError):  # what is put into it tells
            if folder.entry is None and folder.there is None:  # something comes late: it is finished already
                folder.there = await look(self._to, folder.target)
            if folder.there is not None and (mode := opened(folder.there)) is not None:
                await self._to.set_attributes(folder.target, Attributes(mode=mode))
                folder.lent = True

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
        await self._give(folder, self._pairing.attributes(self._as_it_was(folder, entry)))

    async def _give_time(self, folder: Folder, entry: Entry) -> None:
        """Give a folder that stood there the time of its original. (Its mode follows when all is copied.)"""
        if not self._from.capabilities.lists_times and self._from.capabilities.folders:
            entry = await self._from.stat(folder.source)
        mode = stat.S_IMODE(folder.there.mode) if folder.lent and folder.there is not None else None
        await self._give(folder, Attributes(mode, self._pairing.attributes(entry).mtime_ns))

    async def _give(self, folder: Folder, wanted: Attributes) -> None:
        if wanted == Attributes() or not self._to.capabilities.folders:
            return
        try:
            await self._to.set_attributes(folder.target, wanted)
        except PlaceError as error:
            if (ends := self._lost(error)) is not None:
                raise ends from error
            self._counts.refused(Loss.TIMES, folder.target)
