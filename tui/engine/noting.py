"""What hops note of losses, so that those a killed engine did not come to tell are counted by the next one."""

from __future__ import annotations

import heapq
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tui.engine.losses import Losses, is_told_again
from tui.model.error import PlaceError
from tui.places.local.loss_notes import LossNotes, drop_notes, read_notes
from tui.places.local.traits import Traits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tui.engine.rows import JobRow
    from tui.engine.run import Run
    from tui.model.job import JobKind
    from tui.places.local.links import Group
    from tui.places.local.loss_notes import Lost, Stage
    from tui.places.local.root import Root


class Noting:
    """The files one job's hops note their losses in: as many as there are hops at the same time."""

    def __init__(self, folder: Path, tag: str) -> None:
        self._folder, self._tag = folder, tag
        self._free: list[int] = []
        self._count = 0

    @contextmanager
    def hop(self, stage: Stage | None) -> Iterator[LossNotes]:
        """Lend a file for a hop, until its losses are in the journal. (Where they do not come there, it is kept.)"""
        if self._free:
            number = heapq.heappop(self._free)
        else:
            number, self._count = self._count, self._count + 1
        file = self._folder / f"{self._tag}-{number}"
        try:
            yield LossNotes(str(file), str(number), secrets.token_hex(8), stage)
        except PlaceError:  # there is nothing to be told
            heapq.heappush(self._free, number)
            raise
        heapq.heappush(self._free, number)

    def drop(self) -> None:
        """Remove them: the job has ended."""
        drop_notes(self._folder, tag=self._tag)

    def untold(self, target: Root, row: JobRow, told: Mapping[str, str]) -> tuple[Losses, list[Group]]:
        """Return what an engine that was killed had noted and not told, of what stands complete by now.

        Returns:
            What was lost, and where files with several names stand.
        """
        losses = Losses()
        groups: dict[tuple[int, int], Group] = {}
        for found in read_notes(self._folder, self._tag, told.items()):
            losses.told[found.slot] = found.token
            for lost in found.complete(target, Traits(row.preserve)):
                if lost.file not in groups:  # else it is one with what another hop had made of another name
                    add_noted(losses, (lost,), target, row.kind)
                if lost.group is not None:
                    groups.setdefault(lost.file, lost.group)
        return losses, list(groups.values())


async def lose(
    run: Run, losses: Losses, notes: LossNotes | None = None, groups: Sequence[Group] = ()
) -> None:
    """Add to the loss report, and write it down: what is complete is not looked at again after a crash.

    Args:
        notes: Those of the hop that lost it: now they are told.
        groups: Files of which names are still to come, and where they stand. Whoever goes on makes those names links:
            made again, such a file would be counted again.
    """
    if groups:
        await run.journal.add_links(run.record.id, groups)
    if notes is not None and notes.are_there:  # else it stays told what the file has of an earlier hop
        losses.told[notes.slot] = notes.token
    report = run.record.losses
    report.merge(losses)
    await run.journal.update(run.record.id, {"losses": report.column()})
    run.touch()


def add_noted(losses: Losses, noted: Iterable[Lost], target: Root, kind: JobKind) -> None:
    """Count what was noted."""
    for path, lost, *_ in noted:
        for loss in lost:
            again = is_told_again(loss, kind)
            losses.add(loss, lambda path=path: target.location(path), folder=again)  # type: ignore[misc]


async def recall_losses(run: Run, target: Root) -> None:
    """Count what an engine that was killed had not come to tell."""
    record = run.record
    if record.walk:
        losses, groups = await run.hop(run.noting.untold, target, record.row, record.losses.told)
        if losses.told:
            await lose(run, losses, groups=groups)
