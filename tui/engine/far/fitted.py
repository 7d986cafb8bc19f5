"""Names of what comes from a far place to a folder of this computer that does not take all of them."""

from __future__ import annotations

import os
import stat
from functools import partial
from typing import TYPE_CHECKING

from tui.engine.far.goal import resolved
from tui.engine.far.many import each, spread
from tui.engine.far.reaching import listing
from tui.engine.far.standing import leaves_out
from tui.engine.naming import SHOWN, TopNames, agree_on_names, begin_looking, end_looking
from tui.engine.rows import name_of
from tui.engine.sources import pages
from tui.model.entry import EntryKind
from tui.model.error import PlaceError
from tui.model.misfit import Names
from tui.places.local.content import Stopped
from tui.places.local.fitting import Fitting
from tui.places.local.forecast import Found
from tui.places.local.gathered import Gathered, unless
from tui.places.local.judging import Judge
from tui.places.local.partial import is_partial

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tui.engine.board import Record
    from tui.engine.far.ends import Ends
    from tui.engine.rows import Source
    from tui.engine.run import Run
    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.base import Place
    from tui.places.local.judging import Compared
    from tui.places.local.name_rules import NameRules
    from tui.places.local.new_names import NewNames

AT_ONCE = 8
"""Folders listed at once."""

_MODES = {
    EntryKind.FIFO: stat.S_IFIFO,
    EntryKind.SOCKET: stat.S_IFSOCK,
    EntryKind.BLOCK_DEVICE: stat.S_IFBLK,
    EntryKind.CHARACTER_DEVICE: stat.S_IFCHR,
}


class Changed:
    """Names in a folder that are others at the target: None for what is left out."""

    def __init__(self, names: NewNames) -> None:
        self._names = names

    def get(self, name: str, default: str) -> str | None:
        own, other = os.fsencode(name), os.fsencode(default)
        new = self._names.get(own, other)
        return None if new is None else os.fsdecode(new)


UNCHANGED = Changed({})


def fitting_of(record: Record) -> Fitting | None:
    """Return how names of a job are changed, as it was agreed upon; None: not at all."""
    if record.name_rules is None or not record.names.changes:
        return None
    return Fitting(record.name_rules, record.names)


async def changed_in(
    run: Run, place: Place, folder: Location, fitting: Fitting | None, path: str = ""
) -> Changed:
    """Return what the names in a folder are at the target, where they are others.

    Args:
        path: From the folder that holds the source; needed where not all that is in it is copied.
    Raises:
        PlaceError: It cannot be read.
    """
    if fitting is None:
        return UNCHANGED
    names = Gathered()
    below = f"{inside}/" if (inside := path.partition("/")[2]) else ""
    async with listing(place, folder) as pages:
        async for page in pages:
            copied = (entry for entry in page if not leaves_out(fitting.exclude, below + entry.name, entry))
            names.add(name for entry in copied if not is_partial(name := os.fsencode(entry.name)))
    return Changed(await run.hop(fitting.changed, names))


async def agree(run: Run, ends: Ends) -> TopNames | None:
    """Hold a job some of whose names its target does not take; return what its sources are called, if names change.

    Raises:
        Halted, OutOfReach: A place cannot be reached.
    """

    async def look_ahead(run: Run, rules: NameRules, _fits: int | None) -> None:
        await LookingAhead(run, ends, rules).go()

    await agree_on_names(run, look_ahead)
    run.has_names = True
    if run.fitting is None or run.stopped:
        return None
    tops = TopNames(run.record.row, run.record.name_rules, run.fitting)
    await tops.settle(run)
    return tops


