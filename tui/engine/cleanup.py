"""What a cancelled job leaves behind is tidied up: half files go, finished ones stay under their names, or go too."""

from __future__ import annotations

import logging
import os
import stat
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tui.engine.halves import drop_halves
from tui.engine.look import free_name
from tui.engine.planner import chunks
from tui.engine.rows import Cleanup
from tui.model.error import AlreadyExists, PlaceError
from tui.model.job import Conflict, JobKind
from tui.places.local import syscalls
from tui.places.local.copy_rules import CopyRules
from tui.places.local.copying import sweep
from tui.places.local.hops import Brake
from tui.places.local.moved_removal import MovedRemoval
from tui.places.local.partial import prefix
from tui.places.local.removal import TreeRemoval
from tui.places.local.root import Root, join
from tui.places.local.staging import publish, stage_name
from tui.places.local.standing import is_folder, look
from tui.places.local.supplanting import put_back

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.engine.rows import Source
    from tui.engine.run import Run

logger = logging.getLogger(__name__)

PAGE = 256
HOP_S = 0.1

DOUBT = "a disk may not have taken all that was copied: compare it before you rely on it"


class Begun(NamedTuple):
    """A tree that was being built, and is to stay as far as it is: what is copied, where, and its final name."""

    source: bytes
    stage: bytes
    name: bytes


@dataclass(slots=True)
class Left:
    """What is still to be gone through after a look at some sources."""

    remove: list[bytes] = field(default_factory=list)
    take_back: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Trees of this job's that others may have put something into: the name of the source, and that of the copy."""
    sweep: list[bytes] = field(default_factory=list)
    stages: list[Begun] = field(default_factory=list)


async def tidy_up(run: Run, how: Cleanup) -> str:
    """Tidy up after a cancelled copy or move; return a note on what is left, or ""."""
    row = run.record.row
    if row.far:
        from tui.engine.far.tidying import tidy_up as tidy_up_far

        return await tidy_up_far(run, how)
    if (
        row.kind not in (JobKind.COPY, JobKind.MOVE, JobKind.SYNC)
        or row.target is None
        or not run.record.walk
    ):
        return ""
    try:
        target = await run.hop(Root.open, row.target.path if row.into else row.target.parent.path)
    except PlaceError:
        return ""
    left: list[bytes] = []
    try:
        start = 0
        while page := await run.journal.sources(row.id, start, PAGE):
            for chunk in chunks(page):
                left = [*left, *await _tidy(run, chunk, target, how)][:2]
            start = page[-1].idx + 1
        await run.hop(sweep, target, b"", row.tag)
    finally:
        run.release(target)
    return _told(run, left, target, how)


def _told(run: Run, names: Sequence[bytes], target: Root, how: Cleanup) -> str:
    """Return a note on what is left of a cancelled job."""
    if how is Cleanup.DROP:
        where = target.location(names[0]) if names else None
        return f"cancelled: {where} stays: not all in it is as it was copied" if where else ""
    doubt = DOUBT if run.record.doubtful else ""
    incomplete = ""
    if names:
        incomplete = f"{target.location(names[0])}{' and others are' if names[1:] else ' is'} incomplete"
    said = ", and ".join(part for part in (incomplete, doubt) if part)
    return f"cancelled: {said}" if said else ""


async def _tidy(run: Run, sources: Sequence[Source], target: Root, how: Cleanup) -> list[bytes]:
    """Tidy up behind some sources of one folder; return the names of trees that stay, and are no whole copies."""
    names: list[bytes] = []
    parent = await run.hop(_open, sources[0].location.parent.path)
    try:
        left = await run.hop(_look, run, sources, parent, target, how)
        for begun in left.stages:
            names += await _leave(run, parent, target, begun)
        await _go_through(run, target, left)
        for original, name in left.take_back:
            assert parent is not None  # else there would be nothing it still is a copy of
            names += await _take_back(run, parent, original, target, name)
    finally:
        run.release(parent)
    return names


async def _go_through(run: Run, target: Root, left: Left) -> None:
    for name in left.remove:
        await _remove(run, target, name)
    folders = left.sweep
    while folders:
        for path in await run.hop(_sweep_some, target, folders, run.record.row.tag):
            await _remove(run, target, path)


