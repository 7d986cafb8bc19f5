"""The places of a client: local folders are read in this process, all others by the engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tui.model.error import Unsupported
from tui.model.exclusion import NOTHING, Exclusion
from tui.model.reach import Reach
from tui.model.siblings import common_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tui.client.disk import Disk
    from tui.client.far import Far
    from tui.model.comparison import Compared
    from tui.model.entry import Below, Details, Entry, Page, Space, Totals
    from tui.model.location import Location
    from tui.model.upload import Unfinished


class EveryPlace(ABC):
    """Implements `tui.client.base.Places`: each call goes to whoever reaches the location."""

    @cached_property
    def _disk(self) -> Disk:
        from tui.client.disk import Disk

        return Disk()

    @cached_property
    def _far(self) -> Far:
        from tui.client.far import Far

        return Far(self)

    @abstractmethod
    async def ask(self, method: str, **arguments: Any) -> Any:
        """Have the engine do one of its methods, and return the result."""

    def close_places(self) -> None:
        """Let go of the disk, if it was used."""
        if "_disk" in vars(self):
            self._disk.close()

    def _of(self, location: Location) -> Disk | Far:
        return self._disk if location.is_local else self._far

    async def reach(self, place: Location) -> Reach:
        return Reach.CONNECTED if place.is_local else await self._far.reach(place)

    async def resolve(self, location: Location) -> Location:
        return location if location.is_local else await self._far.resolve(location)

    def list(self, folder: Location) -> AsyncIterator[Page]:
        return self._of(folder).list(folder)

    def walk(self, top: Location, *, hidden: bool) -> AsyncIterator[Sequence[Below]]:
        return self._of(top).walk(top, hidden=hidden)

    async def details(self, folder: Location, names: Sequence[str]) -> Details:
        return await self._of(folder).details(folder, names)

    async def stat(self, location: Location, *, follow: bool = False) -> Entry:
        return await self._of(location).stat(location, follow=follow)

    async def read(self, location: Location, offset: int, size_bytes: int) -> bytes:
        return await self._of(location).read(location, offset, size_bytes)

    async def space(self, folder: Location) -> Space:
        return await self._of(folder).space(folder)

    async def measure(
        self, locations: Sequence[Location], *, time_limit_s: float = 2.0, exclude: Exclusion = NOTHING
    ) -> Totals:
        folder = common_folder(locations)
        every = locations if folder is None else (folder,)
        where = self._far if any(not location.is_local for location in every) else self._disk
        return await where.measure(locations, time_limit_s=time_limit_s, exclude=exclude)

    async def uploads(
        self, place: Location, older_than_s: float, *, remove: bool = False
    ) -> tuple[Unfinished, ...]:
        return await self._far.uploads(place, older_than_s, remove=remove)

    def compare(
        self,
        source: Location,
        target: Location,
        *,
        by_content: bool = False,
        exclude: Exclusion = NOTHING,
    ) -> AsyncIterator[Compared]:
        both_local = source.is_local and target.is_local
        return (self._disk if both_local else self._far).compare(
            source, target, by_content=by_content, exclude=exclude
        )

    async def make_folder(self, location: Location) -> Location:
        return await self._of(location).make_folder(location)

    async def create_file(self, location: Location) -> None:
        await self._of(location).create_file(location)

    async def rename(self, location: Location, new: Location) -> None:
        if (location.scheme, location.authority) != (new.scheme, new.authority):
            raise Unsupported(
                f"cannot rename {location} to {new}: they are in different places",
                "Move it instead.",
                location=location,
            )
        await self._of(location).rename(location, new)

    async def set_mode(self, location: Location, mode: int) -> None:
        await self._of(location).set_mode(location, mode)

    async def make_symlink(self, location: Location, points_to: str) -> None:
        await self._of(location).make_symlink(location, points_to)

    async def make_hardlink(self, location: Location, existing: Location) -> None:
        if not (location.is_local and existing.is_local):
            raise Unsupported(
                f"cannot make the hard link {location}: that is done on the local disk alone",
                "Make a symbolic link, or a copy.",
                location=location,
            )
        await self._disk.make_hardlink(location, existing)

    def watch(self, folder: Location) -> AsyncIterator[None]:
        return self._disk.watch(folder) if folder.is_local else _never()


async def _never() -> AsyncIterator[None]:
    """End at once: nobody tells what changes on another host."""
    none: tuple[None, ...] = ()
    for nothing in none:
        yield nothing
