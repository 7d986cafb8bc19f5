"""What a command works with: folders, settings, the two streams, and the ways to the engine."""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from tui.cli.diagnostics import Diagnostics
from tui.cli.output import Output
from tui.config import Settings
from tui.paths import Paths

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from tui.client.base import Client
    from tui.client.quick import QuickLine
    from tui.model.job import EngineStatus

    class OpenClient(Client, Protocol):
        """A client, and what it has to say about how it came to be."""

        notice: str
        """Why the engine is not the usual one; empty where all is well."""
        keeps_queue: bool
        """Whether jobs are still there when the engine has ended."""

    Work = Callable[[OpenClient], Coroutine[Any, Any, int]]
    """What a command does once there is an engine, to its exit status."""


class Engines(Protocol):
    """The ways to an engine."""

    def client(self) -> OpenClient:
        """Return a client of the background engine, which is started where it does not run."""
        ...

    def foreground(self) -> OpenClient:
        """Return a client of an engine in this process, with a journal of its own."""
        ...

    def quick(self, *, start: bool = True) -> QuickLine | None:
        """Return a blocking line to the background engine; None: go the long way, which says why there is none.

        Args:
            start: Start one where none runs.
        Raises:
            EngineError: It does not answer, or does not start.
        """
        ...

    async def status(self) -> EngineStatus | None:
        """Return the state of the background engine, or None where none runs; start nothing."""
        ...

    async def stop(self) -> bool:
        """Stop the background engine; return False where none ran."""
        ...


class SpawnedEngines(Struct, frozen=True):
    """The real ones."""

    paths: Paths
    settings: Settings

    def client(self) -> OpenClient:
        from tui.client.spawn import open_client

        return open_client(self.paths, self.settings)

    def foreground(self) -> OpenClient:
        from tui.client.spawn import open_foreground

        return open_foreground(self.paths, self.settings)

    def quick(self, *, start: bool = True) -> QuickLine | None:
        from tui.client.quick import QuickLine

        return QuickLine.open_or_start(self.paths) if start else QuickLine.open(self.paths)

    async def status(self) -> EngineStatus | None:
        from tui.client.spawn import engine_status

        return await engine_status(self.paths)

    async def stop(self) -> bool:
        from tui.client.stop import stop_engine

        return await stop_engine(self.paths)


def on_a_terminal() -> bool:
    """Say whether somebody can be asked: keys come from a terminal, and messages go to one."""
    try:
        return sys.stdin.isatty() and sys.stderr.isatty()
    except (AttributeError, ValueError):
        return False


class Session(Struct):
    """One run of one command."""

    paths: Paths
    settings: Settings
    out: Output
    messages: Diagnostics
    engines: Engines
    actions: Collection[str] | None = None
    """Ids that may stand in [keys]; None: not known here."""
    interactive: bool = field(default_factory=on_a_terminal)

    @property
    def asks_before_deleting(self) -> bool:
        """Whether there is somebody to be asked, who wants to be."""
        return self.interactive and self.settings.confirm.delete
