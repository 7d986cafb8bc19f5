"""Homes for engines, an engine in memory for the server, and a client that may say anything."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tui.client.runtime import holder
from tui.client.spawn import SpawnedClient, open_client
from tui.config.reading import load
from tui.model.error import NoSuchJob
from tui.model.job import EngineStatus, Job, JobKind, JobState, Request, Update
from tui.model.location import Location
from tui.model.parts import PART, first_part
from tui.paths import Paths
from tui.wire import lines
from tui.wire.protocol import METHODS, PROTOCOL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


def until(condition: Callable[[], Any], timeout_s: float = 60) -> Any:
    """Wait for something to become true in another process; return it."""
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)
    return found


async def eventually(condition: Callable[[], Any], timeout_s: float = 60) -> Any:
    """Wait as `until` does, while this loop goes on."""
    async with asyncio.timeout(timeout_s):
        while not (found := condition()):  # noqa: ASYNC110 (the condition is another process's)
            await asyncio.sleep(0.01)
    return found


def processes_of(text: str) -> list[int]:
    """Return the processes whose command line holds a text, but for this one."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if text.encode() in (folder / "cmdline").read_bytes() and int(folder.name) != os.getpid():
                found.append(int(folder.name))
    return found


def alive(pid: int) -> bool:
    """Say whether a process runs; one that only waits to be fetched by its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@dataclass
class Home:
    """One FERRY_HOME."""

    root: Path
    paths: Paths = field(init=False)

    def __post_init__(self) -> None:
        self.paths = Paths.from_environment({"FERRY_HOME": str(self.root)})

    def configure(self, text: str) -> None:
        self.paths.config.mkdir(parents=True, exist_ok=True)
        self.paths.config_file.write_text(text)

    def open(self) -> SpawnedClient:
        settings, errors = load(self.paths)
        assert not errors
        return open_client(self.paths, settings)

    @property
    def pid(self) -> int | None:
        """The process that holds the queue."""
        held = holder(self.paths.lock)
        return held.pid if held else None

    def engines(self) -> list[int]:
        return [pid for pid in processes_of(str(self.paths.state)) if alive(pid)]

    def kill(self) -> int:
        """Kill the engine without a warning; return the process that it was."""
        pid = self.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda: not alive(pid))
        return pid

    def end(self) -> None:
        """Ask its engine to go, and see that it does."""
        engines = self.engines()
        for pid in engines:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
                os.kill(pid, signal.SIGTERM)
        try:
            until(lambda: not any(map(alive, engines)))
            until(lambda: not self.engines())  # which looks through all processes
        finally:
            for pid in self.engines():
                os.kill(pid, signal.SIGKILL)

    def log(self) -> str:
        return self.paths.engine_log.read_text() if self.paths.engine_log.exists() else ""


def copy_request(*sources: Path, target: Path, **more: Any) -> Request:
    return Request(
        kind=JobKind.COPY,
        sources=tuple(Location.local(path) for path in sources),
        target=Location.local(target),
        **more,
    )


class FakeDrafts:
    """Requests that come in parts, kept in memory."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine
        self.open: dict[int, Request] = {}
        self._last = 0

    async def begin(self, request: Request) -> int:
        self._engine.calls.append(("begin", len(request.sources)))
        self._last += 1
        self.open[self._last] = request
        return self._last

    async def add(self, number: int, sources: tuple[Location, ...], targets: tuple[Location, ...]) -> None:
        self._engine.calls.append(("add", len(sources)))
        await self._engine.gate.wait()
        draft = self.open[number]
        self.open[number] = replace(
            draft, sources=(*draft.sources, *sources), targets=(*draft.targets, *targets)
        )

    async def submit(self, number: int) -> int:
        return await self._engine.submit(self.open.pop(number))

    async def drop(self, number: int) -> None:
        if self.open.pop(number, None) is not None:
            self._engine.calls.append(("drop", number))


class FakeEngine:
    """A queue in memory: jobs do nothing, updates come as fast as they are taken."""

    def __init__(self) -> None:
        self.jobs_by_id: dict[int, Job] = {}
        self.requests: dict[int, Request] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.taken = 0
        self.note = ""
        self.revision = 0
        self.changed = asyncio.Event()
        self.drafts = FakeDrafts(self)

    idle = True

    async def start_up(self) -> None: ...

    async def shut_down(self) -> None: ...

    async def submit(self, request: Request) -> int:
        self.calls.append(("submit", request))
        await self.gate.wait()
        id = len(self.jobs_by_id) + 1
        self.requests[id] = replace(request, sources=tuple(request.sources))  # as a journal keeps them
        self.jobs_by_id[id] = Job(
            id, request.kind, JobState.QUEUED, request.sources[0], len(request.sources), request.target,
            request.into, request.conflict, request.priority, None, id, time.time(), 1,
        )  # fmt: skip
        return id

    async def jobs(self) -> tuple[Job, ...]:
        return tuple(self.jobs_by_id.values())

    async def job(self, id: int, seconds: float = 0.0) -> Job:
        if id not in self.jobs_by_id:
            raise NoSuchJob(f"there is no job {id}")
        return self.jobs_by_id[id]

    async def request(self, id: int) -> Request:
        return first_part(self.requests[id])

    async def sources(self, id: int, start: int = 0, count: int = PART) -> tuple[Location, ...]:
        return tuple(self.requests[id].sources[start : start + min(count, PART)])

    async def pause(self, ids: Any = None) -> None:
        self.calls.append(("pause", ids))
        await self.gate.wait()

    async def retry(self, ids: Any = None) -> None:
        self.calls.append(("retry", ids))
        await self.gate.wait()

    async def resume(self, ids: Any = None) -> None:
        raise ZeroDivisionError("inside")

    async def cancel(self, ids: Any = None, *, keep: bool = True) -> None:
        self.calls.append(("cancel", ids, keep))

    async def status(self) -> EngineStatus:
        return EngineStatus(os.getpid(), "fake", PROTOCOL, 0.0, None, 2, 0.0)

    def touch(self, note: str) -> None:
        """Change every job: those who follow learn of it."""
        self.note = note
        self.revision += 1
        self.changed.set()

    async def subscribe(self, after: int | None) -> AsyncIterator[Update]:
        full = True
        while True:
            self.changed.clear()
            self.taken += 1
            jobs = tuple(replace(job, note=self.note) for job in self.jobs_by_id.values())
            yield Update(self.revision, jobs, (), await self.status(), full)
            full = False
            await self.changed.wait()


class Raw:
    """A client that may say anything."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._socket.setblocking(False)
        self._read = b""

    async def say(self, line: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, line)

    async def hear(self) -> Any:
        """Return the next message, decoded; None where the connection ended."""
        async with asyncio.timeout(60):
            while b"\n" not in self._read:
                chunk = await asyncio.get_running_loop().sock_recv(self._socket, 1 << 20)
                if not chunk:
                    return None
                self._read += chunk
        line, _, self._read = self._read.partition(b"\n")
        return json.loads(line)

    async def ask(self, line: bytes) -> Any:
        await self.say(line)
        return await self.hear()

    async def greet(self) -> None:
        answer = await self.ask(lines.call(METHODS["hello"], 1, {"protocol": PROTOCOL, "version": "test"}))
        assert answer["result"]["protocol"] == PROTOCOL

    def close(self) -> None:
        self._socket.close()
