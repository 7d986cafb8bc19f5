"""An app on a terminal: what Ferry's own app adds to is here made to work on any terminal, and to end well."""

from __future__ import annotations

import base64
import os
import sys
from typing import IO, TYPE_CHECKING, Any, Generic, cast

from rich.color import ColorSystem
from rich.console import Console
from textual import constants
from textual.app import App, ReturnType

from tui.ui.terminal.driver import TerminalDriver
from tui.visible import harmless

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.driver import Driver
    from textual.screen import Screen


class TerminalApp(App[ReturnType], Generic[ReturnType]):
    """An app whose output never blocks and holds nothing a terminal would obey.

    Without a terminal (tests with Pilot, screenshots, the web) it behaves as any Textual app does.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Tracebacks and exit messages may hold names.
        self.error_console = Console(
            file=cast("IO[str]", HarmlessFile()), markup=False, highlight=False, color_system=None
        )

    def get_driver_class(self) -> type[Driver]:
        if constants.DRIVER is not None or sys.platform == "win32":
            return super().get_driver_class()
        return TerminalDriver

    @property
    def terminal(self) -> TerminalDriver | None:
        """The terminal's driver; None where there is no terminal."""
        return self._driver if isinstance(self._driver, TerminalDriver) else None

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        terminal = self.terminal
        if terminal is None:
            super()._display(screen, renderable)
            return
        try:
            if renderable is not None and not self._batch_count and self._running and not self._closed:
                colors = self.console._color_system or ColorSystem.EIGHT_BIT
                terminal.show(renderable, colors, self._typing_position())
        except Exception as error:
            self._handle_exception(error)
        finally:
            self.post_display_hook()

    def _typing_position(self) -> tuple[int, int] | None:
        """Return where the focused widget wants input methods to open; None where nothing is typed."""
        if not hasattr(self.focused, "cursor_screen_offset"):
            return None
        x, y = self.screen.outer_size.clamp_offset(self.cursor_position)
        return x, y

    def _set_pointer_shape(self, shape: str) -> None:
        """Leave the mouse pointer's shape alone on a terminal: without motion reports it could only be wrong."""
        if self.terminal is None:
            super()._set_pointer_shape(shape)

    def action_redraw(self) -> None:
        """Paint the whole screen anew, after something else has written to the terminal."""
        if self.terminal is not None:
            self.terminal.redraw()

    def copy_to_clipboard(self, text: str) -> None:
        """Put text on the clipboard of the terminal's side (OSC 52); names as the bytes they are on disk."""
        self._clipboard = text
        if self.terminal is not None:
            self._send_osc(f"52;c;{base64.b64encode(os.fsencode(text)).decode()}")

    def note(self, text: str) -> None:
        """Show a notice on the desktop where the terminal can (OSC 9). It begins with the app's title."""
        # The title in front keeps text that begins with a number from being a command (OSC 9;4 in ConEmu).
        self._send_osc(f"9;{harmless(self.title)}: {harmless(text)}", passing=True)

    def set_terminal_title(self, text: str) -> None:
        """Name the terminal's window; its own title comes back at the end."""
        self._send_osc(f"2;{harmless(text)}")

    def _send_osc(self, body: str, *, passing: bool = False) -> None:
        """Send an operating system command; the Linux console knows none and would print some.

        Args:
            passing: It is for the terminal around tmux, which takes it only in an envelope.
        """
        if self.terminal is None or os.environ.get("TERM") == "linux":
            return
        command = f"\x1b]{body}\x07"
        if passing and os.environ.get("TMUX"):
            command = f"\x1bPtmux;\x1b{command}\x1b\\"
        self.terminal.write(command)


class HarmlessFile:
    """Standard error, where control characters other than line breaks are made visible."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        if sys.__stderr__ is not None:
            sys.__stderr__.write("\n".join(map(harmless, text.split("\n"))))
        return len(text)

    def flush(self) -> None:
        if sys.__stderr__ is not None:
            sys.__stderr__.flush()

    def isatty(self) -> bool:
        return sys.__stderr__ is not None and sys.__stderr__.isatty()
