"""Rename, make, trash, delete, permissions, links, facts: quick ones at once, the rest through the queue."""

from __future__ import annotations

import asyncio
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from tui.model.entry import EntryKind
from tui.model.error import NotPossible, Unsupported, UsageError
from tui.model.job import JobKind, Request
from tui.ui.addresses import S3, same_place
from tui.ui.names import escape
from tui.ui.operations import named, operation
from tui.ui.operations_undo import UndoOperations
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.model.location import Location


class FileOperations(UndoOperations):
    """The actions of the group Files, but for viewing and editing."""

    @operation
    async def action_make_folder(self) -> None:
        from tui.ui.screens.prompt import Prompt

        typed = await self.ask(
            Prompt("Make a folder", check=self._check_path, explanation="Its name; a/b makes both.")
        )
        if typed is not None:
            location = self._below(typed)
            top = await self.client.make_folder(location)
            self._show_made(location)
            self._look_across(top.parent)
            await self.did(JobKind.MAKE, location, top)

    @operation
    async def action_create_file(self) -> None:
        from tui.ui.screens.prompt import Prompt

        typed = await self.ask(Prompt("Make an empty file", check=self._check_path, explanation="Its name."))
        if typed is not None:
            location = self._below(typed)
            await self.client.create_file(location)
            self._show_made(location)
            self._look_across(location.parent)
            await self.did(JobKind.MAKE, location, location)

    def _below(self, typed: str) -> Location:
        from tui.ui.widgets.path_input import parse_location

        return self.pane.settled(parse_location(typed, self.pane.location))

    def _check_path(self, typed: str) -> None:
        """Refuse what cannot name something new: each part of the path is looked at."""
        from tui.ui.names import check_name

        location = self._below(typed)
        check_name(location.name)

    def _look_across(self, folder: Location) -> None:
        """Have the other pane look again where it shows the same far folder."""
        if self.other.location == folder:
            self.other.look_again()

    def _show_made(self, location: Location) -> None:
        """Put the cursor on what was just made, where it lies in this folder or below."""
        folder = self.pane.location
        if folder.holds(location) and location != folder:
            self.pane.go(folder, cursor_on=folder.relative(location).partition("/")[0])

    @operation
    async def action_rename(self) -> None:
        chosen = self.chosen
        if not chosen:
            self.tell_nothing("rename")
        elif len(chosen) == 1:
            await self._rename_one(chosen[0])
        else:
            await self._rename_list(chosen)

    async def _rename_one(self, location: Location) -> None:
        from tui.ui.screens.prompt import Prompt, name_typed

        name = escape(location.name)
        stem = name.rpartition(".")[0] or name
        dialog = Prompt("Rename", name, check=name_typed, selected=len(stem))
        typed = await self.ask(dialog)
        if typed is None or name_typed(typed) == location.name:
            return
        new = location.parent.child(name_typed(typed))
        try:
            await self.client.rename(location, new)
        except Unsupported:
            if location.is_local:
                raise
            request = Request(kind=JobKind.MOVE, sources=(location,), target=new, into=False)
            await self.submit(request, f"Renaming {named([location])}")  # it takes copying there
            self.pane.clear_marks()
            return
        self.pane.clear_marks()
        if location.parent == self.pane.location:
            self.pane.go(self.pane.location, cursor_on=new.name)
        self._look_across(location.parent)
        await self.did(JobKind.RENAME, new, location)

    async def _rename_list(self, sources: Sequence[Location]) -> None:
        from tui.ui.name_list import those_changed

        targets = await self._new_names(sources)
        if targets is None:
            return
        changed, new_names = await asyncio.to_thread(those_changed, sources, targets)
        if not changed:
            self.tell("No name was changed.")
            return
        request = Request(kind=JobKind.RENAME, sources=changed, targets=new_names)
        job = await self.submit(request, f"Renaming {named(changed)}")
        with suppress(NotPossible):  # it has ended already
            await self.client.start([job])  # as one name changes, at once: not when a long copy there is done
        self.pane.clear_marks()

    async def _new_names(self, sources: Sequence[Location]) -> list[Location] | None:
        """Return new locations from a list in the editor; what is wrong with it may be mended or given up."""
        from tui.ui.name_list import NameList
        from tui.ui.screens.confirm import Confirm

        names = NameList(sources)
        try:
            while True:
                try:
                    return await names.edit(self.app, self.settings)
                except UsageError as error:
                    if not names.was_edited:
                        raise
                    text = f"{error.message}. {error.remedy}"
                    again = Confirm("The new names will not do", text, yes="Edit again", danger=False)
                    if not await self.ask(again):
                        return None
        finally:
            await names.remove()

    @operation
    async def action_trash(self) -> None:
        if not self.pane.location.is_local:
            await self._remove(
                JobKind.DELETE, "No trash there: delete for good", "Delete", True, "It cannot be undone"
            )
            return
        await self._remove(
            JobKind.TRASH,
            "Move to the trash",
            "Trash",
            self.settings.confirm.trash,
            "What goes there can be taken back",
        )

    @operation
    async def action_delete(self) -> None:
        await self._remove(
            JobKind.DELETE, "Delete for good", "Delete", self.settings.confirm.delete, "It cannot be undone"
        )

    async def _remove(self, kind: JobKind, title: str, word: str, asks: bool, hint: str) -> None:
        from tui.ui.screens.confirm import Confirm

        pane, folder, sources = self.pane, self.pane.location, self.chosen
        if not sources:
            self.tell_nothing("remove")
            return
        danger = kind is JobKind.DELETE
        if asks:
            text = f"{named(sources)} in {visible(str(sources[0].parent))}. {hint}."
            dialog = Confirm(
                title, text, yes=word, no="Keep", places=self.client, sources=sources, danger=danger
            )
            if not await self.ask(dialog):
                return
        said = "Deleting" if danger else "Moving to the trash:"
        await self.submit(Request(kind=kind, sources=sources), f"{said} {named(sources)}")
        if pane.location == folder:  # it took the queue a while, maybe
            pane.clear_marks()

    @operation
    async def action_chmod(self) -> None:
        from tui.ui.screens.chmod import ALL_BITS, ChmodDialog

        sources = self.chosen
        if not sources:
            self.tell_nothing("change")
            return
        if sources[0].scheme == S3:
            raise UsageError("there are no permissions there", "A store keeps content and names only.")
        first = await self.client.stat(sources[0])
        folders = len(sources) > 1 or first.kind is EntryKind.FOLDER
        dialog = ChmodDialog(
            f"Permissions of {named(sources)}",
            stat.S_IMODE(first.mode),
            self.client,
            sources,
            recursive=folders,
            single=len(sources) == 1,
        )
        change = await self.ask(dialog)
        if change is None:
            return
        if not folders:
            await self.client.set_mode(sources[0], change.mode_set & ALL_BITS)
            self.pane.go(self.pane.location, cursor_on=sources[0].name)
            self._look_across(sources[0].parent)
            return
        request = Request(
            kind=JobKind.CHMOD,
            sources=sources,
            mode_set=change.mode_set,
            mode_clear=change.mode_clear,
            folder_mode_set=change.folder_mode_set,
            recursive=change.recursive,
        )
        await self.submit(request, f"Changing permissions of {named(sources)}")
        self.pane.clear_marks()

    @operation
    async def action_symlink(self) -> None:
        await self._link("Make a symbolic link", symbolic=True)

    @operation
    async def action_hardlink(self) -> None:
        await self._link("Make a hard link", symbolic=False)

    async def _link(self, title: str, *, symbolic: bool) -> None:
        """Link to the entry under the cursor from the other pane's folder (its own, where both show the same)."""
        from tui.ui.screens.prompt import Prompt, name_typed

        chosen = self.pane.chosen
        if len(chosen) != 1:
            self.tell("A link points to one entry: mark just one, or none.", "warning")
            return
        existing, folder = chosen[0], self.other.target
        if not same_place(existing, folder):
            raise UsageError("a link cannot lead from one place to another", "Copy it instead.")
        if not (symbolic or folder.is_local):
            raise UsageError("hard links can be made on the local disk only", "Make a symbolic link instead.")
        explanation = f"Its name in {visible(str(folder))}; it leads to {visible(str(existing))}."
        typed = await self.ask(
            Prompt(title, escape(existing.name), check=name_typed, explanation=explanation)
        )
        if typed is None:
            return
        location = folder.child(name_typed(typed))
        if symbolic:
            await self.client.make_symlink(location, existing.path)
        else:
            await self.client.make_hardlink(location, existing)
        self.other.go(folder, cursor_on=location.name)
        await self.did(JobKind.MAKE, location, location)

    @operation
    async def action_information(self) -> None:
        from tui.ui.screens.information import Information, facts_of

        sources = self.pane.chosen or [self.pane.location]
        if len(sources) == 1:
            lines = facts_of(sources[0], await self.client.stat(sources[0]))
        else:
            lines = [("Folder", visible(str(sources[0].parent)))]
        await self.ask(Information(f"About {named(sources)}", lines, self.client, sources))
