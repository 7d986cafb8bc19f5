"""The local disk as one end of a copy from or to somewhere else.

(The disk copies to itself by other means: whole folders at a time, see `tui.places.local.copying`.)
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import threading
from dataclasses import replace as changed
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import aiofiles.os

from tui.model.error import LinkInTheWay, Unsupported, from_os_error
from tui.places.base import Capabilities
from tui.places.local import end_files, syscalls
from tui.places.local.end_files import LocalReader, LocalWriter, entry_of
from tui.places.local.end_folders import Folders
from tui.places.local.flushing import DiskFlush
from tui.places.local.making import not_held
from tui.places.local.modes import change_mode
from tui.places.local.names import check_end, told
from tui.places.local.partial import discard, name_of_half, sweep
from tui.places.local.root import nearest
from tui.places.local.single import entry_at, other_filesystem, rename_at, space_at
from tui.places.local.standing import look, time_step_ns
from tui.places.local.threads import DaemonThreads
from tui.places.local.together import Together

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from tui.model.entry import Entry, Space
    from tui.model.location import Location
    from tui.places.base import Asker, Attributes, Identity, Reader, Writer

P = ParamSpec("P")
T = TypeVar("T")
Opened = TypeVar("Opened", LocalReader, LocalWriter)

_THREADS = 16
"""More of them only get into each other's way; with fewer, some that hang on a dead mount would hold up all others."""
_FIRST_ENTRIES, _MOST_ENTRIES = 200, 1000

_NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})
"""How filesystems such as FAT answer to symlink(2)."""
_A_LINK = os.stat_result((stat.S_IFLNK, *(0,) * 9))

_CAN = Capabilities(
    symlinks=True,
    modes=True,
    sets_times=True,
    renames=True,
    resumes=True,
    space=True,
    flushes=True,
    pipeline=128,
    part_bytes=1 << 20,
)


