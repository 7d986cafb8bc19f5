"""Write to a terminal without ever waiting for it."""

from __future__ import annotations

import logging
import os
import select
import time
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

logger = logging.getLogger(__name__)

MOST_QUEUED: Final = 1 << 20
"""Characters of control sequences that wait at most; a terminal that far behind gets no more of them."""


class Output:
    """The writing end of a terminal.

    What waits is bounded: control sequences in a queue of their own, and one frame that is being sent. The next
    frame is made only when the terminal has taken that one, so it always shows the latest state.
    """

    def __init__(
        self,
        fd: int,
        loop: asyncio.AbstractEventLoop,
        next_frame: Callable[[], str],
        on_lost: Callable[[], None],
    ) -> None:
        """Prepare to write.

        Args:
            fd: The terminal, open for writing and non-blocking.
            next_frame: Returns what makes the terminal show the latest state; "" when it does.
            on_lost: Called when the terminal has gone.
        """
        self._fd = fd
        self._loop = loop
        self._next_frame = next_frame
        self._on_lost = on_lost
        self._controls: deque[str] = deque()
        self._queued = 0
        self._frame_wanted = False
        self._pending = b""
        self._scheduled = False
        self._waiting = False
        self._lost = False

    @property
    def pending(self) -> bool:
        """Whether the terminal has yet to take something."""
        return bool(self._pending)

    def control(self, text: str) -> bool:
        """Queue a control sequence before the next frame; tell whether there was room for it."""
        if self._lost or self._queued + len(text) > MOST_QUEUED:
            return False
        self._controls.append(text)
        self._queued += len(text)
        self._schedule()
        return True

    def want_frame(self) -> None:
        """Ask for a frame as soon as the terminal can take one."""
        self._frame_wanted = True
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled and not self._waiting and not self._lost:
            self._scheduled = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        """Send until the terminal takes no more or nothing is left; then wait, or be done."""
        self._scheduled = False
        while not self._lost and self._prepare():
            if not self._send():
                if not self._waiting and not self._lost:
                    self._waiting = True
                    self._loop.add_writer(self._fd, self._pump)
                return
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        if self._waiting:
            self._waiting = False
            self._loop.remove_writer(self._fd)

    def _prepare(self) -> bool:
        """Tell whether there is something to send, making the next piece where the last one has gone."""
        if not self._pending:
            text = "".join(self._controls)
            self._controls.clear()
            self._queued = 0
            if self._frame_wanted:
                self._frame_wanted = False
                text += self._next_frame()
            self._pending = text.encode("utf-8", "replace")
        return bool(self._pending)

    def _send(self) -> bool:
        """Send what the terminal takes; tell whether that was all."""
        try:
            sent = os.write(self._fd, self._pending)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            logger.info("The terminal is gone: %s", error)
            self.lose()
            self._on_lost()
            return False
        self._pending = self._pending[sent:]
        return not self._pending

    def lose(self) -> None:
        """Drop everything: the terminal has gone."""
        self._lost = True
        self._pending = b""
        self._controls.clear()
        self._stop_waiting()

    def finish(self, patience_s: float) -> bool:
        """Send what is queued, without another frame, and wait for it.

        Args:
            patience_s: How long a terminal may take nothing before it is given up.
        Returns:
            Whether all was sent.
        """
        self._stop_waiting()
        self._frame_wanted = False
        give_up = time.monotonic() + patience_s
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        while not self._lost and self._prepare():
            left = len(self._pending)
            if self._send():
                continue
            if len(self._pending) < left:
                give_up = time.monotonic() + patience_s
            remaining_s = give_up - time.monotonic()
            if remaining_s <= 0:
                return False
            poll.poll(remaining_s * 1000)
        return not self._lost
