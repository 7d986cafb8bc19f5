"""A worker process, as the engine sees it: threads ask it in turn, and it is killed where it does not stop."""

from __future__ import annotations

import contextlib
import logging
import mmap
import os
import select
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.places.local.frames import READY, Request, receive, send

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.places.local.copy_rules import CopyRules
    from tui.places.local.frames import FolderStep
    from tui.places.local.hops import Brake

_logger = logging.getLogger(__name__)

_PROGRAM = Path(__file__).with_name("worker.py")
BRAKE_S = 0.02
"""How often the brake is looked at while a worker is busy."""
PATIENCE_S = 5.0
"""So long a worker may go on once the brake is on, before it is taken for hung, and killed."""
END_S = 1.0
"""So long a worker may take to end before it is killed."""


class WorkerGone(Exception):
    """The process has ended; what it was asked is to be done here."""


class Process:
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
                    told = receive(self._replies.fileno())
                    self._ready = told == READY
                    if told is not None and not self._ready:
                        self._process.kill()
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

    def ask(self, brake: Brake | None = None, *, steps: Sequence[FolderStep] = (), **what: Any) -> Any:
        """Have something done, and wait for it; the brake is passed on meanwhile.

        Rules that are as they were are not sent again.

        Raises:
            PlaceError: It could not be done.
            WorkerGone: The process has ended, or was killed since it did not stop; or others wait for it too long.
        """
        try:
            self._take_turn(brake)
            try:
                self._send(steps, what)
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

    def _send(self, steps: Sequence[FolderStep], what: dict[str, Any]) -> None:
        closed = [self._closed.popleft() for _ in range(len(self._closed))]
        news = []
        for step in steps:
            known, self._rules = self._rules, step.rules
            news.append(step.as_before() if step.rules is known or step.rules == known else step)
        send(self._requests.fileno(), Request(closed=closed, steps=news, **what))

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

    def close_now(self, key: int, brake: Brake | None = None) -> None:
        """Let go of a folder, and wait until it got back what was borrowed of it.

        Raises:
            PlaceError: It cannot be given back.
        """
        self.users -= 1
        try:
            self.ask(brake, close=key)
        except WorkerGone:
            self._closed.append(
                key
            )  # if it lives, and just does not answer in time, it is told with what comes next

    def end(self) -> None:
        """End it: it does what it is at and then finds the pipe closed. One that a disk holds is left to the kernel."""
        self._gone = True
        if not self._ready:
            self._process.kill()  # it is still starting, and was never asked for anything
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

    def __init__(self, process: Process, brake: Brake | None) -> None:
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
