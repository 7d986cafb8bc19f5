"""Trees that are being copied into a pane's folder, or around it: shown by their final names, left in peace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from tui.model.error import UsageError
from tui.model.siblings import common_folder
from tui.ui.stages import Stages, moved
from tui.ui.widgets.pane_base import State
from tui.ui.widgets.pane_fresh import PaneFresh
from tui.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.model.job import Stage
    from tui.model.location import Location
    from tui.ui.folder import Folder

_REMEMBERED = 100


class PaneStages(PaneFresh):
    """What a pane does about the trees that jobs are building."""

    def show_stages(self, stages: Stages) -> None:
        """Take over which trees are being built, and how far they are; only rows that changed are drawn."""
        before, self._stages = self._stages, stages
        for stage in stages:
            self._finals[stage.folder] = stage.final
        if before == stages or not self.is_mounted:
            return
        while len(self._finals) > _REMEMBERED:
            del self._finals[next(iter(self._finals))]
        now = {stage.folder for stage in stages}
        if ended := [stage for stage in before if stage.folder not in now and self._knows(stage)]:
            self._follow_ended(ended)
        self._show_path()
        if self._shows_folder and self.state in (State.READY, State.READING):
            self._show_staged(self.folder)

    def _show_staged(self, folder: Folder) -> None:
        shown, wanted = folder.stages, self._stages.within(folder.location)
        if shown.keys() - wanted.keys():
            self._changed()  # its row stays until the folder is read again, with the final name in it
        elif wanted.keys() - shown.keys():
            self._show_new(folder)
        elif shown != wanted:
            folder.set_stages(wanted)
            for partial in wanted:
                if wanted[partial] != shown[partial] and (row := folder.row_of(partial)) is not None:
                    self.listing.renew_row(row)
            self._show_footer()

    @work(exclusive=True, group="arranging", exit_on_error=False)
    async def _show_new(self, folder: Folder) -> None:
        await self._arrange(folder)
        if self._shows_folder and folder is self.folder:
            self._put(folder)

    async def _arrange(self, folder: Folder) -> None:
        folder.set_stages(self._stages.within(folder.location))
        await super()._arrange(folder)

    # What operations are about.

    @property
    def chosen(self) -> Sequence[Location]:
        """What an operation is about: the marked entries, else the one under the cursor.

        Raises:
            UsageError: It belongs to a tree that is still being copied.
        """
        chosen = super().chosen
        folder = common_folder(chosen)
        if folder is None:
            return chosen
        self.settled(folder)
        for partial in self._stages.within(folder):  # no look at each of what may be a million
            if folder.child(partial) in chosen:
                self.settled(folder.child(partial))
        return chosen

    @property
    def target(self) -> Location:
        """The pane's folder, for something to be put into.

        Raises:
            UsageError: It belongs to a tree that is still being copied.
        """
        return self.settled(self.location)

    def settled(self, location: Location) -> Location:
        """Return a location that is to be worked on.

        Raises:
            UsageError: It belongs to a tree that is still being copied.
        """
        if stage := self._stages.around(location):
            name = visible(stage.final.name)
            raise UsageError(f"{name} is still being copied", "Wait until it is whole, or cancel its job.")
        return location

    @property
    def shown_location(self) -> Location:
        for folder, final in self._finals.items():
            if folder.holds(self.location):
                return moved(self.location, folder, final)
        return self.location

    def where_built(self, location: Location) -> Location:
        """Return where something is now that will be at a location once it is copied."""
        return self._stages.built(location)

    # When a tree gets its name.

    def _knows(self, stage: Stage) -> bool:
        """Say whether this pane is in a tree, or may come back to it."""
        return any(stage.folder.holds(place) for place in (self.location, *self._back, *self._forward))

    @work(group="stages", exit_on_error=False)
    async def _follow_ended(self, ended: list[Stage]) -> None:
        for stage in ended:
            if await self._is_there(stage.final):
                self._move_on(stage.folder, stage.final)
            elif await self._is_there(stage.folder):
                self._finals.pop(stage.folder, None)  # it stays what it is: its job has failed
                self._show_path()

    async def _go_to_nearest(self) -> None:
        """Follow a tree that has got its name meanwhile; where there is none, go to what is left."""
        for folder, final in self._finals.items():
            if folder.holds(self.location) and await self._is_there(final):
                self._move_on(folder, final)
                return
        await super()._go_to_nearest()

    def _move_on(self, before: Location, after: Location) -> None:
        """Go along with a folder that has another place now: rows, cursor and marks stay as they are."""
        self._keep_marks()
        self._back[:] = [moved(place, before, after) for place in self._back]
        self._forward[:] = [moved(place, before, after) for place in self._forward]
        self._cursors = {moved(place, before, after): name for place, name in self._cursors.items()}
        self._marks_by_location = {
            moved(place, before, after): marks for place, marks in self._marks_by_location.items()
        }
        if not before.holds(self.location):
            return
        location = moved(self.location, before, after)
        if self.state is not State.READY or not self._shows_folder:
            self._start(location, None)
            return
        self.location = self.folder.location = location
        self._watch(location)
        self._reread()
