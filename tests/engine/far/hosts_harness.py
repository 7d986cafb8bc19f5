"""An engine in this process whose far places are kept in memory, and which does not take long to wait."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, cast

from engine_harness import Harness, crash

from tui.engine.engine import Engine, Limits
from tui.engine.journal import Journal
from tui.model.error import PlaceUnavailable
from tui.model.job import JobKind, Request
from tui.model.location import Location
from tui.places.local.end import LocalOpener
from tui.places.memory import ALL, MemoryOpener
from tui.places.memory_store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    from tui.model.job import Job
    from tui.places.base import Asker, Capabilities
    from tui.places.memory import MemoryPlace

    Faults = Callable[[str, Location], Awaitable[None] | None]


class FastClock:
    """A clock by which everything takes a hundredth of the time."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic() * 100

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 100)


def at(path: str, host: str = "host") -> Location:
    return Location(path, "sftp", host)


class Trouble:
    """What goes wrong at the `when`-th operation (from 0), once: the connection is lost, or nothing answers."""

    def __init__(self, when: int, *, silent: bool = False) -> None:
        self.when, self.silent = when, silent
        self.names: list[str] = []
        self.reached = asyncio.Event()

    def __call__(self, name: str, location: Location) -> Awaitable[None] | None:
        self.names.append(f"{name} {location.path}")
        if len(self.names) - 1 != self.when:
            return None
        self.reached.set()
        if self.silent:
            return cast("Awaitable[None]", asyncio.Event().wait())
        raise PlaceUnavailable("the connection was lost", location=location)


class Hosts:
    """Far places by host name: each a store that outlives connections and engines. (An opener of them all.)"""

    def __init__(self, capabilities: Capabilities = ALL) -> None:
        self.capabilities = capabilities
        self.stores: dict[str, MemoryStore] = {}
        self.openers: dict[str, MemoryOpener] = {}
        self.trouble: Faults | None = None
        self.password = ""
        """Asked for at each connection."""

    def store(self, host: str = "host") -> MemoryStore:
        return self.stores.setdefault(host, MemoryStore())

    def renew(self) -> None:
        """Empty all; whoever is connected is cut off."""
        for opener in self.openers.values():
            for place in opener.places:
                place.lose()
        self.stores.clear()
        self.openers.clear()

    async def open(self, location: Location, asker: Asker) -> MemoryPlace:
        host = location.authority
        if host not in self.openers:
            self.openers[host] = MemoryOpener(
                self.store(host), self.capabilities, self._faults, password=self.password
            )
        return await self.openers[host].open(location, asker)

    def _faults(self, name: str, location: Location) -> Awaitable[None] | None:
        return self.trouble(name, location) if self.trouble is not None else None


class HostsHarness(Harness):
    """An engine, and how tests talk to it."""

    async def add(self, kind: JobKind, *sources: Location, **rest: object) -> int:
        return await self.engine.submit(Request(kind=kind, sources=sources, **rest))  # type: ignore[arg-type]

    async def messages(self, id: int) -> list[str]:
        return [error.message for error in await self.engine.errors(id)]


def _new(journal: Path, hosts: Hosts) -> HostsHarness:
    engine = Engine(
        Journal(journal),
        FastClock(),
        Limits(),
        version="test",
        openers={"file": LocalOpener, "sftp": lambda: hosts},
    )
    return HostsHarness(engine, journal)


@asynccontextmanager
async def running_hosts(journal: Path, hosts: Hosts) -> AsyncIterator[HostsHarness]:
    """Start an engine on a journal; shut it down at the end."""
    harness = _new(journal, hosts)
    await harness.engine.start_up()
    try:
        yield harness
    finally:
        await harness.engine.shut_down()


def troubles(hosts: Hosts, *, more_than: int, stride: int = 1) -> Iterator[Trouble]:
    """Empty all and yield a trouble, again and again, each `stride` operations later; end with one not reached.

    Args:
        more_than: So many operations are expected at the least.
    """
    for when in count(step=stride):
        hosts.renew()
        hosts.trouble = None
        yield (trouble := Trouble(when))
        if not trouble.reached.is_set():
            break
    assert when + stride > more_than


def counted(job: Job) -> tuple[int, int, int]:
    """Check that a job that is done tells of all it had to do, once, and of no error; return how much that was.

    Shape: (files, bytes, files removed).
    """
    told = job.progress
    assert (told.files_done, told.bytes_done, told.errors) == (told.files_total, told.bytes_total, 0)
    return told.files_done, told.bytes_done, told.files_removed


async def killed_and_done(
    folder: Path, hosts: Hosts, submit: Callable[[HostsHarness], Awaitable[int]], trouble: Trouble
) -> Job:
    """Kill an engine where the trouble meets it, and have the next one finish."""
    hosts.trouble, trouble.silent = trouble, True
    journal = folder / f"journal {trouble.when}"
    first = _new(journal, hosts)
    await first.engine.start_up()
    id = await submit(first)
    waiting = [asyncio.create_task(trouble.reached.wait()), asyncio.create_task(first.ends(id))]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await crash(first)
    await first.engine._doors.close()
    hosts.trouble = None
    async with running_hosts(journal, hosts) as second:
        return await second.done(id)
