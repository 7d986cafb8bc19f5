"""The life of the background engine: lock, socket, signals, idle exit."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tui import __version__
from tui.client import launch
from tui.client.connection import Connection, Lost
from tui.client.host import EngineFactory, Host, make_engine
from tui.client.runtime import CannotHost, Lock, holder, listen, require_open_files
from tui.daemon import heap
from tui.daemon.build import REPLACED, Build
from tui.daemon.log import open_log
from tui.daemon.server import Server
from tui.model.error import EngineUnreachable, FerryError, ProtocolMismatch

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from tui.config import Settings
    from tui.paths import Paths

logger = logging.getLogger(__name__)

SWITCH_INTERVAL_S = 0.0005
"""With two copying threads the event loop's lag falls to 2-3 ms, and small files are copied faster."""
LOCK_WAIT_S = 9.0
"""So long a starting engine waits for one that is just ending; a little less than clients wait."""
WATCH_S = 0.5
"""How often idleness is looked at, and whether lock and socket still stand."""
STARTER_S = 3.0
"""So long an engine waits for its first client, however soon it is to go when idle."""
FAILED = 4


def run(
    paths: Paths,
    settings: Settings,
    tell: Callable[[bytes], None] | None = None,
    make: EngineFactory = make_engine,
) -> int:
    """Be the engine until it is idle or stopped; return the exit status.

    Args:
        tell: Takes one line when the engine answers, or when it cannot run. None: errors go to standard error.
    """
    tell = tell or _tell_errors
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    heap.share()
    os.chdir("/")
    try:
        open_log(paths.engine_log)
        require_open_files()
        return asyncio.run(_live(paths, settings, tell, make))
    except CannotHost as error:
        logger.error("cannot run: %s", error)
        tell(error.message.encode(errors="backslashreplace"))
    except FerryError as error:
        logger.error("cannot run: %s", error)
        tell(launch.failed(error))
    except Exception as error:
        logger.exception("the engine failed")
        tell(str(error).encode(errors="backslashreplace"))
    return FAILED


def _tell_errors(line: bytes) -> None:
    if line.startswith(launch.READY):
        return
    if line.startswith(launch.FAILED):
        error = launch.reason(line)
        text = f"{error.message}. {error.remedy}" if error.remedy else error.message
        line = text.encode(errors="backslashreplace")
    os.write(2, b"ferry: " + line + b"\n")


_AUTOGROUP = Path("/proc/self/autogroup")


def _be_nice(nice: int) -> None:
    """Stand back for others from now on: every thread there is (for Linux each is one to itself), and those to come."""
    linux = sys.platform.startswith("linux")
    for number in [thread.native_id or 0 for thread in threading.enumerate()] if linux else [0]:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, number, max(nice, os.getpriority(os.PRIO_PROCESS, number)))
    # Where Linux groups processes by session, niceness counts within one only, and each session has its own.
    with contextlib.suppress(OSError):
        _AUTOGROUP.write_text(str(nice))


async def _live(paths: Paths, settings: Settings, tell: Callable[[bytes], None], make: EngineFactory) -> int:
    lock = await _take_lock(paths)
    if lock is None:
        tell(launch.READY)
        return 0
    # The lock is never released: the kernel does it when all of this process has gone, and not a moment sooner.
    lock.sign(paths.socket)
    with listen(paths.socket) as listener:
        return await _Life(paths, settings, lock, make).live(listener, tell)


async def _take_lock(paths: Paths) -> Lock | None:
    """Take the lock, waiting for an engine that is about to end; None where another one answers.

    Raises:
        CannotHost: There can be no lock here.
        EngineUnreachable: Whoever has it does not let go.
    """
    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            lock = Lock.take(paths.lock)
        except OSError as error:
            raise CannotHost(f"the lock {paths.lock} cannot be made: {error.strerror}") from error
        if lock or await _answers(paths):
            return lock
        held = holder(paths.lock)
        if time.monotonic() >= deadline or (held and not held.socket):
            who = f"process {held.pid}" if held else "another process"
            raise EngineUnreachable(
                f"{who} works on the queue, and takes no calls from others", "Close that one, then try again."
            )
        await asyncio.sleep(0.02)


