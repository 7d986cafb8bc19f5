"""What is to happen to an entry whose name is taken at a far target, and what is counted of entries."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.engine.far.clashes import Clashes
from tui.engine.far.counts import Counts
from tui.engine.far.ends import Ends, look
from tui.engine.far.folder_times import FolderTimes
from tui.engine.far.standing import refusal
from tui.engine.far.suspects import Suspects
from tui.engine.far.transfer import Transfer
from tui.engine.run import Run
from tui.model.entry import EntryKind
from tui.model.error import AlreadyExists
from tui.model.job import Conflict, JobKind
from tui.model.location import Location
from tui.places.local.hops import Collision
from tui.places.local.standing import other_names

if TYPE_CHECKING:
    from collections.abc import Set

    from tui.engine.far.standing import Pairing
    from tui.engine.far.tree import Folder, Item, Whole
    from tui.engine.run import Sums
    from tui.model.entry import Entry
    from tui.places.base import Place


@dataclass(frozen=True, slots=True)
class Tools:
    """What all parts of a far job have in common. `halves`: target folders that may hold half files, and how many."""

    run: Run
    ends: Ends
    counts: Counts
    transfer: Transfer
    halves: dict[Location, int]
    clashes: Clashes
    times: FolderTimes

    @classmethod
    def of(cls, run: Run) -> Tools:
        record = run.record
        if record.halves is None and not record.walk:
            record.halves = {}
        halves = {} if record.halves is None else record.halves
        counts = Counts(run)
        clashes = Clashes(collects=record.row.delete_extra)
        return cls(run, Ends(run), counts, Transfer(run, counts, halves), halves, clashes, FolderTimes(run))


class Deciding:
    """Applies a job's rules to names that are taken.

    Args:
        source, target: Folders at the two places.
        fresh: The sources whose names at the target were free when the job came to them.
    Attributes:
        whole: The sources that are at the target with all that is in them. Of a move, the top of each is still where
            it was.
    """

    def __init__(self, tools: Tools, source: Location, target: Location, fresh: Set[int]) -> None:
        run = self._run = tools.run
        self._ends, self._counts, self._transfer = tools.ends, tools.counts, tools.transfer
        self._source, self._target = source, target
        self._fresh_sources, self._halves, self._clashes = fresh, tools.halves, tools.clashes
        self._times = tools.times
        self._moves = run.moves
        record = run.record
        self._compares = run.moves or run.verifies or record.doubtful or record.row.by_content
        """What looks the same only counts as the same when its content is."""
        self._by_size = record.row.kind is JobKind.SYNC
        """Where a place sets no times, what has the size and is not older counts as the same, and that is told: a
        sync, which comes again and again, would read all there is each time."""
        self.whole: dict[int, Whole] = {}
        self._suspects = Suspects(tools.transfer.furthest)
        self._from: Place
        self._to: Place
        self._pairing: Pairing

    async def decide(self, item: Item) -> bool:
        """Say whether an entry is to be made, under its name as it is then; else it is settled."""
        await self._in_full(item)
        entry, there = item.entry, item.there
        assert there is not None
        if await self._is_same(item, there):
            self._same(item.folder, entry, count=not item.quiet)
            item.is_same = item.quiet = True
            return False
        rule = self._run.rule_for(item.idx, os.fsencode(item.path))
        if rule is Conflict.RENAME:
            return await self._other(item)
        if rule is Conflict.SKIP:
            self._skip(item)
            return False
        if item.met and rule in (Conflict.OVERWRITE, Conflict.NEWER):
            # It came there just now, maybe by this job: of a move it is the only one there is.
            rule = Conflict.ASK
        item.expects = None
        answer = self._run.answers.rule_for(item.idx, os.fsencode(item.path))
        if rule is Conflict.OVERWRITE and answer is None:
            item.expects = self._run.record.row.expects
        if item.expects is not None and item.expects != there.facts:
            rule = Conflict.ASK
        error = None if rule is Conflict.ASK else refusal(entry, there, item.target)
        if error is not None or rule in (Conflict.ASK, Conflict.FAIL):
            self._stays(item)
            if error is not None:
                if not self._clashes.put_off(item.spot, error):
                    await self._run.fail(item.spot, error)
            else:
                collision = Collision(os.fsencode(entry.name), entry.facts, there.facts)
                await self._run.collide(item.spot, collision)
            return False
        if rule is Conflict.NEWER and not self._pairing.newer(entry, there):
            self._skip(item)
            return False
        item.replace = True
        return True

    async def _in_full(self, item: Item) -> None:
        """Find out what listings do not tell: where links point, and the times files were given."""
        there = item.there
        assert there is not None
        if item.entry.kind.is_link or not self._pairing.source.lists_times:
            item.entry = await self._from.stat(item.source)
        if (there.kind.is_link and there.link_target is None) or not self._pairing.target.lists_times:
            item.there = await look(self._to, item.target) or there

    async def _is_same(self, item: Item, there: Entry) -> bool:
        entry = item.entry
        if not self._pairing.same(entry, there):
            return False
        by_facts = self._pairing.keeps_times and not self._compares
        if by_facts or entry.kind is not EntryKind.FILE:
            return True
        if self._by_size and not self._compares and not self._pairing.target.sets_times:
            self._counts.lost(entry, item.target, self._pairing)
            return True
        return await self._transfer.same_content(item.source, item.target, entry.size_bytes)

    async def _other(self, item: Item) -> bool:
        """Choose the first numbered name that is free; one at which the same stands settles it."""
        is_folder = item.entry.kind is EntryKind.FOLDER
        wanted = item.target
        for name in other_names(os.fsencode(item.name), folder=is_folder):
            item.name = os.fsdecode(name)
            item.there, item.known = await look(self._to, item.target), True
            if item.there is None:
                return True
            if is_folder and item.there.kind is EntryKind.FOLDER:
                return True
            await self._in_full(item)
            if await self._is_same(item, item.there):
                self._same(item.folder, item.entry, count=not item.quiet)
                item.is_same = item.quiet = True
                return False
        raise AlreadyExists(f"cannot find a free name beside {wanted}", location=wanted)

    # Counting

    def _stays(self, item: Item) -> None:
        item.folder.stays = True
        item.folder.settled.add(item.entry.name)

    def _skip(self, item: Item) -> None:
        """Count an entry that is left out; a folder as one, for what is in it is not looked at."""
        self._stays(item)
        self._counts.sums.skipped_files += 1
        if item.entry.kind is EntryKind.FOLDER:
            self._counts.seen_files += 1
        else:
            self._counts.sums.skipped_bytes += item.entry.size_bytes

    def _same(self, folder: Folder, entry: Entry, *, count: bool = True) -> None:
        """Count an entry that stands there complete, unless it was counted before its folder had to be read anew."""
        if folder.credit_files:
            folder.credit_files -= 1
            return
        if not count:
            return
        folder.done_files += 1
        sums = self._counts.sums
        sums.same_files += 1
        sums.same_bytes += entry.size_bytes
        self._verified(sums, entry)

    def _count(self, item: Item, entry: Entry, *, copied: bool = False) -> None:
        """Count an entry that was made. (`copied`: its bytes were, as they went.)"""
        self._counts.last = item
        if item.quiet:
            return
        item.quiet = True
        item.folder.done_files += 1
        sums = self._counts.sums
        sums.files += 1
        if not copied:
            sums.same_bytes += entry.size_bytes
        self._verified(sums, entry)

    def _verified(self, sums: Sums, entry: Entry) -> None:
        if self._run.verifies and entry.kind is EntryKind.FILE:
            sums.verified_files += 1
            sums.verified_bytes += entry.size_bytes
