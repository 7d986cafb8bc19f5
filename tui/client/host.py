"""An engine and what it needs wherever it runs: its journal, its settings and the hooks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace

from tui import __version__
from tui.client.base import Browsing, Drafts, Queue
from tui.client.hooks import Hooks
from tui.client.openers import known_hosts, openers
from tui.config.reading import load
from tui.places.local.homes import home_folders
from tui.wire.protocol import PROTOCOL

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
    from pathlib import Path

    from tui.client.runtime import Lock
    from tui.config import Settings
    from tui.model.job import Job, Update
    from tui.paths import Paths


class HostedEngine(Queue, Protocol):
    """What a host needs of an engine."""

    note: str
    """What clients are to be told of the engine itself."""

    async def start_up(self) -> None: ...

    async def shut_down(self) -> None: ...

    @property
    def browsing(self) -> Browsing: ...

    @property
    def drafts(self) -> Drafts: ...

    @property
    def idle(self) -> bool: ...

    def subscribe(self, after: int | None) -> AsyncGenerator[Update]:
        """Yield updates as they are taken: what changes meanwhile is merged into the next one."""
        ...


class EngineFactory(Protocol):
    """Makes an engine on a journal."""

    def __call__(
        self,
        journal: Path,
        settings: Settings,
        on_end: Callable[[Job], None],
        *,
        in_process: bool,
        held: Sequence[int],
    ) -> HostedEngine: ...


def make_engine(
    journal: Path,
    settings: Settings,
    on_end: Callable[[Job], None],
    *,
    in_process: bool,
    held: Sequence[int],
    today: Callable[[], Settings] | None = None,
) -> HostedEngine:
    """Return an engine on a journal, not started yet.

    Args:
        today: Reads the settings anew where stores are concerned. None: they stay as they are.
        held: Descriptors that its worker processes keep open too: with the lock's, nobody else takes up the queue
            before the last of them has gone.
    """
    from tui.engine.clock import SystemClock
    from tui.engine.engine import Engine, Limits
    from tui.engine.journal import Journal
    from tui.places.local.workers import Workers

    book = Journal(journal)
    today = today or (lambda: settings)
    return Engine(
        book,
        SystemClock(),
        Limits(settings.queue.slots, settings.queue.limit_bytes_s),
        on_end,
        version=__version__,
        protocol=PROTOCOL,
        in_process=in_process,
        workers=Workers(held=held),
        openers=openers(settings, today, book),
        hosts=lambda: known_hosts(today()),
        homes=home_folders(),
    )


def maker(paths: Paths, settings: Settings) -> EngineFactory:
    """Return what makes engines that know a store from when it stands in the configuration, like a host of ssh's.

    An engine lives on while it is used: nobody would think of ending it for a store that was added.
    """

    def today() -> Settings:
        found, wrong = load(paths)
        # A file that is being edited may name none of them just now.
        return replace(settings, s3={**settings.s3, **found.s3} if wrong else found.s3)

    return partial(make_engine, today=today)


def method_of(engine: HostedEngine, name: str) -> Callable[..., Awaitable[Any]]:
    """Return what does a method of the protocol: those with a dot are about other places."""
    group, dot, short = name.partition(".")
    found: Callable[..., Awaitable[Any]] = getattr(engine.browsing, short) if dot else getattr(engine, group)
    return found


class Host:
    """An engine with its hooks, started and stopped together."""

    def __init__(
        self,
        journal: Path,
        settings: Settings,
        *,
        in_process: bool,
        lock: Lock | None,
        make: EngineFactory = make_engine,
    ) -> None:
        self.hooks = Hooks(settings.hooks.job_ended)
        held = [lock.fd] if lock else []
        self.engine = make(journal, settings, self.hooks.job_ended, in_process=in_process, held=held)

    @property
    def idle(self) -> bool:
        return self.engine.idle and not self.hooks.busy

    def tell(self, text: str) -> None:
        """Have clients told one thing more of the engine."""
        self.engine.note = f"{self.engine.note}; {text}" if self.engine.note else text

    async def start_up(self) -> None:
        await self.engine.start_up()

    async def shut_down(self) -> None:
        """Stop, keeping every job."""
        await self.engine.shut_down()
        await self.hooks.close()
