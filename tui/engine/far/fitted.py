"""Names of what comes from a far place to a folder of this computer that does not take all of them."""

from __future__ import annotations

import os
import stat
from functools import partial
from typing import TYPE_CHECKING

from tui.engine.far.columns import Columns
from tui.engine.far.goal import resolved
from tui.engine.far.many import each, spread
from tui.engine.far.reaching import listing
from tui.engine.far.standing import leaves_out
from tui.engine.naming import TopNames, agree_on_names, begin_looking, end_looking
from tui.engine.rows import name_of
from tui.model.entry import EntryKind
from tui.model.error import PlaceError
from tui.model.misfit import Names
from tui.places.local.content import Stopped
from tui.places.local.fitting import Fitting
from tui.places.local.forecast import Forecast
from tui.places.local.partial import is_partial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tui.engine.board import Record
    from tui.engine.far.ends import Ends
    from tui.engine.rows import Source
    from tui.engine.run import Run
    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.model.misfit import Misfit
    from tui.places.base import Place
    from tui.places.local.name_rules import NameRules

    Changed = Mapping[str, str | None]

AT_ONCE = 8
"""Folders listed at once."""

_MODES = {
    EntryKind.FIFO: stat.S_IFIFO,
    EntryKind.SOCKET: stat.S_IFSOCK,
    EntryKind.BLOCK_DEVICE: stat.S_IFBLK,
    EntryKind.CHARACTER_DEVICE: stat.S_IFCHR,
}


def fitting_of(record: Record) -> Fitting | None:
    """Return how names of a job are changed, as it was agreed upon; None: not at all."""
    if record.name_rules is None or not record.names.changes:
        return None
    return Fitting(record.name_rules, record.names)


async def changed_in(
    run: Run, place: Place, folder: Location, fitting: Fitting | None, path: str = ""
) -> Changed:
    """Return the names in a folder that are others at the target: None for what is left out.

    Args:
        path: From the folder that holds the source; needed where not all that is in it is copied.
    Raises:
        PlaceError: It cannot be read.
    """
    if fitting is None:
        return {}
    names: list[bytes] = []
    below = f"{inside}/" if (inside := path.partition("/")[2]) else ""
    async with listing(place, folder) as pages:
        async for page in pages:
            copied = (entry for entry in page if not leaves_out(fitting.exclude, below + entry.name, entry))
            names += [name for entry in copied if not is_partial(name := os.fsencode(entry.name))]
    changed = await run.hop(fitting.changed, names)
    return {
        os.fsdecode(name): None if other is None else os.fsdecode(other) for name, other in changed.items()
    }


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
        self._run, self._ends, self._rules = run, ends, rules
        self._found = begin_looking(run)

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
        run = self._run
        sources = await run.journal.sources(run.record.id, 0, run.record.row.source_count)
        entries: dict[int, tuple[Location, Entry]] = {}

        async def find(source: Source) -> None:
            if (found := await self._look(source)) is not None:
                entries[source.idx] = found

        await each(sources, find, AT_ONCE)
        await self._judge_tops([source for source in sources if source.idx in entries], entries)
        for where, entry in entries.values():
            if entry.kind is EntryKind.FOLDER and not self._over:
                await spread(where, partial(self._folder, where), AT_ONCE, lambda: self._over)

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

    async def _judge_tops(
        self, sources: Sequence[Source], entries: Mapping[int, tuple[Location, Entry]]
    ) -> None:
        """Judge the sources themselves, by the names they get."""
        row = self._run.record.row
        named = [(source.location, name_of(row, source)) for source in sources]
        files = [
            (source.location, _mode(entry.kind), entry.size_bytes)
            for source in sources
            if (entry := entries[source.idx][1]).kind is not EntryKind.FOLDER
        ]
        self._found.add(await self._run.hop(self._forecast().judge, named, files))

    async def _folder(self, top: Location, folder: Location) -> list[Location]:
        """Judge what is in a folder of a source; return the folders in it."""
        try:
            columns = await self._ends.do(lambda: Columns.read(self._ends.at(folder), folder))
        except PlaceError:
            return []  # the copy will tell
        misfits, below = await self._run.hop(self._judge, folder, top.relative(folder), columns)
        self._found.add(misfits)
        return below

    def _judge(self, folder: Location, path: str, columns: Columns) -> tuple[list[Misfit], list[Location]]:
        """Judge what is copied of a folder; return that, and the folders in it. (In a thread.)

        Args:
            path: From the source on.
        """
        exclude, above = self._run.record.row.exclude, os.fsencode(f"{path}/" if path else "")
        named: list[tuple[Location, bytes]] = []
        files: list[tuple[Location, int, int]] = []
        below: list[Location] = []
        for number, (name, kind) in enumerate(columns.kinds()):
            is_folder = kind is EntryKind.FOLDER
            if exclude.covers(above + name, folder=is_folder):
                continue
            location = folder.child(os.fsdecode(name))
            named.append((location, name))
            if is_folder:
                below.append(location)
            else:
                files.append((location, _mode(kind), columns.at(number).size_bytes))
        return self._forecast().judge(named, files), below

    def _forecast(self) -> Forecast:
        return Forecast((), self._rules, Names.ASK, self._run.brake)


def _mode(kind: EntryKind) -> int:
    return stat.S_IFLNK if kind.is_link else _MODES.get(kind, stat.S_IFREG)