async def _answers(paths: Paths) -> bool:
    try:
        connection = await Connection.open(paths, LOCK_WAIT_S)
    except Lost:
        return False
    except ProtocolMismatch:
        return True  # it does, and the client will hear the same
    await connection.close()
    return True


class _Life:
    """The engine between taking the lock and giving it back."""

    def __init__(self, paths: Paths, settings: Settings, lock: Lock, make: EngineFactory) -> None:
        self._paths, self._idle_exit_s, self._lock = paths, settings.queue.idle_exit_s, lock
        self._nice = settings.queue.nice
        self._host = Host(paths.journal, settings, in_process=False, lock=lock, make=make)
        self._server = Server(self._host.engine, lambda: self._stop("it was asked to"))
        self._build, self._is_outdated = Build(), False
        self._stopping = asyncio.Event()
        self._reason = ""
        self._socket = paths.socket
        self._socket_id: tuple[int, int] | None = None

    def _stop(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._stopping.set()

    async def live(self, listener: socket.socket, tell: Callable[[bytes], None]) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop, f"it got {number.name}")
        self._socket_id = self._identity()
        logger.info("engine %s starts, process %d", __version__, os.getpid())
        try:
            await self._host.start_up()
        except Exception as error:
            logger.exception("the queue cannot be taken up")
            self._remove_socket()
            tell(launch.failed(error))
            return FAILED
        try:
            await self._server.listen(listener)
            _be_nice(self._nice)  # not before: somebody waits for it to be there
            tell(launch.READY)
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._watch())
                await self._stopping.wait()
                watch.cancel()
        finally:
            await self._end()
        return 0

    async def _end(self) -> None:
        """Leave nothing that looks like an engine before letting go of the lock."""
        logger.info("engine stops: %s", self._reason or "it failed")
        self._remove_socket()
        await self._server.close(f"the engine was stopped: {self._reason}")
        await self._host.shut_down()

    def _remove_socket(self) -> None:
        if self._identity() == self._socket_id:
            with contextlib.suppress(OSError):
                self._socket.unlink()

    async def _watch(self) -> None:
        """Stop when there is nothing to do and nobody there, or when the engine's home has gone."""
        idle_since = time.monotonic() + STARTER_S
        while True:
            self._look_for_updates()
            if self._server.clients or not self._host.idle:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since >= (0 if self._is_outdated else self._idle_exit_s):
                self._server.stop_listening()  # in the same step: nobody can connect between the look and the stop
                self._stop("there is nothing to do")
            if not self._lock.stands:
                self._stop("its lock was removed")
            elif self._identity() != self._socket_id:
                await self._listen_again()
            await asyncio.sleep(min(WATCH_S, max(0.05, self._idle_exit_s / 4)))

    def _look_for_updates(self) -> None:
        """Tell clients that this is not the Ferry they are of, and go as soon as nobody minds."""
        if not self._is_outdated and self._build.is_replaced:
            self._is_outdated = True
            logger.warning("%s", REPLACED)
            self._host.tell(REPLACED)

    async def _listen_again(self) -> None:
        """Make the socket anew: the runtime folder of a login is cleared when it ends, and jobs may last longer.

        Where that folder may not be made any more, the socket stands with the queue; the lock tells clients so.
        """
        for path in (self._paths.socket, self._paths.spare_socket):
            self._lock.sign(path)  # first: who finds the socket is to find it named
            try:
                listener = listen(path)
            except CannotHost as error:
                logger.warning("%s", error)
                continue
            logger.info("the socket was gone; it was made again: %s", path)
            self._socket = path
            self._socket_id = self._identity()
            await self._server.listen(listener)
            return

    def _identity(self) -> tuple[int, int] | None:
        try:
            about = os.lstat(self._socket)
        except OSError:
            return None
        return about.st_dev, about.st_ino
