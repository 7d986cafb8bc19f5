"""What the operations on files share: the panes they act on, dialogs, and a worker for each."""

from __future__ import annotations

import asyncio
import functools
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from textual.screen import Screen

from tui.format import entries
from tui.ui.addresses import host_of
from tui.ui.notes import report, saying_when_slow, tell
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from textual.worker import Worker

    from tui.client.base import Client
    from tui.config import Settings
    from tui.model.job import Request
    from tui.model.location import Location
    from tui.ui.memory import Memory
    from tui.ui.notes import Severity
    from tui.ui.screens.dialog import Dialog
    from tui.ui.submits import Submits
    from tui.ui.widgets.pane import FilePane

Result = TypeVar("Result")
Self = TypeVar("Self", bound="Operations")
Arguments = ParamSpec("Arguments")


SLOW_S = 1.5
"""After so long an operation on a far place that has shown nothing says that it waits."""
TOLD_SOURCES = 50_000
"""More than so many take the queue some seconds."""
_opening: ContextVar[asyncio.Event] = ContextVar("opening")
"""Set when the operation this runs in has opened its first dialog, or has ended without one."""


def operation(
    method: Callable[Concatenate[Self, Arguments], Coroutine[Any, Any, None]],
) -> Callable[Concatenate[Self, Arguments], Worker[None]]:
    """Make an action of a coroutine: it runs as a worker, so that it may wait for dialogs, and reports its errors."""

    @functools.wraps(method)
    def start(self: Self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Worker[None]:
        opening = asyncio.Event()
        self.opening.add(opening)

        async def run() -> None:
            _opening.set(opening)
            slow = self.set_timer(SLOW_S, lambda: self.wait_for_host(opening))
            try:
                await method(self, *args, **kwargs)
            except Exception as error:  # one operation that went wrong must not end the screen
                report(self.app, error)
            finally:
                slow.stop()
                self.opened(opening)

        return self.run_worker(run(), name=method.__name__, group="operations", exit_on_error=False)

    return start  # type: ignore[return-value]


class Operations(Screen[None]):
    """A screen with two panes, as seen by the operations on them."""

    client: Client
    submits: Submits
    settings: Settings
    memory: Memory

    def __init__(self) -> None:
        super().__init__()
        self.opening: set[asyncio.Event] = set()
        self._late: set[asyncio.Event] = set()
        """Of operations for whose dialog keys were not kept waiting any longer."""

    @property
    def pane(self) -> FilePane:
        """The pane that has the focus, or had it last."""
        raise NotImplementedError

    @property
    def other(self) -> FilePane:
        """The pane across."""
        raise NotImplementedError

    def use(self, pane: FilePane) -> None:
        """Make a pane the one in use, shown and focused."""
        raise NotImplementedError

    @property
    def chosen(self) -> Sequence[Location]:
        """What an operation is about, to be kept in a request: it does not change with the marks."""
        chosen = self.pane.chosen
        return tuple(chosen) if isinstance(chosen, list) else chosen

    @property
    def current_location(self) -> Location | None:
        """What is under the pane's cursor, whatever is marked."""
        current = self.pane.current
        return current.location if current else None

    async def ask(self, dialog: Dialog[Result]) -> Result | None:
        """Show a dialog and return its result; None where it is left, or another one is open already."""
        if self.app.screen is not self:
            return None
        if _opening.get() in self._late:
            self.changes_by_itself()
        answer = self.app.push_screen(dialog, wait_for_dismiss=True)
        self.opened(_opening.get())
        return await answer

    def wait_for_host(self, opening: asyncio.Event) -> None:
        """Say that an operation on a far place has not got an answer yet."""
        if not (opening.is_set() or self.pane.location.is_local):
            self.tell(f"Waiting for {visible(host_of(self.pane.location))} …")

    def opened(self, opening: asyncio.Event) -> None:
        """Let keys go on that wait for an operation's dialog."""
        opening.set()
        self.opening.discard(opening)
        self._late.discard(opening)

    def changes_by_itself(self) -> None:
        """Have no key go astray that was meant for what is on the screen now: a dialog comes that no key waited for."""
        stray = getattr(self.app, "stray_text", None)
        if stray is not None:
            stray.changed()

    def nothing_to_open(self) -> None:
        """Let keys go on although the operation this runs in has not ended: it will ask nothing more."""
        self.opened(_opening.get())

    async def all_opened(self) -> None:
        """Wait until every operation begun so far has opened its dialog, or needs none."""
        waited_for, self.opening = self.opening, set()
        try:
            for opening in waited_for:  # once only: one that hangs must not hold up key after key
                await opening.wait()
        finally:
            self._late |= {opening for opening in waited_for if not opening.is_set()}

    def tell(self, text: str, severity: Severity = "information") -> None:
        tell(self.app, text, severity)

    def tell_nothing(self, to_do: str) -> None:
        """Say why there is nothing to do something with: the folder has nothing, or the cursor is on the way up."""
        if self.pane.folder.order:
            self.tell(
                f"Nothing to {to_do}: the cursor is on the way up. Go to an entry, or mark some.", "warning"
            )
        else:
            self.tell(f"There is nothing here to {to_do}.", "warning")

    def call_elsewhere(self, text: str) -> None:
        """Tell it to whoever does not look at this terminal, too."""
        call = getattr(self.app, "call_elsewhere", None)
        if call is not None:
            call(text)

    async def submit(self, request: Request, said: str) -> int:
        """Put a request into the queue, and say so."""
        self.nothing_to_open()
        if len(request.sources) > TOLD_SOURCES:
            self.tell(f"Putting {named(request.sources)} into the queue …")
            job = await self.submits.submit(request)
        else:
            with saying_when_slow(self, lambda text: self.tell(text, "warning")):
                job = await self.submits.submit(request)
        self.tell(f"{said} · job {job}")
        return job

    def keep_memory(self) -> None:
        """Have the screen's memory written behind the scenes; many changes in a row are written once or twice."""
        self._memory_changed = True
        if not self._memory_is_written:
            self._memory_is_written = True
            self.run_worker(  # a coroutine made here would be left over where the screen ends first
                self._write_memory,  # type: ignore[arg-type]
                group="memory",
                exit_on_error=False,
            )

    _memory_changed = False
    _memory_is_written = False

    async def _write_memory(self) -> None:
        from aiofiles.os import wrap

        try:
            while self._memory_changed:
                self._memory_changed = False
                await wrap(self.memory.save)(self.memory.as_text())
        finally:
            self._memory_is_written = False


def named(sources: Sequence[Location]) -> str:
    """Return how a message names what an operation is about: its name, or how many."""
    if len(sources) == 1:
        return visible(sources[0].name or str(sources[0]))
    return entries(len(sources), "entry", "entries")
