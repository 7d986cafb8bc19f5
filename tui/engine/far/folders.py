"""Going through the folders of a far copy: each is made or met at the target, and finished when all in it is done."""

from __future__ import annotations

import asyncio
import os
import stat
from typing import TYPE_CHECKING

from tui.engine.far.dressing import Dressing
from tui.engine.far.ends import look
from tui.engine.far.fitted import changed_in
from tui.engine.far.held import Held
from tui.engine.far.making import MOST_MEETINGS
from tui.engine.far.many import in_time
from tui.engine.far.met import Met
from tui.engine.far.probing import is_one
from tui.engine.far.reaching import listing
from tui.engine.far.standing import leaves_out
from tui.engine.far.tree import Folder, Item, State, Whole
from tui.model.entry import EntryKind
from tui.model.error import AlreadyExists, NotFound, PlaceError, TargetInsideSource, Unsupported
from tui.places.local.names import folded
from tui.places.local.partial import is_partial, prefix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.model.entry import Entry

MOST_STANDING = 10_000
"""Of a target folder that holds more, entries are asked for one by one."""
AT_ONCE = 8
CLOSE_S = 0.1


class Folders(Dressing):
    """Takes folders one step further each time, and hands out what is in them."""

    def _put(self, work: Folder | Item) -> None:
        """Have something worked on."""
        raise NotImplementedError

    async def _wait_for_room(self) -> None:
        """Wait while enough entries are waiting."""
        raise NotImplementedError

    def add(self, item: Item) -> None:
        """Have an entry copied."""
        item.folder.left += 1
        self._put(item)

    def add_folder(self, folder: Folder) -> None:
        """Have a folder copied with all that is in it."""
        if folder.parent is not None:
            folder.parent.left += 1
        self._put(folder)

    async def _folder(self, folder: Folder) -> None:
        try:
            self._suspects.check(folder)
            if folder.state is State.FINISH:
                await self._finish(folder)
                return
            await self._wait_for_room()
            if folder.state is State.NEW:
                await self._open(folder)
            else:
                self._take_page(folder, await self._plain(folder, await self._next_page(folder)))
        except PlaceError as error:
            if (ends := self._lost(error)) is not None:
                raise ends from error
            await self._close(folder)
            folder.stays = True
            await self._run.fail(self._as_item(folder).spot, error)
            if folder.state is State.FINISH or (folder.state is State.NEW and folder.left == 1):
                self._over(folder)
            else:
                folder.state = State.FINISH
                self._less(folder)

    async def _open(self, folder: Folder) -> None:
        """Have the folder at the target, and read its first page at the same time."""
        if await self._is_target(folder):
            message = f"cannot copy {folder.source} into itself: it is where the copy goes"
            raise TargetInsideSource(message, location=folder.source)
        folder.changed = await changed_in(
            self._run, self._from, folder.source, self._run.fitting, folder.path
        )
        folder.listing = aiter(self._from.list(folder.source))
        first = asyncio.ensure_future(self._next_page(folder))
        page: Sequence[Entry] | None = None
        try:
            begun = await self._begin(folder)
            if begun:
                folder.state = State.LISTING
                page = await self._plain(folder, await first)
        finally:
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
        if begun:  # from here on nothing is waited for: it may be taken up by another task at once
            self._take_page(folder, page)
            return
        await self._close(folder)
        folder.stays = True
        self._over(folder)

    async def _is_target(self, folder: Folder) -> bool:
        """Say whether a folder is what the source becomes at the target: it would be copied into itself, and so on."""
        target = self._target.child(folder.target_path.partition("/")[0])
        if folder.top or _as_one(folder.source.name) != _as_one(target.name):
            return False
        try:
            tag = self._run.record.row.tag
            return await is_one(self._ends, folder.source, target, tag, self._halves)
        except PlaceError as error:
            if self._ends.is_lost(error):
                raise
            return False  # who may not write there does not copy into it either

    async def _begin(self, folder: Folder) -> bool:
        """Have the folder at the target; say False where it is settled without."""
        for _ in range(MOST_MEETINGS):
            if not folder.known:
                folder.there, folder.known = await look(self._to, folder.target), True
            if folder.there is None:
                folder.making = True
                if folder.parent is not None:
                    await self._open_up(folder.parent)
                try:
                    await self._to.make_folder(folder.target, self._mode_to_begin(folder))
                except AlreadyExists:
                    folder.known = False
                    continue
                folder.own, folder.standing = True, Held()
                return True
            if folder.there.kind is EntryKind.FOLDER:
                folder.own |= folder.making
                folder.standing = await self._standing(folder)
                return True
            item = self._as_item(folder)
            if not await self.decide(item):
                return False
            # What is not a folder never makes way for one: it can only go by another name.
            folder.target_path, folder.target = item.target_path, item.target
            folder.there, folder.known, folder.making = item.there, item.known, False
        raise AlreadyExists(f"cannot create {folder.target}: its name is taken again and again")

    async def _standing(self, folder: Folder) -> Held | None:
        """Return what is in the folder at the target, where that is not too much."""
        found = Held()
        mine = prefix(self._run.record.row.tag).decode()
        if self._run.record.walk > 1 and not self._to.capabilities.folders:
            self._halves.setdefault(folder.target, 1)
        try:
            async with listing(self._to, folder.target) as pages:
                async for page in pages:
                    found.add(page)
                    if any(entry.name.startswith(mine) for entry in page):
                        self._halves.setdefault(folder.target, 1)
                    if len(found) > MOST_STANDING:
                        return None
        except NotFound:
            return Held()  # of a flat store: nothing is in it
        found.end()
        return found

    @staticmethod
    async def _next_page(folder: Folder) -> Sequence[Entry] | None:
        """Return one page of a listing; None at its end."""
        assert folder.listing is not None
        return await anext(folder.listing, None)

    async def _plain(self, folder: Folder, page: Sequence[Entry] | None) -> Sequence[Entry] | None:
        """Leave out what has no name that a file can have: it could lead to anywhere."""
        if page is None or all(is_name(entry.name) for entry in page):
            return page
        folder.stays = True
        for entry in page:
            if not is_name(entry.name):
                what = f"cannot copy {entry.name!a} in {folder.source}: that is no name for a file"
                error = Unsupported(what, "Look at the host that tells it.", location=folder.source)
                await self._run.fail(self._as_item(folder).spot, error)
        return [entry for entry in page if is_name(entry.name)]

    def _take_page(self, folder: Folder, page: Sequence[Entry] | None) -> None:
        """Hand out what is in one page."""
        if page is None:
            folder.listing, folder.state = None, State.FINISH
            folder.subs, folder.settled = Met(), set()
            folder.standing = None
            self._less(folder)
            return
        folder.pages += 1
        self._put(folder)  # below what is in it: the deepest comes first, so that little is open
        for entry in page:
            if is_partial(os.fsencode(entry.name)):
                continue  # what a job has not finished is not the user's yet
            below = folder.below(folder.path, entry.name).partition("/")[2]
            if leaves_out(self._run.record.row.exclude, below, entry):
                continue
            name = folder.changed.get(entry.name, entry.name)
            if entry.kind is EntryKind.FOLDER:
                self._hand_out_folder(folder, entry, name)
            else:
                self._hand_out(folder, entry, name)

    def _hand_out(self, folder: Folder, entry: Entry, name: str | None) -> None:
        folder.seen_files += 1
        folder.seen_bytes += entry.size_bytes
        self._counts.found(entry)
        if entry.name in folder.settled:
            self._suspects.passed(folder, entry.name)
            return
        if name is None:
            self._skip(Item(folder, entry, entry.name, folder.idx))
            return
        known = folder.standing is not None
        there = folder.standing.get(name) if folder.standing is not None else None
        by_facts = self._pairing.keeps_times and self._pairing.exact
        plain = by_facts and not self._compares and not self._moves
        if there is not None and plain and entry.kind is EntryKind.FILE and self._pairing.same(entry, there):
            self._same(folder, entry)
            self._suspects.passed(folder, entry.name)
            return
        self.add(Item(folder, entry, name, folder.idx, there, known))

    def _hand_out_folder(self, folder: Folder, entry: Entry, name: str | None) -> None:
        if entry.name in folder.subs:
            return
        folder.subs.add(entry.name)
        if name is None:
            self._skip(Item(folder, entry, entry.name, folder.idx))
            return
        known = folder.standing is not None
        there = folder.standing.get(name) if folder.standing is not None else None
        if self._renames and there is None:
            self.add(Item(folder, entry, name, folder.idx, there, known))
        else:
            self._enter(folder, entry, name, there, known=known)

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
        self.add_folder(
            Folder(
                folder.idx,
                folder.below(folder.path, entry.name),
                folder.below(folder.target_path, name),
                folder.source.child(entry.name),
                folder.target.child(name),
                folder,
                entry,
                there,
                known,
                making
                or (self._fresh(folder) and known)
                or (not known and folder.idx in self._fresh_sources),
            )
        )

    def _fresh(self, folder: Folder) -> bool:
        """Say whether all there is at the target below a folder was made by this job."""
        return folder.own and folder.idx in self._fresh_sources

    def _as_item(self, folder: Folder) -> Item:
        """Return a folder as an entry of the one above, to be decided about or spoken of."""
        above = folder.parent
        assert above is not None and folder.entry is not None
        name = folder.target.name
        return Item(above, folder.entry, name, folder.idx, folder.there, top=folder.top)

    def _less(self, folder: Folder) -> None:
        """Note that one thing of a folder is done."""
        folder.left -= 1
        if not folder.left and folder.parent is not None:
            self._put(folder)

    def _over(self, folder: Folder) -> None:
        """Note that a folder is done with, whether or not it is whole."""
        above = folder.parent
        assert above is not None
        if folder.over:
            return
        folder.over = True
        self._run.advanced += 1
        if folder.stays:
            above.stays = True
        elif folder.top and folder.entry is not None:
            self.whole[folder.idx] = Whole(folder.entry, folder.target.name)
        self._less(above)

    async def _finish(self, folder: Folder) -> None:
        """Give a folder its attributes, now that nothing changes in it any more; of a move, remove the original."""
        if folder.own and folder.entry is not None:
            if self._goes_on(folder):
                # The one above is finished meanwhile: what is set of it is not changed by this.
                self._over(folder)
            await self._dress(folder, folder.entry)
        elif folder.entry is not None and self._wears_less(folder, folder.entry):
            await self._give_time(folder, folder.entry)
        if self._moves and not folder.stays and not folder.top and folder.entry is not None:
            try:
                if folder.parent is not None:
                    await self._keep_time(folder.parent)
                await self._from.remove_folder(folder.source)
            except NotFound:
                pass  # gone before a connection was lost
            except PlaceError as error:
                if (ends := self._lost(error)) is not None:
                    raise ends from error
                folder.stays = True
                await self._run.fail(self._as_item(folder).spot, error, removing=True)
            if not folder.stays:
                self._times.forget(folder.idx, folder.path)
        self._over(folder)

    def _goes_on(self, folder: Folder) -> bool:
        """Say whether a folder may be dressed last: nothing is removed then, and the way to it stays open."""
        above = folder.parent
        if folder.over or self._moves or above is None:
            return False
        return not above.own or above.entry is None or bool(above.entry.mode & stat.S_IXUSR)

    @staticmethod
    async def _close(folder: Folder) -> None:
        close = getattr(folder.listing, "aclose", None)
        folder.listing = None
        if close is not None:
            await in_time(close(), CLOSE_S)


def is_name(name: str) -> bool:
    """Say whether a name is one plain name."""
    return "/" not in name and "\0" not in name and name not in ("", ".", "..")


def _as_one(name: str) -> str:
    return folded(os.fsencode(name))
