"""The app: holds the client, the themes and the memory, shows the main screen, and ends well."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import Input
from textual.worker import WorkerFailed

from tui import resources
from tui.client.log import log_to
from tui.format import entries
from tui.model.job import JobState
from tui.ui.collector import set_aside
from tui.ui.commands import ActionCommands, commands_of, scope_of
from tui.ui.key_scope import perform
from tui.ui.memory import Memory
from tui.ui.notes import in_words, keep_last, report, tell
from tui.ui.screens.main import MainScreen
from tui.ui.stray_text import StrayText
from tui.ui.submits import Submits
from tui.ui.terminal.app import TerminalApp
from tui.ui.themes import DEFAULT_THEME, FERRY_THEMES, fitting, shared_variables
from tui.ui.toasts import Toasts
from tui.ui.type_ahead import TypeAhead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.screen import Screen
    from textual.theme import Theme
    from textual.worker import Worker

    from tui.client.base import Client
    from tui.config import Settings
    from tui.model.location import Location
    from tui.paths import Paths
    from tui.ui.bindings import Action

_logger = logging.getLogger(__name__)

_STYLES_FIRST = ("base", "pane", "queue", "viewer", "preview", "dialog")
FAILED = 1
LONGEST_LINE = 4096
"""Characters of a line that is typed or pasted: no path the system takes is longer."""


def style_files() -> list[str]:
    """Return the stylesheets in the order of the cascade."""
    rank = {name: number for number, name in enumerate(_STYLES_FIRST)}
    files = resources.styles_dir().glob("*.tcss")
    return [str(file) for file in sorted(files, key=lambda file: (rank.get(file.stem, len(rank)), file.stem))]


class Ferry(TerminalApp[None], inherit_bindings=False):
    """Ferry's screen.

    Args:
        client: Whose places and queue are shown; it is closed by whoever made it.
        settings: As read from the configuration.
        left, right: Folders shown at first; None: the one shown across when the screen was last left.
        paths: Where the memory and the log are.
        notices: What is told at the start, as what was wrong with the configuration.
    """

    TITLE = "Ferry"
    COMMANDS: ClassVar = {ActionCommands}
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "f24"  # ctrl+p comes from the table of actions
    BINDINGS: ClassVar[list[BindingType]] = [  # these reach it from a field inside a pane, too
        Binding("ctrl+q", "quit", "Quit", show=False),
        Binding("ctrl+z", "suspend", "Go back to the shell until fg", show=False),
        Binding("ctrl+l", "redraw", "Draw the screen anew", show=False),
    ]

    def __init__(
        self,
        client: Client,
        settings: Settings,
        left: Location,
        right: Location | None,
        paths: Paths,
        notices: Sequence[str] = (),
    ) -> None:
        self.memory = Memory.load(paths.state / "screen.json")
        super().__init__(css_path=style_files())
        self.client, self.settings, self.paths = client, settings, paths
        self.submits = Submits(client)
        self._start, self._notices = (left, right or self.memory.across or left), tuple(notices)
        self.stray_text = StrayText(lambda: self.main.may_be_asked, self._text_left_out)
        self._toasts = Toasts(self)
        self._type_ahead = TypeAhead(self, self._hand_on, self._all_opened, self.stray_text)
        self.farewell = ""
        """One line for the terminal after the screen has gone."""
        for theme in FERRY_THEMES:
            self.register_theme(theme)
        self.theme = self._theme_chosen()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return shared_variables(self.current_theme)

    def get_default_screen(self) -> Screen[Any]:
        screen = MainScreen(self.client, self.submits, self.settings, self.memory, *self._start)
        # The first resize would give it the class of its width, and have all that is in it styled once more.
        _, of_width = max(each for each in screen.HORIZONTAL_BREAKPOINTS if each[0] <= self.size.width)
        return screen.add_class(of_width)

    @property
    def main(self) -> MainScreen:
        """The main screen, below whatever dialog is open."""
        screen = self.screen_stack[0]
        assert isinstance(screen, MainScreen)
        return screen

    def _refresh_notifications(self) -> None:
        if self.screen_stack:
            keep_last(self)
            self._toasts.show()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded:
            self._type_ahead.take(event)
        elif isinstance(event, events.Paste) and isinstance(self.focused, Input):
            await self._paste(event.text)
        elif isinstance(event, events.Paste) and not event.is_forwarded:
            tell(self, "Nothing was pasted: there is no line to type in here.", "warning")
        else:
            await super().on_event(event)

    async def _paste(self, text: str) -> None:
        """Paste into the line that has the focus what is one line; Textual would keep the first of several."""
        lines = [line for line in text.splitlines() if line.strip()] or [""]
        if len(lines) > 1:
            tell(self, f"Nothing was pasted: that is {len(lines):,} lines, and this takes one.", "warning")
        elif len(lines[0]) > LONGEST_LINE:
            tell(self, f"Nothing was pasted: that is longer than {LONGEST_LINE:,} characters.", "warning")
        else:
            await super().on_event(events.Paste(lines[0]))

    async def _hand_on(self, event: events.Key) -> None:
        """Give a key to what has the focus now."""
        try:
            await super().on_event(event)
        except Exception as error:  # as in any handler; the keys after this one are to go on
            self._handle_exception(error)

    async def _all_opened(self) -> None:
        await self.main.all_opened()

    def _text_left_out(self) -> None:
        tell(self, "What was typed before a question came up was left out.")

    def on_mount(self) -> None:
        if self.terminal is not None:
            self.theme = fitting(self.theme, self.console.color_system)
        self.run_worker(self._type_ahead.run(), name="keys", group="keys")
        self.set_terminal_title(self.TITLE)
        for notice in self._notices:
            tell(self, notice, "warning")

    def on_ready(self) -> None:
        if self.terminal is not None:  # else it is one of many apps in a process of tests
            set_aside()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Keep the cursor of inputs from blinking: each blink is a message to a terminal that may be far away.

        Nor does a line become so long that each key in it is felt.
        """
        if isinstance(event.widget, Input):
            event.widget.cursor_blink = False
            if not event.widget.max_length:
                event.widget.max_length = max(LONGEST_LINE, 2 * len(event.widget.value))

    def _theme_chosen(self) -> str:
        """Return the theme last chosen, else that of the configuration; an unknown one gives way to the default."""
        name = str(self.memory.chosen("theme", self.settings.screen.theme))
        if name in self.available_themes:
            return name
        self._notices += (f"There is no theme {name!r}; {DEFAULT_THEME} is used.",)
        return DEFAULT_THEME

    def call_elsewhere(self, text: str) -> None:
        """Ring the bell and ask for a notice on the desktop, where the terminal is not looked at."""
        if self.app_focus:
            return
        if self.settings.screen.bell:
            self.bell()
        if self.settings.screen.desktop_notes:
            self.note(text)

    # Actions of the scope "app".

    def action_help(self) -> None:
        from tui.ui.screens.help import Help

        scope = scope_of(self.screen)
        self.push_screen(Help(scope.SCOPE if scope else "pane", self.settings))

    def action_menu(self) -> None:
        from tui.ui.screens.menu import Menu

        scope = scope_of(self.screen)
        if scope is None:
            return

        async def chosen(action: Action | None) -> None:
            if action is not None:
                await perform(scope, action)

        self.push_screen(Menu(commands_of(scope.SCOPE, self.settings)), chosen)

    def action_palette(self) -> None:
        self.action_command_palette()

    def action_command_palette(self) -> None:
        from tui.ui.screens.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def action_answer_host(self) -> None:
        self.main.action_answer_host()

    def action_log(self) -> None:
        """Show what the engine's log has of the job under the queue's cursor."""
        from tui.ui.screens.job_log import JobLog

        if self._engine_is_here:
            tell(self, "An engine inside this Ferry keeps no log of its jobs.")
        elif job := self.main.queue_pane.current:
            self.push_screen(JobLog(job.id, self.paths.engine_log))

    def action_suspend(self) -> None:
        """Stop until the shell says to go on, with all that it started together with Ferry (`make run`)."""
        if not self.is_headless:
            os.killpg(0, signal.SIGTSTP)

    def action_theme(self) -> None:
        from tui.ui.screens.picker import Item, Picker

        before = self.theme
        items = [Item(name, name, "" if theme.dark else "light") for name, theme in self.themes_in_order()]

        def chosen(name: str | None) -> None:
            self.theme = name or before
            if name:
                self.memory.choose("theme", self.settings.screen.theme, name)
                self.main.keep_memory()

        self.push_screen(Picker("Theme", items, chosen=before, highlighted=self._try_theme), chosen)

    def themes_in_order(self) -> list[tuple[str, Theme]]:
        """Return (name, theme) pairs: Ferry's own first, then Textual's by name."""
        own = [theme.name for theme in FERRY_THEMES]
        others = sorted(name for name in self.available_themes if name not in own)
        return [(name, self.available_themes[name]) for name in (*own, *others)]

    def _try_theme(self, name: str) -> None:
        self.theme = name

    def action_quit(self) -> Worker[None]:  # type: ignore[override]
        return self.run_worker(self._quit(), name="quit", group="quit", exclusive=True, exit_on_error=False)

    async def _quit(self) -> None:
        """Leave the screen; jobs go on (in an engine of this process they stop, and are kept)."""
        going_on = [job for job in self.main.queue_pane.state.jobs if not job.state.is_final]
        going_on = [job for job in going_on if job.state is not JobState.PAUSED]
        if self.settings.confirm.quit:
            from tui.ui.screens.confirm import Confirm

            text = f"{entries(len(going_on), 'job')} in the queue." if going_on else "Nothing is under way."
            if not await self.push_screen_wait(
                Confirm("Leave Ferry", text, yes="Leave", no="Stay", danger=False)
            ):
                return
        if going_on:
            verb = "goes" if len(going_on) == 1 else "go"
            jobs = entries(len(going_on), "job")
            if not self._engine_is_here:
                self.farewell = f"{jobs} {verb} on in the background: ferry queue"
            elif getattr(self.client, "keeps_queue", True):
                self.farewell = f"{jobs} stopped with the screen; the next start takes it up again."
            else:
                self.farewell = f"{jobs} stopped with the screen, and cannot be gone on with."
        self.exit()

    def exit(self, *args: Any, **kwargs: Any) -> None:
        """Leave, by key or because the terminal has gone; the panes' look is kept for the next time."""
        if self.is_running and self.screen_stack and self.main.is_mounted:
            self.main.remember()
        super().exit(*args, **kwargs)

    @property
    def _engine_is_here(self) -> bool:
        """Whether the engine runs in this process, and ends with it."""
        status = self.main.queue_pane.state.status
        return status is not None and status.in_process

    def action_quit_engine(self) -> Worker[None]:
        return self.run_worker(
            self._quit_engine(), name="quit", group="quit", exclusive=True, exit_on_error=False
        )

    async def _quit_engine(self) -> None:
        from tui.ui.screens.confirm import Confirm

        left = [job for job in self.main.queue_pane.state.jobs if not job.state.is_final]
        if left:
            text = f"{entries(len(left), 'job')} in the queue: kept, and gone on with at the next start."
        else:
            lost = self.main.queue_pane.state.lost
            text = "The engine cannot be asked now; its jobs are kept." if lost else "Nothing is under way."
        dialog = Confirm("Leave and stop the engine", text, yes="Stop", no="Stay")
        if not await self.push_screen_wait(dialog):
            return
        if self.submits.entries:
            tell(self, "The engine is stopped as soon as all that was asked is in its queue.")
            await self.submits.end()
        try:
            await self.client.stop_engine()
        except Exception as error:  # the screen stays, and says why
            report(self, error)
            return
        self.farewell = "The engine is stopped." + (f" {entries(len(left), 'job')} kept." if left else "")
        self.exit()

    # What goes wrong where nobody catches it.

    def _handle_exception(self, error: Exception) -> None:
        """Log what nobody caught. A worker's failure is told and survived; any other ends the screen in one line.

        Textual calls this where a handler raised; the widget's own loop has then ended, so that going on would
        show a screen that no longer answers. Without a terminal the tests are to see the error as it is.
        """
        if self.is_headless:
            super()._handle_exception(error)
            return
        cause = error.error if isinstance(error, WorkerFailed) else error
        if isinstance(error, WorkerFailed) and isinstance(cause, Exception):
            report(self, cause)
            return
        _logger.critical("the screen has to end", exc_info=cause)
        self.farewell = (
            f"Something went wrong, and the screen had to end; jobs go on. See {self.paths.screen_log}"
        )
        self.exit(return_code=FAILED)


def run_screen(
    client: Client,
    settings: Settings,
    left: Location,
    right: Location | None,
    paths: Paths,
    notices: Sequence[str] = (),
) -> int:
    """Show the screen until it is left, close the client, and return the exit status."""
    app = Ferry(client, settings, left, right, paths, notices)
    log_to(paths)

    async def run() -> list[Exception]:
        try:
            await app.run_async(mouse=settings.screen.mouse)
            return await app.submits.settle()
        finally:
            await client.close()

    trouble = [in_words(app, error) for error in asyncio.run(run())]
    app.memory.save()
    for line in filter(None, (*trouble, app.farewell)):
        sys.stdout.write(line + "\n")
    return app.return_code or (FAILED if trouble else 0)
