"""A sync between any two places: the copy of one folder onto another; then the target's modes, and what only it has."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tui.engine.far.comparing import Comparison
from tui.engine.far.copying import FarCopying
from tui.engine.far.dressing import opened
from tui.engine.far.ends import carry, look
from tui.engine.far.many import each
from tui.engine.far.reaching import HOME
from tui.engine.far.remaining import Remaining
from tui.engine.far.removing import TreeRemoval
from tui.engine.far.standing import FILE_BITS, FOLDER_BITS, Pairing, leaves_out
from tui.engine.run import Spot
from tui.model.comparison import Change
from tui.model.entry import EntryKind
from tui.model.error import (
    NotAFolder,
    NothingRemoved,
    NotListed,
    PermissionDenied,
    PlaceError,
    SameFile,
    SourceChanged,
    TargetInsideSource,
)
from tui.model.fidelity import Loss
from tui.places.base import Attributes
from tui.places.local.homes import NO_HOMES, find_homes, spare_home

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from tui.engine.far.tree import Step
    from tui.engine.run import Run
    from tui.model.entry import Entry
    from tui.model.location import Location
    from tui.places.base import Place

APART = "Choose two folders of which neither is in the other."

AT_ONCE = 32


class FarSyncing(FarCopying):
    """Makes the target folder like the source. Nothing is removed before all is copied, or after an error.

    Where a folder meets something else, what stands at the target makes way last, and only if removing was asked for.
    """

    verb = "sync"

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._tops: tuple[Location, Location] | None = None
        """The two folders, once it is known that they can be synced."""
        self._home: Location | None = None
        """Where the target's user is at home, unless that is the local disk."""
        self._homes = NO_HOMES
        """Home folders of the local disk, where that is the target."""
        self._identity: tuple[int, int] | None = None
        """Device and inode of a source folder on the local disk."""
        self._untold: list[NotListed] = []
        """What the target has besides that cannot be told by names: nobody can say that it belongs there."""

    async def examine(self, step: Step, where: Location) -> None:
        """Refuse what is no folder, and folders that are not apart from each other."""
        assert step.entry is not None
        final = self.goal.child(step.name)
        for short in (where, final):
            if short.path == HOME:
                message = f"cannot sync {short}: it is a short name"
                raise PlaceError(message, "Name the home folder by its whole path.", location=short)
        if step.entry.kind is not EntryKind.FOLDER:
            raise NotAFolder(f"cannot sync {where}: it is not a folder", "Copy it.", location=where)
        if where == final:
            raise SameFile(f"cannot make {final} like {where}: they are the same folder", location=where)
        if final.holds(where) or where.holds(final):
            message = f"cannot make {final} like {where}: the one holds the other"
            raise TargetInsideSource(message, APART, location=where)
        await super().examine(step, where)
        if step.there is not None and step.there.kind is not EntryKind.FOLDER:
            what = "a link" if step.there.kind.is_link else "not a folder"
            raise NotAFolder(f"cannot make {final} like {where}: it is {what}", location=final)
        self._tops, self._identity = (where, final), await self._identify(where)

    async def _failed(self) -> None:
        """Go through all once more: what is complete is passed by."""
        self.run.record.failed_only = False
        await self.run.journal.update(self.row.id, {"failed_only": False})
        await self._all()

    # What comes after the copy

    async def last(self) -> None:
        """Align what is not content, and remove what only the target has, if asked to."""
        if self.run.record.questions:
            return
        if self._tops is None:  # what was asked has been answered since the folders were gone through
            await self._failed()
        if self.run.stopped or self.run.record.questions or self._tops is None:
            return
        self.tools.clashes.collects = False
        await carry(self.run, self._settle(*self._tops))
        for spot, error in self.tools.clashes.left():
            if not self.run.stopped:
                await self.run.fail(spot, error)

    async def _settle(self, source: Location, target: Location) -> None:
        run, removes = self.run, self.row.delete_extra
        if run.record.errors > 0:
            if removes:
                await self._leave_all(target)
            return
        try:
            await self._check_source(source)
            remaining = await self._compared(source, target)
        except PlaceError as error:
            await run.fail(self._spot("", target), error, removing=True)
            return
        if remaining is None:
            await self._leave_all(target)
            return
        await self._tell_of_new_clashes(remaining, target)
        unaligned = remaining.of(Change.ATTRIBUTES)
        await each(unaligned, lambda path: self._align(source, target, path), AT_ONCE)
        if removes and not run.stopped:
            await self._find_homes(target)
            for spot, _ in self.tools.clashes.left():
                await self._supplant(spot)
            if run.record.errors and any(True for _ in remaining.extra()):
                await self._leave_all(target)
                return
            await self._remove_extra(source, target, remaining)
            for untold in self._untold:
                await run.fail(self._spot("", untold.location or target), untold, removing=True)

    async def _leave_all(self, target: Location) -> None:
        count = self.run.record.errors + len(self.tools.clashes)
        left = "an entry" if count == 1 else f"{count} entries"
        error = NothingRemoved(f"nothing was removed from {target}: {left} could not be copied")
        await self.run.fail_job(error, target)

    async def _check_source(self, source: Location) -> None:
        """Refuse to go by a folder that is another one by now: its disk may have been unmounted.

        Raises:
            SourceChanged.
        """
        if await self._identify(source) != self._identity:
            raise self._other(source)

    def _other(self, source: Location) -> SourceChanged:
        message = f"nothing was removed: {source} is not the folder it was"
        return SourceChanged(message, "See that its disk is mounted, then retry.", location=source)

    async def _identify(self, where: Location) -> tuple[int, int] | None:
        if not where.is_local:
            return None
        try:
            info = await self.run.hop(os.stat, where.path)
        except OSError:
            return None
        return info.st_dev, info.st_ino

    async def _compared(self, source: Location, target: Location) -> Remaining | None:
        """Return how the folders differ still; None where that cannot be said of all of it.

        Raises:
            PlaceError: One of them cannot be read; there is nothing left in the source.
        """
        run, found = self.run, Remaining()
        self._untold.clear()
        failed, source_has = False, False
        async for part in Comparison(
            self.ends, source, target, through=False, exclude=self.row.exclude
        ).parts():
            for error in part.failures:
                if (
                    isinstance(error, NotListed)
                    and error.location is not None
                    and target.holds(error.location)
                ):
                    self._untold.append(error)
                    continue
                failed = True
                await run.fail(self._spot("", error.location or target), error, removing=True)
            source_has |= part.files_same > 0 or any(item.source and item.path for item in part.differences)
            found.add(part.differences)
            if run.stopped:
                return Remaining()
        if found.has(Change.EXTRA) and not source_has and self.tools.counts.seen_files:
            raise self._other(source)
        return None if failed else found

    async def _align(self, source: Location, target: Location, path: str) -> None:
        """Give an entry the mode of its source."""
        where = target.below(path)

        async def align(here: Place, there: Place) -> None:
            entry = await here.stat(source.below(path))
            bits = FOLDER_BITS if entry.kind is EntryKind.FOLDER else FILE_BITS
            await there.set_attributes(where, Attributes(mode=entry.mode & bits))

        try:
            await self.ends.do_both(source, target, align)
        except PlaceError as error:
            await self.run.fail(self._spot(path, where), error)

    async def _in_folders(
        self,
        source: Location,
        target: Location,
        paths: Iterable[str],
        work: Callable[[Place, Place, str], Awaitable[None]],
    ) -> None:
        """Do something with folders of the target that something is, or was, removed from."""

        async def one(path: str) -> None:
            try:
                await self.ends.do_both(source, target, lambda here, there: work(here, there, path))
            except PlaceError:
                self.tools.counts.refused(Loss.TIMES, target.below(path))

        await each(paths, one, AT_ONCE)

    async def _remove_extra(self, source: Location, target: Location, remaining: Remaining) -> None:
        """Remove what only the target has; the folders it was in look as they did, or as their sources."""
        folders, lent = {path.rpartition("/")[0] for path in remaining.extra()}, set[str]()

        async def open_up(_: Place, place: Place, path: str) -> None:
            if not (place.capabilities.folders and place.capabilities.modes):
                return
            try:
                if (mode := opened(await place.stat(target.below(path)))) is not None:
                    await place.set_attributes(target.below(path), Attributes(mode=mode))
                    lent.add(path)
            except PlaceError as error:
                if self.ends.is_lost(error):
                    raise  # all else the removal tells

        async def dress(here: Place, there: Place, path: str) -> None:
            pairing = Pairing.of(here.capabilities, there.capabilities, self.row.preserve)
            wanted = pairing.attributes(await here.stat(source.below(path)))
            wanted = Attributes(wanted.mode if path in lent else None, wanted.mtime_ns)
            if wanted != Attributes() and there.capabilities.folders:
                await there.set_attributes(target.below(path), wanted)

        await self._in_folders(source, target, folders, open_up)
        await each(remaining.extra(), lambda path: self._remove(source, target, path), AT_ONCE // 4)
        await self._in_folders(source, target, folders, dress)
        await self.tools.counts.write(now=True)

    async def _remove(self, source: Location, target: Location, path: str) -> None:
        """Remove what only the target has, if that is still so."""
        if self.run.stopped:
            return

        where = target.below(path)
        try:
            entry, there = await self._both(source.below(path), where)
        except PlaceError as error:
            await self.run.fail(self._spot(path, where), error, removing=True)
            return
        if entry is None and there is not None:
            await self._remove_tree(path, where, there)

    async def _both(self, source: Location, target: Location) -> tuple[Entry | None, Entry | None]:
        """Return what stands at two locations."""

        async def find(here: Place, there: Place) -> tuple[Entry | None, Entry | None]:
            return await look(here, source), await look(there, target)

        return await self.ends.do_both(source, target, find)

    async def _find_homes(self, target: Location) -> None:
        if target.is_local:
            self._homes = await self.run.hop(find_homes, self.run.shared.homes)
        else:
            self._home = await self.ends.home(target)

    async def _spare_home(self, where: Location) -> None:
        """Refuse to remove what is a home folder at the target, or holds one.

        Raises:
            PlaceError: It does.
        """
        if self._home is not None and where.holds(self._home):
            raise PermissionDenied(f"{where} was not removed: your home folder is in it", location=where)
        if self._homes:
            try:
                info = await self.run.hop(os.lstat, where.path)
            except OSError:
                return  # the removal will tell
            spare_home(info, where, self._homes, "remove")

    async def _remove_tree(self, path: str, where: Location, entry: Entry) -> None:
        run = self.run
        try:
            await self._spare_home(where)
        except PlaceError as error:
            await run.fail(self._spot(path, where), error, removing=True)
            return

        def below_top(at: Location) -> str:
            below = where.relative(at) if where.holds(at) else ""
            return "/".join(filter(None, (path, below)))

        async def fail(at: Location, error: PlaceError) -> None:
            await run.fail(self._spot(below_top(at), at), error, removing=True)

        def removed(_where: Location, _size_bytes: int) -> None:
            run.record.tally.files_removed += 1
            run.record.current = where
            run.touch()

        def spares(at: Location, inside: Entry) -> bool:
            return leaves_out(self.row.exclude, below_top(at), inside)

        await TreeRemoval(run, self.ends, fail, removed, spares).go(where, entry)
        run.record.unflushed = True

    # Where a folder meets something else

    async def _tell_of_new_clashes(self, remaining: Remaining, target: Location) -> None:
        """Tell of entries that met something of another kind only when all had been copied."""
        paths = {os.fsdecode(spot.path).partition("/")[2] for spot, _ in self.tools.clashes.left()}
        for path in remaining.of(Change.CLASH):
            if path not in paths:
                where = target.below(path)
                message = f"cannot replace {where}: it has become something else since it was looked at"
                await self.run.fail(self._spot(path, where), SourceChanged(message, "Retry the job."))

    async def _supplant(self, spot: Spot) -> None:
        """Remove what stands in the way of an entry, and copy that."""
        run = self.run
        if run.stopped:
            return
        path, where = os.fsdecode(spot.path).partition("/")[2], self.goal.below(os.fsdecode(spot.target_path))
        (source, _), errors = self._tops or (None, None), run.record.errors
        assert source is not None
        entry, there = await self._both(source.below(path), where)
        if entry is not None and there is not None and _clash(entry, there):
            await self._remove_tree(path, where, there)
        if run.stopped or run.record.errors > errors:
            return
        self.tools.clashes.settled(spot)
        await self.entries([(spot.idx, spot.path, spot.target_path)])

    def _spot(self, path: str, where: Location) -> Spot:
        name = self.row.first_source.name
        below = os.fsencode(f"{name}/{path}" if path else name)
        return Spot(0, below, below, where, where)


def _clash(entry: Entry, there: Entry) -> bool:
    return (entry.kind is EntryKind.FOLDER) != (there.kind is EntryKind.FOLDER)
