"""Files of the local disk as one end of a copy: read by range, written piece by piece, or made whole."""

from __future__ import annotations

import os
import stat
import threading
import time
from typing import TYPE_CHECKING

from tui.model.entry import Entry, kind_of_mode
from tui.model.error import IsAFolder, Unsupported, from_os_error
from tui.model.fidelity import Trait
from tui.model.job import Flush
from tui.places.local import attributes, syscalls
from tui.places.local.flushing import Refused, flush_folder
from tui.places.local.landing import Again, Draft, Landing
from tui.places.local.names import check_end, check_size, told
from tui.places.local.partial import NO_HALF, discard, is_own_file, name_of_half
from tui.places.local.single import read_all
from tui.places.local.standing import READ_FLAGS
from tui.places.local.traits import Traits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any

    from tui.model.location import Location
    from tui.places.base import Attributes, Buffer, Identity
    from tui.places.local.end_folders import Folder, Folders

    Hop = Callable[..., Awaitable[Any]]

_WRITE = os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
_NEW = _WRITE | os.O_CREAT | os.O_EXCL
_NEW_FILE_MODE = 0o666
_MOST_PIECES = 512
"""Written in one call: POSIX promises 16, Linux, FreeBSD and macOS take 1024."""


def entry_of(info: os.stat_result, name: str) -> Entry:
    """Return what a state tells of an entry: no names of users, nor where a link points."""
    return Entry(
        name,
        kind_of_mode(info.st_mode),
        info.st_size,
        info.st_mtime_ns,
        info.st_mode,
        info.st_uid,
        info.st_gid,
        info.st_nlink,
    )


def open_regular(folder: int, name: bytes, location: Location) -> tuple[int, os.stat_result]:
    """Open a regular file to be read, links not followed."""
    fd = os.open(name, READ_FLAGS, dir_fd=folder)
    info = os.fstat(fd)
    if stat.S_ISREG(info.st_mode):
        return fd, info
    syscalls.let_go(fd)
    if stat.S_ISDIR(info.st_mode):
        raise IsAFolder(f"cannot read {location}: it is a folder", "Open it instead.", location=location)
    message = f"cannot read {location}: it is not a regular file"
    raise Unsupported(message, "Only regular files can be read.", location=location)


def get(folders: Folders, location: Location, most_bytes: int) -> tuple[Entry, bytes]:
    """Read a small file whole."""
    with folders.at(location, "read") as (folder, name):
        fd, info = open_regular(folder.root.fd, name, location)
        try:
            # One byte more than it has: a file that grows while it is read is told from one that does not.
            data = os.read(fd, min(info.st_size, most_bytes) + 1)
            if len(data) != info.st_size:
                data = read_all(fd, 0, most_bytes + 1)
                info = os.fstat(fd)
        finally:
            syscalls.let_go(fd)
    if len(data) > most_bytes:
        message = f"cannot read {location}: it has grown to more than {most_bytes} bytes"
        raise Unsupported(message, "Retry when it is at rest.", location=location)
    return entry_of(info, location.name), data


def put(
    folders: Folders,
    location: Location,
    data: bytes,
    wanted: Attributes,
    tag: str,
    *,
    replace: bool,
    flush: bool,
) -> None:
    """Make a small file whole: nameless where that can be, else under a partial name."""
    with folders.at(location, "write") as (folder, name):
        try:
            check_end(folder.fd, name, folder.root, b"")
            landing = landing_in(folder, wanted, tag, flush=flush)
            try:
                _put(landing, name, data, wanted, replace=replace)
            except Again:
                _put(landing, name, data, wanted, replace=replace)
        except Refused as error:
            raise error.told(location) from error
        except OSError as error:
            raise told(error, location, "write") from error
        if flush:
            flush_folder(folder.fd, location.parent)


def _put(landing: Landing, name: bytes, data: bytes, wanted: Attributes, *, replace: bool) -> None:
    draft = landing.draft(name, _state(len(data), wanted.mtime_ns or 0), (), replace=replace)
    try:
        write_all(draft.fd, data, 0)
        give(landing, draft, wanted)
        landing.publish(draft, name, len(data), replace=replace)
    except BaseException:
        landing.abandon(draft)
        raise


