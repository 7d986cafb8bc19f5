"""A sync job: the copy of one folder onto another, and then the removal of what only the target has."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from tui.engine.copying import Copying
from tui.engine.look import ancestors
from tui.engine.run import Spot
from tui.engine.supplanting import Supplanter
from tui.model.error import (
    NotAFolder,
    NothingRemoved,
    PlaceError,
    SameFile,
    SourceChanged,
    TargetInsideSource,
    from_os_error,
)
from tui.places.local.alongside import Clashes
from tui.places.local.pruning import Pruning
from tui.places.local.root import Root, join
from tui.places.local.standing import is_folder, look

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.engine.rows import Source
    from tui.engine.run import Run
    from tui.model.location import Location
    from tui.places.local.alongside import Alongside, Passed

APART = "Choose two folders of which neither is in the other."


class Syncing(Copying):
    """Makes the target folder like the source. Nothing is removed before all is copied, or after an error.

    Where a folder meets something else, that is met last of all copies (see `Supplanter`), and only where removing was
    asked for.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._identity: tuple[int, int] | None = None
        """Device and inode of the source folder: what comes later is done with the same one."""
        self._met_all = False
        """This go has looked at all there is: what clashes is known."""

    async def sources(self, chunk: Sequence[Source]) -> None:
        """Copy the source, if it and the target are two folders apart from each other."""
        (source,) = chunk
        try:
            await self.run.hop(self._check, source)
        except PlaceError as error:
            await self.run.fail(self.source_spot(source), error)
            return
        await super().sources(chunk)

    def _check(self, source: Source) -> None:
        where, name = source.location, os.fsencode(source.location.name)
        with Root.open(where.parent.path) as parent:
            try:
                info = os.lstat(name, dir_fd=parent.fd)
            except OSError as error:
                raise from_os_error(error, where, "read") from error
            if not is_folder(info):
                raise NotAFolder(f"cannot sync {where}: it is not a folder", "Copy it.", location=where)
            self._check_target(where, info, parent)
        self._identity = info.st_dev, info.st_ino

    def _check_target(self, where: Location, info: os.stat_result, parent: Root) -> None:
        """Refuse what is no folder, the source itself, and what holds it. (What is in it, every copy refuses.)"""
        final = self._final
        try:
            there = look(self.target.fd, os.fsencode(final.name))
        except OSError as error:
            raise from_os_error(error, final, "look at") from error
        if there is None:
            return
        if not is_folder(there):
            what = "a link" if stat.S_ISLNK(there.st_mode) else "not a folder"
            raise NotAFolder(f"cannot make {final} like {where}: it is {what}", location=final)
        identity = there.st_dev, there.st_ino
        if identity == (info.st_dev, info.st_ino):
            raise SameFile(f"cannot make {final} like {where}: they are the same folder", location=where)
        if identity in ancestors(parent):
            message = f"cannot make {final} like {where}: the one holds the other"
            raise TargetInsideSource(message, APART, location=where)

    @property
    def _final(self) -> Location:
        assert self.row.target is not None
        return self.row.target

    async def _everything(self) -> None:
        await super()._everything()
        self._met_all = True

    async def _failed(self) -> None:
        """Try what failed once more.

        Where that was a removal, all is looked at: a folder may not have got its time back, and only a copy of it tells
        which that was.
        """
        run = self.run
        up_to = await run.journal.last_error(self.row.id)
        if any(row.removing for row in await run.journal.error_rows(self.row.id, up_to)):
            run.record.failed_only = False
            await run.journal.update(self.row.id, {"failed_only": False})
            await self._everything()
        else:
            await super()._failed()

    # Removing

    async def last(self) -> None:
        """Let what was in the way of something else give way, and remove what only the target has, if asked to."""
        run = self.run
        if run.stopped or not self.row.delete_extra or run.record.questions:
            return
        if run.record.errors:
            await self._leave_all()
            return
        (source,) = await run.journal.sources(self.row.id, 0, 1)
        try:
            roots = await run.hop(self._open_both, source)
        except PlaceError as error:
            await run.fail(self.source_spot(source), error, removing=True)
            return
        if roots is not None:
            try:
                await self._settle(source, *roots)
            finally:
                run.release(*roots)

    async def _leave_all(self) -> None:
        count = self.run.record.errors
        left = "an entry" if count == 1 else f"{count} entries"
        error = NothingRemoved(f"nothing was removed from {self._final}: {left} could not be copied")
        await self.run.fail_job(error, self._final)

    def _open_both(self, source: Source) -> tuple[Root, Root] | None:
        """Open both folders; None where the target is not there.

        Raises:
            SourceChanged: Another folder stands now where the source was: its disk may have been unmounted.
            PlaceError: One of them cannot be opened.
        """
        where, final = source.location, self._final
        name = os.fsencode(final.name)
        try:
            if look(self.target.fd, name) is None:
                return None
        except OSError as error:
            raise from_os_error(error, final, "look at") from error
        if self._identity is None:  # only what had failed was looked at
            self._check(source)
        with Root.open(where.parent.path) as parent:
            opened = Root(where.path, parent.folder(os.fsencode(where.name)))
        if (opened.device, opened.inode) != self._identity:
            opened.close()
            message = f"nothing was removed from {final}: {where} is not the folder it was"
            raise SourceChanged(message, "See that its disk is mounted, then retry.", location=where)
        try:
            return opened, Root(final.path, self.target.folder(name))
        except PlaceError:
            opened.close()
            raise

    async def _settle(self, source: Source, there: Root, here: Root) -> None:
        run = self.run
        if run.clashed or not self._met_all:
            await self._go_along(source, Clashes(there, here, run.brake, self.row.exclude), there)
            if run.record.errors and not run.stopped:
                await self._leave_all()
        if not (run.stopped or run.record.errors):
            pruning = Pruning(there, here, run.brake, self.row.tag, run.homes, exclude=self.row.exclude)
            await self._go_along(source, pruning, there)

    async def _go_along(self, source: Source, along: Alongside, there: Root) -> None:
        run, top = self.run, self.source_spot(source)
        supplanter = Supplanter(run, there, self.target, top, self.links)
        try:
            while not run.stopped:
                batch = await run.hop(along.step)
                await self._note(top, batch)
                for path, folder in batch.clashes:
                    if not run.stopped:
                        await supplanter.supplant(path, folder=folder)
                if batch.exhausted:
                    return
        finally:
            run.release(along)

    async def _note(self, top: Spot, batch: Passed) -> None:
        """Note what was removed, and what could not be."""
        run = self.run
        run.record.tally.files_removed += batch.files
        if batch.last:
            run.record.current = self._below(batch.last)
        run.touch()
        for failure in batch.failures:
            where = self._below(failure.name)
            spot = Spot(top.idx, join(top.path, failure.name), b"", where, where)
            await run.fail(spot, failure.error, removing=True)

    def _below(self, path: bytes) -> Location:
        return self._final.below(os.fsdecode(path)) if path else self._final
