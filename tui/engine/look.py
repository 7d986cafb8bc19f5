"""The first look at sources: what is to become of each, found out in a thread before anything is touched."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tui.engine.rows import Phase, Source
from tui.model.error import HoldsHome, NotFound, PlaceError, SameFile, TargetInsideSource, from_os_error
from tui.model.job import Conflict, Staging
from tui.places.local import syscalls
from tui.places.local.homes import Homes, spare_home
from tui.places.local.root import Root
from tui.places.local.standing import look, other_names, same_inode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.model.location import Location


class Way(Enum):
    """How a source gets to its target."""

    GONE = "gone"
    """It was moved before a crash: nothing is left to do."""
    REFUSED = "refused"
    RENAME = "rename"
    """A move on one filesystem to a free name."""
    TAKEN = "taken"
    """A move on one filesystem to a name that is taken."""
    NAME = "name"
    """Copied as one of several names: whatever is not a folder."""
    MERGE = "merge"
    """A folder that meets a folder, or whose files are to appear one by one."""
    STAGE = "stage"
    """A folder that is new at the target: built out of sight."""


@dataclass(slots=True)
class Step:
    """One source, looked at."""

    source: Source
    name: bytes
    target_name: bytes
    way: Way
    error: PlaceError | None = None
    info: os.stat_result | None = None
    there: os.stat_result | None = None
    compare: bool = False

    @property
    def idx(self) -> int:
        return self.source.idx

    @property
    def size_bytes(self) -> int:
        return self.info.st_size if self.info and not stat.S_ISDIR(self.info.st_mode) else 0


@dataclass(frozen=True, slots=True)
class Task:
    """What holds for the sources of a job.

    Attributes:
        names: What each is to be called at the target, by its number.
    """

    moves: bool
    names: dict[int, bytes]
    conflict: Conflict
    staging: Staging
    homes: Homes


def open_target(target: Location, *, into: bool) -> Root:
    """Open the folder things go into, making it and its parents where they are missing.

    Raises:
        PlaceError: It cannot be made or opened; without `into`, also where the target's folder is missing.
    """
    if not into:
        return Root.open(target.parent.path)
    try:
        return Root.open(target.path)
    except NotFound:
        try:
            os.makedirs(target.path, exist_ok=True)
        except OSError as error:
            raise from_os_error(error, target, "create the folder") from error
        return Root.open(target.path)


def ancestors(root: Root) -> set[tuple[int, int]]:
    """Return (device, inode) of an opened folder and of all above it."""
    found: set[tuple[int, int]] = set()
    try:
        fd = os.dup(root.fd)
    except OSError as error:
        raise from_os_error(error, root.location(), "open the folder") from error
    try:
        while True:
            info = os.fstat(fd)
            if (info.st_dev, info.st_ino) in found:
                return found
            found.add((info.st_dev, info.st_ino))
            above = os.open("..", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=fd)
            syscalls.let_go(fd)
            fd = above
    except OSError:
        return found  # a folder above may not be read: what is below it was seen
    finally:
        syscalls.let_go(fd)


def look_at(task: Task, sources: Sequence[Source], parent: Root, target: Root) -> list[Step]:
    """Say for each source of one folder how it gets into the target folder."""
    above = ancestors(target)
    return [_look_at_one(task, source, parent, target, above) for source in sources]


def _look_at_one(task: Task, source: Source, parent: Root, target: Root, above: set[tuple[int, int]]) -> Step:
    name = os.fsencode(source.location.name)
    target_name = task.names[source.idx]
    step = Step(source, name, target_name, Way.REFUSED)
    try:
        step.info = os.lstat(name, dir_fd=parent.fd)
        step.there = look(target.fd, target_name)
    except FileNotFoundError as error:
        if source.phase in (Phase.RENAMING, Phase.REMOVING):
            step.way = Way.GONE
        else:
            step.error = from_os_error(error, source.location, "read")
        return step
    except OSError as error:
        if step.info is None:
            step.error = from_os_error(error, source.location, "read")
        else:
            step.error = from_os_error(error, target.location(target_name), "write")
        return step
    _choose(task, step, parent, target, above)
    return step


def _choose(task: Task, step: Step, parent: Root, target: Root, above: set[tuple[int, int]]) -> None:
    assert step.info is not None
    is_folder = stat.S_ISDIR(step.info.st_mode)
    if task.moves:
        try:
            spare_home(step.info, step.source.location, task.homes, "move")
        except HoldsHome as error:
            step.error = error
            return
    here = (target.device, target.inode) == (parent.device, parent.inode) and step.name == step.target_name
    if here and (task.moves or task.conflict is not Conflict.RENAME):
        verb = "move" if task.moves else "copy"
        step.error = SameFile(
            f"cannot {verb} {step.source.location} onto itself", location=step.source.location
        )
        return
    if is_folder and (step.info.st_dev, step.info.st_ino) in above:
        verb = "move" if task.moves else "copy"
        step.error = TargetInsideSource(
            f"cannot {verb} {step.source.location} into itself: the target {target.location()} is in it",
            location=step.source.location,
        )
        return
    if here:
        step.target_name = free_name(target, step.name, is_folder=is_folder)
        step.there = None
    step.way = _way(task, step, target, is_folder=is_folder)


def _way(task: Task, step: Step, target: Root, *, is_folder: bool) -> Way:
    assert step.info is not None
    there_folder = step.there is not None and stat.S_ISDIR(step.there.st_mode)
    if is_folder and there_folder:
        return Way.MERGE
    if task.moves and step.info.st_dev == target.device:
        if step.there is None:
            return Way.RENAME
        if not _looks_same(step.info, step.there):
            return Way.TAKEN
    if is_folder and step.there is None:
        return way_of_new(task.staging)
    return Way.NAME


def way_of_new(staging: Staging) -> Way:
    """Return how a folder that is new at the target is copied."""
    return Way.STAGE if staging is Staging.TREE else Way.MERGE


def _looks_same(info: os.stat_result, there: os.stat_result) -> bool:
    """Say whether a move may find its work done: then contents are compared, and the original just goes."""
    if same_inode(info, there):
        return True
    kind = stat.S_IFMT(info.st_mode)
    facts = (kind, info.st_size, info.st_mtime_ns)
    return kind == stat.S_IFREG and facts == (stat.S_IFMT(there.st_mode), there.st_size, there.st_mtime_ns)


def free_name(folder: Root, name: bytes, path: bytes = b"", *, is_folder: bool = False) -> bytes:
    """Return "name (1).ext" or the first of its kind that is free in a folder below `folder`.

    Raises:
        PlaceError: The folder cannot be opened.
    """
    fd = folder.folder(path)
    try:
        for other in other_names(name, folder=is_folder):
            if look(fd, other) is None:
                return other
    except OSError as error:
        raise from_os_error(error, folder.location(path, name), "look for a free name like") from error
    finally:
        syscalls.let_go(fd)
    raise PlaceError(f"no free name is left for {folder.location(path, name)}")
