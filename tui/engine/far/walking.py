"""Copying trees between places: some tasks go through folders, many take files, and none waits for another for long."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, TypeVar

from tui.engine.far.deciding import Deciding
from tui.engine.far.ends import Lost, in_time, look
from tui.engine.far.room import no_room
from tui.engine.far.standing import Pairing, not_held
from tui.engine.far.transfer import SMALL_BYTES, is_other
from tui.engine.far.tree import Folder, Item, State
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
from tui.model.fidelity import Loss
from tui.places.base import Attributes
from tui.places.local.partial import prefix

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence, Set

    from tui.engine.far.deciding import Tools
    from tui.model.entry import Entry
    from tui.model.location import Location

T = TypeVar("T", Folder, Item)

SCANNERS = 24
"""Folders gone through at once: each takes some round trips."""
MOST_SMALL = 512
"""Small files under way at once; what they hold is limited by itself."""
MOST_LARGE = 4
WINDOW = 4_000
"""So many entries may wait to be copied before folders are read further."""
MOST_STANDING = 10_000
"""Of a target folder that holds more, entries are asked for one by one."""
MOST_MEETINGS = 20
"""So often one entry may find its name taken anew."""
LOOK_S = 0.05
CLOSE_S = 0.1


class Full(Exception):
    """There is no room at the target."""

    def __init__(self, error: OutOfSpace) -> None:
        super().__init__(error.message)
        self.error = error


class Walk(Deciding):
    """One go through some folders and entries of one place, to another."""

    def __init__(self, tools: Tools, source: Location, target: Location, fresh: Set[int]) -> None:
        super().__init__(tools, source, target, fresh)
        self._stack: asyncio.LifoQueue[Folder] = asyncio.LifoQueue()
        self._small: asyncio.Queue[Item] = asyncio.Queue()
        self._large: asyncio.Queue[Item] = asyncio.Queue()
        self._under_way: set[Folder | Item] = set()
        self._left = 0
        self._news = asyncio.Event()
        """All is done, or a task has ended."""
        self._room = asyncio.Event()
        self._connect()

    # What there is to do

    def add(self, item: Item) -> None:
        """Have an entry copied."""
        item.folder.left += 1
        self._put(item)

    def add_folder(self, folder: Folder) -> None:
        """Have a folder copied with all that is in it."""
        if folder.parent is not None:
            folder.parent.left += 1
        self._put(folder)

    def add_again(self, item: Item) -> None:
        """Have an entry of a folder that was gone through before copied: a folder with all that is in it."""
        if item.entry.kind is EntryKind.FOLDER:
            self._enter(item.folder, item.entry, item.name, None, known=False)
        else:
            self.add(item)

    async def dress_again(self, folder: Folder) -> None:
        """Give a folder the attributes of its source: entries were made in it."""
        self._connect()
        if self._to.capabilities.folders:
            await self._dress(folder, await self._from.stat(folder.source))

    def _put(self, work: Folder | Item) -> None:
        self._left += 1
        if isinstance(work, Folder):
            self._stack.put_nowait(work)
        elif work.entry.size_bytes > SMALL_BYTES and work.entry.kind is EntryKind.FILE and not self._renames:
            self._large.put_nowait(work)
        else:
            self._small.put_nowait(work)

    async def run(self) -> None:
        """Copy all that was added, over lost connections, or until the run is stopped.

        Raises:
            Halted, OutOfReach: A place cannot be reached any more.
        """
        try:
            while self._left and not self._run.stopped:
                self._connect()
                try:
                    await self._go()
                except Lost:
                    self._gather()
                    await self._ends.again()
                except Full as full:
                    await self._hold(full.error)
        finally:
            await self._close_listings()
            self._counts.show()
            await self._counts.write(now=True)

    def _connect(self) -> None:
        self._from, self._to = self._ends.at(self._source), self._ends.at(self._target)
        self._pairing = Pairing.of(
            self._from.capabilities, self._to.capabilities, self._run.record.row.preserve
        )
        self._renames = self._moves and self._from is self._to and self._from.capabilities.renames
        self._transfer.connect(self._from, self._to, self._pairing)

    async def _go(self) -> None:
        # A task is at one of the two ends at a time: neither is to run dry because the other is slow.
        ends = {id(place): place.capabilities.pipeline for place in (self._from, self._to)}
        small = max(1, min(sum(ends.values()), MOST_SMALL))
        large = max(1, min(MOST_LARGE, self._run.shared.slots))
        self._news.clear()
        tasks = [asyncio.ensure_future(self._take(self._stack, self._folder)) for _ in range(SCANNERS)]
        tasks += [asyncio.ensure_future(self._take(self._small, self._item)) for _ in range(small)]
        tasks += [asyncio.ensure_future(self._take(self._large, self._item)) for _ in range(large)]
        for task in tasks:
            task.add_done_callback(lambda _: self._news.set())
        try:
            while self._left and not self._run.stopped:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), LOOK_S)
                self._news.clear()
                for task in tasks:
                    if task.done():
                        task.result()
                self._counts.show()
                await self._counts.write()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _take(
        self, queue: asyncio.Queue[Folder] | asyncio.Queue[Item], work: Callable[..., Awaitable[None]]
    ) -> None:
        while True:
            thing = await queue.get()
            self._under_way.add(thing)
            await work(thing)
            self._under_way.discard(thing)
            self._left -= 1
            if not self._left:
                self._news.set()
            if not self._room.is_set() and self._small.qsize() + self._large.qsize() < WINDOW // 2:
                self._room.set()

    def _lost(self, error: PlaceError) -> Lost | Full | None:
        """Return what ends this go, where an error is not about an entry."""
        if isinstance(error, OutOfSpace):
            return Full(error)
        return Lost() if self._ends.is_lost(error) else None

    # After a loss

    def _gather(self) -> None:
        """Put back what was under way, and what belongs to folders whose listing is open: that begins anew."""
        waiting = [*self._under_way, *_drain(self._small), *_drain(self._large)]
        folders = _drain(self._stack)
        under_way, self._under_way, self._left = self._under_way, set(), 0
        for item in waiting:
            if isinstance(item, Folder):
                folders.append(item)
            elif item.folder.is_open:
                item.folder.left -= 1
                item.folder.subs.discard(item.entry.name)
            else:
                if item in under_way:
                    item.again, item.known, item.there = True, False, None
                self._put(item)
        for folder in dict.fromkeys(folders):
            if folder.is_open:
                self._begin_again(folder)
            self._put(folder)
        self._room.set()

    def _begin_again(self, folder: Folder) -> None:
        folder.state, folder.listing = State.NEW, None
        folder.known, folder.there = False, None
        folder.making |= folder.own
        folder.credit_files = folder.done_files
        self._counts.seen_files -= folder.seen_files
        self._counts.seen_bytes -= folder.seen_bytes
        folder.seen_files = folder.seen_bytes = 0

    async def _close_listings(self) -> None:
        for folder in {*_drain(self._stack), *(f for f in self._under_way if isinstance(f, Folder))}:
            await self._close(folder)

    @staticmethod
    async def _close(folder: Folder) -> None:
        close = getattr(folder.listing, "aclose", None)
        folder.listing = None
        if close is not None:
            await in_time(close(), CLOSE_S)

    async def _hold(self, error: OutOfSpace) -> None:
        """Stop for want of room, and tell how much there is."""
        self._run.hold(await no_room(self._to, error, self._target))

    # Folders

    async def _folder(self, folder: Folder) -> None:
        try:
            if folder.state is State.FINISH:
                await self._finish(folder)
                return
            if self._small.qsize() + self._large.qsize() > WINDOW:
                self._room.clear()
                await self._room.wait()
            if folder.state is State.NEW:
                await self._open(folder)
            else:
                self._take_page(folder, await self._next_page(folder))
        except PlaceError as error:
            if (ends := self._lost(error)) is not None:
                raise ends from error
            await self._close(folder)
            folder.stays = True
            await self._run.fail(self._as_item(folder).spot, error)
            if folder.state in (State.NEW, State.FINISH):
                self._over(folder)
            else:
                folder.state = State.FINISH
                self._less(folder)

    async def _open(self, folder: Folder) -> None:
        """Have the folder at the target, and read its first page at the same time."""
        folder.listing = aiter(self._from.list(folder.source))
        first = asyncio.ensure_future(self._next_page(folder))
        try:
            if await self._begin(folder):
                folder.state = State.LISTING
                self._take_page(folder, await first)
                return
        finally:
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
        await self._close(folder)
        folder.stays = True
        self._over(folder)

    async def _begin(self, folder: Folder) -> bool:
        """Have the folder at the target; say False where it is settled without."""
        for _ in range(MOST_MEETINGS):
            if not folder.known:
                folder.there, folder.known = await look(self._to, folder.target), True
            if folder.there is None:
                folder.making = True
                try:
                    await self._to.make_folder(folder.target, self._mode_to_begin(folder))
                except AlreadyExists:
                    folder.known = False
                    continue
                folder.own, folder.standing = True, {}
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

    def _mode_to_begin(self, folder: Folder) -> int | None:
        """Return a mode in which things can be put into it, whatever it is to have in the end."""
        if folder.entry is None or not (self._pairing.source.modes and self._pairing.target.modes):
            return None
        return folder.entry.mode & 0o777 | 0o700

    async def _standing(self, folder: Folder) -> dict[str, Entry] | None:
        """Return what is in the folder at the target, where that is not too much."""
        found: dict[str, Entry] = {}
        mine = prefix(self._run.record.row.tag).decode()
        if self._run.record.walk > 1 and not self._to.capabilities.folders:
            self._halves.setdefault(folder.target, 1)
        pages = self._to.list(folder.target)
        try:
            async for page in pages:
                for entry in page:
                    found[entry.name] = entry
                    if entry.name.startswith(mine):
                        self._halves.setdefault(folder.target, 1)
                if len(found) > MOST_STANDING:
                    return None
        except NotFound:
            return {}  # of a flat store: nothing is in it
        finally:
            close = getattr(pages, "aclose", None)
            if close is not None:
                await close()
        return found

    @staticmethod
    async def _next_page(folder: Folder) -> Sequence[Entry] | None:
        """Return one page of a listing; None at its end."""
        assert folder.listing is not None
        return await anext(folder.listing, None)

    def _take_page(self, folder: Folder, page: Sequence[Entry] | None) -> None:
        """Hand out what is in one page."""
        if page is None:
            folder.listing, folder.state = None, State.FINISH
            folder.subs, folder.settled = set(), set()
            folder.standing = None
            self._less(folder)
            return
        self._put(folder)  # below what is in it: the deepest comes first, so that little is open
        for entry in page:
            if entry.kind is EntryKind.FOLDER:
                self._hand_out_folder(folder, entry)
            else:
                self._hand_out(folder, entry)

    def _hand_out(self, folder: Folder, entry: Entry) -> None:
        folder.seen_files += 1
        folder.seen_bytes += entry.size_bytes
        self._counts.found(entry)
        if entry.name in folder.settled:
            return
        known = folder.standing is not None
        there = folder.standing.get(entry.name) if folder.standing is not None else None
        plain = self._pairing.exact and not self._compares and not self._moves
        if there is not None and plain and entry.kind is EntryKind.FILE and self._pairing.same(entry, there):
            self._same(folder, entry)
            return
        self.add(Item(folder, entry, entry.name, folder.idx, there, known))

    def _hand_out_folder(self, folder: Folder, entry: Entry) -> None:
        if entry.name in folder.subs:
            return
        folder.subs.add(entry.name)
        known = folder.standing is not None
        there = folder.standing.get(entry.name) if folder.standing is not None else None
        if self._renames and there is None:
            self.add(Item(folder, entry, entry.name, folder.idx, there, known))
        else:
            self._enter(folder, entry, entry.name, there, known=known)

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
        if folder.stays:
            above.stays = True
        elif folder.top and folder.entry is not None:
            self.whole[folder.idx] = folder.entry
        self._less(above)

    async def _finish(self, folder: Folder) -> None:
        """Give a folder its attributes, now that nothing changes in it any more; of a move, remove the original."""
        if folder.own and folder.entry is not None:
            await self._dress(folder, folder.entry)
        if self._moves and not folder.stays and not folder.top and folder.entry is not None:
            try:
                await self._from.remove_folder(folder.source)
            except NotFound:
                pass  # gone before a connection was lost
            except PlaceError as error:
                if (ends := self._lost(error)) is not None:
                    raise ends from error
                folder.stays = True
                await self._run.fail(self._as_item(folder).spot, error, removing=True)
        self._over(folder)

    async def _dress(self, folder: Folder, entry: Entry) -> None:
        if not self._from.capabilities.lists_times and self._from.capabilities.folders:
            entry = await self._from.stat(folder.source)
        wanted = self._pairing.attributes(entry)
        self._counts.lost(entry, folder.target, self._pairing)
        if wanted == Attributes() or not self._to.capabilities.folders:
            return
        try:
            await self._to.set_attributes(folder.target, wanted)
        except PlaceError as error:
            if (ends := self._lost(error)) is not None:
                raise ends from error
            self._counts.refused(Loss.TIMES, folder.target)

    # Entries

    async def _item(self, item: Item) -> None:
        folder = item.folder
        try:
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
            self.whole[item.idx] = item.entry
        self._less(folder)

    async def _has_gone(self, item: Item) -> bool:
        there = await look(self._to, item.target)
        return await look(self._from, item.source) is None and there is not None

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
                item.known = False
        raise AlreadyExists(f"cannot write {item.target}: its name is taken again and again")

    async def _make(self, item: Item) -> bool:
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
            except (SourceChanged, VerificationFailed) as error:
                if isinstance(error, VerificationFailed):
                    item.replace = True
                if last:
                    if item.replace:
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


def _drain(queue: asyncio.Queue[T]) -> list[T]:
    found = []
    while not queue.empty():
        found.append(queue.get_nowait())
    return found
