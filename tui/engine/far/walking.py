"""Copying trees between places: some tasks go through folders, many take files, and none waits for another for long."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, TypeVar

from tui.engine.far.ends import Lost
from tui.engine.far.folders import Folders
from tui.engine.far.making import Full
from tui.engine.far.many import Crew, each
from tui.engine.far.room import no_room
from tui.engine.far.standing import Pairing
from tui.engine.far.suspects import key_of
from tui.engine.far.tree import Folder, Item, State
from tui.model.entry import EntryKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Set

    from tui.engine.far.deciding import Tools
    from tui.engine.far.suspects import Key
    from tui.model.error import OutOfSpace
    from tui.model.location import Location

T = TypeVar("T", Folder, Item)

SCANNERS = 24
"""Folders gone through at once: each takes some round trips."""
FOR_A_SCANNER = 16
"""Where so many small files more are worth having under way, one more folder is: both hide how far a place is."""
MOST_SMALL = 1536
"""Small files under way at once; what they hold is limited by itself."""
MOST_LARGE = 4
WINDOW = 4_000
"""So many entries may wait to be copied before folders are read further."""
LOOK_S = 0.05


class Walk(Folders):
    """One go through some folders and entries of one place, to another."""

    def __init__(self, tools: Tools, source: Location, target: Location, fresh: Set[int]) -> None:
        super().__init__(tools, source, target, fresh)
        self._stack: asyncio.LifoQueue[Folder] = asyncio.LifoQueue()
        self._small: asyncio.Queue[Item] = asyncio.Queue()
        self._large: asyncio.Queue[Item] = asyncio.Queue()
        self._crews: dict[asyncio.Queue[Any], Crew[Any]] = {}
        self._under_way: set[Folder | Item] = set()
        self._left = 0
        self._news = asyncio.Event()
        """All is done, or a task has ended."""
        self._room = asyncio.Event()
        self._connect()

    # What there is to do

    def add_again(self, item: Item) -> None:
        """Have an entry of a folder that was gone through before copied: a folder with all that is in it."""
        if item.entry.kind is EntryKind.FOLDER:
            self._enter(item.folder, item.entry, item.name, None, known=False)
        else:
            self.add(item)

    async def dress_again(self, folder: Folder) -> None:
        """Give a folder the attributes of its source (of one that stood there, the time): entries were made in it."""
        self._connect()
        if self._to.capabilities.folders:
            dress = self._dress if folder.idx in self._fresh_sources else self._give_time
            await dress(folder, await self._from.stat(folder.source))

    def _put(self, work: Folder | Item) -> None:
        self._left += 1
        queue: asyncio.Queue[Any] = self._small
        if isinstance(work, Folder):
            queue = self._stack
        elif work.entry.kind is EntryKind.FILE and not (
            self._renames or self._transfer.goes_whole(work.entry)
        ):
            queue = self._large
        queue.put_nowait(work)
        if (crew := self._crews.get(queue)) is not None:
            crew.came()

    @property
    def _is_full(self) -> bool:
        return self._small.qsize() + self._large.qsize() > WINDOW

    async def _wait_for_room(self) -> None:
        if self._is_full and self._crews:  # nobody else is at it while suspects are tried
            self._room.clear()
            await self._room.wait()

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
                except Lost as lost:
                    self._counts.show()
                    self._suspects.lost(self._under_way, lost.error)
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
        self._renames = self._moves and self._from is self._to and self._from.capabilities.renames
        self._pair()

    def _pair_anew(self) -> None:
        if self._to.capabilities is not self._pairing.target:
            self._pair()

    def _pair(self) -> None:
        self._pairing = Pairing.of(
            self._from.capabilities, self._to.capabilities, self._run.record.row.preserve
        )
        self._transfer.connect(self._from, self._to, self._pairing)

    async def _go(self) -> None:
        # A task is at one of the two ends at a time: neither is to run dry because the other is slow.
        ends = {id(place): place.capabilities.pipeline for place in (self._from, self._to)}
        small = max(1, min(sum(ends.values()), MOST_SMALL))
        scanners = max(SCANNERS, max(ends.values()) // FOR_A_SCANNER)
        large = max(1, min(MOST_LARGE, self._run.shared.slots))
        self._news.clear()
        alone: list[asyncio.Future[None]] = []
        if self._suspects.left:
            alone.append(asyncio.ensure_future(self._in_halves()))
            alone[0].add_done_callback(lambda _: self._news.set())
        else:
            self._set_to_work(self._stack, self._folder, scanners)
            self._set_to_work(self._small, self._item, small)
            self._set_to_work(self._large, self._item, large)
        try:
            while self._left and not self._run.stopped:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), LOOK_S)
                self._news.clear()
                for task in (*alone, *self._tasks()):
                    if task.done():
                        task.result()
                self._counts.show()
                await self._counts.write()
                if alone and alone[0].done():
                    break
        finally:
            for task in alone:
                task.cancel()
            ending = [task for crew in self._crews.values() for task in crew.dismiss()]
            self._crews.clear()
            await asyncio.gather(*alone, *ending, return_exceptions=True)

    def _set_to_work(
        self, queue: asyncio.Queue[T], work: Callable[[T], Awaitable[None]], at_once: int
    ) -> None:
        self._crews[queue] = Crew(queue, lambda thing: self._do(thing, work), at_once, self._news.set)

    def _tasks(self) -> list[asyncio.Future[None]]:
        return [task for crew in self._crews.values() for task in crew.tasks]

    async def _in_halves(self) -> None:
        """Try what is suspected, half of it at a time and nothing else, until all of it was tried."""
        while self._suspects.left and not self._run.stopped:
            half = self._suspects.half()
            if group := self._take_out(half):
                await each(group, self._one, len(group))
            elif self._is_full:
                await self._one((self._large if self._small.empty() else self._small).get_nowait())
            elif above := self._take_out({(idx, path.rpartition("/")[0]) for idx, path in half}):
                # They are read anew: what is suspected is not there yet.
                await each(above, self._one, len(above))
            else:
                self._suspects.left.clear()  # it has gone

    def _take_out(self, keys: Set[Key]) -> list[Folder | Item]:
        """Take some things out of what is waiting; they count as under way from now on."""
        small, large, stack = _drain(self._small), _drain(self._large), _drain(self._stack)
        waiting: list[Folder | Item] = [*small, *large, *stack]
        found = [thing for thing in waiting if key_of(thing) in keys]
        self._under_way.update(found)
        for queue, items in ((self._small, small), (self._large, large)):
            for item in items:
                if key_of(item) not in keys:
                    queue.put_nowait(item)
        for folder in reversed(stack):
            if key_of(folder) not in keys:
                self._stack.put_nowait(folder)
        return found

    async def _one(self, thing: Folder | Item) -> None:
        await self._do(thing, self._folder if isinstance(thing, Folder) else self._item)

    async def _do(self, thing: Folder | Item, work: Callable[..., Awaitable[None]]) -> None:
        self._under_way.add(thing)
        await work(thing)
        self._under_way.discard(thing)
        self._suspects.tried(thing)
        self._left -= 1
        if not self._left:
            self._news.set()
        if not self._room.is_set() and self._small.qsize() + self._large.qsize() < WINDOW // 2:
            self._room.set()

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
        folder.pages, folder.known, folder.there = 0, False, None
        folder.making |= folder.own
        folder.credit_files = folder.done_files
        self._counts.seen_files -= folder.seen_files
        self._counts.seen_bytes -= folder.seen_bytes
        folder.seen_files = folder.seen_bytes = 0

    async def _close_listings(self) -> None:
        folders = {*_drain(self._stack), *(f for f in self._under_way if isinstance(f, Folder))}
        await asyncio.gather(*(self._close(folder) for folder in folders))

    async def _hold(self, error: OutOfSpace) -> None:
        """Stop for want of room, and tell how much there is."""
        self._run.hold(await no_room(self._to, error, self._target))


def _drain(queue: asyncio.Queue[T]) -> list[T]:
    found = []
    while not queue.empty():
        found.append(queue.get_nowait())
    return found
