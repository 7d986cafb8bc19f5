"""What a sync does where a folder meets something else: copy first, change places then, remove last."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.engine.run import Spot
from tui.engine.walk import Walk
from tui.model.error import NotEmpty, OutOfSpace, PlaceError
from tui.places.local.excluding import holds_excluded
from tui.places.local.hops import Brake
from tui.places.local.removal import TreeRemoval
from tui.places.local.root import Root, join, split
from tui.places.local.supplanting import Supplanting

if TYPE_CHECKING:
    from tui.engine.run import Run
    from tui.engine.tally import Tally
    from tui.places.local.links import HardLinks


class _Whole(Walk):
    """A walk of which nothing counts unless all of it succeeds: what fails is kept, not reported."""

    failure: PlaceError | None = None

    async def _fail(self, spot: Spot, error: PlaceError) -> None:
        if isinstance(error, OutOfSpace):
            await self._run.fail(spot, error)  # the job waits for room, and goes on with what is made then
        self.failure = self.failure or error


class Supplanter:
    """Brings entries of a source folder to a target where they meet something of another kind.

    Args:
        source, target: The opened source folder, and the folder the target folder is in.
        top: The two folders: what goes wrong is told of entries below them.
    """

    def __init__(self, run: Run, source: Root, target: Root, top: Spot, links: HardLinks) -> None:
        self._run, self._source, self._target, self._top, self._links = run, source, target, top, links

    async def supplant(self, path: bytes, *, folder: bool) -> None:
        """Copy one entry out of sight, give it the name of what is in its way, and remove that.

        Args:
            path: Below both folders.
            folder: It is a folder.
        """
        run = self._run
        change = Supplanting(self._target, join(self._top.target_path, path), run.record.row.tag, run.homes)
        try:
            if not folder:
                await run.hop(self._keep_what_is_left_out, path)
            scratch = await run.hop(change.prepare, folder=folder)
            if not await self._copied(path, scratch, folder=folder):
                if not run.stopped:
                    await self._remove(change.here, change.scratch, Brake(), tell=False)
                return
            old = await run.hop(change.put_in_place)
            self._links.moved(scratch, join(self._top.target_path, path))
            run.record.unflushed = True
            await self._remove(change.here, old, run.brake)
        except PlaceError as error:
            await run.fail(self._spot(path), error, removing=True)
        finally:
            await self._close(change, path)

    def _keep_what_is_left_out(self, path: bytes) -> None:
        """Refuse to replace a folder that holds what the sync leaves out.

        Raises:
            NotEmpty: It does.
        """
        exclude, where = self._run.record.row.exclude, join(self._top.target_path, path)
        if exclude and holds_excluded(self._target, where, path, exclude, self._run.brake):
            message = f"cannot replace {self._spot(path).target}: something in it is left out of this sync"
            raise NotEmpty(
                message, "Remove that folder, or sync without --exclude.", location=self._spot(path).target
            )

    async def _copied(self, path: bytes, scratch: bytes, *, folder: bool) -> bool:
        """Make the copy; say whether it is whole."""
        run, tally = self._run, self._run.record.tally
        before = replace(tally)
        stage = scratch, join(self._top.target_path, path)
        walk = _Whole(run, self._source, self._target, {}, links=self._links, stage=stage)
        if folder:
            walk.add(path, scratch)
        else:
            (above, name), (above_target, put) = split(path), split(scratch)
            walk.add(above, above_target, [(name, put)])
        await walk.run()
        if run.stopped:
            return False
        if walk.failure is None:
            return True
        self._count_no_more(before)
        await run.fail(self._spot(path), walk.failure, removing=True)
        return False

    def _count_no_more(self, before: Tally) -> None:
        """Forget what was counted since: what was copied goes again, and is copied and counted anew by a retry."""
        tally = self._run.record.tally
        tally.files_done, tally.bytes_done = before.files_done, before.bytes_done
        tally.files_same, tally.files_skipped = before.files_same, before.files_skipped
        tally.files_verified, tally.bytes_verified = before.files_verified, before.bytes_verified
        tally.bytes_flushed = before.bytes_flushed
        self._run.touch()

    async def _remove(self, here: Root, name: bytes, brake: Brake, *, tell: bool = True) -> None:
        """Remove what has no successor to wait for: the old one, or a copy that is not whole."""
        run = self._run
        removal = TreeRemoval(here, name, brake, run.homes, opening=True)
        try:
            exhausted = False
            while not exhausted and not brake.on:
                batch = await run.hop(removal.step)
                exhausted = batch.exhausted
                if not tell:
                    continue
                run.record.tally.files_removed += batch.files
                run.touch()
                for failure in batch.failures:
                    where = here.location(failure.name)
                    spot = Spot(self._top.idx, self._top.path, b"", where, where)
                    await run.fail(spot, failure.error, removing=True)
        finally:
            run.release(removal)

    async def _close(self, change: Supplanting, path: bytes) -> None:
        if self._run.abandoned:
            return
        try:
            await self._run.hop(change.close)
        except PlaceError as error:
            await self._run.fail(self._spot(path), error, removing=True)

    def _spot(self, path: bytes) -> Spot:
        top, below = self._top, os.fsdecode(path)
        return Spot(
            top.idx, join(top.path, path), join(top.target_path, path),
            top.source.below(below), top.target.below(below),
        )  # fmt: skip
