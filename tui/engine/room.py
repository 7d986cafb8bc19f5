"""Whether a job fits where it goes: what it needs, counted on the way, against what was free when it began."""

from __future__ import annotations

import errno
import os
import stat
import time
from typing import TYPE_CHECKING

from tui import format
from tui.engine.rows import name_of
from tui.model.error import PlaceError
from tui.model.job import Conflict, JobKind
from tui.places.local.hops import Brake
from tui.places.local.need import Need
from tui.places.local.room import Room, room_in, used_where
from tui.places.local.root import Root, nearest
from tui.places.local.scan import Scan
from tui.places.local.staging import stage_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.engine.board import Record
    from tui.engine.rows import Source
    from tui.model.error import OutOfSpace
    from tui.model.location import Location
    from tui.places.local.fitting import Fitting


LOOK_S = 2.0
"""So long a job that is to be undone is looked through, where it may not fit."""


class RoomCheck:
    """Holds what a copy or a move still has to write against the room at its target. All of it runs in threads.

    What a job writes meanwhile leaves its need and the room alike, so both are taken from before it began.
    """

    def __init__(self, record: Record, fitting: Fitting | None) -> None:
        """Open the target, or the nearest folder above it, and measure the room there.

        Args:
            fitting: How names are changed there.
        Raises:
            PlaceError, OSError: There is nothing to be measured; the job will find out why.
        """
        self._row, self._fitting = record.row, fitting
        assert record.row.target is not None
        folder = record.row.target if record.row.into else record.row.target.parent
        self._target, there = nearest(folder)
        try:
            self.room = room_in(self._target)
            again = record.walk > 0
            self.need = Need(
                self._target, record.row.tag, record.conflict, there=there, again=again, fitting=fitting
            )
        except BaseException:
            self._target.close()
            raise

    def close(self) -> None:
        self.need.leave()
        self._target.close()

    def plain(self, sources: Sequence[tuple[Source, os.stat_result]]) -> None:
        """Add sources that are no folders."""
        parent: Root | None = None
        try:
            for source, info in sources:
                if self._is_renamed(info):
                    continue
                path = source.location.parent.path
                if parent is None or parent.path != path:
                    if parent is not None:
                        parent.close()
                    parent = Root.open(path)
                name = os.fsencode(source.location.name)
                self.need.plain(parent.fd, name, self._target_name(source), info)
        except (PlaceError, OSError):
            return  # what cannot be looked at needs no room, and becomes an error of its own
        finally:
            if parent is not None:
                parent.close()

    def is_plenty(self, sources: Sequence[Source]) -> bool:
        """Say whether these folders fit for sure: all that is on their filesystem would."""
        used = used_where([source.location.path for source in sources])
        if used is None:
            return False
        size_bytes, files = used
        room = self.room
        return (room.free_bytes is None or size_bytes < room.free_bytes) and (
            room.free_files is None or files < room.free_files
        )

    def tree(self, source: Source) -> None:
        """Say that what is counted next is below this folder."""
        target_name = self._target_name(source)
        stage = stage_name(self._row.tag, target_name)
        self.need.tree(os.fsencode(source.location.name), target_name, stage)

    def shortage(self, *, complete: bool) -> str:
        """Return what is missing, in one sentence; empty where all that was counted so far fits.

        Args:
            complete: All was counted.
        """
        if self.need.may_shrink and not complete:
            return ""
        return shortage(self.room, self.need.size_bytes, self.need.files, complete=complete)

    def _is_renamed(self, info: os.stat_result) -> bool:
        return self._row.kind is JobKind.MOVE and info.st_dev == self._target.device

    def _target_name(self, source: Source) -> bytes:
        name = name_of(self._row, source)
        return name if self._fitting is None or source.target is not None else self._fitting.fit(name)


class Shortage:
    """Finds out, for about as long as a person waits, whether entries have no room where they are to go.

    Attributes:
        found: What is missing, in one sentence; empty where nothing is known to be.
    """

    def __init__(self, folder: Location) -> None:
        self.found = ""
        self._folder = folder
        self._size_bytes = 0
        self._ends = time.monotonic() + LOOK_S

    def add(self, places: Sequence[Location]) -> None:
        """Count some more entries. For a thread."""
        try:
            with Root.open(self._folder.path) as target:
                room = room_in(target)
                for place in places:
                    if room.free_bytes is None or self.found or time.monotonic() > self._ends:
                        return
                    self._count(place, target, room.free_bytes - self._size_bytes)
                    if self._size_bytes > room.free_bytes:
                        free = format.size(room.free_bytes)
                        self.found = (
                            f"it needs at least {format.size(self._size_bytes)}, {free} free on {room.mount}"
                        )
        except (PlaceError, OSError):
            return  # the job will tell what is wrong there

    def _count(self, place: Location, target: Root, enough_bytes: int) -> None:
        need = Need(target, "", Conflict.FAIL, there=True, again=False)
        name = os.fsencode(place.name)
        with Root.open(place.parent.path) as parent:
            info = os.lstat(name, dir_fd=parent.fd)
            if not stat.S_ISDIR(info.st_mode):
                need.plain(parent.fd, name, name, info)
        if stat.S_ISDIR(info.st_mode):
            need.tree(name, name, b"")
            scan = Scan(place.path, Brake(), need, unfinished=False)
            try:
                while (
                    not scan.exhausted and need.size_bytes <= enough_bytes and time.monotonic() < self._ends
                ):
                    scan.step()
            finally:
                scan.close()
        self._size_bytes += need.size_bytes


def has_room(folder: Location, size_bytes: int) -> bool:
    """Say whether so much fits into a folder at first sight, or cannot be told."""
    try:
        with Root.open(folder.path) as opened:
            free_bytes = room_in(opened).free_bytes
    except (PlaceError, OSError):
        return True
    return free_bytes is None or size_bytes <= free_bytes


_REMEDY = "free space and resume"
_REMOVE = "remove files and resume"


def shortage(room: Room, size_bytes: int, files: int, *, complete: bool) -> str:
    """Return what is missing in a room for so much, in one sentence; empty where it fits.

    Args:
        files: Files and folders to be made.
        complete: It is all that is wanted.
    """
    least = "" if complete else "at least "
    if room.free_bytes is not None and size_bytes > room.free_bytes:
        free = format.size(room.free_bytes)
        return f"needs {least}{format.size(size_bytes)}, {free} free on {room.mount}: {_REMEDY}"
    if room.free_files is not None and files > room.free_files:
        wanted, free = format.entries(files, "inode"), format.count(room.free_files)
        return f"needs {least}{wanted}, {free} free on {room.mount}: {_REMOVE}"
    return ""


def no_room(error: OutOfSpace, target: Location) -> str:
    """Return what ran out when something could not be written, in one sentence. For a thread.

    Args:
        target: What could not be written, or the folder it was to be in.
    """
    try:
        folder, _ = nearest(target if _is_folder(target) else target.parent)
        with folder:
            room = room_in(folder)
    except (PlaceError, OSError):
        room = Room(str(target), None, None)
    if error.errno == errno.EDQUOT:
        return f"the disk quota on {room.mount} is used up: {_REMEDY}"
    if room.free_files == 0:
        return f"no inodes left on {room.mount}: {_REMOVE}"
    free = "" if room.free_bytes is None else f" ({format.size(room.free_bytes)} free)"
    return f"no space left on {room.mount}{free}: {_REMEDY}"


def _is_folder(location: Location) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(location.path).st_mode)
    except OSError:
        return False
