"""Undoing a job: what speaks against it is found out before anything is queued, and said in one sentence."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiofiles.os

from tui.engine.planner import refuse
from tui.engine.room import Shortage, has_room
from tui.engine.traces import Bar, Reversal
from tui.model.job import JobKind, JobState
from tui.model.location import Location
from tui.places.local.reversing import why_not_gone, why_not_it, why_not_there, why_not_writable
from tui.places.local.trash import is_trashed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor

    from tui.engine.board import Board, Record
    from tui.engine.journal import Journal
    from tui.engine.traces import Deed

PAGE = 512

REVERSIBLE = (JobKind.MOVE, JobKind.RENAME, JobKind.TRASH, JobKind.MAKE)

_BARS = {
    Bar.COPIED: "an earlier version of Ferry took {0} to another filesystem and kept no record; move it back instead",
    Bar.PARTLY: "only a part of {0} could be moved, and both parts may have changed; retry it, or move that back",
    Bar.MERGED: "{0} was merged into a folder that stood there, and cannot be told apart from it now",
    Bar.REPLACED: "{0} met a file of its name, and only one of the two is left",
    Bar.NAMES: "names in {0} may have been changed for the filesystem it went to; move it back instead",
    Bar.UNSEEN: "{0} could not be looked at where it went; move it back instead",
    Bar.UNSETTLED: "it was cancelled while {0} was on its way, and it is not known whether that went; look there",
    Bar.UNTOLD: "the trash of this system does not tell where {0} is; take it out there",
}


async def note_end(journal: Journal, board: Board, record: Record) -> None:
    """Note of a job that ends whether it can be undone; a reversal that did nothing leaves the other job as it was."""
    if record.row.kind not in REVERSIBLE:
        return
    found = await journal.sum_of_traces(record.id)
    made_anew = record.row.kind is JobKind.MAKE  # what was taken away may have been anything
    record.reversible = found.done > 0 and found.barred is None and not made_anew
    await journal.update(record.id, {"reversible": record.reversible})
    if not record.row.undoes or found.done or found.barred is not None:
        return
    # The other job may be off the list, to be brought back.
    await journal.forget_reversal(record.row.undoes, record.id)
    other = board.get(record.row.undoes)
    if other is not None and other.undone_by == record.id:
        other.undone_by = 0
        board.touch(other)


async def prepare(journal: Journal, record: Record, pool: Executor) -> Reversal:
    """Look whether the world still is as a job left it, if that was on the local disk; return what would undo it.

    Raises:
        NotPossible: It cannot be undone; the text names the reason.
    """
    what = f"undo job {record.id}"
    await _check_record(journal, record, what)
    if record.row.far:
        return await _prepare_far(journal, record, what)
    if record.row.kind is JobKind.MAKE:
        return await _prepare_unmaking(journal, record, pool, what)
    olds = _Olds()
    far = False
    before: int | None = None
    look = aiofiles.os.wrap(_look)
    while page := await journal.deeds(record.id, before, PAGE):
        for trouble in await look(page, executor=pool):
            if not await _is_in_order(journal, record.id, trouble):
                raise refuse(what, trouble.text)
        olds.add(page)
        far |= any(deed.home for deed in page)
        before = page[-1].idx
    kind = JobKind.MOVE if far else JobKind.RENAME
    if far:
        await _check_way_back(journal, record, olds, pool, what)
    if record.row.undoes and olds.first is not None and is_trashed(record.row.first_source.path):
        kind = JobKind.TRASH
    redo = bool(record.row.undoes) and not record.row.redo
    target = None if kind is JobKind.TRASH else olds.target
    return Reversal(record.id, kind, redo, target, into=olds.count != 1)


async def _prepare_far(journal: Journal, record: Record, what: str) -> Reversal:
    """Return what would undo a job beyond the local disk, from its record alone.

    The world is looked at by that job when its turn comes: a host may not answer, or ask for something first.
    """
    if record.row.kind is JobKind.MAKE:
        return Reversal(record.id, JobKind.MAKE, redo=False, target=None, into=True)
    olds, copied = _Olds(), False
    before: int | None = None
    while page := await journal.deeds(record.id, before, PAGE):
        olds.add(page)
        copied |= any(deed.home for deed in page)
        before = page[-1].idx
    assert olds.first is not None
    if copied and olds.scattered:
        raise refuse(what, f"not all of it came from {olds.first.parent}, and it was copied; move it back")
    redo = bool(record.row.undoes) and not record.row.redo
    kind = JobKind.MOVE if copied else JobKind.RENAME
    return Reversal(record.id, kind, redo, olds.target, into=olds.count != 1)


async def _prepare_unmaking(journal: Journal, record: Record, pool: Executor, what: str) -> Reversal:
    """Look whether what was made is as it was made."""
    (deed,) = await journal.deeds(record.id, None, 1)
    look = aiofiles.os.wrap(why_not_gone)
    if (reason := await look(deed.old, deed.identity, executor=pool)) is not None:
        raise refuse(what, reason)
    return Reversal(record.id, JobKind.MAKE, redo=False, target=None, into=True)


async def _check_way_back(journal: Journal, record: Record, olds: _Olds, pool: Executor, what: str) -> None:
    """Refuse what cannot be moved back across filesystems: one job has one target, and it must have the room."""
    assert olds.first is not None
    if olds.scattered:
        raise refuse(
            what,
            f"not all of it came from {olds.first.parent}, and it lies on another filesystem; move it back",
        )
    size_bytes = (await journal.sum_of_traces(record.id)).size_bytes
    fits = aiofiles.os.wrap(has_room)
    if await fits(olds.first.parent, size_bytes, executor=pool):
        return
    # That counted holes, and files with several names more than once: now it is counted as it will lie there.
    before: int | None = None
    shortage = Shortage(olds.first.parent)
    look = aiofiles.os.wrap(shortage.add)
    while not shortage.found and (page := await journal.deeds(record.id, before, PAGE)):
        await look([deed.where for deed in page if deed.where], executor=pool)
        before = page[-1].idx
    if shortage.found:
        raise refuse(what, shortage.found)


async def _check_record(journal: Journal, record: Record, what: str) -> None:
    """Refuse what cannot be undone whatever the disk looks like."""
    kind = record.row.kind
    if not record.state.is_final:
        raise refuse(what, f"it is {record.state}; cancel it, or wait for its end")
    if kind not in REVERSIBLE:
        why = {
            JobKind.COPY: "a copy is undone by deleting what it made",
            JobKind.DELETE: "what was deleted for good is gone",
            JobKind.CHMOD: "the permissions there were before are not kept",
            JobKind.SYNC: "what it replaced or removed is gone",
        }
        raise refuse(what, why.get(kind, f"a {kind} cannot be undone"))
    if kind is JobKind.MAKE and record.row.undoes:
        raise refuse(what, "what was taken away is not made again")
    if record.undone_by:
        raise refuse(what, f"job {record.undone_by} has undone it already, or is about to")
    found = await journal.sum_of_traces(record.id)
    if found.barred is not None:
        place, bar = found.barred
        raise refuse(what, _BARS[bar].format(place))
    if not found.done:
        nothing = record.state is not JobState.DONE or record.tally.files_done <= record.tally.files_skipped
        why_not = (
            "it has done nothing" if nothing else "an earlier version of Ferry did it and kept no record"
        )
        raise refuse(what, why_not)


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What one deed found in its way.

    Attributes:
        taken: The old place, where something stands at it: no trouble if this very undo takes that away.
        parent: The old folder, where it is gone: no trouble if this very undo brings it back.
    """

    text: str
    taken: Location | None = None
    parent: Location | None = None