def landing_in(folder: Folder, wanted: Attributes, tag: str, *, flush: bool = False) -> Landing:
    """Return what puts files into a folder; owners stay as they come."""
    keep = {Trait.ACL} if wanted.mtime_ns is None else {Trait.ACL, Trait.TIMES}
    how = Flush.FILE if flush else Flush.NONE
    return Landing(folder.root, folder.fd, tag, Traits(keep), own=False, flush=how)


def give(landing: Landing, draft: Draft, wanted: Attributes) -> None:
    """Give a written file what it is to have, the time last.

    Its owner is whoever runs this, not the other end's: it never becomes a program that runs as somebody else.
    """
    made = os.fstat(draft.fd)
    if wanted.mode is None:
        attributes.set_mode(draft.fd, _NEW_FILE_MODE & ~landing.root.umask)
        if wanted.mtime_ns is not None:
            attributes.set_times(draft.fd, _state(made.st_size, wanted.mtime_ns), landing.traits)
        return
    mtime_ns = made.st_mtime_ns if wanted.mtime_ns is None else wanted.mtime_ns
    mode = stat.S_IFREG | stat.S_IMODE(wanted.mode) & ~attributes.SET_ID
    landing.give(-1, draft, b"", _state(made.st_size, mtime_ns, mode, made.st_uid, made.st_gid), ())


def _state(
    size_bytes: int, mtime_ns: int, mode: int = stat.S_IFREG | 0o600, uid: int = -1, gid: int = -1
) -> os.stat_result:
    """Return the state of a file as the other end has it, in the form in which copies on this disk take it."""
    plain = (mode, 0, 0, 1, uid, gid, size_bytes, 0, 0, 0)
    return os.stat_result(plain, {"st_atime_ns": time.time_ns(), "st_mtime_ns": mtime_ns})


def write_all(fd: int, data: bytes | memoryview, offset: int) -> None:
    """Write all of some bytes."""
    written = os.pwrite(fd, data, offset)
    while written < len(data):
        written += os.pwrite(fd, memoryview(data)[written:], offset + written)


def write_pieces(fd: int, pieces: Sequence[Buffer], offset: int) -> None:
    """Write all of some pieces, one behind the other."""
    for start in range(0, len(pieces), _MOST_PIECES):
        some = pieces[start : start + _MOST_PIECES]
        size_bytes = sum(map(len, some))
        written = os.pwritev(fd, some, offset)
        if written < size_bytes:
            write_all(fd, memoryview(b"".join(some))[written:], offset + written)
        offset += size_bytes


class LocalReader:
    """Implements `tui.places.base.Reader`."""

    def __init__(self, hop: Hop, location: Location, fd: int, info: os.stat_result) -> None:
        self._hop, self._location, self._fd = hop, location, fd
        self.entry = entry_of(info, location.name)
        self._users, self._closed = 0, False
        self._lock = threading.Lock()
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_SEQUENTIAL)

    @classmethod
    def open(cls, hop: Hop, folders: Folders, location: Location) -> LocalReader:
        with folders.at(location, "read") as (folder, name):
            fd, info = open_regular(folder.root.fd, name, location)
        return cls(hop, location, fd, info)

    async def read(self, offset: int, size_bytes: int) -> bytes:
        data: bytes = await self._hop(self._use, read_all, offset, size_bytes)
        return data

    async def pieces(self, offset: int, size_bytes: int) -> Sequence[Buffer]:
        return [await self.read(offset, size_bytes)]

    async def look(self) -> Entry:
        info: os.stat_result = await self._hop(self._use, os.fstat)
        return entry_of(info, self._location.name)

    async def close(self) -> None:
        self.drop()

    def drop(self) -> None:
        with self._lock:
            self._closed = True
        self._let_go()

    def _use(self, do: Callable[..., Any], *args: int) -> Any:
        """Do something with the open file. One closed meanwhile, by whoever gave up waiting, is closed afterwards."""
        with self._lock:
            if self._closed:
                raise Unsupported(f"cannot read {self._location}: it was closed", location=self._location)
            self._users += 1
        try:
            return do(self._fd, *args)
        except OSError as error:
            raise from_os_error(error, self._location, "read") from error
        finally:
            with self._lock:
                self._users -= 1
            self._let_go()

    def _let_go(self) -> None:
        with self._lock:
            if self._closed and not self._users:
                fd, self._fd = self._fd, -1
                syscalls.let_go(fd)


