"""The local disk for front ends: nothing blocks the event loop, and a folder that hangs keeps only itself waiting."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import aiofiles.os

from tui.model.entry import Totals
from tui.model.error import Unsupported
from tui.model.exclusion import NOTHING, Exclusion
from tui.model.siblings import common_folder
from tui.places.local import listing, single
from tui.places.local.comparing import Comparison
from tui.places.local.homes import home_folders
from tui.places.local.hops import Brake
from tui.places.local.scan import Scan
from tui.places.local.threads import DaemonThreads
from tui.places.local.walking import Walk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from tui.model.comparison import Compared
    from tui.model.entry import Below, Details, Entry, Page, Space
    from tui.model.location import Location

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

_DEBOUNCE_MS = 300
_WATCH_STEP_MS = 100
_GRACE_S = 0.2
_HANGING_S = 0.5
"""An entry that takes longer to look at is left to its thread."""
_MOST_HANGING = 8
"""So many threads may hang in one call; then it waits: a disk that is only waking up answers in the end."""


class LocalPlace:
    """Implements `tui.client.base.Places` for the local disk."""

    def __init__(self) -> None:
        self._threads = DaemonThreads("ferry-disk")

    def close(self) -> None:
        """Let go of the threads; calls under way are left to themselves."""
        self._threads.shutdown(cancel_futures=True)

    async def _call(self, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = await aiofiles.os.wrap(do)(*args, executor=self._threads, **kwargs)
        return result

    async def list(self, folder: Location) -> AsyncIterator[Page]:
        """Yield the names of a folder as they are read: the first page at once and small, later ones bigger."""
        names = listing.Names(_local(folder))
        try:
            while (page := await self._call(names.read)) is not None:
                yield page
        finally:
            names.close()

    async def walk(self, top: Location, *, hidden: bool) -> AsyncIterator[Sequence[Below]]:
        """Yield what lies below a folder, some folders at a time, the nearest first."""
        walk = Walk(top, hidden=hidden)
        while (some := await self._call(walk.step)) is not None:
            yield some

    async def details(self, folder: Location, names: Sequence[str]) -> Details:
        """Return columns for some entries of a folder, in the order of `names`; size -1 for those that have gone.

        An entry that does not answer (a dead mount) is left as if it had gone, and the others go on.
        """
        looks = listing.Looks(_local(folder), names)
        working: set[asyncio.Task[None]] = set()
        try:
            while True:
                working.add(task := asyncio.create_task(self._call(looks.go_on)))
                while not await self._hangs(task, looks, patient=len(working) >= _MOST_HANGING):
                    if task.done():
                        task.result()
                        return looks.found
                looks.take_over()
                if looks.done:
                    return looks.found
        finally:
            looks.stop()
            for task in working:
                task.cancel()

    async def _hangs(self, task: asyncio.Task[None], looks: listing.Looks, *, patient: bool) -> bool:
        """Say whether an entry kept a thread for half a second; False when the thread ended, or something moved."""
        place = looks.place
        await asyncio.wait([task], timeout=None if patient else _HANGING_S)
        return not task.done() and place >= 0 and looks.place == place

    async def stat(self, location: Location, *, follow: bool = False) -> Entry:
        """Return one entry in full."""
        return await self._call(single.stat_entry, _local(location), follow=follow)

    async def read(self, location: Location, offset: int, size_bytes: int) -> bytes:
        """Return up to `size_bytes` from `offset`, fewer only at the end of the file. Regular files only."""
        return await self._call(single.read_range, _local(location), offset, size_bytes)

    async def space(self, folder: Location) -> Space:
        """Return the room on the filesystem of a folder."""
        return await self._call(single.space, _local(folder))

    async def measure(
        self, locations: Sequence[Location], *, time_limit_s: float = 2.0, exclude: Exclusion = NOTHING
    ) -> Totals:
        """Count what lies at and below the locations; `complete` is False where the time was up first."""
        brake = Brake()
        latest = [Totals(complete=False)]
        if (folder := common_folder(locations)) is not None:
            _local(folder)
        paths = (
            _local(location).path for location in locations
        )  # there may be a million: the thread makes them
        try:
            async with asyncio.timeout(time_limit_s + _GRACE_S):
                await self._call(_measure, paths, time.monotonic() + time_limit_s, brake, latest, exclude)
        except TimeoutError:
            log.info("counting %s entries hangs", len(locations))
        finally:
            brake.on = True
        return latest[0]

    async def compare(
        self,
        source: Location,
        target: Location,
        *,
        by_content: bool = False,
        exclude: Exclusion = NOTHING,
    ) -> AsyncIterator[Compared]:
        """Yield how a folder differs from another, as a sync would see it, part by part."""
        brake = Brake()
        comparison = Comparison(
            _local(source).path, _local(target).path, brake, by_content=by_content, exclude=exclude
        )
        try:
            while not comparison.exhausted:
                yield await self._call(comparison.step)
        finally:
            brake.on = True
            self._threads.submit(comparison.close)

    async def make_folder(self, location: Location) -> Location:
        """Create one folder; parents that are missing are made too. Return the topmost of those made."""
        return await self._call(single.make_folder, _local(location))

    async def create_file(self, location: Location) -> None:
        """Create one empty file; never over an existing entry."""
        await self._call(single.create_file, _local(location))

    async def rename(self, location: Location, new: Location) -> None:
        """Give an entry a new name on the same filesystem; never over an existing entry, and to no home folder."""
        await self._call(single.rename, _local(location), _local(new), home_folders)

    async def set_mode(self, location: Location, mode: int) -> None:
        """Set the permission bits of one entry; links are refused, not followed."""
        await self._call(single.set_mode, _local(location), mode)

    async def make_symlink(self, location: Location, points_to: str) -> None:
        """Create a symbolic link."""
        await self._call(single.make_symlink, _local(location), points_to)

    async def make_hardlink(self, location: Location, existing: Location) -> None:
        """Give an existing file a further name."""
        await self._call(single.make_hardlink, _local(location), _local(existing))

    async def watch(self, folder: Location) -> AsyncIterator[None]:
        """Yield whenever something in the folder itself has changed; end where it cannot be watched or has gone."""
        loop = asyncio.get_running_loop()
        changed, stop = asyncio.Event(), threading.Event()
        ended = False

        def tell() -> None:
            with contextlib.suppress(RuntimeError):  # the loop may have been closed meanwhile
                loop.call_soon_threadsafe(changed.set)

        def follow() -> None:
            nonlocal ended
            try:
                _follow(folder.path, stop, tell)
            finally:
                ended = True
                tell()

        self._threads.submit(follow)
        try:
            while True:
                await changed.wait()
                changed.clear()
                if ended:
                    return
                yield
        finally:
            stop.set()


def _local(location: Location) -> Location:
    if not location.is_local:
        message = f"cannot reach {location}: only the local disk is known here"
        raise Unsupported(message, "Name a path on this machine.", location=location)
    return location


def _measure(
    paths: Iterable[str], ends: float, brake: Brake, latest: list[Totals], exclude: Exclusion
) -> None:
    """Count below all paths until the time is up, leaving the totals so far in `latest[0]`."""
    done = Totals()
    for path in paths:
        if time.monotonic() >= ends or brake.on:
            latest[0] = done.plus(Totals(complete=False))
            return
        scan = Scan(path, brake, exclude=exclude)
        try:
            while not scan.exhausted and time.monotonic() < ends and not brake.on:
                latest[0] = done.plus(scan.step())
        finally:
            scan.close()
        done = latest[0]
        if not done.complete:
            return
    latest[0] = done


def _follow(path: str, stop: threading.Event, tell: Callable[[], None]) -> None:
    """Call `tell` at each change in a folder, in this thread, until told to stop or the folder has gone.

    The synchronous form of watchfiles, because the asynchronous one registers the folder in the event loop's own
    thread, where a dead mount would stop everything. It holds the interpreter's lock while it registers a folder,
    so that first the folder has to answer here, where the lock is let go of.
    """
    from watchfiles import watch

    try:
        os.close(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
        changes = watch(
            path,
            watch_filter=None,
            recursive=False,
            debounce=_DEBOUNCE_MS,
            step=_WATCH_STEP_MS,
            stop_event=stop,
            raise_interrupt=False,
        )
        for _ in changes:
            if not os.path.isdir(path):
                return
            tell()
    except (OSError, RuntimeError) as error:
        # No such folder, or no more watches to be had (fs.inotify.max_user_watches): the pane still refreshes by key.
        log.info("cannot watch %s: %s", path, error)
