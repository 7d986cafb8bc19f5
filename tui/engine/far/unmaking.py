"""The work of undoing what was made at once at a far place: it goes again, if nothing became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.engine.far.ends import Ends, carry, look
from tui.engine.far.identity import why_not_it
from tui.engine.unmaking import Unmaking
from tui.model.entry import EntryKind
from tui.model.error import NotEmpty, NotFound, PlaceError, PlaceUnavailable, SourceReplaced

if TYPE_CHECKING:
    from tui.engine.rows import Source
    from tui.engine.run import Run
    from tui.model.location import Location
    from tui.places.base import Place


class FarUnmaking(Unmaking):
    """Takes away what was made, and the folders made on the way to it."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._reach = Ends(run)

    async def execute(self) -> None:
        """Do it, or what is left of it after a crash."""
        await carry(self.run, super().execute())

    async def remove(self, source: Source, top: Location, identity: str, *, again: bool) -> None:
        """Remove one, unless it went before a crash or a loss of the connection, and what it left empty above."""
        made, tries = source.location, 0

        async def one(place: Place) -> None:
            nonlocal tries
            tries += 1
            try:
                await _remove(place, made, identity)
            except NotFound:
                if tries == 1 and not again:
                    raise

        await self._reach.do(made, one)
        await self._reach.do(made, lambda place: _remove_way(place, made, top))


async def _remove(place: Place, made: Location, identity: str) -> None:
    """Remove something that is as it was made; a folder only if nothing is in it."""
    entry = await look(place, made)
    if entry is None:
        raise NotFound(f"cannot take {made} away: it is not there any more", location=made)
    if (reason := await why_not_it(place, made, identity)) is not None:
        raise SourceReplaced(f"cannot take {made} away: {reason}", location=made)
    if entry.kind is not EntryKind.FOLDER:
        await place.remove_file(made)
        return
    try:
        await place.remove_folder(made)
    except NotEmpty as error:
        message = f"cannot take the folder {made} away: something is in it"
        raise NotEmpty(message, "Empty it first, or leave it.", location=made) from error


async def _remove_way(place: Place, made: Location, top: Location) -> None:
    """Remove the folders that were made on the way; what holds something else by now stays, with all above it."""
    while made != top and top.holds(made):
        made = made.parent
        try:
            await place.remove_folder(made)
        except NotFound:
            continue  # gone before the connection was lost
        except PlaceUnavailable:
            raise
        except PlaceError:
            return
