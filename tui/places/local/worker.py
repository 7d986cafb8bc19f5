"""A worker process: copies folders for the engine that started it, and dies with it.

Small files are bound by the interpreter lock: two processes copy them nearly twice as fast as two threads of one. The
engine keeps the say (what comes next, conflicts, limits, pauses); a worker does one batch when asked: of one folder, or
of several small ones.

Run as a program by `Workers`, with the descriptors of the brake and the pid of the engine as arguments. Requests come
on standard input and replies go to standard output: 4 bytes of length, then a pickle. Both ends are of one program.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import pickle
import sys
import time

# Run by path (see `Workers`), so that nothing in the folder a user works in is imported.
if __name__ == "__main__":
    sys.path.append(
        os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    )

from typing import TYPE_CHECKING, Any

from tui.model.error import PlaceError
from tui.places.local import syscalls
from tui.places.local.copying import FolderCopy
from tui.places.local.frames import READY, receive, send
from tui.places.local.hops import BATCH_ENTRIES, BATCH_S, Brake
from tui.places.local.root import Root

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.places.local.copy_rules import CopyRules
    from tui.places.local.frames import FolderStep, Request
    from tui.places.local.hops import Batch
    from tui.places.local.root import RootId

SWITCH_ON = 1
NICER = 5
"""Workers fill every processor: a screen, and the engine itself, go before them."""


class SharedBrake(Brake):
    """A brake in memory that the engine shares."""

    __slots__ = ("_page",)

    def __init__(self, page: mmap.mmap) -> None:
        self._page = page

    @property
    def on(self) -> bool:
        return self._page[0] == SWITCH_ON

    @on.setter
    def on(self, value: bool) -> None:
        self._page[0] = SWITCH_ON if value else 0


class Worker:
    """The folders a worker has open, by the numbers the engine gave them."""

    def __init__(self, brake: Brake) -> None:
        self._brake = brake
        self._copies: dict[int, FolderCopy] = {}
        self._rules: CopyRules | None = None
        self._roots: dict[RootId, Root] = {}

    def answer(self, request: Request) -> Any:
        """Do what is asked. Steps are answered with the batches of the first folders, as far as one batch's work goes;
        None for a folder that is not to be found. A finish is answered with what the folder could not keep.

        Raises:
            PlaceError: It cannot be done; the engine reports it.
        """
        rules = self._ruled(request.steps)  # before anything can fail: rules are not sent again
        for key in request.closed:
            if copy := self._copies.pop(key, None):
                with contextlib.suppress(PlaceError):  # it is not of the folder asked about now
                    copy.close()
        if request.close is not None and (copy := self._copies.pop(request.close, None)):
            copy.close()
        if request.forget and not self._copies:
            self._forget()
        if request.steps:
            try:
                return self._do(request.steps, rules)
            finally:
                if notes := request.steps[0].notes:  # all have the same
                    notes.close()
        if request.finish is not None:
            return self._copies[request.finish].finish()
        return None

    def _ruled(self, steps: Sequence[FolderStep]) -> list[CopyRules]:
        """Return the rules each of some steps is under."""
        ruled = []
        for step in steps:
            self._rules = step.rules or self._rules
            assert self._rules is not None
            ruled.append(self._rules)
        return ruled

    def _do(self, steps: Sequence[FolderStep], ruled: Sequence[CopyRules]) -> list[Batch | None]:
        done: list[Batch | None] = []
        work, ends = 0, time.monotonic() + BATCH_S
        for step, rules in zip(steps, ruled, strict=True):
            batch = self._step(step, rules)
            done.append(batch)
            if batch is None or not batch.exhausted or batch.large or batch.out_of_space or self._brake.on:
                break
            work += batch.work
            if work >= BATCH_ENTRIES or time.monotonic() > ends:
                break
        return done

    def _step(self, step: FolderStep, rules: CopyRules) -> Batch | None:
        copy = self._copies.get(step.key)
        if copy is None:
            assert step.folder is not None
            source, target, path, target_path, names = step.folder
            if (there := self._root(source)) is None or (here := self._root(target)) is None:
                return None
            copy = FolderCopy(there, here, path, target_path, rules, None, self._brake, names)
            self._copies[step.key] = copy
        copy.rules = rules
        return copy.step(finish=step.finish, notes=step.notes)

    def _root(self, wanted: RootId) -> Root | None:
        """Open a folder the engine has open; None where another stands under its path by now: only the same will do."""
        if (root := self._roots.get(wanted)) is None:
            try:
                root = Root.open(wanted.path)
            except PlaceError:
                return None
            if root.id != wanted:
                root.close()
                return None
            self._roots[wanted] = root
        return root

    def _forget(self) -> None:
        """Close the roots: an idle worker keeps no filesystem busy."""
        for root in self._roots.values():
            root.close()
        self._roots.clear()


def main(brake_fd: int, engine: int) -> None:
    """Serve until the engine closes the pipe, or dies."""
    syscalls.die_with_parent()
    if os.getppid() != engine:
        return
    os.nice(NICER)
    worker = Worker(SharedBrake(mmap.mmap(brake_fd, mmap.PAGESIZE)))
    send(1, READY)
    while (request := receive(0)) is not None:
        try:
            answer = worker.answer(request)
        except PlaceError as error:
            answer = error
        except Exception as error:  # told to the engine, which logs it as if it had happened there
            answer = RuntimeError(f"worker: {error!r}")
        try:
            send(1, (answer,))
        except (OSError, pickle.PicklingError):
            return


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
