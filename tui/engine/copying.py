"""A copy job: source after source, in groups that share a folder; then what failed, was put off, or asked about."""

from __future__ import annotations

import os
from itertools import groupby
from typing import TYPE_CHECKING

from tui.engine.bringing import Bringing
from tui.engine.doubt import note_target
from tui.engine.flushing import flush_at_the_end
from tui.engine.link_recall import LinkRecall, forget_links, recall_links
from tui.engine.look import open_target
from tui.engine.noting import recall_losses
from tui.engine.planner import chunks
from tui.engine.sources import begin, end, pages
from tui.model.error import PlaceError
from tui.places.local.copying import sweep
from tui.places.local.flushing import Disks
from tui.places.local.root import Root, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.engine.rows import Decision, Source
    from tui.engine.run import Run
    from tui.model.location import Location


def _open(target: Location, *, into: bool) -> tuple[Root, Disks]:
    root = open_target(target, into=into)
    try:
        return root, Disks(root)
    except PlaceError:
        root.close()
        raise


class Copying(Bringing):
    """Copies what a job names: source after source, and single entries as often as it takes."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._recall = LinkRecall(run, self.links, self.source_spot)
        self.tried_again = 0
        """The last error of those that are being tried once more."""
        self._compared = False
        """This walk compares what looks complete."""

    async def execute(self) -> None:
        """Do all there is to do, or until the run is stopped."""
        target = self.row.target
        assert target is not None
        try:
            self.target, self.run.disks = await self.run.hop(_open, target, into=self.row.into)
        except PlaceError as error:
            self.run.record.errors = await self.run.journal.drop_errors(self.row.id, code=error.code)
            await self.run.fail_job(error, target)
            return
        try:
            await note_target(self.run, self.target.device)
            await recall_losses(self.run, self.target)
            await recall_links(self.run, self.links, self.target)
            await self.tops.settle(self.run)
            await self._all_parts()
        finally:
            self.run.release(self.run.disks, self.target)

    async def _all_parts(self) -> None:
        run = self.run
        if run.record.failed_only:
            await self._failed()
        elif not run.record.walked:
            await self._everything()
        while not run.stopped and (run.later or await self._due()):
            await self._later()
        await self.last()
        if not run.stopped and run.record.walk > 1:
            await run.hop(sweep, self.target, b"", self.row.tag)
        if not run.stopped:
            await forget_links(run)
            await flush_at_the_end(run, compared=self._compared)
            run.shared.pool.submit(run.noting.drop)

    async def last(self) -> None:
        """Do what comes after all else. (Nothing for a copy.)"""

    # The whole job

    async def _everything(self) -> None:
        run, record = self.run, self.run.record
        self._compared = record.doubtful
        await begin(run)
        record.losses.begin()
        run.answers.learn(await run.journal.decisions(self.row.id))
        async for page in pages(run):
            for chunk in chunks(page):
                if not run.stopped:
                    await self.sources(chunk)
        if not run.stopped:
            record.questions = await run.journal.end_walk(self.row.id, record.walk)
            self._recall.is_done = True
            record.losses.end(removes=run.moves)
        end(run)

    # Single entries: those that failed, were put off, or were asked about

    async def _failed(self) -> None:
        """Try what failed once more. Errors go when they were tried; new ones come with higher numbers."""
        run = self.run
        run.answers.learn(await run.journal.decisions(self.row.id))
        self.tried_again = up_to = await run.journal.last_error(self.row.id)
        while not run.stopped and (rows := await run.journal.error_rows(self.row.id, up_to)):
            entries = [
                (row.idx, row.path, row.target_path)
                for row in rows
                if row.idx is not None and not row.removing
            ]
            if run.record.doubtful or any(row.idx is None for row in rows):
                run.record.failed_only = False
                await run.journal.update(self.row.id, {"failed_only": False})
                await self._everything()
                return
            await self._recall.find([row.location for row in rows], self.target)
            await self.entries(entries)
            await self.removals_failed({row.idx for row in rows if row.idx is not None})
            await self._later()  # until then its error is all that is kept of it
            if not run.stopped:
                run.record.errors = await run.journal.drop_errors(self.row.id, ids=[row.id for row in rows])

    async def removals_failed(self, idxs: set[int]) -> None:
        """Remove originals that could not be removed, or copied, at first. (Nothing for a copy.)"""

    async def _due(self) -> bool:
        """Carry out the answers to what was passed by; say whether there were any."""
        run = self.run
        decisions = await run.journal.decisions(self.row.id, due=True, count=256)
        run.answers.learn(decisions)
        await run.carries_out(decisions)
        if not self._recall.is_done:
            await self._recall.find([await self._where(decision) for decision in decisions], self.target)
        await self.carry_out(decisions)
        return bool(decisions)

    async def _where(self, decision: Decision) -> Location:
        (source,) = await self.run.journal.sources(self.row.id, decision.idx, 1)
        return source.location.parent.below(os.fsdecode(decision.path))

    async def carry_out(self, decisions: Sequence[Decision]) -> None:
        await self.entries([(d.idx, d.path, d.target_path) for d in decisions])
        await self.run.journal.settle(self.row.id, decisions)

    async def _later(self) -> None:
        """Try again what failed for a passing reason, when its time has come."""
        run = self.run
        while run.later and not run.stopped:
            run.later.sort(key=lambda entry: -entry.due)
            await run.wait_until(run.later[-1].due)
            now = run.clock.monotonic()
            due = [entry for entry in run.later if entry.due <= now]
            run.later = [entry for entry in run.later if entry.due > now]
            for entry in due:
                run.try_again(entry)
            if run.brake.on:
                return
            await self.entries([(entry.idx, entry.path, entry.target_path) for entry in due])

    async def entries(self, entries: Sequence[tuple[int, bytes, bytes]]) -> None:
        """Copy single entries: (source, path, target path) of each. Whole sources are looked at afresh."""
        whole = sorted({idx for idx, path, _ in entries if b"/" not in path})
        inner = sorted({entry for entry in entries if b"/" in entry[1] and entry[0] not in whole})
        for idx in whole:
            if not self.run.stopped:
                await self.sources(await self.run.journal.sources(self.row.id, idx, 1))
        for idx, group in groupby(inner, key=lambda entry: entry[0]):
            of_source = list(group)
            if not self.run.stopped:
                (source,) = await self.run.journal.sources(self.row.id, idx, 1)
                await self._entries_of(source, of_source)

    async def _entries_of(self, source: Source, entries: list[tuple[int, bytes, bytes]]) -> None:
        try:
            parent = await self.run.hop(Root.open, source.location.parent.path)
        except PlaceError as error:
            for _, path, target_path in entries:
                await self.run.fail(self.inner_spot(source, path, target_path), error)
            return
        try:
            walk = self.walk(parent, {entries[0][1].partition(b"/")[0]: source.idx}, compare=self.moves)
            for folders, group in groupby(
                entries, key=lambda entry: (split(entry[1])[0], split(entry[2])[0])
            ):
                walk.add(
                    *folders, [(split(path)[1], split(target_path)[1]) for _, path, target_path in group]
                )
            await walk.run()
        finally:
            self.run.release(parent)
