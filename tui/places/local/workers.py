"""The engine's side of its worker processes: starting them, and copying a folder in one of them."""

from __future__ import annotations

import contextlib
import itertools
import logging
import mmap
import os
import select
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.places.local.copying import FolderCopy
from tui.places.local.frames import Request, RootId, Step, receive, send
from tui.places.local.hops import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.model.fidelity import Loss
    from tui.places.local.frames import FolderSpec
    from tui.places.local.hops import Brake, CopyRules
    from tui.places.local.links import HardLinks
    from tui.places.local.root import Root

_logger = logging.getLogger(__name__)

_PROGRAM = Path(__file__).with_name("worker.py")
MOST = 4
BRAKE_S = 0.02
"""How often the brake is looked at while a worker is busy."""
PATIENCE_S = 5.0
"""So long a worker may go on once the brake is on, before it is taken for hung, and killed."""
END_S = 1.0
"""So long a worker may take to end before it is killed."""


class WorkerGone(Exception):
    """The process has ended; what it was asked is to be done here."""


class _Process:
    """One worker process. Threads use it in turn; while one waits for its reply, the next has sent its request."""

    def __init__(self, held: Sequence[int]) -> None:
        brake = os.memfd_create("ferry-brake", os.MFD_CLOEXEC)
        try:
            os.ftruncate(brake, mmap.PAGESIZE)
            self._brake = mmap.mmap(brake, mmap.PAGESIZE)
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_PROGRAM), str(brake), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                bufsize=0,
                pass_fds=(brake, *held),
                process_group=0,  # out of reach of Ctrl+C, yet as nice as the session of the engine
            )
        finally:
            os.close(brake)
        assert self._process.stdin and self._process.stdout
        self._requests, self._replies = self._process.stdin, self._process.stdout
        self._sending, self._receiving = threading.Lock(), threading.Lock()
        self._rules: CopyRules | None = None
        self._closed: deque[int] = deque()
        self._ready = self._gone = False
        self.users = 0
        """Folders it has open, about: by it the load is spread."""

    @property
    def ready(self) -> bool:
        """Whether it takes requests; looking costs no waiting."""
        if not self._ready and not self.ended and self._sending.acquire(blocking=False):
            try:
                if select.select([self._replies], [], [], 0)[0]:
                    self._ready = receive(self._replies.fileno()) is not None
            finally:
                self._sending.release()
        return self._ready and not self._gone

    @property
    def is_gone(self) -> bool:
        """Whether it is not to be asked any more; one that died by itself is found to be gone by whoever asks it."""
        return self._gone

    @property
    def failed(self) -> bool:
        """Whether it ended before it could do anything: the next would, too."""
        return self.ended and not self._ready

    @property
    def ended(self) -> bool:
        return self._process.returncode is not None or self._process.poll() is not None

    def ask(self, brake: Brake | None = None, *, step: Step | None = None, **what: Any) -> Any:
        """Have something done, and wait for it; the brake is passed on meanwhile.

        Rules that are as they were are not sent again.

        Raises:
            PlaceError: It could not be done.
            WorkerGone: The process has ended, or was killed since it did not stop; or others wait for it too long.
        """
        try:
            self._take_turn(brake)
            try:
                self._send(step, what)
                self._await_turn(brake)  # replies come in the order of the requests
            finally:
                self._sending.release()
            try:
                self._brake[0] = brake is not None and brake.on
                reply = receive(self._replies.fileno(), lambda: self._wait(brake))
            finally:
                self._receiving.release()
        except (OSError, ValueError) as error:
            self._gone = True
            raise WorkerGone from error
        if reply is None:
            self._gone = True
            raise WorkerGone
        if isinstance(reply[0], Exception):
            raise reply[0]
        return reply[0]

    def _take_turn(self, brake: Brake | None) -> None:
        """Wait for the threads that came before, but not for long: the disk they use may not answer.

        Raises:
            WorkerGone: It took too long, or the brake is on.
        """
        ends = time.monotonic() + PATIENCE_S
        while not self._sending.acquire(timeout=BRAKE_S):
            if self._gone or (brake is not None and brake.on) or time.monotonic() > ends:
                raise WorkerGone

    def _send(self, step: Step | None, what: dict[str, Any]) -> None:
        closed = [self._closed.popleft() for _ in range(len(self._closed))]
        if step is not None:
            known, self._rules = self._rules, step.rules
            if step.rules == known:
                step = step._replace(rules=None)
        send(self._requests.fileno(), Request(closed=closed, step=step, **what))

    def _await_turn(self, brake: Brake | None) -> None:
        patience = _Patience(self, brake)
        while not self._receiving.acquire(timeout=BRAKE_S):
            patience.look()

    def _wait(self, brake: Brake | None) -> None:
        """Wait until there is something to read.

        Raises:
            WorkerGone: It was told to stop, and does not.
        """
        patience = _Patience(self, brake)
        while not select.select([self._replies], [], [], BRAKE_S)[0]:
            patience.look()

    def stop(self) -> None:
        """Tell it that the brake is on."""
        self._brake[0] = 1

    def kill(self) -> None:
        """End it at once: it does not stop. It may live on for as long as a disk holds it; it is not asked again."""
        _logger.warning("worker process %d does not stop and is killed", self._process.pid)
        self._gone = True
        self._process.kill()

    def close_folder(self, key: int) -> None:
        """Let go of a folder, with the next request."""
        self._closed.append(key)
        self.users -= 1

    def end(self) -> None:
        """End it: it does what it is at and then finds the pipe closed. One that a disk holds is left to the kernel."""
        self._gone = True
        if not self._sending.acquire(timeout=END_S):
            self._process.kill()
            return  # a thread is at it, and must not find somebody's file under the number of a closed pipe
        if not self._receiving.acquire(timeout=END_S):
            self._process.kill()
            self._sending.release()
            return
        self._requests.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(END_S)
        self._replies.close()
        self._brake.close()
        self._receiving.release()
        self._sending.release()


