"""The engine's worker processes: how many there are, and which of them copies a folder."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from tui.places.local.copying import FolderCopy
from tui.places.local.worker_copy import WorkerCopy
from tui.places.local.worker_process import Process, WorkerGone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.places.local.copy_rules import CopyRules
    from tui.places.local.hops import Brake
    from tui.places.local.links import HardLinks
    from tui.places.local.root import Root

_logger = logging.getLogger(__name__)

MOST = 4


class Workers:
    """Worker processes for copying folders, as many as there are processors; none where the system is not Linux.

    Args:
        count: How many; None: one a processor, at most MOST.
        held: Descriptors they keep open as long as they live: the lock that says that somebody works on the queue.
    """

    def __init__(self, count: int | None = None, held: Sequence[int] = ()) -> None:
        able = sys.platform.startswith("linux")
        self._count = (min(MOST, os.cpu_count() or 1) if count is None else count) if able else 0
        self._held = tuple(held)
        self._processes: list[Process] = []
        self._keys = itertools.count()

    def start(self) -> None:
        """Start those that are missing, without waiting. Call it from a thread that lives on: they die with it."""
        if any(process.failed for process in self._processes):
            _logger.warning("worker processes do not start here; threads copy instead")
            self._count = 0
        for process in [process for process in self._processes if process.ended]:
            self._processes.remove(process)
            process.end()
        try:
            while len(self._processes) < self._count:
                self._processes.append(Process(self._held))
        except OSError as error:
            _logger.warning("no worker process can be started: %s", error)
            self._count = 0

    @property
    def ready(self) -> bool:
        """Whether there is one to copy folders."""
        return any(process.ready for process in self._processes)

    def copy(
        self,
        source: Root,
        target: Root,
        path: bytes,
        target_path: bytes,
        rules: CopyRules,
        links: HardLinks,
        brake: Brake,
        names: Sequence[tuple[bytes, bytes]] | None,
        *,
        most: int,
        beside: WorkerCopy | None = None,
    ) -> FolderCopy | WorkerCopy:
        """Return the copy of a folder: in the worker with the least to do, or in this process where none is ready.

        Args:
            most: So many workers may have something to do at the same time.
            beside: Another, to be in the same worker.
        """
        here = partial(FolderCopy, source, target, path, target_path, rules, links, brake, names)
        if rules.compare and links.are_parted:  # where these stand is known only here
            return here()
        if beside is not None:
            process = beside.process
        else:
            ready = [process for process in self._processes if process.ready][:most]
            if not ready:
                return here()
            process = min(ready, key=lambda process: process.users)
        spec = (source.id, target.id, path, target_path, names)
        return WorkerCopy(process, next(self._keys), spec, rules, here, brake)

    def rest(self) -> None:
        """Have them let go of all that was closed: an idle worker keeps no filesystem busy."""
        for process in self._processes:
            if process.ready and not process.users:  # else whoever uses it tells it what was closed
                with contextlib.suppress(WorkerGone):
                    process.ask(forget=True)

    def end(self) -> None:
        """End them all, and wait for it. The next `start` starts new ones."""
        processes, self._processes = self._processes, []
        for process in processes:
            process.end()
