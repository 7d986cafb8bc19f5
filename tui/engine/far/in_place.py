"""Jobs without a target, at one place: the same is done to each source, several at once where they are no folders."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.engine.far.ends import Ends, carry, look
from tui.engine.far.many import each
from tui.engine.removing import InPlace
from tui.engine.rows import Phase
from tui.engine.run import Spot
from tui.model.entry import Entry, EntryKind
from tui.model.error import NotFound, PlaceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.engine.far.totals import Counting
    from tui.engine.rows import Source
    from tui.engine.run import Run
    from tui.model.location import Location
    from tui.places.base import Place

    Looked = tuple[Source, Entry | PlaceError | None]


class FarInPlace(InPlace):
    """Does the same to each source of a job. What has gone before a crash, or a loss of the connection, is done."""

    verb = ""
    """For messages: "cannot <verb> …"."""
    removes = False
    """What is done is gone then."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.reach = Ends(run)
        self._failing: set[int] = set()
        """Sources of which something could not be done."""
        self.counting: Counting | None = None
        """Finds out what the job amounts to, where that is looked for."""

    async def execute(self) -> None:
        """Do all there is to do, or until the run is stopped."""
        work = super().execute()
        if self.counting is not None and not self.run.record.failed_only:
            work = self.counting.beside(work)
        await carry(self.run, work)

    async def refusal(self) -> PlaceError | None:
        """Return why nothing of the job is done at all."""
        return None

    async def do(self, source: Source, where: Location, entry: Entry) -> None:
        """Do one source and all below it."""
        raise NotImplementedError

    async def _everything(self) -> None:
        if (error := await self.refusal()) is not None:
            await self.run.journal.drop_errors(self.row.id)
            self.run.record.errors = 0
            await self.run.fail_job(error, error.location or self.row.first_source)
            return
        await super()._everything()

    async def _failed(self) -> None:
        """Do again what failed; all, where the job failed as a whole."""
        run = self.run
        if None in await run.journal.failed_sources(self.row.id):
            run.record.failed_only = False
            await run.journal.update(self.row.id, {"failed_only": False})
            await self._everything()
            return
        await super()._failed()

    async def _sources(self, chunk: Sequence[Source]) -> None:
        run = self.run
        rest: list[Source] = []
        for source in chunk:
            if source.phase is Phase.DONE:
                self._done_before(source)
            else:
                rest.append(source)
        if not rest:
            return
        pipeline = (await self.reach.place(rest[0].location)).capabilities.pipeline
        looked: dict[int, Looked] = {}

        async def find(source: Source) -> None:
            looked[source.idx] = source, await self._look(source)

        await each(rest, find, pipeline)
        if self.removes:
            begun = [_begun(source, found) for source, found in looked.values() if isinstance(found, Entry)]
            await run.journal.set_sources(self.row.id, begun, durable=True)
        done: list[Source] = []

        async def one(item: Looked) -> None:
            if not run.stopped:
                done.extend(await self._looked_at(*item))

        try:
            await each([item for item in looked.values() if not _is_folder(item[1])], one, pipeline)
            await each([item for item in looked.values() if _is_folder(item[1])], one, 1)
        finally:
            if self.removes:
                await run.journal.set_sources(self.row.id, done)

    def _done_before(self, source: Source) -> None:
        """Count what an earlier go has done."""
        self._count_gone(source)
        if self.counting is not None:
            self.counting.done_before(source)

    async def _look(self, source: Source) -> Entry | PlaceError | None:
        where = await self.reach.resolve(source.location)

        async def stand(place: Place) -> Entry | None:
            return await look(place, where)

        try:
            return await self.reach.do(where, stand)
        except PlaceError as error:
            return error

    async def _looked_at(self, source: Source, found: Entry | PlaceError | None) -> list[Source]:
        """Do one source; return it, with what it amounted to, where nothing of it is left to do."""
        run = self.run
        if isinstance(found, PlaceError):
            await self.fail(source, source.location, found)
            return []
        if found is None and source.phase is Phase.REMOVING:
            self._done_before(source)
            return [replace(source, phase=Phase.DONE)]
        if found is None:
            what = f"cannot {self.verb} {source.location}: no such file or folder"
            await self.fail(source, source.location, NotFound(what, location=source.location))
            return []
        where = await self.reach.resolve(source.location)
        run.record.current = where
        tally = run.record.tally
        files, size_bytes = tally.files_done, tally.bytes_done
        self._failing.discard(source.idx)
        await self.do(source, where, found)
        if run.stopped or source.idx in self._failing:
            return []
        if found.kind is not EntryKind.FOLDER:  # others are done beside it
            return [replace(source, phase=Phase.DONE, files=1, size_bytes=found.size_bytes)]
        files, size_bytes = tally.files_done - files, tally.bytes_done - size_bytes
        return [replace(source, phase=Phase.DONE, files=files, size_bytes=size_bytes)]

    async def fail(self, source: Source, where: Location, error: PlaceError) -> None:
        """Write down what could not be done."""
        self._failing.add(source.idx)
        above = source.location.parent
        path = above.relative(where) if above.holds(where) else source.location.name
        spot = Spot(source.idx, os.fsencode(path), b"", where, where)
        await self.run.write_errors([self.run.error_row(spot, error, removing=True)])


def _begun(source: Source, found: Entry) -> Source:
    """Return a source that is about to be removed; of one that is no folder it is known what that will amount to."""
    if found.kind is EntryKind.FOLDER:
        return replace(source, phase=Phase.REMOVING)
    return replace(source, phase=Phase.REMOVING, files=1, size_bytes=found.size_bytes)


def _is_folder(found: Entry | PlaceError | None) -> bool:
    return isinstance(found, Entry) and found.kind is EntryKind.FOLDER