@dataclass(slots=True)
class _Olds:
    """The old places seen so far: how many, and the folder of them all where there is one."""

    count: int = 0
    first: Location | None = None
    folder: Location | None = None
    scattered: bool = field(default=False)

    def add(self, deeds: Sequence[Deed]) -> None:
        for deed in deeds:
            self.count += 1
            self.first = self.first or deed.old
            self.scattered |= deed.old.parent != self.first.parent

    @property
    def target(self) -> Location | None:
        if self.first is None or self.scattered:
            return None
        return self.first if self.count == 1 else self.first.parent


async def _is_in_order(journal: Journal, job: int, trouble: _Trouble) -> bool:
    """Say whether what is in the way goes by itself, as in a swap of names, or of a folder with what was in it."""
    if trouble.taken is not None:
        return await journal.has_deed(job, at=[trouble.taken])
    if trouble.parent is not None:
        above = trouble.parent
        folders = [above]
        while not above.is_root:
            above = above.parent
            folders.append(above)
        return await journal.has_deed(job, of=folders)
    return False


def _look(deeds: Sequence[Deed]) -> list[_Trouble]:
    """Return what is not as it was left, in the order of the deeds."""
    found = [trouble for deed in deeds if (trouble := _look_at(deed)) is not None]
    folders = dict.fromkeys(place.parent for deed in deeds for place in (deed.old, deed.where) if place)
    return found + [_Trouble(text) for folder in folders if (text := why_not_writable(folder)) is not None]


def _look_at(deed: Deed) -> _Trouble | None:
    where = deed.where
    if where is None:
        return _Trouble(f"it is not known where {deed.old} is now")
    if (text := why_not_it(where, deed.identity)) is not None:
        return _Trouble(text)
    if deed.home and (text := why_not_there(deed.old.parent, deed.home)) is not None:
        return _Trouble(text)
    if not os.path.isdir(deed.old.parent.path):
        return _Trouble(f"the folder {deed.old.parent} is not there any more", parent=deed.old.parent)
    if os.path.lexists(deed.old.path):
        return _Trouble(f"something stands at {deed.old} now", taken=deed.old)
    return None
