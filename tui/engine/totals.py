"""What a job amounts to, counted beside the work and never in its way; and whether it fits where it goes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.engine.lanes import device_of
from tui.engine.room import RoomCheck
from tui.engine.rows import Phase
from tui.model.error import PlaceError
from tui.model.job import JobKind
from tui.places.local.scan import STEP_S, Scan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.engine.rows import Source
    from tui.engine.run import Run

PAGE = 256

FULL_COUNT_S = 2.0
"""So long a job that does not fit is counted on, to tell all that it needs."""


DELAY_S = 2.0
"""So long trees are not counted: most jobs are done by then, and counting takes a tenth of what copying takes."""


PAUSE_S = 3 * STEP_S
"""Between two steps while the work goes on: it gets the most of the processors."""


_OF_ALL = (JobKind.DELETE, JobKind.TRASH, JobKind.CHMOD)
"""Jobs that what others have not finished is a part of."""


@dataclass(slots=True)
class Count:
    files: int = 0
    size_bytes: int = 0


class Counting:
    """Counts all sources of a job, some hops a second, into its tally; `counting` is on until all is known.

    What needs one look only comes first (`begin`), before the job writes anything; trees are gone through beside the
    work (`go_on`), after a while, or at once where they may not fit. As soon as what is still to be written exceeds the
    room at the target, the job is held.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._tally = run.record.tally
        self._counted = Count()
        self._room: RoomCheck | None = None
        self._device: int | None = None
        self._page: list[Source] = []
        self._folders: list[Source] = []
        self._held = False
        self._ends: float | None = None
        self._wanted = asyncio.Event()

    async def begin(self) -> None:
        """Look at the target and at the first sources themselves."""
        self._tally.counting = True
        self._run.touch()
        self._page = await self._run.journal.sources(self._run.record.id, 0, PAGE)
        self._folders = await self._run.hop(self._look_first)
        self._judge(complete=not self._folders and len(self._page) < PAGE)

    async def go_on(self) -> None:
        """Count what is left."""
        run, tally, counted = self._run, self._tally, self._counted
        if self._folders and (self._room is None or await run.hop(self._room.is_plenty, self._folders)):
            await self._make_way(DELAY_S)
        while self._page and not self._over:
            for source in self._folders:
                await self._count_tree(source)
            self._show()
            self._page = await run.journal.sources(run.record.id, self._page[-1].idx + 1, PAGE)
            self._folders = await run.hop(self._count_plain, self._page)
        if not self._over:
            tally.files_total, tally.bytes_total = counted.files, counted.size_bytes
            tally.counting = False
            run.touch()
        self._judge(complete=not self._over)

    async def _make_way(self, seconds: float) -> None:
        """Let the work go on for a while, if it still does."""
        if not self._run.stopped:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), seconds)

    def work_is_done(self, *, enough: bool) -> None:
        """Wait no longer; count no more where the work has shown what there was."""
        if enough:
            self._run.counting.on = True
        self._wanted.set()

    def close(self) -> None:
        """Let go of what is open."""
        self._run.release(self._room)

    @property
    def _over(self) -> bool:
        """Whether to count no more: nobody asks for it, or the job was held and it takes too long."""
        run = self._run
        if run.stopped and self._ends is None:
            self._ends = run.clock.monotonic() + FULL_COUNT_S
        return run.counting.on or (self._ends is not None and run.clock.monotonic() >= self._ends)

    def _judge(self, *, complete: bool) -> None:
        """Hold the job where it does not fit; held already, tell better how much it needs."""
        run = self._run
        if self._room is None or run.counting.on or (run.stopped and not self._held):
            return
        if missing := self._room.shortage(complete=complete):
            self._held = True
            run.hold(missing)

    async def _count_tree(self, source: Source) -> None:
        run, counted = self._run, self._counted
        need = self._room.need if self._room else None
        row = run.record.row
        scan = Scan(
            source.location.path, run.counting, need, unfinished=row.kind in _OF_ALL, exclude=row.exclude
        )
        files, size_bytes = counted.files, counted.size_bytes
        try:
            if self._room is not None:
                await run.hop(self._room.tree, source)
            while not scan.exhausted and not self._over:
                totals = await run.hop(scan.step)
                counted.files, counted.size_bytes = files + totals.files, size_bytes + totals.size_bytes
                self._show()
                self._judge(complete=False)
                await self._make_way(PAUSE_S)
        finally:
            run.release(scan)

    def _show(self) -> None:
        """Let the totals grow; what an earlier count found stays until this one has passed it."""
        tally, counted = self._tally, self._counted
        if counted.files > tally.files_total or counted.size_bytes > tally.bytes_total:
            tally.files_total = max(tally.files_total, counted.files)
            tally.bytes_total = max(tally.bytes_total, counted.size_bytes)
            self._run.touch()

    # In the threads

    def _look_first(self) -> list[Source]:
        row = self._run.record.row
        if row.kind is JobKind.MOVE and row.target is not None:
            self._device = device_of(row.target.path if row.into else row.target.parent.path, follow=True)
        if row.kind in (JobKind.COPY, JobKind.MOVE) and not self._run.insists:
            with contextlib.suppress(PlaceError, OSError):  # the job itself will tell what is wrong there
                self._room = RoomCheck(self._run.record, self._run.fitting)
        return self._count_plain(self._page)

    def _count_plain(self, page: Sequence[Source]) -> list[Source]:
        """Count what needs one look only; return the folders that have to be gone through."""
        counted = self._counted
        folders: list[Source] = []
        plain: list[tuple[Source, os.stat_result]] = []
        # What is to be deleted may be there still, in part.
        settled = (Phase.DONE,) if self._run.record.row.kind in _OF_ALL else (Phase.DONE, Phase.REMOVING)
        for source in page:
            if source.phase in settled:
                counted.files += source.files
                counted.size_bytes += source.size_bytes
                continue
            try:
                info = os.lstat(source.location.path)
            except OSError:
                continue
            if stat.S_ISDIR(info.st_mode) and info.st_dev != self._device:
                folders.append(source)
            else:  # a folder that is just renamed counts as one
                counted.files += 1
                counted.size_bytes += info.st_size if not stat.S_ISDIR(info.st_mode) else 0
                plain.append((source, info))
        if self._room is not None:
            self._room.plain(plain)
        return folders
