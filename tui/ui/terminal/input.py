"""Read keys and answers from a terminal, whatever bytes it sends."""

from __future__ import annotations

import codecs
import logging
import os
import re
from typing import TYPE_CHECKING, Final

from textual import constants, events
from textual._xterm_parser import XTermParser

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Iterator

    from textual.message import Message

logger = logging.getLogger(__name__)

_BEFORE_ESCAPE: Final = re.compile("(?=\x1b)")
_LONGEST_SEQUENCE: Final = 40
_READ_BYTES: Final = 1 << 16
_TICK_S: Final = constants.ESCAPE_DELAY + 0.002


_OPTION: Final = frozenset(f"\x1b{character}" for character in "0123456789-=")
"""What Textual takes for the signs that a Mac's Option key types; everywhere else it is Alt, or Escape before it."""


class Parser(XTermParser):
    """Textual's, but of Alt and a printable key, digits and signs too, comes "alt+" and that key."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if sequence in _OPTION:
            sequence, alt = sequence[1], True
        for event in super()._sequence_to_key_events(sequence, alt):
            if alt and event.is_printable and not event.key.startswith("alt+"):
                event.key = f"alt+{event.key}"
            yield event


class Input:
    """The reading end of a terminal, on the event loop; it wakes for bytes and for an Escape left alone, else never."""

    def __init__(
        self,
        fd: int,
        loop: asyncio.AbstractEventLoop,
        on_message: Callable[[Message], None],
        on_lost: Callable[[], None],
    ) -> None:
        """Prepare to read.

        Args:
            fd: The terminal, open for reading and non-blocking.
            on_message: Called with each key, mouse event, paste and answer.
            on_lost: Called when the terminal has gone.
        """
        self._fd = fd
        self._loop = loop
        self._on_message = on_message
        self._on_lost = on_lost
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._parser = Parser()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._loop.add_reader(self._fd, self._read)

    def stop(self) -> None:
        self._loop.remove_reader(self._fd)
        self._cancel_timer()

    def _read(self) -> None:
        try:
            data = os.read(self._fd, _READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            logger.info("The terminal is gone: %s", error)
            data = b""
        if data:
            self.feed(data)
        else:
            self.stop()
            self._on_lost()

    def feed(self, data: bytes) -> None:
        """Take bytes as they were read; characters and sequences may be cut anywhere."""
        for piece in _pieces(self._decoder.decode(data)):
            self._deliver(self._parser.feed(piece))
        self._watch_for_escape()

    def _deliver(self, messages: Iterable[Message]) -> None:
        try:
            for message in messages:
                self._on_message(message)
        except Exception:
            # Textual's parser fails on some sequences no keyboard sends, as a key code above Unicode's last.
            logger.exception("Input that could not be understood is left out")
            self._parser = Parser()

    def _watch_for_escape(self) -> None:
        """See to it that an Escape with nothing after it is delivered in time."""
        self._cancel_timer()
        if self._parser._timeout_time is not None:
            self._timer = self._loop.call_later(_TICK_S, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._deliver(self._parser.tick())
        self._watch_for_escape()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _pieces(text: str) -> Iterator[str]:
    """Cut text so that of one with a sequence the parser fails on only that sequence is lost.

    What may belong to a sequence comes character by character, pasted text whole.
    """
    for part in _BEFORE_ESCAPE.split(text):
        head = _LONGEST_SEQUENCE if part.startswith("\x1b") else 0
        yield from part[:head]
        if len(part) > head:
            yield part[head:]