async def _remove(run: Run, target: Root, path: bytes) -> None:
    removal = TreeRemoval(target, path, Brake(), opening=True)
    try:
        while not (await run.hop(removal.step)).exhausted:
            pass
    finally:
        run.release(removal)


async def _take_back(run: Run, parent: Root, original: bytes, target: Root, name: bytes) -> list[bytes]:
    """Remove of a copied tree what still is as its original; return its name, if anything else is in it."""
    row = run.record.row
    rules = CopyRules(row.tag, Conflict.SKIP, keep=row.preserve)
    removal = MovedRemoval(target, parent, name, original, Brake(), rules, homes=run.homes, opening=True)
    try:
        while not (await run.hop(removal.step)).exhausted:
            pass
    finally:
        run.release(removal)
    return [] if await run.hop(look, target.fd, name) is None else [name]


async def _leave(run: Run, parent: Root | None, target: Root, begun: Begun) -> list[bytes]:
    """Give what was built its final name, without what is half; return the name it has now, if anything is left."""
    source, stage, name = begun
    if error := await drop_halves(run, parent, source, target, stage, for_good=True):
        logger.warning("job %d: what is half stays out of sight: %s", run.record.id, error)
        return [stage]
    return await run.hop(_published, target, stage, name)


def _published(target: Root, stage: bytes, name: bytes) -> list[bytes]:
    with suppress(OSError):  # something was copied: it stays
        os.rmdir(stage, dir_fd=target.fd)
        return []
    try:
        publish(target, stage, name)
    except AlreadyExists:
        name = free_name(target, name, is_folder=True)
        publish(target, stage, name)
    return [name]


def _look(run: Run, sources: Sequence[Source], parent: Root | None, target: Root, how: Cleanup) -> Left:
    """Say what is to be left, removed or swept of some sources of one folder."""
    left = Left()
    row = run.record.row
    for source in sources:
        original = os.fsencode(source.location.name)
        final = source.target or (row.target if row.target and not row.into else source.location)
        name = os.fsencode(final.name)
        stage = stage_name(row.tag, name)
        if look(target.fd, stage) is not None:
            if how is Cleanup.DROP:
                left.remove.append(stage)
            else:
                left.stages.append(Begun(original, stage, name))
        elif how is Cleanup.DROP and _is_ours(source, parent, target, name):
            if is_folder(os.lstat(name, dir_fd=target.fd)):
                left.take_back.append((original, name))
                left.sweep.append(name)
            else:
                left.remove.append(name)
        elif (there := look(target.fd, name)) is not None and stat.S_ISDIR(there.st_mode):
            left.sweep.append(name)
    return left


def _open(path: str) -> Root | None:
    try:
        return Root.open(path)
    except PlaceError:
        return None


def _is_ours(source: Source, parent: Root | None, target: Root, name: bytes) -> bool:
    """Say whether what stands at the target was made by this job at a free name, and the original is still whole."""
    there = look(target.fd, name)
    if not source.fresh or source.phase is not None or there is None or parent is None:
        return False
    info = look(parent.fd, os.fsencode(source.location.name))
    if info is None or stat.S_IFMT(info.st_mode) != stat.S_IFMT(there.st_mode):
        return False
    if stat.S_ISDIR(info.st_mode):
        return True
    return stat.S_ISLNK(info.st_mode) or (info.st_size, info.st_mtime_ns) == (
        there.st_size,
        there.st_mtime_ns,
    )


def _sweep_some(target: Root, folders: list[bytes], tag: str) -> list[bytes]:
    """Remove half files from folders and those below them, for about HOP_S; the list holds what is left.

    Returns:
        What was to take the place of something else, or whose place was taken: it is to be removed.
    """
    end = time.monotonic() + HOP_S
    given_up: list[bytes] = []
    while folders and time.monotonic() < end:
        path = folders.pop()
        try:
            sweep(target, path, tag)
            fd = target.folder(path)
        except PlaceError:
            continue
        try:
            with os.scandir(fd) as entries:
                below = [(os.fsencode(e.name), e.is_dir(follow_symlinks=False)) for e in entries]
            for name, is_folder in below:
                if name.startswith(prefix(tag)):
                    put_back(fd, name)
                    given_up.append(join(path, name))
                elif is_folder:
                    folders.append(join(path, name))
        except OSError:
            continue
        finally:
            syscalls.let_go(fd)
    return given_up
