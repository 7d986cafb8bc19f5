"""Copying folders in a worker process: one by one, or several small ones at a time."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.places.local.frames import FolderStep
from tui.places.local.hops import Batch
from tui.places.local.worker_process import WorkerGone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tui.model.fidelity import Loss
    from tui.places.local.copy_rules import CopyRules
    from tui.places.local.copying import FolderCopy
    from tui.places.local.frames import FolderSpec
    from tui.places.local.hops import Brake
    from tui.places.local.loss_notes import LossNotes
    from tui.places.local.worker_process import Process


class WorkerCopy:
    """A `FolderCopy` in a worker process; where that is gone, it goes on in this one.

    Then the folder is gone through from its beginning. What the worker told of, but for what it copied or found
    complete, is passed by: large files and subfolders are under way, failures and questions are written down. The
    rest is met again, found complete, and not counted again; nor is it known any more what of it was copied and not
    told of: that counts as complete.
    """

    def __init__(
        self,
        process: Process,
        key: int,
        spec: FolderSpec,
        rules: CopyRules,
        here: Callable[[], FolderCopy],
        brake: Brake,
    ) -> None:
        """Say what is to be copied.

        Args:
            key: The folder's number, as the worker is told it.
            here: Returns the copy that goes on in this process.
        """
        self.process, self._key, self.brake = process, key, brake
        self._spec: FolderSpec | None = spec
        self._takes_names = spec[-1] is not None
        self._make = here
        self._here: FolderCopy | None = None
        self._closed = self._borrows = False
        self._told: set[bytes] = set()
        self._counted: Batch | None = None
        self.rules = rules
        process.users += 1

    def step(self, *, finish: bool = False, notes: LossNotes | None = None) -> Batch:
        """As `FolderCopy.step`; entries with several names are left in `Batch.linked`."""
        return step_together([self], finish=finish, notes=notes)[0]

    def asked(self, *, finish: bool, notes: LossNotes | None) -> FolderStep:
        """Return what the worker is to be asked for the next batch."""
        rules = self.rules
        if type(rules.decided) is not dict:  # a plain one can be sent
            self.rules = rules = replace(rules, decided=dict(rules.decided))
        return FolderStep(self._key, rules, self._spec, finish, notes)

    def told(self, batch: Batch) -> None:
        """Take note of a batch of the worker's, for the case that it dies."""
        self._borrows = self._takes_names or not batch.finished
        self._spec = None
        if not batch.finished:
            self._note(batch)

    @property
    def is_here(self) -> bool:
        """Whether it goes on in this process."""
        return self._closed or self._here is not None

    def step_here(self, *, finish: bool, notes: LossNotes | None) -> Batch:
        """Do a batch in this process, from now on."""
        first = self._here is None
        here = self._go_on_here()
        if first:
            here.pass_by(self._told)
            if self.brake.on:
                return Batch()  # the disk that held the worker would hold this thread as well
        here.rules = self.rules
        batch = here.step(finish=finish, notes=notes)
        batch.wrote |= first
        if self._counted is not None:
            batch.take_off(self._counted)
        return batch

    def drop_halves(self) -> None:
        """Remove what the worker, which is gone, may have left half under its final name."""
        if self.brake.on:
            return  # the next go does it: the disk that held the worker would hold this thread as well
        with contextlib.suppress(OSError):  # what cannot be read now is met when the folder is gone through
            self._make().drop_halves()

    def _go_on_here(self) -> FolderCopy:
        if self._here is None:
            self._here = self._make()
        return self._here

    def _note(self, batch: Batch) -> None:
        """Keep in mind what was told, for the case that the worker dies."""
        self._told.update(batch.folders)
        self._told.update(name for name, _ in batch.linked)
        for told in (batch.large, batch.collisions, batch.failures):
            self._told.update(each.name for each in told)
        counted = self._counted = self._counted or Batch()
        counted.same_files += batch.files + batch.same_files
        counted.same_bytes += batch.size_bytes + batch.same_bytes
        counted.skipped_files += batch.skipped_files
        counted.skipped_bytes += batch.skipped_bytes
        counted.verified_files += batch.verified_files
        counted.verified_bytes += batch.verified_bytes

    def finish(self) -> list[Loss]:
        """As `FolderCopy.finish`."""
        if not self.is_here:
            try:
                lost: list[Loss] = self.process.ask(self.brake, finish=self._key)
                self._borrows = self._takes_names
                return lost
            except WorkerGone:
                pass  # it is done here, as all that the worker does not come to
        return self._go_on_here().finish()

    def close(self) -> None:
        """Let the folder go, and give back what was borrowed of it; what comes after is done here.

        Raises:
            PlaceError: It cannot be given back.
        """
        try:
            if not self._closed:
                self._closed = True
                self._let_go()
        finally:
            if self._here is not None:
                self._here.close()

    def _let_go(self) -> None:
        """Have the worker close the folder: at once where it has something to give back, else when it is asked next."""
        if self._borrows and self._here is None:
            self.process.close_now(self._key, self.brake)
        else:
            self.process.close_folder(self._key)


def step_together(
    copies: Sequence[WorkerCopy], *, finish: bool = False, notes: LossNotes | None = None
) -> list[Batch]:
    """Do a batch of the first of some folders in one worker, and of the next ones as far as that leaves room in it.

    Small folders cost a worker less than being asked for each.

    Args:
        copies: None but the first is under way.
        finish, notes: See `FolderCopy.step`. Of a worker that dies, the notes are told from those made here then.

    Returns:
        The batches of those of which something was done: of the first, and maybe of some that follow it.
    """
    first = copies[0]
    if first.is_here:
        return [first.step_here(finish=finish, notes=notes)]
    try:
        steps = [copy.asked(finish=finish, notes=notes) for copy in copies]
        batches: list[Batch | None] = first.process.ask(first.brake, steps=steps)
    except WorkerGone:
        batches = [None]
        if notes is not None:
            notes.give_up()
        for copy in copies:
            copy.drop_halves()
    done = list[Batch]()
    for copy, batch in zip(copies, batches, strict=False):
        if batch is None:
            break
        copy.told(batch)
        done.append(batch)
    return done or [first.step_here(finish=finish, notes=notes)]
