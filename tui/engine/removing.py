"""Jobs without a target: delete for good, put into the trash, change modes."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from tui.engine.planner import chunks
from tui.engine.rows import Phase
from tui.engine.run import Spot, Sums
from tui.engine.side_by_side import remove_side_by_side
from tui.engine.sources import begin, end, pages
from tui.engine.traces import Bar, Trace
from tui.model.error import HoldsHome, NotFound, PlaceError, SourceReplaced, from_os_error
from tui.model.job import JobKind
from tui.model.location import Location
from tui.places.local.homes import spare_home
from tui.places.local.identity import Likeness, compare, identify
from tui.places.local.modes import TreeMode
from tui.places.local.removal import TreeRemoval
from tui.places.local.root import Root
from tui.places.local.trash import find_trashed, trash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tui.engine.rows import Source
    from tui.engine.run import Run
    from tui.places.local.hops import Batch


HOP_S = 0.05
"""So long a hop over many sources lasts."""

Outcome = tuple[list[tuple["Source", str | None]], bool]
"""Sources that were done, with where they are now if that is told, and whether all have been tried."""


class Steps(Protocol):
    """Work on one source, a batch at a time."""

    def step(self) -> Batch: ...

    def close(self) -> None: ...


class InPlace:
    """Does the same to each source of a job, one after another. What has gone before a crash counts as done."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.row = run.record.row
        self._trashed: list[Trace] = []
        """What is in the trash now, and not yet written down."""

    async def execute(self) -> None:
        """Do all there is to do, or until the run is stopped."""
        if self.run.record.failed_only:
            await self._failed()
        else:
            await self._everything()
        while self.run.later and not self.run.stopped:
            await self._later()

    async def _everything(self) -> None:
        await begin(self.run)
        async for page in pages(self.run):
            for chunk in chunks(page):
                if not self.run.stopped:
                    await self._sources(chunk)
        end(self.run)

    async def _failed(self) -> None:
        """Do again the sources of which something failed: what is left of them is what failed."""
        run = self.run
        up_to = await run.journal.last_error(self.row.id)
        while not run.stopped and (rows := await run.journal.error_rows(self.row.id, up_to)):
            for idx in sorted({row.idx for row in rows if row.idx is not None}):
                if not run.stopped:
                    await self._sources(await run.journal.sources(self.row.id, idx, 1))
            while run.later and not run.stopped:
                await self._later()  # until then its error is all that is kept of it
            if not run.stopped:
                run.record.errors = await run.journal.drop_errors(self.row.id, ids=[row.id for row in rows])

    async def _later(self) -> None:
        run = self.run
        entry = min(run.later, key=lambda entry: entry.due)
        run.later.remove(entry)
        await run.wait_until(entry.due)
        if not run.stopped:
            run.try_again(entry)
            await self._sources(await run.journal.sources(self.row.id, entry.idx, 1))

    async def _sources(self, chunk: Sequence[Source]) -> None:
        for source in chunk:
            if source.phase is Phase.DONE:
                self._count_gone(source)
        rest = [source for source in chunk if source.phase is not Phase.DONE]
        if not rest:
            return
        try:
            parent = await self.run.hop(Root.open, rest[0].location.parent.path)
        except PlaceError as error:
            for source in rest:
                await self.run.fail(_spot(source), error)
            return
        try:
            await self._in_folder(rest, parent)
        finally:
            self.run.release(parent)

    def _count_gone(self, source: Source) -> None:
        """Count what an earlier go has done."""
        self.run.record.tally.found_gone(source.files, source.size_bytes)
        self.run.touch()

    async def _in_folder(self, sources: list[Source], parent: Root) -> None:
        run = self.run
        there, unseen = await run.hop(self._there, sources, parent)
        for source in sources:
            if source.idx in unseen:
                await run.fail(_spot(source), unseen[source.idx])
        if self.row.kind is JobKind.TRASH:
            there = await self._recognised(sources, there)
            await run.journal.set_traces(self.row.id, _traces(sources, there))
        begun = [replace(s, phase=Phase.REMOVING) for s, found in zip(sources, there, strict=True) if found]
        if self.row.kind is not JobKind.CHMOD:
            await run.journal.set_sources(self.row.id, begun, durable=True)
        known = {source.idx: found for source, found in zip(sources, there, strict=True) if found}
        done = await self._outright([source for source in begun if source.idx in known], known, parent)
        settled = {source.idx for source in done}
        for source, found in zip(sources, there, strict=True):
            if run.stopped:
                break
            if source.idx in settled:
                continue
            if found:
                done += await self._one(replace(source, phase=Phase.REMOVING), parent, found)
            elif found is None and source.phase is Phase.REMOVING:
                await self._find(source)
                done.append(replace(source, phase=Phase.DONE))
                self._count_gone(source)
            elif found is None:
                error: PlaceError = NotFound(f"cannot {self._verb} {source.location}: no such file or folder")
                await run.fail(_spot(source), error)
        if self._trashed:
            await run.journal.set_traces(self.row.id, self._trashed)
            self._trashed = []
        if self.row.kind is not JobKind.CHMOD:
            await run.journal.set_sources(self.row.id, done)

    def _there(
        self, sources: Sequence[Source], parent: Root
    ) -> tuple[list[str | None], dict[int, PlaceError]]:
        """Return by what each source is known again, None for those that are not there; and what is refused, by number.

        The latter are "" in the list: what cannot be looked at has not gone, and no home folder goes.
        """
        found: list[str | None] = []
        failed: dict[int, PlaceError] = {}
        for source in sources:
            name = os.fsencode(source.location.name)
            try:
                info = os.lstat(name, dir_fd=parent.fd)
                spare_home(info, source.location, self.run.homes, self._verb)
                found.append(identify(parent.fd, name, info))
            except FileNotFoundError:
                found.append(None)
            except OSError as error:
                found.append("")
                failed[source.idx] = from_os_error(error, source.location, "look at")
            except HoldsHome as error:
                found.append("")
                failed[source.idx] = error
        return found, failed

    async def _recognised(self, sources: list[Source], there: list[str | None]) -> list[str | None]:
        """Refuse what an undo is not to touch: it is not what was left there. (It becomes "" in the list.)"""
        if not self.row.undoes:
            return there
        run = self.run
        first, last = sources[0].idx, sources[-1].idx
        kept = await run.journal.traces(self.row.id, first, last - first + 1)
        recognised: list[str | None] = []
        for source, found in zip(sources, there, strict=True):
            trace = kept.get(source.idx)
            if found and trace is not None and compare(trace.identity, found) is not Likeness.SAME:
                text = (
                    f"cannot put {source.location} back into the trash: it is another one now, or was changed"
                )
                await run.fail(_spot(source), SourceReplaced(text, location=source.location))
                found = ""
            recognised.append(found)
        return recognised

    async def _find(self, source: Source) -> None:
        """Look in the trash for what went there just before a crash, by which it can be undone."""
        if self.row.kind is not JobKind.TRASH:
            return
        run = self.run
        trace = (await run.journal.traces(self.row.id, source.idx, 1)).get(source.idx)
        if trace is not None and trace.where is None and trace.bar is None:
            found = await run.hop(find_trashed, source.location.path, trace.identity)
            where = Location.local(found) if found else None
            self._trashed.append(replace(trace, where=where, bar=None if where else Bar.UNTOLD))

    async def _outright(
        self, sources: Sequence[Source], known: Mapping[int, str], parent: Root
    ) -> list[Source]:
        """Do what takes one call a source, many in a hop; return what is done. All else takes more care."""
        run = self.run
        done: list[Source] = []
        if self.row.kind is JobKind.CHMOD:
            return done
        trashes = self.row.kind is JobKind.TRASH
        left = iter(sources)
        while not run.stopped:
            some, exhausted = await run.hop(self._trash_some if trashes else self._remove_some, left, parent)
            for source, where in some:
                done.append(source)
                if trashes:
                    self._note_trashed(source, where, known[source.idx])
            if some:
                sums = Sums(files=len(some), bytes=sum(source.size_bytes for source, _ in some))
                run.count(sums, some[-1][0].location, metered=not trashes)
            if exhausted:
                break
        return done

    def _remove_some(self, left: Iterator[Source], parent: Root) -> Outcome:
        """Remove sources that are no folders for as long as a hop may last. (In a thread.)"""

        def remove(source: Source) -> tuple[int, None] | None:
            name = os.fsencode(source.location.name)
            info = os.lstat(name, dir_fd=parent.fd)
            if stat.S_ISDIR(info.st_mode):
                return None
            os.unlink(name, dir_fd=parent.fd)
            return info.st_size, None

        return self._some(left, remove)

    def _trash_some(self, left: Iterator[Source], _parent: Root) -> Outcome:
        """Put sources into the trash for as long as a hop may last. (In a thread.)"""
        return self._some(left, lambda source: (0, trash(source.location.path)))

    def _some(self, left: Iterator[Source], do: Callable[[Source], tuple[int, str | None] | None]) -> Outcome:
        """Return the sources that were done with where they are now, and whether none is left to be tried."""
        done: list[tuple[Source, str | None]] = []
        ends = time.monotonic() + HOP_S
        for source in left:
            try:
                if (end := do(source)) is not None:
                    done.append((replace(source, phase=Phase.DONE, files=1, size_bytes=end[0]), end[1]))
            except (OSError, PlaceError):
                pass  # it is tried again with more care, and told then
            if self.run.brake.on or time.monotonic() > ends:
                return done, False
        return done, True

    async def _one(self, source: Source, parent: Root, identity: str) -> list[Source]:
        """Do one source; return it, with what it amounted to, where nothing of it is left to do."""
        run = self.run
        run.record.current = source.location
        tally, errors, later = run.record.tally, run.record.errors, len(run.later)
        files, size_bytes = tally.files_done, tally.bytes_done
        try:
            if self.row.kind is JobKind.TRASH:
                await self._to_trash(source, identity)
            else:
                await self._in_batches(source, parent)
        except PlaceError as error:
            await run.fail(_spot(source), error)
        if run.stopped or run.record.errors > errors or len(run.later) > later:
            return []
        files, size_bytes = tally.files_done - files, tally.bytes_done - size_bytes
        return [replace(source, phase=Phase.DONE, files=files, size_bytes=size_bytes)]

    async def _in_batches(self, source: Source, parent: Root) -> None:
        run = self.run
        if self.row.kind is JobKind.DELETE:
            await remove_side_by_side(run, parent, os.fsencode(source.location.name))
        steps = self._steps(source, parent)
        try:
            while not run.stopped:
                batch = await run.hop(steps.step)
                current = parent.location(batch.last) if batch.last else None
                run.count(Sums(files=batch.files, bytes=batch.size_bytes), current)
                for failure in batch.failures:
                    await run.fail(_spot(source, parent, failure.name), failure.error, removing=True)
                if batch.exhausted:
                    return
        finally:
            run.release(steps)

    def _steps(self, source: Source, parent: Root) -> Steps:
        name = os.fsencode(source.location.name)
        row = self.row
        if row.kind is JobKind.DELETE:
            return TreeRemoval(parent, name, self.run.brake, self.run.homes)
        return TreeMode(
            parent, name, row.mode_set, row.mode_clear, row.folder_mode_set, row.recursive, self.run.brake
        )

    async def _to_trash(self, source: Source, identity: str) -> None:
        where = await self.run.hop(trash, source.location.path)
        self._note_trashed(source, where, identity)
        self.run.count(Sums(files=1), metered=False)

    def _note_trashed(self, source: Source, where: str | None, identity: str) -> None:
        place = Location.local(where) if where else None
        self._trashed.append(Trace(source.idx, place, identity, None if place else Bar.UNTOLD))

    @property
    def _verb(self) -> str:
        return {JobKind.DELETE: "delete", JobKind.TRASH: "put into the trash"}.get(
            self.row.kind, "change the mode of"
        )


def _traces(sources: Sequence[Source], there: Sequence[str | None]) -> list[Trace]:
    """Return what is known before anything goes; where it is then, the trash says."""
    return [Trace(source.idx, None, found) for source, found in zip(sources, there, strict=True) if found]


def _spot(source: Source, parent: Root | None = None, path: bytes = b"") -> Spot:
    name = os.fsencode(source.location.name)
    location = parent.location(path) if parent and path else source.location
    return Spot(source.idx, path or name, b"", location, location)
