"""The driver between Textual and a terminal: it never waits for the terminal, and sends changed cells only."""

from __future__ import annotations

import logging
import os
import signal
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from textual import constants, events
from textual.driver import Driver
from textual.geometry import Size
from textual.messages import TerminalSupportsSynchronizedOutput

from tui.ui.terminal.device import Device
from tui.ui.terminal.difference import Abilities
from tui.ui.terminal.environment import is_far
from tui.ui.terminal.input import Input
from tui.ui.terminal.output import Output
from tui.ui.terminal.painter import Painter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rich.color import ColorSystem
    from rich.console import RenderableType
    from textual.app import App
    from textual.message import Message

logger = logging.getLogger(__name__)

EXIT_HUNG_UP: Final = 128 + signal.SIGHUP
PATIENCE_S: Final = 1.0
"""How long leaving waits for a terminal that takes nothing."""
LEAVE_WITHIN_S: Final = 5.0
"""After the terminal has gone, the process ends by then, whatever still waits for something."""

# Save the title; alternate screen; hide the cursor; report focus; bracketed paste; no wrapping.
ENTER: Final = "\x1b[22;2t\x1b[?1049h\x1b[?25l\x1b[?1004h\x1b[?2004h\x1b[?7l"
LEAVE: Final = "\x1b[?7h\x1b[?2004l\x1b[?1004l\x1b[m\x1b[?1049l\x1b[?25h\x1b[23;2t"
# Disambiguate escape codes, report all keys, report associated text; on the alternate screen's own stack.
KITTY_KEYS: Final = "\x1b[>25u"
KITTY_KEYS_OFF: Final = "\x1b[<u"
CLICKS: Final = ("\x1b[?1000h\x1b[?1006h", "\x1b[?1006l\x1b[?1000l")
CLICKS_AND_DRAGS: Final = ("\x1b[?1002h\x1b[?1006h", "\x1b[?1006l\x1b[?1002l")
ASK_SYNCHRONIZED: Final = "\x1b[?2026$p"


def abilities_of(term: str) -> Abilities:
    """Return what a kind of terminal can do, before it has answered anything."""
    screen = term.startswith("screen")
    return Abilities(erases_in_color=not screen, erases_characters=not screen)