class LocalWriter:
    """Implements `tui.places.base.Writer`: a file under its partial name. Its size tells how far it got.

    One thread is at it at a time: whoever ends it waits for a write that was given up.
    """

    def __init__(self, hop: Hop, folders: Folders, location: Location, identity: Identity) -> None:
        """Open it; to be called in a thread."""
        self._hop, self._folders, self._location, self._tag = hop, folders, location, identity.tag
        self._name = os.fsencode(location.name)
        self._scratch = name_of_half(identity.tag, self._name, identity.size_bytes, identity.mtime_ns)
        self._lock = threading.Lock()
        self._fd = -1
        self._folder: Folder | None = folders.take(location.parent)
        try:
            self._fd = self._open(self._folder, identity.size_bytes)
            self.start = os.fstat(self._fd).st_size
        except BaseException as error:
            self._end()
            if isinstance(error, OSError):
                raise told(error, location, "write") from error
            raise

    def _open(self, folder: Folder, size_bytes: int) -> int:
        check_end(folder.fd, self._name, folder.root, b"")
        fd = self._reopen(folder, size_bytes)
        if fd < 0:
            fd = os.open(self._scratch, _NEW, 0o600, dir_fd=folder.root.fd)
        try:
            check_size(fd, size_bytes, self._location)
        except BaseException:
            syscalls.let_go(fd)
            raise
        return fd

    def _reopen(self, folder: Folder, size_bytes: int) -> int:
        """Open what an earlier writer left; what cannot be one's own half file is removed."""
        fd = -1
        try:
            fd = os.open(self._scratch, _WRITE, dir_fd=folder.root.fd)
            found = os.fstat(fd)
            if is_own_file(found, os.fstat(folder.root.fd)) and found.st_size <= size_bytes:
                return fd
        except FileNotFoundError:
            return -1
        except OSError as error:
            if error.errno not in NO_HALF:
                # A disk that fails, or too many open files, make no half file worthless.
                syscalls.let_go(fd)
                raise
        syscalls.let_go(fd)
        discard(folder.root.fd, self._scratch)
        return -1

    async def check(self, size_bytes: int) -> bytes | None:
        first = max(self.start - size_bytes, 0)
        data: bytes = await self._hop(
            self._do, "read", lambda _: read_all(self._fd, first, self.start - first)
        )
        return data

    async def rewind(self) -> None:
        await self._hop(self._do, "write", lambda _: os.ftruncate(self._fd, 0))
        self.start = 0

    async def write(self, offset: int, *pieces: Buffer) -> None:
        await self._hop(self._do, "write", lambda _: write_pieces(self._fd, pieces, offset))

    async def publish(self, attributes: Attributes, *, replace: bool, flush: bool) -> None:
        await self._hop(self._publish, attributes, replace, flush)

    async def suspend(self) -> None:
        await self._hop(self._finish, False)

    async def discard(self) -> None:
        await self._hop(self._finish, True)

    def _do(self, doing: str, do: Callable[[Folder], Any]) -> Any:
        with self._lock:
            if self._folder is None:
                message = f"cannot {doing} {self._location}: it was closed"
                raise Unsupported(message, location=self._location)
            try:
                return do(self._folder)
            except Refused as error:
                raise error.told(self._location) from error
            except OSError as error:
                raise told(error, self._location, doing) from error

    def _publish(self, wanted: Attributes, replace: bool, flush: bool) -> None:
        def name_it(folder: Folder) -> None:
            if self._fd < 0:  # the name was taken when it was tried before
                self._fd = os.open(self._scratch, _WRITE, dir_fd=folder.root.fd)
            landing = landing_in(folder, wanted, self._tag, flush=flush)
            draft = Draft(self._fd, self._scratch, 0o600)
            size_bytes = os.fstat(self._fd).st_size
            try:
                give(landing, draft, wanted)
                landing.publish(draft, self._name, size_bytes, replace=replace)
            finally:
                self._fd = draft.fd
            if flush:
                flush_folder(folder.fd, self._location.parent)

        self._do("write", name_it)
        self._end()

    def drop(self) -> None:
        """Close it and keep what is there."""
        self._finish(False)

    def _finish(self, remove: bool) -> None:
        with self._lock:
            if remove and self._folder is not None:
                discard(self._folder.root.fd, self._scratch)
            self._end()

    def _end(self) -> None:
        fd, self._fd = self._fd, -1
        syscalls.let_go(fd)
        folder, self._folder = self._folder, None
        if folder is not None:
            self._folders.give_back(folder)