class LocalEnd:
    """Implements `tui.places.base.Place`; one hop to a thread a call.

    Args:
        bases: Folders somebody named. Links in their own paths are followed; below them, no link is, whoever put it
            there. A location that lies below none of them counts as named itself.
        time_step_ns: How finely the filesystem keeps times.
    """

    def __init__(self, *bases: Location, time_step_ns: int = 1) -> None:
        self.capabilities = changed(_CAN, time_step_ns=time_step_ns)
        self._folders = Folders(bases)
        self._threads = DaemonThreads("ferry-end", _THREADS)
        self._together = Together(self._executor)
        self._closed = False

    @property
    def alive(self) -> bool:
        return not self._closed

    async def _hop(self, do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = await aiofiles.os.wrap(do)(*args, executor=self._executor(), **kwargs)
        return result

    def _executor(self) -> DaemonThreads | None:
        # Files may still be open when the place is closed; asyncio's own threads are good enough to close them.
        return None if self._closed else self._threads

    async def _opened(self, do: Callable[P, Opened], *args: P.args, **kwargs: P.kwargs) -> Opened:
        """Open a file. Where whoever wanted it has gone meanwhile, it is let go of."""
        opening = asyncio.ensure_future(self._hop(do, *args, **kwargs))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_drop)
            raise

    async def name(self, folder: Location) -> None:
        """Say that somebody named one more folder, as with `bases`; times count as coarsely as it keeps them."""
        self._folders.name(folder)
        step_ns = await self._hop(_time_step_ns, folder)
        if step_ns > self.capabilities.time_step_ns:
            self.capabilities = changed(self.capabilities, time_step_ns=step_ns)

    async def resolve(self, location: Location) -> Location:
        return location

    async def list(self, folder: Location) -> AsyncIterator[Sequence[Entry]]:
        listing = _Listing(self._folders, folder)
        try:
            while page := await self._hop(listing.read):
                yield page
        finally:
            listing.close()

    async def stat(self, location: Location, *, follow: bool = False) -> Entry:
        return await self._hop(self._stat, location, follow)

    def _stat(self, location: Location, follow: bool) -> Entry:
        with self._folders.at(location, "look at") as (folder, name):
            return entry_at(folder.root.fd, name, location.name, follow=follow)

    async def get(
        self, location: Location, most_bytes: int, seen: Entry | None = None
    ) -> tuple[Entry, bytes]:
        return await self._together.do(partial(end_files.get, self._folders, location, most_bytes))

    async def put(
        self, location: Location, data: bytes, attributes: Attributes, tag: str, *, replace: bool, flush: bool
    ) -> None:
        put = partial(
            end_files.put, self._folders, location, data, attributes, tag, replace=replace, flush=flush
        )
        # What waits for the disk is worth a thread of its own.
        await (self._hop(put) if flush else self._together.do(put))

    async def open_reader(self, location: Location) -> Reader:
        return await self._opened(LocalReader.open, self._hop, self._folders, location)

    async def open_writer(self, location: Location, identity: Identity) -> Writer:
        return await self._opened(LocalWriter, self._hop, self._folders, location, identity)

    async def copy(
        self, source: Location, target: Location, attributes: Attributes, tag: str, *, replace: bool
    ) -> None:
        raise Unsupported(f"cannot copy {source}: not supported there", location=source)

    async def make_folder(self, location: Location, mode: int | None = None) -> None:
        await self._hop(self._make_folder, location, mode)

    def _make_folder(self, location: Location, mode: int | None) -> None:
        with self._folders.at(location, "create the folder") as (folder, name):
            try:
                check_end(folder.root.fd, name, folder.root, b"")
                os.mkdir(name, 0o777 if mode is None else stat.S_IMODE(mode), dir_fd=folder.root.fd)
            except OSError as error:
                raise told(error, location, "create the folder") from error
            if mode is not None:
                change_mode(folder.root.fd, name, lambda _: stat.S_IMODE(mode))

    async def make_symlink(
        self, location: Location, points_to: str, tag: str, *, replace: bool, mtime_ns: int | None = None
    ) -> bool:
        return await self._hop(self._make_symlink, location, os.fsencode(points_to), tag, replace, mtime_ns)

    def _make_symlink(
        self, location: Location, points_to: bytes, tag: str, replace: bool, mtime_ns: int | None
    ) -> bool:
        with self._folders.at(location, "create the link") as (folder, name):
            fd = folder.root.fd
            try:
                if not replace:
                    os.symlink(points_to, name, dir_fd=fd)
                    return _link_dated(fd, name, mtime_ns)
                scratch = name_of_half(tag, name, len(points_to), 0)
                discard(fd, scratch)
                os.symlink(points_to, scratch, dir_fd=fd)
                try:
                    dated = _link_dated(fd, scratch, mtime_ns)
                    os.rename(scratch, name, src_dir_fd=fd, dst_dir_fd=fd)
                except BaseException:
                    discard(fd, scratch)
                    raise
                return dated
            except OSError as error:
                if error.errno in _NO_LINKS:
                    raise not_held(_A_LINK, location) from error
                raise told(error, location, "create the link") from error

    async def remove_file(self, location: Location) -> None:
        await self._hop(self._remove, location, os.unlink)

    async def remove_folder(self, location: Location) -> None:
        await self._hop(self._remove, location, os.rmdir)

    def _remove(self, location: Location, remove: Callable[..., None]) -> None:
        with self._folders.at(location, "remove") as (folder, name):
            remove(name, dir_fd=folder.root.fd)

    async def rename(self, location: Location, new: Location, *, replace: bool = False) -> None:
        await self._hop(self._rename, location, new, replace)

    def _rename(self, location: Location, new: Location, replace: bool) -> None:
        at = self._folders.at
        with at(location, "rename") as (folder, name), at(new, "rename to") as (new_folder, new_name):
            old_fd, new_fd = folder.root.fd, new_folder.root.fd
            try:
                if replace:
                    os.rename(name, new_name, src_dir_fd=old_fd, dst_dir_fd=new_fd)
                else:
                    rename_at(old_fd, name, new_fd, new_name)
            except FileNotFoundError as error:
                gone = location if look(old_fd, name) is None else new
                raise told(error, gone, "rename") from error
            except OSError as error:
                if folder.root.device != new_folder.root.device:
                    raise other_filesystem(location, new) from error
                raise told(error, new, "rename to") from error

    async def set_attributes(self, location: Location, attributes: Attributes) -> None:
        await self._hop(self._set_attributes, location, attributes)

    def _set_attributes(self, location: Location, wanted: Attributes) -> None:
        with self._folders.at(location, "change") as (folder, name):
            fd = folder.root.fd
            if stat.S_ISLNK(os.lstat(name, dir_fd=fd).st_mode):
                message = f"cannot change {location}: it is a link"
                raise LinkInTheWay(message, "Change what it points to.", location=location)
            mode = wanted.mode
            if mode is not None:
                change_mode(fd, name, lambda _: stat.S_IMODE(mode))
            if wanted.mtime_ns is not None:
                atime_ns = os.lstat(name, dir_fd=fd).st_atime_ns
                os.utime(name, ns=(atime_ns, wanted.mtime_ns), dir_fd=fd, follow_symlinks=False)

    async def space(self, folder: Location) -> Space:
        return await self._hop(self._space, folder)

    def _space(self, location: Location) -> Space:
        with self._folders.within(location, "measure the room of") as folder:
            return space_at(folder.root.fd)

    async def abandon(self, folder: Location, tag: str) -> int:
        return await self._hop(self._abandon, folder, tag)

    def _abandon(self, location: Location, tag: str) -> int:
        with self._folders.within(location, "tidy up") as folder:
            return sweep(folder.root, b"", tag)

    async def flush(self, folder: Location) -> None:
        await self._hop(self._flush, folder)

    def _flush(self, location: Location) -> None:
        with self._folders.within(location, "flush") as folder:
            DiskFlush([(folder.root.device, os.dup(folder.fd), location)])()

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._threads.shutdown(cancel_futures=False)
            self._folders.close()