class LookingAhead:
    """Goes through all that a copy brings, several folders at once, before anything of it is written."""

    def __init__(self, run: Run, ends: Ends, rules: NameRules) -> None:
        self._run, self._ends = run, ends
        self._judge, self._found = Judge(rules, Names.ASK), begin_looking(run)

    async def go(self) -> None:
        """Hold the job where something does not fit.

        Raises:
            Halted, OutOfReach: A place cannot be reached.
        """
        run = self._run
        try:
            await self._judge_all()
        except Stopped:
            return
        finally:
            end_looking(run, self._found)

    @property
    def _over(self) -> bool:
        """Whether the run was stopped, or it was decided what becomes of names."""
        return self._run.stopped or self._run.record.names is not Names.ASK

    async def _judge_all(self) -> None:
        run, names = self._run, Gathered()
        async for page in pages(run):
            names.add(name_of(run.record.row, source) for source in page)
        tops = await run.hop(self._judge.compare, names, run.brake)
        async for page in pages(run):
            entries: dict[int, tuple[Location, Entry]] = {}

            async def find(source: Source, entries: dict[int, tuple[Location, Entry]] = entries) -> None:
                if (found := await self._look(source)) is not None:
                    entries[source.idx] = found

            await each(page, find, AT_ONCE)
            there = [(source, entries[source.idx][1]) for source in page if source.idx in entries]
            await run.hop(self._judge_tops, there, tops)
            for where, entry in entries.values():
                if entry.kind is EntryKind.FOLDER and not self._over:
                    await spread(where, partial(self._folder, where), AT_ONCE, lambda: self._over)
            if self._over:
                return

    async def _look(self, source: Source) -> tuple[Location, Entry] | None:
        at = source.location
        await self._ends.open(at)

        async def find() -> tuple[Location, Entry]:
            where = await resolved(self._ends.at(at), at)
            return where, await self._ends.at(at).stat(where)

        try:
            return await self._ends.do(find)
        except PlaceError:
            return None  # the copy will tell

    def _judge_tops(self, sources: Sequence[tuple[Source, Entry]], tops: Compared) -> None:
        """Judge sources themselves, by the names they get. (In a thread.)"""
        row, judge, found = self._run.record.row, self._judge, self._found
        for source, entry in sources:
            found.note(judge.of_name(source.location, name_of(row, source), tops))
            if entry.kind is not EntryKind.FOLDER:
                found.note(judge.of_kind(source.location, _mode(entry.kind), entry.size_bytes))

    async def _folder(self, top: Location, folder: Location) -> Iterable[Location]:
        """Judge what is in a folder of a source; return the folders in it."""
        looked = _Looked(self._run, self._judge, folder, top.relative(folder))
        place = self._ends.at(folder)

        async def read() -> None:
            looked.begin()
            async with listing(place, folder) as pages:
                async for page in pages:
                    await self._run.hop(looked.take, page)

        try:
            await self._ends.do(read)
        except PlaceError:
            return ()  # the copy will tell
        await self._run.hop(looked.judge)
        self._found.join(looked.found)
        return looked.below()


class _Looked:
    """What is copied of a folder, as it is judged. All but `begin` runs in threads.

    Args:
        path: From the source on.
    """

    def __init__(self, run: Run, judge: Judge, folder: Location, path: str) -> None:
        self._run, self._judge, self._folder = run, judge, folder
        self._above = os.fsencode(f"{path}/" if path else "")
        self.begin()

    def begin(self) -> None:
        """Forget what was told: the folder is listed from its start."""
        self.found, self._names, self._folders = Found(SHOWN), Gathered(), Gathered()

    def below(self) -> Iterator[Location]:
        """Return the folders in it."""
        return (self._folder.child(os.fsdecode(name)) for name in self._folders)

    def take(self, page: Sequence[Entry]) -> None:
        """Take in some entries, and judge them by what they are."""
        exclude = self._run.record.row.exclude
        for entry in page:
            name, is_folder = os.fsencode(entry.name), entry.kind is EntryKind.FOLDER
            if is_partial(name) or exclude.covers(self._above + name, folder=is_folder):
                continue
            self._names.append(name)
            if is_folder:
                self._folders.append(name)
            else:
                location = self._folder.child(entry.name)
                self.found.note(self._judge.of_kind(location, _mode(entry.kind), entry.size_bytes))

    def judge(self) -> None:
        """Judge them by their names.

        Raises:
            Stopped: The run was stopped.
        """
        brake = self._run.brake
        compared = self._judge.compare(self._names, brake)
        for name in unless(brake, self._names):
            self.found.note(self._judge.of_name(self._folder.child(os.fsdecode(name)), name, compared))


def _mode(kind: EntryKind) -> int:
    return stat.S_IFLNK if kind.is_link else _MODES.get(kind, stat.S_IFREG)
