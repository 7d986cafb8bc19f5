"""Bringing single entries from one place to another, whatever stands there, and the originals of a move away."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tui.engine.far.deciding import Deciding
from tui.engine.far.ends import Lost, look
from tui.engine.far.standing import not_held
from tui.engine.far.transfer import is_other
from tui.engine.far.tree import Whole
from tui.model.entry import EntryKind
from tui.model.error import (
    AlreadyExists,
    NotFound,
    OutOfSpace,
    PlaceError,
    SourceChanged,
    Unsupported,
    VerificationFailed,
)

if TYPE_CHECKING:
    from tui.engine.far.tree import Folder, Item
    from tui.model.entry import Entry

MOST_MEETINGS = 20
"""So often one entry may find its name taken anew."""


class Full(Exception):
    """There is no room at the target."""

    def __init__(self, error: OutOfSpace) -> None:
        super().__init__(error.message)
        self.error = error


class Making(Deciding):
    """Makes entries at the target; whoever goes through folders gives them to it."""

    _renames = False
    """Within one place, what is moved gets another name."""

    def _pair_anew(self) -> None:
        """Go by what the target can keep as it is known by now: a server may tell so by refusing it."""
        raise NotImplementedError

    async def _open_up(self, folder: Folder) -> None:
        """Have something put into a folder at the target."""
        raise NotImplementedError

    async def _keep_time(self, folder: Folder) -> None:
        """Have the time of a folder written down before something is taken out of it."""
        raise NotImplementedError

    def _less(self, folder: Folder) -> None:
        """Note that one thing of a folder is done."""
        raise NotImplementedError

    def _enter(
        self,
        folder: Folder,
        entry: Entry,
        name: str,
        there: Entry | None,
        *,
        known: bool,
        making: bool = False,
    ) -> None:
        """Have a folder within another copied with all that is in it."""
        raise NotImplementedError

    def _lost(self, error: PlaceError) -> Lost | Full | None:
        """Return what ends this go, where an error is not about an entry."""
        if isinstance(error, OutOfSpace):
            return Full(error)
        return Lost(error) if self._ends.is_lost(error) else None

    async def _item(self, item: Item) -> None:
        folder = item.folder
        try:
            self._suspects.check(item)
            done = await self._meet(item)
        except PlaceError as error:
            if (ends := self._lost(error)) is not None:
                raise ends from error
            if isinstance(error, NotFound) and item.again and self._moves and await self._has_gone(item):
                done = True  # it was moved before the connection was lost
                self._count(item, item.entry)
            else:
                done = False
                folder.stays = True
                folder.settled.add(item.entry.name)
                await self._run.fail(item.spot, error)
        if done and item.top:
            self.whole[item.idx] = Whole(item.entry, item.name)
        self._less(folder)

    async def _has_gone(self, item: Item) -> bool:
        try:
            there = await look(self._to, item.target)
            return await look(self._from, item.source) is None and there is not None
        except PlaceError as error:
            if (ends := self._lost(error)) is not None:
                raise ends from error
            return False

    async def _meet(self, item: Item) -> bool:
        """Bring one entry to the target, whatever stands there; say whether it is there now."""
        if item.entry.kind is EntryKind.UNKNOWN:
            item.entry = await self._from.stat(item.source)
        for _ in range(MOST_MEETINGS):
            if not item.known:
                item.there, item.known = await look(self._to, item.target), True
            if item.there is not None and item.entry.kind is EntryKind.FOLDER:
                if item.again and await look(self._from, item.source) is None:
                    self._counts.renamed.files += 1  # its answer was lost with the connection
                    return True
                self._enter(item.folder, item.entry, item.name, item.there, known=True, making=item.own)
                return False
            if item.there is not None and not await self.decide(item):
                return item.is_same and await self._is_gone(item, item.entry)
            try:
                return await self._make(item)
            except AlreadyExists:
                item.known, item.met = False, True
        raise AlreadyExists(f"cannot write {item.target}: its name is taken again and again")

    async def _make(self, item: Item) -> bool:
        await self._open_up(item.folder)
        if self._renames and not item.top and await self._rename(item):
            return True
        kind = item.entry.kind
        if kind is EntryKind.FOLDER:
            self._enter(item.folder, item.entry, item.name, None, known=True)
            return False
        if kind.is_link:
            entry = item.entry = await self._transfer.link(item)
            self._count(item, entry)
            return await self._is_gone(item, entry)
        if kind is not EntryKind.FILE:
            raise not_held(item.entry, item.target)
        return await self._file(item)

    async def _file(self, item: Item) -> bool:
        """Copy a file, once more where it was written to meanwhile, or reads back differently."""
        for last in (False, True):
            try:
                entry = await self._transfer.file(item)
            except (SourceChanged, VerificationFailed):
                item.replace |= item.made
                if last:
                    if item.made:
                        with contextlib.suppress(NotFound):
                            await self._to.remove_file(item.target)
                    raise
                item.entry = await self._from.stat(item.source)
                if item.entry.kind is not EntryKind.FILE:
                    raise
            else:
                break
        item.entry = entry
        self._count(item, entry, copied=True)
        self._pair_anew()
        self._counts.lost(entry, item.target, self._pairing)
        return await self._is_gone(item, entry)

    async def _is_gone(self, item: Item, entry: Entry) -> bool:
        """Remove the original of a move, unless it is the top of a source; say whether nothing of it stays."""
        if not self._moves or item.top:
            return True
        try:
            if is_other(entry, await self._from.stat(item.source)):
                where = item.source
                remedy = "Retry the job: it is copied again first."
                raise SourceChanged(
                    f"cannot remove {where}: it is newer than its copy", remedy, location=where
                )
            await self._keep_time(item.folder)
            await self._from.remove_file(item.source)
        except NotFound:
            return True
        except PlaceError as error:
            if (ends := self._lost(error)) is not None:
                raise ends from error
            item.folder.stays = True
            item.folder.settled.add(item.entry.name)
            await self._run.fail(item.spot, error, removing=not isinstance(error, SourceChanged))
            return False
        return True

    async def _rename(self, item: Item) -> bool:
        """Move an entry within the place; say False where it has to be copied after all."""
        await self._keep_time(item.folder)
        try:
            await self._from.rename(item.source, item.target, replace=item.replace)
        except (AlreadyExists, NotFound):
            raise
        except PlaceError as error:
            if type(error) not in (PlaceError, Unsupported):
                raise
            self._renames = False
            return False
        size_bytes = 0 if item.entry.kind is EntryKind.FOLDER else item.entry.size_bytes
        self._counts.renamed.files += 1
        self._counts.renamed.bytes += size_bytes
        return True
