"""Keys in the order typed: each is handed on when the one before has had its effect.

A key may move the focus or open a dialog. Textual hands every key to what has the focus when it comes in, so that
keys typed ahead would reach the old place: a name typed right after F7 would be a row of commands.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from tui.ui import stray_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual import events
    from textual.app import App
    from textual.message_pump import MessagePump

    from tui.ui.stray_text import StrayText

PATIENCE_S = 1.0
"""So long keys wait for the one before where nothing goes on; then they go where the focus is."""
_TICK_S = 0.05
_LATE_S = 0.02
"""A tick that is so much late was held up: the process was stopped, or had or wanted the processor."""
_LATE_COUNTS = 0.25
"""Such a tick counts less: what is waited for could not go on meanwhile either."""
JUST_NOW_S = 0.5
"""A key typed so long after another was handed on finds it handled; a dialog that it opens may still be on its way."""
_LOOK_AGAIN_S = 0.005


class TypeAhead:
    """Hands on one key at a time.

    Args:
        app: Whose keys these are.
        hand_on: Gives a key to what has the focus.
        opened: Waits until what the key began has opened its dialog, or needs none.
        stray: Tells which keys are to be left out.
    """

    def __init__(
        self,
        app: App[Any],
        hand_on: Callable[[events.Key], Awaitable[None]],
        opened: Callable[[], Awaitable[None]],
        stray: StrayText,
    ) -> None:
        self._app, self._hand_on, self._opened, self._stray = app, hand_on, opened, stray
        self._keys: deque[tuple[events.Key, float]] = deque()
        """Keys, and when each was typed."""
        self._came = asyncio.Event()
        self._given_to: MessagePump | None = None
        self._given_on: MessagePump | None = None
        self._given_at = float("-inf")

    def take(self, event: events.Key) -> None:
        """Put a key behind those that wait."""
        self._keys.append((event, time.monotonic()))
        self._came.set()

    async def run(self) -> None:
        """Hand on keys for ever."""
        while True:
            while not self._keys:
                await self._next()
            event, typed_s = self._keys.popleft()
            await self._wait_patiently(typed_s)
            if await self._stray.takes(event, typed_s, self._text_follows):
                continue
            self._given_on = self._app.screen
            self._given_to = self._app.focused or self._given_on
            self._given_at = time.monotonic()
            await self._hand_on(event)

    async def _next(self) -> None:
        self._came.clear()
        await self._came.wait()

    async def _text_follows(self, typed_s: float, count: int) -> bool:
        """Wait until so many characters have come in a row after what was typed; say whether they have."""
        for number in range(count):
            while len(self._keys) <= number:
                try:
                    async with asyncio.timeout(typed_s + stray_text.PAUSE_S - time.monotonic()):
                        await self._next()
                except TimeoutError:
                    return False
            event, then_s = self._keys[number]
            if not event.is_printable or then_s - typed_s >= stray_text.PAUSE_S:
                return False
            typed_s = then_s
        return True

    async def _wait_patiently(self, typed_s: float) -> None:
        """Wait for the key before, but not for ever: whatever takes so long must not swallow what is typed."""
        loop, waited_s = asyncio.get_running_loop(), 0.0
        due_s = loop.time() + _TICK_S
        timer: asyncio.TimerHandle | None = None

        def tick() -> None:
            nonlocal waited_s, due_s, timer
            waited_s += _TICK_S * (_LATE_COUNTS if loop.time() - due_s > _LATE_S else 1)
            if waited_s >= PATIENCE_S:
                patience.reschedule(loop.time())
                return
            due_s = loop.time() + _TICK_S
            timer = loop.call_at(due_s, tick)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None) as patience:
                timer = loop.call_at(due_s, tick)
                try:
                    await self._settled(typed_s)
                finally:
                    if timer is not None:
                        timer.cancel()

    async def _settled(self, typed_s: float) -> None:
        """Wait until the key before has had its effect: on its node, on what that tells upwards, on the focus.

        Args:
            typed_s: When the next one was typed. (How late it is now tells only how busy the machine is.)
        """
        if typed_s - self._given_at < JUST_NOW_S and self._given_to is not None:
            await _handled(self._given_to)
            pump: MessagePump | None = self._given_to
            while pump is not None:
                await _handled(pump)
                pump = pump._parent
        await self._opened()
        while (screen := self._app.screen) is not self._given_on:
            if screen.is_mounted and (screen.focused is not None or not screen.focus_chain):
                return
            await asyncio.sleep(_LOOK_AGAIN_S)


async def _handled(pump: MessagePump) -> None:
    """Wait until a message pump has handled all it has been sent so far."""
    reached = asyncio.Event()
    if pump.call_later(reached.set):
        await reached.wait()
