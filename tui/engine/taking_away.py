"""The second half of a move that had to copy: the originals go, once their copies are complete and on the disk."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from tui.engine import whereabouts
from tui.engine.copying import Copying
from tui.engine.flushing import flush
from tui.engine.rows import Phase
from tui.engine.run import Spot
from tui.model.error import CollisionRefused, NotEmpty, NotFlushed, NotFound, PlaceError, SourceChanged
from tui.model.job import Conflict
from tui.places.local.fitting import twin_of
from tui.places.local.moved_removal import MovedRemoval
from tui.places.local.root import Root

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.engine.look import Step
    from tui.engine.rows import Source
    from tui.engine.run import Run
    from tui.engine.traces import Trace
    from tui.places.local.hops import Failure

MOST_FAILED = 10_000
"""A source of which more than this failed stays whole."""


class TakingAway(Copying):
    """Copies, and removes from the sources what stands complete at the target."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._put_off: set[int] = set()
        """Sources that are copied but for something still to be settled."""

    async def kept(self, sources: Sequence[Step] | Sequence[Source]) -> dict[int, Trace]:
        """Return the traces of some sources, by number."""
        if not sources:
            return {}
        first, last = min(each.idx for each in sources), max(each.idx for each in sources)
        return await self.run.journal.traces(self.row.id, first, last - first + 1)

    async def last(self) -> None:
        """Remove the originals that had to wait for entries that were tried again."""
        if not self.run.stopped:
            await self._remove_by_number(set(self._put_off))

    async def removals_failed(self, idxs: set[int]) -> None:
        await self._remove_by_number(idxs)

    async def _remove_by_number(self, idxs: set[int]) -> None:
        for idx in sorted(idxs):
            if not self.run.stopped:
                await self._remove(
                    [
                        s
                        for s in await self.run.journal.sources(self.row.id, idx, 1)
                        if s.phase is not Phase.DONE
                    ]
                )

    async def _remove(self, sources: Sequence[Source]) -> None:
        """Remove originals whose copies are complete, once these are on the disk for sure.

        A source with an open question, or with an entry that is tried again later, stays whole until that is settled.
        """
        run = self.run
        undecided = await run.journal.undecided_sources(self.row.id) | {entry.idx for entry in run.later}
        self._put_off |= {source.idx for source in sources if source.idx in undecided}
        ready = [source for source in sources if source.idx not in undecided]
        self._put_off -= {source.idx for source in ready}
        for folder, group in groupby(ready, key=lambda source: source.location.parent):
            if run.stopped:
                return
            try:
                parent = await run.hop(Root.open, folder.path)
            except PlaceError as error:
                for source in group:
                    await run.fail(self.source_spot(source), error, removing=True)
                continue
            try:
                await self._remove_in(list(group), parent)
            finally:
                run.release(parent)

    async def _remove_in(self, sources: list[Source], parent: Root) -> None:
        run = self.run
        try:
            if not await flush(run):
                return
        except NotFlushed as error:
            for source in sources:
                await run.fail(self.source_spot(source), error, removing=True)
            return
        stay = {
            s.idx: await run.journal.failed_paths(self.row.id, s.idx, self.tried_again, MOST_FAILED)
            for s in sources
        }
        sources = [source for source in sources if len(stay[source.idx]) < MOST_FAILED]
        spots = {s.idx: self.source_spot(s) for s in sources}
        copies = {idx: spot.target_path for idx, spot in spots.items() if spot.path not in stay[idx]}
        kept = await self.kept(sources)
        await run.journal.set_traces(
            self.row.id, await run.hop(whereabouts.copied, kept, copies, parent, self.target)
        )
        removing = [replace(source, phase=Phase.REMOVING) for source in sources]
        # With its other names gone, the last one of a file does not tell any more that it had them.
        if self.row.source_count > 1:
            await run.journal.add_links(self.row.id, self.links.take_unfinished())
        await run.journal.set_sources(self.row.id, removing, self._losses_kept(), durable=True)
        for source in removing:
            for path, kept_as in await run.journal.kept(self.row.id, source.idx):
                await self._remove_one(source, parent, path, kept_as, stay[source.idx])
            spot = self.source_spot(source)
            await self._remove_one(source, parent, spot.path, spot.target_path, stay[source.idx])
            if run.stopped:
                return
        failed = await run.journal.failed_sources(self.row.id)
        failed -= await self._note_left(removing, failed, parent)
        after = [replace(s, phase=None if s.idx in failed else Phase.DONE) for s in removing]
        await run.journal.set_sources(self.row.id, after)

    def _losses_kept(self) -> dict[str, object]:
        """Count for good what folders have lost, where every source that was copied so far is removed now."""
        record = self.run.record
        if record.errors or record.questions or self._put_off or not record.losses:
            return {}
        record.losses.keep()
        return {"losses": record.losses.column()}

    async def _note_left(self, sources: list[Source], failed: set[int], parent: Root) -> set[int]:
        """Write down which originals are still there, and so cannot come back; return which are not."""
        journal, names = self.run.journal, {s.idx: self.source_spot(s).path for s in sources}
        kept = await self.kept(sources)
        gone, whole, changed = await self.run.hop(whereabouts.left, kept, names, failed, parent)
        await journal.drop_traces(self.row.id, whole)
        await journal.set_traces(self.row.id, changed)
        return gone

    async def _remove_one(
        self, source: Source, parent: Root, path: bytes, target_path: bytes, stay: set[bytes]
    ) -> None:
        run = self.run
        rules = run.rules(compare=self._must_compare)
        removal = MovedRemoval(parent, self.target, path, target_path, run.brake, rules, stay, run.homes)
        try:
            while not run.stopped:
                batch = await run.hop(removal.step)
                for failure in batch.failures:
                    if failure.name in stay:
                        continue  # it could not be copied: that is told already
                    if self._stays(source, failure) or await self._was_not_copied(source, failure):
                        continue
                    left = failure.name or path
                    there = await self._twin(parent, (path, target_path), left)
                    spot = Spot(source.idx, left, there, parent.location(left), parent.location(left))
                    # A retry does not just remove what is not as it was copied: it is copied again first.
                    again = SourceChanged, CollisionRefused, NotFound, NotEmpty
                    removing = not isinstance(failure.error, again)
                    await run.fail(spot, failure.error, removing=removing)
                if batch.exhausted:
                    return
        finally:
            run.release(removal)

    async def _twin(self, parent: Root, top: tuple[bytes, bytes], path: bytes) -> bytes:
        """Return where an entry of a source is at the target."""
        if self.run.fitting is not None and path != top[0]:
            with contextlib.suppress(PlaceError, OSError):
                return await self.run.hop(twin_of, self.run.fitting, parent, top, path)
        return top[1] + path[len(top[0]) :]

    def _stays(self, source: Source, failure: Failure) -> bool:
        """Say whether an original that differs from what stands at the target was left there on purpose."""
        rule = self.run.rule_for(source.idx, failure.name)
        if isinstance(failure.error, SourceChanged):
            return rule not in (Conflict.OVERWRITE, Conflict.NEWER)
        on_purpose = (Conflict.SKIP, Conflict.RENAME, Conflict.NEWER)
        return isinstance(failure.error, CollisionRefused) and rule in on_purpose

    async def _was_not_copied(self, source: Source, failure: Failure) -> bool:
        """Say whether an original differs from its target because its copy failed, which is told already."""
        differs = isinstance(failure.error, (SourceChanged, CollisionRefused, NotFound))
        return differs and await self.run.journal.has_failed(self.row.id, source.idx, failure.name)

    @property
    def _must_compare(self) -> bool:
        """Whether something at the target may look like a copy of the original without being one this job made."""
        record = self.run.record
        tally = record.tally
        return bool(record.walk > 1 or record.failed_only or tally.files_same or tally.files_skipped or record.errors
                    or record.questions or self.run.answers)  # fmt: skip