def _drop(opening: asyncio.Future[Any]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().drop()


class _Listing:
    """Reads the entries of a folder page by page: a small page first.

    One thread reads at a time; `close` may come from any other, even while a read hangs.
    """

    def __init__(self, folders: Folders, location: Location) -> None:
        self._folders, self._location = folders, location
        self._count = _FIRST_ENTRIES
        self._lock = threading.Lock()
        self._closed = False
        self._fd = -1
        self._entries: os._ScandirIterator[str] | None = None

    def read(self) -> Sequence[Entry]:
        """Return the next page; an empty one at the end."""
        try:
            with self._lock:
                return () if self._closed else self._page()
        except OSError as error:
            raise from_os_error(error, self._location, "read the folder") from error
        finally:
            if self._closed:
                self.close()

    def _page(self) -> Sequence[Entry]:
        if self._entries is None:
            with self._folders.within(self._location, "read the folder") as folder:
                self._fd = folder.root.folder(b"")
            self._entries = os.scandir(self._fd)
        page: list[Entry] = []
        for found in self._entries:
            try:
                page.append(entry_of(found.stat(follow_symlinks=False), found.name))
            except FileNotFoundError:
                continue  # removed since the folder was read
            if len(page) >= self._count or self._closed:
                break
        self._count = _MOST_ENTRIES
        return page

    def close(self) -> None:
        """Stop reading. Where a read is under way, it lets go of the folder when it comes back."""
        self._closed = True
        if self._lock.acquire(blocking=False):
            try:
                if self._entries is not None:
                    self._entries.close()
                    self._entries = None
                fd, self._fd = self._fd, -1
                syscalls.let_go(fd)
            finally:
                self._lock.release()


class LocalOpener:
    """Implements `tui.places.base.Opener`.

    Args:
        bases: As for `LocalEnd`.
    """

    def __init__(self, *bases: Location) -> None:
        self._bases = bases

    async def open(self, location: Location, asker: Asker) -> LocalEnd:
        step_ns = await aiofiles.os.wrap(_time_step_ns)(location if location.is_root else location.parent)
        return LocalEnd(*self._bases, time_step_ns=step_ns)


def _time_step_ns(folder: Location) -> int:
    """Return how finely times are kept in a folder, or where it is to be."""
    root, _ = nearest(folder)
    with root:
        return time_step_ns(root.device, root.ways)


def _link_dated(folder: int, name: bytes, mtime_ns: int | None) -> bool:
    """Give a link its time, where there is one to give; say whether it has it."""
    if mtime_ns is None:
        return True
    try:
        os.utime(name, ns=(mtime_ns, mtime_ns), dir_fd=folder, follow_symlinks=False)
    except (OSError, OverflowError):
        return False
    return True