class _Patience:
    """Passes the brake on to a process while a thread waits for it, and ends one that does not stop then."""

    def __init__(self, process: _Process, brake: Brake | None) -> None:
        self._process, self._brake = process, brake
        self._ends: float | None = None

    def look(self) -> None:
        """Do what is to be done now.

        Raises:
            WorkerGone: The process is given up.
        """
        if self._process.is_gone:
            raise WorkerGone
        if self._brake is None or not self._brake.on:
            return
        self._process.stop()
        now = time.monotonic()
        self._ends = self._ends or now + PATIENCE_S
        if now > self._ends:
            self._process.kill()
            raise WorkerGone


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
        self._processes: list[_Process] = []
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
                self._processes.append(_Process(self._held))
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
    ) -> FolderCopy | WorkerCopy:
        """Return the copy of a folder: in the worker with the least to do, or in this process where none is ready.

        Args:
            most: So many workers may have something to do at the same time.
        """
        ready = [process for process in self._processes if process.ready][:most]
        here = FolderCopy(source, target, path, target_path, rules, links, brake, names)
        if not ready or (rules.compare and links.are_parted):  # where these stand is known only here
            return here
        process = min(ready, key=lambda process: process.users)
        spec = (_id(source), _id(target), path, target_path, names)
        return WorkerCopy(process, next(self._keys), spec, here, brake)

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


def _id(root: Root) -> RootId:
    return RootId(root.path, root.device, root.inode)


class WorkerCopy:
    """A `FolderCopy` in a worker process; where that is gone, it goes on in this one.

    Then the folder is gone through from its beginning. What the worker told of, but for what it copied or found
    complete, is passed by: large files and subfolders are under way, failures and questions are written down. The
    rest is met again, found complete, and not counted again; nor is it known any more what of it was copied and not
    told of: that counts as complete.
    """

    def __init__(self, process: _Process, key: int, spec: FolderSpec, here: FolderCopy, brake: Brake) -> None:
        self._process, self._key, self._brake = process, key, brake
        self._spec: FolderSpec | None = spec
        self._names = spec[-1]
        self._here, self._is_here, self._closed = here, False, False
        self._told: set[bytes] = set()
        self._counted = Batch()
        self.rules = here.rules
        process.users += 1

    @property
    def rules(self) -> CopyRules:
        return self._here.rules

    @rules.setter
    def rules(self, rules: CopyRules) -> None:
        self._here.rules = replace(rules, decided=dict(rules.decided))  # a plain one can be sent

    def step(self, *, finish: bool = False) -> Batch:
        """As `FolderCopy.step`; entries with several names are left in `Batch.linked`."""
        if not self._is_here:
            try:
                batch: Batch | None = self._process.ask(
                    self._brake, step=Step(self._key, self.rules, self._spec, finish)
                )
            except WorkerGone:
                batch = None
            if batch is not None:
                self._spec = None
                self._note(batch)
                return batch
            self._is_here = True
            self._here.pass_by(self._told)
            if self._brake.on:
                return Batch()  # the disk that held the worker would hold this thread as well
            batch = self._here.step(finish=finish)
            batch.wrote = True
        else:
            batch = self._here.step(finish=finish)
        batch.take_off(self._counted)
        return batch

    def _note(self, batch: Batch) -> None:
        """Keep in mind what was told, for the case that the worker dies."""
        self._told.update(batch.folders)
        self._told.update(name for name, _ in batch.linked)
        for told in (batch.large, batch.collisions, batch.failures):
            self._told.update(each.name for each in told)
        counted = self._counted
        counted.same_files += batch.files + batch.same_files
        counted.same_bytes += batch.size_bytes + batch.same_bytes
        counted.skipped_files += batch.skipped_files
        counted.skipped_bytes += batch.skipped_bytes
        counted.verified_files += batch.verified_files
        counted.verified_bytes += batch.verified_bytes

    def finish(self) -> list[Loss]:
        """As `FolderCopy.finish`."""
        if not self._is_here:
            try:
                lost: list[Loss] = self._process.ask(self._brake, finish=self._key)
                return lost
            except WorkerGone:
                self._is_here = True
        return self._here.finish()

    def close(self) -> None:
        """Let the folder go; what comes after is done here."""
        if not self._closed:
            self._process.close_folder(self._key)
        self._closed = self._is_here = True
        self._here.close()
