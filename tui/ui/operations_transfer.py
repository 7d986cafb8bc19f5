"""Copy, move, yank, cut and paste: all of them end in the queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tui.format import count
from tui.model.job import JobKind, Request
from tui.model.location import Location
from tui.model.misfit import Names
from tui.model.siblings import common_folder
from tui.ui.operations import Operations, named, operation
from tui.visible import visible

if TYPE_CHECKING:
    from tui.ui.widgets.pane import FilePane

_DONE = {JobKind.COPY: "Copying", JobKind.MOVE: "Moving"}


@dataclass(frozen=True, slots=True)
class Register:
    """What was yanked (COPY) or cut (MOVE), to be pasted."""

    kind: JobKind
    sources: Sequence[Location]


class TransferOperations(Operations):
    """The actions of the group Transfer."""

    register: Register | None = None
    left: FilePane
    right: FilePane

    def action_copy(self) -> None:
        self._transfer(JobKind.COPY)

    def action_move(self) -> None:
        self._transfer(JobKind.MOVE)

    @operation
    async def _transfer(self, kind: JobKind) -> None:
        pane, folder, sources = self.pane, self.pane.location, self.chosen
        if not sources:
            self.tell_nothing("copy or move")
            return
        if await self._ask_and_submit(kind, sources, self.other.target) and pane.location == folder:
            pane.clear_marks()

    async def _ask_and_submit(self, kind: JobKind, sources: Sequence[Location], folder: Location) -> bool:
        from tui.ui.screens.copy_dialog import CopyDialog

        queue = self.settings.queue
        dialog = CopyDialog(kind, sources, folder, self.client, queue.conflict, queue.verify)
        request = await self.ask(dialog)
        if request is None:
            return False
        queue = self.settings.queue
        await self._submit(replace(request, flush=queue.flush, staging=queue.staging, names=Names.ASK))
        return True

    async def _submit(self, request: Request) -> None:
        where = visible(str(request.target))
        held = ", paused" if request.paused else ""
        await self.submit(request, f"{_DONE[request.kind]} {named(request.sources)} to {where}{held}")

    def action_yank(self) -> None:
        self._remember_chosen(JobKind.COPY)

    def action_cut(self) -> None:
        self._remember_chosen(JobKind.MOVE)

    def _remember_chosen(self, kind: JobKind) -> None:
        if sources := self.chosen:
            self.remember_for_pasting(kind, sources)
            self.pane.clear_marks()
        else:
            self.tell_nothing("remember")

    def remember_for_pasting(self, kind: JobKind, sources: Sequence[Location]) -> None:
        """Keep what a paste is to copy or move."""
        self._keep(Register(kind, sources))
        word = "moved" if kind is JobKind.MOVE else "copied"
        self.tell(f"{named(sources)} will be {word} where you paste (p).")

    def _keep(self, register: Register | None, *, pasted: bool = False) -> None:
        """Keep what a paste is about; until it was pasted once the panes say so, for the message is soon gone."""
        self.register = register
        text = ""
        if register is not None and not pasted:
            text = f"{count(len(register.sources))} to {'move' if register.kind is JobKind.MOVE else 'copy'}"
        for pane in (self.left, self.right):
            pane.show_waiting_for_paste(text)

    def action_clear_yank(self) -> None:
        self._keep(None)
        self.tell("Nothing is remembered for pasting now.")

    @operation
    async def action_paste(self) -> None:
        register = self._register()
        if register is None:
            return
        from tui.ui.screens.copy_dialog import traits_between

        folder = self.pane.target
        request = Request(
            kind=register.kind,
            sources=register.sources,
            target=folder,
            conflict=self.settings.queue.conflict,
            verify=self.settings.queue.verify,
            flush=self.settings.queue.flush,
            staging=self.settings.queue.staging,
            names=Names.ASK,
            preserve=traits_between(register.sources[0], folder),
        )
        every = register.sources
        shared = common_folder(every)
        if shared == folder if shared else all(source.parent == folder for source in every):
            self.tell("They are in this folder already; paste with options (P) to choose a name.", "warning")
            return
        await self._submit(request)
        self._pasted(register)

    @operation
    async def action_paste_with_options(self) -> None:
        register = self._register()
        if register and await self._ask_and_submit(register.kind, register.sources, self.pane.target):
            self._pasted(register)

    def _register(self) -> Register | None:
        if self.register is None:
            self.tell("Nothing was yanked (y) or cut (x) yet.", "warning")
        return self.register

    def _pasted(self, register: Register) -> None:
        is_gone = register.kind is JobKind.MOVE  # it is no longer there to be moved again
        self._keep(None if is_gone else register, pasted=True)
