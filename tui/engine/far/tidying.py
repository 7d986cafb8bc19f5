"""What a cancelled job leaves behind at a far target: half files go, finished ones stay, or go too."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from tui.engine.far.ends import Ends, Halted, OutOfReach
from tui.engine.far.fitted import changed_in, fitting_of
from tui.engine.far.goal import resolved
from tui.engine.far.reaching import listing
from tui.engine.far.taking_back import take_back
from tui.engine.rows import Cleanup, name_of
from tui.model.entry import EntryKind
from tui.model.error import PlaceError
from tui.model.job import JobKind
from tui.places.base import Attributes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tui.engine.rows import FolderTime, Source
    from tui.engine.run import Run
    from tui.model.location import Location

PATIENCE_S = 60.0
"""So long it may take to look for half files where nobody knows any more where they are."""
PAGE = 256
AT_ONCE = 8


async def tidy_up(run: Run, how: Cleanup) -> str:
    """Tidy up after a cancelled copy or move; return a note on what is left, or ""."""
    record, row = run.record, run.record.row
    if row.kind not in (JobKind.COPY, JobKind.MOVE, JobKind.SYNC) or row.target is None or not record.walk:
        return ""
    stays = record.tally.files_done > 0
    try:
        async with asyncio.timeout(PATIENCE_S):
            ends, goal = await _abandon_all(run, row.target)
            if row.kind is JobKind.MOVE:
                await _give_times(run, ends, goal)
            if how is Cleanup.DROP and row.kind is JobKind.COPY:
                stays = await take_back(run, ends, goal)
    except (PlaceError, OutOfReach, Halted, TimeoutError):
        return f"cancelled: half files may be left at {row.target}"
    finally:
        run.shared.doors.leave(record.id)
        run.shared.doors.forget(record.id)  # where the host asks: nobody answers for what is cancelled
    if how is Cleanup.DROP and stays:
        return f"cancelled: some of what was complete already stays at {row.target}"
    return ""


async def _abandon_all(run: Run, target: Location) -> tuple[Ends, Location]:
    ends, halves = Ends(run), run.record.halves
    await ends.open(target)
    into = run.record.row.into
    goal = await ends.do(lambda: resolved(ends.at(target), target if into else target.parent))
    if halves is not None:
        for folder in list(halves):
            await _abandon(run, ends, folder)
        halves.clear()
        return ends, goal
    await _abandon(run, ends, goal)
    start = 0
    while page := await run.journal.sources(run.record.id, start, PAGE):
        for source in page:
            async for folder in _folders(run, ends, source, goal):
                await _abandon(run, ends, folder)
        start = page[-1].idx + 1
    return ends, goal


async def _give_times(run: Run, ends: Ends, goal: Location) -> None:
    """Give folders at the target the times of those that things were moved out of: these have others now."""

    async def give(kept: FolderTime) -> None:
        folder = goal.below(os.fsdecode(kept.target_path))
        wanted = Attributes(mtime_ns=kept.mtime_ns)
        await ends.do(lambda: ends.at(folder).set_attributes(folder, wanted))

    times = await run.journal.folder_times(run.record.id)
    await ends.do_each(times, give, lambda kept, error: None, AT_ONCE)  # one may have been removed meanwhile
    await run.journal.forget_folder_times(run.record.id)


async def _abandon(run: Run, ends: Ends, folder: Location) -> None:
    try:
        await ends.do(lambda: ends.at(folder).abandon(folder, run.record.row.tag))
    except PlaceError:
        return  # it is not there: nothing is in it


async def _folders(run: Run, ends: Ends, source: Source, goal: Location) -> AsyncIterator[Location]:
    """Yield the folders at the target that something of a source may be in."""
    await ends.open(source.location)
    place = ends.at(source.location)
    target = goal.child(name_of(run.record.row, source).decode(errors="surrogateescape"))
    folders = [(await resolved(place, source.location), target)]
    while folders:
        here, there = folders.pop()
        try:
            changed = await changed_in(run, place, here, fitting_of(run.record))
            async with listing(place, here) as pages:
                async for page in pages:
                    below = [entry.name for entry in page if entry.kind is EntryKind.FOLDER]
                    named = [(name, changed.get(name, name)) for name in below]
                    folders += [(here.child(name), there.child(to)) for name, to in named if to is not None]
        except PlaceError as error:
            if ends.is_lost(error):
                raise
            continue  # no folder, or gone: what was moved is not half done
        yield there
