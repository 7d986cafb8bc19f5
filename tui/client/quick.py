"""A blocking line to the engine: a small command is done before an event loop would have been imported."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import socket
import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec

from tui import __version__
from tui.client.calls import Calls
from tui.client.runtime import CannotHost, address, holder, peer_uid
from tui.model.error import EngineUnreachable, FerryError
from tui.model.job import JobState
from tui.wire import lines
from tui.wire.faults import CallError, error_of
from tui.wire.protocol import METHODS, PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from tui.client.disk import Disk
    from tui.model.job import Job, Request
    from tui.paths import Paths

T = TypeVar("T")

GREETING_S = 10.0
"""How long an engine may take to answer at all: one that hangs is not asked a second time."""
ANSWER_S = 60.0
"""How long an answer may take: a long request takes its time to be written to the journal."""
LOOK_S = 0.1
"""So often it is looked for a signal while a job goes on."""


class QuickLine:
    """One call after the other on one connection; a context manager that closes it."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._file = sock.makefile("rb")
        self._last_id = 0

    @classmethod
    def open(cls, paths: Paths) -> QuickLine | None:
        """Return a line, or None where there is no engine of this version to talk to: then go the long way.

        Raises:
            EngineUnreachable: There is one, and it does not answer.
        """
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(GREETING_S)
        try:
            with address(paths.socket) as short:
                sock.connect(short)
            if peer_uid(sock) == os.geteuid():
                line = cls(sock)
                line._call("hello", protocol=PROTOCOL, version=__version__)
                sock.settimeout(ANSWER_S)
                return line
        except TimeoutError as error:
            sock.close()
            raise EngineUnreachable(f"the engine did not answer within {GREETING_S:.0f} seconds") from error
        except (OSError, FerryError, CallError, msgspec.DecodeError):
            pass  # the long way says what is wrong, or starts an engine
        sock.close()
        return None

    @classmethod
    def open_or_start(cls, paths: Paths) -> QuickLine | None:
        """Return a line as `open` does, to an engine that is started where nobody works on the queue.

        Raises:
            EngineUnreachable: None answers, or none could be started in time: it was waited for, and once is enough.
            EngineError: One can run here, but not on this queue.
        """
        line = cls.open(paths)
        if line is None and holder(paths.lock) is None:
            from tui.client.launch import launch

            with contextlib.suppress(CannotHost):  # on the long way, jobs run in this process
                launch(paths)
                line = cls.open(paths)
        return line

    def __enter__(self) -> QuickLine:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def submit(self, request: Request) -> int:
        """Put a request into the queue and return its job's id.

        Raises:
            EngineUnreachable: The engine went away before it answered.
        """
        return int(self.ask("submit", request=request, token=os.urandom(16).hex()))

    def ended(self, id: int, time_limit_s: float | None) -> Job | None:
        """Return a job if it ends within a time; None too where it waits or pauses, where a signal is to be taken, or
        where the engine went away: whoever follows jobs knows what to do then.
        """
        ends = time.monotonic() + (math.inf if time_limit_s is None else time_limit_s)
        with contextlib.suppress(EngineUnreachable):
            while (left := ends - time.monotonic()) > 0 and not signal.sigpending():
                job: Job = self.ask("job", id=id, seconds=min(left, LOOK_S))
                if job.state.is_final:
                    return job
                if job.state not in (JobState.QUEUED, JobState.RUNNING):
                    return None
        return None

    def ask(self, name: str, **arguments: Any) -> Any:
        """Call a method and return its result.

        Raises:
            EngineUnreachable: The engine went away before it answered, or takes too long.
            FerryError: What the engine answers.
        """
        remedy = "Look at the queue before you ask again."
        try:
            return self._call(name, **arguments)
        except TimeoutError as error:
            raise EngineUnreachable(
                f"the engine did not answer within {ANSWER_S:.0f} seconds", remedy
            ) from error
        except (OSError, CallError, msgspec.DecodeError) as error:
            raise EngineUnreachable("the engine went away before it answered", remedy) from error

    def _call(self, name: str, **arguments: Any) -> Any:
        self._last_id += 1
        method = METHODS[name]
        self._socket.sendall(lines.call(method, self._last_id, arguments))
        envelope = lines.read(self._file.readline())
        if envelope.error is None:
            return method.result.decode(envelope.result)
        raise error_of(envelope.error)


class QuickClient(Calls):
    """A client for what only asks: following jobs takes an event loop, and another client.

    Args:
        line: None for what asks the local disk alone.
    """

    def __init__(self, line: QuickLine | None) -> None:
        self._line = line

    @cached_property
    def _disk(self) -> Disk:
        from tui.client.quick_disk import QuickDisk

        return QuickDisk()

    async def ask(self, method: str, **arguments: Any) -> Any:
        """Have the engine do one of its methods, blocking until it is done."""
        assert self._line is not None
        return self._line.ask(method, **arguments)

    def updates(self) -> NoReturn:
        raise NotImplementedError("a blocking line tells no updates")

    async def stop_engine(self) -> None:
        await self.ask("shutdown")

    async def close(self) -> None:
        """Let go of the disk; the line is its owner's to close."""
        self.close_places()


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """Do without an event loop what waits for nothing but a blocking line, and return its result."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    work.close()
    raise RuntimeError("work that is done at once waited for something")
