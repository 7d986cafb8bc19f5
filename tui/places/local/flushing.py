"""Bringing what was written onto the disk, and hearing of it where that fails."""

from __future__ import annotations

import errno
import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from tui.model.error import NotFlushed, NotFound, PlaceError, from_os_error
from tui.places.local import syscalls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.model.location import Location
    from tui.places.local.root import Root

logger = logging.getLogger(__name__)

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Refused(Exception):
    """The disk did not take a file: an error of the target's, whatever its number. The file has no final name yet."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error

    def told(self, where: Location) -> PlaceError:
        """Return what a person is told of it."""
        return from_os_error(self.error, where, "write to the disk")


def flush_file(fd: int) -> None:
    """Return when a file's content and attributes are on the disk.

    Raises:
        Refused: They may not be.
    """
    try:
        syscalls.sync_file(fd)
    except OSError as error:
        raise Refused(error) from error


def flush_folder(fd: int, where: Location) -> None:
    """Return when the names in a folder are on the disk.

    Raises:
        NotFlushed: They may not be.
    """
    try:
        syscalls.sync_file(fd)
    except OSError as error:
        # Some network filesystems know no fsync of folders: their servers write names down at once.
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise _not_flushed(error, where) from error


def _not_flushed(error: OSError, where: Location) -> NotFlushed:
    reason = from_os_error(error, where, "write").message.rpartition(": ")[2]
    return NotFlushed(f"the disk did not take what was written to {where}: {reason}", location=where)


class Disks:
    """The filesystems a job writes to, each open from before it is written to for as long as the job runs.

    Linux tells of a failed write-back at the next flush through each descriptor that was open by then; through one
    opened later only if nobody was told before. (`man 2 syncfs`, since Linux 5.8.)
    """

    def __init__(self, target: Root) -> None:
        """Open the filesystem of the target folder.

        Raises:
            PlaceError: It cannot be opened.
        """
        self._target = target
        self._open = {target.device: (target.folder(b""), target.location())}
        self._missed: dict[int, bytes] = {}

    def add(self, device: int, path: bytes) -> None:
        """Note that a folder below the target, on this device, is written to."""
        if device in self._open:
            return
        try:
            fd = self._target.folder(path)
        except PlaceError:
            self._missed[device] = path  # tried again when it is to be flushed
            return
        if self._open.setdefault(device, (fd, self._target.location(path)))[0] != fd:
            syscalls.let_go(fd)

    def flush(self) -> DiskFlush:
        """Return a flush of all of them, to be called in a thread, which may outlive this object.

        Raises:
            NotFlushed: One of them cannot be reached.
        """
        for device, path in list(self._missed.items()):
            try:
                self._open[device] = self._target.folder(path), self._target.location(path)
            except NotFound:
                logger.info("%s has gone, and with it what was to be flushed there", ascii(path))
            except PlaceError as error:
                where = self._target.location(path)
                raise NotFlushed(
                    f"what was written to {where} is not flushed: {error}", location=where
                ) from error
            del self._missed[device]
        return DiskFlush(self._again(self._open))

    def flush_names(self) -> DiskFlush:
        """Return a flush of the names in the target folder, and of its own name, alone.

        Raises:
            NotFlushed: They cannot be reached.
        """
        device = self._target.device
        ((_, fd, where),) = folders = self._again([device])
        with suppress(OSError):  # a folder above that may not be read: the system writes that in its own time
            folders.append((device, os.open("..", _FOLDER, dir_fd=fd), where.parent))
        return DiskFlush(folders, names_only=True)

    def _again(self, devices: Iterable[int]) -> list[tuple[int, int, Location]]:
        """Return (device, descriptor of its own, where) for what is open; each hears of the same errors."""
        found: list[tuple[int, int, Location]] = []
        for device in devices:
            fd, where = self._open[device]
            try:
                found.append((device, os.dup(fd), where))
            except OSError as error:
                syscalls.let_go(*(fd for _, fd, _ in found))
                raise _not_flushed(error, where) from error
        return found

    def close(self) -> None:
        """Let go of the filesystems."""
        for fd, _ in self._open.values():
            syscalls.let_go(fd)
        self._open.clear()


class DiskFlush:
    """Waits until whole filesystems (or the names in some folders) are on the disk, once.

    Attributes:
        devices: The filesystems that are flushed.
        failed: Those that did not take everything.
    """

    def __init__(self, folders: list[tuple[int, int, Location]], *, names_only: bool = False) -> None:
        self._folders, self._names_only = folders, names_only
        self.devices = {device for device, _, _ in folders}
        self.failed: set[int] = set()

    def __call__(self) -> None:
        """Return when all that was written before the call is on the disk.

        Raises:
            NotFlushed: One of the disks did not take everything; the others were flushed all the same.
        """
        failed: NotFlushed | None = None
        for device, fd, where in self._folders:
            try:
                if self._names_only:
                    flush_folder(fd, where)
                else:
                    syscalls.sync_filesystem(fd)
            except NotFlushed as error:
                failed = failed or error
            except OSError as error:
                self.failed.add(device)
                failed = failed or _not_flushed(error, where)
            finally:
                syscalls.let_go(fd)
        if failed is not None:
            raise failed

    def close(self) -> None:
        """Let go of the filesystems, where the call is not made after all."""
        syscalls.let_go(*(fd for _, fd, _ in self._folders))
        self._folders = []
