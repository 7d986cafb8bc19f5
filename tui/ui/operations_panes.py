"""What concerns both panes and where they are: going, jumping, bookmarks, swapping; viewing, editing, the shell."""

from __future__ import annotations

import asyncio
import os
import sys

from tui.model.entry import EntryKind
from tui.model.error import PlaceError, PlaceUnavailable, UsageError
from tui.model.location import Location
from tui.ui.addresses import host_of
from tui.ui.operations import named, operation
from tui.ui.operations_far import FarOperations
from tui.ui.widgets.pane_reading import SILENT_S
from tui.visible import visible

GO_TO = "go_to"
"""Under which the screen's memory keeps the paths typed."""
COMMAND = "command"
"""The same, of commands."""
FAR_ANSWER_S = 30.0
"""So long a far place has to say what an entry is that is to be viewed."""
_ANSWER_S = 0.5
"""So long a place has to say whether a path is a folder, before the pane goes there to see."""


class PaneOperations(FarOperations):
    """Moving about with both panes, and programs that take over the terminal."""

    def action_other_pane(self) -> None:
        self.use(self.other)

    def action_swap(self) -> None:
        left, right = self.pane.location, self.other.location
        self.pane.go(right)
        self.other.go(left)

    def action_equalise(self) -> None:
        self.other.go(self.pane.location)

    @operation
    async def action_go_to(self) -> None:
        from tui.ui.screens.prompt import Prompt
        from tui.ui.widgets.path_input import parse_location, written

        folder = self.pane.shown_location
        prompt = Prompt(
            "Go to",
            written(folder),
            check=lambda typed: parse_location(typed, folder),
            history=self.memory.history(GO_TO),
            places=self.client,
            base=folder,
        )
        typed = await self.ask(prompt)
        if typed is None:
            return
        self.memory.typed(GO_TO, typed)
        self.keep_memory()
        await self.go_to(parse_location(typed, folder))

    async def go_to(self, location: Location) -> None:
        """Show a folder in the pane; for anything else its folder, with the cursor on it."""
        location = self.pane.where_built(location)
        if not location.is_local:
            self.pane.go(location)  # it says itself how it gets on; of a file it shows the folder
            return
        try:
            async with asyncio.timeout(_ANSWER_S):
                entry = await self.client.stat(location, follow=True)
        except TimeoutError:
            self.pane.go(location)  # the pane says that it does not answer, and shows it when it does
            return
        if entry.kind.opens_as_folder:
            self.pane.go(location)
        else:
            self.pane.go(location.parent, cursor_on=location.name)

    @operation
    async def action_go_trash(self) -> None:
        """Show the trash of the volume the pane is on; where that has none of its own, the one of the home folder."""
        for folder in trashes(self.pane.location):
            try:
                await self.client.stat(folder, follow=True)
            except PlaceError:
                continue
            self.pane.go(folder)
            return
        self.tell("The trash is empty: nothing was moved there yet.")

    @operation
    async def action_frequent(self) -> None:
        from tui.ui.screens.picker import Item, Picker

        items = [Item(folder, visible(str(folder))) for folder in self.memory.folders_by_use()]
        empty = "Folders you visit are listed here."
        folder = await self.ask(
            Picker("Folders used before", items, empty=empty, remove=self._forget_frequent)
        )
        if folder is not None:
            await self._go_or_forget(folder)

    async def _go_or_forget(self, folder: Location) -> None:
        try:
            await self.go_to(folder)
        except Exception:
            self._forget_frequent(folder)
            raise

    def _forget_frequent(self, folder: Location) -> None:
        self.memory.frequent.pop(folder, None)
        self.keep_memory()

    @operation
    async def action_bookmark(self, letter: str | None = None) -> None:
        if letter is None:
            letter = await self._ask_letter("Bookmark this folder under")
        if letter is None:
            return
        folder = self.pane.shown_location
        self.memory.bookmarks[letter] = folder
        self.keep_memory()
        self.tell(f"{visible(str(folder))} is bookmark {letter}; jump there with ' {letter}.")

    async def _ask_letter(self, title: str) -> str | None:
        from tui.ui.screens.prompt import Prompt

        return await self.ask(Prompt(title, check=_one_letter, explanation="One letter or digit."))

    @operation
    async def action_jump(self, letter: str | None = None) -> None:
        if letter is None:
            await self._pick_bookmark()
        elif letter in self.memory.bookmarks:
            await self.go_to(self.memory.bookmarks[letter])
        else:
            self.tell(f"There is no bookmark {letter}; make it with m {letter} in its folder.", "warning")

    @operation
    async def action_bookmarks(self) -> None:
        await self._pick_bookmark()

    async def _pick_bookmark(self) -> None:
        from tui.ui.screens.picker import Item, Picker

        bookmarks = sorted(self.memory.bookmarks.items())
        items = [Item(letter, f"{letter}  {visible(str(folder))}") for letter, folder in bookmarks]
        empty = "There are none; m and a letter bookmark the folder shown."
        letter = await self.ask(Picker("Bookmarks", items, empty=empty, remove=self._forget_bookmark))
        if letter is not None:
            await self.go_to(self.memory.bookmarks[letter])

    def _forget_bookmark(self, letter: str) -> None:
        self.memory.bookmarks.pop(letter, None)
        self.keep_memory()

    @operation
    async def action_view(self) -> None:
        if (location := self.current_location) is None:
            self.tell_nothing("view")
        else:
            await self.view(location)

    @operation
    async def open_file(self, location: Location) -> None:
        """View what was entered, off the screen's own loop: a disk that does not answer must not hold it up."""
        await self.view(location)

    async def view(self, location: Location) -> None:
        """Open the viewer on a file; a folder is entered instead."""
        if not (location.is_local or self._must_ask_about(location)):
            await self._open_viewer(location)  # it says itself that it waits, and can be left
            return
        try:
            async with asyncio.timeout(SILENT_S if location.is_local else FAR_ANSWER_S):
                entry = await self.client.stat(location, follow=True)
        except TimeoutError:
            raise PlaceUnavailable(f"{visible(str(location))} is not answering", "Try again later.") from None
        if entry.kind.opens_as_folder:
            self.pane.go(location)
            return
        await self._open_viewer(location)

    def _must_ask_about(self, location: Location) -> bool:
        """Say whether the pane does not know already that something is a file."""
        current = self.pane.current
        return current is None or current.location != location or current.kind is not EntryKind.FILE

    async def _open_viewer(self, location: Location) -> None:
        from tui.ui.screens.viewer import Viewer

        if self.app.screen is self:
            await self.app.push_screen(Viewer(self.client, location, self.settings))

    @operation
    async def action_edit(self) -> None:
        from tui.ui.outside import editor_command, run_outside

        location = self.current_location
        if location is None:
            self.tell_nothing("edit")
            return
        if not location.is_local:
            self.nothing_to_open()
            await self.edit_far(self.pane.settled(location))
            return
        entry = await self.client.stat(self.pane.settled(location), follow=True)
        if entry.kind is not EntryKind.FILE:
            raise UsageError(f"{visible(location.name)} is not a file", "Only files can be edited.")
        words = editor_command(self.settings)
        await run_outside(self.app, [*words, location.path], location.parent.path)
        self.pane.refresh_folder()

    @operation
    async def action_shell(self) -> None:
        from tui.ui.outside import run_outside

        folder = self._here("a shell can be opened")
        await run_outside(self.app, [os.environ.get("SHELL") or "/bin/sh"], folder.path)
        self._look_again()

    @operation
    async def action_command(self) -> None:
        """Run a line that is typed in the pane's folder; it may speak of what is chosen, and of the folder across."""
        from tui.ui.outside import command_words, run_outside
        from tui.ui.screens.prompt import Prompt

        folder, other = self._here("a command can be run"), self.other.location
        chosen = self.pane.chosen
        told = [f'"$@" is {named(chosen)}'] if chosen else []
        told += ['"$OTHER" the folder across'] if other.is_local else []
        prompt = Prompt(
            "Run a command",
            explanation=f"By sh, in {visible(str(folder))}. {', '.join(told)}".rstrip() + ".",
            check=_some_command,
            history=self.memory.history(COMMAND),
        )
        line = await self.ask(prompt)
        if line is None:
            return
        self.memory.typed(COMMAND, line)
        self.keep_memory()
        environ = {"OTHER": other.path} if other.is_local else {}
        words = command_words(line, [location.name for location in chosen])
        await run_outside(self.app, words, folder.path, environ)
        self._look_again()

    def _here(self, what: str) -> Location:
        """Return the pane's folder; raises UsageError where it is another host's, and no program can be run."""
        folder = self.pane.location
        if not folder.is_local:
            raise UsageError(f"{what} in local folders only", f"Use ssh to reach {host_of(folder)}.")
        return folder

    def _look_again(self) -> None:
        """Read both folders again: a program may have changed anything."""
        self.pane.refresh_folder()
        self.other.refresh_folder()


def trashes(location: Location) -> list[Location]:
    """Return where what is trashed at a location may lie, the nearest first.

    (freedesktop.org Trash specification 1.0.)
    """
    user = os.getuid()
    found = []
    while location.is_local:
        found += [location.below(f"{name}/files") for name in (f".Trash/{user}", f".Trash-{user}")]
        if location.is_root:
            break
        location = location.parent
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    own = "~/.Trash" if sys.platform == "darwin" else f"{data}/Trash/files"
    return [*found, Location.local(os.path.expanduser(own), "/")]


def _one_letter(text: str) -> None:
    if len(text) != 1 or not text.isprintable() or text.isspace():
        raise UsageError("one letter or digit is needed")


def _some_command(text: str) -> None:
    if not text.strip():
        raise UsageError("a command is needed", 'Such as: tar czf ../some.tgz "$@"')