class TerminalDriver(Driver):
    """Runs an app on the terminal of this process.

    Input and output are on the event loop, without threads. What Textual paints goes into a frame; whenever the
    terminal can take more, the difference to what was sent goes out. Everything else goes through a bounded queue.
    """

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._device = Device()
        self._size = size or self._device.size
        self._painter = Painter(*self._size, abilities_of(os.environ.get("TERM", "")))
        self._output = Output(self._device.fd, self._loop, self._next_frame, self.hang_up)
        self._input = Input(self._device.fd, self._loop, self.process_message, self.hang_up)
        self._mouse_on, self._mouse_off = CLICKS if is_far(os.environ) else CLICKS_AND_DRAGS
        # Both print the last character of a query they do not know.
        console = os.environ.get("TERM") == "linux"
        self._answers = not console and os.environ.get("TERM_PROGRAM") != "Apple_Terminal"
        kitty = not console and not constants.DISABLE_KITTY_KEY
        self._keys_on, self._keys_off = (KITTY_KEYS, KITTY_KEYS_OFF) if kitty else ("", "")
        self._running = False
        self._lost = False
        self._must_signal_resume = False
        self._thread = threading.get_ident()
        self._handlers: dict[int, Any] = {}
        self._leave_timer: threading.Timer | None = None

    @property
    def can_suspend(self) -> bool:
        return True

    @property
    def output_pending(self) -> bool:
        """Whether the terminal has yet to take something that was painted."""
        return self._output.pending

    # What the app asks for

    def show(self, update: RenderableType, colors: ColorSystem, cursor: tuple[int, int] | None) -> None:
        """Take an update of the screen; it is sent as soon as the terminal can take it.

        Args:
            update: What Textual's compositor has rendered.
            colors: What the terminal can show.
            cursor: Where an input method should open; None where nothing is typed.
        """
        self._painter.apply(update, colors)
        if cursor is not None:
            self._painter.place_cursor(*cursor)
        self._output.want_frame()

    def _next_frame(self) -> str:
        try:
            return self._painter.encode()
        except Exception as error:
            self._app._handle_exception(error)
            return ""

    def redraw(self) -> None:
        """Send the whole screen again."""
        self._painter.forget()
        self._output.want_frame()

    def write(self, data: str) -> None:
        """Queue control sequences. Screen contents go through `show`; this may be called in any thread."""
        if threading.get_ident() == self._thread:
            self._queue(data)
        else:
            self._loop.call_soon_threadsafe(self._queue, data)

    def _queue(self, data: str) -> None:
        if not self._output.control(data) and not self._lost:
            logger.warning("A control sequence was dropped: the terminal does not read")

    def send_message(self, message: Message) -> None:
        self._app.post_message(message)

    def process_message(self, message: Message) -> None:
        if isinstance(message, TerminalSupportsSynchronizedOutput):
            # Brackets are this driver's business; Textual would put its own around every update.
            self._painter.abilities = replace(self._painter.abilities, synchronized=True)
            return
        super().process_message(message)

    # Coming and going

    def start_application_mode(self) -> None:
        self._device.make_raw()
        self._install_signal_handlers()
        self._running = True
        self.write(ENTER + self._keys_on)
        if self._mouse:
            self.write(self._mouse_on)
        if self._answers:
            self.write(ASK_SYNCHRONIZED)
        self._input.start()
        self._follow_size()
        self.redraw()
        if self._must_signal_resume:
            self._must_signal_resume = False
            self.send_message(self.SignalResume())

    def disable_input(self) -> None:
        if self._running:
            self._input.stop()

    def stop_application_mode(self) -> None:
        if not self._running:
            return
        self._running = False
        self._input.stop()
        # Until the end an interrupt meant for a program that runs meanwhile must not end this one, nor pass unseen
        # that the terminal hangs up.
        self._remove_signal_handlers(self._handlers.keys() - {signal.SIGINT, signal.SIGHUP})
        if self._lost:
            return
        if self._mouse:
            self._output.control(self._mouse_off)
        self._output.control(self._keys_off + LEAVE)
        self._output.finish(PATIENCE_S)
        self._device.discard_input()
        self._device.restore()

    def suspend_application_mode(self) -> None:
        self.stop_application_mode()

    def close(self) -> None:
        self.stop_application_mode()
        self._output.lose()
        self._device.close()
        self._remove_signal_handlers(self._handlers)
        if self._leave_timer is not None:
            self._leave_timer.cancel()

    def hang_up(self) -> None:
        """Leave: the terminal has gone, and nobody sees anything any more."""
        if self._lost:
            return
        self._lost = True
        self._input.stop()
        self._output.lose()
        self._leave_timer = threading.Timer(LEAVE_WITHIN_S, os._exit, [EXIT_HUNG_UP])
        self._leave_timer.daemon = True
        self._leave_timer.start()
        self._app.exit(return_code=EXIT_HUNG_UP)

    def _follow_size(self) -> None:
        """Take the terminal's size over, and tell the app."""
        if self._lost:
            return
        size = self._device.size
        if size != self._painter.size:
            self._painter.resize(*size)
        self._size = size
        self.send_message(events.Resize(Size(*size), Size(*size)))
        self._output.want_frame()

    # Signals

    def _install_signal_handlers(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        wanted: dict[int, Callable[[], None]] = {
            signal.SIGWINCH: self._on_resized,
            signal.SIGHUP: self.hang_up,
            signal.SIGTERM: lambda: self._app.exit(return_code=128 + signal.SIGTERM),
            signal.SIGINT: self._on_interrupt,
            signal.SIGTSTP: self._stop_for_shell,
            signal.SIGCONT: self._on_continued,
        }
        for number, handler in wanted.items():
            # What was ignored from the start stays so (nohup): the read error of a dead terminal tells the same.
            if number not in self._handlers and signal.getsignal(number) is not signal.SIG_IGN:
                self._handlers[number] = signal.signal(number, self._soon(handler))

    def _soon(self, handler: Callable[[], None]) -> Callable[..., None]:
        """Return a signal handler that runs another one on the event loop, between its steps."""

        def handle(number: int, _frame: object) -> None:
            for_another = number == signal.SIGINT and not self._running
            if not for_another and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(handler)

        return handle

    def _remove_signal_handlers(self, numbers: Iterable[int]) -> None:
        for number in list(numbers):
            signal.signal(number, self._handlers.pop(number) or signal.SIG_DFL)

    def _on_interrupt(self) -> None:
        self._app.exit(return_code=128 + signal.SIGINT)

    def _on_resized(self) -> None:
        if self._running:
            # Terminals move or cut what they show when they change their size, each in its own way.
            self._painter.forget()
            self._follow_size()

    def _stop_for_shell(self) -> None:
        """Leave the terminal to the shell, stop, and take it again when the shell says so.

        Where no shell could say so, because Ferry is the terminal's only program, the system lets nobody stop.
        """
        if not self._running:
            return
        self.stop_application_mode()  # which takes the handler of this signal away
        self._must_signal_resume = True
        os.kill(os.getpid(), signal.SIGTSTP)
        self.start_application_mode()

    def _on_continued(self) -> None:
        """Take the terminal again after a stop that gave no warning."""
        if self._running and not self._lost:
            self._device.make_raw()
            self.write(ENTER)
            self.redraw()
